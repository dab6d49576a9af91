//! What opening says of a file that is no store, no longer one, or not ours to write; and that every file of an earlier
//! release opens.

use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::disk::{Disk, Seeded};
use keyreeve_store::conformance::block_on;
use keyreeve_store::{Batch, CommitError, Page, Path, Refusal, Store};
use keyreeve_store_redb::{Damage, OpenError, Options, RedbStore};
use redb::{Builder, TableDefinition};

const FROZEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/frozen/v1.redb");

fn path(text: &str) -> Path {
    Path::try_from(text).unwrap()
}

/// What the frozen store of version 1 holds: 3 revisions.
fn fill(store: &RedbStore) {
    let commit =
        |batch: keyreeve_store::BatchBuilder| block_on(store.commit(batch.build().unwrap())).unwrap();
    commit(Batch::builder().put(path("frozen/a"), "first").put(path("frozen/b"), "gone"));
    commit(Batch::builder().put(path("frozen/a"), "second").delete(path("frozen/b")));
    commit(Batch::builder().put(Path::new(vec![0, 0xFF]).unwrap(), vec![0xC3; 300]));
}

fn everything(store: &RedbStore) -> (u64, Page) {
    let snapshot = block_on(store.snapshot()).unwrap();
    (snapshot.revision().get(), block_on(snapshot.range(b"", None, NonZeroUsize::MAX)).unwrap())
}

#[test]
fn a_store_frozen_in_version_1_opens() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("copy.redb");
    fs::copy(FROZEN, &copy).unwrap();
    let store = RedbStore::open(&copy, &Options::default()).unwrap();
    let (revision, page) = everything(&store);
    assert_eq!(revision, 3);
    let shown: Vec<_> = page
        .entries
        .iter()
        .map(|(path, entry)| (path.as_bytes(), &entry.value[..], entry.version.get(), entry.modified.get()))
        .collect();
    assert_eq!(shown, [(&[0, 0xFF][..], &[0xC3; 300][..], 1, 3), (b"frozen/a", b"second", 2, 2)]);
    fill(&store);
    assert_eq!(everything(&store).0, 6);
}

/// Run by hand, once per format: `cargo test -p keyreeve-store-redb --test durability -- --ignored`.
#[test]
#[ignore = "writes the frozen store"]
fn write_the_frozen_store() {
    assert!(!fs::exists(FROZEN).unwrap(), "a frozen store is never written again");
    let store = RedbStore::open(FROZEN.as_ref(), &Options::default()).unwrap();
    fill(&store);
}

#[test]
fn a_truncated_or_garbled_file_is_refused_or_whole_but_never_panics() {
    let disk = Disk::default();
    let store = RedbStore::open_with_backend(disk.clone(), &Options::default()).unwrap();
    fill(&store);
    for n in 0..200 {
        let batch = Batch::builder().put(path(&format!("record/{n}")), vec![n; 400]).build().unwrap();
        block_on(store.commit(batch)).unwrap();
    }
    let expected = everything(&store);
    drop(store);
    let good = disk.bytes();
    let mut random = Seeded(3);
    let mut cases = Vec::new();
    for length in
        [1, 8, 9, 100, 511, 512, 4095, 4096, 4097, 8192, good.len() / 2, good.len() - 4096, good.len() - 1]
    {
        cases.push((format!("truncated to {length}"), good[..length].to_vec()));
    }
    for offset in 0..320 {
        let mut bytes = good.clone();
        bytes[offset] ^= 0x41;
        cases.push((format!("header byte {offset} changed"), bytes));
    }
    for _ in 0..150 {
        let mut bytes = good.clone();
        let offset = random.below(good.len());
        let length = 1 + random.below(9000);
        for byte in bytes.iter_mut().skip(offset).take(length) {
            *byte = u8::try_from(random.below(256)).unwrap();
        }
        cases.push((format!("{length} bytes garbled at {offset}"), bytes));
    }
    cases.push(("all zero".to_owned(), vec![0; good.len()]));
    cases.push(("text".to_owned(), b"not a store\n".repeat(1000)));
    let mut refused = 0;
    let count = cases.len();
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut panicked = Vec::new();
    for (what, bytes) in cases {
        // Opened without a check, a garbled value may be shown (it is sealed), and reads and writes may fail.
        let unchecked = catch_unwind(AssertUnwindSafe(|| {
            let options = Options { check_on_open: false, ..Options::default() };
            let Ok(store) = RedbStore::open_with_backend(Disk::holding(bytes.clone()), &options) else {
                return;
            };
            let snapshot = block_on(store.snapshot()).unwrap();
            for n in (0..200).step_by(29) {
                let path = path(&format!("record/{n}"));
                drop(block_on(snapshot.get(&path)));
                drop(block_on(store.commit(Batch::builder().put(path, "new").build().unwrap())));
            }
            drop(block_on(snapshot.range(b"", None, NonZeroUsize::MAX)));
        }));
        if unchecked.is_err() {
            panicked.push(format!("{what}, unchecked"));
        }
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let store = RedbStore::open_with_backend(Disk::holding(bytes), &Options::default());
            store.map(|store| everything(&store))
        }));
        match opened {
            Err(_) => panicked.push(what),
            Ok(Ok(found)) => assert!(found == expected, "{what}: opened, and shows something else"),
            Ok(Err(OpenError::Damaged(_) | OpenError::UnsupportedFormat { .. })) => refused += 1,
            Ok(Err(error)) => panic!("{what}: {error:?}"),
        }
    }
    std::panic::set_hook(quiet);
    assert!(panicked.is_empty(), "{panicked:?}");
    assert!(refused > count / 4, "{refused} of {count}");
}

#[test]
fn a_file_of_another_kind_or_a_later_format_is_named() {
    const OTHER: TableDefinition<u64, u64> = TableDefinition::new("other");
    const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
    let disk = Disk::default();
    let database = Builder::new().create_with_backend(disk.clone()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(OTHER).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let opened = RedbStore::open_with_backend(Disk::holding(disk.bytes()), &Options::default());
    assert!(matches!(opened, Err(OpenError::Damaged(Damage::Foreign))), "{opened:?}");

    for (bytes, expected) in [
        (2_u64.to_be_bytes().to_vec(), "the format 2 of the store is not supported"),
        (vec![1], "the store is damaged: the store's own numbers are damaged: a number is not 8 bytes"),
    ] {
        let disk = Disk::default();
        drop(RedbStore::open_with_backend(disk.clone(), &Options::default()).unwrap());
        let database = Builder::new().create_with_backend(disk.clone()).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(META).unwrap().insert("format", bytes.as_slice()).unwrap();
        transaction.commit().unwrap();
        drop(database);
        let opened = RedbStore::open_with_backend(Disk::holding(disk.bytes()), &Options::default());
        assert_eq!(opened.unwrap_err().to_string(), expected);
    }
}

#[test]
fn a_new_file_is_its_owners_alone_and_a_place_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    drop(RedbStore::open(&file, &Options::default()).unwrap());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let absent = RedbStore::open(&directory.path().join("no/such/directory"), &Options::default());
    assert!(matches!(absent, Err(OpenError::Io(_))), "{absent:?}");
    let forbidden = RedbStore::open("/proc/store.redb".as_ref(), &Options::default());
    assert!(matches!(forbidden, Err(OpenError::Io(_) | OpenError::NotWritable(_))), "{forbidden:?}");
}

#[test]
fn what_a_crash_left_of_a_store_half_made_is_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    let half = directory.path().join("store.redb.new");
    fs::write(&half, vec![9; 5000]).unwrap();
    fill(&RedbStore::open(&file, &Options::default()).unwrap());
    assert!(!half.exists());
    assert_eq!(everything(&RedbStore::open(&file, &Options::default()).unwrap()).0, 3);
    // An empty file is none of ours: where a store was, its loss is not passed over.
    fs::write(&file, b"").unwrap();
    let emptied = RedbStore::open(&file, &Options::default());
    assert!(matches!(emptied, Err(OpenError::Damaged(Damage::Structure))), "{emptied:?}");
}

#[test]
fn batches_are_refused_while_space_is_short_and_reads_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    fill(&RedbStore::open(&file, &Options::default()).unwrap());
    let options = Options { reserve_bytes: u64::MAX, ..Options::default() };
    let store = RedbStore::open(&file, &options).unwrap();
    let batch = Batch::builder().put(path("more"), "x").build().unwrap();
    assert_eq!(block_on(store.commit(batch)), Err(CommitError::Refused(Refusal::Full)));
    assert_eq!(everything(&store).0, 3);
}
