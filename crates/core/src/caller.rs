//! Who calls.

use keyreeve_domain::AccountId;

/// An authenticated caller.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    account: AccountId,
    principal: Principal,
    access_key_id: String,
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
        Self { account, principal, access_key_id }
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
        match &self.principal {
            Principal::Root => format!("arn:aws:iam::{}:root", self.account),
            Principal::User(name) => format!("arn:aws:iam::{}:user/{name}", self.account),
        }
    }
}
