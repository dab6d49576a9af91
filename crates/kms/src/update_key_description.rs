//! UpdateKeyDescription: <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · KMSInvalidState.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::UpdateKeyDescriptionInput;

use crate::answer::note_key;

pub(crate) async fn update_key_description(
    cx: &mut Cx<'_>,
    input: UpdateKeyDescriptionInput,
) -> Result<(), Refusal> {
    let (arn, ()) = cx
        .amend::<actions::UpdateKeyDescription, _>(&input.key_id, &Particulars::NONE, async |change| {
            change.record.description.clone_from(&input.description);
            Ok(())
        })
        .await?;
    note_key(cx, &arn.0);
    Ok(())
}
