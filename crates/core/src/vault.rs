//! The store behind seals: every value is wrapped under a domain key and bound to its path and version.
//!
//! So an administrator of the database can delete a record, but neither read, alter or swap it unnoticed, nor put an older
//! one over a newer one. What the seal cannot tell is an older copy of the whole store, or a record that was deleted and put
//! back as often as its version says.

use std::num::NonZeroUsize;
use std::sync::Arc;

use keyreeve_crypto::LockedMemoryError;
use keyreeve_crypto::asymmetric::MakeMaterialError;
use keyreeve_crypto::key::{KeyMaterial, MakeKeyError};
use keyreeve_crypto::random::Random;
use keyreeve_crypto::wrap::{Binding, Kind, UnwrapError, WrapError};
use keyreeve_domain::{KeyArn, KeyId, KeyMaterialId};
use keyreeve_store::{BatchError, CommitError, Path, ReadError, Snapshot, Store, StoreFault, Version};
use zeroize::Zeroizing;

use crate::keyring::{DeploymentId, Keyring};
use crate::offload::{FullError, OffloadError};
use crate::record::{KeyRecord, MaterialRecord, Record, RecordError};
use crate::space::SpaceError;
use crate::stock::StockError;

const FIELD_PATH: u8 = 2;
const FIELD_VERSION: u8 = 3;
const FIELD_ARN: u8 = 4;
const FIELD_MATERIAL: u8 = 5;
const FIELD_PROPERTIES: u8 = 6;

/// What reading or writing a sealed record can end in. For the log; what a caller is told stands in
/// [`crate::refusal`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VaultError {
    /// Another writer was always faster.
    #[error("the record changed on every attempt")]
    Contended,
    /// More work than the service takes on at once.
    #[error("too much is waiting to be computed")]
    Busy,
    /// A record does not open, or is not of its form.
    #[error("the record at `{0}` is damaged or was put there by someone else")]
    Damaged(String),
    /// A computation was given up.
    #[error("a computation ended without a result")]
    Lost,
    /// No key could be made.
    #[error("no key could be made: {0}")]
    Material(MakeMaterialError),
    /// No locked memory is left.
    #[error(transparent)]
    Memory(#[from] LockedMemoryError),
    /// A computation or a new key was not ready in time.
    #[error("what was to be computed was not ready in time")]
    Slow,
    /// The store did not answer in time.
    #[error("the store did not answer in time")]
    Timeout,
    /// What is to change at once is more than the store takes.
    #[error("the change does not fit one batch: {0}")]
    TooLarge(BatchError),
    /// The change could not be announced to the trail, so it was not made.
    #[error("the audit trail cannot be written")]
    Unrecorded,
    /// The store could not be read.
    #[error("the store cannot be read: {0}")]
    Unreadable(ReadError),
    /// The store could not be written to, or it is not known whether it was.
    #[error("the store cannot be written to: {0}")]
    Unwritable(CommitError),
    /// The wrapping failed.
    #[error(transparent)]
    Wrap(#[from] WrapError),
}

impl From<ReadError> for VaultError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(StoreFault::Timeout) => Self::Timeout,
            ReadError::Compacted { .. } | ReadError::Future { .. } | ReadError::Unavailable(_) => {
                Self::Unreadable(error)
            }
        }
    }
}

impl From<SpaceError> for VaultError {
    fn from(error: SpaceError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<MakeMaterialError> for VaultError {
    fn from(error: MakeMaterialError) -> Self {
        match error {
            MakeMaterialError::Key(error) => error.into(),
            MakeMaterialError::Inconsistent | MakeMaterialError::Library => Self::Material(error),
        }
    }
}

impl From<OffloadError> for VaultError {
    fn from(error: OffloadError) -> Self {
        match error {
            OffloadError::Full(FullError) => Self::Busy,
            OffloadError::Lost => Self::Lost,
            OffloadError::Slow => Self::Slow,
        }
    }
}

impl From<StockError> for VaultError {
    fn from(error: StockError) -> Self {
        match error {
            StockError::Full(FullError) => Self::Busy,
            StockError::Lost => Self::Lost,
            StockError::Make(error) => error.into(),
            StockError::Slow => Self::Slow,
        }
    }
}

impl From<MakeKeyError> for VaultError {
    fn from(error: MakeKeyError) -> Self {
        match error {
            MakeKeyError::Memory(error) => Self::Memory(error),
            MakeKeyError::Random(error) => Self::Wrap(WrapError::Random(error)),
        }
    }
}

/// A record and the version under which the store holds it.
#[derive(Clone, Debug)]
pub struct Versioned<R> {
    /// The record.
    pub record: R,
    /// Its version.
    pub version: Version,
}

/// The sealed store.
pub struct Vault {
    store: Arc<dyn Store>,
    keyring: Keyring,
    random: Arc<dyn Random>,
}

impl Vault {
    /// The store under the keys of `keyring`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, keyring: Keyring, random: Arc<dyn Random>) -> Self {
        Self { store, keyring, random }
    }

    /// The source of randomness.
    #[must_use]
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// The store itself.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The latest state.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, VaultError> {
        Ok(self.store.snapshot().await?)
    }

    /// The record at `path`.
    ///
    /// # Errors
    /// Where the store cannot be read or the record does not open.
    pub async fn read<R: Record>(
        &self,
        snapshot: &dyn Snapshot,
        path: &Path,
    ) -> Result<Option<Versioned<R>>, VaultError> {
        let Some(entry) = snapshot.get(path).await? else { return Ok(None) };
        let record = self.open(path, entry.version, &entry.value)?;
        Ok(Some(Versioned { record, version: entry.version }))
    }

    /// The records under `prefix` after `after`, at most `limit`, and whether there are more.
    ///
    /// # Errors
    /// Where the store cannot be read or a record does not open.
    pub async fn range<R: Record>(
        &self,
        snapshot: &dyn Snapshot,
        prefix: &[u8],
        after: Option<&Path>,
        limit: NonZeroUsize,
    ) -> Result<(Vec<(Path, R)>, bool), VaultError> {
        let page = snapshot.range(prefix, after, limit).await?;
        let mut records = Vec::with_capacity(page.entries.len());
        for (path, entry) in page.entries {
            let record = self.open(&path, entry.version, &entry.value)?;
            records.push((path, record));
        }
        Ok((records, page.more))
    }

    /// The sealed form of `record` for `path`, as its `version`.
    ///
    /// # Errors
    /// Where the wrapping fails.
    pub fn seal<R: Record>(&self, path: &Path, version: Version, record: &R) -> Result<Vec<u8>, VaultError> {
        let content = record.to_bytes().or(Err(VaultError::Damaged(path.to_string())))?;
        Ok(self.keyring.wrap(Kind::Record, &self.record_binding(path, version), &content, self.random())?)
    }

    pub(crate) fn open<R: Record>(
        &self,
        path: &Path,
        version: Version,
        sealed: &[u8],
    ) -> Result<R, VaultError> {
        let damaged = || VaultError::Damaged(path.to_string());
        let opened: Result<_, UnwrapError> =
            self.keyring.unwrap(Kind::Record, &self.record_binding(path, version), sealed);
        let read: Result<R, RecordError> = R::from_bytes(&opened.ok().ok_or_else(damaged)?);
        read.ok().ok_or_else(damaged)
    }

    fn record_binding(&self, path: &Path, version: Version) -> Binding {
        let version = version.get().to_be_bytes();
        self.keyring.binding().field(FIELD_PATH, path.as_bytes()).field(FIELD_VERSION, &version)
    }

    /// New key material for the symmetric key `arn` with the properties of `record`, wrapped.
    ///
    /// # Errors
    /// Where randomness or locked memory is missing, or as [`Vault::wrap_material`].
    pub fn make_material(&self, arn: &KeyArn, record: &KeyRecord) -> Result<MaterialRecord, VaultError> {
        self.wrap_material(arn, record, &KeyMaterial::make(SYMMETRIC_LEN, self.random())?)
    }

    /// `material` for the key `arn` with the properties of `record`, wrapped.
    ///
    /// # Errors
    /// Where the wrapping fails or does not open again: material is handed out only once it has been read back.
    pub fn wrap_material(
        &self,
        arn: &KeyArn,
        record: &KeyRecord,
        material: &KeyMaterial,
    ) -> Result<MaterialRecord, VaultError> {
        let id = self.keyring.material_id(material, &arn.key);
        let binding = self.material_binding(arn, record, &id);
        // EXPOSE: the wrapping reads the material.
        let wrapped = self.keyring.wrap(Kind::KeyMaterial, &binding, material.expose(), self.random())?;
        let made = MaterialRecord { id, wrapped, rotated: None, imported: None };
        let read_back = self.open_material(arn, record, &made)?;
        if self.keyring.material_id(&read_back, &arn.key) != id {
            return Err(VaultError::Damaged(arn.to_string()));
        }
        Ok(made)
    }

    /// The id that `material` has as material of `key`.
    pub(crate) fn material_id(&self, material: &KeyMaterial, key: &KeyId) -> KeyMaterialId {
        self.keyring.material_id(material, key)
    }

    /// Opens a version of key material.
    ///
    /// # Errors
    /// Where it does not open as material of this key, or no locked memory is left.
    pub(crate) fn open_material(
        &self,
        arn: &KeyArn,
        record: &KeyRecord,
        material: &MaterialRecord,
    ) -> Result<KeyMaterial, VaultError> {
        let binding = self.material_binding(arn, record, &material.id);
        let content = self.keyring.unwrap(Kind::KeyMaterial, &binding, &material.wrapped);
        let content = content.ok().ok_or_else(|| VaultError::Damaged(arn.to_string()))?;
        KeyMaterial::init_with(content.len(), |slot| {
            slot.copy_from_slice(&content);
            Ok(())
        })
    }

    fn material_binding(&self, arn: &KeyArn, record: &KeyRecord, id: &KeyMaterialId) -> Binding {
        let properties = format!("{} {} {}", record.spec, record.usage, record.origin);
        self.keyring
            .binding()
            .field(FIELD_ARN, arn.to_string().as_bytes())
            .field(FIELD_MATERIAL, id.as_bytes())
            .field(FIELD_PROPERTIES, properties.as_bytes())
    }

    /// Seals what leaves as a token and comes back: bound to the deployment and its kind.
    ///
    /// # Errors
    /// Where the wrapping fails.
    pub(crate) fn seal_token(&self, kind: Kind, content: &[u8]) -> Result<Vec<u8>, VaultError> {
        Ok(self.keyring.wrap(kind, &self.keyring.binding(), content, self.random())?)
    }

    /// Opens a token of this kind that was made here.
    pub(crate) fn open_token(&self, kind: Kind, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.keyring.unwrap(kind, &self.keyring.binding(), sealed).ok()
    }

    /// What the token of an import into the key `arn` is bound to.
    pub(crate) fn import_binding(&self, arn: &KeyArn) -> Binding {
        self.keyring.binding().field(FIELD_ARN, arn.to_string().as_bytes())
    }

    /// Seals the digest of a backup: whoever has the keyring of the deployment can tell that it is as it was made.
    ///
    /// # Errors
    /// Where the wrapping fails.
    pub fn seal_backup(&self, digest: &[u8; 32]) -> Result<Vec<u8>, VaultError> {
        self.seal_token(Kind::Backup, digest)
    }

    /// Whether `sealed` was made here for the backup with this digest.
    #[must_use]
    pub fn is_sealed_backup(&self, sealed: &[u8], digest: &[u8; 32]) -> bool {
        self.open_token(Kind::Backup, sealed).is_some_and(|content| content.as_slice() == digest)
    }

    /// Whether what stands at `path` opens as what was sealed for it. The keyring, which nothing here sealed, does.
    #[must_use]
    pub fn opens(&self, path: &Path, version: Version, sealed: &[u8]) -> bool {
        let is_keyring = crate::space::keyring().is_ok_and(|keyring| keyring == *path);
        is_keyring || self.keyring.unwrap(Kind::Record, &self.record_binding(path, version), sealed).is_ok()
    }

    /// The deployment that everything here is bound to.
    #[must_use]
    pub fn deployment(&self) -> &DeploymentId {
        self.keyring.deployment()
    }

    /// Seals a pagination marker.
    ///
    /// # Errors
    /// Where the wrapping fails.
    pub(crate) fn seal_marker(&self, scope: &str, position: &[u8]) -> Result<Vec<u8>, VaultError> {
        let binding = self.keyring.binding().field(FIELD_PATH, scope.as_bytes());
        Ok(self.keyring.wrap(Kind::Marker, &binding, position, self.random())?)
    }

    /// Opens a pagination marker of the same scope.
    pub(crate) fn open_marker(&self, scope: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let binding = self.keyring.binding().field(FIELD_PATH, scope.as_bytes());
        self.keyring.unwrap(Kind::Marker, &binding, sealed).ok().map(|position| position.to_vec())
    }
}

/// Bytes of the material of a symmetric encryption key.
const SYMMETRIC_LEN: usize = 32;
