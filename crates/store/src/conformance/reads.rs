//! Snapshots, ranges, pages.

use std::error::Error;
use std::num::NonZeroUsize;

use super::{Outcome, SHORT, Subject, block_on, delete, path, put, snapshot, value};
use crate::{Path, ReadError, Revision, Snapshot};

pub(super) fn isolation(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    put(&*store, "a", "1")?;
    put(&*store, "b", "1")?;
    let then = snapshot(&*store)?;
    let names = walk(&*then, b"", 10)?;
    put(&*store, "a", "2")?;
    delete(&*store, "b")?;
    put(&*store, "c", "1")?;
    for (name, held) in [("a", Some("1")), ("b", Some("1")), ("c", None)] {
        assert_eq!(value(&*then, name)?.as_deref(), held, "{name}");
    }
    assert_eq!(walk(&*then, b"", 10)?, names);
    assert_eq!(block_on(then.count(b""))?, 2);
    assert_eq!(value(&*snapshot(&*store)?, "a")?.as_deref(), Some("2"));
    Ok(())
}

pub(super) fn at_revision(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let mut history = vec![(snapshot(&*store)?.revision(), Vec::new())];
    let mut expected: Vec<(String, String)> = Vec::new();
    for step in 0..40_u32 {
        let name = format!("n{}", step % 7);
        let revision = if step % 5 == 4 && expected.iter().any(|(each, _)| *each == name) {
            expected.retain(|(each, _)| *each != name);
            delete(&*store, &name)?
        } else {
            expected.retain(|(each, _)| *each != name);
            expected.push((name.clone(), step.to_string()));
            expected.sort();
            put(&*store, &name, &step.to_string())?
        };
        history.push((revision, expected.clone()));
    }
    for (revision, expected) in history.into_iter().rev() {
        let then = block_on(store.snapshot_at(revision))?;
        assert_eq!(then.revision(), revision);
        assert_eq!(block_on(then.count(b"n"))?, u64::try_from(expected.len())?, "{revision}");
        for limit in [1, 3, 100] {
            assert_eq!(walk(&*then, b"n", limit)?, expected, "{revision}");
        }
        for n in 0..7 {
            let name = format!("n{n}");
            let held = expected.iter().find(|(each, _)| *each == name).map(|(_, value)| value.clone());
            assert_eq!(value(&*then, &name)?, held, "{revision}");
        }
    }
    let latest = snapshot(&*store)?.revision();
    let ahead = latest.next().ok_or("no next")?;
    assert_eq!(block_on(store.snapshot_at(ahead)).err(), Some(ReadError::Future { latest }));
    Ok(())
}

pub(super) fn paging(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let mut expected = Vec::new();
    for n in 0..25 {
        let name = format!("k/{n:02}");
        put(&*store, &name, &n.to_string())?;
        expected.push((name, n.to_string()));
    }
    for neighbour in ["k", "j/99", "k0", "l/00", "k."] {
        put(&*store, neighbour, "x")?;
    }
    let now = snapshot(&*store)?;
    for limit in [1, 2, 5, 24, 25, 26, 1000] {
        assert_eq!(walk(&*now, b"k/", limit)?, expected, "{limit}");
    }
    let whole = block_on(now.range(b"k/", None, NonZeroUsize::MIN.saturating_add(24)))?;
    assert!(whole.entries.len() < 25 || !whole.more, "a page that ends the range says so");
    assert_eq!(walk(&*now, b"nothing", 5)?, vec![]);
    assert_eq!(walk(&*now, b"", 5)?.len(), 30);
    Ok(())
}

pub(super) fn range_after(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    for name in ["a/1", "a/2", "a/3", "b/1"] {
        put(&*store, name, "x")?;
    }
    let now = snapshot(&*store)?;
    for (after, expected) in [
        ("a/1", vec!["a/2", "a/3"]),
        ("a/15", vec!["a/2", "a/3"]),
        ("a/3", vec![]),
        ("A", vec!["a/1", "a/2", "a/3"]),
        ("a", vec!["a/1", "a/2", "a/3"]),
        ("b/1", vec![]),
        ("z", vec![]),
    ] {
        let page = block_on(now.range(b"a/", Some(&path(after)?), NonZeroUsize::MIN.saturating_add(9)))?;
        let names: Vec<_> = page.entries.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(names, expected, "{after}");
    }
    Ok(())
}

pub(super) fn count(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    assert_eq!(block_on(snapshot(&*store)?.count(b""))?, 0);
    for name in ["a/1", "a/2", "b/1", "a"] {
        put(&*store, name, "x")?;
    }
    delete(&*store, "a/2")?;
    let now = snapshot(&*store)?;
    for (prefix, expected) in [("", 3), ("a", 2), ("a/", 1), ("b/1", 1), ("b/11", 0), ("c", 0)] {
        assert_eq!(block_on(now.count(prefix.as_bytes()))?, expected, "{prefix:?}");
    }
    Ok(())
}

pub(super) fn compacted(subject: &dyn Subject) -> Outcome {
    let store = subject.forgetful_store();
    let first = put(&*store, "a", "0")?;
    let then = snapshot(&*store)?;
    for n in 1..=SHORT {
        put(&*store, "a", &n.to_string())?;
        // A snapshot shows its revision or says that it cannot: never another.
        match block_on(then.get(&path("a")?)) {
            Ok(found) => assert_eq!(found.as_ref().map(|entry| &entry.value[..]), Some(&b"0"[..])),
            Err(error) => assert!(matches!(error, ReadError::Compacted { .. }), "{error}"),
        }
    }
    let Some(ReadError::Compacted { oldest }) = block_on(store.snapshot_at(first)).err() else {
        return Err("the first revision is still held".into());
    };
    assert!(oldest > first);
    assert_eq!(block_on(store.snapshot_at(oldest))?.revision(), oldest);
    let zero = block_on(store.snapshot_at(Revision::ZERO)).err();
    assert!(matches!(zero, Some(ReadError::Compacted { .. })), "{zero:?}");
    Ok(())
}

/// The names and values of a prefix, read in pages of `limit`.
fn walk(
    snapshot: &dyn Snapshot,
    prefix: &[u8],
    limit: usize,
) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let limit = NonZeroUsize::new(limit).ok_or("no limit")?;
    let mut found = Vec::new();
    let mut after: Option<Path> = None;
    loop {
        let page = block_on(snapshot.range(prefix, after.as_ref(), limit))?;
        assert!(page.entries.len() <= limit.get());
        for (path, entry) in &page.entries {
            assert!(after.as_ref().is_none_or(|after| after < path), "{path} is out of order");
            after = Some(path.clone());
            found.push((path.to_string(), String::from_utf8(entry.value.to_vec())?));
        }
        if !page.more {
            return Ok(found);
        }
        assert!(!page.entries.is_empty(), "an empty page ends the range");
    }
}
