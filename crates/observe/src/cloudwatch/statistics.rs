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
    let stats: Vec<(String, Stat)> = match (&input.statistics, &input.extended_statistics) {
        (Some(plain), None) => {
            plain.iter().map(|statistic| (statistic.to_string(), Stat::Plain(*statistic))).collect()
        }
        (None, Some(extended)) => {
            let read = |text: &String| {
                let stat = Stat::parse_extended(text);
                // AWS: unverified
                let stat = stat.ok_or_else(|| {
                    invalid(format!("The value {text} for parameter ExtendedStatistics is not supported."))
                })?;
                Ok((text.clone(), stat))
            };
            extended.iter().map(read).collect::<Result<_, Refusal>>()?
        }
        (None, None) | (Some(_), Some(_)) => {
            return combination("Must specify either Statistics or ExtendedStatistics");
        }
    };
    let (start, end) = (seconds(input.start_time), ceil_seconds(input.end_time));
    if input.start_time >= input.end_time {
        return combination("The parameter StartTime must be less than the parameter EndTime.");
    }
    let period = input.period;
    if !is_period(period, &SHORT) {
        // AWS: unverified
        return Err(invalid("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.".to_owned()));
    }
    let asked = u64::try_from(end.saturating_sub(start)).unwrap_or_default().div_ceil(u64::from(period));
    if asked > MOST {
        return combination(&format!(
            "You have requested up to {} datapoints, which exceeds the limit of 1,440. You may reduce the datapoints \
             requested by increasing Period, or decreasing the time range.",
            grouped(asked)
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

/// A number with a comma between each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_grouped_by_three_digits() {
        for (number, text) in [(0, "0"), (999, "999"), (1441, "1,441"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
