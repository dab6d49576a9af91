//! Structures inside requests and answers.
//!
//! Members of a structure that is written stand in alphabetical order.

use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::{
    ConnectionErrorCode, ConnectionState, CustomKeyStoreType, CustomerMasterKeySpec, EncapsulationAlgorithm,
    EncryptionAlgorithm, ExpirationModel, GrantOperation, ImportState, KeyAgreementAlgorithm,
    KeyEncryptionMechanism, KeyLastUsageOperation, KeyManager, KeyMaterialState, KeySpec, KeyState, KeyUsage,
    MacAlgorithm, MultiRegionKeyType, Origin, RotationType, SigningAlgorithm, XksProxyConnectivity,
};

use crate::declare::structure;
use crate::shapes;
use crate::value::{Blob, EncryptionContext, SensitiveText};

structure! {
    /// A tag of a key.
    #[derive(Clone, Debug, Eq, PartialEq)]
    shared Tag = "Tag" {
        tag_key: required String = "TagKey" TAG_KEY,
        tag_value: required String = "TagValue" TAG_VALUE,
    }
}

structure! {
    /// When a grant holds.
    #[derive(Clone, Debug, Eq, PartialEq)]
    shared GrantConstraints = "GrantConstraints" {
        encryption_context_equals: optional EncryptionContext = "EncryptionContextEquals" ENCRYPTION_CONTEXT,
        encryption_context_subset: optional EncryptionContext = "EncryptionContextSubset" ENCRYPTION_CONTEXT,
        source_arn: optional String = "SourceArn" SOURCE_ARN,
    }
}

structure! {
    /// The attested enclave an answer is encrypted for.
    #[derive(Clone, Debug, Eq, PartialEq)]
    input RecipientInfo = "RecipientInfo" {
        key_encryption_algorithm: optional KeyEncryptionMechanism = "KeyEncryptionAlgorithm" KEY_ENCRYPTION_MECHANISM,
        attestation_document: optional Blob = "AttestationDocument" ATTESTATION_DOCUMENT,
    }
}

structure! {
    /// What authenticates to an external key store proxy.
    input XksProxyAuthenticationCredential = "XksProxyAuthenticationCredentialType" {
        access_key_id: required SensitiveText = "AccessKeyId" XKS_PROXY_AUTHENTICATION_ACCESS_KEY_ID,
        raw_secret_access_key: required SensitiveText = "RawSecretAccessKey" XKS_PROXY_AUTHENTICATION_RAW_SECRET_ACCESS_KEY,
    }
}

structure! {
    /// An alias.
    #[derive(Clone, Debug, Eq, PartialEq)]
    output AliasListEntry = "AliasListEntry" {
        alias_arn: present String = "AliasArn" ARN,
        alias_name: present String = "AliasName" ALIAS_NAME,
        creation_date: optional Timestamp = "CreationDate" DATE,
        last_updated_date: optional Timestamp = "LastUpdatedDate" DATE,
        target_key_id: optional String = "TargetKeyId" KEY_ID,
    }
}

structure! {
    /// A custom key store.
    output CustomKeyStoresListEntry = "CustomKeyStoresListEntry" {
        cloud_hsm_cluster_id: optional String = "CloudHsmClusterId" CLOUD_HSM_CLUSTER_ID,
        connection_error_code: optional ConnectionErrorCode = "ConnectionErrorCode" CONNECTION_ERROR_CODE,
        connection_state: present ConnectionState = "ConnectionState" CONNECTION_STATE,
        creation_date: present Timestamp = "CreationDate" DATE,
        custom_key_store_id: present String = "CustomKeyStoreId" CUSTOM_KEY_STORE_ID,
        custom_key_store_name: present String = "CustomKeyStoreName" CUSTOM_KEY_STORE_NAME,
        custom_key_store_type: present CustomKeyStoreType = "CustomKeyStoreType" CUSTOM_KEY_STORE_TYPE,
        trust_anchor_certificate: optional String = "TrustAnchorCertificate" TRUST_ANCHOR_CERTIFICATE,
        xks_proxy_configuration: optional XksProxyConfiguration = "XksProxyConfiguration" XKS_PROXY_CONFIGURATION,
    }
}

structure! {
    /// A grant.
    #[derive(Clone, Debug, Eq, PartialEq)]
    output GrantListEntry = "GrantListEntry" {
        constraints: optional GrantConstraints = "Constraints" GRANT_CONSTRAINTS,
        creation_date: present Timestamp = "CreationDate" DATE,
        grant_id: present String = "GrantId" GRANT_ID,
        grantee_principal: optional String = "GranteePrincipal" PRINCIPAL_ID,
        grantee_service_principal: optional String = "GranteeServicePrincipal" SERVICE_PRINCIPAL,
        issuing_account: present String = "IssuingAccount" PRINCIPAL_ID,
        key_id: present String = "KeyId" KEY_ID,
        name: optional String = "Name" GRANT_NAME,
        operations: present Vec<GrantOperation> = "Operations" GRANT_OPERATION_LIST,
        retiring_principal: optional String = "RetiringPrincipal" PRINCIPAL_ID,
        retiring_service_principal: optional String = "RetiringServicePrincipal" SERVICE_PRINCIPAL,
    }
}

structure! {
    /// The last successful use of a key.
    #[derive(Clone, Debug, Eq, PartialEq)]
    output KeyLastUsageData = "KeyLastUsageData" {
        cloud_trail_event_id: optional String = "CloudTrailEventId" CLOUD_TRAIL_EVENT_ID,
        kms_request_id: optional String = "KmsRequestId" KMS_REQUEST_ID,
        operation: present KeyLastUsageOperation = "Operation" KEY_LAST_USAGE_OPERATION,
        timestamp: present Timestamp = "Timestamp" DATE,
    }
}

structure! {
    /// A key in a list.
    #[derive(Clone, Debug, Eq, PartialEq)]
    output KeyListEntry = "KeyListEntry" {
        key_arn: present String = "KeyArn" ARN,
        key_id: present String = "KeyId" KEY_ID,
    }
}

structure! {
    /// A key.
    #[derive(Clone, Debug, Eq, PartialEq)]
    output KeyMetadata = "KeyMetadata" {
        aws_account_id: present String = "AWSAccountId" AWS_ACCOUNT_ID,
        arn: present String = "Arn" ARN,
        cloud_hsm_cluster_id: optional String = "CloudHsmClusterId" CLOUD_HSM_CLUSTER_ID,
        creation_date: present Timestamp = "CreationDate" DATE,
        current_key_material_id: optional String = "CurrentKeyMaterialId" KEY_MATERIAL_ID,
        custom_key_store_id: optional String = "CustomKeyStoreId" CUSTOM_KEY_STORE_ID,
        customer_master_key_spec: optional CustomerMasterKeySpec = "CustomerMasterKeySpec" CUSTOMER_MASTER_KEY_SPEC,
        deletion_date: optional Timestamp = "DeletionDate" DATE,
        description: present String = "Description" DESCRIPTION,
        enabled: present bool = "Enabled" BOOLEAN,
        encapsulation_algorithms: optional Vec<EncapsulationAlgorithm> = "EncapsulationAlgorithms" ENCAPSULATION_ALGORITHM_SPEC_LIST,
        encryption_algorithms: optional Vec<EncryptionAlgorithm> = "EncryptionAlgorithms" ENCRYPTION_ALGORITHM_SPEC_LIST,
        expiration_model: optional ExpirationModel = "ExpirationModel" EXPIRATION_MODEL,
        key_agreement_algorithms: optional Vec<KeyAgreementAlgorithm> = "KeyAgreementAlgorithms" KEY_AGREEMENT_ALGORITHM_SPEC_LIST,
        key_id: required String = "KeyId" KEY_ID,
        key_manager: present KeyManager = "KeyManager" KEY_MANAGER,
        key_spec: present KeySpec = "KeySpec" KEY_SPEC,
        key_state: present KeyState = "KeyState" KEY_STATE,
        key_usage: present KeyUsage = "KeyUsage" KEY_USAGE,
        mac_algorithms: optional Vec<MacAlgorithm> = "MacAlgorithms" MAC_ALGORITHM_SPEC_LIST,
        multi_region: present bool = "MultiRegion" NULLABLE_BOOLEAN,
        multi_region_configuration: optional MultiRegionConfiguration = "MultiRegionConfiguration" MULTI_REGION_CONFIGURATION,
        origin: present Origin = "Origin" ORIGIN,
        pending_deletion_window_in_days: optional u32 = "PendingDeletionWindowInDays" PENDING_WINDOW_IN_DAYS,
        signing_algorithms: optional Vec<SigningAlgorithm> = "SigningAlgorithms" SIGNING_ALGORITHM_SPEC_LIST,
        valid_to: optional Timestamp = "ValidTo" DATE,
        xks_key_configuration: optional XksKeyConfiguration = "XksKeyConfiguration" XKS_KEY_CONFIGURATION,
    }
}

structure! {
    /// The keys related to a multi-Region key.
    #[derive(Clone, Debug, Eq, PartialEq)]
    output MultiRegionConfiguration = "MultiRegionConfiguration" {
        multi_region_key_type: present MultiRegionKeyType = "MultiRegionKeyType" MULTI_REGION_KEY_TYPE,
        primary_key: present MultiRegionKey = "PrimaryKey" MULTI_REGION_KEY,
        replica_keys: present Vec<MultiRegionKey> = "ReplicaKeys" MULTI_REGION_KEY_LIST,
    }
}

structure! {
    /// A primary key or replica.
    #[derive(Clone, Debug, Eq, PartialEq)]
    output MultiRegionKey = "MultiRegionKey" {
        arn: present String = "Arn" ARN,
        region: present String = "Region" REGION,
    }
}

structure! {
    /// A key material or a rotation.
    #[derive(Clone, Debug, Eq, PartialEq)]
    output RotationsListEntry = "RotationsListEntry" {
        expiration_model: optional ExpirationModel = "ExpirationModel" EXPIRATION_MODEL,
        import_state: optional ImportState = "ImportState" IMPORT_STATE,
        key_id: present String = "KeyId" KEY_ID,
        key_material_description: optional String = "KeyMaterialDescription" KEY_MATERIAL_DESCRIPTION,
        key_material_id: optional String = "KeyMaterialId" KEY_MATERIAL_ID,
        key_material_state: optional KeyMaterialState = "KeyMaterialState" KEY_MATERIAL_STATE,
        rotation_date: optional Timestamp = "RotationDate" DATE,
        rotation_type: optional RotationType = "RotationType" ROTATION_TYPE,
        valid_to: optional Timestamp = "ValidTo" DATE,
    }
}

structure! {
    /// The external key behind a key.
    #[derive(Clone, Debug, Eq, PartialEq)]
    output XksKeyConfiguration = "XksKeyConfigurationType" {
        id: present String = "Id" XKS_KEY_ID,
    }
}

structure! {
    /// How an external key store proxy is reached.
    output XksProxyConfiguration = "XksProxyConfigurationType" {
        access_key_id: present SensitiveText = "AccessKeyId" XKS_PROXY_AUTHENTICATION_ACCESS_KEY_ID,
        connectivity: present XksProxyConnectivity = "Connectivity" XKS_PROXY_CONNECTIVITY,
        uri_endpoint: present String = "UriEndpoint" XKS_PROXY_URI_ENDPOINT,
        uri_path: present String = "UriPath" XKS_PROXY_URI_PATH,
        vpc_endpoint_service_name: optional String = "VpcEndpointServiceName" XKS_PROXY_VPC_ENDPOINT_SERVICE_NAME,
        vpc_endpoint_service_owner: optional String = "VpcEndpointServiceOwner" ACCOUNT_ID,
    }
}
