//! What the operations of CloudWatch need of metrics that are kept somewhere.

use core::future::Future;
use core::pin::Pin;

use keyreeve_domain::{AccountId, Region};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "AWS/KMS";

/// A metric of an account in a Region.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// The names and values of its dimensions, in the order of their names.
    pub dimensions: Vec<(String, String)>,
}

/// A metric that has points.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// Which one.
    pub metric: Metric,
    /// The begin of the minute of its newest point, in seconds since 1970.
    pub newest: i64,
}

/// Which points are wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of a metric of this account.
    pub account: AccountId,
    /// In this Region.
    pub region: Region,
    /// Of this metric.
    pub metric: Metric,
    /// Seconds that a point is made of: a multiple of 60.
    pub period: u32,
    /// From this time on, in seconds since 1970: the begin of the first period.
    pub from: i64,
    /// Before this time.
    pub to: i64,
}

/// What was seen in one period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Its begin, in seconds since 1970: `from` and a multiple of the period.
    pub start: i64,
    /// How many values there were; more than 0.
    pub samples: f64,
    /// Their sum.
    pub sum: f64,
    /// The least of them.
    pub minimum: f64,
    /// The greatest of them.
    pub maximum: f64,
}

/// The metrics cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the metrics cannot be read: {0}")]
pub struct MetricsError(pub String);

/// What is answered of metrics.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, MetricsError>> + 'a>>;

/// Metrics that are kept nowhere.
#[derive(Clone, Copy, Debug)]
pub struct NoMetrics;

impl MetricSource for NoMetrics {
    fn list(&self, _: AccountId, _: Region) -> Reply<'_, Vec<Listed>> {
        Box::pin(core::future::ready(Ok(Vec::new())))
    }

    fn read(&self, _: Wanted) -> Reply<'_, Vec<Point>> {
        Box::pin(core::future::ready(Ok(Vec::new())))
    }
}

/// Metrics, where they are kept.
pub trait MetricSource: Send + Sync {
    /// The metrics of an account and a Region that have points, in order.
    fn list(&self, account: AccountId, region: Region) -> Reply<'_, Vec<Listed>>;

    /// The points that are wanted, in the order of time; periods without a value have none. The minute that still runs has
    /// what it has seen so far.
    fn read(&self, wanted: Wanted) -> Reply<'_, Vec<Point>>;
}
