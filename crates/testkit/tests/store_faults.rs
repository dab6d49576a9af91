//! A store that refuses, conflicts or does not say what it did.

use keyreeve_core::quota::Quotas;
use keyreeve_domain::spec::KeyState;
use keyreeve_kms::is_supported;
use keyreeve_store::faults::CommitFault;
use keyreeve_store::{Refusal, StoreFault};
use keyreeve_testkit::{World, body};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

const UNWRITABLE: &str = "The key store cannot be written to at the moment. The request can be retried.";
const CONTENDED: &str = "The resource is changing. The request can be retried.";

fn changing() -> impl Iterator<Item = Operation> {
    Operation::ALL.iter().copied().filter(|operation| is_supported(*operation) && !operation.read_only())
}

fn internal(text: &str) -> (u16, Value) {
    (500, json!({"__type": "KMSInternalException", "message": text}))
}

#[test]
fn a_commit_that_fails_is_answered_as_it_failed_and_leaves_nothing_stale() {
    for operation in changing() {
        for (fault, text, changes) in [
            (CommitFault::Refuse(Refusal::Full), UNWRITABLE, false),
            (CommitFault::Refuse(Refusal::ReadOnly), UNWRITABLE, false),
            (CommitFault::Conflict, CONTENDED, false),
            (CommitFault::UnknownBefore, UNWRITABLE, false),
            (CommitFault::UnknownAfter, UNWRITABLE, true),
        ] {
            let case = format!("{operation}, {fault:?}");
            let world = World::default();
            let of = world.fixture_for(operation);
            world.assert_not_stale(&of, &case);
            let before = world.dump();
            world.store.fail_commits(Some(fault));
            assert_eq!(world.call(operation, body(operation, &of)), internal(text), "{case}");
            world.store.fail_commits(None);
            assert_eq!(world.dump() != before, changes, "{case}");
            world.assert_not_stale(&of, &case);
            world.assert_coherent(&case);
        }
    }
}

#[test]
fn a_change_that_lost_a_race_is_tried_again() {
    // A conflict on a new key would be a key id drawn twice, so CreateKey has no second attempt.
    for operation in changing().filter(|operation| *operation != Operation::CreateKey) {
        for lost in [1, 15] {
            let case = format!("{operation}, {lost} races lost");
            let world = World::default();
            let of = world.fixture_for(operation);
            world.assert_not_stale(&of, &case);
            let before = world.dump();
            (0..lost).for_each(|skip| world.store.fail_commit(skip, CommitFault::Conflict));
            let (status, answer) = world.call(operation, body(operation, &of));
            assert_eq!(status, 200, "{case}: {answer}");
            assert!(world.dump() != before, "{case}");
            assert_eq!(world.trail.drain().last().unwrap().get("errorCode"), None, "{case}");
            world.assert_not_stale(&of, &case);
            world.assert_coherent(&case);
        }
    }
}

#[test]
fn a_store_that_cannot_be_read_refuses_changes() {
    for operation in changing().filter(|operation| *operation != Operation::CreateKey) {
        for (fault, code) in [
            (StoreFault::Timeout, "DependencyTimeoutException"),
            (StoreFault::Disconnected, "KMSInternalException"),
            (StoreFault::Damaged, "KMSInternalException"),
        ] {
            let world = World::default();
            let of = world.fixture_for(operation);
            let before = world.dump();
            world.store.fail_reads(Some(fault));
            let (status, answer) = world.call(operation, body(operation, &of));
            world.store.fail_reads(None);
            assert_eq!((status, &answer["__type"]), (500, &json!(code)), "{operation}, {fault}");
            assert!(world.dump() == before, "{operation}, {fault}");
        }
    }
}

#[test]
fn a_resident_key_is_used_while_the_store_is_away() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    for operation in
        [Operation::Encrypt, Operation::Decrypt, Operation::GenerateDataKey, Operation::ReEncrypt]
    {
        world.done(operation, body(operation, &of));
    }
    world.store.fail_reads(Some(StoreFault::Disconnected));
    for operation in
        [Operation::Encrypt, Operation::Decrypt, Operation::GenerateDataKey, Operation::ReEncrypt]
    {
        world.done(operation, body(operation, &of));
    }
}

#[test]
fn keys_are_counted_anew_where_the_outcome_of_a_creation_is_unknown() {
    for (fault, second) in
        [(CommitFault::UnknownAfter, "LimitExceededException"), (CommitFault::UnknownBefore, "")]
    {
        let world = World::with_quotas(Quotas { keys: 2, ..Quotas::DEFAULT });
        world.key();
        world.store.fail_commit(0, fault);
        assert_eq!(world.call(Operation::CreateKey, json!({})), internal(UNWRITABLE), "{fault:?}");
        let (_, answer) = world.call(Operation::CreateKey, json!({}));
        assert_eq!(answer["__type"].as_str().unwrap_or_default(), second, "{fault:?}");
        assert_eq!(
            world.call(Operation::CreateKey, json!({})).1["__type"],
            "LimitExceededException",
            "{fault:?}"
        );
    }
}

#[test]
fn a_creation_that_failed_takes_no_place_under_the_quota() {
    let world = World::with_quotas(Quotas { keys: 2, ..Quotas::DEFAULT });
    world.key();
    for fault in [CommitFault::Refuse(Refusal::Full), CommitFault::Conflict] {
        world.store.fail_commit(0, fault);
        assert_eq!(world.call(Operation::CreateKey, json!({})).0, 500, "{fault:?}");
    }
    world.key();
}

#[test]
fn a_last_use_that_could_not_be_written_is_written_later() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    world.done(Operation::Encrypt, body(Operation::Encrypt, &of));
    let last = world.done(Operation::GetKeyLastUsage, json!({"KeyId": of.id}));
    for fault in [CommitFault::Refuse(Refusal::Full), CommitFault::Conflict, CommitFault::UnknownAfter] {
        world.store.fail_commits(Some(fault));
        let flushed = keyreeve_store::conformance::block_on(world.service.flush_usage());
        assert_eq!(flushed.is_ok(), fault == CommitFault::Conflict, "{fault:?}");
        world.store.fail_commits(None);
        assert_eq!(world.done(Operation::GetKeyLastUsage, json!({"KeyId": of.id})), last, "{fault:?}");
    }
    keyreeve_store::conformance::block_on(world.service.flush_usage()).unwrap();
    assert_eq!(world.done(Operation::GetKeyLastUsage, json!({"KeyId": of.id})), last);
    assert_eq!(world.call_fresh(Operation::GetKeyLastUsage, &json!({"KeyId": of.id})).1, last);
    world.assert_coherent("flushed");
}
