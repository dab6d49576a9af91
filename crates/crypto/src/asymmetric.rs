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
mod public_key;
mod rsa;
mod sm2;

use keyreeve_aws_lc_ffi::memory;
use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, KeyUsage, SigningAlgorithm};
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
pub(crate) use pkcs8::{seed as seed_of, seed_prefix};
pub use public_key::PublicKey;
pub use rsa::is_signed as is_rsa_signed;

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
    private: Private,
    public: PublicKey,
}

enum Private {
    Ec(Box<ecdsa::Private>),
    Ed25519(Box<ed25519::Private>),
    MlDsa(Box<ml_dsa::Private>),
    MlKem(Box<ml_kem::Private>),
    Rsa(Box<rsa::Private>),
    Sm2(Box<sm2::Private>),
}

/// The algorithm by which the library knows the curve of an ECC spec.
pub(crate) fn curve_signing(spec: KeySpec) -> Option<&'static aws_lc_rs::signature::EcdsaSigningAlgorithm> {
    ecdsa::Curve::of(spec).ok().map(|curve| curve.signing)
}

impl KeyPair {
    /// The key pair of `material` as [`make_material`] returned it, for all that its spec can do.
    ///
    /// # Errors
    /// Where the spec has no key pair, or the bytes are none of this spec; where no locked memory is left.
    pub fn parse(spec: KeySpec, material: &KeyMaterial) -> Result<Self, ParseKeyError> {
        Self::parse_for(spec, None, material)
    }

    /// As [`parse`](Self::parse); an RSA key for one `usage` alone takes half the memory.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_for(
        spec: KeySpec,
        usage: Option<KeyUsage>,
        material: &KeyMaterial,
    ) -> Result<Self, ParseKeyError> {
        // EXPOSE: the library parses the material and wipes its copy when the pair is dropped.
        let material = material.expose();
        match seed_prefix(spec) {
            Some(_) => Self::from_seed(spec, material),
            None => Self::read_pkcs8(spec, usage, material),
        }
    }

    /// The key pair of a PKCS#8 version 1 document. For ML-DSA and ML-KEM the document holds the seed (RFC 9881, RFC 9935).
    ///
    /// # Errors
    /// Where the spec has no key pair; where anything stands before or after the document; where the key is of another
    /// kind, curve or size, or is inconsistent.
    pub fn parse_pkcs8(spec: KeySpec, pkcs8: &[u8]) -> Result<Self, ParseKeyError> {
        Self::read_pkcs8(spec, None, pkcs8)
    }

    fn read_pkcs8(spec: KeySpec, usage: Option<KeyUsage>, pkcs8: &[u8]) -> Result<Self, ParseKeyError> {
        let info = pkcs8::info(pkcs8).ok_or(ParseKeyError::Rejected)?;
        let (private, spki) = match spec {
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => {
                let (private, spki) = rsa::Private::from_pkcs8(usage, pkcs8)?;
                (Private::Rsa(Box::new(private)), spki)
            }
            KeySpec::EccNistP256 | KeySpec::EccNistP384 | KeySpec::EccNistP521 | KeySpec::EccSecgP256K1 => {
                let (private, spki) = memory::locked(|| ecdsa::Private::from_pkcs8(spec, pkcs8, &info))?;
                (Private::Ec(Box::new(private)), spki)
            }
            KeySpec::EccNistEdwards25519 => {
                let (private, spki) =
                    memory::locked(|| ed25519::Private::from_pkcs8(pkcs8, info.private_key))?;
                (Private::Ed25519(Box::new(private)), spki)
            }
            KeySpec::MlDsa44
            | KeySpec::MlDsa65
            | KeySpec::MlDsa87
            | KeySpec::MlKem512
            | KeySpec::MlKem768
            | KeySpec::MlKem1024 => {
                let seed = pkcs8::seed(spec, pkcs8).ok_or(ParseKeyError::Rejected)?;
                return Self::from_seed(spec, seed);
            }
            KeySpec::Sm2 => {
                let (private, spki) = sm2::Private::from_pkcs8(pkcs8)?;
                (Private::Sm2(Box::new(private)), spki)
            }
            KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => return Err(ParseKeyError::NoPair),
        };
        Ok(Self { private, public: PublicKey::parse(spec, &spki)? })
    }

    fn from_seed(spec: KeySpec, seed: &[u8]) -> Result<Self, ParseKeyError> {
        let (private, spki) = if spec.signing_algorithms().is_empty() {
            let (private, spki) = memory::locked(|| ml_kem::Private::from_seed(spec, seed))?;
            (Private::MlKem(Box::new(private)), spki)
        } else {
            let (private, spki) = memory::locked(|| ml_dsa::Private::from_seed(spec, seed))?;
            (Private::MlDsa(Box::new(private)), spki)
        };
        Ok(Self { private, public: PublicKey::parse(spec, &spki)? })
    }

    /// The spec.
    #[must_use]
    pub fn spec(&self) -> KeySpec {
        self.public.spec()
    }

    /// The public key: DER of a `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.public.spki()
    }

    /// Signs. ECDSA and SM2 signatures are DER, Ed25519 and ML-DSA raw, RSA as long as the modulus.
    ///
    /// # Errors
    /// See [`SignError`].
    pub fn sign(&self, algorithm: SigningAlgorithm, message: Message<'_>) -> Result<Vec<u8>, SignError> {
        match &self.private {
            Private::Ec(private) => private.sign(algorithm, message),
            Private::Ed25519(private) => private.sign(algorithm, message),
            Private::MlDsa(private) => private.sign(algorithm, message),
            Private::Rsa(private) => private.sign(algorithm, message),
            Private::Sm2(private) => private.sign(algorithm, message),
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
        self.public.verify(algorithm, message, signature)
    }

    /// Encrypts to the public key. The ciphertext has no header.
    ///
    /// # Errors
    /// See [`EncryptError`].
    pub fn encrypt(&self, algorithm: EncryptionAlgorithm, plaintext: &[u8]) -> Result<Vec<u8>, EncryptError> {
        self.public.encrypt(algorithm, plaintext)
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
            Private::Rsa(private) => private.decrypt(algorithm, ciphertext),
            Private::Sm2(private) => private.decrypt(algorithm, ciphertext),
            Private::Ec(_) | Private::Ed25519(_) | Private::MlDsa(_) | Private::MlKem(_) => Err(OpenError),
        }
    }

    /// Does what the library puts off until a key is first used, by decrypting what was encrypted for it. The first use of an
    /// RSA key takes twice as long as the others. A key that cannot decrypt is complete as it is.
    ///
    /// # Errors
    /// Where the key does not decrypt what its public half encrypted.
    pub fn complete(&self) -> Result<(), OpenError> {
        let Private::Rsa(private) = &self.private else { return Ok(()) };
        if !private.decrypts() {
            return Ok(());
        }
        let algorithm = EncryptionAlgorithm::RsaesOaepSha256;
        let ciphertext = self.encrypt(algorithm, &[]).or(Err(OpenError))?;
        self.decrypt(algorithm, &ciphertext).map(|_| ())
    }

    /// The x coordinate that this private key and the peer's public key (`SubjectPublicKeyInfo`) agree on, as long as a
    /// coordinate of the curve (SP 800-56A section 5.7.1.2).
    ///
    /// # Errors
    /// See [`AgreeError`].
    pub fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, AgreeError> {
        match &self.private {
            Private::Ec(private) => private.agree(peer),
            Private::Sm2(private) => private.agree(peer),
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
        self.public.encapsulate()
    }

    /// The shared secret of a ciphertext. A ciphertext of the right length that was not made for this pair gives a secret
    /// that nobody else knows, not an error (FIPS 203 section 6.3).
    ///
    /// # Errors
    /// See [`DecapsulateError`].
    pub fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecapsulateError> {
        match &self.private {
            Private::MlKem(private) => private.decapsulate(ciphertext),
            Private::Rsa(_) | Private::Ec(_) | Private::Ed25519(_) | Private::MlDsa(_) | Private::Sm2(_) => {
                Err(DecapsulateError::Unsupported)
            }
        }
    }
}
