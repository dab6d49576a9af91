//! GetMetricStatistics:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>.

use keyreeve_core::Cx;
use keyreeve_domain::Timestamp;
use keyreeve_wire::cloudwatch::{Datapoint, GetMetricStatisticsInput, GetMetricStatisticsOutput, Statistic};
use keyreeve_wire::query::QueryErrorCode;

use super::gate::{Particulars, authorize};
use super::refusal::Refusal;
use super::series::{Span, Stat, is_period, metric_of, pairs, read, unit_of};
use crate::metric::{MetricSource, Point};

/// Points of an answer, at most.
const MOST: u64 = 1440;
/// Periods that are not whole minutes.
pub(super) const SHORT: [u32; 5] = [1, 5, 10, 20, 30];

/// Errors, in this order: InvalidParameterCombination, InvalidParameterValue, AccessDenied.
pub(super) async fn get_metric_statistics(
    cx: &mut Cx<'_>,
    metrics: &dyn MetricSource,
    input: GetMetricStatisticsInput,
) -> Result<GetMetricStatisticsOutput, Refusal> {
    let combination =
        |text: &str| Err(Refusal::new(QueryErrorCode::InvalidParameterCombinationException, text));
    let invalid = |text: String| Refusal::new(QueryErrorCode::InvalidParameterValueException, text);
    if input.statistics.is_none() && input.extended_statistics.is_none() {
        return combination("Must specify either Statistics or ExtendedStatistics");
    }
    let plain = input.statistics.iter().flatten();
    let mut stats: Vec<(String, Stat)> =
        plain.map(|statistic| (statistic.to_string(), Stat::Plain(*statistic))).collect();
    for (number, text) in (1..).zip(input.extended_statistics.iter().flatten()) {
        let stat = Stat::parse_extended(text).ok_or_else(|| {
            let name = format!("ExtendedStatistics.member.{number}.<list element>");
            invalid(format!("The value {text} for parameter {name} is not supported."))
        })?;
        stats.push((text.clone(), stat));
    }
    let (start, end) = (seconds(input.start_time), ceil_seconds(input.end_time));
    if input.start_time >= input.end_time {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime.".to_owned()));
    }
    let period = input.period;
    if !is_period(period, &SHORT) {
        let wanted = match period {
            0..60 => "a value in the set [1, 5, 10, 20, 30]",
            // AWS: unverified
            60.. => "a multiple of 60",
        };
        return Err(invalid(format!("The parameter Period must be {wanted}.")));
    }
    let asked = u64::try_from(end.saturating_sub(start)).unwrap_or_default().div_ceil(u64::from(period));
    if asked > MOST {
        return combination(&format!(
            "You have requested up to {asked} datapoints, which exceeds the limit of {MOST}. You may reduce the datapoints \
             requested by increasing Period, or decreasing the time range."
        ));
    }
    authorize(cx, "cloudwatch:GetMetricStatistics", "*", &Particulars::default()).await?;
    let span = Span::of_request(seconds(cx.now), (start, end), period);
    let metric = metric_of((&input.namespace, &input.metric_name), pairs(&input.dimensions), input.unit);
    let points = read(metrics, (cx.caller.account(), cx.region), metric, span).await?;
    let datapoints = points.iter().filter_map(|point| datapoint(&input.metric_name, &stats, point)).collect();
    Ok(GetMetricStatisticsOutput { label: input.metric_name, datapoints })
}

fn datapoint(metric: &str, stats: &[(String, Stat)], point: &Point) -> Option<Datapoint> {
    let plain = |wanted: Statistic| {
        let is_wanted = stats.iter().any(|(_, stat)| *stat == Stat::Plain(wanted));
        Stat::Plain(wanted).of(point).filter(|_| is_wanted)
    };
    let extended: std::collections::BTreeMap<String, f64> = stats
        .iter()
        .filter(|(_, stat)| !matches!(stat, Stat::Plain(_)))
        .filter_map(|(name, stat)| Some((name.clone(), stat.of(point)?)))
        .collect();
    let is_plain = stats.iter().any(|(_, stat)| matches!(stat, Stat::Plain(_)));
    if !is_plain && extended.is_empty() {
        return None;
    }
    Some(Datapoint {
        timestamp: Timestamp::from_millis(point.start.saturating_mul(1000)),
        sample_count: plain(Statistic::SampleCount),
        average: plain(Statistic::Average),
        sum: plain(Statistic::Sum),
        minimum: plain(Statistic::Minimum),
        maximum: plain(Statistic::Maximum),
        unit: unit_of(metric),
        extended_statistics: Some(extended).filter(|extended| !extended.is_empty()),
    })
}

/// The second that a point in time is in.
pub(super) fn seconds(at: Timestamp) -> i64 {
    at.millis().div_euclid(1000)
}

/// The first second that is not before a point in time.
pub(super) fn ceil_seconds(at: Timestamp) -> i64 {
    at.millis().saturating_add(999).div_euclid(1000)
}
