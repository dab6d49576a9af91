//! A share of each turn of a worker's loop for every account.
//!
//! A worker answers one request of each connection that has one ready, so an account with a thousand connections would be
//! answered a thousand times before another one's next request is looked at. Where more than one account asks, each has
//! [`SHARE`] requests of a turn; what it has beyond waits for the next, first come first served. A turn is over once all
//! that was ready is done, so nothing is held back from a worker that has nothing else to do, and an account that is alone
//! never waits.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use keyreeve_domain::AccountId;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Requests of one account in a turn of which others want their part.
const SHARE: usize = 16;
/// How long after one account followed another the next is expected: a client that asks once a second must not find a
/// thousand before it each time.
const SHARED_FOR: Duration = Duration::from_secs(10);

/// Whose request it is; those of nobody who is known share one share.
pub(crate) type Whose = Option<AccountId>;

/// The shares of one worker.
#[derive(Default)]
pub(crate) struct Shares {
    /// Whose the last request was.
    last: Cell<Option<Whose>>,
    /// Turns are shared until then.
    until: Cell<Option<Instant>>,
    /// INVARIANT: not borrowed while somebody is woken.
    turn: RefCell<Turn>,
    /// Whether there is a task that begins the next turn.
    is_turning: Cell<bool>,
}

/// What a turn was used for, and who waits for the next.
#[derive(Default)]
struct Turn {
    used: HashMap<Whose, usize>,
    waiting: HashMap<Whose, VecDeque<oneshot::Sender<()>>>,
}

impl Shares {
    /// Begins a request of `whose`: at once, or once what is given back is ready. Called inside a
    /// [`tokio::task::LocalSet`].
    pub(crate) fn begin(
        self: &Rc<Self>,
        whose: Whose,
        now: impl Fn() -> Instant,
    ) -> Option<oneshot::Receiver<()>> {
        let is_other = self.last.replace(Some(whose)).is_some_and(|last| last != whose);
        if is_other {
            self.until.set(Some(now() + SHARED_FOR));
        }
        // ORDER: nobody overtakes whoever waits.
        if self.until.get()? <= now() && self.turn.borrow().waiting.is_empty() {
            self.until.set(None);
            return None;
        }
        let waits = self.turn.borrow_mut().begin(whose);
        if !self.is_turning.replace(true) {
            tokio::task::spawn_local(Turning(Rc::clone(self)).run());
        }
        waits
    }

    /// Begins the next turn; whether anybody uses it already.
    fn next(&self) -> bool {
        let let_in = self.turn.borrow_mut().next();
        let is_used = !let_in.is_empty();
        for waiting in let_in {
            // Whoever hung up meanwhile was counted, which costs the account one place of one turn.
            waiting.send(()).unwrap_or_default();
        }
        is_used
    }
}

impl Turn {
    fn begin(&mut self, whose: Whose) -> Option<oneshot::Receiver<()>> {
        let used = self.used.entry(whose).or_default();
        if *used < SHARE && !self.waiting.contains_key(&whose) {
            *used += 1;
            return None;
        }
        let (sender, waits) = oneshot::channel();
        self.waiting.entry(whose).or_default().push_back(sender);
        Some(waits)
    }

    fn next(&mut self) -> Vec<oneshot::Sender<()>> {
        self.used.clear();
        let mut let_in = Vec::new();
        self.waiting.retain(|whose, waiting| {
            waiting.retain(|sender| !sender.is_closed());
            let places = waiting.len().min(SHARE);
            let_in.extend(waiting.drain(..places));
            self.used.insert(*whose, places);
            !waiting.is_empty()
        });
        let_in
    }
}

/// The task that begins turn after turn, until one is not used.
struct Turning(Rc<Shares>);

impl Turning {
    async fn run(self) {
        let mut is_used = true;
        while is_used {
            // The runtime looks at its sockets, wakes whom that concerns, and then this task.
            tokio::task::yield_now().await;
            is_used = self.0.next();
        }
    }
}

impl Drop for Turning {
    fn drop(&mut self) {
        self.0.is_turning.set(false);
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime;
    use tokio::task::{LocalSet, spawn_local, yield_now};

    use super::*;

    fn on_a_worker(test: impl Future<Output = ()>) {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, test);
    }

    fn account(number: u8) -> Whose {
        Some(format!("{number:012}").parse().unwrap())
    }

    /// Whose requests were answered, in order.
    #[derive(Clone, Default)]
    struct Log(Rc<RefCell<Vec<Whose>>>);

    impl Log {
        fn count(&self, whose: Whose) -> usize {
            self.0.borrow().iter().filter(|answered| **answered == whose).count()
        }
    }

    /// A connection that asks `requests` times, each as soon as the one before is answered.
    fn client(shares: &Rc<Shares>, log: &Log, whose: Whose, requests: usize) -> tokio::task::JoinHandle<()> {
        let (shares, log) = (Rc::clone(shares), log.clone());
        spawn_local(async move {
            for _ in 0..requests {
                if let Some(waits) = shares.begin(whose, Instant::now) {
                    waits.await.unwrap();
                }
                log.0.borrow_mut().push(whose);
                yield_now().await;
            }
        })
    }

    #[test]
    fn an_account_that_is_alone_never_waits() {
        on_a_worker(async {
            let shares = Rc::new(Shares::default());
            for _ in 0..10 * SHARE {
                assert!(shares.begin(account(1), Instant::now).is_none());
            }
            assert!(!shares.is_turning.get());
        });
    }

    #[test]
    fn whoever_asks_little_is_answered_in_each_turn_of_whoever_asks_much() {
        on_a_worker(async {
            let (shares, log) = (Rc::new(Shares::default()), Log::default());
            let flood: Vec<_> = (0..500).map(|_| client(&shares, &log, account(1), 20)).collect();
            client(&shares, &log, account(2), 100).await.unwrap();
            // The first turn was nobody's yet; then each request of the other waits for a share, and its own turn.
            let beside = log.count(account(1));
            assert!(beside <= 500 + 101 * 2 * SHARE, "{beside}");
            assert!(beside >= 500 + 99 * SHARE, "a worker that has time for more: {beside}");
            for flooding in flood {
                flooding.await.unwrap();
            }
            assert_eq!((log.count(account(1)), log.count(account(2))), (10_000, 100));
            yield_now().await;
            yield_now().await;
            assert!(!shares.is_turning.get(), "a task is left behind");
        });
    }

    #[test]
    fn those_who_ask_as_much_have_as_much() {
        on_a_worker(async {
            let (shares, log) = (Rc::new(Shares::default()), Log::default());
            let whose = [account(1), account(2), None];
            for _ in 0..200 {
                drop(whose.map(|whose| client(&shares, &log, whose, 1000)));
            }
            while log.0.borrow().len() < 60_000 {
                yield_now().await;
            }
            let counts = whose.map(|whose| log.count(whose));
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            assert!(most - least <= 2 * SHARE, "{counts:?}");
        });
    }

    #[test]
    fn whoever_came_first_is_first() {
        on_a_worker(async {
            let (shares, order) = (Rc::new(Shares::default()), Rc::new(RefCell::new(Vec::new())));
            assert!(shares.begin(account(2), Instant::now).is_none());
            let tasks: Vec<_> = (0..100)
                .map(|number| {
                    let (shares, order) = (Rc::clone(&shares), Rc::clone(&order));
                    spawn_local(async move {
                        if let Some(waits) = shares.begin(account(1), Instant::now) {
                            waits.await.unwrap();
                        }
                        order.borrow_mut().push(number);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert!(order.borrow().is_sorted());
        });
    }

    #[test]
    fn whoever_hangs_up_is_forgotten_and_a_while_after_nobody_waits() {
        on_a_worker(async {
            let (shares, log) = (Rc::new(Shares::default()), Log::default());
            assert!(shares.begin(account(2), Instant::now).is_none());
            let waits: Vec<_> = (0..5 * SHARE).map(|_| shares.begin(account(1), Instant::now)).collect();
            assert_eq!(waits.iter().flatten().count(), 4 * SHARE);
            drop(waits);
            client(&shares, &log, account(1), 1).await.unwrap();
            assert_eq!(log.count(account(1)), 1);
            let later = Instant::now() + SHARED_FOR;
            for _ in 0..10 * SHARE {
                assert!(shares.begin(account(1), || later).is_none());
            }
        });
    }
}
