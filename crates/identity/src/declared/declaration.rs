//! What a file declares: names, texts and secrets, as they were read. Nothing is checked yet.

use keyreeve_core::identity::record::{InlinePolicy, OrganizationRecord};
use keyreeve_core::record::TagRecord;
use keyreeve_domain::AccountId;
use zeroize::Zeroizing;

/// All of it.
#[derive(Default, Hash)]
pub struct Declaration {
    /// The accounts with their identities.
    pub accounts: Vec<Account>,
    /// The services that sign in.
    pub services: Vec<Service>,
    /// The organization; none where there is none.
    pub organization: Option<Organization>,
}

/// An account.
#[derive(Hash)]
pub struct Account {
    /// The line where it is declared, as in all that follows.
    pub line: usize,
    /// Its id.
    pub id: AccountId,
    /// Its name; none leaves the one that it has.
    pub name: Option<String>,
    /// Its customer managed policies.
    pub policies: Vec<ManagedPolicy>,
    /// Its groups.
    pub groups: Vec<Group>,
    /// Its users.
    pub users: Vec<User>,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Its OpenID Connect providers.
    pub providers: Vec<Provider>,
}

/// A customer managed policy.
#[derive(Clone, Debug, Hash)]
pub struct ManagedPolicy {
    /// See [`Account::line`].
    pub line: usize,
    /// Its name.
    pub name: String,
    /// Its path, from `/` to `/`.
    pub path: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its text.
    pub text: String,
    /// Its tags.
    pub tags: Vec<TagRecord>,
}

/// A group.
#[derive(Clone, Debug, Hash)]
pub struct Group {
    /// See [`Account::line`].
    pub line: usize,
    /// Its name.
    pub name: String,
    /// Its path, from `/` to `/`.
    pub path: String,
    /// Its own policies.
    pub policies: Vec<InlinePolicy>,
    /// The ARNs of the policies that are attached to it.
    pub attached: Vec<String>,
}

/// A user.
#[derive(Hash)]
pub struct User {
    /// See [`Account::line`].
    pub line: usize,
    /// Its name.
    pub name: String,
    /// Its path, from `/` to `/`.
    pub path: String,
    /// Its own policies.
    pub policies: Vec<InlinePolicy>,
    /// The ARNs of the policies that are attached to it.
    pub attached: Vec<String>,
    /// The ARN of the policy that bounds it.
    pub boundary: Option<String>,
    /// The names of its groups.
    pub groups: Vec<String>,
    /// Its tags.
    pub tags: Vec<TagRecord>,
    /// Its access keys.
    pub access_keys: Vec<AccessKey>,
}

/// A role.
#[derive(Clone, Debug, Hash)]
pub struct Role {
    /// See [`Account::line`].
    pub line: usize,
    /// Its name.
    pub name: String,
    /// Its path, from `/` to `/`.
    pub path: String,
    /// Its trust policy.
    pub trust: String,
    /// What it is for.
    pub description: Option<String>,
    /// The longest session, in seconds.
    pub max_session_seconds: u32,
    /// Its own policies.
    pub policies: Vec<InlinePolicy>,
    /// The ARNs of the policies that are attached to it.
    pub attached: Vec<String>,
    /// The ARN of the policy that bounds it.
    pub boundary: Option<String>,
    /// Its tags.
    pub tags: Vec<TagRecord>,
}

/// An OpenID Connect provider.
#[derive(Clone, Debug, Hash)]
pub struct Provider {
    /// See [`Account::line`].
    pub line: usize,
    /// Its URL, with `https://`.
    pub url: String,
    /// The client ids that are accepted.
    pub client_ids: Vec<String>,
    /// Thumbprints of its certificates.
    pub thumbprints: Vec<String>,
    /// Its tags.
    pub tags: Vec<TagRecord>,
}

/// An access key.
pub struct AccessKey {
    /// See [`Account::line`].
    pub line: usize,
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: Zeroizing<String>,
}

/// A service that signs in with access keys.
#[derive(Hash)]
pub struct Service {
    /// See [`Account::line`].
    pub line: usize,
    /// Its name, such as `s3.amazonaws.com`.
    pub name: String,
    /// The account that its access keys are kept in.
    pub account: AccountId,
    /// Its access keys.
    pub access_keys: Vec<AccessKey>,
}

/// The organization.
#[derive(Clone, Debug, Hash)]
pub struct Organization {
    /// See [`Account::line`].
    pub line: usize,
    /// What is kept of it.
    pub record: OrganizationRecord,
}

impl core::hash::Hash for AccessKey {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        let Self { line, id, secret } = self;
        (line, id, secret.as_str()).hash(state);
    }
}
