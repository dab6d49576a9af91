//! One long computation for each turn of a worker's loop.
//!
//! A worker that finds sixteen requests for signatures ready would compute all of them before it looks at its sockets
//! again, and whoever asks for something short would wait behind sixteen. So they queue, first come first served, and
//! before each the worker looks at its sockets and does whatever is ready, to the end of its answer. A short request
//! therefore waits for one computation at most, the one that was in hand when it came; and nothing changes threads.

use core::cell::{Cell, RefCell};
use core::task::Waker;
use core::time::Duration;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use keyreeve_core::offload::{FullError, Job, after_those_who_are_ready};
use tokio::time::Instant;

thread_local! {
    static TURNS: Turns = const { Turns { waiting: RefCell::new(VecDeque::new()), is_served: Cell::new(false) } };
}

/// The computations that wait on this thread.
struct Turns {
    /// INVARIANT: not borrowed while a job is run or dropped, which may wake somebody.
    waiting: RefCell<VecDeque<Job>>,
    /// Whether there is a task that does them.
    is_served: Cell<bool>,
}

/// Does `job` on this thread, when those that wait already are done. Called inside a [`tokio::task::LocalSet`].
///
/// # Errors
/// Where `most` that are still wanted wait already; `job` is then dropped.
pub fn queue(job: Job, most: usize) -> Result<(), FullError> {
    TURNS.with(|turns| {
        if turns.waiting.borrow().len() >= most {
            turns.forget_unwanted();
        }
        if turns.waiting.borrow().len() >= most {
            return Err(FullError);
        }
        turns.waiting.borrow_mut().push_back(job);
        if !turns.is_served.replace(true) {
            tokio::task::spawn_local(Serving.run());
        }
        Ok(())
    })
}

impl Turns {
    fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    /// The next job that somebody still waits for.
    fn next(&self) -> Option<Job> {
        loop {
            let job = self.waiting.borrow_mut().pop_front()?;
            if job.is_wanted() {
                return Some(job);
            }
        }
    }

    /// Whoever hung up gives the place back.
    fn forget_unwanted(&self) {
        let (wanted, unwanted): (VecDeque<_>, VecDeque<_>) =
            self.waiting.take().into_iter().partition(|job| job.is_wanted());
        self.waiting.replace(wanted);
        drop(unwanted);
    }
}

/// The task that does what waits, until nothing does.
struct Serving;

impl Serving {
    async fn run(self) {
        let mut done = Vec::new();
        let mut since = Instant::now();
        while !TURNS.with(Turns::is_empty) {
            turn().await;
            let Some(job) = TURNS.with(Turns::next) else { break };
            if done.is_empty() {
                since = Instant::now();
            }
            match catch_unwind(AssertUnwindSafe(|| job.run())) {
                Ok(waiting) => done.extend(waiting),
                Err(_panic) => tracing::error!("a computation panicked"),
            }
            if since.elapsed() >= HELD_MOST {
                done.drain(..).for_each(Waker::wake);
            }
        }
        done.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Serving {
    /// Where the runtime ends, so does what waits. A thread that ends may have no [`TURNS`] any more.
    fn drop(&mut self) {
        let left = TURNS.try_with(|turns| {
            turns.is_served.set(false);
            turns.waiting.take()
        });
        drop(left);
    }
}

/// Lets all others go first: those who are ready, and those whose sockets have become ready, to the end of their answers.
async fn turn() {
    // The runtime looks at its sockets and wakes whom that concerns, and then this task.
    tokio::task::yield_now().await;
    for _ in 0..STEPS_OF_AN_ANSWER {
        after_those_who_are_ready().await;
    }
    // And other threads that want this core: the system interrupts one that computes only at its clock tick, 4 ms apart.
    thread::yield_now();
}

/// The longest chain of tasks of which each is woken by the one before, from a socket that is ready to an answer: on HTTP/2
/// the connection, the stream, the task that writes the trail, again when all others have appended, the stream, the
/// connection.
const STEPS_OF_AN_ANSWER: usize = 6;
/// Results are told together while others wait, so that their records share a write and their connections a turn; but none
/// is held back for longer than this and the computation in hand.
const HELD_MOST: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use core::pin::Pin;
    use core::task::{Context, Poll};
    use std::io::Write;
    use std::rc::Rc;
    use std::sync::{Arc, Mutex};

    use keyreeve_core::offload::{self, Lane, Offload, OffloadError, Patience};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;
    use tokio::runtime;
    use tokio::task::{LocalSet, spawn_local, yield_now};

    use super::*;

    /// Every lane is this thread.
    struct Here {
        most: usize,
        patient: bool,
    }

    impl Offload for Here {
        fn run(&self, _: Lane, job: Job) -> Result<(), FullError> {
            queue(job, self.most)
        }

        fn patience(&self) -> Patience {
            match self.patient {
                true => Box::pin(core::future::pending()),
                false => Box::pin(core::future::ready(())),
            }
        }
    }

    const HERE: Here = Here { most: 100, patient: true };

    /// What happened, in order.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    impl Log {
        fn note(&self, what: impl Into<String>) {
            self.0.lock().unwrap().push(what.into());
        }

        fn is(&self, expected: &[&str]) {
            assert_eq!(*self.0.lock().unwrap(), expected);
        }
    }

    fn on_a_worker(test: impl Future<Output = ()>) {
        LocalSet::new().block_on(&runtime::Builder::new_current_thread().enable_all().build().unwrap(), test);
    }

    /// Lets pass what is in the line of tasks.
    async fn a_while() {
        for _ in 0..100 {
            yield_now().await;
        }
    }

    type Computing = Pin<Box<dyn Future<Output = Result<(), OffloadError>>>>;

    /// A computation that notes `name`.
    fn compute(here: &'static Here, log: &Log, name: &str) -> Computing {
        let (log, name) = (log.clone(), name.to_owned());
        Box::pin(offload::run(here, Lane::Turns, move || log.note(name)))
    }

    fn poll(computing: &mut Computing) -> Poll<Result<(), OffloadError>> {
        computing.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn whoever_comes_during_a_computation_is_answered_before_the_next() {
        on_a_worker(async {
            let log = Log::default();
            let (client, mut server) = UnixStream::pair().unwrap();
            let client = client.into_std().unwrap();
            let seen = log.clone();
            spawn_local(async move {
                let mut request = [0];
                while server.read_exact(&mut request).await.is_ok() {
                    // As on HTTP/2: a stream that waits until a third task has written the trail.
                    let stream =
                        spawn_local(async { spawn_local(after_those_who_are_ready()).await.unwrap() });
                    stream.await.unwrap();
                    server.write_all(&request).await.unwrap();
                    seen.note(format!("answered {}", request[0]));
                }
            });
            let computations: Vec<_> = (0..3)
                .map(|number: u8| {
                    let (log, mut client) = (log.clone(), client.try_clone().unwrap());
                    spawn_local(offload::run(&HERE, Lane::Turns, move || {
                        log.note(format!("computed {number}"));
                        client.write_all(&[number]).unwrap();
                    }))
                })
                .collect();
            for computation in computations {
                assert_eq!(computation.await.unwrap(), Ok(()));
            }
            a_while().await;
            log.is(&["computed 0", "answered 0", "computed 1", "answered 1", "computed 2", "answered 2"]);
        });
    }

    #[test]
    fn whoever_came_first_is_first() {
        on_a_worker(async {
            let log = Log::default();
            let waiting = ["a", "b", "c"].map(|name| spawn_local(compute(&HERE, &log, name)));
            yield_now().await;
            let late = spawn_local(compute(&HERE, &log, "d"));
            for computation in waiting.into_iter().chain([late]) {
                assert_eq!(computation.await.unwrap(), Ok(()));
            }
            log.is(&["a", "b", "c", "d"]);
        });
    }

    #[test]
    fn no_more_wait_than_may_and_whoever_leaves_gives_the_place_back() {
        static TWO: Here = Here { most: 2, patient: true };
        on_a_worker(async {
            let log = Log::default();
            let [mut first, mut second, mut third, mut fourth] =
                ["a", "b", "c", "d"].map(|name| compute(&TWO, &log, name));
            assert_eq!(poll(&mut first), Poll::Pending);
            assert_eq!(poll(&mut second), Poll::Pending);
            assert_eq!(poll(&mut third), Poll::Ready(Err(FullError.into())));
            drop(first);
            assert_eq!(poll(&mut fourth), Poll::Pending);
            assert_eq!(second.await, Ok(()));
            assert_eq!(fourth.await, Ok(()));
            log.is(&["b", "d"]);
        });
    }

    #[test]
    fn whoever_waits_too_long_is_told_and_nothing_is_computed() {
        static IMPATIENT: Here = Here { most: 1, patient: false };
        on_a_worker(async {
            let log = Log::default();
            assert_eq!(compute(&IMPATIENT, &log, "a").await, Err(OffloadError::Slow));
            a_while().await;
            log.is(&[]);
        });
    }

    #[test]
    fn a_panic_fails_its_own_request_alone() {
        on_a_worker(async {
            let log = Log::default();
            let panics = spawn_local(offload::run(&HERE, Lane::Turns, || panic!("on purpose")));
            let next = spawn_local(compute(&HERE, &log, "next"));
            assert_eq!(panics.await.unwrap(), Err::<(), _>(OffloadError::Lost));
            assert_eq!(next.await.unwrap(), Ok(()));
        });
    }

    #[test]
    fn what_waits_ends_with_the_worker_and_the_next_begins_anew() {
        let log = Log::default();
        let waiting = Rc::new(());
        let held = Rc::clone(&waiting);
        on_a_worker(async {
            let computing = compute(&HERE, &log, "left over");
            spawn_local(async move {
                let _held = held;
                computing.await
            });
            after_those_who_are_ready().await;
        });
        assert_eq!(Rc::strong_count(&waiting), 1);
        on_a_worker(async {
            assert_eq!(compute(&HERE, &log, "a").await, Ok(()));
        });
        log.is(&["a"]);
    }
}
