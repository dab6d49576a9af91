//! What the operations on imported material share.

use keyreeve_core::Refusal;
use keyreeve_core::gate::Ready;
use keyreeve_core::import::ImportError;
use keyreeve_core::record::{KeyRecord, MaterialRecord};
use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::{ExpirationModel, KeySpec, Origin};
use keyreeve_wire::ErrorCode;

/// Refuses a key that has no imported material.
pub(crate) fn check_external<A>(ready: &Ready<'_, A>) -> Result<(), Refusal> {
    match ready.record().origin {
        Origin::External => Ok(()),
        Origin::AwsKms | Origin::AwsCloudhsm | Origin::ExternalKeyStore => Err(wrong_origin(ready)),
    }
}

/// Refuses a key that has imported material.
pub(crate) fn check_not_external<A>(ready: &Ready<'_, A>) -> Result<(), Refusal> {
    match ready.record().origin {
        Origin::External => Err(wrong_origin(ready)),
        Origin::AwsKms | Origin::AwsCloudhsm | Origin::ExternalKeyStore => Ok(()),
    }
}

fn wrong_origin<A>(ready: &Ready<'_, A>) -> Refusal {
    let (arn, origin) = (ready.arn_text(), ready.record().origin);
    Refusal::new(
        ErrorCode::UnsupportedOperation,
        format!("{arn} origin is {origin} which is not valid for this operation."),
    )
}

/// Whether keys of the spec take imported material: all but ML-DSA and ML-KEM.
pub(crate) fn is_importable(spec: KeySpec) -> bool {
    !matches!(
        spec,
        KeySpec::MlDsa44
            | KeySpec::MlDsa65
            | KeySpec::MlDsa87
            | KeySpec::MlKem512
            | KeySpec::MlKem768
            | KeySpec::MlKem1024
    )
}

/// The current material of a key that has imported material, where it is there.
pub(crate) fn current(record: &KeyRecord, now: Timestamp) -> Option<&MaterialRecord> {
    let current = record.materials.last().filter(|_| record.origin == Origin::External);
    current.filter(|material| material.is_present(now))
}

/// Whether and when the material expires.
pub(crate) fn expiration(material: &MaterialRecord) -> (ExpirationModel, Option<Timestamp>) {
    match material.valid_to() {
        Some(valid_to) => (ExpirationModel::KeyMaterialExpires, Some(valid_to)),
        None => (ExpirationModel::KeyMaterialDoesNotExpire, None),
    }
}

/// The refusal for an import that failed.
pub(crate) fn refusal(error: ImportError) -> Refusal {
    match error {
        ImportError::Expired => Refusal::silent(ErrorCode::ExpiredImportToken),
        ImportError::Ciphertext => Refusal::silent(ErrorCode::InvalidCiphertext),
        // As documented, which names invalid material under this error; `InvalidCiphertextException` was recorded of some.
        ImportError::Material => Refusal::silent(ErrorCode::IncorrectKeyMaterial),
        ImportError::Token => Refusal::silent(ErrorCode::InvalidImportToken),
        ImportError::Vault(error) => error.into(),
    }
}

/// The refusal of material that is another than the one with the id `expected`.
pub(crate) fn incorrect(expected: impl core::fmt::Display) -> Refusal {
    let message = format!("Imported key material does not have the expected identifier ({expected}).");
    Refusal::new(ErrorCode::IncorrectKeyMaterial, message)
}
