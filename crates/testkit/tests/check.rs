//! Whatever does not hold together in a store is found, and a store that does is said to.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "test code")]

#[expect(dead_code, reason = "the tests of the identity file use the rest of it")]
#[path = "identity_file/given.rs"]
mod given;

use std::collections::BTreeMap;

use keyreeve_core::alarm::{AlarmPastRecord, AlarmRecord, AlarmState, Watched};
use keyreeve_core::caller::RoleSession;
use keyreeve_core::check::{Finding, Problem, Summary, check};
use keyreeve_core::commit::Draft;
use keyreeve_core::identity::record::{RoleRecord, UniqueRecord};
use keyreeve_core::identity::space as identity;
use keyreeve_core::record::{AliasRecord, KeyRecord, Lifecycle};
use keyreeve_core::{Caller, Principal, space};
use keyreeve_domain::spec::{KeySpec, KeyState, KeyUsage};
use keyreeve_store::conformance::block_on;
use keyreeve_store::{Batch, Path};
use keyreeve_testkit::{Fixture, World};
use keyreeve_wire::Operation;
use keyreeve_wire::cloudwatch::{ComparisonOperator, HistoryItemType, StateValue};
use serde_json::json;

/// A world in which every kind of record and of index entry stands.
fn whole() -> (World, Fixture) {
    let world = World::default();
    // The kit makes its user past IAM, without this.
    let unique = UniqueRecord { account: world.root.account(), is_role: false, name: "alice".into() };
    world.keep(&identity::unique("AIDACKCEVSQ6C2EXAMPLE").unwrap(), &unique);
    given::follow(&world, &given::whole()).unwrap();
    given::rename_group(&world, "readers", "authors");
    let of = world.fixture(KeyState::Enabled);
    world.fixture(KeyState::PendingDeletion);
    world.fixture_of(Operation::UpdatePrimaryRegion, KeyState::Enabled);
    world.imported_key(KeySpec::Hmac256, KeyUsage::GenerateVerifyMac);
    let policy = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"AWS": world.root.arn()}, "Action": "kms:*", "Resource": "*",
    }});
    world.done(Operation::PutKeyPolicy, json!({"KeyId": of.id, "Policy": policy.to_string()}));
    world.done(Operation::RotateKeyOnDemand, json!({"KeyId": of.id}));
    world.done(
        Operation::Encrypt,
        json!({"KeyId": of.id, "Plaintext": "AAAA", "EncryptionContext": {"a": "b"}}),
    );
    world.done(Operation::DescribeKey, json!({"KeyId": "alias/aws/s3"}));
    let ops = identity::role(world.root.account(), "ops").unwrap();
    let ops = given::read::<RoleRecord>(&world, ops).unwrap();
    let session = RoleSession { role: ops.name, path: ops.path, id: ops.id, name: "s".into() };
    let key = Caller::new(world.root.account(), Principal::Root, "AKIABOBBOBBOBBOBBOB1".into());
    let session = Caller::new(world.root.account(), Principal::Role(session), "ASIA".into());
    for caller in [key, session] {
        assert!(world.service.note_use_by(&caller, "kms", world.region, world.now()));
    }
    block_on(world.service.flush_usage()).unwrap();
    block_on(world.service.digest_keys(world.now(), 365)).unwrap();
    watch(&world);
    let seen = block_on(world.service.vault().snapshot()).unwrap().revision();
    assert!(block_on(world.service.note_followed("digest", seen)).unwrap());
    (world, of)
}

/// Makes an alarm with a history.
fn watch(world: &World) {
    let at = world.now();
    let record = AlarmRecord {
        name: "usage/high".into(),
        description: None,
        actions_enabled: true,
        ok_actions: Vec::new(),
        alarm_actions: Vec::new(),
        insufficient_data_actions: Vec::new(),
        watched: Watched::Queries(Vec::new()),
        evaluation_periods: 1,
        datapoints_to_alarm: None,
        threshold: 1.0,
        comparison: ComparisonOperator::GreaterThanThreshold,
        missing_data: None,
        low_samples: None,
        sliding_window: false,
        configured: at,
        state: AlarmState {
            value: StateValue::Ok,
            reason: String::new(),
            reason_data: None,
            updated: at,
            since: at,
        },
        tags: Vec::new(),
        pending: Vec::new(),
        id: "00000000000000aa".into(),
    };
    let entry = AlarmPastRecord {
        alarm: record.name.clone(),
        at,
        kind: HistoryItemType::ConfigurationUpdate,
        summary: "made".into(),
        data: "{}".into(),
    };
    let (account, region) = (world.root.account(), world.region);
    let mut draft = Draft::new(world.service.vault());
    draft.make_alarm((account, region), &record).unwrap();
    draft.remember(account, region, &entry, 7).unwrap();
    block_on(world.service.commit(draft)).unwrap();
}

fn look(world: &World) -> (Summary, Vec<Finding>) {
    let mut found = Vec::new();
    let vault = world.service.vault();
    let snapshot = block_on(vault.snapshot()).unwrap();
    let summary = block_on(check(vault, &*snapshot, &mut |finding| found.push(finding))).unwrap();
    assert_eq!(summary.findings, found.len() as u64);
    (summary, found)
}

fn kind(path: &Path) -> String {
    path.to_string().split('/').next().unwrap().to_owned()
}

/// Puts something else in the place of what was removed, so that the world can go on.
fn restore(world: &World, path: &Path, held: &keyreeve_store::Entry) {
    world.tamper(Batch::builder().delete(path.clone()).build().unwrap());
    for _ in 0..held.version.get() {
        world.tamper(Batch::builder().put(path.clone(), held.value.clone()).build().unwrap());
    }
}

#[test]
fn a_whole_store_has_no_findings_and_every_kind_is_looked_at() {
    let (world, _) = whole();
    let (summary, found) = look(&world);
    assert_eq!(found, []);
    let kinds: Vec<_> = summary.entries.keys().map(String::as_str).collect();
    assert_eq!(
        kinds,
        [
            "account",
            "alarm",
            "alarm-id",
            "alarm-past",
            "alarm-past-of",
            "alias",
            "attached",
            "credential",
            "declared",
            "due",
            "followed",
            "grant",
            "grantee",
            "group-key",
            "iam",
            "import-key",
            "key",
            "member",
            "meta",
            "named",
            "organization",
            "owned",
            "policy",
            "retirable",
            "same-grant",
            "unique",
            "usage",
            "used",
        ]
    );
    assert!(summary.materials > 8, "{summary:?}");
}

#[test]
fn an_entry_that_is_gone_is_found_wherever_another_record_owes_it() {
    let (world, _) = whole();
    let mut told = BTreeMap::<String, usize>::new();
    for (path, held) in world.dump() {
        world.tamper(Batch::builder().delete(path.clone()).build().unwrap());
        let (_, found) = look(&world);
        let is_told = found.iter().any(|finding| finding.problem == Problem::Missing(path.to_string()))
            || found.iter().any(|finding| finding.problem == Problem::Stray);
        // Nothing else in the store says that these were there.
        let alone = ["declared", "followed", "import-key", "meta", "organization", "usage", "used"]
            .contains(&kind(&path).as_str())
            || path.to_string().contains("/provider/")
            || path.to_string() == "credential/AKIAS3S3S3S3S3S3S3S3"
            || path.to_string() == "account/444455556666";
        assert_eq!(is_told, !alone, "{path}: {found:?}");
        *told.entry(kind(&path)).or_default() += usize::from(is_told);
        restore(&world, &path, &held);
        assert_eq!(look(&world).1, [], "{path} is back");
    }
    for index in [
        "alarm-id",
        "alarm-past-of",
        "attached",
        "due",
        "grantee",
        "member",
        "named",
        "owned",
        "retirable",
        "same-grant",
        "unique",
    ] {
        assert!(told.get(index).is_some_and(|count| *count > 0), "{index}");
    }
}

#[test]
fn an_entry_that_was_changed_does_not_open() {
    let (world, _) = whole();
    for (path, held) in world.dump() {
        let mut changed = held.value.to_vec();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        restore(&world, &path, &keyreeve_store::Entry { value: changed.into(), ..held.clone() });
        let (_, found) = look(&world);
        assert_eq!(found, [Finding { path: path.to_string(), problem: Problem::Unopened }]);
        restore(&world, &path, &held);
    }
}

#[test]
fn an_entry_that_was_moved_does_not_open_and_one_more_version_is_found() {
    let (world, of) = whole();
    let dump = world.dump();
    let held = |path: &Path| dump.iter().find(|(at, _)| at == path).unwrap().1.clone();
    let region = world.region;
    let own = space::key(region, of.id.parse().unwrap()).unwrap();
    let other = space::key(region, of.other.parse().unwrap()).unwrap();
    restore(&world, &own, &held(&other));
    assert!(look(&world).1.contains(&Finding { path: own.to_string(), problem: Problem::Unopened }));
    restore(&world, &own, &held(&own));
    world.tamper(Batch::builder().put(own.clone(), held(&own).value).build().unwrap());
    assert!(look(&world).1.contains(&Finding { path: own.to_string(), problem: Problem::Unopened }));
}

#[test]
fn an_index_entry_that_no_record_stands_behind_is_stray() {
    let (world, of) = whole();
    let (region, account) = (world.region, world.root.account());
    let key = of.id.parse().unwrap();
    for (path, _) in world.dump() {
        let text = path.to_string();
        let parts: Vec<_> = text.split('/').collect();
        // The same entry of somebody else, of another time, or of another grant.
        let moved = match parts.as_slice() {
            ["due", _, rest @ ..] => format!("due/00000000000000aa/{}", rest.join("/")),
            ["owned", _, rest @ ..] => format!("owned/999999999999/{}", rest.join("/")),
            ["grantee", region, key, _, grant] => {
                format!("grantee/{region}/{key}/{}/{grant}", "0".repeat(32))
            }
            ["retirable", region, _, key, grant] => {
                format!("retirable/{region}/{}/{key}/{grant}", "0".repeat(32))
            }
            ["named", region, key, rest @ ..] => format!("named/{region}/{key}/{}-other", rest.join("/")),
            ["used", kind, _] => format!("used/{kind}/NOBODYS"),
            ["member", account, _, user] => format!("member/{account}/strangers/{user}"),
            ["alarm-id", account, region, _, rest @ ..] => {
                format!("alarm-id/{account}/{region}/{}/{}", "0".repeat(16), rest.join("/"))
            }
            ["alarm-past-of", account, region, _, moment] => {
                format!("alarm-past-of/{account}/{region}/{}/{moment}", "0".repeat(32))
            }
            ["attached", account, _, kind, holder] => format!("attached/{account}/aws:Other/{kind}/{holder}"),
            _ => continue,
        };
        let moved = Path::try_from(moved.as_str()).unwrap();
        let mut draft = Draft::new(world.service.vault());
        draft.index(&moved).unwrap();
        block_on(world.service.commit(draft)).unwrap();
        assert_eq!(look(&world).1, [Finding { path: moved.to_string(), problem: Problem::Stray }]);
        world.lose(&moved);
    }
    // A record of another kind, sealed for this place.
    let path = space::usage(region, key).unwrap();
    world.lose(&path);
    let alias = AliasRecord { target: key, created: world.now(), updated: world.now() };
    world.keep(&path, &alias);
    assert_eq!(look(&world).1, [Finding { path: path.to_string(), problem: Problem::Unread }]);
    world.lose(&path);
    for unknown in [
        "nothing/of/ours",
        "alarm/robot/us-east-1/a",
        "key/us-east-1/not-a-key",
        "iam/111122223333/robot/r",
        "meta/other",
    ] {
        let path = Path::try_from(unknown).unwrap();
        let mut draft = Draft::new(world.service.vault());
        draft.index(&path).unwrap();
        block_on(world.service.commit(draft)).unwrap();
        assert_eq!(look(&world).1, [Finding { path: unknown.into(), problem: Problem::Unknown }]);
        world.lose(&path);
    }
    assert_eq!(look(&world).1, []);
    assert_eq!(account, world.root.account());
}

#[test]
fn records_that_contradict_each_other_are_found() {
    let (world, of) = whole();
    let region = world.region;
    let key = of.id.parse().unwrap();
    let path = space::key(region, key).unwrap();
    let read = |path: &Path| -> KeyRecord {
        let vault = world.service.vault();
        let snapshot = block_on(vault.snapshot()).unwrap();
        block_on(vault.read::<KeyRecord>(&*snapshot, path)).unwrap().unwrap().record
    };
    let whole = read(&path);
    let codes = || -> Vec<_> {
        look(&world).1.into_iter().map(|finding| (finding.path, finding.problem.code())).collect()
    };
    // A key that was disabled past the service is no longer due to rotate, and its entry says it is.
    world.keep(&path, &KeyRecord { lifecycle: Lifecycle::Disabled, ..whole.clone() });
    assert!(matches!(codes().as_slice(), [(at, "stray")] if at.starts_with("due/")), "{:?}", codes());
    // Material of another key, or a flipped bit in its wrapping.
    let mut changed = whole.clone();
    changed.materials.first_mut().unwrap().wrapped =
        read(&space::key(region, of.other.parse().unwrap()).unwrap())
            .materials
            .first()
            .unwrap()
            .wrapped
            .clone();
    world.keep(&path, &changed);
    assert_eq!(codes(), [(path.to_string(), "material")]);
    // A policy record that the key says nothing of.
    world.keep(&path, &KeyRecord { has_policy: false, ..whole.clone() });
    assert_eq!(codes(), [(space::policy(region, key).unwrap().to_string(), "stray")]);
    world.keep(&path, &whole);
    assert_eq!(codes(), []);
    // A replica key that heard nothing of a rotation.
    let related = world.multi_region_key();
    world.done(Operation::ReplicateKey, json!({"KeyId": related, "ReplicaRegion": "eu-west-1"}));
    let replica = space::key("eu-west-1".parse().unwrap(), related.parse().unwrap()).unwrap();
    let before = read(&replica);
    world.done(Operation::RotateKeyOnDemand, json!({"KeyId": related}));
    assert_eq!(codes(), []);
    world.keep(&replica, &before);
    let found = codes();
    assert!(found.len() == 2 && found.iter().all(|(_, code)| *code == "disagrees"), "{found:?}");
}
