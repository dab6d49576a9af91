//! What was found to be as declared is not compared again, until anything changes.

use keyreeve_core::identity::followed::FollowedRecord;
use keyreeve_core::identity::record::ProviderRecord;
use keyreeve_core::{identity::space as identity, space};
use keyreeve_store::faults::CommitFault;
use keyreeve_store::{Batch, Path, Refusal};

use super::*;

fn noted(world: &World) -> Option<FollowedRecord> {
    read(world, identity::followed().unwrap())
}

/// A world in which everything is as [`whole`] says, and noted to be.
fn settled() -> World {
    let world = World::default();
    follow(&world, &whole()).unwrap();
    assert!(noted(&world).unwrap().is_complete);
    world
}

#[test]
fn what_is_noted_is_not_compared_and_what_changed_is() {
    let world = settled();
    let path = identity::provider(account(OWN), "token.example.com").unwrap();
    // Past everything that notices.
    world.tamper(Batch::builder().delete(path.clone()).build().unwrap());
    assert_eq!(follow(&world, &whole()), Ok(Vec::new()));
    assert_eq!(block_on(examine(&world.service, world.now(), &whole())).unwrap().changes, 0);
    let first = noted(&world);
    let mut other = whole();
    other.accounts.first_mut().unwrap().name = Some("another".into());
    let announced = follow(&world, &other).unwrap();
    assert!(announced.iter().any(|event| event.contains("CreateOpenIDConnectProvider")), "{announced:?}");
    assert!(read::<ProviderRecord>(&world, path).is_some());
    assert!(noted(&world).is_some_and(|noted| noted.is_complete) && noted(&world) != first);
}

#[test]
fn the_note_goes_with_any_change_of_what_may_be_declared_and_with_no_other() {
    let world = settled();
    let note = noted(&world);
    let change = |path: &str| {
        let mut draft = Draft::new(world.service.vault());
        draft.index(&Path::try_from(path).unwrap()).unwrap();
        block_on(world.service.commit(draft)).unwrap();
    };
    for path in ["key/us-east-1/x", "usage/us-east-1/x", "used/key/AKIA", "accountant/x", "import-key/1"] {
        change(path);
        assert_eq!(noted(&world), note, "{path}");
    }
    for kind in ["account", "attached", "credential", "declared", "group-key", "iam", "member", "unique"] {
        let world = settled();
        let mut draft = Draft::new(world.service.vault());
        draft.index(&Path::try_from(format!("{kind}/x").as_str()).unwrap()).unwrap();
        block_on(world.service.commit(draft)).unwrap();
        assert_eq!(noted(&world), None, "{kind}");
    }
    let held: OrganizationRecord = read(&world, identity::organization().unwrap()).unwrap();
    put(&world, &identity::organization().unwrap(), &held);
    assert_eq!(noted(&world), None);
    let world = settled();
    let mut draft = Draft::new(world.service.vault());
    draft.unindex(&space::credential("AKIABOBBOBBOBBOBBOB1").unwrap());
    block_on(world.service.commit(draft)).unwrap();
    assert_eq!(noted(&world), None);
}

#[test]
fn what_changes_after_it_was_looked_at_is_not_noted() {
    let world = settled();
    let revision = || block_on(world.service.vault().snapshot()).unwrap().revision();
    let seen = revision();
    let bob: UserRecord = read_user(&world, OWN, "bob").unwrap();
    put(&world, &identity::user(account(OWN), "bob").unwrap(), &bob);
    assert!(!block_on(world.service.note_followed("digest", seen)).unwrap());
    assert!(!block_on(world.service.is_followed("digest")).unwrap());
    assert!(block_on(world.service.note_followed("digest", revision())).unwrap());
    assert!(block_on(world.service.is_followed("digest")).unwrap());
}

#[test]
fn nothing_else_is_taken_for_what_was_followed() {
    let world = settled();
    let changes: [fn(&mut Declaration); 5] = [
        |declaration| declaration.services.clear(),
        |declaration| declaration.organization = None,
        |declaration| {
            declaration.accounts.first_mut().unwrap().users.first_mut().unwrap().path = "/x/".into()
        },
        |declaration| {
            let user = declaration.accounts.first_mut().unwrap().users.first_mut().unwrap();
            user.access_keys.first_mut().unwrap().secret = Zeroizing::new("another/secret".into());
        },
        |declaration| {
            // The same letters, parted in another way.
            let account = declaration.accounts.first_mut().unwrap();
            account.providers.first_mut().unwrap().client_ids = vec!["a".into(), "pp".into()];
        },
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut other = whole();
        change(&mut other);
        let looked = block_on(examine(&world.service, world.now(), &other)).unwrap();
        assert!(looked.changes > 0, "{at}");
    }
}

#[test]
fn a_store_that_takes_nothing_more_keeps_nothing_from_being_found_in_order() {
    let world = settled();
    let bob: UserRecord = read_user(&world, OWN, "bob").unwrap();
    put(&world, &identity::user(account(OWN), "bob").unwrap(), &bob);
    world.store.fail_commits(Some(CommitFault::Refuse(Refusal::Full)));
    assert_eq!(follow(&world, &whole()), Ok(Vec::new()));
    world.store.fail_commits(None);
    assert_eq!(noted(&world), None);
}
