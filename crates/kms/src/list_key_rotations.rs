//! ListKeyRotations: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · ValidationException (IncludeKeyMaterial) · InvalidMarker.

use std::sync::Arc;

use keyreeve_core::gate::pairs::{Kind, kind};
use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::marker::MarkerError;
use keyreeve_core::record::KeyRecord;
use keyreeve_core::ring::OpenKey;
use keyreeve_core::vault::VaultError;
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::KeyArn;
use keyreeve_domain::spec::{ImportState, IncludeKeyMaterial, KeyMaterialState, Origin};
use keyreeve_wire::{ErrorCode, ListKeyRotationsInput, ListKeyRotationsOutput, RotationsListEntry};

use crate::imported;
use crate::page_limit::PageLimit;

pub(crate) async fn list_key_rotations(
    cx: &mut Cx<'_>,
    input: ListKeyRotationsInput,
) -> Result<ListKeyRotationsOutput, Refusal> {
    let found = cx.find_without_alias::<actions::ListKeyRotations>(&input.key_id).await?;
    let ready = cx.open::<actions::ListKeyRotations>(&found, &Particulars::NONE).await?;
    if kind(ready.record().spec) != Kind::Symmetric {
        if input.include_key_material.is_some() {
            let message = "Input parameter includeKeyMaterial can only be used with symmetric keys.";
            return Err(Refusal::new(ErrorCode::Validation, message));
        }
        // Recorded: keys that never rotate have no rotations.
        return Ok(ListKeyRotationsOutput { next_marker: None, rotations: Vec::new(), truncated: false });
    }
    let all = input.include_key_material == Some(IncludeKeyMaterial::AllKeyMaterial);
    let scope = format!("ListKeyRotations/{}/{all}", ready.arn_text());
    let start = match &input.marker {
        None => 0,
        Some(marker) => {
            let position = cx.service.read_marker(&scope, marker)?;
            usize::from_be_bytes(position.try_into().or(Err(MarkerError))?)
        }
    };
    let limit = PageLimit::KEYS.of(input.limit).get();
    let record = ready.record();
    let described = describing(cx, ready.arn(), record).await?;
    let described = described.as_ref().map_or(record, |primary| primary.record());
    let all_of = described.materials.iter().chain(described.pending.as_deref());
    let descriptions: Vec<_> =
        all_of.filter_map(|material| Some((material.id, material.imported.as_ref()?))).collect();
    let waits_for = match record.multi_region.as_deref().filter(|_| record.pending.is_some()) {
        None => KeyMaterialState::PendingRotation,
        Some(about) => {
            let snapshot = cx.service.vault().snapshot().await?;
            let primary = KeyArn { region: about.primary, ..*ready.arn() };
            match cx.service.is_pending_everywhere(&*snapshot, &primary, record, cx.now).await? {
                true => KeyMaterialState::PendingRotation,
                false => KeyMaterialState::PendingMultiRegionImportAndRotation,
            }
        }
    };
    let (materials, pending) = (&record.materials, record.pending.as_deref());
    let (current, pending_id) = (materials.last().map(|material| material.id), pending.map(|one| one.id));
    let listed = materials.iter().chain(pending).filter(|material| all || material.rotated.is_some());
    let rest: Vec<_> = listed.skip(start).collect();
    let is_external = record.origin == Origin::External;
    let rotations = rest.iter().take(limit).map(|material| RotationsListEntry {
        expiration_model: (is_external && material.is_present(cx.now))
            .then(|| imported::expiration(material).0),
        import_state: is_external.then(|| match material.is_present(cx.now) {
            true => ImportState::Imported,
            false => ImportState::PendingImport,
        }),
        key_id: ready.arn_text().to_owned(),
        key_material_description: descriptions
            .iter()
            .find(|(id, _)| *id == material.id)
            .and_then(|(_, imported)| imported.description.clone()),
        key_material_id: Some(material.id.to_string()),
        key_material_state: Some(if current == Some(material.id) {
            KeyMaterialState::Current
        } else if pending_id == Some(material.id) {
            waits_for
        } else {
            KeyMaterialState::NonCurrent
        }),
        rotation_date: material.rotated.map(|rotated| rotated.at),
        rotation_type: material.rotated.map(|rotated| rotated.by),
        valid_to: material.valid_to().filter(|valid_to| cx.now < *valid_to),
    });
    let truncated = rest.len() > limit;
    let next = start.saturating_add(limit).to_be_bytes();
    let next_marker = truncated.then(|| cx.service.marker(&scope, &next)).transpose()?;
    Ok(ListKeyRotationsOutput { next_marker, rotations: rotations.collect(), truncated })
}

/// The key whose descriptions of the materials count, where it is another one: the primary key of a replica key.
async fn describing(
    cx: &Cx<'_>,
    arn: &KeyArn,
    record: &KeyRecord,
) -> Result<Option<Arc<OpenKey>>, VaultError> {
    let Some(about) = record.multi_region.as_deref().filter(|about| !about.is_primary()) else {
        return Ok(None);
    };
    cx.service.key(about.primary, arn.key).await
}
