//! How long a look-up in a long trail takes: `cargo run --release -p keyreeve-trail-delivery --example lookup -- DIRECTORY [EVENTS]`.
//!
//! Makes segments of short events (10,000,000 unless told, some 6 GB with their indexes) in the directory, with as many events in each as a segment of 64 MiB has
//! of usual length, and prints how long pages take: the first one, and one in the middle, by a key that has few events, one that
//! has most, by name and user. The directory is left as it is; what is there is not made again.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement: it ends where it fails, and prints what it found"
)]

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use keyreeve_audit::chain::Chain;
use keyreeve_domain::Timestamp;
use keyreeve_observe::archive::AttributeKey;
use keyreeve_observe::layout::iso;
use keyreeve_trail_delivery::{Ends, Index, Query};

/// Events of a segment of 64 MiB, at 1200 bytes each.
const EACH: u64 = 55_000;
/// Events in a second of the trail.
const RATE: u64 = 100;
/// Streams that write at once.
const STREAMS: u64 = 2;
const START: i64 = 1_767_225_600_000;
/// One event in so many is of the key that has few.
const RARE: u64 = 100_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let root = PathBuf::from(arguments.next().expect("the directory to work in"));
    let events = arguments.next().map_or(10_000_000, |text| text.parse().expect("a number of events"));
    let (segments, kept) = (root.join("audit"), root.join("index"));
    fs::create_dir_all(&segments).expect("a directory");
    if fs::read_dir(&segments).expect("a directory").next().is_none() {
        for stream in 0..STREAMS {
            make(&segments, stream, events / STREAMS);
        }
    }
    let index = || Index::new(&segments, Ends::new()).kept_in(&kept);
    timed("the index is made, or read", || index().keep().expect("an index"));
    let size = |path: &Path| {
        let files = fs::read_dir(path).expect("a directory").filter_map(Result::ok);
        files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum::<u64>()
    };
    println!("bytes of the index for each event: {}", size(&kept) / events);
    let index = index();
    timed("the first look after a start", || drop(index.find(&query(None, None)).expect("events")));
    let last = START + i64::try_from(events / RATE).expect("a time") * 1000;
    let ranges = [("newest", None), ("middle", Some(Timestamp::from_millis(START + (last - START) / 2)))];
    for (what, attribute) in [
        ("any event", None),
        ("a key with few events", Some((AttributeKey::ResourceName, arn("few")))),
        ("the key with most events", Some((AttributeKey::ResourceName, arn("most")))),
        ("a key with none", Some((AttributeKey::ResourceName, arn("none")))),
        ("an operation that is rare", Some((AttributeKey::EventName, "ScheduleKeyDeletion".to_owned()))),
        ("an operation that is most of all", Some((AttributeKey::EventName, "Encrypt".to_owned()))),
        ("a user", Some((AttributeKey::Username, "u3".to_owned()))),
        ("an event", Some((AttributeKey::EventId, "e0-1234567".to_owned()))),
    ] {
        for (range, to) in ranges {
            let query = query(attribute.clone(), to);
            let found =
                timed(&format!("{what}, {range}: the first page"), || index.find(&query).expect("events"));
            let Some(after) = found.last().map(|found| found.place.clone()) else { continue };
            let next = Query { after: Some(after), ..query };
            timed(&format!("{what}, {range}: the page after it"), || {
                drop(index.find(&next).expect("events"))
            });
        }
    }
}

fn arn(key: &str) -> String {
    format!("arn:aws:kms:us-east-1:111122223333:key/{key}")
}

/// What LookupEvents asks for.
fn query(attribute: Option<(AttributeKey, String)>, to: Option<Timestamp>) -> Query {
    Query {
        owner: Some(("111122223333".parse().expect("an account"), "us-east-1".parse().expect("a Region"))),
        attributes: attribute.into_iter().collect(),
        resource: None,
        principal: None,
        from: None,
        to,
        after: None,
        oldest_first: false,
        limit: 51,
        bytes: usize::MAX,
    }
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    println!("{what}: {:.1} ms", begun.elapsed().as_secs_f64() * 1000.0);
    done
}

/// Writes the segments of a stream.
fn make(directory: &Path, stream: u64, events: u64) {
    let mut chain = Chain::START;
    for (number, first) in (0..events).step_by(usize::try_from(EACH).expect("a size")).enumerate() {
        let path = directory.join(format!("w{stream}-{:08}.log", number + 1));
        let mut out = BufWriter::new(File::create(path).expect("a segment"));
        let mut lines = Vec::new();
        chain.append(b"{}", &mut lines);
        for at in first..events.min(first + EACH) {
            chain.append(event(stream, at).as_bytes(), &mut lines);
        }
        out.write_all(&lines).and_then(|()| out.flush()).expect("a segment");
    }
}

fn event(stream: u64, at: u64) -> String {
    let time =
        iso(Timestamp::from_millis(START + i64::try_from(at * STREAMS / RATE).expect("a time") * 1000));
    let key = match at {
        at if at % RARE == 7 => arn("few"),
        at if at % 10 < 7 => arn("most"),
        at => arn(&format!("k{}", at % 1009)),
    };
    let name = match at {
        at if at % RARE == 11 => "ScheduleKeyDeletion",
        at if at % 10 == 9 => "Decrypt",
        _ => "Encrypt",
    };
    let user = at % 50;
    format!(
        r#"{{"userIdentity":{{"type":"IAMUser","accessKeyId":"A{user}","userName":"u{user}"}},"eventTime":"{time}","eventSource":"kms.amazonaws.com","eventName":"{name}","awsRegion":"us-east-1","eventID":"e{stream}-{at}","readOnly":true,"resources":[{{"type":"AWS::KMS::Key","ARN":"{key}"}}],"recipientAccountId":"111122223333"}}"#
    )
}
