//! As much of Markdown as the checks of the documents need.
//!
//! A code span ends on the line on which it begins; a fence is three back-ticks, indented or not.

/// A line of a document, outside or inside of a fenced block; the fences themselves are no lines.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Line<'t> {
    /// From 1; of the first of several that a backslash joins.
    pub(crate) number: usize,
    /// Whether it stands in a fenced block.
    pub(crate) fenced: bool,
    /// The line; in a fenced block, lines that end in a backslash are joined with the next.
    pub(crate) text: std::borrow::Cow<'t, str>,
}

/// The lines of a document.
pub(crate) fn lines(document: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<Line<'_>> = Vec::new();
    let (mut fenced, mut joined) = (false, false);
    for (number, text) in (1..).zip(document.lines()) {
        if text.trim_start().starts_with("```") {
            (fenced, joined) = (!fenced, false);
            continue;
        }
        let continued = fenced.then(|| text.strip_suffix('\\')).flatten();
        let this = continued.unwrap_or(text);
        match lines.last_mut() {
            Some(last) if joined => last.text.to_mut().push_str(this),
            _ => lines.push(Line { number, fenced, text: this.into() }),
        }
        joined = continued.is_some();
    }
    lines
}

/// The code spans of a line.
pub(crate) fn spans(line: &str) -> Vec<&str> {
    parts(line).1
}

/// The targets of the links of a line, `[text](target)` and `[name]: target`, without a title.
pub(crate) fn links(line: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    for prose in parts(line).0 {
        let after_brackets = prose.split("](").skip(1);
        targets.extend(after_brackets.filter_map(|rest| rest.split([')', ' ']).next()));
    }
    if let Some((_, target)) = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
        targets.extend(target.split_whitespace().next());
    }
    targets
}

/// The prose and the code spans of a line. A link whose text is a code span leaves its target at the start of the next
/// prose, so the bracket before it goes along.
fn parts(line: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut prose, mut spans) = (Vec::new(), Vec::new());
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let (before, opened) = rest.split_at(start);
        let ticks = opened.len() - opened.trim_start_matches('`').len();
        let (fence, body) = opened.split_at(ticks);
        let Some((span, after)) = body.split_once(fence) else { break };
        prose.push(before);
        spans.push(span.trim());
        rest = after;
    }
    prose.push(rest);
    (prose, spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_changes_what_a_line_is_and_a_backslash_joins() {
        let lines = lines("a \\\n```sh\nb \\\n  c\nd\n```\ne");
        let seen: Vec<_> = lines.iter().map(|line| (line.number, line.fenced, &*line.text)).collect();
        assert_eq!(seen, [(1, false, "a \\"), (3, true, "b   c"), (5, true, "d"), (7, false, "e")]);
    }

    #[test]
    fn spans_and_links_are_told_apart() {
        for (line, expected_spans, expected_links) in [
            ("see `a b` and ``c`d``", &["a b", "c`d"][..], &[][..]),
            ("see [x](docs/y.md#z \"title\") or [`q`](crates/q)", &["q"], &["docs/y.md#z", "crates/q"]),
            ("`[x](y)` an open ` tick", &["[x](y)"], &[]),
            ("[name]: docs/y.md", &[], &["docs/y.md"]),
        ] {
            assert_eq!(spans(line), expected_spans, "{line}");
            assert_eq!(links(line), expected_links, "{line}");
        }
    }
}
