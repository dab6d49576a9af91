//! Operations on keys as such: creation, state, description, listing, replication, deletion.

use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::{CustomerMasterKeySpec, KeySpec, KeyState, KeyUsage, Origin, ResourceOwner};

use crate::declare::operation;
use crate::shapes;
use crate::structures::{KeyLastUsageData, KeyListEntry, KeyMetadata, Tag};

operation! { CreateKey {
    input CreateKeyInput {
        policy: optional String = "Policy" POLICY,
        description: optional String = "Description" DESCRIPTION,
        key_usage: optional KeyUsage = "KeyUsage" KEY_USAGE,
        customer_master_key_spec: optional CustomerMasterKeySpec = "CustomerMasterKeySpec" CUSTOMER_MASTER_KEY_SPEC,
        key_spec: optional KeySpec = "KeySpec" KEY_SPEC,
        origin: optional Origin = "Origin" ORIGIN,
        custom_key_store_id: optional String = "CustomKeyStoreId" CUSTOM_KEY_STORE_ID,
        bypass_policy_lockout_safety_check: default bool = "BypassPolicyLockoutSafetyCheck" BOOLEAN,
        tags: default Vec<Tag> = "Tags" TAG_LIST,
        multi_region: default bool = "MultiRegion" NULLABLE_BOOLEAN,
        xks_key_id: optional String = "XksKeyId" XKS_KEY_ID,
    }
    output CreateKeyOutput {
        key_metadata: present KeyMetadata = "KeyMetadata" KEY_METADATA,
    }
    errors [
        MalformedPolicyDocument, DependencyTimeout, InvalidArn, UnsupportedOperation, KmsInternal,
        LimitExceeded, Tag, CustomKeyStoreNotFound, CustomKeyStoreInvalidState,
        CloudHsmClusterInvalidConfiguration, XksKeyInvalidConfiguration, XksKeyAlreadyInUse,
        XksKeyNotFound,
    ]
}}

operation! { DescribeKey {
    input DescribeKeyInput {
        key_id: required String = "KeyId" KEY_ID,
        grant_tokens: default Vec<String> = "GrantTokens" GRANT_TOKEN_LIST,
    }
    output DescribeKeyOutput {
        key_metadata: present KeyMetadata = "KeyMetadata" KEY_METADATA,
    }
    errors [
        NotFound, InvalidArn, DependencyTimeout, KmsInternal,
    ]
}}

operation! { ListKeys {
    input ListKeysInput {
        limit: optional u32 = "Limit" LIMIT,
        marker: optional String = "Marker" MARKER,
        resource_owners: default Vec<ResourceOwner> = "ResourceOwners" RESOURCE_OWNERS_LIST,
    }
    output ListKeysOutput {
        keys: present Vec<KeyListEntry> = "Keys" KEY_LIST,
        next_marker: optional String = "NextMarker" MARKER,
        truncated: present bool = "Truncated" BOOLEAN,
    }
    errors [
        DependencyTimeout, KmsInternal, InvalidMarker,
    ]
}}

operation! { EnableKey {
    input EnableKeyInput {
        key_id: required String = "KeyId" KEY_ID,
    }
    errors [
        NotFound, InvalidArn, DependencyTimeout, KmsInternal, LimitExceeded, KmsInvalidState,
    ]
}}

operation! { DisableKey {
    input DisableKeyInput {
        key_id: required String = "KeyId" KEY_ID,
    }
    errors [
        NotFound, InvalidArn, DependencyTimeout, KmsInternal, KmsInvalidState,
    ]
}}

operation! { UpdateKeyDescription {
    input UpdateKeyDescriptionInput {
        key_id: required String = "KeyId" KEY_ID,
        description: required String = "Description" DESCRIPTION,
    }
    errors [
        NotFound, InvalidArn, DependencyTimeout, KmsInternal, KmsInvalidState,
    ]
}}

operation! { ScheduleKeyDeletion {
    input ScheduleKeyDeletionInput {
        key_id: required String = "KeyId" KEY_ID,
        pending_window_in_days: optional u32 = "PendingWindowInDays" PENDING_WINDOW_IN_DAYS,
    }
    output ScheduleKeyDeletionOutput {
        deletion_date: optional Timestamp = "DeletionDate" DATE,
        key_id: present String = "KeyId" KEY_ID,
        key_state: present KeyState = "KeyState" KEY_STATE,
        pending_window_in_days: optional u32 = "PendingWindowInDays" PENDING_WINDOW_IN_DAYS,
    }
    errors [
        NotFound, InvalidArn, DependencyTimeout, KmsInternal, KmsInvalidState,
    ]
}}

operation! { CancelKeyDeletion {
    input CancelKeyDeletionInput {
        key_id: required String = "KeyId" KEY_ID,
    }
    output CancelKeyDeletionOutput {
        key_id: present String = "KeyId" KEY_ID,
    }
    errors [
        NotFound, InvalidArn, DependencyTimeout, KmsInternal, KmsInvalidState,
    ]
}}

operation! { GetKeyLastUsage {
    input GetKeyLastUsageInput {
        key_id: required String = "KeyId" KEY_ID,
    }
    output GetKeyLastUsageOutput {
        key_creation_date: present Timestamp = "KeyCreationDate" DATE,
        key_id: present String = "KeyId" KEY_ID,
        key_last_usage: optional KeyLastUsageData = "KeyLastUsage" KEY_LAST_USAGE_DATA,
        tracking_start_date: optional Timestamp = "TrackingStartDate" DATE,
    }
    errors [
        NotFound, InvalidArn, DependencyTimeout, KmsInternal,
    ]
}}

operation! { ReplicateKey {
    input ReplicateKeyInput {
        key_id: required String = "KeyId" KEY_ID,
        replica_region: required String = "ReplicaRegion" REGION,
        policy: optional String = "Policy" POLICY,
        bypass_policy_lockout_safety_check: default bool = "BypassPolicyLockoutSafetyCheck" BOOLEAN,
        description: optional String = "Description" DESCRIPTION,
        tags: default Vec<Tag> = "Tags" TAG_LIST,
    }
    output ReplicateKeyOutput {
        replica_key_metadata: present KeyMetadata = "ReplicaKeyMetadata" KEY_METADATA,
        replica_policy: present String = "ReplicaPolicy" POLICY,
        replica_tags: optional Vec<Tag> = "ReplicaTags" TAG_LIST,
    }
    errors [
        AlreadyExists, Disabled, InvalidArn, KmsInvalidState, KmsInternal, LimitExceeded,
        MalformedPolicyDocument, NotFound, Tag, UnsupportedOperation,
    ]
}}

operation! { UpdatePrimaryRegion {
    input UpdatePrimaryRegionInput {
        key_id: required String = "KeyId" KEY_ID,
        primary_region: required String = "PrimaryRegion" REGION,
    }
    errors [
        Disabled, InvalidArn, KmsInvalidState, KmsInternal, NotFound, UnsupportedOperation,
    ]
}}
