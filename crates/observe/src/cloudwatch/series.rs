//! Points of metrics as the API sees them: which periods there are, which unit a metric has, and the statistics of a period.
//!
//! Of a period its number of values, their sum, the least and the greatest are kept. What else a statistic would need is not
//! known, so it has no value: a percentile has one where all values of the period were equal, as with AWS for statistic sets.
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html>.

use keyreeve_domain::{AccountId, Region};
use keyreeve_wire::cloudwatch::{Dimension, StandardUnit, Statistic};

use crate::metric::{Metric, MetricSource, MetricsError, NAMESPACE, Point, Wanted};

/// Seconds of a minute, the shortest period that is kept.
pub(crate) const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// The unit of a metric.
pub(crate) fn unit_of(metric: &str) -> StandardUnit {
    match metric {
        "RequestLatency" => StandardUnit::Milliseconds,
        "SecondsUntilKeyMaterialExpiration" => StandardUnit::Seconds,
        _ => StandardUnit::Count,
    }
}

/// A statistic that a request names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stat {
    /// One of the plain ones.
    Plain(Statistic),
    /// The value that so many percent of the values do not exceed.
    Percentile(f64),
    /// Another that is known to the API and cannot be computed of what is kept.
    Other,
}

impl Stat {
    /// Reads a statistic, plain or extended; nothing where there is none of that name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.parse().map(Self::Plain).ok().or_else(|| Self::parse_extended(text))
    }

    /// Reads an extended statistic.
    pub(crate) fn parse_extended(text: &str) -> Option<Self> {
        if text == "IQM" {
            return Some(Self::Other);
        }
        if let Some(percent) = text.strip_prefix('p') {
            return percentage(percent).map(Self::Percentile);
        }
        for prefix in ["tm", "tc", "ts", "wm"] {
            if let Some(percent) = text.strip_prefix(prefix) {
                return percentage(percent).map(|_| Self::Other);
            }
        }
        for prefix in ["TM(", "TC(", "TS(", "WM(", "PR("] {
            if let Some(bounds) = text.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(')')) {
                let is_bound = |bound: &str| {
                    let number = bound.strip_suffix('%').unwrap_or(bound);
                    bound.is_empty() || number.parse::<f64>().is_ok_and(f64::is_finite)
                };
                let (low, high) = bounds.split_once(':')?;
                return (is_bound(low) && is_bound(high) && bounds != ":").then_some(Self::Other);
            }
        }
        None
    }

    /// How many values it takes to be significant: what an alarm that ignores low samples wants.
    /// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html>.
    pub(crate) fn significant(self) -> f64 {
        let part = match self {
            Self::Percentile(percent) if (50.0..100.0).contains(&percent) => 100.0 - percent,
            Self::Percentile(percent) if percent > 0.0 && percent < 50.0 => percent,
            Self::Other | Self::Percentile(_) | Self::Plain(_) => return 0.0,
        };
        // A hundred are enough for p90: what arithmetic adds does not count.
        1000.0 / part * (1.0 - 1e-9)
    }

    /// Its value for a period; nothing where what is kept does not tell.
    pub(crate) fn of(self, point: &Point) -> Option<f64> {
        let is_one_value = point.minimum.total_cmp(&point.maximum).is_eq();
        match self {
            Self::Plain(Statistic::Average) => Some(point.sum / point.samples),
            Self::Plain(Statistic::Maximum) => Some(point.maximum),
            Self::Plain(Statistic::Minimum) => Some(point.minimum),
            Self::Plain(Statistic::SampleCount) => Some(point.samples),
            Self::Plain(Statistic::Sum) => Some(point.sum),
            Self::Percentile(percent) if percent >= 100.0 => Some(point.maximum),
            Self::Percentile(percent) => (is_one_value || percent <= 0.0).then_some(point.minimum),
            Self::Other => None,
        }
    }
}

/// A number from 0 to 100 with up to ten decimals.
fn percentage(text: &str) -> Option<f64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let percent = text.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
    percent.filter(|_| is_digits(whole) && is_digits(decimals))
}

/// Whether a request may name this period: one of the short ones, or whole minutes.
pub(crate) fn is_period(period: u32, short: &[u32]) -> bool {
    short.contains(&period) || period > 0 && period.is_multiple_of(60)
}

/// Which periods are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    /// Where the first begins, in seconds since 1970.
    pub(crate) from: i64,
    /// Where the last ends.
    pub(crate) to: i64,
    /// Their length in seconds.
    pub(crate) period: u32,
}

impl Span {
    /// The periods from `start` until before `end` in a request at `now`, all in seconds. The start is rounded down as the age of
    /// what is asked for says. What is older than points of such a period are kept is left out.
    pub(crate) fn of_request(now: i64, (start, end): (i64, i64), period: u32) -> Self {
        let step = match now.saturating_sub(start) {
            age if age < 15 * DAY => MINUTE,
            age if age < 63 * DAY => 5 * MINUTE,
            _ => HOUR,
        };
        let long = i64::from(period.max(1));
        let kept = if period.is_multiple_of(3600) {
            455 * DAY
        } else if period.is_multiple_of(300) {
            63 * DAY
        } else {
            15 * DAY
        };
        let aligned = start.saturating_sub(start.rem_euclid(step));
        let oldest = now.saturating_sub(kept);
        let skipped = oldest.saturating_sub(aligned).max(0);
        let from = aligned.saturating_add(rounded_up(skipped, long));
        let to = from.saturating_add(rounded_up(end.saturating_sub(from).max(0), long));
        Self { from, to, period }
    }

    /// How many periods there are.
    pub(crate) fn count(&self) -> u64 {
        let seconds = u64::try_from(self.to.saturating_sub(self.from)).unwrap_or_default();
        seconds.div_ceil(u64::from(self.period.max(1)))
    }
}

fn rounded_up(seconds: i64, step: i64) -> i64 {
    let over = seconds.rem_euclid(step.max(1));
    if over == 0 { seconds } else { seconds.saturating_add(step).saturating_sub(over) }
}

/// The metric of a namespace, a name and dimensions, and the unit that is asked for; nothing where none such can be kept.
pub(crate) fn metric_of(
    (namespace, name): (&str, &str),
    dimensions: impl IntoIterator<Item = (String, String)>,
    unit: Option<StandardUnit>,
) -> Option<Metric> {
    if namespace != NAMESPACE || unit.is_some_and(|unit| unit != unit_of(name)) {
        return None;
    }
    let mut dimensions: Vec<_> = dimensions.into_iter().collect();
    dimensions.sort();
    Some(Metric { name: name.to_owned(), dimensions })
}

/// Dimensions as pairs.
pub(crate) fn pairs(dimensions: &[Dimension]) -> impl Iterator<Item = (String, String)> {
    dimensions.iter().map(|dimension| (dimension.name.clone(), dimension.value.clone()))
}

/// The points of a metric in the periods of `span`; none of a metric that is none, and none of periods shorter than a minute.
pub(crate) async fn read(
    metrics: &dyn MetricSource,
    (account, region): (AccountId, Region),
    metric: Option<Metric>,
    span: Span,
) -> Result<Vec<Point>, MetricsError> {
    let Span { from, to, period } = span;
    let Some(metric) = metric.filter(|_| period.is_multiple_of(60) && from < to) else {
        return Ok(Vec::new());
    };
    metrics.read(Wanted { account, region, metric, period, from, to }).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_samples_behind_a_percentile_are_enough() {
        for (percent, enough) in
            [(90.0, 100.0), (99.0, 1000.0), (99.9, 10_000.0), (50.0, 20.0), (10.0, 100.0), (70.0, 34.0)]
        {
            let significant = Stat::Percentile(percent).significant();
            assert!(enough - 1.0 < significant && significant <= enough, "p{percent}: {significant}");
        }
    }

    #[test]
    fn a_statistic_is_plain_or_extended_or_none() {
        for (text, expected) in [
            ("Sum", Some(Stat::Plain(Statistic::Sum))),
            ("sum", None),
            ("p0", Some(Stat::Percentile(0.0))),
            ("p99.9", Some(Stat::Percentile(99.9))),
            ("p100", Some(Stat::Percentile(100.0))),
            ("p100.1", None),
            ("p", None),
            ("p-1", None),
            ("p1e1", None),
            ("tm90", Some(Stat::Other)),
            ("IQM", Some(Stat::Other)),
            ("TM(10%:90%)", Some(Stat::Other)),
            ("PR(:300)", Some(Stat::Other)),
            ("PR(:)", None),
            ("PR(1)", None),
            ("XX(1:2)", None),
            ("", None),
        ] {
            assert_eq!(Stat::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn a_percentile_has_a_value_where_all_values_are_equal() {
        let point = |minimum, maximum| Point { start: 0, samples: 4.0, sum: 8.0, minimum, maximum };
        assert_eq!(Stat::Percentile(99.0).of(&point(2.0, 2.0)), Some(2.0));
        assert_eq!(Stat::Percentile(99.0).of(&point(1.0, 3.0)), None);
        for (text, values) in
            [("p99", 1000.0), ("p75", 40.0), ("p50", 20.0), ("p10", 100.0), ("p0", 0.0), ("Sum", 0.0)]
        {
            let significant = Stat::parse(text).unwrap().significant();
            assert!((significant - values).abs() < 1e-6, "{text}: {significant}");
        }
        assert_eq!(Stat::Plain(Statistic::Average).of(&point(1.0, 3.0)), Some(2.0));
        assert_eq!(Stat::Other.of(&point(2.0, 2.0)), None);
    }

    #[test]
    fn a_span_begins_where_points_of_its_period_are_kept() {
        let now = 100 * DAY;
        for (start, end, period, expected, why) in [
            (now - 600 + 34, now + 1, 60, (now - 600, now + 60), "to the minute"),
            (
                now - 20 * DAY + 34,
                now - 20 * DAY + 300,
                300,
                (now - 20 * DAY, now - 20 * DAY + 300),
                "to five",
            ),
            (now - 20 * DAY, now, 60, (now - 15 * DAY, now), "minutes are kept for 15 days"),
            (now - 70 * DAY + 7, now, 300, (now - 63 * DAY, now), "five minutes for 63 days"),
            (now - 70 * DAY + 7, now, 3600, (now - 70 * DAY, now), "hours for longer"),
            (now - 90, now - 60, 60, (now - 120, now - 60), "an end is not rounded beyond its period"),
        ] {
            let span = Span::of_request(now, (start, end), period);
            assert_eq!((span.from, span.to), expected, "{why}");
        }
        assert_eq!(Span { from: 0, to: 150, period: 60 }.count(), 3);
    }
}
