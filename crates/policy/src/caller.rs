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
        /// The unique id of that user.
        user_id: Option<&'a str>,
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
        /// The unique id.
        id: Option<&'a str>,
    },
    /// Who shows a token of an identity provider, and no credentials.
    WebIdentity {
        /// The ARN of the provider, or its name where everybody knows it, such as `accounts.google.com`.
        provider: &'a str,
    },
}

/// The session of a role.
#[derive(Clone, Copy, Debug)]
pub struct RoleSession<'a> {
    account: AccountId,
    session: &'a str,
    /// Without its path. An account has one role of a name.
    role: &'a str,
    role_arn: Option<&'a str>,
    id: Option<&'a str>,
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
            role_arn: role,
            id: None,
            is_service_linked: role.is_some_and(|role| role.contains(":role/aws-service-role/")),
        }
    }

    pub(crate) fn account(&self) -> AccountId {
        self.account
    }

    pub(crate) fn role_arn(&self) -> Option<&'a str> {
        self.role_arn
    }

    /// This session, of the role with this unique id.
    #[must_use]
    pub fn with_id(self, id: Option<&'a str>) -> Self {
        Self { id, ..self }
    }
}

impl Caller<'_> {
    /// The account that he belongs to.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Anonymous | Self::Service { .. } | Self::WebIdentity { .. } => None,
            Self::FederatedUser { account, .. } | Self::Root { account } | Self::User { account, .. } => {
                Some(*account)
            }
            Self::Role(session) => Some(session.account),
        }
    }

    pub(crate) fn is_root(&self) -> bool {
        matches!(self, Self::Root { .. })
    }

    /// Whether policies can hang on him.
    pub(crate) fn has_own_policies(&self) -> bool {
        self.account().is_some()
    }

    pub(crate) fn is_service_linked(&self) -> bool {
        matches!(self, Self::Role(session) if session.is_service_linked)
    }
}

/// How strongly a policy names a caller; the order counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Strength {
    /// By his account, which is left to say the rest.
    Account,
    /// By the role or the user that his session stands for.
    Identity,
    /// Himself.
    Direct,
}

/// The unique ids of users and roles at the time when a policy was put, by ARN.
pub(crate) type Ids<'i> = &'i dyn Fn(&str) -> Option<&'i str>;

/// A principal of the kind `AWS`, taken apart. A user or a role that is bound to a unique id is known by that, else by name.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    Account(AccountId),
    Anyone,
    /// By unique id alone.
    Id(Box<str>),
    Nobody,
    Role {
        account: AccountId,
        name: Box<str>,
        id: Option<Box<str>>,
    },
    /// The session of a role, which is the one with this unique id, or of a federated user.
    Session {
        arn: Box<str>,
        id: Option<Box<str>>,
    },
    User {
        arn: Box<str>,
        id: Option<Box<str>>,
    },
}

impl Named {
    pub(crate) fn new(principal: &AwsPrincipal, ids: Ids<'_>) -> Self {
        match principal {
            AwsPrincipal::Account(account) => Self::Account(*account),
            AwsPrincipal::Anyone => Self::Anyone,
            AwsPrincipal::Identity(arn) => Self::identity(arn, ids(arn)).unwrap_or(Self::Nobody),
            AwsPrincipal::UniqueId(id) => Self::Id(id.as_str().into()),
        }
    }

    fn identity(arn: &str, id: Option<&str>) -> Option<Self> {
        let mut parts = arn.splitn(6, ':').skip(4);
        let (account, resource) = (parts.next()?, parts.next()?);
        let id = id.map(Into::into);
        match resource.split_once('/')? {
            ("role", name) => {
                let name = name.rsplit('/').next()?.into();
                Some(Self::Role { account: account.parse().ok()?, name, id })
            }
            ("user", _) => Some(Self::User { arn: arn.into(), id }),
            _ => Some(Self::Session { arn: arn.into(), id }),
        }
    }

    /// How strongly this names `caller`, if it does.
    pub(crate) fn strength(&self, caller: &Caller<'_>) -> Option<Strength> {
        match self {
            Self::Anyone => Some(Strength::Direct),
            Self::Nobody => None,
            Self::Account(account) => (caller.account()? == *account)
                .then(|| if caller.is_root() { Strength::Direct } else { Strength::Account }),
            Self::Id(wanted) => {
                let (id, strength) = Self::id_of(caller)?;
                (id == Some(&**wanted)).then_some(strength)
            }
            Self::User { arn: wanted, id: bound } => {
                let arn = match caller {
                    Caller::User { arn, .. } => *arn,
                    Caller::FederatedUser { user, .. } => (*user)?,
                    Caller::Anonymous
                    | Caller::Role(_)
                    | Caller::Root { .. }
                    | Caller::Service { .. }
                    | Caller::WebIdentity { .. } => return None,
                };
                let (id, strength) = Self::id_of(caller)?;
                is_same(bound.as_deref(), id, || arn == &**wanted).then_some(strength)
            }
            Self::Role { account, name, id: bound } => {
                let Caller::Role(session) = caller else { return None };
                let by_name = || session.account == *account && session.role == &**name;
                is_same(bound.as_deref(), session.id, by_name).then_some(Strength::Identity)
            }
            Self::Session { arn, id: bound } => match caller {
                Caller::FederatedUser { session, .. } => (*session == &**arn).then_some(Strength::Direct),
                Caller::Role(RoleSession { session, id, .. }) => (*session == &**arn
                    && is_same(bound.as_deref(), *id, || true))
                .then_some(Strength::Direct),
                Caller::Anonymous
                | Caller::Root { .. }
                | Caller::Service { .. }
                | Caller::User { .. }
                | Caller::WebIdentity { .. } => None,
            },
        }
    }

    /// The unique id of the user or the role that `caller` is or stands for, and how strongly he is named by it.
    fn id_of<'c>(caller: &Caller<'c>) -> Option<(Option<&'c str>, Strength)> {
        match caller {
            Caller::FederatedUser { user_id, .. } => Some((*user_id, Strength::Identity)),
            Caller::Role(session) => Some((session.id, Strength::Identity)),
            Caller::User { id, .. } => Some((*id, Strength::Direct)),
            Caller::Anonymous | Caller::Root { .. } | Caller::Service { .. } | Caller::WebIdentity { .. } => {
                None
            }
        }
    }
}

/// Whether the identity of a policy is that of a request: by unique ids where both have one, else by name.
fn is_same(bound: Option<&str>, id: Option<&str>, by_name: impl FnOnce() -> bool) -> bool {
    match (bound, id) {
        (Some(bound), Some(id)) => bound == id,
        (None, _) | (_, None) => by_name(),
    }
}

/// The principals of a statement, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct NamedPrincipals {
    aws: Box<[Named]>,
    services: Box<[String]>,
    federated: Box<[String]>,
    except: bool,
}

impl NamedPrincipals {
    pub(crate) fn compile(principals: &Principals, except: bool, ids: Ids<'_>) -> Self {
        match principals {
            Principals::Anyone => Self {
                aws: Box::new([Named::Anyone]),
                services: Box::default(),
                federated: Box::default(),
                except,
            },
            Principals::Listed { aws, services, federated, .. } => Self {
                aws: aws.iter().map(|one| Named::new(one, ids)).collect(),
                services: services.clone().into(),
                federated: federated.clone().into(),
                except,
            },
        }
    }

    /// Whether they are all but those that are listed.
    pub(crate) fn is_except(&self) -> bool {
        self.except
    }

    /// Whether the identity provider is listed by its name. Nothing else lets a statement allow something to who shows a token.
    pub(crate) fn lists_provider(&self, provider: &str) -> bool {
        !self.except && self.federated.iter().any(|listed| listed == provider)
    }

    /// How strongly the statement names `caller`, if it does.
    pub(crate) fn strength(&self, caller: &Caller<'_>) -> Option<Strength> {
        let is_listed =
            |names: &[String], wanted: &str| names.iter().any(|name| name == wanted || name == "*");
        let by_name = match caller {
            Caller::Service { name } => is_listed(&self.services, name).then_some(Strength::Direct),
            Caller::WebIdentity { provider } => {
                is_listed(&self.federated, provider).then_some(Strength::Direct)
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
        let user = Caller::User { account, arn: "arn:aws:iam::111122223333:user/Alice", id: None };
        let root = Caller::Root { account };
        let role = "arn:aws:iam::111122223333:role/path/Example";
        let session = "arn:aws:sts::111122223333:assumed-role/Example/s";
        let full = Caller::Role(RoleSession::new(account, session, Some(role)));
        let bare = Caller::Role(RoleSession::new(account, session, None));
        let federated = Caller::FederatedUser {
            account,
            session: "arn:aws:sts::111122223333:federated-user/Bob",
            user: Some("arn:aws:iam::111122223333:user/Bob"),
            user_id: None,
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
            let named = Named::new(&principal.parse().unwrap(), &|_| None);
            assert_eq!(named.strength(&caller), strength, "{principal} {caller:?}");
        }
    }

    #[test]
    fn whoever_is_made_again_under_an_old_name_is_somebody_else() {
        let account: AccountId = "111122223333".parse().unwrap();
        let (user_arn, role_arn) =
            ("arn:aws:iam::111122223333:user/Alice", "arn:aws:iam::111122223333:role/R");
        let (old, new) = ("AIDAOLDOLDOLDOLDOLD01", "AIDANEWNEWNEWNEWNEW01");
        let user = |id| Caller::User { account, arn: user_arn, id };
        let renamed = Caller::User { account, arn: "arn:aws:iam::111122223333:user/New", id: Some(old) };
        let federated = |user_id| Caller::FederatedUser {
            account,
            session: "arn:aws:sts::111122223333:federated-user/F",
            user: Some(user_arn),
            user_id,
        };
        let session = "arn:aws:sts::111122223333:assumed-role/R/s";
        let role = |id| Caller::Role(RoleSession::new(account, session, Some(role_arn)).with_id(id));
        let (direct, identity) = (Some(Strength::Direct), Some(Strength::Identity));
        for (principal, bound, caller, strength) in [
            (user_arn, Some(old), user(Some(old)), direct),
            (user_arn, Some(old), user(Some(new)), None),
            (user_arn, Some(old), user(None), direct),
            (user_arn, None, user(Some(new)), direct),
            (user_arn, Some(old), renamed, direct),
            (user_arn, None, renamed, None),
            (user_arn, Some(old), federated(Some(old)), identity),
            (user_arn, Some(old), federated(Some(new)), None),
            (user_arn, Some(old), role(Some(old)), None),
            (role_arn, Some(old), role(Some(old)), identity),
            (role_arn, Some(old), role(Some(new)), None),
            (role_arn, Some(old), role(None), identity),
            (role_arn, None, role(Some(new)), identity),
            (session, Some(old), role(Some(old)), direct),
            (session, Some(old), role(Some(new)), None),
            (session, None, role(Some(new)), direct),
            (old, None, user(Some(old)), direct),
            (old, None, user(Some(new)), None),
            (old, None, user(None), None),
            (old, None, role(Some(old)), identity),
            (old, None, Caller::Root { account }, None),
        ] {
            let named = Named::new(&principal.parse().unwrap(), &|_| bound);
            assert_eq!(named.strength(&caller), strength, "{principal} {bound:?} {caller:?}");
        }
    }

    #[test]
    fn who_shows_a_token_is_named_by_his_provider_alone() {
        let caller = Caller::WebIdentity { provider: "arn:aws:iam::111122223333:oidc-provider/idp.example" };
        for (principals, except, lists, strength) in [
            (r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/idp.example"}"#, false, true, true),
            (
                r#"{"Federated":["x","arn:aws:iam::111122223333:oidc-provider/idp.example"]}"#,
                false,
                true,
                true,
            ),
            (r#"{"Federated":"idp.example"}"#, false, false, false),
            (r#"{"Federated":"*"}"#, false, false, true),
            (r#""*""#, false, false, true),
            (r#"{"AWS":"111122223333"}"#, false, false, false),
            (r#"{"AWS":"111122223333"}"#, true, false, true),
            (r#"{"Federated":"arn:aws:iam::111122223333:oidc-provider/idp.example"}"#, true, false, false),
        ] {
            let value = crate::json::parse(principals).unwrap();
            let named = NamedPrincipals::compile(&Principals::parse(value).unwrap(), except, &|_| None);
            assert_eq!(
                named.lists_provider("arn:aws:iam::111122223333:oidc-provider/idp.example"),
                lists,
                "{principals}"
            );
            assert_eq!(named.strength(&caller).is_some(), strength, "{principals} {except}");
        }
    }
}
