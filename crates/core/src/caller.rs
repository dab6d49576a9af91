//! Who calls.

use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use keyreeve_audit::json::Object;
use keyreeve_domain::{AccountId, Timestamp};
use keyreeve_policy as policy;

use crate::grants::Digest;
use crate::identity::standing::Standing;
use crate::record::TagRecord;

/// An authenticated caller.
#[derive(Clone)]
pub struct Caller {
    account: AccountId,
    principal: Principal,
    access_key_id: String,
    session: Option<Session>,
    acting: Option<Box<Acting>>,
    standing: Arc<Standing>,
    arn: String,
    /// Of a session, the ARN of its role or of the user who asked for it.
    of_arn: Option<String>,
    /// By which grants are found: himself, by unique id where he has one that is kept, and the role that his session is of.
    grantees: (Digest, Option<Digest>),
    user_id: String,
    /// The JSON of `userIdentity`: it stands in every event, so it is written once.
    identity: Vec<u8>,
    by_grant: ByGrant,
}

/// Whether a caller was last allowed something by a grant: a guess at what to ask first, and never a part of an answer.
#[derive(Default)]
struct ByGrant(AtomicBool);

impl Clone for ByGrant {
    fn clone(&self) -> Self {
        Self(AtomicBool::new(self.0.load(Ordering::Relaxed)))
    }
}

/// What kind of identity a caller is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Principal {
    /// A user that GetFederationToken made.
    FederatedUser(FederatedUser),
    /// The session of a role.
    Role(RoleSession),
    /// The root user of the account.
    Root,
    /// A service, by name, such as `s3.amazonaws.com`.
    Service(String),
    /// An IAM user.
    User(User),
    /// Somebody whom an identity provider vouches for, and who has no credentials yet.
    WebIdentity(WebIdentity),
}

/// Somebody whom an identity provider vouches for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebIdentity {
    /// The ARN of the provider.
    pub provider: String,
    /// Whom the token was issued for.
    pub audience: String,
    /// Whom it is about.
    pub subject: String,
}

/// An IAM user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Its path, from `/` to `/`.
    pub path: String,
    /// Its unique id.
    pub id: String,
}

/// The session of a role.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleSession {
    /// The name of the role.
    pub role: String,
    /// The path of the role, from `/` to `/`.
    pub path: String,
    /// The unique id of the role.
    pub id: String,
    /// The name of the session.
    pub name: String,
}

/// A federated user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FederatedUser {
    /// Its name.
    pub name: String,
    /// The user who asked for it; none where the root user did.
    pub user: Option<User>,
}

/// What a session has that a long-term access key has not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Session {
    /// When it was issued.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When its caller proved a second factor; none where he did not.
    pub mfa: Option<Timestamp>,
    /// The identity that was set when the first of a chain of sessions began.
    pub source_identity: Option<String>,
    /// The tags that a session inherits which begins with this one.
    pub transitive_tags: Vec<TagRecord>,
    /// The identity provider that vouched for whom it was issued to, as `aws:FederatedProvider` has it.
    pub provider: Option<String>,
}

/// A service that calls for itself, or for somebody else.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Acting {
    /// The service that calls for the caller; none where the caller is the service itself.
    pub via: Option<String>,
    /// The resource that the service acts for.
    pub source_arn: Option<String>,
    /// The account of that resource.
    pub source_account: Option<String>,
    /// Where that account is in its organization.
    pub source_place: Option<SourcePlace>,
}

/// Where the account of a resource that a service acts for is in its organization.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SourcePlace {
    /// The id of the organization.
    pub organization: String,
    /// Its path: `o-…/r-…/ou-…/`.
    pub path: String,
}

/// A caller without any policy.
static NOTHING: LazyLock<Arc<Standing>> = LazyLock::new(Arc::default);

impl Caller {
    /// The caller that the access key `access_key_id` authenticated, without any policy.
    #[must_use]
    pub fn new(account: AccountId, principal: Principal, access_key_id: String) -> Self {
        Self::with(account, principal, access_key_id, None, Arc::clone(&NOTHING))
    }

    /// The caller that the access key `access_key_id` authenticated, in a session or not, under the policies of `standing`.
    #[must_use]
    pub fn with(
        account: AccountId,
        principal: Principal,
        access_key_id: String,
        session: Option<Session>,
        standing: Arc<Standing>,
    ) -> Self {
        let arn = principal.arn(account);
        let of_arn = match &principal {
            Principal::Role(role) => Some(role.role_arn(account)),
            Principal::FederatedUser(federated) => federated.user.as_ref().map(|user| user.arn(account)),
            Principal::Root | Principal::Service(_) | Principal::User(_) | Principal::WebIdentity(_) => None,
        };
        let grantees = match &principal {
            Principal::Role(role) => (Digest::of(&arn), Some(Digest::of(&role.id))),
            Principal::User(user) => (Digest::of(&user.id), None),
            Principal::FederatedUser(_)
            | Principal::Root
            | Principal::Service(_)
            | Principal::WebIdentity(_) => (Digest::of(&arn), None),
        };
        let user_id = principal.user_id(account);
        let identity = identity(account, &principal, &access_key_id, session.as_ref());
        let acting = None;
        Self {
            account,
            principal,
            access_key_id,
            session,
            acting,
            standing,
            arn,
            of_arn,
            grantees,
            user_id,
            identity,
            by_grant: ByGrant::default(),
        }
    }

    /// This caller, for whom a service calls, or the service itself with what it acts for.
    #[must_use]
    pub fn acting(mut self, acting: Acting) -> Self {
        if let (Some(via), Some(b'}')) = (&acting.via, self.identity.last()) {
            self.identity.pop();
            self.identity.extend_from_slice(br#","invokedBy":"#);
            keyreeve_audit::json::string(&mut self.identity, via);
            self.identity.push(b'}');
        }
        self.acting = Some(Box::new(acting));
        self
    }

    /// The service that calls, where one does, and what for.
    #[must_use]
    pub fn service(&self) -> Option<&Acting> {
        self.acting.as_deref()
    }

    /// The name of the service that calls, for itself or for somebody else; none where no service does.
    #[must_use]
    pub fn service_name(&self) -> Option<&str> {
        match &self.principal {
            Principal::Service(name) => Some(name),
            Principal::FederatedUser(_)
            | Principal::Role(_)
            | Principal::Root
            | Principal::User(_)
            | Principal::WebIdentity(_) => self.acting.as_ref()?.via.as_deref(),
        }
    }

    /// Whether a service calls for somebody else.
    #[must_use]
    pub fn is_forwarded(&self) -> bool {
        self.acting.as_ref().is_some_and(|acting| acting.via.is_some())
    }

    /// The account that the caller belongs to.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// What the caller is.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The access key that signed the request.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The session, where the credentials are temporary.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The policies that say what the caller may do.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The ARN of the caller: of a role's session, that of the session.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The caller as policies see him.
    #[must_use]
    pub fn to_policy(&self) -> policy::Caller<'_> {
        let account = self.account;
        match &self.principal {
            Principal::FederatedUser(federated) => policy::Caller::FederatedUser {
                account,
                session: &self.arn,
                user: self.of_arn.as_deref(),
                user_id: federated.user.as_ref().map(|user| user.id.as_str()),
            },
            Principal::Role(role) => policy::Caller::Role(
                policy::RoleSession::new(account, &self.arn, self.of_arn.as_deref()).with_id(Some(&role.id)),
            ),
            Principal::Root => policy::Caller::Root { account },
            Principal::Service(name) => policy::Caller::Service { name },
            Principal::User(user) => policy::Caller::User { account, arn: &self.arn, id: Some(&user.id) },
            Principal::WebIdentity(identity) => policy::Caller::WebIdentity { provider: &identity.provider },
        }
    }

    /// The principals of grants that name the caller: himself, and the role that his session is of.
    pub(crate) fn grantees(&self) -> impl Iterator<Item = Digest> {
        let (own, role) = self.grantees;
        core::iter::once(own).chain(role)
    }

    /// Whether grants are to be looked at before anybody asks whether it takes one.
    pub(crate) fn expects_grant(&self) -> bool {
        self.by_grant.0.load(Ordering::Relaxed)
    }

    /// Notes whether it took a grant.
    pub(crate) fn expect_grant(&self, expected: bool) {
        self.by_grant.0.store(expected, Ordering::Relaxed);
    }

    /// The `UserId` of GetCallerIdentity, and `aws:userid`.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The JSON of the `userIdentity` element.
    #[must_use]
    pub(crate) fn identity(&self) -> &[u8] {
        &self.identity
    }

    /// The JSON of the `userIdentity` element in the trail of another account: which account and which principal called, without
    /// names. A service, and whom an identity provider vouches for, are the same everywhere.
    pub(crate) fn identity_elsewhere(&self) -> Vec<u8> {
        match &self.principal {
            Principal::Service(_) | Principal::WebIdentity(_) => return self.identity.clone(),
            Principal::FederatedUser(_) | Principal::Role(_) | Principal::Root | Principal::User(_) => {}
        }
        let mut out = Vec::with_capacity(128);
        let mut identity = Object::begin(&mut out);
        identity.string("type", "AWSAccount");
        identity.string("principalId", &self.user_id);
        identity.string("accountId", &self.account.to_string());
        if let Some(via) = self.acting.as_ref().and_then(|acting| acting.via.as_ref()) {
            identity.string("invokedBy", via);
        }
        identity.end();
        out
    }
}

impl User {
    /// Its ARN.
    #[must_use]
    pub fn arn(&self, account: AccountId) -> String {
        format!("arn:aws:iam::{account}:user{}{}", self.path, self.name)
    }
}

impl RoleSession {
    /// The ARN of its role.
    #[must_use]
    pub fn role_arn(&self, account: AccountId) -> String {
        format!("arn:aws:iam::{account}:role{}{}", self.path, self.role)
    }
}

impl Principal {
    /// The ARN.
    #[must_use]
    pub fn arn(&self, account: AccountId) -> String {
        match self {
            Self::FederatedUser(FederatedUser { name, .. }) => {
                format!("arn:aws:sts::{account}:federated-user/{name}")
            }
            Self::Role(RoleSession { role, name, .. }) => {
                format!("arn:aws:sts::{account}:assumed-role/{role}/{name}")
            }
            Self::Root => format!("arn:aws:iam::{account}:root"),
            Self::Service(name) => name.clone(),
            Self::User(user) => user.arn(account),
            Self::WebIdentity(WebIdentity { provider, subject, .. }) => format!("{provider}:{subject}"),
        }
    }

    fn user_id(&self, account: AccountId) -> String {
        match self {
            Self::FederatedUser(FederatedUser { name, .. }) => format!("{account}:{name}"),
            Self::Role(RoleSession { id, name, .. }) => format!("{id}:{name}"),
            Self::Root => account.to_string(),
            Self::Service(name) => name.clone(),
            Self::User(User { id, .. }) => id.clone(),
            Self::WebIdentity(WebIdentity { provider, audience, subject }) => {
                format!("{provider}:{audience}:{subject}")
            }
        }
    }

    /// The user whose policies count, where there is one.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::FederatedUser(federated) => federated.user.as_ref(),
            Self::User(user) => Some(user),
            Self::Role(_) | Self::Root | Self::Service(_) | Self::WebIdentity(_) => None,
        }
    }
}

/// The `userIdentity` element.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>.
fn identity(
    account: AccountId,
    principal: &Principal,
    access_key_id: &str,
    session: Option<&Session>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    let mut identity = Object::begin(&mut out);
    let account_id = account.to_string();
    if let Principal::Service(name) = principal {
        identity.string("type", "AWSService");
        identity.string("invokedBy", name);
        identity.end();
        return out;
    }
    identity.string("type", type_of(principal));
    if let Principal::WebIdentity(WebIdentity { provider, subject, .. }) = principal {
        identity.string("principalId", &principal.user_id(account));
        identity.string("userName", subject);
        identity.string("identityProvider", provider);
        identity.end();
        return out;
    }
    identity.string("principalId", &principal.user_id(account));
    identity.string("arn", &principal.arn(account));
    identity.string("accountId", &account_id);
    // A service that calls for somebody has signed with a key of its own.
    if !access_key_id.is_empty() {
        identity.string("accessKeyId", access_key_id);
    }
    if let Principal::User(user) = principal {
        identity.string("userName", &user.name);
    }
    if let Some(session) = session {
        session_context(&mut identity, account, principal, session);
    }
    identity.end();
    out
}

fn type_of(principal: &Principal) -> &'static str {
    match principal {
        Principal::FederatedUser(_) => "FederatedUser",
        Principal::Role(_) => "AssumedRole",
        Principal::Root => "Root",
        Principal::Service(_) => "AWSService",
        Principal::User(_) => "IAMUser",
        Principal::WebIdentity(_) => "WebIdentityUser",
    }
}

fn session_context(identity: &mut Object<'_>, account: AccountId, principal: &Principal, session: &Session) {
    let mut context = Object::begin(identity.member("sessionContext"));
    let issuer = match principal {
        Principal::FederatedUser(FederatedUser { user: Some(user), .. }) => {
            Some(("IAMUser", user.id.clone(), user.arn(account), user.name.as_str()))
        }
        Principal::FederatedUser(FederatedUser { user: None, .. }) => {
            Some(("Root", account.to_string(), Principal::Root.arn(account), ""))
        }
        Principal::Role(role) => Some(("Role", role.id.clone(), role.role_arn(account), role.role.as_str())),
        Principal::Root | Principal::Service(_) | Principal::User(_) | Principal::WebIdentity(_) => None,
    };
    if let Some((kind, id, arn, name)) = issuer {
        let mut issuer = Object::begin(context.member("sessionIssuer"));
        issuer.string("type", kind);
        issuer.string("principalId", &id);
        issuer.string("arn", &arn);
        issuer.string("accountId", &account.to_string());
        if !name.is_empty() {
            issuer.string("userName", name);
        }
        issuer.end();
    }
    if let Some(provider) = &session.provider {
        let mut federation = Object::begin(context.member("webIdFederationData"));
        federation.string("federatedProvider", provider);
        federation.raw("attributes", b"{}");
        federation.end();
    }
    let mut attributes = Object::begin(context.member("attributes"));
    keyreeve_audit::event::write_time(attributes.member("creationDate"), session.issued);
    attributes.string("mfaAuthenticated", if session.mfa.is_some() { "true" } else { "false" });
    attributes.end();
    if let Some(source) = &session.source_identity {
        context.string("sourceIdentity", source);
    }
    context.end();
}

/// The `userIdentity` element of a request that nobody was authenticated for.
pub(crate) const UNKNOWN_IDENTITY: &[u8] = br#"{"type":"Unknown"}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_of_each_kind_of_caller_is_cloud_trails() {
        let account = "111122223333".parse().unwrap();
        let user = User { name: "alice".into(), path: "/eng/".into(), id: "AIDA".into() };
        let role =
            RoleSession { role: "Ops".into(), path: "/p/".into(), id: "AROA".into(), name: "s".into() };
        let session = Session { issued: Timestamp::from_millis(0), ..Session::default() };
        for (principal, session, expected) in [
            (
                Principal::Root,
                None,
                r#"{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":"AKIA"}"#,
            ),
            (
                Principal::User(user.clone()),
                None,
                r#"{"type":"IAMUser","principalId":"AIDA","arn":"arn:aws:iam::111122223333:user/eng/alice","accountId":"111122223333","accessKeyId":"AKIA","userName":"alice"}"#,
            ),
            (
                Principal::Role(role),
                Some(session.clone()),
                r#"{"type":"AssumedRole","principalId":"AROA:s","arn":"arn:aws:sts::111122223333:assumed-role/Ops/s","accountId":"111122223333","accessKeyId":"AKIA","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA","arn":"arn:aws:iam::111122223333:role/p/Ops","accountId":"111122223333","userName":"Ops"},"attributes":{"creationDate":"1970-01-01T00:00:00Z","mfaAuthenticated":"false"}}}"#,
            ),
            (
                Principal::FederatedUser(FederatedUser { name: "bob".into(), user: Some(user) }),
                Some(session),
                r#"{"type":"FederatedUser","principalId":"111122223333:bob","arn":"arn:aws:sts::111122223333:federated-user/bob","accountId":"111122223333","accessKeyId":"AKIA","sessionContext":{"sessionIssuer":{"type":"IAMUser","principalId":"AIDA","arn":"arn:aws:iam::111122223333:user/eng/alice","accountId":"111122223333","userName":"alice"},"attributes":{"creationDate":"1970-01-01T00:00:00Z","mfaAuthenticated":"false"}}}"#,
            ),
            (
                Principal::Service("s3.amazonaws.com".into()),
                None,
                r#"{"type":"AWSService","invokedBy":"s3.amazonaws.com"}"#,
            ),
        ] {
            let caller = Caller::with(account, principal, "AKIA".into(), session, Arc::default());
            assert_eq!(String::from_utf8_lossy(caller.identity()), expected);
        }
    }
}
