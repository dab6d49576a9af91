//! Who calls.

use keyreeve_audit::json::Object;
use keyreeve_domain::AccountId;

/// An authenticated caller.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    account: AccountId,
    principal: Principal,
    access_key_id: String,
    /// The JSON of `userIdentity`: it stands in every event, so it is written once.
    identity: Vec<u8>,
}

/// What kind of identity a caller is. Until IAM identities exist, the account root is the only one that can sign in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Principal {
    /// The root user of the account.
    Root,
    /// An IAM user, by name. Known to the gate, which refuses it.
    User(String),
}

impl Caller {
    /// The caller that the access key `access_key_id` authenticated.
    #[must_use]
    pub fn new(account: AccountId, principal: Principal, access_key_id: String) -> Self {
        let identity = identity(account, &principal, &access_key_id);
        Self { account, principal, access_key_id, identity }
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

    /// The ARN of the caller.
    #[must_use]
    pub fn arn(&self) -> String {
        arn(self.account, &self.principal)
    }

    /// The JSON of the `userIdentity` element.
    #[must_use]
    pub(crate) fn identity(&self) -> &[u8] {
        &self.identity
    }
}

fn arn(account: AccountId, principal: &Principal) -> String {
    match principal {
        Principal::Root => format!("arn:aws:iam::{account}:root"),
        Principal::User(name) => format!("arn:aws:iam::{account}:user/{name}"),
    }
}

/// The `userIdentity` element.
///
/// Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>.
fn identity(account: AccountId, principal: &Principal, access_key_id: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    let mut identity = Object::begin(&mut out);
    let account_id = account.to_string();
    match principal {
        Principal::Root => {
            identity.string("type", "Root");
            identity.string("principalId", &account_id);
        }
        Principal::User(name) => {
            identity.string("type", "IAMUser");
            identity.string("userName", name);
        }
    }
    identity.string("arn", &arn(account, principal));
    identity.string("accountId", &account_id);
    identity.string("accessKeyId", access_key_id);
    identity.end();
    out
}

/// The `userIdentity` element of a request that nobody was authenticated for.
pub(crate) const UNKNOWN_IDENTITY: &[u8] = br#"{"type":"Unknown"}"#;
