//! How the delivery follows the clock of the test mode.
//!
//! INVARIANT: while the clock is moved, the thread of the delivery stands still. So what happens on the way is delivered at its time, and the hours
//! that are passed over have their digests, before whoever moves the clock has his answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyreeve_domain::Timestamp;
use parking_lot::Mutex;

use super::Runner;

/// Digests of single hours, of each chain, that one move of the clock makes, at most: two days. One more has what remains.
const HOURS: u32 = 48;

/// The delivery, for whoever moves the clock.
#[derive(Clone)]
pub(crate) struct Passage {
    pub(super) runner: Arc<Mutex<Runner>>,
    /// Whoever moves the clock says what is delivered meanwhile.
    pub(super) is_held: Arc<AtomicBool>,
}

impl Passage {
    /// Keeps the delivery from its own looks at the clock while that is moved.
    pub(crate) async fn begin(&self) -> Passing {
        self.is_held.store(true, Ordering::SeqCst);
        let passing = Passing { passage: self.clone(), left: HOURS };
        // ORDER: a look that has begun is over before the clock moves; the next one sees that it may not begin.
        let runner = Arc::clone(&self.runner);
        on_its_thread(move || drop(runner.lock())).await;
        passing
    }

    pub(super) fn is_held(&self) -> bool {
        self.is_held.load(Ordering::SeqCst)
    }
}

/// A move of the clock.
pub(crate) struct Passing {
    passage: Passage,
    left: u32,
}

impl Passing {
    /// Delivers what happened up to `at`, and the hours from there up to `to`. Where too many were delivered already, they are left to the
    /// end. What fails is tried again by the delivery.
    pub(crate) async fn pass(&mut self, at: Timestamp, to: Timestamp) {
        if self.left == 0 {
            return;
        }
        let (runner, left) = (Arc::clone(&self.passage.runner), self.left);
        self.left = on_its_thread(move || {
            let mut left = left;
            runner.lock().pass(at, to, &mut left);
            left
        })
        .await
        .unwrap_or_default();
    }

    /// Delivers what there is at `now`, where the clock came to.
    pub(crate) async fn end(self, now: Timestamp) {
        let runner = Arc::clone(&self.passage.runner);
        on_its_thread(move || {
            let mut runner = runner.lock();
            runner.last = None;
            runner.look(now, &|| false);
        })
        .await;
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.passage.is_held.store(false, Ordering::SeqCst);
    }
}

impl Runner {
    fn pass(&mut self, at: Timestamp, to: Timestamp, left: &mut u32) {
        let keys = Arc::clone(&self.keys.lock());
        // Before its first look, a process may be at a time that the one before it was ahead of.
        let outcome = match self.deliverer.is_ahead_of(at) {
            true => self.deliverer.begin_anew(at),
            false => Ok(()),
        };
        let outcome = outcome.and_then(|()| match self.deliverer.is_digest_due(to) {
            true => self.deliver(at, &|| false).and_then(|()| self.deliverer.pass(to, &keys, left)),
            false => Ok(()),
        });
        if let Err(error) = outcome {
            tracing::warn!(%error, "the trail could not be delivered on the way of the clock; it is tried again");
            *left = 0;
        }
    }
}

/// Does work that waits for the disk where it holds up nobody; nothing comes of it where the service stops.
async fn on_its_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
