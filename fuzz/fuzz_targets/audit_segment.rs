//! Any bytes as a segment of the trail: never a panic, and never more verified than there is.
#![no_main]

use keyreeve_audit::chain::Chain;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(verified) = Chain::START.verify(data) {
        assert!(verified.len <= data.len());
    }
});
