//! The trail on a disk.

use std::os::unix::fs::PermissionsExt;

use keyreeve_core::bracket::Trail;
use std::collections::BTreeMap;

use keyreeve_trail_file::{
    Level, OpenTrailError, Options, TrailDirectory, stream_ends, verify, verify_since,
};

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
        assert_eq!(report.streams.len(), 2);
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

#[test]
fn a_stream_is_proven_from_the_first_segment_that_was_not_removed() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("audit");
    assert_eq!(stream_ends(&path).unwrap(), BTreeMap::new());
    let directory = TrailDirectory::open(&path).unwrap();
    on_one_thread(async {
        for name in ["control", "w0"] {
            let trail =
                directory.trail(&stream(name), Options { segment_len: 600, ..Options::default() }).unwrap();
            for number in 0..10 {
                trail.append(event(number)).await.unwrap();
            }
        }
    });
    let whole = verify(&path).unwrap();
    let ends = stream_ends(&path).unwrap();
    assert_eq!(ends.len(), 2);
    for of in &whole.streams {
        let (segment, chain) = &ends[&of.stream];
        assert_eq!((segment.number(), *chain), (of.segments, of.end));
        assert!(of.segments >= 3, "{}", of.segments);
    }
    std::fs::copy(path.join("w0-00000001.log"), path.join("w1-00000001.log")).unwrap();
    assert!(verify(&path).is_err(), "a segment under the name of another stream");
    std::fs::remove_file(path.join("w1-00000001.log")).unwrap();
    let first = |number| BTreeMap::from([("w0".to_owned(), number)]);
    // One that was to be removed and is still there is no harm.
    let report = verify_since(&path, &first(2)).unwrap();
    assert_eq!(
        (report.streams[0].segments, report.streams[0].end),
        (whole.streams[0].segments, whole.streams[0].end)
    );
    assert_eq!(
        (report.streams[1].segments, report.streams[1].end),
        (whole.streams[1].segments - 1, whole.streams[1].end)
    );
    std::fs::remove_file(path.join("w0-00000001.log")).unwrap();
    assert!(verify(&path).is_err());
    assert_eq!(verify_since(&path, &first(2)).unwrap().streams[1].end, whole.streams[1].end);
    assert!(verify_since(&path, &first(1)).is_err());
    std::fs::remove_file(path.join("w0-00000002.log")).unwrap();
    assert!(verify_since(&path, &first(2)).is_err(), "the second was not to be removed");
}
