//! What a backup says of itself, read from its beginning to its end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use keyreeve_backup::{Header, Item, ReadError, Reader, StreamEnd};
use keyreeve_store::Revision;
use keyreeve_store_redb::{OpenError, Options, Restore};
use zeroize::Zeroizing;

use crate::exit::Failure;

/// A backup that is whole: its bytes are those that it was written with. Who wrote it is told by its seal alone.
pub(crate) struct Contents {
    path: PathBuf,
    /// What it begins with.
    pub(crate) header: Header,
    /// Where the trail ended.
    pub(crate) streams: Vec<StreamEnd>,
    /// How many records it has.
    pub(crate) records: u64,
    /// How many of them did not open when it was made.
    pub(crate) unopened: u64,
    /// Its seal, and what that is to hold.
    pub(crate) seal: (Vec<u8>, [u8; 32]),
    /// Its files, by name.
    pub(crate) files: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// The SHA-256 of all of it.
    pub(crate) digest: [u8; 32],
}

impl Contents {
    /// Reads a backup, and all but its records into memory.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let (header, mut reader) = begin(path)?;
        let (mut streams, mut files) = (Vec::new(), BTreeMap::new());
        let mut sealed = None;
        loop {
            match reader.next_item().map_err(|error| unusable(path, error))? {
                Some(Item::Stream(end)) => streams.push(end),
                Some(Item::Record(..)) => {}
                Some(Item::Seal { records, unopened, wrapped, digest }) => {
                    sealed = Some((records, unopened, (wrapped, digest)));
                }
                Some(Item::File { name, content }) => drop(files.insert(name, content)),
                Some(Item::End { digest }) => {
                    let malformed = || unusable(path, ReadError::Digest);
                    let (records, unopened, seal) = sealed.ok_or_else(malformed)?;
                    let path = path.to_owned();
                    return Ok(Self { path, header, streams, records, unopened, seal, files, digest });
                }
                None => return Err(unusable(path, ReadError::Digest)),
            }
        }
    }

    /// Where it was read from.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it again, and makes a store at `to` of its records.
    pub(crate) fn unpack(&self, to: &Path, options: &Options) -> Result<(), Failure> {
        let failed = |error: OpenError| Failure::of_store(to.to_owned(), error);
        let (header, mut reader) = begin(&self.path)?;
        let mut store = Restore::begin(to, options, Revision::new(header.revision)).map_err(failed)?;
        loop {
            match reader.next_item().map_err(|error| unusable(&self.path, error))? {
                Some(Item::Record(path, entry)) => store.put(path, entry).map_err(failed)?,
                Some(Item::End { digest }) if digest == self.digest => return store.finish().map_err(failed),
                Some(Item::End { .. }) | None => {
                    let reason = "it changed while it was read".to_owned();
                    return Err(Failure::BackupDamaged { path: self.path.clone(), reason });
                }
                Some(Item::Stream(_) | Item::Seal { .. } | Item::File { .. }) => {}
            }
        }
    }
}

fn begin(path: &Path) -> Result<(Header, Reader<BufReader<File>>), Failure> {
    let file = BufReader::with_capacity(1 << 20, super::open(path)?);
    let (reader, header) = Reader::begin(file).map_err(|error| unusable(path, error))?;
    Ok((header, reader))
}

fn unusable(path: &Path, error: ReadError) -> Failure {
    let path = path.to_owned();
    match error {
        ReadError::Io(error) => Failure::BackupUnreadable { path, error },
        ReadError::Truncated { .. }
        | ReadError::Foreign
        | ReadError::Version { .. }
        | ReadError::Malformed { .. }
        | ReadError::Digest => Failure::BackupDamaged { path, reason: error.to_string() },
    }
}
