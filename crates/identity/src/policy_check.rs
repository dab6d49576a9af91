//! What policies must be before they are kept.
//!
//! Sizes are counted without white space. Source:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.

use keyreeve_core::Cx;
use keyreeve_core::identity::record::InlinePolicy;
use keyreeve_core::key_policy::PrincipalError;
use keyreeve_core::record::BoundPrincipal;
use keyreeve_policy::{
    Document, Kind, ParsePolicyError, Policy, invalid_principal, parse_identity_policy, parse_managed_policy,
    parse_resource_control_policy, parse_session_policy, parse_trust_policy,
};
use keyreeve_store::Snapshot;
use keyreeve_wire::query::QueryErrorCode;

use crate::entity::PolicyHolder;
use crate::refusal::Refusal;

/// The characters that a managed policy may have.
pub(crate) const MANAGED_MOST: usize = 6144;
/// The characters that a policy of an organization may have.
const CONTROL_MOST: usize = 5120;
/// The characters that a trust policy may have.
pub(crate) const TRUST_MOST: usize = 2048;

/// Checks a policy that is written on an identity.
pub(crate) fn identity(text: &str) -> Result<(), Refusal> {
    parse_identity_policy(text).map_err(malformed)?;
    compiles(Kind::Identity, text)
}

/// Checks a policy that is passed for a session.
pub(crate) fn session(text: &str) -> Result<(), Refusal> {
    parse_session_policy(text).map_err(malformed)?;
    compiles(Kind::Identity, text)
}

fn latest(text: &str) -> Result<(), Refusal> {
    parse_managed_policy(text).map_err(malformed)?;
    compiles(Kind::Identity, text)
}

/// Checks a managed policy.
pub(crate) fn managed(text: &str) -> Result<(), Refusal> {
    if size(text) > MANAGED_MOST {
        return Err(Refusal::quota(format!("Cannot exceed quota for PolicySize: {MANAGED_MOST}")));
    }
    latest(text)
}

/// Checks the trust policy of a role, and finds out who the users and roles are that it names.
pub(crate) async fn trust(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    text: &str,
) -> Result<Vec<BoundPrincipal>, Refusal> {
    let document = trust_document(text)?;
    cx.service.bind_principals(snapshot, &document).await.map_err(|error| match error {
        PrincipalError::Unknown(principal) => malformed(invalid_principal("AWS", &principal)),
        PrincipalError::Vault(error) => error.into(),
    })
}

/// Checks the trust policy of a role, but for whether those are there whom it names.
pub(crate) fn trust_document(text: &str) -> Result<Document, Refusal> {
    if size(text) > TRUST_MOST {
        return Err(Refusal::quota(format!("Cannot exceed quota for ACLSizePerRole: {TRUST_MOST}")));
    }
    let document = parse_trust_policy(text).map_err(malformed)?;
    compiles(Kind::Trust, text)?;
    Ok(document)
}

/// Checks a service control policy.
pub(crate) fn service_control(text: &str) -> Result<(), Refusal> {
    control(text)?;
    latest(text)
}

/// The resource control policy of AWS that allows everything, which is everywhere. Whoever lists it means that one.
const FULL_ACCESS: &str = "RCPFullAWSAccess";

/// Checks a resource control policy with this name.
pub(crate) fn resource_control(name: &str, text: &str) -> Result<(), Refusal> {
    control(text)?;
    if name != FULL_ACCESS {
        parse_resource_control_policy(text).map_err(malformed)?;
    }
    compiles(Kind::Resource, text)
}

fn control(text: &str) -> Result<(), Refusal> {
    if size(text) <= CONTROL_MOST {
        return Ok(());
    }
    Err(Refusal::quota(format!("Cannot exceed quota for PolicySize: {CONTROL_MOST}")))
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

/// Checks that a policy can be decided by: what its validation may have left.
fn compiles(kind: Kind, text: &str) -> Result<(), Refusal> {
    let compiled = Policy::compile(kind, text).map(drop);
    compiled.map_err(|error| match error {
        // AWS: unverified. The texts for errors of grammar are our own.
        ParsePolicyError::Grammar(why) => malformed(format!("Syntax errors in policy: {why}.")),
        ParsePolicyError::Principal => malformed("Invalid principal in policy".to_owned()),
    })
}

fn malformed(message: String) -> Refusal {
    Refusal::new(QueryErrorCode::MalformedPolicyDocument, message)
}
