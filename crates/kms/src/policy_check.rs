//! What a key policy must be before it is kept.

use keyreeve_core::gate;
use keyreeve_core::key_policy::PrincipalError;
use keyreeve_core::record::BoundPrincipal;
use keyreeve_core::ring::OpenKey;
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::KeyArn;
use keyreeve_policy::{Document, ParsePolicyError, Policy};
use keyreeve_wire::ErrorCode;

/// Checks the size, the grammar, the principals and, unless `bypass_lockout`, that the caller can put the next policy of the
/// key `arn`, which is `key` where it exists already. Yields the users and roles that the policy names, as they are now.
pub(crate) async fn check(
    cx: &Cx<'_>,
    text: &str,
    arn: &KeyArn,
    key: Option<&OpenKey>,
    bypass_lockout: bool,
) -> Result<Vec<BoundPrincipal>, Refusal> {
    let most = cx.service.quotas().policy_bytes;
    if text.len() > most {
        // AWS: unverified. The text for a policy over the quota is not known.
        let message = format!("The key policy is longer than {most} bytes.");
        return Err(Refusal::new(ErrorCode::LimitExceeded, message));
    }
    let document = Document::parse(text).map_err(refusal)?;
    let snapshot = cx.service.vault().snapshot().await?;
    let bound = cx.service.bind_principals(&*snapshot, &document).await.map_err(|error| match error {
        PrincipalError::Unknown(_) => refusal(ParsePolicyError::Principal),
        PrincipalError::Vault(error) => error.into(),
    })?;
    let policy = Policy::from(&document);
    if !bypass_lockout && !gate::could_put_next(cx, arn, key, &policy) {
        let message = "The new key policy will not allow you to update the key policy in the future.";
        return Err(Refusal::new(ErrorCode::MalformedPolicyDocument, message));
    }
    Ok(bound)
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
