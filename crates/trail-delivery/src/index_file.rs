//! The index of a complete segment, as a file of which a search reads what it needs; or that of a segment which grows, as far as it was read
//! when the file was written, from where the next process goes on.
//!
//! ```text
//! 0    4  magic "KRIX"
//! 4    4  version: 1
//! 8    8  time of the oldest event, in milliseconds
//! 16   8  time of the newest event
//! 24   4  n, the number of events
//! 28   4  m, the number of places
//! 32      n × (time 8, offset 8, sequence number 8, owner 8, length 4, 1 if it only opens 4)
//! …       m × (key 8, event 4), sorted
//! ```
//! Integers are big-endian. The file can be made again from the segment at any time: one that is not of the form is as good as none.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::segment_index::{Entry, SegmentIndex, Span};

const MAGIC: &[u8; 4] = b"KRIX";
const VERSION: u32 = 1;
const HEADER_LEN: usize = 32;
const ENTRY_LEN: usize = 40;
const PLACE_LEN: usize = 12;
/// Events that are read one by one; if more are asked for, all are read at once.
const FEW: usize = 64;

/// The file of an index.
pub(crate) fn bytes(index: &SegmentIndex) -> Vec<u8> {
    let (span, entries, places) = (index.span(), index.entries(None), index.all_places());
    let mut out = Vec::with_capacity(HEADER_LEN + ENTRY_LEN * entries.len() + PLACE_LEN * places.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&span.oldest.to_be_bytes());
    out.extend_from_slice(&span.newest.to_be_bytes());
    for len in [entries.len(), places.len()] {
        out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
    }
    for Entry { time, offset, len, sequence, owner, is_opened } in entries {
        out.extend_from_slice(&time.to_be_bytes());
        out.extend_from_slice(&offset.to_be_bytes());
        out.extend_from_slice(&sequence.to_be_bytes());
        out.extend_from_slice(&owner.to_be_bytes());
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(&u32::from(is_opened).to_be_bytes());
    }
    for (key, place) in places {
        out.extend_from_slice(&key.to_be_bytes());
        out.extend_from_slice(&place.to_be_bytes());
    }
    out
}

/// An index that lies in a file.
pub(crate) struct IndexFile {
    file: File,
    span: Span,
    places: usize,
}

impl IndexFile {
    /// Opens the file at `path`; nothing where there is none, or none of the form.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let mut header = [0; HEADER_LEN];
        if file.read_exact_at(&mut header, 0).is_err() {
            return Ok(None);
        }
        let mut fields = Fields(&header);
        let (magic, version) = (fields.take::<4>(), u32::from_be_bytes(fields.take()));
        let (oldest, newest) = (i64::from_be_bytes(fields.take()), i64::from_be_bytes(fields.take()));
        let (entries, places) =
            (size(u32::from_be_bytes(fields.take())), size(u32::from_be_bytes(fields.take())));
        let len = HEADER_LEN
            .saturating_add(entries.saturating_mul(ENTRY_LEN))
            .saturating_add(places.saturating_mul(PLACE_LEN));
        let is_whole = &magic == MAGIC && version == VERSION && file.metadata()?.len() == offset(len);
        Ok(is_whole.then_some(Self { file, span: Span { oldest, newest, entries }, places }))
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// The whole index, in memory.
    pub(crate) fn in_memory(&self) -> io::Result<SegmentIndex> {
        let block = self.block(self.places_at(), self.places.saturating_mul(PLACE_LEN))?;
        let pairs = block.chunks_exact(PLACE_LEN).map(|pair| {
            let mut fields = Fields(pair);
            (u64::from_be_bytes(fields.take()), u32::from_be_bytes(fields.take()))
        });
        Ok(SegmentIndex::of(self.span, self.entries(None)?, pairs.collect()))
    }

    /// The first place from `low` on whose key is not below `key`.
    fn first(&self, mut low: usize, key: u64) -> io::Result<usize> {
        let mut high = self.places;
        while low < high {
            let middle = low + (high - low) / 2;
            if self.place(middle)?.0 < key { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// How many places have the key.
    pub(crate) fn count(&self, key: u64) -> io::Result<usize> {
        let from = self.first(0, key)?;
        if from == self.places || self.place(from)?.0 != key {
            return Ok(0);
        }
        let to = key.checked_add(1).map_or(Ok(self.places), |next| self.first(from, next))?;
        Ok(to - from)
    }

    /// The places of what has the key, in order.
    pub(crate) fn places(&self, key: u64) -> io::Result<Vec<u32>> {
        let mut low = self.first(0, key)?;
        let mut found = Vec::new();
        while low < self.places {
            let most = (self.places - low).min(4096);
            let block = self.block(self.places_at().saturating_add(low * PLACE_LEN), most * PLACE_LEN)?;
            for pair in block.chunks_exact(PLACE_LEN) {
                let mut fields = Fields(pair);
                if u64::from_be_bytes(fields.take()) != key {
                    return Ok(found);
                }
                found.push(u32::from_be_bytes(fields.take()));
            }
            low += most;
        }
        Ok(found)
    }

    /// What stands at these places; at all of them where none are named.
    pub(crate) fn entries(&self, places: Option<&[u32]>) -> io::Result<Vec<Entry>> {
        match places {
            Some(places) if places.len() <= FEW => {
                let places =
                    places.iter().map(|place| size(*place)).filter(|place| *place < self.span.entries);
                places
                    .map(|place| Ok(entry(&self.block(HEADER_LEN + place * ENTRY_LEN, ENTRY_LEN)?)))
                    .collect()
            }
            places => {
                let block = self.block(HEADER_LEN, self.span.entries * ENTRY_LEN)?;
                let all: Vec<Entry> = block.chunks_exact(ENTRY_LEN).map(entry).collect();
                Ok(match places {
                    None => all,
                    Some(places) => {
                        places.iter().filter_map(|place| all.get(size(*place)).copied()).collect()
                    }
                })
            }
        }
    }

    fn places_at(&self) -> usize {
        HEADER_LEN + self.span.entries * ENTRY_LEN
    }

    fn place(&self, at: usize) -> io::Result<(u64, u32)> {
        let mut block = [0; PLACE_LEN];
        self.file.read_exact_at(&mut block, offset(self.places_at().saturating_add(at * PLACE_LEN)))?;
        let mut fields = Fields(&block);
        Ok((u64::from_be_bytes(fields.take()), u32::from_be_bytes(fields.take())))
    }

    fn block(&self, at: usize, len: usize) -> io::Result<Vec<u8>> {
        let mut block = vec![0; len];
        self.file.read_exact_at(&mut block, offset(at))?;
        Ok(block)
    }
}

fn entry(bytes: &[u8]) -> Entry {
    let mut fields = Fields(bytes);
    Entry {
        time: i64::from_be_bytes(fields.take()),
        offset: u64::from_be_bytes(fields.take()),
        sequence: u64::from_be_bytes(fields.take()),
        owner: u64::from_be_bytes(fields.take()),
        len: u32::from_be_bytes(fields.take()),
        is_opened: u32::from_be_bytes(fields.take()) != 0,
    }
}

/// Bytes that are taken from the front; zero where there are none left.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => [0; N],
        }
    }
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn offset(at: usize) -> u64 {
    u64::try_from(at).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use keyreeve_observe::archive::AttributeKey;
    use proptest::prelude::*;

    use super::*;
    use crate::segment_index::attribute;

    fn line(number: usize, name: &str) -> String {
        let id = format!("00000000-0000-4000-8000-{number:012}");
        format!(
            "{} 00 {{\"userIdentity\":{{\"type\":\"Root\"}},\"eventTime\":\"2026-01-02T03:04:{:02}Z\",\
             \"eventSource\":\"kms.amazonaws.com\",\"eventName\":\"{name}\",\"awsRegion\":\"us-east-1\",\
             \"eventID\":\"{id}\",\"readOnly\":true,\"recipientAccountId\":\"111122223333\"}}\n",
            number + 2,
            number % 60
        )
    }

    #[test]
    fn the_file_of_an_index_says_what_the_index_says() {
        let directory = tempfile::tempdir().unwrap();
        let names = ["Encrypt", "Decrypt", "Sign"];
        let lines: String = (0..300).map(|number| line(number, names[number % 3])).collect();
        let mut index = SegmentIndex::default();
        index.extend(format!("1 00 {{}}\n{lines}").as_bytes());
        assert_eq!(index.span().entries, 300);
        let path = directory.path().join("w0-00000001.log.idx");
        std::fs::write(&path, bytes(&index)).unwrap();
        let file = IndexFile::open(&path).unwrap().unwrap();
        assert_eq!(file.span(), index.span());
        assert_eq!(file.entries(None).unwrap(), index.entries(None));
        let again = file.in_memory().unwrap();
        assert_eq!((again.read(), again.span()), (index.read(), index.span()));
        assert_eq!(again.all_places(), index.all_places());
        for name in ["Encrypt", "Sign", "Verify"] {
            let key = attribute(AttributeKey::EventName, name);
            let places = file.places(key).unwrap();
            assert_eq!(places, index.places(key), "{name}");
            assert_eq!(file.count(key).unwrap(), places.len(), "{name}");
            assert_eq!(file.entries(Some(&places)).unwrap(), index.entries(Some(&places)), "{name}");
            let few = &places[..places.len().min(3)];
            assert_eq!(file.entries(Some(few)).unwrap(), index.entries(Some(few)), "{name}");
        }
    }

    #[test]
    fn an_index_that_goes_on_from_a_file_says_what_one_says_that_read_everything() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("w0-00000001.log.part");
        let names = ["Encrypt", "Decrypt", "Sign"];
        let text = |from: usize, to: usize| -> String {
            (from..to).map(|number| line(number, names[number * number % 3])).collect()
        };
        for noted in [0, 1, 7, 299, 300] {
            let mut whole = SegmentIndex::default();
            whole.extend(text(0, noted).as_bytes());
            std::fs::write(&path, bytes(&whole)).unwrap();
            whole.extend(text(noted, 300).as_bytes());
            let mut again = IndexFile::open(&path).unwrap().unwrap().in_memory().unwrap();
            again.extend(text(noted, 300).as_bytes());
            assert_eq!((again.read(), again.span()), (whole.read(), whole.span()), "{noted}");
            assert_eq!(bytes(&again), bytes(&whole), "{noted}");
            for name in ["Encrypt", "Decrypt", "Sign", "Verify"] {
                let key = attribute(AttributeKey::EventName, name);
                let places = again.places(key);
                assert_eq!(places, whole.places(key), "{noted} {name}");
                assert_eq!(again.count(key), places.len(), "{noted} {name}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_file_that_is_not_of_the_form_is_as_good_as_none(content in proptest::collection::vec(any::<u8>(), 0..200), key: u64) {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("x.idx");
            std::fs::write(&path, [MAGIC.as_slice(), &VERSION.to_be_bytes(), &content].concat()).unwrap();
            if let Some(file) = IndexFile::open(&path).unwrap() {
                file.places(key).unwrap();
                file.entries(None).unwrap();
                file.in_memory().unwrap();
            }
        }
    }
}
