//! The trail on a disk.

use std::os::unix::fs::PermissionsExt;

use keyreeve_core::bracket::Trail;
use keyreeve_trail_file::{Level, OpenTrailError, Options, TrailDirectory, verify};

use crate::{event, on_one_thread, stream};

#[test]
fn a_directory_is_for_its_owner_and_one_writer() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("audit");
    for run in 1..=3 {
        let directory = TrailDirectory::open(&path).unwrap();
        assert!(matches!(TrailDirectory::open(&path), Err(OpenTrailError::InUse)));
        on_one_thread(async {
            for (name, level) in [("control", Level::Sync), ("w0", Level::Write)] {
                let trail = directory.trail(&stream(name), Options { level, segment_len: 600 }).unwrap();
                for number in 0..10 {
                    trail.append(event(number)).await.unwrap();
                }
            }
        });
        let report = verify(&path).unwrap();
        for stream in &report.streams {
            assert_eq!(stream.lines, run * 10 + u64::from(stream.segments));
        }
    }
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    for entry in path.read_dir().unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}
