//! Batches, preconditions, versions.

use std::thread;

use super::{Outcome, Subject, block_on, commit, delete, entry, path, put, snapshot, value, version};
use crate::{Batch, BatchBuilder, CommitError, Path, Precondition, Revision};

pub(super) fn whole(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let before = snapshot(&*store)?.revision();
    let first = put(&*store, "a", "1")?;
    assert!(first > before);
    let second = commit(
        &*store,
        Batch::builder().put(path("b")?, "2").delete(path("a")?).put(path("c")?, "3").build()?,
    )?;
    assert!(second > first);
    let now = snapshot(&*store)?;
    assert_eq!(now.revision(), second);
    assert_eq!(entry(&*now, "a")?, None);
    for (name, text) in [("b", "2"), ("c", "3")] {
        let entry = entry(&*now, name)?.ok_or("lost")?;
        assert_eq!((&entry.value[..], entry.modified), (text.as_bytes(), second), "{name}");
    }
    Ok(())
}

pub(super) fn preconditions(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    put(&*store, "there", "1")?;
    put(&*store, "there", "2")?;
    put(&*store, "gone", "1")?;
    delete(&*store, "gone")?;
    let cases = [
        (Precondition::Absent(path("never")?), true),
        (Precondition::Absent(path("gone")?), true),
        (Precondition::Absent(path("there")?), false),
        (Precondition::Version(path("there")?, version(2)?), true),
        (Precondition::Version(path("there")?, version(1)?), false),
        (Precondition::Version(path("there")?, version(3)?), false),
        (Precondition::Version(path("never")?, version(1)?), false),
        (Precondition::Version(path("gone")?, version(1)?), false),
    ];
    for (precondition, holds) in cases {
        // On a path the batch does not write, alone and after one that holds.
        for others in [vec![], vec![Precondition::Absent(path("nothing")?)]] {
            let builder = others.into_iter().fold(Batch::builder(), BatchBuilder::require);
            let batch = builder.require(precondition.clone()).put(path("written")?, "x").build()?;
            let answer = commit(&*store, batch);
            if holds {
                assert!(answer.is_ok(), "{precondition:?}: {answer:?}");
            } else {
                assert_eq!(
                    answer,
                    Err(CommitError::Conflict(precondition.path().clone())),
                    "{precondition:?}"
                );
            }
        }
    }
    // On the path it writes.
    let create = |text: &'static str| {
        Ok::<_, Box<dyn std::error::Error>>(
            Batch::builder().require_absent(path("new")?).put(path("new")?, text).build()?,
        )
    };
    assert!(commit(&*store, create("1")?).is_ok());
    assert_eq!(commit(&*store, create("2")?), Err(CommitError::Conflict(path("new")?)));
    assert_eq!(value(&*snapshot(&*store)?, "new")?.as_deref(), Some("1"));
    Ok(())
}

pub(super) fn failed_changes_nothing(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let before = put(&*store, "a", "1")?;
    let batch = Batch::builder()
        .put(path("b")?, "2")
        .delete(path("a")?)
        .require_version(path("a")?, version(1)?)
        .require_version(path("a")?, version(2)?)
        .build()?;
    assert_eq!(commit(&*store, batch), Err(CommitError::Conflict(path("a")?)));
    let now = snapshot(&*store)?;
    assert_eq!(now.revision(), before);
    assert_eq!(value(&*now, "a")?.as_deref(), Some("1"));
    assert_eq!(value(&*now, "b")?, None);
    Ok(())
}

pub(super) fn versions(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let shown =
        || Ok::<_, Box<dyn std::error::Error>>(entry(&*snapshot(&*store)?, "a")?.map(|e| e.version.get()));
    for expected in 1..=3 {
        put(&*store, "a", "same")?;
        put(&*store, "other", "value")?;
        assert_eq!(shown()?, Some(expected));
    }
    delete(&*store, "a")?;
    assert_eq!(shown()?, None);
    put(&*store, "a", "same")?;
    assert_eq!(shown()?, Some(1));
    Ok(())
}

pub(super) fn no_change_no_revision(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let before = put(&*store, "a", "1")?;
    let nothing = [
        Batch::builder().build()?,
        Batch::builder().delete(path("b")?).build()?,
        Batch::builder().require_version(path("a")?, version(1)?).build()?,
    ];
    for batch in nothing {
        assert_eq!(commit(&*store, batch.clone()), Ok(before), "{batch:?}");
    }
    let untrue = Batch::builder().require_absent(path("a")?).build()?;
    assert_eq!(commit(&*store, untrue), Err(CommitError::Conflict(path("a")?)));
    assert_eq!(snapshot(&*store)?.revision(), before);
    assert!(put(&*store, "a", "1")? > before, "the same value again is a change");
    Ok(())
}

pub(super) fn race(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    for _ in 0..8 {
        let target = path("leader")?;
        let seen = block_on(snapshot(&*store)?.get(&target))?.map(|entry| entry.version);
        let answers = thread::scope(|scope| {
            let racers: Vec<_> = (0..8)
                .map(|n: u8| {
                    let builder = Batch::builder().require_unchanged(target.clone(), seen);
                    let batch = builder.put(target.clone(), vec![n]).build();
                    let store = &store;
                    scope.spawn(move || batch.map(|batch| block_on(store.commit(batch))))
                })
                .collect();
            racers.into_iter().filter_map(|racer| racer.join().ok()?.ok()).collect::<Vec<_>>()
        });
        assert_eq!(answers.len(), 8);
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        let lost = Err(CommitError::Conflict(target));
        assert!(answers.iter().all(|answer| answer.is_ok() || *answer == lost), "{answers:?}");
    }
    Ok(())
}

pub(super) fn increments(subject: &dyn Subject) -> Outcome {
    const WRITERS: u64 = 6;
    const EACH: u64 = 20;
    let store = subject.store();
    let counter = path("counter")?;
    let add_one = || -> Result<Revision, Box<dyn std::error::Error + Send + Sync>> {
        loop {
            let found = block_on(block_on(store.snapshot())?.get(&counter))?;
            let number = match &found {
                None => 0,
                Some(entry) => u64::from_be_bytes(entry.value[..].try_into()?),
            };
            let builder =
                Batch::builder().require_unchanged(counter.clone(), found.map(|entry| entry.version));
            match block_on(
                store.commit(builder.put(counter.clone(), (number + 1).to_be_bytes().to_vec()).build()?),
            ) {
                Ok(revision) => return Ok(revision),
                Err(CommitError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    };
    let mut revisions = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| scope.spawn(|| (0..EACH).map(|_| add_one()).collect::<Result<Vec<_>, _>>()))
            .collect();
        writers.into_iter().filter_map(|writer| writer.join().ok()?.ok()).flatten().collect::<Vec<_>>()
    });
    let found = entry(&*snapshot(&*store)?, "counter")?.ok_or("lost")?;
    assert_eq!(found.value[..], (WRITERS * EACH).to_be_bytes());
    assert_eq!(found.version.get(), WRITERS * EACH);
    revisions.sort_unstable();
    revisions.dedup();
    assert_eq!(revisions.len(), usize::try_from(WRITERS * EACH)?, "every batch has a revision of its own");
    Ok(())
}

pub(super) fn any_bytes(subject: &dyn Subject) -> Outcome {
    let store = subject.store();
    let paths = [
        vec![0],
        vec![0, 0],
        vec![0xFF],
        vec![0xFF; Path::MAX_LENGTH],
        b"a\0b".to_vec(),
        (0..=255).collect(),
    ];
    let values = [vec![], vec![0], vec![0xFF; 100_000]];
    for bytes in &paths {
        for value in &values {
            let path = Path::new(bytes.clone())?;
            commit(&*store, Batch::builder().put(path.clone(), value.clone()).build()?)?;
            let found = block_on(snapshot(&*store)?.get(&path))?.ok_or("lost")?;
            assert_eq!(found.value[..], value[..], "{path}");
        }
    }
    assert_eq!(block_on(snapshot(&*store)?.count(&[]))?, u64::try_from(paths.len())?);
    Ok(())
}
