//! The end of a key.

use keyreeve_core::quota::Quotas;
use keyreeve_domain::spec::KeyState;
use keyreeve_store::conformance::block_on;
use keyreeve_store::faults::CommitFault;
use keyreeve_store::{Refusal, StoreFault};
use keyreeve_testkit::{Fixture, World, body, column};
use keyreeve_wire::Operation;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn a_key_goes_exactly_at_its_date_with_all_that_belongs_to_it() {
    for days in [7, 30] {
        let world = World::default();
        let of = world.fixture(KeyState::Enabled);
        world.done(Operation::PutKeyPolicy, body(Operation::PutKeyPolicy, &of));
        block_on(world.service.flush_usage()).unwrap();
        world.done(Operation::Encrypt, body(Operation::Encrypt, &of));
        world.done(Operation::ScheduleKeyDeletion, json!({"KeyId": of.id, "PendingWindowInDays": days}));
        let kinds = |world: &World| {
            let paths = world.paths().into_iter().filter(|path| path.contains(&of.id));
            paths.map(|path| path.split('/').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            kinds(&world),
            [
                "alias",
                "due",
                "grant",
                "grantee",
                "key",
                "named",
                "owned",
                "policy",
                "retirable",
                "same-grant",
                "usage",
            ]
        );
        world.pass_days(days);
        world.pass_millis(-1);
        assert_eq!(world.run_due(), Ok(0), "{days}");
        assert_eq!(world.call(Operation::DescribeKey, json!({"KeyId": of.alias})).0, 200);
        world.pass_millis(1);
        world.trail.drain();
        assert_eq!(world.run_due(), Ok(1), "{days}");
        let [event] = world.trail.drain().try_into().unwrap();
        assert_eq!(
            (&event["eventName"], &event["eventType"]),
            (&json!("DeleteKey"), &json!("AwsServiceEvent"))
        );
        assert_eq!(event["resources"][0]["ARN"], json!(of.arn));
        assert_eq!(kinds(&world), Vec::<String>::new(), "{days}");
        // A use that was noted before the end comes too late for the store.
        block_on(world.service.flush_usage()).unwrap();
        assert_eq!(kinds(&world), Vec::<String>::new(), "{days}");
        assert_eq!(world.run_due(), Ok(0), "{days}");
        world.assert_coherent("deleted");
        world.assert_not_stale(&of, "deleted");
        check_gone(&world, &of);
    }
}

fn check_gone(world: &World, of: &Fixture) {
    for (operation, request, code, message) in [
        (
            Operation::Decrypt,
            json!({"CiphertextBlob": of.ciphertext, "EncryptionContext": {"purpose": "test"}}),
            "AccessDeniedException",
            "User: arn:aws:iam::111122223333:root is not authorized to perform: kms:Decrypt on the resource associated \
             with this ciphertext because the resource does not exist in this Region, no resource-based policies allow \
             access, or a resource-based policy explicitly denies access"
                .to_owned(),
        ),
        (
            Operation::DescribeKey,
            json!({"KeyId": of.id}),
            "NotFoundException",
            format!("Key '{}' does not exist", of.arn),
        ),
        (
            Operation::DescribeKey,
            json!({"KeyId": of.alias}),
            "NotFoundException",
            format!("Alias arn:aws:kms:us-east-1:111122223333:{} is not found.", of.alias),
        ),
    ] {
        let expected = json!({"__type": code, "message": message});
        assert_eq!(world.call(operation, request.clone()), (400, expected), "{operation} {request}");
    }
    // The alias is free again.
    world.done(Operation::CreateAlias, json!({"AliasName": of.alias, "TargetKeyId": of.other}));
}

#[test]
fn a_deletion_that_is_cancelled_in_time_never_comes() {
    let world = World::default();
    let of = world.fixture(KeyState::PendingDeletion);
    world.pass_days(6);
    world.done(Operation::CancelKeyDeletion, json!({"KeyId": of.id}));
    world.pass_days(300);
    assert_eq!(world.run_due(), Ok(0));
    world.done(Operation::EnableKey, json!({"KeyId": of.id}));
    world.done(Operation::Decrypt, body(Operation::Decrypt, &of));
    world.assert_coherent("cancelled");
}

#[test]
fn a_key_with_more_aliases_than_a_batch_takes_goes_whole_and_counts_once() {
    for aliases in [50, 51, 130] {
        let world = World::with_quotas(Quotas { aliases_per_key: 200, keys: 3, ..Quotas::DEFAULT });
        let (key, _other, _third) = (world.key(), world.key(), world.key());
        for number in 0..aliases {
            let alias = json!({"AliasName": format!("alias/{number}"), "TargetKeyId": key});
            world.done(Operation::CreateAlias, alias);
        }
        world.done(Operation::ScheduleKeyDeletion, json!({"KeyId": key, "PendingWindowInDays": 7}));
        world.pass_days(7);
        assert_eq!(world.run_due(), Ok(1), "{aliases}");
        assert!(
            world.paths().iter().all(|path| path.starts_with("key/") || path.starts_with("owned/")),
            "{aliases}"
        );
        world.assert_coherent("many aliases");
        world.key();
        assert_eq!(world.call(Operation::CreateKey, json!({})).0, 400, "{aliases}: one place was free");
    }
}

#[test]
fn more_tasks_than_a_page_are_done_in_one_run() {
    let world = World::default();
    let keys: Vec<_> = (0..205).map(|_| world.key()).collect();
    for key in &keys {
        world.done(Operation::ScheduleKeyDeletion, json!({"KeyId": key, "PendingWindowInDays": 7}));
    }
    world.pass_days(8);
    assert_eq!(world.run_due(), Ok(keys.len()));
    assert_eq!(world.paths(), Vec::<String>::new());
}

#[test]
fn a_store_that_conflicts_for_ever_ends_the_run() {
    let world = World::default();
    world.fixture(KeyState::PendingDeletion);
    world.pass_days(7);
    let before = world.dump();
    world.store.fail_commits(Some(CommitFault::Conflict));
    assert_eq!(world.run_due(), Ok(0));
    world.store.fail_reads(Some(StoreFault::Timeout));
    assert!(world.run_due().is_err());
    assert!(world.dump() == before);
}

/// A world with keys whose rotation or deletion is due.
fn due_world() -> (World, Vec<String>) {
    let world = World::with_quotas(Quotas { aliases_per_key: 100, ..Quotas::DEFAULT });
    let keys: Vec<_> = (0..5).map(|_| world.key()).collect();
    for (number, key) in keys.iter().enumerate() {
        world.done(Operation::EnableKeyRotation, json!({"KeyId": key, "RotationPeriodInDays": 90}));
        world.done(
            Operation::CreateAlias,
            json!({"AliasName": format!("alias/{number}"), "TargetKeyId": key}),
        );
        if number % 2 == 0 {
            world.done(Operation::ScheduleKeyDeletion, json!({"KeyId": key, "PendingWindowInDays": 30}));
        }
    }
    let many = keys.get(1);
    for number in 0..60 {
        let alias = json!({"AliasName": format!("alias/many/{number}"), "TargetKeyId": many});
        world.done(Operation::CreateAlias, alias);
    }
    world.done(Operation::ScheduleKeyDeletion, json!({"KeyId": many, "PendingWindowInDays": 7}));
    world.pass_days(100);
    (world, keys)
}

/// What is left of the keys, but for the material itself.
fn outcome(world: &World, keys: &[String]) -> Vec<String> {
    let mut outcome = world.paths();
    for key in keys {
        let (_, rotations) = world.call(Operation::ListKeyRotations, json!({"KeyId": key}));
        outcome.push(format!("{key} {:?}", column(&rotations, "Rotations", "RotationType")));
        outcome.push(world.call(Operation::GetKeyRotationStatus, json!({"KeyId": key})).1.to_string());
    }
    outcome
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Commit(CommitFault),
    Nothing,
    Trail,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Nothing),
        Just(Fault::Trail),
        Just(Fault::Commit(CommitFault::Conflict)),
        Just(Fault::Commit(CommitFault::Refuse(Refusal::Full))),
        Just(Fault::Commit(CommitFault::UnknownAfter)),
        Just(Fault::Commit(CommitFault::UnknownBefore)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_due_ends_as_it_would_without_faults(faults in prop::collection::vec((fault(), 0_u64..4), 1..12)) {
        let (untroubled, keys) = due_world();
        prop_assert_eq!(untroubled.run_due(), Ok(5));
        let (world, same_keys) = due_world();
        prop_assert_eq!(&keys, &same_keys);
        for (fault, skip) in faults {
            match fault {
                Fault::Commit(fault) => world.store.fail_commit(skip, fault),
                Fault::Nothing => {}
                Fault::Trail => world.trail.fail_after(usize::try_from(skip).unwrap()),
            }
            // What fails is tried again by the next run.
            drop(world.run_due());
            world.trail.fail_after(None);
            world.assert_coherent("after a fault");
        }
        // A fault that was planned and not reached meets a run of its own.
        while world.run_due() != Ok(0) {}
        world.run_due().unwrap();
        prop_assert_eq!(outcome(&world, &keys), outcome(&untroubled, &keys));
    }
}

#[test]
fn the_event_warns_where_the_key_was_used_within_its_waiting_period() {
    for (unused_days, is_warned) in [(0, true), (6, true), (7, false)] {
        let world = World::default();
        let of = world.fixture(KeyState::Enabled);
        world.pass_days(unused_days);
        world.trail.drain();
        world.done(Operation::ScheduleKeyDeletion, json!({"KeyId": of.id, "PendingWindowInDays": 7}));
        let events = world.trail.drain();
        let data = &events.last().unwrap()["additionalEventData"];
        assert_eq!(data["warning"].is_string(), is_warned, "{unused_days}: {data}");
        assert_eq!(data["keyLastUsageDate"].is_string(), is_warned, "{unused_days}: {data}");
    }
}
