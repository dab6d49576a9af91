//! Percent-encoding, paths and queries in canonical form.

use std::borrow::Cow;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `bytes` with all but the unreserved characters of RFC 3986 encoded, and but for `also_kept`.
pub(crate) fn push_encoded(out: &mut Vec<u8>, bytes: &[u8], also_kept: Option<u8>) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || Some(byte) == also_kept
        {
            out.push(byte);
        } else {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend([b'%', digit(byte >> 4), digit(byte & 0x0f)]);
        }
    }
}

/// Decodes percent escapes and `+`. A percent sign that starts no escape stands for itself.
pub(crate) fn decode(text: &str) -> Cow<'_, [u8]> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, behind @ ..]) => match (hex_value(*high), hex_value(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = behind;
                }
                _ => out.push(b'%'),
            },
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(*byte),
        }
    }
    Cow::Owned(out)
}

/// Appends the canonical form of `path` as sent: empty and dot segments removed, then everything but slashes encoded.
pub(crate) fn push_canonical_path(out: &mut Vec<u8>, path: &str) {
    if path == "/" || path.is_empty() {
        out.push(b'/');
        return;
    }
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_open = false;
    for segment in path.split('/') {
        ends_open = matches!(segment, "" | "." | "..");
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    for segment in &segments {
        out.push(b'/');
        push_encoded(out, segment.as_bytes(), None);
    }
    if ends_open {
        out.push(b'/');
    }
}

/// Appends the path of an object as S3 has it: decoded and encoded once, nothing left out.
pub(crate) fn push_object_path(out: &mut Vec<u8>, path: &str) {
    if path.is_empty() {
        out.push(b'/');
        return;
    }
    // A plus sign in a path is a plus sign.
    for (at, part) in path.split('+').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"%2B");
        }
        push_encoded(out, &decode(part), Some(b'/'));
    }
}

/// The parameters of `query`, split but not decoded. A parameter without an equal sign has the empty value.
pub(crate) fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|part| !part.is_empty()).map(|part| part.split_once('=').unwrap_or((part, "")))
}

/// Appends the canonical form of `query` as sent: each parameter decoded and encoded again, sorted by name, then value. The
/// parameter `X-Amz-Signature` is left out where `drop_signature` says so.
pub(crate) fn push_canonical_query(out: &mut Vec<u8>, query: &str, drop_signature: bool) {
    if query.is_empty() {
        return;
    }
    let mut sorted: Vec<(Vec<u8>, Vec<u8>)> = parameters(query)
        .map(|(name, value)| (decode(name), decode(value)))
        .filter(|(name, _)| !(drop_signature && name.as_ref() == b"X-Amz-Signature"))
        .map(|(name, value)| {
            let (mut encoded_name, mut encoded_value) = (Vec::new(), Vec::new());
            push_encoded(&mut encoded_name, &name, None);
            push_encoded(&mut encoded_value, &value, None);
            (encoded_name, encoded_value)
        })
        .collect();
    sorted.sort();
    for (at, (name, value)) in sorted.iter().enumerate() {
        if at > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name);
        out.push(b'=');
        out.extend_from_slice(value);
    }
}

/// Appends a header value trimmed, with each run of white space made one space.
pub(crate) fn push_collapsed(out: &mut Vec<u8>, value: &[u8]) {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c);
    // One look at the whole value, without a branch for each byte: most hold no white space.
    if !value.iter().fold(false, |any, byte| any | space(byte)) {
        return out.extend_from_slice(value);
    }
    let mut first = true;
    for word in value.split(space).filter(|word| !word.is_empty()) {
        if !first {
            out.push(b' ');
        }
        first = false;
        out.extend_from_slice(word);
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_path_is_normalised_and_encoded_once_more() {
        for (path, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/a", "/a"),
            ("/a//b/", "/a/b/"),
            ("/a/./b/../c", "/a/c"),
            ("/a/..", "/"),
            ("/../..", "/"),
            ("/a%2Fb", "/a%252Fb"),
            ("/a b", "/a%20b"),
            ("/ሴ", "/%E1%88%B4"),
            // The two cases of the AWS suite that come without a key.
            ("/test/@connections/JBDvjfGEIAMCERw%3D", "/test/%40connections/JBDvjfGEIAMCERw%253D"),
            ("/functions/arn%3Aaws%3Alambda/invocations", "/functions/arn%253Aaws%253Alambda/invocations"),
        ] {
            assert_eq!(text(|out| push_canonical_path(out, path)), canonical, "{path:?}");
        }
    }

    #[test]
    fn the_path_of_an_object_is_encoded_once() {
        for (path, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("/b/a//b/../c", "/b/a//b/../c"),
            ("/b/a%20b+c%2Fd~", "/b/a%20b%2Bc/d~"),
            ("/b/a=b@c", "/b/a%3Db%40c"),
        ] {
            assert_eq!(text(|out| push_object_path(out, path)), canonical, "{path:?}");
        }
    }

    #[test]
    fn a_query_is_sorted_and_encoded_in_one_form() {
        for (query, canonical) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1", "a=1&a=2"),
            ("a-b=1&a=2", "a=2&a-b=1"),
            ("a", "a="),
            ("a==", "a=%3D"),
            ("&&a=b&", "a=b"),
            ("a=%7e%7E~", "a=~~~"),
            ("a=b+c%20d", "a=b%20c%20d"),
            ("a=%zz%4", "a=%25zz%254"),
            ("a=1&X-Amz-Signature=0", "X-Amz-Signature=0&a=1"),
        ] {
            assert_eq!(text(|out| push_canonical_query(out, query, false)), canonical, "{query:?}");
        }
        assert_eq!(text(|out| push_canonical_query(out, "a=1&X-Amz-Signature=0", true)), "a=1");
    }

    #[test]
    fn white_space_in_a_header_value_collapses() {
        for (value, canonical) in
            [("", ""), (" a ", "a"), ("a   b", "a b"), ("a\n  b\t c", "a b c"), ("\"a   b\"", "\"a b\"")]
        {
            assert_eq!(text(|out| push_collapsed(out, value.as_bytes())), canonical, "{value:?}");
        }
    }
}
