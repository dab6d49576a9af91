//! A directory of streams, open to write.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::counts::WriteCounts;
use crate::disk::Disk;
use crate::medium::Medium;
use crate::segment::{End, Header};
use crate::trail::{FileTrail, Options, Room};
use keyreeve_audit::segment::{SegmentName, StreamName};

/// The directory of an audit trail. The newest segment of each stream was checked when it was opened.
pub struct TrailDirectory {
    medium: Arc<dyn Medium>,
    /// Where each stream ends; `None` once a trail writes it.
    streams: Mutex<BTreeMap<StreamName, Option<End>>>,
    counts: Arc<WriteCounts>,
    room: Option<Room>,
    /// Held for its lock.
    _lock: Option<File>,
}

impl TrailDirectory {
    /// Opens the directory at `path`, made if it is not there, as its only writer.
    ///
    /// # Errors
    /// When another process writes it, it cannot be read, or the newest segment of a stream is damaged. A torn tail is no
    /// damage.
    pub fn open(path: &Path) -> Result<Self, OpenTrailError> {
        let disk = Disk::at(path);
        let lock = disk.claim()?.ok_or(OpenTrailError::InUse)?;
        Ok(Self { _lock: Some(lock), ..Self::open_medium(Arc::new(disk))? })
    }

    /// Opens a directory that is not, or not plainly, on a disk; the caller sees to it that nothing else writes it.
    ///
    /// # Errors
    /// As [`TrailDirectory::open`].
    pub fn open_medium(medium: Arc<dyn Medium>) -> Result<Self, OpenTrailError> {
        let mut newest = BTreeMap::<StreamName, SegmentName>::new();
        for name in medium.names()? {
            let Ok(segment) = name.parse::<SegmentName>() else { continue };
            let known = newest.entry(segment.stream().clone()).or_insert_with(|| segment.clone());
            if segment.number() > known.number() {
                *known = segment;
            }
        }
        let mut streams = BTreeMap::new();
        for (stream, segment) in newest {
            let end = end_of(&segment, &medium.read(&segment.to_string())?)?;
            streams.insert(stream, Some(end));
        }
        Ok(Self { medium, streams: Mutex::new(streams), counts: Arc::default(), room: None, _lock: None })
    }

    /// The same, whose trails ask `room` when the disk is full, and write once more where it has made some.
    #[must_use]
    pub fn with_room(self, room: Room) -> Self {
        Self { room: Some(room), ..self }
    }

    /// The trail that goes on with `stream`, in a new segment unless the last one holds its header alone. Call it on the
    /// thread that is to write; it waits for the disk.
    ///
    /// # Errors
    /// When the stream has been taken from this directory before, or the segment cannot be made.
    pub fn trail(&self, stream: &StreamName, options: Options) -> Result<FileTrail, OpenTrailError> {
        let mut streams = self.streams.lock();
        let slot = streams.entry(stream.clone()).or_insert(Some(End::START));
        let end = slot.as_ref().ok_or(OpenTrailError::InUse)?;
        let trail = self.begin(stream, end, options)?;
        *slot = None;
        Ok(trail)
    }

    fn begin(&self, stream: &StreamName, end: &End, options: Options) -> Result<FileTrail, OpenTrailError> {
        let (medium, room) = (Arc::clone(&self.medium), self.room.clone());
        let next = match &end.segment {
            Some(segment) if end.lines == 1 && end.torn == 0 => {
                let file = medium.reopen(&segment.to_string())?;
                let at = (file, end.clone());
                return Ok(FileTrail::begin((medium, room), at, options, Arc::clone(&self.counts)));
            }
            Some(segment) => {
                // What the next header says of this segment holds after a loss of power too.
                medium.reopen(&segment.to_string())?.sync()?;
                segment.next().ok_or(OpenTrailError::Full)?
            }
            None => SegmentName::first(stream.clone()),
        };
        let (end, header) = end.begin(&next);
        let file = medium.create(&next.to_string(), &header)?;
        Ok(FileTrail::begin((medium, room), (file, end), options, Arc::clone(&self.counts)))
    }

    /// What the trails of the directory have written.
    #[must_use]
    pub fn counts(&self) -> Arc<WriteCounts> {
        Arc::clone(&self.counts)
    }
}

/// Where a segment ends, on its own word about where it begins.
fn end_of(segment: &SegmentName, bytes: &[u8]) -> Result<End, OpenTrailError> {
    let damaged = |line| OpenTrailError::Damaged { segment: segment.clone(), line };
    let (header, chain) = Header::read(bytes).ok_or_else(|| damaged(1))?;
    if !header.names(segment) {
        return Err(damaged(1));
    }
    let end = End::of(segment, bytes, chain)
        .map_err(|keyreeve_audit::chain::ChainError::Broken { line }| damaged(line))?;
    // The header itself may be torn only if the disk lost what it had promised to keep.
    if end.lines == 0 { Err(damaged(1)) } else { Ok(end) }
}

/// The trail cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenTrailError {
    /// A line of a stream's newest segment does not continue the chain, so nothing can be chained to it.
    #[error("line {line} of `{segment}` does not continue the chain")]
    Damaged {
        /// The segment.
        segment: SegmentName,
        /// The line in the segment, from 1.
        line: u64,
    },
    /// The stream has used up the numbers of segments.
    #[error("the stream has no number left for a segment")]
    Full,
    /// Another process writes the directory, or another trail the stream.
    #[error("the trail is being written already")]
    InUse,
    /// The operating system refused.
    #[error("the directory of the trail cannot be used: {0}")]
    Io(#[from] io::Error),
}
