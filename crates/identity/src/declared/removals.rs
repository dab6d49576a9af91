//! Removing what the file made and no longer names.

use std::collections::BTreeSet;

use keyreeve_core::identity::record::{GroupRecord, RoleRecord, UserRecord};
use keyreeve_core::identity::space::{Declared, Holder};
use keyreeve_core::record::CredentialRecord;
use keyreeve_domain::AccountId;

use super::Fault;
use super::declaration::Declaration;
use super::entities::Work;
use super::state::{After, Contents, State, key};
use crate::entity::{Entity, PolicyHolder, same_name};

/// Everything that a declaration names: as marks do.
pub(super) fn named(declaration: &Declaration) -> BTreeSet<(AccountId, Declared, String)> {
    let mut named = BTreeSet::new();
    let mut name = |account, kind: Declared, name: &str| {
        named.insert((account, kind, kind.name(name)));
    };
    for account in &declaration.accounts {
        let id = account.id;
        name(id, Declared::Account, "");
        account.policies.iter().for_each(|policy| name(id, Declared::Policy, &policy.name));
        account.groups.iter().for_each(|group| name(id, Declared::Group, &group.name));
        account.roles.iter().for_each(|role| name(id, Declared::Role, &role.name));
        for provider in &account.providers {
            name(id, Declared::Provider, provider.url.trim_start_matches("https://"));
        }
        for user in &account.users {
            name(id, Declared::User, &user.name);
            user.access_keys.iter().for_each(|key| name(id, Declared::AccessKey, &key.id));
        }
    }
    for service in &declaration.services {
        service.access_keys.iter().for_each(|key| name(service.account, Declared::AccessKey, &key.id));
    }
    named
}

impl Work<'_> {
    /// Removes what is not named any more.
    pub(super) fn remove_all(&mut self, declaration: &Declaration) {
        let named = named(declaration);
        let gone: Vec<_> = self.state.marks.keys().filter(|mark| !named.contains(*mark)).cloned().collect();
        for (account, kind, name) in gone {
            remove(self.state, account, kind, &name);
            if let Some(mark) = self.state.marks.get_mut(&(account, kind, name)) {
                mark.remove();
            }
        }
    }

    /// Refuses removals that something is left over from which the file does not own.
    pub(super) fn check_removals(&mut self) {
        let state = &*self.state;
        let mut faults = Vec::new();
        for ((account, name), slot) in &state.groups.0 {
            let members = state.members.get(&key(*account, name)).into_iter().flatten();
            let reference = slot.before.as_ref().map_or(name.as_str(), GroupRecord::reference);
            for member in members.filter(|_| matches!(slot.after, After::Gone)) {
                let is_left = state.users.0.get(&key(*account, member)).is_none_or(|user| {
                    user.now().is_some_and(|user| user.groups.iter().any(|group| same_name(group, reference)))
                });
                if is_left {
                    faults.push(Fault::anywhere(format!(
                        "group `{name}` of account {account} is no longer in the file, but user `{member}`, whom the file \
                         did not make, is in it. Remove the user from the group, or keep the group in the file"
                    )));
                }
            }
        }
        for ((account, name), slot) in &state.policies.0 {
            let Some(before) = &slot.before else { continue };
            let arn = before.arn(*account);
            if slot.now().is_some_and(|now| now.arn(*account) == arn) {
                continue;
            }
            for (kind, holder) in state.holders.get(&key(*account, name)).into_iter().flatten() {
                if holds(state, *account, kind, holder, &arn) {
                    faults.push(Fault::anywhere(format!(
                        "policy {arn} is no longer in the file, but {kind} `{holder}` of account {account}, which the file did \
                         not make, has it. Detach it, or keep the policy in the file"
                    )));
                }
            }
        }
        for ((account, _), slot) in &state.accounts.0 {
            if matches!(slot.after, After::Gone) {
                faults.extend(left_over(state, *account));
            }
        }
        self.faults.extend(faults);
    }
}

fn remove(state: &mut State, account: AccountId, kind: Declared, name: &str) {
    let mark = (account, kind, name.to_owned());
    let Some(id) = state.marks.get(&mark).and_then(|mark| mark.before.as_ref()).map(|mark| mark.id.clone())
    else {
        return;
    };
    match kind {
        Declared::AccessKey => {
            if let Some(slot) = state.credentials.get_mut(name) {
                let is_same =
                    |key: &CredentialRecord| key.created.millis().to_string() == id && key.account == account;
                if slot.before.as_ref().is_some_and(is_same) {
                    slot.remove();
                }
            }
        }
        Declared::Account => {
            let slot = state.accounts.slot(account, "");
            if let Some(held) = slot.before.as_ref().filter(|held| held.created.millis().to_string() == id) {
                for key in &held.root_access_keys {
                    if let Some(slot) = state.credentials.get_mut(key) {
                        slot.remove();
                    }
                }
                slot.remove();
            }
        }
        Declared::Group => {
            let slot = state.groups.slot(account, name);
            if slot.before.as_ref().is_some_and(|held| held.id == id) {
                slot.remove();
            }
        }
        Declared::Policy => {
            let slot = state.policies.slot(account, name);
            if slot.before.as_ref().is_some_and(|held| held.id == id) {
                slot.remove();
            }
        }
        Declared::Provider => {
            let slot = state.providers.slot(account, name);
            if slot.before.as_ref().is_some_and(|held| held.created.millis().to_string() == id) {
                slot.remove();
            }
        }
        Declared::Role => {
            let slot = state.roles.slot(account, name);
            if slot.before.as_ref().is_some_and(|held| held.id == id) {
                slot.remove();
            }
        }
        Declared::User => {
            let slot = state.users.slot(account, name);
            if let Some(held) = slot.before.as_ref().filter(|held| held.id == id) {
                // Those that the API made go with the user too.
                for key in &held.access_keys {
                    if let Some(slot) = state.credentials.get_mut(key) {
                        slot.remove();
                    }
                }
                slot.remove();
            }
        }
    }
}

/// Whether a holder of the index has the policy `arn` in the end.
fn holds(state: &State, account: AccountId, kind: &str, holder: &str, arn: &str) -> bool {
    fn attached<E: PolicyHolder>(entity: Option<&E>, arn: &str) -> bool {
        entity.is_some_and(|entity| entity.attached().iter().any(|held| held == arn))
    }
    fn bounded<E: Entity>(entity: Option<&E>, arn: &str) -> bool {
        entity.is_some_and(|entity| entity.boundary() == Some(arn))
    }
    let key = key(account, holder);
    let user = |check: fn(Option<&UserRecord>, &str) -> bool| {
        state.users.0.get(&key).is_none_or(|slot| check(slot.now(), arn))
    };
    let role = |check: fn(Option<&RoleRecord>, &str) -> bool| {
        state.roles.0.get(&key).is_none_or(|slot| check(slot.now(), arn))
    };
    let group = |check: fn(Option<&GroupRecord>, &str) -> bool| {
        state.groups.0.get(&key).is_none_or(|slot| check(slot.now(), arn))
    };
    if kind == Holder::User.as_str() {
        user(attached)
    } else if kind == Holder::UserBoundary.as_str() {
        user(bounded)
    } else if kind == Holder::Role.as_str() {
        role(attached)
    } else if kind == Holder::RoleBoundary.as_str() {
        role(bounded)
    } else {
        group(attached)
    }
}

/// What keeps an account from being removed.
fn left_over(state: &State, account: AccountId) -> Option<Fault> {
    let Contents { identities, kms_keys } = state.contents.get(&account).copied().unwrap_or_default();
    let gone = [
        state
            .policies
            .0
            .iter()
            .filter(|((of, _), slot)| *of == account && matches!(slot.after, After::Gone))
            .count(),
        state
            .groups
            .0
            .iter()
            .filter(|((of, _), slot)| *of == account && matches!(slot.after, After::Gone))
            .count(),
        state
            .users
            .0
            .iter()
            .filter(|((of, _), slot)| *of == account && matches!(slot.after, After::Gone))
            .count(),
        state
            .roles
            .0
            .iter()
            .filter(|((of, _), slot)| *of == account && matches!(slot.after, After::Gone))
            .count(),
        state
            .providers
            .0
            .iter()
            .filter(|((of, _), slot)| *of == account && matches!(slot.after, After::Gone))
            .count(),
    ];
    let gone: u64 = gone.iter().filter_map(|count| u64::try_from(*count).ok()).sum();
    let left = identities.saturating_sub(gone);
    (left > 0 || kms_keys > 0).then(|| {
        Fault::anywhere(format!(
            "account {account} is no longer in the file, but it has {kms_keys} KMS keys and {left} users, groups, roles, \
             policies and providers that the file did not make. Delete them, or keep the account in the file"
        ))
    })
}
