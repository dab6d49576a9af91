//! The store of the control plane: a small, ordered, revisioned map that is never lost.
//!
//! What holds for every implementation, and what [`conformance`] checks:
//!
//! - A [`Batch`] takes effect whole or not at all, at one [`Revision`] of its own; revisions only grow (there may be gaps).
//! - A batch takes effect only if each of its [`Precondition`]s holds at that instant.
//! - An acknowledged batch is durable. [`CommitError::Conflict`] and [`CommitError::Refused`] mean that nothing
//!   happened; only [`CommitError::Unknown`] leaves it open, and the caller finds out by reading.
//! - A [`Snapshot`] shows exactly one revision for as long as it lives.
//! - A [`Watch`] delivers every revision after its start, in order, each whole, or says [`WatchError::Compacted`].
//!
//! The shape is that of etcd's API v3, so that one embedded file and a cluster are the same thing to the layers above.
//! The store knows nothing of what it holds: values arrive sealed and bound to their path.

mod batch;
pub mod conformance;
mod entry;
mod error;
pub mod faults;
mod feed;
mod lease;
pub mod memory;
mod path;
mod store;

pub use batch::{Batch, BatchBuilder, BatchError, Precondition, Write};
pub use entry::{Change, Changes, Entry, Page, Revision, Version};
pub use error::{CommitError, LeaseError, ReadError, Refusal, StoreFault, WatchError};
pub use feed::{Feed, FeedLimit};
pub use lease::{Lease, LeaseId, LeaseRequest, Leases};
pub use path::{Path, PathError};
pub use store::{Snapshot, Store, StoreFuture, Watch};
