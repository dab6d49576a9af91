//! What an earlier release has written is read.

use std::fs;
use std::path::{Path, PathBuf};

use keyreeve_wire::Operation;

use crate::kept::{BEGIN, DAY, Kept, arn, metric, succeeded};

fn frozen() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen/v1")
}

/// Hours of ten days: files of every level come of them.
const SEEN: [i64; 8] = [0, 1, 2, 30, 31, 100, 190, 239];

/// Requests of all these hours.
fn write(directory: &Path) {
    let kept = Kept::at(directory);
    for hour in SEEN {
        kept.go_to(BEGIN + hour * 60);
        kept.count(Operation::Encrypt, 1, 3);
        kept.count(Operation::ListGrants, 2, 1);
        kept.series().note_expirations([(arn(1), 1000)]);
        kept.series().keep();
    }
    kept.go_to(BEGIN + 240 * 60);
    kept.series().stop();
}

#[test]
#[ignore = "writes the frozen files of version 1, once"]
fn write_the_frozen_files() {
    assert!(!frozen().exists(), "a frozen file is never written again");
    write(&frozen());
}

#[test]
fn files_frozen_in_version_1_are_read() {
    let directory = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(frozen()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), directory.path().join(entry.file_name())).unwrap();
    }
    let kept = Kept::at(directory.path());
    kept.go_to(BEGIN + 10 * DAY);
    for period in [60, 300, 3600] {
        let sum = |metric| kept.sum(&metric, period, BEGIN, BEGIN + 10 * DAY);
        assert_eq!(sum(succeeded(Some(1), None)), 24, "{period}");
        assert_eq!(sum(succeeded(Some(2), Some(Operation::ListGrants))), 8, "{period}");
        assert_eq!(sum(metric("KeyUsage", None, None)), 24, "{period}");
        assert_eq!(sum(metric("SecondsUntilKeyMaterialExpiration", Some(1), None)), 8000, "{period}");
        assert_eq!(sum(metric("RequestLatency", None, Some(Operation::Encrypt))), 2, "{period}");
    }
}

#[test]
fn what_is_written_now_is_what_was_frozen() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path());
    let names = |directory: &Path| {
        let entries = fs::read_dir(directory).unwrap();
        let mut all: Vec<_> = entries
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), entry.metadata().unwrap().len()))
            .collect();
        all.sort();
        all
    };
    assert_eq!(names(directory.path()), names(&frozen()));
}
