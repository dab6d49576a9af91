//! The events of each operation, done and refused, as they were when somebody last looked at them.
//!
//! A change of an event shows up as a difference to a file beside this one. Where it is meant, the files are written anew:
//!
//! ```sh
//! KEYREEVE_WRITE_GOLDEN=1 cargo test -p keyreeve-testkit --test golden_events
//! ```
#![expect(clippy::disallowed_methods, reason = "the test owns its files")]

use std::fs;
use std::path::Path;

use keyreeve_audit::event::Tls;
use keyreeve_kms::is_supported;
use keyreeve_testkit::{World, body};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

/// What an operation leaves in the trail: as the root user does it, and as a user asks who may not.
fn events(operation: Operation) -> Value {
    let tls = Some(Tls {
        version: "TLSv1.3",
        suite: "TLS_AES_256_GCM_SHA384",
        host: "kms.us-east-1.amazonaws.com",
    });
    let mut world = World::default();
    world.tls = tls;
    let of = world.fixture_for(operation);
    world.trail.drain();
    let (status, answer) = world.call(operation, body(operation, &of));
    assert_eq!(status, 200, "{operation}: {answer}");
    let done = world.trail.drain();
    let mut world = World::default();
    world.tls = tls;
    let of = world.fixture_for(operation);
    world.trail.drain();
    let (status, answer) = world.call_as(&world.user, operation, body(operation, &of));
    assert_eq!(status, 400, "{operation}: {answer}");
    json!({"done": done, "refused": world.trail.drain()})
}

#[test]
fn the_events_of_each_operation_are_as_they_were() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden_events");
    let is_written = std::env::var_os("KEYREEVE_WRITE_GOLDEN").is_some();
    let mut different = Vec::new();
    for operation in Operation::ALL.iter().filter(|operation| is_supported(**operation)) {
        let path = directory.join(format!("{}.json", operation.name()));
        let text = serde_json::to_string_pretty(&events(*operation)).unwrap() + "\n";
        if is_written {
            fs::write(&path, &text).unwrap();
        } else if fs::read_to_string(&path).unwrap_or_default() != text {
            different.push(format!("{}:\n{text}", path.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.concat());
}
