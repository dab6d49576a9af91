//! What cannot be recorded does not happen, or is not answered.

use keyreeve_kms::is_supported;
use keyreeve_testkit::{World, body};
use keyreeve_wire::Operation;
use serde_json::json;

fn unrecorded() -> (u16, serde_json::Value) {
    let text = "The audit trail cannot be written to at the moment. The request can be retried.";
    (500, json!({"__type": "KMSInternalException", "message": text}))
}

#[test]
fn nothing_changes_where_the_record_cannot_be_opened() {
    for operation in Operation::ALL.iter().copied() {
        let world = World::default();
        let of = world.fixture_for(operation);
        let before = world.dump();
        world.trail.fail_after(0);
        assert_eq!(world.call(operation, body(operation, &of)), unrecorded(), "{operation}");
        assert!(world.dump() == before, "{operation} changed the store");
        assert_eq!(world.trail.text(), "", "{operation}");
    }
}

#[test]
fn no_answer_leaves_where_the_record_cannot_be_completed() {
    for operation in Operation::ALL.iter().copied() {
        let world = World::default();
        let of = world.fixture_for(operation);
        let before = world.dump();
        // Only what is about to change something is announced; that related keys synchronize is said before it happens, too.
        let synchronizes = [Operation::ReplicateKey, Operation::UpdatePrimaryRegion].contains(&operation);
        let changes = !operation.read_only() && is_supported(operation);
        let opened = usize::from(changes) + usize::from(synchronizes);
        world.trail.fail_after(opened);
        assert_eq!(world.call(operation, body(operation, &of)), unrecorded(), "{operation}");
        assert_eq!(world.trail.drain().len(), opened, "{operation}");
        if operation.read_only() {
            assert!(world.dump() == before, "{operation} changed the store");
            continue;
        }
        // The change was announced, so it may have happened; whoever asks learns the truth.
        world.trail.fail_after(None);
        assert_eq!(is_supported(operation), world.dump() != before, "{operation}");
        let described = world.call(Operation::DescribeKey, json!({"KeyId": of.id}));
        assert_eq!(
            described,
            world.call_fresh(Operation::DescribeKey, &json!({"KeyId": of.id})),
            "{operation}"
        );
    }
}

#[test]
fn related_keys_do_not_synchronize_where_the_trail_cannot_say_so() {
    for operation in [Operation::ReplicateKey, Operation::UpdatePrimaryRegion] {
        let world = World::default();
        let of = world.fixture_for(operation);
        let before = world.dump();
        world.trail.fail_after(1);
        assert_eq!(world.call(operation, body(operation, &of)), unrecorded(), "{operation}");
        assert!(world.dump() == before, "{operation} changed the store");
    }
}

#[test]
fn nothing_that_is_due_is_done_where_the_trail_cannot_be_written() {
    let world = World::default();
    let key = world.key();
    world.done(Operation::ScheduleKeyDeletion, json!({"KeyId": key, "PendingWindowInDays": 7}));
    world.pass_days(7);
    let before = world.dump();
    world.trail.fail_after(0);
    assert!(world.run_due().is_err());
    assert!(world.dump() == before);
    world.trail.fail_after(None);
    assert_eq!(world.run_due(), Ok(1));
    assert!(world.paths().is_empty(), "{:?}", world.paths());
}
