//! The operations of IAM and the request and answer of each.

mod access_keys;
mod account;
mod groups;
mod policies;
mod providers;
mod roles;
mod simulation;
mod users;

pub use access_keys::*;
pub use account::*;
pub use groups::*;
pub use policies::*;
pub use providers::*;
pub use roles::*;
pub use simulation::*;
pub use users::*;

use crate::query::declare::query_operations;

query_operations! { "IAM" "2010-05-08" "https://iam.amazonaws.com/doc/2010-05-08/"
values hidden {
    AddClientIDToOpenIDConnectProvider: writes = AddClientIDToOpenIDConnectProviderInput,
    AddUserToGroup: writes = AddUserToGroupInput,
    AttachGroupPolicy: writes = AttachGroupPolicyInput,
    AttachRolePolicy: writes = AttachRolePolicyInput,
    AttachUserPolicy: writes = AttachUserPolicyInput,
    CreateAccessKey: writes = CreateAccessKeyInput,
    CreateGroup: writes = CreateGroupInput,
    CreateOpenIDConnectProvider: writes = CreateOpenIDConnectProviderInput,
    CreatePolicy: writes = CreatePolicyInput,
    CreatePolicyVersion: writes = CreatePolicyVersionInput,
    CreateRole: writes = CreateRoleInput,
    CreateUser: writes = CreateUserInput,
    DeleteAccessKey: writes = DeleteAccessKeyInput,
    DeleteGroup: writes = DeleteGroupInput,
    DeleteGroupPolicy: writes = DeleteGroupPolicyInput,
    DeleteLoginProfile: writes = DeleteLoginProfileInput,
    DeleteOpenIDConnectProvider: writes = DeleteOpenIDConnectProviderInput,
    DeletePolicy: writes = DeletePolicyInput,
    DeletePolicyVersion: writes = DeletePolicyVersionInput,
    DeleteRole: writes = DeleteRoleInput,
    DeleteRolePermissionsBoundary: writes = DeleteRolePermissionsBoundaryInput,
    DeleteRolePolicy: writes = DeleteRolePolicyInput,
    DeleteUser: writes = DeleteUserInput,
    DeleteUserPermissionsBoundary: writes = DeleteUserPermissionsBoundaryInput,
    DeleteUserPolicy: writes = DeleteUserPolicyInput,
    DetachGroupPolicy: writes = DetachGroupPolicyInput,
    DetachRolePolicy: writes = DetachRolePolicyInput,
    DetachUserPolicy: writes = DetachUserPolicyInput,
    GetAccessKeyLastUsed: reads = GetAccessKeyLastUsedInput,
    GetAccountAuthorizationDetails: reads = GetAccountAuthorizationDetailsInput,
    GetAccountSummary: reads = GetAccountSummaryInput,
    GetContextKeysForCustomPolicy: reads = GetContextKeysForCustomPolicyInput,
    GetContextKeysForPrincipalPolicy: reads = GetContextKeysForPrincipalPolicyInput,
    GetGroup: reads = GetGroupInput,
    GetGroupPolicy: reads = GetGroupPolicyInput,
    GetLoginProfile: reads = GetLoginProfileInput,
    GetOpenIDConnectProvider: reads = GetOpenIDConnectProviderInput,
    GetPolicy: reads = GetPolicyInput,
    GetPolicyVersion: reads = GetPolicyVersionInput,
    GetRole: reads = GetRoleInput,
    GetRolePolicy: reads = GetRolePolicyInput,
    GetUser: reads = GetUserInput,
    GetUserPolicy: reads = GetUserPolicyInput,
    ListAccessKeys: reads = ListAccessKeysInput,
    ListAccountAliases: reads = ListAccountAliasesInput,
    ListAttachedGroupPolicies: reads = ListAttachedGroupPoliciesInput,
    ListAttachedRolePolicies: reads = ListAttachedRolePoliciesInput,
    ListAttachedUserPolicies: reads = ListAttachedUserPoliciesInput,
    ListEntitiesForPolicy: reads = ListEntitiesForPolicyInput,
    ListGroupPolicies: reads = ListGroupPoliciesInput,
    ListGroups: reads = ListGroupsInput,
    ListGroupsForUser: reads = ListGroupsForUserInput,
    ListInstanceProfilesForRole: reads = ListInstanceProfilesForRoleInput,
    ListMFADevices: reads = ListMFADevicesInput,
    ListOpenIDConnectProviderTags: reads = ListOpenIDConnectProviderTagsInput,
    ListOpenIDConnectProviders: reads = ListOpenIDConnectProvidersInput,
    ListPolicies: reads = ListPoliciesInput,
    ListPolicyTags: reads = ListPolicyTagsInput,
    ListPolicyVersions: reads = ListPolicyVersionsInput,
    ListRolePolicies: reads = ListRolePoliciesInput,
    ListRoleTags: reads = ListRoleTagsInput,
    ListRoles: reads = ListRolesInput,
    ListSSHPublicKeys: reads = ListSSHPublicKeysInput,
    ListServiceSpecificCredentials: reads = ListServiceSpecificCredentialsInput,
    ListSigningCertificates: reads = ListSigningCertificatesInput,
    ListUserPolicies: reads = ListUserPoliciesInput,
    ListUserTags: reads = ListUserTagsInput,
    ListUsers: reads = ListUsersInput,
    ListVirtualMFADevices: reads = ListVirtualMFADevicesInput,
    PutGroupPolicy: writes = PutGroupPolicyInput,
    PutRolePermissionsBoundary: writes = PutRolePermissionsBoundaryInput,
    PutRolePolicy: writes = PutRolePolicyInput,
    PutUserPermissionsBoundary: writes = PutUserPermissionsBoundaryInput,
    PutUserPolicy: writes = PutUserPolicyInput,
    RemoveClientIDFromOpenIDConnectProvider: writes = RemoveClientIDFromOpenIDConnectProviderInput,
    RemoveUserFromGroup: writes = RemoveUserFromGroupInput,
    SetDefaultPolicyVersion: writes = SetDefaultPolicyVersionInput,
    SimulateCustomPolicy: reads = SimulateCustomPolicyInput,
    SimulatePrincipalPolicy: reads = SimulatePrincipalPolicyInput,
    TagOpenIDConnectProvider: writes = TagOpenIDConnectProviderInput,
    TagPolicy: writes = TagPolicyInput,
    TagRole: writes = TagRoleInput,
    TagUser: writes = TagUserInput,
    UntagOpenIDConnectProvider: writes = UntagOpenIDConnectProviderInput,
    UntagPolicy: writes = UntagPolicyInput,
    UntagRole: writes = UntagRoleInput,
    UntagUser: writes = UntagUserInput,
    UpdateAccessKey: writes = UpdateAccessKeyInput,
    UpdateAssumeRolePolicy: writes = UpdateAssumeRolePolicyInput,
    UpdateGroup: writes = UpdateGroupInput,
    UpdateOpenIDConnectProviderThumbprint: writes = UpdateOpenIDConnectProviderThumbprintInput,
    UpdateRole: writes = UpdateRoleInput,
    UpdateRoleDescription: writes = UpdateRoleDescriptionInput,
    UpdateUser: writes = UpdateUserInput,
} }
