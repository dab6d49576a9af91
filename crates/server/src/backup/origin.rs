//! What a trail that was begun by a restore says of the one before it, and whether that one bears it out.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::Path;

use keyreeve_audit::segment::SegmentName;
use keyreeve_trail_delivery::first_segments;
use serde::Deserialize;

use crate::backup::restore::RESTORED;

/// Where a restored trail comes from: its first event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Origin {
    backup_id: String,
    backup_time: String,
    /// Where each stream of the trail before ended: `segment:sequence:hash`, separated by spaces.
    trail_before: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_name: String,
    #[serde(default)]
    service_event_details: Option<serde_json::Value>,
}

impl Origin {
    /// That of the trail in the directory `segments`; none where it was not begun by a restore.
    pub(crate) fn of(segments: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(segments.join("control-00000001.log")) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => BufReader::new(file?),
        };
        // The first line is the header.
        let Some(line) = file.split(b'\n').nth(1).transpose()? else { return Ok(None) };
        let json = line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
        let event: Option<Event> = serde_json::from_slice(json).ok();
        let details =
            event.filter(|event| event.event_name == RESTORED).and_then(|event| event.service_event_details);
        Ok(details.and_then(|details| serde_json::from_value(details).ok()))
    }

    /// What is wrong with the trail in the directory `before`, if it is to be the one before: it must be whole from the segments on
    /// that its delivery into `folder` has left, and hold the line in which each stream ended when the backup was taken.
    pub(crate) fn problems(&self, before: &Path, folder: &Path) -> io::Result<Vec<String>> {
        let mut problems = Vec::new();
        if let Err(error) = keyreeve_trail_file::verify_since(before, &first_segments(folder)?) {
            problems.push(error.to_string());
        }
        for place in self.trail_before.split_ascii_whitespace() {
            let held = match Place::read(place) {
                Some(place) => place.is_held(before)?,
                None => false,
            };
            if !held {
                problems.push(format!("the line that this trail goes on from is not in it: {place}"));
            }
        }
        Ok(problems)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backup_id, backup_time, trail_before } = self;
        write!(
            f,
            "RESTORED: this trail begins with the restore of backup {backup_id}, taken at {backup_time}; "
        )?;
        write!(f, "the one before had reached {trail_before}")
    }
}

/// A line of a stream.
struct Place<'a> {
    segment: SegmentName,
    sequence: &'a str,
    hash: &'a str,
}

impl<'a> Place<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(':');
        Some(Self { segment: parts.next()?.parse().ok()?, sequence: parts.next()?, hash: parts.next()? })
    }

    /// Whether the line is in its segment. Sequence numbers of a whole stream are there once.
    fn is_held(&self, directory: &Path) -> io::Result<bool> {
        let Self { segment, sequence, hash } = self;
        let file = match File::open(directory.join(segment.to_string())) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            file => BufReader::new(file?),
        };
        let begins = format!("{sequence} {hash} ");
        for line in file.split(b'\n') {
            if line?.starts_with(begins.as_bytes()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
