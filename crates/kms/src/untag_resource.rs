//! UntagResource: <https://docs.aws.amazon.com/kms/latest/APIReference/API_UntagResource.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · KMSInvalidState · TagException. A tag that is not there is no
//! error.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_policy::ContextKey;
use keyreeve_wire::{ErrorCode, UntagResourceInput};

use crate::answer::note_key;
use crate::tag_check;

pub(crate) async fn untag_resource(cx: &mut Cx<'_>, input: UntagResourceInput) -> Result<(), Refusal> {
    let keys: Vec<_> = input.tag_keys.iter().map(String::as_str).collect();
    let particulars =
        Particulars { lists: &[(ContextKey::AwsTagKeys, keys.as_slice())], ..Particulars::NONE };
    let (arn, ()) = cx
        .amend::<actions::UntagResource, _>(&input.key_id, &particulars, async |change| {
            if input.tag_keys.iter().any(|key| tag_check::is_reserved(key)) {
                return Err(Refusal::new(ErrorCode::Tag, "Tags beginning with aws: are reserved"));
            }
            change.record.tags.retain(|tag| !input.tag_keys.contains(&tag.key));
            Ok(())
        })
        .await?;
    note_key(cx, &arn.0);
    Ok(())
}
