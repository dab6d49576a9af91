//! The index of a segment that still grows: in memory, and now and then in a file, so that a start does not read the segment once more.

use std::io;
use std::path::Path;

use keyreeve_audit::segment::SegmentName;

use crate::files;
use crate::index_file::{self, IndexFile};
use crate::segment_index::{Entry, SegmentIndex};
use crate::segments::Segments;

/// What the names of the files end with.
pub(super) const PART: &str = ".part";
/// Bytes that a segment grows by before its file is written again: as many are read once more by a start, in a few hundredths of a second.
pub(super) const STEP: u64 = 4 << 20;

/// The index of a segment that grows.
#[derive(Default)]
pub(super) struct Growing {
    pub(super) index: SegmentIndex,
    /// Bytes of the segment that are in the index in its file.
    noted: u64,
}

impl Growing {
    /// Writes the index into its file, where the segment has grown by `step` bytes since.
    pub(super) fn note(&mut self, kept: &Path, name: &SegmentName, step: u64) -> io::Result<()> {
        if self.index.read().saturating_sub(self.noted) < step {
            return Ok(());
        }
        files::replace(&kept.join(format!("{name}{PART}")), &index_file::bytes(&self.index))?;
        self.noted = self.index.read();
        Ok(())
    }

    /// The index as the process before has noted it; nothing where there is none, or none of what the segment holds now.
    pub(super) fn read(kept: &Path, name: &SegmentName, source: &dyn Segments) -> io::Result<Option<Self>> {
        let Some(file) = IndexFile::open(&kept.join(format!("{name}{PART}")))? else { return Ok(None) };
        let index = file.in_memory()?;
        let (Some(last), noted) = (index.last(), index.read()) else { return Ok(None) };
        // A loss of power may have taken what was not durable, at the end or as a hole of zeros.
        match is_there(name, source, last, noted) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            found => Ok(found?.then_some(Self { index, noted })),
        }
    }
}

/// Whether a segment has no hole in its first `noted` bytes, and ends there with the line of `last`.
fn is_there(name: &SegmentName, source: &dyn Segments, last: Entry, noted: u64) -> io::Result<bool> {
    let mut from = 0;
    while from < noted {
        let most = usize::try_from(noted.saturating_sub(from)).unwrap_or(BLOCK).min(BLOCK);
        let block = source.read(name, from, most)?;
        if block.len() != most || block.contains(&0) {
            return Ok(false);
        }
        from = from.saturating_add(u64::try_from(most).unwrap_or(u64::MAX));
    }
    let len = usize::try_from(last.len).unwrap_or(usize::MAX);
    let line = source.read(name, last.offset, len)?;
    Ok(line.starts_with(format!("{} ", last.sequence).as_bytes())
        && line.iter().position(|byte| *byte == b'\n') == len.checked_sub(1))
}

/// Bytes that are looked at at once: few enough to be in the cache.
const BLOCK: usize = 256 * 1024;
