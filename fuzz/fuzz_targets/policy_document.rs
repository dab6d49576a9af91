//! Any text as a key policy: a document or an error, and the lockout check always comes to an end.
#![no_main]

use keyreeve_policy::{Document, allows_root_to_put_policy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(policy) = Document::parse(text) {
        let account = "111122223333".parse().unwrap();
        let _ = allows_root_to_put_policy(&policy, account);
    }
});
