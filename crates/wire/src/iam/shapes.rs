//! Every shape that a request or an answer uses, with its limits.

use crate::iam::{pattern, structures};
use crate::query::declare::query_enumerations;
use crate::shape::{Kind, Shape};
use crate::shapes::shapes;

shapes! {
    ACCESS_KEY = "AccessKey" Kind::Structure(structures::AccessKey::MEMBERS);
    ACCESS_KEY_ID = "accessKeyIdType" Kind::Text, limits(16, 128), pattern_of(pattern::WORD);
    ACCESS_KEY_LAST_USED = "AccessKeyLastUsed" Kind::Structure(structures::AccessKeyLastUsed::MEMBERS);
    ACCESS_KEY_METADATA = "AccessKeyMetadata" Kind::Structure(structures::AccessKeyMetadata::MEMBERS);
    ACCESS_KEY_METADATA_LIST = "accessKeyMetadataListType" Kind::List(&ACCESS_KEY_METADATA);
    ACCESS_KEY_SECRET = "accessKeySecretType" Kind::Text, sensitive();
    ACCOUNT_ALIAS = "accountAliasType" Kind::Text, limits(3, 63), pattern_of(pattern::ACCOUNT_ALIAS);
    ACCOUNT_ALIAS_LIST = "accountAliasListType" Kind::List(&ACCOUNT_ALIAS);
    ACTION_NAME = "ActionNameType" Kind::Text, limits(3, 128);
    ACTION_NAME_LIST = "ActionNameListType" Kind::List(&ACTION_NAME);
    ALL_USERS = "allUsers" Kind::Boolean;
    ARN = "arnType" Kind::Text, limits(20, 2048);
    ATTACHED_PERMISSIONS_BOUNDARY = "AttachedPermissionsBoundary" Kind::Structure(structures::AttachedPermissionsBoundary::MEMBERS);
    ATTACHED_POLICIES_LIST = "attachedPoliciesListType" Kind::List(&ATTACHED_POLICY);
    ATTACHED_POLICY = "AttachedPolicy" Kind::Structure(structures::AttachedPolicy::MEMBERS);
    ATTACHMENT_COUNT = "attachmentCountType" Kind::Integer;
    ATTACHMENT_NAME = "AttachmentName" Kind::Text, limits(1, 128), pattern_of(pattern::NAME);
    BOOTSTRAP_DATUM = "BootstrapDatum" Kind::Blob, sensitive();
    BOOLEAN = "booleanType" Kind::Boolean;
    CERTIFICATE_BODY = "certificateBodyType" Kind::Text, limits(1, 16384), pattern_of(pattern::POLICY);
    CERTIFICATE_ID = "certificateIdType" Kind::Text, limits(24, 128), pattern_of(pattern::WORD);
    CERTIFICATE_LIST = "certificateListType" Kind::List(&SIGNING_CERTIFICATE);
    CLIENT_ID = "clientIDType" Kind::Text, limits(1, 255);
    CLIENT_ID_LIST = "clientIDListType" Kind::List(&CLIENT_ID);
    COLUMN_NUMBER = "ColumnNumber" Kind::Integer;
    CONTEXT_ENTRY = "ContextEntry" Kind::Structure(structures::ContextEntry::MEMBERS);
    CONTEXT_ENTRY_LIST = "ContextEntryListType" Kind::List(&CONTEXT_ENTRY);
    CONTEXT_KEY_NAME = "ContextKeyNameType" Kind::Text, limits(5, 256);
    CONTEXT_KEY_NAMES_RESULT_LIST = "ContextKeyNamesResultListType" Kind::List(&CONTEXT_KEY_NAME);
    CONTEXT_KEY_VALUE = "ContextKeyValueType" Kind::Text;
    CONTEXT_KEY_VALUE_LIST = "ContextKeyValueListType" Kind::List(&CONTEXT_KEY_VALUE);
    DATE = "dateType" Kind::Timestamp;
    ENTITY_LIST = "entityListType" Kind::List(&ENTITY);
    EVALUATION_RESULT = "EvaluationResult" Kind::Structure(structures::EvaluationResult::MEMBERS);
    EVALUATION_RESULTS_LIST = "EvaluationResultsListType" Kind::List(&EVALUATION_RESULT);
    EVAL_DECISION_DETAILS = "EvalDecisionDetailsType" Kind::Map;
    EXISTING_USER_NAME = "existingUserNameType" Kind::Text, limits(1, 128), pattern_of(pattern::NAME);
    GROUP = "Group" Kind::Structure(structures::Group::MEMBERS);
    GROUP_DETAIL = "GroupDetail" Kind::Structure(structures::GroupDetail::MEMBERS);
    GROUP_DETAIL_LIST = "groupDetailListType" Kind::List(&GROUP_DETAIL);
    GROUP_LIST = "groupListType" Kind::List(&GROUP);
    GROUP_NAME = "groupNameType" Kind::Text, limits(1, 128), pattern_of(pattern::NAME);
    GROUP_NAME_LIST = "groupNameListType" Kind::List(&GROUP_NAME);
    ID = "idType" Kind::Text, limits(16, 128), pattern_of(pattern::WORD);
    INLINE_POLICY_IDENTIFIER = "InlinePolicyIdentifierType" Kind::Structure(structures::InlinePolicyIdentifierType::MEMBERS);
    INSTANCE_PROFILE = "InstanceProfile" Kind::Structure(structures::InstanceProfile::MEMBERS);
    INSTANCE_PROFILE_LIST = "instanceProfileListType" Kind::List(&INSTANCE_PROFILE);
    INSTANCE_PROFILE_NAME = "instanceProfileNameType" Kind::Text, limits(1, 128), pattern_of(pattern::NAME);
    INTEGER = "integerType" Kind::Integer;
    LINE_NUMBER = "LineNumber" Kind::Integer;
    LOGIN_PROFILE = "LoginProfile" Kind::Structure(structures::LoginProfile::MEMBERS);
    MANAGED_POLICY_DETAIL = "ManagedPolicyDetail" Kind::Structure(structures::ManagedPolicyDetail::MEMBERS);
    MANAGED_POLICY_DETAIL_LIST = "ManagedPolicyDetailListType" Kind::List(&MANAGED_POLICY_DETAIL);
    MARKER = "markerType" Kind::Text, limits(1, 320), pattern_of(pattern::MARKER);
    MAX_ITEMS = "maxItemsType" Kind::Integer, limits(1, 1000);
    MFA_DEVICE = "MFADevice" Kind::Structure(structures::MFADevice::MEMBERS);
    MFA_DEVICE_LIST = "mfaDeviceListType" Kind::List(&MFA_DEVICE);
    OPEN_ID_CONNECT_PROVIDER_LIST = "OpenIDConnectProviderListType" Kind::List(&OPEN_ID_CONNECT_PROVIDER_LIST_ENTRY);
    OPEN_ID_CONNECT_PROVIDER_LIST_ENTRY = "OpenIDConnectProviderListEntry" Kind::Structure(structures::OpenIDConnectProviderListEntry::MEMBERS);
    OPEN_ID_CONNECT_PROVIDER_URL = "OpenIDConnectProviderUrlType" Kind::Text, limits(1, 255);
    ORDERED_ORGANIZATION_POLICY = "OrderedOrganizationPolicyType" Kind::Structure(structures::OrderedOrganizationPolicyType::MEMBERS);
    ORGANIZATIONS_DECISION_DETAIL = "OrganizationsDecisionDetail" Kind::Structure(structures::OrganizationsDecisionDetail::MEMBERS);
    ORGANIZATION_POLICY_LIST = "OrganizationPolicyListType" Kind::List(&ORDERED_ORGANIZATION_POLICY), max_of(7);
    PATH = "pathType" Kind::Text, limits(1, 512), pattern_of(pattern::PATH);
    PATH_PREFIX = "pathPrefixType" Kind::Text, limits(1, 512), pattern_of(pattern::PATH_PREFIX);
    PERMISSIONS_BOUNDARY_DECISION_DETAIL = "PermissionsBoundaryDecisionDetail" Kind::Structure(structures::PermissionsBoundaryDecisionDetail::MEMBERS);
    POLICY = "Policy" Kind::Structure(structures::Policy::MEMBERS);
    POLICY_DESCRIPTION = "policyDescriptionType" Kind::Text, max_of(1000);
    POLICY_DETAIL = "PolicyDetail" Kind::Structure(structures::PolicyDetail::MEMBERS);
    POLICY_DETAIL_LIST = "policyDetailListType" Kind::List(&POLICY_DETAIL);
    POLICY_DOCUMENT = "policyDocumentType" Kind::Text, limits(1, 131072), pattern_of(pattern::POLICY);
    POLICY_DOCUMENT_VERSION_LIST = "policyDocumentVersionListType" Kind::List(&POLICY_VERSION);
    POLICY_EXCLUSIONS_LIST = "PolicyExclusionsListType" Kind::List(&POLICY_IDENTIFIER_TYPE), max_of(256);
    POLICY_GROUP = "PolicyGroup" Kind::Structure(structures::PolicyGroup::MEMBERS);
    POLICY_GROUP_LIST = "PolicyGroupListType" Kind::List(&POLICY_GROUP);
    POLICY_IDENTIFIER = "PolicyIdentifierType" Kind::Text;
    POLICY_IDENTIFIER_TYPE = "PolicyIdentifier" Kind::Structure(structures::PolicyIdentifier::MEMBERS);
    POLICY_LIST = "policyListType" Kind::List(&POLICY);
    POLICY_NAME = "policyNameType" Kind::Text, limits(1, 128), pattern_of(pattern::NAME);
    POLICY_NAME_LIST = "policyNameListType" Kind::List(&POLICY_NAME);
    POLICY_PATH = "policyPathType" Kind::Text, limits(1, 512), pattern_of(pattern::POLICY_PATH);
    POLICY_ROLE = "PolicyRole" Kind::Structure(structures::PolicyRole::MEMBERS);
    POLICY_ROLE_LIST = "PolicyRoleListType" Kind::List(&POLICY_ROLE);
    POLICY_USER = "PolicyUser" Kind::Structure(structures::PolicyUser::MEMBERS);
    POLICY_USER_LIST = "PolicyUserListType" Kind::List(&POLICY_USER);
    POLICY_VERSION = "PolicyVersion" Kind::Structure(structures::PolicyVersion::MEMBERS);
    POLICY_VERSION_ID = "policyVersionIdType" Kind::Text, pattern_of(pattern::POLICY_VERSION);
    POSITION = "Position" Kind::Structure(structures::Position::MEMBERS);
    PUBLIC_KEY_ID = "publicKeyIdType" Kind::Text, limits(20, 128), pattern_of(pattern::WORD);
    RESOURCE_HANDLING_OPTION = "ResourceHandlingOptionType" Kind::Text, limits(1, 64);
    RESOURCE_NAME = "ResourceNameType" Kind::Text, limits(1, 2048);
    RESOURCE_NAME_LIST = "ResourceNameListType" Kind::List(&RESOURCE_NAME);
    RESOURCE_SPECIFIC_RESULT = "ResourceSpecificResult" Kind::Structure(structures::ResourceSpecificResult::MEMBERS);
    RESOURCE_SPECIFIC_RESULT_LIST = "ResourceSpecificResultListType" Kind::List(&RESOURCE_SPECIFIC_RESULT);
    RESPONSE_MARKER = "responseMarkerType" Kind::Text;
    ROLE = "Role" Kind::Structure(structures::Role::MEMBERS);
    ROLE_DESCRIPTION = "roleDescriptionType" Kind::Text, max_of(1000), pattern_of(pattern::DESCRIPTION);
    ROLE_DETAIL = "RoleDetail" Kind::Structure(structures::RoleDetail::MEMBERS);
    ROLE_DETAIL_LIST = "roleDetailListType" Kind::List(&ROLE_DETAIL);
    ROLE_LAST_USED = "RoleLastUsed" Kind::Structure(structures::RoleLastUsed::MEMBERS);
    ROLE_LIST = "roleListType" Kind::List(&ROLE);
    ROLE_MAX_SESSION_DURATION = "roleMaxSessionDurationType" Kind::Integer, limits(3600, 43200);
    ROLE_NAME = "roleNameType" Kind::Text, limits(1, 64), pattern_of(pattern::NAME);
    SERIAL_NUMBER = "serialNumberType" Kind::Text, limits(9, 256), pattern_of(pattern::SERIAL_NUMBER);
    SERVICE_CREDENTIAL_ALIAS = "serviceCredentialAlias" Kind::Text, limits(0, 200), pattern_of(pattern::NAME);
    SERVICE_NAME = "serviceName" Kind::Text;
    SERVICE_SPECIFIC_CREDENTIALS_LIST = "ServiceSpecificCredentialsListType" Kind::List(&SERVICE_SPECIFIC_CREDENTIAL_METADATA);
    SERVICE_SPECIFIC_CREDENTIAL_ID = "serviceSpecificCredentialId" Kind::Text, limits(20, 128), pattern_of(pattern::WORD);
    SERVICE_SPECIFIC_CREDENTIAL_METADATA = "ServiceSpecificCredentialMetadata" Kind::Structure(structures::ServiceSpecificCredentialMetadata::MEMBERS);
    SERVICE_USER_NAME = "serviceUserName" Kind::Text, limits(0, 200), pattern_of(pattern::NAME_OR_NONE);
    SIGNING_CERTIFICATE = "SigningCertificate" Kind::Structure(structures::SigningCertificate::MEMBERS);
    SIMULATION_POLICY_LIST = "SimulationPolicyListType" Kind::List(&POLICY_DOCUMENT);
    SOURCE_ROLE_TEMPLATE = "SourceRoleTemplate" Kind::Structure(structures::SourceRoleTemplate::MEMBERS);
    SSH_PUBLIC_KEY_LIST = "SSHPublicKeyListType" Kind::List(&SSH_PUBLIC_KEY_METADATA);
    SSH_PUBLIC_KEY_METADATA = "SSHPublicKeyMetadata" Kind::Structure(structures::SSHPublicKeyMetadata::MEMBERS);
    STATEMENT = "Statement" Kind::Structure(structures::Statement::MEMBERS);
    STATEMENT_LIST = "StatementListType" Kind::List(&STATEMENT);
    STRING = "stringType" Kind::Text;
    SUMMARY_MAP = "summaryMapType" Kind::Map;
    TAG = "Tag" Kind::Structure(structures::Tag::MEMBERS);
    TAG_KEY = "tagKeyType" Kind::Text, limits(1, 128), pattern_of(pattern::TAG_KEY);
    TAG_KEY_LIST = "tagKeyListType" Kind::List(&TAG_KEY), max_of(50);
    TAG_LIST = "tagListType" Kind::List(&TAG), max_of(50);
    TAG_VALUE = "tagValueType" Kind::Text, limits(0, 256), pattern_of(pattern::TAG_VALUE);
    THUMBPRINT = "thumbprintType" Kind::Text, limits(40, 40);
    THUMBPRINT_LIST = "thumbprintListType" Kind::List(&THUMBPRINT);
    USER = "User" Kind::Structure(structures::User::MEMBERS);
    USER_DETAIL = "UserDetail" Kind::Structure(structures::UserDetail::MEMBERS);
    USER_DETAIL_LIST = "userDetailListType" Kind::List(&USER_DETAIL);
    USER_LIST = "userListType" Kind::List(&USER);
    USER_NAME = "userNameType" Kind::Text, limits(1, 64), pattern_of(pattern::NAME);
    VIRTUAL_MFA_DEVICE = "VirtualMFADevice" Kind::Structure(structures::VirtualMFADevice::MEMBERS);
    VIRTUAL_MFA_DEVICE_LIST = "virtualMFADeviceListType" Kind::List(&VIRTUAL_MFA_DEVICE);
}

query_enumerations! {
    /// Whether a device belongs to a user.
    AssignmentStatus ASSIGNMENT_STATUS = "assignmentStatusType" {
        Assigned = "Assigned", Unassigned = "Unassigned", Any = "Any",
    }
    /// What an inline policy is embedded in.
    AttachmentType ATTACHMENT = "AttachmentType" {
        User = "user", Group = "group", Role = "role",
    }
    /// What a permissions boundary is.
    BoundaryKind PERMISSIONS_BOUNDARY_ATTACHMENT = "PermissionsBoundaryAttachmentType" {
        PermissionsBoundaryPolicy = "PermissionsBoundaryPolicy",
    }
    /// What the values of a context key are.
    ContextKeyType CONTEXT_KEY_TYPE_ENUM = "ContextKeyTypeEnum" {
        String = "string", StringList = "stringList", Numeric = "numeric", NumericList = "numericList",
        Boolean = "boolean", BooleanList = "booleanList", Ip = "ip", IpList = "ipList", Binary = "binary",
        BinaryList = "binaryList", Date = "date", DateList = "dateList",
    }
    /// What a policy is attached to, or is.
    EntityType ENTITY = "EntityType" {
        User = "User", Role = "Role", Group = "Group", LocalManagedPolicy = "LocalManagedPolicy",
        AwsManagedPolicy = "AWSManagedPolicy",
    }
    /// What a simulated action comes to.
    EvaluationDecision POLICY_EVALUATION_DECISION = "PolicyEvaluationDecisionType" {
        Allowed = "allowed", ExplicitDeny = "explicitDeny", ImplicitDeny = "implicitDeny",
    }
    /// What kind of policy it is.
    PolicyIdentifierKind POLICY_IDENTIFIER_POLICY = "PolicyIdentifierPolicyType" {
        Inline = "inline", AwsManaged = "aws-managed", UserManaged = "user-managed",
        PermissionBoundary = "permission-boundary", Scp = "scp", Rcp = "rcp",
    }
    /// Whose policies are listed.
    PolicyScope POLICY_SCOPE = "policyScopeType" {
        All = "All", Aws = "AWS", Local = "Local",
    }
    /// Where a policy comes from.
    PolicySource POLICY_SOURCE = "PolicySourceType" {
        User = "user", Group = "group", Role = "role", AwsManaged = "aws-managed",
        UserManaged = "user-managed", Resource = "resource", None = "none",
    }
    /// What a policy is used for.
    PolicyUsage POLICY_USAGE = "PolicyUsageType" {
        PermissionsPolicy = "PermissionsPolicy", PermissionsBoundary = "PermissionsBoundary",
    }
    /// Whether a credential may be used.
    Status STATUS = "statusType" {
        Active = "Active", Inactive = "Inactive", Expired = "Expired",
    }
    /// What a number of the summary counts.
    SummaryKey SUMMARY_KEY = "summaryKeyType" {
        Users = "Users", UsersQuota = "UsersQuota", Groups = "Groups", GroupsQuota = "GroupsQuota",
        ServerCertificates = "ServerCertificates", ServerCertificatesQuota = "ServerCertificatesQuota",
        UserPolicySizeQuota = "UserPolicySizeQuota", GroupPolicySizeQuota = "GroupPolicySizeQuota",
        GroupsPerUserQuota = "GroupsPerUserQuota",
        SigningCertificatesPerUserQuota = "SigningCertificatesPerUserQuota",
        AccessKeysPerUserQuota = "AccessKeysPerUserQuota", MfaDevices = "MFADevices",
        MfaDevicesInUse = "MFADevicesInUse", AccountMfaEnabled = "AccountMFAEnabled",
        AccountAccessKeysPresent = "AccountAccessKeysPresent",
        AccountPasswordPresent = "AccountPasswordPresent",
        AccountSigningCertificatesPresent = "AccountSigningCertificatesPresent",
        AttachedPoliciesPerGroupQuota = "AttachedPoliciesPerGroupQuota",
        AttachedPoliciesPerRoleQuota = "AttachedPoliciesPerRoleQuota",
        AttachedPoliciesPerUserQuota = "AttachedPoliciesPerUserQuota", Policies = "Policies",
        PoliciesQuota = "PoliciesQuota", PolicySizeQuota = "PolicySizeQuota",
        PolicyVersionsInUse = "PolicyVersionsInUse", PolicyVersionsInUseQuota = "PolicyVersionsInUseQuota",
        VersionsPerPolicyQuota = "VersionsPerPolicyQuota",
        GlobalEndpointTokenVersion = "GlobalEndpointTokenVersion",
        AssumeRolePolicySizeQuota = "AssumeRolePolicySizeQuota", InstanceProfiles = "InstanceProfiles",
        InstanceProfilesQuota = "InstanceProfilesQuota", Providers = "Providers",
        RolePolicySizeQuota = "RolePolicySizeQuota", Roles = "Roles", RolesQuota = "RolesQuota",
    }
}
