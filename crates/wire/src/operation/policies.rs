//! Operations on key policies.

use crate::declare::operation;
use crate::shapes;

operation! { PutKeyPolicy {
    input PutKeyPolicyInput {
        key_id: required String = "KeyId" KEY_ID,
        policy_name: optional String = "PolicyName" POLICY_NAME,
        policy: required String = "Policy" POLICY,
        bypass_policy_lockout_safety_check: default bool = "BypassPolicyLockoutSafetyCheck" BOOLEAN,
    }
    errors [
        NotFound, InvalidArn, MalformedPolicyDocument, DependencyTimeout, UnsupportedOperation,
        KmsInternal, LimitExceeded, KmsInvalidState,
    ]
}}

operation! { GetKeyPolicy {
    input GetKeyPolicyInput {
        key_id: required String = "KeyId" KEY_ID,
        policy_name: optional String = "PolicyName" POLICY_NAME,
    }
    output GetKeyPolicyOutput {
        policy: present String = "Policy" POLICY,
        policy_name: present String = "PolicyName" POLICY_NAME,
    }
    errors [
        NotFound, InvalidArn, DependencyTimeout, KmsInternal, KmsInvalidState,
    ]
}}

operation! { ListKeyPolicies {
    input ListKeyPoliciesInput {
        key_id: required String = "KeyId" KEY_ID,
        limit: optional u32 = "Limit" LIMIT,
        marker: optional String = "Marker" MARKER,
    }
    output ListKeyPoliciesOutput {
        next_marker: optional String = "NextMarker" MARKER,
        policy_names: present Vec<String> = "PolicyNames" POLICY_NAME_LIST,
        truncated: present bool = "Truncated" BOOLEAN,
    }
    errors [
        NotFound, InvalidArn, DependencyTimeout, KmsInternal, KmsInvalidState,
    ]
}}
