//! How long a read takes, and how many bytes a point.

use std::fs;
use std::hint::black_box;
use std::time::Instant;

use std::time::Duration;

use keyreeve_core::tally::{Counted, Outcome, Place, Tally};
use keyreeve_domain::{KeyArn, KeyId, Timestamp};
use keyreeve_wire::Operation;

use crate::kept::{BEGIN, DAY, Kept, place, succeeded};

/// A million requests with one of so many keys each, from one thread and from two.
#[test]
#[ignore = "takes a while; prints what it measures"]
fn a_request_is_counted_in_less_than_150_nanoseconds() {
    const REQUESTS: u32 = 1_000_000;
    for (keys, threads) in [(1u32, 1u32), (1, 2), (10_000, 1), (10_000, 2)] {
        let tally = Tally::new(100_000);
        let Place { account, region } = place();
        let requests = |tally: &Tally| {
            for number in 0..REQUESTS {
                let mut bits = [0; 16];
                let key = (number % keys).wrapping_mul(0x9e37_79b1);
                bits[..4].copy_from_slice(&key.to_le_bytes());
                bits[4..8].copy_from_slice(&key.to_be_bytes());
                let arn = KeyArn { region, account, key: KeyId::from_bits(false, bits) };
                tally.count(black_box(&Counted {
                    account: arn.account,
                    region: arn.region,
                    operation: Operation::Encrypt,
                    keys: [Some(arn), None],
                    outcome: Outcome::Succeeded,
                    at: Timestamp::from_millis(BEGIN * 60_000),
                    took: Duration::from_micros(20),
                }));
            }
        };
        requests(&tally);
        drop(tally.take());
        let began = Instant::now();
        std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(|| requests(&tally)))));
        let each = began.elapsed() / REQUESTS;
        let began = Instant::now();
        let rows = tally.take();
        println!("{keys} keys, {threads} threads: {each:?} a request; taken out in {:?}", began.elapsed());
        assert_eq!(rows.iter().map(|row| row.counts.succeeded).sum::<u64>(), u64::from(threads * REQUESTS));
        assert!(each.as_nanos() < 150 || threads > 1 || cfg!(debug_assertions), "{each:?}");
    }
}

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
