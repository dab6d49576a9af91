//! When imported key material expires.

use core::num::NonZeroUsize;

use keyreeve_domain::{KeyArn, Timestamp};
use keyreeve_store::Revision;

use crate::cx::Service;
use crate::record::KeyRecord;
use crate::space::{self, DUE_PREFIX, Task};
use crate::vault::{VaultError, Versioned};

const PAGE: NonZeroUsize = NonZeroUsize::new(500).unwrap();

/// The keys whose material expires, and when the first of it does; as the store had it at a revision.
#[derive(Clone, Debug, Default)]
pub struct Expirations {
    revision: Option<Revision>,
    keys: Vec<(KeyArn, Timestamp)>,
}

impl Expirations {
    /// The keys, and how many seconds are left at `now`.
    pub fn left(&self, now: Timestamp) -> impl Iterator<Item = (KeyArn, u64)> {
        self.keys.iter().filter_map(move |(arn, at)| {
            let millis = u64::try_from(at.millis_since(now)).ok()?;
            Some((*arn, millis / 1000))
        })
    }
}

impl Service {
    /// The keys whose material expires, as the store has them now; `known`, where nothing has changed since.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn expirations(&self, known: Expirations) -> Result<Expirations, VaultError> {
        let snapshot = self.vault().snapshot().await?;
        let revision = snapshot.revision();
        if known.revision == Some(revision) {
            return Ok(known);
        }
        let mut keys = Vec::new();
        let mut after = None;
        loop {
            let page = snapshot.range(DUE_PREFIX, after.as_ref(), PAGE).await?;
            for (path, _) in &page.entries {
                let Some((at, Task::Expire, region, key)) = space::read_due(path) else { continue };
                let path = space::key(region, key)?;
                let held: Option<Versioned<KeyRecord>> = match self.vault().read(&*snapshot, &path).await {
                    // It is told of where the key is used; the others are told apart from it here.
                    Err(VaultError::Damaged(_)) => None,
                    held => held?,
                };
                keys.extend(held.map(|held| (KeyArn { region, account: held.record.account, key }, at)));
            }
            after = page.entries.into_iter().next_back().map(|(path, _)| path).filter(|_| page.more);
            if after.is_none() {
                return Ok(Expirations { revision: Some(revision), keys });
            }
        }
    }
}
