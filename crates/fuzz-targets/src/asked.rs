//! Single requests to a service that stays the same: what they are read as, and what is answered.

use core::future::ready;

use keyreeve_domain::{AccountId, Region};
use keyreeve_observe::Operation as Audit;
use keyreeve_observe::metric::{Listed, Metric, MetricSource, Point, Reply, Wanted};
use keyreeve_testkit::World;
use keyreeve_wire::cloudwatch::Operation as Monitoring;
use keyreeve_wire::rpc::Protocol;
use serde_json::json;

use crate::archive::{SmallArchive, names};
use crate::asker::Asker;
use crate::text;

thread_local!(static WORLD: World = World::default());

/// Any text as what S3 is asked for: method, path and query, one a line, and headers after them, with a colon each.
pub fn s3_request(data: &[u8]) {
    let mut lines = text(data).splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let asked = (line(), line(), line());
    let headers: Vec<_> = line().split('\n').filter_map(|line| line.split_once(':')).collect();
    WORLD.with(|world| {
        let names = names();
        for caller in [&world.root, &world.stranger, &world.user] {
            let asker = Asker { caller, ..Asker::root(world) };
            let answer = asker.s3(asked, &headers, (&names, &SmallArchive));
            let may_read = caller.account() == world.root.account() && caller.arn() == world.root.arn();
            assert!(may_read || !answer.body.windows(5).any(|part| part == b"<Key>" && answer.is_done()));
        }
    });
}

/// Any bytes as the body of an operation of CloudTrail or CloudWatch Logs.
pub fn auditor_request(data: &[u8]) {
    let Some((which, body)) = data.split_first() else { return };
    let all: Vec<_> = Audit::CLOUDTRAIL.into_iter().chain(Audit::LOGS).collect();
    let Some(operation) = all.get(usize::from(*which) % all.len()) else { return };
    WORLD.with(|world| {
        let names = names();
        let answer = Asker::root(world).auditor(*operation, (&names, &SmallArchive), body);
        // A token leads on, and only there where it was given.
        let (answer, asked) = (answer.json(), serde_json::from_slice::<serde_json::Value>(body));
        let token =
            ["NextToken", "nextToken"].into_iter().find_map(|name| Some((name, answer.get(name)?.clone())));
        if let (Some((name, token)), Ok(mut next)) = (token, asked)
            && let Some(members) = next.as_object_mut()
        {
            members.insert(name.to_owned(), token);
            let body = next.to_string();
            let next = Asker::root(world).auditor(*operation, (&names, &SmallArchive), body.as_bytes());
            assert!(next.is_done(), "{}", next.json());
            let asker = Asker { caller: &world.stranger, ..Asker::root(world) };
            let elsewhere = asker.auditor(*operation, (&names, &SmallArchive), body.as_bytes());
            assert!(operation.name().starts_with("Get") || !elsewhere.is_done(), "{body}");
        }
    });
}

/// Any texts as expressions over metrics, one after each NUL: they are computed or refused.
pub fn metric_math(data: &[u8]) {
    let metric = json!({"Namespace": "AWS/KMS", "MetricName": "KeyUsage"});
    let stat = json!({"Metric": metric, "Period": 60, "Stat": "Sum"});
    let mut queries = vec![json!({"Id": "m1", "MetricStat": stat, "ReturnData": false})];
    let stat = json!({"Metric": metric, "Period": 300, "Stat": "p90"});
    queries.push(json!({"Id": "m2", "MetricStat": stat, "ReturnData": false}));
    for (at, expression) in text(data).split('\0').take(4).enumerate() {
        queries.push(json!({"Id": format!("e{at}"), "Expression": expression, "Period": 60}));
    }
    let begin = 1_800_000_000_i64 - 3600;
    let body = json!({"MetricDataQueries": queries, "StartTime": begin, "EndTime": begin + 3600});
    WORLD.with(|world| {
        let asked = (Protocol::Json, body.to_string());
        let asked = (asked.0, asked.1.as_bytes());
        let answer = Asker::root(world).monitoring(Monitoring::GetMetricData, &Waves, asked);
        for result in
            answer.json().get("MetricDataResults").and_then(|all| all.as_array()).into_iter().flatten()
        {
            let len = |name| result.get(name).and_then(|list| list.as_array()).map_or(0, Vec::len);
            assert_eq!(len("Timestamps"), len("Values"), "{result}");
        }
    });
}

/// A metric that goes up and down, with a gap.
pub(crate) struct Waves;

impl MetricSource for Waves {
    fn list(&self, _: AccountId, _: Region) -> Reply<'_, Vec<Listed>> {
        let metric = Metric { name: "KeyUsage".to_owned(), dimensions: Vec::new() };
        Box::pin(ready(Ok(vec![Listed { metric, newest: 1_800_000_000 }])))
    }

    fn read(&self, wanted: Wanted) -> Reply<'_, Vec<Point>> {
        let period = i64::from(wanted.period.max(60));
        let starts = (0..100).map(|at| wanted.from.saturating_add(period.saturating_mul(at)));
        let point = |start: i64| {
            let value = f64::from(u8::try_from(start.rem_euclid(7)).unwrap_or_default());
            Point { start, samples: 2.0, sum: value, minimum: 0.0, maximum: value }
        };
        let is_there = |start: &i64| *start < wanted.to && start.rem_euclid(5 * period) != 0;
        Box::pin(ready(Ok(starts.filter(is_there).map(point).collect())))
    }
}
