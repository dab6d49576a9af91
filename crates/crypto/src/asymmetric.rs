//! Key pairs: signatures, encryption, key agreement and key encapsulation, by key spec.
//!
//! The material of a spec is what [`make_material`] returns and the store keeps, wrapped:
//!
//! ```text
//! RSA, ECC, Ed25519, SM2   PKCS#8 version 1, DER (RFC 5208)
//! ML-DSA                   the 32-byte seed of FIPS 204 section 5.1
//! ML-KEM                   the 64-byte seed d ‖ z of FIPS 203 section 6.1
//! SYMMETRIC_DEFAULT        32 random bytes
//! HMAC                     28, 32, 48 or 64 random bytes
//! ```
//!
//! A [`KeyPair`] is parsed once and kept by its owner. A combination of spec, algorithm and kind of message that does not
//! exist is an error of its own (`Unsupported`), not a failed signature.

mod agreement;
mod der;
mod ecdsa;
mod ed25519;
mod error;
mod make;
mod ml_dsa;
mod ml_kem;
mod pkcs8;
mod rsa;

use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, SigningAlgorithm};
use zeroize::Zeroizing;

use crate::ciphertext::OpenError;
use crate::key::KeyMaterial;

pub use error::{
    AgreeError, DecapsulateError, EncapsulateError, EncryptError, MakeMaterialError, ParseKeyError,
    SignError, VerifyError,
};
pub(crate) use make::symmetric_len;
pub use make::{make_material, make_pair};
pub use ml_kem::Encapsulated;
pub(crate) use pkcs8::seed_prefix;

/// What is signed.
#[derive(Clone, Copy)]
pub enum Message<'a> {
    /// The message itself.
    Raw(&'a [u8]),
    /// The digest of the message, by the hash of the algorithm.
    Digest(&'a [u8]),
    /// The message representative mu of ML-DSA, 64 bytes (FIPS 204 section 6.2).
    ExternalMu(&'a [u8]),
}

/// A parsed key pair. It cannot be printed, compared or copied.
pub struct KeyPair {
    spec: KeySpec,
    public_key: Vec<u8>,
    private: Private,
}

enum Private {
    Ec(Box<ecdsa::Pair>),
    Ed25519(Box<ed25519::Pair>),
    MlDsa(Box<ml_dsa::Pair>),
    MlKem(Box<ml_kem::Pair>),
    Rsa(Box<rsa::Pair>),
}

impl Private {
    /// The pair, and its public key as `SubjectPublicKeyInfo`.
    fn rsa((pair, public_key): (rsa::Pair, Vec<u8>)) -> (Self, Vec<u8>) {
        (Self::Rsa(Box::new(pair)), public_key)
    }

    fn ec((pair, public_key): (ecdsa::Pair, Vec<u8>)) -> (Self, Vec<u8>) {
        (Self::Ec(Box::new(pair)), public_key)
    }

    fn ed25519((pair, public_key): (ed25519::Pair, Vec<u8>)) -> (Self, Vec<u8>) {
        (Self::Ed25519(Box::new(pair)), public_key)
    }

    fn ml_dsa((pair, public_key): (ml_dsa::Pair, Vec<u8>)) -> (Self, Vec<u8>) {
        (Self::MlDsa(Box::new(pair)), public_key)
    }

    fn ml_kem((pair, public_key): (ml_kem::Pair, Vec<u8>)) -> (Self, Vec<u8>) {
        (Self::MlKem(Box::new(pair)), public_key)
    }
}

impl KeyPair {
    /// The key pair of `material` as [`make_material`] returned it.
    ///
    /// # Errors
    /// Where the spec has no key pair, or the bytes are none of this spec.
    pub fn parse(spec: KeySpec, material: &KeyMaterial) -> Result<Self, ParseKeyError> {
        // EXPOSE: the library parses the material and wipes its copy when the pair is dropped.
        let material = material.expose();
        match spec {
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => {
                Self::new(spec, ml_dsa::Pair::from_seed(spec, material).map(Private::ml_dsa))
            }
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => {
                Self::new(spec, ml_kem::Pair::from_seed(spec, material).map(Private::ml_kem))
            }
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
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => Self::parse_pkcs8(spec, material),
        }
    }

    /// The key pair of a PKCS#8 version 1 document. For ML-DSA and ML-KEM the document holds the seed (RFC 9881, RFC 9935).
    ///
    /// # Errors
    /// Where the spec has no key pair; where anything stands before or after the document; where the key is of another
    /// kind, curve or size, or is inconsistent.
    pub fn parse_pkcs8(spec: KeySpec, pkcs8: &[u8]) -> Result<Self, ParseKeyError> {
        if !pkcs8::is_private_key_info(pkcs8) {
            return Err(ParseKeyError::Rejected);
        }
        let parsed = match spec {
            KeySpec::Rsa2048 => rsa::Pair::from_pkcs8(2048, pkcs8).map(Private::rsa),
            KeySpec::Rsa3072 => rsa::Pair::from_pkcs8(3072, pkcs8).map(Private::rsa),
            KeySpec::Rsa4096 => rsa::Pair::from_pkcs8(4096, pkcs8).map(Private::rsa),
            KeySpec::EccNistP256 => ecdsa::Pair::from_pkcs8(&ecdsa::P256, pkcs8).map(Private::ec),
            KeySpec::EccNistP384 => ecdsa::Pair::from_pkcs8(&ecdsa::P384, pkcs8).map(Private::ec),
            KeySpec::EccNistP521 => ecdsa::Pair::from_pkcs8(&ecdsa::P521, pkcs8).map(Private::ec),
            KeySpec::EccSecgP256K1 => ecdsa::Pair::from_pkcs8(&ecdsa::P256K1, pkcs8).map(Private::ec),
            KeySpec::EccNistEdwards25519 => ed25519::Pair::from_pkcs8(pkcs8).map(Private::ed25519),
            KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => {
                let seed = pkcs8::seed(spec, pkcs8).ok_or(ParseKeyError::Rejected)?;
                ml_dsa::Pair::from_seed(spec, seed).map(Private::ml_dsa)
            }
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => {
                let seed = pkcs8::seed(spec, pkcs8).ok_or(ParseKeyError::Rejected)?;
                ml_kem::Pair::from_seed(spec, seed).map(Private::ml_kem)
            }
            KeySpec::Sm2
            | KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => Err(ParseKeyError::NoPair),
        };
        Self::new(spec, parsed)
    }

    fn new(spec: KeySpec, parsed: Result<(Private, Vec<u8>), ParseKeyError>) -> Result<Self, ParseKeyError> {
        parsed.map(|(private, public_key)| Self { spec, public_key, private })
    }

    /// The spec.
    #[must_use]
    pub fn spec(&self) -> KeySpec {
        self.spec
    }

    /// The public key: DER of a `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Signs. ECDSA and SM2 signatures are DER, Ed25519 and ML-DSA raw, RSA as long as the modulus.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn sign(&self, algorithm: SigningAlgorithm, message: Message<'_>) -> Result<Vec<u8>, SignError> {
        match &self.private {
            Private::Ec(pair) => pair.sign(algorithm, message),
            Private::Ed25519(pair) => pair.sign(algorithm, message),
            Private::MlDsa(pair) => pair.sign(algorithm, message),
            Private::Rsa(pair) => pair.sign(algorithm, message),
            Private::MlKem(_) => Err(SignError::Unsupported),
        }
    }

    /// Checks a signature that [`sign`](Self::sign) made of the same message.
    ///
    /// # Errors
    /// See [`VerifyError`].
    pub fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        match &self.private {
            Private::Ec(pair) => pair.verify(algorithm, message, signature),
            Private::Ed25519(pair) => pair.verify(algorithm, message, signature),
            Private::MlDsa(pair) => pair.verify(algorithm, message, signature),
            Private::Rsa(pair) => pair.verify(algorithm, message, signature),
            Private::MlKem(_) => Err(VerifyError::Unsupported),
        }
    }

    /// Encrypts to the public key. The ciphertext has no header.
    ///
    /// # Errors
    /// See [`EncryptError`].
    pub fn encrypt(&self, algorithm: EncryptionAlgorithm, plaintext: &[u8]) -> Result<Vec<u8>, EncryptError> {
        match &self.private {
            Private::Rsa(pair) => pair.encrypt(algorithm, plaintext),
            Private::Ec(_) | Private::Ed25519(_) | Private::MlDsa(_) | Private::MlKem(_) => {
                Err(EncryptError::Unsupported)
            }
        }
    }

    /// Decrypts what [`encrypt`](Self::encrypt) made.
    ///
    /// # Errors
    /// One error for every reason: see [`OpenError`].
    pub fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        match &self.private {
            Private::Rsa(pair) => pair.decrypt(algorithm, ciphertext),
            Private::Ec(_) | Private::Ed25519(_) | Private::MlDsa(_) | Private::MlKem(_) => Err(OpenError),
        }
    }

    /// The x coordinate that this private key and the peer's public key (`SubjectPublicKeyInfo`) agree on, as long as a
    /// coordinate of the curve (SP 800-56A section 5.7.1.2).
    ///
    /// # Errors
    /// See [`AgreeError`].
    pub fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, AgreeError> {
        match &self.private {
            Private::Ec(pair) => pair.agree(peer),
            Private::Rsa(_) | Private::Ed25519(_) | Private::MlDsa(_) | Private::MlKem(_) => {
                Err(AgreeError::Unsupported)
            }
        }
    }

    /// A fresh shared secret, and the ciphertext that gives it to the owner of this pair (FIPS 203 section 7.2).
    ///
    /// # Errors
    /// See [`EncapsulateError`].
    pub fn encapsulate(&self) -> Result<Encapsulated, EncapsulateError> {
        match &self.private {
            Private::MlKem(pair) => pair.encapsulate(),
            Private::Rsa(_) | Private::Ec(_) | Private::Ed25519(_) | Private::MlDsa(_) => {
                Err(EncapsulateError::Unsupported)
            }
        }
    }

    /// The shared secret of a ciphertext. A ciphertext of the right length that was not made for this pair gives a secret
    /// that nobody else knows, not an error (FIPS 203 section 6.3).
    ///
    /// # Errors
    /// See [`DecapsulateError`].
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecapsulateError> {
        match &self.private {
            Private::MlKem(pair) => pair.decapsulate(ciphertext),
            Private::Rsa(_) | Private::Ec(_) | Private::Ed25519(_) | Private::MlDsa(_) => {
                Err(DecapsulateError::Unsupported)
            }
        }
    }
}
