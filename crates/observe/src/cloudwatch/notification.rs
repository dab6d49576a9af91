//! What an action of an alarm is told: the message that CloudWatch publishes to a topic of SNS.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html>, and messages that
//! their receivers have published.

use keyreeve_core::alarm::{AlarmRecord, AlarmState, QueryRecord, StatRecord, Watched};
use keyreeve_core::record::TagRecord;
use keyreeve_domain::{AccountId, Region};
use serde_json::{Map, Value, json};

use super::reason::instant;
use super::series::Stat;

/// The subject: `ALARM: "name" in US East (N. Virginia)`.
pub(crate) fn subject(alarm: &AlarmRecord, region: Region) -> String {
    format!("{}: \"{}\" in {}", alarm.state.value, alarm.name, region_name(region))
}

/// The message about `alarm`, which was in the state `before`.
pub(crate) fn message(
    alarm: &AlarmRecord,
    before: &AlarmState,
    (account, region): (AccountId, Region),
) -> String {
    json!({
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account.to_string(),
        "AlarmConfigurationUpdatedTimestamp": instant(alarm.configured),
        "NewStateValue": alarm.state.value.as_str(),
        "NewStateReason": alarm.state.reason,
        "StateChangeTime": instant(alarm.state.since),
        "Region": region_name(region),
        "AlarmArn": format!("arn:aws:cloudwatch:{region}:{account}:alarm:{}", alarm.name),
        "OldStateValue": before.value.as_str(),
        "OKActions": alarm.ok_actions,
        "AlarmActions": alarm.alarm_actions,
        "InsufficientDataActions": alarm.insufficient_data_actions,
        "Trigger": trigger(alarm),
    })
    .to_string()
}

fn trigger(alarm: &AlarmRecord) -> Value {
    let mut trigger = match &alarm.watched {
        Watched::Metric(stat) => {
            let mut members = Map::new();
            members.insert("MetricName".to_owned(), json!(stat.metric));
            members.insert("Namespace".to_owned(), json!(stat.namespace));
            let (kind, name) = match Stat::parse(&stat.statistic) {
                Some(Stat::Plain(_)) => ("Statistic", screaming(&stat.statistic)),
                _ => ("ExtendedStatistic", stat.statistic.clone()),
            };
            members.insert("StatisticType".to_owned(), json!(kind));
            members.insert(kind.to_owned(), json!(name));
            members.insert("Unit".to_owned(), json!(stat.unit));
            members.insert("Dimensions".to_owned(), dimensions(&stat.dimensions));
            members.insert("Period".to_owned(), json!(stat.period));
            members
        }
        Watched::Queries(queries) => {
            let mut members = Map::new();
            let period = queries.iter().find_map(|query| query.stat.as_ref().map(|stat| stat.period));
            members.insert("Period".to_owned(), json!(period.unwrap_or(60)));
            members.insert("Metrics".to_owned(), queries.iter().map(query).collect());
            members
        }
    };
    for (name, value) in [
        ("EvaluationPeriods", json!(alarm.evaluation_periods)),
        ("ComparisonOperator", json!(alarm.comparison.as_str())),
        ("Threshold", json!(alarm.threshold)),
        ("TreatMissingData", json!(alarm.missing_data.map_or("missing", |missing| missing.as_str()))),
        ("EvaluateLowSampleCountPercentile", json!(alarm.low_samples.clone().unwrap_or_default())),
    ] {
        trigger.insert(name.to_owned(), value);
    }
    if let Some(datapoints) = alarm.datapoints_to_alarm {
        trigger.insert("DatapointsToAlarm".to_owned(), json!(datapoints));
    }
    Value::Object(trigger)
}

fn query(query: &QueryRecord) -> Value {
    let mut value = json!({ "Id": query.id, "ReturnData": query.return_data.unwrap_or(true) });
    let Some(members) = value.as_object_mut() else { return value };
    if let Some(stat) = &query.stat {
        members.insert("MetricStat".to_owned(), metric_stat(stat));
    }
    if let Some(expression) = &query.expression {
        members.insert("Expression".to_owned(), json!(expression));
    }
    if let Some(label) = &query.label {
        members.insert("Label".to_owned(), json!(label));
    }
    value
}

fn metric_stat(stat: &StatRecord) -> Value {
    json!({
        "Metric": {
            "Dimensions": dimensions(&stat.dimensions),
            "MetricName": stat.metric,
            "Namespace": stat.namespace,
        },
        "Period": stat.period,
        "Stat": stat.statistic,
    })
}

fn dimensions(dimensions: &[TagRecord]) -> Value {
    dimensions.iter().map(|dimension| json!({ "value": dimension.value, "name": dimension.key })).collect()
}

/// `SampleCount` as `SAMPLE_COUNT`.
pub(crate) fn screaming(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 2);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_uppercase());
    }
    text
}

/// The name that people have for a Region; the Region itself where there is none here.
fn region_name(region: Region) -> String {
    let name = match region.as_str() {
        "af-south-1" => "Africa (Cape Town)",
        "ap-east-1" => "Asia Pacific (Hong Kong)",
        "ap-northeast-1" => "Asia Pacific (Tokyo)",
        "ap-northeast-2" => "Asia Pacific (Seoul)",
        "ap-northeast-3" => "Asia Pacific (Osaka)",
        "ap-south-1" => "Asia Pacific (Mumbai)",
        "ap-south-2" => "Asia Pacific (Hyderabad)",
        "ap-southeast-1" => "Asia Pacific (Singapore)",
        "ap-southeast-2" => "Asia Pacific (Sydney)",
        "ap-southeast-3" => "Asia Pacific (Jakarta)",
        "ap-southeast-4" => "Asia Pacific (Melbourne)",
        "ca-central-1" => "Canada (Central)",
        "ca-west-1" => "Canada West (Calgary)",
        "eu-central-1" => "EU (Frankfurt)",
        "eu-central-2" => "Europe (Zurich)",
        "eu-north-1" => "EU (Stockholm)",
        "eu-south-1" => "Europe (Milan)",
        "eu-south-2" => "Europe (Spain)",
        "eu-west-1" => "EU (Ireland)",
        "eu-west-2" => "EU (London)",
        "eu-west-3" => "EU (Paris)",
        "il-central-1" => "Israel (Tel Aviv)",
        "me-central-1" => "Middle East (UAE)",
        "me-south-1" => "Middle East (Bahrain)",
        "sa-east-1" => "South America (Sao Paulo)",
        "us-east-1" => "US East (N. Virginia)",
        "us-east-2" => "US East (Ohio)",
        "us-west-1" => "US West (N. California)",
        "us-west-2" => "US West (Oregon)",
        other => other,
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statistic_is_named_as_in_messages() {
        for (name, expected) in [("Sum", "SUM"), ("SampleCount", "SAMPLE_COUNT"), ("Average", "AVERAGE")] {
            assert_eq!(screaming(name), expected);
        }
    }
}
