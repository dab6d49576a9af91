//! SHA-256.
//!
//! A digest is 32 bytes; its text form is 64 lower-case hexadecimal digits. Source: FIPS 180-4.

use core::fmt;

use aws_lc_rs::digest::{Context, Digest, SHA256, digest};

/// The length of a SHA-256 digest in bytes.
pub const SHA256_LEN: usize = 32;

/// The SHA-256 digest of `data`.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; SHA256_LEN] {
    to_array(&digest(&SHA256, data))
}

/// A SHA-256 computation that takes its input piece by piece.
#[derive(Clone)]
pub struct Sha256(Context);

impl Sha256 {
    /// A computation over no input yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Appends `data` to the input.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of all input, in order.
    #[must_use]
    pub fn finish(self) -> [u8; SHA256_LEN] {
        to_array(&self.0.finish())
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256")
    }
}

/// The lower-case hexadecimal text of a SHA-256 digest, on the stack.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct LowerHex([u8; 2 * SHA256_LEN]);

impl LowerHex {
    /// The text of `digest`.
    #[must_use]
    pub fn new(digest: &[u8; SHA256_LEN]) -> Self {
        let mut text = [0; 2 * SHA256_LEN];
        for (pair, byte) in text.chunks_exact_mut(2).zip(digest) {
            if let [high, low] = pair {
                *high = hex_digit(byte >> 4);
                *low = hex_digit(byte & 0x0f);
            }
        }
        Self(text)
    }

    /// The 64 digits as ASCII bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 2 * SHA256_LEN] {
        &self.0
    }

    /// The 64 digits as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: only `hex_digit` writes here, and it yields ASCII.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for LowerHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for LowerHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads 64 lower-case hexadecimal digits; anything else is `None`.
#[must_use]
pub fn parse_lower_hex(text: &[u8]) -> Option<[u8; SHA256_LEN]> {
    if text.len() != 2 * SHA256_LEN {
        return None;
    }
    let (mut digest, mut all_valid) = ([0; SHA256_LEN], true);
    // Without a branch for each digit: every request has such a text.
    for (byte, pair) in digest.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        let ((high, high_valid), (low, low_valid)) = (hex_value(*high), hex_value(*low));
        *byte = (high << 4) | low;
        all_valid &= high_valid & low_valid;
    }
    all_valid.then_some(digest)
}

fn to_array(digest: &Digest) -> [u8; SHA256_LEN] {
    let mut bytes = [0; SHA256_LEN];
    // INVARIANT: the output of SHA-256 is 32 bytes.
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

/// The value of a digit, and whether it is one.
fn hex_value(digit: u8) -> (u8, bool) {
    let (number, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
    let value = if number < 10 { number } else { letter.wrapping_add(10) & 0x0f };
    (value, (number < 10) | (letter < 6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_give_the_published_digests() {
        for (input, hex) in [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            assert_eq!(LowerHex::new(&sha256(input.as_bytes())).as_str(), hex, "{input:?}");
        }
    }

    #[test]
    fn pieces_give_the_same_digest_as_the_whole() {
        let mut pieces = Sha256::new();
        for piece in ["", "a", "", "bc", "def"] {
            pieces.update(piece.as_bytes());
        }
        assert_eq!(pieces.finish(), sha256(b"abcdef"));
    }

    #[test]
    fn hexadecimal_text_reads_back_and_only_in_its_one_form() {
        let digest = sha256(b"abc");
        let text = LowerHex::new(&digest);
        assert_eq!(parse_lower_hex(text.as_bytes()), Some(digest));
        let upper = text.as_str().to_uppercase();
        let long = format!("{text}00");
        for bad in [upper.as_str(), &long, "", "zz", &text.as_str()[1..]] {
            assert_eq!(parse_lower_hex(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
