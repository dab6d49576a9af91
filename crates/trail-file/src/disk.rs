//! The directory on a disk.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::medium::{Medium, SegmentFile};

/// A directory on a disk: mode 0700, files 0600.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
}

impl Disk {
    /// The directory at `path`, which need not exist.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Makes the directory, for its owner alone, and locks it against other writers for as long as the file is held;
    /// `None` if another one holds it.
    pub(crate) fn claim(&self) -> io::Result<Option<File>> {
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(&self.path)?;
        std::fs::set_permissions(&self.path, Permissions::from_mode(DIRECTORY_MODE))?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(self.path.join(LOCK_NAME))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn sync_directory(&self) -> io::Result<()> {
        OpenOptions::new().read(true).open(&self.path)?.sync_all()
    }
}

impl Medium for Disk {
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            // A name that is not UTF-8 is not ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut file = OpenOptions::new().read(true).open(self.path.join(name))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn create(&self, name: &str, header: &[u8]) -> io::Result<Box<dyn SegmentFile>> {
        let temporary_name = format!("{name}{TEMPORARY_SUFFIX}");
        self.remove(&temporary_name)?;
        let temporary = self.path.join(temporary_name);
        let mut file = OpenOptions::new().append(true).create_new(true).mode(FILE_MODE).open(&temporary)?;
        file.write_all(header)?;
        file.sync_all()?;
        std::fs::rename(&temporary, self.path.join(name))?;
        self.sync_directory()?;
        Ok(Box::new(DiskFile(file)))
    }

    fn reopen(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        let file = OpenOptions::new().append(true).open(self.path.join(name))?;
        Ok(Box::new(DiskFile(file)))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match std::fs::remove_file(self.path.join(name)) {
            Ok(()) => self.sync_directory(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// A file opened with `O_APPEND`: a write after a truncation goes to the new end.
struct DiskFile(File);

impl SegmentFile for DiskFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                // A signal came before the first byte.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
}

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const LOCK_NAME: &str = "lock";
const TEMPORARY_SUFFIX: &str = ".tmp";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_the_disk_refuses_ends_with_its_error() {
        let mut full = DiskFile(OpenOptions::new().append(true).open("/dev/full").unwrap());
        assert_eq!(full.write(b"{}").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
