//! RSA: PKCS #1 version 2.2 (RFC 8017), OAEP without a label, PSS with a salt as long as the hash.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::OnceLock;

use aws_lc_rs::digest::{self, Digest};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPrivateDecryptingKey,
    OaepPublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::{
    self, KeyPair as _, ParsedPublicKey, RsaEncoding, RsaKeyPair, VerificationAlgorithm,
};
use keyreeve_aws_lc_ffi::memory;
use keyreeve_domain::spec::{EncryptionAlgorithm, KeyUsage, SigningAlgorithm};
use zeroize::Zeroizing;

use super::{EncryptError, Message, ParseKeyError, SignError, VerifyError, der};
use crate::ciphertext::OpenError;

/// The smallest public exponent (FIPS 186-5 section 5.1).
const MIN_EXPONENT: u64 = 65537;

/// A key is used to sign or to decrypt, and the library has a type for each. The document is not kept: what is parsed of it
/// is what the key will be used for.
pub(super) struct Private {
    modulus_len: usize,
    signing: Option<Form<RsaKeyPair>>,
    decrypting: Option<Form<OaepPrivateDecryptingKey>>,
}

impl Private {
    /// The private key for `usage`, or for whatever RSA can do, and its public key as `SubjectPublicKeyInfo`;
    /// [`Public::parse`] checks the size.
    pub(super) fn from_pkcs8(
        usage: Option<KeyUsage>,
        pkcs8: &[u8],
    ) -> Result<(Self, Vec<u8>), ParseKeyError> {
        let key = memory::locked(|| RsaKeyPair::from_pkcs8(pkcs8)).or(Err(ParseKeyError::Rejected))?;
        let public = key.public_key();
        if !exponent(public.as_ref()).is_some_and(|e| e >= MIN_EXPONENT && e % 2 == 1) {
            return Err(ParseKeyError::Rejected);
        }
        let spki = public.as_der().or(Err(ParseKeyError::Rejected))?.as_ref().to_vec();
        let modulus_len = key.public_modulus_len();
        let is_for = |wanted| usage.is_none_or(|usage| usage == wanted);
        let signing = is_for(KeyUsage::SignVerify).then(|| Form::new(key));
        let decrypting = match is_for(KeyUsage::EncryptDecrypt) {
            true => Some(Form::new(memory::locked(|| decrypting(pkcs8))?)),
            false => None,
        };
        Ok((Self { modulus_len, signing, decrypting }, spki))
    }

    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
    ) -> Result<Vec<u8>, SignError> {
        let scheme = Scheme::of(algorithm).ok_or(SignError::Unsupported)?;
        self.signing.as_ref().ok_or(SignError::Unsupported)?.with(|key| {
            let mut signature = vec![0; self.modulus_len];
            match message {
                Message::Raw(message) => {
                    key.sign(scheme.encoding, &SystemRandom::new(), message, &mut signature)
                }
                Message::Digest(digest) => {
                    let digest =
                        Digest::import_less_safe(digest, scheme.hash).or(Err(SignError::MessageLength))?;
                    key.sign_digest(scheme.encoding, &digest, &mut signature)
                }
                Message::ExternalMu(_) => return Err(SignError::Unsupported),
            }
            .or(Err(SignError::Library))?;
            Ok(signature)
        })
    }

    /// Whether the key was parsed for decryption.
    pub(super) fn decrypts(&self) -> bool {
        self.decrypting.is_some()
    }

    pub(super) fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let oaep = oaep(algorithm).ok_or(OpenError)?;
        self.decrypting.as_ref().ok_or(OpenError)?.with(|key| {
            let mut plaintext = Zeroizing::new(vec![0; key.min_output_size()]);
            let len = key.decrypt(oaep, ciphertext, &mut plaintext, None).or(Err(OpenError))?.len();
            plaintext.truncate(len);
            Ok(plaintext)
        })
    }
}

fn decrypting(pkcs8: &[u8]) -> Result<OaepPrivateDecryptingKey, ParseKeyError> {
    let key = PrivateDecryptingKey::from_pkcs8(pkcs8).or(Err(ParseKeyError::Rejected))?;
    OaepPrivateDecryptingKey::new(key).or(Err(ParseKeyError::Rejected))
}

/// A parsed key, parsed inside [`memory::locked`].
///
/// The library completes a key while it uses it first. The key lies in locked memory as a whole only if that happened
/// inside [`memory::locked`] too: every use is, until one went through.
struct Form<K> {
    key: K,
    is_complete: AtomicBool,
}

impl<K> Form<K> {
    fn new(key: K) -> Self {
        Self { key, is_complete: AtomicBool::new(false) }
    }

    fn with<T, E>(&self, work: impl FnOnce(&K) -> Result<T, E>) -> Result<T, E> {
        if self.is_complete.load(Ordering::Acquire) {
            return work(&self.key);
        }
        memory::locked(|| {
            let done = work(&self.key)?;
            self.is_complete.store(true, Ordering::Release);
            Ok(done)
        })
    }
}

pub(super) struct Public {
    spki: Vec<u8>,
    encrypting: OaepPublicEncryptingKey,
    /// The key as each signing algorithm wants it, by [`Scheme::slot`].
    verifying: [OnceLock<ParsedPublicKey>; 6],
}

impl Public {
    pub(super) fn parse(bits: usize, spki: &[u8]) -> Result<Self, ParseKeyError> {
        let key = PublicEncryptingKey::from_der(spki).or(Err(ParseKeyError::Rejected))?;
        if key.key_size_bits() != bits {
            return Err(ParseKeyError::Rejected);
        }
        let encrypting = OaepPublicEncryptingKey::new(key).or(Err(ParseKeyError::Rejected))?;
        Ok(Self { spki: spki.to_vec(), encrypting, verifying: Default::default() })
    }

    pub(super) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        let scheme = Scheme::of(algorithm).ok_or(VerifyError::Unsupported)?;
        let key = self.verifying_key(&scheme)?;
        match message {
            Message::Raw(message) => key.verify_sig(message, signature),
            Message::Digest(digest) => {
                let digest =
                    Digest::import_less_safe(digest, scheme.hash).or(Err(VerifyError::MessageLength))?;
                key.verify_digest_sig(&digest, signature)
            }
            Message::ExternalMu(_) => return Err(VerifyError::Unsupported),
        }
        .or(Err(VerifyError::Mismatch))
    }

    fn verifying_key(&self, scheme: &Scheme) -> Result<&ParsedPublicKey, VerifyError> {
        let slot = self.verifying.get(scheme.slot).ok_or(VerifyError::Unsupported)?;
        if let Some(key) = slot.get() {
            return Ok(key);
        }
        let key = ParsedPublicKey::new(scheme.verification, &self.spki).or(Err(VerifyError::Mismatch))?;
        Ok(slot.get_or_init(|| key))
    }

    pub(super) fn encrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, EncryptError> {
        let oaep = oaep(algorithm).ok_or(EncryptError::Unsupported)?;
        let max = self.encrypting.max_plaintext_size(oaep);
        if plaintext.len() > max {
            return Err(EncryptError::TooLong { max });
        }
        let mut ciphertext = vec![0; self.encrypting.ciphertext_size()];
        let len = self
            .encrypting
            .encrypt(oaep, plaintext, &mut ciphertext, None)
            .or(Err(EncryptError::Library))?
            .len();
        ciphertext.truncate(len);
        Ok(ciphertext)
    }
}

/// Whether `signature` over `message` is that of RSASSA-PKCS1-v1_5 with SHA-256 by the RSAPublicKey `public_key`, DER.
#[must_use]
pub fn is_signed(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    ParsedPublicKey::new(&aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256, public_key)
        .is_ok_and(|key| key.verify_sig(message, signature).is_ok())
}

/// The public exponent of an `RSAPublicKey` (RFC 8017 section A.1.1).
fn exponent(public_key: &[u8]) -> Option<u64> {
    let mut fields = der::whole(public_key)?;
    der::take(&mut fields, der::INTEGER)?;
    let exponent = der::take(&mut fields, der::INTEGER)?;
    exponent.iter().try_fold(0u64, |e, byte| e.checked_mul(256)?.checked_add(u64::from(*byte)))
}

struct Scheme {
    slot: usize,
    encoding: &'static dyn RsaEncoding,
    verification: &'static dyn VerificationAlgorithm,
    hash: &'static digest::Algorithm,
}

impl Scheme {
    fn of(algorithm: SigningAlgorithm) -> Option<Self> {
        use SigningAlgorithm as S;
        use signature as s;
        let (slot, encoding, verification, hash): (_, &'static dyn RsaEncoding, _, _) = match algorithm {
            S::RsassaPkcs1V15Sha256 => {
                (0, &s::RSA_PKCS1_SHA256, &s::RSA_PKCS1_2048_8192_SHA256, &digest::SHA256)
            }
            S::RsassaPkcs1V15Sha384 => {
                (1, &s::RSA_PKCS1_SHA384, &s::RSA_PKCS1_2048_8192_SHA384, &digest::SHA384)
            }
            S::RsassaPkcs1V15Sha512 => {
                (2, &s::RSA_PKCS1_SHA512, &s::RSA_PKCS1_2048_8192_SHA512, &digest::SHA512)
            }
            S::RsassaPssSha256 => (3, &s::RSA_PSS_SHA256, &s::RSA_PSS_2048_8192_SHA256, &digest::SHA256),
            S::RsassaPssSha384 => (4, &s::RSA_PSS_SHA384, &s::RSA_PSS_2048_8192_SHA384, &digest::SHA384),
            S::RsassaPssSha512 => (5, &s::RSA_PSS_SHA512, &s::RSA_PSS_2048_8192_SHA512, &digest::SHA512),
            S::EcdsaSha256
            | S::EcdsaSha384
            | S::EcdsaSha512
            | S::Sm2Dsa
            | S::MlDsaShake256
            | S::Ed25519Sha512
            | S::Ed25519PhSha512 => return None,
        };
        Some(Self { slot, encoding, verification, hash })
    }
}

fn oaep(algorithm: EncryptionAlgorithm) -> Option<&'static OaepAlgorithm> {
    match algorithm {
        EncryptionAlgorithm::RsaesOaepSha1 => Some(&OAEP_SHA1_MGF1SHA1),
        EncryptionAlgorithm::RsaesOaepSha256 => Some(&OAEP_SHA256_MGF1SHA256),
        EncryptionAlgorithm::SymmetricDefault | EncryptionAlgorithm::Sm2Pke => None,
    }
}
