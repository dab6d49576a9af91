//! What the operations on asymmetric and HMAC keys share.

use core::fmt::Display;

use keyreeve_core::Refusal;
use keyreeve_core::gate::pairs::UseError;
use keyreeve_core::vault::VaultError;
use keyreeve_crypto::asymmetric::Message;
use keyreeve_domain::spec::{
    EncapsulationAlgorithm, EncryptionAlgorithm, KeyAgreementAlgorithm, KeySpec, MacAlgorithm, MessageType,
    SigningAlgorithm,
};
use keyreeve_wire::{EncryptionContext, ErrorCode, RequestedSigningAlgorithm, SensitiveBlob};

/// The refusal of an algorithm that does not fit the key.
pub(crate) fn incompatible(algorithm: impl Display, spec: KeySpec) -> Refusal {
    let message = format!("Algorithm {algorithm} is incompatible with key spec {spec}.");
    Refusal::new(ErrorCode::InvalidKeyUsage, message)
}

/// The signing algorithm of a request, where it fits the key.
pub(crate) fn check_signing(
    spec: KeySpec,
    asked: RequestedSigningAlgorithm,
) -> Result<SigningAlgorithm, Refusal> {
    let fitting = asked.signing().filter(|algorithm| spec.signing_algorithms().contains(algorithm));
    fitting.ok_or_else(|| incompatible(asked, spec))
}

/// Refuses a MAC algorithm that does not fit the key.
pub(crate) fn check_mac(spec: KeySpec, algorithm: MacAlgorithm) -> Result<(), Refusal> {
    if spec.mac_algorithms().contains(&algorithm) { Ok(()) } else { Err(incompatible(algorithm, spec)) }
}

/// Refuses a key agreement algorithm that does not fit the key.
pub(crate) fn check_agreement(spec: KeySpec, algorithm: KeyAgreementAlgorithm) -> Result<(), Refusal> {
    if spec.key_agreement_algorithms().contains(&algorithm) {
        Ok(())
    } else {
        Err(incompatible(algorithm, spec))
    }
}

/// Refuses an encapsulation algorithm that does not fit the key.
pub(crate) fn check_encapsulation(spec: KeySpec, algorithm: EncapsulationAlgorithm) -> Result<(), Refusal> {
    if spec.encapsulation_algorithms().contains(&algorithm) {
        Ok(())
    } else {
        Err(incompatible(algorithm, spec))
    }
}

/// Refuses an encryption context, where the algorithm is an asymmetric one: none of those takes any.
pub(crate) fn check_context(
    algorithm: EncryptionAlgorithm,
    context: &EncryptionContext,
) -> Result<(), Refusal> {
    if context.is_empty() || algorithm == EncryptionAlgorithm::SymmetricDefault {
        return Ok(());
    }
    let message = "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.";
    Err(Refusal::new(ErrorCode::Validation, message))
}

/// Refuses a plaintext that is too long for the key, or empty where the algorithm encrypts no empty one: ReEncrypt may bring
/// one, which was encrypted elsewhere under an RSA public key.
pub(crate) fn check_plaintext(
    spec: KeySpec,
    algorithm: EncryptionAlgorithm,
    plaintext: &[u8],
) -> Result<(), Refusal> {
    if plaintext.is_empty() && algorithm == EncryptionAlgorithm::Sm2Pke {
        // AWS: unverified. The form is that of a plaintext that is too long.
        let message = format!("Algorithm {algorithm} and key spec {spec} cannot encrypt empty data.");
        return Err(Refusal::new(ErrorCode::Validation, message));
    }
    match longest_plaintext(spec, algorithm) {
        Some(most) if plaintext.len() > most => Err(too_long(spec, algorithm, most)),
        Some(_) | None => Ok(()),
    }
}

/// The refusal of a plaintext of more than `most` bytes.
pub(crate) fn too_long(spec: KeySpec, algorithm: EncryptionAlgorithm, most: usize) -> Refusal {
    let message =
        format!("Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {most} bytes.");
    Refusal::new(ErrorCode::Validation, message)
}

/// The longest plaintext in bytes; for OAEP, RFC 8017 section 7.1.1.
fn longest_plaintext(spec: KeySpec, algorithm: EncryptionAlgorithm) -> Option<usize> {
    let digest = match algorithm {
        EncryptionAlgorithm::RsaesOaepSha1 => 20,
        EncryptionAlgorithm::RsaesOaepSha256 => 32,
        EncryptionAlgorithm::Sm2Pke => return Some(1024),
        EncryptionAlgorithm::SymmetricDefault => return None,
    };
    Some(modulus_len(spec)?.saturating_sub(2 * digest + 2))
}

fn modulus_len(spec: KeySpec) -> Option<usize> {
    match spec.as_str().strip_prefix("RSA_") {
        Some(bits) => bits.parse::<usize>().ok().map(|bits| bits / 8),
        None => None,
    }
}

/// Refuses a type of message that the algorithm does not take, and a digest of the wrong length.
pub(crate) fn check_message(
    spec: KeySpec,
    algorithm: SigningAlgorithm,
    kind: MessageType,
    message: &SensitiveBlob,
) -> Result<(), Refusal> {
    let refused = |by: &dyn Display, what: &str| {
        let message = format!("Message type {kind} is incompatible with {what} {by}.");
        Err(Refusal::new(ErrorCode::Validation, message))
    };
    let expected = match (algorithm, kind) {
        (SigningAlgorithm::Ed25519Sha512, MessageType::Raw) => None,
        (SigningAlgorithm::Ed25519PhSha512, MessageType::Digest) => digest_len(algorithm),
        (SigningAlgorithm::Ed25519Sha512, MessageType::Digest)
        | (SigningAlgorithm::Ed25519PhSha512, MessageType::Raw) => {
            return refused(&algorithm, "algorithm");
        }
        (_, MessageType::Raw) => None,
        (SigningAlgorithm::MlDsaShake256, MessageType::ExternalMu) => digest_len(algorithm),
        (SigningAlgorithm::MlDsaShake256, MessageType::Digest) | (_, MessageType::ExternalMu) => {
            return refused(&spec, "key spec");
        }
        (_, MessageType::Digest) => digest_len(algorithm),
    };
    // EXPOSE: its length alone is read.
    if expected.is_none_or(|expected| expected == message.expose().len()) {
        return Ok(());
    }
    // AWS: unverified for EXTERNAL_MU.
    let message = format!("Digest is invalid length for algorithm {algorithm}.");
    Err(Refusal::new(ErrorCode::Validation, message))
}

/// The length in bytes of the digest that an algorithm signs; for ML-DSA that of μ.
fn digest_len(algorithm: SigningAlgorithm) -> Option<usize> {
    use SigningAlgorithm as S;
    Some(match algorithm {
        S::RsassaPssSha256 | S::RsassaPkcs1V15Sha256 | S::EcdsaSha256 | S::Sm2Dsa => 32,
        S::RsassaPssSha384 | S::RsassaPkcs1V15Sha384 | S::EcdsaSha384 => 48,
        S::RsassaPssSha512
        | S::RsassaPkcs1V15Sha512
        | S::EcdsaSha512
        | S::MlDsaShake256
        | S::Ed25519Sha512
        | S::Ed25519PhSha512 => 64,
    })
}

/// A message of a type, as it is signed.
pub(crate) fn message_of(kind: MessageType, bytes: &[u8]) -> Message<'_> {
    match kind {
        MessageType::Raw => Message::Raw(bytes),
        MessageType::Digest => Message::Digest(bytes),
        MessageType::ExternalMu => Message::ExternalMu(bytes),
    }
}

/// The refusal for a use that failed: what the operation itself makes of it, or that something inside is wrong.
pub(crate) fn refusal<E: Display>(
    error: UseError<E>,
    operation: impl FnOnce(E) -> Option<Refusal>,
) -> Refusal {
    match error {
        UseError::Operation(error) => {
            let text = error.to_string();
            operation(error).unwrap_or_else(|| {
                tracing::error!(error = text, "a key could not be used");
                Refusal::internal()
            })
        }
        UseError::Memory(error) => VaultError::Memory(error).into(),
        UseError::Parse => {
            tracing::error!("the material of a key is no key of its spec");
            Refusal::internal()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_plaintexts_are_those_of_the_documents() {
        use EncryptionAlgorithm::{RsaesOaepSha1, RsaesOaepSha256, Sm2Pke, SymmetricDefault};
        for (spec, algorithm, most) in [
            (KeySpec::Rsa2048, RsaesOaepSha1, Some(214)),
            (KeySpec::Rsa2048, RsaesOaepSha256, Some(190)),
            (KeySpec::Rsa3072, RsaesOaepSha1, Some(342)),
            (KeySpec::Rsa3072, RsaesOaepSha256, Some(318)),
            (KeySpec::Rsa4096, RsaesOaepSha1, Some(470)),
            (KeySpec::Rsa4096, RsaesOaepSha256, Some(446)),
            (KeySpec::Sm2, Sm2Pke, Some(1024)),
            (KeySpec::SymmetricDefault, SymmetricDefault, None),
        ] {
            assert_eq!(longest_plaintext(spec, algorithm), most, "{spec} {algorithm}");
        }
    }
}
