//! Where the statements of a policy stand in its text.

use alloc::vec::Vec;

/// A place in a text, counted from one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character of the line.
    pub column: usize,
}

/// From the first character of something to the one behind its last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span {
    /// The first character.
    pub start: Position,
    /// The one behind the last.
    pub end: Position,
}

/// The place of each statement in the text of a policy, in order. None are found in a text that is no JSON object.
#[must_use]
pub fn statement_spans(text: &str) -> Vec<Span> {
    let spans = Scanner { text, at: 0 }.statements().unwrap_or_default();
    spans
        .into_iter()
        .map(|(start, end)| Span { start: position(text, start), end: position(text, end) })
        .collect()
}

/// The place of each statement as IAM's policy simulator names it: from behind the bracket that opens the statement or, of the first of
/// a list, the list; to behind the bracket that closes it.
// AWS: unverified for the others of a list, which begin with their own bracket here. The rest was seen in answers of the service.
#[must_use]
pub fn simulator_spans(text: &str) -> Vec<Span> {
    let spans = Scanner { text, at: 0 }.statements().unwrap_or_default();
    let begins = |(number, start): (usize, usize)| {
        let before = text.get(..start).unwrap_or_default().trim_end();
        match (number, before.ends_with('[')) {
            (0, true) => before.len(),
            (0, false) => start + 1,
            (_, _) => start,
        }
    };
    let spans = spans.into_iter().enumerate();
    spans
        .map(|(number, (start, end))| Span {
            start: position(text, begins((number, start))),
            end: position(text, end),
        })
        .collect()
}

/// The place of the byte `at`.
pub(crate) fn position(text: &str, at: usize) -> Position {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let last = before.rsplit('\n').next().unwrap_or_default();
    Position { line, column: last.chars().count() + 1 }
}

/// Reads JSON without building it. No recursion: of nested values the brackets are counted.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn statements(&mut self) -> Option<Vec<(usize, usize)>> {
        self.take(b'{')?;
        loop {
            self.skip_space();
            let start = self.at;
            self.skip_value()?;
            let name = self.text.get(start..self.at)?;
            self.take(b':')?;
            self.skip_space();
            if name == "\"Statement\"" {
                return self.items();
            }
            self.skip_value()?;
            self.take(b',')?;
        }
    }

    /// The items of the list that comes next, or what comes next itself.
    fn items(&mut self) -> Option<Vec<(usize, usize)>> {
        let mut spans = Vec::new();
        if self.peek() != Some(b'[') {
            let start = self.at;
            self.skip_value()?;
            spans.push((start, self.at));
            return Some(spans);
        }
        self.take(b'[')?;
        loop {
            self.skip_space();
            if self.peek() == Some(b']') {
                return Some(spans);
            }
            let start = self.at;
            self.skip_value()?;
            spans.push((start, self.at));
            self.skip_space();
            if self.peek() == Some(b',') {
                self.at += 1;
            }
        }
    }

    fn skip_value(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                _ if depth > 0 => self.at += 1,
                _ => self.skip_word()?,
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    fn skip_word(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        let length = rest.find([',', '}', ']', ':', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
        self.at += length;
        (length > 0).then_some(())
    }

    fn skip_string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        self.skip_space();
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::*;

    fn found(text: &str) -> Vec<(usize, usize, usize, usize)> {
        let flat = |span: Span| (span.start.line, span.start.column, span.end.line, span.end.column);
        statement_spans(text).into_iter().map(flat).collect()
    }

    #[test]
    fn the_simulator_names_places_as_it_was_seen_to() {
        let at = |line, column| Position { line, column };
        let single = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#;
        let lines = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}";
        for (text, start, end) in [
            (single, at(1, 38), at(1, 167)),
            (lines, at(3, 17), at(8, 6)),
            (r#"{"Version": "2012-10-17", "Statement": [{"A": 1}]}"#, at(1, 41), at(1, 49)),
        ] {
            assert_eq!(simulator_spans(text), [Span { start, end }], "{text}");
        }
        let two = r#"{"Statement":[{"A":1},{"B":2}]}"#;
        assert_eq!(simulator_spans(two).last(), Some(&Span { start: at(1, 23), end: at(1, 30) }));
    }

    #[test]
    fn each_statement_is_found() {
        for (text, expected) in [
            (r#"{"Statement":{"a":1}}"#, &[(1, 14, 1, 21)][..]),
            (r#"{"Version":"x","Statement":[{"a":["]"]},{}]}"#, &[(1, 29, 1, 40), (1, 41, 1, 43)]),
            (
                "{\n  \"Id\": \"\\\"Statement\\\"\",\n  \"Statement\": [\n    {\"é\": 1},\n    {}\n  ]\n}",
                &[(4, 5, 4, 13), (5, 5, 5, 7)],
            ),
            (r#"{"a":true,"b":[1,{}], "c" : null ,"Statement":[{}]}"#, &[(1, 48, 1, 50)]),
            (r#"{"Statement":[]}"#, &[]),
            (r#"{"Statement":[{}"#, &[]),
            (r#"{"a":"#, &[]),
            ("[]", &[]),
            ("", &[]),
            (r#"{"a":,"Statement":{}}"#, &[]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_looked_through(text in "[\\[\\]{}:,\"\\\\ aé1\n]{0,40}", statement in any::<bool>()) {
            let text = if statement { alloc::format!("{{\"Statement\":{text}") } else { String::from(&text) };
            found(&text);
        }
    }
}
