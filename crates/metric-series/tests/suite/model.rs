//! Whatever was counted is read back.

use std::collections::BTreeMap;

use keyreeve_observe::metric::Metric;
use keyreeve_wire::Operation;
use proptest::prelude::*;

use crate::kept::{BEGIN, DAY, Kept, arn, metric, place, succeeded};

const OPERATIONS: [Operation; 3] = [Operation::Encrypt, Operation::Decrypt, Operation::ListGrants];

#[derive(Clone, Debug)]
enum Step {
    /// Time goes on by so many minutes.
    Wait(i64),
    /// So many requests with a key, so many minutes ago.
    Count {
        operation: usize,
        key: u8,
        count: u64,
        ago: i64,
    },
    Restart {
        is_killed: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1i64..10).prop_map(Step::Wait),
        2 => (10i64..300).prop_map(Step::Wait),
        1 => (1000i64..8 * DAY).prop_map(Step::Wait),
        8 => (0usize..3, 0u8..3, 1u64..1000, 0i64..3)
            .prop_map(|(operation, key, count, ago)| Step::Count { operation, key, count, ago }),
        1 => (0usize..3, 0u8..3, 1u64..1000, 0i64..2 * DAY)
            .prop_map(|(operation, key, count, ago)| Step::Count { operation, key, count, ago }),
        1 => any::<bool>().prop_map(|is_killed| Step::Restart { is_killed }),
    ]
}

/// What was counted: by minute, operation and key.
type Model = BTreeMap<(i64, usize, u8), u64>;

fn expected(
    model: &Model,
    period: i64,
    (from, to): (i64, i64),
    is_one: impl Fn(usize, u8) -> bool,
) -> Vec<(i64, u64)> {
    let mut sums = BTreeMap::new();
    for ((minute, operation, key), count) in model {
        if (from..to).contains(minute) && is_one(*operation, *key) {
            *sums.entry((minute * 60 - from * 60).div_euclid(period)).or_default() += count;
        }
    }
    sums.into_iter().map(|(number, sum)| (from * 60 + number * period, sum)).collect()
}

fn found(kept: &Kept, metric: &Metric, period: u32, (from, to): (i64, i64)) -> Vec<(i64, u64)> {
    let points = kept.read(metric, period, from, to);
    points
        .iter()
        .map(|point| {
            assert_eq!((point.samples, point.minimum, point.maximum), (point.sum, 1.0, 1.0), "{metric:?}");
            (point.start, format!("{}", point.sum).parse().unwrap())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_was_counted_is_read_back_at_every_period(steps in proptest::collection::vec(step(), 1..80)) {
        let directory = tempfile::tempdir().unwrap();
        let mut kept = Kept::at(directory.path());
        let mut model = Model::new();
        for step in steps {
            match step {
                Step::Wait(minutes) => kept.go_to(kept.minute() + minutes),
                Step::Count { operation, key, count, ago } => {
                    let minute = kept.minute() - ago;
                    kept.count_at(minute, OPERATIONS[operation], key, count);
                    *model.entry((minute, operation, key)).or_default() += count;
                }
                Step::Restart { is_killed } => {
                    // The minute is over, and the keeper has seen that.
                    kept.go_to(kept.minute() + 1);
                    kept.series().keep();
                    kept.restart(is_killed);
                }
            }
            kept.series().keep();
        }
        let to = kept.minute() + 1;
        let since = |days: i64| (to - days * DAY).div_euclid(8 * DAY) * 8 * DAY + 8 * DAY;
        for (period, from) in [
            (60, since(15)),
            (300, since(63)),
            (900, since(63)),
            (3600, BEGIN - 8 * DAY),
            (86_400, BEGIN - 8 * DAY),
        ] {
            let range = (from, to);
            for key in 0..3u8 {
                let all = expected(&model, period.into(), range, |_, of| of == key);
                prop_assert_eq!(found(&kept, &succeeded(Some(key), None), period, range), all, "{}", period);
                let used = expected(&model, period.into(), range, |operation, of| of == key && operation < 2);
                prop_assert_eq!(found(&kept, &metric("KeyUsage", Some(key), None), period, range), used);
            }
            for (at, operation) in OPERATIONS.into_iter().enumerate() {
                let all = expected(&model, period.into(), range, |of, _| of == at);
                prop_assert_eq!(found(&kept, &succeeded(None, Some(operation)), period, range), all);
                let one = expected(&model, period.into(), range, |of, key| of == at && key == 1);
                prop_assert_eq!(found(&kept, &succeeded(Some(1), Some(operation)), period, range), one);
            }
            let used = expected(&model, period.into(), range, |operation, _| operation < 2);
            prop_assert_eq!(found(&kept, &metric("KeyUsage", None, None), period, range), used);
        }
        let listed: Vec<_> = kept.series().listed(place()).into_iter().map(|listed| listed.metric).collect();
        for (minute, operation, key) in model.keys() {
            let wanted = succeeded(Some(*key), Some(OPERATIONS[*operation]));
            prop_assert!(listed.contains(&wanted) || *minute < to - 15 * DAY, "{:?}", wanted);
        }
    }
}

#[test]
fn the_minute_that_runs_has_what_it_has_seen_so_far() {
    let directory = tempfile::tempdir().unwrap();
    let kept = Kept::at(directory.path());
    for count in 1..=3u64 {
        kept.count(Operation::Encrypt, 1, 1);
        let points = kept.read(&succeeded(Some(1), None), 60, BEGIN, BEGIN + 1);
        assert_eq!(points.len(), 1);
        assert_eq!(format!("{}", points[0].samples), count.to_string());
        kept.series().keep();
    }
}

#[test]
fn values_keep_their_least_greatest_and_sum() {
    let directory = tempfile::tempdir().unwrap();
    let kept = Kept::at(directory.path());
    for (minute, seconds) in [(0, 900), (1, 840), (7, 480), (70, 60)] {
        kept.go_to(BEGIN + minute);
        kept.series().note_expirations([(arn(1), seconds)]);
        kept.series().keep();
    }
    for ahead in [71, 2 * DAY, 20 * DAY, 70 * DAY] {
        kept.go_to(BEGIN + ahead);
        kept.series().keep();
        let points =
            kept.read(&metric("SecondsUntilKeyMaterialExpiration", Some(1), None), 3600, BEGIN, BEGIN + DAY);
        let seen: Vec<_> =
            points.iter().map(|point| (point.samples, point.sum, point.minimum, point.maximum)).collect();
        assert_eq!(seen, [(3.0, 2220.0, 480.0, 900.0), (1.0, 60.0, 60.0, 60.0)], "{ahead}");
    }
    kept.count(Operation::Encrypt, 1, 2);
    let points = kept.read(
        &metric("RequestLatency", None, Some(Operation::Encrypt)),
        60,
        kept.minute(),
        kept.minute() + 1,
    );
    assert_eq!((points[0].samples, points[0].sum, points[0].maximum), (2.0, 0.14, 0.07), "milliseconds");
}

#[test]
fn what_is_listed_was_seen_in_the_last_fifteen_days() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = Kept::at(directory.path());
    kept.count(Operation::Encrypt, 1, 1);
    kept.series().keep();
    kept.go_to(BEGIN + 2 * DAY);
    kept.count(Operation::Decrypt, 1, 1);
    kept.series().keep();
    let names = |kept: &Kept| -> Vec<_> {
        let all = kept.series().listed(place()).into_iter();
        let of_encrypt =
            all.filter(|listed| listed.metric.dimensions.iter().any(|(_, value)| value == "Encrypt"));
        of_encrypt.map(|listed| (listed.metric.name, listed.newest)).collect()
    };
    let newest = BEGIN * 60;
    let expected: Vec<_> =
        ["KeyUsage", "KeyUsage", "NumberOfRequestsSucceeded", "NumberOfRequestsSucceeded", "RequestLatency"]
            .map(|name| (name.to_owned(), newest))
            .into();
    assert_eq!(names(&kept), expected);
    kept.restart(false);
    assert_eq!(names(&kept), expected, "after a restart");
    kept.go_to(BEGIN + 16 * DAY);
    kept.series().keep();
    assert_eq!(names(&kept), []);
    assert!(!kept.series().listed(place()).is_empty());
    kept.restart(true);
    assert_eq!(names(&kept), []);
    assert!(!kept.series().listed(place()).is_empty());
}

#[test]
fn a_service_that_begins_anew_has_no_points() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = Kept::at(directory.path());
    for day in 0..3 {
        kept.go_to(BEGIN + day * DAY);
        kept.count(Operation::Encrypt, 1, 1);
        kept.series().keep();
    }
    kept.series().clear();
    assert_eq!(kept.files(), ["journal.krm"]);
    for _ in 0..2 {
        assert_eq!(kept.sum(&succeeded(Some(1), None), 3600, BEGIN - DAY, BEGIN + 4 * DAY), 0);
        kept.restart(true);
    }
    kept.count(Operation::Encrypt, 1, 1);
    assert_eq!(kept.sum(&succeeded(Some(1), None), 3600, BEGIN - DAY, BEGIN + 4 * DAY), 1);
}
