//! Structures inside requests and answers.

use std::collections::BTreeMap;

use keyreeve_domain::Timestamp;

use crate::iam::shapes;
use crate::iam::shapes::{AttachmentType, ContextKeyType, EvaluationDecision, PolicyIdentifierKind, Status};
use crate::query::declare::query_structure;
use crate::value::{SensitiveBlob, SensitiveText};

query_structure! {
    /// An access key, with its secret.
    output AccessKey = "AccessKey" {
        user_name: required String = "UserName" USER_NAME,
        access_key_id: required String = "AccessKeyId" ACCESS_KEY_ID,
        status: required Status = "Status" STATUS,
        secret_access_key: required SensitiveText = "SecretAccessKey" ACCESS_KEY_SECRET,
        create_date: present Timestamp = "CreateDate" DATE,
    }
}

query_structure! {
    /// The last use of an access key.
    output AccessKeyLastUsed = "AccessKeyLastUsed" {
        last_used_date: optional Timestamp = "LastUsedDate" DATE,
        service_name: required String = "ServiceName" STRING,
        region: required String = "Region" STRING,
    }
}

query_structure! {
    /// An access key.
    output AccessKeyMetadata = "AccessKeyMetadata" {
        user_name: present String = "UserName" USER_NAME,
        access_key_id: present String = "AccessKeyId" ACCESS_KEY_ID,
        status: present Status = "Status" STATUS,
        create_date: present Timestamp = "CreateDate" DATE,
    }
}

query_structure! {
    /// A permissions boundary.
    output AttachedPermissionsBoundary = "AttachedPermissionsBoundary" {
        permissions_boundary_type: present String = "PermissionsBoundaryType" PERMISSIONS_BOUNDARY_ATTACHMENT,
        permissions_boundary_arn: present String = "PermissionsBoundaryArn" ARN,
    }
}

query_structure! {
    /// An attached managed policy.
    output AttachedPolicy = "AttachedPolicy" {
        policy_name: present String = "PolicyName" POLICY_NAME,
        policy_arn: present String = "PolicyArn" ARN,
    }
}

query_structure! {
    /// A context key and its values, of a simulation.
    input ContextEntry = "ContextEntry" {
        context_key_name: optional String = "ContextKeyName" CONTEXT_KEY_NAME,
        context_key_values: default Vec<String> = "ContextKeyValues" CONTEXT_KEY_VALUE_LIST,
        context_key_type: optional ContextKeyType = "ContextKeyType" CONTEXT_KEY_TYPE_ENUM,
    }
}

query_structure! {
    /// What a simulated action comes to.
    output EvaluationResult = "EvaluationResult" {
        eval_action_name: required String = "EvalActionName" ACTION_NAME,
        eval_resource_name: present String = "EvalResourceName" RESOURCE_NAME,
        eval_decision: required EvaluationDecision = "EvalDecision" POLICY_EVALUATION_DECISION,
        matched_statements: present Vec<Statement> = "MatchedStatements" STATEMENT_LIST,
        missing_context_values: present Vec<String> = "MissingContextValues" CONTEXT_KEY_NAMES_RESULT_LIST,
        organizations_decision_detail: optional OrganizationsDecisionDetail = "OrganizationsDecisionDetail" ORGANIZATIONS_DECISION_DETAIL,
        permissions_boundary_decision_detail: optional PermissionsBoundaryDecisionDetail = "PermissionsBoundaryDecisionDetail" PERMISSIONS_BOUNDARY_DECISION_DETAIL,
        eval_decision_details: optional BTreeMap<String, EvaluationDecision> = "EvalDecisionDetails" EVAL_DECISION_DETAILS,
        resource_specific_results: optional Vec<ResourceSpecificResult> = "ResourceSpecificResults" RESOURCE_SPECIFIC_RESULT_LIST,
    }
}

query_structure! {
    /// A group.
    output Group = "Group" {
        path: required String = "Path" PATH,
        group_name: required String = "GroupName" GROUP_NAME,
        group_id: required String = "GroupId" ID,
        arn: required String = "Arn" ARN,
        create_date: required Timestamp = "CreateDate" DATE,
    }
}

query_structure! {
    /// A group with its policies.
    output GroupDetail = "GroupDetail" {
        path: present String = "Path" PATH,
        group_name: present String = "GroupName" GROUP_NAME,
        group_id: present String = "GroupId" ID,
        arn: present String = "Arn" ARN,
        create_date: present Timestamp = "CreateDate" DATE,
        group_policy_list: present Vec<PolicyDetail> = "GroupPolicyList" POLICY_DETAIL_LIST,
        attached_managed_policies: present Vec<AttachedPolicy> = "AttachedManagedPolicies" ATTACHED_POLICIES_LIST,
    }
}

query_structure! {
    /// Where an inline policy is embedded.
    input InlinePolicyIdentifierType = "InlinePolicyIdentifierType" {
        policy_name: required String = "PolicyName" POLICY_NAME,
        attachment_type: required AttachmentType = "AttachmentType" ATTACHMENT,
        attachment_name: required String = "AttachmentName" ATTACHMENT_NAME,
    }
}

query_structure! {
    /// An instance profile.
    output InstanceProfile = "InstanceProfile" {
        path: required String = "Path" PATH,
        instance_profile_name: required String = "InstanceProfileName" INSTANCE_PROFILE_NAME,
        instance_profile_id: required String = "InstanceProfileId" ID,
        arn: required String = "Arn" ARN,
        create_date: required Timestamp = "CreateDate" DATE,
        roles: required Vec<Role> = "Roles" ROLE_LIST,
        tags: optional Vec<Tag> = "Tags" TAG_LIST,
    }
}

query_structure! {
    /// The password of a user.
    output LoginProfile = "LoginProfile" {
        user_name: required String = "UserName" USER_NAME,
        create_date: required Timestamp = "CreateDate" DATE,
        password_reset_required: present bool = "PasswordResetRequired" BOOLEAN,
    }
}

query_structure! {
    /// An MFA device.
    output MFADevice = "MFADevice" {
        user_name: required String = "UserName" USER_NAME,
        serial_number: required String = "SerialNumber" SERIAL_NUMBER,
        enable_date: required Timestamp = "EnableDate" DATE,
    }
}

query_structure! {
    /// A managed policy with its versions.
    output ManagedPolicyDetail = "ManagedPolicyDetail" {
        policy_name: present String = "PolicyName" POLICY_NAME,
        policy_id: present String = "PolicyId" ID,
        arn: present String = "Arn" ARN,
        path: present String = "Path" POLICY_PATH,
        default_version_id: present String = "DefaultVersionId" POLICY_VERSION_ID,
        attachment_count: present u32 = "AttachmentCount" ATTACHMENT_COUNT,
        permissions_boundary_usage_count: present u32 = "PermissionsBoundaryUsageCount" ATTACHMENT_COUNT,
        is_attachable: present bool = "IsAttachable" BOOLEAN,
        description: optional String = "Description" POLICY_DESCRIPTION,
        create_date: present Timestamp = "CreateDate" DATE,
        update_date: present Timestamp = "UpdateDate" DATE,
        policy_version_list: present Vec<PolicyVersion> = "PolicyVersionList" POLICY_DOCUMENT_VERSION_LIST,
    }
}

query_structure! {
    /// An OIDC provider.
    output OpenIDConnectProviderListEntry = "OpenIDConnectProviderListEntry" {
        arn: present String = "Arn" ARN,
    }
}

query_structure! {
    /// The policies of one level of an organization.
    input OrderedOrganizationPolicyType = "OrderedOrganizationPolicyType" {
        service_control_policy_input_list: default Vec<String> = "ServiceControlPolicyInputList" SIMULATION_POLICY_LIST,
    }
}

query_structure! {
    /// What the organization says.
    output OrganizationsDecisionDetail = "OrganizationsDecisionDetail" {
        allowed_by_organizations: present bool = "AllowedByOrganizations" BOOLEAN,
    }
}

query_structure! {
    /// What the permissions boundary says.
    output PermissionsBoundaryDecisionDetail = "PermissionsBoundaryDecisionDetail" {
        allowed_by_permissions_boundary: present bool = "AllowedByPermissionsBoundary" BOOLEAN,
    }
}

query_structure! {
    /// A managed policy.
    output Policy = "Policy" {
        policy_name: present String = "PolicyName" POLICY_NAME,
        policy_id: present String = "PolicyId" ID,
        arn: present String = "Arn" ARN,
        path: present String = "Path" POLICY_PATH,
        default_version_id: present String = "DefaultVersionId" POLICY_VERSION_ID,
        attachment_count: present u32 = "AttachmentCount" ATTACHMENT_COUNT,
        permissions_boundary_usage_count: present u32 = "PermissionsBoundaryUsageCount" ATTACHMENT_COUNT,
        is_attachable: present bool = "IsAttachable" BOOLEAN,
        description: optional String = "Description" POLICY_DESCRIPTION,
        create_date: present Timestamp = "CreateDate" DATE,
        update_date: present Timestamp = "UpdateDate" DATE,
        tags: optional Vec<Tag> = "Tags" TAG_LIST,
    }
}

query_structure! {
    /// An inline policy.
    output PolicyDetail = "PolicyDetail" {
        policy_name: present String = "PolicyName" POLICY_NAME,
        policy_document: present String = "PolicyDocument" POLICY_DOCUMENT,
    }
}

query_structure! {
    /// A group that a policy is attached to.
    output PolicyGroup = "PolicyGroup" {
        group_name: present String = "GroupName" GROUP_NAME,
        group_id: present String = "GroupId" ID,
    }
}

query_structure! {
    /// Which policy it is.
    input PolicyIdentifier = "PolicyIdentifier" {
        policy_type: optional PolicyIdentifierKind = "PolicyType" POLICY_IDENTIFIER_POLICY,
        policy_arn: optional String = "PolicyArn" ARN,
        inline_policy_identifier: optional InlinePolicyIdentifierType = "InlinePolicyIdentifier" INLINE_POLICY_IDENTIFIER,
    }
}

query_structure! {
    /// A role that a policy is attached to.
    output PolicyRole = "PolicyRole" {
        role_name: present String = "RoleName" ROLE_NAME,
        role_id: present String = "RoleId" ID,
    }
}

query_structure! {
    /// A user that a policy is attached to.
    output PolicyUser = "PolicyUser" {
        user_name: present String = "UserName" USER_NAME,
        user_id: present String = "UserId" ID,
    }
}

query_structure! {
    /// A version of a managed policy.
    output PolicyVersion = "PolicyVersion" {
        document: optional String = "Document" POLICY_DOCUMENT,
        version_id: present String = "VersionId" POLICY_VERSION_ID,
        is_default_version: present bool = "IsDefaultVersion" BOOLEAN,
        create_date: present Timestamp = "CreateDate" DATE,
    }
}

query_structure! {
    /// A place in a policy.
    output Position = "Position" {
        line: present u32 = "Line" LINE_NUMBER,
        column: present u32 = "Column" COLUMN_NUMBER,
    }
}

query_structure! {
    /// What a simulated action on one resource comes to.
    output ResourceSpecificResult = "ResourceSpecificResult" {
        eval_resource_name: required String = "EvalResourceName" RESOURCE_NAME,
        eval_resource_decision: required EvaluationDecision = "EvalResourceDecision" POLICY_EVALUATION_DECISION,
        matched_statements: optional Vec<Statement> = "MatchedStatements" STATEMENT_LIST,
        missing_context_values: optional Vec<String> = "MissingContextValues" CONTEXT_KEY_NAMES_RESULT_LIST,
        eval_decision_details: optional BTreeMap<String, EvaluationDecision> = "EvalDecisionDetails" EVAL_DECISION_DETAILS,
        permissions_boundary_decision_detail: optional PermissionsBoundaryDecisionDetail = "PermissionsBoundaryDecisionDetail" PERMISSIONS_BOUNDARY_DECISION_DETAIL,
    }
}

query_structure! {
    /// A role.
    output Role = "Role" {
        path: required String = "Path" PATH,
        role_name: required String = "RoleName" ROLE_NAME,
        role_id: required String = "RoleId" ID,
        arn: required String = "Arn" ARN,
        create_date: required Timestamp = "CreateDate" DATE,
        assume_role_policy_document: present String = "AssumeRolePolicyDocument" POLICY_DOCUMENT,
        description: optional String = "Description" ROLE_DESCRIPTION,
        max_session_duration: optional u32 = "MaxSessionDuration" ROLE_MAX_SESSION_DURATION,
        permissions_boundary: optional AttachedPermissionsBoundary = "PermissionsBoundary" ATTACHED_PERMISSIONS_BOUNDARY,
        tags: optional Vec<Tag> = "Tags" TAG_LIST,
        role_last_used: optional RoleLastUsed = "RoleLastUsed" ROLE_LAST_USED,
        source_role_template: optional SourceRoleTemplate = "SourceRoleTemplate" SOURCE_ROLE_TEMPLATE,
    }
}

query_structure! {
    /// A role with its policies.
    output RoleDetail = "RoleDetail" {
        path: present String = "Path" PATH,
        role_name: present String = "RoleName" ROLE_NAME,
        role_id: present String = "RoleId" ID,
        arn: present String = "Arn" ARN,
        create_date: present Timestamp = "CreateDate" DATE,
        assume_role_policy_document: present String = "AssumeRolePolicyDocument" POLICY_DOCUMENT,
        instance_profile_list: present Vec<InstanceProfile> = "InstanceProfileList" INSTANCE_PROFILE_LIST,
        role_policy_list: present Vec<PolicyDetail> = "RolePolicyList" POLICY_DETAIL_LIST,
        attached_managed_policies: present Vec<AttachedPolicy> = "AttachedManagedPolicies" ATTACHED_POLICIES_LIST,
        permissions_boundary: optional AttachedPermissionsBoundary = "PermissionsBoundary" ATTACHED_PERMISSIONS_BOUNDARY,
        tags: present Vec<Tag> = "Tags" TAG_LIST,
        role_last_used: optional RoleLastUsed = "RoleLastUsed" ROLE_LAST_USED,
    }
}

query_structure! {
    /// The last use of a role.
    output RoleLastUsed = "RoleLastUsed" {
        last_used_date: optional Timestamp = "LastUsedDate" DATE,
        region: optional String = "Region" STRING,
    }
}

query_structure! {
    /// An SSH key.
    output SSHPublicKeyMetadata = "SSHPublicKeyMetadata" {
        user_name: required String = "UserName" USER_NAME,
        ssh_public_key_id: required String = "SSHPublicKeyId" PUBLIC_KEY_ID,
        status: required Status = "Status" STATUS,
        upload_date: required Timestamp = "UploadDate" DATE,
    }
}

query_structure! {
    /// A credential of one service.
    output ServiceSpecificCredentialMetadata = "ServiceSpecificCredentialMetadata" {
        user_name: required String = "UserName" USER_NAME,
        status: required Status = "Status" STATUS,
        service_user_name: optional String = "ServiceUserName" SERVICE_USER_NAME,
        service_credential_alias: optional String = "ServiceCredentialAlias" SERVICE_CREDENTIAL_ALIAS,
        create_date: required Timestamp = "CreateDate" DATE,
        expiration_date: optional Timestamp = "ExpirationDate" DATE,
        service_specific_credential_id: required String = "ServiceSpecificCredentialId" SERVICE_SPECIFIC_CREDENTIAL_ID,
        service_name: required String = "ServiceName" SERVICE_NAME,
    }
}

query_structure! {
    /// A signing certificate.
    output SigningCertificate = "SigningCertificate" {
        user_name: required String = "UserName" USER_NAME,
        certificate_id: required String = "CertificateId" CERTIFICATE_ID,
        certificate_body: required String = "CertificateBody" CERTIFICATE_BODY,
        status: required Status = "Status" STATUS,
        upload_date: present Timestamp = "UploadDate" DATE,
    }
}

query_structure! {
    /// The template of a role.
    output SourceRoleTemplate = "SourceRoleTemplate" {
        template_arn: required String = "TemplateArn" ARN,
        template_minor_version: required u32 = "TemplateMinorVersion" INTEGER,
    }
}

query_structure! {
    /// A statement of a policy.
    output Statement = "Statement" {
        source_policy_id: present String = "SourcePolicyId" POLICY_IDENTIFIER,
        source_policy_type: present String = "SourcePolicyType" POLICY_SOURCE,
        start_position: optional Position = "StartPosition" POSITION,
        end_position: optional Position = "EndPosition" POSITION,
    }
}

query_structure! {
    /// A tag.
    shared Tag = "Tag" {
        key: required String = "Key" TAG_KEY,
        value: required String = "Value" TAG_VALUE,
    }
}

query_structure! {
    /// A user.
    output User = "User" {
        path: required String = "Path" PATH,
        user_name: required String = "UserName" USER_NAME,
        user_id: required String = "UserId" ID,
        arn: required String = "Arn" ARN,
        create_date: required Timestamp = "CreateDate" DATE,
        password_last_used: optional Timestamp = "PasswordLastUsed" DATE,
        permissions_boundary: optional AttachedPermissionsBoundary = "PermissionsBoundary" ATTACHED_PERMISSIONS_BOUNDARY,
        tags: optional Vec<Tag> = "Tags" TAG_LIST,
    }
}

query_structure! {
    /// A user with its policies.
    output UserDetail = "UserDetail" {
        path: present String = "Path" PATH,
        user_name: present String = "UserName" USER_NAME,
        user_id: present String = "UserId" ID,
        arn: present String = "Arn" ARN,
        create_date: present Timestamp = "CreateDate" DATE,
        user_policy_list: optional Vec<PolicyDetail> = "UserPolicyList" POLICY_DETAIL_LIST,
        group_list: present Vec<String> = "GroupList" GROUP_NAME_LIST,
        attached_managed_policies: present Vec<AttachedPolicy> = "AttachedManagedPolicies" ATTACHED_POLICIES_LIST,
        permissions_boundary: optional AttachedPermissionsBoundary = "PermissionsBoundary" ATTACHED_PERMISSIONS_BOUNDARY,
        tags: present Vec<Tag> = "Tags" TAG_LIST,
    }
}

query_structure! {
    /// A virtual MFA device.
    output VirtualMFADevice = "VirtualMFADevice" {
        serial_number: required String = "SerialNumber" SERIAL_NUMBER,
        base32_string_seed: optional SensitiveBlob = "Base32StringSeed" BOOTSTRAP_DATUM,
        qr_code_png: optional SensitiveBlob = "QRCodePNG" BOOTSTRAP_DATUM,
        user: optional User = "User" USER,
        enable_date: optional Timestamp = "EnableDate" DATE,
        tags: optional Vec<Tag> = "Tags" TAG_LIST,
    }
}
