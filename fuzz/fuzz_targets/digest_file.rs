//! Any bytes as a digest of the trail, or as an event in one of its log files: never a panic, and what is read is written and read
//! again as the same.
#![no_main]

use std::hint::black_box;

use keyreeve_observe::digest::{Digest, hex, unhex};
use keyreeve_observe::event::Event;
use keyreeve_observe::layout::{iso, parse_iso};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(digest) = serde_json::from_slice::<Digest>(data) {
        let written = serde_json::to_vec(&digest).expect("a digest has a form in JSON");
        assert_eq!(serde_json::from_slice::<Digest>(&written).ok(), Some(digest.clone()));
        assert!(!digest.string_to_sign(data).is_empty());
    }
    if let Some(event) = Event::read(data) {
        black_box((event.account(), event.region(), event.username(), event.is_opened()));
        if let Some(time) = event.time() {
            black_box(parse_iso(&iso(time)));
        }
    }
    if let Some(bytes) = core::str::from_utf8(data).ok().and_then(unhex) {
        assert_eq!(unhex(&hex(&bytes)), Some(bytes));
    }
});
