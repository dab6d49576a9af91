//! When a key was last used.
//!
//! Kept in memory and written to the store in batches: coarse, and never a write on the path of a request. What was not
//! yet written when a process is killed is lost; the trail has it.

use std::collections::HashMap;

use keyreeve_audit::event::Uuid;
use keyreeve_domain::spec::KeyLastUsageOperation;
use keyreeve_domain::{KeyId, Region, Timestamp};
use parking_lot::Mutex;

use crate::commit::Draft;
use crate::cx::Service;
use crate::record::UsageRecord;
use crate::space;
use crate::vault::VaultError;

/// One use.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// The operation.
    pub operation: KeyLastUsageOperation,
    /// When.
    pub at: Timestamp,
    /// The event in the trail.
    pub event_id: Uuid,
    /// The request.
    pub request_id: Uuid,
}

const SHARDS: usize = 16;
/// Records of one batch; each is one write and two preconditions.
const BATCH: usize = 50;

/// The last use of each key since the last write to the store.
#[derive(Default)]
pub struct UsageLog {
    shards: [Mutex<HashMap<(Region, KeyId), Use>>; SHARDS],
}

impl UsageLog {
    /// Notes a successful use.
    pub fn note(&self, region: Region, key: KeyId, used: Use) {
        self.shard(key).lock().insert((region, key), used);
    }

    /// The last use that is not yet in the store.
    #[must_use]
    pub fn last(&self, region: Region, key: KeyId) -> Option<Use> {
        self.shard(key).lock().get(&(region, key)).copied()
    }

    fn drain(&self) -> Vec<((Region, KeyId), Use)> {
        self.shards.iter().flat_map(|shard| std::mem::take(&mut *shard.lock())).collect()
    }

    fn restore(&self, region: Region, key: KeyId, used: Use) {
        self.shard(key).lock().entry((region, key)).or_insert(used);
    }

    fn shard(&self, key: KeyId) -> &Mutex<HashMap<(Region, KeyId), Use>> {
        // The bits of a key id are random. A multi-Region key has the same ones in each Region.
        let [bits, ..] = key.bits();
        let at = usize::from(*bits) % SHARDS;
        let [first, rest @ ..] = &self.shards;
        at.checked_sub(1).and_then(|at| rest.get(at)).unwrap_or(first)
    }
}

impl Service {
    /// Writes the noted uses of KMS keys, access keys and roles to the store. What cannot be written stays noted.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn flush_usage(&self) -> Result<(), VaultError> {
        let of_keys = self.flush_key_usage().await;
        of_keys.and(self.flush_last_uses().await)
    }

    async fn flush_key_usage(&self) -> Result<(), VaultError> {
        let noted = self.usage().drain();
        let mut failed = None;
        for batch in noted.chunks(BATCH) {
            let written = if failed.is_none() { self.write_usage(batch).await } else { Ok(false) };
            if !matches!(written, Ok(true)) {
                batch.iter().for_each(|((region, key), used)| self.usage().restore(*region, *key, *used));
            }
            failed = failed.or(written.err().filter(|error| *error != VaultError::Contended));
        }
        failed.map_or(Ok(()), Err)
    }

    async fn write_usage(&self, batch: &[((Region, KeyId), Use)]) -> Result<bool, VaultError> {
        let snapshot = self.vault().snapshot().await?;
        let mut draft = Draft::new(self.vault());
        for ((region, key), used) in batch {
            // A key that was deleted since, or is deleted meanwhile, leaves no record behind.
            let of = space::key(*region, *key)?;
            let Some(held) = snapshot.get(&of).await? else { continue };
            draft.require(&of, Some(held.version));
            let path = space::usage(*region, *key)?;
            let seen = snapshot.get(&path).await?.map(|entry| entry.version);
            let record = UsageRecord {
                operation: used.operation,
                at: used.at,
                event_id: used.event_id.as_str().to_owned(),
                request_id: used.request_id.as_str().to_owned(),
            };
            draft.put(&path, seen, &record)?;
        }
        if draft.is_empty() {
            return Ok(true);
        }
        self.commit(draft).await.map(|()| true)
    }
}
