//! What the operations on grants share.

use keyreeve_core::grants::party::PartyError;
use keyreeve_core::grants::{GrantParty, GrantRecord};
use keyreeve_core::vault::{VaultError, Versioned};
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_domain::KeyArn;
use keyreeve_domain::spec::GrantOperation;
use keyreeve_store::Snapshot;
use keyreeve_wire::{EncryptionContext, ErrorCode, GrantConstraints, GrantListEntry};

/// The grant `id` on the key `arn`, as the store has it.
pub(crate) async fn read(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    arn: &KeyArn,
    id: &str,
) -> Result<Option<Versioned<GrantRecord>>, VaultError> {
    // What is no id of a grant could be the end of another path.
    if id.len() != ID_LEN || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let path = space::grant(arn.region, arn.key, id)?;
    cx.service.vault().read::<GrantRecord>(snapshot, &path).await
}

const ID_LEN: usize = 64;

/// Whether a service handles a grant for somebody's resource, as policies ask for it.
pub(crate) fn is_for_resource(cx: &Cx<'_>) -> &'static str {
    if cx.caller.is_forwarded() { "true" } else { "false" }
}

/// The refusal of a grant that is not there.
pub(crate) fn not_found(id: &str) -> Refusal {
    // AWS: unverified. The text is another emulator's.
    Refusal::new(ErrorCode::NotFound, format!("Grant ID {id} not found"))
}

/// A grant as it is listed.
pub(crate) async fn entry(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    arn: &KeyArn,
    grant: GrantRecord,
) -> Result<GrantListEntry, VaultError> {
    let (grantee_principal, grantee_service_principal) = parties(cx, snapshot, Some(grant.grantee)).await?;
    let (retiring_principal, retiring_service_principal) = parties(cx, snapshot, grant.retiring).await?;
    let context = |pairs: Option<_>| pairs.map(EncryptionContext::from);
    let constraints = GrantConstraints {
        encryption_context_equals: context(grant.context_equals),
        encryption_context_subset: context(grant.context_subset),
        source_arn: grant.source_arn,
    };
    let is_constrained = constraints.encryption_context_equals.is_some()
        || constraints.encryption_context_subset.is_some()
        || constraints.source_arn.is_some();
    Ok(GrantListEntry {
        constraints: is_constrained.then_some(constraints),
        creation_date: grant.created,
        grant_id: grant.id,
        grantee_principal,
        grantee_service_principal,
        issuing_account: format!("arn:{}:iam::{}:root", arn.region.partition(), grant.issuing_account),
        key_id: arn.to_string(),
        // A grant without a name is listed with an empty one.
        name: Some(grant.name.unwrap_or_default()),
        operations: grant.operations.iter().filter_map(|name| name.parse::<GrantOperation>().ok()).collect(),
        retiring_principal,
        retiring_service_principal,
    })
}

/// A principal or a service, as they are listed.
async fn parties(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    party: Option<GrantParty>,
) -> Result<(Option<String>, Option<String>), VaultError> {
    Ok(match party {
        None => (None, None),
        Some(GrantParty::Aws { arn, id: None }) => (Some(arn), None),
        Some(GrantParty::Aws { arn, id: Some(id) }) => {
            (Some(cx.service.shown_principal(snapshot, &arn, &id).await?), None)
        }
        Some(GrantParty::Service { name }) => (None, Some(name)),
    })
}

/// The principal that a request names, if it names one: whoever that is, or why it is nobody.
pub(crate) async fn party(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    named: Option<&str>,
) -> Result<Option<Result<GrantParty, PartyError>>, VaultError> {
    let Some(named) = named else { return Ok(None) };
    match cx.service.grant_party(snapshot, cx.region, named).await {
        Err(PartyError::Vault(error)) => Err(error),
        found => Ok(Some(found)),
    }
}

/// The refusal of an ARN that names nobody.
pub(crate) fn no_party(error: &PartyError, arn: &str) -> Refusal {
    let message = match error {
        PartyError::Malformed => format!("ARN is not valid: {arn}"),
        PartyError::Unknown | PartyError::Gone => format!("ARN does not refer to a valid principal: {arn}"),
        PartyError::Vault(error) => return error.clone().into(),
    };
    Refusal::new(ErrorCode::InvalidArn, message)
}
