//! KMS keys, their policies and aliases, what is due, and their last use.

use keyreeve_domain::{AliasName, KeyArn, KeyId, Region};
use keyreeve_policy::{Kind, Policy};
use keyreeve_store::{Entry, Path};

use super::{Check, Held, Problem, parts};
use crate::multi_region;
use crate::record::{AliasRecord, IndexRecord, KeyRecord, PolicyRecord, UsageRecord};
use crate::space::{self, read_due};
use crate::vault::VaultError;

impl Check<'_> {
    pub(super) async fn key_entry(
        &mut self,
        kind: &str,
        rest: &str,
        path: &Path,
        entry: &Entry,
    ) -> Result<(), VaultError> {
        let known = match kind {
            "key" => self.key(rest, path, entry).await?,
            "policy" => self.policy(rest, path, entry).await?,
            "owned" => self.owned(rest, path, entry).await?,
            "alias" => self.alias(rest, path, entry).await?,
            "named" => self.named(rest, path, entry).await?,
            "due" => self.due(path, entry).await?,
            _ => self.usage(rest, path, entry).await?,
        };
        if known.is_none() {
            self.found(path, Problem::Unknown);
        }
        Ok(())
    }

    async fn key(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some((region, key)) = region_and_key(rest) else { return Ok(None) };
        let Some(record) = self.open::<KeyRecord>(path, entry) else { return Ok(Some(())) };
        let arn = KeyArn { region, account: record.account, key };
        self.needs(path, &space::owned(record.account, region, key)?).await?;
        if record.has_policy {
            self.needs(path, &space::policy(region, key)?).await?;
        }
        if let Some((at, task)) = record.due() {
            self.needs(path, &space::due(at, task, region, key)?).await?;
        }
        for material in record.materials.iter().chain(record.pending.as_deref()) {
            if material.wrapped.is_empty() {
                continue;
            }
            self.summary.materials += 1;
            let opened = self.vault.open_material(&arn, &record, material);
            if let Err(error @ VaultError::Memory(_)) = opened {
                return Err(error);
            }
            if !opened.is_ok_and(|opened| self.vault.material_id(&opened, &key) == material.id) {
                self.found(path, Problem::Material(material.id.to_string()));
            }
        }
        self.related(path, region, key, &record).await?;
        Ok(Some(()))
    }

    /// The keys that are related to a multi-Region key: what they share is the same in each.
    async fn related(
        &mut self,
        path: &Path,
        region: Region,
        key: KeyId,
        record: &KeyRecord,
    ) -> Result<(), VaultError> {
        let Some(about) = &record.multi_region else { return Ok(()) };
        if about.is_primary() != (about.primary == region) {
            self.disagrees(path, "whether it is the primary key is not what its Region says");
        }
        if !about.regions().any(|related| related == region) {
            self.disagrees(path, "it is not in its own list of related keys");
        }
        for other in about.regions().filter(|other| *other != region) {
            match self.read_key(other, key).await? {
                Held::Nothing => {
                    let wanted = space::key(other, key)?;
                    self.found(path, Problem::Missing(wanted.to_string()));
                }
                Held::Record(related) if !multi_region::agree(record, &related) => {
                    self.disagrees(
                        path,
                        format!("what it shares with its related key in {other} is not the same"),
                    );
                }
                Held::Record(_) | Held::Unknown => {}
            }
        }
        Ok(())
    }

    async fn policy(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some((region, key)) = rest.strip_suffix("/default").and_then(region_and_key) else {
            return Ok(None);
        };
        let Some(policy) = self.open::<PolicyRecord>(path, entry) else { return Ok(Some(())) };
        if Policy::compile(Kind::Resource, &policy.text).is_err() {
            self.disagrees(path, "it is no policy, so nobody is allowed anything by it");
        }
        let held = self.read_key(region, key).await?;
        self.stands_for(path, &held, |key| key.has_policy);
        Ok(Some(()))
    }

    async fn owned(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([account, region, key]) = parts(rest) else { return Ok(None) };
        let (Ok(account), Ok(region), Ok(key)) = (account.parse(), region.parse(), key.parse()) else {
            return Ok(None);
        };
        self.open::<IndexRecord>(path, entry);
        let held = self.read_key(region, key).await?;
        self.stands_for(path, &held, |key| key.account == account);
        Ok(Some(()))
    }

    async fn alias(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([account, region, alias]) = parts(rest) else { return Ok(None) };
        let (Ok(account), Ok(region), Ok(alias)) =
            (account.parse(), region.parse(), alias.parse::<AliasName>())
        else {
            return Ok(None);
        };
        let Some(record) = self.open::<AliasRecord>(path, entry) else { return Ok(Some(())) };
        self.needs(path, &space::named(region, record.target, &alias)?).await?;
        match self.read_key(region, record.target).await? {
            Held::Nothing => {
                let wanted = space::key(region, record.target)?;
                self.found(path, Problem::Missing(wanted.to_string()));
            }
            Held::Record(key) if key.account != account => {
                self.disagrees(path, "the key that it stands for is of another account");
            }
            Held::Record(_) | Held::Unknown => {}
        }
        Ok(Some(()))
    }

    async fn named(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([region, key, alias]) = parts(rest) else { return Ok(None) };
        let (Ok(region), Ok(key), Ok(alias)) = (region.parse(), key.parse(), alias.parse::<AliasName>())
        else {
            return Ok(None);
        };
        self.open::<IndexRecord>(path, entry);
        match self.read_key(region, key).await? {
            Held::Nothing => self.found(path, Problem::Stray),
            Held::Record(record) => {
                let held = self.read::<AliasRecord>(&space::alias(record.account, region, &alias)?).await?;
                self.stands_for(path, &held, |alias| alias.target == key);
            }
            Held::Unknown => {}
        }
        Ok(Some(()))
    }

    async fn due(&mut self, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some((at, task, region, key)) = read_due(path) else { return Ok(None) };
        if space::due(at, task, region, key)? != *path {
            return Ok(None);
        }
        self.open::<IndexRecord>(path, entry);
        let held = self.read_key(region, key).await?;
        self.stands_for(path, &held, |key| key.due() == Some((at, task)));
        Ok(Some(()))
    }

    async fn usage(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some((region, key)) = region_and_key(rest) else { return Ok(None) };
        self.open::<UsageRecord>(path, entry);
        let held = self.read_key(region, key).await?;
        self.stands_for(path, &held, |_| true);
        Ok(Some(()))
    }
}

fn region_and_key(text: &str) -> Option<(Region, KeyId)> {
    let [region, key] = parts(text)?;
    Some((region.parse().ok()?, key.parse().ok()?))
}
