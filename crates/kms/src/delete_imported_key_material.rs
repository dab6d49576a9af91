//! DeleteImportedKeyMaterial: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteImportedKeyMaterial.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · UnsupportedOperation (origin) · ValidationException (material). What is not
//! there is deleted without effect.

use keyreeve_core::gate::pairs::{Kind, kind};
use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::{DeleteImportedKeyMaterialInput, DeleteImportedKeyMaterialOutput, ErrorCode};

use crate::answer::{note_key, note_key_and_material};
use crate::imported;

pub(crate) async fn delete_imported_key_material(
    cx: &mut Cx<'_>,
    input: DeleteImportedKeyMaterialInput,
) -> Result<DeleteImportedKeyMaterialOutput, Refusal> {
    let asked = input.key_material_id.as_deref();
    let (arn, id) = cx
        .amend::<actions::DeleteImportedKeyMaterial, _>(&input.key_id, &Particulars::NONE, async |change| {
            imported::check_external(&change.ready)?;
            let arn = change.ready.arn_text();
            let record = &mut change.record;
            let is_told = kind(record.spec) == Kind::Symmetric;
            let Some(asked) = asked else {
                let current = record.materials.last_mut();
                let id = current.map(|material| {
                    material.remove();
                    material.id.to_string()
                });
                // Recorded: of keys with one material for life, its id is not told.
                return Ok(id.filter(|_| is_told));
            };
            if record.pending.as_ref().is_some_and(|pending| pending.id.to_string() == asked) {
                record.drop_pending(|_| true);
            } else {
                let known = record.materials.iter_mut().find(|material| material.id.to_string() == asked);
                let message =
                    format!("Key material (id: {asked}) has never been imported into KMS key {arn}.");
                known.ok_or_else(|| Refusal::new(ErrorCode::Validation, message))?.remove();
            }
            Ok(Some(asked.to_owned()).filter(|_| is_told))
        })
        .await?;
    match &id {
        Some(id) => note_key_and_material(cx, &arn.0, id),
        None => note_key(cx, &arn.0),
    }
    Ok(DeleteImportedKeyMaterialOutput { key_id: arn.0, key_material_id: id })
}
