//! The operations on alarms: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html> and those
//! beside it. A handler asks the gate before it tells whether an alarm is there.

use core::num::NonZeroUsize;
use std::sync::Arc;

use keyreeve_core::Cx;
use keyreeve_core::alarm::{self, AlarmRecord, AlarmState, StatRecord, Watched};
use keyreeve_core::commit::Draft;
use keyreeve_core::record::TagRecord;
use keyreeve_core::vault::{VaultError, Versioned};
use keyreeve_crypto::random;
use keyreeve_domain::{AccountId, Region};
use keyreeve_store::{Path, Snapshot};
use keyreeve_wire::cloudwatch::{
    AlarmType, DeleteAlarmsInput, DescribeAlarmsForMetricInput, DescribeAlarmsForMetricOutput,
    DescribeAlarmsInput, DescribeAlarmsOutput, DisableAlarmActionsInput, EnableAlarmActionsInput,
    PutMetricAlarmInput, SetAlarmStateInput,
};
use keyreeve_wire::query::QueryErrorCode;

use super::alarm_output::shown;
use super::gate::{Particulars, alarm_arn, authorize};
use super::history::{Configured, configuration, remember};
use super::refusal::Refusal;
use super::series::pairs;
use super::{alarm_input, transition};

/// How often a change is tried again after somebody else was faster.
const ATTEMPTS: usize = 16;
/// Alarms of an account in a Region.
const ALARMS_MOST: u64 = 5000;
/// Alarms of a page, where nothing is said.
const PAGE: u32 = 50;
/// Alarms that are read at once.
const BATCH: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// Where the caller's alarms are.
fn place(cx: &Cx<'_>) -> (AccountId, Region) {
    (cx.caller.account(), cx.region)
}

fn path(cx: &Cx<'_>, name: &str) -> Result<Path, Refusal> {
    Ok(alarm::alarm(cx.caller.account(), cx.region, name)?)
}

/// The alarm of this name in the caller's account, in the Region that was called.
pub(super) async fn find(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    name: &str,
) -> Result<Option<Versioned<AlarmRecord>>, Refusal> {
    // A name that is too long for a path is none of an alarm.
    let Ok(path) = alarm::alarm(cx.caller.account(), cx.region, name) else { return Ok(None) };
    Ok(cx.service.vault().read(snapshot, &path).await?)
}

/// The draft that replaces an alarm.
pub(super) fn put<'a>(
    cx: &Cx<'a>,
    found: &Versioned<AlarmRecord>,
    record: AlarmRecord,
) -> Result<(Draft<'a>, ()), Refusal> {
    let mut draft = Draft::new(cx.service.vault());
    if record != found.record {
        draft.replace_alarm(place(cx), found.version, &record)?;
    }
    Ok((draft, ()))
}

/// Makes the draft of `make` durable; looks again where somebody else was faster. A draft without writes changes nothing.
pub(super) async fn change<'a, T>(
    cx: &mut Cx<'a>,
    mut make: impl AsyncFnMut(&Cx<'a>, &Arc<dyn Snapshot>) -> Result<(Draft<'a>, T), Refusal>,
) -> Result<T, Refusal> {
    for _ in 0..ATTEMPTS {
        let snapshot = cx.service.vault().snapshot().await?;
        let (draft, outcome) = make(cx, &snapshot).await?;
        if draft.is_empty() {
            return Ok(outcome);
        }
        match cx.commit(draft).await {
            Ok(()) => return Ok(outcome),
            Err(VaultError::Contended) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(VaultError::Contended.into())
}

/// Lets the caller through to an alarm, which may not exist.
async fn authorize_alarm(
    cx: &Cx<'_>,
    action: &'static str,
    name: &str,
    found: Option<&Versioned<AlarmRecord>>,
) -> Result<(), Refusal> {
    let resource_tags = found.map(|found| found.record.tags.as_slice()).unwrap_or_default();
    let particulars = Particulars { resource_tags, ..Particulars::default() };
    authorize(cx, action, &alarm_arn(cx, name), &particulars).await
}

/// Errors, in this order: ValidationError, AccessDenied, LimitExceeded.
pub(super) async fn put_metric_alarm(cx: &mut Cx<'_>, input: PutMetricAlarmInput) -> Result<(), Refusal> {
    let id: [u8; 8] = random::array(cx.service.vault().random())?;
    let new = alarm_input::alarm(&input, u64::from_be_bytes(id), cx.now)?;
    let arn = alarm_arn(cx, &new.name);
    let actions: Vec<&str> = new
        .ok_actions
        .iter()
        .chain(&new.alarm_actions)
        .chain(&new.insufficient_data_actions)
        .map(String::as_str)
        .collect();
    change(cx, async |cx, snapshot| {
        let found = find(cx, &**snapshot, &new.name).await?;
        let resource_tags = found.as_ref().map(|found| found.record.tags.as_slice()).unwrap_or_default();
        let particulars =
            Particulars { request_tags: &new.tags, resource_tags, tag_keys: &[], actions: &actions };
        authorize(cx, "cloudwatch:PutMetricAlarm", &arn, &particulars).await?;
        let mut draft = Draft::new(cx.service.vault());
        match found {
            None => {
                if !new.tags.is_empty() {
                    authorize(cx, "cloudwatch:TagResource", &arn, &particulars).await?;
                }
                room(cx, &**snapshot).await?;
                draft.make_alarm(place(cx), &new)?;
                remembered(cx, &mut draft, &new, Configured::Created)?;
            }
            Some(found) => {
                // The state and the tags stay; all else is replaced.
                let Versioned { record, version } = found;
                let AlarmRecord { id, state, tags, pending, .. } = record.clone();
                let replaced = AlarmRecord { id, state, tags, pending, ..new.clone() };
                if record == (AlarmRecord { configured: record.configured, ..replaced.clone() }) {
                    return Ok((draft, ()));
                }
                draft.replace_alarm(place(cx), version, &replaced)?;
                remembered(cx, &mut draft, &replaced, Configured::Updated(&record))?;
            }
        }
        Ok((draft, ()))
    })
    .await
}

fn remembered(
    cx: &Cx<'_>,
    draft: &mut Draft<'_>,
    alarm: &AlarmRecord,
    what: Configured<'_>,
) -> Result<(), Refusal> {
    let entry = configuration(alarm, what, place(cx), cx.now);
    Ok(remember(cx.service, draft, place(cx), &entry)?)
}

/// Refuses one more alarm where an account may have no more.
async fn room(cx: &Cx<'_>, snapshot: &dyn Snapshot) -> Result<(), Refusal> {
    let (account, region) = place(cx);
    let count = snapshot.count(&alarm::alarms_prefix(account, region)).await.map_err(VaultError::from)?;
    if count < ALARMS_MOST {
        return Ok(());
    }
    // AWS: unverified
    let message = format!("The maximum limit of {ALARMS_MOST} alarms is exceeded.");
    Err(Refusal::new(QueryErrorCode::LimitExceededFault, message))
}

/// Names that no alarm has are passed over, as AWS does, though the model has an error for them.
pub(super) async fn delete_alarms(cx: &mut Cx<'_>, input: DeleteAlarmsInput) -> Result<(), Refusal> {
    authorize_all(cx, "cloudwatch:DeleteAlarms", &input.alarm_names).await?;
    for name in &input.alarm_names {
        change(cx, async |cx, snapshot| {
            let mut draft = Draft::new(cx.service.vault());
            let Some(found) = find(cx, &**snapshot, name).await? else { return Ok((draft, ())) };
            draft.delete_alarm(place(cx), &found)?;
            remembered(cx, &mut draft, &found.record, Configured::Deleted)?;
            Ok((draft, ()))
        })
        .await?;
    }
    Ok(())
}

/// Lets the caller through to every alarm of a list.
async fn authorize_all(cx: &Cx<'_>, action: &'static str, names: &[String]) -> Result<(), Refusal> {
    let snapshot = cx.service.vault().snapshot().await?;
    for name in names {
        let found = find(cx, &*snapshot, name).await?;
        authorize_alarm(cx, action, name, found.as_ref()).await?;
    }
    Ok(())
}

/// Errors: ValidationError, AccessDenied, InvalidNextToken.
pub(super) async fn describe_alarms(
    cx: &mut Cx<'_>,
    input: DescribeAlarmsInput,
) -> Result<DescribeAlarmsOutput, Refusal> {
    let names = input.alarm_names.as_deref().unwrap_or_default();
    let relatives = input.children_of_alarm_name.as_ref().or(input.parents_of_alarm_name.as_ref());
    // AWS: the texts of these are unverified.
    if !names.is_empty() && input.alarm_name_prefix.is_some() {
        return Err(Refusal::validation("AlarmNames and AlarmNamePrefix must not be given together."));
    }
    let is_more = !names.is_empty()
        || input.alarm_name_prefix.is_some()
        || !input.alarm_types.is_empty()
        || input.state_value.is_some()
        || input.action_prefix.is_some();
    if relatives.is_some() && is_more {
        return Err(Refusal::validation(
            "ChildrenOfAlarmName and ParentsOfAlarmName must not be given together with other parameters.",
        ));
    }
    if names.is_empty() {
        let resource = alarm_arn(cx, relatives.map_or("*", String::as_str));
        authorize(cx, "cloudwatch:DescribeAlarms", &resource, &Particulars::default()).await?;
    } else {
        authorize_all(cx, "cloudwatch:DescribeAlarms", names).await?;
    }
    let is_metric = input.alarm_types.is_empty() || input.alarm_types.contains(&AlarmType::Metric);
    if relatives.is_some() || !is_metric {
        // There are no composite alarms and no alarms of logs.
        return Ok(DescribeAlarmsOutput {
            composite_alarms: Vec::new(),
            metric_alarms: Vec::new(),
            next_token: None,
        });
    }
    let is_wanted = |alarm: &AlarmRecord| {
        input.state_value.is_none_or(|state| state == alarm.state.value)
            && input.action_prefix.as_ref().is_none_or(|prefix| {
                let mut all = alarm
                    .ok_actions
                    .iter()
                    .chain(&alarm.alarm_actions)
                    .chain(&alarm.insufficient_data_actions);
                all.any(|action| action.starts_with(prefix.as_str()))
            })
    };
    let (account, region) = place(cx);
    let scope = format!(
        "DescribeAlarms/{account}/{region}/{names:?}/{:?}/{:?}/{:?}",
        input.alarm_name_prefix, input.state_value, input.action_prefix
    );
    let mut after = match &input.next_token {
        None => None,
        Some(token) => {
            let position = cx.service.read_marker(&scope, token).ok().ok_or_else(|| Refusal::token(token))?;
            Some(Path::new(position).ok().ok_or_else(|| Refusal::token(token))?)
        }
    };
    let most = usize::try_from(input.max_records.unwrap_or(PAGE)).unwrap_or(1);
    let snapshot = cx.service.vault().snapshot().await?;
    let mut found: Vec<(Path, AlarmRecord)> = Vec::new();
    if names.is_empty() {
        let mut prefix = alarm::alarms_prefix(account, region);
        prefix.extend_from_slice(input.alarm_name_prefix.as_deref().unwrap_or_default().as_bytes());
        let mut more = true;
        while more && found.len() <= most {
            let vault = cx.service.vault();
            let (entries, left) =
                vault.range::<AlarmRecord>(&*snapshot, &prefix, after.as_ref(), BATCH).await?;
            after = entries.last().map(|(path, _)| path.clone());
            more = left && after.is_some();
            found.extend(entries.into_iter().filter(|(_, alarm)| is_wanted(alarm)));
        }
    } else {
        let mut names: Vec<_> = names.iter().collect();
        names.sort();
        names.dedup();
        for name in names {
            let Some(alarm) = find(cx, &*snapshot, name).await? else { continue };
            let path = path(cx, name)?;
            if is_wanted(&alarm.record) && after.as_ref().is_none_or(|after| path > *after) {
                found.push((path, alarm.record));
            }
        }
    }
    let has_next = found.len() > most;
    found.truncate(most);
    let last = found.last().filter(|_| has_next);
    let next_token = last.map(|(path, _)| cx.service.marker(&scope, path.as_bytes())).transpose()?;
    let metric_alarms = found.iter().map(|(_, alarm)| shown(alarm, (account, region))).collect();
    Ok(DescribeAlarmsOutput { composite_alarms: Vec::new(), metric_alarms, next_token })
}

pub(super) async fn describe_alarms_for_metric(
    cx: &mut Cx<'_>,
    input: DescribeAlarmsForMetricInput,
) -> Result<DescribeAlarmsForMetricOutput, Refusal> {
    authorize(cx, "cloudwatch:DescribeAlarmsForMetric", "*", &Particulars::default()).await?;
    let mut dimensions: Vec<_> = pairs(&input.dimensions).collect();
    dimensions.sort();
    let statistic = input.statistic.map(|statistic| statistic.to_string()).or(input.extended_statistic);
    let is_wanted = |stat: &StatRecord| {
        let pair = |TagRecord { key, value }: &TagRecord| (key.clone(), value.clone());
        let mut held: Vec<_> = stat.dimensions.iter().map(pair).collect();
        held.sort();
        stat.metric == input.metric_name
            && stat.namespace == input.namespace
            && held == dimensions
            && statistic.as_ref().is_none_or(|statistic| *statistic == stat.statistic)
            && input.period.is_none_or(|period| period == stat.period)
            && input.unit.is_none_or(|unit| stat.unit.as_deref() == Some(unit.as_str()))
    };
    let (account, region) = place(cx);
    let snapshot = cx.service.vault().snapshot().await?;
    let prefix = alarm::alarms_prefix(account, region);
    let (entries, _) =
        cx.service.vault().range::<AlarmRecord>(&*snapshot, &prefix, None, NonZeroUsize::MAX).await?;
    let metric_alarms = entries
        .iter()
        .filter(|(_, alarm)| matches!(&alarm.watched, Watched::Metric(stat) if is_wanted(stat)))
        .map(|(_, alarm)| shown(alarm, (account, region)))
        .collect();
    Ok(DescribeAlarmsForMetricOutput { metric_alarms })
}

pub(super) async fn enable_alarm_actions(
    cx: &mut Cx<'_>,
    input: EnableAlarmActionsInput,
) -> Result<(), Refusal> {
    switch_actions(cx, "cloudwatch:EnableAlarmActions", &input.alarm_names, true).await
}

pub(super) async fn disable_alarm_actions(
    cx: &mut Cx<'_>,
    input: DisableAlarmActionsInput,
) -> Result<(), Refusal> {
    switch_actions(cx, "cloudwatch:DisableAlarmActions", &input.alarm_names, false).await
}

/// Names that no alarm has are passed over: the model has no error for them.
async fn switch_actions(
    cx: &mut Cx<'_>,
    action: &'static str,
    names: &[String],
    enabled: bool,
) -> Result<(), Refusal> {
    authorize_all(cx, action, names).await?;
    for name in names {
        change(cx, async |cx, snapshot| {
            let mut draft = Draft::new(cx.service.vault());
            let found = find(cx, &**snapshot, name).await?;
            let Some(found) = found.filter(|found| found.record.actions_enabled != enabled) else {
                return Ok((draft, ()));
            };
            let record = AlarmRecord { actions_enabled: enabled, configured: cx.now, ..found.record.clone() };
            draft.replace_alarm(place(cx), found.version, &record)?;
            remembered(cx, &mut draft, &record, Configured::Updated(&found.record))?;
            Ok((draft, ()))
        })
        .await?;
    }
    Ok(())
}

/// Errors, in this order: InvalidFormat, AccessDenied, ResourceNotFound. The next evaluation may put another state.
pub(super) async fn set_alarm_state(cx: &mut Cx<'_>, input: SetAlarmStateInput) -> Result<(), Refusal> {
    let name = &input.alarm_name;
    if let Some(data) = &input.state_reason_data
        && serde_json::from_str::<serde::de::IgnoredAny>(data).is_err()
    {
        // AWS says nothing but the code.
        return Err(Refusal::new(QueryErrorCode::InvalidFormat, ""));
    }
    change(cx, async |cx, snapshot| {
        let found = find(cx, &**snapshot, name).await?;
        authorize_alarm(cx, "cloudwatch:SetAlarmState", name, found.as_ref()).await?;
        // AWS says nothing but the code.
        let found = found.ok_or_else(|| Refusal::new(QueryErrorCode::ResourceNotFound, ""))?;
        let mut draft = Draft::new(cx.service.vault());
        // An alarm that is in this state already keeps its reason and its moments.
        if found.record.state.value == input.state_value {
            return Ok((draft, ()));
        }
        let mut record = found.record.clone();
        let state = AlarmState {
            value: input.state_value,
            reason: input.state_reason.clone(),
            reason_data: input.state_reason_data.clone(),
            updated: cx.now,
            since: cx.now,
        };
        let entry = transition::enter(&mut record, state, place(cx));
        draft.replace_alarm(place(cx), found.version, &record)?;
        if let Some(entry) = entry {
            remember(cx.service, &mut draft, place(cx), &entry)?;
        }
        Ok((draft, ()))
    })
    .await
}
