//! A store that lets others go first.

use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use keyreeve_store::{
    Batch, CommitError, Entry, Lease, LeaseError, LeaseId, LeaseRequest, Page, Path, ReadError, Revision,
    Snapshot, Store, StoreFuture, Watch, WatchError,
};

/// A store whose snapshots and commits stop once before they begin, while it is told so: a future that uses it can be
/// driven step by step.
#[derive(Clone)]
pub struct StepStore<S> {
    inner: S,
    stepping: Arc<AtomicBool>,
    lingering: Arc<AtomicBool>,
}

impl<S: Store> StepStore<S> {
    /// A store over `inner` that stops nowhere yet.
    pub fn new(inner: S) -> Self {
        Self { inner, stepping: Arc::default(), lingering: Arc::default() }
    }

    /// Whether snapshots and commits stop from now on.
    pub fn set_stepping(&self, stepping: bool) {
        self.stepping.store(stepping, Ordering::SeqCst);
    }

    /// Whether reads stop once before they begin, and commits once more when they have happened, before anybody is told.
    pub fn set_lingering(&self, lingering: bool) {
        self.lingering.store(lingering, Ordering::SeqCst);
    }

    async fn step(&self) {
        stop(&self.stepping).await;
    }
}

/// Stops once, where `stops` says so.
async fn stop(stops: &AtomicBool) {
    let mut stopped = !stops.load(Ordering::SeqCst);
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

/// A snapshot whose reads take their time, too.
struct SlowSnapshot {
    inner: Arc<dyn Snapshot>,
    lingering: Arc<AtomicBool>,
}

impl Snapshot for SlowSnapshot {
    fn revision(&self) -> Revision {
        self.inner.revision()
    }

    fn get<'a>(&'a self, path: &'a Path) -> StoreFuture<'a, Result<Option<Entry>, ReadError>> {
        Box::pin(async move {
            stop(&self.lingering).await;
            self.inner.get(path).await
        })
    }

    fn range<'a>(
        &'a self,
        prefix: &'a [u8],
        after: Option<&'a Path>,
        limit: NonZeroUsize,
    ) -> StoreFuture<'a, Result<Page, ReadError>> {
        Box::pin(async move {
            stop(&self.lingering).await;
            self.inner.range(prefix, after, limit).await
        })
    }

    fn count<'a>(&'a self, prefix: &'a [u8]) -> StoreFuture<'a, Result<u64, ReadError>> {
        self.inner.count(prefix)
    }
}

impl<S: Store> Store for StepStore<S> {
    fn snapshot(&self) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        Box::pin(async move {
            self.step().await;
            let inner = self.inner.snapshot().await?;
            Ok(Arc::new(SlowSnapshot { inner, lingering: Arc::clone(&self.lingering) }) as Arc<dyn Snapshot>)
        })
    }

    fn snapshot_at(&self, revision: Revision) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        self.inner.snapshot_at(revision)
    }

    fn commit(&self, batch: Batch) -> StoreFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async move {
            self.step().await;
            let committed = self.inner.commit(batch).await;
            stop(&self.lingering).await;
            committed
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
