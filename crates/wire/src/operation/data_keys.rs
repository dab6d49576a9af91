//! Operations that make data keys and data key pairs.

use keyreeve_domain::spec::{DataKeyPairSpec, DataKeySpec};

use crate::declare::operation;
use crate::shapes;
use crate::structures::RecipientInfo;
use crate::value::{Blob, EncryptionContext, SensitiveBlob};

operation! { GenerateDataKey {
    input GenerateDataKeyInput {
        key_id: required String = "KeyId" KEY_ID,
        encryption_context: default EncryptionContext = "EncryptionContext" ENCRYPTION_CONTEXT,
        number_of_bytes: optional u32 = "NumberOfBytes" NUMBER_OF_BYTES,
        key_spec: optional DataKeySpec = "KeySpec" DATA_KEY_SPEC,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        recipient: optional RecipientInfo = "Recipient" RECIPIENT_INFO,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    output GenerateDataKeyOutput {
        ciphertext_blob: present Blob = "CiphertextBlob" CIPHERTEXT,
        ciphertext_for_recipient: optional Blob = "CiphertextForRecipient" CIPHERTEXT,
        key_id: present String = "KeyId" KEY_ID,
        key_material_id: optional String = "KeyMaterialId" KEY_MATERIAL_ID,
        plaintext: optional SensitiveBlob = "Plaintext" PLAINTEXT,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, DependencyTimeout, InvalidKeyUsage, InvalidGrantToken,
        KmsInternal, KmsInvalidState, DryRunOperation,
    ]
}}

operation! { GenerateDataKeyWithoutPlaintext {
    input GenerateDataKeyWithoutPlaintextInput {
        key_id: required String = "KeyId" KEY_ID,
        encryption_context: default EncryptionContext = "EncryptionContext" ENCRYPTION_CONTEXT,
        key_spec: optional DataKeySpec = "KeySpec" DATA_KEY_SPEC,
        number_of_bytes: optional u32 = "NumberOfBytes" NUMBER_OF_BYTES,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    output GenerateDataKeyWithoutPlaintextOutput {
        ciphertext_blob: present Blob = "CiphertextBlob" CIPHERTEXT,
        key_id: present String = "KeyId" KEY_ID,
        key_material_id: optional String = "KeyMaterialId" KEY_MATERIAL_ID,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, DependencyTimeout, InvalidKeyUsage, InvalidGrantToken,
        KmsInternal, KmsInvalidState, DryRunOperation,
    ]
}}

operation! { GenerateDataKeyPair {
    input GenerateDataKeyPairInput {
        encryption_context: default EncryptionContext = "EncryptionContext" ENCRYPTION_CONTEXT,
        key_id: required String = "KeyId" KEY_ID,
        key_pair_spec: required DataKeyPairSpec = "KeyPairSpec" DATA_KEY_PAIR_SPEC,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        recipient: optional RecipientInfo = "Recipient" RECIPIENT_INFO,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    output GenerateDataKeyPairOutput {
        ciphertext_for_recipient: optional Blob = "CiphertextForRecipient" CIPHERTEXT,
        key_id: present String = "KeyId" KEY_ID,
        key_material_id: optional String = "KeyMaterialId" KEY_MATERIAL_ID,
        key_pair_spec: present DataKeyPairSpec = "KeyPairSpec" DATA_KEY_PAIR_SPEC,
        private_key_ciphertext_blob: present Blob = "PrivateKeyCiphertextBlob" CIPHERTEXT,
        private_key_plaintext: optional SensitiveBlob = "PrivateKeyPlaintext" PLAINTEXT,
        public_key: present Blob = "PublicKey" PUBLIC_KEY,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, DependencyTimeout, InvalidKeyUsage, InvalidGrantToken,
        KmsInternal, KmsInvalidState, UnsupportedOperation, DryRunOperation,
    ]
}}

operation! { GenerateDataKeyPairWithoutPlaintext {
    input GenerateDataKeyPairWithoutPlaintextInput {
        encryption_context: default EncryptionContext = "EncryptionContext" ENCRYPTION_CONTEXT,
        key_id: required String = "KeyId" KEY_ID,
        key_pair_spec: required DataKeyPairSpec = "KeyPairSpec" DATA_KEY_PAIR_SPEC,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    output GenerateDataKeyPairWithoutPlaintextOutput {
        key_id: present String = "KeyId" KEY_ID,
        key_material_id: optional String = "KeyMaterialId" KEY_MATERIAL_ID,
        key_pair_spec: present DataKeyPairSpec = "KeyPairSpec" DATA_KEY_PAIR_SPEC,
        private_key_ciphertext_blob: present Blob = "PrivateKeyCiphertextBlob" CIPHERTEXT,
        public_key: present Blob = "PublicKey" PUBLIC_KEY,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, DependencyTimeout, InvalidKeyUsage, InvalidGrantToken,
        KmsInternal, KmsInvalidState, UnsupportedOperation, DryRunOperation,
    ]
}}
