//! Writing JSON text straight into a buffer.

/// Appends `text` as a JSON string (RFC 8259 section 7).
pub fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    // One look at the whole text, without a branch for each byte: most texts hold nothing to escape.
    if text.bytes().fold(false, |any, byte| any | is_escaped(byte)) {
        escaped(out, text);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

fn is_escaped(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\') | (byte == 0x7f)
}

fn escaped(out: &mut Vec<u8>, text: &str) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 | 0x7f => &unicode_escape(byte),
            _ => continue,
        };
        out.extend_from_slice(text.as_bytes().get(plain..at).unwrap_or_default());
        out.extend_from_slice(escape);
        plain = at + 1;
    }
    out.extend_from_slice(text.as_bytes().get(plain..).unwrap_or_default());
}

fn unicode_escape(byte: u8) -> [u8; 6] {
    let digit = |nibble: u8| b"0123456789abcdef".get(usize::from(nibble)).copied().unwrap_or(b'0');
    [b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 0x0f)]
}

/// An object under construction: members separated by commas, closed by [`Object::end`].
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    /// Opens an object at the end of `out`.
    pub fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// Goes on with the object at the end of `out`, which has a member; begins one where `out` is empty.
    pub fn go_on(out: &'a mut Vec<u8>) -> Self {
        match out.pop_if(|last| *last == b'}') {
            Some(_) => Self { out, first: false },
            None => Self::begin(out),
        }
    }

    /// The buffer, after the name of the next member: a name of ours, with nothing to escape.
    pub fn member(&mut self, name: &str) -> &mut Vec<u8> {
        self.out.extend_from_slice(if self.first { b"\"" } else { b",\"" });
        self.first = false;
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A member that is a string.
    pub fn string(&mut self, name: &str, value: &str) {
        string(self.member(name), value);
    }

    /// A member that is already JSON text.
    pub fn raw(&mut self, name: &str, json: &[u8]) {
        self.member(name).extend_from_slice(json);
    }

    /// A member that is a boolean.
    pub fn boolean(&mut self, name: &str, value: bool) {
        self.raw(name, if value { b"true" } else { b"false" });
    }

    /// Closes the object.
    pub fn end(self) {
        self.out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_string_is_read_back_as_it_was(text in any::<String>()) {
            let mut out = Vec::new();
            string(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
            prop_assert!(!out.contains(&b'\n'));
        }
    }

    #[test]
    fn what_must_be_escaped_has_its_shortest_form_and_nothing_else_is_changed() {
        for (text, expected) in [
            ("", r#""""#),
            (" ~", r#"" ~""#),
            ("\"", r#""\"""#),
            ("\\", r#""\\""#),
            ("a\"b\\c/", r#""a\"b\\c/""#),
            ("\n\r\t", r#""\n\r\t""#),
            ("\0\u{1}\u{8}\u{1f}", r#""\u0000\u0001\u0008\u001f""#),
            ("\u{7f}", r#""\u007f""#),
            ("é\u{80}\"中", "\"é\u{80}\\\"中\""),
        ] {
            let mut out = Vec::new();
            string(&mut out, text);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn an_object_that_was_closed_goes_on_with_its_next_member() {
        for (before, after) in [("", r#"{"b":true}"#), (r#"{"a":{}}"#, r#"{"a":{},"b":true}"#)] {
            let mut out = before.as_bytes().to_vec();
            let mut object = Object::go_on(&mut out);
            object.boolean("b", true);
            object.end();
            assert_eq!(String::from_utf8(out).unwrap(), after);
        }
    }

    #[test]
    fn an_object_separates_its_members() {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.string("a", "1");
        object.boolean("b", true);
        object.raw("c", b"null");
        object.end();
        assert_eq!(out, br#"{"a":"1","b":true,"c":null}"#);
    }
}
