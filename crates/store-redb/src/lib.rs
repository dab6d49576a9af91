//! The embedded store: one file, one process, nothing acknowledged is lost.
//!
//! - One thread writes. It takes every batch that waits, checks each in order inside one transaction, syncs once, and
//!   only then publishes and answers: a batch costs a share of a sync, not a sync.
//! - Reads go to a view that the writer opened after its last sync; they take no part in writing and never wait for it.
//! - The file is locked while it is open, readable by its owner alone, and checked as a whole when it is opened.
//! - After a failure of the disk the store takes no batch until it is opened again; what it shows until then is the
//!   state before the batch that failed, whose fate opening decides. Running out of space is noticed before it happens,
//!   refused, and passes.
//!
//! Reads call the file system on the caller's thread: a page from the cache, or one `pread`.

mod caught;
mod format;
mod history;
mod open;
mod restore;
mod snapshot;
mod store;
mod writer;

pub use format::DecodeError;
pub use open::{Damage, OpenError, Options};
pub use restore::Restore;
pub use store::RedbStore;
