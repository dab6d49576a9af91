//! What paths held before the recent revisions: from the latest view and these, any recent state can be shown.
//!
//! INVARIANT: for every revision after [`History::oldest`], what each path it changed held before it.

use std::collections::{BTreeMap, VecDeque};

use keyreeve_store::{Entry, FeedLimit, Path, Revision};

/// What the paths that one revision changed held before it.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) revision: Revision,
    pub(crate) held: Vec<(Path, Option<Entry>)>,
}

/// The bounded history.
#[derive(Debug)]
pub(crate) struct History {
    limit: FeedLimit,
    revisions: VecDeque<(Before, usize)>,
    bytes: usize,
    oldest: Revision,
}

impl History {
    /// No history, at `latest`.
    pub(crate) fn new(latest: Revision, limit: FeedLimit) -> Self {
        Self { limit, revisions: VecDeque::new(), bytes: 0, oldest: latest }
    }

    /// The oldest revision that can be shown.
    pub(crate) fn oldest(&self) -> Revision {
        self.oldest
    }

    /// Add the next revision.
    pub(crate) fn push(&mut self, before: Before) {
        let bytes = weight(&before);
        self.bytes += bytes;
        self.revisions.push_back((before, bytes));
        while self.revisions.len() > self.limit.revisions || self.bytes > self.limit.bytes {
            let Some((dropped, bytes)) = self.revisions.pop_front() else { break };
            self.bytes -= bytes;
            self.oldest = dropped.revision;
        }
    }

    /// What to show instead of the latest state, at `revision`; it is not before [`History::oldest`].
    pub(crate) fn undo_to(&self, revision: Revision) -> BTreeMap<Path, Option<Entry>> {
        let later = self.revisions.iter().rev().take_while(|(before, _)| before.revision > revision);
        // ORDER: newest first, so that what was held before the earliest of them stays.
        later.flat_map(|(before, _)| before.held.iter().cloned()).collect()
    }
}

fn weight(before: &Before) -> usize {
    const EACH: usize = 128;
    before.held.iter().fold(EACH, |sum, (path, entry)| {
        sum + EACH + path.as_bytes().len() + entry.as_ref().map_or(0, |entry| entry.value.len())
    })
}
