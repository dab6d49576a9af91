//! Grants, and the indexes that find them by grantee, by retiring principal and by what a named request says.

use keyreeve_domain::{KeyId, Region};
use keyreeve_store::{Entry, Path};

use super::{Check, Held, Problem, parts};
use crate::grants::{Digest, GrantRecord, GranteeKey, SameGrantRecord};
use crate::record::IndexRecord;
use crate::space;
use crate::vault::VaultError;

impl Check<'_> {
    pub(super) async fn grant_entry(
        &mut self,
        kind: &str,
        rest: &str,
        path: &Path,
        entry: &Entry,
    ) -> Result<(), VaultError> {
        let known = match kind {
            "grant" => self.grant(rest, path, entry).await?,
            "grantee" => self.grantee(rest, path, entry).await?,
            "retirable" => self.retirable(rest, path, entry).await?,
            _ => self.same_grant(rest, path, entry).await?,
        };
        if known.is_none() {
            self.found(path, Problem::Unknown);
        }
        Ok(())
    }

    async fn grant(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([region, key, id]) = parts(rest) else { return Ok(None) };
        let Some((region, key)) = region_and_key(region, key) else { return Ok(None) };
        let Some(grant) = self.open::<GrantRecord>(path, entry) else { return Ok(Some(())) };
        if grant.id != id {
            self.disagrees(path, "it has another id than its place");
        }
        self.needs(path, &space::key(region, key)?).await?;
        let grantee = GranteeKey { region, key, grantee: grant.grantee.known_by() };
        self.needs(path, &space::grantee(&grantee, &grant.id)?).await?;
        if let Some(retiring) = &grant.retiring {
            self.needs(path, &space::retirable(region, retiring.known_by(), key, &grant.id)?).await?;
        }
        if let Some(properties) = grant.properties() {
            let wanted = space::same_grant(region, key, properties)?;
            match self.read::<SameGrantRecord>(&wanted).await? {
                Held::Nothing => self.found(path, Problem::Missing(wanted.to_string())),
                Held::Record(same) if same.id != grant.id => {
                    self.disagrees(path, "another grant is known for the request that made it");
                }
                Held::Record(_) | Held::Unknown => {}
            }
        }
        Ok(Some(()))
    }

    async fn grantee(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([region, key, digest, id]) = parts(rest) else { return Ok(None) };
        let (Some((region, key)), Some(digest)) = (region_and_key(region, key), Digest::parse(digest)) else {
            return Ok(None);
        };
        self.open::<IndexRecord>(path, entry);
        let held = self.read::<GrantRecord>(&space::grant(region, key, id)?).await?;
        self.stands_for(path, &held, |grant| grant.grantee.known_by() == digest);
        Ok(Some(()))
    }

    async fn retirable(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([region, digest, key, id]) = parts(rest) else { return Ok(None) };
        let (Some((region, key)), Some(digest)) = (region_and_key(region, key), Digest::parse(digest)) else {
            return Ok(None);
        };
        self.open::<IndexRecord>(path, entry);
        let held = self.read::<GrantRecord>(&space::grant(region, key, id)?).await?;
        self.stands_for(path, &held, |grant| {
            grant.retiring.as_ref().is_some_and(|retiring| retiring.known_by() == digest)
        });
        Ok(Some(()))
    }

    async fn same_grant(&mut self, rest: &str, path: &Path, entry: &Entry) -> Result<Option<()>, VaultError> {
        let Some([region, key, digest]) = parts(rest) else { return Ok(None) };
        let (Some((region, key)), Some(digest)) = (region_and_key(region, key), Digest::parse(digest)) else {
            return Ok(None);
        };
        let Some(same) = self.open::<SameGrantRecord>(path, entry) else { return Ok(Some(())) };
        let held = self.read::<GrantRecord>(&space::grant(region, key, &same.id)?).await?;
        self.stands_for(path, &held, |grant| grant.properties() == Some(digest));
        Ok(Some(()))
    }
}

fn region_and_key(region: &str, key: &str) -> Option<(Region, KeyId)> {
    Some((region.parse().ok()?, key.parse().ok()?))
}
