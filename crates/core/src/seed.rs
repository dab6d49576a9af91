//! Keys that somebody has chosen beforehand, id and material included: for tests.
//!
//! A seeded key is wrapped, indexed and announced as any other. What is there already stays as it is; a key that is there
//! with other material or for something else is an error.

use keyreeve_audit::event::Resource;
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_domain::spec::{KeyManager, KeySpec, KeyUsage, Origin, RotationType};
use keyreeve_domain::{AliasName, KeyArn, Timestamp};
use keyreeve_policy::Document;
use keyreeve_store::{Path, Snapshot};

use crate::bracket::{Source, Trail, TrailError};
use crate::commit::Draft;
use crate::cx::Service;
use crate::key_policy::PrincipalError;
use crate::multi_region::MultiRegionRecord;
use crate::record::{
    AliasRecord, ImportRecord, KeyRecord, Lifecycle, PolicyRecord, Rotated, RotationRecord, TagRecord,
};
use crate::service_event::ServiceEvent;
use crate::space;
use crate::vault::VaultError;

/// A key as it was chosen.
pub struct SeedKey {
    /// Its ARN.
    pub arn: KeyArn,
    /// Its description.
    pub description: String,
    /// Its key spec.
    pub spec: KeySpec,
    /// What it is for.
    pub usage: KeyUsage,
    /// Where its material is said to come from.
    pub origin: Origin,
    /// Whether it can be used at once.
    pub enabled: bool,
    /// Its tags.
    pub tags: Vec<TagRecord>,
    /// Its material, the oldest first; none where it is to be made, or to be imported.
    pub materials: Vec<KeyMaterial>,
    /// When imported material expires.
    pub valid_to: Option<Timestamp>,
    /// Its automatic rotation.
    pub rotation: Option<SeedRotation>,
    /// Its key policy; the default one where there is none.
    pub policy: Option<String>,
    /// Its aliases.
    pub aliases: Vec<AliasName>,
}

/// Automatic rotation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SeedRotation {
    /// Days from one rotation to the next.
    pub period_days: u32,
    /// The next rotation; a period from the beginning where there is none.
    pub next: Option<Timestamp>,
}

/// What became of a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seeded {
    /// Whether it was made now.
    pub is_new: bool,
    /// Its aliases that stand for another key by now, and were left so.
    pub moved: Vec<AliasName>,
}

/// A key that cannot be seeded.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SeedError {
    /// It is there, and is another key.
    #[error("there is a key with this id already, with another {0}")]
    Differs(&'static str),
    /// Its policy does not parse.
    #[error("its policy is not syntactically correct: {0}")]
    Policy(String),
    /// Its policy names somebody who is not there.
    #[error("its policy names `{0}`, which is not there")]
    Principal(String),
    /// The trail cannot be written, so nothing was done.
    #[error(transparent)]
    Trail(#[from] TrailError),
    /// The store failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl Service {
    /// Makes the key, or the aliases of it that are missing.
    ///
    /// # Errors
    /// See [`SeedError`].
    pub async fn seed_key(
        &self,
        trail: &dyn Trail,
        key: &SeedKey,
        now: Timestamp,
    ) -> Result<Seeded, SeedError> {
        let arn = key.arn;
        let snapshot = self.vault().snapshot().await?;
        let path = space::key(arn.region, arn.key).map_err(VaultError::from)?;
        let held = self.vault().read::<KeyRecord>(&*snapshot, &path).await?;
        if let Some(held) = &held {
            self.compare(key, &held.record)?;
        } else {
            let draft = self.draft_seed(&*snapshot, key, &path, now).await?;
            self.announce_seed(trail, "CreateKey", key, now).await?;
            self.commit(draft).await?;
        }
        let mut moved = Vec::new();
        for aliases in key.aliases.chunks(ALIASES) {
            let draft = self.draft_aliases(key, aliases, now, &mut moved).await?;
            if !draft.is_empty() {
                self.announce_seed(trail, "CreateAlias", key, now).await?;
                self.commit(draft).await?;
            }
        }
        Ok(Seeded { is_new: held.is_none(), moved })
    }

    async fn announce_seed(
        &self,
        trail: &dyn Trail,
        name: &str,
        key: &SeedKey,
        now: Timestamp,
    ) -> Result<(), SeedError> {
        let (arn, id) = (key.arn, key.arn.key.to_string());
        let event = self.service_event(&ServiceEvent {
            source: Source::Kms,
            name,
            account: arn.account,
            region: arn.region,
            time: now,
            details: &[("keyId", &id), ("by", "seed file")],
            resources: &[Resource::Key(arn)],
        })?;
        Ok(trail.append(event).await?)
    }

    fn compare(&self, key: &SeedKey, held: &KeyRecord) -> Result<(), SeedError> {
        let differs = |what| Err(SeedError::Differs(what));
        if held.account != key.arn.account {
            return differs("account");
        }
        if held.spec != key.spec {
            return differs("spec");
        }
        if held.usage != key.usage {
            return differs("usage");
        }
        if held.origin != key.origin {
            return differs("origin");
        }
        let ids = key.materials.iter().map(|material| self.vault().material_id(material, &key.arn.key));
        // Rotation adds to it, deletion and expiry take the bytes and leave the id.
        let known: Vec<_> = held.materials.iter().map(|material| material.id).collect();
        match ids
            .zip(known.iter().map(Some).chain(core::iter::repeat(None)))
            .all(|(id, known)| known == Some(&id))
        {
            true => Ok(()),
            false => differs("material"),
        }
    }

    async fn draft_seed(
        &self,
        snapshot: &dyn Snapshot,
        key: &SeedKey,
        path: &Path,
        now: Timestamp,
    ) -> Result<Draft<'_>, SeedError> {
        let arn = key.arn;
        let mut draft = Draft::new(self.vault());
        let policy = match &key.policy {
            Some(text) => Some(self.bound_policy(snapshot, text).await?),
            None => None,
        };
        let mut record = KeyRecord {
            account: arn.account,
            description: key.description.clone(),
            spec: key.spec,
            usage: key.usage,
            origin: key.origin,
            manager: KeyManager::Customer,
            created: now,
            lifecycle: if key.enabled { Lifecycle::Enabled } else { Lifecycle::Disabled },
            tags: key.tags.clone(),
            materials: Vec::new(),
            rotation: key.rotation.map(|SeedRotation { period_days, next }| RotationRecord {
                period_days,
                next: next.unwrap_or_else(|| now.plus_days(period_days)),
            }),
            on_demand_rotations: 0,
            has_policy: policy.is_some(),
            pending: None,
            multi_region: arn.key.is_multi_region().then(|| Box::new(MultiRegionRecord::primary(arn.region))),
        };
        for material in &key.materials {
            let mut wrapped = self.vault().wrap_material(&arn, &record, material)?;
            wrapped.rotated =
                (!record.materials.is_empty()).then_some(Rotated { at: now, by: RotationType::Automatic });
            wrapped.imported = (key.origin == Origin::External)
                .then(|| ImportRecord { valid_to: key.valid_to.map(Timestamp::millis), description: None });
            record.materials.push(wrapped);
        }
        if key.materials.is_empty() && key.origin == Origin::AwsKms {
            let made = self.new_material(key.spec).await?;
            record.materials.push(self.vault().wrap_material(&arn, &record, &made)?);
        }
        draft.put(path, None, &record)?;
        draft.index(&space::owned(arn.account, arn.region, arn.key).map_err(VaultError::from)?)?;
        if let Some((at, task)) = record.due() {
            draft.index(&space::due(at, task, arn.region, arn.key).map_err(VaultError::from)?)?;
        }
        if let Some(policy) = policy {
            draft.put(&space::policy(arn.region, arn.key).map_err(VaultError::from)?, None, &policy)?;
        }
        Ok(draft)
    }

    async fn bound_policy(&self, snapshot: &dyn Snapshot, text: &str) -> Result<PolicyRecord, SeedError> {
        let document = Document::parse(text).map_err(|error| SeedError::Policy(error.to_string()))?;
        let bound = self.bind_principals(snapshot, &document).await.map_err(|error| match error {
            PrincipalError::Unknown(name) => SeedError::Principal(name),
            PrincipalError::Vault(error) => error.into(),
        })?;
        Ok(PolicyRecord { text: text.to_owned(), bound: Some(bound) })
    }

    /// The aliases that are not there yet; those that stand for another key are noted in `moved`.
    async fn draft_aliases(
        &self,
        key: &SeedKey,
        aliases: &[AliasName],
        now: Timestamp,
        moved: &mut Vec<AliasName>,
    ) -> Result<Draft<'_>, VaultError> {
        let arn = key.arn;
        let snapshot = self.vault().snapshot().await?;
        let mut draft = Draft::new(self.vault());
        for alias in aliases {
            let path = space::alias(arn.account, arn.region, alias)?;
            match self.vault().read::<AliasRecord>(&*snapshot, &path).await? {
                Some(held) if held.record.target == arn.key => {}
                Some(_) => moved.push(alias.clone()),
                None => {
                    draft.put(&path, None, &AliasRecord { target: arn.key, created: now, updated: now })?;
                    draft.index(&space::named(arn.region, arn.key, alias)?)?;
                }
            }
        }
        Ok(draft)
    }
}

/// Aliases of one batch; each is two writes.
const ALIASES: usize = 25;
