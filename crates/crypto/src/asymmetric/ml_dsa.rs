//! ML-DSA (FIPS 204), the hedged variant, with an empty context.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{
    KeyPair as _, ML_DSA_44, ML_DSA_44_SIGNING, ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87, ML_DSA_87_SIGNING,
    ParsedPublicKey, PqdsaKeyPair, PqdsaSigningAlgorithm, VerificationAlgorithm,
};
use keyreeve_domain::spec::{KeySpec, SigningAlgorithm};

use super::{Message, ParseKeyError, SignError, VerifyError};

pub(super) const SEED_LEN: usize = 32;

pub(super) struct Pair {
    signing: PqdsaKeyPair,
    verifying: ParsedPublicKey,
}

impl Pair {
    /// The pair, and its public key as `SubjectPublicKeyInfo`.
    pub(super) fn from_seed(spec: KeySpec, seed: &[u8]) -> Result<(Self, Vec<u8>), ParseKeyError> {
        let (algorithm, verification) = algorithms(spec).ok_or(ParseKeyError::NoPair)?;
        let signing = PqdsaKeyPair::from_seed(algorithm, seed).or(Err(ParseKeyError::Rejected))?;
        let spki = signing.public_key().as_der().or(Err(ParseKeyError::Rejected))?.as_ref().to_vec();
        let verifying =
            ParsedPublicKey::new(verification, signing.public_key()).or(Err(ParseKeyError::Rejected))?;
        Ok((Self { signing, verifying }, spki))
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
            (SigningAlgorithm::MlDsaShake256, Message::Raw(message)) => {
                self.verifying.verify_sig(message, signature).or(Err(VerifyError::Mismatch))
            }
            _ => Err(VerifyError::Unsupported),
        }
    }
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
