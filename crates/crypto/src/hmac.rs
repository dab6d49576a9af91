//! HMAC-SHA-256.
//!
//! A key is prepared once and then holds only its two inner hash states; the caller's bytes are read and not kept. The
//! states are wiped on drop. Tags are compared in constant time. Source: FIPS 198-1, RFC 4231 for the test vectors.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::digest::SHA256_LEN;

/// The tag is not the HMAC of the message under this key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("message authentication code does not match")]
pub struct MismatchError;

/// A prepared HMAC-SHA-256 key. It cannot be printed, compared, or read back.
pub struct Key(hmac::Key);

impl Key {
    /// Prepares the key `secret`, of any length. The caller wipes `secret`.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The tag of the concatenation of `parts`. For a tag that is published; see [`Key::derive`] for one that is secret.
    #[must_use]
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; SHA256_LEN] {
        let tag = self.tag(parts);
        let mut bytes = [0; SHA256_LEN];
        // INVARIANT: the output of HMAC-SHA-256 is 32 bytes.
        bytes.copy_from_slice(tag.as_ref());
        bytes
    }

    /// Writes the tag of `message`, a secret, to `secret` and nowhere else: a value that is returned leaves copies of
    /// itself on the stack.
    pub fn derive(&self, message: &[u8], secret: &mut Zeroizing<[u8; SHA256_LEN]>) {
        if hmac::sign_to_buffer(&self.0, message, secret.as_mut_slice()).is_err() {
            unreachable!("a buffer of 32 bytes holds an HMAC-SHA-256 tag");
        }
    }

    /// Checks in constant time that `tag` is the tag of the concatenation of `parts`.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> Result<(), MismatchError> {
        use subtle::ConstantTimeEq as _;
        if bool::from(self.tag(parts).as_ref().ct_eq(tag)) { Ok(()) } else { Err(MismatchError) }
    }

    fn tag(&self, parts: &[&[u8]]) -> hmac::Tag {
        if let [message] = parts {
            return hmac::sign(&self.0, message);
        }
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        context.sign()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::LowerHex;

    #[test]
    fn rfc_4231_examples_give_the_published_tags() {
        for (key, message, hex) in [
            (
                &[0x0b; 20][..],
                &b"Hi There"[..],
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            let key = Key::new(key);
            assert_eq!(LowerHex::new(&key.sign(&[message])).as_str(), hex);
            let mut secret = Zeroizing::new([0; SHA256_LEN]);
            key.derive(message, &mut secret);
            assert_eq!(LowerHex::new(&secret).as_str(), hex);
            let (head, tail) = message.split_at(3);
            assert_eq!(key.sign(&[head, b"", tail]), key.sign(&[message]));
        }
    }

    #[test]
    fn only_the_whole_tag_of_the_same_message_verifies() {
        let key = Key::new(b"key");
        let tag = key.sign(&[b"message"]);
        assert_eq!(key.verify(&[b"mess", b"age"], &tag), Ok(()));
        assert_eq!(key.verify(&[b"Message"], &tag), Err(MismatchError));
        assert_eq!(key.verify(&[b"message"], &tag[..31]), Err(MismatchError));
        assert_eq!(key.verify(&[b"message"], &[]), Err(MismatchError));
        assert_eq!(Key::new(b"other").verify(&[b"message"], &tag), Err(MismatchError));
        for bit in 0..256 {
            let mut flipped = tag;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.verify(&[b"message"], &flipped), Err(MismatchError), "bit {bit}");
        }
    }
}
