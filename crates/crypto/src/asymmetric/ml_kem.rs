//! ML-KEM (FIPS 203).
//!
//! The library makes the keys of a seed only by way of a PKCS#8 document, the FIPS module only by a call of its own; the safe
//! interface then takes the raw keys.

use aws_lc_rs::kem::{
    Algorithm, Ciphertext, DecapsulationKey, EncapsulationKey, ML_KEM_512, ML_KEM_768, ML_KEM_1024,
};
use keyreeve_aws_lc_ffi as ffi;
#[cfg(not(feature = "fips"))]
use keyreeve_aws_lc_ffi::Kind;
use keyreeve_domain::spec::KeySpec;
use keyreeve_locked_memory::LockedBytes;
use zeroize::Zeroizing;

#[cfg(not(feature = "fips"))]
use super::seed_prefix;
use super::{DecapsulateError, EncapsulateError, ParseKeyError};

pub(super) const SEED_LEN: usize = 64;

/// A shared secret and its ciphertext.
pub struct Encapsulated {
    /// For the owner of the key pair.
    pub ciphertext: Vec<u8>,
    /// 32 bytes.
    pub secret: Zeroizing<Vec<u8>>,
}

pub(super) struct Private {
    decapsulating: DecapsulationKey,
    ciphertext_len: usize,
}

impl Private {
    /// The private key, and its public key as `SubjectPublicKeyInfo`.
    pub(super) fn from_seed(spec: KeySpec, seed: &[u8]) -> Result<(Self, Vec<u8>), ParseKeyError> {
        let set = ParameterSet::of(spec)?;
        let key = from_seed(spec, seed)?;
        let raw = LockedBytes::init_with(set.private_len, |bytes| {
            key.write_raw_private(bytes).then_some(()).ok_or(ParseKeyError::Rejected)
        })?;
        // EXPOSE: the key of the safe interface copies the raw key and wipes its copy on drop.
        let decapsulating =
            DecapsulationKey::new(set.algorithm, raw.expose()).or(Err(ParseKeyError::Rejected))?;
        let mut spki = set.spki_prefix.to_vec();
        spki.resize(set.spki_prefix.len() + set.public_len, 0);
        let public = spki.get_mut(set.spki_prefix.len()..).ok_or(ParseKeyError::Rejected)?;
        key.write_raw_public(public).then_some(()).ok_or(ParseKeyError::Rejected)?;
        Ok((Self { decapsulating, ciphertext_len: set.ciphertext_len }, spki))
    }

    pub(super) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecapsulateError> {
        if ciphertext.len() != self.ciphertext_len {
            return Err(DecapsulateError::CiphertextLength);
        }
        let secret = self
            .decapsulating
            .decapsulate(Ciphertext::from(ciphertext))
            .or(Err(DecapsulateError::Library))?;
        Ok(Zeroizing::new(secret.as_ref().to_vec()))
    }
}

/// The library's key of a seed.
#[cfg(not(feature = "fips"))]
fn from_seed(spec: KeySpec, seed: &[u8]) -> Result<ffi::PrivateKey, ParseKeyError> {
    let prefix = seed_prefix(spec).ok_or(ParseKeyError::Rejected)?;
    if seed.len() != SEED_LEN {
        return Err(ParseKeyError::Rejected);
    }
    let document = LockedBytes::init_with(prefix.len() + SEED_LEN, |bytes| {
        let parts = prefix.iter().chain(seed);
        bytes.iter_mut().zip(parts).for_each(|(slot, byte)| *slot = *byte);
        Ok::<_, ParseKeyError>(())
    })?;
    // EXPOSE: the library derives both keys from the seed in the document.
    ffi::PrivateKey::parse(Kind::MlKem, document.expose()).ok_or(ParseKeyError::Rejected)
}

/// The module's key of a seed.
#[cfg(feature = "fips")]
fn from_seed(spec: KeySpec, seed: &[u8]) -> Result<ffi::PrivateKey, ParseKeyError> {
    let set = if spec == KeySpec::MlKem512 {
        ffi::MlKemSet::MlKem512
    } else if spec == KeySpec::MlKem768 {
        ffi::MlKemSet::MlKem768
    } else {
        ffi::MlKemSet::MlKem1024
    };
    let seed = seed.try_into().or(Err(ParseKeyError::Rejected))?;
    ffi::PrivateKey::from_ml_kem_seed(set, seed).ok_or(ParseKeyError::Rejected)
}

pub(super) struct Public {
    encapsulating: EncapsulationKey,
}

impl Public {
    pub(super) fn parse(spec: KeySpec, spki: &[u8]) -> Result<Self, ParseKeyError> {
        let set = ParameterSet::of(spec)?;
        let raw = spki.strip_prefix(set.spki_prefix).ok_or(ParseKeyError::Rejected)?;
        let encapsulating = EncapsulationKey::new(set.algorithm, raw).or(Err(ParseKeyError::Rejected))?;
        Ok(Self { encapsulating })
    }

    pub(super) fn encapsulate(&self) -> Result<Encapsulated, EncapsulateError> {
        let (ciphertext, secret) = self.encapsulating.encapsulate().or(Err(EncapsulateError::Library))?;
        Ok(Encapsulated {
            ciphertext: ciphertext.as_ref().to_vec(),
            secret: Zeroizing::new(secret.as_ref().to_vec()),
        })
    }
}

/// A parameter set of FIPS 203 section 8, lengths in bytes.
struct ParameterSet {
    algorithm: &'static Algorithm,
    private_len: usize,
    public_len: usize,
    ciphertext_len: usize,
    /// `SEQUENCE { SEQUENCE { OID }, BIT STRING }` without the key that ends it (RFC 9935 section 4).
    spki_prefix: &'static [u8],
}

impl ParameterSet {
    fn of(spec: KeySpec) -> Result<Self, ParseKeyError> {
        match spec {
            KeySpec::MlKem512 => Ok(Self {
                algorithm: &ML_KEM_512,
                private_len: 1632,
                public_len: 800,
                ciphertext_len: 768,
                spki_prefix:
                    b"\x30\x82\x03\x32\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x01\x03\x82\x03\x21\x00",
            }),
            KeySpec::MlKem768 => Ok(Self {
                algorithm: &ML_KEM_768,
                private_len: 2400,
                public_len: 1184,
                ciphertext_len: 1088,
                spki_prefix:
                    b"\x30\x82\x04\xb2\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x02\x03\x82\x04\xa1\x00",
            }),
            KeySpec::MlKem1024 => Ok(Self {
                algorithm: &ML_KEM_1024,
                private_len: 3168,
                public_len: 1568,
                ciphertext_len: 1568,
                spki_prefix:
                    b"\x30\x82\x06\x32\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x03\x03\x82\x06\x21\x00",
            }),
            KeySpec::Rsa2048
            | KeySpec::Rsa3072
            | KeySpec::Rsa4096
            | KeySpec::EccNistP256
            | KeySpec::EccNistP384
            | KeySpec::EccNistP521
            | KeySpec::EccSecgP256K1
            | KeySpec::EccNistEdwards25519
            | KeySpec::Sm2
            | KeySpec::MlDsa44
            | KeySpec::MlDsa65
            | KeySpec::MlDsa87
            | KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512 => Err(ParseKeyError::Rejected),
        }
    }
}
