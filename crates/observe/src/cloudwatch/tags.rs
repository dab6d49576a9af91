//! Tags of alarms: ListTagsForResource, TagResource and UntagResource of
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html> and those beside it.

use keyreeve_core::Cx;
use keyreeve_core::record::TagRecord;
use keyreeve_wire::cloudwatch::{
    ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, TagResourceOutput,
    UntagResourceInput, UntagResourceOutput,
};
use keyreeve_wire::query::QueryErrorCode;

use super::alarm_output;
use super::alarms::{change, find, put};
use super::gate::{Particulars, authorize};
use super::refusal::Refusal;

/// Tags of an alarm.
const MOST: usize = 50;

/// The tags of a new alarm.
pub(crate) fn of_new(tags: &[Tag]) -> Result<Vec<TagRecord>, Refusal> {
    let records = records(tags)?;
    if records.len() > MOST { Err(too_many()) } else { Ok(records) }
}

/// The tags of a request.
fn records(tags: &[Tag]) -> Result<Vec<TagRecord>, Refusal> {
    let mut records: Vec<TagRecord> = Vec::with_capacity(tags.len());
    for Tag { key, value } in tags {
        if key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
            let message = "The provided tag keys must not start with any case of \"aws:\"";
            return Err(Refusal::new(QueryErrorCode::AccessDenied, message));
        }
        let tag = TagRecord { key: key.clone(), value: value.clone() };
        // The last of a key holds.
        match records.iter_mut().find(|record| record.key == *key) {
            Some(record) => *record = tag,
            None => records.push(tag),
        }
    }
    Ok(records)
}

fn too_many() -> Refusal {
    Refusal::validation(format!("The resultant tag set must not have more than {MOST} user tags."))
}

/// The name of the alarm that an ARN names. Alarms of other accounts and Regions are not there.
fn name<'a>(cx: &Cx<'_>, arn: &'a str) -> Result<&'a str, Refusal> {
    let mut parts = arn.splitn(7, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (scheme, _, service, region, account, kind, name) =
        (next(), next(), next(), next(), next(), next(), next());
    if (scheme, service, kind) != ("arn", "cloudwatch", "alarm") || name.is_empty() {
        // AWS: unverified
        let message = format!("The ARN {arn} is not one of an alarm.");
        return Err(Refusal::new(QueryErrorCode::InvalidParameterValueException, message));
    }
    if region != cx.region.as_str() || account != cx.caller.account().to_string() {
        return Err(missing());
    }
    Ok(name)
}

fn missing() -> Refusal {
    // AWS says nothing but the code.
    Refusal::new(QueryErrorCode::ResourceNotFoundException, "")
}

/// Errors, in this order: InvalidParameterValue, AccessDenied, ResourceNotFoundException.
pub(super) async fn list_tags_for_resource(
    cx: &mut Cx<'_>,
    input: ListTagsForResourceInput,
) -> Result<ListTagsForResourceOutput, Refusal> {
    let arn = &input.resource_arn;
    let name = name(cx, arn)?;
    let snapshot = cx.service.vault().snapshot().await?;
    let found = find(cx, &*snapshot, name).await?;
    let resource_tags = found.as_ref().map(|found| found.record.tags.as_slice()).unwrap_or_default();
    let particulars = Particulars { resource_tags, ..Particulars::default() };
    authorize(cx, "cloudwatch:ListTagsForResource", arn, &particulars).await?;
    let found = found.ok_or_else(missing)?;
    Ok(ListTagsForResourceOutput { tags: alarm_output::tags(&found.record.tags) })
}

/// Errors, in this order: InvalidParameterValue, AccessDenied, ResourceNotFoundException, ValidationError.
pub(super) async fn tag_resource(
    cx: &mut Cx<'_>,
    input: TagResourceInput,
) -> Result<TagResourceOutput, Refusal> {
    let arn = &input.resource_arn;
    let (name, tags) = (name(cx, arn)?, records(&input.tags)?);
    if tags.len() > MOST {
        return Err(Refusal::new(QueryErrorCode::InvalidParameterValueException, "tags are invalid."));
    }
    change(cx, async |cx, snapshot| {
        let found = find(cx, &**snapshot, name).await?;
        let resource_tags = found.as_ref().map(|found| found.record.tags.as_slice()).unwrap_or_default();
        let particulars = Particulars { request_tags: &tags, resource_tags, ..Particulars::default() };
        authorize(cx, "cloudwatch:TagResource", arn, &particulars).await?;
        let found = found.ok_or_else(missing)?;
        let mut record = found.record.clone();
        for tag in &tags {
            match record.tags.iter_mut().find(|held| held.key == tag.key) {
                Some(held) => held.clone_from(tag),
                None => record.tags.push(tag.clone()),
            }
        }
        if record.tags.len() > MOST {
            return Err(too_many());
        }
        put(cx, &found, record)
    })
    .await?;
    Ok(TagResourceOutput {})
}

/// Errors, in this order: InvalidParameterValue, AccessDenied, ResourceNotFoundException.
pub(super) async fn untag_resource(
    cx: &mut Cx<'_>,
    input: UntagResourceInput,
) -> Result<UntagResourceOutput, Refusal> {
    let arn = &input.resource_arn;
    let name = name(cx, arn)?;
    change(cx, async |cx, snapshot| {
        let found = find(cx, &**snapshot, name).await?;
        let resource_tags = found.as_ref().map(|found| found.record.tags.as_slice()).unwrap_or_default();
        let particulars = Particulars { tag_keys: &input.tag_keys, resource_tags, ..Particulars::default() };
        authorize(cx, "cloudwatch:UntagResource", arn, &particulars).await?;
        let found = found.ok_or_else(missing)?;
        let mut record = found.record.clone();
        record.tags.retain(|tag| !input.tag_keys.contains(&tag.key));
        put(cx, &found, record)
    })
    .await?;
    Ok(UntagResourceOutput {})
}
