//! From the lines of the trail to log files, and from log files to digests.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyreeve_audit::segment::StreamName;
use keyreeve_core::digest_keys::DigestKeys;
use keyreeve_crypto::digest::{LowerHex, sha256};
use keyreeve_crypto::random::SystemRandom;
use keyreeve_domain::{AccountId, Region, Timestamp};
use keyreeve_observe::digest::{Digest, HASH_ALGORITHM, LogFile, SIGNATURE_ALGORITHM, hex};
use keyreeve_observe::event::Event;
use keyreeve_observe::layout::{TrailNames, iso};
use keyreeve_observe::sealed_file::{self, DataKeyError, DataKeys, Purpose};

use crate::files;
use crate::folder::{Folder, comment_of};
use crate::lines::{self, Ends, Line, ReadError};
use crate::settled::{Unread, settled};
use crate::state::{ChainState, Previous, State};

mod moved_clock;
mod retention;

use moved_clock::sweep;
pub use retention::Retention;

/// How the trail is delivered.
#[derive(Clone)]
pub struct Options {
    /// What the trail is called.
    pub names: TrailNames,
    /// The account whose chain in the home Region begins at once.
    pub account: AccountId,
    /// Seconds from one digest to the next.
    pub digest_seconds: u64,
    /// Log files are encrypted under data keys that come from here; in the clear where there are none.
    pub data_keys: Option<Arc<dyn DataKeys>>,
}

/// The trail cannot be delivered; what was read is not delivered in part.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// An event is not of the form.
    #[error("an event in segment {segment} of `{stream}` cannot be read, at byte {offset}")]
    Event {
        /// The stream.
        stream: StreamName,
        /// The number of the segment.
        segment: u32,
        /// Where its line begins.
        offset: u64,
    },
    /// There is no key to encrypt log files under.
    #[error(transparent)]
    DataKey(#[from] DataKeyError),
    /// The operating system refused.
    #[error("the files of the trail cannot be written: {0}")]
    Io(#[from] io::Error),
    /// The trail is not what it was.
    #[error("the trail cannot be read on: {0}")]
    Segments(String),
    /// No digest can be signed.
    #[error("a digest cannot be signed")]
    Signature,
}

impl From<ReadError> for DeliveryError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::Io(error),
            ReadError::Broken { .. } | ReadError::Missing(_) => Self::Segments(error.to_string()),
        }
    }
}

/// Bytes that are read of a stream at once.
const BUDGET: usize = 16 * 1024 * 1024;

/// Delivers the trail. There is one for a folder.
pub struct Deliverer {
    segments: PathBuf,
    folder: Arc<Folder>,
    options: Options,
    state: State,
    /// Where the streams ended when the process began: what was opened before is completed by nobody.
    began: Ends,
}

/// The events that go into one file.
type Group = Vec<(Timestamp, Vec<u8>)>;

impl Deliverer {
    /// Goes on with the delivery of the segments in the directory `segments` into `folder`. `began` is where the streams ended
    /// before this process wrote to them.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(
        segments: &Path,
        folder: Arc<Folder>,
        options: Options,
        began: Ends,
        now: Timestamp,
    ) -> Result<Self, DeliveryError> {
        files::make_directory(&folder.staging())?;
        let names = &options.names;
        let mut state = match State::read(&folder.private())? {
            Some(state) => state,
            None => State::new(names, now.millis()),
        };
        state.trail.clone_from(&names.trail);
        state.bucket.clone_from(&names.bucket);
        state.prefix.clone_from(&names.prefix);
        names.home.as_str().clone_into(&mut state.home);
        state.digest_seconds = options.digest_seconds;
        if state.is_anew {
            sweep(&folder, &mut state)?;
        }
        publish(&folder, &state.staged)?;
        state.staged.clear();
        // Whatever else is there was prepared for a state that never came to be.
        for entry in fs::read_dir(folder.staging())? {
            fs::remove_file(entry?.path())?;
        }
        let start = aligned(now, options.digest_seconds);
        let home = chain_name(options.account, options.names.home);
        state.chains.entry(home).or_insert_with(|| ChainState { end: start, ..ChainState::default() });
        state.write(&folder.private())?;
        folder.show(&state);
        Ok(Self { segments: segments.to_owned(), folder, options, state, began })
    }

    /// Delivers what stands in the trail; whether there is more.
    ///
    /// # Errors
    /// When that fails: then nothing was delivered, and it can be tried again.
    pub fn deliver(&mut self, now: Timestamp) -> Result<bool, DeliveryError> {
        self.settle()?;
        let mut next = self.state.clone();
        let mut groups = BTreeMap::<(AccountId, Region), Group>::new();
        let mut more = false;
        let mut broken = None;
        for stream in self.streams()? {
            let at = match next.streams.entry(stream.as_str().to_owned()) {
                Entry::Occupied(held) => held.into_mut(),
                Entry::Vacant(free) => free.insert(lines::start(&self.segments, &stream)?),
            };
            let before = at.clone();
            let mut read = Vec::new();
            let left = match lines::read(&self.segments, &stream, at, BUDGET, &mut read) {
                Ok(left) => left,
                Err(ReadError::Io(error)) => return Err(error.into()),
                // One stream that was tampered with keeps no other from its place.
                Err(error) => {
                    *at = before;
                    broken = Some(DeliveryError::from(error));
                    continue;
                }
            };
            more |= left;
            let unread =
                |Unread { segment, offset }| DeliveryError::Event { stream: stream.clone(), segment, offset };
            for line in settled(at, self.began.get(&stream), left, read).map_err(unread)? {
                let Line { segment, offset, json } = line;
                let place = Event::read(&json).and_then(|event| self.place(&event));
                let (chain, time) = place.ok_or_else(|| unread(Unread { segment, offset }))?;
                groups.entry(chain).or_default().push((time, json));
            }
        }
        if !groups.is_empty() {
            // ORDER: the segments first. What is delivered of a segment stands in it whatever happens, and the place that is kept too.
            for (stream, at) in &next.streams {
                if self.state.streams.get(stream) != Some(at) {
                    lines::sync(&self.segments, &stream.parse().map_err(io::Error::other)?, at)?;
                }
            }
            let files = self.log_files(groups, now, &mut next)?;
            self.commit(next, &files)?;
        } else {
            // Nothing to write: the state on disk says as much with an older place.
            self.state = next;
        }
        broken.map_or(Ok(more), Err)
    }

    fn streams(&self) -> io::Result<BTreeSet<StreamName>> {
        Ok(lines::segments(&self.segments)?.iter().map(|segment| segment.stream().clone()).collect())
    }

    /// The chain that an event belongs to, and its time.
    fn place(&self, event: &Event<'_>) -> Option<((AccountId, Region), Timestamp)> {
        let (account, region) = (event.account()?, event.region()?);
        // Whoever is nobody may name any Region: he begins no chain with it.
        let region = match event.is_of_nobody() {
            true if !self.state.chains.contains_key(&chain_name(account, region)) => self.options.names.home,
            _ => region,
        };
        Some(((account, region), event.time()?))
    }

    /// Prepares a log file for each group, and notes it for the next digest.
    fn log_files(
        &self,
        groups: BTreeMap<(AccountId, Region), Group>,
        now: Timestamp,
        next: &mut State,
    ) -> Result<Vec<String>, DeliveryError> {
        let names = &self.options.names;
        let start = aligned(now, self.options.digest_seconds);
        let mut prepared = Vec::new();
        for ((account, region), mut events) in groups {
            events.sort_by_key(|(time, _)| *time);
            let oldest = events.first().map_or(now, |(time, _)| *time);
            let newest = events.last().map_or(now, |(time, _)| *time);
            let content = log_content(&events);
            let hash = sha256(&content);
            let key = names.log_key(account, region, now, &unique(&hash));
            let packed = files::packed(&content, None)?;
            let sealed = self.sealed(&key, account, &packed)?;
            let sealed_hash_value =
                sealed.as_ref().map(|sealed| LowerHex::new(&sha256(sealed)).as_str().to_owned());
            self.stage(&key, sealed.as_ref().unwrap_or(&packed))?;
            let chain = next
                .chains
                .entry(chain_name(account, region))
                .or_insert_with(|| ChainState { end: start, ..ChainState::default() });
            chain.delivered = Some(now.millis());
            chain.logs.push(LogFile {
                bucket: names.bucket.clone(),
                object: key.clone(),
                hash_value: LowerHex::new(&hash).as_str().to_owned(),
                hash_algorithm: HASH_ALGORITHM.to_owned(),
                newest_event_time: iso(newest),
                oldest_event_time: iso(oldest),
                sealed_hash_value,
            });
            prepared.push(key);
        }
        Ok(prepared)
    }

    /// A log file under a data key of its own, where log files are encrypted.
    fn sealed(&self, key: &str, account: AccountId, packed: &[u8]) -> Result<Option<Vec<u8>>, DeliveryError> {
        let Options { names, data_keys, .. } = &self.options;
        let Some(data_keys) = data_keys else { return Ok(None) };
        let purpose = Purpose { trail: names.arn(account), object: names.object_arn(key) };
        let data_key = data_keys.make(&purpose)?;
        let sealed = sealed_file::seal(packed, &purpose, &data_key, &SystemRandom);
        Ok(Some(sealed.map_err(|error| DataKeyError(error.to_string()))?))
    }

    /// Whether a digest is due at `now`.
    #[must_use]
    pub fn is_digest_due(&self, now: Timestamp) -> bool {
        let end = aligned(now, self.options.digest_seconds);
        self.state.chains.values().any(|chain| chain.end < end)
    }

    /// Whether a digest ends later than `now`: the clock was ahead, and the next one of its chain has to wait.
    #[must_use]
    pub fn is_digest_ahead_of(&self, now: Timestamp) -> bool {
        self.state.chains.values().any(|chain| chain.end > now.millis())
    }

    /// Closes the stretch of time of every chain that is due at `now` with a digest, signed by `keys`, also where nothing was
    /// delivered in it.
    ///
    /// # Errors
    /// When that fails: then no digest was delivered, and it can be tried again.
    pub fn digest(&mut self, now: Timestamp, keys: &DigestKeys) -> Result<(), DeliveryError> {
        self.settle()?;
        let mut next = self.state.clone();
        let mut prepared = Vec::new();
        self.prepare_digests(aligned(now, self.options.digest_seconds), keys, &mut next, &mut prepared)?;
        if prepared.is_empty() { Ok(()) } else { self.commit(next, &prepared) }
    }

    /// Prepares the digests of all chains that end before `end`, and notes them in `next`.
    fn prepare_digests(
        &self,
        end: i64,
        keys: &DigestKeys,
        next: &mut State,
        prepared: &mut Vec<String>,
    ) -> Result<(), DeliveryError> {
        for (name, chain) in next.chains.iter_mut().filter(|(_, chain)| chain.end < end) {
            let Some((account, region)) = read_chain_name(name) else { continue };
            let names = &self.options.names;
            let object = names.digest_key(account, region, Timestamp::from_millis(end));
            let logs = core::mem::take(&mut chain.logs);
            let previous = chain.previous.take();
            let digest = Digest {
                aws_account_id: account.to_string(),
                digest_start_time: iso(Timestamp::from_millis(chain.end)),
                digest_end_time: iso(Timestamp::from_millis(end)),
                bucket: names.bucket.clone(),
                object: object.clone(),
                digest_public_key_fingerprint: keys.fingerprint(),
                digest_signature_algorithm: SIGNATURE_ALGORITHM.to_owned(),
                newest_event_time: logs.iter().map(|log| log.newest_event_time.clone()).max(),
                oldest_event_time: logs.iter().map(|log| log.oldest_event_time.clone()).min(),
                previous_bucket: previous.as_ref().map(|_| names.bucket.clone()),
                previous_object: previous.as_ref().map(|previous| previous.object.clone()),
                previous_digest_hash_value: previous.as_ref().map(|previous| previous.hash.clone()),
                previous_digest_hash_algorithm: previous.as_ref().map(|_| HASH_ALGORITHM.to_owned()),
                previous_digest_signature: previous.map(|previous| previous.signature),
                log_files: logs,
            };
            let content = serde_json::to_vec(&digest).map_err(io::Error::other)?;
            let signed = keys.sign(digest.string_to_sign(&content).as_bytes());
            let signature = hex(&signed.map_err(|_error| DeliveryError::Signature)?);
            self.stage(&object, &files::packed(&content, Some(&comment_of(&signature)))?)?;
            let hash = LowerHex::new(&sha256(&content)).as_str().to_owned();
            chain.previous = Some(Previous { object: object.clone(), hash, signature });
            chain.end = end;
            prepared.push(object);
        }
        Ok(())
    }

    fn stage(&self, key: &str, content: &[u8]) -> io::Result<()> {
        files::write(&self.folder.staged(key), content)
    }

    /// Makes `next` the state, and puts what was prepared for it in its places.
    fn commit(&mut self, mut next: State, prepared: &[String]) -> Result<(), DeliveryError> {
        prepared.clone_into(&mut next.staged);
        // ORDER: the files, the state, their places. Cut off before the state, nothing was delivered; after it, the next start
        // puts them there.
        files::sync_parent(&self.folder.staged("x"))?;
        next.write(&self.folder.private())?;
        self.state = next;
        self.settle()
    }

    /// Gives the files that the state speaks of their places. An error that keeps them from there leaves them to the next call,
    /// which comes before any other state: that would no longer name them.
    fn settle(&mut self) -> Result<(), DeliveryError> {
        if self.state.is_anew {
            sweep(&self.folder, &mut self.state)?;
            self.folder.show(&self.state);
        }
        if !self.state.staged.is_empty() {
            publish(&self.folder, &self.state.staged)?;
            self.state.staged.clear();
            self.folder.show(&self.state);
        }
        Ok(())
    }
}

/// Puts prepared files in their places; those that are there already are left.
fn publish(folder: &Folder, staged: &[String]) -> io::Result<()> {
    let mut directories = BTreeSet::new();
    for key in staged {
        let (from, to) = (folder.staged(key), folder.place(key));
        let Some(parent) = to.parent() else { continue };
        if from.exists() {
            files::make_directory(parent)?;
            fs::rename(&from, &to)?;
        }
        // One that was moved by a call that failed may not be durable there yet.
        if parent.is_dir() {
            directories.extend(
                parent.ancestors().take_while(|at| at.starts_with(folder.root())).map(Path::to_owned),
            );
        }
    }
    for directory in directories {
        fs::File::open(directory)?.sync_all()?;
    }
    // ORDER: after the files have their places, before the state forgets them.
    if let Some(outbox) = folder.outbox().filter(|_| !staged.is_empty()) {
        staged.iter().try_for_each(|key| outbox.note(key))?;
        outbox.sync()?;
    }
    Ok(())
}

fn log_content(events: &[(Timestamp, Vec<u8>)]) -> Vec<u8> {
    let len: usize = events.iter().map(|(_, json)| json.len() + 1).sum();
    let mut content = Vec::with_capacity(len + 16);
    content.extend_from_slice(b"{\"Records\":[");
    for (at, (_, json)) in events.iter().enumerate() {
        if at > 0 {
            content.push(b',');
        }
        content.extend_from_slice(json);
    }
    content.extend_from_slice(b"]}");
    content
}

/// Sixteen letters and digits that tell a log file from all others: events have ids, so no two have the same content.
fn unique(hash: &[u8; 32]) -> String {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let letter = |byte: &u8| LETTERS.get(usize::from(*byte) % LETTERS.len()).copied().map(char::from);
    hash.iter().take(16).filter_map(letter).collect()
}

/// The last time that is a multiple of `seconds`, in milliseconds.
fn aligned(now: Timestamp, seconds: u64) -> i64 {
    let step = step(seconds);
    now.millis().div_euclid(step).saturating_mul(step)
}

fn step(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000).max(1000)
}

pub(crate) fn chain_name(account: AccountId, region: Region) -> String {
    format!("{account}/{region}")
}

pub(crate) fn read_chain_name(name: &str) -> Option<(AccountId, Region)> {
    let (account, region) = name.split_once('/')?;
    Some((account.parse().ok()?, region.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use keyreeve_audit::chain::Chain;

    use super::*;
    use crate::index::Index;
    use crate::verify::{Range, verify};

    /// The oldest events of all, so many at most.
    pub(super) fn everything(limit: usize) -> crate::Query {
        crate::Query {
            owner: None,
            attributes: Vec::new(),
            resource: None,
            principal: None,
            from: None,
            to: None,
            after: None,
            oldest_first: true,
            limit,
            bytes: usize::MAX,
        }
    }

    pub(super) fn now() -> Timestamp {
        Timestamp::from_millis(1_767_323_100_000)
    }

    /// A directory with segments and a folder that they are delivered to.
    pub(super) struct Place {
        directory: tempfile::TempDir,
        chain: Chain,
    }

    impl Place {
        pub(super) fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            fs::create_dir(directory.path().join("audit")).unwrap();
            Self { directory, chain: Chain::START }
        }

        pub(super) fn segments(&self) -> PathBuf {
            self.directory.path().join("audit")
        }

        pub(super) fn root(&self) -> PathBuf {
            self.directory.path().join("trail")
        }

        /// Appends a segment with an event.
        pub(super) fn write(&mut self, number: u32) {
            let hash = LowerHex::new(&self.chain.hash).as_str().to_owned();
            let mut bytes = Vec::new();
            self.chain.append(format!("{{\"previousHash\":\"{hash}\"}}").as_bytes(), &mut bytes);
            let event = format!(
                "{{\"userIdentity\":{{\"type\":\"Root\"}},\"eventTime\":\"2026-01-02T03:04:05Z\",\
                 \"eventSource\":\"kms.amazonaws.com\",\"eventName\":\"Encrypt\",\"awsRegion\":\"us-east-1\",\
                 \"eventID\":\"00000000-0000-4000-8000-{number:012}\",\"readOnly\":true,\
                 \"recipientAccountId\":\"111122223333\"}}"
            );
            self.chain.append(event.as_bytes(), &mut bytes);
            fs::write(self.segments().join(format!("w0-{number:08}.log")), bytes).unwrap();
        }

        pub(super) fn open(&self) -> (Deliverer, Arc<Index>) {
            let index = Arc::new(Index::new(&self.segments(), Ends::new()));
            let folder = Arc::new(Folder::open(&self.root(), Arc::clone(&index)).unwrap());
            let options = Options {
                names: TrailNames {
                    trail: "keyreeve".to_owned(),
                    bucket: "keyreeve-trail".to_owned(),
                    prefix: String::new(),
                    kms_key: None,
                    home: "us-east-1".parse().unwrap(),
                },
                account: "111122223333".parse().unwrap(),
                digest_seconds: 3600,
                data_keys: None,
            };
            (Deliverer::open(&self.segments(), folder, options, Ends::new(), now()).unwrap(), index)
        }

        /// Events in log files, once the folder was found whole.
        pub(super) fn events(&self) -> u64 {
            let report = verify(&self.root(), &self.segments(), Range::default(), &[], None).unwrap();
            assert_eq!(report.findings, Vec::new());
            report.events
        }
    }

    #[test]
    fn files_that_an_error_kept_from_their_places_have_them_later() {
        let mut place = Place::new();
        place.write(1);
        let (mut deliverer, _) = place.open();
        // A file stands where a directory is to be made.
        let in_the_way = place.root().join("AWSLogs");
        fs::write(&in_the_way, "").unwrap();
        assert!(deliverer.deliver(now()).is_err());
        place.write(2);
        assert!(deliverer.deliver(now()).is_err());
        // On its way it is found, too.
        assert_eq!(place.events(), 1);
        fs::remove_file(&in_the_way).unwrap();
        deliverer.deliver(now()).unwrap();
        assert_eq!(place.events(), 2);
        assert_eq!(fs::read_dir(deliverer.folder.staging()).unwrap().count(), 0);
        // The same where another process comes between.
        place.write(3);
        let (mut deliverer, _) = place.open();
        deliverer.deliver(now()).unwrap();
        assert_eq!(place.events(), 3);
    }

    #[test]
    fn the_index_of_a_complete_segment_lies_in_a_file_once_somebody_has_looked() {
        let mut place = Place::new();
        (1..=4).for_each(|number| place.write(number));
        let kept = place.directory.path().join("index");
        let index = Index::new(&place.segments(), Ends::new()).kept_in(&kept);
        let found = index.find(&everything(10)).unwrap();
        assert_eq!(found.len(), 4);
        let mut files: Vec<_> = fs::read_dir(&kept)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert_eq!(files, ["w0-00000001.log.idx", "w0-00000002.log.idx", "w0-00000003.log.idx"]);
        index.keep().unwrap();
        let again = Index::new(&place.segments(), Ends::new()).kept_in(&kept);
        assert_eq!(again.find(&everything(10)).unwrap(), found);
    }
}
