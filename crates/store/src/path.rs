//! The key of an entry.
//!
//! A [`Path`] is between 1 and [`Path::MAX_LENGTH`] bytes, any bytes, and is ordered bytewise: entries of one prefix
//! stand together, in the order of the bytes that follow it.

use std::fmt;

use bytes::Bytes;

/// The key of an entry: 1 to [`Path::MAX_LENGTH`] bytes, ordered bytewise. Cloning shares the bytes.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Path(Bytes);

impl Path {
    /// The longest path, in bytes.
    pub const MAX_LENGTH: usize = 1024;

    /// A path of these bytes.
    ///
    /// # Errors
    /// When the bytes are none, or more than [`Path::MAX_LENGTH`].
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, PathError> {
        let bytes = bytes.into();
        match bytes.len() {
            0 => Err(PathError::Empty),
            1..=Self::MAX_LENGTH => Ok(Self(bytes)),
            length => Err(PathError::TooLong { length }),
        }
    }

    /// The bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the path begins with `prefix`. Every path begins with the empty prefix.
    pub fn starts_with(&self, prefix: &[u8]) -> bool {
        self.0.starts_with(prefix)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({self})")
    }
}

impl fmt::Display for Path {
    /// Printable ASCII as it is, every other byte as `\xNN`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl TryFrom<&str> for Path {
    type Error = PathError;

    fn try_from(text: &str) -> Result<Self, PathError> {
        Self::new(text.as_bytes().to_vec())
    }
}

/// Why bytes are no [`Path`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PathError {
    /// A path has at least one byte.
    #[error("a path is not empty")]
    Empty,
    /// A path has at most [`Path::MAX_LENGTH`] bytes.
    #[error("a path of {length} bytes is longer than {} bytes", Path::MAX_LENGTH)]
    TooLong {
        /// The bytes offered.
        length: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_to_1024_bytes() {
        for (length, expected) in [
            (0, Err(PathError::Empty)),
            (1, Ok(1)),
            (1024, Ok(1024)),
            (1025, Err(PathError::TooLong { length: 1025 })),
        ] {
            assert_eq!(Path::new(vec![7_u8; length]).map(|path| path.as_bytes().len()), expected, "{length}");
        }
    }

    #[test]
    fn paths_are_ordered_bytewise() {
        let path = |text: &str| Path::try_from(text).unwrap();
        assert!(path("a") < path("a/"));
        assert!(path("a/b") < path("a0"));
        assert!(Path::new(vec![0xFF]).unwrap() > path("zzz"));
    }
}
