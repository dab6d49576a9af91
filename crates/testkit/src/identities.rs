//! Users, roles and accounts, put into the store past IAM.

use keyreeve_core::Caller;
use keyreeve_core::commit::Draft;
use keyreeve_core::identity::record::{
    AccountRecord, InlinePolicy, ManagedPolicyRecord, OrganizationRecord, PolicyVersion, RoleRecord,
    UserRecord,
};
use keyreeve_core::identity::session::{NamedId, SessionHolder, SessionRecord};
use keyreeve_core::identity::space;
use keyreeve_core::record::{CredentialRecord, Record, TagRecord};
use keyreeve_domain::AccountId;
use keyreeve_store::Path;
use keyreeve_store::conformance::block_on;
use zeroize::Zeroizing;

use crate::world::World;

/// What a user or a role is to have.
#[derive(Clone, Debug, Default)]
pub struct Has {
    /// The text of its inline policy.
    pub policy: Option<String>,
    /// The text of its permissions boundary.
    pub boundary: Option<String>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

impl Has {
    /// An inline policy with one statement.
    #[must_use]
    pub fn allowed(action: &str, resource: &str) -> Self {
        Self::policy(&format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}"#))
    }

    /// An inline policy with these statements.
    #[must_use]
    pub fn policy(statements: &str) -> Self {
        let policy = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        Self { policy: Some(policy), ..Self::default() }
    }
}

impl World {
    /// Replaces the record at `path`.
    ///
    /// # Panics
    /// Where the store fails.
    pub fn keep<R: Record>(&self, path: &Path, record: &R) {
        let vault = self.service.vault();
        block_on(async {
            let snapshot = vault.snapshot().await?;
            let seen = vault.read::<R>(&*snapshot, path).await?.map(|held| held.version);
            let mut draft = Draft::new(vault);
            draft.put(path, seen, record)?;
            self.service.commit(draft).await
        })
        .expect("the record is kept");
    }

    /// Removes the record at `path`.
    ///
    /// # Panics
    /// Where the store fails.
    pub fn lose(&self, path: &Path) {
        let mut draft = Draft::new(self.service.vault());
        draft.unindex(path);
        block_on(self.service.commit(draft)).expect("the record is gone");
    }

    /// Makes another account.
    pub fn account(&self, account: &str) -> AccountId {
        let id = account.parse().expect("an account");
        let record = AccountRecord { name: String::new(), created: self.now(), root_access_keys: Vec::new() };
        self.keep(&space::account(id).expect("a path"), &record);
        id
    }

    /// Makes or changes a user, and signs in as it.
    ///
    /// # Panics
    /// Where the store fails.
    pub fn user_with(&self, account: AccountId, name: &str, has: Has) -> Caller {
        let key = format!("AKIA{name}");
        let (policies, boundary, tags) = self.having(account, name, has);
        let user = UserRecord {
            id: format!("AIDA{name}"),
            name: name.to_owned(),
            path: "/".to_owned(),
            created: self.now(),
            policies,
            attached: Vec::new(),
            boundary,
            groups: Vec::new(),
            tags,
            access_keys: vec![key.clone()],
        };
        self.keep(&space::user(account, name).expect("a path"), &user);
        let credential = CredentialRecord {
            account,
            secret: Zeroizing::new("secret".to_owned()),
            created: self.now(),
            user: Some(name.to_owned()),
            inactive: None,
            service: None,
        };
        self.keep(&keyreeve_core::space::credential(&key).expect("a path"), &credential);
        self.sign_in(&key)
    }

    /// Whom an access key stands for, now.
    ///
    /// # Panics
    /// Where it stands for nobody.
    #[must_use]
    pub fn sign_in(&self, key: &str) -> Caller {
        let found = block_on(self.service.credential(key, None, self.now()));
        found.map_err(|error| error.to_string()).expect("the access key is known").caller().clone()
    }

    /// Makes or changes a role, and gives a session of it.
    ///
    /// # Panics
    /// Where the store fails.
    pub fn role_with(&self, account: AccountId, name: &str, has: Has) -> Caller {
        let (policies, boundary, tags) = self.having(account, name, has);
        let role = RoleRecord {
            id: format!("AROA{name}"),
            name: name.to_owned(),
            path: "/".to_owned(),
            created: self.now(),
            trust: String::new(),
            bound: None,
            description: None,
            max_session_seconds: 3600,
            policies,
            attached: Vec::new(),
            boundary,
            tags,
        };
        self.keep(&space::role(account, name).expect("a path"), &role);
        let id = NamedId { name: role.name, id: role.id };
        self.session(account, SessionHolder::Role { role: id, name: "session".to_owned() }, Vec::new())
    }

    /// A session with these session policies.
    ///
    /// # Panics
    /// Where its holder is not there.
    #[must_use]
    pub fn session(&self, account: AccountId, holder: SessionHolder, policies: Vec<String>) -> Caller {
        let record = SessionRecord {
            account,
            access_key_id: "ASIASESSION".to_owned(),
            secret: Zeroizing::new("secret".to_owned()),
            issued: self.now(),
            expires: self.now().plus_days(1),
            holder,
            policies,
            policy_arns: Vec::new(),
            tags: Vec::new(),
            transitive: Vec::new(),
            source_identity: None,
            mfa_millis: None,
            provider: None,
        };
        self.session_of(&record)
    }

    /// The session that this record is of.
    ///
    /// # Panics
    /// Where its holder is not there.
    #[must_use]
    pub fn session_of(&self, record: &SessionRecord) -> Caller {
        let token = self.service.vault().seal_session(record).expect("a token");
        let found = block_on(self.service.credential(&record.access_key_id, Some(&token), self.now()));
        found.map_err(|error| error.to_string()).expect("the session is known").caller().clone()
    }

    /// Replaces the organization.
    pub fn organize(&self, organization: &OrganizationRecord) {
        self.keep(&space::organization().expect("a path"), organization);
    }

    fn having(
        &self,
        account: AccountId,
        name: &str,
        has: Has,
    ) -> (Vec<InlinePolicy>, Option<String>, Vec<TagRecord>) {
        let policies = has.policy.map(|text| InlinePolicy { name: "own".to_owned(), text });
        let boundary = has.boundary.map(|text| {
            let policy = ManagedPolicyRecord {
                id: "ANPA".to_owned(),
                name: format!("bounds-{name}"),
                path: "/".to_owned(),
                created: self.now(),
                updated: self.now(),
                description: None,
                versions: vec![PolicyVersion { number: 1, text, created: self.now() }],
                default: 1,
                next: 2,
                tags: Vec::new(),
            };
            self.keep(&space::policy(account, &policy.name).expect("a path"), &policy);
            format!("arn:aws:iam::{account}:policy/{}", policy.name)
        });
        let tags = has.tags.into_iter().map(|(key, value)| TagRecord { key, value }).collect();
        (policies.into_iter().collect(), boundary, tags)
    }
}
