//! What stands in the file.
//!
//! Table `entries`, path to value:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | 1, the version of this layout |
//! | 8 | version of the path, big-endian, at least 1 |
//! | 8 | revision that wrote it, big-endian |
//! | rest | the value |
//!
//! Table `meta`, name to 8 bytes big-endian: `format` (1), `revision` (the latest), `fence` (the greatest fencing number
//! of a lease). INVARIANT: no entry was written by a revision after `revision`.

use bytes::Bytes;
use keyreeve_store::{Entry, Revision, Version};
use redb::TableDefinition;

/// Path to encoded entry.
pub(crate) const ENTRIES: TableDefinition<'static, &'static [u8], &'static [u8]> =
    TableDefinition::new("entries");
/// Name to number.
pub(crate) const META: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("meta");

/// The format of the file, under [`FORMAT`].
pub(crate) const CURRENT_FORMAT: u64 = 1;
pub(crate) const FORMAT: &str = "format";
pub(crate) const REVISION: &str = "revision";
pub(crate) const FENCE: &str = "fence";

const ENTRY_LAYOUT: u8 = 1;

/// Why bytes are no entry, or no number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// A layout that no release up to this one wrote.
    #[error("the layout {found} is not known")]
    Layout {
        /// The first byte.
        found: u8,
    },
    /// A number that is not 8 bytes.
    #[error("a number is not 8 bytes")]
    Number,
    /// Fewer bytes than the fixed part has.
    #[error("the value is truncated")]
    Truncated,
    /// A version of 0.
    #[error("the version is zero")]
    Version,
}

/// The bytes of an entry.
pub(crate) fn encode_entry(entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(17 + entry.value.len());
    bytes.push(ENTRY_LAYOUT);
    bytes.extend_from_slice(&entry.version.get().to_be_bytes());
    bytes.extend_from_slice(&entry.modified.get().to_be_bytes());
    bytes.extend_from_slice(&entry.value);
    bytes
}

/// The entry of these bytes.
pub(crate) fn decode_entry(bytes: &[u8]) -> Result<Entry, DecodeError> {
    let (layout, rest) = bytes.split_first().ok_or(DecodeError::Truncated)?;
    if *layout != ENTRY_LAYOUT {
        return Err(DecodeError::Layout { found: *layout });
    }
    let (version, rest) = rest.split_first_chunk::<8>().ok_or(DecodeError::Truncated)?;
    let (modified, value) = rest.split_first_chunk::<8>().ok_or(DecodeError::Truncated)?;
    Ok(Entry {
        value: Bytes::copy_from_slice(value),
        version: Version::new(u64::from_be_bytes(*version)).ok_or(DecodeError::Version)?,
        modified: Revision::new(u64::from_be_bytes(*modified)),
    })
}

/// The number of these bytes.
pub(crate) fn decode_number(bytes: &[u8]) -> Result<u64, DecodeError> {
    match bytes.split_first_chunk::<8>() {
        Some((number, [])) => Ok(u64::from_be_bytes(*number)),
        _ => Err(DecodeError::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_exactly_the_documented_layout() {
        let entry = Entry {
            value: Bytes::from_static(b"\xAA\xBB"),
            version: Version::new(0x0102).unwrap(),
            modified: Revision::new(0x0304),
        };
        let bytes = [1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 3, 4, 0xAA, 0xBB];
        assert_eq!(encode_entry(&entry), bytes);
        assert_eq!(decode_entry(&bytes), Ok(entry));
    }

    #[test]
    fn bytes_that_are_no_entry_are_refused() {
        let mut good = vec![1];
        good.extend_from_slice(&1_u64.to_be_bytes());
        good.extend_from_slice(&2_u64.to_be_bytes());
        assert!(decode_entry(&good).is_ok(), "an empty value is a value");
        for length in 0..good.len() {
            assert_eq!(decode_entry(&good[..length]), Err(DecodeError::Truncated), "{length}");
        }
        for found in (0..=255).filter(|byte| *byte != 1) {
            good[0] = found;
            assert_eq!(decode_entry(&good), Err(DecodeError::Layout { found }));
        }
        good[0] = 1;
        good[8] = 0;
        assert_eq!(decode_entry(&good), Err(DecodeError::Version));
    }

    #[test]
    fn a_number_is_exactly_eight_bytes() {
        assert_eq!(decode_number(&[0, 0, 0, 0, 0, 0, 1, 0]), Ok(256));
        for length in [0, 7, 9] {
            assert_eq!(decode_number(&vec![0; length]), Err(DecodeError::Number), "{length}");
        }
    }
}
