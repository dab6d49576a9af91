//! HMAC keys of the HMAC specs (FIPS 198-1): the whole tag, and a constant-time comparison.

use core::ops::RangeInclusive;

use aws_lc_rs::hmac;
use keyreeve_domain::spec::KeySpec;

use crate::asymmetric;
use crate::hmac::MismatchError;
use crate::key::KeyMaterial;

/// The spec is no HMAC spec, or the material is not as long as it says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an HMAC key of the key spec")]
pub struct ParseMacKeyError;

/// A prepared HMAC key. It cannot be printed, compared, or read back.
pub struct MacKey(hmac::Key);

impl MacKey {
    /// Prepares `material` of an HMAC `spec`.
    ///
    /// # Errors
    /// See [`ParseMacKeyError`].
    pub fn new(spec: KeySpec, material: &KeyMaterial) -> Result<Self, ParseMacKeyError> {
        let algorithm = algorithm(spec).ok_or(ParseMacKeyError)?;
        // EXPOSE: the MAC keys on the material; the library keeps two hash states and wipes them on drop.
        let material = material.expose();
        if !key_lengths(spec).is_some_and(|lengths| lengths.contains(&material.len())) {
            return Err(ParseMacKeyError);
        }
        Ok(Self(hmac::Key::new(algorithm, material)))
    }

    /// The tag of `message`, as long as the hash.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0, message).as_ref().to_vec()
    }

    /// Checks in constant time that `mac` is the whole tag of `message`.
    ///
    /// # Errors
    /// Where it is not.
    pub fn verify(&self, message: &[u8], mac: &[u8]) -> Result<(), MismatchError> {
        hmac::verify(&self.0, message, mac).or(Err(MismatchError))
    }
}

/// The lengths in bytes that material of an HMAC spec may have: that of what is made here, and up to a block of the hash where
/// it is imported.
pub(crate) fn key_lengths(spec: KeySpec) -> Option<RangeInclusive<usize>> {
    let block = algorithm(spec)?.digest_algorithm().block_len();
    Some(asymmetric::symmetric_len(spec)?..=block)
}

fn algorithm(spec: KeySpec) -> Option<hmac::Algorithm> {
    match spec {
        KeySpec::Hmac224 => Some(hmac::HMAC_SHA224),
        KeySpec::Hmac256 => Some(hmac::HMAC_SHA256),
        KeySpec::Hmac384 => Some(hmac::HMAC_SHA384),
        KeySpec::Hmac512 => Some(hmac::HMAC_SHA512),
        KeySpec::Rsa2048
        | KeySpec::Rsa3072
        | KeySpec::Rsa4096
        | KeySpec::EccNistP256
        | KeySpec::EccNistP384
        | KeySpec::EccNistP521
        | KeySpec::EccSecgP256K1
        | KeySpec::EccNistEdwards25519
        | KeySpec::Sm2
        | KeySpec::SymmetricDefault
        | KeySpec::MlDsa44
        | KeySpec::MlDsa65
        | KeySpec::MlDsa87
        | KeySpec::MlKem512
        | KeySpec::MlKem768
        | KeySpec::MlKem1024 => None,
    }
}
