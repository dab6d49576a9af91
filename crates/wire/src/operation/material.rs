//! Operations on key material: rotation and import.

use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::{
    ExpirationModel, ImportType, IncludeKeyMaterial, WrappingAlgorithm, WrappingKeySpec,
};

use crate::declare::operation;
use crate::shapes;
use crate::structures::RotationsListEntry;
use crate::value::{Blob, KmsDate, SensitiveBlob};

operation! { EnableKeyRotation {
    input EnableKeyRotationInput {
        key_id: required String = "KeyId" KEY_ID,
        rotation_period_in_days: optional u32 = "RotationPeriodInDays" ROTATION_PERIOD_IN_DAYS,
    }
    errors [
        NotFound, Disabled, InvalidArn, DependencyTimeout, KmsInternal, KmsInvalidState,
        UnsupportedOperation,
    ]
}}

operation! { DisableKeyRotation {
    input DisableKeyRotationInput {
        key_id: required String = "KeyId" KEY_ID,
    }
    errors [
        NotFound, Disabled, InvalidArn, DependencyTimeout, KmsInternal, KmsInvalidState,
        UnsupportedOperation,
    ]
}}

operation! { GetKeyRotationStatus {
    input GetKeyRotationStatusInput {
        key_id: required String = "KeyId" KEY_ID,
    }
    output GetKeyRotationStatusOutput {
        key_id: present String = "KeyId" KEY_ID,
        key_rotation_enabled: present bool = "KeyRotationEnabled" BOOLEAN,
        next_rotation_date: optional Timestamp = "NextRotationDate" DATE,
        on_demand_rotation_start_date: optional Timestamp = "OnDemandRotationStartDate" DATE,
        rotation_period_in_days: optional u32 = "RotationPeriodInDays" ROTATION_PERIOD_IN_DAYS,
    }
    errors [
        NotFound, InvalidArn, DependencyTimeout, KmsInternal, KmsInvalidState,
        UnsupportedOperation,
    ]
}}

operation! { RotateKeyOnDemand {
    input RotateKeyOnDemandInput {
        key_id: required String = "KeyId" KEY_ID,
    }
    output RotateKeyOnDemandOutput {
        key_id: present String = "KeyId" KEY_ID,
    }
    errors [
        NotFound, Disabled, InvalidArn, DependencyTimeout, KmsInternal, KmsInvalidState,
        UnsupportedOperation, LimitExceeded, Conflict,
    ]
}}

operation! { ListKeyRotations {
    input ListKeyRotationsInput {
        key_id: required String = "KeyId" KEY_ID,
        include_key_material: optional IncludeKeyMaterial = "IncludeKeyMaterial" INCLUDE_KEY_MATERIAL,
        limit: optional u32 = "Limit" LIMIT,
        marker: optional String = "Marker" MARKER,
    }
    output ListKeyRotationsOutput {
        next_marker: optional String = "NextMarker" MARKER,
        rotations: present Vec<RotationsListEntry> = "Rotations" ROTATIONS_LIST,
        truncated: present bool = "Truncated" BOOLEAN,
    }
    errors [
        NotFound, InvalidArn, InvalidMarker, KmsInternal, KmsInvalidState, UnsupportedOperation,
    ]
}}

operation! { GetParametersForImport {
    input GetParametersForImportInput {
        key_id: required String = "KeyId" KEY_ID,
        wrapping_algorithm: required WrappingAlgorithm = "WrappingAlgorithm" WRAPPING_ALGORITHM,
        wrapping_key_spec: required WrappingKeySpec = "WrappingKeySpec" WRAPPING_KEY_SPEC,
    }
    output GetParametersForImportOutput {
        import_token: present Blob = "ImportToken" CIPHERTEXT,
        key_id: present String = "KeyId" KEY_ID,
        parameters_valid_to: present Timestamp = "ParametersValidTo" DATE,
        public_key: present SensitiveBlob = "PublicKey" PLAINTEXT,
    }
    errors [
        InvalidArn, UnsupportedOperation, DependencyTimeout, NotFound, KmsInternal,
        KmsInvalidState,
    ]
}}

operation! { ImportKeyMaterial {
    input ImportKeyMaterialInput {
        key_id: required String = "KeyId" KEY_ID,
        import_token: required Blob = "ImportToken" CIPHERTEXT,
        encrypted_key_material: required Blob = "EncryptedKeyMaterial" CIPHERTEXT,
        valid_to: optional KmsDate = "ValidTo" DATE,
        expiration_model: optional ExpirationModel = "ExpirationModel" EXPIRATION_MODEL,
        import_type: optional ImportType = "ImportType" IMPORT_TYPE,
        key_material_description: optional String = "KeyMaterialDescription" KEY_MATERIAL_DESCRIPTION,
        key_material_id: optional String = "KeyMaterialId" KEY_MATERIAL_ID,
    }
    output ImportKeyMaterialOutput {
        key_id: present String = "KeyId" KEY_ID,
        key_material_id: optional String = "KeyMaterialId" KEY_MATERIAL_ID,
    }
    errors [
        InvalidArn, UnsupportedOperation, DependencyTimeout, NotFound, KmsInternal,
        KmsInvalidState, InvalidCiphertext, IncorrectKeyMaterial, ExpiredImportToken,
        InvalidImportToken,
    ]
}}

operation! { DeleteImportedKeyMaterial {
    input DeleteImportedKeyMaterialInput {
        key_id: required String = "KeyId" KEY_ID,
        key_material_id: optional String = "KeyMaterialId" KEY_MATERIAL_ID,
    }
    output DeleteImportedKeyMaterialOutput {
        key_id: present String = "KeyId" KEY_ID,
        key_material_id: optional String = "KeyMaterialId" KEY_MATERIAL_ID_RESPONSE,
    }
    errors [
        InvalidArn, UnsupportedOperation, DependencyTimeout, NotFound, KmsInternal,
        KmsInvalidState,
    ]
}}
