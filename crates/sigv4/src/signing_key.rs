//! The key a request is signed with.

use keyreeve_crypto::digest::SHA256_LEN;
use keyreeve_crypto::hmac::{Key, MismatchError};
use zeroize::Zeroizing;

use crate::TERMINATOR;

/// A key that is good for one access key, one day, one Region and one service. It cannot be printed or read back.
pub struct SigningKey(Key);

impl SigningKey {
    /// Derives the key from the secret access key. `date` is `YYYYMMDD`. The caller wipes `secret`.
    ///
    /// Source: step 4 of
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#calculate-signature>.
    #[must_use]
    pub fn derive(secret: &[u8], date: &str, region: &str, service: &str) -> Self {
        let mut prefixed = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
        prefixed.extend_from_slice(b"AWS4");
        prefixed.extend_from_slice(secret);
        let mut key = Zeroizing::new([0; SHA256_LEN]);
        Key::new(&prefixed).derive(date.as_bytes(), &mut key);
        for part in [region, service, TERMINATOR] {
            Key::new(key.as_slice()).derive(part.as_bytes(), &mut key);
        }
        Self(Key::new(key.as_slice()))
    }

    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; SHA256_LEN] {
        self.0.sign(parts)
    }

    pub(crate) fn verify(&self, parts: &[&[u8]], signature: &[u8; SHA256_LEN]) -> Result<(), MismatchError> {
        self.0.verify(parts, signature)
    }
}
