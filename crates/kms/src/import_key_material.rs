//! ImportKeyMaterial: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html>.
//!
//! Errors, in order: ValidationException (expiration, the id of new material) · InvalidArn · NotFound · AccessDenied ·
//! KMSInvalidState · UnsupportedOperation (origin; a parameter of symmetric keys alone) · InvalidImportToken, ExpiredImportToken · InvalidCiphertext · IncorrectKeyMaterial ·
//! KMSInvalidState (another material is pending).

use keyreeve_core::cx::Amendment;
use keyreeve_core::gate::pairs::{Kind, kind};
use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::{ImportRecord, Lifecycle, MaterialRecord};
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::{ExpirationModel, ImportType, KeySpec};
use keyreeve_policy::ContextKey;
use keyreeve_wire::{ErrorCode, ImportKeyMaterialInput, ImportKeyMaterialOutput};

use crate::answer::{note_key, note_key_and_material};
use crate::imported::{self, incorrect};

/// The longest validity.
const MOST_DAYS: u32 = 365;

pub(crate) async fn import_key_material(
    cx: &mut Cx<'_>,
    input: ImportKeyMaterialInput,
) -> Result<ImportKeyMaterialOutput, Refusal> {
    let model = input.expiration_model.unwrap_or(ExpirationModel::KeyMaterialExpires);
    let valid_to = check_expiration(model, input.valid_to.map(|date| date.0), cx.now)?;
    if input.import_type == Some(ImportType::NewKeyMaterial) && input.key_material_id.is_some() {
        let message = "Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.";
        return Err(Refusal::new(ErrorCode::Validation, message));
    }
    let seconds = valid_to.map(|at| at.millis().div_euclid(1000).to_string()).unwrap_or_default();
    let mut asked = vec![(ContextKey::KmsExpirationModel, model.as_str())];
    if valid_to.is_some() {
        asked.push((ContextKey::KmsValidTo, seconds.as_str()));
    }
    let particulars = Particulars::of(&asked);
    let found = cx.find_without_alias::<actions::ImportKeyMaterial>(&input.key_id).await?;
    let ready = cx.open::<actions::ImportKeyMaterial>(&found, &particulars).await?;
    imported::check_external(&ready)?;
    check_parameters(ready.record().spec, &input)?;
    let (token, wrapped) = (input.import_token.as_ref(), input.encrypted_key_material.as_ref().to_vec());
    let material = cx.service.import_material(ready.arn(), ready.record(), token, wrapped, cx.now).await;
    let mut material = material.map_err(imported::refusal)?;
    if let Some(id) = input.key_material_id.as_ref().filter(|id| **id != material.id.to_string()) {
        return Err(incorrect(id));
    }
    material.imported = Some(ImportRecord {
        valid_to: valid_to.map(Timestamp::millis),
        description: input.key_material_description,
    });
    let (import_type, is_named, now) = (input.import_type, input.key_material_id.is_some(), cx.now);
    // Recorded: of keys with one material for life, its id is not told.
    let is_told = kind(ready.record().spec) == Kind::Symmetric;
    let id = Some(material.id.to_string()).filter(|_| is_told);
    let (arn, ()) = cx
        .amend::<actions::ImportKeyMaterial, _>(&input.key_id, &particulars, async |change| {
            take_in(change, &material, (import_type, is_named), now)
        })
        .await?;
    match &id {
        Some(id) => note_key_and_material(cx, &arn.0, id),
        None => note_key(cx, &arn.0),
    }
    Ok(ImportKeyMaterialOutput { key_id: arn.0, key_material_id: id })
}

/// Refuses what is for symmetric encryption keys alone, whose material may be another one some day.
fn check_parameters(spec: KeySpec, input: &ImportKeyMaterialInput) -> Result<(), Refusal> {
    if kind(spec) == Kind::Symmetric {
        return Ok(());
    }
    let asked = [
        ("importType", input.import_type.is_some()),
        ("keyMaterialDescription", input.key_material_description.is_some()),
        ("keyMaterialId", input.key_material_id.is_some()),
    ];
    match asked.iter().find(|(_, is_asked)| *is_asked) {
        Some((name, _)) => {
            let message = format!("Input parameter {name} cannot be used with {spec} imported keys.");
            Err(Refusal::new(ErrorCode::Validation, message))
        }
        None => Ok(()),
    }
}

/// Puts the material where it belongs: the first one is current, one that the key had is there again, another one waits for a
/// rotation.
fn take_in(
    change: &mut Amendment<'_, actions::ImportKeyMaterial>,
    material: &MaterialRecord,
    (import_type, is_named): (Option<ImportType>, bool),
    now: Timestamp,
) -> Result<(), Refusal> {
    let arn = change.ready.arn_text();
    let record = &mut change.record;
    // Material of a multi-Region key comes into its primary key first; its replica keys take the same.
    let is_replica = record.multi_region.as_deref().is_some_and(|about| !about.is_primary());
    let is_known =
        record.materials.iter().chain(record.pending.as_deref()).any(|known| known.id == material.id);
    if is_replica && import_type == Some(ImportType::NewKeyMaterial) {
        let message =
            "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys";
        return Err(Refusal::new(ErrorCode::Validation, message));
    }
    if is_replica && material.imported.as_ref().is_some_and(|imported| imported.description.is_some()) {
        let message = "Key material description can only be specified on primary Multi-Region keys";
        return Err(Refusal::new(ErrorCode::Validation, message));
    }
    // An id names material that the key has; AWS: unverified which one is told that is expected where it has none.
    let expected = record.materials.last().map_or(material.id, |current| current.id);
    if (is_replica || is_named) && !is_known {
        return Err(incorrect(expected));
    }
    let is_first = record.materials.is_empty();
    let import_type = import_type.unwrap_or(match is_first {
        true => ImportType::NewKeyMaterial,
        false => ImportType::ExistingKeyMaterial,
    });
    let known = record.materials.iter_mut().find(|known| known.id == material.id);
    match (import_type, known, &mut record.pending) {
        (ImportType::NewKeyMaterial, None, _) if is_first => record.materials.push(material.clone()),
        (ImportType::ExistingKeyMaterial, Some(known), _) => renew(known, material),
        (ImportType::ExistingKeyMaterial, None, Some(pending)) if pending.id == material.id => {
            renew(pending, material);
        }
        (ImportType::NewKeyMaterial, None, Some(pending)) if pending.id == material.id => {
            return Err(associated(arn, material));
        }
        (ImportType::NewKeyMaterial, None, Some(pending)) => {
            let message = format!(
                "New key material (id: {}) cannot be imported into KMS key {arn}, because another key material (id: {}) is \
                 pending rotation.",
                material.id, pending.id
            );
            return Err(Refusal::new(ErrorCode::KmsInvalidState, message));
        }
        (ImportType::NewKeyMaterial, None, pending @ None) => *pending = Some(Box::new(material.clone())),
        (ImportType::ExistingKeyMaterial, None, _) => return Err(incorrect(expected)),
        (ImportType::NewKeyMaterial, Some(_), _) => return Err(associated(arn, material)),
    }
    // Recorded: an import after which a key has all its material enables it, a disabled one too.
    if !record.is_pending_import(now) {
        record.lifecycle = Lifecycle::Enabled;
    }
    Ok(())
}

/// The refusal of material as new that the key has already.
fn associated(arn: &str, material: &MaterialRecord) -> Refusal {
    let message = format!(
        "Key material (id: {}) being imported as NEW_KEY_MATERIAL is already associated with KMS key {arn}.",
        material.id
    );
    Refusal::new(ErrorCode::IncorrectKeyMaterial, message)
}

/// The same material, with another validity and perhaps another description.
fn renew(known: &mut MaterialRecord, material: &MaterialRecord) {
    let before = known.imported.take().unwrap_or_default();
    let mut imported = material.imported.clone().unwrap_or_default();
    imported.description = imported.description.or(before.description);
    known.wrapped.clone_from(&material.wrapped);
    known.imported = Some(imported);
}

/// The time at which the material expires.
fn check_expiration(
    model: ExpirationModel,
    valid_to: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Timestamp>, Refusal> {
    let invalid = |message: &str| Err(Refusal::new(ErrorCode::Validation, message));
    match (model, valid_to) {
        (ExpirationModel::KeyMaterialExpires, None) => {
            invalid("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
        }
        (ExpirationModel::KeyMaterialExpires, Some(at)) if at <= now => {
            invalid("ValidTo must be in the future")
        }
        (ExpirationModel::KeyMaterialExpires, Some(at)) if at > now.plus_days(MOST_DAYS) => {
            invalid("ValidTo must be less than 365 days in the future")
        }
        (ExpirationModel::KeyMaterialExpires, Some(at)) => Ok(Some(at)),
        (ExpirationModel::KeyMaterialDoesNotExpire, Some(_)) => {
            invalid("A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE")
        }
        (ExpirationModel::KeyMaterialDoesNotExpire, None) => Ok(None),
    }
}
