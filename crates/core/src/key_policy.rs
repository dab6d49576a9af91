//! Key policies: what the service writes itself, and whom a policy names.

use std::sync::Arc;

use keyreeve_domain::spec::KeyManager;
use keyreeve_domain::{AccountId, KeyId, Region};
use keyreeve_policy::{AwsPrincipal, Document, Kind, Policy, default_text};
use keyreeve_store::Snapshot;

use crate::cx::Service;
use crate::identity;
use crate::identity::record::{AccountRecord, RoleRecord, UniqueRecord, UserRecord};
use crate::managed_policy::managed_text;
use crate::record::{BoundPrincipal, IndexRecord, KeyRecord, PolicyRecord};
use crate::ring::OpenKey;
use crate::space;
use crate::vault::VaultError;

/// A policy names a principal that is not there.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PrincipalError {
    /// Nobody is known by this name.
    #[error("no principal `{0}`")]
    Unknown(String),
    /// The store failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Service {
    /// The key policy of a key as `snapshot` has it, compiled. The default one is compiled once for each account.
    pub(crate) async fn key_policy(
        &self,
        snapshot: &dyn Snapshot,
        region: Region,
        key: KeyId,
        record: &KeyRecord,
    ) -> Result<Arc<Policy>, VaultError> {
        let path = space::policy(region, key)?;
        let damaged = || VaultError::Damaged(path.to_string());
        if record.has_policy {
            let held = self.vault().read::<PolicyRecord>(snapshot, &path).await?.ok_or_else(damaged)?.record;
            let bound = held.bound.unwrap_or_default();
            let ids = |arn: &str| bound.iter().find(|bound| bound.arn == arn).map(|bound| bound.id.as_str());
            let policy = Policy::compile_bound(Kind::Resource, &held.text, &ids);
            return Ok(Arc::new(policy.ok().ok_or_else(damaged)?));
        }
        let service = self.managed_service(snapshot, region, key, record).await?;
        self.written_policy(record.account, region, service.as_deref()).ok_or_else(damaged)
    }

    /// The policy that the service itself writes for keys of an account: for the AWS managed key of a service, or for one that is made
    /// without a policy. Nothing where it does not compile.
    pub(crate) fn written_policy(
        &self,
        account: AccountId,
        region: Region,
        service: Option<&str>,
    ) -> Option<Arc<Policy>> {
        if let Some(known) = self.ring().written_policy(account, region, service) {
            return Some(known);
        }
        let text = written_text(account, region, service);
        let policy = Arc::new(Policy::compile(Kind::Resource, &text).ok()?);
        self.ring().keep_written_policy(account, region, service, &policy);
        Some(policy)
    }

    /// The text of the policy that the service itself has written for a key: for one that was made without a policy.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn written_policy_text(
        &self,
        snapshot: &dyn Snapshot,
        key: &OpenKey,
    ) -> Result<String, VaultError> {
        let arn = key.arn();
        let service = self.managed_service(snapshot, arn.region, arn.key, key.record()).await?;
        Ok(written_text(arn.account, arn.region, service.as_deref()))
    }

    /// The service that an AWS managed key is for: its one alias says so.
    async fn managed_service(
        &self,
        snapshot: &dyn Snapshot,
        region: Region,
        key: KeyId,
        record: &KeyRecord,
    ) -> Result<Option<String>, VaultError> {
        if record.manager != KeyManager::Aws {
            return Ok(None);
        }
        let prefix = space::named_prefix(region, key);
        let (named, _) =
            self.vault().range::<IndexRecord>(snapshot, &prefix, None, core::num::NonZeroUsize::MIN).await?;
        let name = named.first().and_then(|(path, _)| space::last_part(&prefix, path));
        let service = name.and_then(|name| name.strip_prefix("alias/aws/")).unwrap_or_default();
        Ok(Some(service.to_owned()))
    }

    /// The users and roles that `document` names, with their unique ids.
    ///
    /// # Errors
    /// Where it names an account, a user or a role that is not there.
    pub async fn bind_principals(
        &self,
        snapshot: &dyn Snapshot,
        document: &Document,
    ) -> Result<Vec<BoundPrincipal>, PrincipalError> {
        let mut bound: Vec<BoundPrincipal> = Vec::new();
        for principal in document.principals() {
            let arn = match principal {
                AwsPrincipal::Anyone => continue,
                AwsPrincipal::UniqueId(id) => {
                    let path = identity::space::unique(id).map_err(VaultError::from)?;
                    if self.vault().read::<UniqueRecord>(snapshot, &path).await?.is_none() {
                        return Err(PrincipalError::Unknown(id.clone()));
                    }
                    continue;
                }
                AwsPrincipal::Account(account) => {
                    self.check_account(snapshot, *account).await?;
                    continue;
                }
                AwsPrincipal::Identity(arn) => arn,
            };
            if bound.iter().any(|bound| bound.arn == *arn) {
                continue;
            }
            if let Some(id) = self.unique_id(snapshot, arn).await? {
                bound.push(BoundPrincipal { arn: arn.clone(), id });
            }
        }
        Ok(bound)
    }

    /// The unique id of the user or role `arn`; none of a session, which has none.
    ///
    /// # Errors
    /// Where it is not there.
    pub async fn unique_id(
        &self,
        snapshot: &dyn Snapshot,
        arn: &str,
    ) -> Result<Option<String>, PrincipalError> {
        let unknown = || PrincipalError::Unknown(arn.to_owned());
        let mut parts = arn.splitn(6, ':').skip(2);
        let (Some(service), Some(account), Some(resource)) = (parts.next(), parts.nth(1), parts.next())
        else {
            return Err(unknown());
        };
        let account: AccountId = account.parse().ok().ok_or_else(unknown)?;
        self.check_account(snapshot, account).await?;
        let (kind, path) = resource.split_once('/').ok_or_else(unknown)?;
        let name = path.rsplit('/').next().unwrap_or_default();
        let found = match (service, kind) {
            ("iam", "user") => {
                let path = identity::space::user(account, name).map_err(VaultError::from)?;
                let read = self.vault().read::<UserRecord>(snapshot, &path).await?;
                read.map(|read| read.record)
                    .map(|user| (crate::caller::User::from(&user).arn(account), user.id))
            }
            ("iam", "role") => {
                let path = identity::space::role(account, name).map_err(VaultError::from)?;
                let read = self.vault().read::<RoleRecord>(snapshot, &path).await?;
                read.map(|read| read.record)
                    .map(|role| (format!("arn:aws:iam::{account}:role{}{}", role.path, role.name), role.id))
            }
            ("sts", "assumed-role" | "federated-user") => return Ok(None),
            _ => return Err(unknown()),
        };
        let same = found.filter(|(found, _)| without_partition(found) == without_partition(arn));
        Ok(Some(same.ok_or_else(unknown)?.1))
    }

    /// The unique id of the principal `arn` of a grant: of a user or a role; none of a session or an account's root user.
    ///
    /// # Errors
    /// Where it is not there.
    pub async fn grantee_id(
        &self,
        snapshot: &dyn Snapshot,
        arn: &str,
    ) -> Result<Option<String>, PrincipalError> {
        let root = arn.strip_suffix(":root").and_then(|rest| rest.rsplit(':').next());
        match root.and_then(|account| account.parse().ok()) {
            Some(account) if without_partition(arn) == Some(&format!("iam::{account}:root")) => {
                self.check_account(snapshot, account).await?;
                Ok(None)
            }
            Some(_) | None => self.unique_id(snapshot, arn).await,
        }
    }

    async fn check_account(&self, snapshot: &dyn Snapshot, account: AccountId) -> Result<(), PrincipalError> {
        let path = identity::space::account(account).map_err(VaultError::from)?;
        match self.vault().read::<AccountRecord>(snapshot, &path).await? {
            Some(_) => Ok(()),
            None => Err(PrincipalError::Unknown(account.to_string())),
        }
    }

    /// The text of a key policy as it is shown: a user or a role that is gone is shown by its unique id.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn shown_policy(
        &self,
        snapshot: &dyn Snapshot,
        held: PolicyRecord,
    ) -> Result<String, VaultError> {
        let mut text = held.text;
        for bound in held.bound.unwrap_or_default() {
            let shown = self.shown_principal(snapshot, &bound.arn, &bound.id).await?;
            if shown != bound.arn {
                text = text.replace(&format!("\"{}\"", bound.arn), &format!("\"{shown}\""));
            }
        }
        Ok(text)
    }

    /// How the user, the role or the session of a role is shown that was `arn` when it was named: by its ARN of today, or by its unique id
    /// once it, or the role, is gone.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn shown_principal(
        &self,
        snapshot: &dyn Snapshot,
        arn: &str,
        id: &str,
    ) -> Result<String, VaultError> {
        if let Some((role, _)) = id.split_once(':') {
            let is_there = self.is_session_of(snapshot, arn, role).await?;
            return Ok(if is_there { arn } else { id }.to_owned());
        }
        match self.unique_id(snapshot, arn).await {
            Ok(found) if found.as_deref() == Some(id) => return Ok(arn.to_owned()),
            Ok(_) | Err(PrincipalError::Unknown(_)) => {}
            Err(PrincipalError::Vault(error)) => return Err(error),
        }
        let path = identity::space::unique(id)?;
        let Some(known) = self.vault().read::<UniqueRecord>(snapshot, &path).await? else {
            return Ok(id.to_owned());
        };
        // A role keeps its name.
        let UniqueRecord { account, name, .. } = known.record;
        let user = self.vault().read::<UserRecord>(snapshot, &identity::space::user(account, &name)?).await?;
        Ok(match user.map(|user| user.record).filter(|user| user.id == id) {
            Some(user) => {
                let now = crate::caller::User::from(&user).arn(account);
                let partition = arn.split(':').nth(1).unwrap_or_default();
                format!("arn:{partition}:{}", without_partition(&now).unwrap_or_default())
            }
            None => id.to_owned(),
        })
    }
}

fn without_partition(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split_once(':').map(|(_, rest)| rest)
}

fn written_text(account: AccountId, region: Region, service: Option<&str>) -> String {
    match service {
        Some(service) => managed_text(account, region, service),
        None => default_text(account, region.partition()),
    }
}
