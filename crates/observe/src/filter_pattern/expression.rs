//! Regular expressions of filter patterns, between two `%`.
//!
//! Of what is written there only what AWS documents is an expression: ASCII, classes, repetitions and alternatives, without groups. So an
//! expression cannot nest; its weight is bounded, and with it the time in which a text is held against it.
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html#regex-expressions>.

use core::iter::Peekable;
use core::str::Chars;
use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

use super::FilterPatternError;

/// An expression, found anywhere in a text.
#[derive(Clone, Debug)]
pub struct Expression {
    text: String,
    weight: u32,
    /// In the syntax of [`regex`].
    written: String,
    /// Made when it is first needed.
    compiled: OnceLock<Result<Regex, FilterPatternError>>,
}

/// The heaviest expression.
const HEAVIEST: u32 = 1_000;
/// The weight of what stands for any character, or for any but some: those have up to four bytes.
const WEIGHT_OF_ANY: u32 = 4;
/// The highest bound of a repetition.
const MOST_TIMES: u32 = 1_000;
/// Bytes that a compiled expression takes at most, and its memory of what it has seen.
const BYTES_MOST: usize = 2 << 20;
/// What stands for itself, beside letters and digits. The space is not in AWS's list, but in its examples.
const SYMBOLS: &str = ":_#=@/;,- ";
/// What stands for itself behind a backslash.
const OPERATORS: &str = "^$?[]{}|\\*+.";

impl Expression {
    /// Reads an expression, without the `%` around it, and weighs it.
    ///
    /// # Errors
    /// Where the text is none, or is too heavy.
    pub fn parse(text: &str) -> Result<Self, FilterPatternError> {
        let mut reader = Reader { rest: text.chars().peekable(), written: String::new(), weight: 0 };
        if let Err(error) = reader.whole() {
            // The service names all that it has read, from the `%` on.
            let read = text.chars().count().saturating_sub(reader.rest.count());
            let named = core::iter::once('%').chain(text.chars().take(read)).collect();
            let is_of_characters = matches!(error, FilterPatternError::Characters(_));
            return Err(if is_of_characters { FilterPatternError::Characters(named) } else { error });
        }
        let Reader { written, weight, .. } = reader;
        if weight > HEAVIEST {
            return Err(FilterPatternError::Heavy);
        }
        Ok(Self { text: text.to_owned(), weight, written, compiled: OnceLock::new() })
    }

    fn compiled(&self) -> &Result<Regex, FilterPatternError> {
        self.compiled.get_or_init(|| {
            RegexBuilder::new(&self.written)
                .dot_matches_new_line(true)
                .size_limit(BYTES_MOST)
                .dfa_size_limit(BYTES_MOST)
                .build()
                .map_err(|error| match matches!(error, regex::Error::CompiledTooBig(_)) {
                    true => FilterPatternError::Heavy,
                    false => FilterPatternError::Expression,
                })
        })
    }

    /// Makes it ready, which takes up to some milliseconds.
    ///
    /// # Errors
    /// Where it is too heavy, or none after all.
    pub fn compile(&self) -> Result<(), FilterPatternError> {
        self.compiled().as_ref().map(drop).map_err(Clone::clone)
    }

    /// Whether it is in a text.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        self.compiled().as_ref().is_ok_and(|compiled| compiled.is_match(text))
    }

    /// The steps for each byte of a text, at most.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// What an escape stands for: a character, or a class without its brackets.
enum Escape {
    Character(char),
    Class { members: &'static str, is_any_other: bool },
}

/// Reads an expression, and writes it in the syntax of [`regex`] with nothing in it that AWS does not document.
struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
    written: String,
    weight: u32,
}

impl Reader<'_> {
    fn whole(&mut self) -> Result<(), FilterPatternError> {
        if self.rest.peek().is_none() {
            return Err(FilterPatternError::Syntax);
        }
        // What the last thing that can be repeated weighs, while nothing repeats it.
        let mut last = None;
        while let Some(c) = self.rest.next() {
            last = match (c, last) {
                ('^' | '$' | '|', _) => {
                    self.written.push(c);
                    None
                }
                ('?' | '*' | '+' | '{', None) => return Err(FilterPatternError::Expression),
                ('?' | '*' | '+', Some(_)) => {
                    self.written.push(c);
                    self.lazily();
                    None
                }
                ('{', Some(weight)) => {
                    let times = self.times()?;
                    self.weight = self.weight.saturating_add(times.saturating_sub(1).saturating_mul(weight));
                    self.lazily();
                    None
                }
                ('[', _) => Some(self.class()?),
                ('.', _) => {
                    self.written.push('.');
                    Some(WEIGHT_OF_ANY)
                }
                ('\\', _) => match self.escape()? {
                    Escape::Character(c) => Some(self.character(c)),
                    Escape::Class { members, is_any_other } => {
                        self.written.push_str(if is_any_other { "[^" } else { "[" });
                        self.written.push_str(members);
                        self.written.push(']');
                        Some(if is_any_other { WEIGHT_OF_ANY } else { 1 })
                    }
                },
                (']' | '}', _) => Some(self.character(c)),
                (c, _) => Some(self.character(itself(c)?)),
            };
            self.weight = self.weight.saturating_add(last.unwrap_or(1));
        }
        Ok(())
    }

    /// Writes a character that stands for itself.
    fn character(&mut self, c: char) -> u32 {
        if c.is_ascii_alphanumeric() {
            self.written.push(c);
        } else {
            self.written.push_str(&format!("\\x{{{:X}}}", u32::from(c)));
        }
        1
    }

    /// A `?` behind a repetition asks for the shortest text, which is nothing to the question whether there is one.
    fn lazily(&mut self) {
        self.rest.next_if_eq(&'?');
    }

    /// `m}`, `m,}`, `,n}` or `m,n}`: how many copies it takes.
    fn times(&mut self) -> Result<u32, FilterPatternError> {
        let least = self.number()?;
        let most = match self.rest.next_if_eq(&',') {
            Some(_) => self.number()?,
            None => Some(least.ok_or(FilterPatternError::Expression)?),
        };
        if self.rest.next() != Some('}') {
            return Err(FilterPatternError::Expression);
        }
        let (copies, written) = match (least, most) {
            (None, None) => return Err(FilterPatternError::Expression),
            (Some(least), None) => (least.saturating_add(1), format!("{{{least},}}")),
            (least, Some(most)) => {
                let least = least.unwrap_or_default();
                if least > most {
                    return Err(FilterPatternError::Expression);
                }
                (most, format!("{{{least},{most}}}"))
            }
        };
        self.written.push_str(&written);
        Ok(copies)
    }

    fn number(&mut self) -> Result<Option<u32>, FilterPatternError> {
        let mut number = None;
        while let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(10)) {
            self.rest.next();
            let next = number.unwrap_or(0_u32).saturating_mul(10).saturating_add(digit);
            if next > MOST_TIMES {
                return Err(FilterPatternError::Heavy);
            }
            number = Some(next);
        }
        Ok(number)
    }

    /// A class, up to its `]`. There are no classes in classes.
    fn class(&mut self) -> Result<u32, FilterPatternError> {
        let is_any_other = self.rest.next_if_eq(&'^').is_some();
        self.written.push_str(if is_any_other { "[^" } else { "[" });
        let mut weight = if is_any_other { WEIGHT_OF_ANY } else { 1 };
        let mut is_empty = true;
        loop {
            match self.rest.next().ok_or(FilterPatternError::Expression)? {
                ']' if is_empty => return Err(FilterPatternError::Expression),
                ']' => break,
                '\\' => match self.escape()? {
                    Escape::Character(first) => self.range(first)?,
                    Escape::Class { members, is_any_other: false } => self.written.push_str(members),
                    Escape::Class { members, is_any_other: true } => {
                        weight = WEIGHT_OF_ANY;
                        self.written.push_str("[^");
                        self.written.push_str(members);
                        self.written.push(']');
                    }
                },
                '[' => return Err(FilterPatternError::Expression),
                first => self.range(member(first)?)?,
            }
            is_empty = false;
        }
        self.written.push(']');
        Ok(weight)
    }

    /// A character of a class, or a range of which it is the first. A `-` that is the last is itself.
    fn range(&mut self, first: char) -> Result<(), FilterPatternError> {
        self.character(first);
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || ahead.peek() == Some(&']') {
            return Ok(());
        }
        self.rest = ahead;
        let last = match self.rest.next().ok_or(FilterPatternError::Expression)? {
            '\\' => match self.escape()? {
                Escape::Character(last) => last,
                Escape::Class { .. } => return Err(FilterPatternError::Expression),
            },
            '[' => return Err(FilterPatternError::Expression),
            last => member(last)?,
        };
        if first > last {
            return Err(FilterPatternError::Expression);
        }
        self.written.push('-');
        self.character(last);
        Ok(())
    }

    /// What is behind a backslash.
    fn escape(&mut self) -> Result<Escape, FilterPatternError> {
        let class = |members, is_any_other| Ok(Escape::Class { members, is_any_other });
        match self.rest.next().ok_or(FilterPatternError::Expression)? {
            'd' => class("0-9", false),
            'D' => class("0-9", true),
            's' => class(WHITESPACE, false),
            'S' => class(WHITESPACE, true),
            'w' => class("a-zA-Z_0-9", false),
            'W' => class("a-zA-Z_0-9", true),
            'x' => {
                let mut digit = || self.rest.next().and_then(|c| c.to_digit(16));
                let code = digit().zip(digit()).map(|(high, low)| high * 16 + low);
                let c = code.and_then(char::from_u32).filter(char::is_ascii);
                c.map(Escape::Character).ok_or(FilterPatternError::Expression)
            }
            // AWS: unverified for the symbols that need no backslash.
            c if OPERATORS.contains(c) || SYMBOLS.contains(c) => Ok(Escape::Character(c)),
            c if c.is_ascii_alphanumeric() => Err(FilterPatternError::Expression),
            c => Err(FilterPatternError::Characters(c.to_string())),
        }
    }
}

/// The characters that are white.
const WHITESPACE: &str = r" \t\n\x0B\f\r";

/// A character that stands for itself.
fn itself(c: char) -> Result<char, FilterPatternError> {
    match c.is_ascii_alphanumeric() || SYMBOLS.contains(c) {
        true => Ok(c),
        false => Err(FilterPatternError::Characters(c.to_string())),
    }
}

/// A character that stands for itself within a class, where operators do, too.
fn member(c: char) -> Result<char, FilterPatternError> {
    if OPERATORS.contains(c) { Ok(c) } else { itself(c) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Expressions, texts in which they are, and texts in which they are not; those of AWS's page first.
    const CASES: &[(&str, &[&str], &[&str])] = &[
        (
            "AUTHORIZED",
            &["[ERROR 401] UNAUTHORIZED REQUEST", "[SUCCESS 200] AUTHORIZED REQUEST"],
            &["authorized"],
        ),
        ("^[hc]at", &["hat", "cat", "cats"], &["bat", "a hat", "that"]),
        ("[hc]at$", &["hat", "that", "a cat"], &["bat", "cats"]),
        ("colou?r", &["color", "colour"], &["colouur"]),
        ("[abc]", &["a", "b", "xc"], &["d", ""]),
        ("[a-z]", &["m"], &["M", "1"]),
        ("^[abcx-z]$", &["a", "b", "c", "x", "y", "z"], &["d", "w", "-"]),
        ("^a{3,5}$", &["aaa", "aaaa", "aaaaa"], &["aa", "aaaaaa"]),
        ("^a{3,}$", &["aaa", "aaaaaaa"], &["aa"]),
        ("^a{,2}$", &["", "a", "aa"], &["aaa"]),
        ("^a{2}$", &["aa"], &["a", "aaa"]),
        ("gra|ey", &["gray", "grey"], &["gry"]),
        (
            "^starting|^initializing|^shutting down",
            &["starting ...", "initializing ...", "shutting down"],
            &["skipping initializing ..."],
        ),
        ("abcc|ab[^c]$", &["abcc ...", "aba"], &["aac ...", "abc"]),
        (r"\[.\]", &["[a]", "[b]", "[7]", "[@]", "[]]", "[ ]"], &["[]", "a]"]),
        (r"10\.10\.0\.1", &["10.10.0.1"], &["10010,051"]),
        ("10.10.0.1", &["10.10.0.1", "10010,051"], &["10.10.0"]),
        ("ab*c", &["ac", "abc", "abbbc"], &["ab"]),
        ("ab[0-9]*", &["ab", "ab0", "ab129"], &["a0"]),
        ("ab+c", &["abc", "abbc", "abbbc"], &["ac"]),
        (".at", &["hat", "cat", "bat", "4at", "#at", " at", "\u{e9}at", "\nat"], &["at"]),
        (r"^\d$", &["0", "9"], &["a", "\u{665}"]),
        (r"^\D$", &["a", "\u{e9}"], &["0"]),
        (r"^\s$", &[" ", "\t", "\n"], &["a"]),
        (r"^\S$", &["a", "\u{e9}"], &[" ", "\t", "\n"]),
        (r"^\w$", &["a", "Z", "_", "0"], &["-", "\u{e9}"]),
        (r"^\W$", &["-", "\u{e9}"], &["a", "Z", "_", "0"]),
        (r"\x3A", &[":"], &["3A", ";"]),
        (r"\x28", &["("], &[")", "x28"]),
        (r"^REPORT\s.+\sStatus: timeout", &["REPORT x Status: timeout"], &["a REPORT x Status: timeout"]),
        (r"[Ee]rror|[Ff]ail", &["error", "Fail"], &["ERROR"]),
        (r"^\d{1,3}\.\d{1,3}$", &["10.1"], &["1000.1"]),
        // What the library underneath reads otherwise stands for itself.
        (r"^[a\-z]$", &["a", "-", "z"], &["b"]),
        (r"^[-a]$", &["a", "-"], &["b"]),
        (r"^[a-]$", &["a", "-"], &["b"]),
        (r"^[--/]$", &["-", ".", "/"], &["0", "a"]),
        (r"^[.$|*+?^{}]$", &[".", "$", "|", "*", "+", "?", "^", "{", "}"], &["a"]),
        (r"^[\x41-\x43]$", &["A", "C"], &["D"]),
        (r"^[^\d_]$", &["a", "\u{e9}"], &["1", "_"]),
        (r"^[\D]$", &["a", "\u{e9}"], &["1"]),
        (r"^a]b}$", &["a]b}"], &["ab"]),
        ("^#a b$", &["#a b"], &["ab"]),
        ("^a+?$", &["a", "aaa"], &["ab"]),
        (r"\/a\-b", &["/a-b"], &["a-b"]),
    ];

    #[test]
    fn an_expression_is_in_what_it_says() {
        for (text, in_these, not_in_these) in CASES {
            let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            for there in *in_these {
                assert!(expression.is_in(there), "{text} in {there}");
            }
            for not_there in *not_in_these {
                assert!(!expression.is_in(not_there), "{text} in {not_there}");
            }
        }
    }

    #[test]
    fn what_aws_does_not_document_is_refused() {
        let character = |c: &str| FilterPatternError::Characters(c.to_owned());
        for (text, error) in [
            ("something!", character("%something!")),
            ("a(b", character("%a(")),
            ("a)", character("%a)")),
            (r"\(a\)", character(r"%\(")),
            ("[a&&b]", character("%[a&")),
            ("caf\u{e9}", character("%caf\u{e9}")),
            ("a\"b", character("%a\"")),
            ("a<b>", character("%a<")),
            ("", FilterPatternError::Syntax),
            ("*a", FilterPatternError::Expression),
            ("^*", FilterPatternError::Expression),
            ("a|*", FilterPatternError::Expression),
            ("a**", FilterPatternError::Expression),
            ("a++", FilterPatternError::Expression),
            ("a{2}{3}", FilterPatternError::Expression),
            ("a{", FilterPatternError::Expression),
            ("a{x}", FilterPatternError::Expression),
            ("a{,}", FilterPatternError::Expression),
            ("a{}", FilterPatternError::Expression),
            ("a{3,2}", FilterPatternError::Expression),
            ("{2}", FilterPatternError::Expression),
            ("[", FilterPatternError::Expression),
            ("[]", FilterPatternError::Expression),
            ("[^]", FilterPatternError::Expression),
            ("[a", FilterPatternError::Expression),
            ("[a[b]]", FilterPatternError::Expression),
            ("[z-a]", FilterPatternError::Expression),
            (r"[a-\d]", FilterPatternError::Expression),
            ("a\\", FilterPatternError::Expression),
            (r"\b", FilterPatternError::Expression),
            (r"\p", FilterPatternError::Expression),
            (r"\1", FilterPatternError::Expression),
            (r"\x4", FilterPatternError::Expression),
            (r"\xe9", FilterPatternError::Expression),
            (r"\xgg", FilterPatternError::Expression),
            ("a{1001}", FilterPatternError::Heavy),
            ("a{99999999999}", FilterPatternError::Heavy),
            ("a{600}b{600}", FilterPatternError::Heavy),
            (".{300}", FilterPatternError::Heavy),
        ] {
            assert_eq!(
                Expression::parse(text).map(|expression| expression.written_for_tests()),
                Err(error),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_within_the_bounds_is_compiled() {
        for text in ["a{990}", "a{500}b{450}", ".{240}", "[^a]{240}", r"\W{200}"] {
            let expression = Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(expression.weight() <= HEAVIEST, "{text}");
            assert_eq!(expression.compile(), Ok(()), "{text}");
        }
        assert!(Expression::parse("abc").unwrap().weight() < Expression::parse("a{40}").unwrap().weight());
    }

    impl Expression {
        fn written_for_tests(&self) -> String {
            self.written.clone()
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[\\[\\](){}a-c0-9,^$|.*+?\\\\xdDsSwW&!% -]{0,40}", held in "\\PC{0,40}") {
            if let Ok(expression) = Expression::parse(&text) {
                let held = expression.compile().map(|()| expression.is_in(&held));
                prop_assert!(held.is_ok());
            }
        }

        #[test]
        fn what_has_no_operator_is_a_part(text in "[a-c:_#=@/;, -]{1,4}", held in "[a-c:_#=@/;, -]{0,12}") {
            prop_assert_eq!(Expression::parse(&text).unwrap().is_in(&held), held.contains(&text));
        }

        #[test]
        fn a_class_is_its_members(members in "[a-f]{1,4}", c in "[a-g]") {
            let expression = Expression::parse(&format!("^[{members}]$")).unwrap();
            prop_assert_eq!(expression.is_in(&c), members.contains(&c));
        }
    }
}
