//! What policies must be before they are kept.
//!
//! Sizes are counted without white space. Source:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.

use keyreeve_core::identity::record::InlinePolicy;
use keyreeve_policy::{Kind, ParsePolicyError, Policy};
use keyreeve_wire::query::QueryErrorCode;

use crate::entity::PolicyHolder;
use crate::refusal::Refusal;

/// The characters that a managed policy may have.
pub(crate) const MANAGED_MOST: usize = 6144;
/// The characters that a trust policy may have.
pub(crate) const TRUST_MOST: usize = 2048;

/// Checks an identity policy.
pub(crate) fn identity(text: &str) -> Result<(), Refusal> {
    compiles(Kind::Identity, text)
}

/// Checks a managed policy.
pub(crate) fn managed(text: &str) -> Result<(), Refusal> {
    if size(text) > MANAGED_MOST {
        return Err(Refusal::quota(format!("Cannot exceed quota for PolicySize: {MANAGED_MOST}")));
    }
    identity(text)
}

/// Checks the trust policy of a role.
pub(crate) fn trust(text: &str) -> Result<(), Refusal> {
    if size(text) > TRUST_MOST {
        return Err(Refusal::quota(format!("Cannot exceed quota for ACLSizePerRole: {TRUST_MOST}")));
    }
    compiles(Kind::Trust, text)
}

/// Checks the size of all own policies of an entity.
pub(crate) fn inline<E: PolicyHolder>(entity: &E) -> Result<(), Refusal> {
    let total: usize = entity.policies().iter().map(|InlinePolicy { text, .. }| size(text)).sum();
    if total <= E::INLINE_MOST {
        return Ok(());
    }
    let message =
        format!("Maximum policy size of {} bytes exceeded for {} {}", E::INLINE_MOST, E::NOUN, entity.name());
    Err(Refusal::quota(message))
}

fn size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

fn compiles(kind: Kind, text: &str) -> Result<(), Refusal> {
    let malformed = |message: String| Refusal::new(QueryErrorCode::MalformedPolicyDocument, message);
    match Policy::compile(kind, text) {
        Ok(_) => Ok(()),
        // AWS: unverified. The texts for errors of grammar are our own.
        Err(ParsePolicyError::Grammar(why)) => Err(malformed(format!("Syntax errors in policy: {why}."))),
        Err(ParsePolicyError::Principal) => Err(malformed("Invalid principal in policy".to_owned())),
    }
}
