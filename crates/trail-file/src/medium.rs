//! What a trail needs of a directory; small enough to fake.

use std::io;

/// A flat directory of segments.
pub trait Medium: Send + Sync + 'static {
    /// The names of all files.
    ///
    /// # Errors
    /// When the directory cannot be read.
    fn names(&self) -> io::Result<Vec<String>>;

    /// The bytes of a file.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Makes a file that holds `header`, durably, whole or not at all, in place of one of that name; opens it to append.
    ///
    /// # Errors
    /// When that fails. A file may be left behind: see [`Medium::remove`].
    fn create(&self, name: &str, header: &[u8]) -> io::Result<Box<dyn SegmentFile>>;

    /// Opens a file to append.
    ///
    /// # Errors
    /// When the file cannot be opened.
    fn reopen(&self, name: &str) -> io::Result<Box<dyn SegmentFile>>;

    /// Makes sure that no file of this name is there.
    ///
    /// # Errors
    /// When it may still be there.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A segment that is open to append.
pub trait SegmentFile: Send + 'static {
    /// Appends with one write; how many bytes were taken.
    ///
    /// # Errors
    /// When nothing, or an unknown part, was taken.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Makes everything that was written, and the length, survive a loss of power.
    ///
    /// # Errors
    /// When it may not survive.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to `len` bytes.
    ///
    /// # Errors
    /// When the file is as long as before.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}
