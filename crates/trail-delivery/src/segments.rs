//! Where the segments of a trail are read from.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use keyreeve_audit::segment::SegmentName;

use crate::lines;

/// The segments of a trail, as the index reads them. A service may be writing to them meanwhile.
pub trait Segments: Send + Sync {
    /// All that are there.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn names(&self) -> io::Result<BTreeSet<SegmentName>>;

    /// The length of a segment, in bytes.
    ///
    /// # Errors
    /// When it cannot be found out; `NotFound` where the segment is gone.
    fn len(&self, name: &SegmentName) -> io::Result<u64>;

    /// At most `most` bytes of a segment from `offset` on.
    ///
    /// # Errors
    /// When it cannot be read; `NotFound` where the segment is gone.
    fn read(&self, name: &SegmentName, offset: u64, most: usize) -> io::Result<Vec<u8>>;
}

/// Those in a directory.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl Segments for Directory {
    fn names(&self) -> io::Result<BTreeSet<SegmentName>> {
        lines::segments(&self.0)
    }

    fn len(&self, name: &SegmentName) -> io::Result<u64> {
        Ok(fs::metadata(self.0.join(name.to_string()))?.len())
    }

    fn read(&self, name: &SegmentName, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        lines::read_from(&self.0.join(name.to_string()), offset, most)
    }
}
