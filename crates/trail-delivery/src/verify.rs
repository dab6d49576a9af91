//! The proof that a folder holds what was delivered to it, and all of it.
//!
//! Every digest is checked by its public key and by the digest after it, every log file by its digest, from the newest digest back to the
//! first one. Where the segments are at hand, every event that was delivered must stand in one log file, once. What is
//! read is read alone: a service may be writing meanwhile.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::Path;

use keyreeve_audit::segment::{SegmentName, StreamName};
use keyreeve_crypto::asymmetric::is_rsa_signed;
use keyreeve_crypto::digest::{LowerHex, sha256};
use keyreeve_domain::Timestamp;
use keyreeve_observe::archive::PublicKey;
use keyreeve_observe::digest::{Digest, LogFile, unhex};
use keyreeve_observe::event::Event;
use keyreeve_observe::layout::{TOP, account_prefix, digest_prefix, iso, parse_iso};
use keyreeve_observe::sealed_file::{DataKeyError, SealedFile};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::deliver::read_chain_name;
use crate::files;
use crate::folder::{self, PRIVATE, signature_of};
use crate::lines::{self, read_from};
use crate::state::{ChainState, State};

/// What of a folder is checked: all where neither end is given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Range {
    /// Digests that end at this time or later.
    pub from: Option<Timestamp>,
    /// Digests that begin at this time or earlier; and one must reach it.
    pub to: Option<Timestamp>,
}

/// Something that is not as it was delivered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The file, chain or event.
    pub place: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What was checked, and what was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Digests that were checked.
    pub digests: u64,
    /// Log files that were checked.
    pub logs: u64,
    /// Events in them.
    pub events: u64,
    /// The end of each chain, by account and Region.
    pub ends: Vec<(String, Timestamp)>,
    /// The fingerprints of the keys that have signed.
    pub keys: BTreeSet<String>,
    /// Log files that are encrypted: each is the file that its digest names, and was not opened.
    pub sealed: u64,
    /// Encrypted log files that were opened, and whose events were read.
    pub opened: u64,
    /// Why others were not opened, and how many.
    pub closed: BTreeMap<String, u64>,
    /// Log files that are younger than the newest digest of a copy: nothing speaks of them yet.
    pub unproven: u64,
}

/// Who gives the data keys of encrypted log files.
pub type DataKeyOf<'a> = &'a dyn Fn(&SealedFile<'_>) -> Result<Zeroizing<Vec<u8>>, DataKeyError>;

/// Checks the folder at `root` against the segments in `segments`. Where `trusted` names fingerprints, no other key may have
/// signed. Encrypted log files are opened with what `data_key_of` gives.
///
/// # Errors
/// When files that are there cannot be read.
pub fn verify(
    root: &Path,
    segments: &Path,
    range: Range,
    trusted: &[String],
    data_key_of: Option<DataKeyOf<'_>>,
) -> io::Result<Report> {
    // ORDER: the state first, so that every key that has signed by then is known.
    let state = State::read(&root.join(PRIVATE))?;
    let keys = folder::read_public_keys(root)?;
    whole(root, Some(segments), range, (trusted, keys), (state, data_key_of))
}

/// As [`verify`], of a copy of a bucket: there is neither a state nor a segment, and `keys` may have signed.
///
/// # Errors
/// When files that are there cannot be read.
pub fn verify_copy(
    root: &Path,
    range: Range,
    trusted: &[String],
    keys: Vec<PublicKey>,
    data_key_of: Option<DataKeyOf<'_>>,
) -> io::Result<Report> {
    whole(root, None, range, (trusted, keys), (None, data_key_of))
}

fn whole(
    root: &Path,
    segments: Option<&Path>,
    range: Range,
    (trusted, keys): (&[String], Vec<PublicKey>),
    (state, data_key_of): (Option<State>, Option<DataKeyOf<'_>>),
) -> io::Result<Report> {
    let mut check = Check {
        root,
        range,
        trusted,
        staged: state.as_ref().map(|state| state.staged.clone()).unwrap_or_default(),
        keys,
        prefix: match &state {
            Some(state) => state.prefix.clone(),
            None => prefix_of_files(root)?,
        },
        is_copy: segments.is_none(),
        data_key_of,
        report: Report::default(),
        seen: BTreeSet::new(),
        events: HashMap::new(),
    };
    for key in &check.keys {
        let hash = LowerHex::new(&sha256(&key.der));
        if hash.as_str().get(..32) != Some(key.fingerprint.as_str()) {
            let problem = "is not the fingerprint of its public key".to_owned();
            check.report.findings.push(Finding { place: key.fingerprint.clone(), problem });
        }
    }
    let chains = match &state {
        Some(state) => state.chains.clone(),
        None => check.chains_of_files()?,
    };
    for (name, chain) in &chains {
        check.chain(name, chain)?;
    }
    // What was delivered while this looked is the next one's to check.
    let later = segments.map_or(Ok(None), |_| State::read(&root.join(PRIVATE)))?;
    for (name, chain) in &chains {
        check.strangers(name, chain, later.as_ref().and_then(|state| state.chains.get(name)))?;
    }
    if let Some((state, segments)) =
        state.zip(segments).filter(|_| range.from.is_none() && range.to.is_none())
    {
        check.ends(&state, segments)?;
        check.events(&state, segments)?;
    }
    Ok(check.report)
}

/// The numbers of the first segments that retention has left of each stream, by the folder at `root`.
///
/// # Errors
/// When the state of the delivery cannot be read.
pub fn first_segments(root: &Path) -> io::Result<BTreeMap<String, u32>> {
    let state = State::read(&root.join(PRIVATE))?;
    let streams = state.map(|state| state.streams).unwrap_or_default();
    Ok(streams.into_iter().map(|(stream, at)| (stream, at.first)).collect())
}

/// Many times the length of a line that is written, and more than the longest.
const LINE: u64 = 2 * 1024 * 1024;

/// The sequence number and the hash of the line that these bytes end with.
fn last_line(bytes: &[u8]) -> Option<(u64, &str)> {
    let line = bytes.strip_suffix(b"\n")?.rsplit(|byte| *byte == b'\n').next()?;
    let mut fields = line.splitn(3, |byte| *byte == b' ').map(|field| core::str::from_utf8(field).ok());
    Some((fields.next()??.parse().ok()?, fields.next()??))
}

struct Check<'a> {
    root: &'a Path,
    range: Range,
    trusted: &'a [String],
    /// The names of the files that were on their way to their places.
    staged: Vec<String>,
    keys: Vec<PublicKey>,
    /// What the names of all files begin with.
    prefix: String,
    /// It is a copy of what a bucket has, and of nothing beside.
    is_copy: bool,
    data_key_of: Option<DataKeyOf<'a>>,
    report: Report,
    /// The names of the files that a chain leads to.
    seen: BTreeSet<String>,
    /// How often each event was delivered.
    events: HashMap<String, u32>,
}

/// A log file.
#[derive(Deserialize)]
struct Log<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'a RawValue>,
}

/// What a digest must be, by the word of the one after it.
struct Expected {
    object: String,
    hash: Option<String>,
    signature: Option<String>,
    end: Option<String>,
}

impl Check<'_> {
    fn find(&mut self, place: &str, problem: impl Into<String>) {
        self.report.findings.push(Finding { place: place.to_owned(), problem: problem.into() });
    }

    /// The file `key`, in its place or, where the state says so, on its way to it.
    fn delivered(&self, key: &str) -> io::Result<Option<Vec<u8>>> {
        let place = self.root.join(key);
        let found = files::read(&place)?;
        if found.is_some() || !self.staged.iter().any(|staged| staged == key) {
            return Ok(found);
        }
        // ORDER: what is not there any more has its place by now.
        match files::read(&folder::staged(self.root, key))? {
            Some(found) => Ok(Some(found)),
            None => files::read(&place),
        }
    }

    /// Where there is no state, each chain goes back from its newest file.
    fn chains_of_files(&self) -> io::Result<BTreeMap<String, ChainState>> {
        let mut chains = BTreeMap::new();
        let top = format!("{}{TOP}", self.prefix);
        for info in folder::list(self.root, &top, "", usize::MAX)? {
            let parts: Vec<&str> = info.key.get(top.len()..).unwrap_or_default().split('/').collect();
            let [account, "CloudTrail-Digest", region, .., _] = parts.as_slice() else { continue };
            let name = format!("{account}/{region}");
            let end = end_of(&info.key).map_or(0, Timestamp::millis);
            let previous = crate::state::Previous {
                object: info.key.clone(),
                hash: String::new(),
                signature: String::new(),
            };
            chains.insert(name, ChainState { end, previous: Some(previous), ..ChainState::default() });
        }
        Ok(chains)
    }

    /// Follows a chain back from its newest digest.
    fn chain(&mut self, name: &str, chain: &ChainState) -> io::Result<()> {
        let end = Timestamp::from_millis(chain.end);
        self.report.ends.push((name.to_owned(), end));
        if self.range.to.is_some_and(|to| end < to) {
            self.find(
                name,
                format!("nothing proves what happened after {}: no digest reaches further", iso(end)),
            );
        }
        for log in &chain.logs {
            self.log(log)?;
        }
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let mut next = chain.previous.as_ref().map(|previous| Expected {
            object: previous.object.clone(),
            hash: some(&previous.hash),
            signature: some(&previous.signature),
            end: None,
        });
        while let Some(expected) = next {
            let object = expected.object.clone();
            self.seen.insert(object.clone());
            if let (Some(from), Some(end)) = (self.range.from, end_of(&object))
                && end < from
            {
                break;
            }
            next = match self.digest(&expected)? {
                Some(digest) => {
                    let start = digest.digest_start_time;
                    digest.previous_object.map(|object| Expected {
                        object,
                        hash: digest.previous_digest_hash_value,
                        signature: digest.previous_digest_signature,
                        end: Some(start),
                    })
                }
                // The chain is broken here; what is older is checked by itself.
                None => self.before(name, &object)?.map(|object| Expected {
                    object,
                    hash: None,
                    signature: None,
                    end: None,
                }),
            };
        }
        Ok(())
    }

    /// What the names of the digests of a chain begin with.
    fn prefix_of(&self, name: &str) -> String {
        match read_chain_name(name) {
            Some((account, region)) => format!("{}{region}/", digest_prefix(&self.prefix, account)),
            None => format!("{}{TOP}", self.prefix),
        }
    }

    /// The digest that stands before `object` by name.
    fn before(&self, name: &str, object: &str) -> io::Result<Option<String>> {
        let infos = folder::list(self.root, &self.prefix_of(name), "", usize::MAX)?;
        Ok(infos.into_iter().map(|info| info.key).rfind(|key| key.as_str() < object))
    }

    /// Checks a digest and its log files. Nothing where it leads no further.
    fn digest(&mut self, expected: &Expected) -> io::Result<Option<Digest>> {
        let object = &expected.object;
        self.report.digests += 1;
        let Some(packed) = self.delivered(object)? else {
            self.find(object, "the digest is missing");
            return Ok(None);
        };
        let Ok(unpacked) = files::unpacked(&packed) else {
            self.find(object, "the digest is damaged: it cannot be unpacked");
            return Ok(None);
        };
        let content = unpacked.content;
        let Ok(digest) = serde_json::from_slice::<Digest>(&content) else {
            self.find(object, "the digest is damaged: it cannot be read");
            return Ok(None);
        };
        let signature = unpacked.comment.as_deref().and_then(signature_of).unwrap_or_default();
        let fingerprint = &digest.digest_public_key_fingerprint;
        let key = self.keys.iter().find(|key| key.fingerprint == *fingerprint);
        let is_signed = key.is_some_and(|key| {
            let text = digest.string_to_sign(&content);
            unhex(&signature).is_some_and(|signature| is_rsa_signed(&key.der, text.as_bytes(), &signature))
        });
        self.report.keys.insert(fingerprint.clone());
        if !is_signed {
            self.find(object, "the signature of the digest is not valid");
            return Ok(None);
        }
        if !self.trusted.is_empty() && !self.trusted.contains(fingerprint) {
            self.find(object, format!("the digest is signed by `{fingerprint}`, which is not trusted"));
        }
        if digest.object != *object {
            self.find(object, format!("the digest is that of `{}`", digest.object));
            return Ok(None);
        }
        let hash = LowerHex::new(&sha256(&content));
        let is_other = expected.hash.as_deref().is_some_and(|expected| expected != hash.as_str())
            || expected.signature.as_deref().is_some_and(|expected| expected != signature);
        if is_other {
            self.find(object, "the digest is not the one that the digest after it builds on");
        }
        if expected.end.as_ref().is_some_and(|end| *end != digest.digest_end_time) {
            self.find(object, "the digest after this one does not begin where it ends");
        }
        let start = parse_iso(&digest.digest_start_time);
        if self.range.to.zip(start).is_none_or(|(to, start)| start <= to) {
            for log in &digest.log_files {
                self.log(log)?;
            }
        }
        Ok(Some(digest))
    }

    fn log(&mut self, log: &LogFile) -> io::Result<()> {
        self.report.logs += 1;
        self.seen.insert(log.object.clone());
        let Some(packed) = self.delivered(&log.object)? else {
            self.find(&log.object, "the log file is missing");
            return Ok(());
        };
        // A copy of a bucket has it in the clear.
        let packed = match SealedFile::read(&packed) {
            None => packed,
            Some(sealed) => match self.opened(log, &packed, &sealed) {
                Some(opened) => opened,
                None => return Ok(()),
            },
        };
        let Ok(unpacked) = files::unpacked(&packed) else {
            self.find(&log.object, "the log file is damaged: it cannot be unpacked");
            return Ok(());
        };
        if LowerHex::new(&sha256(&unpacked.content)).as_str() != log.hash_value {
            self.find(&log.object, "the log file was changed: its hash is not that of its digest");
            return Ok(());
        }
        let Ok(read) = serde_json::from_slice::<Log<'_>>(&unpacked.content) else {
            self.find(&log.object, "the log file cannot be read");
            return Ok(());
        };
        for record in read.records {
            self.report.events += 1;
            if let Some(event) = Event::read(record.get().as_bytes()) {
                *self.events.entry(event.event_id.to_owned()).or_default() += 1;
            }
        }
        Ok(())
    }

    /// What is in an encrypted log file that is the one of its digest, if there is a key to open it.
    fn opened(&mut self, log: &LogFile, packed: &[u8], sealed: &SealedFile<'_>) -> Option<Vec<u8>> {
        let hash = LowerHex::new(&sha256(packed));
        if log.sealed_hash_value.as_deref() != Some(hash.as_str()) {
            self.find(&log.object, "the log file was changed: its hash is not that of its digest");
            return None;
        }
        match self.data_key_of.map(|data_key_of| data_key_of(sealed)) {
            Some(Ok(data_key)) => match sealed.open(&data_key) {
                Ok(content) => {
                    self.report.opened += 1;
                    return Some(content);
                }
                Err(_) => self.find(&log.object, "the log file does not open with its data key"),
            },
            Some(Err(DataKeyError(why))) => {
                self.report.sealed += 1;
                *self.report.closed.entry(format!("{}: {why}", sealed.key)).or_default() += 1;
            }
            None => self.report.sealed += 1,
        }
        None
    }

    /// Finds files that no chain leads to. `later` is the chain as it is by now.
    fn strangers(&mut self, name: &str, chain: &ChainState, later: Option<&ChainState>) -> io::Result<()> {
        if self.range.from.is_some() || self.range.to.is_some() {
            return Ok(());
        }
        let Some((account, region)) = read_chain_name(name) else { return Ok(()) };
        let logs = format!("{}CloudTrail/{region}/", account_prefix(&self.prefix, account));
        let mut is_known: BTreeSet<String> = BTreeSet::new();
        let mut strangers = Vec::new();
        for info in folder::list(self.root, &self.prefix_of(name), "", usize::MAX)? {
            if self.seen.contains(&info.key) {
                continue;
            }
            if end_of(&info.key).is_some_and(|end| end.millis() > chain.end) && later.is_some() {
                is_known.extend(self.logs_of(&info.key)?);
            } else {
                strangers.push((info.key, "no later digest builds on this digest"));
            }
        }
        is_known.extend(later.into_iter().flat_map(|later| &later.logs).map(|log| log.object.clone()));
        for info in folder::list(self.root, &logs, "", usize::MAX)? {
            if self.seen.contains(&info.key) || is_known.contains(&info.key) {
                continue;
            }
            // A name has the minute; a digest may end within it.
            if self.is_copy && minute_of(&info.key).is_some_and(|minute| minute > chain.end - MINUTE) {
                self.report.unproven += 1;
            } else {
                strangers.push((info.key, "no digest names this log file"));
            }
        }
        for (place, problem) in strangers {
            self.find(&place, problem);
        }
        Ok(())
    }

    fn logs_of(&self, object: &str) -> io::Result<Vec<String>> {
        let Some(packed) = files::read(&self.root.join(object))? else { return Ok(Vec::new()) };
        let digest = files::unpacked(&packed)
            .ok()
            .and_then(|unpacked| serde_json::from_slice::<Digest>(&unpacked.content).ok());
        let logs = digest.map(|digest| digest.log_files).unwrap_or_default();
        Ok(logs.into_iter().map(|log| log.object).collect())
    }

    /// Each stream reaches as far as it was read for the delivery, with the line that was the last then.
    fn ends(&mut self, state: &State, segments: &Path) -> io::Result<()> {
        for (stream, at) in &state.streams {
            let Ok(stream) = stream.parse::<StreamName>() else { continue };
            let name = format!("{stream}-{:08}.log", at.segment);
            let path = segments.join(&name);
            let tail = at.offset.saturating_sub(LINE);
            let bytes = match read_from(&path, tail, usize::try_from(at.offset - tail).unwrap_or(usize::MAX))
            {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound && at.sequence == 0 => continue,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let problem =
                        format!("the segment is missing, and what comes after line {}", at.sequence);
                    self.find(&name, problem);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let end = tail.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            if end < at.offset {
                let problem = format!("the segment ends at byte {end}; up to {} it was delivered", at.offset);
                self.find(&name, problem);
            } else if at.offset > 0 && last_line(&bytes) != Some((at.sequence, at.hash.as_str())) {
                let problem = format!("line {} of the stream is not the one that was delivered", at.sequence);
                self.find(&name, problem);
            }
        }
        Ok(())
    }

    /// Every event of the segments that was read for the delivery stands in a log file, and none in two.
    fn events(&mut self, state: &State, segments: &Path) -> io::Result<()> {
        let twice: Vec<String> =
            self.events.iter().filter(|(_, times)| **times > 1).map(|(id, _)| id.clone()).collect();
        for id in twice {
            self.find(&format!("event {id}"), "the event was delivered more than once");
        }
        for segment in lines::segments(segments)? {
            let Some(stream) = state.streams.get(segment.stream().as_str()) else { continue };
            let most = match segment.number().cmp(&stream.segment) {
                core::cmp::Ordering::Less => usize::MAX,
                core::cmp::Ordering::Equal => usize::try_from(stream.offset).unwrap_or(usize::MAX),
                core::cmp::Ordering::Greater => continue,
            };
            match read_from(&segments.join(segment.to_string()), 0, most) {
                // Removed meanwhile, because it is older than is kept.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                read => self.events_of(&segment, &read?),
            }
        }
        Ok(())
    }

    fn events_of(&mut self, segment: &SegmentName, bytes: &[u8]) {
        // What stands behind the hole that a loss of power has left belongs to no chain and is not delivered.
        for line in bytes.split(|byte| *byte == b'\n').take_while(|line| !line.contains(&0)) {
            let Some(json) = line.splitn(3, |byte| *byte == b' ').nth(2) else { continue };
            let Some(event) = Event::read(json) else { continue };
            // It may stand in a file that is not opened here.
            let is_seen = self.report.sealed > 0 || self.events.contains_key(event.event_id);
            if !event.is_opened() && !is_seen {
                let place = format!("event {} of `{segment}`", event.event_id);
                self.find(&place, "the event stands in no log file");
            }
        }
    }
}

/// What stands before the part of names that every folder of a trail has.
fn prefix_of_files(root: &Path) -> io::Result<String> {
    let infos = folder::list(root, "", "", usize::MAX)?;
    let mut prefixes = infos.iter().filter_map(|info| info.key.find(TOP).and_then(|at| info.key.get(..at)));
    Ok(prefixes.find(|prefix| prefix.is_empty() || prefix.ends_with('/')).unwrap_or_default().to_owned())
}

/// The end of the stretch of time of a digest, by its name.
fn end_of(object: &str) -> Option<Timestamp> {
    let text = object.strip_suffix(".json.gz")?.rsplit('_').next()?;
    let part = |from: usize, to: usize| text.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(9, 11)?, part(11, 13)?, part(13, 15)?);
    parse_iso(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// The minute in which a log file was delivered, by its name, in milliseconds.
fn minute_of(object: &str) -> Option<i64> {
    let (rest, _) = object.strip_suffix(".json.gz")?.rsplit_once('_')?;
    let text = rest.rsplit('_').next()?;
    let part = |from: usize, to: usize| text.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute) = (part(9, 11)?, part(11, 13)?);
    Some(parse_iso(&format!("{year}-{month}-{day}T{hour}:{minute}:00Z"))?.millis())
}

/// In milliseconds.
const MINUTE: i64 = 60_000;
