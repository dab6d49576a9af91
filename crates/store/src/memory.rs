//! A store in memory: for tests, and the plainest statement of what a store does.
//!
//! Each path keeps its versions as far back as the history reaches, so a snapshot is a revision and no copy. A snapshot
//! older than the history answers [`ReadError::Compacted`].

use std::collections::BTreeMap;
use std::future::ready;
use std::num::NonZeroUsize;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::{
    Batch, Change, Changes, CommitError, Entry, Feed, FeedLimit, Lease, LeaseError, LeaseId, LeaseRequest,
    Leases, Page, Path, ReadError, Refusal, Revision, Snapshot, Store, StoreFault, StoreFuture, Version,
    Watch, WatchError, Write,
};

/// A store in memory. Cloning shares it.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    state: Arc<RwLock<State>>,
    feed: Feed,
}

#[derive(Debug)]
struct State {
    latest: Revision,
    paths: BTreeMap<Path, Chain>,
    leases: Leases,
}

/// What a path held, by the revision that made it so, oldest first; nothing where it was deleted. Never empty.
type Chain = Vec<(Revision, Option<Entry>)>;

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(FeedLimit::default())
    }
}

impl MemoryStore {
    /// An empty store that holds as much history as `limit` allows.
    pub fn new(limit: FeedLimit) -> Self {
        let state = State { latest: Revision::ZERO, paths: BTreeMap::new(), leases: Leases::default() };
        Self { state: Arc::new(RwLock::new(state)), feed: Feed::new(Revision::ZERO, limit) }
    }

    fn view(&self, revision: Revision) -> Arc<dyn Snapshot> {
        Arc::new(MemorySnapshot { store: self.clone(), revision })
    }

    fn view_at(&self, revision: Revision) -> Result<Arc<dyn Snapshot>, ReadError> {
        let latest = self.state.read().latest;
        if revision > latest {
            return Err(ReadError::Future { latest });
        }
        self.held(revision).map(|()| self.view(revision))
    }

    fn held(&self, revision: Revision) -> Result<(), ReadError> {
        let oldest = self.feed.oldest();
        if revision < oldest { Err(ReadError::Compacted { oldest }) } else { Ok(()) }
    }

    fn apply(&self, batch: &Batch) -> Result<Revision, CommitError> {
        let mut state = self.state.write();
        if batch.lease().is_some_and(|lease| !state.leases.is_current(lease)) {
            return Err(CommitError::LeaseLost);
        }
        for precondition in batch.preconditions() {
            if !precondition.holds(state.newest(precondition.path()).map(|entry| entry.version)) {
                return Err(CommitError::Conflict(precondition.path().clone()));
            }
        }
        let revision = state.latest.next().ok_or(Refusal::ReadOnly)?;
        let mut changes = Vec::new();
        for write in batch.writes() {
            let before = state.newest(write.path()).map(|entry| entry.version);
            let entry = match (write, before) {
                (Write::Delete(_), None) => continue,
                (Write::Delete(_), Some(_)) => None,
                (Write::Put(_, value), before) => {
                    let version = Version::after(before).ok_or(Refusal::ReadOnly)?;
                    Some(Entry { value: value.clone(), version, modified: revision })
                }
            };
            changes.push(Change { path: write.path().clone(), entry });
        }
        if changes.is_empty() {
            return Ok(state.latest);
        }
        changes.sort_by(|one, other| one.path.cmp(&other.path));
        for Change { path, entry } in &changes {
            state.paths.entry(path.clone()).or_default().push((revision, entry.clone()));
        }
        state.latest = revision;
        let dropped = self.feed.publish([Arc::new(Changes { revision, changes })]);
        let oldest = self.feed.oldest();
        dropped
            .iter()
            .flat_map(|changes| &changes.changes)
            .for_each(|change| state.prune(&change.path, oldest));
        Ok(revision)
    }
}

impl State {
    fn newest(&self, path: &Path) -> Option<&Entry> {
        self.paths.get(path)?.last()?.1.as_ref()
    }

    /// Forget what no revision from `oldest` on shows of `path`.
    fn prune(&mut self, path: &Path, oldest: Revision) {
        let Some(chain) = self.paths.get_mut(path) else { return };
        let visible = chain.partition_point(|(revision, _)| *revision <= oldest).saturating_sub(1);
        chain.drain(..visible);
        if matches!(chain.as_slice(), [(revision, None)] if *revision <= oldest) {
            self.paths.remove(path);
        }
    }
}

impl Store for MemoryStore {
    fn snapshot(&self) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        let latest = self.state.read().latest;
        Box::pin(ready(Ok(self.view(latest))))
    }

    fn snapshot_at(&self, revision: Revision) -> StoreFuture<'_, Result<Arc<dyn Snapshot>, ReadError>> {
        Box::pin(ready(self.view_at(revision)))
    }

    fn commit(&self, batch: Batch) -> StoreFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async move { self.apply(&batch) })
    }

    fn watch(&self, after: Revision) -> StoreFuture<'_, Result<Box<dyn Watch>, WatchError>> {
        Box::pin(ready(self.feed.watch(after)))
    }

    fn acquire_lease(&self, request: LeaseRequest) -> StoreFuture<'_, Result<Lease, LeaseError>> {
        Box::pin(ready(self.state.write().leases.acquire(&request)))
    }

    fn release_lease(&self, lease: LeaseId) -> StoreFuture<'_, Result<(), LeaseError>> {
        self.state.write().leases.release(&lease);
        Box::pin(ready(Ok(())))
    }
}

impl Drop for MemoryStore {
    /// The last of the clones ends the watches.
    fn drop(&mut self) {
        if Arc::strong_count(&self.state) == 1 {
            self.feed.end(StoreFault::Closed);
        }
    }
}

struct MemorySnapshot {
    store: MemoryStore,
    revision: Revision,
}

impl MemorySnapshot {
    /// What `chain` shows at this revision.
    fn shown<'a>(&self, chain: &'a Chain) -> Option<&'a Entry> {
        let place = chain.partition_point(|(revision, _)| *revision <= self.revision);
        chain.get(place.checked_sub(1)?)?.1.as_ref()
    }

    /// Visit the entries of a prefix after a path, until `visit` says stop.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&Path>,
        mut visit: impl FnMut(&Path, &Entry) -> bool,
    ) -> Result<(), ReadError> {
        let state = self.store.state.read();
        self.store.held(self.revision)?;
        let first = Path::new(prefix.to_vec()).ok();
        let from = match (after, first.as_ref()) {
            (Some(after), Some(first)) if after < first => Bound::Included(first),
            (Some(after), _) => Bound::Excluded(after),
            (None, Some(first)) => Bound::Included(first),
            (None, None) => Bound::Unbounded,
        };
        let range = state.paths.range::<Path, _>((from, Bound::Unbounded));
        for (path, chain) in range.take_while(|(path, _)| path.starts_with(prefix)) {
            if let Some(entry) = self.shown(chain)
                && !visit(path, entry)
            {
                break;
            }
        }
        Ok(())
    }
}

impl Snapshot for MemorySnapshot {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get<'a>(&'a self, path: &'a Path) -> StoreFuture<'a, Result<Option<Entry>, ReadError>> {
        let state = self.store.state.read();
        let entry = state.paths.get(path).and_then(|chain| self.shown(chain)).cloned();
        Box::pin(ready(self.store.held(self.revision).map(|()| entry)))
    }

    fn range<'a>(
        &'a self,
        prefix: &'a [u8],
        after: Option<&'a Path>,
        limit: NonZeroUsize,
    ) -> StoreFuture<'a, Result<Page, ReadError>> {
        let mut page = Page::default();
        let scanned = self.scan(prefix, after, |path, entry| {
            if page.entries.len() == limit.get() {
                page.more = true;
                return false;
            }
            page.entries.push((path.clone(), entry.clone()));
            true
        });
        Box::pin(ready(scanned.map(|()| page)))
    }

    fn count<'a>(&'a self, prefix: &'a [u8]) -> StoreFuture<'a, Result<u64, ReadError>> {
        let mut count = 0;
        let scanned = self.scan(prefix, None, |_, _| {
            count += 1;
            true
        });
        Box::pin(ready(scanned.map(|()| count)))
    }
}
