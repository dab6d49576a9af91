//! Whether an alarm goes off: a function of the periods that it looks at.
//!
//! More periods are looked at than are evaluated, so that data that comes late or with gaps is still enough. Missing periods are
//! filled in only where there is too little data in all of them. Source:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html>.

use keyreeve_core::alarm::MissingData;
use keyreeve_wire::cloudwatch::{ComparisonOperator, StateValue};

/// Periods that are looked at beside those that are evaluated.
// AWS: unverified beyond the examples of the documentation, which look at 5 periods for 3.
pub const MORE_PERIODS: u32 = 2;

/// When an alarm goes off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// So many of the evaluated periods must breach.
    pub datapoints_to_alarm: u32,
    /// How many periods are evaluated.
    pub evaluation_periods: u32,
    /// What breaches.
    pub comparison: ComparisonOperator,
    /// The threshold.
    pub threshold: f64,
    /// What a missing period counts as.
    pub missing_data: MissingData,
}

/// What an evaluation says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// The state; nothing where it stays as it is.
    pub state: Option<StateValue>,
    /// Which of the periods were evaluated, the oldest first; those that breach with `true`.
    pub evaluated: Vec<(usize, bool)>,
    /// How many periods were missing.
    pub missing: u32,
}

impl Verdict {
    /// Which of the evaluated periods breach, or do not, the oldest first.
    pub(crate) fn of(&self, is_breaching: bool) -> impl DoubleEndedIterator<Item = usize> {
        self.evaluated.iter().filter(move |(_, breaches)| *breaches == is_breaching).map(|(at, _)| *at)
    }
}

impl Rule {
    /// Whether a value breaches the threshold.
    #[must_use]
    pub fn is_breached_by(&self, value: f64) -> bool {
        match self.comparison {
            ComparisonOperator::GreaterThanOrEqualToThreshold => value >= self.threshold,
            ComparisonOperator::GreaterThanThreshold => value > self.threshold,
            ComparisonOperator::LessThanThreshold => value < self.threshold,
            ComparisonOperator::LessThanOrEqualToThreshold => value <= self.threshold,
            // Those of anomaly detection; no alarm can be put with them.
            ComparisonOperator::LessThanLowerOrGreaterThanUpperThreshold
            | ComparisonOperator::LessThanLowerThreshold
            | ComparisonOperator::GreaterThanUpperThreshold => false,
        }
    }

    /// Evaluates the values of all periods that are looked at, the oldest first.
    #[must_use]
    pub fn evaluate(&self, values: &[Option<f64>]) -> Verdict {
        let periods = usize::try_from(self.evaluation_periods).unwrap_or(usize::MAX);
        let known: Vec<(usize, bool)> = values
            .iter()
            .enumerate()
            .filter_map(|(at, value)| Some((at, self.is_breached_by((*value)?))))
            .collect();
        let evaluated: Vec<_> = known.iter().skip(known.len().saturating_sub(periods)).copied().collect();
        let missing = u32::try_from(periods.saturating_sub(evaluated.len())).unwrap_or(u32::MAX);
        let count = evaluated.iter().filter(|(_, is_breaching)| *is_breaching).count();
        let breaching = u32::try_from(count).unwrap_or(u32::MAX);
        let state = self.state(&evaluated, values.len(), (breaching, missing));
        Verdict { state, evaluated, missing }
    }

    fn state(
        &self,
        evaluated: &[(usize, bool)],
        looked_at: usize,
        (breaching, missing): (u32, u32),
    ) -> Option<StateValue> {
        let wanted = self.datapoints_to_alarm;
        let of = |is_alarm: bool| Some(if is_alarm { StateValue::Alarm } else { StateValue::Ok });
        if missing == 0 {
            return of(breaching >= wanted);
        }
        match self.missing_data {
            MissingData::Breaching => of(breaching.saturating_add(missing) >= wanted),
            MissingData::NotBreaching => of(breaching >= wanted),
            MissingData::Ignore | MissingData::Missing if breaching >= wanted => of(true),
            MissingData::Ignore | MissingData::Missing
                if evaluated.iter().any(|(_, is_breaching)| !*is_breaching) =>
            {
                of(false)
            }
            MissingData::Ignore => None,
            MissingData::Missing => match evaluated.first() {
                None => Some(StateValue::InsufficientData),
                // An alarm goes off where the oldest breaching period is as old as it would have to be were none missing since.
                Some((oldest, _)) => {
                    let age = u32::try_from(looked_at.saturating_sub(*oldest)).unwrap_or(u32::MAX);
                    (age >= wanted).then_some(StateValue::Alarm)
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `0` within the threshold, `X` breaching, `-` missing; the oldest first.
    fn evaluate(text: &str, datapoints_to_alarm: u32, missing_data: MissingData) -> Verdict {
        let rule = Rule {
            datapoints_to_alarm,
            evaluation_periods: 3,
            comparison: ComparisonOperator::GreaterThanThreshold,
            threshold: 1.0,
            missing_data,
        };
        let values: Vec<_> = text
            .split(' ')
            .map(|sign| match sign {
                "0" => Some(1.0),
                "X" => Some(1.5),
                _ => None,
            })
            .collect();
        rule.evaluate(&values)
    }

    const OK: Option<StateValue> = Some(StateValue::Ok);
    const ALARM: Option<StateValue> = Some(StateValue::Alarm);
    const INSUFFICIENT: Option<StateValue> = Some(StateValue::InsufficientData);
    const RETAIN: Option<StateValue> = None;

    #[test]
    fn an_alarm_is_evaluated_as_the_tables_of_the_documentation_say() {
        // Columns: missing, ignore, breaching, notBreaching.
        for (datapoints, text, filled, expected) in [
            (3, "0 - X - X", 0, [OK, OK, OK, OK]),
            (3, "- - - - 0", 2, [OK, OK, OK, OK]),
            (3, "- - - - -", 3, [INSUFFICIENT, RETAIN, ALARM, OK]),
            (3, "0 X X - X", 0, [ALARM, ALARM, ALARM, ALARM]),
            (3, "- - X - -", 2, [ALARM, RETAIN, ALARM, OK]),
            (2, "0 - X - X", 0, [ALARM, ALARM, ALARM, ALARM]),
            (2, "0 0 X 0 X", 0, [ALARM, ALARM, ALARM, ALARM]),
            (2, "0 - X - -", 1, [OK, OK, ALARM, OK]),
            (2, "- - - - 0", 2, [OK, OK, ALARM, OK]),
            (2, "- - - X -", 2, [ALARM, RETAIN, ALARM, OK]),
            // Avoiding premature transitions.
            (3, "- - - - X", 2, [RETAIN, RETAIN, ALARM, OK]),
            (3, "- - - X -", 2, [RETAIN, RETAIN, ALARM, OK]),
            (3, "- - - X 0", 1, [OK, OK, OK, OK]),
            (3, "- - X - 0", 1, [OK, OK, OK, OK]),
            // No data is missing.
            (3, "0 0 X X X", 0, [ALARM, ALARM, ALARM, ALARM]),
            (3, "X X X X 0", 0, [OK, OK, OK, OK]),
            (1, "X 0 0 0 0", 0, [OK, OK, OK, OK]),
        ] {
            let by = [
                MissingData::Missing,
                MissingData::Ignore,
                MissingData::Breaching,
                MissingData::NotBreaching,
            ];
            for (missing_data, expected) in by.into_iter().zip(expected) {
                let verdict = evaluate(text, datapoints, missing_data);
                assert_eq!(verdict.state, expected, "{datapoints} of 3: {text}, {missing_data:?}");
                assert_eq!(verdict.missing, filled, "{text}");
            }
        }
    }

    #[test]
    fn what_breaches_is_what_the_operator_says() {
        use ComparisonOperator as Operator;
        for (comparison, expected) in [
            (Operator::GreaterThanOrEqualToThreshold, [false, true, true]),
            (Operator::GreaterThanThreshold, [false, false, true]),
            (Operator::LessThanThreshold, [true, false, false]),
            (Operator::LessThanOrEqualToThreshold, [true, true, false]),
        ] {
            let rule = Rule {
                datapoints_to_alarm: 1,
                evaluation_periods: 1,
                comparison,
                threshold: 2.0,
                missing_data: MissingData::Missing,
            };
            assert_eq!([1.0, 2.0, 3.0].map(|value| rule.is_breached_by(value)), expected, "{comparison}");
        }
    }

    #[test]
    fn the_newest_periods_with_data_are_evaluated() {
        let verdict = evaluate("X 0 - X X", 3, MissingData::Missing);
        assert_eq!(verdict.evaluated, [(1, false), (3, true), (4, true)]);
        assert_eq!(evaluate("- - - - -", 3, MissingData::Missing).evaluated, []);
    }
}
