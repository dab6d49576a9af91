//! By what the events of the trail are found.
//!
//! Every segment has an index of its own: the time and place of each event, and where each value of an attribute occurs. That of a
//! segment that still grows is kept in memory and goes on where the segment has grown, so an event is found as soon as it is
//! written, and noted in a file now and then, from which the next process goes on; that of a complete one is a file ([`crate::index_file`]), of which a search reads little. What an index
//! says is checked against the event itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyreeve_audit::segment::{SegmentName, StreamName};
use keyreeve_domain::{AccountId, Region, Timestamp};
use keyreeve_observe::archive::{AttributeKey, Found, Place, Wanted};
use keyreeve_observe::event::Event;
use parking_lot::Mutex;

use crate::files;
use crate::index_file::{self, IndexFile};
use crate::lines::Ends;
use crate::segment_index::{Entry, SegmentIndex, Span, attribute, last_part, owner, resource, values};
use crate::segments::{Directory, Segments};

mod growing;

use growing::{Growing, PART, STEP};

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
    /// After this place.
    pub after: Option<Place>,
    /// In the order of time, or else the newest first.
    pub oldest_first: bool,
    /// At most so many.
    pub limit: usize,
    /// They end with the one whose JSON makes them so many bytes or more.
    pub bytes: usize,
}

impl Query {
    /// What LookupEvents looks for.
    #[must_use]
    pub fn of(wanted: Wanted) -> Self {
        let Wanted { account, region, attribute, from, to, after, oldest_first, limit, bytes } = wanted;
        let attributes = attribute.into_iter().collect();
        Self {
            owner: Some((account, region)),
            attributes,
            resource: None,
            principal: None,
            from,
            to,
            after,
            oldest_first,
            limit,
            bytes,
        }
    }

    /// How many of these are all that is asked for; nothing where there may be more.
    fn filled_by(&self, found: &[Found]) -> Option<usize> {
        let mut bytes = 0_usize;
        let last = found.iter().take(self.limit).position(|found| {
            bytes = bytes.saturating_add(found.json.len());
            bytes >= self.bytes
        });
        last.map(|last| last.saturating_add(1)).or_else(|| (found.len() >= self.limit).then_some(self.limit))
    }

    fn is_met(&self, event: &Event<'_>) -> bool {
        self.owner.is_none_or(|(account, region)| {
            event.account() == Some(account) && event.region() == Some(region)
        }) && self.attributes.iter().all(|(key, value)| has(event, *key, value))
            && self.resource.as_deref().is_none_or(|wanted| {
                event.resources.iter().any(|held| held.arn == wanted || last_part(&held.arn) == wanted)
            })
            && self
                .principal
                .as_deref()
                .is_none_or(|wanted| event.principal() == Some(wanted) || event.username() == Some(wanted))
    }
}

fn has(event: &Event<'_>, key: AttributeKey, value: &str) -> bool {
    values(event, key).iter().any(|held| held == value)
}

/// What the names of the files of complete segments end with.
const COMPLETE: &str = ".idx";
/// Places that are looked at without asking whether others are fewer.
const FEW: usize = 64;

/// The index of the segments of a trail.
pub struct Index {
    source: Arc<dyn Segments>,
    /// Where the indexes of complete segments are kept; they are in memory where there is no such place.
    kept: Option<PathBuf>,
    /// Where streams ended when this process began to write them; all that is opened before is completed by nobody.
    began: Ends,
    segments: Mutex<BTreeMap<SegmentName, Segment>>,
    /// By this clock, what is still to come is found by those alone who say until when they ask.
    clock: Option<fn() -> Timestamp>,
    /// Bytes by which a segment grows before it is noted how far its index is.
    step: u64,
    /// Events before these places are found no more.
    forgotten: Mutex<Ends>,
}

/// The index of a segment, where it is.
enum Segment {
    Complete(IndexFile),
    Growing(Growing),
}

impl Default for Segment {
    fn default() -> Self {
        Self::Growing(Growing::default())
    }
}

impl Segment {
    fn span(&self) -> Span {
        match self {
            Self::Complete(file) => file.span(),
            Self::Growing(growing) => growing.index.span(),
        }
    }

    /// How many places have the key.
    fn count(&self, key: u64) -> io::Result<usize> {
        match self {
            Self::Complete(file) => file.count(key),
            Self::Growing(growing) => Ok(growing.index.count(key)),
        }
    }

    /// The places of what has the key, in order.
    fn places(&self, key: u64) -> io::Result<Vec<u32>> {
        match self {
            Self::Complete(file) => file.places(key),
            Self::Growing(growing) => Ok(growing.index.places(key)),
        }
    }

    /// What stands at these places; at all of them where none are named.
    fn entries(&self, places: Option<&[u32]>) -> io::Result<Vec<Entry>> {
        match self {
            Self::Complete(file) => file.entries(places),
            Self::Growing(growing) => Ok(growing.index.entries(places)),
        }
    }
}

/// Whether nothing is written to a segment any more.
fn is_complete(name: &SegmentName, names: &BTreeSet<SegmentName>) -> bool {
    name.next().is_some_and(|next| names.contains(&next))
}

/// Moves the index of a complete segment from memory into a file.
fn put_away(kept: &Path, name: &SegmentName, segment: &mut Segment) -> io::Result<()> {
    let Segment::Growing(growing) = segment else { return Ok(()) };
    files::make_directory(kept)?;
    let path = kept.join(format!("{name}{COMPLETE}"));
    files::replace(&path, &index_file::bytes(&growing.index))?;
    if let Some(file) = IndexFile::open(&path)? {
        *segment = Segment::Complete(file);
    }
    Ok(())
}

impl Index {
    /// The index of the segments in `directory`. `began` is where they ended before their writer, if there is one, began.
    #[must_use]
    pub fn new(directory: &Path, began: Ends) -> Self {
        Self::of(Arc::new(Directory::at(directory)), began)
    }

    /// As [`Index::new`], of segments that lie anywhere.
    #[must_use]
    pub fn of(source: Arc<dyn Segments>, began: Ends) -> Self {
        Self {
            source,
            kept: None,
            began,
            segments: Mutex::default(),
            clock: None,
            step: STEP,
            forgotten: Mutex::default(),
        }
    }

    /// The same, for a clock that may be set back: an event of a time that is still to come is found only where the end of the
    /// time that is asked for is said, for such an end is now where nobody says it.
    #[must_use]
    pub fn by_clock(self, clock: fn() -> Timestamp) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// Finds nothing any more of what is written by now.
    ///
    /// # Errors
    /// When the segments cannot be read.
    pub fn forget(&self) -> io::Result<()> {
        let mut ends = Ends::new();
        for name in self.source.names()? {
            // In order, so that the newest is the last.
            ends.insert(name.stream().clone(), (name.number(), self.source.len(&name)?));
        }
        *self.forgotten.lock() = ends;
        Ok(())
    }

    /// The same, with the indexes of complete segments in the directory `kept`, from where they are read, and to where
    /// [`Index::keep`] writes them.
    #[must_use]
    pub fn kept_in(self, kept: &Path) -> Self {
        Self { kept: Some(kept.to_owned()), ..self }
    }

    /// Takes in what was written, moves the indexes of complete segments from memory into files, and notes in files how far those of the
    /// others are.
    ///
    /// # Errors
    /// When segments cannot be read or files not be written.
    pub fn keep(&self) -> io::Result<()> {
        self.keep_by(self.step)
    }

    /// The same, at the end of a process: the next one reads nothing of the segments once more.
    ///
    /// # Errors
    /// As [`Index::keep`].
    pub fn keep_all(&self) -> io::Result<()> {
        self.keep_by(1)
    }

    fn keep_by(&self, step: u64) -> io::Result<()> {
        let Some(kept) = &self.kept else { return Ok(()) };
        files::make_directory(kept)?;
        let mut held = self.segments.lock();
        let names = self.look(&mut held)?;
        for name in &names {
            match held.get_mut(name) {
                Some(segment) if is_complete(name, &names) => put_away(kept, name, segment)?,
                Some(Segment::Growing(growing)) => growing.note(kept, name, step)?,
                Some(Segment::Complete(_)) | None => {}
            }
        }
        // What belongs to segments that are gone, and to those that grew when it was written.
        for entry in fs::read_dir(kept)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let part = name.strip_suffix(PART);
            let segment = part.or_else(|| name.strip_suffix(COMPLETE)).map(str::parse::<SegmentName>);
            if let Some(Ok(segment)) = segment
                && (!names.contains(&segment) || (part.is_some() && is_complete(&segment, &names)))
            {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// The time of the newest event of a segment, in milliseconds; nothing where it is not known.
    pub(crate) fn newest(&self, name: &SegmentName) -> Option<i64> {
        self.segments.lock().get(name).map(|segment| segment.span().newest)
    }

    /// Takes in all segments that are there.
    fn look(&self, held: &mut BTreeMap<SegmentName, Segment>) -> io::Result<BTreeSet<SegmentName>> {
        let names = self.source.names()?;
        held.retain(|name, _| names.contains(name));
        for name in &names {
            if !held.contains_key(name) {
                let found = match &self.kept {
                    Some(kept) => self.kept_segment(kept, name)?,
                    None => None,
                };
                held.insert(name.clone(), found.unwrap_or_default());
            }
            if let Some(Segment::Growing(growing)) = held.get_mut(name) {
                self.extend(name, &mut growing.index)?;
            }
            // ORDER: one after the other, so that the indexes of many segments never are in memory together. One that cannot be
            // written is answered from memory; whoever keeps it hears of that.
            if let (Some(kept), Some(segment)) = (&self.kept, held.get_mut(name))
                && is_complete(name, &names)
                && let Err(error) = put_away(kept, name, segment)
            {
                tracing::warn!(%error, segment = %name, "the index of a segment stays in memory");
            }
        }
        Ok(names)
    }

    /// The index of a segment as the process before has left it.
    fn kept_segment(&self, kept: &Path, name: &SegmentName) -> io::Result<Option<Segment>> {
        if let Some(file) = IndexFile::open(&kept.join(format!("{name}{COMPLETE}")))? {
            return Ok(Some(Segment::Complete(file)));
        }
        let growing = Growing::read(kept, name, &*self.source)?;
        Ok(growing.map(Segment::Growing))
    }

    /// Takes in what was written to a segment that grows.
    fn extend(&self, name: &SegmentName, index: &mut SegmentIndex) -> io::Result<()> {
        let grown = match self.source.len(name) {
            Ok(len) if len > index.read() => self.source.read(name, index.read(), usize::MAX),
            Ok(_) => return Ok(()),
            Err(error) => Err(error),
        };
        match grown {
            // Removed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            grown => {
                index.extend(&grown?);
                Ok(())
            }
        }
    }

    /// The first of the events that `query` asks for, in its order.
    ///
    /// # Errors
    /// When the segments cannot be read.
    pub fn find(&self, query: &Query) -> io::Result<Vec<Found>> {
        let mut held = self.segments.lock();
        self.look(&mut held)?;
        let mut order: Vec<(&SegmentName, &Segment)> = held.iter().collect();
        match query.oldest_first {
            true => order.sort_by_key(|(_, segment)| segment.span().oldest),
            false => order.sort_by_key(|(_, segment)| core::cmp::Reverse(segment.span().newest)),
        }
        let mut found: Vec<Found> = Vec::new();
        for (name, segment) in order {
            // All that is left comes after what was found.
            let last = query.filled_by(&found).and(found.last());
            if last.is_some_and(|last| match query.oldest_first {
                true => last.place.time < segment.span().oldest,
                false => last.place.time > segment.span().newest,
            }) {
                break;
            }
            self.of_segment((name, segment), query, &held, &mut found)?;
            match query.oldest_first {
                true => found.sort_by(|one, other| one.place.cmp(&other.place)),
                false => found.sort_by(|one, other| other.place.cmp(&one.place)),
            }
            // ORDER: a segment that was not read to its end has more than this takes.
            found.truncate(query.filled_by(&found).unwrap_or(query.limit));
        }
        Ok(found)
    }

    fn of_segment(
        &self,
        (name, segment): (&SegmentName, &Segment),
        query: &Query,
        all: &BTreeMap<SegmentName, Segment>,
        found: &mut Vec<Found>,
    ) -> io::Result<()> {
        let millis = |time: Option<Timestamp>| time.map(Timestamp::millis);
        let to = query.to.or_else(|| self.clock.map(|clock| clock()));
        let (from, to) = (millis(query.from).unwrap_or(i64::MIN), millis(to).unwrap_or(i64::MAX));
        let span = segment.span();
        // Pages before this one have had all that the segment holds.
        let is_before = query.after.as_ref().is_some_and(|after| match query.oldest_first {
            true => span.newest < after.time,
            false => span.oldest > after.time,
        });
        if span.entries == 0 || span.oldest > to || span.newest < from || is_before {
            return Ok(());
        }
        let owner = query.owner.map(|(account, region)| owner(account, region));
        let keys = query.attributes.iter().map(|(key, value)| attribute(*key, value));
        let resource = query.resource.as_deref().map(resource);
        // What stands in the fewest places is looked at. ORDER: counted first, for the owner's are most of them.
        let mut narrowest: Option<(usize, u64)> = None;
        for key in keys.chain(resource).chain(owner) {
            let count = segment.count(key)?;
            if count == 0 {
                return Ok(());
            }
            if narrowest.is_none_or(|(least, _)| count < least) {
                narrowest = Some((count, key));
            }
            if count <= FEW {
                break;
            }
        }
        let narrowest = match narrowest {
            // What nearly all have narrows nothing.
            Some((count, key)) if count < span.entries => Some(segment.places(key)?),
            Some(_) | None => None,
        };
        let stream = name.stream().as_str();
        let forgotten = self.forgotten.lock().get(name.stream()).copied().unwrap_or_default();
        let mut candidates: Vec<Entry> = segment
            .entries(narrowest.as_deref())?
            .into_iter()
            .filter(|entry| (from..=to).contains(&entry.time))
            .filter(|entry| (name.number(), entry.offset) >= forgotten)
            .filter(|entry| owner.is_none_or(|owner| owner == entry.owner))
            .filter(|entry| {
                query.after.as_ref().is_none_or(|after| {
                    let place = (entry.time, stream, entry.sequence);
                    let after = (after.time, after.stream.as_str(), after.sequence);
                    if query.oldest_first { place > after } else { place < after }
                })
            })
            .collect();
        candidates.sort_by_key(|entry| (entry.time, entry.sequence));
        if !query.oldest_first {
            candidates.reverse();
        }
        let (mut taken, mut bytes) = (0, 0_usize);
        for entry in candidates {
            if taken >= query.limit || bytes >= query.bytes {
                break;
            }
            let len = usize::try_from(entry.len).unwrap_or(usize::MAX);
            let line = match self.source.read(name, entry.offset, len) {
                // Removed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                line => line?,
            };
            let json = line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
            let json = json.strip_suffix(b"\n").unwrap_or(json);
            let Some(event) = Event::read(json) else { continue };
            if !query.is_met(&event) || (entry.is_opened && !self.is_given_up(name, entry, &event, all)?) {
                continue;
            }
            taken += 1;
            bytes = bytes.saturating_add(json.len());
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
        all: &BTreeMap<SegmentName, Segment>,
    ) -> io::Result<bool> {
        let stream: &StreamName = name.stream();
        if self.began.get(stream).is_none_or(|began| (name.number(), entry.offset) >= *began) {
            return Ok(false);
        }
        let id = attribute(AttributeKey::EventId, event.event_id);
        for (_, segment) in all.iter().filter(|(other, _)| other.stream() == stream) {
            let places = segment.places(id)?;
            if !places.is_empty() && segment.entries(Some(&places))?.iter().any(|entry| !entry.is_opened) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
