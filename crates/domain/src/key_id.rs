//! Key ids: a UUID, or `mrk-` and 32 hexadecimal digits for multi-Region keys.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use uuid::Uuid;
use uuid::fmt::{Hyphenated, Simple};

/// What the id of a multi-Region key begins with.
const MULTI_REGION: &str = "mrk-";

/// The id of a KMS key, in the canonical lower-case form.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct KeyId {
    multi_region: bool,
    bits: [u8; 16],
}

/// The text is not a key id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParseKeyIdError {
    /// Neither of the two shapes.
    #[error("a key id is a UUID, or `mrk-` and 32 hexadecimal digits")]
    Malformed,
    /// One of the two shapes with upper-case digits: well formed for AWS, but no key was ever given such an id.
    #[error("no key has an upper-case id")]
    UpperCase,
}

impl KeyId {
    /// The id of a single-Region key, from 128 random bits (UUID version 4, RFC 9562 section 5.4).
    #[must_use]
    pub fn from_random(mut bits: [u8; 16]) -> Self {
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut bits;
        *version = (*version & 0x0f) | 0x40;
        *variant = (*variant & 0x3f) | 0x80;
        Self { multi_region: false, bits }
    }

    /// The id with these bits, as a ciphertext blob carries it.
    #[must_use]
    pub fn from_bits(multi_region: bool, bits: [u8; 16]) -> Self {
        Self { multi_region, bits }
    }

    /// The 128 bits.
    #[must_use]
    pub fn bits(&self) -> &[u8; 16] {
        &self.bits
    }

    /// Whether this is the id of a multi-Region key.
    #[must_use]
    pub fn is_multi_region(&self) -> bool {
        self.multi_region
    }
}

impl Hash for KeyId {
    /// The bits alone: a multi-Region id and another one with the same bits do not meet.
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.bits);
    }
}

impl FromStr for KeyId {
    type Err = ParseKeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (multi_region, digits) = match text.strip_prefix(MULTI_REGION) {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        // Of the forms that are read, each of these lengths has one.
        if digits.len() != if multi_region { Simple::LENGTH } else { Hyphenated::LENGTH } {
            return Err(ParseKeyIdError::Malformed);
        }
        let bits = Uuid::try_parse(digits).or(Err(ParseKeyIdError::Malformed))?.into_bytes();
        if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ParseKeyIdError::UpperCase);
        }
        Ok(Self { multi_region, bits })
    }
}

impl KeyId {
    /// The 36 characters of the id, in ASCII.
    #[must_use]
    pub fn text(&self) -> [u8; 36] {
        let (uuid, mut text) = (Uuid::from_bytes(self.bits), [0; Hyphenated::LENGTH]);
        if self.multi_region {
            let (prefix, digits) = text.split_at_mut(MULTI_REGION.len());
            prefix.copy_from_slice(MULTI_REGION.as_bytes());
            uuid.simple().encode_lower(digits);
        } else {
            uuid.hyphenated().encode_lower(&mut text);
        }
        text
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

pub(crate) fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_key_id_has_exactly_the_two_documented_shapes() {
        for (text, expected) in [
            ("1234abcd-12ab-34cd-56ef-1234567890ab", Ok(())),
            ("mrk-1234abcd12ab34cd56ef1234567890ab", Ok(())),
            ("1234ABCD-12ab-34cd-56ef-1234567890ab", Err(ParseKeyIdError::UpperCase)),
            ("mrk-1234ABCD12ab34cd56ef1234567890ab", Err(ParseKeyIdError::UpperCase)),
            ("1234abcd12ab34cd56ef1234567890ab", Err(ParseKeyIdError::Malformed)),
            ("mrk-1234", Err(ParseKeyIdError::Malformed)),
            ("mrk-1234abcd-12ab-34cd-56ef-1234567890ab", Err(ParseKeyIdError::Malformed)),
            ("1234abcd-12ab-34cd-56ef-1234567890abc", Err(ParseKeyIdError::Malformed)),
            ("1234abcd-12ab-34cd-56ef-1234567890a", Err(ParseKeyIdError::Malformed)),
            ("1234abcd-12ab-34cd-56ef-12345678-0ab", Err(ParseKeyIdError::Malformed)),
            ("1234abcg-12ab-34cd-56ef-1234567890ab", Err(ParseKeyIdError::Malformed)),
            ("", Err(ParseKeyIdError::Malformed)),
        ] {
            let parsed = text.parse::<KeyId>();
            assert_eq!(parsed.map(|_| ()), expected, "{text:?}");
            if let Ok(id) = parsed {
                assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn a_random_id_is_a_version_4_uuid() {
        for fill in [0x00, 0xff] {
            let text = KeyId::from_random([fill; 16]).to_string();
            assert_eq!(text.as_bytes()[14], b'4', "{text}");
            assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{text}");
        }
    }
}
