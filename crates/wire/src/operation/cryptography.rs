//! Cryptographic operations: encryption, signatures, MACs, key agreement, encapsulation, randomness.

use keyreeve_domain::spec::{
    CustomerMasterKeySpec, DryRunModifier, EncapsulationAlgorithm, EncryptionAlgorithm,
    KeyAgreementAlgorithm, KeySpec, KeyUsage, MacAlgorithm, MessageType, Origin, SigningAlgorithm,
};

use crate::declare::operation;
use crate::shapes;
use crate::structures::RecipientInfo;
use crate::value::{Blob, EncryptionContext, RequestedSigningAlgorithm, SensitiveBlob};

operation! { Encrypt {
    input EncryptInput {
        key_id: required String = "KeyId" KEY_ID,
        plaintext: required SensitiveBlob = "Plaintext" PLAINTEXT,
        encryption_context: default EncryptionContext = "EncryptionContext" ENCRYPTION_CONTEXT,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        encryption_algorithm: optional EncryptionAlgorithm = "EncryptionAlgorithm" ENCRYPTION_ALGORITHM,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    output EncryptOutput {
        ciphertext_blob: present Blob = "CiphertextBlob" CIPHERTEXT,
        encryption_algorithm: present EncryptionAlgorithm = "EncryptionAlgorithm" ENCRYPTION_ALGORITHM,
        key_id: present String = "KeyId" KEY_ID,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, DependencyTimeout, InvalidKeyUsage, InvalidGrantToken,
        KmsInternal, KmsInvalidState, DryRunOperation,
    ]
}}

operation! { Decrypt {
    input DecryptInput {
        ciphertext_blob: unless_ignored Blob = "CiphertextBlob" CIPHERTEXT,
        encryption_context: default EncryptionContext = "EncryptionContext" ENCRYPTION_CONTEXT,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        key_id: optional String = "KeyId" KEY_ID,
        encryption_algorithm: optional EncryptionAlgorithm = "EncryptionAlgorithm" ENCRYPTION_ALGORITHM,
        recipient: optional RecipientInfo = "Recipient" RECIPIENT_INFO,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
        dry_run_modifiers: default Vec<DryRunModifier> = "DryRunModifiers" DRY_RUN_MODIFIER_LIST,
    }
    output DecryptOutput {
        ciphertext_for_recipient: optional Blob = "CiphertextForRecipient" CIPHERTEXT,
        encryption_algorithm: present EncryptionAlgorithm = "EncryptionAlgorithm" ENCRYPTION_ALGORITHM,
        key_id: present String = "KeyId" KEY_ID,
        key_material_id: optional String = "KeyMaterialId" KEY_MATERIAL_ID,
        plaintext: optional SensitiveBlob = "Plaintext" PLAINTEXT,
    }
    errors [
        NotFound, Disabled, InvalidCiphertext, KeyUnavailable, IncorrectKey, InvalidKeyUsage,
        DependencyTimeout, InvalidGrantToken, KmsInternal, KmsInvalidState, DryRunOperation,
    ]
}}

operation! { ReEncrypt {
    input ReEncryptInput {
        ciphertext_blob: unless_ignored Blob = "CiphertextBlob" CIPHERTEXT,
        source_encryption_context: default EncryptionContext = "SourceEncryptionContext" ENCRYPTION_CONTEXT,
        source_key_id: optional String = "SourceKeyId" KEY_ID,
        destination_key_id: required String = "DestinationKeyId" KEY_ID,
        destination_encryption_context: default EncryptionContext = "DestinationEncryptionContext" ENCRYPTION_CONTEXT,
        source_encryption_algorithm: optional EncryptionAlgorithm = "SourceEncryptionAlgorithm" ENCRYPTION_ALGORITHM,
        destination_encryption_algorithm: optional EncryptionAlgorithm = "DestinationEncryptionAlgorithm" ENCRYPTION_ALGORITHM,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
        dry_run_modifiers: default Vec<DryRunModifier> = "DryRunModifiers" DRY_RUN_MODIFIER_LIST,
    }
    output ReEncryptOutput {
        ciphertext_blob: present Blob = "CiphertextBlob" CIPHERTEXT,
        destination_encryption_algorithm: present EncryptionAlgorithm = "DestinationEncryptionAlgorithm" ENCRYPTION_ALGORITHM,
        destination_key_material_id: optional String = "DestinationKeyMaterialId" KEY_MATERIAL_ID,
        key_id: present String = "KeyId" KEY_ID,
        source_encryption_algorithm: present EncryptionAlgorithm = "SourceEncryptionAlgorithm" ENCRYPTION_ALGORITHM,
        source_key_id: present String = "SourceKeyId" KEY_ID,
        source_key_material_id: optional String = "SourceKeyMaterialId" KEY_MATERIAL_ID,
    }
    errors [
        NotFound, Disabled, InvalidCiphertext, KeyUnavailable, IncorrectKey, DependencyTimeout,
        InvalidKeyUsage, InvalidGrantToken, KmsInternal, KmsInvalidState, DryRunOperation,
    ]
}}

operation! { Sign {
    input SignInput {
        key_id: required String = "KeyId" KEY_ID,
        message: required SensitiveBlob = "Message" PLAINTEXT,
        message_type: optional MessageType = "MessageType" MESSAGE_TYPE,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        signing_algorithm: required RequestedSigningAlgorithm = "SigningAlgorithm" SIGNING_ALGORITHM,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    output SignOutput {
        key_id: present String = "KeyId" KEY_ID,
        signature: present Blob = "Signature" CIPHERTEXT,
        signing_algorithm: present SigningAlgorithm = "SigningAlgorithm" SIGNING_ALGORITHM,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, DependencyTimeout, InvalidKeyUsage, InvalidGrantToken,
        KmsInternal, KmsInvalidState, DryRunOperation,
    ]
}}

operation! { Verify {
    input VerifyInput {
        key_id: required String = "KeyId" KEY_ID,
        message: required SensitiveBlob = "Message" PLAINTEXT,
        message_type: optional MessageType = "MessageType" MESSAGE_TYPE,
        signature: required Blob = "Signature" CIPHERTEXT,
        signing_algorithm: required RequestedSigningAlgorithm = "SigningAlgorithm" SIGNING_ALGORITHM,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    output VerifyOutput {
        key_id: present String = "KeyId" KEY_ID,
        signature_valid: present bool = "SignatureValid" BOOLEAN,
        signing_algorithm: present SigningAlgorithm = "SigningAlgorithm" SIGNING_ALGORITHM,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, DependencyTimeout, InvalidKeyUsage, InvalidGrantToken,
        KmsInternal, KmsInvalidState, KmsInvalidSignature, DryRunOperation,
    ]
}}

operation! { GenerateMac {
    input GenerateMacInput {
        message: required SensitiveBlob = "Message" PLAINTEXT,
        key_id: required String = "KeyId" KEY_ID,
        mac_algorithm: required MacAlgorithm = "MacAlgorithm" MAC_ALGORITHM,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    output GenerateMacOutput {
        key_id: present String = "KeyId" KEY_ID,
        mac: present Blob = "Mac" CIPHERTEXT,
        mac_algorithm: present MacAlgorithm = "MacAlgorithm" MAC_ALGORITHM,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, InvalidKeyUsage, InvalidGrantToken, KmsInternal,
        KmsInvalidState, DryRunOperation,
    ]
}}

operation! { VerifyMac {
    input VerifyMacInput {
        message: required SensitiveBlob = "Message" PLAINTEXT,
        key_id: required String = "KeyId" KEY_ID,
        mac_algorithm: required MacAlgorithm = "MacAlgorithm" MAC_ALGORITHM,
        mac: required Blob = "Mac" CIPHERTEXT,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    output VerifyMacOutput {
        key_id: present String = "KeyId" KEY_ID,
        mac_algorithm: present MacAlgorithm = "MacAlgorithm" MAC_ALGORITHM,
        mac_valid: present bool = "MacValid" BOOLEAN,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, InvalidKeyUsage, InvalidGrantToken, KmsInternal,
        KmsInvalidMac, KmsInvalidState, DryRunOperation,
    ]
}}

operation! { DeriveSharedSecret {
    input DeriveSharedSecretInput {
        key_id: required String = "KeyId" KEY_ID,
        key_agreement_algorithm: required KeyAgreementAlgorithm = "KeyAgreementAlgorithm" KEY_AGREEMENT_ALGORITHM,
        public_key: required Blob = "PublicKey" PUBLIC_KEY,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
        recipient: optional RecipientInfo = "Recipient" RECIPIENT_INFO,
    }
    output DeriveSharedSecretOutput {
        ciphertext_for_recipient: optional Blob = "CiphertextForRecipient" CIPHERTEXT,
        key_agreement_algorithm: present KeyAgreementAlgorithm = "KeyAgreementAlgorithm" KEY_AGREEMENT_ALGORITHM,
        key_id: present String = "KeyId" KEY_ID,
        key_origin: present Origin = "KeyOrigin" ORIGIN,
        shared_secret: optional SensitiveBlob = "SharedSecret" PLAINTEXT,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, DependencyTimeout, InvalidGrantToken, InvalidKeyUsage,
        KmsInternal, KmsInvalidState, DryRunOperation,
    ]
}}

operation! { Encapsulate {
    input EncapsulateInput {
        key_id: required String = "KeyId" KEY_ID,
        encapsulation_algorithm: required EncapsulationAlgorithm = "EncapsulationAlgorithm" ENCAPSULATION_ALGORITHM,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    output EncapsulateOutput {
        encapsulation_algorithm: present EncapsulationAlgorithm = "EncapsulationAlgorithm" ENCAPSULATION_ALGORITHM,
        key_id: present String = "KeyId" KEY_ID,
        shared_secret: present SensitiveBlob = "SharedSecret" PLAINTEXT,
        shared_secret_ciphertext_blob: present Blob = "SharedSecretCiphertextBlob" CIPHERTEXT,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, DependencyTimeout, InvalidGrantToken, InvalidKeyUsage,
        KmsInternal, KmsInvalidState, DryRunOperation,
    ]
}}

operation! { Decapsulate {
    input DecapsulateInput {
        key_id: required String = "KeyId" KEY_ID,
        shared_secret_ciphertext_blob: required Blob = "SharedSecretCiphertextBlob" CIPHERTEXT,
        encapsulation_algorithm: required EncapsulationAlgorithm = "EncapsulationAlgorithm" ENCAPSULATION_ALGORITHM,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
        dry_run: default bool = "DryRun" NULLABLE_BOOLEAN,
    }
    output DecapsulateOutput {
        encapsulation_algorithm: present EncapsulationAlgorithm = "EncapsulationAlgorithm" ENCAPSULATION_ALGORITHM,
        key_id: present String = "KeyId" KEY_ID,
        shared_secret: present SensitiveBlob = "SharedSecret" PLAINTEXT,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, DependencyTimeout, InvalidGrantToken, InvalidKeyUsage,
        InvalidCiphertext, KmsInternal, KmsInvalidState, DryRunOperation,
    ]
}}

operation! { GetPublicKey {
    input GetPublicKeyInput {
        key_id: required String = "KeyId" KEY_ID,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
    }
    output GetPublicKeyOutput {
        customer_master_key_spec: optional CustomerMasterKeySpec = "CustomerMasterKeySpec" CUSTOMER_MASTER_KEY_SPEC,
        encapsulation_algorithms: optional Vec<EncapsulationAlgorithm> = "EncapsulationAlgorithms" ENCAPSULATION_ALGORITHM_SPEC_LIST,
        encryption_algorithms: optional Vec<EncryptionAlgorithm> = "EncryptionAlgorithms" ENCRYPTION_ALGORITHM_SPEC_LIST,
        key_agreement_algorithms: optional Vec<KeyAgreementAlgorithm> = "KeyAgreementAlgorithms" KEY_AGREEMENT_ALGORITHM_SPEC_LIST,
        key_id: present String = "KeyId" KEY_ID,
        key_spec: present KeySpec = "KeySpec" KEY_SPEC,
        key_usage: present KeyUsage = "KeyUsage" KEY_USAGE,
        public_key: present Blob = "PublicKey" PUBLIC_KEY,
        signing_algorithms: optional Vec<SigningAlgorithm> = "SigningAlgorithms" SIGNING_ALGORITHM_SPEC_LIST,
    }
    errors [
        NotFound, Disabled, KeyUnavailable, DependencyTimeout, UnsupportedOperation, InvalidArn,
        InvalidGrantToken, InvalidKeyUsage, KmsInternal, KmsInvalidState,
    ]
}}

operation! { GenerateRandom {
    input GenerateRandomInput {
        number_of_bytes: optional u32 = "NumberOfBytes" NUMBER_OF_BYTES,
        custom_key_store_id: optional String = "CustomKeyStoreId" CUSTOM_KEY_STORE_ID,
        recipient: optional RecipientInfo = "Recipient" RECIPIENT_INFO,
    }
    output GenerateRandomOutput {
        ciphertext_for_recipient: optional Blob = "CiphertextForRecipient" CIPHERTEXT,
        plaintext: optional SensitiveBlob = "Plaintext" PLAINTEXT,
    }
    errors [
        DependencyTimeout, KmsInternal, UnsupportedOperation, CustomKeyStoreNotFound,
        CustomKeyStoreInvalidState,
    ]
}}
