//! The keys of the hierarchy, one type per kind.
//!
//! A value that holds a key cannot be copied, compared with `==`, printed or serialised. Its bytes stand in locked memory
//! and are wiped on drop.

use keyreeve_domain::{KeyId, KeyMaterialId};
use keyreeve_locked_memory::{LockedBytes, LockedMemoryError};

use crate::hmac;
use crate::random::{Random, RandomError};

/// A key could not be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MakeKeyError {
    /// No locked memory is left.
    #[error(transparent)]
    Memory(#[from] LockedMemoryError),
    /// The random number generator failed.
    #[error(transparent)]
    Random(#[from] RandomError),
}

macro_rules! key_256 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(LockedBytes);

        impl $name {
            /// The length in bytes.
            pub const LEN: usize = 32;

            /// A new random key.
            ///
            /// # Errors
            /// Where randomness or locked memory is missing.
            pub fn make(random: &dyn Random) -> Result<Self, MakeKeyError> {
                Self::init_with(|bytes| random.fill(bytes).map_err(MakeKeyError::from))
            }

            /// A key filled in place by `fill`, which is given [`Self::LEN`] bytes.
            ///
            /// # Errors
            /// Where locked memory is missing, or as `fill` says.
            pub fn init_with<E: From<LockedMemoryError>>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
                LockedBytes::init_with(Self::LEN, fill).map(Self)
            }

            /// The bytes. Each call says why in an `EXPOSE` comment.
            #[must_use]
            pub fn expose(&self) -> &[u8] {
                self.0.expose()
            }
        }
    };
}

key_256!(
    /// The root wrapping key: wraps the keyring and nothing else. Held by the seal.
    RootKey
);
key_256!(
    /// A key that wraps another: a domain key, or one that a seal derives from a passphrase.
    WrappingKey
);
key_256!(
    /// The secret that keys the ids of key material, so that the id of a guessable import tells nothing. Never rotated.
    MaterialIdSecret
);

/// One version of the key material of a KMS key (the HBK).
pub struct KeyMaterial(LockedBytes);

impl KeyMaterial {
    /// New random material of `len` bytes.
    ///
    /// # Errors
    /// Where randomness or locked memory is missing.
    pub fn make(len: usize, random: &dyn Random) -> Result<Self, MakeKeyError> {
        LockedBytes::init_with(len, |bytes| random.fill(bytes).map_err(MakeKeyError::from)).map(Self)
    }

    /// Material of `len` bytes filled in place by `fill`.
    ///
    /// # Errors
    /// Where locked memory is missing, or as `fill` says.
    pub fn init_with<E: From<LockedMemoryError>>(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        LockedBytes::init_with(len, fill).map(Self)
    }

    /// The bytes. Each call says why in an `EXPOSE` comment.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// The id of this material under the KMS key `key`: the same for the same bytes, so that a re-import is recognised.
    ///
    /// `HMAC-SHA-256(secret, "kmid-v1" ‖ 00 ‖ key id bits ‖ u32 length ‖ material)`.
    #[must_use]
    pub fn derive_id(&self, secret: &MaterialIdSecret, key: &KeyId) -> KeyMaterialId {
        // EXPOSE: the MAC keys on the secret and reads the material; neither is kept.
        let (secret, material) = (hmac::Key::new(secret.expose()), self.expose());
        let length = u32::try_from(material.len()).unwrap_or(u32::MAX).to_be_bytes();
        KeyMaterialId::from_bytes(secret.sign(&[b"kmid-v1\0", key.bits(), &length, material]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_material_id_equals_the_independent_reference() {
        let secret = MaterialIdSecret::init_with::<LockedMemoryError>(|bytes| {
            bytes.fill(0x11);
            Ok(())
        })
        .unwrap();
        let material = KeyMaterial::init_with::<LockedMemoryError>(32, |bytes| {
            bytes.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n);
            Ok(())
        })
        .unwrap();
        let key = "1234abcd-12ab-34cd-56ef-1234567890ab".parse().unwrap();
        // Computed with Python's `hmac` and `hashlib`.
        assert_eq!(
            material.derive_id(&secret, &key).to_string(),
            "a89a5ad7244084b5ca62dac7da175bd58ed8a599a7f5459b152f1508596dafbf"
        );
    }
}
