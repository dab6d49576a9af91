//! A store beside a plain map, for batches that a property test invents.
//!
//! [`steps`] makes batches of any bytes, so that whatever generates and shrinks bytes generates and shrinks batches.

use std::collections::BTreeMap;

use super::{Outcome, block_on};
use crate::{
    Batch, Change, CommitError, Entry, Page, Path, Precondition, Revision, Snapshot, Store, Version, Write,
};

/// What the store is to hold: the value, its version, and the revision that wrote it.
type Model = BTreeMap<Path, Entry>;

/// Batches from bytes: few paths, so that they meet, and preconditions that are often true.
pub fn steps(bytes: &[u8]) -> Vec<(Vec<Precondition>, Vec<Write>)> {
    let mut steps = Vec::new();
    for chunk in bytes.chunks(5) {
        let mut preconditions = Vec::new();
        let mut writes: Vec<Write> = Vec::new();
        for byte in chunk {
            let Ok(path) = Path::new(vec![b'p', b'0' + (byte & 7)]) else { continue };
            match (byte >> 3, Version::new(u64::from(byte >> 5))) {
                (0..=7, _) => preconditions.push(Precondition::Absent(path)),
                (8..=15, Some(version)) => preconditions.push(Precondition::Version(path, version)),
                (operation, _) if writes.iter().all(|write| *write.path() != path) => {
                    writes.push(match operation {
                        16..=19 => Write::Delete(path),
                        _ => Write::Put(path, vec![*byte; usize::from(byte >> 4)].into()),
                    })
                }
                _ => {}
            }
        }
        // One precondition a batch is enough to fail it; more would fail nearly all.
        preconditions.truncate(1);
        steps.push((preconditions, writes));
    }
    steps
}

/// Commit each batch to the store and to the map; the answers, the snapshots and the watch must say the same.
///
/// # Errors
/// When the store fails; a difference panics.
pub fn run(store: &dyn Store, steps: Vec<(Vec<Precondition>, Vec<Write>)>) -> Outcome {
    let mut latest = block_on(store.snapshot())?.revision();
    let mut watch = block_on(store.watch(latest))?;
    let mut model = Model::new();
    let mut history = vec![(latest, model.clone())];
    for (preconditions, writes) in steps {
        let builder = preconditions.iter().cloned().fold(Batch::builder(), crate::BatchBuilder::require);
        let batch = writes.iter().cloned().fold(builder, crate::BatchBuilder::write).build()?;
        let version = |path: &Path| model.get(path).map(|entry| entry.version);
        let broken = preconditions.iter().find(|each| !each.holds(version(each.path())));
        let answer = block_on(store.commit(batch.clone()));
        if let Some(broken) = broken {
            assert_eq!(answer, Err(CommitError::Conflict(broken.path().clone())), "{batch:?}");
            continue;
        }
        let revision = answer?;
        let changes = apply(&mut model, writes, revision);
        if changes.is_empty() {
            assert_eq!(revision, latest, "{batch:?}");
            continue;
        }
        assert!(revision > latest, "{batch:?}");
        latest = revision;
        let seen = block_on(watch.next())?;
        assert_eq!((seen.revision, &seen.changes), (revision, &changes), "{batch:?}");
        history.push((revision, model.clone()));
    }
    same(&*block_on(store.snapshot())?, &model)?;
    for (revision, model) in &history {
        same(&*block_on(store.snapshot_at(*revision))?, model)?;
    }
    Ok(())
}

/// Apply writes to the map, and answer what changed.
fn apply(model: &mut Model, mut writes: Vec<Write>, modified: Revision) -> Vec<Change> {
    writes.sort_by(|one, other| one.path().cmp(other.path()));
    let mut changes = Vec::new();
    for write in writes {
        match write {
            Write::Delete(path) => {
                if model.remove(&path).is_some() {
                    changes.push(Change { path, entry: None });
                }
            }
            Write::Put(path, value) => {
                let before = model.get(&path).map(|entry| entry.version);
                if let Some(version) = Version::after(before) {
                    let entry = Entry { value, version, modified };
                    model.insert(path.clone(), entry.clone());
                    changes.push(Change { path, entry: Some(entry) });
                }
            }
        }
    }
    changes
}

fn same(snapshot: &dyn Snapshot, model: &Model) -> Outcome {
    let limit = std::num::NonZeroUsize::MAX;
    let expected: Vec<_> = model.iter().map(|(path, entry)| (path.clone(), entry.clone())).collect();
    let page = block_on(snapshot.range(b"", None, limit))?;
    assert_eq!(page, Page { entries: expected, more: false }, "at {}", snapshot.revision());
    Ok(())
}
