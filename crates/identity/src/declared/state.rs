//! The records that a declaration is about, as the store has them and as they are to be.

use std::collections::{BTreeMap, BTreeSet};

use keyreeve_core::identity::record::{
    AccountRecord, DeclaredRecord, GroupRecord, ManagedPolicyRecord, OrganizationRecord, ProviderRecord,
    RoleRecord, UserRecord,
};
use keyreeve_core::identity::space::{Declared, Holder};
use keyreeve_core::record::CredentialRecord;
use keyreeve_domain::AccountId;
use keyreeve_store::Version;

/// An account, and a name in lower case in it.
pub(super) type Key = (AccountId, String);

pub(super) fn key(account: AccountId, name: &str) -> Key {
    (account, name.to_ascii_lowercase())
}

/// What is to become of a record.
pub(super) enum After<R> {
    Gone,
    Put(R),
    Same,
}

/// A place of a record.
pub(super) struct Slot<R> {
    /// The version that the store has; none where there is no record.
    pub(super) version: Option<Version>,
    pub(super) before: Option<R>,
    pub(super) after: After<R>,
}

impl<R> Default for Slot<R> {
    fn default() -> Self {
        Self { version: None, before: None, after: After::Same }
    }
}

impl<R> Slot<R> {
    /// The record as it is to be.
    pub(super) fn now(&self) -> Option<&R> {
        match &self.after {
            After::Gone => None,
            After::Put(record) => Some(record),
            After::Same => self.before.as_ref(),
        }
    }

    /// Removes the record.
    pub(super) fn remove(&mut self) {
        self.after = if self.before.is_some() { After::Gone } else { After::Same };
    }
}

impl<R: PartialEq> Slot<R> {
    /// Lets the record be this; no change where it is.
    pub(super) fn set(&mut self, record: R) {
        self.after = if self.before.as_ref() == Some(&record) { After::Same } else { After::Put(record) };
    }
}

/// The records of one kind.
pub(super) struct Table<R>(pub(super) BTreeMap<Key, Slot<R>>);

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<R> Table<R> {
    pub(super) fn slot(&mut self, account: AccountId, name: &str) -> &mut Slot<R> {
        self.0.entry(key(account, name)).or_default()
    }

    pub(super) fn now(&self, account: AccountId, name: &str) -> Option<&R> {
        self.0.get(&key(account, name))?.now()
    }
}

/// What is left in an account that the file made and no longer names.
#[derive(Clone, Copy, Default)]
pub(super) struct Contents {
    pub(super) identities: u64,
    pub(super) kms_keys: u64,
}

/// Everything that a declaration is about.
#[derive(Default)]
pub(super) struct State {
    pub(super) accounts: Table<AccountRecord>,
    pub(super) policies: Table<ManagedPolicyRecord>,
    pub(super) groups: Table<GroupRecord>,
    pub(super) users: Table<UserRecord>,
    pub(super) roles: Table<RoleRecord>,
    pub(super) providers: Table<ProviderRecord>,
    /// By id.
    pub(super) credentials: BTreeMap<String, Slot<CredentialRecord>>,
    pub(super) marks: BTreeMap<(AccountId, Declared, String), Slot<DeclaredRecord>>,
    pub(super) organization: Slot<OrganizationRecord>,
    /// Names that groups are still known by which are called otherwise now.
    pub(super) references: BTreeSet<Key>,
    /// The users of each group that the file made, in lower case.
    pub(super) members: BTreeMap<Key, BTreeSet<String>>,
    /// Who holds each policy that the file made, in lower case.
    pub(super) holders: BTreeMap<Key, BTreeSet<(&'static str, String)>>,
    /// The unique ids of trust policies that somebody has.
    pub(super) ids: BTreeSet<String>,
    /// By account that the file made.
    pub(super) contents: BTreeMap<AccountId, Contents>,
}

impl State {
    /// Whether the file made `name`, which has this id.
    pub(super) fn is_made(&self, account: AccountId, kind: Declared, name: &str, id: &str) -> bool {
        let mark = self.marks.get(&(account, kind, kind.name(name)));
        mark.and_then(|mark| mark.before.as_ref()).is_some_and(|mark| mark.id == id)
    }

    /// Notes that the file made `name`, which has this id.
    pub(super) fn mark(&mut self, account: AccountId, kind: Declared, name: &str, id: &str) {
        let slot = self.marks.entry((account, kind, kind.name(name))).or_default();
        slot.set(DeclaredRecord { id: id.to_owned() });
    }

    /// The group that records of users call `reference`, by its name in lower case.
    pub(super) fn group_of(&self, account: AccountId, reference: &str) -> Option<(&Key, &Slot<GroupRecord>)> {
        let is_it = |(_, slot): &(&Key, &Slot<GroupRecord>)| {
            slot.now().is_some_and(|group| group.reference().eq_ignore_ascii_case(reference))
        };
        let named = self.groups.0.get_key_value(&key(account, reference)).filter(is_it);
        named.or_else(|| {
            self.groups.0.range(key(account, "")..).take_while(|(key, _)| key.0 == account).find(is_it)
        })
    }

    /// The access key `id`, as it is to be.
    pub(super) fn credential(&self, id: &str) -> Option<&CredentialRecord> {
        self.credentials.get(id)?.now()
    }
}

/// How the holders of a policy are told apart in an index.
pub(super) const HOLDERS: [Holder; 5] =
    [Holder::Group, Holder::Role, Holder::RoleBoundary, Holder::User, Holder::UserBoundary];
