//! The form of a backup: what is written is read back, and nothing else is read.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "test code, with a file that is frozen")]

use keyreeve_backup::{Header, Item, MAGIC, ReadError, Reader, StreamEnd, Writer};
use keyreeve_domain::Timestamp;
use keyreeve_store::{Entry, Path, Revision, Version};
use proptest::prelude::*;

const FROZEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/frozen/v1.krb");

fn header() -> Header {
    Header {
        id: [1; 16],
        deployment: [2; 16],
        taken: Timestamp::from_millis(1_800_000_000_000),
        revision: 7,
        release: "0.1.0".into(),
    }
}

fn end(stream: &str) -> StreamEnd {
    StreamEnd { stream: stream.into(), segment: 3, sequence: 40, hash: [4; 32] }
}

fn record(path: &[u8], version: u64, modified: u64, value: &[u8]) -> (Path, Entry) {
    let entry = Entry {
        value: value.to_vec().into(),
        version: Version::new(version).unwrap(),
        modified: Revision::new(modified),
    };
    (Path::new(path.to_vec()).unwrap(), entry)
}

/// One of everything.
fn whole() -> Vec<u8> {
    let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
    writer.stream(&end("control")).unwrap();
    writer.stream(&end("w0")).unwrap();
    for (path, entry) in [record(b"key/a", 1, 7, b"sealed"), record(&[0xFF, 0], 9, 2, b"")] {
        writer.record(&path, &entry).unwrap();
    }
    writer.seal(2, 1, b"a wrapping").unwrap();
    writer.file("root.key", &[5; 32]).unwrap();
    writer.file("seal.toml", b"format = 1").unwrap();
    writer.end().unwrap().0
}

/// All items, or why there are not.
fn read(bytes: &[u8]) -> Result<(Header, Vec<Item>), ReadError> {
    let (mut reader, header) = Reader::begin(bytes)?;
    let mut items = Vec::new();
    while let Some(item) = reader.next_item()? {
        items.push(item);
    }
    assert!(matches!(items.last(), Some(Item::End { .. })), "nothing but an end ends a backup");
    Ok((header, items))
}

/// As text, which tells any two apart.
fn shown(read: &(Header, Vec<Item>)) -> String {
    let records = read.1.iter().filter_map(|item| match item {
        Item::Record(_, entry) => Some(entry.value.to_vec()),
        Item::Stream(_) | Item::Seal { .. } | Item::File { .. } | Item::End { .. } => None,
    });
    format!("{read:?} {:?}", records.collect::<Vec<_>>())
}

#[test]
fn what_is_written_is_read_back() {
    let bytes = whole();
    let (found, items) = read(&bytes).unwrap();
    assert_eq!(found, header());
    let mut items = items.into_iter();
    for stream in ["control", "w0"] {
        assert!(matches!(items.next(), Some(Item::Stream(found)) if found == end(stream)));
    }
    for expected in [record(b"key/a", 1, 7, b"sealed"), record(&[0xFF, 0], 9, 2, b"")] {
        let Some(Item::Record(path, entry)) = items.next() else { panic!() };
        assert_eq!((path, entry), expected);
    }
    let Some(Item::Seal { records: 2, unopened: 1, wrapped, digest }) = items.next() else { panic!() };
    assert_eq!(wrapped, b"a wrapping");
    let sealed = bytes.windows(10).position(|window| window == b"a wrapping").unwrap() - 16 - 5;
    assert_eq!(digest, keyreeve_crypto::digest::sha256(&bytes[..sealed]), "everything before the seal");
    for (name, expected) in [("root.key", vec![5; 32]), ("seal.toml", b"format = 1".to_vec())] {
        let Some(Item::File { name: found, content }) = items.next() else { panic!() };
        assert_eq!((found.as_str(), &*content), (name, &expected));
    }
    assert!(matches!(items.next(), Some(Item::End { .. })));
}

#[test]
fn a_backup_frozen_in_version_1_is_read() {
    let frozen = std::fs::read(FROZEN).unwrap();
    assert_eq!(frozen, whole(), "the same content has the same bytes, for ever");
    assert!(read(&frozen).is_ok());
}

/// Run by hand, once per version: `cargo test -p keyreeve-backup -- --ignored`.
#[test]
#[ignore = "writes the frozen backup"]
fn write_the_frozen_backup() {
    assert!(!std::fs::exists(FROZEN).unwrap(), "a frozen backup is never written again");
    std::fs::write(FROZEN, whole()).unwrap();
}

#[test]
fn a_backup_that_is_cut_off_anywhere_is_refused() {
    let bytes = whole();
    for len in 0..bytes.len() {
        let found = read(&bytes[..len]).unwrap_err();
        let expected = if len < MAGIC.len() { "no backup" } else { "ends early" };
        assert!(found.to_string().contains(expected), "{len}: {found}");
    }
}

#[test]
fn a_backup_with_a_changed_byte_is_refused() {
    let bytes = whole();
    for at in 0..bytes.len() {
        for mask in [1, 0x80, 0xFF] {
            let mut changed = bytes.clone();
            changed[at] ^= mask;
            assert!(read(&changed).is_err(), "byte {at} with {mask:x}");
        }
    }
}

#[test]
fn what_follows_the_end_a_later_version_and_another_file_are_refused() {
    let bytes = whole();
    assert!(matches!(read(&[&bytes[..], b"x"].concat()), Err(ReadError::Malformed { .. })));
    let mut later = bytes.clone();
    later[8] = 2;
    assert!(matches!(read(&later), Err(ReadError::Version { found: 2 })));
    assert!(matches!(read(b"redb and more bytes than a magic"), Err(ReadError::Foreign)));
}

#[test]
fn frames_out_of_their_order_are_refused() {
    type Step = fn(&mut Writer<Vec<u8>>);
    let stream: Step = |writer| writer.stream(&end("w0")).unwrap();
    let record_a: Step = |writer| {
        let (path, entry) = record(b"a", 1, 1, b"");
        writer.record(&path, &entry).unwrap();
    };
    let record_b: Step = |writer| {
        let (path, entry) = record(b"b", 1, 1, b"");
        writer.record(&path, &entry).unwrap();
    };
    let seal: [Step; 3] = [
        |writer| writer.seal(0, 0, b"").unwrap(),
        |writer| writer.seal(1, 0, b"").unwrap(),
        |writer| writer.seal(2, 0, b"").unwrap(),
    ];
    let file: Step = |writer| writer.file("f", b"").unwrap();
    for (case, steps, ok) in [
        ("in order", vec![stream, record_a, record_b, seal[2], file], true),
        ("nothing but a seal", vec![seal[0]], true),
        ("no seal", vec![stream, record_a], false),
        ("two seals", vec![seal[0], seal[0]], false),
        ("a stream twice", vec![stream, stream, seal[0]], false),
        ("a record twice", vec![record_a, record_a, seal[2]], false),
        ("records down", vec![record_b, record_a, seal[2]], false),
        ("a record left out", vec![record_a, seal[2]], false),
        ("a record behind the seal", vec![record_a, seal[1], record_b], false),
        ("a stream behind a record", vec![record_a, stream, seal[1]], false),
        ("a file before the seal", vec![file, seal[0]], false),
        ("a file twice", vec![seal[0], file, file], false),
    ] {
        let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
        steps.into_iter().for_each(|step| step(&mut writer));
        let bytes = writer.end().unwrap().0;
        assert_eq!(read(&bytes).is_ok(), ok, "{case}");
    }
}

proptest! {
    #[test]
    fn any_records_are_read_back(
        held in proptest::collection::btree_map(
            proptest::collection::vec(any::<u8>(), 1..40),
            (1..u64::MAX, any::<u64>(), proptest::collection::vec(any::<u8>(), 0..200)),
            0..20,
        )
    ) {
        let mut writer = Writer::begin(Vec::new(), &header()).unwrap();
        let held: Vec<_> = held.iter().map(|(path, (version, modified, value))| record(path, *version, *modified, value)).collect();
        for (path, entry) in &held {
            writer.record(path, entry).unwrap();
        }
        writer.seal(held.len() as u64, 0, b"").unwrap();
        let (_, items) = read(&writer.end().unwrap().0).unwrap();
        let found: Vec<_> = items.into_iter().filter_map(|item| match item {
            Item::Record(path, entry) => Some((path, entry)),
            Item::Stream(_) | Item::Seal { .. } | Item::File { .. } | Item::End { .. } => None,
        }).collect();
        prop_assert_eq!(found, held);
    }

    #[test]
    fn a_reader_of_arbitrary_bytes_does_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(read(&bytes).is_err());
        let (start, rest) = (whole(), bytes);
        let framed = [&start[..9], &rest].concat();
        prop_assert!(read(&framed).is_err());
        // Behind a header that is sound.
        let framed = [&start[..60], &rest].concat();
        prop_assert!(read(&framed).map(|read| shown(&read)).is_err());
    }
}
