//! Where identities stand in the store.
//!
//! ```text
//! account/<account>                                an account
//! iam/<account>/user/<name>                        a user
//! iam/<account>/group/<name>                       a group
//! iam/<account>/role/<name>                        a role
//! iam/<account>/policy/<name>                      a customer managed policy
//! iam/<account>/provider/<url>                     an OpenID Connect provider; the URL may hold a `/`
//! group-key/<account>/<reference>                  the group that the records of users call so, where it is not its name
//! member/<account>/<reference>/<user>              index: the users of a group, by what their records call it
//! attached/<account>/<policy>/<holder kind>/<holder>   index: who has a managed policy; `aws:<name>` is one of AWS
//! unique/<unique id>                               what a unique id stands for
//! organization                                     the organization
//! followed                                         which declaration all of these were found to be as
//! declared/<account>/<kind>/<name>                 that the identity file made it; the name may hold a `/`
//! ```
//! Names are in lower case here: IAM tells no two of them apart by case.

use keyreeve_domain::AccountId;
use keyreeve_store::Path;

use crate::identity::aws_managed;
use crate::space::{SpaceError, path};

/// Every account.
pub const ACCOUNT_PREFIX: &[u8] = b"account/";

/// All identities of an account but the account itself.
#[must_use]
pub fn identities_prefix(account: AccountId) -> Vec<u8> {
    format!("iam/{account}/").into_bytes()
}

/// An account.
///
/// # Errors
/// Never for well-formed parts, as for every function of this module.
pub fn account(account: AccountId) -> Result<Path, SpaceError> {
    path(format!("account/{account}"))
}

/// The organization.
///
/// # Errors
/// See [`account`].
pub fn organization() -> Result<Path, SpaceError> {
    path("organization".into())
}

/// Which declaration everything was found to be as.
///
/// # Errors
/// See [`account`].
pub fn followed() -> Result<Path, SpaceError> {
    path("followed".into())
}

/// Everything that the identity file made.
pub const DECLARED_PREFIX: &[u8] = b"declared/";

/// What the identity file can make.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Declared {
    /// An access key, of a user or a service.
    AccessKey,
    /// An account.
    Account,
    /// A group.
    Group,
    /// A customer managed policy.
    Policy,
    /// An OpenID Connect provider.
    Provider,
    /// A role.
    Role,
    /// A user.
    User,
}

impl Declared {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::AccessKey, Self::Account, Self::Group, Self::Policy, Self::Provider, Self::Role, Self::User];

    /// The part of a path, which people read as well.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessKey => "access key",
            Self::Account => "account",
            Self::Group => "group",
            Self::Policy => "policy",
            Self::Provider => "provider",
            Self::Role => "role",
            Self::User => "user",
        }
    }

    /// A name as marks have it: in lower case, but for the ids of access keys, which are told apart by it.
    #[must_use]
    pub fn name(self, name: &str) -> String {
        if self == Self::AccessKey { name.to_owned() } else { name.to_ascii_lowercase() }
    }
}

/// That the identity file made `name`.
///
/// # Errors
/// See [`account`].
pub fn declared(account: AccountId, kind: Declared, name: &str) -> Result<Path, SpaceError> {
    path(format!("declared/{account}/{}/{}", kind.as_str(), kind.name(name)))
}

/// What a path under [`DECLARED_PREFIX`] says: the name as [`Declared::name`] has it.
#[must_use]
pub fn read_declared(path: &Path) -> Option<(AccountId, Declared, String)> {
    let rest = core::str::from_utf8(path.as_bytes().strip_prefix(DECLARED_PREFIX)?).ok()?;
    let mut parts = rest.splitn(3, '/');
    let (account, kind, name) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
    let kind = Declared::ALL.into_iter().find(|known| known.as_str() == kind)?;
    Some((account, kind, name.to_owned()))
}

/// What a unique id stands for.
///
/// # Errors
/// See [`account`].
pub fn unique(id: &str) -> Result<Path, SpaceError> {
    path(format!("unique/{id}"))
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $one:ident, $all:ident, $part:literal;)+) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// See [`account`].
        pub fn $one(account: AccountId, name: &str) -> Result<Path, SpaceError> {
            path(format!(concat!("iam/{}/", $part, "/{}"), account, name.to_ascii_lowercase()))
        }

        #[doc = concat!("Every ", $part, " of an account.")]
        #[must_use]
        pub fn $all(account: AccountId) -> Vec<u8> {
            format!(concat!("iam/{}/", $part, "/"), account).into_bytes()
        }
    )+};
}

kinds! {
    /// A group.
    group, groups_prefix, "group";
    /// A customer managed policy.
    policy, policies_prefix, "policy";
    /// An OpenID Connect provider, by its URL without `https://`.
    provider, providers_prefix, "provider";
    /// A role.
    role, roles_prefix, "role";
    /// A user.
    user, users_prefix, "user";
}

/// What the group is called that records of users call `reference`.
///
/// # Errors
/// See [`account`].
pub fn group_key(account: AccountId, reference: &str) -> Result<Path, SpaceError> {
    path(format!("group-key/{account}/{}", reference.to_ascii_lowercase()))
}

/// The index entry of a user of a group, by the reference of it.
///
/// # Errors
/// See [`account`].
pub fn member(account: AccountId, group: &str, user: &str) -> Result<Path, SpaceError> {
    path(format!("member/{account}/{}/{}", group.to_ascii_lowercase(), user.to_ascii_lowercase()))
}

/// The users of a group, by the reference of it.
#[must_use]
pub fn members_prefix(account: AccountId, group: &str) -> Vec<u8> {
    format!("member/{account}/{}/", group.to_ascii_lowercase()).into_bytes()
}

/// Who holds a policy, and how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holder {
    /// A group that it is attached to.
    Group,
    /// A role that it is attached to.
    Role,
    /// A role that it bounds.
    RoleBoundary,
    /// A user that it is attached to.
    User,
    /// A user that it bounds.
    UserBoundary,
}

impl Holder {
    /// The part of a path.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Role => "role",
            Self::RoleBoundary => "role-boundary",
            Self::User => "user",
            Self::UserBoundary => "user-boundary",
        }
    }
}

impl Holder {
    /// Reads what [`Holder::as_str`] writes.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let all = [Self::Group, Self::Role, Self::RoleBoundary, Self::User, Self::UserBoundary];
        all.into_iter().find(|holder| holder.as_str() == text)
    }
}

/// How the index of holders names the policy with this ARN: one of AWS has a colon, which no name of a policy has.
#[must_use]
pub fn index_name(arn: &str) -> String {
    match aws_managed::find(arn) {
        Some(policy) => format!("aws:{}", policy.name),
        None => arn.rsplit('/').next().unwrap_or_default().to_owned(),
    }
}

/// The index entry of one holder of a customer managed policy.
///
/// # Errors
/// See [`account`].
pub fn attached(account: AccountId, policy: &str, kind: Holder, holder: &str) -> Result<Path, SpaceError> {
    let (policy, holder) = (policy.to_ascii_lowercase(), holder.to_ascii_lowercase());
    path(format!("attached/{account}/{policy}/{}/{holder}", kind.as_str()))
}

/// Everyone of one kind who holds a customer managed policy.
#[must_use]
pub fn holders_of_kind_prefix(account: AccountId, policy: &str, kind: Holder) -> Vec<u8> {
    format!("attached/{account}/{}/{}/", policy.to_ascii_lowercase(), kind.as_str()).into_bytes()
}
