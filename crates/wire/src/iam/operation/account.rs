//! What an account holds.

use std::collections::BTreeMap;

use crate::iam::operation::Operation;
use crate::iam::shapes;
use crate::iam::shapes::{AssignmentStatus, EntityType, SummaryKey};
use crate::iam::structures::{
    GroupDetail, LoginProfile, MFADevice, ManagedPolicyDetail, RoleDetail, SSHPublicKeyMetadata,
    ServiceSpecificCredentialMetadata, SigningCertificate, UserDetail, VirtualMFADevice,
};
use crate::query::declare::query_operation;

query_operation! { GetAccountSummary {
    input GetAccountSummaryInput {}
    output GetAccountSummaryOutput {
        summary_map: present BTreeMap<SummaryKey, u32> = "SummaryMap" SUMMARY_MAP,
    }
    errors [ServiceFailure]
} }

query_operation! { ListAccountAliases {
    input ListAccountAliasesInput {
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListAccountAliasesOutput {
        account_aliases: required Vec<String> = "AccountAliases" ACCOUNT_ALIAS_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [ServiceFailure]
} }

query_operation! { GetAccountAuthorizationDetails {
    input GetAccountAuthorizationDetailsInput {
        filter: default Vec<EntityType> = "Filter" ENTITY_LIST,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
        marker: optional String = "Marker" MARKER,
    }
    output GetAccountAuthorizationDetailsOutput {
        user_detail_list: present Vec<UserDetail> = "UserDetailList" USER_DETAIL_LIST,
        group_detail_list: present Vec<GroupDetail> = "GroupDetailList" GROUP_DETAIL_LIST,
        role_detail_list: present Vec<RoleDetail> = "RoleDetailList" ROLE_DETAIL_LIST,
        policies: present Vec<ManagedPolicyDetail> = "Policies" MANAGED_POLICY_DETAIL_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [ServiceFailure]
} }

query_operation! { ListMFADevices {
    input ListMFADevicesInput {
        user_name: optional String = "UserName" EXISTING_USER_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListMFADevicesOutput {
        mfa_devices: required Vec<MFADevice> = "MFADevices" MFA_DEVICE_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { ListSSHPublicKeys {
    input ListSSHPublicKeysInput {
        user_name: optional String = "UserName" USER_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListSSHPublicKeysOutput {
        ssh_public_keys: present Vec<SSHPublicKeyMetadata> = "SSHPublicKeys" SSH_PUBLIC_KEY_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity]
} }

query_operation! { ListSigningCertificates {
    input ListSigningCertificatesInput {
        user_name: optional String = "UserName" EXISTING_USER_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListSigningCertificatesOutput {
        certificates: required Vec<SigningCertificate> = "Certificates" CERTIFICATE_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { ListServiceSpecificCredentials {
    input ListServiceSpecificCredentialsInput {
        user_name: optional String = "UserName" USER_NAME,
        service_name: optional String = "ServiceName" SERVICE_NAME,
        all_users: default bool = "AllUsers" ALL_USERS,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListServiceSpecificCredentialsOutput {
        service_specific_credentials: present Vec<ServiceSpecificCredentialMetadata> = "ServiceSpecificCredentials" SERVICE_SPECIFIC_CREDENTIALS_LIST,
        marker: optional String = "Marker" RESPONSE_MARKER,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
    }
    errors [NoSuchEntity, ServiceNotSupported]
} }

query_operation! { GetLoginProfile {
    input GetLoginProfileInput {
        user_name: optional String = "UserName" USER_NAME,
    }
    output GetLoginProfileOutput {
        login_profile: required LoginProfile = "LoginProfile" LOGIN_PROFILE,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { DeleteLoginProfile {
    input DeleteLoginProfileInput {
        user_name: optional String = "UserName" USER_NAME,
    }
    errors [EntityTemporarilyUnmodifiable, NoSuchEntity, LimitExceeded, ServiceFailure]
} }

query_operation! { ListVirtualMFADevices {
    input ListVirtualMFADevicesInput {
        assignment_status: optional AssignmentStatus = "AssignmentStatus" ASSIGNMENT_STATUS,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListVirtualMFADevicesOutput {
        virtual_mfa_devices: required Vec<VirtualMFADevice> = "VirtualMFADevices" VIRTUAL_MFA_DEVICE_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors []
} }
