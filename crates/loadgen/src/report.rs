//! What was measured.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};

/// The answers and failures of one connection, or of all.
pub(crate) struct Tally {
    /// Latencies of all answers, in nanoseconds, to three digits.
    pub(crate) latencies: Histogram<u64>,
    pub(crate) succeeded: u64,
    /// By status and error name, or by kind of I/O failure.
    pub(crate) errors: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn new() -> Result<Self, CreationError> {
        let latencies = Histogram::new_with_bounds(1_000, 100_000_000_000, 3)?;
        Ok(Self { latencies, succeeded: 0, errors: BTreeMap::new() })
    }

    pub(crate) fn error(&mut self, name: String) {
        *self.errors.entry(name).or_insert(0) += 1;
    }

    pub(crate) fn latency(&mut self, latency: Duration) {
        self.latencies.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for value in other.latencies.iter_recorded() {
            self.latencies.saturating_record_n(value.value_iterated_to(), value.count_at_value());
        }
        self.succeeded += other.succeeded;
        for (name, count) in &other.errors {
            *self.errors.entry(name.clone()).or_insert(0) += count;
        }
    }
}

/// A whole measurement.
pub(crate) struct Report {
    pub(crate) tally: Tally,
    pub(crate) seconds: f64,
    pub(crate) connections: usize,
    /// CPU time spent while measuring.
    pub(crate) client_cpu: Option<Duration>,
    pub(crate) server_cpu: Option<Duration>,
}

impl Report {
    fn answers(&self) -> u64 {
        self.tally.latencies.len()
    }

    fn rate(&self) -> f64 {
        self.answers() as f64 / self.seconds
    }

    fn microseconds(&self, quantile: f64) -> f64 {
        self.tally.latencies.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// Microseconds of CPU for each answer.
    fn each(&self, cpu: Option<Duration>) -> Option<f64> {
        let answers = self.answers();
        cpu.filter(|_| answers > 0).map(|cpu| cpu.as_secs_f64() * 1e6 / answers as f64)
    }

    /// The report as one JSON object.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "connections": self.connections,
            "seconds": self.seconds,
            "answers": self.answers(),
            "succeeded": self.tally.succeeded,
            "requests_per_second": self.rate().round(),
            "p50_us": self.microseconds(0.5),
            "p99_us": self.microseconds(0.99),
            "p999_us": self.microseconds(0.999),
            "max_us": self.microseconds(1.0),
            "errors": self.tally.errors,
            "client_cpu_us_per_request": self.each(self.client_cpu),
            "server_cpu_us_per_request": self.each(self.server_cpu),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, connections, .. } = self;
        writeln!(f, "{:.0} requests/s over {seconds:.1} s, {connections} connections", self.rate())?;
        let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(|quantile| self.microseconds(quantile));
        writeln!(f, "latency: p50 {p50:.0} us, p99 {p99:.0} us, p999 {p999:.0} us, max {max:.0} us")?;
        writeln!(f, "answers: {}, of them 200: {}", self.answers(), self.tally.succeeded)?;
        for (who, cpu) in [("client", self.client_cpu), ("server", self.server_cpu)] {
            if let Some(each) = self.each(cpu) {
                writeln!(f, "{who} CPU: {each:.1} us per request")?;
            }
        }
        self.tally.errors.iter().try_for_each(|(name, count)| writeln!(f, "error: {count} x {name}"))
    }
}
