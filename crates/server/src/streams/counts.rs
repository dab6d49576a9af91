//! What Prometheus is told of the streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use keyreeve_domain::Timestamp;
use keyreeve_http::{Measure, Metrics};

use crate::clock;

/// What one stream has done since the process began.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    told: AtomicU64,
    failures: AtomicU64,
    gaps: AtomicU64,
    rejected: AtomicU64,
    /// The time of the oldest event that was read and is not told, in milliseconds; 0 where there is none.
    waiting: AtomicI64,
}

impl Counts {
    pub(super) fn told(&self) {
        self.told.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn rejected(&self, events: u64) {
        self.rejected.fetch_add(events, Ordering::Relaxed);
    }

    pub(super) fn set_waiting(&self, oldest: Option<Timestamp>) {
        self.waiting.store(oldest.map_or(0, Timestamp::millis), Ordering::Relaxed);
    }

    pub(super) fn set_gaps(&self, gaps: u64) {
        self.gaps.store(gaps, Ordering::Relaxed);
    }

    fn lag(&self) -> f64 {
        match self.waiting.load(Ordering::Relaxed) {
            0 => 0.0,
            since => {
                let millis = clock::now().millis().saturating_sub(since).max(0);
                u32::try_from(millis / 1000).map_or(f64::MAX, f64::from)
            }
        }
    }
}

/// Adds the measures of all streams, by name.
pub(super) fn add(metrics: &Metrics, streams: Vec<(String, Arc<Counts>)>) {
    if streams.is_empty() {
        return;
    }
    let streams = Arc::new(streams);
    type Count = fn(&Counts) -> &AtomicU64;
    let counters: [(&'static str, &'static str, Count); 4] = [
        ("audit_stream_events", "Events that a stream was told, repeated ones too", |counts| &counts.told),
        ("audit_stream_failures", "Attempts of a stream that failed", |counts| &counts.failures),
        ("audit_stream_gaps", "Times that events were gone before a stream was told of them", |counts| {
            &counts.gaps
        }),
        ("audit_stream_rejected", "Events that a receiver took and says that it does not keep", |counts| {
            &counts.rejected
        }),
    ];
    for (name, help, count) in counters {
        let streams = Arc::clone(&streams);
        let each = move || {
            let of = |(name, counts): &(String, Arc<Counts>)| {
                (name.clone(), count(counts).load(Ordering::Relaxed))
            };
            streams.iter().map(of).collect()
        };
        metrics.add(name, help, Measure::Counters("stream", Box::new(each)));
    }
    let each = move || streams.iter().map(|(name, counts)| (name.clone(), counts.lag())).collect();
    metrics.add(
        "audit_stream_lag_seconds",
        "Age of the oldest event that a stream is still to be told",
        Measure::Gauges("stream", Box::new(each)),
    );
}
