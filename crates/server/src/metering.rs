//! The thread that keeps metrics, and what is measured without a request.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use keyreeve_core::Service;
use keyreeve_core::expirations::Expirations;
use keyreeve_metric_series::{Options, Series, Source};
use keyreeve_observe::metric::MetricSource;

use crate::clock;
use crate::config::MetricsSection;
use crate::data_dir::DataDir;
use crate::exit::Failure;

/// The metrics, while the service runs.
pub(crate) struct Metering {
    series: Arc<Series>,
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Metering {
    /// Goes on with the series in the data directory; keeps them in memory where there is none. Nothing where metrics are off.
    pub(crate) fn start(
        config: &MetricsSection,
        dir: Option<&DataDir>,
        service: &Arc<Service>,
    ) -> Result<Option<Self>, Failure> {
        if !config.keep {
            return Ok(None);
        }
        let counting = Arc::clone(service);
        let options = Options {
            most_series: config.most_series,
            keep_days: config.keep_days,
            most_bytes: config.most_mib.saturating_mul(1 << 20),
            clock: Arc::new(clock::now),
            counted: Arc::new(move || counting.tally().take()),
        };
        let series = Arc::new(match dir {
            Some(dir) => {
                let path = dir.join(&config.folder);
                Series::open(&path, options).map_err(|error| Failure::Metrics { path, error })?
            }
            None => Series::in_memory(options)?,
        });
        let (kept, tallied) = (Arc::clone(&series), Arc::clone(service));
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("metrics".to_owned()).spawn(move || {
            // On Linux the priority is the thread's, not the process's.
            if let Err(error) = rustix::process::setpriority_process(None, NICE) {
                tracing::warn!(%error, "the priority of the metrics could not be lowered");
            }
            let mut looks = 0u32;
            while matches!(stopped.recv_timeout(PAUSE), Err(RecvTimeoutError::Timeout)) {
                kept.keep();
                looks = looks.wrapping_add(1);
                if looks.is_multiple_of(LOOKS) {
                    tallied.tally().forget_idle(clock::now());
                }
            }
            kept.stop();
        })?;
        Ok(Some(Self { series, stop, thread }))
    }

    /// The metrics, as the API reads them.
    pub(crate) fn source(&self) -> Arc<dyn MetricSource> {
        Arc::new(Source(Arc::clone(&self.series)))
    }

    /// The series.
    pub(crate) fn series(&self) -> Arc<Series> {
        Arc::clone(&self.series)
    }

    /// What notes every minute how long imported key material is still valid. Never returns.
    pub(crate) fn expirations(&self, service: Arc<Service>) -> impl Future<Output = ()> + use<> {
        let series = Arc::clone(&self.series);
        async move {
            let mut ticks = tokio::time::interval(PAUSE);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let (mut known, mut seen) = (Expirations::default(), None);
            loop {
                ticks.tick().await;
                // A minute of the service's clock, which tests move.
                let minute = clock::now().millis().div_euclid(60_000);
                if seen.replace(minute) == Some(minute) {
                    continue;
                }
                known = match service.expirations(known).await {
                    Ok(found) => {
                        series.note_expirations(found.left(clock::now()));
                        found
                    }
                    Err(error) => {
                        tracing::warn!(%error, "when imported key material expires could not be read");
                        Expirations::default()
                    }
                };
            }
        }
    }

    /// Writes what was counted until now, and ends the thread.
    pub(crate) fn stop(self) -> io::Result<()> {
        drop(self.stop);
        self.thread.join().map_err(|_panicked| io::Error::other("the keeping of metrics ended early"))
    }
}

/// From one look to the next.
const PAUSE: Duration = Duration::from_secs(1);
/// Looks from one time that idle keys are forgotten to the next.
const LOOKS: u32 = 60;
/// The priority of the thread: whoever waits for an answer goes before.
const NICE: i32 = 10;
