//! Operations on groups.

use crate::iam::operation::Operation;
use crate::iam::shapes;
use crate::iam::structures::{AttachedPolicy, Group, User};
use crate::query::declare::query_operation;

query_operation! { CreateGroup {
    input CreateGroupInput {
        path: optional String = "Path" PATH,
        group_name: required String = "GroupName" GROUP_NAME,
    }
    output CreateGroupOutput {
        group: required Group = "Group" GROUP,
    }
    errors [LimitExceeded, EntityAlreadyExists, NoSuchEntity, ServiceFailure]
} }

query_operation! { GetGroup {
    input GetGroupInput {
        group_name: required String = "GroupName" GROUP_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output GetGroupOutput {
        group: required Group = "Group" GROUP,
        users: required Vec<User> = "Users" USER_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { ListGroups {
    input ListGroupsInput {
        path_prefix: optional String = "PathPrefix" PATH_PREFIX,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListGroupsOutput {
        groups: required Vec<Group> = "Groups" GROUP_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [ServiceFailure]
} }

query_operation! { UpdateGroup {
    input UpdateGroupInput {
        group_name: required String = "GroupName" GROUP_NAME,
        new_path: optional String = "NewPath" PATH,
        new_group_name: optional String = "NewGroupName" GROUP_NAME,
    }
    errors [NoSuchEntity, EntityAlreadyExists, LimitExceeded, ServiceFailure]
} }

query_operation! { DeleteGroup {
    input DeleteGroupInput {
        group_name: required String = "GroupName" GROUP_NAME,
    }
    errors [NoSuchEntity, DeleteConflict, LimitExceeded, ServiceFailure]
} }

query_operation! { AddUserToGroup {
    input AddUserToGroupInput {
        group_name: required String = "GroupName" GROUP_NAME,
        user_name: required String = "UserName" EXISTING_USER_NAME,
    }
    errors [NoSuchEntity, LimitExceeded, ServiceFailure]
} }

query_operation! { RemoveUserFromGroup {
    input RemoveUserFromGroupInput {
        group_name: required String = "GroupName" GROUP_NAME,
        user_name: required String = "UserName" EXISTING_USER_NAME,
    }
    errors [NoSuchEntity, LimitExceeded, ServiceFailure]
} }

query_operation! { PutGroupPolicy {
    input PutGroupPolicyInput {
        group_name: required String = "GroupName" GROUP_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
        policy_document: required String = "PolicyDocument" POLICY_DOCUMENT,
    }
    errors [LimitExceeded, MalformedPolicyDocument, NoSuchEntity, ServiceFailure]
} }

query_operation! { GetGroupPolicy {
    input GetGroupPolicyInput {
        group_name: required String = "GroupName" GROUP_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
    }
    output GetGroupPolicyOutput {
        group_name: required String = "GroupName" GROUP_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
        policy_document: required String = "PolicyDocument" POLICY_DOCUMENT,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { DeleteGroupPolicy {
    input DeleteGroupPolicyInput {
        group_name: required String = "GroupName" GROUP_NAME,
        policy_name: required String = "PolicyName" POLICY_NAME,
    }
    errors [NoSuchEntity, LimitExceeded, ServiceFailure]
} }

query_operation! { ListGroupPolicies {
    input ListGroupPoliciesInput {
        group_name: required String = "GroupName" GROUP_NAME,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListGroupPoliciesOutput {
        policy_names: required Vec<String> = "PolicyNames" POLICY_NAME_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, ServiceFailure]
} }

query_operation! { AttachGroupPolicy {
    input AttachGroupPolicyInput {
        group_name: required String = "GroupName" GROUP_NAME,
        policy_arn: required String = "PolicyArn" ARN,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, PolicyNotAttachable, ServiceFailure]
} }

query_operation! { DetachGroupPolicy {
    input DetachGroupPolicyInput {
        group_name: required String = "GroupName" GROUP_NAME,
        policy_arn: required String = "PolicyArn" ARN,
    }
    errors [NoSuchEntity, LimitExceeded, InvalidInput, ServiceFailure]
} }

query_operation! { ListAttachedGroupPolicies {
    input ListAttachedGroupPoliciesInput {
        group_name: required String = "GroupName" GROUP_NAME,
        path_prefix: optional String = "PathPrefix" POLICY_PATH,
        marker: optional String = "Marker" MARKER,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
    }
    output ListAttachedGroupPoliciesOutput {
        attached_policies: present Vec<AttachedPolicy> = "AttachedPolicies" ATTACHED_POLICIES_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, InvalidInput, ServiceFailure]
} }
