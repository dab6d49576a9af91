//! The thread that writes.
//!
//! ORDER of a group: check and write every batch, sync, publish the view and the changes, answer. So an answer means
//! durable and visible, and nothing is visible that is not durable.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use keyreeve_store::{
    Batch, Change, Changes, CommitError, Entry, Feed, Lease, LeaseError, LeaseId, LeaseRequest, Leases, Path,
    Refusal, Revision, StoreFault, Version, Write,
};
use redb::{Database, ReadableTable, StorageError, Table, WriteTransaction};
use tokio::sync::oneshot;

use crate::caught::caught;
use crate::format::{self, ENTRIES, FENCE, META, REVISION};
use crate::history::Before;
use crate::snapshot::{View, fault};
use crate::store::Shared;

/// The most jobs that share one sync: bounds how long the first of them waits.
const GROUP: usize = 1024;

/// What the writer is asked.
pub(crate) enum Job {
    Acquire(LeaseRequest, oneshot::Sender<Result<Lease, LeaseError>>),
    Commit(Batch, oneshot::Sender<Result<Revision, CommitError>>),
    Release(LeaseId, oneshot::Sender<()>),
}

/// The one who writes.
pub(crate) struct Writer {
    pub(crate) database: Database,
    pub(crate) shared: Arc<Shared>,
    pub(crate) latest: Revision,
    pub(crate) leases: Leases,
    pub(crate) space: Option<Box<dyn Fn() -> Option<u64> + Send>>,
    pub(crate) reserve: u64,
    /// A write or a sync failed: redb takes no more until the file is opened again.
    pub(crate) broken: bool,
}

/// An answer, and who waits for it.
type Due<T> = (oneshot::Sender<T>, T);

/// What one group did so far.
#[derive(Default)]
struct Group {
    commits: Vec<Due<Result<Revision, CommitError>>>,
    leases: Vec<Due<Result<Lease, LeaseError>>>,
    releases: Vec<Due<()>>,
    changes: Vec<Arc<Changes>>,
    before: Vec<Before>,
}

/// What one batch changes: each path with what it held and what it is to hold.
type Plan = Vec<(Path, Option<Entry>, Option<Entry>)>;

type Entries<'a> = Table<'a, &'static [u8], &'static [u8]>;

impl Writer {
    /// Do what is asked, until nobody is left to ask.
    pub(crate) fn run(mut self, queue: &Receiver<Job>) {
        /// However the thread ends, the watches do.
        struct End(Feed);
        impl Drop for End {
            fn drop(&mut self) {
                self.0.end(StoreFault::Closed);
            }
        }
        let _end = End(self.shared.feed.clone());
        while let Ok(first) = queue.recv() {
            let jobs: Vec<Job> = std::iter::once(first).chain(queue.try_iter().take(GROUP - 1)).collect();
            // A damaged page makes redb panic: those who wait hear that the outcome is unknown, and nothing more is written.
            if caught(|| self.group(jobs)).is_err() {
                self.broken = true;
            }
        }
    }

    fn group(&mut self, jobs: Vec<Job>) {
        let mut group = Group::default();
        let fence = self.leases.last_fence();
        let outcome = match self.refusal() {
            Some(refusal) => {
                self.refuse_commits(jobs, &mut group, refusal);
                if self.leases.last_fence() == fence { Ok(()) } else { Err(GroupError::Before(refusal)) }
            }
            None => self.write(jobs, &mut group, fence),
        };
        if let Err(error) = outcome {
            group.fail(error);
        }
        group.answer();
    }

    /// Why no batch is taken now, if so.
    fn refusal(&self) -> Option<Refusal> {
        if self.broken {
            return Some(Refusal::ReadOnly);
        }
        let left = self.space.as_ref().filter(|_| self.reserve > 0).and_then(|space| space());
        left.is_some_and(|left| left < self.reserve).then_some(Refusal::Full)
    }

    fn refuse_commits(&mut self, jobs: Vec<Job>, group: &mut Group, refusal: Refusal) {
        for job in jobs {
            match job {
                Job::Acquire(request, answer) => group.leases.push((answer, self.leases.acquire(&request))),
                Job::Commit(_, answer) => group.commits.push((answer, Err(refusal.into()))),
                Job::Release(lease, answer) => {
                    self.leases.release(&lease);
                    group.releases.push((answer, ()));
                }
            }
        }
    }

    fn write(&mut self, jobs: Vec<Job>, group: &mut Group, fence: u64) -> Result<(), GroupError> {
        // Every commit is in the group with the answer it gets if the transaction never was.
        let transaction = match self.database.begin_write() {
            Ok(transaction) => transaction,
            Err(error) => {
                let fault = fault(error);
                self.broken = true;
                self.refuse_commits(jobs, group, Refusal::Unavailable(fault));
                return Err(GroupError::Before(Refusal::Unavailable(fault)));
            }
        };
        let latest = self.latest;
        let staged = self.stage(&transaction, jobs, group, fence);
        let nothing = group.changes.is_empty() && self.leases.last_fence() == fence;
        let committed = match staged {
            Ok(()) if nothing => {
                // Nothing to keep: the pages are as they were, whatever the abort says.
                drop(transaction);
                return Ok(());
            }
            Ok(()) => transaction.commit().map_err(|error| GroupError::Unknown(fault(error))),
            Err(error) => {
                drop(transaction);
                Err(GroupError::Before(refusal_of(error)))
            }
        };
        if let Err(error) = committed {
            self.broken = true;
            self.latest = latest;
            return Err(error);
        }
        self.publish(group)
    }

    /// Write what the jobs ask into the transaction. An error is redb's; what a batch does wrong is its answer.
    fn stage(
        &mut self,
        transaction: &WriteTransaction,
        jobs: Vec<Job>,
        group: &mut Group,
        fence: u64,
    ) -> Result<(), StoreFault> {
        let mut failed = None;
        let mut entries = transaction.open_table(ENTRIES).map_err(fault)?;
        for job in jobs {
            match job {
                Job::Acquire(request, answer) => group.leases.push((answer, self.leases.acquire(&request))),
                Job::Release(lease, answer) => {
                    self.leases.release(&lease);
                    group.releases.push((answer, ()));
                }
                Job::Commit(_, answer) if failed.is_some() => {
                    group.commits.push((answer, Err(Refusal::ReadOnly.into())));
                }
                Job::Commit(batch, answer) => match self.take(&mut entries, &batch, group) {
                    Ok(outcome) => group.commits.push((answer, outcome)),
                    Err(error) => {
                        let error = fault(error);
                        group.commits.push((answer, Err(refusal_of(error).into())));
                        failed = Some(error);
                    }
                },
            }
        }
        drop(entries);
        if let Some(error) = failed {
            return Err(error);
        }
        if !group.changes.is_empty() || self.leases.last_fence() != fence {
            let mut meta = transaction.open_table(META).map_err(fault)?;
            meta.insert(REVISION, self.latest.get().to_be_bytes().as_slice()).map_err(fault)?;
            meta.insert(FENCE, self.leases.last_fence().to_be_bytes().as_slice()).map_err(fault)?;
        }
        Ok(())
    }

    /// Take one batch, or say why not; in that case nothing of it was written.
    fn take(
        &mut self,
        entries: &mut Entries<'_>,
        batch: &Batch,
        group: &mut Group,
    ) -> Result<Result<Revision, CommitError>, StorageError> {
        let Some(revision) = self.latest.next() else { return Ok(Err(Refusal::ReadOnly.into())) };
        let mut plan = match self.plan(entries, batch, revision)? {
            Ok(plan) => plan,
            Err(error) => return Ok(Err(error)),
        };
        if plan.is_empty() {
            return Ok(Ok(self.latest));
        }
        plan.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut changes = Vec::with_capacity(plan.len());
        let mut held = Vec::with_capacity(plan.len());
        for (path, before, entry) in plan {
            match &entry {
                None => drop(entries.remove(path.as_bytes())?),
                Some(entry) => drop(entries.insert(path.as_bytes(), format::encode_entry(entry).as_slice())?),
            }
            held.push((path.clone(), before));
            changes.push(Change { path, entry });
        }
        self.latest = revision;
        group.changes.push(Arc::new(Changes { revision, changes }));
        group.before.push(Before { revision, held });
        Ok(Ok(revision))
    }

    fn plan(
        &self,
        entries: &Entries<'_>,
        batch: &Batch,
        modified: Revision,
    ) -> Result<Result<Plan, CommitError>, StorageError> {
        if batch.lease().is_some_and(|lease| !self.leases.is_current(lease)) {
            return Ok(Err(CommitError::LeaseLost));
        }
        let damaged = || Err(CommitError::Refused(Refusal::Unavailable(StoreFault::Damaged)));
        // What is written was looked at before, as a rule; a batch is short, and reading again is a way through the tree.
        let mut seen: Vec<(&Path, Option<Entry>)> = Vec::with_capacity(batch.preconditions().len());
        for precondition in batch.preconditions() {
            let path = precondition.path();
            let Ok(found) = read(entries, path)? else { return Ok(damaged()) };
            if !precondition.holds(found.as_ref().map(|entry| entry.version)) {
                return Ok(Err(CommitError::Conflict(path.clone())));
            }
            seen.push((path, found));
        }
        let mut plan = Plan::new();
        for write in batch.writes() {
            let known =
                seen.iter_mut().find(|(path, _)| *path == write.path()).map(|(_, found)| found.take());
            let Ok(before) = known.map_or_else(|| read(entries, write.path()), |found| Ok(Ok(found)))? else {
                return Ok(damaged());
            };
            let entry = match write {
                Write::Delete(_) if before.is_none() => continue,
                Write::Delete(_) => None,
                Write::Put(_, value) => match Version::after(before.as_ref().map(|entry| entry.version)) {
                    None => return Ok(Err(Refusal::ReadOnly.into())),
                    Some(version) => Some(Entry { value: value.clone(), version, modified }),
                },
            };
            plan.push((write.path().clone(), before, entry));
        }
        Ok(Ok(plan))
    }

    /// Show what was synced.
    fn publish(&mut self, group: &mut Group) -> Result<(), GroupError> {
        if group.changes.is_empty() {
            return Ok(());
        }
        match View::open(&self.database, self.latest) {
            Ok(view) => {
                let mut published = self.shared.published.write();
                published.view = Arc::new(view);
                group.before.drain(..).for_each(|before| published.history.push(before));
                self.shared.feed.publish(group.changes.drain(..));
                Ok(())
            }
            Err(fault) => {
                // Durable, but it cannot be shown: nobody is told that it is done.
                self.broken = true;
                Err(GroupError::Unknown(fault))
            }
        }
    }
}

/// Why a whole group failed.
#[derive(Clone, Copy)]
enum GroupError {
    /// Before its transaction was handed over: nothing happened.
    Before(Refusal),
    /// While it was: it may be durable.
    Unknown(StoreFault),
}

impl Group {
    /// Take back every success that rested on the transaction. What was refused stays so.
    fn fail(&mut self, error: GroupError) {
        let (commit, lease) = match error {
            GroupError::Before(refusal) => (refusal.into(), refusal_fault(refusal)),
            GroupError::Unknown(fault) => (CommitError::Unknown(fault), fault),
        };
        for (_, outcome) in self.commits.iter_mut().filter(|(_, outcome)| outcome.is_ok()) {
            *outcome = Err(commit.clone());
        }
        for (_, outcome) in self.leases.iter_mut().filter(|(_, outcome)| outcome.is_ok()) {
            *outcome = Err(lease.into());
        }
    }

    /// Whoever no longer listens needs no answer.
    fn answer(self) {
        fn send<T>((answer, outcome): Due<T>) {
            if answer.send(outcome).is_err() {}
        }
        self.commits.into_iter().for_each(send);
        self.leases.into_iter().for_each(send);
        self.releases.into_iter().for_each(send);
    }
}

/// What a path holds; the inner error is a damaged entry.
fn read(
    entries: &Entries<'_>,
    path: &Path,
) -> Result<Result<Option<Entry>, format::DecodeError>, StorageError> {
    let found = entries.get(path.as_bytes())?;
    Ok(found.map(|bytes| format::decode_entry(bytes.value())).transpose())
}

fn refusal_of(fault: StoreFault) -> Refusal {
    if fault == StoreFault::Io(ErrorKind::StorageFull) { Refusal::Full } else { Refusal::Unavailable(fault) }
}

fn refusal_fault(refusal: Refusal) -> StoreFault {
    match refusal {
        Refusal::Full => StoreFault::Io(ErrorKind::StorageFull),
        Refusal::ReadOnly => StoreFault::Io(ErrorKind::Other),
        Refusal::Unavailable(fault) => fault,
    }
}
