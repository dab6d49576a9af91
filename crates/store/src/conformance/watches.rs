//! Watches.

use std::pin::Pin;
use std::task::{Context, Waker};
use std::thread;

use super::{Outcome, SHORT, Subject, block_on, commit, delete, path, put, snapshot};
use crate::{Batch, Changes, Revision, WatchError};

pub(super) fn order(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let start = put(&*store, "before", "0")?;
    let mut watch = block_on(store.watch(start))?;
    let first = commit(&*store, Batch::builder().put(path("b")?, "1").put(path("a")?, "2").build()?)?;
    let refused = Batch::builder().require_absent(path("a")?).put(path("a")?, "9").build()?;
    assert!(commit(&*store, refused).is_err());
    delete(&*store, "absent")?;
    let second = commit(&*store, Batch::builder().put(path("a")?, "3").delete(path("b")?).build()?)?;

    let changes = block_on(watch.next())?;
    assert_eq!(
        (changes.revision, shown(&changes)),
        (first, vec![("a".into(), Some((1, "2".into()))), ("b".into(), Some((1, "1".into())))])
    );
    let changes = block_on(watch.next())?;
    assert_eq!(
        (changes.revision, shown(&changes)),
        (second, vec![("a".into(), Some((2, "3".into()))), ("b".into(), None)])
    );
    assert!(
        changes
            .changes
            .iter()
            .filter_map(|change| change.entry.as_ref())
            .all(|entry| entry.modified == second)
    );
    Ok(())
}

pub(super) fn from_the_past(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let start = snapshot(&*store)?.revision();
    let revisions = (0..10).map(|n| put(&*store, &format!("n{n}"), "x")).collect::<Result<Vec<_>, _>>()?;
    for skip in 0..=revisions.len() {
        let after = skip.checked_sub(1).and_then(|last| revisions.get(last)).copied().unwrap_or(start);
        let mut watch = block_on(store.watch(after))?;
        for expected in revisions.iter().skip(skip) {
            assert_eq!(block_on(watch.next())?.revision, *expected);
        }
    }
    Ok(())
}

pub(super) fn wakes(subject: &dyn Subject) -> Outcome {
    const COUNT: usize = 200;
    let store = subject.store();
    let start = snapshot(&*store)?.revision();
    let watches = (0..3).map(|_| block_on(store.watch(start))).collect::<Result<Vec<_>, _>>()?;
    let (written, seen) = thread::scope(|scope| {
        let watchers: Vec<_> = watches
            .into_iter()
            .map(|mut watch| {
                scope.spawn(move || {
                    let revisions =
                        (0..COUNT).map(|_| block_on(watch.next()).map(|changes| changes.revision));
                    revisions.collect::<Result<Vec<_>, _>>()
                })
            })
            .collect();
        let written: Result<Vec<Revision>, String> = (0..COUNT)
            .map(|n| put(&*store, "a", &n.to_string()).map_err(|error| error.to_string()))
            .collect();
        (written, watchers.into_iter().map(|watcher| watcher.join().ok()).collect::<Vec<_>>())
    });
    let written = written?;
    for each in seen {
        assert_eq!(each, Some(Ok(written.clone())));
    }
    Ok(())
}

pub(super) fn dropped_future(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let mut watch = block_on(store.watch(snapshot(&*store)?.revision()))?;
    for n in 0..5 {
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut watch.next()).poll(&mut context).is_pending(), "nothing was written");
        let revision = put(&*store, "a", &n.to_string())?;
        assert_eq!(block_on(watch.next())?.revision, revision);
    }
    Ok(())
}

pub(super) fn compacted(subject: &dyn Subject) -> Outcome {
    let store = subject.forgetful_store();
    let first = put(&*store, "a", "0")?;
    let mut last = first;
    for n in 0..SHORT {
        last = put(&*store, "a", &n.to_string())?;
    }
    let Some(WatchError::Compacted { oldest }) = block_on(store.watch(first)).err() else {
        return Err("the first revision is still held".into());
    };
    assert!(oldest > first && oldest <= last);
    let mut watch = block_on(store.watch(oldest))?;
    let mut seen = oldest;
    while seen < last {
        seen = block_on(watch.next())?.revision;
    }
    assert_eq!(seen, last);
    // What the error asks for: a snapshot, and a watch after it.
    let mut watch = block_on(store.watch(snapshot(&*store)?.revision()))?;
    let next = put(&*store, "a", "next")?;
    assert_eq!(block_on(watch.next())?.revision, next);
    Ok(())
}

pub(super) fn slow(subject: &dyn Subject) -> Outcome {
    let store = subject.forgetful_store();
    let first = put(&*store, "a", "0")?;
    let mut watch = block_on(store.watch(first))?;
    let revisions = (0..SHORT).map(|n| put(&*store, "a", &n.to_string())).collect::<Result<Vec<_>, _>>()?;
    for expected in revisions {
        match block_on(watch.next()) {
            Ok(changes) => assert_eq!(changes.revision, expected),
            Err(WatchError::Compacted { oldest }) => {
                assert!(oldest >= expected);
                let again = block_on(watch.next());
                assert!(again.is_err(), "{again:?}");
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What changed, as text: the path, and the version and value it has since.
fn shown(changes: &Changes) -> Vec<(String, Option<(u64, String)>)> {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let entry = |entry: &crate::Entry| (entry.version.get(), text(&entry.value));
    changes.changes.iter().map(|each| (each.path.to_string(), each.entry.as_ref().map(entry))).collect()
}
