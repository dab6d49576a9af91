//! Region names and the partition that each belongs to.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

const MAX_LEN: usize = 32;

/// A Region name, such as `us-east-1`: `([a-z]+-){2,3}\d+`, at most 32 bytes (`RegionType` of the service model).
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub struct Region {
    /// INVARIANT: zero behind the name, so that two Regions compare as their names do.
    bytes: [u8; MAX_LEN],
    len: u8,
}

/// How the names of Regions outside of the partition `aws` begin, and which partition they are of.
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("eu-isoe-", "aws-iso-e"),
    ("eusc-", "aws-eusc"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
];

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

    /// The partition of ARNs in this Region; the one with the most Regions where no other is known to have it.
    /// Source: `partitions.json` of botocore.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        let name = self.as_str();
        PARTITIONS.iter().find(|(start, _)| name.starts_with(start)).map_or("aws", |(_, partition)| partition)
    }
}

/// Whether there is such a partition.
#[must_use]
pub fn is_partition(name: &str) -> bool {
    name == "aws" || PARTITIONS.iter().any(|(_, partition)| *partition == name)
}

impl FromStr for Region {
    type Err = ParseRegionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; MAX_LEN];
        let slot = bytes.get_mut(..text.len()).ok_or(ParseRegionError)?;
        slot.copy_from_slice(text.as_bytes());
        // Words of letters, each with a hyphen behind it, then digits: in one pass, for every request names a Region.
        let (mut words, mut of_letters, mut of_digits) = (0, 0, 0);
        for byte in text.bytes() {
            match byte {
                b'a'..=b'z' if of_digits == 0 => of_letters += 1,
                b'0'..=b'9' if of_letters == 0 => of_digits += 1,
                b'-' if of_letters > 0 => {
                    words += 1;
                    of_letters = 0;
                }
                _ => return Err(ParseRegionError),
            }
        }
        if !matches!(words, 2 | 3) || of_digits == 0 {
            return Err(ParseRegionError);
        }
        Ok(Self { bytes, len: u8::try_from(text.len()).or(Err(ParseRegionError))? })
    }
}

impl Hash for Region {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.bytes);
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
        for (text, partition) in [
            ("us-east-1", "aws"),
            ("eu-west-1", "aws"),
            ("xx-new-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-east-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(text.parse::<Region>().unwrap().partition(), partition, "{text}");
            assert!(is_partition(partition));
        }
        assert!(!is_partition("aws-none") && !is_partition(""));
    }
}
