//! ECDSA (FIPS 186-5 section 6), one hash for each curve, signatures in DER.

use aws_lc_rs::agreement as ecdh;
use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1,
    ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1, ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    EcdsaVerificationAlgorithm, KeyPair as _, ParsedPublicKey,
};
use keyreeve_domain::spec::SigningAlgorithm;
use zeroize::Zeroizing;

use super::{AgreeError, Message, ParseKeyError, SignError, VerifyError, agreement};

/// What belongs to a curve.
pub(super) struct Curve {
    algorithm: SigningAlgorithm,
    pub(super) signing: &'static EcdsaSigningAlgorithm,
    verification: &'static EcdsaVerificationAlgorithm,
    hash: &'static digest::Algorithm,
    agreement: Option<&'static ecdh::Algorithm>,
}

pub(super) static P256: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha256,
    signing: &ECDSA_P256_SHA256_ASN1_SIGNING,
    verification: &ECDSA_P256_SHA256_ASN1,
    hash: &digest::SHA256,
    agreement: Some(&ecdh::ECDH_P256),
};

pub(super) static P384: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha384,
    signing: &ECDSA_P384_SHA384_ASN1_SIGNING,
    verification: &ECDSA_P384_SHA384_ASN1,
    hash: &digest::SHA384,
    agreement: Some(&ecdh::ECDH_P384),
};

pub(super) static P521: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha512,
    signing: &ECDSA_P521_SHA512_ASN1_SIGNING,
    verification: &ECDSA_P521_SHA512_ASN1,
    hash: &digest::SHA512,
    agreement: Some(&ecdh::ECDH_P521),
};

pub(super) static P256K1: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha256,
    signing: &ECDSA_P256K1_SHA256_ASN1_SIGNING,
    verification: &ECDSA_P256K1_SHA256_ASN1,
    hash: &digest::SHA256,
    agreement: None,
};

pub(super) struct Pair {
    curve: &'static Curve,
    signing: EcdsaKeyPair,
    verifying: ParsedPublicKey,
    agreeing: Option<agreement::Pair>,
}

impl Pair {
    /// The pair, and its public key as `SubjectPublicKeyInfo`.
    pub(super) fn from_pkcs8(curve: &'static Curve, pkcs8: &[u8]) -> Result<(Self, Vec<u8>), ParseKeyError> {
        let signing = EcdsaKeyPair::from_pkcs8(curve.signing, pkcs8).or(Err(ParseKeyError::Rejected))?;
        let spki = signing.public_key().as_der().or(Err(ParseKeyError::Rejected))?.as_ref().to_vec();
        let verifying = ParsedPublicKey::new(curve.verification, signing.public_key())
            .or(Err(ParseKeyError::Rejected))?;
        let agreeing =
            curve.agreement.map(|algorithm| agreement::Pair::from_pkcs8(algorithm, pkcs8)).transpose()?;
        Ok((Self { curve, signing, verifying, agreeing }, spki))
    }

    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
    ) -> Result<Vec<u8>, SignError> {
        if algorithm != self.curve.algorithm {
            return Err(SignError::Unsupported);
        }
        let signature = match message {
            Message::Raw(message) => self.signing.sign(&SystemRandom::new(), message),
            Message::Digest(digest) => {
                let digest =
                    Digest::import_less_safe(digest, self.curve.hash).or(Err(SignError::MessageLength))?;
                self.signing.sign_digest(&digest)
            }
            Message::ExternalMu(_) => return Err(SignError::Unsupported),
        };
        signature.map(|signature| signature.as_ref().to_vec()).or(Err(SignError::Library))
    }

    pub(super) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        if algorithm != self.curve.algorithm {
            return Err(VerifyError::Unsupported);
        }
        match message {
            Message::Raw(message) => self.verifying.verify_sig(message, signature),
            Message::Digest(digest) => {
                let digest =
                    Digest::import_less_safe(digest, self.curve.hash).or(Err(VerifyError::MessageLength))?;
                self.verifying.verify_digest_sig(&digest, signature)
            }
            Message::ExternalMu(_) => return Err(VerifyError::Unsupported),
        }
        .or(Err(VerifyError::Mismatch))
    }

    pub(super) fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, AgreeError> {
        self.agreeing.as_ref().ok_or(AgreeError::Unsupported)?.agree(peer)
    }
}
