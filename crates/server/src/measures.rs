//! What Prometheus is told beside requests: the trail, the store, the cache, the seal, the process.

use std::path::PathBuf;
use std::sync::Arc;

use keyreeve_core::Service;
use keyreeve_http::{Measure, Metrics};
use keyreeve_metric_series::Series;
use keyreeve_trail_file::WriteCounts;

use crate::alarms::AlarmCounts;
use crate::audit_space::AuditSpace;
use crate::clock;
use crate::config::{Config, SealKind};
use crate::measured_store::StoreCounts;
use crate::upload::UploadCounts;

/// What is measured.
pub(crate) struct Measured {
    pub(crate) service: Arc<Service>,
    pub(crate) trail: Arc<WriteCounts>,
    /// None where nothing is kept.
    pub(crate) space: Option<Arc<AuditSpace>>,
    pub(crate) store: Arc<StoreCounts>,
    /// The file of the store, where there is one.
    pub(crate) store_file: Option<PathBuf>,
    pub(crate) series: Option<Arc<Series>>,
    pub(crate) alarms: Arc<AlarmCounts>,
}

/// Adds all of it to `metrics`.
pub(crate) fn add(metrics: &Metrics, config: &Config, measured: Measured) {
    let Measured { service, trail, space, store, store_file, series, alarms } = measured;
    metrics.add_start(clock::system());
    let version = ("version", env!("CARGO_PKG_VERSION").to_owned());
    let fips = ("fips", cfg!(feature = "fips").to_string());
    metrics.add("build_info", "The build", Measure::Info(vec![version, fips]));
    let kind = match config.seal.kind {
        _ if config.dev.in_memory => "memory",
        SealKind::File => "file",
        SealKind::Passphrase => "passphrase",
    };
    // A process whose seal is closed does not serve.
    metrics.add("seal_open", "The seal is open", Measure::Info(vec![("kind", kind.to_owned())]));
    add_trail(metrics, &trail, space);
    add_store(metrics, &store, store_file);
    let ring = Arc::clone(&service);
    metrics.add(
        "key_cache_hits",
        "KMS keys that were found in the cache",
        counter(move || ring.ring().hits_and_misses().0),
    );
    let ring = Arc::clone(&service);
    metrics.add(
        "key_cache_misses",
        "KMS keys that were not",
        counter(move || ring.ring().hits_and_misses().1),
    );
    add_alarms(metrics, &alarms);
    if let Some(series) = series {
        add_series(metrics, &service, &series);
    }
}

fn add_trail(metrics: &Metrics, trail: &Arc<WriteCounts>, space: Option<Arc<AuditSpace>>) {
    let lines = trail.lines();
    metrics.add("audit_records", "Lines of the audit trail", counter(move || lines.counted().sum));
    let counts = Arc::clone(trail);
    metrics.add("audit_written_bytes", "Bytes of these lines", counter(move || counts.bytes()));
    let counts = Arc::clone(trail);
    metrics.add(
        "audit_write_failures",
        "Writes of the audit trail that the disk refused",
        counter(move || counts.failures()),
    );
    metrics.add(
        "audit_records_per_write",
        "Lines that shared one write",
        Measure::Distribution(trail.lines(), 1),
    );
    let Some(space) = space else { return };
    let seen = Arc::clone(&space);
    metrics.add(
        "audit_free_bytes",
        "Free space where the audit trail is written",
        gauge(move || seen.seen().free.map(float)),
    );
    let seen = Arc::clone(&space);
    metrics.add(
        "audit_reserve_bytes",
        "Space that is held in reserve for the audit trail",
        gauge(move || Some(float(seen.seen().reserve))),
    );
    metrics.add(
        "audit_space_low",
        "1 where less is free than [audit] warn_mib",
        gauge(move || Some(f64::from(u8::from(space.seen().is_low)))),
    );
}

/// Adds how the delivery into a bucket stands.
pub(crate) fn add_upload(metrics: &Metrics, counts: &Arc<UploadCounts>) {
    let of = Arc::clone(counts);
    metrics.add(
        "trail_bucket_objects",
        "Log files and digests that were put into the bucket",
        counter(move || of.put()),
    );
    let of = Arc::clone(counts);
    metrics.add(
        "trail_bucket_waiting",
        "Log files and digests that the bucket does not have yet",
        gauge(move || Some(float(of.waiting()))),
    );
    let of = Arc::clone(counts);
    metrics.add(
        "trail_bucket_waiting_since_timestamp_seconds",
        "Since when the first of them waits",
        gauge(move || of.since().map(float)),
    );
    let of = Arc::clone(counts);
    metrics.add(
        "trail_bucket_failures",
        "How often in a row they could not be put there, or not all of them",
        gauge(move || Some(float(of.failures()))),
    );
}

fn add_store(metrics: &Metrics, store: &Arc<StoreCounts>, file: Option<PathBuf>) {
    metrics.add(
        "store_commit_duration_seconds",
        "Time from a commit to its durable end",
        Measure::Distribution(store.micros(), 1_000_000),
    );
    let counts = Arc::clone(store);
    metrics.add(
        "store_commit_failures",
        "Commits that the store refused or lost",
        counter(move || counts.failures()),
    );
    if let Some(file) = file {
        let len = move || std::fs::metadata(&file).ok().map(|metadata| float(metadata.len()));
        metrics.add("store_file_bytes", "Length of the file of the store", gauge(len));
    }
}

fn add_alarms(metrics: &Metrics, alarms: &Arc<AlarmCounts>) {
    let counts = Arc::clone(alarms);
    metrics.add(
        "alarms_evaluated_timestamp_seconds",
        "When the alarms were last evaluated, all of them",
        gauge(move || counts.evaluated().and_then(|at| u64::try_from(at).ok()).map(float)),
    );
    let counts = Arc::clone(alarms);
    metrics.add(
        "alarm_actions",
        "Actions of alarms that were run",
        counter(move || counts.told_and_failed().0),
    );
    let counts = Arc::clone(alarms);
    metrics.add(
        "alarm_action_failures",
        "Actions of alarms that could not be run",
        counter(move || counts.told_and_failed().1),
    );
}

fn add_series(metrics: &Metrics, service: &Arc<Service>, series: &Arc<Series>) {
    let of = Arc::clone(series);
    let count = move || Some(float(u64::try_from(of.standing().series).unwrap_or(u64::MAX)));
    metrics.add("metric_series", "Series with points of the last fifteen days", gauge(count));
    let of = Arc::clone(series);
    metrics.add(
        "metric_file_bytes",
        "Bytes of the files of series",
        gauge(move || Some(float(of.standing().bytes))),
    );
    let (of, service) = (Arc::clone(series), Arc::clone(service));
    metrics.add(
        "metric_points_left_out",
        "Points of keys that were counted for their account alone, or came too late",
        counter(move || of.standing().left_out.saturating_add(service.tally().folded())),
    );
    let of = Arc::clone(series);
    metrics.add(
        "metric_write_failures",
        "How often in a row the files of series could not be written",
        gauge(move || Some(f64::from(of.standing().failures))),
    );
}

/// Adds how many connections there are, how many were refused, and how many there may be.
pub(crate) fn add_connections(
    metrics: &Metrics,
    (connections, refused): (
        impl Fn() -> usize + Send + Sync + 'static,
        impl Fn() -> u64 + Send + Sync + 'static,
    ),
    most: usize,
) {
    metrics.add("connections_refused", "Connections that were refused for want of a place", counter(refused));
    let count = move || Some(float(u64::try_from(connections()).unwrap_or(u64::MAX)));
    metrics.add("connections", "Open connections", gauge(count));
    let most = float(u64::try_from(most).unwrap_or(u64::MAX));
    metrics.add("connection_limit", "Connections that there may be", gauge(move || Some(most)));
}

fn counter(read: impl Fn() -> u64 + Send + Sync + 'static) -> Measure {
    Measure::Counter(Box::new(read))
}

fn gauge(read: impl Fn() -> Option<f64> + Send + Sync + 'static) -> Measure {
    Measure::Gauge(Box::new(read))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a float is what the format has; bytes and counts stay far below 2^53"
)]
fn float(number: u64) -> f64 {
    number as f64
}
