//! DisableKey: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · KMSInvalidState.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::Lifecycle;
use keyreeve_core::{Cx, Refusal};
use keyreeve_policy::ContextKey;
use keyreeve_wire::DisableKeyInput;

use crate::answer::note_key;
use crate::days_unused::days_unused;

pub(crate) async fn disable_key(cx: &mut Cx<'_>, input: DisableKeyInput) -> Result<(), Refusal> {
    let found = cx.find_without_alias::<actions::DisableKey>(&input.key_id).await?;
    let unused = days_unused(cx, &found).await?;
    let asked = [(ContextKey::KmsTrailingDaysWithoutKeyUsage, unused.as_str())];
    let (arn, ()) = cx
        .amend::<actions::DisableKey, _>(&input.key_id, &Particulars::of(&asked), async |change| {
            change.record.lifecycle = Lifecycle::Disabled;
            Ok(())
        })
        .await?;
    note_key(cx, &arn.0);
    Ok(())
}
