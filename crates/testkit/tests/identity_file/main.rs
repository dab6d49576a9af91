//! Identities as a file declares them: what is made, changed, removed and refused.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

mod followed;
mod given;
mod laws;

use std::cell::RefCell;

use keyreeve_core::commit::Draft;
use keyreeve_core::identity::record::{
    AccountRecord, GroupRecord, InlinePolicy, ManagedPolicyRecord, OrganizationRecord, RoleRecord, UserRecord,
};
use keyreeve_core::identity::space;
use keyreeve_core::record::{CredentialRecord, IndexRecord, TagRecord};
use keyreeve_core::space as keys;
use keyreeve_core::vault::VaultError;
use keyreeve_domain::AccountId;
use keyreeve_identity::declared::declaration::{Account, Declaration, Group, ManagedPolicy, Role, User};
use keyreeve_identity::declared::{Announce, ReconcileError, examine, reconcile};
use keyreeve_store::Path;
use keyreeve_store::conformance::block_on;
use keyreeve_testkit::World;
use zeroize::Zeroizing;

use given::*;

#[test]
fn everything_is_made_once_and_announced() {
    let world = World::default();
    let looked = block_on(examine(&world.service, world.now(), &whole())).unwrap();
    let announced = follow(&world, &whole()).unwrap();
    assert_eq!(looked.changes, announced.len());
    assert_eq!(
        announced,
        [
            "111122223333 UpdateAccount 111122223333",
            "111122223333 CreatePolicy limits",
            "111122223333 CreateOpenIDConnectProvider token.example.com",
            "111122223333 CreateGroup readers",
            "111122223333 CreateUser bob",
            "111122223333 CreateAccessKey AKIABOBBOBBOBBOBBOB1",
            "111122223333 CreateRole ops",
            "111122223333 CreateAccessKey AKIAS3S3S3S3S3S3S3S3",
            "777788889999 CreateAccount 777788889999",
            "777788889999 CreateUser carol",
            "111122223333 CreateOrganization o-a1b2c3d4e5",
        ]
    );
    let bob = read_user(&world, OWN, "bob").unwrap();
    assert_eq!(bob.access_keys, ["AKIABOBBOBBOBBOBBOB1"]);
    let carol = read_user(&world, THIRD, "carol").unwrap();
    let ops: RoleRecord = read(&world, space::role(account(OWN), "ops").unwrap()).unwrap();
    assert_eq!(ops.bound.unwrap()[0].id, carol.id);
    let key: CredentialRecord = read(&world, keys::credential("AKIAS3S3S3S3S3S3S3S3").unwrap()).unwrap();
    assert_eq!(key.service.as_deref(), Some("s3.amazonaws.com"));
    assert_eq!(world.paths().iter().filter(|path| path.starts_with("attached/")).count(), 4);
    assert!(world.paths().contains(&"member/111122223333/readers/bob".into()));

    let before = world.dump();
    world.pass_days(1);
    assert_eq!(follow(&world, &whole()), Ok(Vec::new()));
    assert_eq!(world.dump(), before);
}

#[test]
fn what_is_no_longer_named_is_removed_with_all_that_belongs_to_it() {
    let world = World::default();
    let before = world.dump();
    follow(&world, &whole()).unwrap();
    let announced = follow(&world, &Declaration::default()).unwrap();
    assert!(announced.contains(&"111122223333 DeleteAccessKey AKIABOBBOBBOBBOBBOB1".into()), "{announced:?}");
    assert!(announced.contains(&"777788889999 DeleteAccount 777788889999".into()), "{announced:?}");
    let paths = |entries: Vec<(Path, _)>| entries.into_iter().map(|(path, _)| path).collect::<Vec<_>>();
    // But the note that nothing is left to do.
    let mut left = world.dump();
    left.retain(|(path, _)| *path != space::followed().unwrap());
    assert_eq!(left.len() + 1, world.dump().len());
    assert_eq!(paths(left), paths(before));
}

#[test]
fn what_people_made_is_left_alone_and_may_not_be_declared() {
    let world = World::default();
    let mut own = empty(OWN);
    own.users = vec![user("Alice")];
    assert_eq!(
        refused(&world, &of(own)),
        "user `Alice` of account 111122223333: it exists, and this file did not make it. Take it out of the file, or delete \
         what exists"
    );
    follow(&world, &of(empty(OWN))).unwrap();
    assert!(read_user(&world, OWN, "alice").is_some());
}

#[test]
fn one_who_was_made_again_by_somebody_else_is_not_the_files() {
    let world = World::default();
    let mut own = empty(OWN);
    own.users = vec![user("bob")];
    let declared = of(own);
    follow(&world, &declared).unwrap();
    let bob = read_user(&world, OWN, "bob").unwrap();
    let other = UserRecord { id: "AIDAOTHEROTHEROTHER00".into(), ..bob };
    put(&world, &space::user(account(OWN), "bob").unwrap(), &other);
    assert!(refused(&world, &declared).contains("did not make it"));
    follow(&world, &of(empty(OWN))).unwrap();
    assert_eq!(read_user(&world, OWN, "bob"), Some(other));
}

#[test]
fn what_was_changed_through_the_api_is_put_back_and_keeps_its_id() {
    let world = World::default();
    follow(&world, &whole()).unwrap();
    let path = space::user(account(OWN), "bob").unwrap();
    let bob = read_user(&world, OWN, "bob").unwrap();
    put(&world, &path, &UserRecord { policies: Vec::new(), tags: Vec::new(), ..bob.clone() });
    assert_eq!(follow(&world, &whole()).unwrap(), ["111122223333 UpdateUser bob"]);
    assert_eq!(read_user(&world, OWN, "bob"), Some(bob));
}

#[test]
fn an_access_key_that_was_switched_off_stays_off_and_a_new_secret_is_taken() {
    let world = World::default();
    follow(&world, &whole()).unwrap();
    let path = keys::credential("AKIABOBBOBBOBBOBBOB1").unwrap();
    let key: CredentialRecord = read(&world, path.clone()).unwrap();
    put(&world, &path, &CredentialRecord { inactive: Some(true), ..key });
    assert_eq!(follow(&world, &whole()), Ok(Vec::new()));
    let mut changed = whole();
    changed.accounts[0].users[0].access_keys = vec![access_key("AKIABOBBOBBOBBOBBOB1", "another/secret")];
    assert_eq!(follow(&world, &changed).unwrap(), ["111122223333 UpdateAccessKey AKIABOBBOBBOBBOBBOB1"]);
    let key: CredentialRecord = read(&world, path).unwrap();
    assert_eq!((key.secret.as_str(), key.inactive), ("another/secret", Some(true)));
}

fn key_of_the_api(world: &World) -> CredentialRecord {
    CredentialRecord {
        account: account(OWN),
        secret: Zeroizing::new("secret/of/the/api".into()),
        created: world.now(),
        user: Some("bob".into()),
        inactive: None,
        service: None,
    }
}

#[test]
fn an_access_key_of_the_api_stays_with_a_declared_user_and_goes_with_him() {
    let world = World::default();
    let mut own = empty(OWN);
    own.users = vec![user("bob")];
    let declared = of(own);
    follow(&world, &declared).unwrap();
    let mut bob = read_user(&world, OWN, "bob").unwrap();
    bob.access_keys.push("AKIAOFTHEAPI00000000".into());
    let key = key_of_the_api(&world);
    let path = keys::credential("AKIAOFTHEAPI00000000").unwrap();
    put(&world, &path, &key);
    put(&world, &space::user(account(OWN), "bob").unwrap(), &bob);
    assert_eq!(follow(&world, &declared), Ok(Vec::new()));
    follow(&world, &of(empty(OWN))).unwrap();
    assert!(read::<CredentialRecord>(&world, path).is_none());
}

#[test]
fn an_access_key_may_move_from_one_declared_user_to_another() {
    let world = World::default();
    let declared = |holder: &str| {
        let mut own = empty(OWN);
        own.users = vec![user("bob"), user("dora")];
        let key = access_key("AKIABOBBOBBOBBOBBOB1", "secret/of/bob");
        own.users.iter_mut().find(|user| user.name == holder).unwrap().access_keys.push(key);
        of(own)
    };
    follow(&world, &declared("bob")).unwrap();
    follow(&world, &declared("dora")).unwrap();
    assert!(read_user(&world, OWN, "bob").unwrap().access_keys.is_empty());
    assert_eq!(read_user(&world, OWN, "dora").unwrap().access_keys, ["AKIABOBBOBBOBBOBBOB1"]);
    assert_eq!(follow(&world, &declared("dora")), Ok(Vec::new()));
}

#[test]
fn a_policy_gets_versions_and_keeps_five() {
    let world = World::default();
    for round in 0..7 {
        let text = ALLOW.replace("kms:*", &format!("kms:Get{round}*"));
        let mut own = empty(OWN);
        own.policies = vec![policy("limits", &text)];
        follow(&world, &of(own)).unwrap();
    }
    let held: ManagedPolicyRecord = read(&world, space::policy(account(OWN), "limits").unwrap()).unwrap();
    let numbers: Vec<_> = held.versions.iter().map(|version| version.number).collect();
    assert_eq!((numbers, held.default, held.next), (vec![3, 4, 5, 6, 7], 7, 8));
    assert!(held.default_version().unwrap().text.contains("kms:Get6*"));
}

#[test]
fn what_is_not_in_order_is_refused_by_name_and_line_and_nothing_is_written() {
    type Change = fn(&mut Account);
    let world = World::default();
    follow(&world, &whole()).unwrap();
    let cases: [(&str, usize, Change, &str); 16] = [
        ("a name", 3, |own| own.users.push(user("a b")), "user `a b`"),
        ("a path", 2, |own| own.groups.push(Group { path: "x".into(), ..group("g") }), "group `g`"),
        ("twice", 3, |own| own.users.extend([user("x"), user("X")]), "declared twice"),
        (
            "no group",
            3,
            |own| own.users.push(User { groups: vec!["none".into()], ..user("x") }),
            "there is no group `none`",
        ),
        (
            "no policy",
            3,
            |own| own.users.push(User { attached: vec![arn(OWN, "policy/none")], ..user("x") }),
            "there is no policy arn:aws:iam::111122223333:policy/none",
        ),
        (
            "another path",
            3,
            |own| own.users.push(User { boundary: Some(arn(OWN, "policy/a/limits")), ..user("x") }),
            "there is no policy",
        ),
        ("text", 1, |own| own.policies.push(policy("p", "{}")), "policy `p`"),
        (
            "own text",
            2,
            |own| {
                let policies = vec![InlinePolicy { name: "mine".into(), text: "nonsense".into() }];
                own.groups.push(Group { policies, ..group("g") });
            },
            "policy `mine`",
        ),
        (
            "nobody",
            4,
            |own| own.roles.push(role("r", &arn(OWN, "user/none"))),
            "trust policy: Invalid principal in policy",
        ),
        (
            "no account",
            4,
            |own| own.roles.push(role("r", "999999999999")),
            "trust policy: Invalid principal in policy",
        ),
        (
            "no id",
            4,
            |own| own.roles.push(role("r", "AIDANEVERMADEEXAMPLE0")),
            "trust policy: Invalid principal in policy",
        ),
        ("session", 4, |own| own.roles.push(Role { max_session_seconds: 60, ..role("r", OWN) }), "role `r`"),
        (
            "tags",
            3,
            |own| {
                let tag = |key: &str| TagRecord { key: key.into(), value: String::new() };
                own.users.push(User { tags: vec![tag("a"), tag("A")], ..user("x") });
            },
            "user `x`",
        ),
        (
            "a short id",
            5,
            |own| own.users.push(User { access_keys: vec![access_key("AKIA", "long/enough")], ..user("x") }),
            "16 to 128",
        ),
        (
            "a key of another",
            5,
            |own| {
                let key = access_key("AKIABOBBOBBOBBOBBOB1", "secret/of/bob");
                own.users.push(User { access_keys: vec![key], ..user("x") });
            },
            "declared twice",
        ),
        (
            "three keys",
            3,
            |own| {
                let key = |number| access_key(&format!("AKIAXXXXXXXXXXXXXXX{number}"), "long/enough");
                own.users.push(User { access_keys: vec![key(1), key(2), key(3)], ..user("x") });
            },
            "2 are the most",
        ),
    ];
    for (name, line, change, expected) in cases {
        let mut declared = whole();
        change(&mut declared.accounts[0]);
        let before = world.dump();
        let faults = follow(&world, &declared).expect_err(name);
        assert_eq!(world.dump(), before, "{name}");
        assert_eq!(faults.len(), 1, "{name}: {faults:?}");
        assert_eq!(faults[0].line, Some(line), "{name}: {faults:?}");
        assert!(faults[0].text.contains(expected), "{name}: {faults:?}");
    }
}

#[test]
fn an_organization_that_does_not_hold_together_is_refused() {
    type Change = fn(&mut OrganizationRecord);
    let cases: [(&str, Change, &str); 7] = [
        ("id", |record| record.id = "x".into(), "`x` is not the id of an organization"),
        ("root", |record| record.units[0].id = "root".into(), "`root` is not the id of a root"),
        (
            "account",
            |record| record.units[0].accounts[0].account = account("999999999999"),
            "there is no account 999999999999",
        ),
        (
            "twice",
            |record| {
                let again = record.units[0].accounts[0].clone();
                record.units[0].accounts.push(again);
            },
            "account 111122223333 is in two places",
        ),
        ("management", |record| record.management_account = account("444455556666"), "management account"),
        (
            "policy",
            |record| record.units[0].service_control[0].text = "{}".into(),
            "r-root, policy `FullAWSAccess`",
        ),
        (
            "a resource control policy that allows",
            |record| record.units[0].resource_control = vec![control("mine", "Allow")],
            "r-root, policy `mine`: Statement 1 of a resource control policy must have the Effect \"Deny\"",
        ),
    ];
    let world = World::default();
    follow(&world, &whole()).unwrap();
    for (name, change, expected) in cases {
        let mut declared = whole();
        change(&mut declared.organization.as_mut().unwrap().record);
        let text = refused(&world, &declared);
        assert!(text.contains(expected), "{name}: {text}");
    }
}

#[test]
fn resource_control_policies_forbid_or_are_the_one_of_aws() {
    let world = World::default();
    let mut declared = whole();
    declared.organization.as_mut().unwrap().record.units[0].resource_control =
        vec![control("RCPFullAWSAccess", "Allow"), control("mine", "Deny")];
    follow(&world, &declared).unwrap();
}

fn control(name: &str, effect: &str) -> InlinePolicy {
    let text =
        format!(r#"{{"Statement":{{"Effect":"{effect}","Principal":"*","Action":"kms:*","Resource":"*"}}}}"#);
    InlinePolicy { name: name.into(), text }
}

#[test]
fn what_others_depend_on_is_not_removed() {
    let world = World::default();
    let mut own = empty(OWN);
    own.policies = vec![policy("limits", ALLOW)];
    own.groups = vec![group("readers")];
    follow(&world, &of(own)).unwrap();
    let id = account(OWN);
    let mut alice = read_user(&world, OWN, "alice").unwrap();
    alice.groups.push("readers".into());
    alice.attached.push(arn(OWN, "policy/limits"));
    put(&world, &space::user(id, "alice").unwrap(), &alice);
    let mut draft = Draft::new(world.service.vault());
    draft.index(&space::member(id, "readers", "alice").unwrap()).unwrap();
    draft.index(&space::attached(id, "limits", space::Holder::User, "alice").unwrap()).unwrap();
    block_on(world.service.commit(draft)).unwrap();

    let mut without_group = empty(OWN);
    without_group.policies = vec![policy("limits", ALLOW)];
    assert!(
        refused(&world, &of(without_group)).contains("user `alice`, whom the file did not make, is in it")
    );
    for policies in [Vec::new(), vec![ManagedPolicy { path: "/a/".into(), ..policy("limits", ALLOW) }]] {
        let mut changed = empty(OWN);
        changed.groups = vec![group("readers")];
        changed.policies = policies;
        assert!(refused(&world, &of(changed)).contains("user `alice` of account 111122223333"));
    }
}

#[test]
fn a_group_that_was_renamed_is_made_again_beside_the_other() {
    let world = World::default();
    let mut own = empty(OWN);
    own.groups = vec![group("readers")];
    own.users = vec![User { groups: vec!["readers".into()], ..user("bob") }];
    let declaration = of(own);
    follow(&world, &declaration).unwrap();
    let is_in = |reference: &str| {
        let held = read_user(&world, OWN, "bob").unwrap().groups;
        let member = space::member(account(OWN), reference, "bob").unwrap();
        held == [reference] && read::<IndexRecord>(&world, member).is_some()
    };
    assert!(is_in("readers"));
    rename_group(&world, "readers", "authors");
    follow(&world, &declaration).unwrap();
    let path = space::group(account(OWN), "readers").unwrap();
    let made: GroupRecord = read(&world, path.clone()).unwrap();
    assert_eq!(made.key, Some(format!("id:{}", made.id)));
    assert!(is_in(made.reference()));
    let others = space::members_prefix(account(OWN), "readers");
    assert!(!world.paths().iter().any(|path| path.as_bytes().starts_with(&others)));
    assert_eq!(follow(&world, &declaration), Ok(Vec::new()), "nothing is left to do");
    let mut left = empty(OWN);
    left.users = vec![user("bob")];
    follow(&world, &of(left)).unwrap();
    assert!(read::<GroupRecord>(&world, path).is_none());
    let keys: Vec<_> = world.paths().into_iter().filter(|path| path.starts_with("group-key/")).collect();
    assert_eq!(keys, [format!("group-key/{OWN}/readers")], "the other is known by it");
}

#[test]
fn an_account_that_is_not_empty_is_not_removed() {
    let world = World::default();
    follow(&world, &of(empty(THIRD))).unwrap();
    let group = GroupRecord {
        id: "AGPAEXAMPLE".into(),
        name: "g".into(),
        path: "/".into(),
        created: world.now(),
        policies: Vec::new(),
        attached: Vec::new(),
        key: None,
    };
    put(&world, &space::group(account(THIRD), "g").unwrap(), &group);
    assert!(
        refused(&world, &Declaration::default()).contains("account 777788889999 is no longer in the file")
    );
    // The accounts that the file did not make are not in question.
    let held: Option<AccountRecord> = read(&world, space::account(account(OWN)).unwrap());
    assert!(held.is_some());
}

#[test]
fn more_than_a_batch_is_made_in_several() {
    let world = World::default();
    let declared = |count: usize| {
        let mut own = empty(OWN);
        own.policies = vec![policy("limits", ALLOW)];
        own.groups = vec![group("readers")];
        own.users = (0..count)
            .map(|number| User {
                attached: vec![arn(OWN, "policy/limits")],
                groups: vec!["readers".into()],
                ..user(&format!("u{number}"))
            })
            .collect();
        of(own)
    };
    assert_eq!(follow(&world, &declared(0)).unwrap().len(), 2);
    assert_eq!(follow(&world, &declared(200)).unwrap().len(), 200);
    assert_eq!(follow(&world, &declared(200)), Ok(Vec::new()));
    assert_eq!(follow(&world, &declared(3)).unwrap().len(), 197);
    assert_eq!(world.paths().iter().filter(|path| path.starts_with("member/")).count(), 3);
}

/// Somebody who changes a user at the moment when a change of his is announced, once.
struct Meddling<'w> {
    world: &'w World,
    left: RefCell<Option<UserRecord>>,
}

impl Announce for Meddling<'_> {
    async fn announce(
        &self,
        account: AccountId,
        _: &'static str,
        _: &[(&'static str, String)],
    ) -> Result<(), VaultError> {
        if let Some(user) = self.left.take() {
            let key = keys::credential("AKIAOFTHEAPI00000000").unwrap();
            put(self.world, &key, &key_of_the_api(self.world));
            put(self.world, &space::user(account, &user.name).unwrap(), &user);
        }
        Ok(())
    }
}

#[test]
fn who_changes_something_at_the_same_time_is_not_overrun() {
    let world = World::default();
    let mut own = empty(OWN);
    own.users = vec![user("bob")];
    follow(&world, &of(own)).unwrap();
    let mut bob = read_user(&world, OWN, "bob").unwrap();
    bob.access_keys.push("AKIAOFTHEAPI00000000".into());
    let mut own = empty(OWN);
    own.users = vec![User { path: "/team/".into(), ..user("bob") }];
    let meddling = Meddling { world: &world, left: RefCell::new(Some(bob)) };
    block_on(reconcile(&world.service, &meddling, world.now(), &of(own))).unwrap();
    let bob = read_user(&world, OWN, "bob").unwrap();
    assert_eq!(
        (bob.path.as_str(), bob.access_keys.as_slice()),
        ("/team/", &["AKIAOFTHEAPI00000000".to_owned()][..])
    );
}

/// A trail that fails when so many changes were announced.
struct Failing(RefCell<usize>);

impl Announce for Failing {
    async fn announce(
        &self,
        _: AccountId,
        _: &'static str,
        _: &[(&'static str, String)],
    ) -> Result<(), VaultError> {
        let mut left = self.0.borrow_mut();
        *left = left.checked_sub(1).ok_or(VaultError::Unrecorded)?;
        Ok(())
    }
}

#[test]
fn what_cannot_be_announced_is_not_done_and_what_was_cut_off_is_completed() {
    let fresh = World::default();
    let count = follow(&fresh, &whole()).unwrap().len();
    for cut in 0..count {
        let world = World::default();
        let outcome = block_on(reconcile(&world.service, &Failing(RefCell::new(cut)), world.now(), &whole()));
        assert_eq!(outcome, Err(ReconcileError::Vault(VaultError::Unrecorded)), "{cut}");
        // An account is changed as one: the first has eight changes, the second two.
        let made = [OWN, THIRD].map(|id| {
            world.paths().iter().filter(|path| path.starts_with(&format!("declared/{id}"))).count()
        });
        assert_eq!(made, [if cut < 8 { 0 } else { 7 }, if cut < 10 { 0 } else { 2 }], "{cut}");
        follow(&world, &whole()).unwrap();
        assert_eq!(shown(&world), shown(&fresh), "{cut}");
    }
}
