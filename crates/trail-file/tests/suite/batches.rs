//! Order, sharing of writes, dropped futures.

use keyreeve_core::bracket::{Trail, TrailError};
use keyreeve_trail_file::{FileTrail, Level, Options, verify_medium};

use crate::memory::Memory;
use crate::{append_at_once, event, on_one_thread, open};

const LEVELS: [Level; 2] = [Level::Sync, Level::Write];

#[test]
fn tasks_that_are_ready_together_share_one_write() {
    for level in LEVELS {
        let memory = Memory::default();
        on_one_thread(async {
            let trail = open(&memory, "w0", Options { level, ..Options::default() });
            for round in 1..=3 {
                let answers = append_at_once(&trail, 0..500).await;
                assert_eq!(answers, vec![Ok(()); 500], "{level:?}");
                assert_eq!(memory.with(|state| state.writes), round, "{level:?}");
            }
        });
        let syncs = if level == Level::Sync { 3 } else { 0 };
        assert_eq!(memory.with(|state| state.syncs), syncs, "{level:?}");
        assert_eq!(verify_medium(&memory).unwrap().streams[0].lines, 1501, "{level:?}");
    }
}

#[test]
fn lines_stand_in_the_order_of_the_calls_not_of_the_waits() {
    let memory = Memory::default();
    on_one_thread(async {
        let trail = open(&memory, "w0", Options::default());
        let (first, second, third) = (trail.append(event(1)), trail.append(event(2)), trail.append(event(3)));
        third.await.unwrap();
        first.await.unwrap();
        second.await.unwrap();
        trail.append(event(4)).await.unwrap();
    });
    let expected: Vec<_> = (1..=4).map(|number| String::from_utf8(event(number)).unwrap()).collect();
    assert_eq!(memory.events("w0"), expected);
}

#[test]
fn a_dropped_future_takes_neither_its_line_nor_anothers_answer_along() {
    for level in LEVELS {
        let memory = Memory::default();
        on_one_thread(async {
            let trail = open(&memory, "w0", Options { level, ..Options::default() });
            drop(trail.append(event(1)));
            let kept = trail.append(event(2));
            let polled = trail.clone();
            let given_up = tokio::task::spawn_local(async move { polled.append(event(3)).await });
            tokio::task::yield_now().await;
            given_up.abort();
            kept.await.unwrap();
            trail.settled().await.unwrap();
        });
        assert_eq!(memory.events("w0").len(), 3, "{level:?}");
        verify_medium(&memory).unwrap();
    }
}

#[test]
fn what_nobody_waits_for_is_written_when_the_runtime_ends() {
    let memory = Memory::default();
    on_one_thread(async {
        drop(open(&memory, "w0", Options::default()).append(event(1)));
    });
    assert_eq!(memory.events("w0").len(), 1);
    verify_medium(&memory).unwrap();
}

#[test]
fn an_append_while_the_runtime_ends_is_written() {
    struct AppendsOnDrop(FileTrail);
    impl Drop for AppendsOnDrop {
        fn drop(&mut self) {
            drop(self.0.append(event(1)));
        }
    }
    let memory = Memory::default();
    on_one_thread(async {
        let last = AppendsOnDrop(open(&memory, "w0", Options::default()));
        tokio::task::spawn_local(async move {
            core::future::pending::<()>().await;
            drop(last);
        });
        tokio::task::yield_now().await;
    });
    assert_eq!(memory.events("w0").len(), 1);
    verify_medium(&memory).unwrap();
}

#[test]
fn settled_answers_after_all_that_was_appended() {
    let memory = Memory::default();
    on_one_thread(async {
        let trail = open(&memory, "w0", Options { level: Level::Sync, ..Options::default() });
        trail.settled().await.unwrap();
        for number in 0..10 {
            drop(trail.append(event(number)));
        }
        trail.settled().await.unwrap();
        assert_eq!(memory.events("w0").len(), 10);
    });
}

#[test]
fn an_event_that_makes_no_line_is_refused_alone() {
    let memory = Memory::default();
    on_one_thread(async {
        let trail = open(&memory, "w0", Options::default());
        for (case, event, answer) in [
            // A mebibyte, but for a sequence number of twenty digits, a hash and two spaces.
            ("longest", vec![b' '; 1_048_490], Ok(())),
            ("longer", vec![b' '; 1_048_491], Err(TrailError)),
            ("line feed", b"{\n}".to_vec(), Err(TrailError)),
            ("empty", Vec::new(), Ok(())),
        ] {
            assert_eq!(trail.append(event).await, answer, "{case}");
        }
    });
    assert_eq!(verify_medium(&memory).unwrap().streams[0].lines, 3);
}
