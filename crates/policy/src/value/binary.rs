//! Bytes in base64 (RFC 4648 section 4), compared as the bytes that they stand for.

use alloc::vec::Vec;

/// The bytes of a policy's value.
pub(crate) type Binary = Vec<u8>;

/// Whether `text` is the base64 of exactly `bytes`: with its padding, whose bits are zero, as recorded answers of AWS have it.
pub(crate) fn same_bytes(text: &str, bytes: &[u8]) -> bool {
    let mut expected = bytes.iter();
    let mut same = text.len().is_multiple_of(4);
    let left = decode(text, |byte| same &= expected.next() == Some(&byte));
    same && left == Some(0) && expected.next().is_none()
}

/// Hands out the bytes that `text` stands for, and gives the bits that are none of them. Padding may be left out.
pub(crate) fn decode(text: &str, mut byte: impl FnMut(u8)) -> Option<u32> {
    let bare = text.trim_end_matches('=');
    let padding = text.len() - bare.len();
    if padding > 0 && (padding > 2 || !text.len().is_multiple_of(4)) || bare.len() % 4 == 1 {
        return None;
    }
    let (mut bits, mut held) = (0_u32, 0_u32);
    for symbol in bare.bytes() {
        bits = (bits << 6 | u32::from(sextet(symbol)?)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            byte(u8::try_from(bits >> held & 0xff).ok()?);
        }
    }
    Some(bits & ((1 << held) - 1))
}

fn sextet(symbol: u8) -> Option<u8> {
    match symbol {
        b'A'..=b'Z' => Some(symbol - b'A'),
        b'a'..=b'z' => Some(symbol - b'a' + 26),
        b'0'..=b'9' => Some(symbol - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_bytes_that_it_stands_for() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("Zg==", Some(b"f")),
            ("Zg", Some(b"f")),
            ("Zm8=", Some(b"fo")),
            ("Zm9v", Some(b"foo")),
            ("Zm9vYmFy", Some(b"foobar")),
            ("QmluYXJ5VmFsdWVJbkJhc2U2NA==", Some(b"BinaryValueInBase64")),
            ("+/+/", Some(&[0xfb, 0xff, 0xbf])),
            ("Zg=", None),
            ("Zg===", None),
            ("Z", None),
            ("Zm9v=", None),
            ("Z_8=", None),
            ("Zg==Zg==", None),
            (" Zg==", None),
        ] {
            let mut decoded = Vec::new();
            let outcome = decode(text, |byte| decoded.push(byte)).map(|_| decoded);
            assert_eq!(outcome.as_deref(), bytes, "{text:?}");
        }
        for (text, bytes, expected) in [
            ("Zm9v", &b"foo"[..], true),
            ("Zm9v", b"fo", false),
            ("Zm8=", b"foo", false),
            ("Zm8=", b"fo", true),
            ("Zm8", b"fo", false),
            ("Zm9=", b"fo", false),
            ("Zh==", b"f", false),
            ("?", b"foo", false),
            ("", b"", true),
        ] {
            assert_eq!(same_bytes(text, bytes), expected, "{text:?}");
        }
    }
}
