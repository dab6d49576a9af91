//! Accounts, users, groups, roles, managed policies, providers and access keys, and what says who has what.

use keyreeve_domain::AccountId;
use keyreeve_store::{Entry, Path};

use super::{Check, Held, Problem, parts};
use crate::identity::followed::FollowedRecord;
use crate::identity::record::{
    AccountRecord, DeclaredRecord, GroupKeyRecord, GroupRecord, ManagedPolicyRecord, OrganizationRecord,
    ProviderRecord, RoleRecord, UniqueRecord, UserRecord,
};
use crate::identity::space::{self as identity, Holder};
use crate::last_use::LastUseRecord;
use crate::record::{CredentialRecord, IndexRecord};
use crate::space;
use crate::vault::VaultError;

impl Check<'_> {
    pub(super) async fn identity_entry(
        &mut self,
        kind: &str,
        rest: &str,
        path: &Path,
        entry: &Entry,
    ) -> Result<(), VaultError> {
        let known = match kind {
            "account" => self.account(rest, path, entry).await?,
            "attached" => self.attached(rest, path, entry).await?,
            "credential" => self.credential(rest, path, entry).await?,
            "declared" => {
                self.open::<DeclaredRecord>(path, entry);
                identity::read_declared(path).map(drop)
            }
            "followed" => {
                self.open::<FollowedRecord>(path, entry);
                Some(())
            }
            "group-key" => self.group_key(rest, path, entry).await?,
            "iam" => self.iam(rest, path, entry).await?,
            "member" => self.member(rest, path, entry).await?,
            "unique" => self.unique(rest, path, entry).await?,
            "used" => self.used(rest, path, entry).await?,
            _ => {
                self.open::<OrganizationRecord>(path, entry);
                Some(())
            }
        };
        if known.is_none() {
            self.found(path, Problem::Unknown);
        }
        Ok(())
    }

    async fn account(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Ok(account) = rest.parse::<AccountId>() else { return Ok(None) };
        let Some(record) = self.open::<AccountRecord>(path, entry) else { return Ok(Some(())) };
        for id in &record.root_access_keys {
            self.needs_credential(path, id, account, None).await?;
        }
        Ok(Some(()))
    }

    /// The access key `id`, which must be that of `user`, or of the root user.
    async fn needs_credential(
        &mut self,
        path: &Path,
        id: &str,
        account: AccountId,
        user: Option<&str>,
    ) -> Result<(), VaultError> {
        let wanted = space::credential(id)?;
        match self.read::<CredentialRecord>(&wanted).await? {
            Held::Nothing => self.found(path, Problem::Missing(wanted.to_string())),
            Held::Record(held) if held.account != account || held.user.as_deref() != user => {
                self.disagrees(path, format!("its access key {id} says that it is somebody else's"));
            }
            Held::Record(_) | Held::Unknown => {}
        }
        Ok(())
    }

    async fn credential(&mut self, id: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some(record) = self.open::<CredentialRecord>(path, entry) else { return Ok(Some(())) };
        let account = record.account;
        match (&record.user, &record.service) {
            (None, Some(_)) => {}
            (Some(user), _) => {
                let held = self.read::<UserRecord>(&identity::user(account, user)?).await?;
                self.stands_for(path, &held, |user| user.access_keys.iter().any(|key| key == id));
            }
            (None, None) => {
                let held = self.read::<AccountRecord>(&identity::account(account)?).await?;
                // The first releases had access keys before they had accounts; the next start makes one.
                if matches!(held, Held::Nothing) {
                    return Ok(Some(()));
                }
                self.stands_for(path, &held, |account| account.root_access_keys.iter().any(|key| key == id));
            }
        }
        Ok(Some(()))
    }

    async fn iam(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([account, kind, name]) = parts(rest) else { return Ok(None) };
        let Ok(account) = account.parse::<AccountId>() else { return Ok(None) };
        let found = match kind {
            "group" => match self.open::<GroupRecord>(path, entry) {
                None => return Ok(Some(())),
                Some(group) => {
                    self.holds(path, account, &group.attached, Holder::Group, &group.name).await?;
                    if let Some(key) = &group.key {
                        self.needs(path, &identity::group_key(account, key)?).await?;
                    }
                    group.name
                }
            },
            "policy" => match self.open::<ManagedPolicyRecord>(path, entry) {
                None => return Ok(Some(())),
                Some(policy) => {
                    if policy.default_version().is_none() {
                        self.disagrees(path, "its default version is not there");
                    }
                    policy.name
                }
            },
            "provider" => match self.open::<ProviderRecord>(path, entry) {
                None => return Ok(Some(())),
                Some(provider) => provider.url,
            },
            "role" => match self.open::<RoleRecord>(path, entry) {
                None => return Ok(Some(())),
                Some(role) => {
                    self.holds(path, account, &role.attached, Holder::Role, &role.name).await?;
                    self.holds(path, account, &role.boundary, Holder::RoleBoundary, &role.name).await?;
                    self.needs_unique(path, &role.id, account, &role.name, true).await?;
                    role.name
                }
            },
            "user" => match self.open::<UserRecord>(path, entry) {
                None => return Ok(Some(())),
                Some(user) => {
                    self.user(path, account, &user).await?;
                    user.name
                }
            },
            _ => return Ok(None),
        };
        if !found.eq_ignore_ascii_case(name) {
            self.disagrees(path, format!("it has the name {found}"));
        }
        self.needs(path, &identity::account(account)?).await?;
        Ok(Some(()))
    }

    async fn user(&mut self, path: &Path, account: AccountId, user: &UserRecord) -> Result<(), VaultError> {
        self.holds(path, account, &user.attached, Holder::User, &user.name).await?;
        self.holds(path, account, &user.boundary, Holder::UserBoundary, &user.name).await?;
        self.needs_unique(path, &user.id, account, &user.name, false).await?;
        for group in &user.groups {
            let key = identity::group_key(account, group)?;
            match self.read::<GroupKeyRecord>(&key).await? {
                Held::Nothing => self.needs(path, &identity::group(account, group)?).await?,
                Held::Record(renamed) => {
                    self.needs(path, &identity::group(account, &renamed.name)?).await?;
                }
                Held::Unknown => {}
            }
            self.needs(path, &identity::member(account, group, &user.name)?).await?;
        }
        for id in &user.access_keys {
            self.needs_credential(path, id, account, Some(&user.name)).await?;
        }
        Ok(())
    }

    /// The index entries of the managed policies `held`.
    async fn holds<'p>(
        &mut self,
        path: &Path,
        account: AccountId,
        held: impl IntoIterator<Item = &'p String>,
        kind: Holder,
        holder: &str,
    ) -> Result<(), VaultError> {
        for arn in held {
            let policy = identity::index_name(arn);
            self.needs(path, &identity::attached(account, &policy, kind, holder)?).await?;
        }
        Ok(())
    }

    async fn needs_unique(
        &mut self,
        path: &Path,
        id: &str,
        account: AccountId,
        name: &str,
        is_role: bool,
    ) -> Result<(), VaultError> {
        let wanted = identity::unique(id)?;
        match self.read::<UniqueRecord>(&wanted).await? {
            Held::Nothing => self.found(path, Problem::Missing(wanted.to_string())),
            Held::Record(held)
                if held.account != account
                    || held.is_role != is_role
                    || !held.name.eq_ignore_ascii_case(name) =>
            {
                self.disagrees(path, "its unique id stands for somebody else");
            }
            Held::Record(_) | Held::Unknown => {}
        }
        Ok(())
    }

    async fn unique(&mut self, id: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some(record) = self.open::<UniqueRecord>(path, entry) else { return Ok(Some(())) };
        match record.is_role {
            true => {
                let held = self.read::<RoleRecord>(&identity::role(record.account, &record.name)?).await?;
                self.stands_for(path, &held, |role| role.id == id);
            }
            false => {
                let held = self.read::<UserRecord>(&identity::user(record.account, &record.name)?).await?;
                self.stands_for(path, &held, |user| user.id == id);
            }
        }
        Ok(Some(()))
    }

    async fn used(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([kind, id]) = parts(rest) else { return Ok(None) };
        let stands = match kind {
            "key" => !matches!(self.read::<CredentialRecord>(&space::credential(id)?).await?, Held::Nothing),
            "role" => match self.read::<UniqueRecord>(&identity::unique(id)?).await? {
                Held::Nothing => false,
                Held::Record(unique) => unique.is_role,
                Held::Unknown => true,
            },
            _ => return Ok(None),
        };
        if stands {
            self.open::<LastUseRecord>(path, entry);
        } else {
            self.found(path, Problem::Stray);
        }
        Ok(Some(()))
    }

    async fn group_key(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([account, key]) = parts(rest) else { return Ok(None) };
        let Ok(account) = account.parse() else { return Ok(None) };
        let Some(record) = self.open::<GroupKeyRecord>(path, entry) else { return Ok(Some(())) };
        let held = self.read::<GroupRecord>(&identity::group(account, &record.name)?).await?;
        self.stands_for(path, &held, |group| {
            group.key.as_ref().is_some_and(|held| held.eq_ignore_ascii_case(key))
        });
        Ok(Some(()))
    }

    async fn member(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([account, group, user]) = parts(rest) else { return Ok(None) };
        let Ok(account) = account.parse() else { return Ok(None) };
        self.open::<IndexRecord>(path, entry);
        let held = self.read::<UserRecord>(&identity::user(account, user)?).await?;
        self.stands_for(path, &held, |user| user.groups.iter().any(|held| held.eq_ignore_ascii_case(group)));
        Ok(Some(()))
    }

    async fn attached(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([account, policy, kind, holder]) = parts(rest) else { return Ok(None) };
        let Ok(account) = account.parse::<AccountId>() else { return Ok(None) };
        let Some(kind) = Holder::read(kind) else { return Ok(None) };
        self.open::<IndexRecord>(path, entry);
        if !policy.starts_with("aws:") {
            self.needs(path, &identity::policy(account, policy)?).await?;
        }
        let is_it = |arn: &String| identity::index_name(arn).eq_ignore_ascii_case(policy);
        match kind {
            Holder::Group => {
                let held = self.read::<GroupRecord>(&identity::group(account, holder)?).await?;
                self.stands_for(path, &held, |group| group.attached.iter().any(is_it));
            }
            Holder::Role | Holder::RoleBoundary => {
                let held = self.read::<RoleRecord>(&identity::role(account, holder)?).await?;
                self.stands_for(path, &held, |role| match kind == Holder::Role {
                    true => role.attached.iter().any(is_it),
                    false => role.boundary.as_ref().is_some_and(is_it),
                });
            }
            Holder::User | Holder::UserBoundary => {
                let held = self.read::<UserRecord>(&identity::user(account, holder)?).await?;
                self.stands_for(path, &held, |user| match kind == Holder::User {
                    true => user.attached.iter().any(is_it),
                    false => user.boundary.as_ref().is_some_and(is_it),
                });
            }
        }
        Ok(Some(()))
    }
}
