//! What of the folder is still to be put into a bucket.
//!
//! A directory beside the state, with an empty file for each file of the folder that the bucket does not have yet. The name of such
//! a note is the name of the file, less the prefix of the bucket, with `~` for each slash: no name of a file of the trail has one.
//!
//! INVARIANT: a note is made durable before the state forgets that its file was staged, and removed after the bucket has
//! said that it has the file. So a file may be put twice, and never not at all.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use keyreeve_crypto::digest::{LowerHex, sha256};
use keyreeve_domain::Timestamp;
use keyreeve_observe::layout::{TOP, is_digest};

use crate::files;
use crate::folder::{self, PRIVATE};

/// The notes for one bucket.
pub(crate) struct Outbox {
    path: PathBuf,
    prefix: String,
}

/// A file that waits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Waiting {
    /// Its name.
    pub(crate) key: String,
    note: String,
}

impl Outbox {
    /// The notes for the bucket that `identity` tells from all others, in the folder at `root`. A bucket that is new gets all
    /// that stands in the folder; notes for any other are dropped.
    pub(crate) fn open(root: &Path, identity: &str, prefix: &str) -> io::Result<Self> {
        let hash = LowerHex::new(&sha256(identity.as_bytes()));
        let name = format!("{OUTBOX}{}", hash.as_str().get(..16).unwrap_or_default());
        remove_all_but(root, Some(&name))?;
        let outbox = Self { path: root.join(PRIVATE).join(&name), prefix: prefix.to_owned() };
        if !outbox.path.is_dir() {
            let new = Self { path: root.join(PRIVATE).join(format!("{name}{NEW}")), ..outbox };
            files::make_directory(&new.path)?;
            for info in folder::list(root, &format!("{prefix}{TOP}"), "", usize::MAX)? {
                new.note(&info.key)?;
            }
            new.sync()?;
            let path = root.join(PRIVATE).join(&name);
            fs::rename(&new.path, &path)?;
            files::sync_parent(&path)?;
            return Ok(Self { path, ..new });
        }
        Ok(outbox)
    }

    /// Drops the notes for every bucket.
    pub(crate) fn close(root: &Path) -> io::Result<()> {
        remove_all_but(root, None)
    }

    /// Notes a file that has its place. [`Self::sync`] makes notes durable.
    pub(crate) fn note(&self, key: &str) -> io::Result<()> {
        // One of before the prefix was changed is named by itself.
        let name = key.strip_prefix(&self.prefix).unwrap_or(key).replace('/', SLASH);
        files::write_empty(&self.path.join(name))
    }

    /// Makes notes durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// The files that wait: log files before digests, so that a digest comes after what it speaks of.
    pub(crate) fn waiting(&self) -> io::Result<Vec<Waiting>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let Ok(note) = entry?.file_name().into_string() else { continue };
            let key = format!("{}{}", self.prefix, note.replace(SLASH, "/"));
            found.push(Waiting { key, note });
        }
        found.sort_by(|one, other| (is_digest(&one.key), &one.key).cmp(&(is_digest(&other.key), &other.key)));
        Ok(found)
    }

    /// Since when a file waits; nothing where it does not any more.
    pub(crate) fn since(&self, waiting: &Waiting) -> io::Result<Option<Timestamp>> {
        match fs::metadata(self.path.join(&waiting.note)) {
            Ok(metadata) => Ok(Some(folder::modified(&metadata)?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Forgets a file, which the bucket has.
    pub(crate) fn forget(&self, waiting: &Waiting) -> io::Result<()> {
        fs::remove_file(self.path.join(&waiting.note))
    }
}

fn remove_all_but(root: &Path, kept: Option<&str>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(PRIVATE))? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(name) = name.to_str().filter(|name| name.starts_with(OUTBOX))
            && Some(name) != kept
        {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

const OUTBOX: &str = "outbox-";
/// What the name of a directory ends with that is not filled yet.
const NEW: &str = ".new";
const SLASH: &str = "~";

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "AWSLogs/1/CloudTrail/r/2026/01/02/1_CloudTrail_r_20260102T0305Z_u.json.gz";
    const DIGEST: &str =
        "AWSLogs/1/CloudTrail-Digest/r/2026/01/02/1_CloudTrail-Digest_r_t_r_20260102T040000Z.json.gz";

    fn folder(prefix: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(PRIVATE)).unwrap();
        for key in [LOG, DIGEST] {
            let path = root.path().join(format!("{prefix}{key}"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        root
    }

    fn keys(outbox: &Outbox) -> Vec<String> {
        outbox.waiting().unwrap().into_iter().map(|waiting| waiting.key).collect()
    }

    #[test]
    fn a_new_bucket_gets_what_is_there_log_files_first() {
        for prefix in ["", "logs/kms/"] {
            let root = folder(prefix);
            let outbox = Outbox::open(root.path(), "one", prefix).unwrap();
            assert_eq!(keys(&outbox), [format!("{prefix}{LOG}"), format!("{prefix}{DIGEST}")]);
        }
    }

    #[test]
    fn what_a_bucket_has_is_forgotten_for_it_alone() {
        let root = folder("");
        let outbox = Outbox::open(root.path(), "one", "").unwrap();
        let first = outbox.waiting().unwrap().remove(0);
        assert!(outbox.since(&first).unwrap().is_some());
        outbox.forget(&first).unwrap();
        assert_eq!(outbox.since(&first).unwrap(), None);
        assert_eq!(keys(&Outbox::open(root.path(), "one", "").unwrap()), [DIGEST]);
        assert_eq!(keys(&Outbox::open(root.path(), "other", "").unwrap()), [LOG, DIGEST]);
        // The first one may lack what was delivered meanwhile.
        assert_eq!(keys(&Outbox::open(root.path(), "one", "").unwrap()), [LOG, DIGEST]);
        Outbox::close(root.path()).unwrap();
        assert_eq!(fs::read_dir(root.path().join(PRIVATE)).unwrap().count(), 0);
    }

    #[test]
    fn an_outbox_that_was_not_filled_is_filled_anew() {
        let root = folder("");
        let outbox = Outbox::open(root.path(), "one", "").unwrap();
        let cut_off = outbox.path.with_extension("new");
        fs::rename(&outbox.path, &cut_off).unwrap();
        outbox.waiting().unwrap_err();
        fs::remove_file(cut_off.join(LOG.replace('/', SLASH))).unwrap();
        assert_eq!(keys(&Outbox::open(root.path(), "one", "").unwrap()), [LOG, DIGEST]);
        assert!(!cut_off.exists());
    }
}
