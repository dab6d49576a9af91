//! Queries over metrics: statistics that are read, and expressions over them. Of GetMetricData, and of alarms.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};

use keyreeve_domain::{AccountId, Region};
use keyreeve_wire::cloudwatch::MetricDataQuery;

use super::expression::{self, Node};
use super::math::{Scope, Series, Value};
use super::refusal::Refusal;
use super::series::{self, Span, Stat, is_period, metric_of, pairs};
use crate::metric::{Metric, MetricSource, MetricsError, Point};

/// Points from a begin on.
type Stretch = (i64, Vec<Point>);

/// Metrics that are read, each once in a round of reading.
pub(crate) struct Reader<'a> {
    metrics: &'a dyn MetricSource,
    account: AccountId,
    region: Region,
    /// By metric, period and end: the begin, and the points.
    read: RefCell<HashMap<(Metric, u32, i64), Stretch>>,
}

impl<'a> Reader<'a> {
    /// Of an account in a Region.
    pub(crate) fn new(metrics: &'a dyn MetricSource, account: AccountId, region: Region) -> Self {
        Self { metrics, account, region, read: RefCell::default() }
    }

    /// The points of a metric in the periods of `span`.
    pub(crate) async fn points(
        &self,
        metric: Option<&Metric>,
        span: Span,
    ) -> Result<Vec<Point>, MetricsError> {
        let Some(metric) = metric else { return Ok(Vec::new()) };
        let key = (metric.clone(), span.period, span.to);
        if let Some((from, points)) = self.read.borrow().get(&key)
            && *from <= span.from
        {
            return Ok(points.iter().filter(|point| point.start >= span.from).copied().collect());
        }
        let read =
            series::read(self.metrics, (self.account, self.region), Some(metric.clone()), span).await?;
        self.read.borrow_mut().insert(key, (span.from, read.clone()));
        Ok(read)
    }
}

/// What a query is.
pub(crate) enum Source {
    /// An expression, and the period that it was given.
    Expression(Node, Option<u32>),
    /// A statistic of a metric, which may be one that nothing is kept of; `text` is the statistic as it was asked for.
    Stat { metric: Option<Metric>, name: String, period: u32, stat: Stat, text: String },
}

/// One query.
pub(crate) struct Query {
    /// Its id.
    pub(crate) id: String,
    /// What it is.
    pub(crate) source: Source,
    /// Its label, where it was given one.
    label: Option<String>,
    /// Whether its result is asked for.
    pub(crate) is_returned: bool,
}

impl Query {
    /// Its label. Where it was given none and others of `among` are of a metric of the same name, what tells it from them is added:
    /// the statistic, the period, or both.
    // AWS: unverified where the dimensions differ.
    pub(crate) fn label(&self, among: &[Self]) -> String {
        if let Some(label) = &self.label {
            return label.clone();
        }
        let Source::Stat { name, period, text, .. } = &self.source else { return self.id.clone() };
        let (mut by_statistic, mut by_period) = (false, false);
        for other in among.iter().filter(|other| other.label.is_none() && other.is_returned) {
            if let Source::Stat { name: of, period: other_period, text: other_text, .. } = &other.source
                && of == name
            {
                by_statistic |= other_text != text;
                by_period |= other_period != period;
            }
        }
        let mut label = name.clone();
        if by_statistic {
            label.push_str(&format!(" {text}"));
        }
        if by_period {
            label.push_str(&format!(" {period}"));
        }
        label
    }
}

/// What was read for a statistic.
pub(crate) struct ReadStat {
    id: String,
    period: u32,
    stat: Stat,
    /// The points.
    pub(crate) points: Vec<Point>,
}

/// Points that the expressions of a request may make.
const MADE_MOST: usize = 1_000_000;

/// Queries that fit together.
pub(crate) struct Queries {
    /// In the order in which they were given.
    pub(crate) list: Vec<Query>,
    /// In which order they are computed: what others refer to first.
    order: Vec<usize>,
}

impl Queries {
    /// Reads queries; periods that are not whole minutes are among `short`.
    pub(crate) fn parse(given: &[MetricDataQuery], short: &[u32]) -> Result<Self, Refusal> {
        let mut list: Vec<Query> = Vec::with_capacity(given.len());
        for (number, query) in (1_usize..).zip(given) {
            let name = format!("MetricDataQueries.member.{number}");
            if !is_id(&query.id) {
                return Err(Refusal::validation(format!(
                    "The value for parameter {name}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
                )));
            }
            if list.iter().any(|other| other.id == query.id) {
                return Err(Refusal::validation(
                    "The values for parameter id in MetricDataQueries are not unique.",
                ));
            }
            list.push(read(query, &name, short)?);
        }
        let mut this = Self { order: Vec::new(), list };
        this.order = this.in_order()?;
        this.check()?;
        Ok(this)
    }

    /// What is referred to before what refers to it.
    fn in_order(&self) -> Result<Vec<usize>, Refusal> {
        let mut order = Vec::with_capacity(self.list.len());
        let mut left: Vec<usize> = (0..self.list.len()).collect();
        let is_known = |order: &[usize], id: &str| {
            order.iter().filter_map(|at| self.list.get(*at)).any(|query| query.id == id)
        };
        loop {
            let before = left.len();
            let mut waiting = Vec::new();
            for at in left {
                let Some(query) = self.list.get(at) else { continue };
                let is_ready = match &query.source {
                    Source::Stat { .. } => true,
                    Source::Expression(node, _) => {
                        let mut ids = Vec::new();
                        expression::ids(node, &mut ids);
                        if let Some(id) =
                            ids.iter().find(|id| !self.list.iter().any(|query| query.id == **id))
                        {
                            return Err(in_expression(&query.id, &format!("`{id}` is no id of a query")));
                        }
                        // All metrics are read before what asks for them.
                        ids.iter().all(|id| is_known(&order, id))
                            && (!expression::asks_for_metrics(node)
                                || self.list.iter().all(|other| {
                                    matches!(other.source, Source::Expression(..))
                                        || is_known(&order, &other.id)
                                }))
                    }
                };
                if is_ready { order.push(at) } else { waiting.push(at) }
            }
            match waiting.first().and_then(|at| self.list.get(*at)) {
                None => return Ok(order),
                Some(query) if waiting.len() == before => {
                    return Err(in_expression(&query.id, "it depends on itself"));
                }
                Some(_) => left = waiting,
            }
        }
    }

    /// Computes everything without data: what does not fit together is found whatever there is to read.
    fn check(&self) -> Result<(), Refusal> {
        let nothing = |period| Span { from: 0, to: 0, period };
        let stats = self.list.iter().filter_map(|query| match &query.source {
            Source::Stat { period, .. } => {
                Some((query.id.clone(), Series { period: *period, points: BTreeMap::new() }))
            }
            Source::Expression(..) => None,
        });
        self.values(&stats.collect::<Vec<_>>(), &nothing).map(drop)
    }

    /// The longest period of a statistic, or a minute.
    pub(crate) fn period(&self) -> u32 {
        self.stat_periods().max().unwrap_or(60)
    }

    /// The periods of the statistics.
    pub(crate) fn stat_periods(&self) -> impl Iterator<Item = u32> {
        self.list.iter().filter_map(|query| match &query.source {
            Source::Stat { period, .. } => Some(*period),
            Source::Expression(..) => None,
        })
    }

    /// What is read for the statistics.
    pub(crate) async fn read(
        &self,
        reader: &Reader<'_>,
        span: &dyn Fn(u32) -> Span,
    ) -> Result<Vec<ReadStat>, Refusal> {
        let mut read = Vec::new();
        for query in &self.list {
            if let Source::Stat { metric, period, stat, .. } = &query.source {
                let points = reader.points(metric.as_ref(), span(*period)).await?;
                read.push(ReadStat { id: query.id.clone(), period: *period, stat: *stat, points });
            }
        }
        Ok(read)
    }

    /// The value of each query, in the order in which they were given, out of what was read.
    pub(crate) fn compute(
        &self,
        read: &[ReadStat],
        span: &dyn Fn(u32) -> Span,
    ) -> Result<Vec<Value>, Refusal> {
        let series = |read: &ReadStat| {
            let points = read.points.iter().filter_map(|point| Some((point.start, read.stat.of(point)?)));
            (read.id.clone(), Series { period: read.period, points: points.collect() })
        };
        self.values(&read.iter().map(series).collect::<Vec<_>>(), span)
    }

    fn values(&self, stats: &[(String, Series)], span: &dyn Fn(u32) -> Span) -> Result<Vec<Value>, Refusal> {
        let mut known: BTreeMap<String, Value> =
            stats.iter().map(|(id, series)| (id.clone(), Value::One(series.clone()))).collect();
        let left = Cell::new(MADE_MOST);
        for query in self.order.iter().filter_map(|at| self.list.get(*at)) {
            if let Source::Expression(node, period) = &query.source {
                let period = period.unwrap_or_else(|| self.period());
                let scope = Scope { known: &known, metrics: stats, span, period, left: &left };
                let value =
                    scope.value(node).map_err(|error| in_expression(&query.id, &error.to_string()))?;
                if query.is_returned && matches!(value, Value::Number(_)) {
                    return Err(in_expression(&query.id, "it must be a time series and is a number"));
                }
                known.insert(query.id.clone(), value);
            }
        }
        Ok(self.list.iter().map(|query| known.remove(&query.id).unwrap_or(Value::Number(f64::NAN))).collect())
    }
}

// AWS: the texts behind the id are unverified.
fn in_expression(id: &str, text: &str) -> Refusal {
    Refusal::validation(format!("Error in expression '{id}': {text}."))
}

fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn read(query: &MetricDataQuery, name: &str, short: &[u32]) -> Result<Query, Refusal> {
    let refusal = |text: String| Refusal::validation(format!("{text} (query {})", query.id));
    let invalid = |text: String| Err(refusal(text));
    let check_period = |period: u32| match is_period(period, short) {
        true => Ok(()),
        false => Err(refusal(format!("The period {period} is not valid: it must be a multiple of 60."))),
    };
    let source = match (&query.metric_stat, &query.expression) {
        (Some(stat), None) => {
            check_period(stat.period)?;
            if query.period.is_some() {
                return invalid("Period stands beside MetricStat, which has one of its own.".to_owned());
            }
            let (Some(namespace), Some(metric)) = (&stat.metric.namespace, &stat.metric.metric_name) else {
                return invalid("A metric needs a Namespace and a MetricName.".to_owned());
            };
            let Some(parsed) = Stat::parse(&stat.stat) else {
                return Err(Refusal::validation(format!(
                    "The value for parameter {name}.MetricStat.Stat is not a valid statistic."
                )));
            };
            Source::Stat {
                metric: metric_of((namespace, metric), pairs(&stat.metric.dimensions), stat.unit),
                name: metric.clone(),
                period: stat.period,
                stat: parsed,
                text: stat.stat.clone(),
            }
        }
        (None, Some(text)) => {
            query.period.map_or(Ok(()), check_period)?;
            let node =
                expression::parse(text).map_err(|error| in_expression(&query.id, &error.to_string()))?;
            Source::Expression(node, query.period)
        }
        (Some(_), Some(_)) => {
            return Err(Refusal::validation(format!(
                "The parameters {name}.Expression and {name}.MetricStat are mutually exclusive and you have specified both."
            )));
        }
        (None, None) => return invalid("Either MetricStat or Expression is required.".to_owned()),
    };
    if query.account_id.is_some() {
        return invalid("Metrics of other accounts cannot be read: AccountId is not supported.".to_owned());
    }
    Ok(Query {
        id: query.id.clone(),
        source,
        label: query.label.clone(),
        is_returned: query.return_data != Some(false),
    })
}

#[cfg(test)]
mod tests {
    use keyreeve_wire::cloudwatch::{Metric as Shown, MetricStat};

    use super::*;

    fn stat(id: &str) -> MetricDataQuery {
        MetricDataQuery {
            metric_stat: Some(MetricStat {
                metric: Shown {
                    namespace: Some("AWS/KMS".to_owned()),
                    metric_name: Some("KeyUsage".to_owned()),
                    dimensions: Vec::new(),
                },
                period: 60,
                stat: "Sum".to_owned(),
                unit: None,
            }),
            ..math(id, "")
        }
        .without_expression()
    }

    trait WithoutExpression {
        fn without_expression(self) -> Self;
    }

    impl WithoutExpression for MetricDataQuery {
        fn without_expression(self) -> Self {
            Self { expression: None, ..self }
        }
    }

    fn math(id: &str, text: &str) -> MetricDataQuery {
        MetricDataQuery {
            id: id.to_owned(),
            metric_stat: None,
            expression: Some(text.to_owned()),
            label: None,
            return_data: None,
            period: None,
            account_id: None,
        }
    }

    #[test]
    fn queries_fit_together_or_the_text_says_which_does_not() {
        for (given, expected) in [
            (vec![math("e1", "m1 * 2"), stat("m1")], None),
            (vec![math("e2", "e1 + 1"), math("e1", "SUM(METRICS())"), stat("m1")], None),
            (vec![stat("m1"), stat("m1")], Some("not unique")),
            (
                vec![stat("M1")],
                Some("parameter MetricDataQueries.member.1.Id is not matching the expected pattern ^[a-z]"),
            ),
            (vec![math("e1", "m9 * 2")], Some("Error in expression 'e1': `m9` is no id")),
            (
                vec![math("e1", "e2"), math("e2", "e1 + 1")],
                Some("Error in expression 'e1': it depends on itself"),
            ),
            (vec![math("e1", "SUM(m1)"), stat("m1")], Some("it must be a time series")),
            (vec![math("e1", "SUM(m1")], Some("Error in expression 'e1': the expression ends too early")),
            (
                vec![MetricDataQuery { period: Some(90), ..math("e1", "TIME_SERIES(1)") }],
                Some("multiple of 60"),
            ),
            (
                vec![MetricDataQuery { expression: Some("1".to_owned()), ..stat("m1") }],
                Some(
                    "The parameters MetricDataQueries.member.1.Expression and MetricDataQueries.member.1.MetricStat are mutually",
                ),
            ),
            (vec![MetricDataQuery { account_id: Some("1".to_owned()), ..stat("m1") }], Some("AccountId")),
        ] {
            let names: Vec<_> = given.iter().map(|query| query.id.clone()).collect();
            let refused = Queries::parse(&given, &[]).err().map(|Refusal(error)| error.message);
            match expected {
                None => assert_eq!(refused, None, "{names:?}"),
                Some(part) => {
                    assert!(refused.as_ref().is_some_and(|text| text.contains(part)), "{refused:?}")
                }
            }
        }
    }
}
