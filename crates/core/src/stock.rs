//! New RSA keys, some of them made before they are asked for.
//!
//! An RSA key takes up to seconds to make. Nothing is made before the first key of a size is asked for; from then on a few
//! of that size are kept ready, wiped when the service ends. Whoever asks while none is ready waits in turn, at most
//! [`MOST_WAITING`] at once and each at most as long as [`Offload::patience`] says.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use keyreeve_crypto::asymmetric::MakeMaterialError;
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_domain::spec::KeySpec;
use parking_lot::Mutex;

use crate::offload::{self, FullError, Lane, Offload, Sender};

/// Requests that wait for a key of one size at once.
pub const MOST_WAITING: usize = 64;
/// Keys of one size that are being made at once.
const MOST_IN_HAND: usize = 2;

/// Makes the material of a key.
pub type Maker = Arc<dyn Fn(KeySpec) -> Result<KeyMaterial, MakeMaterialError> + Send + Sync>;

/// No key can be had.
#[derive(Debug, thiserror::Error)]
pub enum StockError {
    /// Too many wait already.
    #[error(transparent)]
    Full(#[from] FullError),
    /// The service ends.
    #[error("the service is ending")]
    Lost,
    /// The key could not be made.
    #[error(transparent)]
    Make(#[from] MakeMaterialError),
    /// None was ready in time.
    #[error("no key was ready in time")]
    Slow,
}

/// The stock of one process.
pub(crate) struct Stock {
    shelves: [Arc<Shelf>; 3],
    offload: Arc<dyn Offload>,
}

/// The keys of one size.
struct Shelf {
    spec: KeySpec,
    /// Keys that are to be ready.
    size: usize,
    make: Maker,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    ready: Vec<KeyMaterial>,
    waiting: VecDeque<Sender<Result<KeyMaterial, MakeMaterialError>>>,
    in_hand: usize,
}

impl Stock {
    /// A stock of `size` keys of each size.
    pub(crate) fn new(size: usize, make: &Maker, offload: Arc<dyn Offload>) -> Self {
        let shelf = |spec| Arc::new(Shelf { spec, size, make: Arc::clone(make), state: Mutex::default() });
        Self { shelves: [KeySpec::Rsa2048, KeySpec::Rsa3072, KeySpec::Rsa4096].map(shelf), offload }
    }

    /// A key of `spec`, nobody else's; `None` where there is no stock of that spec.
    pub(crate) async fn take(&self, spec: KeySpec) -> Option<Result<KeyMaterial, StockError>> {
        let shelf = self.shelves.iter().find(|shelf| shelf.spec == spec)?;
        let receiver = {
            let mut state = shelf.state.lock();
            match state.ready.pop() {
                Some(ready) => Ok(ready),
                None => {
                    state.waiting.retain(Sender::is_awaited);
                    if state.waiting.len() >= MOST_WAITING {
                        return Some(Err(FullError.into()));
                    }
                    let (sender, receiver) = offload::channel();
                    state.waiting.push_back(sender);
                    Err(receiver)
                }
            }
        };
        Shelf::restock(shelf, &self.offload);
        Some(match receiver {
            Ok(ready) => Ok(ready),
            Err(receiver) => match offload::before(receiver, self.offload.patience()).await {
                Some(Some(made)) => made.map_err(StockError::from),
                Some(None) => Err(StockError::Lost),
                None => Err(StockError::Slow),
            },
        })
    }
}

impl Shelf {
    /// Sees to it that as many keys are in hand as are missing.
    fn restock(shelf: &Arc<Self>, offload: &Arc<dyn Offload>) {
        while shelf.begin() {
            let (mut order, again) = (Order(Some(Arc::clone(shelf))), Arc::clone(offload));
            let job = move || {
                let Some(own) = order.0.take() else { return };
                let made = catch_unwind(AssertUnwindSafe(|| (own.make)(own.spec)));
                let (made, panic) = match made {
                    Ok(made) => (made, None),
                    Err(panic) => (Err(MakeMaterialError::Library), Some(panic)),
                };
                // A key that cannot be made is tried again only for somebody who waits.
                if own.finish(made) {
                    Self::restock(&own, &again);
                }
                // What a panic means is for the thread to say.
                if let Some(panic) = panic {
                    resume_unwind(panic);
                }
            };
            // A job that is refused is dropped, and its order given up.
            if offload.run(Lane::RsaKeys, Box::new(job)).is_err() {
                return;
            }
        }
    }

    /// Notes one more key in hand, where one is missing.
    fn begin(&self) -> bool {
        let mut state = self.state.lock();
        let wanted = state.waiting.len() + self.size.saturating_sub(state.ready.len());
        let missing = state.in_hand < wanted.min(MOST_IN_HAND);
        state.in_hand += usize::from(missing);
        missing
    }

    /// Gives a key to whoever waits longest, or keeps it; whether to go on.
    fn finish(&self, made: Result<KeyMaterial, MakeMaterialError>) -> bool {
        let mut state = self.state.lock();
        state.in_hand = state.in_hand.saturating_sub(1);
        let mut made = made;
        let whole = made.is_ok();
        while let Some(first) = state.waiting.pop_front() {
            match first.send(made) {
                Ok(()) => return whole || !state.waiting.is_empty(),
                Err(back) => made = back,
            }
        }
        if let Ok(made) = made {
            state.ready.push(made);
        }
        whole
    }

    /// A key in hand will not be made: whoever waits while nothing else is in hand would wait for nothing.
    fn give_up(&self) {
        let mut state = self.state.lock();
        state.in_hand = state.in_hand.saturating_sub(1);
        let left = if state.in_hand == 0 { core::mem::take(&mut state.waiting) } else { VecDeque::new() };
        // They are told outside the lock.
        drop(state);
        drop(left);
    }
}

/// One key in hand whose making has not begun. It is given up where it never does: the lane takes no more, or the service
/// is ending.
struct Order(Option<Arc<Shelf>>);

impl Drop for Order {
    fn drop(&mut self) {
        if let Some(shelf) = self.0.take() {
            shelf.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use core::future::Future;
    use core::pin::Pin;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::task::{Context, Poll, Waker};

    use keyreeve_crypto::LockedMemoryError;

    use super::*;
    use crate::offload::{Job, Patience};

    /// Jobs are done when the test says so.
    #[derive(Default)]
    struct Later {
        jobs: Mutex<VecDeque<Job>>,
        patient: bool,
        full: bool,
    }

    impl Offload for Later {
        fn run(&self, lane: Lane, job: Job) -> Result<(), FullError> {
            assert_eq!(lane, Lane::RsaKeys);
            if self.full {
                return Err(FullError);
            }
            self.jobs.lock().push_back(job);
            Ok(())
        }

        fn patience(&self) -> Patience {
            match self.patient {
                true => Box::pin(core::future::pending()),
                false => Box::pin(core::future::ready(())),
            }
        }
    }

    impl Later {
        fn patient() -> Arc<Self> {
            Arc::new(Self { patient: true, ..Self::default() })
        }

        /// Does one job; whether there was one.
        fn step(&self) -> bool {
            let job = self.jobs.lock().pop_front();
            job.map(|job| job.run()).is_some()
        }
    }

    /// Makes materials of one byte: 1, 2, 3 …
    fn counting() -> Maker {
        let made = Mutex::new(0);
        Arc::new(move |_| {
            *made.lock() += 1;
            let number = *made.lock();
            let material = KeyMaterial::init_with(1, |slot| {
                slot.fill(number);
                Ok::<_, LockedMemoryError>(())
            });
            Ok(material?)
        })
    }

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    type Taken = Poll<Option<Result<KeyMaterial, StockError>>>;

    fn number(taken: Taken) -> Option<u8> {
        match taken {
            // EXPOSE: the test tells the keys apart.
            Poll::Ready(Some(Ok(material))) => material.expose().first().copied(),
            Poll::Ready(_) | Poll::Pending => None,
        }
    }

    #[test]
    fn nothing_is_made_before_it_is_asked_for_and_then_some_are_ready() {
        let later = Later::patient();
        let stock = Stock::new(2, &counting(), later.clone());
        assert!(!later.step());
        let mut first = Box::pin(stock.take(KeySpec::Rsa2048));
        assert!(poll(&mut first).is_pending());
        while later.step() {}
        assert_eq!(number(poll(&mut first)), Some(1));
        for expected in [3, 2] {
            assert_eq!(number(poll(&mut Box::pin(stock.take(KeySpec::Rsa2048)))), Some(expected));
        }
        while later.step() {}
        assert_eq!(number(poll(&mut Box::pin(stock.take(KeySpec::Rsa2048)))), Some(5), "each is given once");
        assert!(poll(&mut Box::pin(stock.take(KeySpec::Rsa4096))).is_pending(), "each size has its own");
        assert!(matches!(poll(&mut Box::pin(stock.take(KeySpec::EccNistP256))), Poll::Ready(None)));
    }

    #[test]
    fn whoever_waits_longest_is_first_and_whoever_left_costs_no_key() {
        let later = Later::patient();
        let stock = Stock::new(0, &counting(), later.clone());
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(stock.take(KeySpec::Rsa2048))).collect();
        waiting.iter_mut().for_each(|taken| assert!(poll(taken).is_pending()));
        drop(waiting.remove(1));
        while later.step() {}
        let numbers: Vec<_> = waiting.iter_mut().map(|taken| number(poll(taken))).collect();
        assert_eq!(numbers, [Some(1), Some(2)]);
    }

    #[test]
    fn the_wait_is_bounded_in_number_and_in_time() {
        let later = Later::patient();
        let stock = Stock::new(0, &counting(), later.clone());
        let mut waiting: Vec<_> = (0..MOST_WAITING).map(|_| Box::pin(stock.take(KeySpec::Rsa2048))).collect();
        waiting.iter_mut().for_each(|taken| assert!(poll(taken).is_pending()));
        let refused = poll(&mut Box::pin(stock.take(KeySpec::Rsa2048)));
        assert!(matches!(refused, Poll::Ready(Some(Err(StockError::Full(FullError))))));
        let impatient = Stock::new(0, &counting(), Arc::new(Later::default()));
        let refused = poll(&mut Box::pin(impatient.take(KeySpec::Rsa2048)));
        assert!(matches!(refused, Poll::Ready(Some(Err(StockError::Slow)))));
        let full =
            Stock::new(0, &counting(), Arc::new(Later { full: true, patient: true, ..Later::default() }));
        let refused = poll(&mut Box::pin(full.take(KeySpec::Rsa2048)));
        assert!(matches!(refused, Poll::Ready(Some(Err(StockError::Lost)))));
    }

    #[test]
    fn a_key_that_cannot_be_made_is_tried_once_for_each_who_asks() {
        let later = Later::patient();
        let failing: Maker = Arc::new(|_| Err(MakeMaterialError::Library));
        let stock = Stock::new(2, &failing, later.clone());
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(stock.take(KeySpec::Rsa2048))).collect();
        waiting.iter_mut().for_each(|taken| assert!(poll(taken).is_pending()));
        let steps = (0..100).take_while(|_| later.step()).count();
        assert!(steps < 10, "{steps}");
        for taken in &mut waiting {
            assert!(matches!(poll(taken), Poll::Ready(Some(Err(StockError::Make(_))))));
        }
    }

    #[test]
    fn a_panic_fails_one_who_waits_and_holds_up_nobody_else() {
        let later = Later::patient();
        let (counting, asked) = (counting(), AtomicUsize::new(0));
        let maker: Maker = Arc::new(move |spec| {
            assert!(asked.fetch_add(1, Ordering::Relaxed) >= 2, "on purpose");
            counting(spec)
        });
        let stock = Stock::new(0, &maker, later.clone());
        let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(stock.take(KeySpec::Rsa2048))).collect();
        waiting.iter_mut().for_each(|taken| assert!(poll(taken).is_pending()));
        let panicked = (0..10).filter(|_| catch_unwind(AssertUnwindSafe(|| later.step())).is_err()).count();
        assert_eq!(panicked, 2);
        for failed in &mut waiting[..2] {
            assert!(matches!(poll(failed), Poll::Ready(Some(Err(StockError::Make(_))))));
        }
        let numbers: Vec<_> = waiting.iter_mut().skip(2).map(|taken| number(poll(taken))).collect();
        assert_eq!(numbers, [Some(1), Some(2)]);
    }

    #[test]
    fn a_job_that_is_never_begun_is_not_in_hand() {
        let later = Later::patient();
        let stock = Stock::new(0, &counting(), later.clone());
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(stock.take(KeySpec::Rsa2048))).collect();
        waiting.iter_mut().for_each(|taken| assert!(poll(taken).is_pending()));
        later.jobs.lock().clear();
        for taken in &mut waiting {
            assert!(matches!(poll(taken), Poll::Ready(Some(Err(StockError::Lost)))));
        }
        let mut next = Box::pin(stock.take(KeySpec::Rsa2048));
        assert!(poll(&mut next).is_pending());
        assert!(later.step());
        assert_eq!(number(poll(&mut next)), Some(1));
    }
}
