//! From a PutMetricAlarm request to an alarm: everything that must hold between its members.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>. Texts are AWS's where they
//! are known.

use keyreeve_core::alarm::{
    AlarmRecord, AlarmState, MissingData, NAME_BYTES_MOST, QueryRecord, StatRecord, Watched,
};
use keyreeve_core::record::TagRecord;
use keyreeve_domain::Timestamp;
use keyreeve_wire::cloudwatch::{
    ComparisonOperator, Dimension, MetricDataQuery, PutMetricAlarmInput, StateValue,
};
use keyreeve_wire::query::QueryErrorCode;

use super::queries::Queries;
use super::reason::INITIAL;
use super::refusal::Refusal;
use super::series::{Stat, is_period};
use super::tags;

/// Periods that are not whole minutes.
pub(crate) const SHORT: [u32; 3] = [10, 20, 30];
/// The longest time that an alarm may look at, in seconds; and that of one with periods below an hour.
const LONGEST: u64 = 7 * 86_400;
const LONGEST_OF_SHORT: u64 = 86_400;
/// Queries of an alarm.
const QUERIES_MOST: usize = 20;
/// Queries of one kind.
const OF_A_KIND_MOST: usize = 10;

fn invalid<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::validation(text))
}

/// The alarm that a request describes, as one that is new, with an `id` that no other has.
pub(crate) fn alarm(input: &PutMetricAlarmInput, id: u64, now: Timestamp) -> Result<AlarmRecord, Refusal> {
    check_name(&input.alarm_name)?;
    check_unsupported(input)?;
    for action in input.ok_actions.iter().chain(&input.alarm_actions).chain(&input.insufficient_data_actions)
    {
        check_action(action)?;
    }
    let watched = match input.metrics.as_slice() {
        [] => Watched::Metric(stat(input)?),
        queries => {
            check_no_metric(input)?;
            Watched::Queries(self::queries(queries)?)
        }
    };
    let (Some(comparison), Some(evaluation_periods)) = (input.comparison_operator, input.evaluation_periods)
    else {
        // AWS: unverified
        return invalid("ComparisonOperator and EvaluationPeriods are required for an alarm of a metric.");
    };
    let Some(threshold) = input.threshold.filter(|threshold| threshold.is_finite()) else {
        // AWS: unverified
        return invalid("Threshold is required, and must be a finite number.");
    };
    if matches!(
        comparison,
        ComparisonOperator::LessThanLowerOrGreaterThanUpperThreshold
            | ComparisonOperator::LessThanLowerThreshold
            | ComparisonOperator::GreaterThanUpperThreshold
    ) {
        return invalid(format!(
            "ComparisonOperator {comparison} is for alarms of anomaly detection, which there are none of."
        ));
    }
    check_length(&watched, evaluation_periods)?;
    if input.datapoints_to_alarm.is_some_and(|wanted| wanted > evaluation_periods) {
        // AWS: unverified
        return invalid("DatapointsToAlarm must not be greater than EvaluationPeriods.");
    }
    Ok(AlarmRecord {
        name: input.alarm_name.clone(),
        description: input.alarm_description.clone(),
        actions_enabled: input.actions_enabled.unwrap_or(true),
        ok_actions: input.ok_actions.clone(),
        alarm_actions: input.alarm_actions.clone(),
        insufficient_data_actions: input.insufficient_data_actions.clone(),
        watched,
        evaluation_periods,
        datapoints_to_alarm: input.datapoints_to_alarm,
        threshold,
        comparison,
        missing_data: missing_data(input.treat_missing_data.as_deref())?,
        low_samples: low_samples(input)?,
        sliding_window: input.evaluation_window.is_some(),
        configured: now,
        state: AlarmState {
            value: StateValue::InsufficientData,
            reason: INITIAL.to_owned(),
            reason_data: None,
            updated: now,
            since: now,
        },
        tags: tags::of_new(&input.tags)?,
        pending: Vec::new(),
        id: format!("{id:016x}"),
    })
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.chars().any(|c| c.is_ascii_control()) {
        // AWS: unverified
        return invalid("AlarmName must not contain control characters.");
    }
    if name.len() > NAME_BYTES_MOST {
        return invalid(format!("AlarmName must not be longer than {NAME_BYTES_MOST} bytes."));
    }
    Ok(())
}

/// What the API has and this service has not.
fn check_unsupported(input: &PutMetricAlarmInput) -> Result<(), Refusal> {
    let window = input.evaluation_window.as_ref();
    if window.is_some_and(|window| window.wall_clock_window.is_some() == window.sliding_window.is_some()) {
        return match window.and_then(|window| window.wall_clock_window.as_ref()) {
            Some(_) => invalid("EvaluationWindow must have one member."),
            None => invalid("EvaluationWindow must have a member."),
        };
    }
    for (is_given, name) in [
        (input.threshold_metric_id.is_some(), "ThresholdMetricId"),
        (window.is_some_and(|window| window.wall_clock_window.is_some()), "WallClockWindow"),
        (input.warm_up_configuration.is_some(), "WarmUpConfiguration"),
        (input.evaluation_criteria.is_some(), "EvaluationCriteria"),
        (input.evaluation_interval.is_some(), "EvaluationInterval"),
        (input.action_configuration.is_some(), "ActionConfiguration"),
    ] {
        if is_given {
            return invalid(format!("The parameter {name} is not supported."));
        }
    }
    Ok(())
}

fn check_action(action: &str) -> Result<(), Refusal> {
    let parts: Vec<_> = action.splitn(6, ':').collect();
    let is_arn = matches!(
        parts.as_slice(),
        ["arn", partition, service, _, _, resource]
            if partition.starts_with("aws") && !service.is_empty() && !resource.is_empty()
    );
    let is_plain = !action.chars().any(|c| c.is_control() || c.is_whitespace());
    if is_arn && is_plain { Ok(()) } else { invalid(format!("Invalid arn syntax: {action}")) }
}

fn stat(input: &PutMetricAlarmInput) -> Result<StatRecord, Refusal> {
    // AWS: the texts of these are unverified.
    let (Some(metric), Some(namespace)) = (&input.metric_name, &input.namespace) else {
        return invalid("Exactly one of MetricName, with a Namespace, and Metrics is required.");
    };
    let statistic = match (input.statistic, &input.extended_statistic) {
        (Some(statistic), None) => statistic.to_string(),
        (None, Some(extended)) if Stat::parse_extended(extended).is_some() => extended.clone(),
        (None, Some(extended)) => {
            let message = format!("The value {extended} for parameter ExtendedStatistic is not supported.");
            return Err(Refusal::new(QueryErrorCode::InvalidParameterValueException, message));
        }
        (None, None) => return invalid("Exactly one of Statistic and ExtendedStatistic is required."),
        (Some(_), Some(_)) => {
            return invalid(
                "PutMetricAlarm request can not be made with both Statistic and ExtendedStatistic parameters. Only one of \
                 them should be present",
            );
        }
    };
    let Some(period) = input.period else { return invalid("Period is required for an alarm of a metric.") };
    if !is_period(period, &SHORT) {
        return invalid(format!("Period must be 10, 20, 30 or a multiple of 60; it is {period}."));
    }
    let mut names: Vec<_> = input.dimensions.iter().map(|dimension| &dimension.name).collect();
    names.sort();
    if names.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
        return invalid("A dimension is given twice.");
    }
    Ok(StatRecord {
        namespace: namespace.clone(),
        metric: metric.clone(),
        dimensions: dimensions(&input.dimensions),
        period,
        statistic,
        unit: input.unit.map(|unit| unit.to_string()),
    })
}

fn dimensions(dimensions: &[Dimension]) -> Vec<TagRecord> {
    let record =
        |Dimension { name, value }: &Dimension| TagRecord { key: name.clone(), value: value.clone() };
    dimensions.iter().map(record).collect()
}

/// What an alarm of several queries must not have.
fn check_no_metric(input: &PutMetricAlarmInput) -> Result<(), Refusal> {
    for (is_given, name) in [
        (input.metric_name.is_some(), "MetricName"),
        (input.namespace.is_some(), "Namespace"),
        (!input.dimensions.is_empty(), "Dimensions"),
        (input.period.is_some(), "Period"),
        (input.unit.is_some(), "Unit"),
        (input.statistic.is_some(), "Statistic"),
        (input.extended_statistic.is_some(), "ExtendedStatistic"),
    ] {
        if is_given {
            // AWS: unverified but for MetricName
            return invalid(format!("{name} should not be set if list of Metrics is set."));
        }
    }
    Ok(())
}

fn queries(given: &[MetricDataQuery]) -> Result<Vec<QueryRecord>, Refusal> {
    // AWS: the texts of these are unverified.
    let expressions = given.iter().filter(|query| query.expression.is_some()).count();
    if given.len() > QUERIES_MOST
        || expressions > OF_A_KIND_MOST
        || given.len() - expressions > OF_A_KIND_MOST
    {
        return invalid("Metrics must not have more than 10 metrics and 10 expressions.");
    }
    let parsed = Queries::parse(given, &SHORT)?;
    if parsed.list.iter().filter(|query| query.is_returned).count() != 1 {
        return invalid("Exactly one of Metrics must have ReturnData.");
    }
    let mut periods: Vec<_> = parsed.stat_periods().collect();
    periods.dedup();
    if periods.len() > 1 {
        return invalid("All of Metrics must have the same Period.");
    }
    if periods.is_empty() {
        return invalid("Metrics must have a MetricStat.");
    }
    let record = |query: &MetricDataQuery| QueryRecord {
        id: query.id.clone(),
        stat: query.metric_stat.as_ref().map(|stat| StatRecord {
            namespace: stat.metric.namespace.clone().unwrap_or_default(),
            metric: stat.metric.metric_name.clone().unwrap_or_default(),
            dimensions: dimensions(&stat.metric.dimensions),
            period: stat.period,
            statistic: stat.stat.clone(),
            unit: stat.unit.map(|unit| unit.to_string()),
        }),
        expression: query.expression.clone(),
        label: query.label.clone(),
        return_data: query.return_data,
        period: query.period,
    };
    Ok(given.iter().map(record).collect())
}

/// The period of an alarm in seconds.
pub(crate) fn period(watched: &Watched) -> u32 {
    match watched {
        Watched::Metric(stat) => stat.period,
        Watched::Queries(queries) => {
            queries.iter().filter_map(|query| query.stat.as_ref()).map(|stat| stat.period).max().unwrap_or(60)
        }
    }
}

fn check_length(watched: &Watched, evaluation_periods: u32) -> Result<(), Refusal> {
    let period = period(watched);
    let whole = u64::from(period).saturating_mul(u64::from(evaluation_periods));
    if period < 3600 && whole > LONGEST_OF_SHORT {
        return invalid(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).",
        );
    }
    if whole > LONGEST {
        // AWS: unverified
        return invalid(
            "Metrics cannot be checked across more than seven days (EvaluationPeriods * Period must be <= 604800).",
        );
    }
    Ok(())
}

fn missing_data(text: Option<&str>) -> Result<Option<MissingData>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    match MissingData::ALL.into_iter().find(|known| known.as_str() == text) {
        Some(known) => Ok(Some(known)),
        None => invalid(format!(
            "The value {text} is not supported for TreatMissingData parameter. Supported values are [breaching, \
             notBreaching, ignore, missing]."
        )),
    }
}

fn low_samples(input: &PutMetricAlarmInput) -> Result<Option<String>, Refusal> {
    let Some(text) = &input.evaluate_low_sample_count_percentile else { return Ok(None) };
    if input.extended_statistic.is_none() {
        // AWS: unverified
        return invalid("EvaluateLowSampleCountPercentile is for alarms of percentiles.");
    }
    match text.as_str() {
        "evaluate" | "ignore" => Ok(Some(text.clone())),
        _ => invalid(format!(
            "The value {text} is not supported for EvaluateLowSampleCountPercentile parameter. Supported values are \
             [evaluate, ignore]."
        )),
    }
}
