//! What a store answers when it cannot do what was asked.

use std::io;

use crate::{Path, Revision};

/// What failed below the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoreFault {
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// What the store holds is not what this release wrote.
    #[error("the store is damaged")]
    Damaged,
    /// No connection to the store, or to enough of its members.
    #[error("the store cannot be reached")]
    Disconnected,
    /// The operating system refused.
    #[error("the store failed: {0}")]
    Io(io::ErrorKind),
    /// No answer in time.
    #[error("the store did not answer in time")]
    Timeout,
}

/// Why a read has no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReadError {
    /// The revision is older than what the store still holds.
    #[error("the revision is older than {oldest}, the oldest that is held")]
    Compacted {
        /// The oldest revision that can be read, at the time of the answer.
        oldest: Revision,
    },
    /// The revision has not come yet.
    #[error("the revision is newer than {latest}, the latest")]
    Future {
        /// The latest revision, at the time of the answer.
        latest: Revision,
    },
    /// The store could not be read.
    #[error(transparent)]
    Unavailable(#[from] StoreFault),
}

/// Why a batch was not taken, or not known to be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CommitError {
    /// A precondition does not hold; nothing happened. Read again and decide again.
    #[error("path `{0}` is not as the batch demands")]
    Conflict(Path),
    /// The lease of the batch has passed to another, was released, or has expired; nothing happened.
    #[error("the lease is lost")]
    LeaseLost,
    /// The store takes no batch now; nothing happened.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The batch may have taken effect, whole, or may yet, or never: only a read made later tells.
    #[error("the outcome is not known: {0}")]
    Unknown(StoreFault),
}

/// Why a store takes no batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No space is left. Batches that come after space was made may be taken.
    #[error("no space is left in the store")]
    Full,
    /// The store is readable only, until it is opened again or an operator acts.
    #[error("the store is read-only")]
    ReadOnly,
    /// The store could not be reached, or failed, before anything was sent or written.
    #[error(transparent)]
    Unavailable(#[from] StoreFault),
}

/// Why a watch delivers nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WatchError {
    /// Revisions after the one asked for are no longer held: take a snapshot, and watch after its revision.
    #[error("changes are held only after revision {oldest}")]
    Compacted {
        /// The oldest revision after which a watch can begin, at the time of the answer.
        oldest: Revision,
    },
    /// The watch has ended; a new one may begin after the last revision delivered.
    #[error(transparent)]
    Unavailable(#[from] StoreFault),
}

/// Why a lease was not given.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LeaseError {
    /// Another holder has it.
    #[error("the lease is held by another")]
    Held,
    /// The store could not grant it.
    #[error(transparent)]
    Unavailable(#[from] StoreFault),
}
