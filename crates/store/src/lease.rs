//! Leases: which node does a job, and hints of who is alive.
//!
//! A lease never decides on its own that a write is safe: the batches of a job carry the [`LeaseId`], and the store
//! refuses those whose lease has passed to another. Expiry only decides when another may take it.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use crate::{LeaseError, Path};

/// A grant of a lease: its name and its fencing number.
///
/// INVARIANT: of two grants of one name, the later has the greater number, across restarts of the store.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct LeaseId {
    name: Path,
    fence: u64,
}

impl LeaseId {
    /// The grant of `name` with this fencing number. For implementations of a store.
    pub fn new(name: Path, fence: u64) -> Self {
        Self { name, fence }
    }

    /// What the lease is about.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// The fencing number: effects outside the store carry it, so that a late holder's can be told from its successor's.
    pub fn fence(&self) -> u64 {
        self.fence
    }
}

/// A lease that is held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// The grant.
    pub id: LeaseId,
    /// Until when, on the clock of [`LeaseRequest::now`], it is held without a renewal.
    pub expires: Duration,
}

/// A wish to hold a lease, or to hold it on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeaseRequest {
    /// What the lease is about.
    pub name: Path,
    /// Who asks. A holder that asks again before its lease expires keeps the grant and its fencing number.
    pub holder: Bytes,
    /// For how long. An implementation may round it up to its own resolution.
    pub ttl: Duration,
    /// The reading, now, of a clock that never goes back; its origin is the caller's, the same for every call on a store.
    /// A store with a clock of its own does not use it but to answer [`Lease::expires`].
    pub now: Duration,
}

/// The book of leases of a store that lives in one process.
#[derive(Debug, Default)]
pub struct Leases {
    held: HashMap<Path, Held>,
    last_fence: u64,
}

#[derive(Debug)]
struct Held {
    holder: Bytes,
    fence: u64,
    expires: Duration,
}

impl Leases {
    /// An empty book; the first grant has the number after `last_fence`.
    pub fn after(last_fence: u64) -> Self {
        Self { held: HashMap::new(), last_fence }
    }

    /// The greatest fencing number given so far.
    pub fn last_fence(&self) -> u64 {
        self.last_fence
    }

    /// Grant or renew. A store that promises fencing numbers across restarts keeps [`Leases::last_fence`] before it answers.
    ///
    /// # Errors
    /// [`LeaseError::Held`] while another holds the lease.
    pub fn acquire(&mut self, request: &LeaseRequest) -> Result<Lease, LeaseError> {
        let expires = request.now.saturating_add(request.ttl);
        let alive = self.held.get_mut(&request.name).filter(|held| held.expires > request.now);
        let fence = match alive {
            Some(held) if held.holder == request.holder => {
                held.expires = expires;
                held.fence
            }
            Some(_) => return Err(LeaseError::Held),
            None => {
                self.last_fence = self.last_fence.saturating_add(1);
                let held = Held { holder: request.holder.clone(), fence: self.last_fence, expires };
                self.held.insert(request.name.clone(), held);
                self.last_fence
            }
        };
        Ok(Lease { id: LeaseId::new(request.name.clone(), fence), expires })
    }

    /// Let go of a lease, if it is still this grant.
    pub fn release(&mut self, lease: &LeaseId) {
        if self.is_current(lease) {
            self.held.remove(lease.name());
        }
    }

    /// Whether this grant is the last of its name and was not released.
    pub fn is_current(&self, lease: &LeaseId) -> bool {
        self.held.get(lease.name()).is_some_and(|held| held.fence == lease.fence())
    }
}
