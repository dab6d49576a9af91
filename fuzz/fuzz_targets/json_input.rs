//! Any bytes as the body of any operation: an input or an error, never a panic.
#![no_main]

use keyreeve_wire::model;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((which, body)) = data.split_first() else { return };
    let model = model();
    let operation = &model[usize::from(*which) % model.len()];
    if let Err(error) = (operation.check)(body) {
        let mut answer = Vec::new();
        keyreeve_wire::ApiError::from(error).write_body(&mut answer);
        assert!(answer.starts_with(b"{\"__type\":"));
    }
});
