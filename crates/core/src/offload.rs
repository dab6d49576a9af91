//! Work that is too long to be done at once.
//!
//! A worker thread serves many connections. What takes longer than about a hundred microseconds is therefore not computed
//! where it is asked for but handed to [`Offload`], which whoever starts the service brings along, and awaited: up to about a
//! millisecond it is done on the same thread, one computation for each turn of its loop, and beyond on another thread. What
//! waits there is bounded in number, and whoever waits for it is bounded in time: after [`Offload::patience`] the request is
//! refused, and what was not begun by then is not done.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use parking_lot::Mutex;

/// Work to be done once, later.
pub trait Work: Send {
    /// Whether its result is still waited for. What nobody waits for need not be done.
    fn is_wanted(&self) -> bool {
        true
    }

    /// Does it. Gives back whom to wake, if anybody waits for the result: whoever did it wakes them, at once or together
    /// with those who wait for the jobs after it.
    fn run(self: Box<Self>) -> Option<Waker>;
}

impl<F: FnOnce() + Send> Work for F {
    fn run(self: Box<Self>) -> Option<Waker> {
        self();
        None
    }
}

/// Work on its way to where it is done.
pub type Job = Box<dyn Work>;

/// What a request waits for at most, see [`Offload::patience`]; bound to the thread that asked.
pub type Patience = Pin<Box<dyn Future<Output = ()>>>;

/// Where a job is done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lane {
    /// Milliseconds, on other threads: the longer private key operations, new keys that are no RSA keys.
    Operations,
    /// Up to seconds, on other threads: new RSA keys.
    RsaKeys,
    /// Less than a millisecond, on the thread that asks, one after the other: in between it looks at its sockets and does
    /// whatever else is ready. No other thread has to be woken, and whoever wants something short waits for one such job at
    /// most.
    Turns,
}

/// As much work waits already as may.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("too much work is waiting")]
pub struct FullError;

/// Does work that would hold up a worker.
pub trait Offload: Send + Sync {
    /// Does `job` later, in its turn. A job that is taken is done, or dropped when the service ends.
    ///
    /// # Errors
    /// Where too many jobs of this lane wait already; `job` is then dropped.
    fn run(&self, lane: Lane, job: Job) -> Result<(), FullError>;

    /// A request has the result that it was woken for: others whose results came with it can be woken from here, which on
    /// the same thread costs next to nothing.
    fn landed(&self) {}

    /// Ready when a request has waited for a job for as long as it may.
    fn patience(&self) -> Patience;
}

/// Does each job at once, where it is asked for: for tests, and for programs that serve nobody else meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtOnce;

impl Offload for AtOnce {
    fn run(&self, _: Lane, job: Job) -> Result<(), FullError> {
        job.run().into_iter().for_each(Waker::wake);
        Ok(())
    }

    fn patience(&self) -> Patience {
        Box::pin(core::future::pending())
    }
}

/// Work was not done.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OffloadError {
    /// Too much was waiting already.
    #[error(transparent)]
    Full(#[from] FullError),
    /// The job ended without a result: it panicked, or the service is ending.
    #[error("the work was given up")]
    Lost,
    /// The result was not there in time.
    #[error("the work was not done in time")]
    Slow,
}

/// Does `work` in a lane of `offload`, and gives its result. Where nobody waits any more, the work is not begun.
///
/// # Errors
/// See [`OffloadError`].
pub async fn run<T: Send + 'static>(
    offload: &dyn Offload,
    lane: Lane,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OffloadError> {
    let (sender, receiver) = channel();
    offload.run(lane, Box::new(Awaited { sender, work }))?;
    let result = before(receiver, offload.patience()).await;
    offload.landed();
    result.ok_or(OffloadError::Slow)?.ok_or(OffloadError::Lost)
}

/// Work whose result somebody waits for.
struct Awaited<T, F> {
    sender: Sender<T>,
    work: F,
}

impl<T: Send, F: FnOnce() -> T + Send> Work for Awaited<T, F> {
    fn is_wanted(&self) -> bool {
        self.sender.is_awaited()
    }

    fn run(self: Box<Self>) -> Option<Waker> {
        // Where the receiver went away meanwhile, nobody wants the result.
        if self.is_wanted() { self.sender.put((self.work)()).unwrap_or_default() } else { None }
    }
}

/// Lets every task of this thread run that is ready now, where the runtime takes them in the order in which they became so.
/// To yield to the runtime instead may let it look at its sockets first.
pub async fn after_those_who_are_ready() {
    let mut has_waited = false;
    core::future::poll_fn(|cx| {
        if core::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// One value on its way from one thread to another.
pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Arc::new(Mutex::new(Slot::Waiting(None)));
    (Sender(Some(Arc::clone(&slot))), Receiver(slot))
}

enum Slot<T> {
    Waiting(Option<Waker>),
    Sent(T),
    /// The sender or the receiver is gone.
    Closed,
}

/// The end that sends.
pub(crate) struct Sender<T>(Option<Arc<Mutex<Slot<T>>>>);

/// The end that receives: ready with the value, or with `None` where the sender went away.
pub(crate) struct Receiver<T>(Arc<Mutex<Slot<T>>>);

impl<T> Sender<T> {
    /// Whether the receiver is still there.
    pub(crate) fn is_awaited(&self) -> bool {
        self.0.as_ref().is_some_and(|slot| matches!(*slot.lock(), Slot::Waiting(_)))
    }

    /// Sends `value` and wakes the receiver, or gives the value back where the receiver is gone.
    pub(crate) fn send(self, value: T) -> Result<(), T> {
        self.put(value).map(|waker| waker.into_iter().for_each(Waker::wake))
    }

    /// Sends `value`, or gives it back where the receiver is gone. The receiver is not woken: its waker is given back.
    fn put(mut self, value: T) -> Result<Option<Waker>, T> {
        let Some(slot) = self.0.take() else { return Err(value) };
        let mut held = slot.lock();
        match &mut *held {
            Slot::Waiting(waker) => {
                let waker = waker.take();
                *held = Slot::Sent(value);
                Ok(waker)
            }
            Slot::Sent(_) | Slot::Closed => Err(value),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let Some(slot) = &self.0 else { return };
        let mut held = slot.lock();
        if let Slot::Waiting(waker) = &mut *held {
            let waker = waker.take();
            *held = Slot::Closed;
            drop(held);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut held = self.0.lock();
        match &mut *held {
            Slot::Waiting(waker) => {
                *waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Slot::Sent(_) | Slot::Closed => match core::mem::replace(&mut *held, Slot::Closed) {
                Slot::Sent(value) => Poll::Ready(Some(value)),
                Slot::Waiting(_) | Slot::Closed => Poll::Ready(None),
            },
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // What was sent and never taken is dropped outside the lock.
        let left = core::mem::replace(&mut *self.0.lock(), Slot::Closed);
        drop(left);
    }
}

/// The output of `future`, or `None` where `end` is ready first.
pub(crate) async fn before<F: Future + Unpin>(future: F, end: Patience) -> Option<F::Output> {
    let (mut future, mut end) = (pin!(future), end);
    core::future::poll_fn(move |cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_value_arrives_once() {
        let (sender, mut receiver) = channel();
        assert_eq!(poll(&mut receiver), Poll::Pending);
        assert_eq!(sender.send(5), Ok(()));
        assert_eq!(poll(&mut receiver), Poll::Ready(Some(5)));
        assert_eq!(poll(&mut receiver), Poll::Ready(None));
    }

    #[test]
    fn each_end_learns_that_the_other_is_gone() {
        let (sender, mut receiver) = channel::<u8>();
        drop(sender);
        assert_eq!(poll(&mut receiver), Poll::Ready(None));
        let (sender, receiver) = channel();
        drop(receiver);
        assert!(!sender.is_awaited());
        assert_eq!(sender.send(5), Err(5), "it is given back for somebody else");
    }

    /// Takes one job at a time, which the test does.
    #[derive(Default)]
    struct Later {
        jobs: Mutex<Vec<Job>>,
        /// The time is over.
        is_late: Arc<AtomicBool>,
    }

    impl Offload for Later {
        fn run(&self, _: Lane, job: Job) -> Result<(), FullError> {
            if self.jobs.lock().len() == 1 {
                return Err(FullError);
            }
            self.jobs.lock().push(job);
            Ok(())
        }

        fn patience(&self) -> Patience {
            let is_late = Arc::clone(&self.is_late);
            Box::pin(core::future::poll_fn(move |_| match is_late.load(Ordering::Relaxed) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }))
        }
    }

    #[test]
    fn work_is_not_begun_for_nobody_and_not_lost_silently() {
        let later = Later::default();
        let begun = Arc::new(Mutex::new(false));
        let mark = Arc::clone(&begun);
        let mut waiting = Box::pin(run(&later, Lane::Operations, move || *mark.lock() = true));
        assert_eq!(poll(&mut waiting), Poll::Pending);
        assert_eq!(
            poll(&mut Box::pin(run(&later, Lane::Operations, || ()))),
            Poll::Ready(Err(OffloadError::Full(FullError)))
        );
        assert!(later.jobs.lock().iter().all(|job| job.is_wanted()));
        drop(waiting);
        assert!(!later.jobs.lock().iter().any(|job| job.is_wanted()));
        later.jobs.lock().pop().unwrap().run();
        assert!(!*begun.lock());
        let mut waiting = Box::pin(run(&later, Lane::Operations, || ()));
        assert_eq!(poll(&mut waiting), Poll::Pending);
        later.jobs.lock().clear();
        assert_eq!(poll(&mut waiting), Poll::Ready(Err(OffloadError::Lost)));
    }

    #[test]
    fn nobody_waits_for_work_for_ever_and_what_is_too_late_is_not_begun() {
        let later = Later::default();
        let begun = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&begun);
        let mut waiting =
            Box::pin(run(&later, Lane::Operations, move || mark.store(true, Ordering::Relaxed)));
        assert_eq!(poll(&mut waiting), Poll::Pending);
        later.is_late.store(true, Ordering::Relaxed);
        assert_eq!(poll(&mut waiting), Poll::Ready(Err(OffloadError::Slow)));
        drop(waiting);
        later.jobs.lock().pop().unwrap().run();
        assert!(!begun.load(Ordering::Relaxed));
    }

    #[test]
    fn patience_ends() {
        let (_sender, receiver) = channel::<()>();
        let end: Patience = Box::pin(core::future::ready(()));
        assert_eq!(poll(&mut Box::pin(before(receiver, end))), Poll::Ready(None));
    }
}
