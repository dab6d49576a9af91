//! Texts of policies: wildcards and variables.
//!
//! `*` stands for any characters, `?` for one unit of UTF-16: a character beyond the first plane has two of them, as recorded
//! answers of AWS have it. `${key}` is the value of a key with one value, `${key, 'text'}` the text where
//! the key is absent; `${*}`, `${?}` and `${$}` are the characters. What a variable stands for is literal: no wildcard in it
//! counts. A variable without a value matches nothing.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.
//!
//! Matching does not backtrack across a `*`: what stands between two of them is looked for once, leftmost, so that the work
//! is at most the product of the two lengths, and linear where no `?` is in the pattern.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::context::{Context, ContextValue, Found, KeyName};
use crate::fuel::Fuel;

/// A text of a policy, taken apart.
#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    /// Everything matches.
    Any,
    /// This text alone.
    Exact(Box<str>),
    /// Every text that begins with this one.
    Prefix(Box<str>),
    /// The pieces, one after the other.
    Pieces(Box<[Piece]>),
}

#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// `*`.
    Many,
    /// Literal text.
    Text(Box<str>),
    /// So many `?`.
    Units(usize),
    /// So many `?` before a `*`, which may begin within a character.
    UnitsOrMore(usize),
    /// `${...}`.
    Variable(Variable),
}

#[derive(Clone, Debug)]
pub(crate) struct Variable {
    key: KeyName,
    default: Option<Box<str>>,
}

/// What is special in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syntax {
    pub(crate) wildcards: bool,
    pub(crate) variables: bool,
}

/// What a pattern is matched with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'s, 'a> {
    pub(crate) context: &'s Context<'a>,
    pub(crate) fuel: &'s Fuel,
}

impl Pattern {
    pub(crate) fn compile(text: &str, syntax: Syntax) -> Self {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if syntax.variables
                && let Some((special, behind)) = take_special(rest)
            {
                match special {
                    Special::Character(character) => literal.push(character),
                    Special::Variable(variable) => {
                        flush(&mut pieces, &mut literal);
                        pieces.push(Piece::Variable(variable));
                    }
                }
                rest = behind;
                continue;
            }
            rest = rest.strip_prefix(next).unwrap_or_default();
            match next {
                '*' if syntax.wildcards => {
                    flush(&mut pieces, &mut literal);
                    push_many(&mut pieces);
                }
                '?' if syntax.wildcards => {
                    flush(&mut pieces, &mut literal);
                    push_unit(&mut pieces);
                }
                _ => literal.push(next),
            }
        }
        flush(&mut pieces, &mut literal);
        match pieces.as_slice() {
            [] => Self::Exact("".into()),
            [Piece::Many] => Self::Any,
            [Piece::Text(text)] => Self::Exact(text.clone()),
            [Piece::Text(text), Piece::Many] => Self::Prefix(text.clone()),
            _ => Self::Pieces(pieces.into()),
        }
    }

    /// Calls `with` for the key of each variable.
    pub(crate) fn mention<'p>(&'p self, with: &mut dyn FnMut(&'p KeyName)) {
        let Self::Pieces(pieces) = self else { return };
        for piece in pieces {
            if let Piece::Variable(variable) = piece {
                with(&variable.key);
            }
        }
    }

    /// Whether it depends on what is not known of the request.
    pub(crate) fn is_open(&self, scope: Scope<'_, '_>) -> bool {
        let mut is_open = false;
        if scope.context.is_open() {
            self.mention(&mut |key| is_open |= matches!(scope.context.find(key), Found::Open));
        }
        is_open
    }

    pub(crate) fn matches(&self, text: &str, scope: Scope<'_, '_>) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => **exact == *text,
            Self::Prefix(prefix) => text.starts_with(&**prefix),
            Self::Pieces(pieces) => matches(pieces, text, scope),
        }
    }

    /// Whether `text` is this one, but for case. For patterns without wildcards.
    pub(crate) fn matches_ignoring_case(&self, text: &str, scope: Scope<'_, '_>) -> bool {
        let lower = |text: &str, other: &str| {
            text.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
        };
        match self {
            Self::Any | Self::Prefix(_) => false,
            Self::Exact(exact) => lower(exact, text),
            Self::Pieces(pieces) => {
                if pieces.iter().any(|piece| literal(piece, scope).is_none()) {
                    return false;
                }
                let texts = pieces.iter().filter_map(|piece| literal(piece, scope));
                texts
                    .flat_map(str::chars)
                    .flat_map(char::to_lowercase)
                    .eq(text.chars().flat_map(char::to_lowercase))
            }
        }
    }
}

enum Special {
    Character(char),
    Variable(Variable),
}

/// What stands between the `${` with which `text` begins and its `}`, and the rest; none where it begins otherwise.
fn take_special(text: &str) -> Option<(Special, &str)> {
    let inner = text.strip_prefix("${")?;
    for character in ['*', '?', '$'] {
        if let Some(rest) = inner.strip_prefix(character).and_then(|rest| rest.strip_prefix('}')) {
            return Some((Special::Character(character), rest));
        }
    }
    let at = inner.find(['}', ','])?;
    let (name, rest) = inner.split_at_checked(at)?;
    if let Some(rest) = rest.strip_prefix('}') {
        return Some((variable(name, None), rest));
    }
    let quoted = rest.strip_prefix(',')?.trim_start().strip_prefix('\'').and_then(|quoted| {
        let (default, rest) = quoted.split_once('\'')?;
        Some((default, rest.trim_start().strip_prefix('}')?))
    });
    match quoted {
        Some((default, rest)) => Some((variable(name, Some(default)), rest)),
        // No default where one is announced: a name that no key has.
        None => inner.split_once('}').map(|(name, rest)| (variable(name, None), rest)),
    }
}

fn variable(name: &str, default: Option<&str>) -> Special {
    Special::Variable(Variable { key: KeyName::new(name.trim()), default: default.map(Into::into) })
}

fn flush(pieces: &mut Vec<Piece>, literal: &mut String) {
    if !literal.is_empty() {
        pieces.push(Piece::Text(core::mem::take(literal).into()));
    }
}

fn push_many(pieces: &mut Vec<Piece>) {
    if matches!(pieces.last(), Some(Piece::Many)) {
        return;
    }
    if let Some(last) = pieces.last_mut()
        && let Piece::Units(count) = *last
    {
        *last = Piece::UnitsOrMore(count);
    }
    pieces.push(Piece::Many);
}

/// A `?` behind a `*` is as one before it, where it is counted.
fn push_unit(pieces: &mut Vec<Piece>) {
    match pieces.as_mut_slice() {
        [.., Piece::Units(count)] | [.., Piece::UnitsOrMore(count), Piece::Many] => *count += 1,
        [.., Piece::Many] => pieces.insert(pieces.len() - 1, Piece::UnitsOrMore(1)),
        _ => pieces.push(Piece::Units(1)),
    }
}

fn matches(pieces: &[Piece], text: &str, scope: Scope<'_, '_>) -> bool {
    let mut runs = pieces.split(|piece| matches!(piece, Piece::Many));
    let Some(mut rest) = runs.next().and_then(|first| strip_start(first, text, scope)) else { return false };
    let Some(last) = runs.next_back() else { return rest.is_empty() };
    for run in runs {
        match find(run, rest, scope) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    strip_end(last, rest, scope)
}

/// What stands behind `run` in `text`, which begins with it.
fn strip_start<'t>(run: &[Piece], text: &'t str, scope: Scope<'_, '_>) -> Option<&'t str> {
    run.iter().try_fold(text, |rest, piece| match piece {
        Piece::Units(count) => {
            let mut characters = rest.chars();
            spans(*count, &mut characters).filter(|spanned| spanned == count).map(|_| characters.as_str())
        }
        Piece::UnitsOrMore(count) => {
            let mut characters = rest.chars();
            spans(*count, &mut characters).map(|_| characters.as_str())
        }
        Piece::Many | Piece::Text(_) | Piece::Variable(_) => rest.strip_prefix(literal(piece, scope)?),
    })
}

/// Whether `text` ends with `run`.
fn strip_end(run: &[Piece], text: &str, scope: Scope<'_, '_>) -> bool {
    let rest = run.iter().rev().try_fold(text, |rest, piece| match piece {
        Piece::Units(count) | Piece::UnitsOrMore(count) => {
            let mut characters = rest.chars();
            let spanned = spans(*count, &mut characters.by_ref().rev());
            spanned.filter(|spanned| spanned == count).map(|_| characters.as_str())
        }
        Piece::Many | Piece::Text(_) | Piece::Variable(_) => rest.strip_suffix(literal(piece, scope)?),
    });
    rest.is_some()
}

/// Takes characters until they have `count` units of UTF-16, and says how many they have; none where they are too few.
fn spans(count: usize, characters: &mut impl Iterator<Item = char>) -> Option<usize> {
    let mut spanned = 0;
    while spanned < count {
        spanned += characters.next()?.len_utf16();
    }
    Some(spanned)
}

/// What stands behind the first `run` in `text`.
fn find<'t>(run: &[Piece], text: &'t str, scope: Scope<'_, '_>) -> Option<&'t str> {
    if let [single @ (Piece::Text(_) | Piece::Variable(_))] = run {
        if !scope.fuel.spend(1 + text.len() / 16) {
            return None;
        }
        return text.split_once(literal(single, scope)?).map(|(_, behind)| behind);
    }
    let weigh = |piece: &Piece| match piece {
        Piece::Units(count) | Piece::UnitsOrMore(count) => *count,
        Piece::Many | Piece::Text(_) | Piece::Variable(_) => {
            literal(piece, scope).map_or(1, |text| 1 + text.len() / 16)
        }
    };
    let weight = run.iter().map(weigh).sum();
    let mut rest = text;
    loop {
        if !scope.fuel.spend(weight) {
            return None;
        }
        if let Some(behind) = strip_start(run, rest, scope) {
            return Some(behind);
        }
        let mut characters = rest.chars();
        characters.next()?;
        rest = characters.as_str();
    }
}

/// The text that a piece stands for; none for a wildcard, and for a variable without a value.
fn literal<'s>(piece: &'s Piece, scope: Scope<'s, '_>) -> Option<&'s str> {
    match piece {
        Piece::Many | Piece::Units(_) | Piece::UnitsOrMore(_) => None,
        Piece::Text(text) => Some(text),
        Piece::Variable(variable) => match scope.context.find(&variable.key) {
            Found::Absent => variable.default.as_deref(),
            Found::Value(ContextValue::One(value)) => Some(value),
            Found::Ambiguous | Found::Open | Found::Value(ContextValue::Many(_)) => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str, syntax: Syntax) -> bool {
        let context: Context<'_> = [
            ("aws:username", ContextValue::One("alice")),
            ("aws:PrincipalTag/glob", ContextValue::One("a*")),
            ("aws:PrincipalTag/empty", ContextValue::One("")),
            ("aws:TagKeys", ContextValue::Many(&["x"])),
        ]
        .into_iter()
        .collect();
        let fuel = Fuel::full();
        Pattern::compile(pattern, syntax).matches(text, Scope { context: &context, fuel: &fuel })
    }

    #[test]
    fn wildcards_stand_for_characters() {
        let syntax = Syntax { wildcards: true, variables: false };
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("**", "x", true),
            ("", "", true),
            ("", "x", false),
            ("?", "", false),
            ("?", "x", true),
            ("?", "é", true),
            ("?", "xy", false),
            ("a*", "a", true),
            ("a*", "ab", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("*b*", "abc", true),
            ("*b*", "ac", false),
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "acb", false),
            ("a*a", "a", false),
            ("a*?a", "aa", false),
            ("a*?a", "aba", true),
            ("*ab?d*", "xxabcdxx", true),
            ("*ab?d*", "abdabd", false),
            ("*ab*ab", "ab", false),
            ("*ab*ab", "abab", true),
            ("*a?b*", "aaxb", true),
            ("*?*", "", false),
            ("*?é", "éé", true),
            ("??", "é", false),
            ("?", "😀", false),
            ("??", "😀", true),
            ("???", "😀", false),
            ("???", "😀a", true),
            ("???", "a😀", true),
            ("a?b", "a😀b", false),
            ("a??b", "a😀b", true),
            ("a?*b", "a😀b", true),
            ("a*?b", "a😀b", true),
            ("a?*?b", "a😀b", true),
            ("a?*?*?b", "a😀b", false),
            ("?*?", "😀", true),
            ("?*?*?", "😀", false),
            ("*?", "😀", true),
            ("*a?", "a😀", false),
            ("*a??", "a😀", true),
            ("*a?*b*", "a😀b", true),
            ("*a?b*", "a😀ba1b", true),
            ("😀", "😀", true),
            ("A*", "a", false),
            ("${aws:username}", "${aws:username}", true),
            ("${*}", "${xyz}", true),
        ] {
            assert_eq!(check(pattern, text, syntax), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn without_wildcards_a_text_is_itself() {
        let syntax = Syntax { wildcards: false, variables: false };
        for (pattern, text, expected) in [
            ("a*", "a*", true),
            ("a*", "ab", false),
            ("a?", "a?", true),
            ("a?", "ab", false),
            ("*", "x", false),
            ("?", "x", false),
        ] {
            assert_eq!(check(pattern, text, syntax), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn case_is_passed_over_where_that_is_asked_for() {
        let context: Context<'_> = [("aws:username", ContextValue::One("Älice"))].into_iter().collect();
        for (pattern, text, expected) in [
            ("Abc", "aBC", true),
            ("Abc", "abd", false),
            ("ÄB", "äb", true),
            ("x-${aws:username}", "X-äLICE", true),
            ("x-${aws:username}", "x-bob", false),
            ("x-${aws:username}", "x-älice2", false),
            ("x-${aws:nothing}", "x-", false),
            ("x-${aws:nothing, 'N'}", "X-n", true),
            ("", "", true),
        ] {
            let syntax = Syntax { wildcards: false, variables: true };
            let (pattern_text, fuel) = (pattern, Fuel::full());
            let pattern = Pattern::compile(pattern, syntax);
            let scope = Scope { context: &context, fuel: &fuel };
            assert_eq!(pattern.matches_ignoring_case(text, scope), expected, "{pattern_text} {text}");
        }
    }

    #[test]
    fn variables_stand_for_values() {
        let syntax = Syntax { wildcards: true, variables: true };
        for (pattern, text, expected) in [
            ("${aws:username}", "alice", true),
            ("${AWS:UserName}", "alice", true),
            ("${aws:username}", "Alice", false),
            ("x-${aws:username}-*", "x-alice-1", true),
            ("*${aws:username}*", "..alice..", true),
            ("${aws:username}?", "alice1", true),
            ("${aws:username}${aws:username}", "alicealice", true),
            ("${aws:PrincipalTag/glob}", "a*", true),
            ("${aws:PrincipalTag/glob}", "ab", false),
            ("${aws:PrincipalTag/empty}", "", true),
            ("${aws:nothing}", "", false),
            ("${aws:nothing}*", "x", false),
            ("*${aws:nothing}", "x", false),
            ("*${aws:nothing}*", "x", false),
            ("*", "x", true),
            ("${aws:nothing, 'team'}", "team", true),
            ("${aws:nothing,'team'}", "team", true),
            ("${aws:nothing, 'a}b*'}", "a}b*", true),
            ("${aws:nothing, ''}", "", true),
            ("${aws:username, 'team'}", "alice", true),
            ("${aws:username, 'team'}", "team", false),
            ("${aws:username, team}", "alice", false),
            ("${aws:TagKeys}", "x", false),
            ("${aws:TagKeys, 'x'}", "x", false),
            ("${*}", "*", true),
            ("${*}", "x", false),
            ("${?}", "?", true),
            ("${?}", "x", false),
            ("${$}", "$", true),
            ("${$}{aws:username}", "${aws:username}", true),
            ("${}", "", false),
            ("${aws:username", "${aws:username", true),
            ("$", "$", true),
            ("$aws", "$aws", true),
        ] {
            assert_eq!(check(pattern, text, syntax), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_search_is_paid_for_and_costs_no_more_than_comparing_each_character() {
        let syntax = Syntax { wildcards: true, variables: false };
        let long = "b".repeat(32);
        for (pattern, length, least, most) in [
            (String::from("*b*"), 8, 1, 8),
            (String::from("*b*"), 1600, 100, 1600),
            // A run is held against each place, the end among them.
            (String::from("*b?b*"), 8, 9 * 3, 9 * 3),
            (alloc::format!("*{long}?b*"), 100, 101 * 4, 101 * 34),
        ] {
            let (context, fuel) = (Context::default(), Fuel::full());
            let text = "a".repeat(length);
            assert!(
                !Pattern::compile(&pattern, syntax).matches(&text, Scope { context: &context, fuel: &fuel })
            );
            assert!((least..=most).contains(&fuel.spent()), "{pattern} {length} {}", fuel.spent());
        }
    }

    #[test]
    fn hostile_patterns_come_to_an_end() {
        let syntax = Syntax { wildcards: true, variables: false };
        let text = "a".repeat(100_000);
        for pattern in [
            "a*".repeat(20_000) + "b",
            "*a?".repeat(20_000),
            "*".repeat(50_000) + &"a?".repeat(20_000) + "*b",
        ] {
            check(&pattern, &text, syntax);
        }
    }
}
