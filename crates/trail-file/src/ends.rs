//! Where streams end, by their own word: read without checking the chains, beside whoever writes them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use keyreeve_audit::chain::{Chain, MAX_LINE_LEN};
use keyreeve_audit::segment::{SegmentName, StreamName};
use keyreeve_crypto::digest::parse_lower_hex;

use crate::disk::Disk;
use crate::medium::Medium;

/// The newest segment of each stream in the directory at `path`, with the chain after its last whole line. None where there is
/// no directory. A line that is not of the form is an error of the kind [`ErrorKind::InvalidData`].
///
/// # Errors
/// When the directory or a segment cannot be read.
pub fn stream_ends(path: &Path) -> io::Result<BTreeMap<StreamName, (SegmentName, Chain)>> {
    let names = match Disk::at(path).names() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        names => names?,
    };
    let mut newest = BTreeMap::<StreamName, SegmentName>::new();
    for segment in names.iter().filter_map(|name| name.parse::<SegmentName>().ok()) {
        let known = newest.entry(segment.stream().clone()).or_insert_with(|| segment.clone());
        if segment.number() > known.number() {
            *known = segment;
        }
    }
    let end = |(stream, segment): (StreamName, SegmentName)| {
        let tail = tail_of(&path.join(segment.to_string()))?;
        let chain = last_line(&tail).ok_or_else(|| {
            io::Error::new(ErrorKind::InvalidData, format!("the last line of `{segment}` is not of the form"))
        })?;
        Ok((stream, (segment, chain)))
    };
    newest.into_iter().map(end).collect()
}

/// As much of the end of a file as is sure to hold a whole line.
fn tail_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let most = u64::try_from(2 * MAX_LINE_LEN).unwrap_or(u64::MAX);
    file.seek(SeekFrom::Start(len.saturating_sub(most)))?;
    let mut tail = Vec::new();
    file.take(most).read_to_end(&mut tail)?;
    Ok(tail)
}

/// What the last whole line says of itself. Behind a hole, which a loss of power has left, there is none.
fn last_line(tail: &[u8]) -> Option<Chain> {
    let tail = tail.split(|byte| *byte == 0).next().unwrap_or_default();
    let whole = tail.get(..tail.iter().rposition(|byte| *byte == b'\n')?)?;
    let line = whole.rsplit(|byte| *byte == b'\n').next()?;
    let mut fields = line.splitn(3, |byte| *byte == b' ');
    let sequence = core::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    Some(Chain { sequence, hash: parse_lower_hex(fields.next()?)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_line_tells_where_a_stream_ends() {
        let mut chain = Chain::START;
        let mut lines = Vec::new();
        chain.append(b"{\"a\":1}", &mut lines);
        chain.append(b"{\"b\":2}", &mut lines);
        for torn in ["", "3", "3 00", "3 \0\0\n4 00 {}\n"] {
            let tail = [lines.as_slice(), torn.as_bytes()].concat();
            assert_eq!(last_line(&tail), Some(chain), "{torn}");
        }
        for no_line in ["", "\n", "x y z\n", "1 ab {}\n"] {
            assert_eq!(last_line(no_line.as_bytes()), None, "{no_line}");
        }
    }

    #[test]
    fn a_long_line_is_found_before_a_long_torn_tail() {
        let directory = tempfile::tempdir().unwrap();
        let mut chain = Chain::START;
        let mut lines = Vec::new();
        chain.append(b"{}", &mut lines);
        chain.append(&vec![b'x'; MAX_LINE_LEN - 100], &mut lines);
        lines.extend_from_slice(&vec![b'y'; MAX_LINE_LEN - 100]);
        std::fs::write(directory.path().join("w0-00000001.log"), lines).unwrap();
        let ends = stream_ends(directory.path()).unwrap();
        assert_eq!(ends.values().map(|(_, end)| *end).collect::<Vec<_>>(), [chain]);
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_an_empty_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(stream_ends(file.path()).unwrap_err().kind(), ErrorKind::NotADirectory);
    }
}
