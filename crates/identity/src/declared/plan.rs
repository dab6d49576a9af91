//! From records as they are to be to the writes that make them so.
//!
//! What belongs together is a [`Unit`]: a record with its mark and its index entries. Units are written in an order in which
//! nothing is there before what it refers to, and nothing goes before what refers to it.

use std::collections::{BTreeMap, BTreeSet};

use keyreeve_core::commit::Draft;
use keyreeve_core::identity::record::{
    GroupKeyRecord, GroupRecord, ManagedPolicyRecord, RoleRecord, UniqueRecord, UserRecord,
};
use keyreeve_core::identity::space::{self, Declared, Holder};
use keyreeve_core::identity::standing::managed_name;
use keyreeve_core::record::{IndexRecord, Record};
use keyreeve_core::space as keys;
use keyreeve_core::space::SpaceError;
use keyreeve_core::vault::VaultError;
use keyreeve_domain::AccountId;
use keyreeve_store::{Path, Version};

use super::state::{After, Slot, State, key};
use crate::attached_policies::index_of;
use crate::entity::{Bounded, PolicyHolder};

/// A write, and what the store must hold for it.
pub(super) struct Op<'s> {
    pub(super) path: Path,
    pub(super) seen: Option<Version>,
    /// Whether the record is written as it is, so that who changes it at the same time looks again.
    pub(super) touches: bool,
    pub(super) bytes: usize,
    write: Box<Write<'s>>,
}

/// Adds a write over what was seen to a draft.
type Write<'s> = dyn Fn(&mut Draft<'_>, &Path, Option<Version>) -> Result<(), VaultError> + 's;

impl Op<'_> {
    pub(super) fn draft(&self, draft: &mut Draft<'_>, seen: Option<Version>) -> Result<(), VaultError> {
        (self.write)(draft, &self.path, seen)
    }
}

/// What the seal adds to a record, at most, and what an index entry takes.
const SEAL_BYTES: usize = 256;

fn put<R: Record>(path: Path, seen: Option<Version>, record: &R) -> Result<Op<'_>, VaultError> {
    let bytes = record.to_bytes().or(Err(VaultError::Damaged(path.to_string())))?.len();
    Ok(Op {
        path,
        seen,
        touches: false,
        bytes: bytes.saturating_add(SEAL_BYTES),
        write: Box::new(move |draft, path, seen| draft.put(path, seen, record)),
    })
}

fn unindex<'s>(path: Path) -> Op<'s> {
    let write = |draft: &mut Draft<'_>, path: &Path, _: Option<Version>| {
        draft.unindex(path);
        Ok(())
    };
    Op { path, seen: None, touches: false, bytes: SEAL_BYTES, write: Box::new(write) }
}

fn index<'s>(path: Path) -> Result<Op<'s>, VaultError> {
    put(path, None, &IndexRecord {})
}

/// The write of a record, where it changes.
fn record<R: Record>(path: Path, slot: &Slot<R>) -> Result<Option<Op<'_>>, VaultError> {
    Ok(match (&slot.after, slot.version) {
        (After::Same, _) | (After::Gone, None) => None,
        (After::Put(record), seen) => Some(put(path, seen, record)?),
        (After::Gone, Some(seen)) => {
            let write = move |draft: &mut Draft<'_>, path: &Path, _: Option<Version>| {
                draft.delete(path, seen);
                Ok(())
            };
            let write = Box::new(write);
            Some(Op { path, seen: Some(seen), touches: false, bytes: SEAL_BYTES, write })
        }
    })
}

/// When a unit is written.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Turn {
    Account,
    Policy,
    Provider,
    Group,
    User,
    Role,
    ServiceKey,
    UserGone,
    RoleGone,
    GroupGone,
    PolicyGone,
    ProviderGone,
    AccountGone,
}

/// A change as the trail has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) details: Vec<(&'static str, String)>,
}

/// Writes that belong together.
#[derive(Default)]
pub(super) struct Unit<'s> {
    pub(super) events: Vec<Event>,
    pub(super) ops: Vec<Op<'s>>,
}

/// All that is to be written: by account, in order; the organization comes last.
#[derive(Default)]
pub(super) struct Plan<'s> {
    pub(super) accounts: BTreeMap<AccountId, BTreeMap<(Turn, String), Unit<'s>>>,
    pub(super) organization: Option<(AccountId, Unit<'s>)>,
}

/// The names of the events of a kind: made, changed and removed.
type Names = [&'static str; 3];

fn event<R>(names: Names, slot: &Slot<R>, details: Vec<(&'static str, String)>) -> Option<Event> {
    let [made, changed, removed] = names;
    let name = match (&slot.before, &slot.after) {
        (_, After::Same) => return None,
        (None, After::Gone | After::Put(_)) => made,
        (Some(_), After::Put(_)) => changed,
        (Some(_), After::Gone) => removed,
    };
    Some(Event { name, details })
}

const ACCOUNT: Names = ["CreateAccount", "UpdateAccount", "DeleteAccount"];
const POLICY: Names = ["CreatePolicy", "CreatePolicyVersion", "DeletePolicy"];
const PROVIDER: Names =
    ["CreateOpenIDConnectProvider", "UpdateOpenIDConnectProvider", "DeleteOpenIDConnectProvider"];
const GROUP: Names = ["CreateGroup", "UpdateGroup", "DeleteGroup"];
const USER: Names = ["CreateUser", "UpdateUser", "DeleteUser"];
const ROLE: Names = ["CreateRole", "UpdateRole", "DeleteRole"];
const ACCESS_KEY: Names = ["CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"];
const ORGANIZATION: Names = ["CreateOrganization", "UpdateOrganization", "DeleteOrganization"];

impl<'s> Plan<'s> {
    /// What makes `state` so.
    pub(super) fn of(state: &'s State) -> Result<Self, VaultError> {
        let mut plan = Self::default();
        plan.records(state)?;
        for ((account, name), slot) in &state.groups.0 {
            plan.policies(*account, name, slot, [Turn::Group, Turn::GroupGone])?;
        }
        for ((account, name), slot) in &state.users.0 {
            let turns = [Turn::User, Turn::UserGone];
            plan.policies(*account, name, slot, turns)?;
            plan.boundary(*account, name, slot, turns)?;
            plan.memberships(*account, name, slot)?;
            let id = |user: &'_ UserRecord| (user.id.clone(), user.name.clone());
            plan.unique(*account, name, slot, turns, false, id)?;
        }
        for ((account, name), slot) in &state.roles.0 {
            let turns = [Turn::Role, Turn::RoleGone];
            plan.policies(*account, name, slot, turns)?;
            plan.boundary(*account, name, slot, turns)?;
            let id = |role: &'_ RoleRecord| (role.id.clone(), role.name.clone());
            plan.unique(*account, name, slot, turns, true, id)?;
        }
        plan.credentials(state)?;
        plan.marks(state)?;
        plan.touches(state)?;
        let slot = &state.organization;
        let home = slot.now().or(slot.before.as_ref());
        if let (Some(op), Some(home)) = (record(space::organization()?, slot)?, home) {
            let event = event(ORGANIZATION, slot, vec![("organizationId", home.id.clone())]);
            let unit = Unit { events: event.into_iter().collect(), ops: vec![op] };
            plan.organization = Some((home.management_account, unit));
        }
        for units in plan.accounts.values_mut() {
            units.retain(|_, unit| !unit.ops.is_empty());
        }
        plan.accounts.retain(|_, units| !units.is_empty());
        Ok(plan)
    }

    fn unit(&mut self, account: AccountId, turn: Turn, name: &str) -> &mut Unit<'s> {
        self.accounts.entry(account).or_default().entry((turn, name.to_owned())).or_default()
    }

    fn records(&mut self, state: &'s State) -> Result<(), VaultError> {
        for ((account, _), slot) in &state.accounts.0 {
            let path = space::account(*account)?;
            self.record(*account, "", slot, path, [Turn::Account, Turn::AccountGone], ACCOUNT, "accountId")?;
        }
        for ((account, name), slot) in &state.policies.0 {
            let path = space::policy(*account, name)?;
            self.record(*account, name, slot, path, [Turn::Policy, Turn::PolicyGone], POLICY, "policyName")?;
        }
        for ((account, name), slot) in &state.providers.0 {
            let path = space::provider(*account, name)?;
            let turns = [Turn::Provider, Turn::ProviderGone];
            self.record(*account, name, slot, path, turns, PROVIDER, "url")?;
        }
        for ((account, name), slot) in &state.groups.0 {
            let path = space::group(*account, name)?;
            self.record(*account, name, slot, path, [Turn::Group, Turn::GroupGone], GROUP, "groupName")?;
            self.reference(*account, name, slot)?;
        }
        for ((account, name), slot) in &state.users.0 {
            let path = space::user(*account, name)?;
            self.record(*account, name, slot, path, [Turn::User, Turn::UserGone], USER, "userName")?;
        }
        for ((account, name), slot) in &state.roles.0 {
            let path = space::role(*account, name)?;
            self.record(*account, name, slot, path, [Turn::Role, Turn::RoleGone], ROLE, "roleName")?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "a row of a table")]
    fn record<R: Record>(
        &mut self,
        account: AccountId,
        name: &str,
        slot: &'s Slot<R>,
        path: Path,
        turns: [Turn; 2],
        names: Names,
        what: &'static str,
    ) -> Result<(), VaultError> {
        let Some(op) = record(path, slot)? else { return Ok(()) };
        let shown = if name.is_empty() { account.to_string() } else { name.to_owned() };
        let unit = self.unit(account, turn(slot, turns), name);
        unit.events.extend(event(names, slot, vec![(what, shown)]));
        unit.ops.push(op);
        Ok(())
    }

    /// The index entries of the policies of an entity.
    fn policies<E: PolicyHolder>(
        &mut self,
        account: AccountId,
        name: &str,
        slot: &'s Slot<E>,
        turns: [Turn; 2],
    ) -> Result<(), VaultError> {
        let attached = |entity: Option<&E>| -> Vec<String> {
            entity.map(|entity| entity.attached().to_vec()).unwrap_or_default()
        };
        let (before, after) = (attached(slot.before.as_ref()), attached(slot.now()));
        self.links(account, name, turn(slot, turns), E::HOLDER, &before, &after)
    }

    fn boundary<E: Bounded>(
        &mut self,
        account: AccountId,
        name: &str,
        slot: &'s Slot<E>,
        turns: [Turn; 2],
    ) -> Result<(), VaultError> {
        let bound = |entity: Option<&E>| -> Vec<String> {
            entity.and_then(|entity| entity.boundary()).map(str::to_owned).into_iter().collect()
        };
        let (before, after) = (bound(slot.before.as_ref()), bound(slot.now()));
        self.links(account, name, turn(slot, turns), E::BOUNDARY, &before, &after)
    }

    fn links(
        &mut self,
        account: AccountId,
        name: &str,
        turn: Turn,
        kind: Holder,
        before: &[String],
        after: &[String],
    ) -> Result<(), VaultError> {
        let paths = |arns: &[String]| -> Result<BTreeSet<Path>, SpaceError> {
            arns.iter().map(|arn| index_of(account, arn, kind, name)).collect()
        };
        // A policy whose path changed keeps its entry.
        self.entries(account, name, turn, &paths(before)?, &paths(after)?)
    }

    /// The index entry of a group that is made with a name that another is still known by, or that goes.
    fn reference(
        &mut self,
        account: AccountId,
        name: &str,
        slot: &'s Slot<GroupRecord>,
    ) -> Result<(), VaultError> {
        let key = |group: Option<&GroupRecord>| group.and_then(|group| group.key.clone());
        let (before, after) = (key(slot.before.as_ref()), key(slot.now()));
        if slot.before.is_none() && slot.now().is_some() && after.is_none() {
            // ORDER: whoever renames a group of this name at the same time leaves it known by the name, and its users with it.
            let path = space::group_key(account, name)?;
            let write = |draft: &mut Draft<'_>, path: &Path, seen: Option<Version>| {
                draft.require(path, seen);
                Ok(())
            };
            let op = Op { path, seen: None, touches: false, bytes: SEAL_BYTES, write: Box::new(write) };
            self.unit(account, turn(slot, [Turn::Group, Turn::GroupGone]), name).ops.push(op);
            return Ok(());
        }
        if before == after {
            return Ok(());
        }
        let unit = self.unit(account, turn(slot, [Turn::Group, Turn::GroupGone]), name);
        if let Some(key) = before {
            unit.ops.push(unindex(space::group_key(account, &key)?));
        }
        if let (Some(key), Some(group)) = (after, slot.now()) {
            let path = space::group_key(account, &key)?;
            let write = |draft: &mut Draft<'_>, path: &Path, seen: Option<Version>| {
                draft.put(path, seen, &GroupKeyRecord { name: group.name.clone() })
            };
            let write = Box::new(write);
            unit.ops.push(Op { path, seen: None, touches: false, bytes: SEAL_BYTES, write });
        }
        Ok(())
    }

    fn memberships(
        &mut self,
        account: AccountId,
        name: &str,
        slot: &'s Slot<UserRecord>,
    ) -> Result<(), VaultError> {
        let paths = |user: Option<&UserRecord>| -> Result<BTreeSet<Path>, SpaceError> {
            let groups = user.map(|user| user.groups.as_slice()).unwrap_or_default();
            groups.iter().map(|group| space::member(account, group, name)).collect()
        };
        let (before, after) = (paths(slot.before.as_ref())?, paths(slot.now())?);
        self.entries(account, name, turn(slot, [Turn::User, Turn::UserGone]), &before, &after)
    }

    fn entries(
        &mut self,
        account: AccountId,
        name: &str,
        turn: Turn,
        before: &BTreeSet<Path>,
        after: &BTreeSet<Path>,
    ) -> Result<(), VaultError> {
        let unit = self.unit(account, turn, name);
        unit.ops.extend(before.difference(after).cloned().map(unindex));
        for path in after.difference(before) {
            unit.ops.push(index(path.clone())?);
        }
        Ok(())
    }

    fn unique<R>(
        &mut self,
        account: AccountId,
        name: &str,
        slot: &'s Slot<R>,
        turns: [Turn; 2],
        is_role: bool,
        id: impl Fn(&R) -> (String, String),
    ) -> Result<(), VaultError> {
        let (before, after) = (slot.before.as_ref().map(&id), slot.now().map(&id));
        if before == after {
            return Ok(());
        }
        let unit = self.unit(account, turn(slot, turns), name);
        if let Some((id, _)) = before {
            unit.ops.push(unindex(space::unique(&id)?));
            if is_role {
                unit.ops.push(unindex(keys::role_use(&id)?));
            }
        }
        if let Some((id, name)) = after {
            let path = space::unique(&id)?;
            let write = move |draft: &mut Draft<'_>, path: &Path, seen: Option<Version>| {
                draft.put(path, seen, &UniqueRecord { account, is_role, name: name.clone() })
            };
            let write = Box::new(write);
            unit.ops.push(Op { path, seen: None, touches: false, bytes: SEAL_BYTES, write });
        }
        Ok(())
    }

    /// Access keys are written with their users, before or after.
    fn credentials(&mut self, state: &'s State) -> Result<(), VaultError> {
        for (id, slot) in &state.credentials {
            let Ok(path) = keys::credential(id) else { continue };
            let Some(op) = record(path, slot)? else { continue };
            let Some(key) = slot.now().or(slot.before.as_ref()) else { continue };
            let used = if matches!(slot.after, After::Gone) { Some(keys::access_key_use(id)?) } else { None };
            let mut details = vec![("accessKeyId", id.clone())];
            details.extend(key.user.clone().map(|user| ("userName", user)));
            details.extend(key.service.clone().map(|service| ("service", service)));
            let account = key.account;
            let unit = self.key_unit(state, account, key.user.as_deref(), id);
            unit.events.extend(event(ACCESS_KEY, slot, details));
            unit.ops.push(op);
            unit.ops.extend(used.map(unindex));
        }
        Ok(())
    }

    fn key_unit(&mut self, state: &State, account: AccountId, user: Option<&str>, id: &str) -> &mut Unit<'s> {
        let is_gone =
            state.accounts.0.get(&(account, String::new())).is_some_and(|slot| slot.now().is_none());
        match user {
            Some(user) => {
                let slot = state.users.0.get(&key(account, user));
                let turn = slot.map_or(Turn::User, |slot| turn(slot, [Turn::User, Turn::UserGone]));
                self.unit(account, turn, &user.to_ascii_lowercase())
            }
            None if is_gone => self.unit(account, Turn::AccountGone, ""),
            None => self.unit(account, Turn::ServiceKey, id),
        }
    }

    fn marks(&mut self, state: &'s State) -> Result<(), VaultError> {
        for ((account, kind, name), slot) in &state.marks {
            let Some(op) = record(space::declared(*account, *kind, name)?, slot)? else { continue };
            let turns = match kind {
                Declared::AccessKey => {
                    let key =
                        state.credentials.get(name).and_then(|slot| slot.now().or(slot.before.as_ref()));
                    let user = key.and_then(|key| key.user.clone());
                    self.key_unit(state, *account, user.as_deref(), name).ops.push(op);
                    continue;
                }
                Declared::Account => [Turn::Account, Turn::AccountGone],
                Declared::Group => [Turn::Group, Turn::GroupGone],
                Declared::Policy => [Turn::Policy, Turn::PolicyGone],
                Declared::Provider => [Turn::Provider, Turn::ProviderGone],
                Declared::Role => [Turn::Role, Turn::RoleGone],
                Declared::User => [Turn::User, Turn::UserGone],
            };
            self.unit(*account, turn(slot, turns), name).ops.push(op);
        }
        Ok(())
    }

    /// Writes what is newly referred to as it is: whoever deletes it at the same time must see that.
    fn touches(&mut self, state: &'s State) -> Result<(), VaultError> {
        for ((account, name), slot) in &state.users.0 {
            let empty = Vec::new();
            let groups = |user: Option<&'s UserRecord>| user.map_or(&[][..], |user| &user.groups);
            let before = groups(slot.before.as_ref());
            for group in groups(slot.now()).iter().filter(|group| !before.contains(group)) {
                let Some(((_, group), held)) = state.group_of(*account, group) else { continue };
                self.touch(*account, Turn::User, name, space::group(*account, group)?, Some(held))?;
            }
            let held = |user: Option<&'s UserRecord>| {
                let attached = user.map_or(empty.iter(), |user| user.attached.iter());
                attached.chain(user.and_then(|user| user.boundary.as_ref())).cloned().collect()
            };
            self.touch_policies(
                state,
                *account,
                Turn::User,
                name,
                &held(slot.before.as_ref()),
                &held(slot.now()),
            )?;
        }
        for ((account, name), slot) in &state.roles.0 {
            let empty = Vec::new();
            let held = |role: Option<&'s RoleRecord>| {
                let attached = role.map_or(empty.iter(), |role| role.attached.iter());
                attached.chain(role.and_then(|role| role.boundary.as_ref())).cloned().collect()
            };
            self.touch_policies(
                state,
                *account,
                Turn::Role,
                name,
                &held(slot.before.as_ref()),
                &held(slot.now()),
            )?;
        }
        for ((account, name), slot) in &state.groups.0 {
            let held = |group: Option<&'s GroupRecord>| {
                group.map(|group| group.attached.iter().cloned().collect()).unwrap_or_default()
            };
            self.touch_policies(
                state,
                *account,
                Turn::Group,
                name,
                &held(slot.before.as_ref()),
                &held(slot.now()),
            )?;
        }
        Ok(())
    }

    fn touch_policies(
        &mut self,
        state: &'s State,
        account: AccountId,
        turn: Turn,
        name: &str,
        before: &BTreeSet<String>,
        after: &BTreeSet<String>,
    ) -> Result<(), VaultError> {
        for policy in after.difference(before).filter_map(|arn| managed_name(account, arn)) {
            let held: Option<&'s Slot<ManagedPolicyRecord>> = state.policies.0.get(&key(account, policy));
            self.touch(account, turn, name, space::policy(account, policy)?, held)?;
        }
        Ok(())
    }

    fn touch<R: Record>(
        &mut self,
        account: AccountId,
        turn: Turn,
        name: &str,
        path: Path,
        held: Option<&'s Slot<R>>,
    ) -> Result<(), VaultError> {
        let Some(Slot { version, before: Some(record), after: After::Same }) = held else { return Ok(()) };
        let op = Op { touches: true, ..put(path, *version, record)? };
        let unit = self.unit(account, turn, name);
        if !unit.ops.iter().any(|known| known.path == op.path) {
            unit.ops.push(op);
        }
        Ok(())
    }
}

/// Whether a record is written early or removed late.
fn turn<R>(slot: &Slot<R>, [put, gone]: [Turn; 2]) -> Turn {
    if matches!(slot.after, After::Gone) { gone } else { put }
}
