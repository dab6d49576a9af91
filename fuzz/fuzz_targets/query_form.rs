//! Any bytes as the form of any operation of IAM and STS: an input or an error, never a panic.
#![no_main]

use keyreeve_wire::query::{Form, write_error};
use keyreeve_wire::{iam, sts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((which, body)) = data.split_first() else { return };
    let iam = iam::Operation::ALL.iter().map(|operation| operation.model());
    let models: Vec<_> = iam.chain(sts::Operation::ALL.iter().map(|operation| operation.model())).collect();
    let model = models[usize::from(*which) % models.len()];
    if let Err(error) = Form::parse(body).and_then(|form| (model.check)(&form)) {
        let mut answer = Vec::new();
        write_error(&error, "namespace", "id", &mut answer);
        assert!(answer.ends_with(b"</ErrorResponse>") && std::str::from_utf8(&answer).is_ok());
    }
});
