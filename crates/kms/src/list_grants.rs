//! ListGrants: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html>.
//!
//! Errors, in order: InvalidArn (an alias) · NotFound · AccessDenied · InvalidArn (the grantee) · InvalidMarker.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::grants::party::PartyError;
use keyreeve_core::grants::{GrantParty, GrantRecord, GranteeKey};
use keyreeve_core::marker::List;
use keyreeve_core::record::IndexRecord;
use keyreeve_core::vault::VaultError;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_domain::KeyArn;
use keyreeve_policy::ContextKey;
use keyreeve_store::Snapshot;
use keyreeve_wire::{ErrorCode, GrantListEntry, ListGrantsInput, ListGrantsOutput};

use crate::grants;
use crate::page_limit::PageLimit;

pub(crate) async fn list_grants(
    cx: &mut Cx<'_>,
    input: ListGrantsInput,
) -> Result<ListGrantsOutput, Refusal> {
    if input.grantee_principal.is_some() && input.grantee_service_principal.is_some() {
        // AWS: unverified.
        let message = "You cannot specify GranteePrincipal and GranteeServicePrincipal in the same request.";
        return Err(Refusal::new(ErrorCode::Validation, message));
    }
    let found = cx.find_without_alias::<actions::ListGrants>(&input.key_id).await?;
    let asked = [(ContextKey::KmsGrantIsForAwsResource, grants::is_for_resource(cx))];
    let ready = cx.open::<actions::ListGrants>(&found, &Particulars::of(&asked)).await?;
    let arn = *ready.arn();
    let snapshot = cx.service.vault().snapshot().await?;
    let grantee = match grants::party(cx, &*snapshot, input.grantee_principal.as_deref()).await? {
        Some(Ok(grantee)) => Some(grantee),
        Some(Err(PartyError::Gone)) => {
            return Err(Refusal::new(ErrorCode::InvalidArn, "Input does not refer to a valid principal"));
        }
        Some(Err(error)) => {
            return Err(grants::no_party(&error, input.grantee_principal.as_deref().unwrap_or_default()));
        }
        None => input.grantee_service_principal.map(|name| GrantParty::Service { name }),
    };
    if let Some(id) = &input.grant_id {
        let read = grants::read(cx, &*snapshot, &arn, id).await?.map(|read| read.record);
        let read = read.filter(|grant| grantee.as_ref().is_none_or(|grantee| grant.grantee.is(grantee)));
        let grants = entries(cx, &*snapshot, &arn, read).await?;
        return Ok(ListGrantsOutput { grants, next_marker: None, truncated: false });
    }
    let limit = PageLimit::GRANTS.of(input.limit);
    let marker = input.marker.as_deref();
    let scope = format!("ListGrants/{arn}/{}", grantee.as_ref().map_or("", GrantParty::as_str));
    let (records, next) = match grantee {
        None => {
            let prefix = space::grants_prefix(arn.region, arn.key);
            let list = List { scope: &scope, prefix: &prefix, limit, marker };
            let page = cx.service.page::<GrantRecord>(list).await?;
            (page.entries.into_iter().map(|(_, grant)| grant).collect::<Vec<_>>(), page.next)
        }
        Some(grantee) => {
            let of = GranteeKey { region: arn.region, key: arn.key, grantee: grantee.known_by() };
            let prefix = space::grantee_prefix(&of);
            let list = List { scope: &scope, prefix: &prefix, limit, marker };
            let page = cx.service.page::<IndexRecord>(list).await?;
            let snapshot = cx.service.vault().snapshot().await?;
            let mut records = Vec::with_capacity(page.entries.len());
            for (path, _) in &page.entries {
                let id = space::last_part(&prefix, path).unwrap_or_default();
                // One that was retired since the page was read is no longer listed.
                records.extend(grants::read(cx, &*snapshot, &arn, id).await?.map(|read| read.record));
            }
            records.retain(|record| record.grantee.is(&grantee));
            (records, page.next)
        }
    };
    let grants = entries(cx, &*snapshot, &arn, records).await?;
    Ok(ListGrantsOutput { grants, truncated: next.is_some(), next_marker: next })
}

async fn entries(
    cx: &Cx<'_>,
    snapshot: &dyn Snapshot,
    arn: &KeyArn,
    records: impl IntoIterator<Item = GrantRecord>,
) -> Result<Vec<GrantListEntry>, VaultError> {
    let mut entries = Vec::new();
    for record in records {
        entries.push(grants::entry(cx, snapshot, arn, record).await?);
    }
    Ok(entries)
}
