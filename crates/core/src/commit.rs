//! Changes on their way to the store.

use keyreeve_domain::KeyArn;
use keyreeve_store::{Batch, BatchBuilder, BatchError, CommitError, Path, Revision, Snapshot, Version};

use crate::cx::Service;
use crate::identity::followed::is_about_identities;
use crate::identity::space::followed;
use crate::record::{IndexRecord, KeyRecord, Record};
use crate::ring::OpenKey;
use crate::space;
use crate::vault::{Vault, VaultError};

/// Writes that take effect together or not at all.
pub struct Draft<'v> {
    vault: &'v Vault,
    batch: BatchBuilder,
    written: usize,
    /// Whether a declaration may be about something that is written.
    is_about_identities: bool,
    synchronizes: Option<KeyArn>,
}

impl<'v> Draft<'v> {
    /// A draft without writes.
    #[must_use]
    pub fn new(vault: &'v Vault) -> Self {
        Self { vault, batch: Batch::builder(), written: 0, is_about_identities: false, synchronizes: None }
    }

    /// Whether nothing is to be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.written == 0
    }

    /// The primary key whose replica keys are told something by this.
    #[must_use]
    pub fn synchronizes(&self) -> Option<KeyArn> {
        self.synchronizes
    }

    /// Says that the replica keys of the primary key `arn` are told something by this.
    pub fn synchronize(&mut self, arn: KeyArn) {
        self.synchronizes = Some(arn);
    }

    /// Writes `record` at `path`, which must be as it was `seen`: absent, or at a version.
    ///
    /// # Errors
    /// Where the record cannot be sealed.
    pub fn put<R: Record>(
        &mut self,
        path: &Path,
        seen: Option<Version>,
        record: &R,
    ) -> Result<(), VaultError> {
        let version = Version::after(seen).ok_or_else(|| VaultError::Damaged(path.to_string()))?;
        let sealed = self.vault.seal(path, version, record)?;
        self.edit(path, |batch| batch.require_unchanged(path.clone(), seen).put(path.clone(), sealed));
        Ok(())
    }

    /// Adds an index entry, which must not exist.
    ///
    /// # Errors
    /// Where the entry cannot be sealed.
    pub fn index(&mut self, path: &Path) -> Result<(), VaultError> {
        self.put(path, None, &IndexRecord {})
    }

    /// Deletes the record at `path`, which must be at the version that was `seen`.
    pub fn delete(&mut self, path: &Path, seen: Version) {
        self.edit(path, |batch| batch.require_version(path.clone(), seen).delete(path.clone()));
    }

    /// Deletes the index entry at `path`.
    pub fn unindex(&mut self, path: &Path) {
        self.edit(path, |batch| batch.delete(path.clone()));
    }

    /// Demands that the record at `path` is still as it was `seen`.
    pub fn require(&mut self, path: &Path, seen: Option<Version>) {
        let batch = core::mem::take(&mut self.batch);
        self.batch = batch.require_unchanged(path.clone(), seen);
    }

    /// Replaces the record of `key`, which is as `snapshot` has it, by `changed`, and moves its index entries. Where that changes
    /// what related keys share, theirs are replaced, too.
    ///
    /// # Errors
    /// Where a record cannot be read or sealed.
    pub async fn replace_key(
        &mut self,
        service: &Service,
        snapshot: &dyn Snapshot,
        key: &OpenKey,
        changed: &KeyRecord,
    ) -> Result<(), VaultError> {
        if changed.multi_region.is_none() {
            return self.replace_one_key(key, changed);
        }
        let mut changed = changed.clone();
        for (related, record) in service.share(snapshot, key, &mut changed).await? {
            self.synchronize(*key.arn());
            self.replace_one_key(&related, &record)?;
        }
        self.replace_one_key(key, &changed)
    }

    fn replace_one_key(&mut self, key: &OpenKey, changed: &KeyRecord) -> Result<(), VaultError> {
        let arn = key.arn();
        self.put(&space::key(arn.region, arn.key)?, Some(key.version()), changed)?;
        let (before, after) = (key.record().due(), changed.due());
        if before != after {
            if let Some((at, task)) = before {
                self.unindex(&space::due(at, task, arn.region, arn.key)?);
            }
            if let Some((at, task)) = after {
                self.index(&space::due(at, task, arn.region, arn.key)?)?;
            }
        }
        Ok(())
    }

    fn edit(&mut self, path: &Path, edit: impl FnOnce(BatchBuilder) -> BatchBuilder) {
        self.batch = edit(core::mem::take(&mut self.batch));
        self.written += 1;
        self.is_about_identities |= is_about_identities(path);
    }
}

impl Service {
    /// Makes `draft` durable, and drops what it changed from the ring before it returns.
    ///
    /// # Errors
    /// [`VaultError::Contended`] where a demand of the draft does not hold: nothing was written, and the caller may
    /// look again.
    pub async fn commit(&self, mut draft: Draft<'_>) -> Result<(), VaultError> {
        if draft.is_about_identities {
            draft.unindex(&followed()?);
        }
        let batch = draft.batch.build().map_err(|error| match error {
            BatchError::TooLarge { .. } | BatchError::TooMany { .. } => VaultError::TooLarge(error),
            BatchError::WrittenTwice { .. } => VaultError::Damaged(error.to_string()),
        })?;
        let paths: Vec<Path> = batch.writes().iter().map(|write| write.path().clone()).collect();
        match self.vault().store().commit(batch).await {
            Ok(revision) => {
                self.ring().apply(revision, &paths);
                Ok(())
            }
            Err(CommitError::Conflict(_)) => Err(VaultError::Contended),
            Err(error @ CommitError::Unknown(_)) => {
                // It may have taken effect: what a snapshot shows from now on is the truth. Should it take effect only
                // later, the watch says so.
                let seen =
                    self.vault().snapshot().await.map_or(Revision::ZERO, |snapshot| snapshot.revision());
                self.ring().doubt(seen, &paths);
                Err(VaultError::Unwritable(error))
            }
            Err(error @ (CommitError::LeaseLost | CommitError::Refused(_))) => {
                Err(VaultError::Unwritable(error))
            }
        }
    }
}
