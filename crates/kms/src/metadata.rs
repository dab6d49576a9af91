//! `KeyMetadata`.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html>; which members are present is as
//! recorded from the service.

use keyreeve_core::record::{KeyRecord, Lifecycle};
use keyreeve_domain::KeyArn;
use keyreeve_domain::spec::{KeyState, KeyUsage};
use keyreeve_wire::KeyMetadata;

pub(crate) fn of(arn: &KeyArn, record: &KeyRecord) -> KeyMetadata {
    let state = state(record);
    KeyMetadata {
        aws_account_id: arn.account.to_string(),
        arn: arn.to_string(),
        cloud_hsm_cluster_id: None,
        creation_date: record.created,
        current_key_material_id: record.materials.last().map(|material| material.id.to_string()),
        custom_key_store_id: None,
        customer_master_key_spec: record.spec.customer_master_key_spec(),
        deletion_date: match record.lifecycle {
            Lifecycle::PendingDeletion { at } => Some(at),
            Lifecycle::Disabled | Lifecycle::Enabled => None,
        },
        description: record.description.clone(),
        enabled: state == KeyState::Enabled,
        encapsulation_algorithms: None,
        encryption_algorithms: (record.usage == KeyUsage::EncryptDecrypt)
            .then(|| record.spec.encryption_algorithms().to_vec()),
        expiration_model: None,
        key_agreement_algorithms: None,
        key_id: arn.key.to_string(),
        key_manager: record.manager,
        key_spec: record.spec,
        key_state: state,
        key_usage: record.usage,
        mac_algorithms: None,
        multi_region: arn.key.is_multi_region(),
        multi_region_configuration: None,
        origin: record.origin,
        pending_deletion_window_in_days: None,
        signing_algorithms: None,
        valid_to: None,
        xks_key_configuration: None,
    }
}

pub(crate) fn state(record: &KeyRecord) -> KeyState {
    match record.lifecycle {
        Lifecycle::Enabled => KeyState::Enabled,
        Lifecycle::Disabled => KeyState::Disabled,
        Lifecycle::PendingDeletion { .. } => KeyState::PendingDeletion,
    }
}
