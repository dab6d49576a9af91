//! TagResource: <https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · KMSInvalidState · TagException.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::TagRecord;
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::TagResourceInput;

use crate::answer::note_key;
use crate::tag_check;

pub(crate) async fn tag_resource(cx: &mut Cx<'_>, input: TagResourceInput) -> Result<(), Refusal> {
    let tags: Vec<_> = input.tags.iter().map(|tag| (tag.tag_key.as_str(), tag.tag_value.as_str())).collect();
    let particulars = Particulars { tags: &tags, ..Particulars::NONE };
    let (arn, ()) = cx
        .amend::<actions::TagResource, _>(&input.key_id, &particulars, async |change| {
            tag_check::check(&input.tags)?;
            for tag in &input.tags {
                let held = change.record.tags.iter_mut().find(|held| held.key == tag.tag_key);
                match held {
                    Some(held) => held.value.clone_from(&tag.tag_value),
                    None => change
                        .record
                        .tags
                        .push(TagRecord { key: tag.tag_key.clone(), value: tag.tag_value.clone() }),
                }
            }
            tag_check::check_count(change.record.tags.len(), change.service().quotas().tags_per_key)
        })
        .await?;
    note_key(cx, &arn.0);
    Ok(())
}
