//! Any bytes as a digest of the trail, as an encrypted log file, or as an event in a log file: never a panic, and what is read is written and read
//! again as the same.
#![no_main]

use std::hint::black_box;

use keyreeve_observe::digest::{Digest, hex, unhex};
use keyreeve_observe::event::Event;
use keyreeve_observe::layout::{iso, parse_iso};
use keyreeve_observe::sealed_file::{SealedFile, content_len};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(digest) = serde_json::from_slice::<Digest>(data) {
        let written = serde_json::to_vec(&digest).expect("a digest has a form in JSON");
        assert_eq!(serde_json::from_slice::<Digest>(&written).ok(), Some(digest.clone()));
        assert!(!digest.string_to_sign(data).is_empty());
    }
    assert_eq!(SealedFile::read(data).map(|file| file.len), SealedFile::read(data).and(content_len(data)));
    if let Some(file) = SealedFile::read(data) {
        assert!(file.open(&[0; 32]).is_err());
        black_box((file.region(), file.is_of("x"), file.purpose.context()));
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
