//! The trait every store implements.

use std::future::Future;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;

use crate::{
    Batch, Changes, CommitError, Entry, Lease, LeaseError, LeaseId, LeaseRequest, Page, Path, ReadError,
    Revision, WatchError,
};

/// What a store's methods answer with. Bound to no runtime.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A store. The crate's documentation says what holds of each.
pub trait Store: Send + Sync + 'static {
    /// The latest state. Linearizable: it shows every batch that was acknowledged before this call, by whichever node.
    fn snapshot(&self) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>>;

    /// The state as it was at exactly `revision`. A revision that was skipped shows the state at the one before.
    ///
    /// Every store holds some revisions behind the latest; [`ReadError::Compacted`] says that this one is no longer.
    fn snapshot_at(&self, revision: Revision) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>>;

    /// Let a batch take effect, and answer the revision at which it did (see [`Batch`] for one that changes nothing).
    ///
    /// When this answers, the batch is durable, and any snapshot taken later shows it. A batch once handed over may take
    /// effect although the future was dropped.
    fn commit(&self, batch: Batch) -> StoreFuture<'_, Result<Revision, CommitError>>;

    /// Every change after `after`, from now on. `after` may lie ahead of the latest revision.
    fn watch(&self, after: Revision) -> StoreFuture<'_, Result<Box<dyn Watch>, WatchError>>;

    /// Take a lease, or renew it. For job leadership and hints only.
    fn acquire_lease(&self, request: LeaseRequest) -> StoreFuture<'_, Result<Lease, LeaseError>>;

    /// Let go of a lease. No error if it has passed to another already.
    fn release_lease(&self, lease: LeaseId) -> StoreFuture<'_, Result<(), LeaseError>>;
}

/// The state at one revision: what it shows never changes.
///
/// An implementation that does not pin what a snapshot shows may answer [`ReadError::Compacted`] once the revision has
/// fallen out of its history; it never answers from another revision.
pub trait Snapshot: Send + Sync + 'static {
    /// The revision shown.
    fn revision(&self) -> Revision;

    /// What `path` holds.
    fn get<'a>(&'a self, path: &'a Path) -> StoreFuture<'a, Result<Option<Entry>, ReadError>>;

    /// The entries whose path begins with `prefix` and comes after `after`, in the order of the paths, at most `limit`;
    /// fewer, with [`Page::more`], where the implementation bounds its answers.
    fn range<'a>(
        &'a self,
        prefix: &'a [u8],
        after: Option<&'a Path>,
        limit: NonZeroUsize,
    ) -> StoreFuture<'a, Result<Page, ReadError>>;

    /// How many entries begin with `prefix`. It may cost as much as reading their paths.
    fn count<'a>(&'a self, prefix: &'a [u8]) -> StoreFuture<'a, Result<u64, ReadError>>;
}

/// A feed of changes.
pub trait Watch: Send + 'static {
    /// The next revision that changed something, whole. Revisions grow from call to call and none is left out.
    ///
    /// Dropping the future loses nothing. After an error every call answers an error.
    fn next(&mut self) -> StoreFuture<'_, Result<Arc<Changes>, WatchError>>;
}
