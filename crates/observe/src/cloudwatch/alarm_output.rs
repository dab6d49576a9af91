//! An alarm as answers and histories show it.

use keyreeve_core::alarm::{AlarmRecord, QueryRecord, StatRecord, Watched};
use keyreeve_core::record::TagRecord;
use keyreeve_domain::{AccountId, Region};
use keyreeve_wire::cloudwatch::{
    Dimension, EvaluationWindow, Metric, MetricAlarm, MetricDataQuery, MetricStat, SlidingWindow, Statistic,
    Tag,
};
use serde_json::{Map, Value, json};

use super::notification::screaming;
use super::reason::instant;

/// An alarm in an answer.
pub(crate) fn shown(alarm: &AlarmRecord, (account, region): (AccountId, Region)) -> MetricAlarm {
    let (stat, metrics) = match &alarm.watched {
        Watched::Metric(stat) => (Some(stat), None),
        Watched::Queries(list) => (None, Some(queries(list))),
    };
    let plain = stat.and_then(|stat| stat.statistic.parse().ok());
    MetricAlarm {
        alarm_name: alarm.name.clone(),
        alarm_arn: format!("arn:aws:cloudwatch:{region}:{account}:alarm:{}", alarm.name),
        alarm_description: alarm.description.clone(),
        alarm_configuration_updated_timestamp: alarm.configured,
        actions_enabled: alarm.actions_enabled,
        ok_actions: alarm.ok_actions.clone(),
        alarm_actions: alarm.alarm_actions.clone(),
        insufficient_data_actions: alarm.insufficient_data_actions.clone(),
        state_value: alarm.state.value,
        state_reason: alarm.state.reason.clone(),
        state_reason_data: alarm.state.reason_data.clone(),
        state_updated_timestamp: alarm.state.updated,
        metric_name: stat.map(|stat| stat.metric.clone()),
        namespace: stat.map(|stat| stat.namespace.clone()),
        statistic: plain,
        dimensions: stat.map(|stat| dimensions(&stat.dimensions)).unwrap_or_default(),
        period: stat.map(|stat| stat.period),
        unit: stat.and_then(|stat| stat.unit.as_ref()?.parse().ok()),
        evaluation_periods: alarm.evaluation_periods,
        threshold: Some(alarm.threshold),
        comparison_operator: alarm.comparison,
        extended_statistic: stat.filter(|_| plain.is_none()).map(|stat| stat.statistic.clone()),
        treat_missing_data: alarm.missing_data.map(|missing| missing.as_str().to_owned()),
        evaluate_low_sample_count_percentile: alarm.low_samples.clone(),
        datapoints_to_alarm: alarm.datapoints_to_alarm,
        metrics,
        threshold_metric_id: None,
        evaluation_state: None,
        state_transitioned_timestamp: alarm.state.since,
        evaluation_window: alarm
            .sliding_window
            .then_some(EvaluationWindow { wall_clock_window: None, sliding_window: Some(SlidingWindow {}) }),
        warm_up_configuration: None,
        evaluation_criteria: None,
        evaluation_interval: None,
        action_configuration: None,
    }
}

/// The queries of an alarm.
pub(crate) fn queries(queries: &[QueryRecord]) -> Vec<MetricDataQuery> {
    queries
        .iter()
        .map(|query| MetricDataQuery {
            id: query.id.clone(),
            metric_stat: query.stat.as_ref().map(metric_stat),
            expression: query.expression.clone(),
            label: query.label.clone(),
            return_data: query.return_data,
            period: query.period,
            account_id: None,
        })
        .collect()
}

fn metric_stat(stat: &StatRecord) -> MetricStat {
    MetricStat {
        metric: Metric {
            namespace: Some(stat.namespace.clone()),
            metric_name: Some(stat.metric.clone()),
            dimensions: dimensions(&stat.dimensions),
        },
        period: stat.period,
        stat: stat.statistic.clone(),
        unit: stat.unit.as_ref().and_then(|unit| unit.parse().ok()),
    }
}

fn dimensions(dimensions: &[TagRecord]) -> Vec<Dimension> {
    let shown = |TagRecord { key, value }: &TagRecord| Dimension { name: key.clone(), value: value.clone() };
    dimensions.iter().map(shown).collect()
}

/// The tags of an alarm.
pub(crate) fn tags(tags: &[TagRecord]) -> Vec<Tag> {
    tags.iter().map(|TagRecord { key, value }| Tag { key: key.clone(), value: value.clone() }).collect()
}

/// An alarm in the data of its history, where names begin with a small letter.
pub(crate) fn remembered(alarm: &AlarmRecord, (account, region): (AccountId, Region)) -> Value {
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    };
    let of = |dimensions: &[TagRecord]| -> Value {
        dimensions
            .iter()
            .map(|dimension| json!({ "name": dimension.key, "value": dimension.value }))
            .collect()
    };
    match &alarm.watched {
        Watched::Metric(stat) => {
            add("metricName", json!(stat.metric));
            add("namespace", json!(stat.namespace));
            add("dimensions", of(&stat.dimensions));
            add("period", json!(stat.period));
            // AWS has both kinds of statistics under this name.
            let plain = stat.statistic.parse::<Statistic>().is_ok();
            let shown = if plain { screaming(&stat.statistic) } else { stat.statistic.clone() };
            add("extendedStatistic", json!(shown));
            add("unit", json!(stat.unit));
        }
        Watched::Queries(queries) => {
            add("dimensions", json!([]));
            add("metrics",
            queries
                .iter()
                .map(|query| {
                    let mut shown = json!({
                        "id": query.id,
                        "expression": query.expression,
                        "label": query.label,
                        "returnData": query.return_data,
                        "period": query.period,
                        "metricStat": query.stat.as_ref().map(|stat| json!({
                            "metric": {
                                "namespace": stat.namespace, "metricName": stat.metric, "dimensions": of(&stat.dimensions),
                            },
                            "period": stat.period,
                            "stat": stat.statistic,
                        })),
                    });
                    if let Some(members) = shown.as_object_mut() {
                        members.retain(|_, value| !value.is_null());
                    }
                    shown
                })
                .collect(),
        );
        }
    }
    add("alarmName", json!(alarm.name));
    add("alarmArn", json!(format!("arn:aws:cloudwatch:{region}:{account}:alarm:{}", alarm.name)));
    add("alarmDescription", json!(alarm.description));
    add("alarmConfigurationUpdatedTimestamp", json!(instant(alarm.configured)));
    add("actionsEnabled", json!(alarm.actions_enabled));
    add("okactions", json!(alarm.ok_actions));
    add("alarmActions", json!(alarm.alarm_actions));
    add("insufficientDataActions", json!(alarm.insufficient_data_actions));
    add("stateValue", json!(alarm.state.value.as_str()));
    add("stateUpdatedTimestamp", json!(instant(alarm.state.updated)));
    add("evaluationPeriods", json!(alarm.evaluation_periods));
    add("datapointsToAlarm", json!(alarm.datapoints_to_alarm));
    add("threshold", json!(alarm.threshold));
    add("comparisonOperator", json!(alarm.comparison.as_str()));
    add("treatMissingData", json!(alarm.missing_data.map(|missing| missing.as_str())));
    add("evaluateLowSampleCountPercentile", json!(alarm.low_samples));
    Value::Object(members)
}
