//! Two requests at once: whatever the order of their steps, nothing is lost and the indexes stay true.
#![expect(clippy::unwrap_used, reason = "test code")]

use keyreeve_domain::spec::KeyState;
use keyreeve_store::Revision;
use keyreeve_testkit::{Fixture, Reply, World, column, interleave};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

/// More steps than any of the pairs below has before one of them ends.
const SCHEDULES: u32 = 1 << 6;
/// The same, where one of them is a run of what is due.
const DUE_SCHEDULES: u32 = 1 << 7;

type Call = (Operation, Value);

/// Runs a pair of requests under every schedule, each in a world of its own.
fn race(pair: impl Fn(&Fixture) -> (Call, Call), check: impl Fn(&World, &Fixture, &Reply, &Reply, &str)) {
    for schedule in 0..SCHEDULES {
        let world = World::default();
        let of = world.fixture(KeyState::Enabled);
        let ((one, one_body), (other, other_body)) = pair(&of);
        let case = format!("{one} and {other}, schedule {schedule:b}");
        world.steps.set_stepping(true);
        let (first, second) = interleave(
            world.request(&world.service, &world.root, one, one_body),
            world.request(&world.service, &world.root, other, other_body),
            schedule,
        );
        world.steps.set_stepping(false);
        check(&world, &of, &first, &second, &case);
        world.assert_coherent(&case);
        world.assert_not_stale(&of, &case);
    }
}

fn tag(of: &Fixture, key: &str) -> Call {
    (Operation::TagResource, json!({"KeyId": of.id, "Tags": [{"TagKey": key, "TagValue": "v"}]}))
}

fn named(operation: Operation, alias: &str, target: &str) -> Call {
    (operation, json!({"AliasName": alias, "TargetKeyId": target}))
}

#[test]
fn two_changes_of_one_key_are_both_kept() {
    race(
        |of| (tag(of, "a"), tag(of, "b")),
        |world, of, first, second, case| {
            assert_eq!((first.0, second.0), (200, 200), "{case}");
            let tags = world.done(Operation::ListResourceTags, json!({"KeyId": of.id}));
            let mut keys = column(&tags, "Tags", "TagKey");
            keys.sort();
            assert_eq!(keys, ["Project", "a", "b"], "{case}");
        },
    );
}

#[test]
fn a_description_and_a_state_change_are_both_kept() {
    race(
        |of| {
            let described = json!({"KeyId": of.id, "Description": "d"});
            ((Operation::UpdateKeyDescription, described), (Operation::DisableKey, json!({"KeyId": of.id})))
        },
        |world, of, first, second, case| {
            assert_eq!((first.0, second.0), (200, 200), "{case}");
            let described = world.done(Operation::DescribeKey, json!({"KeyId": of.id}));
            assert_eq!(described["KeyMetadata"]["Description"], "d", "{case}");
            assert_eq!(described["KeyMetadata"]["KeyState"], "Disabled", "{case}");
        },
    );
}

#[test]
fn of_two_who_create_one_alias_exactly_one_does() {
    race(
        |of| {
            let create = |target: &str| named(Operation::CreateAlias, "alias/new", target);
            (create(&of.id), create(&of.other))
        },
        |world, of, first, second, case| {
            let winner = match (first.0, second.0) {
                (200, 400) => &of.id,
                (400, 200) => &of.other,
                statuses => panic!("{case}: {statuses:?}"),
            };
            let lost = if first.0 == 400 { &first.1 } else { &second.1 };
            assert_eq!(lost["__type"], "AlreadyExistsException", "{case}");
            let found = world.done(Operation::DescribeKey, json!({"KeyId": "alias/new"}));
            assert_eq!(found["KeyMetadata"]["KeyId"], json!(winner), "{case}");
        },
    );
}

#[test]
fn two_first_uses_of_a_predefined_alias_make_one_key() {
    race(
        |_| {
            let request = || (Operation::DescribeKey, json!({"KeyId": "alias/aws/s3"}));
            (request(), request())
        },
        |world, _, first, second, case| {
            assert_eq!((first.0, second.0), (200, 200), "{case}");
            assert_eq!(first.1["KeyMetadata"], second.1["KeyMetadata"], "{case}");
            let keys = world.done(Operation::ListKeys, json!({}));
            assert_eq!(column(&keys, "Keys", "KeyId").len(), 3, "{case}");
        },
    );
}

#[test]
fn an_alias_that_is_moved_and_deleted_at_once_is_gone() {
    race(
        |of| {
            let delete = (Operation::DeleteAlias, json!({"AliasName": of.alias}));
            (named(Operation::UpdateAlias, &of.alias, &of.other), delete)
        },
        |world, of, first, second, case| {
            assert_eq!(second.0, 200, "{case}");
            assert!(first.0 == 200 || first.1["__type"] == "NotFoundException", "{case}: {}", first.1);
            assert_eq!(world.call(Operation::DescribeKey, json!({"KeyId": of.alias})).0, 400, "{case}");
        },
    );
}

#[test]
fn an_alias_that_is_moved_twice_at_once_has_one_target() {
    race(
        |of| {
            let update = |target: &str| named(Operation::UpdateAlias, &of.alias, target);
            (update(&of.other), update(&of.id))
        },
        |_, _, first, second, case| assert_eq!((first.0, second.0), (200, 200), "{case}"),
    );
}

#[test]
fn no_alias_comes_to_a_key_that_is_pending_deletion() {
    for operation in [Operation::CreateAlias, Operation::UpdateAlias] {
        let alias = |of: &Fixture| match operation == Operation::CreateAlias {
            true => "alias/new".to_owned(),
            false => of.other_alias.clone(),
        };
        race(
            |of| {
                let schedule = (Operation::ScheduleKeyDeletion, json!({"KeyId": of.id}));
                (named(operation, &alias(of), &of.id), schedule)
            },
            |world, of, first, second, case| {
                assert_eq!(second.0, 200, "{case}");
                if first.0 != 200 {
                    return assert_eq!(first.1["__type"], "KMSInvalidStateException", "{case}: {}", first.1);
                }
                let modified = |end: &str| {
                    let dump = world.dump();
                    dump.into_iter().find(|(path, _)| path.to_string().ends_with(end)).unwrap().1.modified
                };
                let scheduled = modified(&format!("key/us-east-1/{}", of.id));
                assert!(modified(&format!("us-east-1/{}", alias(of))) < scheduled, "{case}");
            },
        );
    }
}

/// A key whose deletion is due, while `call` is under way.
fn race_with_deletion(call: impl Fn(&Fixture) -> Call, check: impl Fn(&World, &Fixture, &Reply, &str)) {
    for schedule in 0..DUE_SCHEDULES {
        let world = World::default();
        let of = world.fixture(KeyState::PendingDeletion);
        world.pass_days(7);
        let (operation, body) = call(&of);
        let case = format!("{operation} and deletion, schedule {schedule:b}");
        world.steps.set_stepping(true);
        let (reply, due) = interleave(
            world.request(&world.service, &world.root, operation, body),
            world.service.run_due(&world.trail, world.now()),
            schedule,
        );
        world.steps.set_stepping(false);
        assert!(due.is_ok(), "{case}: {due:?}");
        world.run_due().unwrap();
        check(&world, &of, &reply, &case);
        world.assert_coherent(&case);
        world.assert_not_stale(&of, &case);
    }
}

#[test]
fn an_alias_that_is_moved_while_its_key_is_deleted_stays_or_goes_whole() {
    race_with_deletion(
        |of| named(Operation::UpdateAlias, &of.alias, &of.other),
        |world, of, reply, case| {
            let (status, found) = world.call(Operation::DescribeKey, json!({"KeyId": of.alias}));
            assert_eq!(status, reply.0, "{case}: {} {found}", reply.1);
            if status == 200 {
                assert_eq!(found["KeyMetadata"]["KeyId"], json!(of.other), "{case}");
            }
            assert_eq!(world.call(Operation::DescribeKey, json!({"KeyId": of.id})).0, 400, "{case}");
        },
    );
}

#[test]
fn a_cancelled_deletion_is_cancelled_whole() {
    race_with_deletion(
        |of| (Operation::CancelKeyDeletion, json!({"KeyId": of.id})),
        |world, of, reply, case| {
            let (status, found) = world.call(Operation::DescribeKey, json!({"KeyId": of.id}));
            assert_eq!(status, reply.0, "{case}: {} {found}", reply.1);
        },
    );
}

#[test]
fn a_use_that_is_written_while_its_key_is_deleted_leaves_nothing() {
    for schedule in 0..DUE_SCHEDULES {
        let world = World::default();
        let of = world.fixture(KeyState::PendingDeletion);
        world.pass_days(7);
        let case = format!("usage and deletion, schedule {schedule:b}");
        world.steps.set_stepping(true);
        let (flushed, due) = interleave(
            world.service.flush_usage(),
            world.service.run_due(&world.trail, world.now()),
            schedule,
        );
        world.steps.set_stepping(false);
        assert_eq!((flushed, due), (Ok(()), Ok(1)), "{case}");
        world.assert_coherent(&case);
        world.assert_not_stale(&of, &case);
    }
}

#[test]
fn once_a_key_is_disabled_no_request_that_arrives_uses_it() {
    for schedule in 0..SCHEDULES {
        let world = World::default();
        let of = world.fixture(KeyState::Enabled);
        // Nothing is cached, so that the use below reads the key while it is disabled.
        world.service.ring().clear(Revision::ZERO);
        let case = format!("schedule {schedule:b}");
        let encrypt = || json!({"KeyId": of.id, "Plaintext": "AAAA"});
        world.steps.set_stepping(true);
        let (used, disabled) = interleave(
            world.request(&world.service, &world.root, Operation::Encrypt, encrypt()),
            async {
                let disable = json!({"KeyId": of.id});
                let disabled =
                    world.request(&world.service, &world.root, Operation::DisableKey, disable).await;
                let arrived = world.request(&world.service, &world.root, Operation::Encrypt, encrypt()).await;
                (disabled.0, arrived.1["__type"].clone())
            },
            schedule,
        );
        assert_eq!(disabled, (200, json!("DisabledException")), "{case}");
        assert!(used.0 == 200 || used.1["__type"] == "DisabledException", "{case}: {}", used.1);
        world.steps.set_stepping(false);
        assert_eq!(world.call(Operation::Encrypt, encrypt()).1["__type"], "DisabledException", "{case}");
        world.assert_not_stale(&of, &case);
    }
}
