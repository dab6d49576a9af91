//! ListKeyRotations: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · UnsupportedOperation · InvalidMarker.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::marker::MarkerError;
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::KeyArn;
use keyreeve_domain::spec::{ImportState, IncludeKeyMaterial, KeyMaterialState, Origin};
use keyreeve_wire::{ListKeyRotationsInput, ListKeyRotationsOutput, RotationsListEntry};

use crate::imported;
use crate::page_limit::PageLimit;
use crate::symmetric;

pub(crate) async fn list_key_rotations(
    cx: &mut Cx<'_>,
    input: ListKeyRotationsInput,
) -> Result<ListKeyRotationsOutput, Refusal> {
    let found = cx.find_without_alias::<actions::ListKeyRotations>(&input.key_id).await?;
    let ready = cx.open::<actions::ListKeyRotations>(&found, &Particulars::NONE).await?;
    // AWS: unverified. The answer is that of RotateKeyOnDemand.
    symmetric::check_rotates(&ready)?;
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
        key_id: ready.id().to_string(),
        key_material_description: material
            .imported
            .as_ref()
            .and_then(|imported| imported.description.clone()),
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
