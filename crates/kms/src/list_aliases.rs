//! ListAliases: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html>.
//!
//! Errors, in order: AccessDenied · InvalidArn (KeyId is an alias) · NotFound · InvalidMarker. Aliases come in the order of
//! their names; the predefined ones of AWS services that have no key yet come without a target.

use std::collections::BTreeMap;

use keyreeve_core::gate::actions::{self, AccountAction};
use keyreeve_core::gate::{self, Particulars};
use keyreeve_core::marker::MarkerError;
use keyreeve_core::record::{AliasRecord, IndexRecord};
use keyreeve_core::view::{Found, LookupError};
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_domain::{AliasArn, AliasName, KeyArn};
use keyreeve_store::Path;
use keyreeve_wire::{AliasListEntry, ListAliasesInput, ListAliasesOutput};

use crate::create_key::space_path;
use crate::managed_key;
use crate::page_limit::PageLimit;

pub(crate) async fn list_aliases(
    cx: &mut Cx<'_>,
    input: ListAliasesInput,
) -> Result<ListAliasesOutput, Refusal> {
    let account = gate::open_account::<actions::ListAliases>(cx, &Particulars::NONE).await?.account();
    let region = cx.region;
    let of = match &input.key_id {
        None => None,
        Some(key_id) => {
            let found = cx.service.find_without_alias(account, region, key_id).await;
            Some(own_key(cx, found)?)
        }
    };
    let scope =
        format!("ListAliases/{account}/{region}/{}", of.map(|arn| arn.to_string()).unwrap_or_default());
    let after = match &input.marker {
        None => None,
        Some(marker) => {
            let name = String::from_utf8(cx.service.read_marker(&scope, marker)?).or(Err(MarkerError))?;
            Some(name.parse::<AliasName>().or(Err(MarkerError))?)
        }
    };
    let limit = PageLimit::ALIASES.of(input.limit);
    let vault = cx.service.vault();
    let snapshot = vault.snapshot().await?;
    let mut more = false;
    let mut page: BTreeMap<AliasName, Option<AliasRecord>> = BTreeMap::new();
    match of {
        Some(arn) => {
            let prefix = space::named_prefix(arn.region, arn.key);
            let after = position(&prefix, after.as_ref())?;
            let (names, left) =
                vault.range::<IndexRecord>(&*snapshot, &prefix, after.as_ref(), limit).await?;
            more |= left;
            for (path, _) in &names {
                let Some(name) = space::last_part(&prefix, path).and_then(|name| name.parse().ok()) else {
                    continue;
                };
                let path = space_path(space::alias(account, region, &name))?;
                let record = vault.read::<AliasRecord>(&*snapshot, &path).await?.map(|read| read.record);
                page.insert(name, record);
            }
        }
        None => {
            let prefix = space::alias_prefix(account, region);
            let from = position(&prefix, after.as_ref())?;
            let (entries, left) =
                vault.range::<AliasRecord>(&*snapshot, &prefix, from.as_ref(), limit).await?;
            more |= left;
            for (path, record) in entries {
                let Some(name) = space::last_part(&prefix, &path).and_then(|name| name.parse().ok()) else {
                    continue;
                };
                page.insert(name, Some(record));
            }
            // Where the store has more, a predefined name beyond its page belongs to a later one.
            let end = page.keys().next_back().cloned().filter(|_| more);
            let predefined = managed_key::SERVICES
                .iter()
                .filter_map(|service| format!("alias/aws/{service}").parse().ok());
            let predefined =
                predefined.filter(|name: &AliasName| after.as_ref().is_none_or(|after| name > after));
            for name in predefined.filter(|name| end.as_ref().is_none_or(|end| name < end)) {
                page.entry(name).or_insert(None);
            }
        }
    }
    let truncated = more || page.len() > limit.get();
    let aliases: Vec<_> = page.into_iter().take(limit.get()).collect();
    let last = aliases.last().filter(|_| truncated);
    let next_marker =
        last.map(|(name, _)| cx.service.marker(&scope, name.as_str().as_bytes())).transpose()?;
    let aliases = aliases.into_iter().map(|(alias, record)| AliasListEntry {
        alias_name: alias.to_string(),
        alias_arn: AliasArn { region, account, alias }.to_string(),
        creation_date: record.map(|record| record.created),
        last_updated_date: record.map(|record| record.updated),
        target_key_id: record.map(|record| record.target.to_string()),
    });
    Ok(ListAliasesOutput { aliases: aliases.collect(), next_marker, truncated })
}

/// The key found, if it is the caller's own; of another account's it is not even said whether it exists.
fn own_key(cx: &Cx<'_>, found: Result<Found, LookupError>) -> Result<KeyArn, Refusal> {
    let arn = match &found {
        Ok(found) => Some(found.key.arn_text()),
        Err(LookupError::NoKey(arn)) => Some(arn.as_str()),
        Err(_) => None,
    };
    if arn.is_some_and(|arn| cx.is_foreign(arn)) {
        let action = <actions::ListAliases as AccountAction>::NAME;
        return Err(gate::unseen_action(cx.caller, action, &Particulars::NONE).into());
    }
    Ok(*found?.key.arn())
}

fn position(prefix: &[u8], after: Option<&AliasName>) -> Result<Option<Path>, Refusal> {
    let path = |name: &AliasName| {
        Path::new([prefix, name.as_str().as_bytes()].concat()).or(Err(Refusal::internal()))
    };
    after.map(path).transpose()
}
