//! Ed25519 (RFC 8032, FIPS 186-5 section 7).

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use keyreeve_domain::spec::SigningAlgorithm;

use super::{Message, ParseKeyError, SignError, VerifyError};

/// A PKCS#8 document without the 32-byte seed that ends it (RFC 8410 section 7).
pub(super) const PKCS8_PREFIX: [u8; 16] =
    *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
pub(super) const SEED_LEN: usize = 32;

pub(super) struct Pair {
    signing: Ed25519KeyPair,
    verifying: ParsedPublicKey,
}

impl Pair {
    /// The pair, and its public key as `SubjectPublicKeyInfo`.
    pub(super) fn from_pkcs8(pkcs8: &[u8]) -> Result<(Self, Vec<u8>), ParseKeyError> {
        let signing = Ed25519KeyPair::from_pkcs8(pkcs8).or(Err(ParseKeyError::Rejected))?;
        let spki = signing.public_key().as_der().or(Err(ParseKeyError::Rejected))?.as_ref().to_vec();
        let verifying =
            ParsedPublicKey::new(&ED25519, signing.public_key()).or(Err(ParseKeyError::Rejected))?;
        Ok((Self { signing, verifying }, spki))
    }

    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
    ) -> Result<Vec<u8>, SignError> {
        match (algorithm, message) {
            (SigningAlgorithm::Ed25519Sha512, Message::Raw(message)) => self
                .signing
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec())
                .or(Err(SignError::Library)),
            _ => Err(SignError::Unsupported),
        }
    }

    pub(super) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        match (algorithm, message) {
            (SigningAlgorithm::Ed25519Sha512, Message::Raw(message)) => {
                self.verifying.verify_sig(message, signature).or(Err(VerifyError::Mismatch))
            }
            _ => Err(VerifyError::Unsupported),
        }
    }
}
