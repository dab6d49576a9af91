//! What users, groups, roles, managed policies and providers have in common.

use keyreeve_core::identity::record::{
    GroupRecord, InlinePolicy, ManagedPolicyRecord, ProviderRecord, RoleRecord, UserRecord,
};
use keyreeve_core::identity::space::{self, Holder};
use keyreeve_core::record::{Record, TagRecord};
use keyreeve_core::space::SpaceError;
use keyreeve_domain::AccountId;
use keyreeve_store::Path;

use crate::refusal::Refusal;

/// A resource of IAM with a record of its own.
pub(crate) trait Entity: Record + Clone + PartialEq {
    /// Its kind, as ARNs have it.
    const NOUN: &'static str;

    /// Where it stands.
    fn path(account: AccountId, name: &str) -> Result<Path, SpaceError>;
    /// Where all of its kind stand.
    fn prefix(account: AccountId) -> Vec<u8>;
    /// Its name.
    fn name(&self) -> &str;
    /// Its path in IAM, from `/` to `/`.
    fn iam_path(&self) -> &str;
    /// Its tags.
    fn tags(&self) -> &[TagRecord];
    /// Its permissions boundary.
    fn boundary(&self) -> Option<&str> {
        None
    }

    /// Its ARN.
    fn arn(&self, account: AccountId) -> String {
        arn::<Self>(account, self.iam_path(), self.name())
    }

    /// How a refusal names it.
    // Seen from IAM: `user bob`, `role r`, `policy arn:…`.
    fn shown(target: Target<'_>, arn: &str) -> String {
        format!("{} {}", Self::NOUN, if target.arn.is_some() { arn } else { target.name })
    }

    /// The refusal where there is none.
    fn missing(target: Target<'_>) -> Refusal {
        target.arn.map_or_else(|| no_name(Self::NOUN, target.name), crate::arn::no_policy)
    }
}

fn no_name(kind: &str, name: &str) -> Refusal {
    Refusal::missing(format!("The {kind} with name {name} cannot be found."))
}

/// What a request names.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// The name.
    pub(crate) name: &'a str,
    /// The whole ARN, where it is named so.
    pub(crate) arn: Option<&'a str>,
}

impl<'a> From<&'a str> for Target<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, arn: None }
    }
}

impl<'a> From<&'a String> for Target<'a> {
    fn from(name: &'a String) -> Self {
        Self { name, arn: None }
    }
}

/// The ARN that an entity would have.
pub(crate) fn arn<E: Entity>(account: AccountId, iam_path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:{}{iam_path}{name}", E::NOUN)
}

/// An entity with policies.
pub(crate) trait PolicyHolder: Entity {
    /// How it holds a managed policy that is attached to it.
    const HOLDER: Holder;
    /// The name of the quota of attached policies.
    const QUOTA: &'static str;
    /// The characters that its own policies may have in all.
    const INLINE_MOST: usize;

    /// Its own policies.
    fn policies(&self) -> &[InlinePolicy];
    /// Its own policies.
    fn policies_mut(&mut self) -> &mut Vec<InlinePolicy>;
    /// The ARNs of the policies that are attached to it.
    fn attached(&self) -> &[String];
    /// The ARNs of the policies that are attached to it.
    fn attached_mut(&mut self) -> &mut Vec<String>;
}

/// An entity that can be bounded.
pub(crate) trait Bounded: Entity {
    /// How it holds a managed policy that bounds it.
    const BOUNDARY: Holder;

    /// Its permissions boundary.
    fn boundary_mut(&mut self) -> &mut Option<String>;
}

/// How keys of tags are told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TagKeys {
    /// By their bytes.
    Exact,
    /// Without regard to case.
    IgnoringCase,
}

impl TagKeys {
    /// Whether two keys are one.
    pub(crate) fn same(self, one: &str, other: &str) -> bool {
        match self {
            Self::Exact => one == other,
            Self::IgnoringCase => same_name(one, other),
        }
    }
}

/// An entity that can be tagged.
pub(crate) trait Tagged: Entity {
    /// What is said of one tag more than it may have.
    const TAG_QUOTA: &'static str;
    /// Whether two keys of tags that differ in case are one.
    const TAG_KEYS: TagKeys;

    /// Its tags.
    fn tags_mut(&mut self) -> &mut Vec<TagRecord>;
}

macro_rules! entity {
    ($record:ident, $kind:literal, $path:path, $prefix:path, tags $tags:expr $(, boundary $boundary:expr)?) => {
        impl Entity for $record {
            const NOUN: &'static str = $kind;

            fn path(account: AccountId, name: &str) -> Result<Path, SpaceError> {
                $path(account, name)
            }

            fn prefix(account: AccountId) -> Vec<u8> {
                $prefix(account)
            }

            fn name(&self) -> &str {
                &self.name
            }

            fn iam_path(&self) -> &str {
                &self.path
            }

            fn tags(&self) -> &[TagRecord] {
                let tags: fn(&Self) -> &[TagRecord] = $tags;
                tags(self)
            }

            $(fn boundary(&self) -> Option<&str> {
                let boundary: fn(&Self) -> Option<&str> = $boundary;
                boundary(self)
            })?
        }
    };
}

entity!(
    UserRecord,
    "user",
    space::user,
    space::users_prefix,
    tags | user | &user.tags,
    boundary | user | user.boundary.as_deref()
);
entity!(GroupRecord, "group", space::group, space::groups_prefix, tags | _ | &[]);
entity!(
    RoleRecord,
    "role",
    space::role,
    space::roles_prefix,
    tags | role | &role.tags,
    boundary | role | role.boundary.as_deref()
);
entity!(ManagedPolicyRecord, "policy", space::policy, space::policies_prefix, tags | policy | &policy.tags);

impl Entity for ProviderRecord {
    const NOUN: &'static str = "oidc-provider";

    fn path(account: AccountId, name: &str) -> Result<Path, SpaceError> {
        space::provider(account, name)
    }

    fn prefix(account: AccountId) -> Vec<u8> {
        space::providers_prefix(account)
    }

    fn name(&self) -> &str {
        &self.url
    }

    fn iam_path(&self) -> &str {
        "/"
    }

    fn tags(&self) -> &[TagRecord] {
        &self.tags
    }

    fn shown(_: Target<'_>, arn: &str) -> String {
        arn.to_owned()
    }

    fn missing(target: Target<'_>) -> Refusal {
        target.arn.map_or_else(|| no_name(Self::NOUN, target.name), crate::arn::no_provider)
    }
}

macro_rules! policy_holders {
    ($($record:ident, $holder:ident, $quota:literal, $most:literal;)+) => {$(
        impl PolicyHolder for $record {
            const HOLDER: Holder = Holder::$holder;
            const QUOTA: &'static str = $quota;
            const INLINE_MOST: usize = $most;

            fn policies(&self) -> &[InlinePolicy] {
                &self.policies
            }

            fn policies_mut(&mut self) -> &mut Vec<InlinePolicy> {
                &mut self.policies
            }

            fn attached(&self) -> &[String] {
                &self.attached
            }

            fn attached_mut(&mut self) -> &mut Vec<String> {
                &mut self.attached
            }
        }
    )+};
}

policy_holders! {
    GroupRecord, Group, "PoliciesPerGroup", 5120;
    RoleRecord, Role, "PoliciesPerRole", 10_240;
    UserRecord, User, "PoliciesPerUser", 2048;
}

macro_rules! bounded {
    ($($record:ident, $holder:ident;)+) => {$(
        impl Bounded for $record {
            const BOUNDARY: Holder = Holder::$holder;

            fn boundary_mut(&mut self) -> &mut Option<String> {
                &mut self.boundary
            }
        }
    )+};
}

bounded! {
    RoleRecord, RoleBoundary;
    UserRecord, UserBoundary;
}

macro_rules! tagged {
    ($($record:ident, $quota:literal, $keys:ident;)+) => {$(
        impl Tagged for $record {
            const TAG_QUOTA: &'static str = $quota;
            const TAG_KEYS: TagKeys = TagKeys::$keys;

            fn tags_mut(&mut self) -> &mut Vec<TagRecord> {
                &mut self.tags
            }
        }
    )+};
}

tagged! {
    ManagedPolicyRecord, "Cannot exceed quota for TagsPerPolicy: 50", Exact;
    ProviderRecord, "The number of tags has reached the maximum limit.", Exact;
    RoleRecord, "Cannot exceed quota for TagsPerRole: 50", IgnoringCase;
    UserRecord, "Cannot exceed quota for TagsPerUser: 50", IgnoringCase;
}

/// Whether two names are one: IAM tells none apart by case.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}
