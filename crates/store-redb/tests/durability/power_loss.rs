//! The power fails at every step of a series of commits; whatever of the unsynced writes reached the disk, what was
//! acknowledged is there, whole, and nothing is there by halves.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

use crate::disk::{Disk, Event, Seeded, apply};
use keyreeve_store::conformance::block_on;
use keyreeve_store::{Batch, CommitError, Path, Refusal, Store, StoreFault};
use keyreeve_store_redb::{Options, RedbStore};

/// What the store holds after each revision, from 0 on.
type Models = Vec<BTreeMap<Path, Vec<u8>>>;

fn options() -> Options {
    Options { cache_bytes: 1 << 20, ..Options::default() }
}

fn path(number: usize) -> Path {
    Path::try_from(format!("record/{number:03}").as_str()).unwrap()
}

/// Commit batches to a store on `disk`, in groups, noting every answer; answers what each revision holds.
fn script(disk: &Disk, batches: usize, random: &mut Seeded) -> Models {
    let store = RedbStore::open_with_backend(disk.clone(), &options()).unwrap();
    let mut models = vec![BTreeMap::new()];
    let mut number = 0;
    while number < batches {
        let group = 1 + random.below(4);
        let mut handed_over = Vec::new();
        for _ in 0..group {
            number += 1;
            let mut model = models.last().unwrap().clone();
            // Each batch puts its number in one place for all to see, and writes or deletes some others.
            let mut batch = Batch::builder().put(path(999), vec![u8::try_from(number % 256).unwrap()]);
            model.insert(path(999), vec![u8::try_from(number % 256).unwrap()]);
            let first = random.below(40);
            for each in first..first + random.below(5) {
                if random.below(4) == 0 {
                    batch = batch.delete(path(each));
                    model.remove(&path(each));
                } else {
                    let value = vec![u8::try_from(random.below(256)).unwrap(); 1 + random.below(3000)];
                    batch = batch.put(path(each), value.clone());
                    model.insert(path(each), value);
                }
            }
            models.push(model);
            let mut commit = store.commit(batch.build().unwrap());
            // Handed over in order; the answer comes later.
            let poll = commit.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            handed_over.push((commit, poll));
        }
        for (commit, poll) in handed_over {
            let revision = match poll {
                std::task::Poll::Ready(answer) => answer,
                std::task::Poll::Pending => block_on(commit),
            };
            disk.note(Event::Acknowledged(revision.unwrap().get()));
        }
    }
    models
}

/// Open a store on what is left, and check that it holds one revision whole, at least `acknowledged`. Answers what opening
/// did to the disk.
fn check(image: Vec<u8>, acknowledged: u64, models: &Models, what: &str) -> Vec<Event> {
    let disk = Disk::holding(image);
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let store = RedbStore::open_with_backend(disk.clone(), &options());
        let store = store.unwrap_or_else(|error| panic!("{what}: {error}: {error:?}"));
        let snapshot = block_on(store.snapshot()).unwrap();
        let page = block_on(snapshot.range(b"", None, NonZeroUsize::MAX)).unwrap();
        let found: BTreeMap<_, _> =
            page.entries.into_iter().map(|(path, entry)| (path, entry.value.to_vec())).collect();
        (snapshot.revision().get(), found)
    }));
    let (revision, found) = opened.unwrap_or_else(|_| panic!("{what}: no store could be opened"));
    assert!(revision >= acknowledged, "{what}: revision {revision}, acknowledged {acknowledged}");
    let model = models.get(usize::try_from(revision).unwrap()).unwrap();
    assert!(found == *model, "{what}: revision {revision} is not whole");
    disk.events()
}

/// The power fails again while the store is opened after a cut: at every step of that.
fn cut_again(
    image: &[u8],
    opening: &[Event],
    acknowledged: u64,
    models: &Models,
    random: &mut Seeded,
    what: &str,
) {
    for step in 0..opening.len() {
        let (before, _) = opening.split_at(step);
        let synced = before.iter().rposition(|event| matches!(event, Event::Sync)).unwrap_or(0);
        let (durable, unsynced) = before.split_at(synced);
        let mut again = image.to_vec();
        durable.iter().chain(&some_of(unsynced, random)).for_each(|event| apply(&mut again, event));
        check(again, acknowledged, models, &format!("{what}, again at step {step} of opening"));
    }
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_at_every_step() {
    let long = std::env::var_os("KEYREEVE_TEST_LONG").is_some();
    let (batches, variants) = if long { (120, 24) } else { (24, 3) };
    let mut random = Seeded(7);
    // A new store is made under another name; it exists once it is whole.
    let new = Disk::default();
    drop(RedbStore::open_with_backend(new.clone(), &options()).unwrap());
    let disk = Disk::holding(new.bytes());
    let models = script(&disk, batches, &mut random);

    let mut durable = new.bytes();
    let mut unsynced: Vec<Event> = Vec::new();
    let mut acknowledged = 0;
    for (step, event) in disk.events().into_iter().enumerate() {
        match event {
            Event::Acknowledged(revision) => acknowledged = revision,
            Event::Sync => unsynced.drain(..).for_each(|event| apply(&mut durable, &event)),
            Event::Length(_) | Event::Write(..) => unsynced.push(event),
        }
        let cut = |reached: &[Event], what: &str| {
            let mut image = durable.clone();
            reached.iter().for_each(|event| apply(&mut image, event));
            let opening = check(image.clone(), acknowledged, &models, &format!("step {step}, {what}"));
            (image, opening)
        };
        cut(&[], "nothing reached the disk");
        cut(&unsynced, "all reached the disk");
        for variant in 0..variants {
            let (image, opening) = cut(&some_of(&unsynced, &mut random), &format!("variant {variant}"));
            if variant == 0 && (long || step % 8 == 0) {
                cut_again(&image, &opening, acknowledged, &models, &mut random, &format!("step {step}"));
            }
        }
    }
    assert_eq!(acknowledged, batches_committed(&models));
}

fn batches_committed(models: &Models) -> u64 {
    u64::try_from(models.len() - 1).unwrap()
}

/// Some of the writes, in order, some of them torn at a sector.
fn some_of(unsynced: &[Event], random: &mut Seeded) -> Vec<Event> {
    let mut reached = Vec::new();
    for event in unsynced {
        match (random.below(4), event) {
            (0, _) => {}
            (1, Event::Write(offset, data)) if data.len() > 512 => {
                let sectors = data.len().div_ceil(512);
                let torn = 512 * (1 + random.below(sectors));
                let (head, tail) = data.split_at(torn.min(data.len()));
                // Either the beginning or the end reached the disk.
                if random.below(2) == 0 {
                    reached.push(Event::Write(*offset, head.to_vec()));
                } else {
                    reached.push(Event::Write(offset + head.len() as u64, tail.to_vec()));
                }
            }
            _ => reached.push(event.clone()),
        }
    }
    reached
}

#[test]
fn after_a_failed_disk_operation_the_store_is_read_only_and_reopening_decides() {
    let mut failures = BTreeMap::new();
    for (kind, refusal) in
        [(ErrorKind::StorageFull, Refusal::Full), (ErrorKind::Other, StoreFault::Io(ErrorKind::Other).into())]
    {
        for operations in 0..60 {
            let what = format!("{kind:?} after {operations}");
            let disk = Disk::default();
            let store = RedbStore::open_with_backend(disk.clone(), &options()).unwrap();
            let write = |number: u8| {
                let batch =
                    (0..6).fold(Batch::builder(), |batch, each| batch.put(path(each), vec![number; 700]));
                block_on(store.commit(batch.build().unwrap()))
            };
            write(1).unwrap();
            disk.fail_after(operations, kind);
            let mut last = 1;
            let failed = loop {
                match write(last + 1) {
                    Ok(_) => last += 1,
                    Err(error) => break error,
                }
            };
            let unknown = CommitError::Unknown(StoreFault::Io(kind));
            assert!(failed == unknown || failed == CommitError::Refused(refusal), "{what}: {failed:?}");
            *failures.entry(failed == unknown).or_insert(0) += 1;
            assert_eq!(write(99), Err(CommitError::Refused(Refusal::ReadOnly)), "{what}");
            // What is shown is the last acknowledged state, or nothing.
            let snapshot = block_on(store.snapshot()).unwrap();
            assert_eq!(snapshot.revision().get(), u64::from(last), "{what}");
            if let Ok(found) = block_on(snapshot.get(&path(3))) {
                assert_eq!(found.unwrap().value.first(), Some(&last), "{what}");
            }
            drop((snapshot, store));

            let again = RedbStore::open_with_backend(Disk::holding(disk.bytes()), &options()).unwrap();
            let snapshot = block_on(again.snapshot()).unwrap();
            let values: Vec<_> =
                (0..6).map(|each| block_on(snapshot.get(&path(each))).unwrap().unwrap().value).collect();
            let found = *values.first().unwrap().first().unwrap();
            assert!(values.iter().all(|value| value.iter().all(|byte| *byte == found)), "{what}");
            let expected = if failed == unknown { last..=last + 1 } else { last..=last };
            assert!(expected.contains(&found), "{what}: {found}, acknowledged {last}, {failed:?}");
        }
    }
    assert!(failures.contains_key(&true), "{failures:?}");
}
