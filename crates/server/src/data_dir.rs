//! The data directory.
//!
//! ```text
//! seal.toml     which seal, and the id of the deployment
//! root.key      the root key, with the file seal
//! store.redb    the store
//! credentials   the root access key, as an AWS shared credentials file
//! audit/        the audit trail
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// A data directory that exists and can be written to.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// Opens the directory; makes it, for its owner alone, where it does not exist.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let refused = |error| Failure::NotWritable { path: path.to_owned(), error };
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(refused)?;
        }
        // Asking the permissions would not tell of a read-only file system.
        let probe = path.join(".write-probe");
        File::create(&probe).and_then(|_| fs::remove_file(&probe)).map_err(refused)?;
        Ok(Self(path.to_owned()))
    }

    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

/// Writes a file that appears whole or not at all, readable by its owner alone. An existing one is replaced.
pub(crate) fn write_whole(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let beside = path.with_extension("new");
    if beside.exists() {
        fs::remove_file(&beside)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    write(&mut file)?;
    file.flush()?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
