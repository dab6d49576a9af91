//! Rust source, split into code, comments and literals.
//!
//! Both texts are as long as the source, byte for byte, with blanks for what belongs to the other; a literal is blank in
//! both. So a position in one is the same position in the other and in the source, and words in a string or a comment are
//! never mistaken for code. Not a parser: what it does not know it takes for code.

use std::ops::Range;

/// A source file, split.
pub(crate) struct RustSource {
    /// The code; comments and literals are blank.
    pub(crate) code: String,
    /// The comments; all else is blank.
    pub(crate) comments: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Piece {
    Code,
    Comment,
    Literal,
}

impl RustSource {
    pub(crate) fn split(text: &str) -> Self {
        let (mut code, mut comments) = (String::with_capacity(text.len()), String::with_capacity(text.len()));
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, len) = first_piece(rest);
            let (this, next) = rest.split_at_checked(len).unwrap_or((rest, ""));
            rest = next;
            match piece {
                Piece::Code => code.push_str(this),
                Piece::Comment | Piece::Literal => blank(this, &mut code),
            }
            match piece {
                Piece::Comment => comments.push_str(this),
                Piece::Code | Piece::Literal => blank(this, &mut comments),
            }
        }
        Self { code, comments }
    }

    /// The code with every item under `#[cfg(test)]` blank.
    pub(crate) fn code_without_tests(&self) -> String {
        let mut kept = String::with_capacity(self.code.len());
        let mut rest = self.code.as_str();
        while let Some(start) = rest.find("#[cfg(test)]") {
            let (before, tests) = rest.split_at(start);
            let (item, after) = tests.split_at(item_len(tests));
            kept.push_str(before);
            blank(item, &mut kept);
            rest = after;
        }
        kept.push_str(rest);
        kept
    }

    /// The attributes of this name, such as `#[arg(`: where the text between its parentheses stands.
    pub(crate) fn attributes(&self, opening: &str) -> Vec<Range<usize>> {
        let starts = self.code.match_indices(opening).map(|(at, _)| at + opening.len());
        starts.filter_map(|start| Some(start..start + closing(self.code.get(start..)?)?)).collect()
    }
}

/// Up to and with the `;` or the block that ends an item.
fn item_len(item: &str) -> usize {
    let mut depth = 0usize;
    for (at, c) in item.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

/// Where the parenthesis is closed that was opened before this text.
fn closing(code: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, c) in code.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn blank(text: &str, out: &mut String) {
    for c in text.chars() {
        if c == '\n' { out.push('\n') } else { out.extend(std::iter::repeat_n(' ', c.len_utf8())) }
    }
}

/// What `text` begins with and how many bytes of it, at least one.
fn first_piece(text: &str) -> (Piece, usize) {
    if text.starts_with("//") {
        return (Piece::Comment, text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return (Piece::Comment, block_comment_len(text));
    }
    if let Some(string) = text.strip_prefix('"') {
        return (Piece::Literal, 1 + escaped_len(string, '"'));
    }
    if let Some(quoted) = text.strip_prefix('\'') {
        let mut chars = quoted.chars();
        let (first, second) = (chars.next(), chars.next());
        let is_char = first == Some('\\') || second == Some('\'');
        return if is_char { (Piece::Literal, 1 + escaped_len(quoted, '\'')) } else { (Piece::Code, 1) };
    }
    let word = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, after) = text.split_at(word);
    if matches!(name, "r" | "br" | "cr") {
        let hashes = after.len() - after.trim_start_matches('#').len();
        if let Some(body) = after.get(hashes..).and_then(|after| after.strip_prefix('"')) {
            let end = format!("\"{}", "#".repeat(hashes));
            let len = body.find(&end).map_or(body.len(), |at| at + end.len());
            return (Piece::Literal, word + hashes + 1 + len);
        }
    }
    let first = text.chars().next().map_or(1, char::len_utf8);
    (Piece::Code, word.max(first))
}

/// Up to and with the first `quote` that no backslash precedes.
fn escaped_len(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn block_comment_len(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with("*/") {
            (depth, at) = (depth.saturating_sub(1), at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_are_never_code() {
        for (text, code, comments) in [
            ("a // b\nc", "a c", "// b"),
            ("a /* b /* c */ d */ e", "a e", "/* b /* c */ d */"),
            (r#"x("a // \" b") // c"#, "x( )", "// c"),
            ("r#\"a \" b\"# c", "c", ""),
            ("'\"' 'a 'b' '\\'' x", "'a x", ""),
            ("r#type b\"x\"", "r#type b", ""),
            ("\"é\" a // é", "a", "// é"),
        ] {
            let split = RustSource::split(text);
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words(&split.code), code, "{text:?}");
            assert_eq!(words(&split.comments), comments, "{text:?}");
            assert_eq!([split.code.len(), split.comments.len()], [text.len(); 2], "{text:?}");
        }
    }

    #[test]
    fn an_item_under_cfg_test_is_left_out_to_its_end() {
        for (text, kept) in [
            ("a;\n#[cfg(test)]\nmod t { fn f() { b } }\nc", &["a;", "c"][..]),
            ("#[cfg(test)] use x::y; c", &["c"]),
            ("#[cfg(test)]\nmod t { let s = \"}\"; d }\ne", &["e"]),
        ] {
            let code = RustSource::split(text).code_without_tests();
            assert_eq!(code.split_whitespace().collect::<Vec<_>>(), kept, "{text:?}");
            assert_eq!(code.len(), text.len(), "{text:?}");
        }
    }

    #[test]
    fn an_attribute_ends_at_its_own_parenthesis() {
        let text = r#"#[arg(long, help = "a) b", f = g(1))] x"#;
        let found = RustSource::split(text).attributes("#[arg(");
        assert_eq!(found.len(), 1);
        assert_eq!(text.get(found[0].clone()), Some(r#"long, help = "a) b", f = g(1)"#));
    }
}
