//! A wrapping key from a passphrase: argon2id, RFC 9106.

use argon2::{Algorithm, Argon2, Params, Version};
use keyreeve_locked_memory::{LockedBytes, LockedMemoryError};

use crate::key::WrappingKey;

/// A passphrase, in locked memory.
pub struct Passphrase(LockedBytes);

impl Passphrase {
    /// The longest passphrase in bytes.
    pub const MAX_LEN: usize = 1024;

    /// A passphrase read by `fill` into the buffer that it is given; `fill` returns how many bytes it wrote.
    ///
    /// # Errors
    /// Where locked memory is missing, or as `fill` says.
    pub fn init_with<E: From<LockedMemoryError>>(
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<Self, E> {
        let mut len = 0;
        let whole = LockedBytes::init_with(Self::MAX_LEN, |bytes| {
            len = fill(bytes)?;
            Ok::<_, E>(())
        })?;
        // EXPOSE: cut to what was written; both copies stand in locked memory.
        let written = whole.expose().get(..len).unwrap_or_default();
        Ok(Self(LockedBytes::copy_of(written)?))
    }
}

/// The cost of one derivation. Stored beside the salt, so that a later release may raise the default.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// 256 MiB, 3 passes, 4 lanes.
    pub const DEFAULT: Self = Self { memory_kib: 256 * 1024, passes: 3, lanes: 4 };

    /// Whether argon2id takes it: 1 to 2^24 - 1 lanes, at least 8 KiB for each of them, and a pass.
    /// Source: RFC 9106, section 3.1.
    #[must_use]
    pub fn is_valid(self) -> bool {
        self.params().is_ok()
    }

    fn params(self) -> argon2::Result<Params> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(WrappingKey::LEN))
    }
}

/// The parameters are outside what argon2id takes, or memory is missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DerivePassphraseError {
    /// The cost or the salt is outside what argon2id takes.
    #[error("argon2id refuses the cost or the salt")]
    Parameters,
    /// No locked memory is left.
    #[error(transparent)]
    Memory(#[from] LockedMemoryError),
}

/// The wrapping key of `passphrase` and `salt`.
///
/// # Errors
/// See [`DerivePassphraseError`].
pub fn derive_wrapping_key(
    passphrase: &Passphrase,
    salt: &[u8; 16],
    cost: Cost,
) -> Result<WrappingKey, DerivePassphraseError> {
    let params = cost.params().or(Err(DerivePassphraseError::Parameters))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    WrappingKey::init_with(|key| {
        // EXPOSE: argon2id reads the passphrase; it keeps no copy.
        argon2.hash_password_into(passphrase.0.expose(), salt, key).or(Err(DerivePassphraseError::Parameters))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::init_with::<LockedMemoryError>(|bytes| {
            bytes[..text.len()].copy_from_slice(text.as_bytes());
            Ok(text.len())
        })
        .unwrap()
    }

    #[test]
    fn the_key_depends_on_passphrase_salt_and_cost() {
        let cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
        let derived = |text: &str, salt: u8, cost: Cost| {
            derive_wrapping_key(&passphrase(text), &[salt; 16], cost).unwrap().expose().to_vec()
        };
        let key = derived("correct horse", 1, cost);
        assert_eq!(key, derived("correct horse", 1, cost));
        assert_ne!(key, derived("correct horsf", 1, cost));
        assert_ne!(key, derived("correct horse", 2, cost));
        assert_ne!(key, derived("correct horse", 1, Cost { passes: 2, ..cost }));
    }

    #[test]
    fn a_cost_is_valid_within_the_bounds_of_argon2id() {
        for (memory_kib, passes, lanes, is_valid) in [
            (256 * 1024, 3, 4, true),
            (8, 1, 1, true),
            (7, 1, 1, false),
            (8 * 4, 1, 4, true),
            (8 * 4 - 1, 1, 4, false),
            (8, 0, 1, false),
            (8, 1, 0, false),
        ] {
            let cost = Cost { memory_kib, passes, lanes };
            assert_eq!(cost.is_valid(), is_valid, "{memory_kib} {passes} {lanes}");
        }
        assert_eq!(Cost::DEFAULT.memory_kib, 262_144);
    }
}
