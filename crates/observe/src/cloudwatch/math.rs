//! Metric math: the value of an expression.
//!
//! A series has points at some times. An operation on two series has points where both have; a number stands for the same value
//! at all times. What is no finite number, such as the result of a division by 0, is no point. Source:
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::expression::{Function, Node, Operator};
use super::series::Span;

/// Values at times, in seconds since 1970.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Series {
    /// Its period in seconds.
    pub(crate) period: u32,
    /// Its points.
    pub(crate) points: BTreeMap<i64, f64>,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Several series.
    Many(Vec<Series>),
    /// A number; one that is not finite is none.
    Number(f64),
    /// A series.
    One(Series),
}

/// An expression asks for what does not fit.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum MathError {
    #[error("{0} takes other arguments")]
    Arguments(&'static str),
    #[error("an operator is applied to what it does not take")]
    Operands,
    #[error("a text stands where there is none")]
    Text,
    #[error("it makes too many datapoints")]
    TooMuch,
    #[error("`{0}` is no id of a query")]
    Unknown(String),
}

/// What an expression may refer to.
pub(crate) struct Scope<'a> {
    /// What was computed, by id.
    pub(crate) known: &'a BTreeMap<String, Value>,
    /// The series of metrics, with their ids.
    pub(crate) metrics: &'a [(String, Series)],
    /// The periods that are asked for, by their length.
    pub(crate) span: &'a dyn Fn(u32) -> Span,
    /// The period of a series that is made of a number.
    pub(crate) period: u32,
    /// Points that may still be made. Whatever makes or copies points takes of it; what only changes points does not.
    pub(crate) left: &'a Cell<usize>,
}

impl Scope<'_> {
    /// The value of an expression.
    ///
    /// # Errors
    /// Where something does not fit together.
    pub(crate) fn value(&self, node: &Node) -> Result<Value, MathError> {
        match node {
            Node::Call(function, arguments) => self.call(*function, arguments),
            Node::Id(id) => {
                let value = self.known.get(id).ok_or_else(|| MathError::Unknown(id.clone()))?;
                self.take(points(value))?;
                Ok(value.clone())
            }
            Node::List(parts) => {
                let mut many = Vec::new();
                for part in parts {
                    match self.value(part)? {
                        Value::Many(series) => many.extend(series),
                        Value::Number(number) => many.push(self.constant(number)?),
                        Value::One(series) => many.push(series),
                    }
                }
                Ok(Value::Many(many))
            }
            Node::Negative(part) => Ok(each(self.value(part)?, |number| -number)),
            Node::Number(number) => Ok(Value::Number(*number)),
            Node::Pair(operator, parts) => pair(*operator, self.value(&parts.0)?, self.value(&parts.1)?),
            Node::Text(_) => Err(MathError::Text),
        }
    }

    fn call(&self, function: Function, arguments: &[Node]) -> Result<Value, MathError> {
        let wrong = || MathError::Arguments(function.name());
        if function == Function::Metrics {
            return self.metrics(arguments).ok_or_else(wrong)?;
        }
        let (first, rest) = arguments.split_first().ok_or_else(wrong)?;
        let first = self.value(first)?;
        if function == Function::Fill {
            return self.fill(first, rest).ok_or_else(wrong)?;
        }
        if function == Function::If {
            return self.choose(first, rest).ok_or_else(wrong)?;
        }
        if !rest.is_empty() {
            return Err(wrong());
        }
        Ok(match function {
            Function::Abs => each(first, f64::abs),
            Function::Ceil => each(first, f64::ceil),
            Function::Floor => each(first, f64::floor),
            Function::Log => each(first, f64::ln),
            Function::Log10 => each(first, f64::log10),
            Function::Average => summed_up(first, average),
            Function::Maximum => summed_up(first, |values| values.iter().copied().reduce(f64::max)),
            Function::Minimum => summed_up(first, |values| values.iter().copied().reduce(f64::min)),
            Function::StandardDeviation => summed_up(first, deviation),
            Function::Sum => summed_up(first, |values| Some(values.iter().sum())),
            Function::DatapointCount => match first {
                Value::Number(_) => return Err(wrong()),
                Value::One(series) => Value::Number(count(series.points.len())),
                many @ Value::Many(_) => summed_up(many, |values| Some(count(values.len()))),
            },
            Function::Difference => every(first, |series| steps(series, |by, _| by)).ok_or_else(wrong)?,
            Function::Rate => {
                every(first, |series| steps(series, |by, seconds| by / seconds)).ok_or_else(wrong)?
            }
            Function::RunningSum => every(first, running_sum).ok_or_else(wrong)?,
            Function::First | Function::Last => {
                let Value::Many(mut many) = first else { return Err(wrong()) };
                let one = if function == Function::First { many.drain(..).next() } else { many.pop() };
                Value::One(one.ok_or_else(wrong)?)
            }
            Function::MetricCount => {
                let Value::Many(many) = first else { return Err(wrong()) };
                Value::Number(count(many.len()))
            }
            Function::Period => {
                let Value::One(series) = first else { return Err(wrong()) };
                Value::Number(f64::from(series.period))
            }
            Function::TimeSeries => {
                let Value::Number(number) = first else { return Err(wrong()) };
                Value::One(self.constant(number)?)
            }
            Function::Fill | Function::If | Function::Metrics => return Err(wrong()),
        })
    }

    /// All series of metrics, or those whose id has a text in it.
    fn metrics(&self, arguments: &[Node]) -> Option<Result<Value, MathError>> {
        let part = match arguments {
            [] => "",
            [Node::Text(part)] => part,
            _ => return None,
        };
        let wanted = self.metrics.iter().filter(|(id, _)| id.contains(part)).map(|(_, series)| series);
        let taken = self.take(wanted.clone().map(|series| series.points.len()).sum());
        Some(taken.map(|()| Value::Many(wanted.cloned().collect())))
    }

    /// The times of all periods.
    fn times(&self, period: u32) -> Vec<i64> {
        let Span { from, to, period } = (self.span)(period);
        let step = usize::try_from(period.max(1)).unwrap_or(usize::MAX);
        (from..to).step_by(step).collect()
    }

    fn constant(&self, number: f64) -> Result<Series, MathError> {
        let period = self.period;
        if !number.is_finite() {
            return Ok(Series { period, points: BTreeMap::new() });
        }
        self.take_times(period, 1)?;
        Ok(Series { period, points: self.times(period).into_iter().map(|at| (at, number)).collect() })
    }

    /// Takes `count` points of those that may still be made.
    fn take(&self, count: usize) -> Result<(), MathError> {
        self.left.set(self.left.get().checked_sub(count).ok_or(MathError::TooMuch)?);
        Ok(())
    }

    /// Takes a point for each period, `count` times.
    fn take_times(&self, period: u32, count: usize) -> Result<(), MathError> {
        let times = usize::try_from((self.span)(period).count()).unwrap_or(usize::MAX);
        self.take(times.saturating_mul(count))
    }

    fn fill(&self, filled: Value, rest: &[Node]) -> Option<Result<Value, MathError>> {
        let [way] = rest else { return None };
        let way = if *way == Node::Id("REPEAT".to_owned()) {
            Way::Repeat
        } else if *way == Node::Id("LINEAR".to_owned()) {
            Way::Linear
        } else {
            match self.value(way) {
                Ok(Value::Number(number)) => Way::Number(number),
                Ok(Value::One(series)) => Way::Series(series),
                Ok(Value::Many(_)) => return None,
                Err(error) => return Some(Err(error)),
            }
        };
        let (count, period) = match &filled {
            Value::Many(many) => (many.len(), many.iter().map(|series| series.period).min().unwrap_or(60)),
            Value::Number(_) => return None,
            Value::One(series) => (1, series.period),
        };
        if let Err(error) = self.take_times(period, count) {
            return Some(Err(error));
        }
        every(filled, |series| self.filled(series, &way)).map(Ok)
    }

    fn filled(&self, mut series: Series, way: &Way) -> Series {
        let missing: Vec<i64> =
            self.times(series.period).into_iter().filter(|at| !series.points.contains_key(at)).collect();
        let given = series.points.clone();
        for at in missing {
            let before = given.range(..at).next_back();
            let after = given.range(at..).next();
            let value = match way {
                Way::Linear => before.zip(after).map(|((from, low), (to, high))| {
                    let part = seconds(at.saturating_sub(*from)) / seconds(to.saturating_sub(*from));
                    low + (high - low) * part
                }),
                Way::Number(number) => Some(*number),
                Way::Repeat => before.map(|(_, value)| *value),
                Way::Series(other) => other.points.get(&at).copied(),
            };
            if let Some(value) = value.filter(|value| value.is_finite()) {
                series.points.insert(at, value);
            }
        }
        series
    }

    /// `IF(condition, then, otherwise)`; without `otherwise` there is nothing where the condition does not hold.
    fn choose(&self, condition: Value, rest: &[Node]) -> Option<Result<Value, MathError>> {
        let (then, otherwise) = match rest {
            [then] => (then, None),
            [then, otherwise] => (then, Some(otherwise)),
            _ => return None,
        };
        let then = match self.value(then) {
            Ok(then) => then,
            Err(error) => return Some(Err(error)),
        };
        let otherwise = match otherwise.map(|otherwise| self.value(otherwise)).transpose() {
            Ok(otherwise) => otherwise,
            Err(error) => return Some(Err(error)),
        };
        let at = |value: &Value, at: i64| match value {
            Value::Many(_) => None,
            Value::Number(number) => Some(*number),
            Value::One(series) => series.points.get(&at).copied(),
        };
        if matches!(then, Value::Many(_)) || matches!(otherwise, Some(Value::Many(_))) {
            return None;
        }
        match condition {
            Value::Many(_) => None,
            Value::Number(number) if number != 0.0 => Some(Ok(then)),
            Value::Number(_) => Some(Ok(otherwise.unwrap_or(Value::Number(f64::NAN)))),
            Value::One(series) => {
                let chosen = series.points.iter().filter_map(|(time, holds)| {
                    let value = if *holds != 0.0 { at(&then, *time) } else { at(otherwise.as_ref()?, *time) };
                    Some((*time, value.filter(|value| value.is_finite())?))
                });
                Some(Ok(Value::One(Series { period: series.period, points: chosen.collect() })))
            }
        }
    }
}

/// The points of a value.
fn points(value: &Value) -> usize {
    match value {
        Value::Many(many) => many.iter().map(|series| series.points.len().max(1)).sum(),
        Value::Number(_) => 0,
        Value::One(series) => series.points.len(),
    }
}

/// What stands where a series has no point.
enum Way {
    Linear,
    Number(f64),
    Repeat,
    Series(Series),
}

/// A number of seconds or of points; exact for any that there is.
fn seconds(number: i64) -> f64 {
    i32::try_from(number).map_or(f64::MAX, f64::from)
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

fn average(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / count(values.len()))
}

fn deviation(values: &[f64]) -> Option<f64> {
    let mean = average(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / count(values.len())).sqrt())
}

/// `change` of every value.
fn each(value: Value, change: impl Fn(f64) -> f64) -> Value {
    match value {
        Value::Number(number) => Value::Number(change(number)),
        series @ (Value::Many(_) | Value::One(_)) => every(series, |series| {
            let points = series.points.into_iter().map(|(at, value)| (at, change(value)));
            Series { points: points.filter(|(_, value)| value.is_finite()).collect(), ..series }
        })
        .unwrap_or(Value::Number(f64::NAN)),
    }
}

/// `change` of every series; nothing where the value is a number.
fn every(value: Value, change: impl Fn(Series) -> Series) -> Option<Value> {
    match value {
        Value::Many(many) => Some(Value::Many(many.into_iter().map(change).collect())),
        Value::Number(_) => None,
        Value::One(series) => Some(Value::One(change(series))),
    }
}

/// One number of a series; of several series, one at each time.
fn summed_up(value: Value, sum: impl Fn(&[f64]) -> Option<f64>) -> Value {
    match value {
        Value::Number(number) => Value::Number(sum(&[number]).unwrap_or(f64::NAN)),
        Value::One(series) => {
            let values: Vec<f64> = series.points.into_values().collect();
            Value::Number(if values.is_empty() { f64::NAN } else { sum(&values).unwrap_or(f64::NAN) })
        }
        Value::Many(many) => {
            let period = many.iter().map(|series| series.period).max().unwrap_or_default();
            let mut at_times: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
            for (at, value) in many.into_iter().flat_map(|series| series.points) {
                at_times.entry(at).or_default().push(value);
            }
            let points = at_times.into_iter().filter_map(|(at, values)| Some((at, sum(&values)?)));
            Value::One(Series { period, points: points.filter(|(_, value)| value.is_finite()).collect() })
        }
    }
}

/// What `of` says of the difference to the point before, and of the seconds in between.
fn steps(series: Series, of: impl Fn(f64, f64) -> f64) -> Series {
    let later = series.points.iter().skip(1);
    let points = series
        .points
        .iter()
        .zip(later)
        .map(|((before, low), (at, high))| (*at, of(high - low, seconds(at.saturating_sub(*before)))));
    Series { period: series.period, points: points.filter(|(_, value)| value.is_finite()).collect() }
}

fn running_sum(series: Series) -> Series {
    let mut sum = 0.0;
    let points = series.points.into_iter().map(|(at, value)| {
        sum += value;
        (at, sum)
    });
    Series { period: series.period, points: points.collect() }
}

fn pair(operator: Operator, left: Value, right: Value) -> Result<Value, MathError> {
    let of = |left: f64, right: f64| apply(operator, left, right);
    Ok(match (left, right) {
        (Value::Number(left), Value::Number(right)) => Value::Number(of(left, right)),
        (left, Value::Number(right)) => each(left, |left| of(left, right)),
        (Value::Number(left), right) => each(right, |right| of(left, right)),
        (Value::One(left), Value::One(right)) => Value::One(both(left, &right, of)),
        (Value::Many(many), Value::One(right)) => {
            Value::Many(many.into_iter().map(|left| both(left, &right, of)).collect())
        }
        (Value::One(left), Value::Many(many)) => {
            Value::Many(many.iter().map(|right| both(left.clone(), right, of)).collect())
        }
        (Value::Many(_), Value::Many(_)) => return Err(MathError::Operands),
    })
}

fn both(left: Series, right: &Series, of: impl Fn(f64, f64) -> f64) -> Series {
    let points =
        left.points.into_iter().filter_map(|(at, value)| Some((at, of(value, *right.points.get(&at)?))));
    Series {
        period: left.period.max(right.period),
        points: points.filter(|(_, value)| value.is_finite()).collect(),
    }
}

fn apply(operator: Operator, left: f64, right: f64) -> f64 {
    let holds = |does: bool| f64::from(u8::from(does));
    match operator {
        Operator::Add => left + right,
        Operator::And => holds(left != 0.0 && right != 0.0),
        Operator::Divide => left / right,
        Operator::Equal => holds(left.total_cmp(&right).is_eq()),
        Operator::Greater => holds(left > right),
        Operator::GreaterOrEqual => holds(left >= right),
        Operator::Less => holds(left < right),
        Operator::LessOrEqual => holds(left <= right),
        Operator::Multiply => left * right,
        Operator::NotEqual => holds(!left.total_cmp(&right).is_eq()),
        Operator::Or => holds(left != 0.0 || right != 0.0),
        Operator::Power => left.powf(right),
        Operator::Subtract => left - right,
    }
}

#[cfg(test)]
mod tests {
    use super::super::expression::parse;
    use super::*;

    fn series(points: &[(i64, f64)]) -> Series {
        Series { period: 60, points: points.iter().map(|(minute, value)| (minute * 60, *value)).collect() }
    }

    /// The value of an expression where m1 is 1, 2, 4 at minutes 0, 1, 3, and m2 is 10, 0, 30 at minutes 0, 1, 2.
    fn value(text: &str) -> Result<Value, MathError> {
        let (m1, m2) = (series(&[(0, 1.0), (1, 2.0), (3, 4.0)]), series(&[(0, 10.0), (1, 0.0), (2, 30.0)]));
        let metrics = [("m1".to_owned(), m1.clone()), ("m2".to_owned(), m2.clone())];
        let known = BTreeMap::from([("m1".to_owned(), Value::One(m1)), ("m2".to_owned(), Value::One(m2))]);
        let span = |period| Span { from: 0, to: 240, period };
        let left = Cell::new(100);
        Scope { known: &known, metrics: &metrics, span: &span, period: 60, left: &left }
            .value(&parse(text).unwrap())
    }

    #[test]
    fn an_expression_has_the_value_that_the_guide_says() {
        let one = |points: &[(i64, f64)]| Ok(Value::One(series(points)));
        for (text, expected) in [
            ("m1 + m2", one(&[(0, 11.0), (1, 2.0)])),
            ("m1 / m2", one(&[(0, 0.1)])),
            ("2 * m1 - 1", one(&[(0, 1.0), (1, 3.0), (3, 7.0)])),
            ("m1 ^ 2", one(&[(0, 1.0), (1, 4.0), (3, 16.0)])),
            ("-m1", one(&[(0, -1.0), (1, -2.0), (3, -4.0)])),
            ("m1 > 1", one(&[(0, 0.0), (1, 1.0), (3, 1.0)])),
            ("m1 > 1 AND m2 == 0", one(&[(0, 0.0), (1, 1.0)])),
            ("SUM(m1)", Ok(Value::Number(7.0))),
            ("AVG(m2)", Ok(Value::Number(40.0 / 3.0))),
            ("MAX(m1) + MIN(m2)", Ok(Value::Number(4.0))),
            ("SUM(METRICS())", one(&[(0, 11.0), (1, 2.0), (2, 30.0), (3, 4.0)])),
            ("SUM([m1, m2])", one(&[(0, 11.0), (1, 2.0), (2, 30.0), (3, 4.0)])),
            ("MAX(METRICS(\"1\"))", one(&[(0, 1.0), (1, 2.0), (3, 4.0)])),
            ("METRIC_COUNT(METRICS())", Ok(Value::Number(2.0))),
            ("FILL(m1, 0)", one(&[(0, 1.0), (1, 2.0), (2, 0.0), (3, 4.0)])),
            ("FILL(m1, REPEAT)", one(&[(0, 1.0), (1, 2.0), (2, 2.0), (3, 4.0)])),
            ("FILL(m1, LINEAR)", one(&[(0, 1.0), (1, 2.0), (2, 3.0), (3, 4.0)])),
            ("FILL(m2, LINEAR)", one(&[(0, 10.0), (1, 0.0), (2, 30.0)])),
            ("DIFF(m1)", one(&[(1, 1.0), (3, 2.0)])),
            ("RATE(m2)", one(&[(1, -10.0 / 60.0), (2, 0.5)])),
            ("RUNNING_SUM(m1)", one(&[(0, 1.0), (1, 3.0), (3, 7.0)])),
            ("PERIOD(m1)", Ok(Value::Number(60.0))),
            ("m1 / PERIOD(m1)", one(&[(0, 1.0 / 60.0), (1, 2.0 / 60.0), (3, 4.0 / 60.0)])),
            ("IF(m1 > 1, m1, 0)", one(&[(0, 0.0), (1, 2.0), (3, 4.0)])),
            ("IF(m1 > 1, m2)", one(&[(1, 0.0)])),
            ("IF(1 > 2, m1, m2)", one(&[(0, 10.0), (1, 0.0), (2, 30.0)])),
            ("TIME_SERIES(5)", one(&[(0, 5.0), (1, 5.0), (2, 5.0), (3, 5.0)])),
            ("LAST([m1, m2]) - m2", one(&[(0, 0.0), (1, 0.0), (2, 0.0)])),
            ("CEIL(m1 / 3)", one(&[(0, 1.0), (1, 1.0), (3, 2.0)])),
            ("LOG10(m2)", one(&[(0, 1.0), (2, 30_f64.log10())])),
            (&format!("SUM([{}])", ["m1"; 33].join(",")), one(&[(0, 33.0), (1, 66.0), (3, 132.0)])),
            (&format!("SUM([{}])", ["m1"; 34].join(",")), Err(MathError::TooMuch)),
            (&format!("SUM([{}])", ["1"; 26].join(",")), Err(MathError::TooMuch)),
            (&format!("SUM(FILL([{}], 0))", ["m1"; 20].join(",")), Err(MathError::TooMuch)),
            ("m9", Err(MathError::Unknown("m9".to_owned()))),
            ("SUM()", Err(MathError::Arguments("SUM"))),
            ("SUM(m1, m2)", Err(MathError::Arguments("SUM"))),
            ("RATE(1)", Err(MathError::Arguments("RATE"))),
            ("FILL(m1)", Err(MathError::Arguments("FILL"))),
            ("IF(METRICS(), 1, 2)", Err(MathError::Arguments("IF"))),
            ("METRICS() + METRICS()", Err(MathError::Operands)),
            ("m1 + 'a'", Err(MathError::Text)),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn what_an_expression_is_does_not_depend_on_data() {
        let (none, span) = (BTreeMap::new(), |period| Span { from: 0, to: 0, period });
        let left = Cell::new(0);
        let scope = Scope { known: &none, metrics: &[], span: &span, period: 60, left: &left };
        assert!(matches!(scope.value(&parse("SUM(METRICS())").unwrap()), Ok(Value::One(_))));
        assert!(matches!(scope.value(&parse("1 / 0").unwrap()), Ok(Value::Number(_))));
    }
}
