//! The index of a segment, in memory.

use std::collections::HashMap;

use keyreeve_crypto::digest::sha256;
use keyreeve_domain::{AccountId, Region};
use keyreeve_observe::archive::AttributeKey;
use keyreeve_observe::event::Event;

/// Where an event stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    pub(crate) time: i64,
    pub(crate) offset: u64,
    pub(crate) len: u32,
    pub(crate) sequence: u64,
    pub(crate) owner: u64,
    pub(crate) is_opened: bool,
}

/// The times of the events of a segment, in milliseconds, and how many there are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) oldest: i64,
    pub(crate) newest: i64,
    pub(crate) entries: usize,
}

/// The index of a segment.
#[derive(Default)]
pub(crate) struct SegmentIndex {
    /// Bytes of the segment that are in the index.
    read: u64,
    span: Span,
    entries: Vec<Entry>,
    /// The hash of what entries are found by, with each of them, sorted: of those that were read from a file.
    noted: Vec<(u64, u32)>,
    /// The same of all that came later, by the hash.
    places: HashMap<u64, Vec<u32>>,
}

impl SegmentIndex {
    /// The index with these entries and places, the places in order of their keys: it is as quick to make as they are to read.
    pub(crate) fn of(span: Span, entries: Vec<Entry>, noted: Vec<(u64, u32)>) -> Self {
        let read = entries.last().map_or(0, |last| last.offset.saturating_add(u64::from(last.len)));
        Self { read, span, entries, noted, places: HashMap::new() }
    }

    pub(crate) fn read(&self) -> u64 {
        self.read
    }

    /// The newest entry.
    pub(crate) fn last(&self) -> Option<Entry> {
        self.entries.last().copied()
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// The places of what has the key, in order.
    pub(crate) fn places(&self, key: u64) -> Vec<u32> {
        let noted = self.noted_of(key).iter().map(|(_, place)| *place);
        noted.chain(self.later_of(key).iter().copied()).collect()
    }

    /// How many places have the key.
    pub(crate) fn count(&self, key: u64) -> usize {
        self.noted_of(key).len().saturating_add(self.later_of(key).len())
    }

    fn noted_of(&self, key: u64) -> &[(u64, u32)] {
        let from = self.noted.partition_point(|(held, _)| *held < key);
        let rest = self.noted.get(from..).unwrap_or_default();
        rest.get(..rest.partition_point(|(held, _)| *held == key)).unwrap_or_default()
    }

    fn later_of(&self, key: u64) -> &[u32] {
        self.places.get(&key).map_or(&[], Vec::as_slice)
    }

    /// Every key with each of its places, in order.
    pub(crate) fn all_places(&self) -> Vec<(u64, u32)> {
        let pairs = self.places.iter().flat_map(|(key, places)| places.iter().map(|place| (*key, *place)));
        let mut pairs: Vec<(u64, u32)> = self.noted.iter().copied().chain(pairs).collect();
        pairs.sort_unstable();
        pairs
    }

    pub(crate) fn entries(&self, places: Option<&[u32]>) -> Vec<Entry> {
        match places {
            None => self.entries.clone(),
            Some(places) => places
                .iter()
                .filter_map(|place| self.entries.get(usize::try_from(*place).ok()?).copied())
                .collect(),
        }
    }

    /// Takes in what was appended to the segment: the bytes after those that were [`Self::read`].
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let whole = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        // Where a loss of power has left a hole, the segment ends.
        for line in whole.take_while(|line| !line.contains(&0)) {
            let offset = self.read;
            self.read = offset.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
            self.add(offset, line);
        }
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
            (self.span.oldest, self.span.newest) = (time, time);
        }
        self.span.oldest = self.span.oldest.min(time);
        self.span.newest = self.span.newest.max(time);
        self.entries.push(Entry { time, offset, len, sequence, owner, is_opened: event.is_opened() });
        self.span.entries = self.entries.len();
        let resources = event.resources.iter().map(|held| resource(&held.arn));
        let attributes = AttributeKey::ALL
            .into_iter()
            .flat_map(|(_, key)| values(&event, key).into_iter().map(move |value| attribute(key, &value)));
        for key in core::iter::once(owner).chain(resources).chain(attributes) {
            let places = self.places.entry(key).or_default();
            if places.last() != Some(&at) {
                places.push(at);
            }
        }
        Some(())
    }
}

/// The values that an event has of an attribute.
pub(crate) fn values(event: &Event<'_>, key: AttributeKey) -> Vec<String> {
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

pub(crate) fn owner(account: AccountId, region: Region) -> u64 {
    hashed(&format!("owner {account} {region}"))
}

pub(crate) fn attribute(key: AttributeKey, value: &str) -> u64 {
    hashed(&format!("{key:?} {value}"))
}

/// A resource, by its ARN or the last part of it.
pub(crate) fn resource(name: &str) -> u64 {
    hashed(&format!("resource {}", last_part(name)))
}

pub(crate) fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn hashed(text: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = sha256(text.as_bytes());
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
