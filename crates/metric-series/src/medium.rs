//! Where files lie: in a directory, or in memory where nothing is to be left.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

/// Where files lie.
pub(crate) enum Medium {
    Directory(PathBuf),
    Memory(Mutex<BTreeMap<String, Arc<[u8]>>>),
}

/// The content of a file.
pub(crate) enum Content {
    Bytes(Arc<[u8]>),
    File(File),
}

impl Content {
    pub(crate) fn len(&self) -> io::Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            Self::File(file) => Ok(file.metadata()?.len()),
        }
    }

    /// The `len` bytes at `offset`.
    pub(crate) fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let part = bytes.get(start..start.saturating_add(len));
                part.map(<[u8]>::to_vec).ok_or_else(|| ErrorKind::UnexpectedEof.into())
            }
            Self::File(file) => {
                let mut part = vec![0; len];
                file.read_exact_at(&mut part, offset)?;
                Ok(part)
            }
        }
    }
}

impl Medium {
    /// The directory at `path`, made for its owner alone where it is not there.
    pub(crate) fn directory(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self::Directory(path.to_owned()))
    }

    pub(crate) fn memory() -> Self {
        Self::Memory(Mutex::default())
    }

    /// The names of the files, and how long each is. What a crash has left of a file that was not whole is removed.
    pub(crate) fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let directory = match self {
            Self::Memory(files) => {
                let of = |(name, bytes): (&String, &Arc<[u8]>)| {
                    (name.clone(), u64::try_from(bytes.len()).unwrap_or(u64::MAX))
                };
                return Ok(files.lock().iter().map(of).collect());
            }
            Self::Directory(directory) => directory,
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.ends_with(BESIDE) {
                fs::remove_file(entry.path())?;
            } else {
                found.push((name, entry.metadata()?.len()));
            }
        }
        Ok(found)
    }

    /// The file of this name, if there is one.
    pub(crate) fn open(&self, name: &str) -> io::Result<Option<Content>> {
        match self {
            Self::Memory(files) => Ok(files.lock().get(name).cloned().map(Content::Bytes)),
            Self::Directory(directory) => match File::open(directory.join(name)) {
                Ok(file) => Ok(Some(Content::File(file))),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    /// Puts a file in place of the one before: whole and durable, or not at all.
    pub(crate) fn replace(&self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        let directory = match self {
            Self::Memory(files) => {
                files.lock().insert(name.to_owned(), bytes.into());
                return Ok(());
            }
            Self::Directory(directory) => directory,
        };
        let beside = directory.join(format!("{name}{BESIDE}"));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&beside, directory.join(name))?;
        File::open(directory)?.sync_all()
    }

    /// Writes at the place `at` of a file that is there, durably. What stood behind it is gone.
    pub(crate) fn append(&self, name: &str, at: u64, bytes: &[u8]) -> io::Result<()> {
        match self {
            // What is in memory is lost with the process, whatever is written.
            Self::Memory(_) => Ok(()),
            Self::Directory(directory) => {
                let file = OpenOptions::new().write(true).open(directory.join(name))?;
                file.set_len(at)?;
                file.write_all_at(bytes, at)?;
                file.sync_data()
            }
        }
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match self {
            Self::Memory(files) => {
                files.lock().remove(name);
                Ok(())
            }
            Self::Directory(directory) => match fs::remove_file(directory.join(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }
}

/// How the name of a file ends that is not whole yet.
const BESIDE: &str = ".new";
