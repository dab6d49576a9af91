//! Names and headers of segments, and where a segment ends.

use core::fmt;
use core::str::FromStr;

use keyreeve_audit::chain::{Chain, ChainError};
use keyreeve_audit::json::Object;
use keyreeve_crypto::digest::{LowerHex, parse_lower_hex};
use serde::Deserialize;

/// The name of a writer, such as `w0` or `control`: 1 to 32 lower-case letters and digits.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StreamName(String);

impl StreamName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamName {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, ParseNameError> {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let well_formed = (1..=MAX_STREAM_NAME_LEN).contains(&text.len()) && text.bytes().all(known);
        well_formed.then(|| Self(text.to_owned())).ok_or(ParseNameError)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a segment's file: `<stream>-<8 digits>.log`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SegmentName {
    stream: StreamName,
    number: u32,
}

impl SegmentName {
    /// The stream that the segment belongs to.
    #[must_use]
    pub fn stream(&self) -> &StreamName {
        &self.stream
    }

    /// The number of the segment in its stream, from 1 to 99 999 999.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The first segment of a stream.
    #[must_use]
    pub fn first(stream: StreamName) -> Self {
        Self { stream, number: 1 }
    }

    /// The segment after this one, if its number has 8 digits.
    #[must_use]
    pub fn next(&self) -> Option<Self> {
        let number = self.number.checked_add(1).filter(|number| *number <= MAX_NUMBER)?;
        Some(Self { stream: self.stream.clone(), number })
    }
}

impl FromStr for SegmentName {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, ParseNameError> {
        let stem = text.strip_suffix(SUFFIX).ok_or(ParseNameError)?;
        let (stream, digits) = stem.split_once('-').ok_or(ParseNameError)?;
        if digits.len() != NUMBER_LEN || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseNameError);
        }
        let number = digits.parse().ok().filter(|number| *number > 0).ok_or(ParseNameError)?;
        Ok(Self { stream: stream.parse()?, number })
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:0width$}{SUFFIX}", self.stream, self.number, width = NUMBER_LEN)
    }
}

/// A name is not of the form.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not the name of a stream or segment")]
pub struct ParseNameError;

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
            stream: next.stream.as_str().to_owned(),
            number: next.number,
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
        self.stream == segment.stream.as_str() && self.number == segment.number
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

const MAX_NUMBER: u32 = 99_999_999;
const MAX_STREAM_NAME_LEN: usize = 32;
const NUMBER_LEN: usize = 8;
const SUFFIX: &str = ".log";
const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_name_has_exactly_one_form() {
        for (text, well_formed) in [
            ("w0-00000001.log", true),
            ("control-99999999.log", true),
            ("w0-00000000.log", false),
            ("w0-0000001.log", false),
            ("w0-+0000001.log", false),
            ("w0-000000001.log", false),
            ("W0-00000001.log", false),
            ("w-0-00000001.log", false),
            ("-00000001.log", false),
            ("w0-00000001.log.tmp", false),
            ("lock", false),
        ] {
            let name = text.parse::<SegmentName>();
            assert_eq!(name.is_ok(), well_formed, "{text}");
            assert!(name.is_err() || name.unwrap().to_string() == text, "{text}");
        }
    }

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

    #[test]
    fn the_last_number_has_no_next() {
        let last: SegmentName = "w0-99999999.log".parse().unwrap();
        assert_eq!(last.next(), None);
    }
}
