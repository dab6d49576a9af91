//! What is done with all alarms now and then: they are evaluated, their actions are completed, and what their history has kept
//! long enough is forgotten.
//!
//! A round may be cut off anywhere and run twice: a state, what the history says of it and the actions that it asks for are one
//! batch. An action stays in the record of its alarm until it is completed, so that it is run at least once.

use core::future::poll_fn;
use core::num::NonZeroUsize;
use core::task::Poll;

use keyreeve_core::Service;
use keyreeve_core::alarm::{
    self, ALARM_PREFIX, AlarmPastRecord, AlarmRecord, AlarmState, MissingData, PAST_PREFIX, PendingAction,
    Watched,
};
use keyreeve_core::commit::Draft;
use keyreeve_core::vault::{VaultError, Versioned};
use keyreeve_domain::{AccountId, Region, Timestamp};
use keyreeve_store::Path;
use keyreeve_wire::cloudwatch::HistoryItemType;
use serde_json::json;

use super::alarm_output::queries;
use super::evaluation::{MORE_PERIODS, Rule, Verdict};
use super::history::{DATA_MOST, SUMMARY_MOST, cut, fitting, remember};
use super::math::Value;
use super::queries::{Queries, Reader};
use super::reason::{self, Seen};
use super::refusal::Refusal;
use super::series::{MINUTE, Span, Stat, metric_of};
use super::{alarm_input, transition};
use crate::metric::MetricSource;

/// Alarms that are read at once.
const BATCH: NonZeroUsize = NonZeroUsize::new(100).unwrap();
/// Entries of the history that are removed at once; each is two writes.
const FORGOTTEN: NonZeroUsize = NonZeroUsize::new(50).unwrap();
/// How long an entry of the history is kept, in milliseconds: thirty days.
const KEPT: i64 = 30 * 86_400_000;
/// How often a change is tried again after somebody else was faster.
const ATTEMPTS: usize = 16;
const HOUR: i64 = 3600;
const DAY: u64 = 86_400;

/// An action that is to be run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// The account of the alarm.
    pub account: AccountId,
    /// Its Region.
    pub region: Region,
    /// Its name.
    pub alarm: String,
    /// The action.
    pub action: PendingAction,
}

/// What a round has done and found.
#[derive(Debug, Default)]
pub struct Round {
    /// Alarms whose state has changed.
    pub changed: usize,
    /// Alarms that could not be evaluated, or whose state could not be changed.
    pub failed: usize,
    /// Actions that are to be run.
    pub waiting: Vec<Waiting>,
}

/// An alarm as the store has it.
struct Held {
    path: Path,
    alarm: Versioned<AlarmRecord>,
}

/// Evaluates all alarms at `now`, over the periods that end with the last whole minute before `until`.
///
/// # Errors
/// Where the store cannot be read. What cannot be done for one alarm is logged, and the others are evaluated.
pub async fn evaluate(
    service: &Service,
    metrics: &dyn MetricSource,
    now: Timestamp,
    until: Timestamp,
) -> Result<Round, VaultError> {
    let end = until.millis().div_euclid(1000 * MINUTE).saturating_mul(MINUTE);
    let mut round = Round::default();
    let mut after: Option<Path> = None;
    while let Some((account, region)) = next_place(service, after.as_ref()).await? {
        let mut alarms = read_place(service, (account, region)).await?;
        let reader = Reader::new(metrics, account, region);
        // A metric is read once: for the alarm first that looks back farthest.
        alarms.sort_by_key(|held| core::cmp::Reverse(looked_at(&held.alarm.record)));
        for held in &alarms {
            match judged(&held.alarm.record, &reader, now, end).await {
                Ok(None) => {}
                Ok(Some(state)) => match enter(service, held, state, (account, region)).await {
                    Ok(Some(pending)) => {
                        round.changed += 1;
                        round.waiting.extend(waiting((account, region), &held.alarm.record.name, pending));
                        continue;
                    }
                    // Somebody else has changed it: the next round looks again.
                    Ok(None) => {}
                    Err(error) => {
                        round.failed += 1;
                        tracing::error!(%error, path = %held.path, "the state of an alarm could not be changed");
                    }
                },
                Err(Refusal(error)) => {
                    round.failed += 1;
                    tracing::error!(%error, path = %held.path, "an alarm could not be evaluated");
                }
            }
            let Versioned { record, .. } = &held.alarm;
            round.waiting.extend(waiting((account, region), &record.name, record.pending.clone()));
        }
        after = Some(end_of_place((account, region))?);
    }
    Ok(round)
}

/// Whether there is any alarm.
///
/// # Errors
/// Where the store cannot be read.
pub async fn are_any(service: &Service) -> Result<bool, VaultError> {
    Ok(next_place(service, None).await?.is_some())
}

/// The actions of all alarms that are to be run.
///
/// # Errors
/// Where the store cannot be read.
pub async fn all_waiting(service: &Service) -> Result<Vec<Waiting>, VaultError> {
    let mut found = Vec::new();
    let mut after: Option<Path> = None;
    while let Some(place) = next_place(service, after.as_ref()).await? {
        for Held { alarm, .. } in read_place(service, place).await? {
            found.extend(waiting(place, &alarm.record.name, alarm.record.pending));
        }
        after = Some(end_of_place(place)?);
    }
    Ok(found)
}

fn waiting(
    (account, region): (AccountId, Region),
    alarm: &str,
    pending: Vec<PendingAction>,
) -> impl Iterator<Item = Waiting> {
    let alarm = alarm.to_owned();
    pending.into_iter().map(move |action| Waiting { account, region, alarm: alarm.clone(), action })
}

/// The first account and Region after a path that have an alarm.
async fn next_place(
    service: &Service,
    after: Option<&Path>,
) -> Result<Option<(AccountId, Region)>, VaultError> {
    let snapshot = service.vault().snapshot().await?;
    let page = snapshot.range(ALARM_PREFIX, after, NonZeroUsize::MIN).await?;
    Ok(page.entries.first().and_then(|(path, _)| alarm::read_alarm(path)))
}

/// What stands behind every alarm of an account in a Region.
fn end_of_place((account, region): (AccountId, Region)) -> Result<Path, VaultError> {
    let mut path = alarm::alarms_prefix(account, region);
    path.push(0xff);
    Path::new(path).or(Err(VaultError::Lost))
}

/// The alarms of an account in a Region. One that is damaged is logged and left out.
async fn read_place(
    service: &Service,
    (account, region): (AccountId, Region),
) -> Result<Vec<Held>, VaultError> {
    let snapshot = service.vault().snapshot().await?;
    let prefix = alarm::alarms_prefix(account, region);
    let mut alarms = Vec::new();
    let mut after = None;
    loop {
        let page = snapshot.range(&prefix, after.as_ref(), BATCH).await?;
        for (path, _) in &page.entries {
            match service.vault().read::<AlarmRecord>(&*snapshot, path).await {
                Ok(Some(alarm)) => alarms.push(Held { path: path.clone(), alarm }),
                Ok(None) => {}
                Err(error @ VaultError::Damaged(_)) => tracing::error!(%error, "an alarm is left out"),
                Err(error) => return Err(error),
            }
        }
        after = page.entries.into_iter().next_back().map(|(path, _)| path).filter(|_| page.more);
        if after.is_none() {
            return Ok(alarms);
        }
        breathe().await;
    }
}

/// Lets others have their turn on this thread.
async fn breathe() {
    let mut is_over = false;
    poll_fn(|context| {
        if core::mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The seconds that an alarm looks at.
fn looked_at(alarm: &AlarmRecord) -> u64 {
    let periods = alarm.evaluation_periods.saturating_add(MORE_PERIODS);
    u64::from(alarm_input::period(&alarm.watched)).saturating_mul(u64::from(periods))
}

/// The state that an alarm is to have at `now`, over periods until `end`; nothing where it stays.
async fn judged(
    alarm: &AlarmRecord,
    reader: &Reader<'_>,
    now: Timestamp,
    end: i64,
) -> Result<Option<AlarmState>, Refusal> {
    let period = alarm_input::period(&alarm.watched);
    // What looks at more than a day is evaluated once an hour.
    let evaluated = u64::from(period).saturating_mul(u64::from(alarm.evaluation_periods));
    if evaluated > DAY && end.rem_euclid(HOUR) != 0 {
        return Ok(None);
    }
    let rule = Rule {
        datapoints_to_alarm: alarm.datapoints_to_alarm.unwrap_or(alarm.evaluation_periods),
        evaluation_periods: alarm.evaluation_periods,
        comparison: alarm.comparison,
        threshold: alarm.threshold,
        missing_data: alarm.missing_data.unwrap_or(MissingData::Missing),
    };
    let looked_at = i64::try_from(looked_at(alarm)).unwrap_or(i64::MAX);
    let span = Span { from: end.saturating_sub(looked_at), to: end, period };
    let seen = seen(alarm, reader, span).await?;
    let values: Vec<_> = seen.iter().map(|seen| seen.map(|seen| seen.value)).collect();
    let verdict = rule.evaluate(&values);
    if is_insignificant(alarm, &verdict, &seen) {
        return Ok(None);
    }
    let Some(value) = verdict.state.filter(|value| *value != alarm.state.value) else { return Ok(None) };
    Ok(Some(AlarmState {
        value,
        reason: reason::text(&rule, alarm.datapoints_to_alarm.is_some(), &verdict, value, &seen),
        reason_data: Some(reason::data(&alarm.watched, &rule, (&verdict, value), (now, span), &seen)),
        updated: now,
        since: now,
    }))
}

/// Whether an alarm of a percentile that is to ignore low samples has a period with too few.
fn is_insignificant(alarm: &AlarmRecord, verdict: &Verdict, seen: &[Option<Seen>]) -> bool {
    let Watched::Metric(stat) = &alarm.watched else { return false };
    let wanted = Stat::parse(&stat.statistic).map_or(0.0, Stat::significant);
    let mut evaluated = verdict.evaluated.iter().filter_map(|(at, _)| *seen.get(*at)?);
    alarm.low_samples.as_deref() == Some("ignore")
        && evaluated.any(|seen| seen.samples.is_some_and(|samples| samples < wanted))
}

/// What an alarm watches, in each period of `span`.
async fn seen(alarm: &AlarmRecord, reader: &Reader<'_>, span: Span) -> Result<Vec<Option<Seen>>, Refusal> {
    let found: Vec<Seen> = match &alarm.watched {
        Watched::Metric(stat) => {
            let dimensions = stat.dimensions.iter().map(|pair| (pair.key.clone(), pair.value.clone()));
            let unit = stat.unit.as_ref().and_then(|unit| unit.parse().ok());
            let metric = metric_of((&stat.namespace, &stat.metric), dimensions, unit);
            let points = reader.points(metric.as_ref(), span).await?;
            let statistic = Stat::parse(&stat.statistic);
            let seen = points.iter().filter_map(|point| {
                let value = statistic?.of(point)?;
                Some(Seen { start: point.start, value, samples: Some(point.samples) })
            });
            seen.collect()
        }
        Watched::Queries(list) => {
            let queries = Queries::parse(&queries(list), &alarm_input::SHORT)?;
            let read = queries.read(reader, &|_| span).await?;
            let values = queries.compute(&read, &|_| span)?;
            let watched = queries.list.iter().zip(values).find(|(query, _)| query.is_returned);
            match watched {
                Some((_, Value::One(series))) => series
                    .points
                    .into_iter()
                    .map(|(start, value)| Seen { start, value, samples: None })
                    .collect(),
                Some((_, Value::Many(_) | Value::Number(_))) | None => Vec::new(),
            }
        }
    };
    let mut periods = vec![None; usize::try_from(span.count()).unwrap_or_default()];
    for seen in found {
        let number = seen.start.saturating_sub(span.from).div_euclid(i64::from(span.period.max(1)));
        if let Some(slot) = usize::try_from(number).ok().and_then(|number| periods.get_mut(number)) {
            *slot = Some(seen);
        }
    }
    Ok(periods)
}

/// Puts an alarm into another state; its actions that are to be run then. Nothing where somebody else has changed it, other than
/// by completing an action.
async fn enter(
    service: &Service,
    held: &Held,
    state: AlarmState,
    place: (AccountId, Region),
) -> Result<Option<Vec<PendingAction>>, VaultError> {
    let mut seen = held.alarm.clone();
    for _ in 0..ATTEMPTS {
        let mut record = seen.record.clone();
        let entry = transition::enter(&mut record, state.clone(), place);
        let mut draft = Draft::new(service.vault());
        draft.replace_alarm(place, seen.version, &record)?;
        if let Some(entry) = entry {
            remember(service, &mut draft, place, &entry)?;
        }
        match service.commit(draft).await {
            Ok(()) => return Ok(Some(record.pending)),
            Err(VaultError::Contended) => {}
            Err(error) => return Err(error),
        }
        let snapshot = service.vault().snapshot().await?;
        let Some(now) = service.vault().read::<AlarmRecord>(&*snapshot, &held.path).await? else {
            return Ok(None);
        };
        let judged = AlarmRecord { pending: now.record.pending.clone(), ..held.alarm.record.clone() };
        if now.record != judged {
            return Ok(None);
        }
        seen = now;
    }
    Ok(None)
}

/// Notes that an action was run, or why it could not be.
///
/// # Errors
/// Where the store fails. The action is then still to be run.
pub async fn complete(
    service: &Service,
    waiting: &Waiting,
    outcome: Result<(), &str>,
    now: Timestamp,
) -> Result<(), VaultError> {
    let Waiting { account, region, alarm: name, action } = waiting;
    let path = alarm::alarm(*account, *region, name)?;
    for _ in 0..ATTEMPTS {
        let snapshot = service.vault().snapshot().await?;
        let Some(Versioned { mut record, version }) =
            service.vault().read::<AlarmRecord>(&*snapshot, &path).await?
        else {
            return Ok(());
        };
        let Some(at) = record.pending.iter().position(|pending| pending == action) else { return Ok(()) };
        record.pending.remove(at);
        let mut draft = Draft::new(service.vault());
        draft.replace_alarm((*account, *region), version, &record)?;
        remember(service, &mut draft, (*account, *region), &of_action(name, action, outcome, now))?;
        match service.commit(draft).await {
            Ok(()) => return Ok(()),
            Err(VaultError::Contended) => {}
            Err(error) => return Err(error),
        }
    }
    Err(VaultError::Contended)
}

fn of_action(
    alarm: &str,
    action: &PendingAction,
    outcome: Result<(), &str>,
    now: Timestamp,
) -> AlarmPastRecord {
    let PendingAction { arn, message, at, .. } = action;
    let summary = match outcome {
        Ok(()) => format!("Successfully executed action {arn}"),
        Err(error) => format!("Failed to execute action {arn}. Received error: \"{error}\""),
    };
    let data = |message: Option<&str>| {
        json!({
            "actionState": if outcome.is_ok() { "Succeeded" } else { "Failed" },
            "notificationResource": arn,
            "stateUpdateTimestamp": at.millis(),
            "publishedMessage": message,
            "error": outcome.err(),
        })
        .to_string()
    };
    AlarmPastRecord {
        alarm: alarm.to_owned(),
        at: now,
        kind: HistoryItemType::Action,
        summary: cut(summary, SUMMARY_MOST),
        data: fitting(data(Some(message)), || data(None), DATA_MOST),
    }
}

/// Forgets what the histories have kept long enough at `now`; how many entries that were.
///
/// # Errors
/// Where the store fails.
pub async fn forget(service: &Service, now: Timestamp) -> Result<usize, VaultError> {
    let moment = alarm::moment(now.plus_millis(-KEPT));
    let mut forgotten = 0;
    let mut after: Option<Path> = None;
    loop {
        let snapshot = service.vault().snapshot().await?;
        let page = snapshot.range(PAST_PREFIX, after.as_ref(), NonZeroUsize::MIN).await?;
        let Some((first, _)) = page.entries.first() else { return Ok(forgotten) };
        let Some((account, region)) = alarm::read_alarm(first) else { return Ok(forgotten) };
        let prefix = alarm::past_prefix(account, region);
        let joined = |end: &[u8]| Path::new([prefix.as_slice(), end].concat()).or(Err(VaultError::Lost));
        let oldest = joined(moment.as_bytes())?;
        loop {
            let snapshot = service.vault().snapshot().await?;
            let (entries, more) = service
                .vault()
                .range::<AlarmPastRecord>(&*snapshot, &prefix, Some(&oldest), FORGOTTEN)
                .await?;
            let mut draft = Draft::new(service.vault());
            for (path, entry) in &entries {
                draft.forget(account, region, path, entry)?;
            }
            if !draft.is_empty() {
                service.commit(draft).await?;
            }
            forgotten += entries.len();
            if !more {
                break;
            }
        }
        after = Some(joined(b"\xff")?);
    }
}
