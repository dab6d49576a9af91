//! The audit trail in files: hash-chained segments in one directory, read back by [`verify`].
//!
//! - A *stream* is what one writer has written: the segments `<stream>-<8 digits>.log`, numbered from 1. The chain of
//!   [`keyreeve_audit::chain`] goes on from segment to segment and across restarts.
//! - The first line of a segment is its header; it states where the segment before ends, torn tail included.
//! - A segment appears whole with its header or not at all, is only ever appended to, and is never appended to after a
//!   restart, unless it holds its header alone.
//! - An answer to an append means that the line is in the file, as durable as [`Level`] says. Whatever the disk refuses is
//!   taken out of the file again before the refusal is told.
//!
//! One process writes a directory at a time; reading needs no permission of the writer.

mod batch;
mod counts;
mod directory;
mod disk;
mod ends;
mod medium;
mod segment;
mod state;
mod trail;
mod verify;

pub use counts::WriteCounts;
pub use directory::{OpenTrailError, TrailDirectory};
pub use disk::Disk;
pub use ends::stream_ends;
pub use keyreeve_audit::segment::{ParseNameError, SegmentName, StreamName};
pub use medium::{Medium, SegmentFile};
pub use trail::{FileTrail, Level, MAX_EVENT_LEN, Options, Room};
pub use verify::{Report, StreamReport, TornTail, VerifyError, verify, verify_medium, verify_since};
