//! What is an approved service of the FIPS module, and what is not.
//!
//! A crate that is built with the feature `fips` links AWS-LC-FIPS. That alone makes no use of a key approved: this table says
//! which ones are, as the module's own indicator says after the call (`crypto/fipsmodule/service_indicator`), and a test of
//! that build compares the two. The table holds for version 4 of the module, which aws-lc-rs 1.18 and later link and for which no
//! certificate was found; certificates 5314 and 5298 are for version 3. So nothing here is a claim of validation.
//!
//! The wrapping of key material and records (`wrap`) has the standing of `Encrypt` with `SYMMETRIC_DEFAULT`; a key that a
//! passphrase gives (argon2id) is outside the module.

use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, MessageType, SigningAlgorithm};

/// Whether this build links the FIPS module, and the module says that it is in its FIPS mode.
#[must_use]
pub fn is_fips_build() -> bool {
    cfg!(feature = "fips") && aws_lc_rs::try_fips_mode().is_ok()
}

/// What is done with a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Service {
    /// Decapsulate a shared secret.
    Decapsulate,
    /// Decrypt.
    Decrypt(EncryptionAlgorithm),
    /// Derive a shared secret.
    DeriveSharedSecret,
    /// Encapsulate a shared secret.
    Encapsulate,
    /// Encrypt.
    Encrypt(EncryptionAlgorithm),
    /// Generate the key.
    GenerateKey,
    /// Generate or verify a MAC.
    Mac,
    /// Sign.
    Sign(SigningAlgorithm, MessageType),
    /// Verify a signature.
    Verify(SigningAlgorithm, MessageType),
}

/// Why a service is not approved.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotApproved {
    /// secp256k1 is no curve of SP 800-186 for signatures of the module.
    #[error("the curve is not approved")]
    Curve,
    /// The module approves a signature only where it computes the digest itself.
    #[error("the digest was not computed by the module")]
    Digest,
    /// AES-GCM is approved for encryption only with a nonce that the module draws itself.
    #[error("the nonce was not drawn by the module")]
    Nonce,
    /// RSA encryption is no service that the module's indicator knows.
    #[error("RSA encryption is not an approved service")]
    RsaEncryption,
    /// The seed was drawn from the module's generator, and the key was not made by the module's key generation.
    #[error("the key was not made by the module's key generation")]
    Seed,
    /// The algorithm is outside the module.
    #[error("the algorithm is not in the module")]
    Outside,
}

/// Whether a service of a key of `spec` is approved. A combination that does not exist gets any answer.
///
/// # Errors
/// Why it is not.
pub const fn standing(spec: KeySpec, service: Service) -> Result<(), NotApproved> {
    match spec {
        KeySpec::Sm2 => return Err(NotApproved::Outside),
        KeySpec::EccSecgP256K1 => return Err(NotApproved::Curve),
        KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024
            if matches!(service, Service::GenerateKey) =>
        {
            return Err(NotApproved::Seed);
        }
        KeySpec::Rsa2048
        | KeySpec::Rsa3072
        | KeySpec::Rsa4096
        | KeySpec::EccNistP256
        | KeySpec::EccNistP384
        | KeySpec::EccNistP521
        | KeySpec::EccNistEdwards25519
        | KeySpec::SymmetricDefault
        | KeySpec::Hmac224
        | KeySpec::Hmac256
        | KeySpec::Hmac384
        | KeySpec::Hmac512
        | KeySpec::MlDsa44
        | KeySpec::MlDsa65
        | KeySpec::MlDsa87
        | KeySpec::MlKem512
        | KeySpec::MlKem768
        | KeySpec::MlKem1024 => {}
    }
    match service {
        // What Ed25519ph signs is a message, which the service calls a digest; the module hashes it.
        Service::Sign(SigningAlgorithm::Ed25519PhSha512, MessageType::Digest)
        | Service::Verify(SigningAlgorithm::Ed25519PhSha512, MessageType::Digest) => Ok(()),
        Service::Sign(_, MessageType::Digest) | Service::Verify(_, MessageType::Digest) => {
            Err(NotApproved::Digest)
        }
        Service::Encrypt(EncryptionAlgorithm::SymmetricDefault) => Err(NotApproved::Nonce),
        Service::Encrypt(EncryptionAlgorithm::RsaesOaepSha1 | EncryptionAlgorithm::RsaesOaepSha256)
        | Service::Decrypt(EncryptionAlgorithm::RsaesOaepSha1 | EncryptionAlgorithm::RsaesOaepSha256) => {
            Err(NotApproved::RsaEncryption)
        }
        Service::Encrypt(EncryptionAlgorithm::Sm2Pke) | Service::Decrypt(EncryptionAlgorithm::Sm2Pke) => {
            Err(NotApproved::Outside)
        }
        Service::Decapsulate
        | Service::Decrypt(EncryptionAlgorithm::SymmetricDefault)
        | Service::DeriveSharedSecret
        | Service::Encapsulate
        | Service::GenerateKey
        | Service::Mac
        | Service::Sign(_, MessageType::ExternalMu | MessageType::Raw)
        | Service::Verify(_, MessageType::ExternalMu | MessageType::Raw) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_service_has_its_standing() {
        use SigningAlgorithm as S;
        for (spec, service, standing_of_it) in [
            (KeySpec::Rsa2048, Service::Sign(S::RsassaPssSha256, MessageType::Raw), Ok(())),
            (
                KeySpec::Rsa2048,
                Service::Sign(S::RsassaPssSha256, MessageType::Digest),
                Err(NotApproved::Digest),
            ),
            (KeySpec::EccNistP384, Service::Verify(S::EcdsaSha384, MessageType::Raw), Ok(())),
            (
                KeySpec::EccNistP384,
                Service::Verify(S::EcdsaSha384, MessageType::Digest),
                Err(NotApproved::Digest),
            ),
            (
                KeySpec::EccSecgP256K1,
                Service::Sign(S::EcdsaSha256, MessageType::Raw),
                Err(NotApproved::Curve),
            ),
            (KeySpec::Sm2, Service::Sign(S::Sm2Dsa, MessageType::Raw), Err(NotApproved::Outside)),
            (KeySpec::EccNistP256, Service::DeriveSharedSecret, Ok(())),
            (KeySpec::MlDsa65, Service::Sign(S::MlDsaShake256, MessageType::Raw), Ok(())),
            (KeySpec::MlDsa65, Service::Sign(S::MlDsaShake256, MessageType::ExternalMu), Ok(())),
            (KeySpec::EccNistEdwards25519, Service::Sign(S::Ed25519PhSha512, MessageType::Digest), Ok(())),
            (KeySpec::Hmac224, Service::Mac, Ok(())),
            (
                KeySpec::SymmetricDefault,
                Service::Encrypt(EncryptionAlgorithm::SymmetricDefault),
                Err(NotApproved::Nonce),
            ),
            (KeySpec::SymmetricDefault, Service::Decrypt(EncryptionAlgorithm::SymmetricDefault), Ok(())),
            (
                KeySpec::Rsa4096,
                Service::Decrypt(EncryptionAlgorithm::RsaesOaepSha256),
                Err(NotApproved::RsaEncryption),
            ),
        ] {
            assert_eq!(standing(spec, service), standing_of_it, "{spec} {service:?}");
        }
    }
}
