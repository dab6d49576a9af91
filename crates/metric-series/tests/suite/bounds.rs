//! Neither series nor files nor time are without a bound.

use keyreeve_wire::Operation;

use crate::kept::{BEGIN, DAY, Kept, succeeded};

#[test]
fn keys_beyond_the_bound_are_counted_for_their_account() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = Kept::bounded(directory.path(), 10, 455, u64::MAX);
    for key in 0..100 {
        kept.count(Operation::Encrypt, key, 1);
    }
    for _ in 0..2 {
        let of_keys: u64 =
            (0..100).map(|key| kept.sum(&succeeded(Some(key), None), 60, BEGIN, BEGIN + 1)).sum();
        assert_eq!(of_keys, 10);
        assert_eq!(kept.sum(&succeeded(None, None), 60, BEGIN, BEGIN + 1), 100);
        kept.restart(false);
    }
    let directory = tempfile::tempdir().unwrap();
    let kept = Kept::bounded(directory.path(), 10, 455, u64::MAX);
    (0..100).for_each(|key| kept.count(Operation::Encrypt, key, 1));
    kept.series().keep();
    assert_eq!(kept.series().standing().left_out, 90);
    // Fifteen days of silence make room for another key.
    kept.go_to(BEGIN + 16 * DAY);
    kept.series().keep();
    kept.count(Operation::Encrypt, 200, 1);
    assert_eq!(kept.sum(&succeeded(Some(200), None), 60, kept.minute(), kept.minute() + 1), 1);
}

#[test]
fn points_are_removed_when_they_are_too_old() {
    let metric = succeeded(Some(1), None);
    for (keep_days, days, minutes, fives, hours) in [
        (455, 14, 1, 1, 1),
        (455, 16, 0, 1, 1),
        (455, 62, 0, 1, 1),
        (455, 65, 0, 0, 1),
        (455, 450, 0, 0, 1),
        (455, 465, 0, 0, 0),
        (30, 29, 0, 1, 1),
        (30, 40, 0, 0, 0),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let kept = Kept::bounded(directory.path(), 10, keep_days, u64::MAX);
        kept.count(Operation::Encrypt, 1, 1);
        for day in (0..=days).step_by(3).chain([days]) {
            kept.go_to(BEGIN + day * DAY + 1);
            kept.series().keep();
        }
        let found = [60, 300, 3600].map(|period| kept.sum(&metric, period, BEGIN, BEGIN + DAY));
        assert_eq!(found, [minutes, fives, hours], "kept for {keep_days} days, after {days}");
        assert!(hours > 0 || kept.files() == ["journal.krm"], "{:?}", kept.files());
    }
}

#[test]
fn files_beyond_the_bound_are_removed_the_finest_and_oldest_first() {
    let directory = tempfile::tempdir().unwrap();
    let kept = Kept::bounded(directory.path(), 1000, 455, 20_000);
    for window in 0..6 * 12 {
        for minute in 0..20 {
            kept.go_to(BEGIN + window * 240 + minute);
            (0..10).for_each(|key| kept.count(Operation::Encrypt, key, 1));
            kept.series().keep();
        }
        let bytes = kept.series().standing().bytes;
        assert!(bytes <= 20_000, "{bytes}");
    }
    let metric = succeeded(Some(1), None);
    assert_eq!(kept.sum(&metric, 60, BEGIN, BEGIN + DAY), 0);
    assert_eq!(kept.sum(&metric, 3600, BEGIN, BEGIN + DAY), 120);
}
