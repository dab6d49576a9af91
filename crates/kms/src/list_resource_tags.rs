//! ListResourceTags: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · InvalidMarker.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::marker::MarkerError;
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::{ListResourceTagsInput, ListResourceTagsOutput, Tag};

use crate::page_limit::PageLimit;

pub(crate) async fn list_resource_tags(
    cx: &mut Cx<'_>,
    input: ListResourceTagsInput,
) -> Result<ListResourceTagsOutput, Refusal> {
    let found = cx.find_without_alias::<actions::ListResourceTags>(&input.key_id).await?;
    let ready = cx.open::<actions::ListResourceTags>(&found, &Particulars::NONE).await?;
    let scope = format!("ListResourceTags/{}", ready.arn_text());
    let tags = &ready.record().tags;
    // The position is the key of the last tag, so that a tag that comes or goes between two pages moves nothing.
    let start = match &input.marker {
        None => 0,
        Some(marker) => {
            let last = String::from_utf8(cx.service.read_marker(&scope, marker)?).or(Err(MarkerError))?;
            tags.iter().position(|tag| tag.key == last).map_or(tags.len(), |at| at + 1)
        }
    };
    let limit = PageLimit::TAGS.of(input.limit).get();
    let rest = tags.get(start..).unwrap_or_default();
    let page = rest.get(..limit).unwrap_or(rest);
    let truncated = rest.len() > page.len();
    let last = page.last().filter(|_| truncated);
    let next_marker = last.map(|tag| cx.service.marker(&scope, tag.key.as_bytes())).transpose()?;
    let tags =
        page.iter().map(|tag| Tag { tag_key: tag.key.clone(), tag_value: tag.value.clone() }).collect();
    Ok(ListResourceTagsOutput { next_marker, tags, truncated })
}
