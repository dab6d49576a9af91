//! The recent changes of a store that lives in one process, and those who wait for the next.
//!
//! INVARIANT: the feed holds every revision that changed something after [`Feed::oldest`], and no other.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::{Changes, Revision, StoreFault, StoreFuture, Watch, WatchError};

/// How much history a store holds. Whichever bound is met first drops the oldest revision.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FeedLimit {
    /// The most revisions.
    pub revisions: usize,
    /// The most bytes of paths and values, estimated.
    pub bytes: usize,
}

impl Default for FeedLimit {
    /// 65,536 revisions, 8 MiB.
    fn default() -> Self {
        Self { revisions: 1 << 16, bytes: 8 << 20 }
    }
}

/// A bounded history of changes with any number of watchers. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Feed {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    limit: FeedLimit,
    held: VecDeque<(Arc<Changes>, usize)>,
    bytes: usize,
    oldest: Revision,
    waiting: HashMap<u64, Waker>,
    next_watcher: u64,
    ended: Option<StoreFault>,
}

impl Feed {
    /// A feed of a store that is at `latest` and holds no history.
    pub fn new(latest: Revision, limit: FeedLimit) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                limit,
                held: VecDeque::new(),
                bytes: 0,
                oldest: latest,
                waiting: HashMap::new(),
                next_watcher: 0,
                ended: None,
            })),
        }
    }

    /// The oldest revision whose successors are all held.
    pub fn oldest(&self) -> Revision {
        self.state.lock().oldest
    }

    /// Add changes, wake the watchers, and answer what fell out of the history, oldest first.
    ///
    /// The caller publishes in the order of the revisions.
    pub fn publish(&self, changes: impl IntoIterator<Item = Arc<Changes>>) -> Vec<Arc<Changes>> {
        let mut state = self.state.lock();
        for each in changes {
            debug_assert!(state.held.back().is_none_or(|(last, _)| last.revision < each.revision));
            let bytes = weight(&each);
            state.bytes += bytes;
            state.held.push_back((each, bytes));
        }
        let mut dropped = Vec::new();
        while state.held.len() > state.limit.revisions || state.bytes > state.limit.bytes {
            let Some((changes, bytes)) = state.held.pop_front() else { break };
            state.bytes -= bytes;
            state.oldest = changes.revision;
            dropped.push(changes);
        }
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
        dropped
    }

    /// End every watch, once it has delivered what is held. The first reason stays.
    pub fn end(&self, fault: StoreFault) {
        let mut state = self.state.lock();
        state.ended.get_or_insert(fault);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_values().for_each(Waker::wake);
    }

    /// Watch what comes after `after`.
    ///
    /// # Errors
    /// [`WatchError::Compacted`] when `after` is before [`Feed::oldest`].
    pub fn watch(&self, after: Revision) -> Result<Box<dyn Watch>, WatchError> {
        let mut state = self.state.lock();
        if after < state.oldest {
            return Err(WatchError::Compacted { oldest: state.oldest });
        }
        let id = state.next_watcher;
        state.next_watcher += 1;
        drop(state);
        Ok(Box::new(FeedWatch { state: Arc::clone(&self.state), id, after }))
    }
}

/// One watcher of a [`Feed`].
struct FeedWatch {
    state: Arc<Mutex<State>>,
    id: u64,
    after: Revision,
}

impl FeedWatch {
    fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Result<Arc<Changes>, WatchError>> {
        let mut state = self.state.lock();
        if self.after < state.oldest {
            return Poll::Ready(Err(WatchError::Compacted { oldest: state.oldest }));
        }
        let place = state.held.partition_point(|(changes, _)| changes.revision <= self.after);
        if let Some((changes, _)) = state.held.get(place) {
            self.after = changes.revision;
            return Poll::Ready(Ok(Arc::clone(changes)));
        }
        if let Some(fault) = state.ended {
            return Poll::Ready(Err(fault.into()));
        }
        state.waiting.insert(self.id, cx.waker().clone());
        Poll::Pending
    }
}

impl Watch for FeedWatch {
    fn next(&mut self) -> StoreFuture<'_, Result<Arc<Changes>, WatchError>> {
        Box::pin(poll_fn(|cx| self.poll_next(cx)))
    }
}

impl Drop for FeedWatch {
    fn drop(&mut self) {
        self.state.lock().waiting.remove(&self.id);
    }
}

/// About what changes occupy: the bytes, and what holds them.
fn weight(changes: &Changes) -> usize {
    const EACH: usize = 128;
    changes.changes.iter().fold(EACH, |sum, change| {
        let value = change.entry.as_ref().map_or(0, |entry| entry.value.len());
        sum + EACH + change.path.as_bytes().len() + value
    })
}
