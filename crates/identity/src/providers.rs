//! OIDC providers: Create, Get, List, Delete, AddClientID, RemoveClientID and UpdateThumbprint of
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html> and those beside it.

use keyreeve_core::Cx;
use keyreeve_core::commit::Draft;
use keyreeve_core::identity::record::ProviderRecord;
use keyreeve_core::identity::space;
use keyreeve_wire::iam::{
    AddClientIDToOpenIDConnectProviderInput, CreateOpenIDConnectProviderInput,
    CreateOpenIDConnectProviderOutput, DeleteOpenIDConnectProviderInput, GetOpenIDConnectProviderInput,
    GetOpenIDConnectProviderOutput, ListOpenIDConnectProvidersInput, ListOpenIDConnectProvidersOutput,
    OpenIDConnectProviderListEntry, RemoveClientIDFromOpenIDConnectProviderInput,
    UpdateOpenIDConnectProviderThumbprintInput,
};
use keyreeve_wire::query::QueryError;

use crate::amend::{amend, change, find, quota, read, room};
use crate::arn;
use crate::entity::{Entity, arn as arn_of};
use crate::gate::{Particulars, authorize, authorize_new};
use crate::refusal::Refusal;
use crate::{shown, tag_check};

/// The client ids that a provider may have.
const CLIENT_IDS_MOST: usize = 100;
/// The thumbprints that a provider may have.
const THUMBPRINTS_MOST: usize = 5;

pub(crate) async fn create_open_id_connect_provider(
    cx: &mut Cx<'_>,
    input: CreateOpenIDConnectProviderInput,
) -> Result<CreateOpenIDConnectProviderOutput, Refusal> {
    let account = cx.caller.account();
    let url = url(&input.url)?;
    let tags = tag_check::records::<ProviderRecord>(&input.tags)?;
    let particulars = Particulars { request_tags: &tags, ..Particulars::default() };
    let arn = arn_of::<ProviderRecord>(account, "/", url);
    authorize_new(cx, "iam:CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider", &arn, &particulars)
        .await?;
    check_client_ids(&input.client_id_list)?;
    check_thumbprints(&input.thumbprint_list)?;
    let provider = change(cx, async |cx, snapshot| {
        if find::<ProviderRecord>(cx, &**snapshot, url).await?.is_some() {
            return Err(Refusal::exists(format!("Provider with url {} already exists.", input.url)));
        }
        room::<ProviderRecord>(cx, &**snapshot, quota::PROVIDERS).await?;
        let mut provider = ProviderRecord {
            url: url.to_owned(),
            client_ids: input.client_id_list.clone(),
            thumbprints: input.thumbprint_list.iter().map(|print| print.to_ascii_lowercase()).collect(),
            created: cx.now,
            tags: Vec::new(),
        };
        tag_check::put(&mut provider, &tags)?;
        let mut draft = Draft::new(cx.service.vault());
        draft.put(&space::provider(account, url)?, None, &provider)?;
        Ok((draft, provider))
    })
    .await?;
    Ok(CreateOpenIDConnectProviderOutput {
        open_id_connect_provider_arn: arn,
        tags: shown::some_tags(&provider.tags),
    })
}

/// The URL of a provider without `https://`.
pub(crate) fn url(text: &str) -> Result<&str, Refusal> {
    // AWS: the text is unverified.
    let refused = || Refusal(QueryError::validation("Invalid Open ID Connect Provider URL"));
    let url = text.strip_prefix("https://").ok_or_else(refused)?;
    let host = url.split('/').next().unwrap_or_default();
    let is_plain = !host.is_empty()
        && url
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'@' | b':' | b'*'));
    if is_plain && !url.ends_with('/') { Ok(url) } else { Err(refused()) }
}

pub(crate) fn check_client_ids(ids: &[String]) -> Result<(), Refusal> {
    if ids.len() <= CLIENT_IDS_MOST {
        return Ok(());
    }
    Err(Refusal::quota(format!(
        "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS_MOST}"
    )))
}

pub(crate) fn check_thumbprints(thumbprints: &[String]) -> Result<(), Refusal> {
    if thumbprints.iter().any(|print| !print.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        // AWS: the text is unverified.
        return Err(Refusal::invalid("Thumbprint is not valid."));
    }
    if thumbprints.len() <= THUMBPRINTS_MOST {
        return Ok(());
    }
    // AWS: the text is unverified.
    Err(Refusal::invalid(format!("Thumbprint list must contain fewer than {THUMBPRINTS_MOST} entries.")))
}

pub(crate) async fn get_open_id_connect_provider(
    cx: &mut Cx<'_>,
    input: GetOpenIDConnectProviderInput,
) -> Result<GetOpenIDConnectProviderOutput, Refusal> {
    let target = arn::provider(cx, &input.open_id_connect_provider_arn)?;
    let provider = read::<ProviderRecord>(cx, "iam:GetOpenIDConnectProvider", target).await?;
    Ok(GetOpenIDConnectProviderOutput {
        tags: shown::tags(provider.tags()),
        url: provider.url,
        client_id_list: provider.client_ids,
        thumbprint_list: provider.thumbprints,
        create_date: provider.created,
    })
}

pub(crate) async fn list_open_id_connect_providers(
    cx: &mut Cx<'_>,
    _: ListOpenIDConnectProvidersInput,
) -> Result<ListOpenIDConnectProvidersOutput, Refusal> {
    let account = cx.caller.account();
    let resource = arn_of::<ProviderRecord>(account, "/", "*");
    authorize(cx, "iam:ListOpenIDConnectProviders", &resource, &Particulars::default()).await?;
    let snapshot = cx.service.vault().snapshot().await?;
    let prefix = space::providers_prefix(account);
    let vault = cx.service.vault();
    let (entries, _) = vault.range::<ProviderRecord>(&*snapshot, &prefix, None, PROVIDERS_MOST).await?;
    let entry = |provider: &ProviderRecord| OpenIDConnectProviderListEntry { arn: provider.arn(account) };
    Ok(ListOpenIDConnectProvidersOutput {
        open_id_connect_provider_list: entries.iter().map(|(_, provider)| entry(provider)).collect(),
    })
}

/// The most providers that are listed.
const PROVIDERS_MOST: core::num::NonZeroUsize = core::num::NonZeroUsize::new(1000).unwrap();

pub(crate) async fn delete_open_id_connect_provider(
    cx: &mut Cx<'_>,
    input: DeleteOpenIDConnectProviderInput,
) -> Result<(), Refusal> {
    let target = arn::provider(cx, &input.open_id_connect_provider_arn)?;
    let action = "iam:DeleteOpenIDConnectProvider";
    let particulars = Particulars::default();
    let deleted = amend::<ProviderRecord, ()>(cx, action, target, &particulars, async |provider| {
        provider.delete = true;
        Ok(())
    });
    let arn = &input.open_id_connect_provider_arn;
    let missing = || Refusal::missing(format!("OpenId connect Provider {arn} cannot be found."));
    deleted.await.map_err(|refusal| if refusal == arn::no_provider(arn) { missing() } else { refusal })
}

pub(crate) async fn add_client_id_to_open_id_connect_provider(
    cx: &mut Cx<'_>,
    input: AddClientIDToOpenIDConnectProviderInput,
) -> Result<(), Refusal> {
    let target = arn::provider(cx, &input.open_id_connect_provider_arn)?;
    let action = "iam:AddClientIDToOpenIDConnectProvider";
    amend::<ProviderRecord, ()>(cx, action, target, &Particulars::default(), async |provider| {
        let ids = &mut provider.record.client_ids;
        if !ids.contains(&input.client_id) {
            ids.push(input.client_id.clone());
        }
        check_client_ids(ids)
    })
    .await
}

pub(crate) async fn remove_client_id_from_open_id_connect_provider(
    cx: &mut Cx<'_>,
    input: RemoveClientIDFromOpenIDConnectProviderInput,
) -> Result<(), Refusal> {
    let target = arn::provider(cx, &input.open_id_connect_provider_arn)?;
    let action = "iam:RemoveClientIDFromOpenIDConnectProvider";
    // One that is not there is no error.
    amend::<ProviderRecord, ()>(cx, action, target, &Particulars::default(), async |provider| {
        provider.record.client_ids.retain(|id| *id != input.client_id);
        Ok(())
    })
    .await
}

pub(crate) async fn update_open_id_connect_provider_thumbprint(
    cx: &mut Cx<'_>,
    input: UpdateOpenIDConnectProviderThumbprintInput,
) -> Result<(), Refusal> {
    check_thumbprints(&input.thumbprint_list)?;
    let target = arn::provider(cx, &input.open_id_connect_provider_arn)?;
    let action = "iam:UpdateOpenIDConnectProviderThumbprint";
    amend::<ProviderRecord, ()>(cx, action, target, &Particulars::default(), async |provider| {
        let prints = input.thumbprint_list.iter().map(|print| print.to_ascii_lowercase());
        provider.record.thumbprints = prints.collect();
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_has_an_https_url_without_port_query_or_fragment() {
        for (text, expected) in [
            ("https://token.example.com", Some("token.example.com")),
            ("https://token.example.com/a/b", Some("token.example.com/a/b")),
            ("http://token.example.com", None),
            ("https://", None),
            ("https:///a", None),
            ("https://token.example.com/", None),
            ("https://token.example.com:8443", None),
            ("https://token.example.com?a=b", None),
            ("https://token.example.com#a", None),
            ("https://me@token.example.com", None),
        ] {
            assert_eq!(url(text).ok(), expected, "{text}");
        }
    }
}
