//! The operations of STS.

use crate::query::declare::{query_operation, query_operations};
use crate::sts::shapes;
use crate::sts::structures::{
    AssumedRoleUser, Credentials, FederatedUser, PolicyDescriptorType, ProvidedContext, Tag,
};
use crate::value::SensitiveText;

query_operations! { "STS" "2011-06-15" "https://sts.amazonaws.com/doc/2011-06-15/" {
    AssumeRole: reads = AssumeRoleInput,
    AssumeRoleWithWebIdentity: reads = AssumeRoleWithWebIdentityInput,
    DecodeAuthorizationMessage: reads = DecodeAuthorizationMessageInput,
    GetAccessKeyInfo: reads = GetAccessKeyInfoInput,
    GetCallerIdentity: reads = GetCallerIdentityInput,
    GetFederationToken: writes = GetFederationTokenInput,
    GetSessionToken: writes = GetSessionTokenInput,
} }

query_operation! { AssumeRole {
    input AssumeRoleInput {
        role_arn: required String = "RoleArn" ARN,
        role_session_name: required String = "RoleSessionName" ROLE_SESSION_NAME,
        policy_arns: default Vec<PolicyDescriptorType> = "PolicyArns" POLICY_DESCRIPTOR_LIST,
        policy: optional String = "Policy" UNRESTRICTED_SESSION_POLICY_DOCUMENT,
        duration_seconds: optional u32 = "DurationSeconds" ROLE_DURATION_SECONDS,
        tags: default Vec<Tag> = "Tags" TAG_LIST,
        transitive_tag_keys: default Vec<String> = "TransitiveTagKeys" TAG_KEY_LIST,
        external_id: optional String = "ExternalId" EXTERNAL_ID,
        serial_number: optional String = "SerialNumber" SERIAL_NUMBER,
        token_code: optional SensitiveText = "TokenCode" TOKEN_CODE,
        source_identity: optional String = "SourceIdentity" SOURCE_IDENTITY,
        provided_contexts: default Vec<ProvidedContext> = "ProvidedContexts" PROVIDED_CONTEXTS_LIST,
        minimum_session_token_size: optional u32 = "MinimumSessionTokenSize" MINIMUM_SESSION_TOKEN_SIZE,
    }
    output AssumeRoleOutput {
        credentials: present Credentials = "Credentials" CREDENTIALS,
        assumed_role_user: present AssumedRoleUser = "AssumedRoleUser" ASSUMED_ROLE_USER,
        packed_policy_size: optional u32 = "PackedPolicySize" NON_NEGATIVE_INTEGER,
        source_identity: optional String = "SourceIdentity" SOURCE_IDENTITY,
        session_token_utilization: present u32 = "SessionTokenUtilization" SESSION_TOKEN_UTILIZATION,
        session_token_size: present u32 = "SessionTokenSize" SESSION_TOKEN_SIZE,
    }
    errors [MalformedPolicyDocument, PackedPolicyTooLarge, RegionDisabled, ExpiredToken]
} }

query_operation! { AssumeRoleWithWebIdentity {
    input AssumeRoleWithWebIdentityInput {
        role_arn: required String = "RoleArn" ARN,
        role_session_name: required String = "RoleSessionName" ROLE_SESSION_NAME,
        web_identity_token: required SensitiveText = "WebIdentityToken" CLIENT_TOKEN,
        provider_id: optional String = "ProviderId" URL,
        policy_arns: default Vec<PolicyDescriptorType> = "PolicyArns" POLICY_DESCRIPTOR_LIST,
        policy: optional String = "Policy" SESSION_POLICY_DOCUMENT,
        duration_seconds: optional u32 = "DurationSeconds" ROLE_DURATION_SECONDS,
        minimum_session_token_size: optional u32 = "MinimumSessionTokenSize" MINIMUM_SESSION_TOKEN_SIZE,
    }
    output AssumeRoleWithWebIdentityOutput {
        credentials: present Credentials = "Credentials" CREDENTIALS,
        subject_from_web_identity_token: present String = "SubjectFromWebIdentityToken" WEB_IDENTITY_SUBJECT,
        assumed_role_user: present AssumedRoleUser = "AssumedRoleUser" ASSUMED_ROLE_USER,
        packed_policy_size: optional u32 = "PackedPolicySize" NON_NEGATIVE_INTEGER,
        provider: present String = "Provider" ISSUER,
        audience: present String = "Audience" AUDIENCE,
        source_identity: optional String = "SourceIdentity" SOURCE_IDENTITY,
        session_token_utilization: present u32 = "SessionTokenUtilization" SESSION_TOKEN_UTILIZATION,
        session_token_size: present u32 = "SessionTokenSize" SESSION_TOKEN_SIZE,
    }
    errors [
        MalformedPolicyDocument, PackedPolicyTooLarge, IDPRejectedClaim, IDPCommunicationError,
        InvalidIdentityToken, ExpiredToken, RegionDisabled,
    ]
} }

query_operation! { DecodeAuthorizationMessage {
    input DecodeAuthorizationMessageInput {
        encoded_message: required String = "EncodedMessage" ENCODED_MESSAGE,
    }
    output DecodeAuthorizationMessageOutput {
        decoded_message: present String = "DecodedMessage" DECODED_MESSAGE,
    }
    errors [InvalidAuthorizationMessage]
} }

query_operation! { GetAccessKeyInfo {
    input GetAccessKeyInfoInput {
        access_key_id: required String = "AccessKeyId" ACCESS_KEY_ID,
    }
    output GetAccessKeyInfoOutput {
        account: present String = "Account" ACCOUNT,
    }
    errors []
} }

query_operation! { GetCallerIdentity {
    input GetCallerIdentityInput {}
    output GetCallerIdentityOutput {
        user_id: present String = "UserId" USER_ID,
        account: present String = "Account" ACCOUNT,
        arn: present String = "Arn" ARN,
    }
    errors []
} }

query_operation! { GetFederationToken {
    input GetFederationTokenInput {
        name: required String = "Name" USER_NAME,
        policy: optional String = "Policy" SESSION_POLICY_DOCUMENT,
        policy_arns: default Vec<PolicyDescriptorType> = "PolicyArns" POLICY_DESCRIPTOR_LIST,
        duration_seconds: optional u32 = "DurationSeconds" DURATION_SECONDS,
        tags: default Vec<Tag> = "Tags" TAG_LIST,
        minimum_session_token_size: optional u32 = "MinimumSessionTokenSize" MINIMUM_SESSION_TOKEN_SIZE,
    }
    output GetFederationTokenOutput {
        credentials: present Credentials = "Credentials" CREDENTIALS,
        federated_user: present FederatedUser = "FederatedUser" FEDERATED_USER,
        packed_policy_size: optional u32 = "PackedPolicySize" NON_NEGATIVE_INTEGER,
        session_token_utilization: present u32 = "SessionTokenUtilization" SESSION_TOKEN_UTILIZATION,
        session_token_size: present u32 = "SessionTokenSize" SESSION_TOKEN_SIZE,
    }
    errors [MalformedPolicyDocument, PackedPolicyTooLarge, RegionDisabled]
} }

query_operation! { GetSessionToken {
    input GetSessionTokenInput {
        duration_seconds: optional u32 = "DurationSeconds" DURATION_SECONDS,
        serial_number: optional String = "SerialNumber" SERIAL_NUMBER,
        token_code: optional SensitiveText = "TokenCode" TOKEN_CODE,
        minimum_session_token_size: optional u32 = "MinimumSessionTokenSize" MINIMUM_SESSION_TOKEN_SIZE,
    }
    output GetSessionTokenOutput {
        credentials: present Credentials = "Credentials" CREDENTIALS,
        session_token_utilization: present u32 = "SessionTokenUtilization" SESSION_TOKEN_UTILIZATION,
        session_token_size: present u32 = "SessionTokenSize" SESSION_TOKEN_SIZE,
    }
    errors [RegionDisabled]
} }
