//! The store and what its readers see.

use std::future::ready;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use keyreeve_store::{
    Batch, CommitError, Feed, Lease, LeaseError, LeaseId, LeaseRequest, Leases, ReadError, Refusal, Revision,
    Snapshot, Store, StoreFault, StoreFuture, Watch, WatchError,
};
use parking_lot::RwLock;
use redb::StorageBackend;
use tokio::sync::oneshot;

use crate::history::History;
use crate::open::{self, OpenError, Opened, Options};
use crate::snapshot::{RedbSnapshot, View};
use crate::writer::{Job, Writer};

/// A store in one file. Dropping it waits for what was handed over, ends the watches, and unlocks the file.
#[derive(Debug)]
pub struct RedbStore {
    jobs: Option<Sender<Job>>,
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
}

/// What the writer publishes.
pub(crate) struct Shared {
    pub(crate) published: RwLock<Published>,
    pub(crate) feed: Feed,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("revision", &self.published.read().view.revision)
            .finish_non_exhaustive()
    }
}

/// The latest state and how to come back from it. INVARIANT: the history ends with the view's revision.
pub(crate) struct Published {
    pub(crate) view: Arc<View>,
    pub(crate) history: History,
}

impl RedbStore {
    /// Open the store in the file at `path`, or make one there; nothing else may have it open.
    ///
    /// # Errors
    /// When the file is in use, damaged, of a later release, or cannot be read and written.
    pub fn open(path: &FilePath, options: &Options) -> Result<Self, OpenError> {
        Self::start(open::open_file(path, options)?, options)
    }

    /// Open the store on any storage, or make one there. For tests that own the disk.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn open_with_backend(backend: impl StorageBackend, options: &Options) -> Result<Self, OpenError> {
        Self::start(open::open_backend(backend, options)?, options)
    }

    fn start(opened: Opened, options: &Options) -> Result<Self, OpenError> {
        let latest = Revision::new(opened.revision);
        let view = View::open(&opened.database, latest)
            .map_err(|fault| OpenError::Io(std::io::Error::other(fault)))?;
        let published = Published { view: Arc::new(view), history: History::new(latest, options.history) };
        let feed = Feed::new(latest, options.history);
        let shared = Arc::new(Shared { published: RwLock::new(published), feed });
        let (jobs, queue) = mpsc::channel();
        let writer = Writer {
            database: opened.database,
            shared: Arc::clone(&shared),
            latest,
            leases: Leases::after(opened.fence),
            space: opened.space,
            reserve: options.reserve_bytes,
            broken: false,
        };
        let thread =
            thread::Builder::new().name("store-writer".to_owned()).spawn(move || writer.run(&queue))?;
        Ok(Self { jobs: Some(jobs), shared, writer: Some(thread) })
    }

    fn view_at(&self, revision: Revision) -> Result<Arc<dyn Snapshot>, ReadError> {
        let published = self.shared.published.read();
        let (latest, oldest) = (published.view.revision, published.history.oldest());
        if revision > latest {
            Err(ReadError::Future { latest })
        } else if revision < oldest {
            Err(ReadError::Compacted { oldest })
        } else {
            let instead = published.history.undo_to(revision);
            Ok(Arc::new(RedbSnapshot::earlier(Arc::clone(&published.view), revision, instead)))
        }
    }

    /// Hand a job to the writer, which answers unless it is no more.
    fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(oneshot::Sender<T>) -> Job,
    ) -> Option<oneshot::Receiver<T>> {
        let (sender, receiver) = oneshot::channel();
        self.jobs.as_ref()?.send(job(sender)).ok().map(|()| receiver)
    }
}

impl Store for RedbStore {
    fn snapshot(&self) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        let view = Arc::clone(&self.shared.published.read().view);
        let snapshot: Arc<dyn Snapshot> = Arc::new(RedbSnapshot::latest(view));
        Box::pin(ready(Ok(snapshot)))
    }

    fn snapshot_at(&self, revision: Revision) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        Box::pin(ready(self.view_at(revision)))
    }

    fn commit(&self, batch: Batch) -> StoreFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async move {
            let closed = CommitError::Refused(Refusal::Unavailable(StoreFault::Closed));
            let answer = self.ask(|answer| Job::Commit(batch, answer)).ok_or(closed)?;
            answer.await.unwrap_or(Err(CommitError::Unknown(StoreFault::Closed)))
        })
    }

    fn watch(&self, after: Revision) -> StoreFuture<'_, Result<Box<dyn Watch>, WatchError>> {
        Box::pin(ready(self.shared.feed.watch(after)))
    }

    fn acquire_lease(&self, request: LeaseRequest) -> StoreFuture<'_, Result<Lease, LeaseError>> {
        Box::pin(async move {
            let closed = LeaseError::Unavailable(StoreFault::Closed);
            let answer = self.ask(|answer| Job::Acquire(request, answer)).ok_or(closed)?;
            answer.await.unwrap_or(Err(closed))
        })
    }

    fn release_lease(&self, lease: LeaseId) -> StoreFuture<'_, Result<(), LeaseError>> {
        Box::pin(async move {
            let closed = LeaseError::Unavailable(StoreFault::Closed);
            let answer = self.ask(|answer| Job::Release(lease, answer)).ok_or(closed)?;
            answer.await.or(Err(closed))
        })
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        // The writer ends when nobody can ask any more.
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has ended, too.
            drop(writer.join());
        }
    }
}
