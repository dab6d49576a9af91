//! The lines of a stream, from where it was read last; each is checked to continue the chain.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use keyreeve_audit::chain::{Chain, MAX_LINE_LEN, Verified};
use keyreeve_audit::segment::{SegmentName, StreamName};
use keyreeve_crypto::digest::{LowerHex, parse_lower_hex};

use serde::Deserialize;

use crate::state::StreamState;

/// How far streams went when it was looked: the number of the newest segment of each, and its length.
pub type Ends = BTreeMap<StreamName, (u32, u64)>;

/// How far the streams in the directory at `path` go now.
///
/// # Errors
/// When it cannot be read.
pub fn ends(path: &Path) -> io::Result<Ends> {
    let mut ends = Ends::new();
    for segment in segments(path)? {
        let len = fs::metadata(path.join(segment.to_string()))?.len();
        // In order, so that the newest is the last.
        ends.insert(segment.stream().clone(), (segment.number(), len));
    }
    Ok(ends)
}

/// The segments in the directory at `path`, by stream and number.
pub(crate) fn segments(path: &Path) -> io::Result<BTreeSet<SegmentName>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries?,
    };
    let mut segments = BTreeSet::new();
    for entry in entries {
        let name = entry?.file_name();
        segments.extend(name.to_str().and_then(|name| name.parse::<SegmentName>().ok()));
    }
    Ok(segments)
}

/// Where the delivery of a stream begins: with its first segment that is there.
pub(crate) fn start(directory: &Path, stream: &StreamName) -> io::Result<StreamState> {
    let segments = segments(directory)?;
    let first = segments.iter().find(|segment| segment.stream() == stream);
    start_of(directory, stream, first.map_or(1, SegmentName::number))
}

/// The place at the beginning of the segment `number` of a stream. What stood before may be gone: the segment's own word is taken
/// for it.
pub(crate) fn start_of(directory: &Path, stream: &StreamName, number: u32) -> io::Result<StreamState> {
    let mut start = StreamState {
        segment: 1,
        offset: 0,
        sequence: 0,
        hash: "0".repeat(64),
        first: 1,
        opened: BTreeMap::new(),
    };
    if number <= 1 {
        return Ok(start);
    }
    let name = numbered(stream, number).map_err(io::Error::other)?;
    let head = read_from(&directory.join(name.to_string()), 0, HEADER_MOST)?;
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut fields = line.splitn(3, |byte| *byte == b' ');
    let sequence: Option<u64> =
        fields.next().and_then(|digits| core::str::from_utf8(digits).ok()?.parse().ok());
    let header = fields.nth(1).and_then(|json| serde_json::from_slice::<Header>(json).ok());
    if let (Some(sequence), Some(header)) = (sequence, header) {
        start.segment = number;
        start.first = number;
        start.sequence = sequence.saturating_sub(1);
        start.hash = header.previous_hash;
    }
    Ok(start)
}

/// Moves `at`, which is at the beginning of a segment, to behind the whole lines in the first `len` bytes of it.
pub(crate) fn skip(
    directory: &Path,
    stream: &StreamName,
    at: &mut StreamState,
    len: usize,
) -> Result<(), ReadError> {
    let name = numbered(stream, at.segment)?;
    let bytes = read_from(&directory.join(name.to_string()), 0, len)?;
    advance(&name, at, &bytes)?;
    Ok(())
}

/// Checks that `bytes` continue the chain from `at` on, and moves `at` behind their last whole line.
fn advance(name: &SegmentName, at: &mut StreamState, bytes: &[u8]) -> Result<Verified, ReadError> {
    let hash = parse_lower_hex(at.hash.as_bytes()).unwrap_or_default();
    let chain = Chain { sequence: at.sequence, hash };
    let verified = chain.verify(bytes).map_err(|keyreeve_audit::chain::ChainError::Broken { line }| {
        ReadError::Broken { segment: name.clone(), offset: at.offset, line }
    })?;
    at.offset = at.offset.saturating_add(u64::try_from(verified.len).unwrap_or(u64::MAX));
    at.sequence = verified.end.sequence;
    at.hash = LowerHex::new(&verified.end.hash).as_str().to_owned();
    Ok(verified)
}

/// What is read of the first line of a segment.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    previous_hash: String,
}

/// Many times the length of a header.
const HEADER_MOST: usize = 4096;

/// A line of a stream, without its sequence number and hash.
pub(crate) struct Line {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
    pub(crate) json: Vec<u8>,
}

/// A stream cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// A line was changed, left out, added or moved.
    #[error("line {line} after byte {offset} of `{segment}` does not continue the chain")]
    Broken { segment: SegmentName, offset: u64, line: u64 },
    /// A segment that was not read yet is not there.
    #[error("`{0}` is missing")]
    Missing(SegmentName),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads on in `stream` from where `at` stands, about `budget` bytes, and moves `at` along; whether there may be more.
pub(crate) fn read(
    directory: &Path,
    stream: &StreamName,
    at: &mut StreamState,
    budget: usize,
    lines: &mut Vec<Line>,
) -> Result<bool, ReadError> {
    let mut left = budget.max(2 * MAX_LINE_LEN);
    loop {
        let name = numbered(stream, at.segment)?;
        // ORDER: looked for first, for a segment is complete once the next one is there.
        let next = name.next().filter(|next| directory.join(next.to_string()).exists());
        let bytes = match read_from(&directory.join(name.to_string()), at.offset, left) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(ReadError::Missing(name)),
            bytes => bytes?,
        };
        let mut offset = at.offset;
        let verified = advance(&name, at, &bytes)?;
        // Behind a hole nothing is read.
        let is_whole = verified.has_hole || bytes.len() < left;
        for line in bytes.get(..verified.len).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            // The first line is the header.
            if offset > 0 {
                let text = line.strip_suffix(b"\n").unwrap_or(line);
                let json = text.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default().to_vec();
                lines.push(Line { segment: at.segment, offset, json });
            }
            offset = offset.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        }
        left = left.saturating_sub(bytes.len());
        match next {
            Some(next) if is_whole => {
                at.segment = next.number();
                at.offset = 0;
                if left < 2 * MAX_LINE_LEN {
                    return Ok(true);
                }
            }
            _ => return Ok(!is_whole),
        }
    }
}

/// Forces to the disk what was read of `stream` up to `at`, so that no loss of power takes away what is told elsewhere. The segments
/// before were when the next one began.
pub(crate) fn sync(directory: &Path, stream: &StreamName, at: &StreamState) -> io::Result<()> {
    let name = numbered(stream, at.segment).map_err(io::Error::other)?;
    match File::open(directory.join(name.to_string())) {
        // What is to come after a segment that was removed.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        file => file?.sync_data(),
    }
}

/// At most `most` bytes of a file from `offset` on.
pub(crate) fn read_from(path: &Path, offset: u64, most: usize) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn numbered(stream: &StreamName, number: u32) -> Result<SegmentName, ReadError> {
    format!("{stream}-{number:08}.log").parse().map_err(|error| ReadError::Io(io::Error::other(error)))
}
