//! The keys that sign the digests of the trail.
//!
//! One signs, those before it are kept as public keys alone, each with the time in which it signed. The private key is a
//! record of the store, so it is sealed as every other one; a digest can be checked without the store, by its public key.

use core::fmt;

use keyreeve_crypto::LockedMemoryError;
use keyreeve_crypto::asymmetric::{KeyPair, Message, SignError};
use keyreeve_crypto::digest::{LowerHex, sha256};
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::{KeySpec, SigningAlgorithm};
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::commit::Draft;
use crate::cx::Service;
use crate::record::{millis, record};
use crate::space;
use crate::vault::VaultError;

/// The spec of every key: what clients check digests with knows RSA alone.
const SPEC: KeySpec = KeySpec::Rsa2048;
/// What stands before the RSAPublicKey (RFC 8017 A.1.1) in the SubjectPublicKeyInfo of a key of 2048 bits.
const SPKI_PREFIX_LEN: usize = 24;
/// Digits of a fingerprint.
const FINGERPRINT_LEN: usize = 32;

record! {
    DigestKeysRecord = 19,
}

/// The record of all keys.
#[derive(Decode, Encode)]
pub(crate) struct DigestKeysRecord {
    /// The private key that signs, PKCS#8.
    #[n(0)]
    active: Secret,
    /// Since when it signs.
    #[n(1)]
    #[cbor(with = "millis")]
    since: Timestamp,
    /// Those that signed before, the first one first.
    #[n(2)]
    retired: Vec<RetiredRecord>,
}

/// A key that signs no more.
#[derive(Clone, Debug, Decode, Encode)]
struct RetiredRecord {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    public: Vec<u8>,
    #[n(1)]
    #[cbor(with = "millis")]
    since: Timestamp,
    #[n(2)]
    #[cbor(with = "millis")]
    until: Timestamp,
}

/// A private key on its way to or from the vault.
struct Secret(Zeroizing<Vec<u8>>);

impl<C> Encode<C> for Secret {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Secret {
    fn decode(decoder: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Ok(Self(Zeroizing::new(decoder.bytes()?.to_vec())))
    }
}

/// A public key, and when it signs or signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DigestPublicKey {
    /// RSAPublicKey (RFC 8017 A.1.1), DER.
    pub der: Vec<u8>,
    /// The first time.
    pub since: Timestamp,
    /// The last time; none while it signs.
    pub until: Option<Timestamp>,
}

impl DigestPublicKey {
    /// The name of the key in digests: the first 32 digits of the SHA-256 of its DER.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.der)
    }
}

fn fingerprint(der: &[u8]) -> String {
    let digits = LowerHex::new(&sha256(der));
    digits.as_str().get(..FINGERPRINT_LEN).unwrap_or_default().to_owned()
}

/// The keys, with the one that signs.
pub struct DigestKeys {
    pair: KeyPair,
    public: Vec<DigestPublicKey>,
}

impl fmt::Debug for DigestKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestKeys").field("public", &self.public).finish_non_exhaustive()
    }
}

impl DigestKeys {
    /// All public keys, the one that signs last.
    #[must_use]
    pub fn public(&self) -> &[DigestPublicKey] {
        &self.public
    }

    /// The name of the key that signs.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.public.last().map(DigestPublicKey::fingerprint).unwrap_or_default()
    }

    /// Signs `text` with RSASSA-PKCS1-v1_5 and SHA-256.
    ///
    /// # Errors
    /// Where the library fails.
    pub fn sign(&self, text: &[u8]) -> Result<Vec<u8>, SignError> {
        self.pair.sign(SigningAlgorithm::RsassaPkcs1V15Sha256, Message::Raw(text))
    }
}

impl Service {
    /// The keys that sign digests at `now`: made where there are none, and the active one replaced after `days` days.
    ///
    /// # Errors
    /// Where the store fails or no key can be made.
    pub async fn digest_keys(&self, now: Timestamp, days: u32) -> Result<DigestKeys, VaultError> {
        let path = space::digest_keys()?;
        for _attempt in 0..ATTEMPTS {
            let snapshot = self.vault().snapshot().await?;
            let held = self.vault().read::<DigestKeysRecord>(&*snapshot, &path).await?;
            let version = held.as_ref().map(|held| held.version);
            let retired = match held {
                Some(held) if now < held.record.since.plus_days(days) => return opened(&held.record),
                Some(held) => {
                    let old = opened(&held.record)?;
                    let public = old.public.last().map(|key| key.der.clone()).unwrap_or_default();
                    let DigestKeysRecord { since, mut retired, .. } = held.record;
                    retired.push(RetiredRecord { public, since, until: now });
                    retired
                }
                None => Vec::new(),
            };
            let active = self.read_rare_material(SPEC, |material| {
                // EXPOSE: the vault seals the key.
                Secret(Zeroizing::new(material.expose().to_vec()))
            });
            let active = match active.await {
                // No client waits for it, a start may, on a machine that is busy: it is worth another attempt.
                Err(VaultError::Slow) => continue,
                made => made?,
            };
            let made = DigestKeysRecord { active, since: now, retired };
            let mut draft = Draft::new(self.vault());
            draft.put(&path, version, &made)?;
            match self.commit(draft).await {
                Ok(()) => return opened(&made),
                Err(VaultError::Contended) => {}
                Err(error) => return Err(error),
            }
        }
        Err(VaultError::Slow)
    }
}

fn opened(record: &DigestKeysRecord) -> Result<DigestKeys, VaultError> {
    let damaged = || VaultError::Damaged("meta/digest-keys".to_owned());
    let material = KeyMaterial::init_with::<LockedMemoryError>(record.active.0.len(), |slot| {
        slot.copy_from_slice(&record.active.0);
        Ok(())
    })?;
    let pair = KeyPair::parse(SPEC, &material).ok().ok_or_else(damaged)?;
    let der = pair.public_key().get(SPKI_PREFIX_LEN..).ok_or_else(damaged)?.to_vec();
    let retired = record.retired.iter().map(|key| DigestPublicKey {
        der: key.public.clone(),
        since: key.since,
        until: Some(key.until),
    });
    let active = DigestPublicKey { der, since: record.since, until: None };
    Ok(DigestKeys { pair, public: retired.chain([active]).collect() })
}

/// How often the keys are read again after somebody else was faster to make them, or the machine too slow.
const ATTEMPTS: usize = 8;
