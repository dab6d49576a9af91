//! EnableKey: <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · KMSInvalidState.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::Lifecycle;
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::EnableKeyInput;

use crate::answer::note_key;

pub(crate) async fn enable_key(cx: &mut Cx<'_>, input: EnableKeyInput) -> Result<(), Refusal> {
    let now = cx.now;
    let (arn, ()) = cx
        .amend::<actions::EnableKey, _>(&input.key_id, &Particulars::NONE, async |change| {
            let record = &mut change.record;
            // A rotation that fell due while the key was disabled is due now, and the next one a period from now.
            // Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html>.
            let is_replica = record.multi_region.as_deref().is_some_and(|about| !about.is_primary());
            if let Some(rotation) = &mut record.rotation
                && record.lifecycle != Lifecycle::Enabled
                && !is_replica
            {
                rotation.next = rotation.next.max(now);
            }
            record.lifecycle = Lifecycle::Enabled;
            Ok(())
        })
        .await?;
    note_key(cx, &arn.0);
    Ok(())
}
