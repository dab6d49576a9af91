//! ML-KEM (FIPS 203).

use keyreeve_domain::spec::KeySpec;
use zeroize::Zeroizing;

use super::{DecapsulateError, EncapsulateError, ParseKeyError};

pub(super) const SEED_LEN: usize = 64;

/// A shared secret and its ciphertext.
pub struct Encapsulated {
    /// For the owner of the key pair.
    pub ciphertext: Vec<u8>,
    /// 32 bytes.
    pub secret: Zeroizing<Vec<u8>>,
}

pub(super) struct Pair;

impl Pair {
    /// The pair, and its public key as `SubjectPublicKeyInfo`.
    pub(super) fn from_seed(_spec: KeySpec, _seed: &[u8]) -> Result<(Self, Vec<u8>), ParseKeyError> {
        Err(ParseKeyError::Rejected)
    }

    pub(super) fn encapsulate(&self) -> Result<Encapsulated, EncapsulateError> {
        Err(EncapsulateError::Library)
    }

    pub(super) fn decapsulate(&self, _ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecapsulateError> {
        Err(DecapsulateError::Library)
    }
}
