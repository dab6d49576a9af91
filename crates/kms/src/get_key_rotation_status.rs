//! GetKeyRotationStatus: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied. A key that is pending deletion reads as not rotated.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::Lifecycle;
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::{GetKeyRotationStatusInput, GetKeyRotationStatusOutput};

pub(crate) async fn get_key_rotation_status(
    cx: &mut Cx<'_>,
    input: GetKeyRotationStatusInput,
) -> Result<GetKeyRotationStatusOutput, Refusal> {
    let found = cx.find_without_alias::<actions::GetKeyRotationStatus>(&input.key_id).await?;
    let ready = cx.open::<actions::GetKeyRotationStatus>(&found, &Particulars::NONE).await?;
    let rotation = match ready.record().lifecycle {
        Lifecycle::PendingDeletion { .. } => None,
        // Recorded: a primary key that waits for its replica keys says what it said before.
        Lifecycle::Disabled | Lifecycle::Enabled | Lifecycle::PendingReplicaDeletion { .. } => {
            ready.record().rotation
        }
    };
    Ok(GetKeyRotationStatusOutput {
        key_id: ready.arn_text().to_owned(),
        key_rotation_enabled: rotation.is_some(),
        next_rotation_date: rotation.map(|rotation| rotation.next),
        on_demand_rotation_start_date: None,
        rotation_period_in_days: rotation.map(|rotation| rotation.period_days),
    })
}
