//! Those who wait for one write, and the write itself.

use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io;
use std::rc::Rc;

use keyreeve_core::bracket::TrailError;

use crate::medium::SegmentFile;
use crate::trail::Level;

/// The lines of one write, as those see it who wait for it.
#[derive(Default)]
pub(crate) struct Batch {
    outcome: Cell<Option<Result<(), TrailError>>>,
    wakers: RefCell<Vec<Waker>>,
}

impl Batch {
    /// A batch that nobody waits for yet; `wakers` lends its memory.
    pub(crate) fn reusing(wakers: Vec<Waker>) -> Self {
        Self { outcome: Cell::new(None), wakers: RefCell::new(wakers) }
    }

    /// Tells all who wait, and gives back the memory that they were kept in.
    pub(crate) fn settle(&self, outcome: Result<(), TrailError>) -> Vec<Waker> {
        self.outcome.set(Some(outcome));
        let mut wakers = self.wakers.take();
        wakers.drain(..).for_each(Waker::wake);
        wakers
    }
}

/// Waits for a batch. Dropping it changes nothing for the batch.
pub(crate) struct Settled {
    batch: Rc<Batch>,
    /// Where the waker is kept, once it was left.
    slot: Option<usize>,
}

impl Settled {
    pub(crate) fn of(batch: &Rc<Batch>) -> Self {
        Self { batch: Rc::clone(batch), slot: None }
    }
}

impl Future for Settled {
    type Output = Result<(), TrailError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.batch.outcome.get() {
            return Poll::Ready(outcome);
        }
        let mut wakers = self.batch.wakers.borrow_mut();
        let slot = if let Some(waker) = self.slot.and_then(|slot| wakers.get_mut(slot)) {
            waker.clone_from(cx.waker());
            None
        } else {
            wakers.push(cx.waker().clone());
            Some(wakers.len() - 1)
        };
        drop(wakers);
        self.slot = self.slot.or(slot);
        Poll::Pending
    }
}

/// What became of a write.
pub(crate) enum Written {
    /// All of it is in the file, as durable as asked.
    Whole,
    /// Nothing of it is in the file.
    Undone(io::Error),
    /// The file holds an unknown part of it.
    Unknown(io::Error),
}

/// Appends `lines` to a file of `len` bytes with one write; what the disk does not take whole is taken out again.
pub(crate) fn write(file: &mut dyn SegmentFile, lines: &[u8], len: u64, level: Level) -> Written {
    let failed = match file.write(lines) {
        Ok(taken) if taken == lines.len() => match level {
            Level::Write => return Written::Whole,
            Level::Sync => match file.sync() {
                Ok(()) => return Written::Whole,
                // What was written may be lost, or not: only a length that is known to be durable tells.
                Err(error) => return undone(file.truncate(len).and_then(|()| file.sync()), error),
            },
        },
        Ok(taken) => short(taken),
        Err(error) => error,
    };
    undone(file.truncate(len), failed)
}

fn undone(undoing: io::Result<()>, failed: io::Error) -> Written {
    match undoing {
        Ok(()) => Written::Undone(failed),
        Err(error) => Written::Unknown(error),
    }
}

/// Whether the disk has no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, StorageFull, WriteZero};
    matches!(error.kind(), QuotaExceeded | StorageFull | WriteZero)
}

/// The disk took a part. The cause (no space, as a rule) shows only in the write after, which is not tried.
fn short(taken: usize) -> io::Error {
    io::Error::new(io::ErrorKind::WriteZero, format!("only {taken} bytes were taken"))
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn each_who_waits_is_woken_once_however_often_he_looked() {
        let batch = Rc::new(Batch::reusing(Vec::new()));
        let (first, second, moved) =
            (Arc::new(Woken::default()), Arc::new(Woken::default()), Arc::new(Woken::default()));
        let mut waiters = [Settled::of(&batch), Settled::of(&batch)];
        // The first goes on under another waker than it began with.
        for (at, waker) in [(0, &first), (1, &second), (0, &moved), (1, &second)] {
            let waker = Waker::from(Arc::clone(waker));
            let looked = Pin::new(&mut waiters[at]).poll(&mut Context::from_waker(&waker));
            assert!(looked.is_pending());
        }
        let lent = batch.settle(Err(TrailError));
        let woken = [&first, &second, &moved].map(|waker| waker.0.load(Ordering::SeqCst));
        assert_eq!((woken, lent.is_empty()), ([0, 1, 1], true));
        let waker = Waker::from(first);
        assert_eq!(
            Pin::new(&mut waiters[0]).poll(&mut Context::from_waker(&waker)),
            Poll::Ready(Err(TrailError))
        );
    }
}
