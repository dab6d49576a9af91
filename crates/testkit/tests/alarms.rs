//! Alarms over a store in memory and metrics that a test makes up.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]

use std::cell::Cell;
use std::collections::BTreeMap;

use keyreeve_core::Caller;
use keyreeve_core::alarm::{self, AlarmRecord};
use keyreeve_core::check::check;
use keyreeve_core::commit::Draft;
use keyreeve_core::vault::{VaultError, Versioned};
use keyreeve_domain::{AccountId, Region, Timestamp};
use keyreeve_observe::cloudwatch::rounds::{self, Round};
use keyreeve_observe::cloudwatch::{CloudWatchOperation, answer};
use keyreeve_observe::metric::{Listed, Metric, MetricSource, Point, Reply, Wanted};
use keyreeve_store::conformance::block_on;
use keyreeve_store::{Batch, Path};
use keyreeve_testkit::{Has, World};
use keyreeve_wire::cloudwatch::{Operation, StateValue};
use keyreeve_wire::query::Api as _;
use keyreeve_wire::rpc::Protocol;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Metrics with a value for some minutes, and how often each was read.
#[derive(Default)]
struct Made {
    values: BTreeMap<i64, f64>,
    reads: Mutex<BTreeMap<Metric, usize>>,
}

impl MetricSource for Made {
    fn list(&self, _: AccountId, _: Region) -> Reply<'_, Vec<Listed>> {
        Box::pin(core::future::ready(Ok(Vec::new())))
    }

    fn read(&self, wanted: Wanted) -> Reply<'_, Vec<Point>> {
        *self.reads.lock().entry(wanted.metric.clone()).or_default() += 1;
        let point = |(start, value): (&i64, &f64)| Point {
            start: *start,
            samples: 1.0,
            sum: *value,
            minimum: *value,
            maximum: *value,
        };
        let points = self.values.range(wanted.from..wanted.to).map(point).collect();
        Box::pin(core::future::ready(Ok(points)))
    }
}

/// The minute in which the world begins.
const BEGIN: i64 = 1_800_000_000;

/// Values of the minutes before the world begins, the newest last.
fn made(values: &[f64]) -> Made {
    let begin = |back: usize| BEGIN - 60 * i64::try_from(back).unwrap();
    let values = values.iter().rev().enumerate().map(|(back, value)| (begin(back + 1), *value)).collect();
    Made { values, ..Made::default() }
}

fn call_as(world: &World, caller: &Caller, operation: Operation, body: &Value) -> (u16, Value) {
    let begun = Cell::new(false);
    let request = world.authenticated(CloudWatchOperation(operation), caller, &begun);
    let (body, metrics) = (body.to_string(), Made::default());
    let asked = (Protocol::Json, body.as_bytes());
    let answer = block_on(answer(&world.service, &world.trail, &request, &metrics, asked));
    let body =
        if answer.body.is_empty() { Value::Null } else { serde_json::from_slice(&answer.body).unwrap() };
    (answer.status, body)
}

fn done(world: &World, operation: Operation, body: &Value) -> Value {
    let (status, answer) = call_as(world, &world.root, operation, body);
    assert_eq!(status, 200, "{} {body}: {answer}", operation.name());
    answer
}

fn an_alarm(name: &str) -> Value {
    json!({
        "AlarmName": name, "Namespace": "AWS/KMS", "MetricName": "KeyUsage", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": ["arn:aws:sns:us-east-1:111122223333:oncall"],
    })
}

fn put(world: &World, name: &str) {
    done(world, Operation::PutMetricAlarm, &an_alarm(name));
}

fn evaluate(world: &World, metrics: &Made) -> Round {
    block_on(rounds::evaluate(&world.service, metrics, world.now(), world.now())).unwrap()
}

fn read(world: &World, name: &str) -> Versioned<AlarmRecord> {
    let path = alarm::alarm(world.root.account(), world.region, name).unwrap();
    let snapshot = block_on(world.service.vault().snapshot()).unwrap();
    block_on(world.service.vault().read::<AlarmRecord>(&*snapshot, &path)).unwrap().unwrap()
}

/// The store holds together.
fn assert_whole(world: &World) {
    let mut found = Vec::new();
    let vault = world.service.vault();
    let snapshot = block_on(vault.snapshot()).unwrap();
    block_on(check(vault, &*snapshot, &mut |finding| found.push(finding))).unwrap();
    found.retain(|finding| {
        !finding.path.contains("AIDACKCEVSQ6C2EXAMPLE") && !finding.path.starts_with("iam/")
    });
    assert_eq!(found, []);
}

fn history(world: &World) -> Vec<String> {
    let answer = done(world, Operation::DescribeAlarmHistory, &json!({"ScanBy": "TimestampAscending"}));
    let items = answer["AlarmHistoryItems"].as_array().unwrap();
    items.iter().map(|item| item["HistorySummary"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_round_reads_each_metric_once_and_says_what_is_to_be_done() {
    let world = World::default();
    for number in 0..40_u32 {
        let mut alarm = an_alarm(&format!("a/{number}"));
        alarm["EvaluationPeriods"] = json!(1 + number % 5);
        alarm["MetricName"] = json!(if number % 2 == 0 { "KeyUsage" } else { "NumberOfRequestsFailed" });
        done(&world, Operation::PutMetricAlarm, &alarm);
    }
    let metrics = made(&[5.0; 10]);
    let round = evaluate(&world, &metrics);
    assert_eq!((round.changed, round.waiting.len()), (40, 40));
    assert_eq!(metrics.reads.lock().values().copied().collect::<Vec<_>>(), [1, 1]);
    // What was not completed is still to be done, and nothing is said twice.
    let round = evaluate(&world, &metrics);
    assert_eq!((round.changed, round.waiting.len()), (0, 40));
    for waiting in &round.waiting {
        block_on(rounds::complete(&world.service, waiting, Ok(()), world.now())).unwrap();
        block_on(rounds::complete(&world.service, waiting, Ok(()), world.now())).unwrap();
    }
    assert_eq!(block_on(rounds::all_waiting(&world.service)).unwrap(), []);
    let told = done(&world, Operation::DescribeAlarmHistory, &json!({"HistoryItemType": "Action"}));
    assert_eq!(told["AlarmHistoryItems"].as_array().map(Vec::len), Some(40));
    assert_whole(&world);
}

#[test]
fn an_alarm_that_is_damaged_holds_up_no_other() {
    let world = World::default();
    for name in ["one", "other"] {
        put(&world, name);
    }
    let path = alarm::alarm(world.root.account(), world.region, "one").unwrap();
    world.tamper(Batch::builder().put(path, b"damaged".to_vec()).build().unwrap());
    assert_eq!(evaluate(&world, &made(&[5.0])).changed, 1);
    assert_eq!(read(&world, "other").record.state.value, StateValue::Alarm);
}

#[test]
fn an_alarm_that_was_made_again_is_another_one() {
    let world = World::default();
    put(&world, "a");
    let before = read(&world, "a");
    done(&world, Operation::DeleteAlarms, &json!({"AlarmNames": ["a"]}));
    put(&world, "a");
    let again = read(&world, "a");
    assert_eq!(before.version, again.version);
    let place = (world.root.account(), world.region);
    let replace = |seen: &Versioned<AlarmRecord>| {
        let mut draft = Draft::new(world.service.vault());
        draft.replace_alarm(place, seen.version, &seen.record).unwrap();
        block_on(world.service.commit(draft))
    };
    assert_eq!(replace(&before), Err(VaultError::Contended));
    assert_eq!(replace(&again), Ok(()));
    assert_whole(&world);
}

#[test]
fn notifications_that_nobody_takes_are_bounded() {
    let world = World::default();
    put(&world, "a");
    for number in 0..60 {
        let value = if number % 2 == 0 { "ALARM" } else { "OK" };
        world.pass_millis(1);
        let state = json!({"AlarmName": "a", "StateValue": value, "StateReason": format!("{number}")});
        done(&world, Operation::SetAlarmState, &state);
    }
    let pending = read(&world, "a").record.pending;
    assert_eq!(pending.len(), 25);
    assert!(pending.last().is_some_and(|newest| newest.message.contains(r#""NewStateReason":"58""#)));
}

#[test]
fn a_history_is_kept_for_thirty_days() {
    let world = World::default();
    for name in ["a", "b"] {
        put(&world, name);
        world.pass_days(20);
    }
    done(&world, Operation::DeleteAlarms, &json!({"AlarmNames": ["a"]}));
    assert_eq!(block_on(rounds::forget(&world.service, world.now())), Ok(1));
    assert_eq!(history(&world), [r#"Alarm "b" created"#, r#"Alarm "a" deleted"#]);
    assert_whole(&world);
    world.pass_days(31);
    assert_eq!(block_on(rounds::forget(&world.service, world.now())), Ok(2));
    assert_eq!(history(&world), Vec::<String>::new());
    let rest: Vec<String> = world.paths().into_iter().filter(|path| path.starts_with("alarm-past")).collect();
    assert_eq!(rest, Vec::<String>::new());
}

/// A body of each operation that succeeds for the root where there is an alarm `a`.
fn body(operation: Operation) -> Value {
    let arn = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:a";
    let stat =
        json!({"Metric": {"Namespace": "AWS/KMS", "MetricName": "KeyUsage"}, "Period": 60, "Stat": "Sum"});
    match operation {
        Operation::DeleteAlarms | Operation::EnableAlarmActions | Operation::DisableAlarmActions => {
            json!({"AlarmNames": ["a"]})
        }
        Operation::DescribeAlarmHistory | Operation::DescribeAlarms | Operation::ListMetrics => json!({}),
        Operation::DescribeAlarmsForMetric => json!({"Namespace": "AWS/KMS", "MetricName": "KeyUsage"}),
        Operation::GetMetricData => {
            json!({"MetricDataQueries": [{"Id": "m", "MetricStat": stat}], "StartTime": BEGIN - 600, "EndTime": BEGIN})
        }
        Operation::GetMetricStatistics => json!({
            "Namespace": "AWS/KMS", "MetricName": "KeyUsage", "StartTime": BEGIN - 600, "EndTime": BEGIN, "Period": 60,
            "Statistics": ["Sum"],
        }),
        Operation::ListTagsForResource => json!({"ResourceARN": arn}),
        Operation::PutMetricAlarm => {
            let mut alarm = an_alarm("a");
            alarm["Threshold"] = json!(7);
            alarm
        }
        Operation::SetAlarmState => {
            json!({"AlarmName": "a", "StateValue": "ALARM", "StateReason": "a drill"})
        }
        Operation::TagResource => json!({"ResourceARN": arn, "Tags": [{"Key": "k", "Value": "v"}]}),
        Operation::UntagResource => json!({"ResourceARN": arn, "TagKeys": ["k"]}),
    }
}

#[test]
fn who_may_do_nothing_changes_nothing_and_is_on_record() {
    let world = World::default();
    put(&world, "a");
    for operation in Operation::ALL.iter().copied() {
        let before = world.dump();
        world.trail.drain();
        let (status, answer) = call_as(&world, &world.user, operation, &body(operation));
        let case = operation.name();
        assert_eq!(
            (status, answer["__type"].as_str()),
            (403, Some("com.amazon.coral.service#AccessDenied")),
            "{case}"
        );
        let text = answer["message"].as_str().unwrap();
        assert!(
            text.contains(&format!("is not authorized to perform: cloudwatch:{case} on resource: ")),
            "{text}"
        );
        assert_eq!(world.dump(), before, "{case}");
        let events = world.trail.drain();
        assert_eq!(events.len(), 1, "{case}");
        assert_eq!(events[0]["eventName"], json!(case));
        assert_eq!(events[0]["eventSource"], json!("monitoring.amazonaws.com"));
        assert_eq!(events[0]["errorCode"], json!("AccessDenied"), "{case}");
    }
}

#[test]
fn a_change_is_announced_and_without_a_trail_there_is_none() {
    for operation in Operation::ALL.iter().copied() {
        let case = operation.name();
        let world = World::default();
        put(&world, "a");
        if operation == Operation::EnableAlarmActions {
            done(&world, Operation::DisableAlarmActions, &json!({"AlarmNames": ["a"]}));
        }
        if operation == Operation::UntagResource {
            done(&world, Operation::TagResource, &body(Operation::TagResource));
        }
        let before = world.dump();
        world.trail.fail_after(0);
        let (status, answer) = call_as(&world, &world.root, operation, &body(operation));
        assert_eq!(
            (status, &answer["__type"]),
            (500, &json!("com.amazon.coral.service#InternalServiceFault")),
            "{case}"
        );
        assert_eq!(world.dump(), before, "{case}");
        world.trail.fail_after(None);
        world.trail.drain();
        done(&world, operation, &body(operation));
        let events = world.trail.drain();
        let phases: Vec<_> =
            events.iter().map(|event| event["additionalEventData"]["recordPhase"].clone()).collect();
        let expected =
            if operation.read_only() { vec![Value::Null] } else { vec![json!("Opened"), Value::Null] };
        assert_eq!(phases, expected, "{case}");
        assert_eq!(world.dump() == before, operation.read_only(), "{case}");
        assert_whole(&world);
    }
}

#[test]
fn another_account_and_another_region_have_alarms_of_their_own() {
    let world = World::default();
    put(&world, "a");
    let (status, answer) = call_as(&world, &world.stranger, Operation::DescribeAlarms, &json!({}));
    assert_eq!((status, &answer["MetricAlarms"]), (200, &json!([])));
    let before = world.dump();
    let (status, _) =
        call_as(&world, &world.stranger, Operation::DeleteAlarms, &json!({"AlarmNames": ["a"]}));
    assert_eq!((status, world.dump()), (200, before));
    let (status, answer) = call_as(
        &world,
        &world.stranger,
        Operation::ListTagsForResource,
        &body(Operation::ListTagsForResource),
    );
    assert_eq!(
        (status, &answer["__type"]),
        (404, &json!("com.amazon.coral.service#ResourceNotFoundException"))
    );
    let history =
        call_as(&world, &world.stranger, Operation::DescribeAlarmHistory, &json!({"AlarmName": "a"})).1;
    assert_eq!(history["AlarmHistoryItems"], json!([]));
    let path = Path::try_from("alarm/111122223333/us-east-1/a").unwrap();
    assert_eq!(alarm::read_alarm(&path), Some((world.root.account(), world.region)));
}

#[test]
fn an_alarm_is_let_to_whoever_is_allowed_what_has_its_tags() {
    let world = World::default();
    let mut alarm = an_alarm("tagged");
    alarm["Tags"] = json!([{"Key": "team", "Value": "a"}]);
    done(&world, Operation::PutMetricAlarm, &alarm);
    for (team, status) in [("b", 403), ("a", 200)] {
        let condition = format!(r#""Condition":{{"StringEquals":{{"aws:ResourceTag/team":"{team}"}}}}"#);
        let allow = format!(r#"{{"Effect":"Allow","Action":"cloudwatch:*","Resource":"*",{condition}}}"#);
        let user = world.user_with(world.root.account(), team, Has::policy(&allow));
        let (found, answer) =
            call_as(&world, &user, Operation::DisableAlarmActions, &json!({"AlarmNames": ["tagged"]}));
        assert_eq!(found, status, "{team}: {answer}");
    }
}

#[test]
fn what_looks_at_more_than_a_day_is_evaluated_once_an_hour() {
    let world = World::default();
    let mut alarm = an_alarm("long");
    alarm["Period"] = json!(86_400);
    alarm["EvaluationPeriods"] = json!(2);
    alarm["TreatMissingData"] = json!("breaching");
    done(&world, Operation::PutMetricAlarm, &alarm);
    let at = |minutes: i64| Timestamp::from_millis((BEGIN + minutes * 60) * 1000);
    for (minutes, changed) in [(1, 0), (59, 0), (60, 1), (61, 0)] {
        let round = block_on(rounds::evaluate(&world.service, &made(&[]), at(minutes), at(minutes))).unwrap();
        assert_eq!(round.changed, changed, "after {minutes} minutes");
    }
}
