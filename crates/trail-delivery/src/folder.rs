//! The folder that the trail is delivered to, and what is read of it.
//!
//! ```text
//! AWSLogs/…                       the files, named as in a bucket of CloudTrail
//! .keyreeve/state.json            what the delivery knows
//! .keyreeve/public-keys.json      the public keys of digests
//! .keyreeve/index/…               the indexes of complete segments
//! .keyreeve/staged/…              files on their way to their places
//! .keyreeve/outbox-…              what a bucket does not have yet
//! ```
//! A bucket keeps the signature of a digest as metadata of the object; here it is the comment in the head of the compressed file
//! (RFC 1952), so that both are always together.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_core::digest_keys::DigestPublicKey;
use keyreeve_domain::{AccountId, Timestamp};
use keyreeve_observe::archive::{
    Archive, ArchiveError, Found, Object, ObjectInfo, PublicKey, Reply, Status, Wanted,
};
use keyreeve_observe::digest::SIGNATURE_ALGORITHM;
use keyreeve_observe::layout::{iso, parse_iso};
use keyreeve_observe::sealed_file::{self, LEN_HEAD, SealedFile};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::index::{Index, Query};
use crate::lines::read_from;
use crate::outbox::Outbox;
use crate::state::State;

/// A folder, and the segments that it is delivered from.
pub struct Folder {
    root: PathBuf,
    index: Arc<Index>,
    keys: Mutex<Vec<PublicKey>>,
    statuses: Mutex<BTreeMap<String, Status>>,
    error: Mutex<Option<String>>,
    outbox: Option<Outbox>,
    upload_error: Mutex<Option<String>>,
}

/// A public key in `public-keys.json`.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyEntry {
    fingerprint: String,
    value: String,
    validity_start_time: String,
    validity_end_time: Option<String>,
}

impl Folder {
    /// The folder at `root`; events are looked up by `index`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(root: &Path, index: Arc<Index>) -> io::Result<Self> {
        files::make_directory(root)?;
        files::make_directory(&root.join(PRIVATE))?;
        Ok(Self {
            root: root.to_owned(),
            index,
            keys: Mutex::default(),
            statuses: Mutex::default(),
            error: Mutex::default(),
            outbox: None,
            upload_error: Mutex::default(),
        })
    }

    /// Notes from now on what is to go into a bucket: the one that `identity` tells from all others, where names begin with
    /// `prefix`. It gets what stands in the folder already. Without a bucket, nothing is noted.
    ///
    /// # Errors
    /// When the notes cannot be kept.
    pub fn for_bucket(mut self, bucket: Option<(&str, &str)>) -> io::Result<Self> {
        self.outbox = match bucket {
            Some((identity, prefix)) => Some(Outbox::open(&self.root, identity, prefix)?),
            None => {
                Outbox::close(&self.root)?;
                None
            }
        };
        Ok(self)
    }

    pub(crate) fn outbox(&self) -> Option<&Outbox> {
        self.outbox.as_ref()
    }

    /// Notes what keeps files from the bucket, or that nothing does.
    pub fn set_upload_error(&self, error: Option<String>) {
        *self.upload_error.lock() = error;
    }

    /// Writes the public keys beside the files, durably. A key signs only after that.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn set_public_keys(&self, keys: &[DigestPublicKey]) -> io::Result<()> {
        let keys: Vec<PublicKey> = keys
            .iter()
            .map(|key| PublicKey {
                der: key.der.clone(),
                fingerprint: key.fingerprint(),
                since: key.since,
                until: key.until,
            })
            .collect();
        let entries: Vec<KeyEntry> = keys
            .iter()
            .map(|key| KeyEntry {
                fingerprint: key.fingerprint.clone(),
                value: STANDARD.encode(&key.der),
                validity_start_time: iso(key.since),
                validity_end_time: key.until.map(iso),
            })
            .collect();
        let json = serde_json::to_vec_pretty(&entries).map_err(io::Error::other)?;
        files::replace(&self.root.join(PRIVATE).join(KEYS_FILE), &json)?;
        *self.keys.lock() = keys;
        Ok(())
    }

    /// Notes what is in the way of the delivery, or that nothing is.
    pub fn set_error(&self, error: Option<String>) {
        *self.error.lock() = error;
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn private(&self) -> PathBuf {
        self.root.join(PRIVATE)
    }

    pub(crate) fn staging(&self) -> PathBuf {
        self.root.join(PRIVATE).join(STAGED)
    }

    /// Where the file `key` is prepared. Its last part alone tells it from all others.
    pub(crate) fn staged(&self, key: &str) -> PathBuf {
        staged(&self.root, key)
    }

    /// Where the file `key` belongs.
    pub(crate) fn place(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Shows how the delivery stands.
    pub(crate) fn show(&self, state: &State) {
        let mut statuses = BTreeMap::<String, Status>::new();
        for (name, chain) in &state.chains {
            let account = name.split('/').next().unwrap_or_default().to_owned();
            let status = statuses.entry(account).or_default();
            let delivered = chain.delivered.map(Timestamp::from_millis);
            status.started = Some(Timestamp::from_millis(state.started));
            status.delivered = status.delivered.max(delivered);
            let digested = chain.previous.as_ref().map(|_| Timestamp::from_millis(chain.end));
            status.digested = status.digested.max(digested);
        }
        *self.statuses.lock() = statuses;
    }
}

/// Where the file `key` is prepared in the folder at `root`.
pub(crate) fn staged(root: &Path, key: &str) -> PathBuf {
    root.join(PRIVATE).join(STAGED).join(key.rsplit('/').next().unwrap_or(key))
}

/// The object `key` in the folder at `root`.
pub(crate) fn read_object(root: &Path, key: &str) -> io::Result<Option<Object>> {
    if !is_plain(key) {
        return Ok(None);
    }
    let path = root.join(key);
    if !path.is_file() {
        return Ok(None);
    }
    let Some(content) = files::read(&path)? else { return Ok(None) };
    let info = info(key, &path)?;
    let signature = files::comment(&content).and_then(|comment| signature_of(&comment));
    let metadata = signature.map(|signature| {
        vec![
            ("signature".to_owned(), signature),
            ("signature-algorithm".to_owned(), SIGNATURE_ALGORITHM.to_owned()),
        ]
    });
    let is_sealed = SealedFile::read(&content).is_some();
    Ok(Some(Object { info, metadata: metadata.unwrap_or_default(), content, is_sealed }))
}

/// The public keys in the folder at `root`.
pub(crate) fn read_public_keys(root: &Path) -> io::Result<Vec<PublicKey>> {
    let Some(json) = files::read(&root.join(PRIVATE).join(KEYS_FILE))? else { return Ok(Vec::new()) };
    let entries: Vec<KeyEntry> = serde_json::from_slice(&json).map_err(io::Error::other)?;
    let keys = entries.into_iter().filter_map(|entry| {
        let KeyEntry { fingerprint, value, validity_start_time, validity_end_time } = entry;
        Some(PublicKey {
            der: STANDARD.decode(value).ok()?,
            fingerprint,
            since: parse_iso(&validity_start_time)?,
            until: validity_end_time.as_deref().and_then(parse_iso),
        })
    });
    Ok(keys.collect())
}

/// The public keys in a file that somebody gives: the one of a folder, or what `aws cloudtrail list-public-keys` prints.
///
/// # Errors
/// When it is neither.
pub fn given_public_keys(json: &[u8]) -> io::Result<Vec<PublicKey>> {
    let given: Given = serde_json::from_slice(json).map_err(io::Error::other)?;
    let keys = match given {
        Given::Listed { keys } | Given::Written(keys) => keys,
    };
    let read = |GivenKey { fingerprint, value }| {
        let der = STANDARD.decode(value).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(PublicKey { der, fingerprint, since: Timestamp::from_millis(0), until: None })
    };
    keys.into_iter().map(read).collect()
}

/// Public keys in one of two forms.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Listed {
        #[serde(rename = "PublicKeyList")]
        keys: Vec<GivenKey>,
    },
    Written(Vec<GivenKey>),
}

/// One of them; what else is said of it proves nothing.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GivenKey {
    fingerprint: String,
    value: String,
}

/// The comment that holds a signature.
pub(crate) fn comment_of(signature: &str) -> String {
    format!("{SIGNATURE_ALGORITHM} {signature}")
}

/// The signature in a comment.
pub(crate) fn signature_of(comment: &str) -> Option<String> {
    Some(comment.strip_prefix(SIGNATURE_ALGORITHM)?.strip_prefix(' ')?.to_owned())
}

/// Whether a name leads nowhere but into the folder, to what is meant to be seen.
fn is_plain(key: &str) -> bool {
    let is_named =
        |component| matches!(component, Component::Normal(name) if !name.to_string_lossy().starts_with('.'));
    !key.contains("//") && !key.contains('\0') && Path::new(key).components().all(is_named)
}

fn info(key: &str, path: &Path) -> io::Result<ObjectInfo> {
    let metadata = fs::metadata(path)?;
    let len = sealed_len(path)?.unwrap_or(metadata.len());
    Ok(ObjectInfo { key: key.to_owned(), len, modified: modified(&metadata)? })
}

/// The length of what is encrypted in a file, where it is encrypted.
fn sealed_len(path: &Path) -> io::Result<Option<u64>> {
    Ok(sealed_file::content_len(&read_from(path, 0, LEN_HEAD)?))
}

/// When a file was written.
pub(crate) fn modified(metadata: &fs::Metadata) -> io::Result<Timestamp> {
    let since = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or_default()))
}

/// The objects below `root` whose names begin with `prefix` and come after `after`, in order, at most `limit`.
pub(crate) fn list(root: &Path, prefix: &str, after: &str, limit: usize) -> io::Result<Vec<ObjectInfo>> {
    let mut found = Vec::new();
    let start = prefix.rfind('/').and_then(|at| prefix.get(..=at)).unwrap_or_default();
    if start.is_empty() || is_plain(start) {
        walk(root, start, (prefix, after), limit, &mut found)?;
    }
    Ok(found)
}

fn walk(
    root: &Path,
    at: &str,
    (prefix, after): (&str, &str),
    limit: usize,
    found: &mut Vec<ObjectInfo>,
) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(at)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(());
        }
        entries => entries?,
    };
    // In the order of whole names: a directory stands where its slash puts it.
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_str().filter(|name| !name.starts_with('.')) {
            let end = if entry.file_type()?.is_dir() { "/" } else { "" };
            names.push(format!("{at}{name}{end}"));
        }
    }
    names.sort();
    for name in names {
        if found.len() >= limit {
            return Ok(());
        }
        let is_below = name.starts_with(prefix);
        if name.ends_with('/') {
            let is_before = name.as_str() < after && !after.starts_with(&name);
            if (is_below || prefix.starts_with(&name)) && !is_before {
                walk(root, &name, (prefix, after), limit, found)?;
            }
        } else if is_below && name.as_str() > after {
            found.push(info(&name, &root.join(&name))?);
        }
    }
    Ok(())
}

/// Does work that waits for the disk where it holds up nobody.
pub(crate) fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Reply<'static, T> {
    Box::pin(async move {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(|error| ArchiveError(error.to_string())),
            Err(error) => Err(ArchiveError(error.to_string())),
        }
    })
}

/// The folder, as the API reads it.
impl Archive for Folder {
    fn lookup(&self, wanted: Wanted) -> Reply<'_, Vec<Found>> {
        let index = Arc::clone(&self.index);
        blocking(move || index.find(&Query::of(wanted)))
    }

    fn list(&self, prefix: String, after: String, limit: usize) -> Reply<'_, Vec<ObjectInfo>> {
        let root = self.root.clone();
        blocking(move || list(&root, &prefix, &after, limit))
    }

    fn object(&self, key: String) -> Reply<'_, Option<Object>> {
        let root = self.root.clone();
        blocking(move || read_object(&root, &key))
    }

    fn public_keys(&self) -> Vec<PublicKey> {
        self.keys.lock().clone()
    }

    fn status(&self, account: AccountId) -> Status {
        let mut status = self.statuses.lock().get(&account.to_string()).cloned().unwrap_or_default();
        let error = self.error.lock().clone();
        status.error = error.or_else(|| self.upload_error.lock().clone());
        status
    }
}

pub(crate) const PRIVATE: &str = ".keyreeve";
/// Where a folder keeps the indexes of segments.
pub const INDEX_DIR: &str = ".keyreeve/index";
const KEYS_FILE: &str = "public-keys.json";
const STAGED: &str = "staged";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_into_the_folder_or_nowhere() {
        for (key, plain) in [
            ("AWSLogs/1/a.json.gz", true),
            ("AWSLogs/../x", false),
            ("AWSLogs/./x", false),
            ("/etc/passwd", false),
            ("AWSLogs//x", false),
            (".keyreeve/state.json", false),
            ("AWSLogs/.x", false),
        ] {
            // `Path` drops a dot that stands between slashes.
            assert_eq!(is_plain(key) && !key.contains("/./"), plain, "{key}");
        }
    }

    #[test]
    fn names_are_listed_in_order_after_a_name_with_a_prefix() {
        let root = tempfile::tempdir().unwrap();
        for key in ["a/b/1", "a/b/2", "a/b-c", "a/c/1", "b/1"] {
            let path = root.path().join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        for (prefix, after, limit, expected) in [
            ("", "", 9, vec!["a/b-c", "a/b/1", "a/b/2", "a/c/1", "b/1"]),
            ("a/b", "", 9, vec!["a/b-c", "a/b/1", "a/b/2"]),
            ("a/b/", "a/b/1", 9, vec!["a/b/2"]),
            ("a/", "a/b/1x", 9, vec!["a/b/2", "a/c/1"]),
            ("", "", 2, vec!["a/b-c", "a/b/1"]),
            ("x", "", 9, vec![]),
        ] {
            let found = list(root.path(), prefix, after, limit).unwrap();
            let keys: Vec<&str> = found.iter().map(|info| info.key.as_str()).collect();
            assert_eq!(keys, expected, "{prefix} {after}");
        }
    }
}
