//! What the tests declare, and how they look at what came of it.

use std::cell::RefCell;

use keyreeve_core::commit::Draft;
use keyreeve_core::identity::record::{
    GroupKeyRecord, GroupRecord, InlinePolicy, ManagedPolicyRecord, MemberRecord, OrganizationRecord,
    ProviderRecord, RoleRecord, UnitRecord, UserRecord,
};
use keyreeve_core::identity::space;
use keyreeve_core::record::{IndexRecord, Record, TagRecord};
use keyreeve_core::vault::VaultError;
use keyreeve_domain::AccountId;
use keyreeve_identity::declared::declaration::{
    AccessKey, Account, Declaration, Group, ManagedPolicy, Organization, Provider, Role, Service, User,
};
use keyreeve_identity::declared::{Announce, Fault, ReconcileError, reconcile};
use keyreeve_store::conformance::block_on;
use keyreeve_store::{Path, Store};
use keyreeve_testkit::World;
use zeroize::Zeroizing;

pub(crate) const ALLOW: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;
pub(crate) const DENY: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:*","Resource":"*"}}"#;
pub(crate) const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
pub(crate) const OWN: &str = "111122223333";
pub(crate) const THIRD: &str = "777788889999";

pub(crate) fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

pub(crate) fn trust(principal: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},"Action":"sts:AssumeRole"}}}}"#
    )
}

pub(crate) fn policy(name: &str, text: &str) -> ManagedPolicy {
    let (name, path, text) = (name.into(), "/".into(), text.into());
    ManagedPolicy { line: 1, name, path, description: None, text, tags: Vec::new() }
}

pub(crate) fn group(name: &str) -> Group {
    Group { line: 2, name: name.into(), path: "/".into(), policies: Vec::new(), attached: Vec::new() }
}

pub(crate) fn user(name: &str) -> User {
    User {
        line: 3,
        name: name.into(),
        path: "/".into(),
        policies: Vec::new(),
        attached: Vec::new(),
        boundary: None,
        groups: Vec::new(),
        tags: Vec::new(),
        access_keys: Vec::new(),
    }
}

pub(crate) fn role(name: &str, principal: &str) -> Role {
    Role {
        line: 4,
        name: name.into(),
        path: "/".into(),
        trust: trust(principal),
        description: None,
        max_session_seconds: 3600,
        policies: Vec::new(),
        attached: Vec::new(),
        boundary: None,
        tags: Vec::new(),
    }
}

pub(crate) fn access_key(id: &str, secret: &str) -> AccessKey {
    AccessKey { line: 5, id: id.into(), secret: Zeroizing::new(secret.into()) }
}

pub(crate) fn empty(id: &str) -> Account {
    Account {
        line: 6,
        id: account(id),
        name: None,
        policies: Vec::new(),
        groups: Vec::new(),
        users: Vec::new(),
        roles: Vec::new(),
        providers: Vec::new(),
    }
}

pub(crate) fn of(account: Account) -> Declaration {
    Declaration { accounts: vec![account], ..Declaration::default() }
}

pub(crate) fn arn(id: &str, rest: &str) -> String {
    format!("arn:aws:iam::{id}:{rest}")
}

/// What is announced: account, event and name.
#[derive(Default)]
pub(crate) struct Announced(pub(crate) RefCell<Vec<String>>);

impl Announce for Announced {
    async fn announce(
        &self,
        account: AccountId,
        name: &'static str,
        details: &[(&'static str, String)],
    ) -> Result<(), VaultError> {
        let first = details.first().map(|(_, value)| value.as_str()).unwrap_or_default();
        self.0.borrow_mut().push(format!("{account} {name} {first}"));
        Ok(())
    }
}

/// Follows a declaration: what was announced.
pub(crate) fn follow(world: &World, declaration: &Declaration) -> Result<Vec<String>, Vec<Fault>> {
    let announced = Announced::default();
    match block_on(reconcile(&world.service, &announced, world.now(), declaration)) {
        Ok(outcome) => {
            let announced = announced.0.into_inner();
            assert_eq!(outcome.changes, announced.len());
            Ok(announced)
        }
        Err(ReconcileError::Faults(faults)) => Err(faults),
        Err(ReconcileError::Vault(error)) => panic!("{error}"),
    }
}

/// Follows a declaration that is refused for one thing; nothing is written.
pub(crate) fn refused(world: &World, declaration: &Declaration) -> String {
    let before = world.dump();
    let faults = follow(world, declaration).expect_err("it is refused");
    assert_eq!(world.dump(), before);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.into_iter().next().unwrap().text
}

pub(crate) fn read<R: Record>(world: &World, path: Path) -> Option<R> {
    let vault = world.service.vault();
    let snapshot = block_on(vault.snapshot()).unwrap();
    block_on(vault.read::<R>(&*snapshot, &path)).unwrap().map(|read| read.record)
}

pub(crate) fn read_user(world: &World, id: &str, name: &str) -> Option<UserRecord> {
    read(world, space::user(account(id), name).unwrap())
}

/// Lets somebody change a record through the API.
pub(crate) fn put<R: Record>(world: &World, path: &Path, record: &R) {
    let vault = world.service.vault();
    let snapshot = block_on(world.store.inner().snapshot()).unwrap();
    let seen = block_on(snapshot.get(path)).unwrap().map(|entry| entry.version);
    let mut draft = Draft::new(vault);
    draft.put(path, seen, record).unwrap();
    block_on(world.service.commit(draft)).unwrap();
}

/// Renames a group of the own account, as IAM does.
pub(crate) fn rename_group(world: &World, from: &str, to: &str) {
    let own = account(OWN);
    let path = space::group(own, from).unwrap();
    let mut group: GroupRecord = read(world, path.clone()).unwrap();
    world.lose(&path);
    for arn in &group.attached {
        let entry = |name| space::attached(own, &space::index_name(arn), space::Holder::Group, name).unwrap();
        world.lose(&entry(from));
        put(world, &entry(to), &IndexRecord {});
    }
    group.key = Some(group.reference().to_owned());
    group.name = to.to_owned();
    let name = to.to_owned();
    put(world, &space::group_key(own, group.reference()).unwrap(), &GroupKeyRecord { name });
    put(world, &space::group(own, to).unwrap(), &group);
}

pub(crate) fn whole() -> Declaration {
    let mut own = empty(OWN);
    own.name = Some("own".into());
    own.policies = vec![policy("limits", ALLOW)];
    own.groups = vec![Group { attached: vec![arn(OWN, "policy/limits")], ..group("readers") }];
    own.users = vec![User {
        path: "/team/".into(),
        policies: vec![InlinePolicy { name: "own".into(), text: ALLOW.into() }],
        attached: vec![ADMINISTRATOR.into(), arn(OWN, "policy/limits")],
        boundary: Some(arn(OWN, "policy/limits")),
        groups: vec!["readers".into()],
        tags: vec![TagRecord { key: "team".into(), value: "a".into() }],
        access_keys: vec![access_key("AKIABOBBOBBOBBOBBOB1", "secret/of/bob")],
        ..user("bob")
    }];
    own.roles = vec![role("ops", &arn(THIRD, "user/carol"))];
    own.providers = vec![Provider {
        line: 7,
        url: "https://token.example.com".into(),
        client_ids: vec!["app".into()],
        thumbprints: Vec::new(),
        tags: Vec::new(),
    }];
    let mut third = empty(THIRD);
    third.users = vec![user("carol")];
    Declaration {
        accounts: vec![own, third],
        services: vec![Service {
            line: 8,
            name: "s3.amazonaws.com".into(),
            account: account(OWN),
            access_keys: vec![access_key("AKIAS3S3S3S3S3S3S3S3", "secret/of/s3")],
        }],
        organization: Some(organization()),
    }
}

pub(crate) fn organization() -> Organization {
    let full = || vec![InlinePolicy { name: "FullAWSAccess".into(), text: ALLOW.into() }];
    let member = |id: &str| MemberRecord {
        account: account(id),
        service_control: full(),
        resource_control: Vec::new(),
    };
    let root = UnitRecord {
        id: "r-root".into(),
        name: "Root".into(),
        parent: None,
        service_control: full(),
        resource_control: Vec::new(),
        accounts: vec![member(OWN), member(THIRD)],
    };
    let record =
        OrganizationRecord { id: "o-a1b2c3d4e5".into(), management_account: account(OWN), units: vec![root] };
    Organization { line: 9, record }
}

/// All identities, without unique ids, times and the versions of policies.
pub(crate) fn shown(world: &World) -> Vec<String> {
    let mut shown = Vec::new();
    for (path, _) in world.dump() {
        let text = path.to_string();
        if text.starts_with("unique/") {
            continue;
        }
        let kind = text.split('/').nth(2).filter(|_| text.starts_with("iam/"));
        shown.push(match kind {
            Some("user") => {
                let mut user: UserRecord = read(world, path).unwrap();
                (user.id, user.created) = Default::default();
                user.access_keys.sort();
                user.attached.sort();
                user.groups.sort();
                format!("{text} {user:?}")
            }
            Some("role") => {
                let mut role: RoleRecord = read(world, path).unwrap();
                (role.id, role.created) = Default::default();
                role.attached.sort();
                role.bound.iter_mut().flatten().for_each(|bound| bound.id.clear());
                format!("{text} {role:?}")
            }
            Some("group") => {
                let mut group: GroupRecord = read(world, path).unwrap();
                (group.id, group.created) = Default::default();
                group.attached.sort();
                format!("{text} {group:?}")
            }
            Some("policy") => {
                let policy: ManagedPolicyRecord = read(world, path).unwrap();
                format!("{text} {} {:?}", policy.path, policy.default_version().map(|version| &version.text))
            }
            Some("provider") => format!("{text} {:?}", read::<ProviderRecord>(world, path)),
            Some(_) | None => text,
        });
    }
    shown
}
