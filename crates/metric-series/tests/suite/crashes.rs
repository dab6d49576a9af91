//! What a killed process, a full disk and damaged files leave.

use std::fs;

use keyreeve_wire::Operation;
use proptest::prelude::*;

use crate::kept::{BEGIN, DAY, Kept, succeeded};

fn sum(kept: &Kept) -> u64 {
    kept.sum(&succeeded(Some(1), None), 60, BEGIN, BEGIN + 3 * DAY)
}

#[test]
fn a_killed_process_loses_the_minute_that_runs_and_a_stopped_one_nothing() {
    for (is_killed, left) in [(true, 5), (false, 12)] {
        let directory = tempfile::tempdir().unwrap();
        let mut kept = Kept::at(directory.path());
        kept.count(Operation::Encrypt, 1, 5);
        kept.series().keep();
        kept.go_to(BEGIN + 1);
        kept.series().keep();
        kept.count(Operation::Encrypt, 1, 7);
        kept.series().keep();
        kept.restart(is_killed);
        assert_eq!(sum(&kept), left, "killed: {is_killed}");
        kept.count(Operation::Encrypt, 1, 1);
        kept.go_to(BEGIN + 2);
        kept.series().keep();
        kept.restart(true);
        assert_eq!(sum(&kept), left + 1, "the same minute goes on");
    }
}

#[test]
fn a_clock_that_is_set_back_leaves_no_minute_unwritten() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = Kept::at(directory.path());
    kept.go_to(BEGIN + 600);
    kept.count(Operation::Encrypt, 1, 5);
    kept.series().keep();
    kept.go_to(BEGIN + 1);
    kept.count(Operation::Encrypt, 1, 7);
    kept.series().keep();
    kept.restart(true);
    assert_eq!(sum(&kept), 5, "the minute that runs is lost, the one that is over is not");
}

#[test]
fn a_crash_between_a_block_and_the_journal_counts_nothing_twice() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = Kept::at(directory.path());
    for minute in 0..240 {
        kept.go_to(BEGIN + minute);
        kept.count(Operation::Encrypt, 1, 1);
        kept.series().keep();
    }
    kept.go_to(BEGIN + 240);
    kept.series().keep();
    let journal = fs::read(directory.path().join("journal.krm")).unwrap();
    kept.go_to(BEGIN + 243);
    kept.series().keep();
    assert_eq!(kept.files().len(), 2, "{:?}", kept.files());
    fs::write(directory.path().join("journal.krm"), &journal).unwrap();
    kept.restart(true);
    assert_eq!(sum(&kept), 240);
    kept.count_at(BEGIN + 7, Operation::Encrypt, 1, 1000);
    for minute in [244, 500, 3 * DAY, 10 * DAY] {
        kept.go_to(BEGIN + minute);
        kept.series().keep();
        kept.restart(true);
        assert_eq!(sum(&kept), 1240, "{minute}");
        assert_eq!(kept.sum(&succeeded(Some(1), None), 3600, BEGIN, BEGIN + DAY), 1240, "{minute}");
    }
}

#[test]
fn a_damaged_block_is_left_out_and_the_others_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = Kept::at(directory.path());
    for window in 0..4 {
        kept.go_to(BEGIN + window * 240);
        kept.count(Operation::Encrypt, 1, 10u64.pow(u32::try_from(window).unwrap()));
        kept.series().keep();
    }
    kept.go_to(BEGIN + 5 * 240);
    kept.series().keep();
    assert_eq!(sum(&kept), 1111);
    for (at, content, left) in
        [(0, Some(b"".to_vec()), 1110), (1, Some(b"KRMB\x01\x00".to_vec()), 1100), (2, None, 1000)]
    {
        let file = directory.path().join(&kept.files()[at + 1]);
        match content {
            Some(content) => fs::write(file, content).unwrap(),
            None => {
                let mut bytes = fs::read(&file).unwrap();
                let names_at = u64::from_be_bytes(bytes[32..40].try_into().unwrap());
                bytes[48..usize::try_from(names_at).unwrap()].iter_mut().for_each(|byte| *byte ^= 1);
                fs::write(file, bytes).unwrap();
            }
        }
        kept.restart(true);
        assert_eq!(sum(&kept), left, "{at}");
    }
    kept.go_to(BEGIN + 12 * DAY);
    kept.series().keep();
    assert_eq!(kept.sum(&succeeded(Some(1), None), 3600, BEGIN, BEGIN + DAY), 1000);
}

#[test]
fn a_folder_that_is_gone_for_a_while_costs_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = Kept::at(&directory.path().join("metrics"));
    kept.count(Operation::Encrypt, 1, 1);
    kept.go_to(BEGIN + 1);
    kept.series().keep();
    fs::remove_dir_all(&kept.directory).unwrap();
    kept.count(Operation::Encrypt, 1, 10);
    kept.go_to(BEGIN + 2);
    kept.series().keep();
    assert_eq!(kept.series().standing().failures, 1);
    assert_eq!(sum(&kept), 11, "it is still in memory");
    fs::create_dir(&kept.directory).unwrap();
    kept.count(Operation::Encrypt, 1, 100);
    kept.series().keep();
    assert_eq!(kept.series().standing().failures, 0);
    kept.go_to(BEGIN + 3);
    kept.series().keep();
    kept.restart(true);
    assert_eq!(sum(&kept), 111);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_torn_journal_keeps_what_stands_before_the_tear(cut in any::<prop::sample::Index>()) {
        let directory = tempfile::tempdir().unwrap();
        let mut kept = Kept::at(directory.path());
        for minute in 0..20 {
            kept.go_to(BEGIN + minute);
            kept.count(Operation::Encrypt, 1, 1);
            kept.series().keep();
        }
        let journal = directory.path().join("journal.krm");
        let bytes = fs::read(&journal).unwrap();
        let cut = cut.index(bytes.len());
        fs::write(&journal, &bytes[..cut]).unwrap();
        kept.restart(true);
        let left = sum(&kept);
        prop_assert!(left < 19 && (left > 0 || cut < 200), "{} of {}: {}", cut, bytes.len(), left);
        kept.count(Operation::Encrypt, 1, 100);
        kept.go_to(BEGIN + 20);
        kept.series().keep();
        kept.restart(true);
        prop_assert_eq!(sum(&kept), left + 100);
    }

    #[test]
    fn a_start_takes_whatever_the_folder_holds(
        journal in proptest::collection::vec(any::<u8>(), 0..60), block in proptest::collection::vec(any::<u8>(), 0..60), is_headed: bool,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let (one, other): (&[u8], &[u8]) = if is_headed { (b"KRMJ\x01", b"KRMB\x01\x00\x00\x00") } else { (b"", b"") };
        fs::write(directory.path().join("journal.krm"), [one, &journal].concat()).unwrap();
        let start = BEGIN * 60;
        fs::write(directory.path().join(format!("points-0-{start:011}.krm")), [other, &block].concat()).unwrap();
        let mut kept = Kept::at(directory.path());
        kept.count(Operation::Encrypt, 1, 1);
        kept.go_to(BEGIN + 1000);
        kept.series().keep();
        kept.restart(true);
        prop_assert_eq!(sum(&kept), 1);
    }
}
