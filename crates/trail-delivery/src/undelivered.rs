//! A trail that is looked up, and not delivered.

use std::sync::Arc;

use keyreeve_domain::{AccountId, Timestamp};
use keyreeve_observe::archive::{Archive, Found, Object, ObjectInfo, PublicKey, Reply, Status, Wanted};

use crate::folder::blocking;
use crate::index::{Index, Query};

/// A trail that is looked up, and not delivered: there are no files, and no keys that sign them.
pub struct Undelivered {
    index: Arc<Index>,
    since: Timestamp,
    why: String,
}

impl Undelivered {
    /// The trail of `index`, which began at `since`; `why` nothing is delivered.
    #[must_use]
    pub fn new(index: Arc<Index>, since: Timestamp, why: &str) -> Self {
        Self { index, since, why: why.to_owned() }
    }
}

impl Archive for Undelivered {
    fn lookup(&self, wanted: Wanted) -> Reply<'_, Vec<Found>> {
        let index = Arc::clone(&self.index);
        blocking(move || index.find(&Query::of(wanted)))
    }

    fn list(&self, _prefix: String, _after: String, _limit: usize) -> Reply<'_, Vec<ObjectInfo>> {
        Box::pin(core::future::ready(Ok(Vec::new())))
    }

    fn object(&self, _key: String) -> Reply<'_, Option<Object>> {
        Box::pin(core::future::ready(Ok(None)))
    }

    fn public_keys(&self) -> Vec<PublicKey> {
        Vec::new()
    }

    fn status(&self, _account: AccountId) -> Status {
        Status { started: Some(self.since), delivered: None, digested: None, error: Some(self.why.clone()) }
    }
}
