//! Operations on users.

use crate::iam::operation::Operation;
use crate::iam::shapes;
use crate::iam::structures::{AttachedPolicy, Group, Tag, User};
use crate::query::declare::query_operation;

query_operation! { CreateUser {
    input CreateUserInput {
        path: optional String = "Path" PATH,
        user_name: required String = "UserName" USER_NAME,
        permissions_boundary: optional String = "PermissionsBoundary" ARN,
        tags: default Vec<Tag> = "Tags" TAG_LIST,
    }
    output CreateUserOutput {
        user: present User = "User" USER,
    }
    errors [LimitExceeded, EntityAlreadyExists, NoSuchEntity, InvalidInput, ConcurrentModification, ServiceFailure]
} }

query_operation! { GetUser {
    input GetUserInput {
        user_name: optional String = "UserName" EXISTING_USER_NAME,
    }
    output GetUserOutput {
        user: required User = "User" USER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { ListUsers {
    input ListUsersInput {
        path_prefix: optional String = "PathPrefix" PATH_PREFIX,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListUsersOutput {
        users: required Vec<User> = "Users" USER_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [ServiceFailure]
} }

query_operation! { UpdateUser {
    input UpdateUserInput {
        user_name: required String = "UserName" EXISTING_USER_NAME,
        new_path: optional String = "NewPath" PATH,
        new_user_name: optional String = "NewUserName" USER_NAME,
    }
    errors [
        NoSuchEntity, LimitExceeded, EntityAlreadyExists, EntityTemporarilyUnmodifiable,
        ConcurrentModification, ServiceFailure,
    ]
} }

query_operation! { DeleteUser {
    input DeleteUserInput {
        user_name: required String = "UserName" EXISTING_USER_NAME,
    }
    errors [LimitExceeded, NoSuchEntity, DeleteConflict, ConcurrentModification, ServiceFailure]
} }

query_operation! { PutUserPolicy {
    input PutUserPolicyInput {
        user_name: required String = "UserName" EXISTING_USER_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
        policy_document: required String = "PolicyDocument" POLICY_DOCUMENT,
    }
    errors [LimitExceeded, MalformedPolicyDocument, NoSuchEntity, ServiceFailure]
} }

query_operation! { GetUserPolicy {
    input GetUserPolicyInput {
        user_name: required String = "UserName" EXISTING_USER_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
    }
    output GetUserPolicyOutput {
        user_name: required String = "UserName" EXISTING_USER_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
        policy_document: required String = "PolicyDocument" POLICY_DOCUMENT,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { DeleteUserPolicy {
    input DeleteUserPolicyInput {
        user_name: required String = "UserName" EXISTING_USER_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
    }
    errors [NoSuchEntity, LimitExceeded, ServiceFailure]
} }

query_operation! { ListUserPolicies {
    input ListUserPoliciesInput {
        user_name: required String = "UserName" EXISTING_USER_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListUserPoliciesOutput {
        policy_names: required Vec<String> = "PolicyNames" POLICY_NAME_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { AttachUserPolicy {
    input AttachUserPolicyInput {
        user_name: required String = "UserName" USER_NAME,
        policy_arn: required String = "PolicyArn" ARN,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, PolicyNotAttachable, ServiceFailure]
} }

query_operation! { DetachUserPolicy {
    input DetachUserPolicyInput {
        user_name: required String = "UserName" USER_NAME,
        policy_arn: required String = "PolicyArn" ARN,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, ServiceFailure]
} }

query_operation! { ListAttachedUserPolicies {
    input ListAttachedUserPoliciesInput {
        user_name: required String = "UserName" USER_NAME,
        path_prefix: optional String = "PathPrefix" POLICY_PATH,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListAttachedUserPoliciesOutput {
        attached_policies: present Vec<AttachedPolicy> = "AttachedPolicies" ATTACHED_POLICIES_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, InvalidInput, ServiceFailure]
} }

query_operation! { PutUserPermissionsBoundary {
    input PutUserPermissionsBoundaryInput {
        user_name: required String = "UserName" USER_NAME,
        permissions_boundary: required String = "PermissionsBoundary" ARN,
    }
    errors [NoSuchEntity, InvalidInput, PolicyNotAttachable, ServiceFailure]
} }

query_operation! { DeleteUserPermissionsBoundary {
    input DeleteUserPermissionsBoundaryInput {
        user_name: required String = "UserName" USER_NAME,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { TagUser {
    input TagUserInput {
        user_name: required String = "UserName" EXISTING_USER_NAME,
        tags: required Vec<Tag> = "Tags" TAG_LIST,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, ConcurrentModification, ServiceFailure]
} }

query_operation! { UntagUser {
    input UntagUserInput {
        user_name: required String = "UserName" EXISTING_USER_NAME,
        tag_keys: required Vec<String> = "TagKeys" TAG_KEY_LIST,
    }
    errors [NoSuchEntity, ConcurrentModification, ServiceFailure]
} }

query_operation! { ListUserTags {
    input ListUserTagsInput {
        user_name: required String = "UserName" EXISTING_USER_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListUserTagsOutput {
        tags: required Vec<Tag> = "Tags" TAG_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { ListGroupsForUser {
    input ListGroupsForUserInput {
        user_name: required String = "UserName" EXISTING_USER_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListGroupsForUserOutput {
        groups: required Vec<Group> = "Groups" GROUP_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }
