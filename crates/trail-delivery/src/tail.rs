//! The events of the trail, one after the other, for somebody who is told of each: from where he was told last, however often the
//! process dies.
//!
//! The place is kept in a file of its own. It is moved after the events before it were taken, so an event may be told again after a
//! crash, and none is left out; what was removed by retention before it was told is counted as a gap.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use keyreeve_audit::segment::StreamName;
use keyreeve_domain::Timestamp;
use keyreeve_observe::event::Event;
use serde::{Deserialize, Serialize};

use crate::deliver::DeliveryError;
use crate::files;
use crate::lines::{self, Ends, Line, ReadError};
use crate::settled::{Unread, settled};
use crate::state::StreamState;

/// Bytes that are read of a stream at once; twice the longest line at least.
const BUDGET: usize = 1024 * 1024;
const VERSION: u32 = 1;

/// The events after a place.
pub struct Tail {
    segments: PathBuf,
    path: PathBuf,
    began: Ends,
    /// Up to where events were taken.
    kept: Place,
    /// Up to where they were read.
    read: Place,
    gaps: u64,
}

/// How far each stream was read.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    version: u32,
    streams: BTreeMap<String, StreamState>,
}

/// Events that were read and not taken yet.
#[derive(Debug, Default)]
pub struct Events {
    /// Time and JSON of each, in the order of time.
    pub events: Vec<(Timestamp, Vec<u8>)>,
    /// Whether there is more to read at once.
    pub more: bool,
    /// What was in the way of reading a stream. The others go on.
    pub fault: Option<DeliveryError>,
}

impl Tail {
    /// Goes on from the place in the file `path`. Where there is none, with what is written from now on: `began` is where the
    /// streams in the directory `segments` ended before this process wrote to them.
    ///
    /// # Errors
    /// When the place cannot be read or kept.
    pub fn open(segments: &Path, path: &Path, began: Ends) -> Result<Self, DeliveryError> {
        let (segments, path) = (segments.to_owned(), path.to_owned());
        if let Some(directory) = path.parent() {
            files::make_directory(directory)?;
        }
        let kept = match files::read(&path)? {
            Some(bytes) => {
                let place: Place = serde_json::from_slice(&bytes).map_err(io::Error::other)?;
                if place.version != VERSION {
                    let version = place.version;
                    let text = format!("version {version} of the place of a stream is not known");
                    return Err(io::Error::other(text).into());
                }
                place
            }
            None => {
                let mut streams = BTreeMap::new();
                for (stream, (number, len)) in &began {
                    streams.insert(stream.as_str().to_owned(), end(&segments, stream, (*number, *len))?);
                }
                let place = Place { version: VERSION, streams };
                keep(&path, &place)?;
                place
            }
        };
        Ok(Self { segments, path, began, read: kept.clone(), kept, gaps: 0 })
    }

    /// How often events were gone before they could be told, since the process began.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.gaps
    }

    /// The next events, after those that were read before.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn read(&mut self) -> Result<Events, DeliveryError> {
        let mut found = Events::default();
        let names: Vec<StreamName> = {
            let segments = lines::segments(&self.segments)?;
            let mut names: Vec<_> = segments.iter().map(|segment| segment.stream().clone()).collect();
            names.dedup();
            names
        };
        for stream in names {
            let before = match self.read.streams.get(stream.as_str()) {
                Some(at) => at.clone(),
                None => lines::start(&self.segments, &stream)?,
            };
            match self.read_stream(&stream, before, &mut found.events) {
                Ok(more) => found.more |= more,
                Err(DeliveryError::Io(error)) => return Err(DeliveryError::Io(error)),
                Err(error) => found.fault = Some(error),
            }
        }
        found.events.sort_by_key(|(time, _)| *time);
        Ok(found)
    }

    fn read_stream(
        &mut self,
        stream: &StreamName,
        mut at: StreamState,
        events: &mut Vec<(Timestamp, Vec<u8>)>,
    ) -> Result<bool, DeliveryError> {
        let mut read = Vec::new();
        let left = match lines::read(&self.segments, stream, &mut at, BUDGET, &mut read) {
            Ok(left) => left,
            Err(ReadError::Missing(segment)) => {
                let next = lines::start(&self.segments, stream)?;
                // A segment in the middle that is gone was not removed by retention.
                if next.segment <= at.segment {
                    return Err(ReadError::Missing(segment).into());
                }
                self.gaps = self.gaps.saturating_add(1);
                tracing::error!(%segment, "events were removed before a stream was told of them");
                self.read.streams.insert(stream.as_str().to_owned(), next);
                return Ok(true);
            }
            Err(error) => return Err(error.into()),
        };
        let unread =
            |Unread { segment, offset }| DeliveryError::Event { stream: stream.clone(), segment, offset };
        let told = settled(&mut at, self.began.get(stream), left, read).map_err(unread)?;
        for Line { segment, offset, json } in told {
            let time = Event::read(&json).and_then(|event| event.time());
            events.push((time.ok_or_else(|| unread(Unread { segment, offset }))?, json));
        }
        self.read.streams.insert(stream.as_str().to_owned(), at);
        Ok(left)
    }

    /// Up to where events were read.
    #[must_use]
    pub fn place(&self) -> Place {
        self.read.clone()
    }

    /// Notes, in memory, that what was read up to `place` was taken.
    pub fn take(&mut self, place: Place) {
        self.kept = place;
    }

    /// Forgets what was read and not taken: it is read again.
    pub fn again(&mut self) {
        self.read.clone_from(&self.kept);
    }

    /// Keeps the place up to which events were taken, durably.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub fn keep(&self) -> io::Result<()> {
        // ORDER: the segments first: a loss of power must not leave a place that is behind their ends.
        for (stream, at) in &self.kept.streams {
            lines::sync(&self.segments, &stream.parse().map_err(io::Error::other)?, at)?;
        }
        keep(&self.path, &self.kept)
    }
}

fn keep(path: &Path, place: &Place) -> io::Result<()> {
    files::replace(path, &serde_json::to_vec(place).map_err(io::Error::other)?)
}

/// Where a stream stands after the first `len` bytes of its segment `number`.
fn end(
    segments: &Path,
    stream: &StreamName,
    (number, len): (u32, u64),
) -> Result<StreamState, DeliveryError> {
    let mut at = lines::start_of(segments, stream, number)?;
    let most = usize::try_from(len).unwrap_or(usize::MAX);
    lines::skip(segments, stream, &mut at, most)?;
    Ok(at)
}

/// Removes the places of streams in `directory` that are not in `names`.
///
/// # Errors
/// When they cannot be removed.
pub fn forget_others(directory: &Path, names: &[&str]) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if !names.contains(&stem) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use keyreeve_audit::chain::Chain;
    use serde_json::json;

    use super::*;

    /// A directory in which one stream is written.
    struct Trail {
        root: tempfile::TempDir,
        chain: Chain,
        segment: u32,
    }

    impl Trail {
        fn new() -> Self {
            let mut trail = Self { root: tempfile::tempdir().unwrap(), chain: Chain::START, segment: 0 };
            trail.begin();
            trail
        }

        fn path(&self, segment: u32) -> PathBuf {
            self.root.path().join(format!("w0-{segment:08}.log"))
        }

        fn append(&mut self, json: &serde_json::Value) {
            let mut line = Vec::new();
            self.chain.append(json.to_string().as_bytes(), &mut line);
            let path = self.path(self.segment);
            let mut held = fs::read(&path).unwrap_or_default();
            held.extend(line);
            fs::write(path, held).unwrap();
        }

        fn begin(&mut self) {
            let hash = keyreeve_crypto::digest::LowerHex::new(&self.chain.hash).as_str().to_owned();
            self.segment += 1;
            self.append(&json!({"previousHash": hash}));
        }

        fn event(&mut self, id: &str, phase: Option<&str>) {
            self.append(&json!({
                "userIdentity": {"type": "Root"}, "eventTime": "2026-01-02T03:04:05Z", "eventSource": "kms.amazonaws.com",
                "eventName": "Encrypt", "awsRegion": "us-east-1", "eventID": id, "readOnly": false,
                "additionalEventData": phase.map(|phase| json!({"recordPhase": phase})),
                "recipientAccountId": "111122223333",
            }));
        }

        fn tail(&self, began: Ends) -> Tail {
            Tail::open(self.root.path(), &self.root.path().join("places/siem.json"), began).unwrap()
        }

        fn ends(&self) -> Ends {
            lines::ends(self.root.path()).unwrap()
        }
    }

    fn told(tail: &mut Tail) -> Vec<String> {
        let mut told = Vec::new();
        loop {
            let Events { events, more, fault } = tail.read().unwrap();
            assert!(fault.is_none(), "{fault:?}");
            told.extend(events.iter().map(|(_, json)| Event::read(json).unwrap().event_id.to_owned()));
            if !more {
                return told;
            }
        }
    }

    #[test]
    fn a_new_tail_tells_what_is_written_from_then_on_in_every_segment_and_stream() {
        let mut trail = Trail::new();
        trail.event("old", None);
        let mut tail = trail.tail(trail.ends());
        assert!(told(&mut tail).is_empty());
        trail.event("a", None);
        trail.begin();
        trail.event("b", None);
        assert_eq!(told(&mut tail), ["a", "b"]);
        assert!(told(&mut tail).is_empty());
    }

    #[test]
    fn behind_the_hole_of_a_lost_power_the_next_segment_goes_on() {
        for length in [1, 4096, 3 * BUDGET] {
            let mut trail = Trail::new();
            let mut tail = trail.tail(trail.ends());
            trail.event("a", None);
            let mut held = fs::read(trail.path(1)).unwrap();
            held.extend(b"3 01");
            held.resize(held.len() + length, 0);
            held.extend(b"\n4 0123 {}\n");
            fs::write(trail.path(1), held).unwrap();
            assert_eq!(told(&mut tail), ["a"], "{length}");
            trail.begin();
            trail.event("b", None);
            assert_eq!(told(&mut tail), ["b"], "{length}");
        }
    }

    #[test]
    fn what_was_not_taken_is_told_again_and_what_was_kept_is_not() {
        let mut trail = Trail::new();
        let mut tail = trail.tail(trail.ends());
        trail.event("a", None);
        assert_eq!(told(&mut tail), ["a"]);
        tail.again();
        assert_eq!(told(&mut tail), ["a"]);
        let place = tail.place();
        trail.event("b", None);
        assert_eq!(told(&mut tail), ["b"]);
        tail.take(place);
        // Taken, but not kept: a crash tells it again.
        assert_eq!(told(&mut trail.tail(trail.ends())), ["a", "b"]);
        tail.keep().unwrap();
        assert_eq!(told(&mut trail.tail(trail.ends())), ["b"]);
    }

    #[test]
    fn a_change_is_told_when_it_is_completed_or_given_up() {
        let mut trail = Trail::new();
        let mut tail = trail.tail(trail.ends());
        trail.event("a", Some("Opened"));
        trail.event("b", Some("Opened"));
        assert!(told(&mut tail).is_empty());
        trail.event("b", None);
        assert_eq!(told(&mut tail), ["b"]);
        tail.take(tail.place());
        tail.keep().unwrap();
        // The next process knows that nobody completes it.
        assert_eq!(told(&mut trail.tail(trail.ends())), ["a"]);
    }

    #[test]
    fn what_was_removed_before_it_was_told_is_a_gap() {
        let mut trail = Trail::new();
        let mut tail = trail.tail(trail.ends());
        trail.event("a", None);
        trail.begin();
        trail.event("b", None);
        trail.begin();
        trail.event("c", None);
        for segment in [1, 2] {
            fs::remove_file(trail.path(segment)).unwrap();
        }
        assert_eq!(told(&mut tail), ["c"]);
        assert_eq!(tail.gaps(), 1);
    }

    #[test]
    fn a_stream_that_was_tampered_with_is_told_no_further() {
        let mut trail = Trail::new();
        let mut tail = trail.tail(trail.ends());
        trail.event("a", None);
        let path = trail.path(1);
        let changed = fs::read_to_string(&path).unwrap().replace("\"a\"", "\"b\"");
        fs::write(path, changed).unwrap();
        let found = tail.read().unwrap();
        assert!(found.events.is_empty() && matches!(found.fault, Some(DeliveryError::Segments(_))));
    }
}
