//! Opening the file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use keyreeve_store::FeedLimit;
use redb::backends::FileBackend;
use redb::{Builder, Database, ReadableDatabase, StorageBackend, TableHandle};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::caught::caught;
use crate::format::{self, CURRENT_FORMAT, DecodeError, ENTRIES, FENCE, FORMAT, META, REVISION};

/// How the store uses memory and disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options {
    /// The most bytes of pages in memory. Default 16 MiB.
    pub cache_bytes: usize,
    /// How much history is held for watches, and again as much for snapshots of the past.
    pub history: FeedLimit,
    /// Batches are refused as [`Full`](keyreeve_store::Refusal::Full) when the file system has fewer bytes left, so that
    /// redb, which after a failed write must be opened again, does not meet the end of it. Default 16 MiB; 0 is no check.
    pub reserve_bytes: u64,
    /// Verify every page when the file is opened; it costs reading it once, about 0.3 s for 100 MB. Default true. Without
    /// it a garbled page is found only where it is read, and a garbled value only by the one who unseals it.
    pub check_on_open: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: 16 << 20,
            history: FeedLimit::default(),
            reserve_bytes: 16 << 20,
            check_on_open: true,
        }
    }
}

/// What is wrong with a damaged file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Damage {
    /// A redb file that holds something else.
    #[error("the file holds something else than a store")]
    Foreign,
    /// The numbers about the store are missing or are no numbers.
    #[error("the store's own numbers are damaged: {0}")]
    Meta(DecodeError),
    /// The structure of the file does not hold, or it is no redb file.
    #[error("the structure of the file does not hold")]
    Structure,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// What the file holds is not what was written. Restore a backup.
    #[error("the store is damaged: {0}")]
    Damaged(Damage),
    /// The operating system failed.
    #[error("the store cannot be opened")]
    Io(#[source] io::Error),
    /// Another process has the file open.
    #[error("the store is in use by another process")]
    Locked,
    /// The file or its directory may not be written, or the file system is read-only.
    #[error("the store cannot be written")]
    NotWritable(#[source] io::Error),
    /// A later release wrote it (or redb's own format is not this one's).
    #[error("the format {found} of the store is not supported")]
    UnsupportedFormat {
        /// The number found.
        found: u64,
    },
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        let kind = error.kind();
        if matches!(kind, ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) {
            Self::NotWritable(error)
        } else if matches!(kind, ErrorKind::InvalidData | ErrorKind::UnexpectedEof) {
            Self::Damaged(Damage::Structure)
        } else {
            Self::Io(error)
        }
    }
}

/// What a failure of redb means to the one who opens.
pub(crate) fn failed(error: impl Into<redb::Error>) -> OpenError {
    let error = error.into();
    if matches!(error, redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch) {
        OpenError::Locked
    } else if matches!(error, redb::Error::Corrupted(_) | redb::Error::RepairAborted) {
        OpenError::Damaged(Damage::Structure)
    } else if matches!(error, redb::Error::TableDoesNotExist(_) | redb::Error::TableTypeMismatch { .. }) {
        OpenError::Damaged(Damage::Foreign)
    } else if let redb::Error::UpgradeRequired(found) = error {
        OpenError::UnsupportedFormat { found: found.into() }
    } else if let redb::Error::Io(error) = error {
        error.into()
    } else {
        OpenError::Io(io::Error::other(error))
    }
}

/// A file that holds a store, and where the store stands.
pub(crate) struct Opened {
    pub(crate) database: Database,
    pub(crate) revision: u64,
    pub(crate) fence: u64,
    /// The bytes the file system has left, if it can be asked.
    pub(crate) space: Option<Box<dyn Fn() -> Option<u64> + Send>>,
}

/// Open or make the file at `path`.
pub(crate) fn open_file(path: &Path, options: &Options) -> Result<Opened, OpenError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = OpenOptions::new().read(true).open(directory)?;
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_file(path, &directory, options)?;
            OpenOptions::new().read(true).write(true).open(path)?
        }
        other => other?,
    };
    if file.metadata()?.len() == 0 {
        return Err(OpenError::Damaged(Damage::Structure));
    }
    let opened = open_backend(FileBackend::new(file).map_err(failed)?, options)?;
    Ok(Opened { space: Some(Box::new(move || space_left(&directory))), ..opened })
}

/// Make an empty store at `path`, where no file is: under another name first, since a file that redb has begun and not
/// finished cannot be opened. What a crash left under that name is made anew.
fn make_file(path: &Path, directory: &File, options: &Options) -> Result<(), OpenError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&unfinished)?;
    // Two that make it at once: the second waits for nobody and is told.
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OpenError::Locked),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    file.set_len(0)?;
    drop(open_backend(FileBackend::new(file.try_clone()?).map_err(failed)?, options)?);
    file.sync_all()?;
    let (from, to) = (Path::new(&unfinished), path);
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) if !path.try_exists()? => std::fs::rename(from, to)?,
        other => other.map_err(io::Error::from)?,
    }
    Ok(directory.sync_all()?)
}

/// Open or make a store on any storage.
pub(crate) fn open_backend(backend: impl StorageBackend, options: &Options) -> Result<Opened, OpenError> {
    // redb panics on some pages that do not hold together.
    let opened = caught(|| open_storage(backend, options));
    opened.unwrap_or(Err(OpenError::Damaged(Damage::Structure)))
}

fn open_storage(backend: impl StorageBackend, options: &Options) -> Result<Opened, OpenError> {
    let mut builder = Builder::new();
    builder.set_cache_size(options.cache_bytes).set_check_integrity_on_open(options.check_on_open);
    let database = builder.create_with_backend(backend).map_err(failed)?;
    initialise(&database)?;
    let transaction = database.begin_read().map_err(failed)?;
    let meta = transaction.open_table(META).map_err(failed)?;
    let number = |name| match meta.get(name).map_err(failed)? {
        None => Err(OpenError::Damaged(Damage::Foreign)),
        Some(bytes) => {
            format::decode_number(bytes.value()).map_err(|error| OpenError::Damaged(Damage::Meta(error)))
        }
    };
    let found = number(FORMAT)?;
    if found != CURRENT_FORMAT {
        return Err(OpenError::UnsupportedFormat { found });
    }
    transaction.open_table(ENTRIES).map_err(failed)?;
    let (revision, fence) = (number(REVISION)?, number(FENCE)?);
    drop((meta, transaction));
    Ok(Opened { database, revision, fence, space: None })
}

/// Make the tables of a file that has none.
fn initialise(database: &Database) -> Result<(), OpenError> {
    let transaction = database.begin_read().map_err(failed)?;
    let tables: Vec<_> =
        transaction.list_tables().map_err(failed)?.map(|table| table.name().to_owned()).collect();
    if !tables.is_empty() {
        let ours = tables.iter().all(|name| [ENTRIES.name(), META.name()].contains(&name.as_str()));
        return if ours { Ok(()) } else { Err(OpenError::Damaged(Damage::Foreign)) };
    }
    drop(transaction);
    let transaction = database.begin_write().map_err(failed)?;
    transaction.open_table(ENTRIES).map_err(failed)?;
    let mut meta = transaction.open_table(META).map_err(failed)?;
    for (name, number) in [(FORMAT, CURRENT_FORMAT), (REVISION, 0), (FENCE, 0)] {
        meta.insert(name, number.to_be_bytes().as_slice()).map_err(failed)?;
    }
    drop(meta);
    transaction.commit().map_err(failed)
}

fn space_left(file: &File) -> Option<u64> {
    let found = rustix::fs::fstatvfs(file).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}
