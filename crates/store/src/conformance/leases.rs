//! Leases, on a clock that the cases move.

use std::error::Error;
use std::time::Duration;

use super::{Outcome, Subject, block_on, commit, path, put, snapshot, value};
use crate::{Batch, CommitError, Lease, LeaseError, LeaseRequest, Store};

pub(super) fn one_holder(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let mine = acquire(&*store, "job", "me", 0)??;
    assert_eq!(acquire(&*store, "job", "you", 1)?, Err(LeaseError::Held));
    assert!(acquire(&*store, "another job", "you", 1)?.is_ok());
    let renewed = acquire(&*store, "job", "me", 5)??;
    assert_eq!(renewed.id, mine.id);
    assert!(renewed.expires > mine.expires);
    block_on(store.release_lease(mine.id.clone()))?;
    let theirs = acquire(&*store, "job", "you", 6)??;
    assert!(theirs.id.fence() > mine.id.fence());
    // A release that comes late takes nothing from the new holder.
    block_on(store.release_lease(mine.id))?;
    assert_eq!(acquire(&*store, "job", "me", 7)?, Err(LeaseError::Held));
    Ok(())
}

pub(super) fn expiry(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let mine = acquire(&*store, "job", "me", 0)??;
    // A store with a clock of its own has not seen these ten seconds pass.
    let Ok(theirs) = acquire(&*store, "job", "you", 11)? else { return Ok(()) };
    assert!(theirs.id.fence() > mine.id.fence());
    assert_eq!(acquire(&*store, "job", "me", 12)?, Err(LeaseError::Held));
    let again = acquire(&*store, "job", "me", 22)??;
    assert!(again.id.fence() > theirs.id.fence());
    Ok(())
}

pub(super) fn fencing(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let mine = acquire(&*store, "job", "me", 0)??;
    let write = |lease: &Lease, text: &'static str| -> Result<_, Box<dyn Error>> {
        let batch = Batch::builder().fenced_by(lease.id.clone()).put(path("result")?, text).build()?;
        Ok(commit(&*store, batch))
    };
    assert!(write(&mine, "first")?.is_ok());
    block_on(store.release_lease(mine.id.clone()))?;
    assert_eq!(write(&mine, "released")?, Err(CommitError::LeaseLost));
    let theirs = acquire(&*store, "job", "you", 1)??;
    assert_eq!(write(&mine, "late")?, Err(CommitError::LeaseLost));
    assert!(write(&theirs, "second")?.is_ok());
    put(&*store, "other", "unfenced")?;
    assert_eq!(value(&*snapshot(&*store)?, "result")?.as_deref(), Some("second"));
    Ok(())
}

/// Ask for `name` for ten seconds at second `now`.
fn acquire(
    store: &dyn Store,
    name: &str,
    holder: &'static str,
    now: u64,
) -> Result<Result<Lease, LeaseError>, Box<dyn Error>> {
    let request = LeaseRequest {
        name: path(name)?,
        holder: holder.into(),
        ttl: Duration::from_secs(10),
        now: Duration::from_secs(now),
    };
    Ok(block_on(store.acquire_lease(request)))
}
