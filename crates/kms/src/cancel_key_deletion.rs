//! CancelKeyDeletion: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · KMSInvalidState. The key comes back disabled.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::Lifecycle;
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::{CancelKeyDeletionInput, CancelKeyDeletionOutput};

use crate::answer::note_key;

pub(crate) async fn cancel_key_deletion(
    cx: &mut Cx<'_>,
    input: CancelKeyDeletionInput,
) -> Result<CancelKeyDeletionOutput, Refusal> {
    let (arn, ()) = cx
        .amend::<actions::CancelKeyDeletion, _>(&input.key_id, &Particulars::NONE, async |change| {
            change.record.lifecycle = Lifecycle::Disabled;
            Ok(())
        })
        .await?;
    note_key(cx, &arn.0);
    Ok(CancelKeyDeletionOutput { key_id: arn.0 })
}
