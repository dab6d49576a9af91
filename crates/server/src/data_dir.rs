//! The data directory.
//!
//! ```text
//! seal.toml     which seal, and the id of the deployment
//! root.key      the root key, with the file seal
//! store.redb    the store
//! credentials   the root access key, as an AWS shared credentials file
//! accounts/     the root access keys of further accounts, in credentials files as well
//! audit/        the audit trail
//! audit-streams/  up to where each stream was told of it
//! control.sock  where the owner of the directory asks the running service for a backup
//! restoring     that a restore is under way, or was cut off
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, CWD, RenameFlags, access, renameat_with};
use rustix::io::Errno;

use crate::exit::Failure;

pub(crate) const ACCOUNTS_DIR: &str = "accounts";
/// Where the running service listens to the owner of the directory.
pub(crate) const CONTROL_SOCKET: &str = "control.sock";
pub(crate) const CREDENTIALS_FILE: &str = "credentials";
/// There until everything of a restore is in its place and proven.
pub(crate) const RESTORING_FILE: &str = "restoring";
pub(crate) const SEAL_FILE: &str = "seal.toml";
pub(crate) const STORE_FILE: &str = "store.redb";
pub(crate) const TRAIL_DIR: &str = "audit";

/// A data directory that exists and can be written to.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// Opens the directory; makes it, for its owner alone, where it does not exist.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let refused = |error| Failure::NotWritable { path: path.to_owned(), error };
        if !path.is_dir() {
            make(path).map_err(refused)?;
        }
        // Asking the permissions would not tell of a read-only file system.
        let probe = path.join(".write-probe");
        File::create(&probe).and_then(|_| fs::remove_file(&probe)).map_err(refused)?;
        tighten(path).map_err(refused)?;
        Ok(Self(path.to_owned()))
    }

    /// The directory as it is, to look at: nothing is made and nothing changed. `None` where it is not there or empty.
    pub(crate) fn look(path: &Path) -> Result<Option<Self>, Failure> {
        let refused = |error| Failure::NotWritable { path: path.to_owned(), error };
        match fs::read_dir(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(refused(error)),
            Ok(mut entries) => match entries.next() {
                None => return Ok(None),
                Some(entry) => drop(entry.map_err(refused)?),
            },
        }
        access(path, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| refused(error.into()))?;
        Ok(Some(Self(path.to_owned())))
    }

    /// Whether `name` is there.
    pub(crate) fn holds(&self, name: &str) -> Result<bool, Failure> {
        let path = self.join(name);
        path.try_exists().map_err(|error| Failure::NotWritable { path, error })
    }

    /// What only a start that had a store leaves behind: the first of it that is there.
    pub(crate) fn trace_of_a_store(&self) -> Result<Option<&'static str>, Failure> {
        if self.holds(CREDENTIALS_FILE)? {
            return Ok(Some(CREDENTIALS_FILE));
        }
        let path = self.join(TRAIL_DIR);
        let refused = |error| Failure::NotWritable { path: path.clone(), error };
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            entries => entries.map_err(refused)?,
        };
        for entry in entries {
            if Path::new(&entry.map_err(refused)?.file_name()).extension().is_some_and(|end| end == "log") {
                return Ok(Some(TRAIL_DIR));
            }
        }
        Ok(None)
    }

    /// Whether the file at `path`, which is there, is inside the directory, links resolved.
    pub(crate) fn encloses(&self, path: &Path) -> bool {
        match (fs::canonicalize(&self.0), fs::canonicalize(path)) {
            (Ok(directory), Ok(path)) => path.starts_with(directory),
            (Err(_), _) | (_, Err(_)) => false,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }
}

/// Makes a directory, for its owner alone, with those that it is in.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Takes the directory from everybody but its owner.
fn tighten(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    // A directory such as /tmp is everybody's on purpose.
    let tightened = match mode & STICKY {
        0 => fs::set_permissions(path, Permissions::from_mode(0o700)),
        _ => Err(io::Error::other("it is meant to be shared")),
    };
    let path = path.display();
    match tightened {
        Ok(()) => tracing::warn!(%path, "others could enter the data directory; now its owner alone can"),
        Err(error) => {
            tracing::warn!(%path, %error, "others can enter the data directory, and it could not be taken from them")
        }
    }
    Ok(())
}

/// Warns where others may read the file of a secret.
pub(crate) fn warn_if_others_read(path: &Path, file: &File) {
    if file.metadata().is_ok_and(|metadata| metadata.permissions().mode() & OTHERS != 0) {
        tracing::warn!(path = %path.display(), "others than its owner may read this file: take it from them with `chmod go=`");
    }
}

/// The permissions of the group and of everybody else.
const OTHERS: u32 = 0o077;
const STICKY: u32 = 0o1000;

/// Writes a file that appears whole or not at all, readable by its owner alone. An existing one is replaced.
pub(crate) fn write_whole(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let beside = beside(path);
    if beside.exists() {
        fs::remove_file(&beside)?;
    }
    write_beside(&beside, mode, write)?;
    fs::rename(&beside, path)?;
    sync_parent(path)
}

/// Writes a file that appears whole or not at all, readable by its owner alone. Neither an existing one nor what stands
/// where it is prepared is replaced: that is an error of the kind [`ErrorKind::AlreadyExists`].
pub(crate) fn write_new(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let beside = beside(path);
    write_beside(&beside, mode, write)?;
    let moved = match renameat_with(CWD, &beside, CWD, path, RenameFlags::NOREPLACE) {
        // Not every file system knows how.
        Err(Errno::INVAL | Errno::NOSYS) => {
            fs::hard_link(&beside, path).and_then(|()| fs::remove_file(&beside))
        }
        moved => moved.map_err(io::Error::from),
    };
    if moved.is_err() {
        fs::remove_file(&beside)?;
    }
    moved?;
    sync_parent(path)
}

/// Where a file is prepared before it takes its place.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    beside.into()
}

fn write_beside(beside: &Path, mode: u32, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(beside)?;
    write(&mut file)?;
    file.flush()?;
    file.sync_all()
}

pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        // The parent of a bare name is the directory that the process is in.
        Some(parent) if parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
