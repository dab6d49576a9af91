//! A store that fails on demand, for the tests of the layers above.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::{
    Batch, CommitError, Lease, LeaseError, LeaseId, LeaseRequest, ReadError, Refusal, Revision, Snapshot,
    Store, StoreFault, StoreFuture, Watch, WatchError,
};

/// What happens to one commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CommitFault {
    /// It answers a conflict on the first path it speaks of, without having taken effect: a lost race.
    Conflict,
    /// It is refused, and has no effect.
    Refuse(Refusal),
    /// It takes effect if it can, and answers [`CommitError::Unknown`].
    UnknownAfter,
    /// It has no effect, and answers [`CommitError::Unknown`].
    UnknownBefore,
}

/// A store whose commits and reads fail as planned; all else passes through. Cloning shares the plan.
#[derive(Clone, Debug)]
pub struct FaultyStore<S> {
    inner: Arc<S>,
    plan: Arc<Plan>,
}

#[derive(Debug, Default)]
struct Plan {
    commits: AtomicU64,
    commit_faults: Mutex<BTreeMap<u64, CommitFault>>,
    all_commits: Mutex<Option<CommitFault>>,
    reads: Mutex<Option<StoreFault>>,
}

impl<S: Store> FaultyStore<S> {
    /// A store over `inner` with nothing planned.
    pub fn new(inner: S) -> Self {
        Self { inner: Arc::new(inner), plan: Arc::default() }
    }

    /// The store below, where nothing fails.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// The commits asked for so far.
    pub fn commits(&self) -> u64 {
        self.plan.commits.load(Ordering::SeqCst)
    }

    /// Let the commit fail that comes after `skip` others from now: 0 is the next.
    pub fn fail_commit(&self, skip: u64, fault: CommitFault) {
        self.plan.commit_faults.lock().insert(self.commits().saturating_add(skip), fault);
    }

    /// Let every commit fail so, until this is called with nothing. A commit planned alone goes its own way.
    pub fn fail_commits(&self, fault: Option<CommitFault>) {
        *self.plan.all_commits.lock() = fault;
    }

    /// Let every snapshot, watch and lease that is asked for fail, until this is called with nothing. Snapshots and
    /// watches that exist go on.
    pub fn fail_reads(&self, fault: Option<StoreFault>) {
        *self.plan.reads.lock() = fault;
    }

    fn next_commit(&self) -> Option<CommitFault> {
        let number = self.plan.commits.fetch_add(1, Ordering::SeqCst);
        let own = self.plan.commit_faults.lock().remove(&number);
        own.or(*self.plan.all_commits.lock())
    }

    /// Nothing fails from now on.
    pub fn heal(&self) {
        self.plan.commit_faults.lock().clear();
        *self.plan.all_commits.lock() = None;
        *self.plan.reads.lock() = None;
    }

    fn read_fault(&self) -> Option<StoreFault> {
        *self.plan.reads.lock()
    }
}

impl<S: Store> Store for FaultyStore<S> {
    fn snapshot(&self) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        match self.read_fault() {
            None => self.inner.snapshot(),
            Some(fault) => Box::pin(ready(Err(fault.into()))),
        }
    }

    fn snapshot_at(&self, revision: Revision) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        match self.read_fault() {
            None => self.inner.snapshot_at(revision),
            Some(fault) => Box::pin(ready(Err(fault.into()))),
        }
    }

    fn commit(&self, batch: Batch) -> StoreFuture<'_, Result<Revision, CommitError>> {
        let failed = match self.next_commit() {
            None => return self.inner.commit(batch),
            Some(CommitFault::Conflict) => {
                let read = batch.preconditions().first().map(|each| each.path());
                match read.or(batch.writes().first().map(|each| each.path())) {
                    Some(path) => CommitError::Conflict(path.clone()),
                    None => CommitError::Unknown(StoreFault::Timeout),
                }
            }
            Some(CommitFault::Refuse(refusal)) => CommitError::Refused(refusal),
            Some(CommitFault::UnknownAfter) => {
                return Box::pin(async move {
                    // Whatever the answer was, nobody hears it.
                    drop(self.inner.commit(batch).await);
                    Err(CommitError::Unknown(StoreFault::Timeout))
                });
            }
            Some(CommitFault::UnknownBefore) => CommitError::Unknown(StoreFault::Timeout),
        };
        Box::pin(ready(Err(failed)))
    }

    fn watch(&self, after: Revision) -> StoreFuture<'_, Result<Box<dyn Watch>, WatchError>> {
        match self.read_fault() {
            None => self.inner.watch(after),
            Some(fault) => Box::pin(ready(Err(fault.into()))),
        }
    }

    fn acquire_lease(&self, request: LeaseRequest) -> StoreFuture<'_, Result<Lease, LeaseError>> {
        match self.read_fault() {
            None => self.inner.acquire_lease(request),
            Some(fault) => Box::pin(ready(Err(fault.into()))),
        }
    }

    fn release_lease(&self, lease: LeaseId) -> StoreFuture<'_, Result<(), LeaseError>> {
        match self.read_fault() {
            None => self.inner.release_lease(lease),
            Some(fault) => Box::pin(ready(Err(fault.into()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Path;
    use crate::conformance::block_on;
    use crate::memory::MemoryStore;

    #[test]
    fn the_planned_commit_fails_and_no_other() {
        let store = FaultyStore::new(MemoryStore::default());
        let path = Path::try_from("a").unwrap();
        let put = || block_on(store.commit(Batch::builder().put(path.clone(), "1").build().unwrap()));
        let version = || {
            let snapshot = block_on(store.inner().snapshot()).unwrap();
            block_on(snapshot.get(&path)).unwrap().map_or(0, |entry| entry.version.get())
        };
        for (fault, answer, takes_effect) in [
            (CommitFault::Conflict, CommitError::Conflict(path.clone()), false),
            (CommitFault::Refuse(Refusal::Full), CommitError::Refused(Refusal::Full), false),
            (CommitFault::UnknownBefore, CommitError::Unknown(StoreFault::Timeout), false),
            (CommitFault::UnknownAfter, CommitError::Unknown(StoreFault::Timeout), true),
        ] {
            store.fail_commit(1, fault);
            let before = version();
            assert!(put().is_ok(), "{fault:?}");
            assert_eq!(put(), Err(answer), "{fault:?}");
            assert_eq!(version(), before + 1 + u64::from(takes_effect), "{fault:?}");
            assert!(put().is_ok(), "{fault:?}");
        }
        store.fail_commits(Some(CommitFault::Refuse(Refusal::ReadOnly)));
        assert_eq!(put(), Err(CommitError::Refused(Refusal::ReadOnly)));
        store.fail_commits(None);
        assert!(put().is_ok());
        store.fail_reads(Some(StoreFault::Disconnected));
        assert!(block_on(store.snapshot()).is_err());
        assert_eq!(store.commits(), 14);
    }
}
