//! The keys that seal import tokens: one for each day, destroyed once no token of that day is good any more.
//!
//! Whoever learns the domain keys later learns nothing of an import that was recorded: the key of its token is gone from the
//! store two days after it was made, at the latest. What the disk keeps of deleted records is the horizon of every deletion.
//! Times are UTC; a day is counted from the epoch.

use std::sync::Arc;

use core::num::NonZeroUsize;

use keyreeve_crypto::key::{MakeKeyError, WrappingKey};
use keyreeve_crypto::random;
use keyreeve_crypto::wrap::{Binding, Kind, UnwrapError, WrapError, WrappingKeyId, unwrap, wrap};
use keyreeve_domain::Timestamp;
use minicbor::{Decode, Encode};
use parking_lot::Mutex;
use zeroize::Zeroizing;

use crate::commit::Draft;
use crate::cx::Service;
use crate::record::record;
use crate::space;
use crate::vault::VaultError;
use crate::wrapping_pairs::WrappingPairs;

const DAY_MILLIS: i64 = 86_400_000;
/// Days after which no token of a day is good: it is for a day, and may have been made at the end of its own.
const DAYS_KEPT: u32 = 2;
const PAGE: NonZeroUsize = NonZeroUsize::new(100).unwrap();

record! { ImportKeyRecord = 24 }

/// The key of one day.
#[derive(Decode, Encode)]
pub(crate) struct ImportKeyRecord {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    id: WrappingKeyId,
    #[n(1)]
    #[cbor(with = "crate::record::secret_bytes")]
    key: Zeroizing<Vec<u8>>,
}

/// The keys that are in use.
#[derive(Default)]
pub(crate) struct ImportKeys {
    held: Mutex<Vec<Arc<ImportKey>>>,
    pairs: WrappingPairs,
}

/// The key of one day, opened.
struct ImportKey {
    day: u32,
    id: WrappingKeyId,
    key: WrappingKey,
}

/// A token that does not open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum OpenTokenError {
    /// The key of its day is gone.
    Expired,
    /// It is none of ours.
    Forged,
    /// The store failed.
    Vault(VaultError),
}

impl From<VaultError> for OpenTokenError {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

/// The day of a time.
pub(crate) fn day_of(now: Timestamp) -> u32 {
    u32::try_from(now.millis().div_euclid(DAY_MILLIS)).unwrap_or_default()
}

impl ImportKeys {
    pub(crate) fn pairs(&self) -> &WrappingPairs {
        &self.pairs
    }

    fn of(&self, day: u32) -> Option<Arc<ImportKey>> {
        self.held.lock().iter().find(|key| key.day == day).cloned()
    }

    fn hold(&self, key: ImportKey) -> Arc<ImportKey> {
        let key = Arc::new(key);
        let mut held = self.held.lock();
        held.retain(|known| known.day != key.day);
        held.push(Arc::clone(&key));
        key
    }

    pub(crate) fn forget_all(&self) {
        self.held.lock().clear();
        self.pairs.forget_all();
    }

    fn forget_before(&self, day: u32) {
        self.held.lock().retain(|key| key.day >= day);
        self.pairs.forget_before(day);
    }
}

impl Service {
    /// Seals the content of an import token under the key of today: `day u32 ‖ wrapping`.
    ///
    /// # Errors
    /// Where the key cannot be made, kept or read.
    pub(crate) async fn seal_import(
        &self,
        binding: &Binding,
        content: &[u8],
        now: Timestamp,
    ) -> Result<Vec<u8>, VaultError> {
        let key = self.import_key_of_today(now).await?;
        let random = self.vault().random();
        // EXPOSE: the wrapping reads the key.
        let wrapped = wrap(key.key.expose(), &key.id, Kind::ImportToken, binding, content, random)?;
        Ok([key.day.to_be_bytes().as_slice(), &wrapped].concat())
    }

    /// Opens an import token.
    ///
    /// # Errors
    /// See [`OpenTokenError`].
    pub(crate) async fn open_import(
        &self,
        binding: &Binding,
        token: &[u8],
        now: Timestamp,
    ) -> Result<Zeroizing<Vec<u8>>, OpenTokenError> {
        let (day, wrapped) = token.split_first_chunk().ok_or(OpenTokenError::Forged)?;
        let (day, today) = (u32::from_be_bytes(*day), day_of(now));
        if day.saturating_add(DAYS_KEPT) <= today {
            return Err(OpenTokenError::Expired);
        }
        let key = match self.import_keys().of(day) {
            Some(key) => key,
            // A day that has not come has no key, and is not looked for.
            None if day > today => return Err(OpenTokenError::Forged),
            None => self.read_import_key(day).await?.ok_or(OpenTokenError::Forged)?,
        };
        // EXPOSE: the unwrapping reads the key.
        let opened: Result<_, UnwrapError> = unwrap(key.key.expose(), Kind::ImportToken, binding, wrapped);
        opened.or(Err(OpenTokenError::Forged))
    }

    async fn import_key_of_today(&self, now: Timestamp) -> Result<Arc<ImportKey>, VaultError> {
        let day = day_of(now);
        if let Some(key) = self.import_keys().of(day) {
            return Ok(key);
        }
        if let Some(key) = self.read_import_key(day).await? {
            return Ok(key);
        }
        let random = self.vault().random();
        let id = random::array(random).map_err(WrapError::Random)?;
        let made: Result<_, MakeKeyError> = WrappingKey::make(random);
        let key = made?;
        // EXPOSE: the record is sealed below, and this copy wiped.
        let record = ImportKeyRecord { id, key: Zeroizing::new(key.expose().to_vec()) };
        let mut draft = Draft::new(self.vault());
        draft.put(&space::import_key(day)?, None, &record)?;
        match self.commit(draft).await {
            Ok(()) => Ok(self.import_keys().hold(ImportKey { day, id, key })),
            // Another request of the same day was faster.
            Err(VaultError::Contended) => self.read_import_key(day).await?.ok_or(VaultError::Contended),
            Err(error) => Err(error),
        }
    }

    async fn read_import_key(&self, day: u32) -> Result<Option<Arc<ImportKey>>, VaultError> {
        let snapshot = self.vault().snapshot().await?;
        let path = space::import_key(day)?;
        let Some(found) = self.vault().read::<ImportKeyRecord>(&*snapshot, &path).await? else {
            return Ok(None);
        };
        let ImportKeyRecord { id, key: bytes } = found.record;
        if bytes.len() != WrappingKey::LEN {
            return Err(VaultError::Damaged(path.to_string()));
        }
        let key = WrappingKey::init_with(|slot| {
            slot.copy_from_slice(&bytes);
            Ok::<_, VaultError>(())
        })?;
        Ok(Some(self.import_keys().hold(ImportKey { day, id, key })))
    }

    /// Destroys the keys of days whose tokens are not good any more at `now`.
    ///
    /// # Errors
    /// Where the store fails.
    pub(crate) async fn destroy_import_keys(&self, now: Timestamp) -> Result<(), VaultError> {
        let first_kept = day_of(now).saturating_sub(DAYS_KEPT - 1);
        self.import_keys().forget_before(first_kept);
        let snapshot = self.vault().snapshot().await?;
        let page = snapshot.range(space::IMPORT_KEY_PREFIX, None, PAGE).await?;
        let mut draft = Draft::new(self.vault());
        for (path, _) in page.entries {
            let day = space::last_part(space::IMPORT_KEY_PREFIX, &path).and_then(|day| day.parse().ok());
            if day.is_some_and(|day: u32| day < first_kept) {
                draft.unindex(&path);
            }
        }
        if draft.is_empty() { Ok(()) } else { self.commit(draft).await }
    }
}
