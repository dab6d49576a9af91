//! From an operation and a form to its handler.

use keyreeve_core::Cx;
use keyreeve_wire::query::{AnswerForm, Api, Form, QueryInput, QueryOutput, write_elements};
use keyreeve_wire::{iam, sts};

use crate::refusal::Refusal;
use crate::{
    absent, access_keys, account, assume_role, attached_policies, authorization_details,
    authorization_message, boundaries, caller_identity, groups, inline_policies, memberships, policies,
    policy_versions, providers, roles, session_token, simulation, tags, users,
};

/// What an answer is written on.
pub(crate) struct Page {
    /// How.
    pub(crate) form: AnswerForm,
    /// What was written so far.
    pub(crate) body: Vec<u8>,
}

macro_rules! operations {
    ($(#[$meta:meta])* $dispatch:ident of $operations:path {
        answering { $($operation:ident => $handler:path;)+ }
        silent { $($quiet:ident => $quiet_handler:path;)* }
        unsupported { $($unsupported:ident;)* }
        elsewhere { $($elsewhere:ident;)* }
    }) => {
        $(#[$meta])*
        pub(crate) async fn $dispatch(
            cx: &mut Cx<'_>,
            operation: $operations,
            form: Form<'_>,
            page: &mut Page,
        ) -> Result<(), Refusal> {
            use $operations as Operation;
            match operation {
                $(Operation::$operation => {
                    let input = decode(cx, form)?;
                    let output = $handler(cx, input).await?;
                    answered(cx, operation, &output, page);
                    Ok(())
                })+
                $(Operation::$quiet => {
                    let input = decode(cx, form)?;
                    $quiet_handler(cx, input).await?;
                    page.form.write_empty(operation, cx.request_id.as_str(), &mut page.body);
                    Ok(())
                })*
                $(Operation::$unsupported => {
                    (operation.model().check)(&form)?;
                    Err(Refusal(keyreeve_wire::query::QueryError::invalid_action(operation.name(), Operation::VERSION)))
                })*
                // Answered before the caller is known, so they never come here.
                $(Operation::$elsewhere => Err(Refusal::internal()),)*
            }
        }
    };
}

operations! {
    /// Decodes `form`, runs the handler of an operation of IAM and writes its answer on `page`.
    iam of iam::Operation {
    answering {
        CreateAccessKey => access_keys::create_access_key;
        CreateGroup => groups::create_group;
        CreateOpenIDConnectProvider => providers::create_open_id_connect_provider;
        CreatePolicy => policies::create_policy;
        CreatePolicyVersion => policy_versions::create_policy_version;
        CreateRole => roles::create_role;
        CreateUser => users::create_user;
        GetAccessKeyLastUsed => access_keys::get_access_key_last_used;
        GetAccountAuthorizationDetails => authorization_details::get_account_authorization_details;
        GetAccountSummary => account::get_account_summary;
        GetContextKeysForCustomPolicy => simulation::get_context_keys_for_custom_policy;
        GetContextKeysForPrincipalPolicy => simulation::get_context_keys_for_principal_policy;
        SimulateCustomPolicy => simulation::simulate_custom_policy;
        SimulatePrincipalPolicy => simulation::simulate_principal_policy;
        GetGroup => groups::get_group;
        GetGroupPolicy => inline_policies::get_group_policy;
        GetLoginProfile => absent::get_login_profile;
        GetOpenIDConnectProvider => providers::get_open_id_connect_provider;
        GetPolicy => policies::get_policy;
        GetPolicyVersion => policy_versions::get_policy_version;
        GetRole => roles::get_role;
        GetRolePolicy => inline_policies::get_role_policy;
        GetUser => users::get_user;
        GetUserPolicy => inline_policies::get_user_policy;
        ListAccessKeys => access_keys::list_access_keys;
        ListAccountAliases => account::list_account_aliases;
        ListAttachedGroupPolicies => attached_policies::list_attached_group_policies;
        ListAttachedRolePolicies => attached_policies::list_attached_role_policies;
        ListAttachedUserPolicies => attached_policies::list_attached_user_policies;
        ListEntitiesForPolicy => policies::list_entities_for_policy;
        ListGroupPolicies => inline_policies::list_group_policies;
        ListGroups => groups::list_groups;
        ListGroupsForUser => memberships::list_groups_for_user;
        ListInstanceProfilesForRole => absent::list_instance_profiles_for_role;
        ListMFADevices => absent::list_mfa_devices;
        ListOpenIDConnectProviderTags => tags::list_open_id_connect_provider_tags;
        ListOpenIDConnectProviders => providers::list_open_id_connect_providers;
        ListPolicies => policies::list_policies;
        ListPolicyTags => tags::list_policy_tags;
        ListPolicyVersions => policy_versions::list_policy_versions;
        ListRolePolicies => inline_policies::list_role_policies;
        ListRoleTags => tags::list_role_tags;
        ListRoles => roles::list_roles;
        ListSSHPublicKeys => absent::list_ssh_public_keys;
        ListServiceSpecificCredentials => absent::list_service_specific_credentials;
        ListSigningCertificates => absent::list_signing_certificates;
        ListUserPolicies => inline_policies::list_user_policies;
        ListUserTags => tags::list_user_tags;
        ListUsers => users::list_users;
        ListVirtualMFADevices => absent::list_virtual_mfa_devices;
        UpdateRole => roles::update_role;
        UpdateRoleDescription => roles::update_role_description;
    }
    silent {
        AddClientIDToOpenIDConnectProvider => providers::add_client_id_to_open_id_connect_provider;
        AddUserToGroup => memberships::add_user_to_group;
        AttachGroupPolicy => attached_policies::attach_group_policy;
        AttachRolePolicy => attached_policies::attach_role_policy;
        AttachUserPolicy => attached_policies::attach_user_policy;
        DeleteAccessKey => access_keys::delete_access_key;
        DeleteGroup => groups::delete_group;
        DeleteGroupPolicy => inline_policies::delete_group_policy;
        DeleteLoginProfile => absent::delete_login_profile;
        DeleteOpenIDConnectProvider => providers::delete_open_id_connect_provider;
        DeletePolicy => policies::delete_policy;
        DeletePolicyVersion => policy_versions::delete_policy_version;
        DeleteRole => roles::delete_role;
        DeleteRolePermissionsBoundary => boundaries::delete_role_permissions_boundary;
        DeleteRolePolicy => inline_policies::delete_role_policy;
        DeleteUser => users::delete_user;
        DeleteUserPermissionsBoundary => boundaries::delete_user_permissions_boundary;
        DeleteUserPolicy => inline_policies::delete_user_policy;
        DetachGroupPolicy => attached_policies::detach_group_policy;
        DetachRolePolicy => attached_policies::detach_role_policy;
        DetachUserPolicy => attached_policies::detach_user_policy;
        PutGroupPolicy => inline_policies::put_group_policy;
        PutRolePermissionsBoundary => boundaries::put_role_permissions_boundary;
        PutRolePolicy => inline_policies::put_role_policy;
        PutUserPermissionsBoundary => boundaries::put_user_permissions_boundary;
        PutUserPolicy => inline_policies::put_user_policy;
        RemoveClientIDFromOpenIDConnectProvider => providers::remove_client_id_from_open_id_connect_provider;
        RemoveUserFromGroup => memberships::remove_user_from_group;
        SetDefaultPolicyVersion => policy_versions::set_default_policy_version;
        TagOpenIDConnectProvider => tags::tag_open_id_connect_provider;
        TagPolicy => tags::tag_policy;
        TagRole => tags::tag_role;
        TagUser => tags::tag_user;
        UntagOpenIDConnectProvider => tags::untag_open_id_connect_provider;
        UntagPolicy => tags::untag_policy;
        UntagRole => tags::untag_role;
        UntagUser => tags::untag_user;
        UpdateAccessKey => access_keys::update_access_key;
        UpdateAssumeRolePolicy => roles::update_assume_role_policy;
        UpdateGroup => groups::update_group;
        UpdateOpenIDConnectProviderThumbprint => providers::update_open_id_connect_provider_thumbprint;
        UpdateUser => users::update_user;
    }
    unsupported {}
    elsewhere {} }
}

operations! {
    /// Decodes `form`, runs the handler of an operation of STS and writes its answer on `page`.
    sts of sts::Operation {
    answering {
        AssumeRole => assume_role::assume_role;
        DecodeAuthorizationMessage => authorization_message::decode_authorization_message;
        GetAccessKeyInfo => access_keys::get_access_key_info;
        GetFederationToken => session_token::get_federation_token;
        GetSessionToken => session_token::get_session_token;
        GetCallerIdentity => caller_identity::get_caller_identity;
    }
    silent {}
    unsupported {}
    elsewhere { AssumeRoleWithWebIdentity; } }
}

pub(crate) fn decode<I: QueryInput>(cx: &mut Cx<'_>, form: Form<'_>) -> Result<I, Refusal> {
    let input = I::decode(&form)?;
    let parameters = &mut cx.notes.request_parameters;
    input.write_parameters(parameters);
    // A request without parameters has `null`.
    if parameters == b"{}" {
        parameters.clear();
    }
    Ok(input)
}

/// Operations that CloudTrail calls read-only and of whose answers it still tells: which access key was issued, and to whom. The
/// secret and the session token are not told.
const ISSUING: [&str; 2] = ["AssumeRole", "AssumeRoleWithWebIdentity"];

/// Writes an answer, and what the trail says of it. Of what only reads it says nothing, unless it issues credentials.
pub(crate) fn answered<O: QueryOutput>(
    cx: &mut Cx<'_>,
    operation: O::Operation,
    output: &O,
    page: &mut Page,
) {
    if !operation.read_only() || ISSUING.contains(&operation.name()) {
        write_elements(output, &mut cx.notes.response_elements);
    }
    page.form.write(output, cx.request_id.as_str(), &mut page.body);
}
