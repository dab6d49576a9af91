//! Operations on managed policies.

use crate::iam::operation::Operation;
use crate::iam::shapes;
use crate::iam::shapes::{EntityType, PolicyScope, PolicyUsage};
use crate::iam::structures::{Policy, PolicyGroup, PolicyRole, PolicyUser, PolicyVersion, Tag};
use crate::query::declare::query_operation;

query_operation! { CreatePolicy {
    input CreatePolicyInput {
        policy_name: required String = "PolicyName" POLICY_NAME,
        path: optional String = "Path" POLICY_PATH,
        policy_document: required String = "PolicyDocument" POLICY_DOCUMENT,
        description: optional String = "Description" POLICY_DESCRIPTION,
        tags: default Vec<Tag> = "Tags" TAG_LIST,
    }
    output CreatePolicyOutput {
        policy: present Policy = "Policy" POLICY,
    }
    errors [
        InvalidInput, LimitExceeded, EntityAlreadyExists, MalformedPolicyDocument, ConcurrentModification,
        ServiceFailure,
    ]
} }

query_operation! { GetPolicy {
    input GetPolicyInput {
        policy_arn: required String = "PolicyArn" ARN,
    }
    output GetPolicyOutput {
        policy: present Policy = "Policy" POLICY,
    }
    errors [NoSuchEntity, InvalidInput, ServiceFailure]
} }

query_operation! { ListPolicies {
    input ListPoliciesInput {
        scope: optional PolicyScope = "Scope" POLICY_SCOPE,
        only_attached: default bool = "OnlyAttached" BOOLEAN,
        path_prefix: optional String = "PathPrefix" POLICY_PATH,
        policy_usage_filter: optional PolicyUsage = "PolicyUsageFilter" POLICY_USAGE,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListPoliciesOutput {
        policies: present Vec<Policy> = "Policies" POLICY_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [ServiceFailure]
} }

query_operation! { DeletePolicy {
    input DeletePolicyInput {
        policy_arn: required String = "PolicyArn" ARN,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, DeleteConflict, ServiceFailure]
} }

query_operation! { CreatePolicyVersion {
    input CreatePolicyVersionInput {
        policy_arn: required String = "PolicyArn" ARN,
        policy_document: required String = "PolicyDocument" POLICY_DOCUMENT,
        set_as_default: default bool = "SetAsDefault" BOOLEAN,
    }
    output CreatePolicyVersionOutput {
        policy_version: present PolicyVersion = "PolicyVersion" POLICY_VERSION,
    }
    errors [NoSuchEntity, MalformedPolicyDocument, InvalidInput, LimitExceeded, ServiceFailure]
} }

query_operation! { GetPolicyVersion {
    input GetPolicyVersionInput {
        policy_arn: required String = "PolicyArn" ARN,
        version_id: required String = "VersionId" POLICY_VERSION_ID,
    }
    output GetPolicyVersionOutput {
        policy_version: present PolicyVersion = "PolicyVersion" POLICY_VERSION,
    }
    errors [NoSuchEntity, InvalidInput, ServiceFailure]
} }

query_operation! { ListPolicyVersions {
    input ListPolicyVersionsInput {
        policy_arn: required String = "PolicyArn" ARN,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListPolicyVersionsOutput {
        versions: present Vec<PolicyVersion> = "Versions" POLICY_DOCUMENT_VERSION_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, InvalidInput, ServiceFailure]
} }

query_operation! { SetDefaultPolicyVersion {
    input SetDefaultPolicyVersionInput {
        policy_arn: required String = "PolicyArn" ARN,
        version_id: required String = "VersionId" POLICY_VERSION_ID,
    }
    errors [NoSuchEntity, InvalidInput, LimitExceeded, ServiceFailure]
} }

query_operation! { DeletePolicyVersion {
    input DeletePolicyVersionInput {
        policy_arn: required String = "PolicyArn" ARN,
        version_id: required String = "VersionId" POLICY_VERSION_ID,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, DeleteConflict, ServiceFailure]
} }

query_operation! { ListEntitiesForPolicy {
    input ListEntitiesForPolicyInput {
        policy_arn: required String = "PolicyArn" ARN,
        entity_filter: optional EntityType = "EntityFilter" ENTITY,
        path_prefix: optional String = "PathPrefix" PATH,
        policy_usage_filter: optional PolicyUsage = "PolicyUsageFilter" POLICY_USAGE,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListEntitiesForPolicyOutput {
        policy_groups: present Vec<PolicyGroup> = "PolicyGroups" POLICY_GROUP_LIST,
        policy_users: present Vec<PolicyUser> = "PolicyUsers" POLICY_USER_LIST,
        policy_roles: present Vec<PolicyRole> = "PolicyRoles" POLICY_ROLE_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, InvalidInput, ServiceFailure]
} }

query_operation! { TagPolicy {
    input TagPolicyInput {
        policy_arn: required String = "PolicyArn" ARN,
        tags: required Vec<Tag> = "Tags" TAG_LIST,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, ConcurrentModification, ServiceFailure]
} }

query_operation! { UntagPolicy {
    input UntagPolicyInput {
        policy_arn: required String = "PolicyArn" ARN,
        tag_keys: required Vec<String> = "TagKeys" TAG_KEY_LIST,
    }
    errors [NoSuchEntity, InvalidInput, ConcurrentModification, ServiceFailure]
} }

query_operation! { ListPolicyTags {
    input ListPolicyTagsInput {
        policy_arn: required String = "PolicyArn" ARN,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListPolicyTagsOutput {
        tags: required Vec<Tag> = "Tags" TAG_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure, InvalidInput]
} }
