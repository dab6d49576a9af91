//! GetMetricData: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>.

use keyreeve_core::Cx;
use keyreeve_core::vault::VaultError;
use keyreeve_domain::Timestamp;
use keyreeve_wire::cloudwatch::{
    GetMetricDataInput, GetMetricDataOutput, MetricDataResult, ScanBy, StatusCode,
};
use keyreeve_wire::query::QueryErrorCode;

use super::gate::{Particulars, authorize};
use super::math::{Series, Value};
use super::queries::{Queries, Reader};
use super::refusal::Refusal;
use super::series::Span;
use super::statistics::{SHORT, ceil_seconds, seconds};
use crate::metric::MetricSource;

/// Queries of a request, at most.
const QUERIES_MOST: usize = 500;
/// Points of a page, at most, and where nothing is said.
const POINTS_MOST: u32 = 100_800;
/// Points, for each of the queries, up to which the worker computes by itself.
const AT_ONCE_MOST: usize = 10_000;
/// Points that one request may look at.
const LOOKED_AT_MOST: u64 = 500_000;

/// Errors, in this order: ValidationError, AccessDenied, InvalidNextToken.
pub(super) async fn get_metric_data(
    cx: &mut Cx<'_>,
    metrics: &dyn MetricSource,
    input: GetMetricDataInput,
) -> Result<GetMetricDataOutput, Refusal> {
    if input.start_time >= input.end_time {
        return Err(Refusal::validation("The parameter StartTime must be less than the parameter EndTime."));
    }
    if input.metric_data_queries.is_empty() || input.metric_data_queries.len() > QUERIES_MOST {
        // AWS: unverified
        return Err(Refusal::validation(format!(
            "The collection MetricDataQueries must have between 1 and {QUERIES_MOST} items."
        )));
    }
    let most = input.max_datapoints.unwrap_or(POINTS_MOST);
    if !(1..=POINTS_MOST).contains(&most) {
        // AWS: unverified
        return Err(Refusal::validation(format!("MaxDatapoints must be between 1 and {POINTS_MOST}.")));
    }
    let queries = Queries::parse(&input.metric_data_queries, &SHORT)?;
    let (now, range) = (seconds(cx.now), (seconds(input.start_time), ceil_seconds(input.end_time)));
    let span = move |period| Span::of_request(now, range, period);
    let looked_at: u64 = queries.stat_periods().map(|period| span(period).count()).sum();
    if looked_at > LOOKED_AT_MOST {
        return Err(Refusal::validation(format!(
            "The request asks for {looked_at} datapoints and may ask for {LOOKED_AT_MOST}. Use longer periods, a shorter time \
             range, or several requests."
        )));
    }
    authorize(cx, "cloudwatch:GetMetricData", "*", &Particulars::default()).await?;
    let (account, region) = (cx.caller.account(), cx.region);
    let scope = format!(
        "GetMetricData/{account}/{region}/{:?}/{range:?}/{:?}/{most}",
        input.metric_data_queries, input.scan_by
    );
    let skipped =
        input.next_token.as_deref().map(|token| read_token(cx, &scope, token)).transpose()?.unwrap_or(0);
    let reader = Reader::new(metrics, account, region);
    let read = queries.read(&reader, &span).await?;
    let points: usize = read.iter().map(|read| read.points.len()).sum();
    // What takes long holds up no worker.
    let (queries, values) = if points.saturating_mul(queries.list.len()) > AT_ONCE_MOST {
        let computed = cx.service.work(move || (queries.compute(&read, &span), queries)).await;
        let (values, queries) = computed.map_err(VaultError::from)?;
        (queries, values?)
    } else {
        let values = queries.compute(&read, &span)?;
        (queries, values)
    };
    let mut found = Vec::new();
    for (query, value) in queries.list.iter().zip(values).filter(|(query, _)| query.is_returned) {
        let all = match value {
            Value::Many(many) => many,
            Value::Number(_) => Vec::new(),
            Value::One(series) => vec![series],
        };
        found.extend(all.into_iter().map(|series| (query.id.clone(), query.label(&queries.list), series)));
    }
    let mut page = Page { skip: skipped, left: usize::try_from(most).unwrap_or(usize::MAX), is_whole: true };
    let is_newest_first = input.scan_by != Some(ScanBy::TimestampAscending);
    let results = found
        .into_iter()
        .map(|(id, label, series)| page.result(id, label, &series, is_newest_first))
        .collect();
    let next = skipped.saturating_add(usize::try_from(most).unwrap_or(usize::MAX));
    let next_token =
        (!page.is_whole).then(|| cx.service.marker(&scope, next.to_string().as_bytes())).transpose()?;
    Ok(GetMetricDataOutput { metric_data_results: results, next_token, messages: Vec::new() })
}

/// AWS says nothing but the code.
fn no_token() -> Refusal {
    Refusal::new(QueryErrorCode::InvalidNextToken, "")
}

fn read_token(cx: &Cx<'_>, scope: &str, token: &str) -> Result<usize, Refusal> {
    let position = cx.service.read_marker(scope, token).ok().ok_or_else(no_token)?;
    let text = String::from_utf8(position).ok().ok_or_else(no_token)?;
    text.parse().ok().ok_or_else(no_token)
}

/// What of all points stands on a page: the results are one after another.
struct Page {
    /// Points that stood on the pages before.
    skip: usize,
    /// Points that still fit.
    left: usize,
    /// Whether nothing was left out so far.
    is_whole: bool,
}

impl Page {
    fn result(
        &mut self,
        id: String,
        label: String,
        series: &Series,
        is_newest_first: bool,
    ) -> MetricDataResult {
        let mut points: Vec<_> = series.points.iter().map(|(at, value)| (*at, *value)).collect();
        if is_newest_first {
            points.reverse();
        }
        let skipped = self.skip.min(points.len());
        self.skip -= skipped;
        points.drain(..skipped);
        let taken = points.len().min(self.left);
        self.left -= taken;
        let is_complete = taken == points.len();
        self.is_whole &= is_complete;
        points.truncate(taken);
        let (timestamps, values): (Vec<_>, Vec<_>) = points
            .into_iter()
            .map(|(at, value)| (Timestamp::from_millis(at.saturating_mul(1000)), value))
            .unzip();
        let status_code = if is_complete { StatusCode::Complete } else { StatusCode::PartialData };
        MetricDataResult { id, label, timestamps, values, status_code, messages: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_every_point_once() {
        let series = |n: i64| Series { period: 60, points: (0..n).map(|at| (at * 60, 1.0)).collect() };
        let all = [series(3), series(0), series(4)];
        for most in 1..9 {
            let (mut seen, mut skip) = (Vec::new(), 0);
            loop {
                let mut page = Page { skip, left: most, is_whole: true };
                for (number, series) in all.iter().enumerate() {
                    let result = page.result(String::new(), String::new(), series, true);
                    seen.extend(result.timestamps.iter().map(|at| (number, at.millis() / 60_000)));
                    assert_eq!(result.timestamps.len(), result.values.len());
                }
                if page.is_whole {
                    break;
                }
                skip += most;
            }
            assert_eq!(seen, [(0, 2), (0, 1), (0, 0), (2, 3), (2, 2), (2, 1), (2, 0)], "{most} a page");
        }
    }
}
