//! ML-DSA (FIPS 204), the hedged variant, with an empty context.

use std::sync::OnceLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    KeyPair as _, ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87, ML_DSA_87_SIGNING,
    ParsedPublicKey, PqdsaKeyPair, PqdsaSigningAlgorithm, VerificationAlgorithm,
};
use keyreeve_aws_lc_ffi::{self as ffi, Kind};
use keyreeve_domain::spec::{KeySpec, SigningAlgorithm};

use super::{Message, ParseKeyError, SignError, VerifyError};

#[cfg(not(feature = "fips"))]
pub(super) const SEED_LEN: usize = 32;

pub(super) struct Private {
    signing: PqdsaKeyPair,
    /// The same key for message representatives, once there is one to sign.
    signing_mu: OnceLock<ffi::PrivateKey>,
}

impl Private {
    /// The private key, and its public key as `SubjectPublicKeyInfo`.
    pub(super) fn from_seed(spec: KeySpec, seed: &[u8]) -> Result<(Self, Vec<u8>), ParseKeyError> {
        let (algorithm, _) = algorithms(spec).ok_or(ParseKeyError::Rejected)?;
        let signing = PqdsaKeyPair::from_seed(algorithm, seed).or(Err(ParseKeyError::Rejected))?;
        let spki = signing.public_key().as_der().or(Err(ParseKeyError::Rejected))?.as_ref().to_vec();
        Ok((Self { signing, signing_mu: OnceLock::new() }, spki))
    }

    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
    ) -> Result<Vec<u8>, SignError> {
        match (algorithm, message) {
            (SigningAlgorithm::MlDsaShake256, Message::Raw(message)) => {
                let mut signature = vec![0; self.signing.algorithm().signature_len()];
                let len = self.signing.sign(message, &mut signature).or(Err(SignError::Library))?;
                signature.truncate(len);
                Ok(signature)
            }
            (SigningAlgorithm::MlDsaShake256, Message::ExternalMu(mu)) => {
                let mu = mu.try_into().or(Err(SignError::MessageLength))?;
                self.signing_mu()?.sign_mu(mu).ok_or(SignError::Library)
            }
            _ => Err(SignError::Unsupported),
        }
    }

    fn signing_mu(&self) -> Result<&ffi::PrivateKey, SignError> {
        if let Some(key) = self.signing_mu.get() {
            return Ok(key);
        }
        // The document holds the seed, and is wiped when it is dropped.
        let document = self.signing.to_pkcs8v1().or(Err(SignError::Library))?;
        let key = ffi::memory::locked(|| ffi::PrivateKey::parse(Kind::MlDsa, document.as_ref()));
        let key = key.ok_or(SignError::Library)?;
        Ok(self.signing_mu.get_or_init(|| key))
    }
}

pub(super) struct Public {
    verifying: ParsedPublicKey,
    verifying_mu: ffi::PublicKey,
}

impl Public {
    pub(super) fn parse(spec: KeySpec, spki: &[u8]) -> Result<Self, ParseKeyError> {
        let (_, algorithm) = algorithms(spec).ok_or(ParseKeyError::Rejected)?;
        let verifying = ParsedPublicKey::new(algorithm, spki).or(Err(ParseKeyError::Rejected))?;
        let verifying_mu = ffi::PublicKey::parse(Kind::MlDsa, spki).ok_or(ParseKeyError::Rejected)?;
        Ok(Self { verifying, verifying_mu })
    }

    pub(super) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        match (algorithm, message) {
            (SigningAlgorithm::MlDsaShake256, Message::Raw(message)) => {
                self.verifying.verify_sig(message, signature).or(Err(VerifyError::Mismatch))
            }
            (SigningAlgorithm::MlDsaShake256, Message::ExternalMu(mu)) => {
                let mu = mu.try_into().or(Err(VerifyError::MessageLength))?;
                if self.verifying_mu.verify_mu(mu, signature) { Ok(()) } else { Err(VerifyError::Mismatch) }
            }
            _ => Err(VerifyError::Unsupported),
        }
    }
}

/// A new key by the module's key generation: its document, with the seed in it.
#[cfg(feature = "fips")]
pub(super) fn generate(spec: KeySpec) -> Result<aws_lc_rs::pkcs8::Document, super::MakeMaterialError> {
    let (algorithm, _) = algorithms(spec).ok_or(super::MakeMaterialError::Library)?;
    let pair = PqdsaKeyPair::generate(algorithm).or(Err(super::MakeMaterialError::Library))?;
    pair.to_pkcs8v1().or(Err(super::MakeMaterialError::Library))
}

fn algorithms(spec: KeySpec) -> Option<(&'static PqdsaSigningAlgorithm, &'static dyn VerificationAlgorithm)> {
    match spec {
        KeySpec::MlDsa44 => Some((&ML_DSA_44_SIGNING, &ML_DSA_44)),
        KeySpec::MlDsa65 => Some((&ML_DSA_65_SIGNING, &ML_DSA_65)),
        KeySpec::MlDsa87 => Some((&ML_DSA_87_SIGNING, &ML_DSA_87)),
        KeySpec::Rsa2048
        | KeySpec::Rsa3072
        | KeySpec::Rsa4096
        | KeySpec::EccNistP256
        | KeySpec::EccNistP384
        | KeySpec::EccNistP521
        | KeySpec::EccSecgP256K1
        | KeySpec::EccNistEdwards25519
        | KeySpec::Sm2
        | KeySpec::MlKem512
        | KeySpec::MlKem768
        | KeySpec::MlKem1024
        | KeySpec::SymmetricDefault
        | KeySpec::Hmac224
        | KeySpec::Hmac256
        | KeySpec::Hmac384
        | KeySpec::Hmac512 => None,
    }
}
