//! What an administrator of the store can do to it, and how it is found out.
#![expect(clippy::unwrap_used, reason = "test code")]

use bytes::Bytes;
use keyreeve_core::record::{AliasRecord, IndexRecord, KeyRecord, PolicyRecord, Record};
use keyreeve_core::vault::VaultError;
use keyreeve_domain::spec::KeyState;
use keyreeve_store::conformance::block_on;
use keyreeve_store::{Batch, Path};
use keyreeve_testkit::{Fixture, World, body};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

fn internal() -> (u16, Value) {
    let text = "An internal error occurred. The request can be retried.";
    (500, json!({"__type": "KMSInternalException", "message": text}))
}

fn path(text: String) -> Path {
    Path::try_from(text.as_str()).unwrap()
}

fn key_path(id: &str) -> Path {
    path(format!("key/us-east-1/{id}"))
}

fn alias_path(alias: &str) -> Path {
    path(format!("alias/111122223333/us-east-1/{alias}"))
}

fn value(world: &World, path: &Path) -> Bytes {
    world.dump().into_iter().find(|(at, _)| at == path).map(|(_, entry)| entry.value).unwrap()
}

/// What the log reads where `path` is opened.
fn cause<R: Record>(world: &World, path: &Path) -> Option<VaultError> {
    let snapshot = block_on(world.service.vault().snapshot()).unwrap();
    block_on(world.service.vault().read::<R>(&*snapshot, path)).err()
}

fn damaged(path: &Path) -> Option<VaultError> {
    Some(VaultError::Damaged(path.to_string()))
}

/// Puts `value` at `path` as exactly the version that `sealed_as` counts.
fn put_as(world: &World, path: &Path, value: Bytes, sealed_as: u64) {
    world.tamper(Batch::builder().delete(path.clone()).build().unwrap());
    for _ in 0..sealed_as {
        world.tamper(Batch::builder().put(path.clone(), value.clone()).build().unwrap());
    }
}

fn version(world: &World, path: &Path) -> u64 {
    world.dump().into_iter().find(|(at, _)| at == path).map(|(_, entry)| entry.version.get()).unwrap()
}

fn check_refused(world: &World, of: &Fixture, case: &str) {
    for operation in [Operation::DescribeKey, Operation::Encrypt, Operation::Decrypt, Operation::DisableKey] {
        assert_eq!(world.call(operation, body(operation, of)), internal(), "{case}: {operation}");
        assert_eq!(
            world.call_fresh(operation, &body(operation, of)),
            internal(),
            "{case}: {operation}, fresh"
        );
    }
    assert_eq!(cause::<KeyRecord>(world, &key_path(&of.id)), damaged(&key_path(&of.id)), "{case}");
}

#[test]
fn a_key_record_that_was_changed_is_refused_and_named() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    let (own, other) = (key_path(&of.id), key_path(&of.other));
    let (good, good_version) = (value(&world, &own), version(&world, &own));
    let foreign = (value(&world, &other), version(&world, &other));
    let mut cases = vec![
        ("of another key, as the version it was sealed for".to_owned(), foreign.0.clone(), foreign.1),
        ("of another key, as the version of this one".to_owned(), foreign.0, good_version),
        ("one version on".to_owned(), good.clone(), good_version + 1),
        ("one version back".to_owned(), good.clone(), good_version - 1),
        ("an alias record".to_owned(), value(&world, &alias_path(&of.alias)), 1),
        ("empty".to_owned(), Bytes::new(), good_version),
        ("longer by a byte".to_owned(), [&good[..], b"x"].concat().into(), good_version),
    ];
    for length in [1, 16, 33, good.len() - 1] {
        cases.push((format!("cut to {length} bytes"), good.slice(..length), good_version));
    }
    for at in (0..good.len()).step_by(7) {
        let mut flipped = good.to_vec();
        flipped[at] ^= 1;
        cases.push((format!("bit flipped in byte {at}"), flipped.into(), good_version));
    }
    for (case, bytes, sealed_as) in cases {
        put_as(&world, &own, bytes, sealed_as);
        assert_eq!(cause::<KeyRecord>(&world, &own), damaged(&own), "{case}");
        assert_eq!(
            world.call(Operation::DescribeKey, body(Operation::DescribeKey, &of)),
            internal(),
            "{case}"
        );
    }
    check_refused(&world, &of, "the last of them");
    put_as(&world, &own, good, good_version);
    world.done(Operation::Decrypt, body(Operation::Decrypt, &of));
}

#[test]
fn an_older_version_put_over_a_newer_one_is_refused() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    let own = key_path(&of.id);
    let enabled = value(&world, &own);
    world.done(Operation::DisableKey, json!({"KeyId": of.id}));
    world.tamper(Batch::builder().put(own, enabled).build().unwrap());
    check_refused(&world, &of, "replayed");
}

#[test]
fn two_values_that_were_swapped_are_both_refused() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    let (one, other) = (alias_path(&of.alias), alias_path(&of.other_alias));
    let (first, second) = (value(&world, &one), value(&world, &other));
    put_as(&world, &one, second, 1);
    put_as(&world, &other, first, 1);
    for (alias, path) in [(&of.alias, one), (&of.other_alias, other)] {
        assert_eq!(world.call(Operation::DescribeKey, json!({"KeyId": alias})), internal(), "{alias}");
        assert_eq!(world.call(Operation::DeleteAlias, json!({"AliasName": alias})), internal(), "{alias}");
        assert_eq!(cause::<AliasRecord>(&world, &path), damaged(&path), "{alias}");
    }
    assert_eq!(world.call(Operation::ListAliases, json!({})), internal());
}

#[test]
fn a_value_under_another_path_is_refused() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    world.done(Operation::PutKeyPolicy, body(Operation::PutKeyPolicy, &of));
    let policy = |id: &str| path(format!("policy/us-east-1/{id}/default"));
    world.done(Operation::PutKeyPolicy, json!({"KeyId": of.other, "Policy": Fixture::POLICY}));
    put_as(&world, &policy(&of.other), value(&world, &policy(&of.id)), 1);
    assert_eq!(world.call(Operation::GetKeyPolicy, json!({"KeyId": of.other})), internal());
    assert_eq!(cause::<PolicyRecord>(&world, &policy(&of.other)), damaged(&policy(&of.other)));
    // An alias that nobody made, and a key for an account that has none.
    let made_up = alias_path("alias/made-up");
    put_as(&world, &made_up, value(&world, &alias_path(&of.alias)), 1);
    assert_eq!(world.call(Operation::DescribeKey, json!({"KeyId": "alias/made-up"})), internal());
    let owned = |account: &str| path(format!("owned/{account}/us-east-1/{}", of.id));
    put_as(&world, &owned("444455556666"), value(&world, &owned("111122223333")), 1);
    assert_eq!(world.call_as(&world.stranger, Operation::ListKeys, json!({})), internal());
    assert_eq!(cause::<IndexRecord>(&world, &owned("444455556666")), damaged(&owned("444455556666")));
}

#[test]
fn a_policy_that_was_taken_away_is_not_replaced_by_the_default_one() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    world.done(Operation::PutKeyPolicy, body(Operation::PutKeyPolicy, &of));
    let policy = path(format!("policy/us-east-1/{}/default", of.id));
    world.tamper(Batch::builder().delete(policy).build().unwrap());
    assert_eq!(world.call(Operation::GetKeyPolicy, json!({"KeyId": of.id})), internal());
}

#[test]
fn another_keyring_opens_nothing() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    let other = world.service_of_another_keyring();
    for operation in [
        Operation::DescribeKey,
        Operation::Encrypt,
        Operation::Decrypt,
        Operation::GetKeyPolicy,
        Operation::ListKeys,
        Operation::ListAliases,
        Operation::TagResource,
        Operation::DeleteAlias,
        Operation::ScheduleKeyDeletion,
    ] {
        let before = world.dump();
        assert_eq!(world.call_on(&other, operation, &body(operation, &of)), internal(), "{operation}");
        assert!(world.dump() == before, "{operation}");
    }
}

#[test]
fn nothing_readable_stands_in_the_store() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    world.done(
        Operation::UpdateKeyDescription,
        json!({"KeyId": of.id, "Description": "a-telling-description"}),
    );
    world.done(Operation::PutKeyPolicy, body(Operation::PutKeyPolicy, &of));
    for (path, entry) in world.dump() {
        for told in ["a-telling-description", "Project", "kms:*", "SYMMETRIC_DEFAULT", of.id.as_str()] {
            let found = entry.value.windows(told.len()).any(|window| window == told.as_bytes());
            assert!(!found, "{told} at {path}");
        }
    }
}
