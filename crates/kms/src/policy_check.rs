//! What a key policy must be before it is kept.

use keyreeve_core::Refusal;
use keyreeve_core::quota::Quotas;
use keyreeve_domain::KeyArn;
use keyreeve_policy::{Document, ParsePolicyError, allows_root_to_put_policy};
use keyreeve_wire::ErrorCode;

/// Checks the size, the grammar, the principals and, unless `bypass_lockout`, that the account of `key` can put its next policy.
pub(crate) fn check(text: &str, key: &KeyArn, quotas: &Quotas, bypass_lockout: bool) -> Result<(), Refusal> {
    if text.len() > quotas.policy_bytes {
        // AWS: unverified. The text for a policy over the quota is not known.
        let message = format!("The key policy is longer than {} bytes.", quotas.policy_bytes);
        return Err(Refusal::new(ErrorCode::LimitExceeded, message));
    }
    let policy = Document::parse(text).map_err(refusal)?;
    if !bypass_lockout && !allows_root_to_put_policy(&policy, key.account, &key.to_string()) {
        let message = "The new key policy will not allow you to update the key policy in the future.";
        return Err(Refusal::new(ErrorCode::MalformedPolicyDocument, message));
    }
    Ok(())
}

fn refusal(error: ParsePolicyError) -> Refusal {
    match error {
        // AWS: unverified. The texts for errors of grammar are our own.
        ParsePolicyError::Grammar(why) => Refusal::new(
            ErrorCode::MalformedPolicyDocument,
            format!("The policy is not syntactically correct: {why}."),
        ),
        ParsePolicyError::Principal => Refusal::new(
            ErrorCode::MalformedPolicyDocument,
            "Policy contains a statement with one or more invalid principals.",
        ),
    }
}
