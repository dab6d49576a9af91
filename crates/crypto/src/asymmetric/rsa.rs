//! RSA: PKCS #1 version 2.2 (RFC 8017), OAEP without a label, PSS with a salt as long as the hash.

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
use keyreeve_domain::spec::{EncryptionAlgorithm, SigningAlgorithm};
use keyreeve_locked_memory::LockedBytes;
use zeroize::Zeroizing;

use super::{EncryptError, Message, ParseKeyError, SignError, VerifyError, der};
use crate::ciphertext::OpenError;

/// The smallest public exponent (FIPS 186-5 section 5.1).
const MIN_EXPONENT: u64 = 65537;

/// A key is used to sign or to decrypt, and the library has a type for each: the one that is used is parsed at its first use.
pub(super) struct Private {
    pkcs8: LockedBytes,
    modulus_len: usize,
    signing: OnceLock<RsaKeyPair>,
    decrypting: OnceLock<OaepPrivateDecryptingKey>,
}

impl Private {
    /// The private key, and its public key as `SubjectPublicKeyInfo`; [`Public::parse`] checks the size.
    pub(super) fn from_pkcs8(pkcs8: &[u8]) -> Result<(Self, Vec<u8>), ParseKeyError> {
        let key = memory::locked(|| RsaKeyPair::from_pkcs8(pkcs8)).or(Err(ParseKeyError::Rejected))?;
        let public = key.public_key();
        if !exponent(public.as_ref()).is_some_and(|e| e >= MIN_EXPONENT && e % 2 == 1) {
            return Err(ParseKeyError::Rejected);
        }
        let spki = public.as_der().or(Err(ParseKeyError::Rejected))?.as_ref().to_vec();
        let private = Self {
            pkcs8: LockedBytes::copy_of(pkcs8)?,
            modulus_len: key.public_modulus_len(),
            signing: OnceLock::new(),
            decrypting: OnceLock::new(),
        };
        Ok((private, spki))
    }

    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
    ) -> Result<Vec<u8>, SignError> {
        let scheme = Scheme::of(algorithm).ok_or(SignError::Unsupported)?;
        // EXPOSE: parsed at the first use.
        let parse = || RsaKeyPair::from_pkcs8(self.pkcs8.expose()).or(Err(SignError::Library));
        with(&self.signing, parse, |key| {
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

    pub(super) fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let oaep = oaep(algorithm).ok_or(OpenError)?;
        let parse = || {
            // EXPOSE: parsed at the first use.
            let key = PrivateDecryptingKey::from_pkcs8(self.pkcs8.expose()).or(Err(OpenError))?;
            OaepPrivateDecryptingKey::new(key).or(Err(OpenError))
        };
        with(&self.decrypting, parse, |key| {
            let mut plaintext = Zeroizing::new(vec![0; key.min_output_size()]);
            let len = key.decrypt(oaep, ciphertext, &mut plaintext, None).or(Err(OpenError))?.len();
            plaintext.truncate(len);
            Ok(plaintext)
        })
    }
}

/// `work` with the key in `slot`, which is parsed if need be.
///
/// The library completes a key while it uses it first. The parsed key therefore lies in locked memory as a whole only if that
/// use was inside [`memory::locked`] and went through; it is not kept otherwise.
fn with<K, T, E>(
    slot: &OnceLock<K>,
    parse: impl FnOnce() -> Result<K, E>,
    work: impl FnOnce(&K) -> Result<T, E>,
) -> Result<T, E> {
    if let Some(key) = slot.get() {
        return work(key);
    }
    memory::locked(|| {
        let key = parse()?;
        let done = work(&key)?;
        // Whoever came first has put the same key there.
        slot.get_or_init(|| key);
        Ok(done)
    })
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
