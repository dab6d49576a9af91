//! ListGrants: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html>.
//!
//! Errors, in order: InvalidArn (an alias) · NotFound · AccessDenied · InvalidMarker.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::grants::{GrantRecord, GranteeKey};
use keyreeve_core::marker::List;
use keyreeve_core::record::IndexRecord;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_policy::ContextKey;
use keyreeve_wire::{ErrorCode, ListGrantsInput, ListGrantsOutput};

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
    let principal = input.grantee_principal.as_deref().map(grants::canonical);
    let grantee = principal.or(input.grantee_service_principal);
    if let Some(id) = &input.grant_id {
        let snapshot = cx.service.vault().snapshot().await?;
        let read = grants::read(cx, &*snapshot, &arn, id).await?.map(|read| read.record);
        let read =
            read.filter(|grant| grantee.as_deref().is_none_or(|grantee| grant.grantee.as_str() == grantee));
        let grants = read.into_iter().map(|grant| grants::entry(&arn, grant)).collect();
        return Ok(ListGrantsOutput { grants, next_marker: None, truncated: false });
    }
    let limit = PageLimit::GRANTS.of(input.limit);
    let marker = input.marker.as_deref();
    let scope = format!("ListGrants/{arn}/{}", grantee.as_deref().unwrap_or_default());
    let (records, next) = match grantee {
        None => {
            let prefix = space::grants_prefix(arn.region, arn.key);
            let list = List { scope: &scope, prefix: &prefix, limit, marker };
            let page = cx.service.page::<GrantRecord>(list).await?;
            (page.entries.into_iter().map(|(_, grant)| grant).collect::<Vec<_>>(), page.next)
        }
        Some(grantee) => {
            let snapshot = cx.service.vault().snapshot().await?;
            let known_by = grants::known_by(cx, &*snapshot, &grantee).await?;
            let of = GranteeKey { region: arn.region, key: arn.key, grantee: known_by };
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
            (records, page.next)
        }
    };
    let grants = records.into_iter().map(|grant| grants::entry(&arn, grant)).collect();
    Ok(ListGrantsOutput { grants, truncated: next.is_some(), next_marker: next })
}
