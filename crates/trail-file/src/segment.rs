//! Headers of segments, and where a segment ends.

use keyreeve_audit::chain::{Chain, ChainError};
use keyreeve_audit::json::Object;
use keyreeve_audit::segment::SegmentName;
use keyreeve_crypto::digest::{LowerHex, parse_lower_hex};
use serde::Deserialize;

/// Where a segment ends: all that the next one builds on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct End {
    /// The segment; `None` before the first one.
    pub(crate) segment: Option<SegmentName>,
    /// Whole lines, the header included.
    pub(crate) lines: u64,
    /// Bytes of the whole lines.
    pub(crate) bytes: u64,
    /// Bytes after the last whole line.
    pub(crate) torn: u64,
    /// The chain after the last whole line.
    pub(crate) chain: Chain,
}

impl End {
    /// The end before the first segment of a stream.
    pub(crate) const START: Self = Self { segment: None, lines: 0, bytes: 0, torn: 0, chain: Chain::START };

    /// Where the segment before `segment` ended, by the word of its header.
    pub(crate) fn before(segment: &SegmentName, bytes: &[u8]) -> Option<Self> {
        let (header, chain) = Header::read(bytes)?;
        let before: SegmentName = header.previous_segment.as_deref()?.parse().ok()?;
        (before.next().as_ref() == Some(segment)).then_some(Self {
            segment: Some(before),
            lines: header.previous_lines,
            bytes: header.previous_bytes,
            torn: header.torn_bytes,
            chain,
        })
    }

    /// Where `bytes`, the file `segment`, end, if they continue `chain`.
    pub(crate) fn of(segment: &SegmentName, bytes: &[u8], chain: Chain) -> Result<Self, ChainError> {
        let verified = chain.verify(bytes)?;
        Ok(Self {
            segment: Some(segment.clone()),
            lines: verified.lines,
            bytes: count(verified.len),
            torn: count(bytes.len().saturating_sub(verified.len)),
            chain: verified.end,
        })
    }

    /// The first line of the segment `next`, which begins here, and where that segment ends with it.
    pub(crate) fn begin(&self, next: &SegmentName) -> (Self, Vec<u8>) {
        let (mut chain, mut line) = (self.chain, Vec::new());
        chain.append(&self.header(next).to_json(), &mut line);
        (Self { segment: Some(next.clone()), lines: 1, bytes: count(line.len()), torn: 0, chain }, line)
    }

    /// The header of the segment `next`, which begins here.
    pub(crate) fn header(&self, next: &SegmentName) -> Header {
        Header {
            version: VERSION,
            stream: next.stream().as_str().to_owned(),
            number: next.number(),
            previous_segment: self.segment.as_ref().map(SegmentName::to_string),
            previous_lines: self.lines,
            previous_bytes: self.bytes,
            torn_bytes: self.torn,
            previous_hash: LowerHex::new(&self.chain.hash).as_str().to_owned(),
        }
    }
}

/// The first line of a segment.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Header {
    #[serde(rename = "keyreeveSegment")]
    version: u32,
    stream: String,
    number: u32,
    previous_segment: Option<String>,
    previous_lines: u64,
    previous_bytes: u64,
    torn_bytes: u64,
    previous_hash: String,
}

impl Header {
    /// Reads the first line of a segment, and the chain that it says it continues.
    pub(crate) fn read(segment: &[u8]) -> Option<(Self, Chain)> {
        let line = segment.split(|byte| *byte == b'\n').next()?;
        let mut fields = line.splitn(3, |byte| *byte == b' ');
        let sequence: u64 = core::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
        let header: Self = serde_json::from_slice(fields.nth(1)?).ok()?;
        let hash = parse_lower_hex(header.previous_hash.as_bytes())?;
        (header.version == VERSION).then_some(())?;
        Some((header, Chain { sequence: sequence.checked_sub(1)?, hash }))
    }

    /// Whether this is the header of `segment`.
    pub(crate) fn names(&self, segment: &SegmentName) -> bool {
        self.stream == segment.stream().as_str() && self.number == segment.number()
    }

    /// The header as JSON.
    fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(256);
        let mut header = Object::begin(&mut json);
        header.raw("keyreeveSegment", self.version.to_string().as_bytes());
        header.string("stream", &self.stream);
        header.raw("number", self.number.to_string().as_bytes());
        match &self.previous_segment {
            None => header.raw("previousSegment", b"null"),
            Some(name) => header.string("previousSegment", name),
        }
        header.raw("previousLines", self.previous_lines.to_string().as_bytes());
        header.raw("previousBytes", self.previous_bytes.to_string().as_bytes());
        header.raw("tornBytes", self.torn_bytes.to_string().as_bytes());
        header.string("previousHash", &self.previous_hash);
        header.end();
        json
    }
}

/// A length in memory as a length in a file.
pub(crate) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_back_with_the_chain_it_continues() {
        let first = SegmentName::first("w0".parse().unwrap());
        let end = End {
            segment: Some(first.clone()),
            lines: 7,
            bytes: 900,
            torn: 3,
            chain: Chain { sequence: 41, hash: [0xab; 32] },
        };
        let header = end.header(&first.next().unwrap());
        let (_, line) = end.begin(&first.next().unwrap());
        assert_eq!(Header::read(&line), Some((header, end.chain)));
    }
}
