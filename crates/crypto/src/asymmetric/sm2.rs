//! SM2: signatures, encryption and key agreement on the curve of GB/T 32918 (draft-shen-sm2-ecdsa-02).
//!
//! By a library of its own, unaudited, which leaves copies of a key on the stack while it works. The service turns the spec
//! on only where it is told to. A signature binds the default identity; `DIGEST` is `e = SM3(Z ‖ M)`. Ciphertexts are the
//! DER form of `C1 ‖ C3 ‖ C2`.

use keyreeve_domain::spec::{EncryptionAlgorithm, SigningAlgorithm};
use keyreeve_locked_memory::LockedBytes;
use sm2::dsa::signature::hazmat::{PrehashVerifier, RandomizedPrehashSigner};
use sm2::dsa::signature::{RandomizedSigner, Verifier};
use sm2::dsa::{Signature, SigningKey, VerifyingKey};
use sm2::elliptic_curve::Generate;
use sm2::elliptic_curve::ecdh;
use sm2::elliptic_curve::rand_core::{TryCryptoRng, TryRng};
use sm2::pkcs8::der::Decode;
use sm2::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use sm2::pke::{Cipher, DecryptingKey, EncryptingKey, Mode};
use sm2::{PublicKey, SecretKey};
use zeroize::Zeroizing;

use super::{
    AgreeError, EncryptError, MakeMaterialError, Message, ParseKeyError, SignError, VerifyError, der,
};
use crate::ciphertext::OpenError;
use crate::key::KeyMaterial;
use crate::random::{Random, RandomError, SystemRandom};

/// The identity of a signer who has none (GM/T 0009-2012 section 10).
const IDENTITY: &str = "1234567812345678";
/// The longest plaintext in bytes (`Encrypt` of the service's documentation).
const MAX_PLAINTEXT_LEN: usize = 1024;
const DIGEST_LEN: usize = 32;

/// A new private key, PKCS#8.
pub(super) fn make(random: &dyn Random) -> Result<KeyMaterial, MakeMaterialError> {
    let secret = SecretKey::try_generate_from_rng(&mut Rng(random))?;
    let document = secret.to_pkcs8_der().or(Err(MakeMaterialError::Library))?;
    let document = document.as_bytes();
    KeyMaterial::init_with(document.len(), |bytes| {
        bytes.copy_from_slice(document);
        Ok(())
    })
}

pub(super) struct Private {
    scalar: LockedBytes,
}

impl Private {
    /// The private key, and its public key as `SubjectPublicKeyInfo`.
    pub(super) fn from_pkcs8(pkcs8: &[u8]) -> Result<(Self, Vec<u8>), ParseKeyError> {
        let secret = SecretKey::from_pkcs8_der(pkcs8).or(Err(ParseKeyError::Rejected))?;
        let spki = secret.public_key().to_public_key_der().or(Err(ParseKeyError::Rejected))?;
        let scalar = LockedBytes::copy_of(&Zeroizing::new(secret.to_bytes()))?;
        Ok((Self { scalar }, spki.as_bytes().to_vec()))
    }

    pub(super) fn sign(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
    ) -> Result<Vec<u8>, SignError> {
        if algorithm != SigningAlgorithm::Sm2Dsa {
            return Err(SignError::Unsupported);
        }
        let key = || {
            let secret = self.secret().ok_or(SignError::Library)?;
            SigningKey::new(IDENTITY, &secret).or(Err(SignError::Library))
        };
        let mut rng = Rng(&SystemRandom);
        let signature: Signature = match message {
            Message::Raw(message) => key()?.try_sign_with_rng(&mut rng, message),
            Message::Digest(digest) if digest.len() == DIGEST_LEN => {
                key()?.sign_prehash_with_rng(&mut rng, digest)
            }
            Message::Digest(_) => return Err(SignError::MessageLength),
            Message::ExternalMu(_) => return Err(SignError::Unsupported),
        }
        .or(Err(SignError::Library))?;
        Ok(signature.to_der().as_ref().to_vec())
    }

    pub(super) fn decrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if algorithm != EncryptionAlgorithm::Sm2Pke {
            return Err(OpenError);
        }
        let cipher: Cipher<'_> = Cipher::from_der(ciphertext).or(Err(OpenError))?;
        let secret = self.secret().ok_or(OpenError)?;
        let key = DecryptingKey::new_with_mode(secret.to_nonzero_scalar(), Mode::C1C3C2);
        // Until the hash is compared the buffer holds what nobody has authenticated; it is wiped where that fails.
        let mut plaintext = Zeroizing::new(vec![0; cipher.c2().len()]);
        key.decrypt_cipher_with_buf(&cipher, &mut plaintext).or(Err(OpenError))?;
        Ok(plaintext)
    }

    pub(super) fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, AgreeError> {
        let peer = parse_public(peer).ok_or(AgreeError::PeerKey)?;
        let secret = self.secret().ok_or(AgreeError::Library)?;
        let shared = ecdh::diffie_hellman(secret.to_nonzero_scalar(), peer.as_affine());
        Ok(Zeroizing::new(shared.raw_secret_bytes().to_vec()))
    }

    /// Wiped when it is dropped.
    fn secret(&self) -> Option<SecretKey> {
        // EXPOSE: the library computes with the scalar.
        SecretKey::from_slice(self.scalar.expose()).ok()
    }
}

pub(super) struct Public {
    verifying: VerifyingKey,
    encrypting: EncryptingKey,
}

impl Public {
    pub(super) fn parse(spki: &[u8]) -> Result<Self, ParseKeyError> {
        let key = parse_public(spki).ok_or(ParseKeyError::Rejected)?;
        let verifying = VerifyingKey::new(IDENTITY, key).or(Err(ParseKeyError::Rejected))?;
        Ok(Self { verifying, encrypting: EncryptingKey::new_with_mode(key, Mode::C1C3C2) })
    }

    pub(super) fn verify(
        &self,
        algorithm: SigningAlgorithm,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), VerifyError> {
        if algorithm != SigningAlgorithm::Sm2Dsa {
            return Err(VerifyError::Unsupported);
        }
        let signature = || Signature::from_der(signature).or(Err(VerifyError::Mismatch));
        match message {
            Message::Raw(message) => self.verifying.verify(message, &signature()?),
            Message::Digest(digest) if digest.len() == DIGEST_LEN => {
                self.verifying.verify_prehash(digest, &signature()?)
            }
            Message::Digest(_) => return Err(VerifyError::MessageLength),
            Message::ExternalMu(_) => return Err(VerifyError::Unsupported),
        }
        .or(Err(VerifyError::Mismatch))
    }

    /// The algorithm has no ciphertext of nothing.
    pub(super) fn encrypt(
        &self,
        algorithm: EncryptionAlgorithm,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, EncryptError> {
        if algorithm != EncryptionAlgorithm::Sm2Pke {
            return Err(EncryptError::Unsupported);
        }
        if plaintext.len() > MAX_PLAINTEXT_LEN {
            return Err(EncryptError::TooLong { max: MAX_PLAINTEXT_LEN });
        }
        self.encrypting.encrypt_der(&mut Rng(&SystemRandom), plaintext).or(Err(EncryptError::Library))
    }
}

fn parse_public(spki: &[u8]) -> Option<PublicKey> {
    der::whole(spki).and_then(|_| PublicKey::from_public_key_der(spki).ok())
}

/// Randomness as the library takes it.
struct Rng<'a>(&'a dyn Random);

impl TryRng for Rng<'_> {
    type Error = RandomError;

    fn try_next_u32(&mut self) -> Result<u32, RandomError> {
        crate::random::array(self.0).map(u32::from_le_bytes)
    }

    fn try_next_u64(&mut self) -> Result<u64, RandomError> {
        crate::random::array(self.0).map(u64::from_le_bytes)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        self.0.fill(bytes)
    }
}

impl TryCryptoRng for Rng<'_> {}
