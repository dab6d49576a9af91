//! A store that lets others go first.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use keyreeve_store::{
    Batch, CommitError, Lease, LeaseError, LeaseId, LeaseRequest, ReadError, Revision, Snapshot, Store,
    StoreFuture, Watch, WatchError,
};

/// A store whose snapshots and commits stop once before they begin, while it is told so: a future that uses it can be
/// driven step by step.
#[derive(Clone)]
pub struct StepStore<S> {
    inner: S,
    stepping: Arc<AtomicBool>,
}

impl<S: Store> StepStore<S> {
    /// A store over `inner` that stops nowhere yet.
    pub fn new(inner: S) -> Self {
        Self { inner, stepping: Arc::default() }
    }

    /// Whether snapshots and commits stop from now on.
    pub fn set_stepping(&self, stepping: bool) {
        self.stepping.store(stepping, Ordering::SeqCst);
    }

    async fn step(&self) {
        let mut stopped = !self.stepping.load(Ordering::SeqCst);
        poll_fn(|cx| {
            if stopped {
                return Poll::Ready(());
            }
            stopped = true;
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

impl<S: Store> Store for StepStore<S> {
    fn snapshot(&self) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        Box::pin(async move {
            self.step().await;
            self.inner.snapshot().await
        })
    }

    fn snapshot_at(&self, revision: Revision) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        self.inner.snapshot_at(revision)
    }

    fn commit(&self, batch: Batch) -> StoreFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async move {
            self.step().await;
            self.inner.commit(batch).await
        })
    }

    fn watch(&self, after: Revision) -> StoreFuture<'_, Result<Box<dyn Watch>, WatchError>> {
        self.inner.watch(after)
    }

    fn acquire_lease(&self, request: LeaseRequest) -> StoreFuture<'_, Result<Lease, LeaseError>> {
        self.inner.acquire_lease(request)
    }

    fn release_lease(&self, lease: LeaseId) -> StoreFuture<'_, Result<(), LeaseError>> {
        self.inner.release_lease(lease)
    }
}
