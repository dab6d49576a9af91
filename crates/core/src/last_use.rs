//! When access keys and roles were last used, for which service and in which Region.
//!
//! To the minute, as IAM has it. Every request that was signed well counts, refused ones too. A credential remembers what it
//! noted last, so that most requests cost a comparison; the rest is kept in memory and written to the store in batches. What was
//! not yet written when a process is killed is lost; the trail has it.

use core::hash::{Hash as _, Hasher as _};
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::HashMap;
use std::hash::DefaultHasher;

use keyreeve_domain::{Region, Timestamp};
use keyreeve_store::{Path, Snapshot};
use minicbor::{Decode, Encode};
use parking_lot::Mutex;

use crate::caller::{Caller, Principal};
use crate::commit::Draft;
use crate::credential::Credential;
use crate::cx::Service;
use crate::identity::space as identity;
use crate::record::record;
use crate::space::{self, SpaceError};
use crate::vault::VaultError;

record! { LastUseRecord = 25 }

/// The last use of an access key or a role.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct LastUseRecord {
    /// The minute of it.
    #[n(0)]
    #[cbor(with = "crate::record::millis")]
    pub at: Timestamp,
    /// The service that was called, as signatures name it: `kms`.
    #[n(1)]
    pub service: String,
    /// The Region that was called.
    #[n(2)]
    #[cbor(with = "crate::record::text")]
    pub region: Region,
}

/// What is used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Used<'a> {
    /// The long-term access key with this id.
    AccessKey(&'a str),
    /// The role with this unique id, by one of its sessions.
    Role(&'a str),
}

impl<'a> Used<'a> {
    /// What a request of `caller` uses: an access key or a role. No other session does either.
    fn of(caller: &'a Caller) -> Option<Self> {
        match caller.principal() {
            Principal::Role(role) => Some(Self::Role(&role.id)),
            Principal::FederatedUser(_)
            | Principal::Root
            | Principal::Service(_)
            | Principal::User(_)
            | Principal::WebIdentity(_) => {
                let id = Some(caller.access_key_id()).filter(|id| !id.is_empty());
                id.filter(|_| caller.session().is_none()).map(Self::AccessKey)
            }
        }
    }

    /// Where its last use stands.
    ///
    /// # Errors
    /// Where the id is longer than the store takes.
    pub fn path(self) -> Result<Path, SpaceError> {
        match self {
            Self::AccessKey(id) => space::access_key_use(id),
            Self::Role(id) => space::role_use(id),
        }
    }

    /// What must be there for a last use to be.
    fn holder(self) -> Result<Path, SpaceError> {
        match self {
            Self::AccessKey(id) => space::credential(id),
            Self::Role(id) => identity::unique(id),
        }
    }

    fn name(self) -> Name {
        match self {
            Self::AccessKey(id) => (false, id.into()),
            Self::Role(id) => (true, id.into()),
        }
    }
}

/// Whether it is a role, and the id.
type Name = (bool, Box<str>);

fn used((is_role, id): &Name) -> Used<'_> {
    if *is_role { Used::Role(id) } else { Used::AccessKey(id) }
}

/// What a credential noted last; a guess at what need not be noted again.
#[derive(Default)]
pub(crate) struct Noted(AtomicU64);

/// The uses that are kept in memory, at most. What is beyond that is noted after the next write to the store.
const MOST: usize = 100_000;
/// Records of one batch; each is one write and two preconditions.
const BATCH: usize = 50;
const MINUTE_MILLIS: i64 = 60_000;

/// The last uses since the last write to the store.
#[derive(Default)]
pub(crate) struct LastUses {
    held: Mutex<HashMap<Name, LastUseRecord>>,
}

impl LastUses {
    /// Notes a use; whether there was room.
    fn note(&self, used: Used<'_>, record: LastUseRecord) -> bool {
        let mut held = self.held.lock();
        let name = used.name();
        // A request that took long to come notes a time that has passed.
        if held.get(&name).is_some_and(|held| held.at > record.at) {
            return true;
        }
        let has_room = held.len() < MOST || held.contains_key(&name);
        if has_room {
            held.insert(name, record);
        }
        has_room
    }

    fn last(&self, used: Used<'_>) -> Option<LastUseRecord> {
        self.held.lock().get(&used.name()).cloned()
    }

    fn all(&self) -> Vec<(Name, LastUseRecord)> {
        self.held.lock().iter().map(|(name, record)| (name.clone(), record.clone())).collect()
    }

    /// Drops what was written, where nothing newer was noted meanwhile.
    fn written(&self, batch: &[(Name, LastUseRecord)]) {
        let mut held = self.held.lock();
        for (name, record) in batch {
            if held.get(name) == Some(record) {
                held.remove(name);
            }
        }
    }
}

impl Service {
    /// Notes that a request in `region` was signed for `service` with `credential`.
    pub fn note_use(&self, credential: &Credential, service: &str, region: Region, now: Timestamp) {
        let minute = now.millis().div_euclid(MINUTE_MILLIS);
        let mut hasher = DefaultHasher::new();
        (minute, service, region).hash(&mut hasher);
        let seen = hasher.finish();
        let Noted(noted) = credential.noted();
        if noted.load(Ordering::Relaxed) != seen
            && self.note_use_by(credential.caller(), service, region, now)
        {
            noted.store(seen, Ordering::Relaxed);
        }
    }

    /// Notes that `caller` called `service` in `region`; whether there was room.
    pub fn note_use_by(&self, caller: &Caller, service: &str, region: Region, now: Timestamp) -> bool {
        let minute = now.millis().div_euclid(MINUTE_MILLIS);
        let at = Timestamp::from_millis(minute.saturating_mul(MINUTE_MILLIS));
        let record = LastUseRecord { at, service: service.to_owned(), region };
        Used::of(caller).is_none_or(|used| self.last_uses().note(used, record))
    }

    /// The last use, as far as it is known.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn last_use(
        &self,
        snapshot: &dyn Snapshot,
        used: Used<'_>,
    ) -> Result<Option<LastUseRecord>, VaultError> {
        if let Some(last) = self.last_uses().last(used) {
            return Ok(Some(last));
        }
        let read = self.vault().read::<LastUseRecord>(snapshot, &used.path()?).await?;
        Ok(read.map(|read| read.record))
    }

    /// Writes the noted uses to the store. What cannot be written stays noted.
    pub(crate) async fn flush_last_uses(&self) -> Result<(), VaultError> {
        for batch in self.last_uses().all().chunks(BATCH) {
            match self.write_last_uses(batch).await {
                Ok(()) => self.last_uses().written(batch),
                // One of them was changed meanwhile.
                Err(VaultError::Contended) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn write_last_uses(&self, batch: &[(Name, LastUseRecord)]) -> Result<(), VaultError> {
        let snapshot = self.vault().snapshot().await?;
        let mut draft = Draft::new(self.vault());
        for (name, record) in batch {
            let used = used(name);
            // What was deleted since, or is deleted meanwhile, leaves no last use behind.
            let of = used.holder()?;
            let Some(held) = snapshot.get(&of).await? else { continue };
            let path = used.path()?;
            let seen = snapshot.get(&path).await?.map(|entry| entry.version);
            draft.require(&of, Some(held.version));
            draft.put(&path, seen, record)?;
        }
        if draft.is_empty() { Ok(()) } else { self.commit(draft).await }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(minute: i64) -> LastUseRecord {
        let at = Timestamp::from_millis(minute * MINUTE_MILLIS);
        LastUseRecord { at, service: "kms".into(), region: "us-east-1".parse().unwrap() }
    }

    #[test]
    fn what_is_used_while_it_is_written_stays_noted() {
        let uses = LastUses::default();
        let key = Used::AccessKey("AKIA");
        assert!(uses.note(key, record(1)) && uses.note(Used::Role("AKIA"), record(2)));
        let all = uses.all();
        uses.note(key, record(3));
        uses.written(&all);
        assert_eq!((uses.last(key), uses.last(Used::Role("AKIA"))), (Some(record(3)), None));
    }

    #[test]
    fn no_more_uses_are_kept_than_there_is_room_for() {
        let uses = LastUses::default();
        for id in 0..MOST {
            assert!(uses.note(Used::AccessKey(&id.to_string()), record(1)));
        }
        assert!(!uses.note(Used::AccessKey("another"), record(1)));
        assert!(uses.note(Used::AccessKey("7"), record(2)));
        assert_eq!((uses.all().len(), uses.last(Used::AccessKey("7"))), (MOST, Some(record(2))));
    }
}
