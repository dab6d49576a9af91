//! Segments across restarts, crashes and rolls.

use std::sync::Arc;

use keyreeve_core::bracket::Trail;
use keyreeve_trail_file::{Level, OpenTrailError, Options, TrailDirectory, verify_medium};

use crate::memory::Memory;
use crate::{append_at_once, event, on_one_thread, open, stream, write_runs};

fn names(memory: &Memory) -> Vec<String> {
    memory.with(|state| state.files.keys().cloned().collect())
}

#[test]
fn a_restart_begins_a_segment_unless_the_last_holds_its_header_alone() {
    let memory = Memory::default();
    write_runs(&memory, "w0", Options::default(), &[2, 0, 0, 1, 3]);
    assert_eq!(names(&memory), ["w0-00000001.log", "w0-00000002.log", "w0-00000003.log"]);
    let report = verify_medium(&memory).unwrap();
    assert_eq!((report.streams[0].lines, report.streams[0].end.sequence), (9, 9));
}

#[test]
fn a_torn_tail_stays_and_the_next_header_counts_it() {
    // A loss of power leaves holes, too, and pages behind them.
    let hole = b"4 0123\0\0\0\0} \n5 a whole line\n6 and";
    for (events, torn) in [(2, &b"4 0123"[..]), (0, b"2"), (2, hole), (0, b"\0\0\0")] {
        let memory = Memory::default();
        write_runs(&memory, "w0", Options::default(), &[events]);
        memory.edit("w0-00000001.log", |bytes| bytes.extend_from_slice(torn));
        let before = memory.text("w0-00000001.log");
        write_runs(&memory, "w0", Options::default(), &[1]);
        assert_eq!(memory.text("w0-00000001.log"), before);
        let header = memory.text("w0-00000002.log");
        assert!(header.contains(&format!(r#""tornBytes":{}"#, torn.len())), "{header}");
        let report = verify_medium(&memory).unwrap();
        let tail = &report.streams[0].torn_tails[0];
        assert_eq!((tail.segment.number(), tail.bytes), (1, torn.len() as u64));
    }
}

#[test]
fn a_segment_that_has_reached_its_length_is_followed_by_the_next() {
    for level in [Level::Sync, Level::Write] {
        let memory = Memory::default();
        on_one_thread(async {
            let trail = open(&memory, "w0", Options { level, segment_len: 2_000 });
            for _ in 0..20 {
                assert_eq!(append_at_once(&trail, 0..10).await, vec![Ok(()); 10], "{level:?}");
            }
        });
        let report = verify_medium(&memory).unwrap();
        assert_eq!(report.streams[0].lines, 200 + u64::from(report.streams[0].segments), "{level:?}");
        assert_eq!(report.streams[0].segments, 7, "{level:?}");
        assert!(names(&memory).iter().all(|name| memory.text(name).len() < 4_000), "{level:?}");
    }
}

#[test]
fn lines_gathered_while_a_segment_begins_follow_its_header() {
    let memory = Memory::default();
    on_one_thread(async {
        let trail = open(&memory, "w0", Options { segment_len: 1, ..Options::default() });
        trail.append(event(0)).await.unwrap();
        memory.hold();
        let before = trail.append(event(1));
        memory.held().await;
        let (meanwhile, rest) = (trail.append(event(2)), append_at_once(&trail, 3..6));
        memory.release();
        assert_eq!((before.await, meanwhile.await, rest.await), (Ok(()), Ok(()), vec![Ok(()); 3]));
    });
    verify_medium(&memory).unwrap();
    assert_eq!(memory.events("w0").len(), 6);
}

#[test]
fn a_stream_has_one_writer_and_streams_do_not_mix() {
    let memory = Memory::default();
    let directory = TrailDirectory::open_medium(Arc::new(memory.clone())).unwrap();
    on_one_thread(async {
        let (w0, w1) = (stream("w0"), stream("w1"));
        let first = directory.trail(&w0, Options::default()).unwrap();
        assert!(matches!(directory.trail(&w0, Options::default()), Err(OpenTrailError::InUse)));
        let second = directory.trail(&w1, Options::default()).unwrap();
        first.append(event(1)).await.unwrap();
        second.append(event(2)).await.unwrap();
    });
    let report = verify_medium(&memory).unwrap();
    assert_eq!(report.streams.iter().map(|report| report.lines).collect::<Vec<_>>(), [2, 2]);
}

#[test]
fn damage_in_the_newest_segment_bars_the_directory() {
    for (at_line, damage) in [(1, "\"tornBytes\""), (3, "event")] {
        let memory = Memory::default();
        write_runs(&memory, "w0", Options::default(), &[4]);
        memory.edit("w0-00000001.log", |bytes| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let line: usize = text.split_inclusive('\n').take(at_line - 1).map(str::len).sum();
            let at = line + text[line..].find(damage).unwrap();
            bytes[at + 1] ^= 1;
        });
        let opened = TrailDirectory::open_medium(Arc::new(memory.clone()));
        match opened.err().unwrap() {
            OpenTrailError::Damaged { line, .. } => assert_eq!(line, at_line as u64),
            other @ (OpenTrailError::Full | OpenTrailError::InUse | OpenTrailError::Io(_)) => {
                panic!("{other}")
            }
        }
    }
}
