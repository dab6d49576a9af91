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
use keyreeve_domain::spec::{KeySpec, SigningAlgorithm};
use zeroize::Zeroizing;

use super::{AgreeError, Message, ParseKeyError, SignError, VerifyError, agreement, der, pkcs8};

/// What belongs to a curve.
pub(super) struct Curve {
    algorithm: SigningAlgorithm,
    pub(super) signing: &'static EcdsaSigningAlgorithm,
    verification: &'static EcdsaVerificationAlgorithm,
    hash: &'static digest::Algorithm,
    agreement: Option<&'static ecdh::Algorithm>,
}

impl Curve {
    /// The curve of an ECC spec.
    pub(super) fn of(spec: KeySpec) -> Result<&'static Self, ParseKeyError> {
        match spec {
            KeySpec::EccNistP256 => Ok(&P256),
            KeySpec::EccNistP384 => Ok(&P384),
            KeySpec::EccNistP521 => Ok(&P521),
            KeySpec::EccSecgP256K1 => Ok(&P256K1),
            KeySpec::Rsa2048
            | KeySpec::Rsa3072
            | KeySpec::Rsa4096
            | KeySpec::EccNistEdwards25519
            | KeySpec::Sm2
            | KeySpec::MlDsa44
            | KeySpec::MlDsa65
            | KeySpec::MlDsa87
            | KeySpec::MlKem512
            | KeySpec::MlKem768
            | KeySpec::MlKem1024
            | KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => Err(ParseKeyError::Rejected),
        }
    }
}

static P256: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha256,
    signing: &ECDSA_P256_SHA256_ASN1_SIGNING,
    verification: &ECDSA_P256_SHA256_ASN1,
    hash: &digest::SHA256,
    agreement: Some(&ecdh::ECDH_P256),
};

static P384: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha384,
    signing: &ECDSA_P384_SHA384_ASN1_SIGNING,
    verification: &ECDSA_P384_SHA384_ASN1,
    hash: &digest::SHA384,
    agreement: Some(&ecdh::ECDH_P384),
};

static P521: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha512,
    signing: &ECDSA_P521_SHA512_ASN1_SIGNING,
    verification: &ECDSA_P521_SHA512_ASN1,
    hash: &digest::SHA512,
    agreement: Some(&ecdh::ECDH_P521),
};

static P256K1: Curve = Curve {
    algorithm: SigningAlgorithm::EcdsaSha256,
    signing: &ECDSA_P256K1_SHA256_ASN1_SIGNING,
    verification: &ECDSA_P256K1_SHA256_ASN1,
    hash: &digest::SHA256,
    agreement: None,
};

pub(super) struct Private {
    curve: &'static Curve,
    signing: EcdsaKeyPair,
    agreeing: Option<agreement::Private>,
}

impl Private {
    /// The private key, and its public key as `SubjectPublicKeyInfo`. `info` is what the document holds.
    pub(super) fn from_pkcs8(
        spec: KeySpec,
        pkcs8: &[u8],
        info: &pkcs8::Info<'_>,
    ) -> Result<(Self, Vec<u8>), ParseKeyError> {
        let curve = Curve::of(spec)?;
        if !der::names_curve(info.algorithm) || der::has_hybrid_point(info.private_key) {
            return Err(ParseKeyError::Rejected);
        }
        let signing = EcdsaKeyPair::from_pkcs8(curve.signing, pkcs8).or(Err(ParseKeyError::Rejected))?;
        let spki = signing.public_key().as_der().or(Err(ParseKeyError::Rejected))?.as_ref().to_vec();
        let agreeing =
            curve.agreement.map(|algorithm| agreement::Private::from_pkcs8(algorithm, pkcs8)).transpose()?;
        Ok((Self { curve, signing, agreeing }, spki))
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

    pub(super) fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, AgreeError> {
        self.agreeing.as_ref().ok_or(AgreeError::Unsupported)?.agree(peer)
    }
}

pub(super) struct Public {
    curve: &'static Curve,
    verifying: ParsedPublicKey,
}

impl Public {
    pub(super) fn parse(spec: KeySpec, spki: &[u8]) -> Result<Self, ParseKeyError> {
        let curve = Curve::of(spec)?;
        if !der::spki_algorithm(spki).is_some_and(der::names_curve) {
            return Err(ParseKeyError::Rejected);
        }
        let verifying = ParsedPublicKey::new(curve.verification, spki).or(Err(ParseKeyError::Rejected))?;
        Ok(Self { curve, verifying })
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
}
