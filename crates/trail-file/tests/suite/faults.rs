//! What the disk refuses is not in the file, and the trail goes on.

use std::sync::Arc;

use keyreeve_core::bracket::{Trail, TrailError};
use keyreeve_trail_file::{Level, Options, TrailDirectory, verify_medium};

use crate::memory::{EIO, ENOSPC, Fault, Memory, State};
use crate::{append_at_once, event, on_one_thread, open, stream, write_runs};

/// Arranges what goes wrong.
type Break = fn(&mut State);

#[test]
fn a_refused_batch_leaves_nothing_and_the_next_one_is_taken() {
    let cases: [(&str, Level, Break); 6] = [
        ("EIO", Level::Write, |state| state.on_write.push_back(Some(EIO))),
        ("ENOSPC", Level::Write, |state| state.on_write.push_back(Some(ENOSPC))),
        ("short write", Level::Write, |state| state.on_write.push_back(Some(Fault::Short(100)))),
        ("nothing taken", Level::Write, |state| state.on_write.push_back(Some(Fault::Short(0)))),
        ("short write", Level::Sync, |state| state.on_write.push_back(Some(Fault::Short(100)))),
        ("sync fails", Level::Sync, |state| state.on_sync.push_back(Some(EIO))),
    ];
    for (case, level, fault) in cases {
        let memory = Memory::default();
        let directory = TrailDirectory::open_medium(Arc::new(memory.clone())).unwrap();
        let counts = directory.counts();
        on_one_thread(async {
            let trail = directory.trail(&stream("w0"), Options { level, ..Options::default() }).unwrap();
            trail.append(event(1)).await.unwrap();
            let before = memory.text("w0-00000001.log");
            let bytes = counts.bytes();
            assert_eq!(counts.failures(), 0, "{case}");
            memory.with(fault);
            assert_eq!(append_at_once(&trail, 2..10).await, vec![Err(TrailError); 8], "{case}");
            assert_eq!(memory.text("w0-00000001.log"), before, "{case}");
            assert_eq!(
                (trail.is_broken(), counts.failures(), counts.is_refusing()),
                (false, 1, true),
                "{case}"
            );
            assert_eq!(append_at_once(&trail, 10..14).await, vec![Ok(()); 4], "{case}");
            assert_eq!((counts.failures(), counts.is_refusing()), (1, false), "{case}");
            let longer = memory.text("w0-00000001.log").len() - before.len();
            assert_eq!(counts.bytes() - bytes, u64::try_from(longer).unwrap(), "{case}");
        });
        assert_eq!(verify_medium(&memory).unwrap().streams[0].lines, 6, "{case}");
    }
}

#[test]
fn a_batch_that_finds_the_disk_full_is_written_once_more_where_room_was_made() {
    use core::sync::atomic::{AtomicUsize, Ordering};

    let cases: [(&str, Level, Fault, usize, bool); 5] = [
        ("ENOSPC", Level::Write, ENOSPC, 1, true),
        ("ENOSPC", Level::Sync, ENOSPC, 1, true),
        ("short write", Level::Write, Fault::Short(100), 1, true),
        ("no room", Level::Write, ENOSPC, 0, false),
        ("EIO", Level::Write, EIO, 1, false),
    ];
    for (case, level, fault, rooms, is_taken) in cases {
        let expected = if is_taken { Ok(()) } else { Err(TrailError) };
        let memory = Memory::default();
        let left = Arc::new(AtomicUsize::new(rooms));
        let room = Arc::clone(&left);
        let make =
            move || room.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        let directory = TrailDirectory::open_medium(Arc::new(memory.clone())).unwrap();
        let directory = directory.with_room(Arc::new(make));
        let counts = directory.counts();
        on_one_thread(async {
            let trail = directory.trail(&stream("w0"), Options { level, ..Options::default() }).unwrap();
            trail.append(event(1)).await.unwrap();
            memory.with(|state| state.on_write.push_back(Some(fault)));
            assert_eq!(append_at_once(&trail, 2..10).await, vec![expected; 8], "{case} {level:?}");
            assert_eq!(counts.is_refusing(), !is_taken, "{case} {level:?}");
            trail.append(event(10)).await.unwrap();
            assert!(!counts.is_refusing(), "{case} {level:?}: what is taken later ends it");
        });
        let written = if is_taken { 10 } else { 2 };
        assert_eq!(memory.events("w0").len(), written, "{case} {level:?}");
        verify_medium(&memory).unwrap();
    }
}

#[test]
fn lines_gathered_behind_a_batch_that_is_refused_are_chained_anew() {
    let memory = Memory::default();
    on_one_thread(async {
        let trail = open(&memory, "w0", Options { level: Level::Sync, ..Options::default() });
        memory.with(|state| state.on_sync.push_back(Some(EIO)));
        memory.hold();
        let refused = trail.append(event(1));
        memory.held().await;
        let taken = trail.append(event(2));
        memory.release();
        assert_eq!(refused.await, Err(TrailError));
        assert_eq!(taken.await, Ok(()));
    });
    assert_eq!(memory.events("w0"), [r#"{"event":2}"#]);
    verify_medium(&memory).unwrap();
}

#[test]
fn a_trail_whose_end_is_unknown_takes_nothing_more() {
    let cases: [(&str, Level, Break); 3] = [
        ("truncation fails", Level::Write, |state| {
            state.on_write.push_back(Some(Fault::Short(50)));
            state.on_truncate.push_back(Some(EIO));
        }),
        ("truncation fails after a sync", Level::Sync, |state| {
            state.on_sync.push_back(Some(EIO));
            state.on_truncate.push_back(Some(EIO));
        }),
        ("truncation is not durable", Level::Sync, |state| state.on_sync.extend([Some(EIO), Some(EIO)])),
    ];
    for (case, level, fault) in cases {
        let memory = Memory::default();
        let options = Options { level, ..Options::default() };
        let directory = TrailDirectory::open_medium(Arc::new(memory.clone())).unwrap();
        let counts = directory.counts();
        on_one_thread(async {
            let trail = directory.trail(&stream("w0"), options).unwrap();
            let other = directory.trail(&stream("w1"), options).unwrap();
            trail.append(event(1)).await.unwrap();
            memory.with(fault);
            assert_eq!(append_at_once(&trail, 2..4).await, vec![Err(TrailError); 2], "{case}");
            assert!(trail.is_broken(), "{case}");
            assert_eq!((counts.failures(), counts.is_refusing()), (1, true), "{case}");
            // A broken trail is broken, whatever the others take.
            other.append(event(3)).await.unwrap();
            assert!(counts.is_refusing(), "{case}");
            assert_eq!(trail.append(event(4)).await, Err(TrailError), "{case}");
            assert_eq!(trail.settled().await, Err(TrailError), "{case}");
        });
        drop(directory);
        write_runs(&memory, "w0", options, &[1]);
        verify_medium(&memory).unwrap();
    }
}

#[test]
fn the_end_of_the_task_that_holds_the_file_breaks_the_trail() {
    let memory = Memory::default();
    let trail = open(&memory, "w0", Options { level: Level::Sync, ..Options::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let tasks = tokio::task::LocalSet::new();
    memory.hold();
    let (first, second) = tasks.block_on(&runtime, async {
        let first = trail.append(event(1));
        memory.held().await;
        (first, trail.append(event(2)))
    });
    drop(tasks);
    memory.release();
    assert!(trail.is_broken());
    on_one_thread(async { assert_eq!((first.await, second.await), (Err(TrailError), Err(TrailError))) });
}

#[test]
fn lines_gathered_behind_a_batch_that_breaks_the_trail_are_refused() {
    let memory = Memory::default();
    on_one_thread(async {
        let trail = open(&memory, "w0", Options { level: Level::Sync, ..Options::default() });
        memory.with(|state| state.on_sync.extend([Some(EIO), Some(EIO)]));
        memory.hold();
        let first = trail.append(event(1));
        memory.held().await;
        let second = trail.append(event(2));
        memory.release();
        assert_eq!((first.await, second.await), (Err(TrailError), Err(TrailError)));
    });
}

#[test]
fn a_segment_goes_on_when_the_next_one_cannot_begin() {
    let cases: [(&str, bool, Break); 3] = [
        ("no space", false, |state| state.on_create.push_back(Some(ENOSPC))),
        ("old segment not durable", false, |state| state.on_sync.push_back(Some(EIO))),
        ("a header may be left behind", true, |state| {
            state.on_create.push_back(Some(EIO));
            state.on_remove.push_back(Some(EIO));
        }),
    ];
    for (case, broken, fault) in cases {
        let memory = Memory::default();
        on_one_thread(async {
            let trail = open(&memory, "w0", Options { segment_len: 1, ..Options::default() });
            trail.append(event(1)).await.unwrap();
            memory.with(fault);
            assert_eq!(trail.append(event(2)).await.is_err(), broken, "{case}");
            assert_eq!(trail.append(event(3)).await.is_err(), broken, "{case}");
        });
        let report = verify_medium(&memory).unwrap();
        let expected = if broken { (1, 2) } else { (2, 5) };
        assert_eq!((report.streams[0].segments, report.streams[0].lines), expected, "{case}");
    }
}
