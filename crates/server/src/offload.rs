//! Threads for what would hold up a worker.
//!
//! They run at low priority, so that whoever waits for something short is served first. Their queues are bounded.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use keyreeve_core::offload::{FullError, Job, Lane, Offload, Patience};

use crate::config::CryptoSection;

/// The threads of a process. They end with it.
pub(crate) struct Threads {
    operations: SyncSender<Job>,
    rsa_keys: SyncSender<Job>,
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
        Ok(Self {
            operations: start("compute", threads, options.queue, NICE_OPERATIONS)?,
            rsa_keys: start("rsa", options.rsa_threads, RSA_QUEUE, NICE_RSA_KEYS)?,
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
        queue.try_send(job).or(Err(FullError))
    }

    fn patience(&self) -> Patience {
        Box::pin(tokio::time::sleep(self.patience))
    }
}

fn start(name: &str, threads: usize, queue: usize, nice: i32) -> io::Result<SyncSender<Job>> {
    let (sender, receiver) = sync_channel(queue);
    let receiver = Arc::new(Mutex::new(receiver));
    for number in 0..threads {
        let receiver = Arc::clone(&receiver);
        thread::Builder::new().name(format!("{name}-{number}")).spawn(move || {
            // On Linux the priority is the thread's, not the process's.
            if let Err(error) = rustix::process::setpriority_process(None, nice) {
                tracing::warn!(%error, "the priority of a thread could not be lowered");
            }
            work(&receiver);
        })?;
    }
    Ok(sender)
}

/// Does jobs until no more can come.
fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a computation panicked");
        }
    }
}

/// More than the stock has in hand at once.
const RSA_QUEUE: usize = 16;
/// A quarter of a core that everybody wants, and a tenth: somebody may be waiting.
const NICE_OPERATIONS: i32 = 5;
const NICE_RSA_KEYS: i32 = 10;

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

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
