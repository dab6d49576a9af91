//! What policies would allow.

use crate::iam::operation::Operation;
use crate::iam::shapes;
use crate::iam::structures::{
    ContextEntry, EvaluationResult, OrderedOrganizationPolicyType, PolicyIdentifier,
};
use crate::query::declare::query_operation;

query_operation! { SimulateCustomPolicy {
    input SimulateCustomPolicyInput {
        policy_input_list: required Vec<String> = "PolicyInputList" SIMULATION_POLICY_LIST,
        permissions_boundary_policy_input_list: default Vec<String> = "PermissionsBoundaryPolicyInputList" SIMULATION_POLICY_LIST,
        ordered_organization_policy_input_list: default Vec<OrderedOrganizationPolicyType> = "OrderedOrganizationPolicyInputList" ORGANIZATION_POLICY_LIST,
        action_names: required Vec<String> = "ActionNames" ACTION_NAME_LIST,
        resource_arns: default Vec<String> = "ResourceArns" RESOURCE_NAME_LIST,
        resource_policy: optional String = "ResourcePolicy" POLICY_DOCUMENT,
        resource_owner: optional String = "ResourceOwner" RESOURCE_NAME,
        caller_arn: optional String = "CallerArn" RESOURCE_NAME,
        context_entries: default Vec<ContextEntry> = "ContextEntries" CONTEXT_ENTRY_LIST,
        resource_handling_option: optional String = "ResourceHandlingOption" RESOURCE_HANDLING_OPTION,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
        marker: optional String = "Marker" MARKER,
    }
    output SimulateCustomPolicyOutput {
        evaluation_results: present Vec<EvaluationResult> = "EvaluationResults" EVALUATION_RESULTS_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [InvalidInput, PolicyEvaluation]
} }

query_operation! { SimulatePrincipalPolicy {
    input SimulatePrincipalPolicyInput {
        policy_source_arn: required String = "PolicySourceArn" ARN,
        policy_input_list: default Vec<String> = "PolicyInputList" SIMULATION_POLICY_LIST,
        permissions_boundary_policy_input_list: default Vec<String> = "PermissionsBoundaryPolicyInputList" SIMULATION_POLICY_LIST,
        policy_exclusion_list: default Vec<PolicyIdentifier> = "PolicyExclusionList" POLICY_EXCLUSIONS_LIST,
        action_names: required Vec<String> = "ActionNames" ACTION_NAME_LIST,
        resource_arns: default Vec<String> = "ResourceArns" RESOURCE_NAME_LIST,
        resource_policy: optional String = "ResourcePolicy" POLICY_DOCUMENT,
        resource_owner: optional String = "ResourceOwner" RESOURCE_NAME,
        caller_arn: optional String = "CallerArn" RESOURCE_NAME,
        context_entries: default Vec<ContextEntry> = "ContextEntries" CONTEXT_ENTRY_LIST,
        resource_handling_option: optional String = "ResourceHandlingOption" RESOURCE_HANDLING_OPTION,
        max_items: optional u32 = "MaxItems" MAX_ITEMS,
        marker: optional String = "Marker" MARKER,
    }
    output SimulatePrincipalPolicyOutput {
        evaluation_results: present Vec<EvaluationResult> = "EvaluationResults" EVALUATION_RESULTS_LIST,
        is_truncated: present bool = "IsTruncated" BOOLEAN,
        marker: optional String = "Marker" RESPONSE_MARKER,
    }
    errors [NoSuchEntity, InvalidInput, PolicyEvaluation]
} }

query_operation! { GetContextKeysForCustomPolicy {
    input GetContextKeysForCustomPolicyInput {
        policy_input_list: required Vec<String> = "PolicyInputList" SIMULATION_POLICY_LIST,
    }
    output GetContextKeysForCustomPolicyOutput {
        context_key_names: present Vec<String> = "ContextKeyNames" CONTEXT_KEY_NAMES_RESULT_LIST,
    }
    errors [InvalidInput]
} }

query_operation! { GetContextKeysForPrincipalPolicy {
    input GetContextKeysForPrincipalPolicyInput {
        policy_source_arn: required String = "PolicySourceArn" ARN,
        policy_input_list: default Vec<String> = "PolicyInputList" SIMULATION_POLICY_LIST,
    }
    output GetContextKeysForPrincipalPolicyOutput {
        context_key_names: present Vec<String> = "ContextKeyNames" CONTEXT_KEY_NAMES_RESULT_LIST,
    }
    errors [NoSuchEntity, InvalidInput]
} }
