//! DisableKeyRotation: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKeyRotation.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · Disabled, KMSInvalidState. A key that never rotates is no error, whatever
//! the API page lists: the service answers so.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::DisableKeyRotationInput;

use crate::answer::note_key;
use crate::imported;
use crate::multi_region;

pub(crate) async fn disable_key_rotation(
    cx: &mut Cx<'_>,
    input: DisableKeyRotationInput,
) -> Result<(), Refusal> {
    let (arn, ()) = cx
        .amend::<actions::DisableKeyRotation, _>(&input.key_id, &Particulars::NONE, async |change| {
            imported::check_not_external(&change.ready)?;
            multi_region::check_rotates_itself(&change.ready, "DisableKeyRotation")?;
            change.record.rotation = None;
            Ok(())
        })
        .await?;
    note_key(cx, &arn.0);
    Ok(())
}
