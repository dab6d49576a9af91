//! What is due: the deletion of keys at the end of their waiting period, the end of imported material, automatic rotation, and
//! the destruction of keys that sealed import tokens.
//!
//! A function of the store and a point in time. It may run twice, be cut off anywhere and be run by several nodes: each
//! task is one batch that demands the record it was decided on.

use core::num::NonZeroUsize;

use keyreeve_domain::spec::{KeyManager, RotationType};
use keyreeve_domain::{KeyId, KeyMaterialId, Region, Timestamp};
use keyreeve_store::Snapshot;

use crate::bracket::{Trail, TrailError};
use crate::commit::Draft;
use crate::cx::Service;
use crate::grants::GrantRecord;
use crate::record::{AliasRecord, IndexRecord, MaterialRecord, Rotated};
use crate::ring::OpenKey;
use crate::service_event::Materials;
use crate::space::{self, DUE_PREFIX, Task};
use crate::vault::VaultError;

/// A task could not be done. The next run tries again.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DueError {
    /// The trail cannot be written, so nothing was done.
    #[error(transparent)]
    Trail(#[from] TrailError),
    /// The store failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

const PAGE: NonZeroUsize = NonZeroUsize::new(100).unwrap();
/// Grants of one batch; each is up to four writes. With the aliases and what else a key has they fit one batch.
const GRANTS: NonZeroUsize = NonZeroUsize::new(15).unwrap();
/// Aliases of one batch; each is two writes.
const ALIASES: NonZeroUsize = NonZeroUsize::new(25).unwrap();

impl Service {
    /// Does everything that is due at `now`, and returns how many tasks that were.
    ///
    /// # Errors
    /// The first failure. A damaged record holds up no other task; where the trail or the store fails, the run ends.
    pub async fn run_due(&self, trail: &dyn Trail, now: Timestamp) -> Result<usize, DueError> {
        self.destroy_import_keys(now).await?;
        let mut done = 0;
        let mut failed = None;
        let mut after = None;
        loop {
            let snapshot = self.vault().snapshot().await?;
            // The path says everything, and the task looks at the key itself: an entry is not opened.
            let page = snapshot.range(DUE_PREFIX, after.as_ref(), PAGE).await.map_err(VaultError::from)?;
            for (path, _) in &page.entries {
                let Some(due) = space::read_due(path) else { continue };
                if due.0 > now {
                    return failed.map_or(Ok(done), Err);
                }
                match self.run_task(trail, now, due).await {
                    Ok(was_done) => done += usize::from(was_done),
                    Err(error @ DueError::Vault(VaultError::Damaged(_))) => failed = failed.or(Some(error)),
                    Err(error) => return Err(error),
                }
            }
            after = page.entries.into_iter().next_back().map(|(path, _)| path).filter(|_| page.more);
            if after.is_none() {
                return failed.map_or(Ok(done), Err);
            }
        }
    }

    /// One task; whether it was still to be done and is done now.
    async fn run_task(
        &self,
        trail: &dyn Trail,
        now: Timestamp,
        (at, task, region, key): (Timestamp, Task, Region, KeyId),
    ) -> Result<bool, DueError> {
        let snapshot = self.vault().snapshot().await?;
        let Some(open) = self.key_at(&*snapshot, region, key).await? else { return Ok(false) };
        if open.record().due() != Some((at, task)) {
            return Ok(false);
        }
        if task == Task::HandOver {
            return Ok(self.hand_over(region, key, now).await?);
        }
        // ORDER: the trail first. A process that dies between the two leaves a record of what was about to happen, and
        // the next run does it and says so again.
        if task == Task::Delete {
            trail.append(self.key_event("DeleteKey", &[], now, open.arn())?).await?;
        }
        let mut whole = false;
        while !whole {
            let draft = match task {
                Task::Delete => {
                    let draft;
                    (draft, whole) = self.draft_deletion(&open, now).await?;
                    draft
                }
                Task::Expire => {
                    whole = true;
                    let (draft, expired) = self.draft_expiry(&*snapshot, &open, now).await?;
                    for material in expired {
                        trail.append(self.expiry_event(open.arn(), material, now)?).await?;
                    }
                    draft
                }
                Task::HandOver => return Ok(false),
                Task::Rotate => {
                    whole = true;
                    let (draft, materials) = self.draft_rotation(&*snapshot, &open, now).await?;
                    let origin = open.record().origin;
                    let event =
                        self.rotation_event(open.arn(), origin, RotationType::Automatic, materials, now)?;
                    trail.append(event).await?;
                    draft
                }
            };
            if let Some(primary) = draft.synchronizes() {
                trail.append(self.synchronization_event(primary, now)?).await?;
            }
            match self.commit(draft).await {
                Ok(()) => {}
                // Somebody else was faster, with this task or with a change that leaves it to the next run.
                Err(VaultError::Contended) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        if task == Task::Delete && open.record().manager == KeyManager::Customer {
            self.ring().release(open.arn().account, region);
        }
        Ok(true)
    }

    /// Removes grants of the key with their index entries; whether there are more than a batch takes.
    async fn draft_grants(
        &self,
        snapshot: &dyn Snapshot,
        open: &OpenKey,
        draft: &mut Draft<'_>,
    ) -> Result<bool, VaultError> {
        let arn = open.arn();
        let prefix = space::grants_prefix(arn.region, arn.key);
        let (grants, more) = self.vault().range::<GrantRecord>(snapshot, &prefix, None, GRANTS).await?;
        for (_, grant) in &grants {
            draft.remove_grant(arn, grant)?;
        }
        Ok(more)
    }

    /// Removes the key, its wrapped material, policy, aliases, usage and index entries; whether that is all, or some
    /// aliases of many, and another draft is to follow.
    async fn draft_deletion(&self, open: &OpenKey, now: Timestamp) -> Result<(Draft<'_>, bool), VaultError> {
        let arn = *open.arn();
        let snapshot = self.vault().snapshot().await?;
        let mut draft = Draft::new(self.vault());
        let prefix = space::named_prefix(arn.region, arn.key);
        let (named, more) = self.vault().range::<IndexRecord>(&*snapshot, &prefix, None, ALIASES).await?;
        for (path, _) in named {
            if let Some(alias) = space::last_part(&prefix, &path).and_then(|alias| alias.parse().ok()) {
                let alias = space::alias(arn.account, arn.region, &alias)?;
                // An alias that is given to another key meanwhile is that key's.
                let held = self.vault().read::<AliasRecord>(&*snapshot, &alias).await?;
                if let Some(held) = held.filter(|held| held.record.target == arn.key) {
                    draft.delete(&alias, held.version);
                }
            }
            draft.unindex(&path);
        }
        let key = space::key(arn.region, arn.key)?;
        let more = self.draft_grants(&*snapshot, open, &mut draft).await? || more;
        if more {
            // More aliases or grants than a batch takes: these first; the task stays due.
            draft.require(&key, Some(open.version()));
            return Ok((draft, false));
        }
        self.draft_replica_gone(&*snapshot, open, now, &mut draft).await?;
        draft.delete(&key, open.version());
        draft.unindex(&space::owned(arn.account, arn.region, arn.key)?);
        if let Some((at, task)) = open.record().due() {
            draft.unindex(&space::due(at, task, arn.region, arn.key)?);
        }
        for path in [space::policy(arn.region, arn.key)?, space::usage(arn.region, arn.key)?] {
            draft.unindex(&path);
        }
        Ok((draft, true))
    }

    /// Removes the imported material that is no longer valid.
    async fn draft_expiry(
        &self,
        snapshot: &dyn Snapshot,
        open: &OpenKey,
        now: Timestamp,
    ) -> Result<(Draft<'_>, Vec<KeyMaterialId>), VaultError> {
        let mut record = open.record().clone();
        let is_over = |material: &MaterialRecord| material.valid_to().is_some_and(|valid_to| valid_to <= now);
        let held = record.materials.iter().chain(record.pending.as_deref());
        let expired = held.filter(|material| is_over(material)).map(|material| material.id).collect();
        for material in record.materials.iter_mut().filter(|material| is_over(material)) {
            material.remove();
        }
        record.drop_pending(is_over);
        let mut draft = Draft::new(self.vault());
        draft.replace_key(self, snapshot, open, &record).await?;
        Ok((draft, expired))
    }

    async fn draft_rotation(
        &self,
        snapshot: &dyn Snapshot,
        open: &OpenKey,
        now: Timestamp,
    ) -> Result<(Draft<'_>, Materials), VaultError> {
        let mut record = open.record().clone();
        let mut material = self.vault().make_material(open.arn(), &record)?;
        let materials =
            Materials { previous: record.materials.last().map(|last| last.id), current: material.id };
        material.rotated = Some(Rotated { at: now, by: RotationType::Automatic });
        record.materials.push(material);
        if let Some(rotation) = &mut record.rotation {
            let next = rotation.next.plus_days(rotation.period_days);
            // A service that was off for longer than a period rotates once, not once for each that it missed.
            rotation.next = if next > now { next } else { now.plus_days(rotation.period_days) };
        }
        let mut draft = Draft::new(self.vault());
        draft.replace_key(self, snapshot, open, &record).await?;
        Ok((draft, materials))
    }
}
