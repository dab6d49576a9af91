//! The thread that delivers the audit trail.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use keyreeve_core::Service;
use keyreeve_core::digest_keys::{DigestKeys, DigestPublicKey};
use keyreeve_domain::Timestamp;
use keyreeve_http::{AuditTrail, Metrics};
use keyreeve_observe::layout::TrailNames;
use keyreeve_trail_delivery::{Deliverer, DeliveryError, Ends, Folder, INDEX_DIR, Index, Options, Retention};
use keyreeve_trail_file::FileTrail;
use parking_lot::Mutex;

use crate::bucket;
use crate::clock;
use crate::config::Config;
use crate::data_dir::{DataDir, TRAIL_DIR};
use crate::data_key_desk::DataKeyDesk;
use crate::exit::Failure;
use crate::measures;
use crate::start;
use crate::upload::{Upload, UploadCounts};

mod passage;

pub(crate) use passage::{Passage, Passing};

/// The delivery of the trail, while the service runs.
pub(crate) struct Delivery {
    folder: Arc<Folder>,
    names: TrailNames,
    keys: Arc<Mutex<Arc<DigestKeys>>>,
    stop: Sender<()>,
    thread: JoinHandle<()>,
    upload: Option<Upload>,
    passage: Passage,
}

/// What the trail is called.
pub(crate) fn names(config: &Config) -> Result<TrailNames, Failure> {
    let audit = &config.audit;
    let (home, account) = (start::home_region(config)?, config.account()?);
    // AWS: unverified for an alias: CloudTrail tells an ARN, which here is the alias's.
    let arn = |key: &String| match key.split_once(['/', ':']) {
        Some(("arn", _)) => key.clone(),
        Some(_) => format!("arn:{}:kms:{home}:{account}:{key}", home.partition()),
        None => format!("arn:{}:kms:{home}:{account}:key/{key}", home.partition()),
    };
    Ok(TrailNames {
        trail: audit.trail.clone(),
        bucket: audit.bucket.clone(),
        prefix: bucket::prefix(config),
        kms_key: audit.kms_key.as_ref().map(arn).or_else(|| config.bucket.sse_kms_key.clone()),
        home,
    })
}

/// The public keys as they are shown: in a test mode, whose clock may show any time, as good for all of it.
fn shown(keys: &DigestKeys, is_test: bool) -> Vec<DigestPublicKey> {
    let mut public = keys.public().to_vec();
    if is_test {
        for key in &mut public {
            (key.since, key.until) = (Timestamp::from_millis(0), None);
        }
    }
    public
}

impl Delivery {
    /// Goes on with the delivery. `began` is where the streams ended before this process wrote to them.
    pub(crate) async fn start(
        config: &Config,
        dir: &DataDir,
        (service, trail): (&Arc<Service>, &FileTrail),
        metrics: &Arc<Metrics>,
        began: Ends,
    ) -> Result<Self, Failure> {
        let segments = dir.join(TRAIL_DIR);
        let audit = &config.audit;
        let names = names(config)?;
        let is_test = config.dev.is_on;
        let destination = match is_test {
            // Its clock comes to the same hours again, and nothing in a bucket is overwritten.
            true => {
                if config.bucket.endpoint.is_some() {
                    tracing::warn!("nothing is put into [bucket] in the test mode");
                }
                None
            }
            false => bucket::destination(config)?,
        };
        let path = dir.join(&audit.folder);
        let refused = |error: DeliveryError| Failure::Delivery { path: path.clone(), error };
        let index = Index::new(&segments, began.clone()).kept_in(&path.join(INDEX_DIR));
        let index = Arc::new(if is_test { index.by_clock(clock::now) } else { index });
        let identity = destination.as_ref().map(|_| bucket::identity(config));
        let of_bucket = identity.as_deref().map(|identity| (identity, names.prefix.as_str()));
        let folder = Folder::open(&path, Arc::clone(&index)).and_then(|folder| folder.for_bucket(of_bucket));
        let folder = folder.map(Arc::new).map_err(|error| refused(error.into()))?;
        let now = clock::now();
        let keys = service.digest_keys(now, audit.digest_key_days).await?;
        folder.set_public_keys(&shown(&keys, is_test)).map_err(|error| refused(error.into()))?;
        let keys = Arc::new(Mutex::new(Arc::new(keys)));
        let options = Options {
            names: names.clone(),
            account: config.account()?,
            digest_seconds: audit.digest_seconds,
            data_keys: match &audit.kms_key {
                Some(key) => Some(DataKeyDesk::open(config, key, service, trail)?),
                None => None,
            },
        };
        let data_keys = options.data_keys.clone();
        let deliverer = Deliverer::open(Path::new(&segments), Arc::clone(&folder), options, began, now);
        let runner = Runner {
            is_test,
            deliverer: deliverer.map_err(refused)?,
            folder: Arc::clone(&folder),
            index,
            keep: Retention {
                days: Some(audit.keep_days).filter(|days| *days > 0),
                bytes: Some(audit.keep_mib.saturating_mul(1 << 20)).filter(|bytes| *bytes > 0),
            },
            keys: Arc::clone(&keys),
            step: i64::try_from(audit.log_seconds).unwrap_or(i64::MAX).saturating_mul(1000),
            last: None,
            failures: 0,
            was_ahead: false,
            metrics: Arc::clone(metrics),
            places: [segments, path.clone()],
        };
        let runner = Arc::new(Mutex::new(runner));
        let passage = Passage { runner: Arc::clone(&runner), is_held: Arc::default() };
        let held = passage.clone();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("delivery".to_owned()).spawn(move || {
            stand_back();
            loop {
                let pause = runner.lock().pause();
                if !matches!(stopped.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
                    return runner.lock().end();
                }
                let is_stopped = || stopped.try_recv() == Err(TryRecvError::Disconnected);
                let mut runner = runner.lock();
                if !held.is_held() {
                    runner.look(clock::now(), &is_stopped);
                }
            }
        })?;
        let counts = Arc::<UploadCounts>::default();
        measures::add_upload(metrics, &counts);
        let upload = match destination {
            Some(destination) => Some(Upload::start(&folder, destination, data_keys, counts)?),
            None => None,
        };
        Ok(Self { folder, names, keys, stop, thread, upload, passage })
    }

    /// By what a test mode has the delivery follow its clock.
    pub(crate) fn passage(&self) -> Passage {
        self.passage.clone()
    }

    /// The trail, as the API reads it.
    pub(crate) fn trail(&self) -> AuditTrail {
        AuditTrail { names: self.names.clone(), archive: Arc::clone(&self.folder) as _ }
    }

    /// What sees to it that another key signs when it is time. Never returns.
    pub(crate) fn rotation(&self, service: Arc<Service>, days: u32) -> impl Future<Output = ()> + use<> {
        let (folder, keys) = (Arc::clone(&self.folder), Arc::clone(&self.keys));
        let is_test = self.passage.runner.lock().is_test;
        async move {
            let mut ticks = tokio::time::interval(LOOK);
            loop {
                ticks.tick().await;
                let found = match service.digest_keys(clock::now(), days).await {
                    Ok(found) => found,
                    Err(error) => {
                        tracing::error!(%error, "the keys of digests cannot be read; trying again later");
                        continue;
                    }
                };
                if found.public().len() == keys.lock().public().len() {
                    continue;
                }
                // ORDER: a key can be found before it signs.
                match folder.set_public_keys(&shown(&found, is_test)) {
                    Ok(()) => *keys.lock() = Arc::new(found),
                    Err(error) => tracing::error!(%error, "the public keys of digests cannot be written"),
                }
            }
        }
    }

    /// Ends the thread. What it has not delivered is delivered after the next start.
    pub(crate) fn stop(self) -> io::Result<()> {
        drop(self.stop);
        self.upload.map_or(Ok(()), Upload::stop)?;
        self.thread
            .join()
            .map_err(|_panicked| io::Error::other("the delivery of the audit trail ended early"))
    }
}

struct Runner {
    /// The clock may jump and be set back.
    is_test: bool,
    deliverer: Deliverer,
    folder: Arc<Folder>,
    index: Arc<Index>,
    keep: Retention,
    keys: Arc<Mutex<Arc<DigestKeys>>>,
    /// Milliseconds between log files.
    step: i64,
    /// The stretch of time in which log files were delivered last.
    last: Option<i64>,
    /// How often it has failed in a row.
    failures: u32,
    /// Whether the newest digest ended later than now.
    was_ahead: bool,
    metrics: Arc<Metrics>,
    /// Where segments are written and files delivered.
    places: [PathBuf; 2],
}

impl Runner {
    /// How long to wait before the next look: longer each time that it fails.
    fn pause(&self) -> Duration {
        PAUSE.saturating_mul(1 << self.failures.min(7))
    }

    /// A digest cannot end before the one before it: where the clock was ahead, the next one waits, and has all log files until then.
    fn tell_of_the_clock(&mut self, is_ahead: bool) {
        if is_ahead && !self.was_ahead {
            tracing::warn!("{AHEAD}");
        }
        if is_ahead && self.failures == 0 {
            self.folder.set_error(Some(AHEAD.to_owned()));
        } else if self.was_ahead && self.failures == 0 {
            self.folder.set_error(None);
        }
        self.was_ahead = is_ahead;
    }

    fn look(&mut self, now: Timestamp, is_stopped: &dyn Fn() -> bool) {
        let stretch = now.millis().div_euclid(self.step.max(1));
        let is_due = self.last != Some(stretch);
        let outcome = match self.is_test && self.deliverer.is_ahead_of(now) {
            true => self.deliverer.begin_anew(now),
            false => Ok(()),
        };
        self.tell_of_the_clock(!self.is_test && self.deliverer.is_digest_ahead_of(now));
        let outcome = outcome.and_then(|()| match self.deliverer.is_digest_due(now) {
            true => self.digest(now),
            false => Ok(()),
        });
        let outcome = outcome.and_then(|()| match is_due {
            true => self.deliver(now, is_stopped).inspect(|()| self.last = Some(stretch)),
            false => Ok(()),
        });
        match outcome {
            Ok(()) if is_due && self.failures > 0 => {
                self.failures = 0;
                self.folder.set_error(None);
                tracing::info!("the audit trail is delivered again");
            }
            Ok(()) => {}
            Err(error) => {
                self.folder.set_error(Some(error.to_string()));
                self.failures = self.failures.saturating_add(1);
                if self.failures == 1 {
                    tracing::error!(%error, "the audit trail cannot be delivered; trying again");
                }
            }
        }
        if is_due || self.failures > 0 {
            let delivered = (self.failures == 0).then_some(now);
            self.metrics.set_trail(delivered, self.failures, self.free());
        }
    }

    /// Notes where the index is, so that the first look after the next start is a short one.
    fn end(&self) {
        if let Err(error) = self.index.keep_all() {
            tracing::warn!(%error, "the index of the audit trail was not noted; the next start reads on from where it was");
        }
    }

    /// Bytes that are free where the trail is written or delivered, whichever is less.
    fn free(&self) -> Option<u64> {
        let free = |path: &PathBuf| {
            let room = rustix::fs::statvfs(path).ok()?;
            Some(room.f_bavail.saturating_mul(room.f_frsize))
        };
        self.places.iter().filter_map(free).min()
    }

    fn digest(&mut self, now: Timestamp) -> Result<(), DeliveryError> {
        let keys = Arc::clone(&self.keys.lock());
        self.deliverer.digest(now, &keys)
    }

    /// Delivers one file after the other until nothing is left, or the service stops: what is left then comes after the next
    /// start.
    fn deliver(&mut self, now: Timestamp, is_stopped: &dyn Fn() -> bool) -> Result<(), DeliveryError> {
        while self.deliverer.deliver(now)? {
            if is_stopped() {
                return Ok(());
            }
        }
        self.index.keep()?;
        self.deliverer.retain(&self.index, self.keep, now)
    }
}

/// Lowers the priority of this thread.
pub(crate) fn stand_back() {
    // On Linux the priority is the thread's, not the process's.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(%error, "the priority of the delivery could not be lowered");
    }
}

/// What is said of a clock that was ahead.
const AHEAD: &str = "the newest digest of the audit trail ends later than now: the clock was ahead of the time; events are delivered, \
                     and the next digest is made when that time has passed";
/// From one look at the clock to the next.
const PAUSE: Duration = Duration::from_millis(250);
/// The priority of the thread: whoever waits for an answer goes before.
const NICE: i32 = 10;
/// From one look at the age of the key to the next.
const LOOK: Duration = Duration::from_secs(3600);
