//! The proof that the segments of a directory are whole.
//!
//! What it cannot see: that the newest lines or segments of a stream, or a whole stream, are gone. [`StreamReport`] tells
//! the end of each stream, to be compared with an end that was noted elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use keyreeve_audit::chain::{Chain, ChainError};

use crate::disk::Disk;
use crate::medium::Medium;
use crate::segment::{End, Header};
use keyreeve_audit::segment::{SegmentName, StreamName};

/// What a directory without a break holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// The streams, by name.
    pub streams: Vec<StreamReport>,
}

/// What a stream without a break holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StreamReport {
    /// The stream.
    pub stream: StreamName,
    /// How many segments it has.
    pub segments: u32,
    /// Whole lines of all segments, headers included.
    pub lines: u64,
    /// The end of its chain.
    pub end: Chain,
    /// What crashes left behind, in the order of the segments. All but one in the newest segment are noted in the trail.
    pub torn_tails: Vec<TornTail>,
}

/// Bytes after the last whole line of a segment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TornTail {
    /// The segment.
    pub segment: SegmentName,
    /// The line that would have followed, from 1.
    pub line: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// The first break of a trail, by stream and number.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A line was changed, left out, added or moved.
    #[error("line {line} of `{segment}` does not continue the chain")]
    Broken {
        /// The segment.
        segment: SegmentName,
        /// The line in the segment, from 1.
        line: u64,
    },
    /// A segment was cut or extended after the next one had begun.
    #[error("`{segment}` ends before line {line}, which is not where the next segment says that it ends")]
    End {
        /// The segment.
        segment: SegmentName,
        /// The line after the last whole one, from 1.
        line: u64,
    },
    /// A segment is not there, though a later one is.
    #[error("`{segment}` is missing")]
    Missing {
        /// The segment.
        segment: SegmentName,
    },
    /// The operating system refused.
    #[error("the directory of the trail cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Checks every segment of every stream in the directory at `path`, which may be in use.
///
/// # Errors
/// At the first break.
pub fn verify(path: &Path) -> Result<Report, VerifyError> {
    verify_since(path, &BTreeMap::new())
}

/// As [`verify`], where the first segments of streams were removed on purpose: `first` has the number of the first one that
/// must be there, by stream. What it says of the one before is taken for true.
///
/// # Errors
/// At the first break.
pub fn verify_since(path: &Path, first: &BTreeMap<String, u32>) -> Result<Report, VerifyError> {
    verify_each(&Disk::at(path), first)
}

/// Checks every segment of every stream.
///
/// # Errors
/// At the first break.
pub fn verify_medium(medium: &dyn Medium) -> Result<Report, VerifyError> {
    verify_each(medium, &BTreeMap::new())
}

fn verify_each(medium: &dyn Medium, first: &BTreeMap<String, u32>) -> Result<Report, VerifyError> {
    let mut streams = BTreeMap::<StreamName, BTreeSet<SegmentName>>::new();
    for name in medium.names()? {
        if let Ok(segment) = name.parse::<SegmentName>() {
            streams.entry(segment.stream().clone()).or_default().insert(segment);
        }
    }
    let streams = streams.into_iter().map(|(stream, mut segments)| {
        let first = first.get(stream.as_str()).copied().unwrap_or(1);
        // One that was to be removed may still be there.
        segments.retain(|segment| segment.number() >= first);
        verify_stream(medium, stream, &segments, first)
    });
    Ok(Report { streams: streams.collect::<Result<_, _>>()? })
}

fn verify_stream(
    medium: &dyn Medium,
    stream: StreamName,
    segments: &BTreeSet<SegmentName>,
    first: u32,
) -> Result<StreamReport, VerifyError> {
    let mut report =
        StreamReport { stream, segments: 0, lines: 0, end: Chain::START, torn_tails: Vec::new() };
    let mut end = match segments.iter().next().filter(|segment| first > 1 && segment.number() == first) {
        Some(segment) => End::before(segment, &medium.read(&segment.to_string())?)
            .ok_or_else(|| VerifyError::Broken { segment: segment.clone(), line: 1 })?,
        None => End::START,
    };
    for segment in segments {
        let expected = match &end.segment {
            None => Some(SegmentName::first(report.stream.clone())),
            Some(before) => before.next(),
        };
        if let Some(expected) = expected.filter(|expected| expected != segment) {
            return Err(VerifyError::Missing { segment: expected });
        }
        end = verify_segment(&end, segment, &medium.read(&segment.to_string())?)?;
        report.segments = report.segments.saturating_add(1);
        report.lines = report.lines.saturating_add(end.lines);
        report.end = end.chain;
        if end.torn > 0 {
            report.torn_tails.push(TornTail {
                segment: segment.clone(),
                line: end.lines.saturating_add(1),
                bytes: end.torn,
            });
        }
    }
    Ok(report)
}

/// Where `segment` ends, if it begins where `before` ends.
fn verify_segment(before: &End, segment: &SegmentName, bytes: &[u8]) -> Result<End, VerifyError> {
    let broken = |line| VerifyError::Broken { segment: segment.clone(), line };
    let (header, stated) = Header::read(bytes).ok_or_else(|| broken(1))?;
    if header != before.header(segment) {
        // A header that is sound in itself and names this segment tells the truth about the segment before.
        let first = bytes.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        let sound = header.names(segment) && stated.verify(first).is_ok_and(|verified| verified.lines == 1);
        return Err(match &before.segment {
            Some(before_name) if sound => {
                VerifyError::End { segment: before_name.clone(), line: before.lines.saturating_add(1) }
            }
            Some(_) | None => broken(1),
        });
    }
    let end = End::of(segment, bytes, before.chain).map_err(|ChainError::Broken { line }| broken(line))?;
    if end.lines == 0 { Err(broken(1)) } else { Ok(end) }
}
