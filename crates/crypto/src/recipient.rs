//! CiphertextForRecipient: a plaintext that only the holder of an attested RSA key can read.
//!
//! A CMS EnvelopedData ([RFC 5652 section 6](https://www.rfc-editor.org/rfc/rfc5652#section-6)) in BER with indefinite
//! lengths, byte for byte as the service encodes it:
//!
//! ```text
//! 30 80                                    ContentInfo
//!    06 09 id-envelopedData
//!    a0 80 30 80                           [0], EnvelopedData
//!       02 01 02                           version 2
//!       31 ..                              RecipientInfos, of definite length as all below it
//!          30 ..                           KeyTransRecipientInfo
//!             02 01 02                     version 2
//!             80 20 ..                     [0] the SHA-256 digest of the recipient's SubjectPublicKeyInfo
//!             30 3c ..                     RSAES-OAEP with SHA-256, MGF1 with SHA-256
//!             04 ..                        the encrypted AES-256 key
//!       30 80                              EncryptedContentInfo
//!          06 09 id-data
//!          30 1d aes256-CBC, 04 10 IV
//!          a0 80 04 .. 00 00               [0], the ciphertext with its PKCS#7 padding
//!       00 00
//!    00 00 00 00 00 00
//! ```
//! Clients read the outer headers with parsers that know them in this form alone, so definite lengths there would break
//! them. The ciphertext stands in one OCTET STRING however long it is: whoever reads several also reads one.

use core::fmt;

use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use zeroize::Zeroizing;

use crate::digest;
use crate::random::{self, Random, RandomError};

/// The most bytes that a CiphertextForRecipient has.
pub const MAX_LEN: usize = 6144;

/// The fewest bits of a recipient's RSA modulus.
pub const MIN_MODULUS_BITS: usize = 2048;

/// The recipient's key is not the canonical DER of an RSA SubjectPublicKeyInfo, or too small.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the recipient's public key is not an RSA key of 2048 bits or more")]
pub struct RecipientKeyError;

/// A plaintext could not be enveloped.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EnvelopeError {
    /// The cipher failed inside the library.
    #[error("the cipher failed")]
    Cipher,
    /// The random number generator failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The key of the recipient cannot be used.
    #[error(transparent)]
    RecipientKey(#[from] RecipientKeyError),
    /// The envelope would be longer than [`MAX_LEN`].
    #[error("the plaintext does not fit into a CiphertextForRecipient")]
    TooLong,
}

/// The RSA key of a recipient: always fit to envelope for.
pub struct RecipientKey {
    key: OaepPublicEncryptingKey,
    identifier: [u8; digest::SHA256_LEN],
}

impl RecipientKey {
    /// Reads the DER of a SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// Where it is no canonical DER, of another algorithm than `rsaEncryption`, or too small.
    pub fn parse(spki: &[u8]) -> Result<Self, RecipientKeyError> {
        // The header of a SEQUENCE that holds a modulus of 2048 bits or more is always 4 bytes long.
        if !spki.get(4..).is_some_and(|body| body.starts_with(&RSA_ENCRYPTION)) {
            return Err(RecipientKeyError);
        }
        let key = PublicEncryptingKey::from_der(spki).or(Err(RecipientKeyError))?;
        let canonical: PublicKeyX509Der<'_> = key.as_der().or(Err(RecipientKeyError))?;
        if canonical.as_ref() != spki || key.key_size_bits() < MIN_MODULUS_BITS {
            return Err(RecipientKeyError);
        }
        let key = OaepPublicEncryptingKey::new(key).or(Err(RecipientKeyError))?;
        Ok(Self { key, identifier: digest::sha256(spki) })
    }

    /// The name of the key in an envelope: the SHA-256 digest of its SubjectPublicKeyInfo.
    #[must_use]
    pub fn identifier(&self) -> &[u8; digest::SHA256_LEN] {
        &self.identifier
    }

    /// Encrypts `plaintext` so that only the holder of the private key reads it.
    ///
    /// # Errors
    /// See [`EnvelopeError`].
    pub fn envelope(&self, plaintext: &[u8], random: &dyn Random) -> Result<Vec<u8>, EnvelopeError> {
        // Checked first, so that nothing is encrypted in vain and the buffer below is bounded.
        if plaintext.len() > MAX_LEN {
            return Err(EnvelopeError::TooLong);
        }
        let key: Zeroizing<[u8; 32]> = random::array(random).map(Zeroizing::new)?;
        let iv: [u8; 16] = random::array(random)?;
        let content = encrypt(&key, iv, plaintext)?;
        let mut encrypted_key = vec![0; self.key.ciphertext_size()];
        let encrypted_key = self
            .key
            .encrypt(&OAEP_SHA256_MGF1SHA256, key.as_slice(), &mut encrypted_key, None)
            .or(Err(EnvelopeError::Cipher))?;
        let envelope = encode(&self.identifier, encrypted_key, &iv, &content);
        if envelope.len() > MAX_LEN { Err(EnvelopeError::TooLong) } else { Ok(envelope) }
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecipientKey").field(&digest::LowerHex::new(&self.identifier)).finish()
    }
}

/// Encrypts `plaintext` for the RSA key whose SubjectPublicKeyInfo is `recipient_public_key_spki`.
///
/// # Errors
/// See [`EnvelopeError`].
pub fn envelope(
    recipient_public_key_spki: &[u8],
    plaintext: &[u8],
    random: &dyn Random,
) -> Result<Vec<u8>, EnvelopeError> {
    RecipientKey::parse(recipient_public_key_spki)?.envelope(plaintext, random)
}

/// AES-256-CBC with PKCS#7 padding.
fn encrypt(key: &[u8; 32], iv: [u8; 16], plaintext: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    // INVARIANT: there is room for the padding, so the plaintext is overwritten where it stands and never moved.
    let mut content = Zeroizing::new(Vec::with_capacity(plaintext.len() + AES_BLOCK));
    content.extend_from_slice(plaintext);
    let key = UnboundCipherKey::new(&AES_256, key).or(Err(EnvelopeError::Cipher))?;
    PaddedBlockEncryptingKey::cbc_pkcs7(key)
        .and_then(|key| key.less_safe_encrypt(&mut *content, EncryptionContext::Iv128(FixedLength::from(iv))))
        .or(Err(EnvelopeError::Cipher))?;
    Ok(content)
}

fn encode(identifier: &[u8], encrypted_key: &[u8], iv: &[u8], content: &[u8]) -> Vec<u8> {
    let recipient = tlv(
        SEQUENCE,
        &[
            &VERSION_2,
            &tlv(CONTEXT_0, &[identifier]),
            &RSAES_OAEP_SHA_256,
            &tlv(OCTET_STRING, &[encrypted_key]),
        ],
    );
    [
        &[SEQUENCE, INDEFINITE],
        ENVELOPED_DATA.as_slice(),
        &[CONTEXT_0_CONSTRUCTED, INDEFINITE, SEQUENCE, INDEFINITE],
        &VERSION_2,
        &tlv(SET, &[&recipient]),
        &[SEQUENCE, INDEFINITE],
        &DATA,
        &tlv(SEQUENCE, &[&AES_256_CBC, &tlv(OCTET_STRING, &[iv])]),
        &[CONTEXT_0_CONSTRUCTED, INDEFINITE],
        &tlv(OCTET_STRING, &[content]),
        // The ends of the five indefinite lengths, innermost first.
        &[0; 10],
    ]
    .concat()
}

/// An element of definite length.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let significant = length.iter().position(|byte| *byte != 0).unwrap_or(length.len() - 1);
    let length = length.get(significant..).unwrap_or_default();
    let mut out = vec![tag];
    if content.len() > 0x7f {
        out.push(u8::try_from(length.len()).map_or(0x80, |count| 0x80 | count));
    }
    out.extend_from_slice(length);
    out.extend_from_slice(&content);
    out
}

const AES_BLOCK: usize = 16;

const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const CONTEXT_0: u8 = 0x80;
const CONTEXT_0_CONSTRUCTED: u8 = 0xa0;
const INDEFINITE: u8 = 0x80;

const VERSION_2: [u8; 3] = [0x02, 0x01, 0x02];
/// `1.2.840.113549.1.7.3`
const ENVELOPED_DATA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
/// `1.2.840.113549.1.7.1`
const DATA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// `2.16.840.1.101.3.4.1.42`
const AES_256_CBC: [u8; 11] = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
/// The AlgorithmIdentifier `1.2.840.113549.1.1.1` with NULL.
const RSA_ENCRYPTION: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// The AlgorithmIdentifier `1.2.840.113549.1.1.7` with SHA-256 for the digest and for MGF1
/// ([RFC 4055 section 4.1](https://www.rfc-editor.org/rfc/rfc4055#section-4.1)).
#[rustfmt::skip]
const RSAES_OAEP_SHA_256: [u8; 62] = [
    0x30, 0x3c, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07, 0x30, 0x2f,
    0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08,
    0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
];

#[cfg(test)]
mod tests;
