//! Region names and the partition that each belongs to.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

const MAX_LEN: usize = 32;

/// A Region name, such as `us-east-1`: `([a-z]+-){2,3}\d+`, at most 32 bytes (`RegionType` of the service model).
#[derive(Clone, Copy)]
pub struct Region {
    bytes: [u8; MAX_LEN],
    len: u8,
}

/// The text is not a Region name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a Region name looks like `us-east-1`")]
pub struct ParseRegionError;

impl Region {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes
            .get(..usize::from(self.len))
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// The partition of ARNs in this Region.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        let name = self.as_str();
        if name.starts_with("cn-") {
            "aws-cn"
        } else if name.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }
}

impl FromStr for Region {
    type Err = ParseRegionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (words, number) = text.rsplit_once('-').ok_or(ParseRegionError)?;
        let word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let well_formed = (2..=3).contains(&words.split('-').count())
            && words.split('-').all(word)
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit());
        let mut bytes = [0; MAX_LEN];
        let slot = bytes.get_mut(..text.len()).filter(|_| well_formed).ok_or(ParseRegionError)?;
        slot.copy_from_slice(text.as_bytes());
        Ok(Self { bytes, len: u8::try_from(text.len()).or(Err(ParseRegionError))? })
    }
}

impl PartialEq for Region {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Region {}

impl PartialOrd for Region {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Region {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Region {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_region_name_has_two_or_three_words_and_a_number() {
        for (text, ok) in [
            ("us-east-1", true),
            ("us-gov-west-1", true),
            ("ap-southeast-12", true),
            ("useast-1", false),
            ("us-east", false),
            ("us-east-", false),
            ("US-EAST-1", false),
            ("a-b-c-d-1", false),
            ("us--1", false),
            ("us-east-1 ", false),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbb-1", false),
            ("", false),
        ] {
            assert_eq!(
                text.parse::<Region>().map(|region| region.to_string()).ok(),
                ok.then(|| text.into()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_region_belongs_to_one_partition() {
        for (text, partition) in
            [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-east-1", "aws-us-gov")]
        {
            assert_eq!(text.parse::<Region>().unwrap().partition(), partition, "{text}");
        }
    }
}
