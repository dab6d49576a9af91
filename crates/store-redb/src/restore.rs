//! A store made of entries that another one held: each keeps its version and the revision that wrote it.

use std::path::Path as FilePath;

use keyreeve_store::{Entry, Path, Revision};
use redb::Database;

use crate::format::{self, ENTRIES, META, REVISION};
use crate::open::{self, Damage, OpenError, Options, failed};

/// Fills a new store. Nothing of it is to be used before [`Restore::finish`] has answered.
#[derive(Debug)]
pub struct Restore {
    database: Database,
    revision: Revision,
    waiting: Vec<(Path, Entry)>,
    waiting_bytes: usize,
}

impl Restore {
    /// Makes a store at `path`, where no file is, that is to stand at `revision`.
    ///
    /// # Errors
    /// When there is a file, or it cannot be made.
    pub fn begin(path: &FilePath, options: &Options, revision: Revision) -> Result<Self, OpenError> {
        if path.symlink_metadata().is_ok() {
            return Err(OpenError::Io(std::io::ErrorKind::AlreadyExists.into()));
        }
        let opened = open::open_file(path, options)?;
        Ok(Self { database: opened.database, revision, waiting: Vec::new(), waiting_bytes: 0 })
    }

    /// Adds what the store is to hold at `path`.
    ///
    /// # Errors
    /// When it cannot be written, or was written by a revision after that of the store.
    pub fn put(&mut self, path: Path, entry: Entry) -> Result<(), OpenError> {
        if entry.modified > self.revision {
            return Err(OpenError::Damaged(Damage::Foreign));
        }
        self.waiting_bytes += path.as_bytes().len() + entry.value.len();
        self.waiting.push((path, entry));
        if self.waiting_bytes < CHUNK_BYTES { Ok(()) } else { self.write(false) }
    }

    /// Completes the store: once this has answered, it is durable.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> Result<(), OpenError> {
        self.write(true)
    }

    fn write(&mut self, is_last: bool) -> Result<(), OpenError> {
        let transaction = self.database.begin_write().map_err(failed)?;
        let mut entries = transaction.open_table(ENTRIES).map_err(failed)?;
        for (path, entry) in self.waiting.drain(..) {
            let value = format::encode_entry(&entry);
            entries.insert(path.as_bytes(), value.as_slice()).map_err(failed)?;
        }
        drop(entries);
        self.waiting_bytes = 0;
        if is_last {
            let mut meta = transaction.open_table(META).map_err(failed)?;
            let revision = self.revision.get().to_be_bytes();
            meta.insert(REVISION, revision.as_slice()).map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }
}

/// Bytes of entries that one transaction writes.
const CHUNK_BYTES: usize = 4 << 20;
