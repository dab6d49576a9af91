//! A batch: what is to be written, and what must hold for it.
//!
//! A [`Batch`] that exists is within the limits and writes no path twice, so a store checks only the preconditions.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::{LeaseId, Path, Version};

/// What must hold at the instant a batch takes effect, on any path, written by the batch or not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Precondition {
    /// The path holds nothing.
    Absent(Path),
    /// The path holds an entry of exactly this version.
    Version(Path, Version),
}

impl Precondition {
    /// The path it speaks of.
    pub fn path(&self) -> &Path {
        match self {
            Self::Absent(path) | Self::Version(path, _) => path,
        }
    }

    /// Whether it holds for a path with this version, or with none.
    pub fn holds(&self, found: Option<Version>) -> bool {
        match self {
            Self::Absent(_) => found.is_none(),
            Self::Version(_, wanted) => found == Some(*wanted),
        }
    }
}

/// One write of a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Write {
    /// Remove what the path holds. A path that holds nothing stays so, and that is no change.
    Delete(Path),
    /// Let the path hold this value. The same value again is a change.
    Put(Path, Bytes),
}

impl Write {
    /// The path written.
    pub fn path(&self) -> &Path {
        match self {
            Self::Delete(path) | Self::Put(path, _) => path,
        }
    }
}

/// Writes that take effect together, or not at all. Made by [`Batch::builder`].
///
/// A batch that changes nothing (no writes, or only deletes of what is absent) makes no revision: its commit checks the
/// preconditions and answers the revision at which they held.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Batch {
    preconditions: Vec<Precondition>,
    writes: Vec<Write>,
    lease: Option<LeaseId>,
}

impl Batch {
    /// The most writes, and the most preconditions: below the 128 operations that etcd takes in one transaction, so
    /// that an implementation may add some of its own.
    pub const MAX_OPERATIONS: usize = 120;
    /// The most bytes of paths and values together: below the 1.5 MiB that etcd takes in one request.
    pub const MAX_BYTES: usize = 1 << 20;

    /// A batch to be filled.
    pub fn builder() -> BatchBuilder {
        BatchBuilder::default()
    }

    /// What must hold.
    pub fn preconditions(&self) -> &[Precondition] {
        &self.preconditions
    }

    /// What is written: every path at most once.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// The lease that must not have passed to another, if any.
    pub fn lease(&self) -> Option<&LeaseId> {
        self.lease.as_ref()
    }
}

/// Collects a [`Batch`]. The order of calls does not matter to the outcome.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct BatchBuilder {
    preconditions: Vec<Precondition>,
    writes: Vec<Write>,
    lease: Option<LeaseId>,
}

impl BatchBuilder {
    /// Demand that `precondition` holds.
    pub fn require(mut self, precondition: Precondition) -> Self {
        self.preconditions.push(precondition);
        self
    }

    /// Demand that `path` holds nothing.
    pub fn require_absent(self, path: Path) -> Self {
        self.require(Precondition::Absent(path))
    }

    /// Demand that `path` holds an entry of exactly `version`.
    pub fn require_version(self, path: Path, version: Version) -> Self {
        self.require(Precondition::Version(path, version))
    }

    /// Demand that `path` is as it was read: this version, or absent.
    pub fn require_unchanged(self, path: Path, seen: Option<Version>) -> Self {
        self.require(match seen {
            None => Precondition::Absent(path),
            Some(version) => Precondition::Version(path, version),
        })
    }

    /// Write one path.
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// Let `path` hold `value`.
    pub fn put(self, path: Path, value: impl Into<Bytes>) -> Self {
        self.write(Write::Put(path, value.into()))
    }

    /// Let `path` hold nothing.
    pub fn delete(self, path: Path) -> Self {
        self.write(Write::Delete(path))
    }

    /// Demand that `lease` has not passed to another holder ([`LeaseId`]).
    pub fn fenced_by(mut self, lease: LeaseId) -> Self {
        self.lease = Some(lease);
        self
    }

    /// The batch.
    ///
    /// # Errors
    /// When a path is written twice, or a limit of [`Batch`] is passed.
    pub fn build(self) -> Result<Batch, BatchError> {
        let operations = self.writes.len().max(self.preconditions.len());
        if operations > Batch::MAX_OPERATIONS {
            return Err(BatchError::TooMany { operations });
        }
        let mut seen = BTreeSet::new();
        let mut bytes: usize = self.preconditions.iter().map(|each| each.path().as_bytes().len()).sum();
        for write in &self.writes {
            if !seen.insert(write.path()) {
                return Err(BatchError::WrittenTwice { path: write.path().clone() });
            }
            bytes = bytes.saturating_add(write.path().as_bytes().len()).saturating_add(match write {
                Write::Delete(_) => 0,
                Write::Put(_, value) => value.len(),
            });
        }
        if bytes > Batch::MAX_BYTES {
            return Err(BatchError::TooLarge { bytes });
        }
        Ok(Batch { preconditions: self.preconditions, writes: self.writes, lease: self.lease })
    }
}

/// Why a batch cannot be.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BatchError {
    /// More than [`Batch::MAX_BYTES`].
    #[error("a batch of {bytes} bytes is larger than {} bytes", Batch::MAX_BYTES)]
    TooLarge {
        /// The bytes of its paths and values.
        bytes: usize,
    },
    /// More than [`Batch::MAX_OPERATIONS`].
    #[error("a batch of {operations} writes or preconditions has more than {}", Batch::MAX_OPERATIONS)]
    TooMany {
        /// The writes or the preconditions, whichever are more.
        operations: usize,
    },
    /// One batch writes a path at most once.
    #[error("path `{path}` is written twice")]
    WrittenTwice {
        /// The path.
        path: Path,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::try_from(text).unwrap()
    }

    #[test]
    fn a_batch_writes_a_path_at_most_once() {
        let twice = Batch::builder().put(path("a"), "1").delete(path("a")).build();
        assert_eq!(twice, Err(BatchError::WrittenTwice { path: path("a") }));
        let read_and_written = Batch::builder().require_absent(path("a")).put(path("a"), "1").build();
        assert!(read_and_written.is_ok());
    }

    #[test]
    fn a_batch_is_bounded_in_number_and_size() {
        let writes = |count: usize| {
            (0..count).fold(Batch::builder(), |builder, n| builder.put(path(&format!("{n}")), "")).build()
        };
        assert!(writes(Batch::MAX_OPERATIONS).is_ok());
        assert_eq!(writes(121), Err(BatchError::TooMany { operations: 121 }));
        let sized = |bytes: usize| Batch::builder().put(path("p"), vec![0_u8; bytes]).build();
        assert!(sized(Batch::MAX_BYTES - 1).is_ok());
        assert_eq!(sized(Batch::MAX_BYTES), Err(BatchError::TooLarge { bytes: Batch::MAX_BYTES + 1 }));
    }
}
