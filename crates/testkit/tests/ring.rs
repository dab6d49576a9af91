//! The key ring is always equal to the store.

use keyreeve_domain::spec::KeyState;
use keyreeve_store::Refusal;
use keyreeve_store::faults::CommitFault;
use keyreeve_testkit::{Fixture, World, body};
use keyreeve_wire::Operation;
use proptest::prelude::*;
use serde_json::json;

#[derive(Clone, Copy, Debug)]
enum Step {
    Call(Operation, bool, Option<CommitFault>),
    Days(u32),
    Flush,
}

const CALLS: [Operation; 20] = [
    Operation::CancelKeyDeletion,
    Operation::CreateAlias,
    Operation::CreateKey,
    Operation::Decrypt,
    Operation::DeleteAlias,
    Operation::DisableKey,
    Operation::DisableKeyRotation,
    Operation::EnableKey,
    Operation::EnableKeyRotation,
    Operation::Encrypt,
    Operation::GenerateDataKey,
    Operation::GetKeyPolicy,
    Operation::PutKeyPolicy,
    Operation::ReEncrypt,
    Operation::RotateKeyOnDemand,
    Operation::ScheduleKeyDeletion,
    Operation::TagResource,
    Operation::UntagResource,
    Operation::UpdateAlias,
    Operation::UpdateKeyDescription,
];

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        4 => Just(None),
        1 => Just(Some(CommitFault::Conflict)),
        1 => Just(Some(CommitFault::Refuse(Refusal::Full))),
        1 => Just(Some(CommitFault::UnknownAfter)),
        1 => Just(Some(CommitFault::UnknownBefore)),
    ];
    prop_oneof![
        12 => (prop::sample::select(&CALLS[..]), any::<bool>(), fault)
            .prop_map(|(operation, swapped, fault)| Step::Call(operation, swapped, fault)),
        1 => prop::sample::select(vec![1_u32, 8, 100]).prop_map(Step::Days),
        1 => Just(Step::Flush),
    ]
}

/// The fixture with its two keys in the other's place.
fn swapped(of: &Fixture) -> Fixture {
    Fixture {
        grant: String::new(),
        id: of.other.clone(),
        arn: of.arn.replace(&of.id, &of.other),
        alias: of.other_alias.clone(),
        ciphertext: of.ciphertext.clone(),
        other: of.id.clone(),
        import: None,
        other_alias: of.alias.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_read_through_the_ring_equals_a_read_of_the_store(steps in prop::collection::vec(step(), 1..25)) {
        let world = World::default();
        let of = world.fixture(KeyState::Enabled);
        let other = swapped(&of);
        for (number, step) in steps.iter().enumerate() {
            match *step {
                Step::Call(operation, swap, fault) => {
                    if let Some(fault) = fault {
                        world.store.fail_commit(0, fault);
                    }
                    world.call(operation, body(operation, if swap { &other } else { &of }));
                }
                Step::Days(days) => {
                    world.pass_days(days);
                    // It may meet a fault that was planned for a call which made no commit.
                    drop(world.run_due());
                }
                Step::Flush => drop(keyreeve_store::conformance::block_on(world.service.flush_usage())),
            }
            let case = format!("step {number} of {steps:?}");
            world.assert_coherent(&case);
            world.assert_not_stale(&of, &case);
            world.assert_not_stale(&other, &case);
        }
    }
}

#[test]
fn a_change_by_another_process_is_seen_once_the_watch_delivers_it() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    world.assert_not_stale(&of, "before");
    let before = world.dump();
    let neighbour = world.fresh_service();
    for operation in [Operation::DisableKey, Operation::PutKeyPolicy, Operation::DeleteAlias] {
        assert_eq!(world.call_on(&neighbour, operation, &body(operation, &of)).0, 200, "{operation}");
    }
    let after = world.dump();
    let changed: Vec<_> = before
        .iter()
        .chain(&after)
        .filter(|entry| !(before.contains(entry) && after.contains(entry)))
        .map(|(path, _)| path)
        .collect();
    let revision = after.iter().map(|(_, entry)| entry.modified).max().unwrap();
    // The last change deletes, and no entry has its revision.
    world.service.ring().apply(revision.next().unwrap(), changed);
    world.assert_not_stale(&of, "after the watch");
    assert_eq!(world.call(Operation::Encrypt, json!({"KeyId": of.id, "Plaintext": "AAAA"})).0, 400);
}
