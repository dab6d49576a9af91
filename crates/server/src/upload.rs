//! The thread that puts delivered files into the bucket.
//!
//! It is none of those that answer requests, and not the one that delivers into the folder: a bucket that is slow or away holds up
//! neither.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use keyreeve_observe::destination::Destination;
use keyreeve_observe::sealed_file::DataKeys;
use keyreeve_trail_delivery::{Folder, Round, Uploader};
use tokio::runtime;
use tokio::sync::oneshot;

use crate::delivery;

/// How the delivery into the bucket stands.
#[derive(Default)]
pub(crate) struct UploadCounts {
    put: AtomicU64,
    waiting: AtomicU64,
    /// In seconds; 0 where nothing waits.
    since: AtomicI64,
    failures: AtomicU64,
}

impl UploadCounts {
    /// Files that were put there by this process.
    pub(crate) fn put(&self) -> u64 {
        self.put.load(Ordering::Relaxed)
    }

    /// Files that are not there yet.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Since when the first of those waits.
    pub(crate) fn since(&self) -> Option<u64> {
        u64::try_from(self.since.load(Ordering::Relaxed)).ok().filter(|since| *since > 0)
    }

    /// Looks in a row that have not put all files there.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    fn note(&self, before: u64, round: &Round) {
        self.put.store(before.saturating_add(round.put), Ordering::Relaxed);
        self.waiting.store(round.waiting, Ordering::Relaxed);
        let since = round.since.map_or(0, |since| since.millis().div_euclid(1000));
        self.since.store(since, Ordering::Relaxed);
    }
}

/// The thread.
pub(crate) struct Upload {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Upload {
    /// Puts what waits in `folder`, and all that will, into `destination`.
    pub(crate) fn start(
        folder: &Arc<Folder>,
        destination: Arc<dyn Destination>,
        data_keys: Option<Arc<dyn DataKeys>>,
        counts: Arc<UploadCounts>,
    ) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let uploader = Uploader::new(Arc::clone(folder), destination, data_keys);
        let folder = Arc::clone(folder);
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new().name("bucket".to_owned()).spawn(move || {
            delivery::stand_back();
            runtime.block_on(async {
                // What is cut off here is put again after the next start.
                tokio::select! {
                    _ = stopped => {}
                    () = run(&folder, &uploader, &counts) => {}
                }
            });
            // A host that is being looked up is waited for by nobody.
            runtime.shutdown_background();
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends the thread.
    pub(crate) fn stop(self) -> io::Result<()> {
        drop(self.stop);
        self.thread.join().map_err(|_panicked| io::Error::other("the delivery into the bucket ended early"))
    }
}

async fn run(folder: &Folder, uploader: &Uploader, counts: &UploadCounts) {
    let mut failures = 0u32;
    loop {
        let before = counts.put();
        let round = uploader.round(&mut |round| counts.note(before, round)).await;
        counts.note(before, &round);
        match round.error {
            None if failures > 0 => {
                failures = 0;
                folder.set_upload_error(None);
                tracing::info!("the bucket has all log files and digests again");
            }
            None => {}
            Some(error) => {
                failures = failures.saturating_add(1);
                folder.set_upload_error(Some(error.to_string()));
                if failures == 1 {
                    tracing::error!(%error, "log files and digests wait for the bucket; trying again");
                }
            }
        }
        counts.failures.store(u64::from(failures), Ordering::Relaxed);
        tokio::time::sleep(PAUSE.saturating_mul(1 << failures.min(DOUBLINGS))).await;
    }
}

/// From one look into the outbox to the next.
const PAUSE: Duration = Duration::from_secs(1);
/// How often that is doubled while something is wrong, at most: to a good minute.
const DOUBLINGS: u32 = 6;
