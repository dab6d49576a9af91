//! Letting accounts and their identities be as they are declared.

use std::collections::BTreeSet;
use std::fmt;

use keyreeve_core::identity::aws_managed;
use keyreeve_core::identity::membership::reference_of_id;
use keyreeve_core::identity::record::{
    AccountRecord, GroupRecord, InlinePolicy, ManagedPolicyRecord, PolicyVersion, ProviderRecord, RoleRecord,
    UserRecord,
};
use keyreeve_core::identity::space::Declared;
use keyreeve_core::identity::standing::managed_name;
use keyreeve_core::record::TagRecord;
use keyreeve_domain::{AccountId, Timestamp};

use super::declaration::{self, Declaration, Group, ManagedPolicy, Provider, Role, User};
use super::state::{After, State, key};
use super::{Fault, check};
use crate::attached_policies::ATTACHED_MOST;
use crate::entity::{Entity, PolicyHolder, same_name};
use crate::ids::IdKind;
use crate::memberships::GROUPS_MOST;
use crate::policy_check;
use crate::policy_versions::VERSIONS_MOST;
use crate::refusal::Refusal;
use crate::tag_check;

/// Makes unique ids.
pub(super) type Ids<'a> = &'a mut dyn FnMut(IdKind) -> Result<String, Refusal>;

/// The work on one declaration.
pub(super) struct Work<'a> {
    pub(super) state: &'a mut State,
    pub(super) now: Timestamp,
    pub(super) ids: Ids<'a>,
    pub(super) faults: Vec<Fault>,
}

/// What a fault is about.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) account: AccountId,
    pub(super) kind: Declared,
    pub(super) name: &'a str,
    pub(super) line: usize,
}

impl About<'_> {
    pub(super) fn fault(&self, text: impl fmt::Display) -> Fault {
        let Self { account, kind, name, line } = self;
        Fault::at(*line, format!("{} `{name}` of account {account}: {text}", kind.as_str()))
    }

    fn wrong(&self, (policy, Refusal(error)): check::Wrong) -> Fault {
        match policy {
            Some(policy) => self.fault(format!("policy `{policy}`: {}", error.message)),
            None => self.fault(error.message),
        }
    }

    fn refused(&self, refusal: Refusal) -> Fault {
        self.wrong((None, refusal))
    }

    pub(super) fn not_ours(&self) -> Fault {
        self.fault("it exists, and this file did not make it. Take it out of the file, or delete what exists")
    }
}

impl Work<'_> {
    /// Everything but removals and trust.
    pub(super) fn put_all(&mut self, declaration: &Declaration) {
        let mut seen = BTreeSet::new();
        for account in &declaration.accounts {
            let outcome = self.account(account);
            self.note(outcome);
        }
        for account in &declaration.accounts {
            let id = account.id;
            let about = |kind, name, line| About { account: id, kind, name, line };
            for policy in &account.policies {
                let about = about(Declared::Policy, policy.name.as_str(), policy.line);
                let outcome = self.once(&mut seen, about).and_then(|()| self.policy(about, policy));
                self.note(outcome);
            }
            for group in &account.groups {
                let about = about(Declared::Group, group.name.as_str(), group.line);
                let outcome = self.once(&mut seen, about).and_then(|()| self.group(about, group));
                self.note(outcome);
            }
            for user in &account.users {
                let about = about(Declared::User, user.name.as_str(), user.line);
                let outcome = self.once(&mut seen, about).and_then(|()| self.user(about, user));
                self.note(outcome);
            }
            for role in &account.roles {
                let about = about(Declared::Role, role.name.as_str(), role.line);
                let outcome = self.once(&mut seen, about).and_then(|()| self.role(about, role));
                self.note(outcome);
            }
            for provider in &account.providers {
                let about = about(Declared::Provider, provider.url.as_str(), provider.line);
                let outcome = self.once(&mut seen, about).and_then(|()| self.provider(about, provider));
                self.note(outcome);
            }
        }
        let mut seen = BTreeSet::new();
        self.keys_of_users(declaration, &mut seen);
        for service in &declaration.services {
            let outcome = self.service(service, &mut seen);
            self.note(outcome);
        }
    }

    pub(super) fn note(&mut self, outcome: Result<(), Fault>) {
        self.faults.extend(outcome.err());
    }

    fn once(
        &self,
        seen: &mut BTreeSet<(AccountId, Declared, String)>,
        about: About<'_>,
    ) -> Result<(), Fault> {
        match seen.insert((about.account, about.kind, about.kind.name(about.name))) {
            true => Ok(()),
            false => Err(about.fault("it is declared twice")),
        }
    }

    fn account(&mut self, declared: &declaration::Account) -> Result<(), Fault> {
        let id = declared.id;
        let now = self.now;
        let slot = self.state.accounts.slot(id, "");
        if matches!(slot.after, After::Put(_)) {
            return Err(Fault::at(declared.line, format!("account {id}: it is declared twice")));
        }
        match slot.now().cloned() {
            Some(mut record) => {
                if let Some(name) = &declared.name {
                    record.name.clone_from(name);
                }
                slot.set(record);
            }
            None => {
                let name = declared.name.clone().unwrap_or_default();
                slot.set(AccountRecord { name, created: now, root_access_keys: Vec::new() });
                self.state.mark(id, Declared::Account, "", &now.millis().to_string());
            }
        }
        Ok(())
    }

    /// The entity of this name, which the file made; none where there is none.
    fn made<E: Entity>(&self, about: About<'_>, held: Option<&E>, id: &str) -> Result<Option<E>, Fault> {
        let Some(held) = held else { return Ok(None) };
        if !self.state.is_made(about.account, about.kind, about.name, id) {
            return Err(about.not_ours());
        }
        if held.name() != about.name && about.kind != Declared::Provider {
            let text = format!("it was made as `{}`, and IAM tells no two names apart by case", held.name());
            return Err(about.fault(text));
        }
        Ok(Some(held.clone()))
    }

    fn id(&mut self, about: About<'_>, kind: IdKind) -> Result<String, Fault> {
        (self.ids)(kind).map_err(|refusal| about.refused(refusal))
    }

    fn policy(&mut self, about: About<'_>, policy: &ManagedPolicy) -> Result<(), Fault> {
        check::policy(policy).map_err(|wrong| about.wrong(wrong))?;
        let held = self.state.policies.now(about.account, about.name);
        let held = self.made(about, held, held.map(|held| held.id.as_str()).unwrap_or_default())?;
        let now = self.now;
        let mut record = match held {
            Some(held) => held,
            None => ManagedPolicyRecord {
                id: self.id(about, IdKind::Policy)?,
                name: policy.name.clone(),
                path: policy.path.clone(),
                created: now,
                updated: now,
                description: None,
                versions: Vec::new(),
                default: 0,
                next: 1,
                tags: Vec::new(),
            },
        };
        if record.default_version().is_none_or(|version| version.text != policy.text) {
            let version = PolicyVersion { number: record.next, text: policy.text.clone(), created: now };
            (record.default, record.next, record.updated) =
                (version.number, version.number.saturating_add(1), now);
            record.versions.push(version);
            let surplus = record.versions.len().saturating_sub(VERSIONS_MOST);
            record.versions.drain(..surplus);
        }
        record.path.clone_from(&policy.path);
        record.description.clone_from(&policy.description);
        record.tags = tagged(&record, &policy.tags, |record, tags| record.tags = tags)
            .map_err(|refusal| about.refused(refusal))?;
        self.state.mark(about.account, about.kind, about.name, &record.id);
        self.state.policies.slot(about.account, about.name).set(record);
        Ok(())
    }

    fn group(&mut self, about: About<'_>, group: &Group) -> Result<(), Fault> {
        check::group(group).map_err(|wrong| about.wrong(wrong))?;
        self.attachable(about, &group.attached)?;
        let held = self.state.groups.now(about.account, about.name);
        let held = self.made(about, held, held.map(|held| held.id.as_str()).unwrap_or_default())?;
        let is_new = held.is_none();
        let mut record = match held {
            Some(held) => held,
            None => GroupRecord {
                id: self.id(about, IdKind::Group)?,
                name: group.name.clone(),
                path: String::new(),
                created: self.now,
                policies: Vec::new(),
                attached: Vec::new(),
                key: None,
            },
        };
        if is_new && self.state.references.contains(&key(about.account, about.name)) {
            record.key = Some(reference_of_id(&record.id));
        }
        record.path.clone_from(&group.path);
        held_policies(about, &mut record, &group.policies, &group.attached)?;
        self.state.mark(about.account, about.kind, about.name, &record.id);
        self.state.groups.slot(about.account, about.name).set(record);
        Ok(())
    }

    fn user(&mut self, about: About<'_>, user: &User) -> Result<(), Fault> {
        check::user(user).map_err(|wrong| about.wrong(wrong))?;
        self.attachable(about, &user.attached)?;
        self.attachable(about, user.boundary.as_slice())?;
        let groups = self.groups_of(about, &user.groups)?;
        let held = self.state.users.now(about.account, about.name);
        let held = self.made(about, held, held.map(|held| held.id.as_str()).unwrap_or_default())?;
        let mut record = match held {
            Some(held) => held,
            None => UserRecord {
                id: self.id(about, IdKind::User)?,
                name: user.name.clone(),
                path: String::new(),
                created: self.now,
                policies: Vec::new(),
                attached: Vec::new(),
                boundary: None,
                groups: Vec::new(),
                tags: Vec::new(),
                access_keys: Vec::new(),
            },
        };
        record.path.clone_from(&user.path);
        record.boundary.clone_from(&user.boundary);
        record.groups = in_order(&record.groups, groups);
        record.tags = tagged(&record, &user.tags, |record, tags| record.tags = tags)
            .map_err(|refusal| about.refused(refusal))?;
        held_policies(about, &mut record, &user.policies, &user.attached)?;
        self.state.mark(about.account, about.kind, about.name, &record.id);
        self.state.users.slot(about.account, about.name).set(record);
        Ok(())
    }

    /// The groups of a user, by what records of users call them.
    fn groups_of(&self, about: About<'_>, names: &[String]) -> Result<Vec<String>, Fault> {
        let mut groups = Vec::with_capacity(names.len());
        for name in names {
            let group = self.state.groups.now(about.account, name);
            let group = group.ok_or_else(|| about.fault(format!("there is no group `{name}`")))?;
            groups.push(group.reference().to_owned());
        }
        groups.sort();
        groups.dedup();
        if groups.len() > GROUPS_MOST {
            return Err(about.fault(format!("a user is in {GROUPS_MOST} groups at most")));
        }
        Ok(groups)
    }

    fn role(&mut self, about: About<'_>, role: &Role) -> Result<(), Fault> {
        check::role(role).map_err(|wrong| about.wrong(wrong))?;
        self.attachable(about, &role.attached)?;
        self.attachable(about, role.boundary.as_slice())?;
        let held = self.state.roles.now(about.account, about.name);
        let held = self.made(about, held, held.map(|held| held.id.as_str()).unwrap_or_default())?;
        let mut record = match held {
            Some(held) => held,
            None => RoleRecord {
                id: self.id(about, IdKind::Role)?,
                name: role.name.clone(),
                path: String::new(),
                created: self.now,
                trust: String::new(),
                description: None,
                max_session_seconds: 0,
                policies: Vec::new(),
                attached: Vec::new(),
                boundary: None,
                tags: Vec::new(),
                bound: None,
            },
        };
        record.path.clone_from(&role.path);
        record.trust.clone_from(&role.trust);
        record.description.clone_from(&role.description);
        record.max_session_seconds = role.max_session_seconds;
        record.boundary.clone_from(&role.boundary);
        record.tags = tagged(&record, &role.tags, |record, tags| record.tags = tags)
            .map_err(|refusal| about.refused(refusal))?;
        held_policies(about, &mut record, &role.policies, &role.attached)?;
        self.state.mark(about.account, about.kind, about.name, &record.id);
        self.state.roles.slot(about.account, about.name).set(record);
        Ok(())
    }

    fn provider(&mut self, about: About<'_>, provider: &Provider) -> Result<(), Fault> {
        check::provider(provider).map_err(|wrong| about.wrong(wrong))?;
        let url = provider.url.trim_start_matches("https://");
        let about = About { name: url, ..about };
        let held = self.state.providers.now(about.account, url);
        let id = held.map(|held| held.created.millis().to_string()).unwrap_or_default();
        let held = self.made(about, held, &id)?;
        let mut record = held.unwrap_or_else(|| ProviderRecord {
            url: url.to_owned(),
            client_ids: Vec::new(),
            thumbprints: Vec::new(),
            created: self.now,
            tags: Vec::new(),
        });
        let thumbprints = provider.thumbprints.iter().map(|print| print.to_ascii_lowercase()).collect();
        record.client_ids = in_order(&record.client_ids, sorted(provider.client_ids.clone()));
        record.thumbprints = in_order(&record.thumbprints, sorted(thumbprints));
        record.tags = tagged(&record, &provider.tags, |record, tags| record.tags = tags)
            .map_err(|refusal| about.refused(refusal))?;
        self.state.mark(about.account, about.kind, url, &record.created.millis().to_string());
        self.state.providers.slot(about.account, url).set(record);
        Ok(())
    }

    /// Refuses managed policies that are not there.
    fn attachable(&self, about: About<'_>, arns: &[String]) -> Result<(), Fault> {
        for arn in arns {
            let account = about.account;
            let own = || {
                let policy = self.state.policies.now(account, managed_name(account, arn)?)?;
                (policy.arn(account) == *arn).then_some(())
            };
            if aws_managed::find(arn).is_none() && own().is_none() {
                return Err(about.fault(format!("there is no policy {arn} in this account")));
            }
        }
        Ok(())
    }
}

/// Own and attached policies, in the order in which the entity has them where they are the same.
fn held_policies<E: PolicyHolder>(
    about: About<'_>,
    entity: &mut E,
    policies: &[InlinePolicy],
    attached: &[String],
) -> Result<(), Fault> {
    let mut policies = policies.to_vec();
    policies.sort_by(|one, other| one.name.cmp(&other.name));
    for (index, policy) in policies.iter().enumerate() {
        if policies.iter().skip(index + 1).any(|other| same_name(&policy.name, &other.name)) {
            return Err(about.fault(format!("there are two policies `{}`", policy.name)));
        }
    }
    let attached = sorted(attached.to_vec());
    if attached.len() > ATTACHED_MOST {
        return Err(about.fault(format!("{ATTACHED_MOST} policies can be attached at most")));
    }
    *entity.policies_mut() = in_order(entity.policies(), policies);
    *entity.attached_mut() = in_order(entity.attached(), attached);
    policy_check::inline(entity).map_err(|refusal| about.refused(refusal))
}

/// The tags of an entity, in the order in which it has them where they are the same.
fn tagged<E: crate::entity::Tagged>(
    entity: &E,
    tags: &[TagRecord],
    set: impl FnOnce(&mut E, Vec<TagRecord>),
) -> Result<Vec<TagRecord>, Refusal> {
    let mut bare = entity.clone();
    set(&mut bare, Vec::new());
    tag_check::put(&mut bare, tags)?;
    let mut wanted = bare.tags().to_vec();
    wanted.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(in_order(entity.tags(), wanted))
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts.dedup();
    texts
}

/// `wanted`, or `held` where it is the same in another order.
fn in_order<T: Clone + PartialEq>(held: &[T], wanted: Vec<T>) -> Vec<T> {
    let is_same = held.len() == wanted.len() && wanted.iter().all(|item| held.contains(item));
    if is_same { held.to_vec() } else { wanted }
}
