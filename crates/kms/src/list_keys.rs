//! ListKeys: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeys.html>.
//!
//! Errors, in order: AccessDenied · InvalidMarker.

use keyreeve_core::gate::{self, Particulars, actions};
use keyreeve_core::marker::List;
use keyreeve_core::record::IndexRecord;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_domain::spec::ResourceOwner;
use keyreeve_domain::{KeyArn, KeyId};
use keyreeve_wire::{KeyListEntry, ListKeysInput, ListKeysOutput};

use crate::page_limit::PageLimit;

pub(crate) async fn list_keys(cx: &mut Cx<'_>, input: ListKeysInput) -> Result<ListKeysOutput, Refusal> {
    let account = gate::open_account::<actions::ListKeys>(cx, &Particulars::NONE).await?.account();
    let region = cx.region;
    let own = input.resource_owners.is_empty() || input.resource_owners.contains(&ResourceOwner::Own);
    let shared = input.resource_owners.contains(&ResourceOwner::OtherAccountsViaRam);
    let scope = format!("ListKeys/{account}/{region}/{own}/{shared}");
    if !own {
        // Nothing is shared between accounts, so there is no page and no marker of one.
        if let Some(marker) = &input.marker {
            cx.service.read_marker(&scope, marker)?;
        }
        return Ok(ListKeysOutput { keys: Vec::new(), next_marker: None, truncated: false });
    }
    let prefix = space::owned_prefix(account, region);
    let list = List {
        scope: &scope,
        prefix: &prefix,
        limit: PageLimit::KEYS.of(input.limit),
        marker: input.marker.as_deref(),
    };
    let page = cx.service.page::<IndexRecord>(list).await?;
    let ids =
        page.entries.iter().filter_map(|(path, _)| space::last_part(&prefix, path)?.parse::<KeyId>().ok());
    let keys = ids.map(|key| KeyListEntry {
        key_arn: KeyArn { region, account, key }.to_string(),
        key_id: key.to_string(),
    });
    Ok(ListKeysOutput { keys: keys.collect(), truncated: page.next.is_some(), next_marker: page.next })
}
