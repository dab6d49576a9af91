//! The public half: what needs no secret.

use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, SigningAlgorithm};

use super::{
    EncapsulateError, Encapsulated, EncryptError, Message, ParseKeyError, VerifyError, der, ecdsa, ed25519,
    ml_dsa, ml_kem, rsa, sm2,
};

/// A parsed public key.
pub struct PublicKey {
    spec: KeySpec,
    spki: Vec<u8>,
    inner: Inner,
}

enum Inner {
    Ec(Box<ecdsa::Public>),
    Ed25519(Box<ed25519::Public>),
    MlDsa(Box<ml_dsa::Public>),
    MlKem(Box<ml_kem::Public>),
    Rsa(Box<rsa::Public>),
    Sm2(Box<sm2::Public>),
}

impl PublicKey {
    /// The key of a `SubjectPublicKeyInfo`, DER (RFC 5280 section 4.1).
    ///
    /// # Errors
    /// Where the spec has no key pair; where anything stands after the key; where the key is of another kind, curve or
    /// size, or not on its curve.
    pub fn parse(spec: KeySpec, spki: &[u8]) -> Result<Self, ParseKeyError> {
        if der::whole(spki).is_none() {
            return Err(ParseKeyError::Rejected);
        }
        let inner = match spec {
            KeySpec::Rsa2048 => Inner::Rsa(Box::new(rsa::Public::parse(2048, spki)?)),
            KeySpec::Rsa3072 => Inner::Rsa(Box::new(rsa::Public::parse(3072, spki)?)),
            KeySpec::Rsa4096 => Inner::Rsa(Box::new(rsa::Public::parse(4096, spki)?)),
            KeySpec::EccNistP256 | KeySpec::EccNistP384 | KeySpec::EccNistP521 | KeySpec::EccSecgP256K1 => {
                Inner::Ec(Box::new(ecdsa::Public::parse(spec, spki)?))
            }
            KeySpec::EccNistEdwards25519 => Inner::Ed25519(Box::new(ed25519::Public::parse(spki)?)),
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => {
                Inner::MlDsa(Box::new(ml_dsa::Public::parse(spec, spki)?))
            }
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => {
                Inner::MlKem(Box::new(ml_kem::Public::parse(spec, spki)?))
            }
            KeySpec::Sm2 => Inner::Sm2(Box::new(sm2::Public::parse(spki)?)),
            KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => return Err(ParseKeyError::NoPair),
        };
        Ok(Self { spec, spki: spki.to_vec(), inner })
    }

    /// The spec.
    #[must_use]
    pub fn spec(&self) -> KeySpec {
        self.spec
    }

    /// The `SubjectPublicKeyInfo`, DER.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Checks a signature.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        match &self.inner {
            Inner::Ec(key) => key.verify(algorithm, message, signature),
            Inner::Ed25519(key) => key.verify(algorithm, message, signature),
            Inner::MlDsa(key) => key.verify(algorithm, message, signature),
            Inner::Rsa(key) => key.verify(algorithm, message, signature),
            Inner::Sm2(key) => key.verify(algorithm, message, signature),
            Inner::MlKem(_) => Err(VerifyError::Unsupported),
        }
    }

    /// Encrypts. The ciphertext has no header.
    ///
    /// # Errors
    /// See [`EncryptError`].
    pub fn encrypt(&self, algorithm: EncryptionAlgorithm, plaintext: &[u8]) -> Result<Vec<u8>, EncryptError> {
        match &self.inner {
            Inner::Rsa(key) => key.encrypt(algorithm, plaintext),
            Inner::Sm2(key) => key.encrypt(algorithm, plaintext),
            Inner::Ec(_) | Inner::Ed25519(_) | Inner::MlDsa(_) | Inner::MlKem(_) => {
                Err(EncryptError::Unsupported)
            }
        }
    }

    /// A fresh shared secret, and its ciphertext.
    ///
    /// # Errors
    /// See [`EncapsulateError`].
    pub fn encapsulate(&self) -> Result<Encapsulated, EncapsulateError> {
        match &self.inner {
            Inner::MlKem(key) => key.encapsulate(),
            Inner::Rsa(_) | Inner::Ec(_) | Inner::Ed25519(_) | Inner::MlDsa(_) | Inner::Sm2(_) => {
                Err(EncapsulateError::Unsupported)
            }
        }
    }
}
