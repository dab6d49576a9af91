//! DisableKey: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · KMSInvalidState.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::Lifecycle;
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::DisableKeyInput;

use crate::answer::note_key;

pub(crate) async fn disable_key(cx: &mut Cx<'_>, input: DisableKeyInput) -> Result<(), Refusal> {
    let (arn, ()) = cx
        .amend::<actions::DisableKey, _>(&input.key_id, &Particulars::NONE, async |change| {
            change.record.lifecycle = Lifecycle::Disabled;
            Ok(())
        })
        .await?;
    note_key(cx, &arn.0);
    Ok(())
}
