//! Imported key material: taken out of its wrapping, and looked at before it is believed.
//!
//! Wrappings: RSAES-OAEP (RFC 8017 section 7.1) of the material itself; for `RSA_AES_KEY_WRAP_*` the RSAES-OAEP of a 256-bit
//! AES key, as long as the modulus, then the material under that key by AES key wrap with padding (RFC 5649); SM2PKE.

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded};
use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, WrappingAlgorithm};
use keyreeve_locked_memory::LockedMemoryError;
use zeroize::Zeroizing;

use crate::asymmetric::{KeyPair, ParseKeyError};
use crate::key::KeyMaterial;
use crate::mac;

/// Material could not be taken in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ImportError {
    /// No locked memory is left.
    #[error(transparent)]
    Memory(#[from] LockedMemoryError),
    /// What was wrapped is no key of the spec.
    #[error("not key material of the key spec")]
    Rejected,
    /// The wrapping does not open: damaged, or made for another key or by another algorithm.
    #[error("the key material could not be unwrapped")]
    Wrapping,
}

/// The material for a key of `spec` in `wrapped`, which was made by `algorithm` for the public key of `pair`.
///
/// # Errors
/// See [`ImportError`].
pub fn unwrap_import(
    spec: KeySpec,
    algorithm: WrappingAlgorithm,
    pair: &KeyPair,
    wrapped: &[u8],
) -> Result<KeyMaterial, ImportError> {
    use EncryptionAlgorithm::{RsaesOaepSha1, RsaesOaepSha256, Sm2Pke};
    let decrypt =
        |algorithm, ciphertext: &[u8]| pair.decrypt(algorithm, ciphertext).or(Err(ImportError::Wrapping));
    let material = match algorithm {
        WrappingAlgorithm::RsaesOaepSha1 => decrypt(RsaesOaepSha1, wrapped)?,
        WrappingAlgorithm::RsaesOaepSha256 => decrypt(RsaesOaepSha256, wrapped)?,
        WrappingAlgorithm::Sm2Pke => decrypt(Sm2Pke, wrapped)?,
        WrappingAlgorithm::RsaAesKeyWrapSha1 => unwrap_two(pair, RsaesOaepSha1, wrapped)?,
        WrappingAlgorithm::RsaAesKeyWrapSha256 => unwrap_two(pair, RsaesOaepSha256, wrapped)?,
        WrappingAlgorithm::RsaesPkcs1V15 => return Err(ImportError::Wrapping),
    };
    check(spec, &material)?;
    KeyMaterial::init_with(material.len(), |slot| {
        slot.copy_from_slice(&material);
        Ok(())
    })
}

/// Opens the AES key, and with it what follows.
fn unwrap_two(
    pair: &KeyPair,
    oaep: EncryptionAlgorithm,
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ImportError> {
    let modulus = modulus_len(pair.spec()).ok_or(ImportError::Wrapping)?;
    let (wrapped_key, body) = wrapped.split_at_checked(modulus).ok_or(ImportError::Wrapping)?;
    let key = pair.decrypt(oaep, wrapped_key).or(Err(ImportError::Wrapping))?;
    let key = AesKek::new(&AES_256, &key).or(Err(ImportError::Wrapping))?;
    let mut material = Zeroizing::new(vec![0; body.len()]);
    let len = key.unwrap_with_padding(body, &mut material).or(Err(ImportError::Wrapping))?.len();
    material.truncate(len);
    Ok(material)
}

fn modulus_len(spec: KeySpec) -> Option<usize> {
    spec.as_str().strip_prefix("RSA_")?.parse::<usize>().ok().map(|bits| bits / 8)
}

/// Whether the bytes are what a key of the spec is made of: 32 bytes, an HMAC key of a permitted length, or a whole PKCS#8
/// document whose key is consistent.
pub(crate) fn check(spec: KeySpec, material: &[u8]) -> Result<(), ImportError> {
    let fits = |fits| if fits { Ok(()) } else { Err(ImportError::Rejected) };
    if spec == KeySpec::SymmetricDefault {
        return fits(material.len() == 32);
    }
    if let Some(lengths) = mac::key_lengths(spec) {
        return fits(lengths.contains(&material.len()));
    }
    match KeyPair::parse_pkcs8(spec, material) {
        Ok(_) => Ok(()),
        Err(ParseKeyError::Memory(error)) => Err(error.into()),
        Err(ParseKeyError::NoPair | ParseKeyError::Rejected) => Err(ImportError::Rejected),
    }
}
