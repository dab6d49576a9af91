//! Ed25519 and Ed25519ph (RFC 8032, FIPS 186-5 section 7).
//!
//! `ED25519_PH_SHA_512` takes a digest of 64 bytes and hashes it again: what is signed with Ed25519ph is the digest, as if
//! it were the message. The service documents it so.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, ParsedPublicKey};
use keyreeve_aws_lc_ffi::{ed25519ph_sign, ed25519ph_verify};
use keyreeve_domain::spec::SigningAlgorithm;
use keyreeve_locked_memory::LockedBytes;

use super::{Message, ParseKeyError, SignError, VerifyError};

#[cfg(not(feature = "fips"))]
/// A PKCS#8 document without the 32-byte seed that ends it (RFC 8410 section 7).
pub(super) const PKCS8_PREFIX: [u8; 16] =
    *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
pub(super) const SEED_LEN: usize = 32;

const DIGEST_LEN: usize = 64;

pub(super) struct Private {
    signing: Ed25519KeyPair,
    /// The seed followed by the public key.
    prehashing: LockedBytes,
}

impl Private {
    /// The private key, and its public key as `SubjectPublicKeyInfo`. `inner` is what the document holds.
    pub(super) fn from_pkcs8(pkcs8: &[u8], inner: &[u8]) -> Result<(Self, Vec<u8>), ParseKeyError> {
        let signing = Ed25519KeyPair::from_pkcs8(pkcs8).or(Err(ParseKeyError::Rejected))?;
        let spki = signing.public_key().as_der().or(Err(ParseKeyError::Rejected))?.as_ref().to_vec();
        let seed = inner.strip_prefix(b"\x04\x20").ok_or(ParseKeyError::Rejected)?;
        let prehashing = LockedBytes::init_with(2 * SEED_LEN, |bytes| {
            let parts = seed.iter().chain(signing.public_key().as_ref());
            bytes.iter_mut().zip(parts).for_each(|(slot, byte)| *slot = *byte);
            Ok::<_, ParseKeyError>(())
        })?;
        Ok((Self { signing, prehashing }, spki))
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
            (SigningAlgorithm::Ed25519PhSha512, Message::Digest(digest)) => {
                if digest.len() != DIGEST_LEN {
                    return Err(SignError::MessageLength);
                }
                // EXPOSE: the library reads the private key where it lies.
                let private_key = self.prehashing.expose().first_chunk().ok_or(SignError::Library)?;
                ed25519ph_sign(private_key, digest)
                    .map(|signature| signature.to_vec())
                    .ok_or(SignError::Library)
            }
            _ => Err(SignError::Unsupported),
        }
    }
}

pub(super) struct Public {
    verifying: ParsedPublicKey,
    prehashing: [u8; 32],
}

impl Public {
    pub(super) fn parse(spki: &[u8]) -> Result<Self, ParseKeyError> {
        let verifying = ParsedPublicKey::new(&ED25519, spki).or(Err(ParseKeyError::Rejected))?;
        // INVARIANT: the key ends the `SubjectPublicKeyInfo`.
        let prehashing = *spki.last_chunk().ok_or(ParseKeyError::Rejected)?;
        Ok(Self { verifying, prehashing })
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
            (SigningAlgorithm::Ed25519PhSha512, Message::Digest(digest)) => {
                if digest.len() != DIGEST_LEN {
                    return Err(VerifyError::MessageLength);
                }
                let signature = signature.try_into().or(Err(VerifyError::Mismatch))?;
                if ed25519ph_verify(&self.prehashing, digest, signature) {
                    Ok(())
                } else {
                    Err(VerifyError::Mismatch)
                }
            }
            _ => Err(VerifyError::Unsupported),
        }
    }
}
