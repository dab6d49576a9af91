//! `KeyMetadata`.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html>; which members are present is as
//! recorded from the service.

use keyreeve_core::gate::pairs::{Kind, kind};
use keyreeve_core::record::{KeyRecord, Lifecycle, TagRecord};
use keyreeve_domain::spec::{
    EncapsulationAlgorithm, EncryptionAlgorithm, KeyAgreementAlgorithm, KeyState, KeyUsage, MacAlgorithm,
    SigningAlgorithm,
};
use keyreeve_domain::{KeyArn, Region, Timestamp};
use keyreeve_wire::{KeyMetadata, Tag};

use crate::{imported, multi_region};

pub(crate) fn of(arn: &KeyArn, record: &KeyRecord, now: Timestamp) -> KeyMetadata {
    let (state, algorithms) = (state(record, arn.region, now), Algorithms::of(record));
    let is_whole = !record.is_pending_import(now);
    let expiration = imported::current(record, now).filter(|_| is_whole).map(imported::expiration);
    KeyMetadata {
        aws_account_id: arn.account.to_string(),
        arn: arn.to_string(),
        cloud_hsm_cluster_id: None,
        creation_date: record.created,
        current_key_material_id: match kind(record.spec) {
            Kind::Symmetric => record.materials.last().map(|material| material.id.to_string()),
            Kind::Mac | Kind::Pair => None,
        },
        custom_key_store_id: None,
        customer_master_key_spec: record.spec.customer_master_key_spec(),
        deletion_date: match record.lifecycle {
            Lifecycle::PendingDeletion { at } => Some(at),
            Lifecycle::Disabled | Lifecycle::Enabled | Lifecycle::PendingReplicaDeletion { .. } => None,
        },
        description: record.description.clone(),
        enabled: state == KeyState::Enabled,
        encapsulation_algorithms: algorithms.encapsulation,
        encryption_algorithms: algorithms.encryption,
        expiration_model: expiration.map(|(model, _)| model),
        key_agreement_algorithms: algorithms.key_agreement,
        key_id: arn.key.to_string(),
        key_manager: record.manager,
        key_spec: record.spec,
        key_state: state,
        key_usage: record.usage,
        mac_algorithms: algorithms.mac,
        multi_region: arn.key.is_multi_region(),
        multi_region_configuration: multi_region::configuration(arn, record),
        origin: record.origin,
        pending_deletion_window_in_days: match record.lifecycle {
            Lifecycle::PendingReplicaDeletion { days } => Some(days),
            Lifecycle::Disabled | Lifecycle::Enabled | Lifecycle::PendingDeletion { .. } => None,
        },
        signing_algorithms: algorithms.signing,
        valid_to: expiration.and_then(|(_, valid_to)| valid_to),
        xks_key_configuration: None,
    }
}

/// The algorithms of a key: of its usage alone.
#[derive(Default)]
pub(crate) struct Algorithms {
    pub(crate) encapsulation: Option<Vec<EncapsulationAlgorithm>>,
    pub(crate) encryption: Option<Vec<EncryptionAlgorithm>>,
    pub(crate) key_agreement: Option<Vec<KeyAgreementAlgorithm>>,
    pub(crate) mac: Option<Vec<MacAlgorithm>>,
    pub(crate) signing: Option<Vec<SigningAlgorithm>>,
}

impl Algorithms {
    pub(crate) fn of(record: &KeyRecord) -> Self {
        let (spec, none) = (record.spec, Self::default());
        match record.usage {
            KeyUsage::EncapsulateDecapsulate => {
                Self { encapsulation: Some(spec.encapsulation_algorithms().to_vec()), ..none }
            }
            KeyUsage::EncryptDecrypt => {
                Self { encryption: Some(spec.encryption_algorithms().to_vec()), ..none }
            }
            KeyUsage::GenerateVerifyMac => Self { mac: Some(spec.mac_algorithms().to_vec()), ..none },
            KeyUsage::KeyAgreement => {
                Self { key_agreement: Some(spec.key_agreement_algorithms().to_vec()), ..none }
            }
            KeyUsage::SignVerify => Self { signing: Some(spec.signing_algorithms().to_vec()), ..none },
        }
    }
}

/// A tag of an answer.
pub(crate) fn tag(tag: &TagRecord) -> Tag {
    Tag { tag_key: tag.key.clone(), tag_value: tag.value.clone() }
}

pub(crate) fn state(record: &KeyRecord, region: Region, now: Timestamp) -> KeyState {
    let is_updating = record.multi_region.as_deref().is_some_and(|about| about.is_updating(region));
    match record.lifecycle {
        Lifecycle::Enabled | Lifecycle::Disabled if record.is_pending_import(now) => KeyState::PendingImport,
        Lifecycle::Enabled if is_updating => KeyState::Updating,
        Lifecycle::Enabled => KeyState::Enabled,
        Lifecycle::Disabled => KeyState::Disabled,
        Lifecycle::PendingDeletion { .. } => KeyState::PendingDeletion,
        Lifecycle::PendingReplicaDeletion { .. } => KeyState::PendingReplicaDeletion,
    }
}
