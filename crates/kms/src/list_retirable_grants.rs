//! ListRetirableGrants: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListRetirableGrants.html>.
//!
//! Errors, in order: ValidationException (principal) · AccessDenied · InvalidArn, NotFound (principal) · InvalidMarker. The grants may be on keys of
//! other accounts; the principal is one of the caller's own.

use keyreeve_core::gate::{self, Particulars, actions};
use keyreeve_core::grants::party::PartyError;
use keyreeve_core::grants::{GrantParty, GrantRecord};
use keyreeve_core::marker::List;
use keyreeve_core::record::IndexRecord;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_domain::KeyId;
use keyreeve_wire::{ErrorCode, ListRetirableGrantsInput, ListRetirableGrantsOutput};

use crate::grants;
use crate::page_limit::PageLimit;

pub(crate) async fn list_retirable_grants(
    cx: &mut Cx<'_>,
    input: ListRetirableGrantsInput,
) -> Result<ListRetirableGrantsOutput, Refusal> {
    // AWS: unverified. The texts of these are not known.
    let invalid = |code, text: String| Err(Refusal::new(code, text));
    let named = match (&input.retiring_principal, &input.retiring_service_principal) {
        (Some(principal), None) => principal.as_str(),
        (None, Some(service)) => service,
        (None, None) => {
            return invalid(ErrorCode::Validation, "RetiringPrincipal must not be null".to_owned());
        }
        (Some(_), Some(_)) => {
            let text =
                "You cannot specify RetiringPrincipal and RetiringServicePrincipal in the same request.";
            return invalid(ErrorCode::Validation, text.to_owned());
        }
    };
    let account = gate::open_account::<actions::ListRetirableGrants>(cx, &Particulars::NONE).await?.account();
    let region = cx.region;
    let snapshot = cx.service.vault().snapshot().await?;
    let retiring = match grants::party(cx, &*snapshot, input.retiring_principal.as_deref()).await? {
        Some(Ok(party)) => party,
        Some(Err(PartyError::Gone)) => {
            let text = format!("Retiring principal {named} could not be found");
            return invalid(ErrorCode::NotFound, text);
        }
        Some(Err(error)) => return Err(grants::no_party(&error, named)),
        None => GrantParty::Service { name: named.to_owned() },
    };
    let is_own = retiring.as_str().split(':').nth(4).is_none_or(|of| of == account.to_string());
    if input.retiring_principal.is_some() && !is_own {
        return Err(grants::no_party(&PartyError::Unknown, named));
    }
    let prefix = space::retirable_prefix(region, retiring.known_by());
    let list = List {
        scope: &format!("ListRetirableGrants/{account}/{region}/{}", retiring.as_str()),
        prefix: &prefix,
        limit: PageLimit::GRANTS.of(input.limit),
        marker: input.marker.as_deref(),
    };
    let page = cx.service.page::<IndexRecord>(list).await?;
    let snapshot = cx.service.vault().snapshot().await?;
    let mut entries = Vec::with_capacity(page.entries.len());
    for (path, _) in &page.entries {
        let named = space::last_part(&prefix, path).and_then(|rest| rest.split_once('/'));
        let Some((key, id)) = named.and_then(|(key, id)| Some((key.parse::<KeyId>().ok()?, id))) else {
            continue;
        };
        let Some(key) = cx.service.key_at(&*snapshot, region, key).await? else { continue };
        let read = grants::read(cx, &*snapshot, key.arn(), id).await?;
        // A service retires grants of its own account's keys alone.
        let is_seen = input.retiring_service_principal.is_none() || key.arn().account == account;
        let is_his = |grant: &GrantRecord| grant.retiring.as_ref().is_some_and(|of| of.is(&retiring));
        if let Some(read) = read.filter(|read| is_seen && is_his(&read.record)) {
            entries.push(grants::entry(cx, &*snapshot, key.arn(), read.record).await?);
        }
    }
    Ok(ListRetirableGrantsOutput { grants: entries, truncated: page.next.is_some(), next_marker: page.next })
}
