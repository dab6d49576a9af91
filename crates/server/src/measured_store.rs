//! A store whose commits are measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use keyreeve_core::distribution::Distribution;
use keyreeve_store::{
    Batch, CommitError, Lease, LeaseError, LeaseId, LeaseRequest, ReadError, Revision, Snapshot, Store,
    StoreFuture, Watch, WatchError,
};

/// Microseconds of a commit, as they are told apart; in groups, so each waits for the disk once or twice.
const MICROS: &[u64] =
    &[100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000];

/// What was committed since the service was started.
pub(crate) struct StoreCounts {
    micros: Arc<Distribution>,
    failures: AtomicU64,
}

impl Default for StoreCounts {
    fn default() -> Self {
        Self { micros: Arc::new(Distribution::new(MICROS)), failures: AtomicU64::new(0) }
    }
}

impl StoreCounts {
    /// Microseconds of each commit, failed ones too.
    pub(crate) fn micros(&self) -> Arc<Distribution> {
        Arc::clone(&self.micros)
    }

    /// Commits that the store refused, or did not tell the outcome of. A lost race is none of them.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}

/// A store whose commits are measured.
pub(crate) struct Measured<S> {
    pub(crate) store: S,
    pub(crate) counts: Arc<StoreCounts>,
}

impl<S: Store> Store for Measured<S> {
    fn snapshot(&self) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        self.store.snapshot()
    }

    fn snapshot_at(&self, revision: Revision) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        self.store.snapshot_at(revision)
    }

    fn commit(&self, batch: Batch) -> StoreFuture<'_, Result<Revision, CommitError>> {
        let began = Instant::now();
        // A batch is on its way once this was called, whether anybody waits for it or not.
        let committed = self.store.commit(batch);
        Box::pin(async move {
            let outcome = committed.await;
            self.counts.micros.count(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
            match &outcome {
                Ok(_) | Err(CommitError::Conflict(_) | CommitError::LeaseLost) => {}
                Err(CommitError::Refused(_) | CommitError::Unknown(_)) => {
                    self.counts.failures.fetch_add(1, Ordering::Relaxed);
                }
            }
            outcome
        })
    }

    fn watch(&self, after: Revision) -> StoreFuture<'_, Result<Box<dyn Watch>, WatchError>> {
        self.store.watch(after)
    }

    fn acquire_lease(&self, request: LeaseRequest) -> StoreFuture<'_, Result<Lease, LeaseError>> {
        self.store.acquire_lease(request)
    }

    fn release_lease(&self, lease: LeaseId) -> StoreFuture<'_, Result<(), LeaseError>> {
        self.store.release_lease(lease)
    }
}
