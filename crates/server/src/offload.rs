//! Where the service computes what takes long.
//!
//! What takes less than a millisecond is done by the worker that asks, see [`keyreeve_http::turns`]. The rest is done by
//! threads that run at low priority, so that whoever waits for something short is served first. All queues are bounded.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use keyreeve_core::offload::{FullError, Job, Lane, Offload, Patience};
use keyreeve_http::turns;

use crate::config::CryptoSection;

/// The threads of a process. They end with it.
pub(crate) struct Threads {
    operations: SyncSender<Job>,
    rsa_keys: SyncSender<Job>,
    landing: Arc<Landing>,
    /// What waits for its turn on a worker at most.
    turns: usize,
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
            turns: options.queue,
            patience: Duration::from_secs(options.key_wait_seconds),
        })
    }
}

impl Offload for Threads {
    fn run(&self, lane: Lane, job: Job) -> Result<(), FullError> {
        let queue = match lane {
            Lane::Operations => &self.operations,
            Lane::RsaKeys => &self.rsa_keys,
            Lane::Turns => return turns::queue(job, self.turns),
        };
        queue.try_send(job).or(Err(FullError))
    }

    fn landed(&self) {
        self.landing.wake_all();
    }

    fn patience(&self) -> Patience {
        Box::pin(tokio::time::sleep(self.patience))
    }
}

/// Those whose results are there, and who have yet to be woken.
///
/// To wake another thread is a system call and two changes of thread. So the results of jobs that follow each other closely
/// are told together: one of those who wait is woken, and wakes the others.
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

fn start(
    name: &str,
    threads: usize,
    queue: usize,
    nice: i32,
    landing: &Arc<Landing>,
) -> io::Result<SyncSender<Job>> {
    let (sender, receiver) = sync_channel(queue);
    let jobs = Arc::new(Mutex::new(receiver));
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
    Ok(sender)
}

/// Does jobs until no more can come. Results are kept back while there is more to do, but not for long.
fn work(jobs: &Mutex<Receiver<Job>>, landing: &Landing) {
    let (mut held, mut since) = (Vec::new(), Instant::now());
    loop {
        // Where another thread has the lock, it waits for a job: there is none.
        let next = jobs.try_lock().ok().and_then(|jobs| jobs.try_recv().ok());
        if next.is_none() || since.elapsed() >= HELD_MOST {
            landing.flush(&mut held);
        }
        let next = match next {
            Some(job) => Ok(job),
            None => jobs.lock().unwrap_or_else(PoisonError::into_inner).recv(),
        };
        let Ok(job) = next else { return };
        if held.is_empty() {
            since = Instant::now();
        }
        match catch_unwind(AssertUnwindSafe(|| job.run())) {
            Ok(waiting) => held.extend(waiting),
            Err(_panic) => tracing::error!("a computation panicked"),
        }
    }
}

/// More than the stock has in hand at once.
const RSA_QUEUE: usize = 16;
/// The lowest priority: with more, a signature holds up requests that are short by milliseconds.
const NICE_OPERATIONS: i32 = 19;
/// A tenth of a core that everybody wants: a new key takes seconds as it is, and somebody may be waiting.
const NICE_RSA_KEYS: i32 = 10;
/// A result whose job began longer ago than this is told before the next job begins.
const HELD_MOST: Duration = Duration::from_millis(5);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
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
        threads.run(Lane::Operations, Box::new(move || done.send(()).unwrap())).unwrap();
        assert_eq!(threads.run(Lane::Operations, Box::new(|| ())), Err(FullError));
        assert_eq!(threads.run(Lane::RsaKeys, Box::new(|| ())), Ok(()), "the other lane has its own");
        go_on.send(()).unwrap();
        is_done.recv().unwrap();
    }
}
