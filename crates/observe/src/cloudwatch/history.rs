//! The history of alarms: DescribeAlarmHistory, and the entries that tell of configurations.
//!
//! An entry is kept for thirty days, whether its alarm is still there or not.
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html>.

use core::num::NonZeroUsize;

use keyreeve_core::alarm::{self, AlarmPastRecord, AlarmRecord, past_of_prefix, past_prefix};
use keyreeve_core::commit::Draft;
use keyreeve_core::vault::VaultError;
use keyreeve_core::{Cx, Service};
use keyreeve_crypto::key::MakeKeyError;
use keyreeve_crypto::random;
use keyreeve_domain::{AccountId, Region, Timestamp};
use keyreeve_store::{Path, Snapshot};
use keyreeve_wire::cloudwatch::{
    AlarmHistoryItem, AlarmType, DescribeAlarmHistoryInput, DescribeAlarmHistoryOutput, HistoryItemType,
    ScanBy,
};
use serde_json::{Value, json};

use super::alarm_output::remembered;
use super::gate::{Particulars, alarm_arn, authorize};
use super::refusal::Refusal;

/// The longest data of an entry.
pub(crate) const DATA_MOST: usize = 4095;
/// The longest summary of an entry.
pub(crate) const SUMMARY_MOST: usize = 255;
/// Entries of a page, at most and where nothing is said.
const PAGE: u32 = 100;
/// Entries that a request looks at, at most: what is left comes with the next page.
const LOOKED_AT_MOST: usize = 5000;
/// Entries that are read at once.
const BATCH: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// `whole`, or what `short` says where that is too long.
pub(crate) fn fitting(whole: String, short: impl FnOnce() -> String, most: usize) -> String {
    if whole.len() <= most { whole } else { short() }
}

/// What happened to the configuration of an alarm.
#[derive(Clone, Copy)]
pub(crate) enum Configured<'a> {
    Created,
    Deleted,
    /// With what the alarm was.
    Updated(&'a AlarmRecord),
}

/// The entry for that.
pub(crate) fn configuration(
    alarm: &AlarmRecord,
    what: Configured<'_>,
    place: (AccountId, Region),
    at: Timestamp,
) -> AlarmPastRecord {
    let (verb, kind, member) = match what {
        Configured::Created => ("created", "Create", "createdAlarm"),
        Configured::Deleted => ("deleted", "Delete", "deletedAlarm"),
        Configured::Updated(_) => ("updated", "Update", "updatedAlarm"),
    };
    let mut whole = json!({ "version": "1.0", "type": kind, member: remembered(alarm, place) });
    if let (Configured::Updated(before), Some(members)) = (what, whole.as_object_mut()) {
        members.insert("originalUpdatedFields".to_owned(), changed(before, alarm, place));
    }
    let whole = whole.to_string();
    let short = || json!({ "version": "1.0", "type": kind }).to_string();
    AlarmPastRecord {
        alarm: alarm.name.clone(),
        at,
        kind: HistoryItemType::ConfigurationUpdate,
        summary: cut(format!("Alarm \"{}\" {verb}", alarm.name), SUMMARY_MOST),
        data: fitting(whole, short, DATA_MOST),
    }
}

/// What the alarm had, of that which is another now.
fn changed(before: &AlarmRecord, alarm: &AlarmRecord, place: (AccountId, Region)) -> Value {
    let (mut had, has) = (remembered(before, place), remembered(alarm, place));
    if let Some(members) = had.as_object_mut() {
        members.retain(|name, value| has.get(name) != Some(value));
    }
    had
}

/// The first bytes of a text, with its last character whole.
pub(crate) fn cut(mut text: String, most: usize) -> String {
    text.truncate(text.floor_char_boundary(most));
    text
}

/// Adds an entry to `draft`.
pub(crate) fn remember(
    service: &Service,
    draft: &mut Draft<'_>,
    (account, region): (AccountId, Region),
    entry: &AlarmPastRecord,
) -> Result<(), VaultError> {
    let distinct: [u8; 4] = random::array(service.vault().random()).map_err(MakeKeyError::from)?;
    draft.remember(account, region, entry, u32::from_be_bytes(distinct))
}

/// Errors, in this order: AccessDenied, InvalidNextToken.
pub(super) async fn describe_alarm_history(
    cx: &mut Cx<'_>,
    input: DescribeAlarmHistoryInput,
) -> Result<DescribeAlarmHistoryOutput, Refusal> {
    let resource = alarm_arn(cx, input.alarm_name.as_deref().unwrap_or("*"));
    authorize(cx, "cloudwatch:DescribeAlarmHistory", &resource, &Particulars::default()).await?;
    let scope = format!(
        "DescribeAlarmHistory/{}/{}/{:?}/{:?}/{:?}/{:?}/{:?}",
        cx.caller.account(),
        cx.region,
        input.alarm_name,
        input.history_item_type,
        input.start_date,
        input.end_date,
        input.scan_by
    );
    let after = match &input.next_token {
        None => None,
        Some(token) => {
            let position = cx.service.read_marker(&scope, token).ok().ok_or_else(|| Refusal::token(token))?;
            Some(String::from_utf8(position).ok().ok_or_else(|| Refusal::token(token))?)
        }
    };
    // There are no alarms of other types, and no contributors.
    let is_metric = input.alarm_types.is_empty() || input.alarm_types.contains(&AlarmType::Metric);
    if !is_metric || input.alarm_contributor_id.is_some() {
        return Ok(DescribeAlarmHistoryOutput { alarm_history_items: Vec::new(), next_token: None });
    }
    let snapshot = cx.service.vault().snapshot().await?;
    let past = Past { cx, snapshot: &*snapshot, input: &input };
    let most = usize::try_from(input.max_records.unwrap_or(PAGE)).unwrap_or(1);
    let (items, last) = match input.scan_by {
        Some(ScanBy::TimestampAscending) => past.oldest_first(after, most).await?,
        Some(ScanBy::TimestampDescending) | None => past.newest_first(after, most).await?,
    };
    let next_token = last.map(|last| cx.service.marker(&scope, last.as_bytes())).transpose()?;
    Ok(DescribeAlarmHistoryOutput { alarm_history_items: items, next_token })
}

/// The part of the history that is asked for. A moment stands for an entry.
struct Past<'c, 'x> {
    cx: &'c Cx<'x>,
    snapshot: &'c dyn Snapshot,
    input: &'c DescribeAlarmHistoryInput,
}

/// Items, and the moment of the last where more follow.
type Items = (Vec<AlarmHistoryItem>, Option<String>);

impl Past<'_, '_> {
    fn prefix(&self) -> Vec<u8> {
        let (account, region) = (self.cx.caller.account(), self.cx.region);
        match &self.input.alarm_name {
            Some(name) => past_of_prefix(account, region, name),
            None => past_prefix(account, region),
        }
    }

    fn path(&self, moment: &str) -> Result<Path, Refusal> {
        let mut path = self.prefix();
        path.extend_from_slice(moment.as_bytes());
        Path::new(path).ok().ok_or_else(Refusal::internal)
    }

    /// The moments after `after`, the newest first, and whether more follow.
    async fn moments(&self, after: Option<&str>) -> Result<(Vec<String>, bool), Refusal> {
        let after = after.map(|moment| self.path(moment)).transpose()?;
        let prefix = self.prefix();
        let page = self.snapshot.range(&prefix, after.as_ref(), BATCH).await.map_err(VaultError::from)?;
        let moment = |path: &Path| {
            let rest = path.as_bytes().strip_prefix(prefix.as_slice())?;
            core::str::from_utf8(rest).ok().map(str::to_owned)
        };
        Ok((page.entries.iter().filter_map(|(path, _)| moment(path)).collect(), page.more))
    }

    /// The entry of a moment.
    async fn entry(&self, moment: &str) -> Result<Option<AlarmPastRecord>, Refusal> {
        let path = alarm::past_by_index(self.cx.caller.account(), self.cx.region, &self.path(moment)?)?;
        let read = self.cx.service.vault().read::<AlarmPastRecord>(self.snapshot, &path).await?;
        Ok(read.map(|read| read.record))
    }

    fn is_wanted(&self, entry: &AlarmPastRecord) -> bool {
        self.input.history_item_type.is_none_or(|kind| kind == entry.kind)
            && self.input.alarm_name.as_ref().is_none_or(|name| *name == entry.alarm)
            && self.input.start_date.is_none_or(|start| entry.at >= start)
            && self.input.end_date.is_none_or(|end| entry.at <= end)
    }

    /// What stands before every moment that is asked for.
    fn newest(&self) -> Option<String> {
        self.input.end_date.map(alarm::moment)
    }

    /// What stands before every moment that is older than what is asked for.
    fn oldest(&self) -> Option<String> {
        let start = self.input.start_date?;
        Some(alarm::moment(start.plus_millis(-1)))
    }

    async fn newest_first(&self, after: Option<String>, most: usize) -> Result<Items, Refusal> {
        let (mut after, oldest) = (after.or_else(|| self.newest()), self.oldest());
        let mut items = Vec::new();
        let (mut last, mut looked_at): (Option<String>, usize) = (None, 0);
        loop {
            let (moments, more) = self.moments(after.as_deref()).await?;
            for moment in &moments {
                if oldest.as_ref().is_some_and(|oldest| moment >= oldest) {
                    return Ok((items, None));
                }
                let entry = self.entry(moment).await?.filter(|entry| self.is_wanted(entry));
                if items.len() == most && entry.is_some() || looked_at == LOOKED_AT_MOST {
                    return Ok((items, last));
                }
                items.extend(entry.map(shown));
                last = Some(moment.clone());
                looked_at += 1;
            }
            after = moments.into_iter().next_back();
            if !more || after.is_none() {
                return Ok((items, None));
            }
        }
    }

    async fn oldest_first(&self, before: Option<String>, most: usize) -> Result<Items, Refusal> {
        let (mut after, oldest) = (self.newest(), self.oldest());
        let mut all: Vec<String> = Vec::new();
        loop {
            let (moments, more) = self.moments(after.as_deref()).await?;
            after = moments.last().cloned();
            all.extend(moments);
            let is_past = oldest.as_ref().zip(after.as_ref()).is_some_and(|(oldest, after)| after >= oldest);
            if !more || after.is_none() || is_past {
                break;
            }
        }
        let mut items = Vec::new();
        let (mut last, mut looked_at): (Option<String>, usize) = (None, 0);
        for moment in all.iter().rev() {
            if before.as_ref().is_some_and(|before| moment >= before) {
                continue;
            }
            let entry = self.entry(moment).await?.filter(|entry| self.is_wanted(entry));
            if items.len() == most && entry.is_some() || looked_at == LOOKED_AT_MOST {
                return Ok((items, last));
            }
            items.extend(entry.map(shown));
            last = Some(moment.clone());
            looked_at += 1;
        }
        Ok((items, None))
    }
}

fn shown(entry: AlarmPastRecord) -> AlarmHistoryItem {
    AlarmHistoryItem {
        alarm_name: entry.alarm,
        alarm_contributor_id: None,
        alarm_type: AlarmType::Metric,
        timestamp: entry.at,
        history_item_type: entry.kind,
        history_summary: entry.summary,
        history_data: entry.data,
        alarm_contributor_attributes: None,
    }
}
