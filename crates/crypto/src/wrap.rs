//! Wrapping: authenticated encryption of what the store or a client may keep, bound to what it stands for.
//!
//! ```text
//! 0    3  "KW" 01 (the third byte is the format version)
//! 3    1  suite: 01
//! 4    1  kind of content
//! 5   16  id of the wrapping key
//! 21  16  N, the nonce of the key derivation
//! 37  12  GCM nonce
//! 49  32  C, the commitment
//! 81   n  ciphertext
//! …   16  GCM tag
//! ```
//! `K ‖ C` are 64 bytes of the SP 800-108 KDF over `"KMS/v1/wrap" ‖ 00 ‖ header ‖ SHA-256(binding) ‖ u32 512`, where
//! `header` is the first 37 bytes; the GCM additional data are `header ‖ binding`.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::derive::{DeriveError, derive, fixed_input};
use crate::digest;
use crate::random::{self, Random, RandomError};

/// The bytes that a wrapping is longer than its content.
pub const OVERHEAD: usize = BODY + TAG_LEN;

const MAGIC: [u8; 4] = [b'K', b'W', 0x01, 0x01];
const HEADER: usize = 37;
const BODY: usize = 81;
const TAG_LEN: usize = 16;
const LABEL: &[u8] = b"KMS/v1/wrap\0";

/// The id of a wrapping key: random, in the clear in every wrapping.
pub type WrappingKeyId = [u8; 16];

/// What a wrapping holds. A wrapping of one kind never opens as another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A keyring, under the root key.
    Keyring,
    /// A version of the key material of a KMS key, under a domain key (the EKT).
    KeyMaterial,
    /// A record of the store, under a domain key.
    Record,
    /// A pagination marker, under a domain key.
    Marker,
    /// The root key, under a key that a seal derives.
    RootKey,
    /// The token of temporary credentials, under a domain key.
    Session,
    /// A token that names a grant, under a domain key.
    GrantToken,
    /// The token of an import, with the private key that unwraps the material, under a domain key.
    ImportToken,
    /// The digest of a backup, under a domain key: nobody else can have written it.
    Backup,
    /// A log file of the trail, under a data key of a KMS key.
    TrailFile,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Keyring => 1,
            Self::KeyMaterial => 2,
            Self::Record => 3,
            Self::Marker => 4,
            Self::RootKey => 5,
            Self::Session => 6,
            Self::GrantToken => 7,
            Self::ImportToken => 8,
            Self::Backup => 9,
            Self::TrailFile => 10,
        }
    }
}

/// What a wrapping is bound to: fields with a tag and a length each, so that no two lists of fields have the same bytes.
#[derive(Clone, Debug, Default)]
pub struct Binding(Vec<u8>);

impl Binding {
    /// Adds a field.
    #[must_use]
    pub fn field(mut self, tag: u8, value: &[u8]) -> Self {
        self.0.push(tag);
        self.0.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(value);
        self
    }
}

/// A wrapping could not be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WrapError {
    /// The key derivation or the cipher failed inside the library.
    #[error("the cipher failed")]
    Cipher,
    /// The random number generator failed.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// The wrapping is damaged, of another kind, bound to something else, or made by another key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the wrapped value could not be authenticated")]
pub struct UnwrapError;

/// The id of the key that made `wrapped`.
///
/// # Errors
/// Where the bytes are no wrapping of `kind` in a known format.
pub fn wrapping_key_id(kind: Kind, wrapped: &[u8]) -> Result<WrappingKeyId, UnwrapError> {
    let (magic, rest) = wrapped.split_first_chunk::<4>().ok_or(UnwrapError)?;
    let (found, rest) = rest.split_first().ok_or(UnwrapError)?;
    if wrapped.len() < OVERHEAD || *magic != MAGIC || *found != kind.byte() {
        return Err(UnwrapError);
    }
    rest.first_chunk().copied().ok_or(UnwrapError)
}

/// Wraps `content` under `key`.
///
/// # Errors
/// Where the random number generator or the library fails.
pub fn wrap(
    key: &[u8],
    key_id: &WrappingKeyId,
    kind: Kind,
    binding: &Binding,
    content: &[u8],
    random: &dyn Random,
) -> Result<Vec<u8>, WrapError> {
    let nonces: [u8; 28] = random::array(random)?;
    let (n, iv) = nonces.split_at(16);
    let mut out = Vec::with_capacity(content.len() + OVERHEAD);
    out.extend_from_slice(&MAGIC);
    out.push(kind.byte());
    out.extend_from_slice(key_id);
    out.extend_from_slice(n);
    let aad = [out.as_slice(), &binding.0].concat();
    let derived = derive_message_key(key, &out, binding).or(Err(WrapError::Cipher))?;
    out.extend_from_slice(iv);
    out.extend_from_slice(derived.last_chunk::<32>().ok_or(WrapError::Cipher)?);
    out.extend_from_slice(content);
    let nonce = Nonce::try_assume_unique_for_key(iv).or(Err(WrapError::Cipher))?;
    let cipher = cipher(&derived).or(Err(WrapError::Cipher))?;
    let in_place = out.get_mut(BODY..).ok_or(WrapError::Cipher)?;
    let tag =
        cipher.seal_in_place_separate_tag(nonce, Aad::from(aad), in_place).or(Err(WrapError::Cipher))?;
    out.extend_from_slice(tag.as_ref());
    Ok(out)
}

/// Unwraps `wrapped` into a buffer that `with` reads; the buffer is wiped afterwards.
///
/// # Errors
/// One error for every reason: see [`UnwrapError`].
pub fn unwrap(
    key: &[u8],
    kind: Kind,
    binding: &Binding,
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
    wrapping_key_id(kind, wrapped)?;
    let (header, rest) = wrapped.split_at_checked(HEADER).ok_or(UnwrapError)?;
    let (iv, rest) = rest.split_at_checked(12).ok_or(UnwrapError)?;
    let (commitment, body) = rest.split_at_checked(32).ok_or(UnwrapError)?;
    let derived = derive_message_key(key, header, binding).or(Err(UnwrapError))?;
    if !bool::from(derived.last_chunk::<32>().ok_or(UnwrapError)?.as_slice().ct_eq(commitment)) {
        return Err(UnwrapError);
    }
    let nonce = Nonce::try_assume_unique_for_key(iv).or(Err(UnwrapError))?;
    let aad = [header, &binding.0].concat();
    let mut content = Zeroizing::new(body.to_vec());
    let len =
        cipher(&derived)?.open_in_place(nonce, Aad::from(aad), &mut content).or(Err(UnwrapError))?.len();
    content.truncate(len);
    Ok(content)
}

fn derive_message_key(
    key: &[u8],
    header: &[u8],
    binding: &Binding,
) -> Result<Zeroizing<[u8; 64]>, DeriveError> {
    let mut input = [0; LABEL.len() + HEADER + 32 + 4];
    fixed_input(&mut input, [LABEL, header, &digest::sha256(&binding.0), &512u32.to_be_bytes()])?;
    let mut output = Zeroizing::new([0; 64]);
    derive(key, &input, output.as_mut_slice())?;
    Ok(output)
}

fn cipher(derived: &[u8; 64]) -> Result<LessSafeKey, UnwrapError> {
    let key = derived.first_chunk::<32>().ok_or(UnwrapError)?;
    // EXPOSE: the cipher takes the bytes and wipes its schedule on drop.
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).or(Err(UnwrapError))
}
