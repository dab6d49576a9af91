//! What is measured elsewhere, and looked at when Prometheus asks.

use core::fmt;
use std::sync::Arc;

use keyreeve_core::distribution::Distribution;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// A measure that somebody else keeps.
pub enum Measure {
    /// What only grows.
    Counter(Box<dyn Fn() -> u64 + Send + Sync>),
    /// What only grows, for each of several things: the name of the label that tells them apart, and their counts.
    Counters(&'static str, Box<dyn Fn() -> Vec<(String, u64)> + Send + Sync>),
    /// Sizes in units of which so many make one: 1,000,000 for microseconds that are told in seconds.
    Distribution(Arc<Distribution>, u32),
    /// What goes up and down; nothing where it is not known.
    Gauge(Box<dyn Fn() -> Option<f64> + Send + Sync>),
    /// What goes up and down, for each of several things.
    Gauges(&'static str, Box<dyn Fn() -> Vec<(String, f64)> + Send + Sync>),
    /// What is always 1: its labels say it.
    Info(Vec<(&'static str, String)>),
}

/// A measure with its name.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) measure: Measure,
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Collector for Measured {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let kind = match &self.measure {
            Measure::Counter(_) | Measure::Counters(..) => MetricType::Counter,
            Measure::Distribution(..) => MetricType::Histogram,
            Measure::Gauge(_) | Measure::Gauges(..) | Measure::Info(_) => MetricType::Gauge,
        };
        // The library adds the full stop where a metric is registered, and not here.
        let help = format!("{}.", self.help);
        let mut metric = encoder.encode_descriptor(self.name, &help, None, kind)?;
        match &self.measure {
            Measure::Counter(counter) => ConstCounter::new(counter()).encode(metric),
            Measure::Counters(label, counts) => {
                for (value, count) in counts() {
                    let labels = [(*label, value)];
                    ConstCounter::new(count).encode(metric.encode_family(&labels)?)?;
                }
                Ok(())
            }
            Measure::Gauges(label, values) => {
                for (of, value) in values() {
                    let labels = [(*label, of)];
                    ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
                }
                Ok(())
            }
            Measure::Distribution(distribution, unit) => {
                let counted = distribution.counted();
                let told = |size: u64| float(size) / f64::from(*unit);
                let buckets =
                    counted.buckets.iter().map(|(bound, count)| (bound.map_or(f64::MAX, told), *count));
                let buckets: Vec<_> = buckets.collect();
                let count = buckets.iter().map(|(_, count)| count).sum();
                metric.encode_histogram::<NoLabelSet>(told(counted.sum), count, &buckets, None)
            }
            Measure::Gauge(gauge) => gauge().map_or(Ok(()), |value| ConstGauge::new(value).encode(metric)),
            Measure::Info(labels) => ConstGauge::new(1i64).encode(metric.encode_family(labels)?),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a float is what the format has; counts stay far below 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}
