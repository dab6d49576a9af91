//! What a store holds and what a watch delivers.

use std::fmt;
use std::num::NonZeroU64;

use bytes::Bytes;

use crate::Path;

/// A point in the history of the whole store. Each batch that changes something has its own, greater than all before.
///
/// 0 is before everything. An implementation may begin above 0 and may skip numbers.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Revision(u64);

impl Revision {
    /// Before the first change.
    pub const ZERO: Self = Self(0);

    /// The revision of this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The next number, or nothing after the last (which no store lives to see).
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How often one path was put since it was last absent: 1 at the first put, one more at each put. It begins again at 1
/// after a delete, as etcd's `version` does; a record that must not be confused with its predecessor carries an identity of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version(NonZeroU64);

impl Version {
    /// The version of an entry whose path was absent before.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// The version of this number; 0 is none.
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// The number, at least 1.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The version after one more put, or nothing after the last (which no entry lives to see).
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// The version of a put over `before`.
    pub fn after(before: Option<Self>) -> Option<Self> {
        before.map_or(Some(Self::FIRST), Self::next)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A value and when it was written. Cloning shares the bytes.
#[derive(Clone, Eq, PartialEq)]
pub struct Entry {
    /// The value, as it was put.
    pub value: Bytes,
    /// The version of this path.
    pub version: Version,
    /// The revision that wrote this value.
    pub modified: Revision,
}

impl fmt::Debug for Entry {
    /// Without the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("bytes", &self.value.len())
            .field("version", &self.version)
            .field("modified", &self.modified)
            .finish()
    }
}

/// A part of a range, in the order of the paths.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Page {
    /// The entries. Never empty while [`Page::more`] is true.
    pub entries: Vec<(Path, Entry)>,
    /// Whether entries follow: ask again after the last path. Without this the range has ended.
    pub more: bool,
}

/// What one path became.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The path that was written.
    pub path: Path,
    /// What it holds since; nothing when it was deleted.
    pub entry: Option<Entry>,
}

/// All that one revision changed: never a part of it, never nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Changes {
    /// The revision that made them.
    pub revision: Revision,
    /// The changes, each path once, in the order of the paths.
    pub changes: Vec<Change>,
}
