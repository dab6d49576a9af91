//! JSON out of values: compact, members in alphabetical order, absent members left out.
//!
//! Everything is written straight into the body of the answer; nothing else is allocated.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_domain::Timestamp;

use crate::value::{Blob, EncryptionContext, SensitiveBlob, SensitiveText};

/// A value that can be written.
pub(crate) trait ToJson {
    fn write_json(&self, out: &mut Vec<u8>);

    /// Whether the member that holds this value is left out.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Writes a member of an object; `name` is `"Name":`, `first` whether none stands before it.
pub(crate) fn member(out: &mut Vec<u8>, first: &mut bool, name: &str, value: &impl ToJson) {
    if value.is_absent() {
        return;
    }
    if !*first {
        out.push(b',');
    }
    *first = false;
    out.extend_from_slice(name.as_bytes());
    value.write_json(out);
}

/// Writes text between quotes.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    // One look at the whole text, without a branch for each byte: most texts hold nothing to escape.
    if text.bytes().fold(false, |any, byte| any | is_escaped(byte)) {
        text.bytes().for_each(|byte| escaped(out, byte));
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

fn is_escaped(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

fn escaped(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        0..=0x1f => {
            out.extend_from_slice(b"\\u00");
            out.push(b'0' + (byte >> 4));
            let low = byte & 0xf;
            out.push(if low < 10 { b'0' + low } else { b'a' + low - 10 });
        }
        _ => out.push(byte),
    }
}

fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start.saturating_add(base64_len(bytes)), 0);
    let written = out.get_mut(start..).and_then(|place| STANDARD.encode_slice(bytes, place).ok());
    out.truncate(start.saturating_add(written.unwrap_or(0)));
    out.push(b'"');
}

/// Three bytes become four characters, the last group is filled up.
fn base64_len(bytes: &[u8]) -> usize {
    bytes.len().div_ceil(3).saturating_mul(4)
}

/// Bytes that are set aside beside a secret, for its quotes and the end of most answers: so the buffer does not grow, which
/// would copy the secret, once it is written.
const AFTER_SECRET: usize = 64;

fn integer(out: &mut Vec<u8>, number: u64) {
    // The digits from the last to the first; 20 hold every u64.
    let mut digits = [0; 20];
    let mut rest = number;
    let mut used = 0;
    for digit in &mut digits {
        *digit = b'0'.saturating_add(u8::try_from(rest % 10).unwrap_or(0));
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits.iter().take(used).rev());
}

impl ToJson for String {
    fn write_json(&self, out: &mut Vec<u8>) {
        text(out, self);
    }
}

impl ToJson for SensitiveText {
    fn write_json(&self, out: &mut Vec<u8>) {
        // EXPOSE: the answer carries the value.
        text(out, self.expose());
    }
}

impl ToJson for bool {
    fn write_json(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl ToJson for u32 {
    fn write_json(&self, out: &mut Vec<u8>) {
        integer(out, u64::from(*self));
    }
}

impl ToJson for f64 {
    /// What JSON has no number for is a text.
    fn write_json(&self, out: &mut Vec<u8>) {
        match serde_json::Number::from_f64(*self) {
            Some(number) => out.extend_from_slice(number.to_string().as_bytes()),
            None if self.is_nan() => out.extend_from_slice(b"\"NaN\""),
            None if *self > 0.0 => out.extend_from_slice(b"\"Infinity\""),
            None => out.extend_from_slice(b"\"-Infinity\""),
        }
    }
}

impl ToJson for Timestamp {
    /// Seconds, with as many of three decimals as are not zero.
    fn write_json(&self, out: &mut Vec<u8>) {
        let millis = self.millis();
        if millis < 0 {
            out.push(b'-');
        }
        let millis = millis.unsigned_abs();
        integer(out, millis / 1000);
        let mut rest = millis % 1000;
        if rest > 0 {
            out.push(b'.');
        }
        let mut place = 100;
        while rest > 0 {
            integer(out, rest / place);
            rest %= place;
            place /= 10;
        }
    }
}

impl ToJson for Blob {
    fn write_json(&self, out: &mut Vec<u8>) {
        base64(out, self.as_ref());
    }
}

impl ToJson for SensitiveBlob {
    fn write_json(&self, out: &mut Vec<u8>) {
        // EXPOSE: its length alone is read.
        out.reserve(base64_len(self.expose()).saturating_add(AFTER_SECRET));
        // EXPOSE: the answer carries the value.
        base64(out, self.expose());
    }
}

impl ToJson for EncryptionContext {
    fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (number, (key, value)) in self.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            text(out, key);
            out.push(b':');
            text(out, value);
        }
        out.push(b'}');
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.write_json(out),
            None => out.extend_from_slice(b"null"),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (number, value) in self.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            value.write_json(out);
        }
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &impl ToJson) -> String {
        let mut out = Vec::new();
        value.write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_secret_is_written_where_it_stays() {
        for (capacity, len) in [(0, 0), (64, 1), (1024, 32), (1024, 1024), (1024, 4096)] {
            let mut out = Vec::with_capacity(capacity);
            out.extend_from_slice(br#"{"Plaintext":"#);
            SensitiveBlob::from(vec![7; len]).write_json(&mut out);
            assert!(out.capacity() - out.len() >= 32, "{len} bytes in {capacity}");
        }
    }

    #[test]
    fn a_timestamp_is_seconds_with_up_to_three_decimals() {
        for (millis, expected) in [
            (0, "0"),
            (1, "0.001"),
            (1_614_905_581_947, "1614905581.947"),
            (1_614_905_581_940, "1614905581.94"),
            (1_614_905_581_900, "1614905581.9"),
            (1_614_905_581_000, "1614905581"),
            (1_614_905_581_007, "1614905581.007"),
            (1_614_905_581_070, "1614905581.07"),
            (-1, "-0.001"),
            (-1500, "-1.5"),
            (i64::MIN, "-9223372036854775.808"),
        ] {
            assert_eq!(written(&Timestamp::from_millis(millis)), expected);
        }
    }

    #[test]
    fn text_is_written_as_other_libraries_write_it() {
        for text in ["", "a/b", "\"\\", "\n\r\t", "\u{0}\u{8}\u{c}\u{1f}\u{7f}", "é キー 😀"] {
            let read: String = serde_json::from_str(&written(&text.to_owned())).unwrap();
            assert_eq!(read, text);
        }
        assert_eq!(written(&"\u{1f}".to_owned()), "\"\\u001f\"");
    }

    #[test]
    fn bytes_are_written_as_padded_base64() {
        for (bytes, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(written(&Blob::from(bytes.as_bytes().to_vec())), format!("\"{expected}\""));
        }
    }

    #[test]
    fn integers_are_written_in_full() {
        for number in [0, 7, 10, 99, 2560, u32::MAX] {
            assert_eq!(written(&number), number.to_string());
        }
    }
}
