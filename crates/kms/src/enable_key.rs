//! EnableKey: <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · KMSInvalidState.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::Lifecycle;
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::EnableKeyInput;

use crate::answer::note_key;

pub(crate) async fn enable_key(cx: &mut Cx<'_>, input: EnableKeyInput) -> Result<(), Refusal> {
    let (arn, ()) = cx
        .amend::<actions::EnableKey, _>(&input.key_id, &Particulars::NONE, async |change| {
            change.record.lifecycle = Lifecycle::Enabled;
            Ok(())
        })
        .await?;
    note_key(cx, &arn.0);
    Ok(())
}
