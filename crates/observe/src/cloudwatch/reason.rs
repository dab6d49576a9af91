//! Why an alarm is in its state: the text for people, and the JSON for programs.
//!
//! Sources: notifications and histories of alarms that their owners have published. What they do not show is unverified.

use keyreeve_core::alarm::{MissingData, StatRecord, Watched};
use keyreeve_domain::Timestamp;
use keyreeve_wire::cloudwatch::{ComparisonOperator, StateValue};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::evaluation::{Rule, Verdict};
use super::series::Span;

/// The reason of an alarm that was never evaluated.
pub(crate) const INITIAL: &str = "Unchecked: Initial alarm creation";

/// The value of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen {
    /// Where the period begins, in seconds since 1970.
    pub(crate) start: i64,
    /// The value.
    pub(crate) value: f64,
    /// How many values there were, where that is known.
    pub(crate) samples: Option<f64>,
}

/// Datapoints that a text names, at most.
// AWS: unverified; the text has a bound.
const NAMED_MOST: usize = 5;
/// Datapoints that the JSON names, at most.
const LISTED_MOST: usize = 10;

/// The text for a new state that `verdict` leads to.
///
/// `counts` says whether the alarm was told how many datapoints it takes: its text then names them.
pub(crate) fn text(
    rule: &Rule,
    counts: bool,
    verdict: &Verdict,
    state: StateValue,
    seen: &[Option<Seen>],
) -> String {
    let periods = rule.evaluation_periods;
    if state == StateValue::InsufficientData {
        return format!("Insufficient Data: {} unknown.", were(periods, "datapoint"));
    }
    let treated = match rule.missing_data {
        MissingData::Breaching => Some("Breaching"),
        MissingData::NotBreaching => Some("NonBreaching"),
        MissingData::Ignore | MissingData::Missing => None,
    };
    let is_alarm = state == StateValue::Alarm;
    let named: Vec<Seen> = verdict.of(is_alarm).rev().filter_map(|at| *seen.get(at)?).collect();
    let filled = treated.filter(|_| verdict.missing > 0).map(|treated| {
        let missing = were(verdict.missing, "missing datapoint");
        format!("{missing} treated as [{treated}]")
    });
    if let Some(filled) = filled.as_ref().filter(|_| !counts || named.is_empty()) {
        let received = match u32::try_from(verdict.evaluated.len()).unwrap_or(u32::MAX) {
            0 => "no datapoints were".to_owned(),
            known => were(known, "datapoint"),
        };
        let periods = plural(periods, "period");
        return format!("Threshold Crossed: {received} received for {periods} and {filled}.");
    }
    let list: Vec<_> = named
        .iter()
        .take(NAMED_MOST)
        .map(|seen| format!("{:?} ({})", seen.value, date(seen.start, SHORT)))
        .collect();
    let was = if named.len() == 1 { "was" } else { "were" };
    let (not, change) = if is_alarm { ("", "OK -> ALARM") } else { ("not ", "ALARM -> OK") };
    let (list, compared, threshold) = (list.join(", "), compared(rule.comparison), rule.threshold);
    if !counts {
        let datapoints = plural(u32::try_from(named.len()).unwrap_or(u32::MAX), "datapoint");
        return format!(
            "Threshold Crossed: {datapoints} [{list}] {was} {not}{compared} the threshold ({threshold:?})."
        );
    }
    let filled = filled.map(|filled| format!(" and {filled}")).unwrap_or_default();
    format!(
        "Threshold Crossed: {} out of the last {periods} datapoints [{list}] {was} {not}{compared} the threshold \
         ({threshold:?}){filled} (minimum {} for {change} transition).",
        named.len(),
        plural(needed(rule, state), "datapoint"),
    )
}

/// So many datapoints lead to a state.
fn needed(rule: &Rule, state: StateValue) -> u32 {
    match state {
        StateValue::Ok => rule.evaluation_periods.saturating_add(1).saturating_sub(rule.datapoints_to_alarm),
        StateValue::Alarm | StateValue::InsufficientData => rule.datapoints_to_alarm,
    }
}

/// The JSON beside the text: the datapoints from the oldest that was evaluated on, and those that led to the state.
pub(crate) fn data(
    watched: &Watched,
    rule: &Rule,
    (verdict, state): (&Verdict, StateValue),
    (now, span): (Timestamp, Span),
    seen: &[Option<Seen>],
) -> String {
    let is_alarm = state == StateValue::Alarm;
    let oldest = verdict.evaluated.first().map_or(seen.len(), |(at, _)| *at);
    let newest = verdict.evaluated.last().map_or(0, |(at, _)| at.saturating_add(1));
    let recent = seen.get(oldest.max(newest.saturating_sub(LISTED_MOST))..newest).unwrap_or_default();
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    add("version", json!("1.0"));
    add("queryDate", json!(instant(now)));
    if let Some(first) = recent.iter().flatten().next() {
        add("startDate", json!(date(first.start, LONG)));
    }
    if let Watched::Metric(StatRecord { statistic, unit, .. }) = watched {
        add("statistic", json!(statistic));
        if let Some(unit) = unit {
            add("unit", json!(unit));
        }
    }
    add("period", json!(span.period));
    let recent = recent.iter().skip_while(|seen| seen.is_none());
    add("recentDatapoints", recent.map(|seen| json!(seen.map(|seen| seen.value))).collect());
    add("threshold", json!(rule.threshold));
    let led: Vec<Seen> = match state {
        StateValue::InsufficientData => Vec::new(),
        StateValue::Alarm | StateValue::Ok => {
            verdict.of(is_alarm).rev().take(LISTED_MOST).filter_map(|at| *seen.get(at)?).collect()
        }
    };
    let mut points: Vec<(i64, Value)> = Vec::with_capacity(LISTED_MOST);
    points.extend(led.iter().map(|seen| {
        let mut point = json!({ "timestamp": date(seen.start, LONG), "value": seen.value });
        if let (Some(samples), Some(members)) = (seen.samples, point.as_object_mut()) {
            members.insert("sampleCount".to_owned(), json!(samples));
        }
        (seen.start, point)
    }));
    // Where these are too few, the newest periods without a value are told of by their time.
    let most = usize::try_from(needed(rule, state)).unwrap_or(usize::MAX).min(LISTED_MOST);
    let starts = (0_i64..).map(|number| span.from + number * i64::from(span.period));
    let mut missing: Vec<i64> =
        starts.zip(seen).filter(|(_, seen)| seen.is_none()).map(|(start, _)| start).collect();
    missing.reverse();
    missing.truncate(most.saturating_sub(points.len()));
    points.extend(missing.into_iter().map(|start| (start, json!({ "timestamp": date(start, LONG) }))));
    points.sort_by_key(|(start, _)| core::cmp::Reverse(*start));
    add("evaluatedDatapoints", points.into_iter().map(|(_, point)| point).collect());
    Value::Object(members).to_string()
}

fn compared(comparison: ComparisonOperator) -> &'static str {
    match comparison {
        ComparisonOperator::GreaterThanOrEqualToThreshold => "greater than or equal to",
        ComparisonOperator::GreaterThanThreshold | ComparisonOperator::GreaterThanUpperThreshold => {
            "greater than"
        }
        ComparisonOperator::LessThanThreshold
        | ComparisonOperator::LessThanLowerThreshold
        | ComparisonOperator::LessThanLowerOrGreaterThanUpperThreshold => "less than",
        ComparisonOperator::LessThanOrEqualToThreshold => "less than or equal to",
    }
}

fn plural(number: u32, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

fn were(number: u32, noun: &str) -> String {
    let verb = if number == 1 { "was" } else { "were" };
    format!("{} {verb}", plural(number, noun))
}

const SHORT: &[BorrowedFormatItem<'_>] =
    format_description!("[day]/[month]/[year repr:last_two] [hour]:[minute]:[second]");
const LONG: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+0000");

fn date(seconds: i64, format: &[BorrowedFormatItem<'_>]) -> String {
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok();
    date.and_then(|date| date.format(format).ok()).unwrap_or_default()
}

/// A point in time as the texts of alarms have it: `2026-11-30T08:20:00.000+0000`.
pub(crate) fn instant(at: Timestamp) -> String {
    let date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.millis()) * 1_000_000).ok();
    date.and_then(|date| date.format(LONG).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first period begins on 30 November 2026, 08:20.
    fn reason(
        values: &[Option<f64>],
        (wanted, periods): (u32, u32),
        missing_data: MissingData,
    ) -> Option<String> {
        let rule = Rule {
            datapoints_to_alarm: wanted,
            evaluation_periods: periods,
            comparison: ComparisonOperator::GreaterThanThreshold,
            threshold: 1.0,
            missing_data,
        };
        let seen: Vec<_> = (0_i64..)
            .zip(values)
            .map(|(at, value)| {
                value.map(|value| Seen { start: 1_796_026_800 + at * 60, value, samples: Some(2.0) })
            })
            .collect();
        let verdict = rule.evaluate(values);
        let watched = Watched::Queries(Vec::new());
        let span = Span { from: 1_796_026_800, to: 1_796_026_800 + 300, period: 60 };
        let state = verdict.state.unwrap_or(StateValue::Ok);
        let data = data(&watched, &rule, (&verdict, state), (Timestamp::from_millis(0), span), &seen);
        assert!(serde_json::from_str::<Value>(&data).is_ok(), "{data}");
        verdict.state.map(|state| text(&rule, true, &verdict, state, &seen))
    }

    /// Two periods, none of which may be missing or above 2.
    const TWO_PERIODS: Rule = Rule {
        datapoints_to_alarm: 2,
        evaluation_periods: 2,
        comparison: ComparisonOperator::GreaterThanThreshold,
        threshold: 2.0,
        missing_data: MissingData::Breaching,
    };

    #[test]
    fn an_alarm_that_was_not_told_how_many_datapoints_it_takes_does_not_name_them() {
        let seen: Vec<_> = [(0, 21.5), (60, 3.0)]
            .map(|(at, value)| Some(Seen { start: 1_796_026_800 + at, value, samples: None }))
            .to_vec();
        let verdict = TWO_PERIODS.evaluate(&[Some(21.5), Some(3.0)]);
        assert_eq!(
            text(&TWO_PERIODS, false, &verdict, StateValue::Alarm, &seen),
            "Threshold Crossed: 2 datapoints [3.0 (30/11/26 08:21:00), 21.5 (30/11/26 08:20:00)] were greater than the threshold (2.0)."
        );
    }

    #[test]
    fn periods_that_were_filled_in_are_listed_by_their_time() {
        let span = Span { from: 1_796_026_800, to: 1_796_026_800 + 240, period: 60 };
        let verdict = TWO_PERIODS.evaluate(&[None; 4]);
        let data = data(
            &Watched::Queries(Vec::new()),
            &TWO_PERIODS,
            (&verdict, StateValue::Alarm),
            (Timestamp::from_millis(0), span),
            &[None; 4],
        );
        let data: Value = serde_json::from_str(&data).unwrap();
        assert_eq!(
            data["evaluatedDatapoints"],
            json!([
                { "timestamp": "2026-11-30T08:23:00.000+0000" }, { "timestamp": "2026-11-30T08:22:00.000+0000" },
            ])
        );
    }

    /// What the JSON says of `values` (`-` is a period without one, each has ten seconds), as AWS was seen to say it.
    #[test]
    fn the_datapoints_of_a_reason_are_those_that_led_to_the_state() {
        use MissingData::{Breaching, Missing};
        use StateValue::{Alarm, InsufficientData, Ok};
        for (values, of, missing_data, expected_state, recent, evaluated) in [
            ("- - 100 0 100", (2, 3), Missing, Alarm, json!([100.0, 0.0, 100.0]), "100@40 100@20"),
            ("- - 100 0", (2, 3), Missing, Ok, json!([100.0, 0.0]), "0@30 @10"),
            ("- - 100 0 100", (3, 3), Breaching, Ok, json!([100.0, 0.0, 100.0]), "0@30"),
            ("0 100 - - -", (2, 3), Missing, Ok, json!([0.0, 100.0]), "@40 0@0"),
            ("- 100 - - -", (3, 3), Missing, Alarm, json!([100.0]), "@40 @30 100@10"),
            ("100 - - - -", (2, 3), Missing, Alarm, json!([100.0]), "@40 100@0"),
            ("0 - 100 - 100", (3, 3), Missing, Ok, json!([0.0, null, 100.0, null, 100.0]), "0@0"),
            ("100 - 100 - -", (3, 3), Breaching, Alarm, json!([100.0, null, 100.0]), "@40 100@20 100@0"),
            ("- - - - 0", (2, 3), Missing, Ok, json!([0.0]), "0@40 @30"),
            ("- - - - -", (2, 3), Missing, InsufficientData, json!([]), "@40 @30"),
            ("- - - - -", (3, 3), Missing, InsufficientData, json!([]), "@40 @30 @20"),
            ("- - - - -", (1, 1), Breaching, Alarm, json!([]), "@40"),
        ] {
            let values: Vec<Option<f64>> = values.split(' ').map(|value| value.parse().ok()).collect();
            let rule = Rule {
                datapoints_to_alarm: of.0,
                evaluation_periods: of.1,
                comparison: ComparisonOperator::GreaterThanThreshold,
                threshold: 50.0,
                missing_data,
            };
            let seen: Vec<_> = (0_i64..)
                .zip(&values)
                .map(|(at, value)| value.map(|value| Seen { start: at * 10, value, samples: None }))
                .collect();
            let verdict = rule.evaluate(&values);
            assert_eq!(verdict.state, Some(expected_state), "{values:?}");
            let span = Span { from: 0, to: 50, period: 10 };
            let watched = Watched::Queries(Vec::new());
            let at = (Timestamp::from_millis(0), span);
            let data = data(&watched, &rule, (&verdict, expected_state), at, &seen);
            let data: Value = serde_json::from_str(&data).unwrap();
            assert_eq!(data["recentDatapoints"], recent, "{values:?}");
            let points: Vec<String> = data["evaluatedDatapoints"]
                .as_array()
                .unwrap()
                .iter()
                .map(|point| {
                    let second = point["timestamp"].as_str().unwrap().get(17..19).unwrap();
                    let value = point["value"].as_f64().map(|value| value.to_string()).unwrap_or_default();
                    format!("{value}@{}", second.parse::<u8>().unwrap())
                })
                .collect();
            assert_eq!(points.join(" "), evaluated, "{values:?}");
        }
    }

    #[test]
    fn a_reason_reads_as_those_of_the_service() {
        use MissingData::{Breaching, Ignore, Missing, NotBreaching};
        for (values, of, missing_data, expected) in [
            (
                vec![None, None, Some(5.0)],
                (1, 1),
                Missing,
                "Threshold Crossed: 1 out of the last 1 datapoints [5.0 (30/11/26 08:22:00)] was greater than the threshold \
                 (1.0) (minimum 1 datapoint for OK -> ALARM transition).",
            ),
            (
                vec![Some(5.0), Some(0.5), Some(2.0)],
                (2, 3),
                Missing,
                "Threshold Crossed: 2 out of the last 3 datapoints [2.0 (30/11/26 08:22:00), 5.0 (30/11/26 08:20:00)] were \
                 greater than the threshold (1.0) (minimum 2 datapoints for OK -> ALARM transition).",
            ),
            (
                vec![None, None, Some(0.0)],
                (1, 1),
                Ignore,
                "Threshold Crossed: 1 out of the last 1 datapoints [0.0 (30/11/26 08:22:00)] was not greater than the \
                 threshold (1.0) (minimum 1 datapoint for ALARM -> OK transition).",
            ),
            (
                vec![Some(5.0), None, Some(2.0), None, None],
                (3, 3),
                Breaching,
                "Threshold Crossed: 2 out of the last 3 datapoints [2.0 (30/11/26 08:22:00), 5.0 (30/11/26 08:20:00)] were \
                 greater than the threshold (1.0) and 1 missing datapoint was treated as [Breaching] (minimum 3 datapoints \
                 for OK -> ALARM transition).",
            ),
            (
                vec![None, None, None, None, Some(0.0)],
                (3, 3),
                Breaching,
                "Threshold Crossed: 1 out of the last 3 datapoints [0.0 (30/11/26 08:24:00)] was not greater than the \
                 threshold (1.0) and 2 missing datapoints were treated as [Breaching] (minimum 1 datapoint for ALARM -> OK \
                 transition).",
            ),
            (vec![None, None, None], (1, 1), Missing, "Insufficient Data: 1 datapoint was unknown."),
            (vec![None; 5], (3, 3), Missing, "Insufficient Data: 3 datapoints were unknown."),
            (
                vec![None; 3],
                (1, 1),
                NotBreaching,
                "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as \
                 [NonBreaching].",
            ),
            (
                vec![None; 5],
                (3, 3),
                Breaching,
                "Threshold Crossed: no datapoints were received for 3 periods and 3 missing datapoints were treated as \
                 [Breaching].",
            ),
            (
                vec![None, None, None, None, Some(0.0)],
                (2, 3),
                Breaching,
                "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as \
                 [Breaching].",
            ),
        ] {
            assert_eq!(reason(&values, of, missing_data).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_reason_fits_its_bounds_however_many_periods_there_are() {
        let values = vec![Some(-1_234_567_890.123_456_7); 1442];
        let reason = reason(&values, (1440, 1440), MissingData::Missing).unwrap();
        assert!(reason.len() <= 1023, "{}", reason.len());
    }
}
