//! The names of segments and of the streams that they belong to.

use core::fmt;
use core::str::FromStr;

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

const MAX_NUMBER: u32 = 99_999_999;
const MAX_STREAM_NAME_LEN: usize = 32;
const NUMBER_LEN: usize = 8;
const SUFFIX: &str = ".log";

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
    fn the_name_of_a_stream_is_short_and_plain() {
        for (text, well_formed) in [
            ("w0", true),
            (&"a".repeat(32), true),
            (&"a".repeat(33), false),
            ("", false),
            ("W", false),
            ("w.", false),
        ] {
            let name = text.parse::<StreamName>();
            assert_eq!(name.is_ok(), well_formed, "{text}");
            assert!(name.is_err() || name.unwrap().as_str() == text, "{text}");
        }
    }

    #[test]
    fn segments_of_a_stream_are_counted_from_one() {
        let first = SegmentName::first("w7".parse().unwrap());
        let second = first.next().unwrap();
        assert_eq!((first.number(), second.number()), (1, 2));
        assert_eq!(second.to_string(), "w7-00000002.log");
        assert_eq!((second.stream(), second.to_string().parse()), (first.stream(), Ok(second.clone())));
        let before_last: SegmentName = "w7-99999998.log".parse().unwrap();
        assert_eq!(before_last.next().unwrap().to_string(), "w7-99999999.log");
    }

    #[test]
    fn the_last_number_has_no_next() {
        let last: SegmentName = "w0-99999999.log".parse().unwrap();
        assert_eq!(last.next(), None);
    }
}
