//! The suite every store passes.
//!
//! [`run`] runs each of [`CASES`] against the stores a [`Subject`] makes; [`model`] compares a store with a plain map,
//! step by step, for steps a property test invents.

mod commits;
mod leases;
pub mod model;
mod reads;
mod watches;

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::{Batch, CommitError, Entry, Path, Revision, Snapshot, Store, Version};

/// What makes the stores under test.
pub trait Subject: Sync {
    /// A new store that holds nothing, and at least a thousand revisions of history.
    fn store(&self) -> Arc<dyn Store>;

    /// A new store that holds nothing, and holds fewer than [`SHORT`] revisions of history.
    fn forgetful_store(&self) -> Arc<dyn Store>;
}

/// After so many revisions a [`Subject::forgetful_store`] has forgotten the first.
pub const SHORT: usize = 64;

/// How a case ends: an error is a call that should have succeeded.
pub type Outcome = Result<(), Box<dyn Error>>;

/// A case: its name, and what it does.
pub type Case = (&'static str, fn(&dyn Subject) -> Outcome);

/// Every case.
pub const CASES: &[Case] = &[
    ("a batch takes effect whole at a revision of its own", commits::whole),
    ("every precondition decides", commits::preconditions),
    ("a failed batch changes nothing", commits::failed_changes_nothing),
    ("versions count puts and begin again after a delete", commits::versions),
    ("a batch that changes nothing makes no revision", commits::no_change_no_revision),
    ("of batches that race for one version exactly one wins", commits::race),
    ("concurrent increments lose nothing", commits::increments),
    ("paths and values are any bytes", commits::any_bytes),
    ("a snapshot never changes", reads::isolation),
    ("a snapshot at a revision shows that revision", reads::at_revision),
    ("pages walk a prefix in order and once", reads::paging),
    ("a range begins after any path", reads::range_after),
    ("a count counts a prefix", reads::count),
    ("a revision that was forgotten is compacted, never wrong", reads::compacted),
    ("a watch delivers every revision whole and in order", watches::order),
    ("a watch from the past delivers what is held", watches::from_the_past),
    ("a watch wakes up", watches::wakes),
    ("a watch dropped in the middle loses nothing", watches::dropped_future),
    ("a watch on what was forgotten is compacted", watches::compacted),
    ("a slow watch is compacted, never skips", watches::slow),
    ("a lease has one holder", leases::one_holder),
    ("an expired lease passes on with a greater number", leases::expiry),
    ("a batch is refused once its lease has passed on", leases::fencing),
];

/// Run every case, each on stores of its own, and name the one that fails.
///
/// # Errors
/// The first failure that is not a broken assertion; those panic, as in any test.
pub fn run(subject: &dyn Subject) -> Outcome {
    for (name, case) in CASES {
        if let Err(error) = case(subject) {
            return Err(format!("{name}: {error}").into());
        }
    }
    Ok(())
}

/// Run a future to its end on this thread. For tests: it needs no runtime, and offers none.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn path(text: &str) -> Result<Path, Box<dyn Error>> {
    Ok(Path::try_from(text)?)
}

fn version(number: u64) -> Result<Version, Box<dyn Error>> {
    Version::new(number).ok_or_else(|| "a version is at least 1".into())
}

/// Put one value under one path, whatever it holds.
fn put(store: &dyn Store, name: &str, value: &str) -> Result<Revision, Box<dyn Error>> {
    let batch = Batch::builder().put(path(name)?, value.as_bytes().to_vec()).build()?;
    Ok(block_on(store.commit(batch))?)
}

fn delete(store: &dyn Store, name: &str) -> Result<Revision, Box<dyn Error>> {
    Ok(block_on(store.commit(Batch::builder().delete(path(name)?).build()?))?)
}

fn commit(store: &dyn Store, batch: Batch) -> Result<Revision, CommitError> {
    block_on(store.commit(batch))
}

fn snapshot(store: &dyn Store) -> Result<Arc<dyn Snapshot>, Box<dyn Error>> {
    Ok(block_on(store.snapshot())?)
}

fn entry(snapshot: &dyn Snapshot, name: &str) -> Result<Option<Entry>, Box<dyn Error>> {
    Ok(block_on(snapshot.get(&path(name)?))?)
}

/// The value under `name`, as text; nothing when absent.
fn value(snapshot: &dyn Snapshot, name: &str) -> Result<Option<String>, Box<dyn Error>> {
    entry(snapshot, name)?.map(|entry| Ok(String::from_utf8(entry.value.to_vec())?)).transpose()
}
