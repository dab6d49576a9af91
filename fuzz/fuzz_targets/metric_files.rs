//! Any bytes as a journal of metrics or as a file of points: never a panic, and never more points in a journal than bytes.
#![no_main]

use std::hint::black_box;

use keyreeve_metric_series::format::{points_of_block, points_of_journal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // As it is, and behind what such a file begins with.
    for head in [b"".as_slice(), b"KRMJ\x01", b"KRMB\x01\x00\x00\x00"] {
        let bytes = [head, data].concat();
        assert!(points_of_journal(&bytes).is_none_or(|points| points <= bytes.len()));
        black_box(points_of_block(&bytes));
    }
});
