//! What a principal may do: all policies that bear on it, compiled once and kept with its credentials.

use std::sync::Arc;

use keyreeve_domain::AccountId;
use keyreeve_policy::{KeySet, Kind, Policy};
use keyreeve_store::Snapshot;

use crate::caller::User;
use crate::cx::Service;
use crate::identity::aws_managed;
use crate::identity::organization::Place;
use crate::identity::record::{InlinePolicy, ManagedPolicyRecord, RoleRecord, UserRecord};
use crate::identity::session::{NamedId, SessionRecord};
use crate::identity::space;
use crate::record::TagRecord;
use crate::vault::VaultError;

/// A policy with a name that tells where it stands.
#[derive(Debug)]
pub struct NamedPolicy {
    /// The ARN of a managed policy, or holder and name of an inline one, such as `user/alice/reads`.
    pub name: String,
    /// The policy.
    pub policy: Policy,
    /// The bytes of its text.
    len: usize,
}

/// The policies of a principal.
#[derive(Debug, Default)]
pub struct Standing {
    /// Its own: of the user and its groups, or of the role.
    pub identity: Vec<NamedPolicy>,
    /// What bounds them.
    pub boundary: Option<NamedPolicy>,
    /// What was passed when the session began; none where nothing was.
    pub session: Option<Vec<NamedPolicy>>,
    /// The tags of the principal, those of the session over those of its role.
    pub tags: Vec<TagRecord>,
    /// Where its account is in the organization.
    pub place: Option<Arc<Place>>,
    mentions: KeySet,
}

impl Standing {
    /// The condition keys that its policies mention.
    #[must_use]
    pub fn mentions(&self) -> KeySet {
        self.mentions
    }

    /// The bytes of the texts that it was compiled from, those of the organization aside: they are shared.
    pub(crate) fn len_of_texts(&self) -> usize {
        let own = self.identity.iter().chain(&self.boundary).chain(self.session.iter().flatten());
        own.map(|named| named.len).sum()
    }

    /// Looks through the policies for the condition keys that they mention: what every maker of a standing ends with.
    fn complete(mut self) -> Self {
        let session = self.session.iter().flatten();
        let controls = self.place.iter().flat_map(|place| place.service_control.iter().flatten());
        let all = self.identity.iter().chain(&self.boundary).chain(session).chain(controls);
        self.mentions = all.map(|named| named.policy.mentions()).collect();
        self
    }
}

impl NamedPolicy {
    /// Compiles a policy of the store, which was checked before it was kept.
    ///
    /// # Errors
    /// Where it does not compile.
    pub fn compile(kind: Kind, name: &str, text: &str) -> Result<Self, VaultError> {
        let policy = Policy::compile(kind, text);
        let policy = policy.ok().ok_or_else(|| VaultError::Damaged(format!("the policy {name}")))?;
        Ok(Self { name: name.to_owned(), policy, len: text.len() })
    }
}

/// The policy that allows everything.
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// The text of a policy that denies everything.
const NOTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}"#;

/// An account's identities at one revision.
pub struct Identities<'s> {
    /// What all requests share.
    pub service: &'s Service,
    /// The revision.
    pub snapshot: &'s dyn Snapshot,
    /// The account.
    pub account: AccountId,
}

impl Identities<'_> {
    /// The user of this name.
    pub(crate) async fn user(&self, name: &str) -> Result<Option<UserRecord>, VaultError> {
        let path = space::user(self.account, name)?;
        let read = self.service.vault().read::<UserRecord>(self.snapshot, &path).await?;
        Ok(read.map(|read| read.record))
    }

    /// The user that had this name and id.
    pub(crate) async fn same_user(&self, user: &NamedId) -> Result<Option<UserRecord>, VaultError> {
        Ok(self.user(&user.name).await?.filter(|found| found.id == user.id))
    }

    /// The role of this name.
    pub(crate) async fn role(&self, name: &str) -> Result<Option<RoleRecord>, VaultError> {
        let path = space::role(self.account, name)?;
        let read = self.service.vault().read::<RoleRecord>(self.snapshot, &path).await?;
        Ok(read.map(|read| read.record))
    }

    /// The role that had this name and id.
    pub(crate) async fn same_role(&self, role: &NamedId) -> Result<Option<RoleRecord>, VaultError> {
        Ok(self.role(&role.name).await?.filter(|found| found.id == role.id))
    }

    /// What a user may do.
    pub(crate) async fn of_user(&self, user: &UserRecord) -> Result<Standing, VaultError> {
        let mut standing = Standing { place: self.place().await?, ..Standing::default() };
        let holder = format!("user/{}", user.name);
        self.add(&mut standing, &holder, &user.policies, &user.attached).await?;
        for group in &user.groups {
            let group = self.service.group_of_reference(self.snapshot, self.account, group).await?;
            let holder = format!("group/{}", group.name);
            self.add(&mut standing, &holder, &group.policies, &group.attached).await?;
        }
        standing.boundary = self.boundary(user.boundary.as_deref()).await?;
        standing.tags.clone_from(&user.tags);
        Ok(standing.complete())
    }

    /// What a role may do.
    pub(crate) async fn of_role(&self, role: &RoleRecord) -> Result<Standing, VaultError> {
        let mut standing = Standing { place: self.place().await?, ..Standing::default() };
        let holder = format!("role/{}", role.name);
        self.add(&mut standing, &holder, &role.policies, &role.attached).await?;
        standing.boundary = self.boundary(role.boundary.as_deref()).await?;
        standing.tags.clone_from(&role.tags);
        Ok(standing.complete())
    }

    /// What the root user may do.
    pub(crate) async fn of_root(&self) -> Result<Standing, VaultError> {
        Ok(Standing { place: self.place().await?, ..Standing::default() }.complete())
    }

    /// What a federated user may do at most that the root user made: everything, before its session policies.
    pub(crate) async fn of_root_federation(&self) -> Result<Standing, VaultError> {
        let mut standing = self.of_root().await?;
        standing.identity.push(self.managed(ADMINISTRATOR).await?);
        Ok(standing.complete())
    }

    /// Cuts `standing` down to what was passed when the session began, and gives it the tags of the session.
    pub(crate) async fn within(
        &self,
        mut standing: Standing,
        session: &SessionRecord,
        always: bool,
    ) -> Result<Standing, VaultError> {
        let mut passed = Vec::new();
        for (index, text) in session.policies.iter().enumerate() {
            passed.push(NamedPolicy::compile(Kind::Identity, &format!("session/{index}"), text)?);
        }
        for arn in &session.policy_arns {
            // Nobody is asked before a policy is deleted that was passed: what it allowed is over, and all else with it.
            let text = self.managed_text(arn).await?;
            passed.push(NamedPolicy::compile(Kind::Identity, arn, text.as_deref().unwrap_or(NOTHING))?);
        }
        // A federated user without any session policy may do nothing by its user's policies.
        standing.session = (always || !passed.is_empty()).then_some(passed);
        standing
            .tags
            .retain(|tag| !session.tags.iter().any(|other| other.key.eq_ignore_ascii_case(&tag.key)));
        standing.tags.extend(session.tags.iter().cloned());
        Ok(standing.complete())
    }

    async fn place(&self) -> Result<Option<Arc<Place>>, VaultError> {
        let organization = self.service.organization_at(self.snapshot).await?;
        Ok(organization.and_then(|organization| organization.place(self.account).cloned()))
    }

    async fn add(
        &self,
        standing: &mut Standing,
        holder: &str,
        inline: &[InlinePolicy],
        attached: &[String],
    ) -> Result<(), VaultError> {
        for policy in inline {
            let name = format!("{holder}/{}", policy.name);
            standing.identity.push(NamedPolicy::compile(Kind::Identity, &name, &policy.text)?);
        }
        for arn in attached {
            standing.identity.push(self.managed(arn).await?);
        }
        Ok(())
    }

    async fn boundary(&self, arn: Option<&str>) -> Result<Option<NamedPolicy>, VaultError> {
        match arn {
            None => Ok(None),
            Some(arn) => Ok(Some(self.managed(arn).await?)),
        }
    }

    /// A managed policy. One that is not there leaves the principal without standing: it may have denied.
    async fn managed(&self, arn: &str) -> Result<NamedPolicy, VaultError> {
        let text = self.managed_text(arn).await?;
        let text = text.ok_or_else(|| VaultError::Damaged(format!("the policy {arn}")))?;
        NamedPolicy::compile(Kind::Identity, arn, &text)
    }

    /// The text of the managed policy `arn`, in the version that counts.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn managed_text(&self, arn: &str) -> Result<Option<String>, VaultError> {
        if let Some(known) = aws_managed::find(arn) {
            return Ok(Some(known.text.to_owned()));
        }
        let Some(name) = managed_name(self.account, arn) else { return Ok(None) };
        let path = space::policy(self.account, name)?;
        let read = self.service.vault().read::<ManagedPolicyRecord>(self.snapshot, &path).await?;
        let record = read.map(|read| read.record).filter(|record| policy_arn(self.account, record) == arn);
        Ok(record.and_then(|record| Some(record.default_version()?.text.clone())))
    }
}

/// The ARN of a customer managed policy.
#[must_use]
pub fn policy_arn(account: AccountId, policy: &ManagedPolicyRecord) -> String {
    format!("arn:aws:iam::{account}:policy{}{}", policy.path, policy.name)
}

/// The name of the customer managed policy of `account` with this ARN.
#[must_use]
pub fn managed_name(account: AccountId, arn: &str) -> Option<&str> {
    let rest = arn.strip_prefix("arn:aws:iam::")?.strip_prefix(&account.to_string())?;
    rest.strip_prefix(":policy/")?.rsplit('/').next()
}

impl From<&UserRecord> for User {
    fn from(record: &UserRecord) -> Self {
        Self { name: record.name.clone(), path: record.path.clone(), id: record.id.clone() }
    }
}
