//! Reading the records that a declaration is about: what it names, what it names no more, and what those refer to.

use core::num::NonZeroUsize;
use std::collections::BTreeSet;

use keyreeve_core::cx::Service;
use keyreeve_core::identity::record::{
    AccountRecord, DeclaredRecord, GroupRecord, OrganizationRecord, UniqueRecord,
};
use keyreeve_core::identity::space::{self, Declared};
use keyreeve_core::identity::standing::managed_name;
use keyreeve_core::record::{CredentialRecord, IndexRecord, Record};
use keyreeve_core::space as keys;
use keyreeve_core::vault::VaultError;
use keyreeve_domain::AccountId;
use keyreeve_policy::{AwsPrincipal, parse_trust_policy};
use keyreeve_store::{Path, Snapshot};

use super::declaration::Declaration;
use super::principals;
use super::removals::named;
use super::state::{After, Contents, HOLDERS, Key, Slot, State, key};
use crate::entity::Entity;

const PAGE: NonZeroUsize = NonZeroUsize::new(1000).unwrap();

/// What to read.
#[derive(Default)]
struct Wanted {
    accounts: BTreeSet<AccountId>,
    policies: BTreeSet<Key>,
    groups: BTreeSet<Key>,
    users: BTreeSet<Key>,
    roles: BTreeSet<Key>,
    providers: BTreeSet<Key>,
    credentials: BTreeSet<String>,
    ids: BTreeSet<String>,
}

/// Reads the records.
pub(super) async fn load(
    service: &Service,
    snapshot: &dyn Snapshot,
    declaration: &Declaration,
) -> Result<State, VaultError> {
    let mut state = State::default();
    for (path, record) in all::<DeclaredRecord>(service, snapshot, space::DECLARED_PREFIX).await? {
        let mark = space::read_declared(&path).ok_or_else(|| VaultError::Damaged(path.to_string()))?;
        let version = snapshot.get(&path).await?.map(|entry| entry.version);
        state.marks.insert(mark, Slot { version, before: Some(record), after: After::Same });
    }
    let mut wanted = Wanted::default();
    wanted.declared(declaration);
    wanted.marked(&state);
    let reader = Reader { service, snapshot };
    for account in &wanted.accounts {
        let slot = reader.slot::<AccountRecord>(&space::account(*account)?).await?;
        state.accounts.0.insert((*account, String::new()), slot);
    }
    reader.table(&wanted.policies, &mut state.policies.0).await?;
    reader.table(&wanted.groups, &mut state.groups.0).await?;
    for ((account, name), _) in state.groups.0.iter().filter(|(_, slot)| slot.before.is_none()) {
        let Ok(path) = space::group_key(*account, name) else { continue };
        if snapshot.get(&path).await?.is_some() {
            state.references.insert((*account, name.clone()));
        }
    }
    reader.table(&wanted.roles, &mut state.roles.0).await?;
    reader.table(&wanted.providers, &mut state.providers.0).await?;
    reader.table(&wanted.users, &mut state.users.0).await?;
    let users = state.users.0.values().filter_map(|slot| slot.before.as_ref());
    wanted.credentials.extend(users.flat_map(|user| user.access_keys.iter().cloned()));
    let accounts = state.accounts.0.values().filter_map(|slot| slot.before.as_ref());
    wanted.credentials.extend(accounts.flat_map(|account| account.root_access_keys.iter().cloned()));
    for id in &wanted.credentials {
        let Ok(path) = keys::credential(id) else { continue };
        let slot = reader.slot::<CredentialRecord>(&path).await?;
        // A user who got the key with a new name.
        let holder = slot.before.as_ref().and_then(|held| Some(key(held.account, held.user.as_deref()?)));
        if let Some(holder) = holder.filter(|holder| !state.users.0.contains_key(holder)) {
            reader.table(&BTreeSet::from([holder]), &mut state.users.0).await?;
        }
        state.credentials.insert(id.clone(), slot);
    }
    for id in &wanted.ids {
        let Ok(path) = space::unique(id) else { continue };
        if reader.slot::<UniqueRecord>(&path).await?.before.is_some() {
            state.ids.insert(id.clone());
        }
    }
    state.organization = reader.slot::<OrganizationRecord>(&space::organization()?).await?;
    reader.dependants(&mut state, declaration).await?;
    Ok(state)
}

/// Every record under `prefix`.
async fn all<R: Record>(
    service: &Service,
    snapshot: &dyn Snapshot,
    prefix: &[u8],
) -> Result<Vec<(Path, R)>, VaultError> {
    let mut records = Vec::new();
    loop {
        let after = records.last().map(|(path, _): &(Path, R)| path.clone());
        let (page, more) = service.vault().range::<R>(snapshot, prefix, after.as_ref(), PAGE).await?;
        records.extend(page);
        if !more {
            return Ok(records);
        }
    }
}

impl Wanted {
    fn declared(&mut self, declaration: &Declaration) {
        for account in &declaration.accounts {
            let id = account.id;
            self.accounts.insert(id);
            self.policies.extend(account.policies.iter().map(|policy| key(id, &policy.name)));
            for group in &account.groups {
                self.groups.insert(key(id, &group.name));
                self.attached(id, &group.attached);
            }
            for user in &account.users {
                self.users.insert(key(id, &user.name));
                self.groups.extend(user.groups.iter().map(|group| key(id, group)));
                self.attached(id, &user.attached);
                self.attached(id, user.boundary.as_slice());
                self.credentials.extend(user.access_keys.iter().map(|key| key.id.clone()));
            }
            for role in &account.roles {
                self.roles.insert(key(id, &role.name));
                self.attached(id, &role.attached);
                self.attached(id, role.boundary.as_slice());
                self.trusted(&role.trust);
            }
            for provider in &account.providers {
                self.providers.insert(key(id, provider.url.trim_start_matches("https://")));
            }
        }
        for service in &declaration.services {
            self.accounts.insert(service.account);
            self.credentials.extend(service.access_keys.iter().map(|key| key.id.clone()));
        }
        let organization =
            declaration.organization.iter().flat_map(|organization| &organization.record.units);
        self.accounts.extend(organization.flat_map(|unit| unit.accounts.iter().map(|member| member.account)));
    }

    fn attached(&mut self, account: AccountId, arns: &[String]) {
        let own = arns.iter().filter_map(|arn| managed_name(account, arn));
        self.policies.extend(own.map(|name| key(account, name)));
    }

    fn trusted(&mut self, policy: &str) {
        let Ok(document) = parse_trust_policy(policy) else { return };
        for principal in document.principals() {
            match principal {
                AwsPrincipal::Anyone => {}
                AwsPrincipal::UniqueId(id) => {
                    self.ids.insert(id.clone());
                }
                AwsPrincipal::Account(account) => {
                    self.accounts.insert(*account);
                }
                AwsPrincipal::Identity(arn) => {
                    if let Ok(Some(named)) = principals::named(arn) {
                        let kind = if named.is_role { &mut self.roles } else { &mut self.users };
                        kind.insert(key(named.account, named.name));
                    }
                }
            }
        }
    }

    fn marked(&mut self, state: &State) {
        for (account, kind, name) in state.marks.keys() {
            let key = key(*account, name);
            match kind {
                Declared::AccessKey => self.credentials.insert(name.clone()),
                Declared::Account => self.accounts.insert(*account),
                Declared::Group => self.groups.insert(key),
                Declared::Policy => self.policies.insert(key),
                Declared::Provider => self.providers.insert(key),
                Declared::Role => self.roles.insert(key),
                Declared::User => self.users.insert(key),
            };
        }
    }
}

struct Reader<'s> {
    service: &'s Service,
    snapshot: &'s dyn Snapshot,
}

impl Reader<'_> {
    async fn slot<R: Record>(&self, path: &Path) -> Result<Slot<R>, VaultError> {
        let read = self.service.vault().read::<R>(self.snapshot, path).await?;
        Ok(match read {
            Some(read) => Slot { version: Some(read.version), before: Some(read.record), after: After::Same },
            None => Slot::default(),
        })
    }

    async fn table<E: Entity>(
        &self,
        wanted: &BTreeSet<Key>,
        table: &mut std::collections::BTreeMap<Key, Slot<E>>,
    ) -> Result<(), VaultError> {
        for (account, name) in wanted {
            // A name that cannot be one is refused later, with a text.
            let Ok(path) = E::path(*account, name) else { continue };
            table.insert((*account, name.clone()), self.slot::<E>(&path).await?);
        }
        Ok(())
    }

    /// Who depends on what the file made, and may not need it any more.
    async fn dependants(&self, state: &mut State, declaration: &Declaration) -> Result<(), VaultError> {
        let named = named(declaration);
        let marks: Vec<_> = state.marks.keys().cloned().collect();
        for mark in marks {
            let is_named = named.contains(&mark);
            let (account, kind, name) = mark;
            match kind {
                Declared::Group if !is_named => {
                    let held = state.groups.0.get(&key(account, &name)).and_then(|slot| slot.before.as_ref());
                    let reference = held.map_or(name.as_str(), GroupRecord::reference);
                    let prefix = space::members_prefix(account, reference);
                    let members = self.names(&prefix).await?;
                    state.members.insert((account, name), members);
                }
                // Its path may have changed.
                Declared::Policy => {
                    let mut holders = BTreeSet::new();
                    for holder in HOLDERS {
                        let prefix = space::holders_of_kind_prefix(account, &name, holder);
                        let names = self.names(&prefix).await?;
                        holders.extend(names.into_iter().map(|name| (holder.as_str(), name)));
                    }
                    state.holders.insert((account, name), holders);
                }
                Declared::Account if !is_named => {
                    let count = async |prefix: Vec<u8>| self.snapshot.count(&prefix).await;
                    let contents = Contents {
                        identities: count(space::identities_prefix(account)).await?,
                        kms_keys: count(keys::owned_by_prefix(account)).await?,
                    };
                    state.contents.insert(account, contents);
                }
                Declared::AccessKey
                | Declared::Account
                | Declared::Group
                | Declared::Provider
                | Declared::Role
                | Declared::User => {}
            }
        }
        Ok(())
    }

    async fn names(&self, prefix: &[u8]) -> Result<BTreeSet<String>, VaultError> {
        let entries = all::<IndexRecord>(self.service, self.snapshot, prefix).await?;
        Ok(entries.iter().filter_map(|(path, _)| keys::last_part(prefix, path).map(str::to_owned)).collect())
    }
}
