//! What Prometheus reads.
//!
//! No label has a value that a caller chooses: neither a key nor an account is named.

use core::time::Duration;

use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::KeyUsage;
use keyreeve_wire::{ErrorCode, Operation};
use parking_lot::Mutex;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

mod measured;
mod plain;

pub use measured::Measure;
use measured::Measured;
pub(crate) use plain::{PLAIN, plain};

type Labels = Vec<(&'static str, String)>;

/// Seconds; from a cached symmetric operation to a slow disk.
const BUCKETS: [f64; 12] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0];

/// The metrics of a process.
pub struct Metrics {
    registry: Mutex<Registry>,
    answered: Family<Labels, Counter>,
    /// By operation, looked up once.
    by_operation: Vec<OfOperation>,
    throttled: Counter,
    /// Of the operations of IAM and STS, too.
    durations: Durations,
    refused: Counter,
    cached_keys: Gauge,
    trail_delivered: Gauge,
    trail_failures: Gauge,
    trail_free: Gauge,
}

/// What a request of an operation counts in.
struct OfOperation {
    succeeded: Counter,
    duration: Histogram,
    /// Where it uses a key: what it has for a success, a failure, and one request too many.
    uses: Option<[Counter; 3]>,
}

type Durations = Family<Labels, Histogram, fn() -> Histogram>;

impl Default for Metrics {
    fn default() -> Self {
        let mut root = Registry::default();
        let registry = root.sub_registry_with_prefix(PREFIX);
        let answered = Family::<Labels, Counter>::default();
        registry.register("requests", "Answered requests by operation and error code", answered.clone());
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let durations = Durations::new_with_constructor(histogram);
        registry.register("request_duration_seconds", "Time from the head to the answer", durations.clone());
        let refused = Counter::default();
        registry.register(
            "requests_refused",
            "Requests refused before their operation was known",
            refused.clone(),
        );
        let throttled = Counter::default();
        registry.register(
            "requests_throttled",
            "Requests that were answered with ThrottlingException",
            throttled.clone(),
        );
        let uses = Family::<Labels, Counter>::default();
        registry.register(
            "key_requests",
            "Cryptographic requests by the usage of the key and result",
            uses.clone(),
        );
        let cached_keys = Gauge::default();
        registry.register("cached_keys", "KMS keys in the cache", cached_keys.clone());
        let (trail_delivered, trail_failures, trail_free) = <(Gauge, Gauge, Gauge)>::default();
        registry.register(
            "trail_delivered_timestamp_seconds",
            "When the audit trail was last delivered in full",
            trail_delivered.clone(),
        );
        registry.register(
            "trail_delivery_failures",
            "How often in a row the delivery of the audit trail has failed",
            trail_failures.clone(),
        );
        registry.register(
            "trail_free_bytes",
            "Free space where the audit trail is written or delivered, whichever is less",
            trail_free.clone(),
        );
        let by_operation = Operation::ALL.iter().map(|operation| {
            let labels = vec![("operation", operation.name().to_owned())];
            let ok = vec![("operation", operation.name().to_owned()), ("code", "OK".to_owned())];
            let uses = usage(*operation).map(|usage| {
                ["success", "failure", "throttled"].map(|result| {
                    let usage = ("key_usage", usage.as_str().to_owned());
                    uses.get_or_create_owned(&vec![usage, ("result", result.to_owned())])
                })
            });
            OfOperation {
                succeeded: answered.get_or_create_owned(&ok),
                duration: durations.get_or_create_owned(&labels),
                uses,
            }
        });
        let by_operation = by_operation.collect();
        Self {
            registry: Mutex::new(root),
            answered,
            by_operation,
            throttled,
            durations,
            refused,
            cached_keys,
            trail_delivered,
            trail_failures,
            trail_free,
        }
    }
}

impl Metrics {
    /// Counts an answer: its operation, its error code, and how long it took.
    pub(crate) fn count(&self, operation: Option<Operation>, code: Option<&str>, took: Duration) {
        let Some(operation) = operation else {
            self.refused.inc();
            return;
        };
        let at = Operation::ALL.iter().position(|known| *known == operation);
        let Some(of) = at.and_then(|at| self.by_operation.get(at)) else { return };
        of.duration.observe(took.as_secs_f64());
        let is_throttled = code == Some(ErrorCode::Throttling.as_str());
        if is_throttled {
            self.throttled.inc();
        }
        if let Some([succeeded, failed, throttled]) = &of.uses {
            let result = match code {
                None => succeeded,
                Some(_) if is_throttled => throttled,
                Some(_) => failed,
            };
            result.inc();
        }
        match code {
            None => of.succeeded.inc(),
            Some(code) => {
                let labels = vec![("operation", operation.name().to_owned()), ("code", code.to_owned())];
                self.answered.get_or_create(&labels).inc()
            }
        };
    }

    /// As [`Metrics::count`], for IAM and STS: `iam:CreateUser`.
    pub(crate) fn count_query(
        &self,
        operation: Option<keyreeve_identity::Operation>,
        code: Option<&str>,
        took: Duration,
    ) {
        let Some(operation) = operation else {
            self.refused.inc();
            return;
        };
        let service = match operation {
            keyreeve_identity::Operation::Iam(_) => "iam",
            keyreeve_identity::Operation::Sts(_) => "sts",
        };
        let name = ("operation", format!("{service}:{}", operation.name()));
        self.durations.get_or_create(&vec![name.clone()]).observe(took.as_secs_f64());
        self.answered.get_or_create(&vec![name, ("code", code.unwrap_or("OK").to_owned())]).inc();
    }

    /// As [`Metrics::count`], for CloudTrail and S3: `cloudtrail:LookupEvents`.
    pub(crate) fn count_audit(
        &self,
        operation: Option<keyreeve_observe::Operation>,
        code: Option<&str>,
        took: Duration,
    ) {
        let Some(operation) = operation else {
            self.refused.inc();
            return;
        };
        let is_cloudtrail = keyreeve_observe::Operation::CLOUDTRAIL.contains(&operation);
        let service = if is_cloudtrail { "cloudtrail" } else { "s3" };
        let name = ("operation", format!("{service}:{}", operation.name()));
        self.durations.get_or_create(&vec![name.clone()]).observe(took.as_secs_f64());
        self.answered.get_or_create(&vec![name, ("code", code.unwrap_or("OK").to_owned())]).inc();
    }

    /// As [`Metrics::count`], for CloudWatch: `cloudwatch:PutMetricAlarm`.
    pub(crate) fn count_cloudwatch(
        &self,
        operation: Option<keyreeve_observe::cloudwatch::CloudWatchOperation>,
        code: Option<&str>,
        took: Duration,
    ) {
        let Some(operation) = operation else {
            self.refused.inc();
            return;
        };
        let name = ("operation", format!("cloudwatch:{}", operation.name()));
        self.durations.get_or_create(&vec![name.clone()]).observe(took.as_secs_f64());
        self.answered.get_or_create(&vec![name, ("code", code.unwrap_or("OK").to_owned())]).inc();
    }

    /// Adds what is measured elsewhere, under a name without the prefix `keyreeve_`.
    pub fn add(&self, name: &'static str, help: &'static str, measure: Measure) {
        let mut registry = self.registry.lock();
        let measured = Box::new(Measured { name, help, measure });
        registry.sub_registry_with_prefix(PREFIX).register_collector(measured);
    }

    /// Adds when the process was started, under the name that every process has for it.
    pub fn add_start(&self, at: Timestamp) {
        #[expect(clippy::cast_precision_loss, reason = "a time of day in milliseconds stays far below 2^53")]
        let seconds = at.millis() as f64 / 1000.0;
        self.registry.lock().register_collector(Box::new(Measured {
            name: "process_start_time_seconds",
            help: "When the process was started",
            measure: Measure::Gauge(Box::new(move || Some(seconds))),
        }));
    }

    /// Notes how the delivery of the trail stands: when it was last complete, if it was, how often it has failed since, and how
    /// many bytes are free.
    pub fn set_trail(&self, delivered: Option<Timestamp>, failures: u32, free: Option<u64>) {
        if let Some(delivered) = delivered {
            self.trail_delivered.set(delivered.millis().div_euclid(1000));
        }
        self.trail_failures.set(i64::from(failures));
        if let Some(free) = free {
            self.trail_free.set(i64::try_from(free).unwrap_or(i64::MAX));
        }
    }

    /// The text that Prometheus reads, as OpenMetrics.
    pub(crate) fn text(&self, cached_keys: usize) -> String {
        self.cached_keys.set(i64::try_from(cached_keys).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing to a `String` never fails.
        encode(&mut text, &self.registry.lock()).unwrap_or_default();
        text
    }
}

/// What all names begin with.
const PREFIX: &str = "keyreeve";

/// The usage of the keys that the operation works with.
fn usage(operation: Operation) -> Option<KeyUsage> {
    let usages: [(KeyUsage, &[Operation]); 5] = [
        (
            KeyUsage::EncryptDecrypt,
            &[
                Operation::Decrypt,
                Operation::Encrypt,
                Operation::GenerateDataKey,
                Operation::GenerateDataKeyPair,
                Operation::GenerateDataKeyPairWithoutPlaintext,
                Operation::GenerateDataKeyWithoutPlaintext,
                Operation::ReEncrypt,
            ],
        ),
        (KeyUsage::GenerateVerifyMac, &[Operation::GenerateMac, Operation::VerifyMac]),
        (KeyUsage::KeyAgreement, &[Operation::DeriveSharedSecret]),
        (KeyUsage::EncapsulateDecapsulate, &[Operation::Decapsulate, Operation::Encapsulate]),
        (KeyUsage::SignVerify, &[Operation::Sign, Operation::Verify]),
    ];
    usages.into_iter().find(|(_, operations)| operations.contains(&operation)).map(|(usage, _)| usage)
}
