//! Lists, variables and wildcards, naively.

use serde_json::Value;

/// The items of a list; of anything else, itself; of nothing, none.
pub(crate) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

pub(crate) fn any_of(values: &[Value], holds: impl Fn(&str) -> bool) -> bool {
    values.iter().any(|value| holds(&plain(value)))
}

/// A scalar as text.
pub(crate) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token {
    /// A unit of UTF-16.
    Unit(u16),
    Many,
    Never,
    One,
}

/// The values of a context key, whatever its case; none where two keys differ in case alone.
pub(crate) fn lookup<'c>(context: &'c Value, key: &str) -> Option<Option<&'c Value>> {
    let same = |name: &str| name.eq_ignore_ascii_case(key);
    let found: Vec<&Value> = context
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| same(name))
        .map(|(_, value)| value)
        .collect();
    match found.as_slice() {
        [] => Some(None),
        [Value::Array(values)] if values.is_empty() => Some(None),
        [one] => Some(Some(*one)),
        _ => None,
    }
}

/// A pattern without variables.
pub(crate) fn tokens(text: &str, wildcards: bool) -> Vec<Token> {
    let token = |unit| match u8::try_from(unit) {
        Ok(b'*') if wildcards => Token::Many,
        Ok(b'?') if wildcards => Token::One,
        _ => Token::Unit(unit),
    };
    text.encode_utf16().map(token).collect()
}

/// A pattern, its variables replaced by what the context has for them.
pub(crate) fn substituted(text: &str, wildcards: bool, variables: bool, context: &Value) -> Vec<Token> {
    if !variables {
        return tokens(text, wildcards);
    }
    let Some(start) = text.find("${") else { return tokens(text, wildcards) };
    let mut all = tokens(&text[..start], wildcards);
    let inner = &text[start + 2..];
    let close = inner.find('}');
    let comma = inner.find(',').filter(|comma| close.is_none_or(|close| *comma < close));
    let with_default = comma.and_then(|comma| {
        let after = inner[comma + 1..].trim_start();
        let quoted = after.strip_prefix('\'')?;
        let end = quoted.find('\'')?;
        let rest = quoted[end + 1..].trim_start().strip_prefix('}')?;
        Some((&inner[..comma], Some(&quoted[..end]), rest))
    });
    let without = close.map(|close| (&inner[..close], None, &inner[close + 1..]));
    let Some((name, default, rest)) = with_default.or(without) else {
        all.extend(tokens("$", false));
        all.extend(substituted(&text[start + 1..], wildcards, variables, context));
        return all;
    };
    match (name, lookup(context, name.trim())) {
        ("*" | "?" | "$", _) => all.extend(tokens(name, false)),
        (_, Some(Some(Value::String(value)))) => all.extend(tokens(value, false)),
        (_, Some(None)) => match default {
            Some(default) => all.extend(tokens(default, false)),
            None => all.push(Token::Never),
        },
        _ => all.push(Token::Never),
    }
    all.extend(substituted(rest, wildcards, variables, context));
    all
}

/// The text of a pattern without wildcards.
pub(crate) fn literal(pattern: &[Token]) -> Option<String> {
    let unit = |token: &Token| if let Token::Unit(unit) = token { Some(*unit) } else { None };
    String::from_utf16(&pattern.iter().map(unit).collect::<Option<Vec<_>>>()?).ok()
}

/// Whether `text` matches: by a table of all prefixes of both.
pub(crate) fn glob(pattern: &[Token], text: &str) -> bool {
    if pattern.contains(&Token::Never) {
        return false;
    }
    let text: Vec<u16> = text.encode_utf16().collect();
    let mut table = vec![vec![false; text.len() + 1]; pattern.len() + 1];
    table[0][0] = true;
    for (row, token) in pattern.iter().enumerate() {
        for column in 0..=text.len() {
            let consumed = column > 0 && table[row][column - 1];
            table[row + 1][column] = match token {
                Token::Many => table[row][column] || column > 0 && table[row + 1][column - 1],
                Token::One => consumed,
                Token::Unit(unit) => consumed && text[column - 1] == *unit,
                Token::Never => false,
            };
        }
    }
    table[pattern.len()][text.len()]
}
