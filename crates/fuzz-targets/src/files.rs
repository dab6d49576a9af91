//! Files that are read again: the trail, its digests, metrics, backups.

use core::hint::black_box;
use std::io;

use keyreeve_audit::chain::Chain;
use keyreeve_backup::{Item, Reader, Writer};
use keyreeve_crypto::digest::LowerHex;
use keyreeve_metric_series::format::{points_of_block, points_of_journal};
use keyreeve_observe::digest::{Digest, hex, unhex};
use keyreeve_observe::event::Event;
use keyreeve_observe::layout::{iso, parse_iso};
use keyreeve_observe::sealed_file::{SealedFile, content_len};
use keyreeve_trail_file::{Medium, SegmentFile, verify_medium};

/// Any bytes as a segment of the trail, and as the segments of a directory: never more verified than there is.
///
/// A line of `---` alone parts the segments. After `+`, lines are put into a chain first, so that they are looked at.
pub fn audit_segment(data: &[u8]) {
    if let Ok(verified) = Chain::START.verify(data) {
        assert!(verified.len <= data.len());
    }
    let medium = Segments(match data.strip_prefix(b"+") {
        Some(lines) => chained(lines),
        None => parts(data, b"\n---\n"),
    });
    if let Ok(report) = verify_medium(&medium) {
        let lines: u64 = report.streams.iter().map(|stream| stream.lines).sum();
        let breaks = data.iter().filter(|byte| **byte == b'\n').count();
        assert!(lines <= u64::try_from(breaks.saturating_add(1)).unwrap_or(u64::MAX), "{report:?}");
    }
}

/// What stands between separators; a part keeps the first byte of the separator, with which a line ends.
fn parts(data: &[u8], separator: &[u8]) -> Vec<Vec<u8>> {
    let (mut parts, mut rest) = (Vec::new(), data);
    while let Some(at) = rest.windows(separator.len()).position(|window| window == separator) {
        let (part, after) = rest.split_at(at);
        parts.push([part, b"\n"].concat());
        rest = after.get(separator.len()..).unwrap_or_default();
    }
    parts.push(rest.to_vec());
    parts
}

/// Segments whose lines continue one chain. A header says what it has to of the segment before where it has `@hash`, `@lines` and
/// `@bytes`.
fn chained(data: &[u8]) -> Vec<Vec<u8>> {
    let (mut chain, mut lines, mut bytes) = (Chain::START, 0, 0);
    let segment = |part: Vec<u8>| {
        let mut segment = Vec::new();
        let texts: Vec<_> = part.split(|byte| *byte == b'\n').filter(|text| !text.is_empty()).collect();
        for text in &texts {
            let text = String::from_utf8_lossy(text)
                .replace("@hash", LowerHex::new(&chain.hash).as_str())
                .replace("@lines", &lines.to_string())
                .replace("@bytes", &bytes.to_string());
            chain.append(text.as_bytes(), &mut segment);
        }
        (lines, bytes) = (texts.len(), segment.len());
        segment
    };
    parts(data, b"\n---\n").into_iter().map(segment).collect()
}

/// The segments of one stream, in memory.
struct Segments(Vec<Vec<u8>>);

impl Segments {
    fn name(at: usize) -> String {
        format!("w0-{:08}.log", at.saturating_add(1))
    }
}

impl Medium for Segments {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok((0..self.0.len()).map(Self::name).collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let place = (0..self.0.len()).find(|at| Self::name(*at) == name);
        place.and_then(|at| self.0.get(at).cloned()).ok_or_else(|| io::Error::other("no such segment"))
    }

    fn create(&self, _: &str, _: &[u8]) -> io::Result<Box<dyn SegmentFile>> {
        Err(io::Error::other("read only"))
    }

    fn reopen(&self, _: &str) -> io::Result<Box<dyn SegmentFile>> {
        Err(io::Error::other("read only"))
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Err(io::Error::other("read only"))
    }
}

/// Any bytes as a digest of the trail, as an encrypted log file, or as an event in a log file: what is read is written and
/// read again as the same.
pub fn digest_file(data: &[u8]) {
    if let Ok(digest) = serde_json::from_slice::<Digest>(data) {
        let written = serde_json::to_vec(&digest).expect("a digest has a form in JSON");
        assert_eq!(serde_json::from_slice::<Digest>(&written).ok(), Some(digest.clone()));
        assert!(!digest.string_to_sign(data).is_empty());
    }
    assert_eq!(SealedFile::read(data).map(|file| file.len), SealedFile::read(data).and(content_len(data)));
    if let Some(file) = SealedFile::read(data) {
        assert!(file.open(&[0; 32]).is_err());
        black_box((file.region(), file.is_of("x"), file.purpose.context()));
    }
    if let Some(event) = Event::read(data) {
        black_box((event.account(), event.region(), event.username(), event.is_opened()));
        if let Some(time) = event.time() {
            black_box(parse_iso(&iso(time)));
        }
    }
    if let Some(bytes) = core::str::from_utf8(data).ok().and_then(unhex) {
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
    }
}

/// Any bytes as a journal of metrics or as a file of points: never more points in a journal than bytes.
pub fn metric_files(data: &[u8]) {
    // As it is, and behind what such a file begins with.
    for head in [b"".as_slice(), b"KRMJ\x01", b"KRMB\x01\x00\x00\x00"] {
        let bytes = [head, data].concat();
        assert!(points_of_journal(&bytes).is_none_or(|points| points <= bytes.len()));
        black_box(points_of_block(&bytes));
    }
}

/// Any bytes as a backup: what is read is written again as the same bytes.
pub fn backup_file(data: &[u8]) {
    let Ok((mut reader, header)) = Reader::begin(data) else { return };
    let mut writer = Writer::begin(Vec::new(), &header).expect("memory takes everything");
    loop {
        let written = match reader.next_item() {
            Err(_) | Ok(None) => return,
            Ok(Some(Item::Stream(end))) => writer.stream(&end),
            Ok(Some(Item::Record(path, entry))) => writer.record(&path, &entry),
            Ok(Some(Item::Seal { records, unopened, wrapped, .. })) => {
                writer.seal(records, unopened, &wrapped)
            }
            Ok(Some(Item::File { name, content })) => writer.file(&name, &content),
            Ok(Some(Item::End { digest })) => {
                let (bytes, written) = writer.end().expect("memory takes everything");
                // CBOR has several forms of a header; ours is the shortest.
                assert!(bytes.len() <= data.len());
                assert!(bytes != data || digest == written);
                return;
            }
        };
        written.expect("memory takes everything");
    }
}
