//! The CiphertextBlob, format version 1.
//!
//! ```text
//! 0    2  magic C5 01 (the second byte is the format version)
//! 2    1  suite: 01 = software material
//! 3    1  flags: bit 0 = the key id is one of a multi-Region key; all others zero
//! 4   16  key id
//! 20  32  key material id
//! 52  16  N, the nonce of the key derivation
//! 68  12  GCM nonce
//! 80  32  C, the commitment
//! 112  n  ciphertext, as long as the plaintext
//! …   16  GCM tag
//! ```
//! `K ‖ C` are 64 bytes of the SP 800-108 KDF over `"KMS/v1/enc" ‖ 00 ‖ header ‖ SHA-256(A) ‖ u32 512`, where `header` is
//! the first 68 bytes and `A` the canonical encryption context; the GCM additional data are `header ‖ A`. `C` binds the
//! material, the header and the context, so that no blob opens under two keys.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use keyreeve_domain::{KeyId, KeyMaterialId};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::context::encode_canonical;
use crate::derive::{DeriveError, derive, fixed_input};
use crate::digest;
use crate::key::KeyMaterial;
use crate::random::{self, Random, RandomError};

/// The bytes that a blob is longer than its plaintext.
pub const OVERHEAD: usize = BODY + TAG_LEN;
/// The longest plaintext in bytes (`PlaintextType` of the service model).
pub const MAX_PLAINTEXT_LEN: usize = 4096;

const MAGIC: [u8; 2] = [0xc5, 0x01];
const SUITE_SOFTWARE: u8 = 0x01;
const FLAG_MULTI_REGION: u8 = 0x01;
const HEADER: usize = 68;
const BODY: usize = 112;
const TAG_LEN: usize = 16;
const LABEL: &[u8] = b"KMS/v1/enc\0";

/// A blob could not be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SealError {
    /// The key derivation or the cipher failed inside the library.
    #[error("the cipher failed")]
    Cipher,
    /// The random number generator failed.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// Wrong key, wrong context, truncated or forged: the caller must not learn which.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the ciphertext could not be authenticated")]
pub struct OpenError;

/// What a blob says of itself in the clear; authenticated only once it is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// The KMS key that made the blob.
    pub key: KeyId,
    /// The version of its key material.
    pub material: KeyMaterialId,
}

impl Header {
    /// Reads the header of a blob.
    ///
    /// # Errors
    /// Where the bytes are no blob of a known format.
    pub fn read(blob: &[u8]) -> Result<Self, OpenError> {
        if blob.len() < OVERHEAD {
            return Err(OpenError);
        }
        let Some((&[c5, version, suite, flags], rest)) = blob.split_first_chunk() else {
            return Err(OpenError);
        };
        let Some((key, rest)) = rest.split_first_chunk() else { return Err(OpenError) };
        let Some((material, _)) = rest.split_first_chunk() else { return Err(OpenError) };
        if [c5, version] != MAGIC || suite != SUITE_SOFTWARE || flags & !FLAG_MULTI_REGION != 0 {
            return Err(OpenError);
        }
        Ok(Self {
            key: KeyId::from_bits(flags & FLAG_MULTI_REGION != 0, *key),
            material: KeyMaterialId::from_bytes(*material),
        })
    }
}

/// Encrypts `plaintext` under `material` of the key that `header` names, and appends the blob to `out`.
///
/// # Errors
/// Where the random number generator or the library fails; `out` is then not to be used.
pub fn seal(
    material: &KeyMaterial,
    header: &Header,
    context: &BTreeMap<String, String>,
    plaintext: &[u8],
    random: &dyn Random,
    out: &mut Vec<u8>,
) -> Result<(), SealError> {
    let nonces: [u8; 28] = random::array(random)?;
    let (n, iv) = nonces.split_at(16);
    let mut aad = Vec::with_capacity(HEADER + 128);
    aad.extend_from_slice(&MAGIC);
    aad.push(SUITE_SOFTWARE);
    aad.push(if header.key.is_multi_region() { FLAG_MULTI_REGION } else { 0 });
    aad.extend_from_slice(header.key.bits());
    aad.extend_from_slice(header.material.as_bytes());
    aad.extend_from_slice(n);
    out.reserve_exact(plaintext.len() + OVERHEAD);
    out.extend_from_slice(&aad);
    encode_canonical(context, &mut aad);
    let derived = Derived::new(material, &aad).or(Err(SealError::Cipher))?;
    out.extend_from_slice(iv);
    out.extend_from_slice(derived.commitment());
    let body = out.len();
    out.extend_from_slice(plaintext);
    let nonce = Nonce::try_assume_unique_for_key(iv).or(Err(SealError::Cipher))?;
    let key = derived.cipher().or(Err(SealError::Cipher))?;
    let in_place = out.get_mut(body..).ok_or(SealError::Cipher)?;
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&aad), in_place).or(Err(SealError::Cipher))?;
    out.extend_from_slice(tag.as_ref());
    Ok(())
}

/// Decrypts a blob with the material that its header names.
///
/// # Errors
/// One error for every reason: see [`OpenError`].
pub fn open(
    material: &KeyMaterial,
    blob: &[u8],
    context: &BTreeMap<String, String>,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    Header::read(blob)?;
    let (header, rest) = blob.split_at_checked(HEADER).ok_or(OpenError)?;
    let (iv, rest) = rest.split_at_checked(12).ok_or(OpenError)?;
    let (commitment, body) = rest.split_at_checked(32).ok_or(OpenError)?;
    let mut aad = Vec::with_capacity(HEADER + 128);
    aad.extend_from_slice(header);
    encode_canonical(context, &mut aad);
    let derived = Derived::new(material, &aad).or(Err(OpenError))?;
    if !bool::from(derived.commitment().ct_eq(commitment)) {
        return Err(OpenError);
    }
    let nonce = Nonce::try_assume_unique_for_key(iv).or(Err(OpenError))?;
    let mut plaintext = Zeroizing::new(body.to_vec());
    let len =
        derived.cipher()?.open_in_place(nonce, Aad::from(&aad), &mut plaintext).or(Err(OpenError))?.len();
    plaintext.truncate(len);
    Ok(plaintext)
}

/// `K ‖ C` of one message.
struct Derived(Zeroizing<[u8; 64]>);

impl Derived {
    /// `aad` is the header followed by the canonical context.
    fn new(material: &KeyMaterial, aad: &[u8]) -> Result<Self, DeriveError> {
        let (header, context) = aad.split_at_checked(HEADER).ok_or(DeriveError)?;
        let mut input = [0; LABEL.len() + HEADER + 32 + 4];
        fixed_input(&mut input, [LABEL, header, &digest::sha256(context), &512u32.to_be_bytes()])?;
        let mut output = Zeroizing::new([0; 64]);
        // EXPOSE: the derivation reads the material; the library wipes its own copy.
        derive(material.expose(), &input, output.as_mut_slice())?;
        Ok(Self(output))
    }

    fn commitment(&self) -> &[u8] {
        self.0.last_chunk::<32>().map(<[u8; 32]>::as_slice).unwrap_or_default()
    }

    fn cipher(&self) -> Result<LessSafeKey, OpenError> {
        let key = self.0.first_chunk::<32>().ok_or(OpenError)?;
        // EXPOSE: the cipher takes the bytes and wipes its schedule on drop.
        UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).or(Err(OpenError))
    }
}
