//! Multi-Region keys: related keys of one id, one of which is the primary key.
//!
//! Each Region has a record of its own, with its own wrapping of the material. What the keys share flows from the primary: whatever
//! changes it there makes [`Properties`], a message for each replica, and a replica takes it in by [`Properties::receive`], a
//! function of the message and its own record alone. Messages are ordered by `(term, seq)`; one that is not newer changes
//! nothing, so a message may come twice. Here the Regions are in one store, so sender and receivers commit together, and the
//! commit is the receipt; Regions apart would commit one after the other and change nothing else.
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html>.

use std::sync::Arc;

use keyreeve_domain::spec::{MultiRegionKeyType, Origin};
use keyreeve_domain::{KeyArn, KeyId, KeyMaterialId, Region, Timestamp};
use keyreeve_store::Snapshot;
use minicbor::{Decode, Encode};

use crate::commit::Draft;
use crate::cx::Service;
use crate::record::{ImportRecord, KeyRecord, Lifecycle, MaterialRecord, Rotated, RotationRecord};
use crate::ring::OpenKey;
use crate::vault::{Vault, VaultError};

/// What a multi-Region key knows of its related keys.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct MultiRegionRecord {
    /// Whether it is the primary key.
    #[n(0)]
    #[cbor(with = "crate::record::text")]
    pub key_type: MultiRegionKeyType,
    /// The Region of the primary key.
    #[n(1)]
    #[cbor(with = "crate::record::text")]
    pub primary: Region,
    /// The Regions of the replica keys, in the order in which they were made.
    #[n(2)]
    #[cbor(with = "regions")]
    pub replicas: Vec<Region>,
    /// Grows when another key becomes the primary one.
    #[n(3)]
    pub term: u64,
    /// Grows with every change of what the keys share.
    #[n(4)]
    pub seq: u64,
    /// The replica key that is about to become the primary one.
    #[n(5)]
    pub handing: Option<Handing>,
}

/// The primary key becomes a replica key, and another the primary one.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Handing {
    /// The Region of the next primary key.
    #[n(0)]
    #[cbor(with = "crate::record::text")]
    pub to: Region,
    /// Since when.
    #[n(1)]
    #[cbor(with = "crate::record::millis")]
    pub since: Timestamp,
}

impl MultiRegionRecord {
    /// Of a new primary key.
    #[must_use]
    pub fn primary(region: Region) -> Self {
        Self {
            key_type: MultiRegionKeyType::Primary,
            primary: region,
            replicas: Vec::new(),
            term: 1,
            seq: 0,
            handing: None,
        }
    }

    /// Of the replica key that is added to these in `region`.
    #[must_use]
    pub fn replica(&self) -> Self {
        Self { key_type: MultiRegionKeyType::Replica, seq: self.seq.saturating_add(1), ..self.clone() }
    }

    /// Whether it is the primary key.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.key_type == MultiRegionKeyType::Primary
    }

    /// Whether the key in `region` is about to become the primary one, or to be it no longer.
    #[must_use]
    pub fn is_updating(&self, region: Region) -> bool {
        self.handing.is_some_and(|handing| region == handing.to || region == self.primary)
    }

    /// The Regions of all related keys.
    pub(crate) fn regions(&self) -> impl Iterator<Item = Region> + '_ {
        core::iter::once(self.primary).chain(self.replicas.iter().copied())
    }

    /// Puts the primary key into `to`; the replica key there changes places with it.
    fn hand_over(&mut self, to: Region) {
        for replica in self.replicas.iter_mut().filter(|replica| **replica == to) {
            *replica = self.primary;
        }
        self.primary = to;
        self.term = self.term.saturating_add(1);
        self.handing = None;
    }
}

/// What the primary key tells a replica key.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Properties {
    #[n(0)]
    about: MultiRegionRecord,
    #[n(1)]
    rotation: Option<RotationRecord>,
    #[n(2)]
    on_demand_rotations: u32,
    #[n(3)]
    materials: Vec<Told>,
    #[n(4)]
    pending: Option<Told>,
}

/// One version of key material, as it is told.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
struct Told {
    #[n(0)]
    #[cbor(with = "crate::record::material_id")]
    id: KeyMaterialId,
    #[n(1)]
    rotated: Option<Rotated>,
    /// Wrapped for the receiver; absent where it has it already, or is to import it itself.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    wrapped: Option<Vec<u8>>,
}

impl Properties {
    /// What the primary key `arn` with the properties `record` tells the key `to`, which is `own` so far.
    ///
    /// # Errors
    /// Where material does not open, or cannot be wrapped.
    pub fn of(
        vault: &Vault,
        (arn, record): (&KeyArn, &KeyRecord),
        (to, own): (&KeyArn, &KeyRecord),
    ) -> Result<Option<Self>, VaultError> {
        let Some(about) = record.multi_region.clone() else { return Ok(None) };
        let told = |material: &MaterialRecord| {
            let is_known = own.materials.iter().any(|known| known.id == material.id);
            // Imported material is imported into each key.
            let wrapped = match is_known || record.origin == Origin::External {
                true => None,
                false => {
                    let opened = vault.open_material(arn, record, material)?;
                    Some(vault.wrap_material(to, own, &opened)?.wrapped)
                }
            };
            Ok::<_, VaultError>(Told { id: material.id, rotated: material.rotated, wrapped })
        };
        Ok(Some(Self {
            about: *about,
            rotation: record.rotation,
            on_demand_rotations: record.on_demand_rotations,
            materials: record.materials.iter().map(told).collect::<Result<_, _>>()?,
            pending: record.pending.as_deref().map(told).transpose()?,
        }))
    }

    /// The record of the key in `region` once it has taken this in; none where it knows as much or more.
    #[must_use]
    pub fn receive(self, region: Region, own: &KeyRecord) -> Option<KeyRecord> {
        let known = own.multi_region.as_deref()?;
        if (self.about.term, self.about.seq) <= (known.term, known.seq) {
            return None;
        }
        let mut changed = own.clone();
        let is_primary = self.about.primary == region;
        let key_type = if is_primary { MultiRegionKeyType::Primary } else { MultiRegionKeyType::Replica };
        changed.multi_region = Some(Box::new(MultiRegionRecord { key_type, ..self.about }));
        changed.rotation = self.rotation;
        changed.on_demand_rotations = self.on_demand_rotations;
        let held = |told: Told| {
            let held =
                own.materials.iter().chain(own.pending.as_deref()).find(|held| held.id == told.id).cloned();
            let imported = (own.origin == Origin::External).then(ImportRecord::default);
            let mut held = held.unwrap_or_else(|| MaterialRecord {
                id: told.id,
                wrapped: told.wrapped.unwrap_or_default(),
                rotated: None,
                imported,
            });
            held.rotated = told.rotated;
            held
        };
        changed.materials = self.materials.into_iter().map(held).collect();
        changed.pending = self.pending.map(held).map(Box::new);
        Some(changed)
    }
}

/// Whether two related keys know the same of what they share. Which of them is the primary key is what they know differently.
pub(crate) fn agree(one: &KeyRecord, other: &KeyRecord) -> bool {
    let alike = |record: &KeyRecord| {
        let mut record = record.clone();
        if let Some(about) = &mut record.multi_region {
            about.key_type = MultiRegionKeyType::Primary;
        }
        record
    };
    one.spec == other.spec && one.usage == other.usage && is_shared_alike(&alike(one), &alike(other))
}

/// What related keys have in common, as far as it may change.
fn is_shared_alike(one: &KeyRecord, other: &KeyRecord) -> bool {
    let materials = |record: &KeyRecord| {
        let materials = record.materials.iter().map(|material| (material.id, material.rotated));
        materials.collect::<Vec<_>>()
    };
    one.multi_region == other.multi_region
        && one.rotation == other.rotation
        && one.on_demand_rotations == other.on_demand_rotations
        && one.pending.as_ref().map(|pending| pending.id) == other.pending.as_ref().map(|pending| pending.id)
        && materials(one) == materials(other)
}

impl Service {
    /// Counts a change of what the keys related to `key` share, and yields the records of the others once they have taken it in.
    ///
    /// # Errors
    /// Where the store cannot be read, or material not be wrapped.
    pub(crate) async fn share(
        &self,
        snapshot: &dyn Snapshot,
        key: &OpenKey,
        changed: &mut KeyRecord,
    ) -> Result<Vec<(Arc<OpenKey>, KeyRecord)>, VaultError> {
        let was_primary = key.record().multi_region.as_deref().is_some_and(MultiRegionRecord::is_primary);
        if is_shared_alike(key.record(), changed) {
            return Ok(Vec::new());
        }
        if !was_primary && key.record().multi_region.is_some() {
            // What related keys share is the primary key's alone to change; nothing is written.
            return Err(VaultError::Damaged(key.arn().to_string()));
        }
        let Some(about) = &mut changed.multi_region else { return Ok(Vec::new()) };
        about.seq = about.seq.saturating_add(1);
        let own = *key.arn();
        about.key_type = match about.primary == own.region {
            true => MultiRegionKeyType::Primary,
            false => MultiRegionKeyType::Replica,
        };
        let others: Vec<_> = about.regions().filter(|region| *region != own.region).collect();
        let mut told = Vec::with_capacity(others.len());
        for region in others {
            // A replica that is made by the same change knows it already.
            let Some(open) = self.key_at(snapshot, region, own.key).await? else { continue };
            let to = *open.arn();
            let properties = Properties::of(self.vault(), (&own, changed), (&to, open.record()))?;
            if let Some(record) = properties.and_then(|properties| properties.receive(region, open.record()))
            {
                told.push((open, record));
            }
        }
        Ok(told)
    }

    /// Lets the replica key that the primary key `key` in `region` hands over to become the primary one; whether it did. Where it
    /// cannot, the primary key stays what it was.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn hand_over(&self, region: Region, key: KeyId, now: Timestamp) -> Result<bool, VaultError> {
        for _ in 0..ATTEMPTS {
            let snapshot = self.vault().snapshot().await?;
            let Some(open) = self.key_at(&*snapshot, region, key).await? else { return Ok(false) };
            let mut changed = open.record().clone();
            let Some(about) = changed.multi_region.as_deref_mut().filter(|about| about.is_primary()) else {
                return Ok(false);
            };
            let Some(Handing { to, .. }) = about.handing else { return Ok(false) };
            let next = self.key_at(&*snapshot, to, key).await?;
            let takes = next.is_some_and(|next| {
                next.record().lifecycle == Lifecycle::Enabled && !next.record().is_pending_import(now)
            });
            match takes {
                true => about.hand_over(to),
                // Never the same term again: the other may have heard of it.
                false => {
                    about.term = about.term.saturating_add(2);
                    about.handing = None;
                }
            }
            let mut draft = Draft::new(self.vault());
            draft.replace_key(self, &*snapshot, &open, &changed).await?;
            match self.commit(draft).await {
                Ok(()) => return Ok(takes),
                Err(VaultError::Contended) => {}
                Err(error) => return Err(error),
            }
        }
        Err(VaultError::Contended)
    }

    /// Writes that the replica key `gone` is gone into its primary key: it is in its list no longer, and the waiting period of a
    /// primary key that was waiting for the last of them begins.
    ///
    /// # Errors
    /// Where the store cannot be read, or a record not be sealed.
    pub(crate) async fn draft_replica_gone(
        &self,
        snapshot: &dyn Snapshot,
        gone: &OpenKey,
        now: Timestamp,
        draft: &mut Draft<'_>,
    ) -> Result<(), VaultError> {
        let arn = *gone.arn();
        let Some(about) = gone.record().multi_region.as_deref().filter(|about| !about.is_primary()) else {
            return Ok(());
        };
        let Some(primary) = self.key_at(snapshot, about.primary, arn.key).await? else { return Ok(()) };
        let mut changed = primary.record().clone();
        let Some(about) = &mut changed.multi_region else { return Ok(()) };
        about.replicas.retain(|replica| *replica != arn.region);
        if let (Lifecycle::PendingReplicaDeletion { days }, true) =
            (changed.lifecycle, about.replicas.is_empty())
        {
            changed.lifecycle = Lifecycle::PendingDeletion { at: now.plus_days(days) };
        }
        draft.replace_key(self, snapshot, &primary, &changed).await
    }

    /// Whether every replica key of the primary key `key` has imported the material that waits for its rotation.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn is_pending_everywhere(
        &self,
        snapshot: &dyn Snapshot,
        key: &KeyArn,
        record: &KeyRecord,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        let Some(about) = &record.multi_region else { return Ok(true) };
        for region in about.regions().filter(|region| *region != key.region) {
            let Some(open) = self.key_at(snapshot, region, key.key).await? else { continue };
            if !open.record().pending.as_deref().is_some_and(|pending| pending.is_present(now)) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// How often a change is tried again after somebody else was faster.
const ATTEMPTS: usize = 16;

mod regions {
    use keyreeve_domain::Region;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub(super) fn encode<C, W: Write>(
        regions: &[Region],
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.array(u64::try_from(regions.len()).unwrap_or(u64::MAX))?;
        regions.iter().try_for_each(|region| encoder.str(region.as_str()).map(drop))
    }

    pub(super) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Vec<Region>, DecodeError> {
        let names = decoder.array_iter::<&str>()?;
        let region = |name: Result<&str, DecodeError>| {
            name?.parse().or(Err(DecodeError::message("not the name of a Region")))
        };
        names.map(region).collect()
    }
}

#[cfg(test)]
mod tests;
