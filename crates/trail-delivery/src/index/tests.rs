//! Searches in any order of times, against a search that looks at every event.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Segments in memory.
#[derive(Default)]
struct Held(Mutex<BTreeMap<SegmentName, Vec<u8>>>);

impl Segments for Held {
    fn names(&self) -> io::Result<BTreeSet<SegmentName>> {
        Ok(self.0.lock().keys().cloned().collect())
    }

    fn len(&self, name: &SegmentName) -> io::Result<u64> {
        let held = self.0.lock();
        held.get(name).map(|bytes| bytes.len() as u64).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn read(&self, name: &SegmentName, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let held = self.0.lock();
        let bytes = held.get(name).ok_or(io::ErrorKind::NotFound)?;
        let from = usize::try_from(offset).unwrap();
        Ok(bytes[from..bytes.len().min(from.saturating_add(most))].to_vec())
    }
}

const NAMES: [&str; 3] = ["Encrypt", "Decrypt", "Sign"];
const START: i64 = 1_767_225_600_000;

/// An event: its stream, segment and name, and the seconds after the start.
type Told = (u8, u32, usize, i64);

impl Held {
    /// Appends events, each to the segment that it says; numbers go up within a stream.
    fn write(&self, events: &[Told]) -> Vec<(Place, String)> {
        let mut written = Vec::new();
        for (at, (stream, segment, name, seconds)) in events.iter().enumerate() {
            let segment: SegmentName = format!("w{stream}-{segment:08}.log").parse().unwrap();
            let time = START + seconds * 1000;
            let (sequence, id) = (at as u64 + 1, format!("00000000-0000-4000-8000-{at:012}"));
            let line = format!(
                "{sequence} 00 {{\"userIdentity\":{{\"type\":\"Root\"}},\"eventTime\":\"{}\",\
                 \"eventSource\":\"kms.amazonaws.com\",\"eventName\":\"{}\",\"awsRegion\":\"us-east-1\",\
                 \"eventID\":\"{id}\",\"readOnly\":true,\"recipientAccountId\":\"111122223333\"}}\n",
                keyreeve_observe::layout::iso(Timestamp::from_millis(time)),
                NAMES[*name],
            );
            self.0.lock().entry(segment).or_default().extend_from_slice(line.as_bytes());
            written.push((Place { time, stream: format!("w{stream}"), sequence }, NAMES[*name].to_owned()));
        }
        written
    }
}

fn query(
    name: Option<&str>,
    (from, to): (Option<i64>, Option<i64>),
    oldest_first: bool,
    limit: usize,
) -> Query {
    let time = |seconds: i64| Timestamp::from_millis(START + seconds * 1000);
    Query {
        owner: Some(("111122223333".parse().unwrap(), "us-east-1".parse().unwrap())),
        attributes: name.map(|name| (AttributeKey::EventName, name.to_owned())).into_iter().collect(),
        resource: None,
        principal: None,
        from: from.map(time),
        to: to.map(time),
        after: None,
        oldest_first,
        limit,
        bytes: usize::MAX,
    }
}

/// All pages of a query.
fn pages(index: &Index, mut query: Query) -> Vec<Place> {
    let mut found = Vec::new();
    loop {
        let page = index.find(&query).unwrap();
        assert!(page.len() <= query.limit);
        let Some((last, before)) = page.split_last() else { return found };
        assert!(before.iter().map(|found| found.json.len()).sum::<usize>() < query.bytes);
        query.after = Some(last.place.clone());
        found.extend(page.into_iter().map(|found| found.place));
    }
}

proptest! {
    #[test]
    fn pages_hold_every_event_once_and_in_order_however_times_go_back_and_forth(
        events in proptest::collection::vec((0u8..2, 1u32..4, 0usize..3, 0i64..40), 0..60),
        name in proptest::option::of(0usize..3),
        range in (proptest::option::of(0i64..40), proptest::option::of(0i64..40)),
        oldest_first: bool,
        limit in 1usize..9,
        bytes in proptest::option::of(1usize..2_000),
        on_disk: bool,
    ) {
        let held = Arc::new(Held::default());
        let kept = tempfile::tempdir().unwrap();
        let index = Index::of(Arc::clone(&held) as _, Ends::new());
        let index = if on_disk { index.kept_in(kept.path()) } else { index };
        let written = held.write(&events);
        let millis = |seconds: i64| START + seconds * 1000;
        let mut expected: Vec<Place> = written
            .into_iter()
            .filter(|(_, held)| name.is_none_or(|name| NAMES[name] == held))
            .map(|(place, _)| place)
            .filter(|place| range.0.is_none_or(|from| place.time >= millis(from)))
            .filter(|place| range.1.is_none_or(|to| place.time <= millis(to)))
            .collect();
        expected.sort();
        if !oldest_first {
            expected.reverse();
        }
        let query = query(name.map(|name| NAMES[name]), range, oldest_first, limit);
        let query = Query { bytes: bytes.unwrap_or(usize::MAX), ..query };
        prop_assert_eq!(pages(&index, query), expected);
    }
}

#[test]
fn what_is_still_to_come_is_found_by_those_who_say_until_when() {
    let held = Arc::new(Held::default());
    held.write(&[(0, 1, 0, 5), (0, 1, 0, 20)]);
    let index = Index::of(held as _, Ends::new()).by_clock(|| Timestamp::from_millis(START + 10_000));
    for (to, count) in [(None, 1), (Some(15), 1), (Some(25), 2)] {
        assert_eq!(pages(&index, query(None, (None, to), true, 5)).len(), count, "{to:?}");
    }
}

#[test]
fn what_was_forgotten_is_not_found_and_what_comes_after_is() {
    let held = Arc::new(Held::default());
    held.write(&[(0, 1, 0, 5), (1, 1, 0, 6)]);
    let index = Index::of(Arc::clone(&held) as _, Ends::new());
    assert_eq!(pages(&index, query(None, (None, None), true, 5)).len(), 2);
    index.forget().unwrap();
    assert_eq!(pages(&index, query(None, (None, None), true, 5)).len(), 0);
    held.write(&[(0, 1, 1, 7), (2, 1, 1, 1)]);
    assert_eq!(pages(&index, query(None, (None, None), true, 5)).len(), 2);
}

#[test]
fn a_segment_that_is_gone_is_no_error() {
    let held = Arc::new(Held::default());
    held.write(&[(0, 1, 0, 5), (0, 2, 0, 6)]);
    let index = Index::of(Arc::clone(&held) as _, Ends::new());
    assert_eq!(pages(&index, query(None, (None, None), true, 5)).len(), 2);
    held.0.lock().pop_first();
    assert_eq!(pages(&index, query(None, (None, None), true, 5)).len(), 1);
}

/// A segment of 600 events that grows, and an index of it that was noted in `kept`.
fn noted(kept: &Path) -> (Arc<Held>, SegmentName) {
    let held = Arc::new(Held::default());
    let events: Vec<Told> = (0..600).map(|at| (0, 1, usize::from(at % 6 == 0), i64::from(at))).collect();
    held.write(&events);
    let mut index = Index::of(Arc::clone(&held) as _, Ends::new()).kept_in(kept);
    let files = || fs::read_dir(kept).unwrap().count();
    index.keep().unwrap();
    assert_eq!(files(), 0, "it has grown by less than is worth it");
    index.step = 1;
    index.keep().unwrap();
    let name: SegmentName = "w0-00000001.log".parse().unwrap();
    assert!(kept.join(format!("{name}.part")).exists());
    (held, name)
}

fn of(name: &str) -> Query {
    query(Some(name), (None, None), true, 1_000)
}

#[test]
fn the_index_of_a_segment_that_grows_goes_on_where_the_process_before_has_noted_it() {
    let kept = tempfile::tempdir().unwrap();
    let (held, name) = noted(kept.path());
    let again = || Index::of(Arc::clone(&held) as _, Ends::new()).kept_in(kept.path());
    assert_eq!(again().find(&of("Decrypt")).unwrap().len(), 100);
    // What was noted is not read anew: another name of the same length is not in the index.
    let same_length = String::from_utf8(held.0.lock()[&name].clone()).unwrap().replace("Decrypt", "Encrypx");
    held.0.lock().insert(name.clone(), same_length.into_bytes());
    assert_eq!(again().find(&of("Encrypx")).unwrap().len(), 0);
    // What comes after it is, and once the segment is complete its index is a file of the other kind.
    held.write(&[(0, 1, 2, 5), (0, 2, 2, 6)]);
    let index = again();
    assert_eq!(index.find(&of("Sign")).unwrap().len(), 2);
    index.keep().unwrap();
    let mut files: Vec<_> =
        fs::read_dir(kept.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, [format!("{name}.idx").as_str()]);
    assert_eq!(again().find(&of("Encrypt")).unwrap().len(), 500);
}

#[test]
fn what_was_noted_of_a_segment_that_lost_something_since_is_as_good_as_nothing() {
    for (what, left) in [("its end", 200), ("all of it", 0)] {
        let kept = tempfile::tempdir().unwrap();
        let (held, name) = noted(kept.path());
        let end =
            held.0.lock()[&name].split_inclusive(|byte| *byte == b'\n').take(left).map(<[u8]>::len).sum();
        held.0.lock().get_mut(&name).unwrap().truncate(end);
        let index = Index::of(Arc::clone(&held) as _, Ends::new()).kept_in(kept.path());
        let found = index.find(&query(None, (None, None), true, 1_000)).unwrap();
        assert_eq!(found.len(), left, "{what}");
    }
    let kept = tempfile::tempdir().unwrap();
    let (held, name) = noted(kept.path());
    let hole =
        held.0.lock()[&name].split_inclusive(|byte| *byte == b'\n').take(50).map(<[u8]>::len).sum::<usize>();
    held.0.lock().get_mut(&name).unwrap()[hole..hole + 4096].fill(0);
    let index = Index::of(Arc::clone(&held) as _, Ends::new()).kept_in(kept.path());
    assert_eq!(index.find(&query(None, (None, None), true, 1_000)).unwrap().len(), 50);
}
