//! XML as S3 writes it.

use core::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The type of a body in XML.
pub(super) const XML: &str = "application/xml";
/// What every body begins with.
pub(super) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
/// The namespace of what is no error.
pub(super) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Appends an element with a text in it.
pub(super) fn push(out: &mut String, name: &str, text: &str) {
    // Writing to a `String` never fails.
    write!(out, "<{name}>{}</{name}>", escaped(text)).unwrap_or_default();
}

/// A text as it stands in XML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Whoever reads XML takes a line feed for it.
            '\r' => out.push_str("&#xD;"),
            // XML 1.0 has no other control characters, and not these two, not even as references.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push('\u{fffd}');
            }
            other => out.push(other),
        }
    }
    out
}

/// What a name keeps when it is encoded.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A name as `encoding-type=url` has it.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_xml_has_the_characters_of_xml_alone() {
        for (text, expected) in [
            ("a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;"),
            ("tab\t, line\n, return\r", "tab\t, line\n, return&#xD;"),
            ("\0\u{1}\u{b}\u{1f}\u{fffe}\u{ffff}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("\u{7f}é\u{fffd}\u{1f511}", "\u{7f}é\u{fffd}\u{1f511}"),
        ] {
            assert_eq!(escaped(text), expected, "{}", text.escape_debug());
        }
    }
}
