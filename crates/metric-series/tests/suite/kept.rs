//! Series over a directory, with a clock and requests that a test owns.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use keyreeve_core::tally::{Counts, Place, Row, Subject};
use keyreeve_domain::{KeyArn, KeyId, Timestamp};
use keyreeve_metric_series::{Options, Series};
use keyreeve_observe::metric::{Metric, Point, Wanted};
use keyreeve_wire::Operation;
use parking_lot::Mutex;

/// A minute at which windows of every level begin: 8 × 2600 days after 1970.
pub(crate) const BEGIN: i64 = 8 * 2600 * DAY;
/// Minutes.
pub(crate) const DAY: i64 = 1440;

pub(crate) struct Kept {
    pub(crate) directory: PathBuf,
    pub(crate) options: Options,
    series: Option<Series>,
    now: Arc<AtomicI64>,
    counted: Arc<Mutex<Vec<Row>>>,
}

impl Kept {
    pub(crate) fn at(directory: &Path) -> Self {
        Self::bounded(directory, 1000, 455, u64::MAX)
    }

    pub(crate) fn bounded(directory: &Path, most_series: usize, keep_days: u32, most_bytes: u64) -> Self {
        let now = Arc::new(AtomicI64::new(BEGIN * 60_000));
        let counted = Arc::new(Mutex::new(Vec::<Row>::new()));
        let (clock, rows) = (Arc::clone(&now), Arc::clone(&counted));
        let options = Options {
            most_series,
            keep_days,
            most_bytes,
            clock: Arc::new(move || Timestamp::from_millis(clock.load(Ordering::SeqCst))),
            counted: Arc::new(move || std::mem::take(&mut rows.lock())),
        };
        let mut kept = Self { directory: directory.to_owned(), options, series: None, now, counted };
        kept.open();
        kept
    }

    fn open(&mut self) {
        self.series = Some(Series::open(&self.directory, self.options.clone()).unwrap());
    }

    pub(crate) fn series(&self) -> &Series {
        self.series.as_ref().unwrap()
    }

    /// Minutes since 1970.
    pub(crate) fn minute(&self) -> i64 {
        self.now.load(Ordering::SeqCst).div_euclid(60_000)
    }

    pub(crate) fn go_to(&self, minute: i64) {
        self.now.store(minute * 60_000, Ordering::SeqCst);
    }

    /// Counts requests now.
    pub(crate) fn count(&self, operation: Operation, key: u8, count: u64) {
        self.count_at(self.minute(), operation, key, count);
    }

    pub(crate) fn count_at(&self, minute: i64, operation: Operation, key: u8, count: u64) {
        let counts = Counts {
            succeeded: count,
            micros: count * 70,
            least_micros: 70,
            most_micros: 70,
            ..Counts::default()
        };
        let subject = Subject { caller: Some(place()), owner: Some(place()), key: Some(id(key)) };
        self.counted.lock().push(Row { minute, subject, operation, counts });
    }

    /// Starts anew. What was counted since the last minute was over is lost with a process that is killed.
    pub(crate) fn restart(&mut self, is_killed: bool) {
        if !is_killed {
            self.series().stop();
        }
        self.series = None;
        self.counted.lock().clear();
        self.open();
    }

    pub(crate) fn read(&self, metric: &Metric, period: u32, from: i64, to: i64) -> Vec<Point> {
        let (from, to) = (from * 60, to * 60);
        let Place { account, region } = place();
        self.series().points(&Wanted { account, region, metric: metric.clone(), period, from, to }).unwrap()
    }

    /// The sum of all that is found.
    pub(crate) fn sum(&self, metric: &Metric, period: u32, from: i64, to: i64) -> u64 {
        let sum: f64 = self.read(metric, period, from, to).iter().map(|point| point.sum).sum();
        format!("{:.0}", sum + 0.0).parse().unwrap()
    }

    pub(crate) fn files(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.directory).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub(crate) fn place() -> Place {
    Place { account: "111122223333".parse().unwrap(), region: "us-east-1".parse().unwrap() }
}

pub(crate) fn id(key: u8) -> KeyId {
    KeyId::from_bits(false, [key; 16])
}

pub(crate) fn arn(key: u8) -> KeyArn {
    KeyArn { region: place().region, account: place().account, key: id(key) }
}

pub(crate) fn metric(name: &str, key: Option<u8>, operation: Option<Operation>) -> Metric {
    let key = key.map(|key| ("KeyId".to_owned(), id(key).to_string()));
    let operation = operation.map(|operation| ("Operation".to_owned(), operation.name().to_owned()));
    Metric { name: name.to_owned(), dimensions: key.into_iter().chain(operation).collect() }
}

pub(crate) fn succeeded(key: Option<u8>, operation: Option<Operation>) -> Metric {
    metric("NumberOfRequestsSucceeded", key, operation)
}
