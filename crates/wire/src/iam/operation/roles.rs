//! Operations on roles.

use crate::iam::operation::Operation;
use crate::iam::shapes;
use crate::iam::structures::{AttachedPolicy, InstanceProfile, Role, Tag};
use crate::query::declare::query_operation;

query_operation! { CreateRole {
    input CreateRoleInput {
        path: optional String = "Path" PATH,
        role_name: required String = "RoleName" ROLE_NAME,
        assume_role_policy_document: required String = "AssumeRolePolicyDocument" POLICY_DOCUMENT,
        description: optional String = "Description" ROLE_DESCRIPTION,
        max_session_duration: optional u32 = "MaxSessionDuration" ROLE_MAX_SESSION_DURATION,
        permissions_boundary: optional String = "PermissionsBoundary" ARN,
        tags: default Vec<Tag> = "Tags" TAG_LIST,
    }
    output CreateRoleOutput {
        role: required Role = "Role" ROLE,
    }
    errors [
        LimitExceeded, InvalidInput, EntityAlreadyExists, MalformedPolicyDocument, ConcurrentModification,
        ServiceFailure,
    ]
} }

query_operation! { GetRole {
    input GetRoleInput {
        role_name: required String = "RoleName" ROLE_NAME,
    }
    output GetRoleOutput {
        role: required Role = "Role" ROLE,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { ListRoles {
    input ListRolesInput {
        path_prefix: optional String = "PathPrefix" PATH_PREFIX,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListRolesOutput {
        roles: required Vec<Role> = "Roles" ROLE_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [ServiceFailure]
} }

query_operation! { UpdateRole {
    input UpdateRoleInput {
        role_name: required String = "RoleName" ROLE_NAME,
        description: optional String = "Description" ROLE_DESCRIPTION,
        max_session_duration: optional u32 = "MaxSessionDuration" ROLE_MAX_SESSION_DURATION,
    }
    output UpdateRoleOutput {

    }
    errors [UnmodifiableEntity, NoSuchEntity, ServiceFailure]
} }

query_operation! { UpdateRoleDescription {
    input UpdateRoleDescriptionInput {
        role_name: required String = "RoleName" ROLE_NAME,
        description: required String = "Description" ROLE_DESCRIPTION,
    }
    output UpdateRoleDescriptionOutput {
        role: present Role = "Role" ROLE,
    }
    errors [NoSuchEntity, UnmodifiableEntity, ServiceFailure]
} }

query_operation! { UpdateAssumeRolePolicy {
    input UpdateAssumeRolePolicyInput {
        role_name: required String = "RoleName" ROLE_NAME,
        policy_document: required String = "PolicyDocument" POLICY_DOCUMENT,
    }
    errors [NoSuchEntity, MalformedPolicyDocument, LimitExceeded, UnmodifiableEntity, ServiceFailure]
} }

query_operation! { DeleteRole {
    input DeleteRoleInput {
        role_name: required String = "RoleName" ROLE_NAME,
    }
    errors [
        NoSuchEntity, DeleteConflict, LimitExceeded, UnmodifiableEntity, ConcurrentModification,
        ServiceFailure,
    ]
} }

query_operation! { PutRolePolicy {
    input PutRolePolicyInput {
        role_name: required String = "RoleName" ROLE_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
        policy_document: required String = "PolicyDocument" POLICY_DOCUMENT,
    }
    errors [LimitExceeded, MalformedPolicyDocument, NoSuchEntity, UnmodifiableEntity, ServiceFailure]
} }

query_operation! { GetRolePolicy {
    input GetRolePolicyInput {
        role_name: required String = "RoleName" ROLE_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
    }
    output GetRolePolicyOutput {
        role_name: required String = "RoleName" ROLE_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
        policy_document: required String = "PolicyDocument" POLICY_DOCUMENT,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { DeleteRolePolicy {
    input DeleteRolePolicyInput {
        role_name: required String = "RoleName" ROLE_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
    }
    errors [NoSuchEntity, LimitExceeded, UnmodifiableEntity, ServiceFailure]
} }

query_operation! { ListRolePolicies {
    input ListRolePoliciesInput {
        role_name: required String = "RoleName" ROLE_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListRolePoliciesOutput {
        policy_names: required Vec<String> = "PolicyNames" POLICY_NAME_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { AttachRolePolicy {
    input AttachRolePolicyInput {
        role_name: required String = "RoleName" ROLE_NAME,
        policy_arn: required String = "PolicyArn" ARN,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, UnmodifiableEntity, PolicyNotAttachable, ServiceFailure]
} }

query_operation! { DetachRolePolicy {
    input DetachRolePolicyInput {
        role_name: required String = "RoleName" ROLE_NAME,
        policy_arn: required String = "PolicyArn" ARN,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, UnmodifiableEntity, ServiceFailure]
} }

query_operation! { ListAttachedRolePolicies {
    input ListAttachedRolePoliciesInput {
        role_name: required String = "RoleName" ROLE_NAME,
        path_prefix: optional String = "PathPrefix" POLICY_PATH,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListAttachedRolePoliciesOutput {
        attached_policies: present Vec<AttachedPolicy> = "AttachedPolicies" ATTACHED_POLICIES_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, InvalidInput, ServiceFailure]
} }

query_operation! { PutRolePermissionsBoundary {
    input PutRolePermissionsBoundaryInput {
        role_name: required String = "RoleName" ROLE_NAME,
        permissions_boundary: required String = "PermissionsBoundary" ARN,
    }
    errors [NoSuchEntity, InvalidInput, UnmodifiableEntity, PolicyNotAttachable, ServiceFailure]
} }

query_operation! { DeleteRolePermissionsBoundary {
    input DeleteRolePermissionsBoundaryInput {
        role_name: required String = "RoleName" ROLE_NAME,
    }
    errors [NoSuchEntity, UnmodifiableEntity, ServiceFailure]
} }

query_operation! { TagRole {
    input TagRoleInput {
        role_name: required String = "RoleName" ROLE_NAME,
        tags: required Vec<Tag> = "Tags" TAG_LIST,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, ConcurrentModification, ServiceFailure]
} }

query_operation! { UntagRole {
    input UntagRoleInput {
        role_name: required String = "RoleName" ROLE_NAME,
        tag_keys: required Vec<String> = "TagKeys" TAG_KEY_LIST,
    }
    errors [NoSuchEntity, ConcurrentModification, ServiceFailure]
} }

query_operation! { ListRoleTags {
    input ListRoleTagsInput {
        role_name: required String = "RoleName" ROLE_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListRoleTagsOutput {
        tags: required Vec<Tag> = "Tags" TAG_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { ListInstanceProfilesForRole {
    input ListInstanceProfilesForRoleInput {
        role_name: required String = "RoleName" ROLE_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListInstanceProfilesForRoleOutput {
        instance_profiles: required Vec<InstanceProfile> = "InstanceProfiles" INSTANCE_PROFILE_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }
