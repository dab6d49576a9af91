//! How long a read takes, and how many bytes a point.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use keyreeve_wire::Operation;

use crate::kept::{BEGIN, DAY, Kept, succeeded};

/// Two days of 250 keys that are all used every minute, with four operations: 1000 series of keys.
#[test]
#[ignore = "takes a while; prints what it measures"]
fn a_day_of_one_metric_is_read_from_disk_in_less_than_ten_milliseconds() {
    let directory = tempfile::tempdir().unwrap();
    let mut kept = Kept::bounded(directory.path(), 100_000, 455, u64::MAX);
    let operations = [Operation::Encrypt, Operation::Decrypt, Operation::GenerateDataKey, Operation::Sign];
    let mut slowest = 0;
    for minute in 0..2 * DAY {
        kept.go_to(BEGIN + minute);
        for key in 0..250u8 {
            for (at, operation) in operations.into_iter().enumerate() {
                kept.count(
                    operation,
                    key,
                    1 + (u64::from(key) * 7 + u64::try_from(minute).unwrap() * 3 + at as u64) % 5000,
                );
            }
        }
        let began = Instant::now();
        kept.series().keep();
        slowest = slowest.max(began.elapsed().as_micros());
    }
    kept.go_to(BEGIN + 2 * DAY + 300);
    kept.series().keep();
    kept.restart(true);
    let bytes: u64 =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    let points = 1009 * 2 * DAY;
    println!("{bytes} bytes of {points} points; the slowest minute took {slowest} us");
    for (what, metric) in [
        ("a key and an operation", succeeded(Some(7), Some(Operation::Encrypt))),
        ("a key", succeeded(Some(7), None)),
        ("an account", succeeded(None, None)),
    ] {
        let began = Instant::now();
        let points = black_box(kept.read(&metric, 60, BEGIN, BEGIN + DAY));
        let took = began.elapsed();
        println!("{what}: {} points in {took:?}", points.len());
        assert_eq!(points.len(), 1440);
        assert!(took.as_millis() < 10 || cfg!(debug_assertions), "{took:?}");
    }
}
