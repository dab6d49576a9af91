//! By what the events of the trail are found.
//!
//! Every segment has an index of its own: the time and place of each event, and where each value of an attribute occurs. It is made
//! from the segment when it is first asked for, and goes on where the segment has grown; so an event is found as soon as
//! it is written. What an index says is checked against the event itself.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use keyreeve_audit::segment::{SegmentName, StreamName};
use keyreeve_crypto::digest::sha256;
use keyreeve_domain::{AccountId, Region, Timestamp};
use keyreeve_observe::archive::{AttributeKey, Found, Place, Wanted};
use keyreeve_observe::event::Event;
use parking_lot::Mutex;

use crate::lines::{self, Ends, read_from};

/// What is looked for in the segments of a directory.
#[derive(Clone, Debug)]
pub struct Query {
    /// Events of this account and Region; of all where there is none.
    pub owner: Option<(AccountId, Region)>,
    /// With all of these attributes.
    pub attributes: Vec<(AttributeKey, String)>,
    /// About this resource, as its ARN or the last part of it.
    pub resource: Option<String>,
    /// By this principal, as its ARN or name.
    pub principal: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    /// After this place, newest first.
    pub after: Option<Place>,
    /// At most so many.
    pub limit: usize,
}

impl Query {
    /// What LookupEvents looks for.
    #[must_use]
    pub fn of(wanted: Wanted) -> Self {
        let Wanted { account, region, attribute, from, to, after, limit } = wanted;
        let attributes = attribute.into_iter().collect();
        Self {
            owner: Some((account, region)),
            attributes,
            resource: None,
            principal: None,
            from,
            to,
            after,
            limit,
        }
    }

    fn is_met(&self, event: &Event<'_>) -> bool {
        self.owner.is_none_or(|(account, region)| {
            event.account() == Some(account) && event.region() == Some(region)
        }) && self.attributes.iter().all(|(key, value)| has(event, *key, value))
            && self
                .principal
                .as_deref()
                .is_none_or(|wanted| event.principal() == Some(wanted) || event.username() == Some(wanted))
    }
}

fn has(event: &Event<'_>, key: AttributeKey, value: &str) -> bool {
    values(event, key).iter().any(|held| held == value)
}

/// The values that an event has of an attribute.
fn values(event: &Event<'_>, key: AttributeKey) -> Vec<String> {
    let one = |value: Option<&str>| value.map(str::to_owned).into_iter().collect();
    match key {
        AttributeKey::AccessKeyId => one(event.access_key_id()),
        AttributeKey::EventId => one(Some(event.event_id)),
        AttributeKey::EventName => one(Some(&event.event_name)),
        AttributeKey::EventSource => one(Some(event.event_source)),
        AttributeKey::ReadOnly => one(Some(if event.read_only { "true" } else { "false" })),
        AttributeKey::ResourceName => {
            event.resources.iter().map(|resource| resource.arn.to_string()).collect()
        }
        AttributeKey::ResourceType => {
            event.resources.iter().map(|resource| resource.kind.to_string()).collect()
        }
        AttributeKey::Username => one(event.username()),
    }
}

/// The index of a directory of segments.
pub struct Index {
    directory: PathBuf,
    /// Where streams ended when this process began to write them; all that is opened before is completed by nobody.
    began: Ends,
    segments: Mutex<BTreeMap<SegmentName, SegmentIndex>>,
}

/// The index of a segment.
#[derive(Default)]
struct SegmentIndex {
    /// Bytes of the segment that are in the index.
    read: u64,
    oldest: i64,
    newest: i64,
    entries: Vec<Entry>,
    /// Entries by the hash of what they are found by, in order.
    places: HashMap<u64, Vec<u32>>,
}

/// Where an event stands.
#[derive(Clone, Copy)]
struct Entry {
    time: i64,
    offset: u64,
    len: u32,
    sequence: u64,
    owner: u64,
    is_opened: bool,
}

impl Index {
    /// The index of the segments in `directory`. `began` is where they ended before their writer, if there is one, began.
    #[must_use]
    pub fn new(directory: &Path, began: Ends) -> Self {
        Self { directory: directory.to_owned(), began, segments: Mutex::default() }
    }

    /// The newest events that `query` asks for, newest first.
    ///
    /// # Errors
    /// When the segments cannot be read.
    pub fn find(&self, query: &Query) -> io::Result<Vec<Found>> {
        let names = lines::segments(&self.directory)?;
        let mut held = self.segments.lock();
        held.retain(|name, _| names.contains(name));
        for name in &names {
            let path = self.directory.join(name.to_string());
            let index = held.entry(name.clone()).or_default();
            if fs::metadata(&path)?.len() > index.read {
                index.extend(&path)?;
            }
        }
        let mut order: Vec<(&SegmentName, &SegmentIndex)> = held.iter().collect();
        order.sort_by_key(|(_, index)| core::cmp::Reverse(index.newest));
        let mut found: Vec<Found> = Vec::new();
        for (name, index) in order {
            // All that is left is older than what was found.
            let last = found.get(query.limit.saturating_sub(1));
            if last.is_some_and(|last| last.place.time > index.newest) {
                break;
            }
            self.of_segment(name, index, query, &held, &mut found)?;
            found.sort_by(|one, other| other.place.cmp(&one.place));
            found.truncate(query.limit);
        }
        Ok(found)
    }

    fn of_segment(
        &self,
        name: &SegmentName,
        index: &SegmentIndex,
        query: &Query,
        all: &BTreeMap<SegmentName, SegmentIndex>,
        found: &mut Vec<Found>,
    ) -> io::Result<()> {
        let millis = |time: Option<Timestamp>| time.map(Timestamp::millis);
        let (from, to) = (millis(query.from).unwrap_or(i64::MIN), millis(query.to).unwrap_or(i64::MAX));
        if index.entries.is_empty() || index.oldest > to || index.newest < from {
            return Ok(());
        }
        let owner = query.owner.map(|(account, region)| owner(account, region));
        let keys = query.attributes.iter().map(|(key, value)| attribute(*key, value));
        let resource = query.resource.as_deref().map(resource);
        // What stands in the fewest places is looked at.
        let narrowest = keys
            .chain(owner)
            .chain(resource)
            .map(|key| index.places.get(&key).map_or(&[][..], Vec::as_slice))
            .min_by_key(|places| places.len());
        let all_places: Vec<u32>;
        let places = match narrowest {
            Some(places) => places,
            None => {
                all_places = (0..u32::try_from(index.entries.len()).unwrap_or(u32::MAX)).collect();
                &all_places
            }
        };
        let path = self.directory.join(name.to_string());
        let stream = name.stream().as_str();
        let mut candidates: Vec<Entry> = places
            .iter()
            .filter_map(|place| index.entries.get(usize::try_from(*place).ok()?).copied())
            .filter(|entry| (from..=to).contains(&entry.time))
            .filter(|entry| owner.is_none_or(|owner| owner == entry.owner))
            .filter(|entry| {
                query.after.as_ref().is_none_or(|after| {
                    (entry.time, stream, entry.sequence) < (after.time, after.stream.as_str(), after.sequence)
                })
            })
            .collect();
        candidates.sort_by_key(|entry| core::cmp::Reverse((entry.time, entry.sequence)));
        let mut taken = 0;
        for entry in candidates {
            if taken >= query.limit {
                break;
            }
            let line = read_from(&path, entry.offset, usize::try_from(entry.len).unwrap_or(usize::MAX))?;
            let json = line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
            let json = json.strip_suffix(b"\n").unwrap_or(json);
            let Some(event) = Event::read(json) else { continue };
            if !query.is_met(&event) || (entry.is_opened && !self.is_given_up(name, entry, &event, all)) {
                continue;
            }
            taken += 1;
            let place = Place { time: entry.time, stream: stream.to_owned(), sequence: entry.sequence };
            found.push(Found { place, json: json.to_vec() });
        }
        Ok(())
    }

    /// Whether an event that announces a change is completed by none, and will not be.
    fn is_given_up(
        &self,
        name: &SegmentName,
        entry: Entry,
        event: &Event<'_>,
        all: &BTreeMap<SegmentName, SegmentIndex>,
    ) -> bool {
        let stream: &StreamName = name.stream();
        let is_before = self.began.get(stream).is_some_and(|began| (name.number(), entry.offset) < *began);
        let id = attribute(AttributeKey::EventId, event.event_id);
        is_before
            && !all.iter().filter(|(other, _)| other.stream() == stream).any(|(_, index)| {
                let places = index.places.get(&id).map_or(&[][..], Vec::as_slice);
                places.iter().any(|place| {
                    let entry = usize::try_from(*place).ok().and_then(|at| index.entries.get(at));
                    entry.is_some_and(|entry| !entry.is_opened)
                })
            })
    }
}

impl SegmentIndex {
    /// Takes in what was appended to the segment.
    fn extend(&mut self, path: &Path) -> io::Result<()> {
        let bytes = read_from(path, self.read, usize::MAX)?;
        for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
            let offset = self.read;
            self.read = offset.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
            self.add(offset, line);
        }
        Ok(())
    }

    /// Takes in a line; what is no event, as the header, is passed over.
    fn add(&mut self, offset: u64, line: &[u8]) -> Option<()> {
        let mut fields = line.splitn(3, |byte| *byte == b' ');
        let sequence = core::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
        let event = Event::read(fields.nth(1)?)?;
        let time = event.time()?.millis();
        let owner = owner(event.account()?, event.region()?);
        let at = u32::try_from(self.entries.len()).ok()?;
        let len = u32::try_from(line.len()).ok()?;
        if self.entries.is_empty() {
            (self.oldest, self.newest) = (time, time);
        }
        self.oldest = self.oldest.min(time);
        self.newest = self.newest.max(time);
        self.entries.push(Entry { time, offset, len, sequence, owner, is_opened: event.is_opened() });
        self.places.entry(owner).or_default().push(at);
        let resources = event.resources.iter().map(|held| resource(&held.arn));
        let attributes = AttributeKey::ALL
            .into_iter()
            .flat_map(|(_, key)| values(&event, key).into_iter().map(move |value| attribute(key, &value)));
        for key in resources.chain(attributes) {
            let places = self.places.entry(key).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
        }
        Some(())
    }
}

fn owner(account: AccountId, region: Region) -> u64 {
    hashed(&format!("owner {account} {region}"))
}

fn attribute(key: AttributeKey, value: &str) -> u64 {
    hashed(&format!("{key:?} {value}"))
}

/// A resource, by its ARN or the last part of it.
fn resource(name: &str) -> u64 {
    hashed(&format!("resource {}", last_part(name)))
}

fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn hashed(text: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = sha256(text.as_bytes());
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
