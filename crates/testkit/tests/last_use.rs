//! What is told of the last use of access keys and roles.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "test code")]

#[expect(dead_code, reason = "the tests of the identity file use the rest of it")]
#[path = "identity_file/given.rs"]
mod given;

use std::sync::Arc;

use keyreeve_core::caller::{RoleSession, Session};
use keyreeve_core::check::check;
use keyreeve_core::identity::record::RoleRecord;
use keyreeve_core::identity::space as identity;
use keyreeve_core::last_use::{LastUseRecord, Used};
use keyreeve_core::{Caller, Principal, Service};
use keyreeve_domain::{Region, Timestamp};
use keyreeve_identity::declared::Declaration;
use keyreeve_store::conformance::block_on;
use keyreeve_store::faults::CommitFault;
use keyreeve_store::{Refusal, StoreFault};
use keyreeve_testkit::World;

const KEY: &str = "AKIABOBBOBBOBBOBBOB0";

/// A world with a user who has an access key, and with a role that he may assume; the id of the role.
fn given_both() -> (World, Declaration, String) {
    let world = World::default();
    let mut own = given::empty(given::OWN);
    let mut bob = given::user("bob");
    bob.access_keys = vec![given::access_key(KEY, "a-secret-of-forty-characters-for-a-user-0")];
    own.users = vec![bob];
    own.roles = vec![given::role("ops", &given::arn(given::OWN, "user/bob"))];
    let declaration = given::of(own);
    given::follow(&world, &declaration).unwrap();
    let path = identity::role(given::account(given::OWN), "ops").unwrap();
    let id = given::read::<RoleRecord>(&world, path).unwrap().id;
    (world, declaration, id)
}

fn session(world: &World, role_id: &str) -> Caller {
    let role =
        RoleSession { role: "ops".into(), path: "/".into(), id: role_id.into(), name: "someone".into() };
    let session = Some(Session::default());
    Caller::with(world.root.account(), Principal::Role(role), "ASIA".into(), session, Arc::default())
}

fn last(service: &Service, used: Used<'_>) -> Option<LastUseRecord> {
    let snapshot = block_on(service.vault().snapshot()).unwrap();
    block_on(service.last_use(&*snapshot, used)).unwrap()
}

fn use_key(world: &World, service: &str, region: Region) {
    let credential = block_on(world.service.credential(KEY, None, world.now())).unwrap();
    world.service.note_use(&credential, service, region, world.now());
}

fn used(world: &World) -> Vec<String> {
    world.paths().into_iter().filter(|path| path.starts_with("used/")).collect()
}

fn assert_in_order(world: &World) {
    let (mut found, vault) = (Vec::new(), world.service.vault());
    let snapshot = block_on(vault.snapshot()).unwrap();
    block_on(check(vault, &*snapshot, &mut |finding| found.push(finding))).unwrap();
    // The kit makes its user past IAM, without a unique id.
    found.retain(|finding| !finding.path.ends_with("/user/alice"));
    assert_eq!(found, []);
}

#[test]
fn the_last_use_is_the_newest_to_the_minute_and_outlives_a_restart() {
    let (world, _, id) = given_both();
    let (key, role) = (Used::AccessKey(KEY), Used::Role(&id));
    assert_eq!((last(&world.service, key), last(&world.service, role)), (None, None));
    let (here, there): (Region, Region) = ("us-east-1".parse().unwrap(), "eu-west-1".parse().unwrap());
    let start = world.now().millis();
    for (millis, service, region) in [
        (0, "kms", here),
        (59_999, "kms", here),
        (60_000, "kms", here),
        (60_001, "iam", here),
        (60_002, "iam", there),
        (60_003, "kms", here),
    ] {
        world.pass_millis(start + millis - world.now().millis());
        use_key(&world, service, region);
        world.service.note_use_by(&session(&world, &id), service, region, world.now());
        let at = Timestamp::from_millis(start + millis - millis % 60_000);
        let expected = Some(LastUseRecord { at, service: service.into(), region });
        assert_eq!(last(&world.service, key), expected, "{millis}");
        assert_eq!(last(&world.service, role), expected, "{millis}");
        assert_eq!(used(&world), Vec::<String>::new(), "nothing is written while requests are answered");
    }
    let known = last(&world.service, key);
    block_on(world.service.flush_usage()).unwrap();
    assert_eq!(used(&world), [format!("used/key/{KEY}"), format!("used/role/{id}")]);
    for service in [&world.service, &world.restarted()] {
        assert_eq!((last(service, key), last(service, role)), (known.clone(), known.clone()));
    }
    let before = world.dump();
    use_key(&world, "kms", here);
    block_on(world.service.flush_usage()).unwrap();
    assert!(world.dump() == before, "the same minute is not written twice");
    assert_in_order(&world);
}

#[test]
fn only_long_term_access_keys_and_roles_have_a_last_use() {
    let (world, ..) = given_both();
    let region = world.region;
    let with_session = |principal| {
        let session = Some(Session::default());
        Caller::with(world.root.account(), principal, "ASIAEXAMPLE".into(), session, Arc::default())
    };
    for caller in [
        with_session(Principal::Root),
        with_session(world.user.principal().clone()),
        // Whom a service calls for.
        Caller::new(world.root.account(), world.user.principal().clone(), String::new()),
    ] {
        world.service.note_use_by(&caller, "kms", region, world.now());
    }
    block_on(world.service.flush_usage()).unwrap();
    assert_eq!(used(&world), Vec::<String>::new());
}

#[test]
fn a_last_use_goes_with_what_was_used_and_comes_too_late_after_it() {
    let (world, mut declaration, id) = given_both();
    let region = world.region;
    let used_both = || {
        use_key(&world, "kms", region);
        world.service.note_use_by(&session(&world, &id), "kms", region, world.now());
    };
    used_both();
    block_on(world.service.flush_usage()).unwrap();
    assert_eq!(used(&world).len(), 2);
    world.pass_millis(60_000);
    used_both();
    let own = declaration.accounts.first_mut().unwrap();
    own.users.clear();
    own.roles.clear();
    given::follow(&world, &declaration).unwrap();
    assert_eq!(used(&world), Vec::<String>::new());
    block_on(world.service.flush_usage()).unwrap();
    assert_eq!(used(&world), Vec::<String>::new());
    assert_in_order(&world);
}

#[test]
fn a_use_that_could_not_be_written_is_written_later() {
    let (world, _, id) = given_both();
    use_key(&world, "kms", world.region);
    world.service.note_use_by(&session(&world, &id), "sts", world.region, world.now());
    let known = (last(&world.service, Used::AccessKey(KEY)), last(&world.service, Used::Role(&id)));
    for fault in [CommitFault::Refuse(Refusal::Full), CommitFault::Conflict, CommitFault::UnknownAfter] {
        world.store.fail_commits(Some(fault));
        let flushed = block_on(world.service.flush_usage());
        assert_eq!(flushed.is_ok(), fault == CommitFault::Conflict, "{fault:?}");
        world.store.fail_commits(None);
    }
    world.store.fail_reads(Some(StoreFault::Disconnected));
    assert!(block_on(world.service.flush_usage()).is_err());
    world.store.fail_reads(None);
    block_on(world.service.flush_usage()).unwrap();
    let restarted = world.restarted();
    let kept = (last(&restarted, Used::AccessKey(KEY)), last(&restarted, Used::Role(&id)));
    assert_eq!(kept, known);
}
