//! Any bytes as a journal of metrics or as a file of points: never a panic, and never more points than bytes.
#![no_main]

use keyreeve_metric_series::format::{points_of_block, points_of_journal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // As it is, and behind what such a file begins with.
    for head in [b"".as_slice(), b"KRMJ\x01", b"KRMB\x01\x00\x00\x00"] {
        let bytes = [head, data].concat();
        for points in [points_of_journal(&bytes), points_of_block(&bytes)].into_iter().flatten() {
            assert!(points <= bytes.len());
        }
    }
});
