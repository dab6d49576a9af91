//! ListMetrics: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>.

use keyreeve_core::Cx;
use keyreeve_wire::cloudwatch::{
    Dimension, DimensionFilter, ListMetricsInput, ListMetricsOutput, Metric as Shown,
};
use keyreeve_wire::query::QueryErrorCode;

use super::gate::{Particulars, authorize};
use super::refusal::Refusal;
use crate::metric::{Listed, Metric, MetricSource, NAMESPACE};

/// Metrics of a page, at most.
const MOST: usize = 500;
/// Seconds after which a metric without new points is not listed.
const LISTED: i64 = 14 * 86_400;
/// Seconds of `PT3H`.
const RECENT: i64 = 3 * 3600;

/// Errors, in this order: AccessDenied, InvalidParameterValue (of the token).
pub(super) async fn list_metrics(
    cx: &mut Cx<'_>,
    metrics: &dyn MetricSource,
    input: ListMetricsInput,
) -> Result<ListMetricsOutput, Refusal> {
    authorize(cx, "cloudwatch:ListMetrics", "*", &Particulars::default()).await?;
    let account = cx.caller.account();
    let scope = format!(
        "ListMetrics/{account}/{}/{:?}/{:?}/{:?}/{:?}/{:?}",
        cx.region,
        input.namespace,
        input.metric_name,
        input.dimensions,
        input.recently_active,
        input.owning_account
    );
    let after = input.next_token.as_deref().map(|token| read_token(cx, &scope, token)).transpose()?;
    let is_ours = input.namespace.as_deref().is_none_or(|namespace| namespace == NAMESPACE)
        && input.owning_account.as_deref().is_none_or(|owner| owner == account.to_string());
    let oldest = cx.now.millis().div_euclid(1000).saturating_sub(match input.recently_active {
        Some(_) => RECENT,
        None => LISTED,
    });
    let mut listed = if is_ours { metrics.list(account, cx.region).await? } else { Vec::new() };
    listed.retain(|Listed { metric, newest }| {
        *newest >= oldest
            && input.metric_name.as_ref().is_none_or(|name| *name == metric.name)
            && input.dimensions.iter().all(|filter| meets(filter, metric))
            && after.as_ref().is_none_or(|after| key(metric) > *after)
    });
    listed.sort_by(|one, other| one.metric.cmp(&other.metric));
    let has_next = listed.len() > MOST;
    listed.truncate(MOST);
    let last = listed.last().filter(|_| has_next);
    let next_token =
        last.map(|last| cx.service.marker(&scope, key(&last.metric).join("\u{0}").as_bytes())).transpose()?;
    let owners = (input.include_linked_accounts == Some(true))
        .then(|| listed.iter().map(|_| account.to_string()).collect());
    Ok(ListMetricsOutput {
        metrics: listed.into_iter().map(|listed| shown(listed.metric)).collect(),
        next_token,
        owning_accounts: owners,
    })
}

fn meets(filter: &DimensionFilter, metric: &Metric) -> bool {
    metric.dimensions.iter().any(|(name, value)| {
        *name == filter.name && filter.value.as_ref().is_none_or(|wanted| wanted == value)
    })
}

/// What orders metrics: the name, then names and values of its dimensions.
fn key(metric: &Metric) -> Vec<String> {
    let dimensions = metric.dimensions.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
    core::iter::once(metric.name.clone()).chain(dimensions).collect()
}

fn read_token(cx: &Cx<'_>, scope: &str, token: &str) -> Result<Vec<String>, Refusal> {
    // AWS: unverified. The model of this operation has no InvalidNextToken.
    let invalid = || Refusal::new(QueryErrorCode::InvalidParameterValueException, "The token is not valid.");
    let position = cx.service.read_marker(scope, token).ok().ok_or_else(invalid)?;
    let text = String::from_utf8(position).ok().ok_or_else(invalid)?;
    Ok(text.split('\u{0}').map(str::to_owned).collect())
}

fn shown(metric: Metric) -> Shown {
    Shown {
        namespace: Some(NAMESPACE.to_owned()),
        metric_name: Some(metric.name),
        dimensions: metric.dimensions.into_iter().map(|(name, value)| Dimension { name, value }).collect(),
    }
}
