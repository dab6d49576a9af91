//! The records of identities. Their form is that of [`crate::record`].

use keyreeve_domain::{AccountId, Timestamp};
use minicbor::{Decode, Encode};

use crate::record::{BoundPrincipal, TagRecord, record};

record! {
    AccountRecord = 7,
    UserRecord = 8,
    GroupRecord = 9,
    RoleRecord = 10,
    ManagedPolicyRecord = 11,
    ProviderRecord = 12,
    UniqueRecord = 13,
    OrganizationRecord = 14,
    DeclaredRecord = 18,
    GroupKeyRecord = 26,
}

/// An account.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct AccountRecord {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// When it was made.
    #[n(1)]
    #[cbor(with = "crate::record::millis")]
    pub created: Timestamp,
    /// The ids of its root user's access keys.
    #[n(2)]
    pub root_access_keys: Vec<String>,
}

/// A policy that belongs to one user, group or role.
#[derive(Clone, Debug, Decode, Encode, Eq, Hash, PartialEq)]
pub struct InlinePolicy {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// Its text, as given.
    #[n(1)]
    pub text: String,
}

/// An IAM user.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct UserRecord {
    /// Its unique id, `AIDA…`.
    #[n(0)]
    pub id: String,
    /// Its name, as given.
    #[n(1)]
    pub name: String,
    /// Its path, from `/` to `/`.
    #[n(2)]
    pub path: String,
    /// When it was made.
    #[n(3)]
    #[cbor(with = "crate::record::millis")]
    pub created: Timestamp,
    /// Its own policies, by name.
    #[n(4)]
    pub policies: Vec<InlinePolicy>,
    /// The ARNs of the managed policies that are attached to it.
    #[n(5)]
    pub attached: Vec<String>,
    /// The ARN of the managed policy that bounds its permissions.
    #[n(6)]
    pub boundary: Option<String>,
    /// Its groups, by their references: the names that they were made with.
    #[n(7)]
    pub groups: Vec<String>,
    /// Its tags.
    #[n(8)]
    pub tags: Vec<TagRecord>,
    /// The ids of its access keys.
    #[n(9)]
    pub access_keys: Vec<String>,
}

/// An IAM group.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct GroupRecord {
    /// Its unique id, `AGPA…`.
    #[n(0)]
    pub id: String,
    /// Its name, as given.
    #[n(1)]
    pub name: String,
    /// Its path, from `/` to `/`.
    #[n(2)]
    pub path: String,
    /// When it was made.
    #[n(3)]
    #[cbor(with = "crate::record::millis")]
    pub created: Timestamp,
    /// Its own policies, by name.
    #[n(4)]
    pub policies: Vec<InlinePolicy>,
    /// The ARNs of the managed policies that are attached to it.
    #[n(5)]
    pub attached: Vec<String>,
    /// What the records of its users call it; none where that is its name.
    #[n(6)]
    pub key: Option<String>,
}

/// The group that the records of users call by another name than its own.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct GroupKeyRecord {
    /// Its name.
    #[n(0)]
    pub name: String,
}

/// An IAM role.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct RoleRecord {
    /// Its unique id, `AROA…`.
    #[n(0)]
    pub id: String,
    /// Its name, as given.
    #[n(1)]
    pub name: String,
    /// Its path, from `/` to `/`.
    #[n(2)]
    pub path: String,
    /// When it was made.
    #[n(3)]
    #[cbor(with = "crate::record::millis")]
    pub created: Timestamp,
    /// Its trust policy, as given.
    #[n(4)]
    pub trust: String,
    /// What it is for.
    #[n(5)]
    pub description: Option<String>,
    /// The longest session, in seconds.
    #[n(6)]
    pub max_session_seconds: u32,
    /// Its own policies, by name.
    #[n(7)]
    pub policies: Vec<InlinePolicy>,
    /// The ARNs of the managed policies that are attached to it.
    #[n(8)]
    pub attached: Vec<String>,
    /// The ARN of the managed policy that bounds its permissions.
    #[n(9)]
    pub boundary: Option<String>,
    /// Its tags.
    #[n(10)]
    pub tags: Vec<TagRecord>,
    /// The users and roles that its trust policy names, with the unique ids that they had when it was put.
    #[n(11)]
    pub bound: Option<Vec<BoundPrincipal>>,
}

/// A customer managed policy.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct ManagedPolicyRecord {
    /// Its unique id, `ANPA…`.
    #[n(0)]
    pub id: String,
    /// Its name, as given.
    #[n(1)]
    pub name: String,
    /// Its path, from `/` to `/`.
    #[n(2)]
    pub path: String,
    /// When it was made.
    #[n(3)]
    #[cbor(with = "crate::record::millis")]
    pub created: Timestamp,
    /// When a version was last made, chosen or deleted.
    #[n(4)]
    #[cbor(with = "crate::record::millis")]
    pub updated: Timestamp,
    /// What it is for.
    #[n(5)]
    pub description: Option<String>,
    /// Its versions, the oldest first.
    #[n(6)]
    pub versions: Vec<PolicyVersion>,
    /// The number of the version that counts.
    #[n(7)]
    pub default: u32,
    /// The number of the next version: none is used twice.
    #[n(8)]
    pub next: u32,
    /// Its tags.
    #[n(9)]
    pub tags: Vec<TagRecord>,
}

/// A version of a managed policy.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct PolicyVersion {
    /// Its number: 1 for `v1`.
    #[n(0)]
    pub number: u32,
    /// Its text, as given.
    #[n(1)]
    pub text: String,
    /// When it was made.
    #[n(2)]
    #[cbor(with = "crate::record::millis")]
    pub created: Timestamp,
}

/// An OpenID Connect identity provider.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct ProviderRecord {
    /// Its URL without `https://`.
    #[n(0)]
    pub url: String,
    /// The client ids (audiences) that are accepted.
    #[n(1)]
    pub client_ids: Vec<String>,
    /// Thumbprints of its certificates.
    #[n(2)]
    pub thumbprints: Vec<String>,
    /// When it was made.
    #[n(3)]
    #[cbor(with = "crate::record::millis")]
    pub created: Timestamp,
    /// Its tags.
    #[n(4)]
    pub tags: Vec<TagRecord>,
}

/// What a unique id stands for.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct UniqueRecord {
    /// The account.
    #[n(0)]
    #[cbor(with = "crate::record::text")]
    pub account: AccountId,
    /// Whether it is a role; else a user.
    #[n(1)]
    pub is_role: bool,
    /// The name.
    #[n(2)]
    pub name: String,
}

/// That the identity file made something, and may change and remove it.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct DeclaredRecord {
    /// What tells it from another of the same name, made later by somebody else: its unique id, or when it was made.
    #[n(0)]
    pub id: String,
}

/// The organization: a tree of units, with the policies and accounts of each.
#[derive(Clone, Debug, Decode, Encode, Eq, Hash, PartialEq)]
pub struct OrganizationRecord {
    /// Its id, `o-…`.
    #[n(0)]
    pub id: String,
    /// The account that service control policies do not bind.
    #[n(1)]
    #[cbor(with = "crate::record::text")]
    pub management_account: AccountId,
    /// The root and the organizational units, each after the one that it is in.
    #[n(2)]
    pub units: Vec<UnitRecord>,
}

/// The root of the organization, or an organizational unit.
#[derive(Clone, Debug, Decode, Encode, Eq, Hash, PartialEq)]
pub struct UnitRecord {
    /// Its id, `r-…` or `ou-…`.
    #[n(0)]
    pub id: String,
    /// Its name.
    #[n(1)]
    pub name: String,
    /// Where the unit that it is in stands in the list; none for the root.
    #[n(2)]
    pub parent: Option<u32>,
    /// Its service control policies.
    #[n(3)]
    pub service_control: Vec<InlinePolicy>,
    /// Its resource control policies.
    #[n(4)]
    pub resource_control: Vec<InlinePolicy>,
    /// The accounts that are in it.
    #[n(5)]
    pub accounts: Vec<MemberRecord>,
}

/// An account of the organization.
#[derive(Clone, Debug, Decode, Encode, Eq, Hash, PartialEq)]
pub struct MemberRecord {
    /// The account.
    #[n(0)]
    #[cbor(with = "crate::record::text")]
    pub account: AccountId,
    /// Its own service control policies.
    #[n(1)]
    pub service_control: Vec<InlinePolicy>,
    /// Its own resource control policies.
    #[n(2)]
    pub resource_control: Vec<InlinePolicy>,
}

impl ManagedPolicyRecord {
    /// The version that counts.
    #[must_use]
    pub fn default_version(&self) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.number == self.default)
    }
}
