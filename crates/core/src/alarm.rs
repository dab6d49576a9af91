//! Alarms of CloudWatch: their records, and where they stand in the store.
//!
//! ```text
//! alarm/<account>/<region>/<name>                          an alarm; the name may hold a `/`
//! alarm-id/<account>/<region>/<id>/<name>                  index: which alarm of this name it is
//! alarm-past/<account>/<region>/<moment>                   an entry of the history
//! alarm-past-of/<account>/<region>/<digest of name>/<moment>   index: the history of one alarm
//! ```
//! Whoever replaces an alarm demands that the entry of its id is still there: an alarm that was deleted and made again has another, and
//! the versions of its record begin anew. A moment is 16 hexadecimal digits of a time, counted down, so that the newest comes first, and what tells it from another of
//! the same time. The form of a record is that of [`crate::record`].

use keyreeve_domain::{AccountId, Region, Timestamp};
use keyreeve_store::{Path, Version};
use keyreeve_wire::cloudwatch::{ComparisonOperator, HistoryItemType, StateValue};
use minicbor::{Decode, Encode};

use crate::commit::Draft;
use crate::grants::Digest;
use crate::record::{TagRecord, record};
use crate::space::{SpaceError, path};
use crate::vault::{VaultError, Versioned};

record! {
    AlarmRecord = 20,
    AlarmPastRecord = 21,
}

/// An alarm of a metric, or of an expression over metrics.
#[derive(Clone, Debug, Decode, Encode, PartialEq)]
pub struct AlarmRecord {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// What it is for.
    #[n(1)]
    pub description: Option<String>,
    /// Whether its actions are run.
    #[n(2)]
    pub actions_enabled: bool,
    /// The ARNs of what is done when it becomes OK.
    #[n(3)]
    pub ok_actions: Vec<String>,
    /// The ARNs of what is done when it becomes ALARM.
    #[n(4)]
    pub alarm_actions: Vec<String>,
    /// The ARNs of what is done when it becomes INSUFFICIENT_DATA.
    #[n(5)]
    pub insufficient_data_actions: Vec<String>,
    /// What it watches.
    #[n(6)]
    pub watched: Watched,
    /// Of how many periods.
    #[n(7)]
    pub evaluation_periods: u32,
    /// How many of them must breach the threshold; all, where that is not said.
    #[n(8)]
    pub datapoints_to_alarm: Option<u32>,
    /// The threshold.
    #[n(9)]
    pub threshold: f64,
    /// What breaches it.
    #[n(10)]
    #[cbor(with = "crate::record::text")]
    pub comparison: ComparisonOperator,
    /// What a period without data counts as, where that is said.
    #[n(11)]
    pub missing_data: Option<MissingData>,
    /// `evaluate` or `ignore`, where that is said.
    #[n(12)]
    pub low_samples: Option<String>,
    /// Whether it was said that the window slides.
    #[n(13)]
    pub sliding_window: bool,
    /// When it was last put.
    #[n(14)]
    #[cbor(with = "crate::record::millis")]
    pub configured: Timestamp,
    /// Its state.
    #[n(15)]
    pub state: AlarmState,
    /// Its tags.
    #[n(16)]
    pub tags: Vec<TagRecord>,
    /// Actions that are still to be run, the oldest first.
    #[n(17)]
    pub pending: Vec<PendingAction>,
    /// Tells it from another of the same name that was made later: 16 hexadecimal digits.
    #[n(18)]
    pub id: String,
}

/// What an alarm watches.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub enum Watched {
    /// A statistic of a metric.
    #[n(0)]
    Metric(#[n(0)] StatRecord),
    /// One of several queries.
    #[n(1)]
    Queries(#[n(0)] Vec<QueryRecord>),
}

/// A statistic of a metric.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct StatRecord {
    /// The namespace of the metric.
    #[n(0)]
    pub namespace: String,
    /// Its name.
    #[n(1)]
    pub metric: String,
    /// Its dimensions, as they were given.
    #[n(2)]
    pub dimensions: Vec<TagRecord>,
    /// The period in seconds.
    #[n(3)]
    pub period: u32,
    /// The statistic: a plain one such as `Sum`, or an extended one such as `p99`.
    #[n(4)]
    pub statistic: String,
    /// The unit that the values must have.
    #[n(5)]
    pub unit: Option<String>,
}

/// One of the queries that an alarm is made of.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct QueryRecord {
    /// Its id.
    #[n(0)]
    pub id: String,
    /// The statistic that it reads.
    #[n(1)]
    pub stat: Option<StatRecord>,
    /// The expression that it computes.
    #[n(2)]
    pub expression: Option<String>,
    /// Its label.
    #[n(3)]
    pub label: Option<String>,
    /// Whether the alarm watches it.
    #[n(4)]
    pub return_data: Option<bool>,
    /// The period of an expression in seconds.
    #[n(5)]
    pub period: Option<u32>,
}

/// What a period without data counts as.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
#[cbor(index_only)]
pub enum MissingData {
    /// As breaching the threshold.
    #[n(0)]
    Breaching,
    /// As no reason to change the state.
    #[n(1)]
    Ignore,
    /// As missing.
    #[n(2)]
    Missing,
    /// As within the threshold.
    #[n(3)]
    NotBreaching,
}

impl MissingData {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Breaching, Self::Ignore, Self::Missing, Self::NotBreaching];

    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Breaching => "breaching",
            Self::Ignore => "ignore",
            Self::Missing => "missing",
            Self::NotBreaching => "notBreaching",
        }
    }
}

/// The state of an alarm.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct AlarmState {
    /// Which.
    #[n(0)]
    #[cbor(with = "crate::record::text")]
    pub value: StateValue,
    /// Why, for people.
    #[n(1)]
    pub reason: String,
    /// Why, as JSON.
    #[n(2)]
    pub reason_data: Option<String>,
    /// When that was last looked at and changed.
    #[n(3)]
    #[cbor(with = "crate::record::millis")]
    pub updated: Timestamp,
    /// Since when it is this one.
    #[n(4)]
    #[cbor(with = "crate::record::millis")]
    pub since: Timestamp,
}

/// An action that is still to be run.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct PendingAction {
    /// Its ARN.
    #[n(0)]
    pub arn: String,
    /// What is told in one line.
    #[n(1)]
    pub subject: String,
    /// What is told: JSON.
    #[n(2)]
    pub message: String,
    /// When the state changed.
    #[n(3)]
    #[cbor(with = "crate::record::millis")]
    pub at: Timestamp,
}

/// An entry of the history of an alarm.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct AlarmPastRecord {
    /// The name of the alarm.
    #[n(0)]
    pub alarm: String,
    /// When it happened.
    #[n(1)]
    #[cbor(with = "crate::record::millis")]
    pub at: Timestamp,
    /// What happened.
    #[n(2)]
    #[cbor(with = "crate::record::text")]
    pub kind: HistoryItemType,
    /// In one line.
    #[n(3)]
    pub summary: String,
    /// In full: JSON.
    #[n(4)]
    pub data: String,
}

/// Every alarm.
pub const ALARM_PREFIX: &[u8] = b"alarm/";
/// The whole history.
pub const PAST_PREFIX: &[u8] = b"alarm-past/";

/// The longest name in bytes: its path must fit.
pub const NAME_BYTES_MOST: usize = 900;

/// The alarms of an account in a Region.
#[must_use]
pub fn alarms_prefix(account: AccountId, region: Region) -> Vec<u8> {
    format!("alarm/{account}/{region}/").into_bytes()
}

/// An alarm.
///
/// # Errors
/// Where the name is longer than [`NAME_BYTES_MOST`].
pub fn alarm(account: AccountId, region: Region, name: &str) -> Result<Path, SpaceError> {
    path(format!("alarm/{account}/{region}/{name}"))
}

/// The index entry of the id of an alarm.
///
/// # Errors
/// As [`alarm`].
pub fn id(account: AccountId, region: Region, alarm: &AlarmRecord) -> Result<Path, SpaceError> {
    path(format!("alarm-id/{account}/{region}/{}/{}", alarm.id, alarm.name))
}

/// The account and the Region of a path under [`ALARM_PREFIX`].
#[must_use]
pub fn read_alarm(path: &Path) -> Option<(AccountId, Region)> {
    let mut parts = core::str::from_utf8(path.as_bytes()).ok()?.split('/').skip(1);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The history of the alarms of an account in a Region, the newest entry first.
#[must_use]
pub fn past_prefix(account: AccountId, region: Region) -> Vec<u8> {
    format!("alarm-past/{account}/{region}/").into_bytes()
}

/// The index of the history of one alarm, the newest entry first.
#[must_use]
pub fn past_of_prefix(account: AccountId, region: Region, name: &str) -> Vec<u8> {
    format!("alarm-past-of/{account}/{region}/{}/", Digest::of(name)).into_bytes()
}

/// The part of a path that stands for a time: the later, the smaller.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    format!("{:016x}", u64::MAX - u64::try_from(at.millis()).unwrap_or_default())
}

/// Where an entry of the history stands: in the history of all alarms, and in the index of its own.
///
/// # Errors
/// Never for well-formed parts.
pub fn past(
    account: AccountId,
    region: Region,
    entry: &AlarmPastRecord,
    distinct: u32,
) -> Result<[Path; 2], SpaceError> {
    let moment = format!("{}-{distinct:08x}", moment(entry.at));
    Ok([
        path(format!("alarm-past/{account}/{region}/{moment}"))?,
        path(format!("alarm-past-of/{account}/{region}/{}/{moment}", Digest::of(&entry.alarm)))?,
    ])
}

/// The path of the entry that an index entry under [`past_of_prefix`] stands for.
///
/// # Errors
/// Where it is none.
pub fn past_by_index(account: AccountId, region: Region, index: &Path) -> Result<Path, SpaceError> {
    let text = core::str::from_utf8(index.as_bytes()).or(Err(SpaceError))?;
    let moment = text.rsplit('/').next().ok_or(SpaceError)?;
    path(format!("alarm-past/{account}/{region}/{moment}"))
}

/// The index entry of an entry of the history that stands at `place`.
///
/// # Errors
/// Where nothing of a history stands there.
pub fn index_of_past(
    account: AccountId,
    region: Region,
    place: &Path,
    entry: &AlarmPastRecord,
) -> Result<Path, SpaceError> {
    let text = core::str::from_utf8(place.as_bytes()).or(Err(SpaceError))?;
    let moment = text.rsplit('/').next().ok_or(SpaceError)?;
    path(format!("alarm-past-of/{account}/{region}/{}/{moment}", Digest::of(&entry.alarm)))
}

impl Draft<'_> {
    /// Makes an alarm, which must not be there.
    ///
    /// # Errors
    /// Where the record cannot be sealed.
    pub fn make_alarm(
        &mut self,
        (account, region): (AccountId, Region),
        record: &AlarmRecord,
    ) -> Result<(), VaultError> {
        self.put(&alarm(account, region, &record.name)?, None, record)?;
        self.index(&id(account, region, record)?)
    }

    /// Replaces an alarm, which is as it was `seen`, by one of the same name and id.
    ///
    /// # Errors
    /// Where the record cannot be sealed.
    pub fn replace_alarm(
        &mut self,
        (account, region): (AccountId, Region),
        seen: Version,
        record: &AlarmRecord,
    ) -> Result<(), VaultError> {
        self.require(&id(account, region, record)?, Some(Version::FIRST));
        self.put(&alarm(account, region, &record.name)?, Some(seen), record)
    }

    /// Deletes an alarm, which is as it was `seen`.
    ///
    /// # Errors
    /// Never for well-formed parts.
    pub fn delete_alarm(
        &mut self,
        (account, region): (AccountId, Region),
        seen: &Versioned<AlarmRecord>,
    ) -> Result<(), VaultError> {
        self.delete(&id(account, region, &seen.record)?, Version::FIRST);
        self.delete(&alarm(account, region, &seen.record.name)?, seen.version);
        Ok(())
    }

    /// Adds an entry to the history; `distinct` tells it from others of the same time.
    ///
    /// # Errors
    /// Where it cannot be sealed.
    pub fn remember(
        &mut self,
        account: AccountId,
        region: Region,
        entry: &AlarmPastRecord,
        distinct: u32,
    ) -> Result<(), VaultError> {
        let [place, index] = past(account, region, entry, distinct)?;
        self.put(&place, None, entry)?;
        self.index(&index)
    }

    /// Removes an entry of the history.
    ///
    /// # Errors
    /// Never for well-formed parts.
    pub fn forget(
        &mut self,
        account: AccountId,
        region: Region,
        place: &Path,
        entry: &AlarmPastRecord,
    ) -> Result<(), VaultError> {
        self.unindex(&index_of_past(account, region, place, entry)?);
        self.unindex(place);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_record_is_read_as_it_was_first_written() {
        let at = Timestamp::from_millis(1_796_026_800_123);
        let stat = StatRecord {
            namespace: "AWS/KMS".into(),
            metric: "KeyUsage".into(),
            dimensions: vec![TagRecord { key: "KeyId".into(), value: "k".into() }],
            period: 60,
            statistic: "Sum".into(),
            unit: Some("Count".into()),
        };
        let query = QueryRecord {
            id: "e1".into(),
            stat: None,
            expression: Some("m1*2".into()),
            label: Some("l".into()),
            return_data: Some(true),
            period: Some(60),
        };
        let state = AlarmState {
            value: StateValue::Alarm,
            reason: "r".into(),
            reason_data: Some("{}".into()),
            updated: at,
            since: at,
        };
        let action = PendingAction { arn: "arn:a".into(), subject: "s".into(), message: "m".into(), at };
        let record = |watched| AlarmRecord {
            name: "a/b".into(),
            description: Some("d".into()),
            actions_enabled: true,
            ok_actions: vec!["arn:o".into()],
            alarm_actions: vec!["arn:a".into()],
            insufficient_data_actions: Vec::new(),
            watched,
            evaluation_periods: 3,
            datapoints_to_alarm: Some(2),
            threshold: 1.5,
            comparison: ComparisonOperator::GreaterThanThreshold,
            missing_data: Some(MissingData::NotBreaching),
            low_samples: Some("ignore".into()),
            sliding_window: true,
            configured: at,
            state: state.clone(),
            tags: vec![TagRecord { key: "k".into(), value: "v".into() }],
            pending: vec![action.clone()],
            id: "00000000000000aa".into(),
        };
        let past = AlarmPastRecord {
            alarm: "a/b".into(),
            at,
            kind: HistoryItemType::Action,
            summary: "s".into(),
            data: "{}".into(),
        };
        let of_metric = record(Watched::Metric(stat));
        let of_queries = record(Watched::Queries(vec![query]));
        for (record, frozen) in [(&of_metric, OF_METRIC), (&of_queries, OF_QUERIES)] {
            let bytes = record.to_bytes().unwrap();
            assert_eq!(hex(&bytes), frozen);
            assert_eq!(AlarmRecord::from_bytes(&bytes).as_ref(), Ok(record));
        }
        let bytes = past.to_bytes().unwrap();
        assert_eq!(hex(&bytes), PAST);
        assert_eq!(AlarmPastRecord::from_bytes(&bytes).as_ref(), Ok(&past));
    }

    // Never changed: what a release has written, every later one reads.
    const OF_METRIC: &str = "01149363612f626164f5816561726e3a6f816561726e3a618082008186674157532f4b4d53684b657955736167658182654b65794964616b183c6353756d65436f756e740302fb3ff800000000000074477265617465725468616e5468726573686f6c64036669676e6f7265f51b000001a22b8a17fb8565414c41524d6172627b7d1b000001a22b8a17fb1b000001a22b8a17fb8182616b617681846561726e3a616173616d1b000001a22b8a17fb7030303030303030303030303030306161";
    const OF_QUERIES: &str = "01149363612f626164f5816561726e3a6f816561726e3a61808201818186626531f6646d312a32616cf5183c0302fb3ff800000000000074477265617465725468616e5468726573686f6c64036669676e6f7265f51b000001a22b8a17fb8565414c41524d6172627b7d1b000001a22b8a17fb1b000001a22b8a17fb8182616b617681846561726e3a616173616d1b000001a22b8a17fb7030303030303030303030303030306161";
    const PAST: &str = "01158563612f621b000001a22b8a17fb66416374696f6e6173627b7d";

    #[test]
    fn the_newest_entry_comes_first_and_an_index_entry_leads_to_it() {
        let (account, region) = ("111122223333".parse().unwrap(), "us-east-1".parse().unwrap());
        let entry = |millis| AlarmPastRecord {
            alarm: "a/b".into(),
            at: Timestamp::from_millis(millis),
            kind: HistoryItemType::StateUpdate,
            summary: String::new(),
            data: String::new(),
        };
        let older = past(account, region, &entry(1_000), 7).unwrap();
        let newer = past(account, region, &entry(1_900_000_000_000), 7).unwrap();
        for (older, newer) in older.iter().zip(&newer) {
            assert!(newer < older);
        }
        let [place, index] = newer;
        assert!(place.starts_with(&past_prefix(account, region)));
        assert!(index.starts_with(&past_of_prefix(account, region, "a/b")));
        assert_eq!(past_by_index(account, region, &index), Ok(place.clone()));
        assert!(!place.starts_with(ALARM_PREFIX));
    }

    #[test]
    fn the_path_of_the_longest_name_fits() {
        let (account, region) = ("111122223333".parse().unwrap(), "ap-southeast-1".parse().unwrap());
        let name = "x".repeat(NAME_BYTES_MOST);
        let path = alarm(account, region, &name).unwrap();
        assert_eq!(read_alarm(&path), Some((account, region)));
        assert!(super::path(format!("alarm-id/{account}/{region}/{}/{name}", "0".repeat(16))).is_ok());
    }
}
