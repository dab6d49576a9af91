//! The thread that delivers the audit trail.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use keyreeve_core::Service;
use keyreeve_core::digest_keys::DigestKeys;
use keyreeve_domain::Timestamp;
use keyreeve_http::AuditTrail;
use keyreeve_observe::layout::TrailNames;
use keyreeve_trail_delivery::{Deliverer, DeliveryError, Ends, Folder, Index, Options};
use parking_lot::Mutex;

use crate::clock;
use crate::config::Config;
use crate::data_dir::{DataDir, TRAIL_DIR};
use crate::exit::Failure;
use crate::start;

/// The delivery of the trail, while the service runs.
pub(crate) struct Delivery {
    folder: Arc<Folder>,
    names: TrailNames,
    keys: Arc<Mutex<Arc<DigestKeys>>>,
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Delivery {
    /// Goes on with the delivery. `began` is where the streams ended before this process wrote to them.
    pub(crate) async fn start(
        config: &Config,
        dir: &DataDir,
        service: &Service,
        began: Ends,
    ) -> Result<Self, Failure> {
        let segments = dir.join(TRAIL_DIR);
        let audit = &config.audit;
        let names = TrailNames {
            trail: audit.trail.clone(),
            bucket: audit.bucket.clone(),
            home: start::home_region(config)?,
        };
        let path = dir.join(&audit.folder);
        let refused = |error: DeliveryError| Failure::Delivery { path: path.clone(), error };
        let index = Arc::new(Index::new(&segments, began.clone()));
        let folder = Folder::open(&path, index).map(Arc::new).map_err(|error| refused(error.into()))?;
        let now = clock::now();
        let keys = service.digest_keys(now, audit.digest_key_days).await?;
        folder.set_public_keys(keys.public()).map_err(|error| refused(error.into()))?;
        let keys = Arc::new(Mutex::new(Arc::new(keys)));
        let options = Options {
            names: names.clone(),
            account: config.account()?,
            digest_seconds: audit.digest_seconds,
        };
        let deliverer = Deliverer::open(Path::new(&segments), Arc::clone(&folder), options, began, now);
        let mut runner = Runner {
            deliverer: deliverer.map_err(refused)?,
            folder: Arc::clone(&folder),
            keys: Arc::clone(&keys),
            step: i64::try_from(audit.log_seconds).unwrap_or(i64::MAX).saturating_mul(1000),
            last: None,
            is_failing: false,
        };
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("delivery".to_owned()).spawn(move || {
            while matches!(stopped.recv_timeout(PAUSE), Err(RecvTimeoutError::Timeout)) {
                runner.look(clock::now());
            }
        })?;
        Ok(Self { folder, names, keys, stop, thread })
    }

    /// The trail, as the API reads it.
    pub(crate) fn trail(&self) -> AuditTrail {
        AuditTrail { names: self.names.clone(), archive: Arc::clone(&self.folder) as _ }
    }

    /// What sees to it that another key signs when it is time. Never returns.
    pub(crate) fn rotation(&self, service: Arc<Service>, days: u32) -> impl Future<Output = ()> + use<> {
        let (folder, keys) = (Arc::clone(&self.folder), Arc::clone(&self.keys));
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
                match folder.set_public_keys(found.public()) {
                    Ok(()) => *keys.lock() = Arc::new(found),
                    Err(error) => tracing::error!(%error, "the public keys of digests cannot be written"),
                }
            }
        }
    }

    /// Ends the thread. What it has not delivered is delivered after the next start.
    pub(crate) fn stop(self) -> io::Result<()> {
        drop(self.stop);
        self.thread
            .join()
            .map_err(|_panicked| io::Error::other("the delivery of the audit trail ended early"))
    }
}

struct Runner {
    deliverer: Deliverer,
    folder: Arc<Folder>,
    keys: Arc<Mutex<Arc<DigestKeys>>>,
    /// Milliseconds between log files.
    step: i64,
    /// The stretch of time in which log files were delivered last.
    last: Option<i64>,
    is_failing: bool,
}

impl Runner {
    fn look(&mut self, now: Timestamp) {
        let stretch = now.millis().div_euclid(self.step.max(1));
        let is_due = self.last != Some(stretch);
        let outcome = match self.deliverer.is_digest_due(now) {
            true => self.digest(now),
            false => Ok(()),
        };
        let outcome = outcome.and_then(|()| match is_due {
            true => self.deliver(now).inspect(|()| self.last = Some(stretch)),
            false => Ok(()),
        });
        match outcome {
            Ok(()) if is_due && self.is_failing => {
                self.is_failing = false;
                self.folder.set_error(None);
                tracing::info!("the audit trail is delivered again");
            }
            Ok(()) => {}
            Err(error) => {
                self.folder.set_error(Some(error.to_string()));
                if !core::mem::replace(&mut self.is_failing, true) {
                    tracing::error!(%error, "the audit trail cannot be delivered; trying again");
                }
            }
        }
    }

    fn digest(&mut self, now: Timestamp) -> Result<(), DeliveryError> {
        let keys = Arc::clone(&self.keys.lock());
        self.deliverer.digest(now, &keys)
    }

    fn deliver(&mut self, now: Timestamp) -> Result<(), DeliveryError> {
        while self.deliverer.deliver(now)? {}
        Ok(())
    }
}

/// From one look at the clock to the next.
const PAUSE: Duration = Duration::from_millis(250);
/// From one look at the age of the key to the next.
const LOOK: Duration = Duration::from_secs(3600);
