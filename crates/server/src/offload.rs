//! Threads for what would hold up a worker.
//!
//! They run at low priority, so that whoever waits for something short is served first. Their queues are bounded.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use keyreeve_core::offload::{FullError, Job, Lane, Offload, Patience};

use crate::config::CryptoSection;

/// The threads of a process. They end with it.
pub(crate) struct Threads {
    operations: Queue,
    rsa_keys: Queue,
    landing: Arc<Landing>,
    patience: Duration,
}

impl Threads {
    /// Starts the threads.
    ///
    /// # Errors
    /// Where the system gives no more threads.
    pub(crate) fn start(options: &CryptoSection) -> io::Result<Self> {
        let threads = match options.threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let landing = Arc::new(Landing::default());
        Ok(Self {
            operations: start("compute", threads, options.queue, NICE_OPERATIONS, &landing)?,
            rsa_keys: start("rsa", options.rsa_threads, RSA_QUEUE, NICE_RSA_KEYS, &landing)?,
            landing,
            patience: Duration::from_secs(options.key_wait_seconds),
        })
    }
}

impl Offload for Threads {
    fn run(&self, lane: Lane, job: Job) -> Result<(), FullError> {
        let queue = match lane {
            Lane::Operations => &self.operations,
            Lane::RsaKeys => &self.rsa_keys,
        };
        queue.push(job)
    }

    fn landed(&self) {
        self.landing.wake_all();
    }

    fn patience(&self) -> Patience {
        Box::pin(tokio::time::sleep(self.patience))
    }
}

/// The jobs of a lane that wait.
struct Queue {
    jobs: SyncSender<Job>,
    waiting: Arc<AtomicUsize>,
}

impl Queue {
    fn push(&self, job: Job) -> Result<(), FullError> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.jobs.try_send(job).map_err(|_full| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            FullError
        })
    }
}

/// The end of a queue that its threads share.
struct Jobs {
    receiver: Mutex<Receiver<Job>>,
    waiting: Arc<AtomicUsize>,
}

impl Jobs {
    /// The next job; `None` where no more can come.
    fn next(&self) -> Option<Job> {
        let job = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
        self.taken(job)
    }

    /// The next job, if it is there.
    fn next_now(&self) -> Option<Job> {
        // Where another thread has the lock, it waits for a job: there is none.
        let job = self.receiver.try_lock().ok().and_then(|jobs| jobs.try_recv().ok());
        self.taken(job)
    }

    fn taken(&self, job: Option<Job>) -> Option<Job> {
        if job.is_some() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        job
    }

    fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Those whose results are there, and who have yet to be woken.
///
/// To wake another thread is a system call and two changes of thread, more than some of the jobs take. So the results of
/// jobs that follow each other closely are told together: one of those who wait is woken, and wakes the others.
#[derive(Default)]
struct Landing(Mutex<Vec<Waker>>);

impl Landing {
    fn lock(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells all of `held`.
    fn flush(&self, held: &mut Vec<Waker>) {
        let Some(first) = held.pop() else { return };
        self.lock().append(held);
        first.wake();
        // Whoever was woken first may be gone, and then wakes nobody.
        self.wake_all();
    }

    fn wake_all(&self) {
        // Woken outside the lock: a waker may do anything.
        let all = core::mem::take(&mut *self.lock());
        all.into_iter().for_each(Waker::wake);
    }
}

fn start(name: &str, threads: usize, queue: usize, nice: i32, landing: &Arc<Landing>) -> io::Result<Queue> {
    let (sender, receiver) = sync_channel(queue);
    let waiting = Arc::new(AtomicUsize::new(0));
    let jobs = Arc::new(Jobs { receiver: Mutex::new(receiver), waiting: Arc::clone(&waiting) });
    for number in 0..threads {
        let (jobs, landing) = (Arc::clone(&jobs), Arc::clone(landing));
        thread::Builder::new().name(format!("{name}-{number}")).spawn(move || {
            // On Linux the priority is the thread's, not the process's.
            if let Err(error) = rustix::process::setpriority_process(None, nice) {
                tracing::warn!(%error, "the priority of a thread could not be lowered");
            }
            work(&jobs, &landing);
        })?;
    }
    Ok(Queue { jobs: sender, waiting })
}

/// Does jobs until no more can come.
///
/// A result is kept back while more than twice as many jobs wait as results are kept, but not for long: whoever is in a
/// long queue anyway waits a little longer for its end, and whoever is alone waits for nobody.
fn work(jobs: &Jobs, landing: &Landing) {
    let (mut held, mut since) = (Vec::new(), Instant::now());
    loop {
        let Some(job) = (if held.is_empty() { jobs.next() } else { jobs.next_now() }) else {
            if held.is_empty() {
                return;
            }
            landing.flush(&mut held);
            continue;
        };
        if held.is_empty() {
            since = Instant::now();
        }
        match catch_unwind(AssertUnwindSafe(job)) {
            Ok(waiting) => held.extend(waiting),
            Err(_panic) => tracing::error!("a computation panicked"),
        }
        if held.len() * 2 >= jobs.waiting() || since.elapsed() >= HELD_MOST {
            landing.flush(&mut held);
        }
    }
}

/// More than the stock has in hand at once.
const RSA_QUEUE: usize = 16;
/// The lowest priority: with more, a signature holds up requests that are short by milliseconds.
const NICE_OPERATIONS: i32 = 19;
/// A tenth of a core that everybody wants: a new key takes seconds as it is, and somebody may be waiting.
const NICE_RSA_KEYS: i32 = 10;
/// A result whose job began longer ago than this is told before the next job begins: it waits at most for the job in hand,
/// which is one of the same lane. Jobs that make RSA keys have no results that somebody is woken for, so none waits for them.
const HELD_MOST: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Counts how often it was woken.
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn whoever_waits_is_woken_once_by_the_thread_or_by_another_who_was() {
        for others_wake in [false, true] {
            let landing = Landing::default();
            let counts = [(); 3].map(|()| Arc::new(Count::default()));
            let mut held: Vec<Waker> = counts.iter().map(|count| Waker::from(Arc::clone(count))).collect();
            landing.flush(&mut held);
            if others_wake {
                landing.wake_all();
            }
            assert!(held.is_empty());
            assert!(counts.iter().all(|count| count.0.load(Ordering::SeqCst) == 1), "{others_wake}");
        }
    }

    #[test]
    fn a_full_queue_refuses_and_a_panic_ends_no_thread() {
        let options = CryptoSection { threads: 1, queue: 1, ..CryptoSection::default() };
        let threads = Threads::start(&options).unwrap();
        let (begun, has_begun) = channel();
        let (go_on, may_go_on) = channel::<()>();
        let job: Job = Box::new(move || {
            begun.send(()).unwrap();
            may_go_on.recv().unwrap();
            panic!("on purpose");
        });
        threads.run(Lane::Operations, job).unwrap();
        has_begun.recv().unwrap();
        let (done, is_done) = channel();
        threads
            .run(
                Lane::Operations,
                Box::new(move || {
                    done.send(()).unwrap();
                    None
                }),
            )
            .unwrap();
        assert_eq!(threads.run(Lane::Operations, Box::new(|| None)), Err(FullError));
        assert_eq!(threads.run(Lane::RsaKeys, Box::new(|| None)), Ok(()), "the other lane has its own");
        go_on.send(()).unwrap();
        is_done.recv().unwrap();
    }
}
