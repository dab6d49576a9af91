//! A restored store holds what it was given, each entry as it was, and goes on from there.

use std::num::NonZeroUsize;

use keyreeve_store::conformance::block_on;
use keyreeve_store::{Batch, Entry, Path, Revision, Store, Version};
use keyreeve_store_redb::{OpenError, Options, RedbStore, Restore};

fn path(number: u32) -> Path {
    Path::new(number.to_be_bytes().to_vec()).unwrap()
}

fn entry(version: u64, modified: u64, len: usize) -> Entry {
    Entry {
        value: vec![7; len].into(),
        version: Version::new(version).unwrap(),
        modified: Revision::new(modified),
    }
}

#[test]
fn versions_and_revisions_are_those_that_were_given_and_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    let mut restore = Restore::begin(&file, &Options::default(), Revision::new(1000)).unwrap();
    // More than one transaction.
    let given: Vec<_> =
        (0..20).map(|n| (path(n), entry(u64::from(n) + 1, 1000 - u64::from(n), 1 << 20))).collect();
    for (path, entry) in &given {
        restore.put(path.clone(), entry.clone()).unwrap();
    }
    restore.finish().unwrap();
    let store = RedbStore::open(&file, &Options::default()).unwrap();
    let snapshot = block_on(store.snapshot()).unwrap();
    assert_eq!(snapshot.revision(), Revision::new(1000));
    assert!(block_on(snapshot.range(b"", None, NonZeroUsize::MAX)).unwrap().entries == given);
    let again =
        Batch::builder().require_version(path(4), Version::new(5).unwrap()).put(path(4), "new").build();
    assert_eq!(block_on(store.commit(again.unwrap())), Ok(Revision::new(1001)));
    let found = block_on(block_on(store.snapshot()).unwrap().get(&path(4))).unwrap().unwrap();
    assert_eq!((found.version.get(), found.modified.get()), (6, 1001));
}

#[test]
fn nothing_is_restored_over_a_file_or_from_the_future() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    let mut restore = Restore::begin(&file, &Options::default(), Revision::new(3)).unwrap();
    assert!(matches!(restore.put(path(1), entry(1, 4, 1)), Err(OpenError::Damaged(_))));
    restore.finish().unwrap();
    assert!(matches!(Restore::begin(&file, &Options::default(), Revision::new(3)), Err(OpenError::Io(_))));
}
