//! Who asks, and how strongly a policy names him.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>.

use alloc::boxed::Box;
use alloc::string::String;

use keyreeve_domain::AccountId;

use crate::principal::{AwsPrincipal, Principals};

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum Caller<'a> {
    /// Nobody who is known. Nothing allows him anything.
    Anonymous,
    /// The session of a user, from `GetFederationToken`.
    FederatedUser {
        /// The account.
        account: AccountId,
        /// The ARN of the session.
        session: &'a str,
        /// The ARN of the user who asked for it.
        user: Option<&'a str>,
    },
    /// The session of a role.
    Role(RoleSession<'a>),
    /// The root user of an account.
    Root {
        /// The account.
        account: AccountId,
    },
    /// A service.
    Service {
        /// Such as `logs.us-east-1.amazonaws.com`.
        name: &'a str,
    },
    /// A user.
    User {
        /// The account.
        account: AccountId,
        /// The ARN.
        arn: &'a str,
    },
}

/// The session of a role.
#[derive(Clone, Copy, Debug)]
pub struct RoleSession<'a> {
    account: AccountId,
    session: &'a str,
    /// Without its path. An account has one role of a name.
    role: &'a str,
    is_service_linked: bool,
}

impl<'a> RoleSession<'a> {
    /// The session with the ARN `session` of the role with the ARN `role`.
    ///
    /// Without the latter, the role is the one that the ARN of the session names, which has no path.
    #[must_use]
    pub fn new(account: AccountId, session: &'a str, role: Option<&'a str>) -> Self {
        let named = role.and_then(|role| role.rsplit_once('/')).map(|(_, name)| name);
        let of_session = || session.split_once(":assumed-role/").and_then(|(_, rest)| rest.split('/').next());
        Self {
            account,
            session,
            role: named.or_else(of_session).unwrap_or_default(),
            is_service_linked: role.is_some_and(|role| role.contains(":role/aws-service-role/")),
        }
    }
}

impl Caller<'_> {
    /// The account that he belongs to.
    pub(crate) fn account(&self) -> Option<AccountId> {
        match self {
            Self::Anonymous | Self::Service { .. } => None,
            Self::FederatedUser { account, .. } | Self::Root { account } | Self::User { account, .. } => {
                Some(*account)
            }
            Self::Role(session) => Some(session.account),
        }
    }

    pub(crate) fn is_root(&self) -> bool {
        matches!(self, Self::Root { .. })
    }

    pub(crate) fn is_service_linked(&self) -> bool {
        matches!(self, Self::Role(session) if session.is_service_linked)
    }
}

/// How strongly a policy names a caller; the order counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Strength {
    /// By his account, which is left to say the rest.
    Account,
    /// By the role or the user that his session stands for.
    Identity,
    /// Himself.
    Direct,
}

/// A principal of the kind `AWS`, taken apart.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    Account(AccountId),
    Anyone,
    Nobody,
    Role { account: AccountId, name: Box<str> },
    Session(Box<str>),
    User(Box<str>),
}

impl Named {
    pub(crate) fn new(principal: &AwsPrincipal) -> Self {
        match principal {
            AwsPrincipal::Account(account) => Self::Account(*account),
            AwsPrincipal::Anyone => Self::Anyone,
            AwsPrincipal::Gone(_) => Self::Nobody,
            AwsPrincipal::Identity(arn) => Self::identity(arn).unwrap_or(Self::Nobody),
        }
    }

    fn identity(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(2);
        let (service, account, resource) = (parts.next()?, parts.nth(1)?, parts.next()?);
        match resource.split_once('/')? {
            ("role", name) => {
                let name = name.rsplit('/').next()?.into();
                Some(Self::Role { account: account.parse().ok()?, name })
            }
            ("user", _) if service == "iam" => Some(Self::User(arn.into())),
            _ => Some(Self::Session(arn.into())),
        }
    }

    /// How strongly this names `caller`, if it does.
    pub(crate) fn strength(&self, caller: &Caller<'_>) -> Option<Strength> {
        match self {
            Self::Anyone => Some(Strength::Direct),
            Self::Nobody => None,
            Self::Account(account) => (caller.account()? == *account)
                .then(|| if caller.is_root() { Strength::Direct } else { Strength::Account }),
            Self::User(user) => match caller {
                Caller::User { arn, .. } => (*arn == &**user).then_some(Strength::Direct),
                Caller::FederatedUser { user: of, .. } => {
                    (*of == Some(&**user)).then_some(Strength::Identity)
                }
                Caller::Anonymous | Caller::Role(_) | Caller::Root { .. } | Caller::Service { .. } => None,
            },
            Self::Role { account, name } => match caller {
                Caller::Role(session) => {
                    (session.account == *account && session.role == &**name).then_some(Strength::Identity)
                }
                Caller::Anonymous
                | Caller::FederatedUser { .. }
                | Caller::Root { .. }
                | Caller::Service { .. }
                | Caller::User { .. } => None,
            },
            Self::Session(arn) => match caller {
                Caller::FederatedUser { session, .. } | Caller::Role(RoleSession { session, .. }) => {
                    (*session == &**arn).then_some(Strength::Direct)
                }
                Caller::Anonymous | Caller::Root { .. } | Caller::Service { .. } | Caller::User { .. } => {
                    None
                }
            },
        }
    }
}

/// The principals of a statement, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct NamedPrincipals {
    aws: Box<[Named]>,
    services: Box<[String]>,
    except: bool,
}

impl NamedPrincipals {
    pub(crate) fn compile(principals: &Principals, except: bool) -> Self {
        match principals {
            Principals::Anyone => Self { aws: Box::new([Named::Anyone]), services: Box::default(), except },
            Principals::Listed { aws, services, .. } => {
                Self { aws: aws.iter().map(Named::new).collect(), services: services.clone().into(), except }
            }
        }
    }

    /// Whether they are all but those that are listed.
    pub(crate) fn is_except(&self) -> bool {
        self.except
    }

    /// How strongly the statement names `caller`, if it does.
    pub(crate) fn strength(&self, caller: &Caller<'_>) -> Option<Strength> {
        let by_name = match caller {
            Caller::Service { name } => {
                let named = self.services.iter().any(|service| service == name || service == "*");
                named.then_some(Strength::Direct)
            }
            Caller::Anonymous
            | Caller::FederatedUser { .. }
            | Caller::Role(_)
            | Caller::Root { .. }
            | Caller::User { .. } => None,
        };
        let listed = by_name.max(self.aws.iter().filter_map(|named| named.strength(caller)).max());
        match (self.except, listed) {
            (false, listed) => listed,
            (true, Some(_)) => None,
            (true, None) => Some(Strength::Direct),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_is_named_as_strongly_as_documented() {
        let account: AccountId = "111122223333".parse().unwrap();
        let other: AccountId = "444455556666".parse().unwrap();
        let user = Caller::User { account, arn: "arn:aws:iam::111122223333:user/Alice" };
        let root = Caller::Root { account };
        let role = "arn:aws:iam::111122223333:role/path/Example";
        let session = "arn:aws:sts::111122223333:assumed-role/Example/s";
        let full = Caller::Role(RoleSession::new(account, session, Some(role)));
        let bare = Caller::Role(RoleSession::new(account, session, None));
        let federated = Caller::FederatedUser {
            account,
            session: "arn:aws:sts::111122223333:federated-user/Bob",
            user: Some("arn:aws:iam::111122223333:user/Bob"),
        };
        let service = Caller::Service { name: "logs.amazonaws.com" };
        let foreign = Caller::Root { account: other };
        let (direct, identity, by_account) =
            (Some(Strength::Direct), Some(Strength::Identity), Some(Strength::Account));
        for (principal, caller, strength) in [
            ("*", user, direct),
            ("*", service, direct),
            ("111122223333", user, by_account),
            ("111122223333", full, by_account),
            ("111122223333", federated, by_account),
            ("111122223333", root, direct),
            ("111122223333", service, None),
            ("111122223333", foreign, None),
            ("111122223333", Caller::Anonymous, None),
            ("arn:aws:iam::111122223333:root", root, direct),
            ("arn:aws:iam::111122223333:user/Alice", user, direct),
            ("arn:aws:iam::111122223333:user/alice", user, None),
            ("arn:aws:iam::444455556666:user/Alice", user, None),
            ("arn:aws:iam::111122223333:user/Alice", root, None),
            ("arn:aws:iam::111122223333:user/Bob", federated, identity),
            ("arn:aws:sts::111122223333:federated-user/Bob", federated, direct),
            ("arn:aws:sts::111122223333:federated-user/Bob", user, None),
            (role, full, identity),
            (role, bare, identity),
            ("arn:aws:iam::111122223333:role/Other", full, None),
            ("arn:aws:iam::444455556666:role/Example", full, None),
            (session, full, direct),
            ("arn:aws:sts::111122223333:assumed-role/Example/t", full, None),
            ("AIDACKCEVSQ6C2EXAMPLE", user, None),
        ] {
            let named = Named::new(&principal.parse().unwrap());
            assert_eq!(named.strength(&caller), strength, "{principal} {caller:?}");
        }
    }
}
