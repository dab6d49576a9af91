//! ScheduleKeyDeletion: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · KMSInvalidState.

use keyreeve_audit::json::Object;
use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::Lifecycle;
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::KeyState;
use keyreeve_policy::ContextKey;
use keyreeve_wire::{ScheduleKeyDeletionInput, ScheduleKeyDeletionOutput};

use crate::days_unused::{days_unused, last_use};
use crate::metadata;

const DEFAULT_DAYS: u32 = 30;

pub(crate) async fn schedule_key_deletion(
    cx: &mut Cx<'_>,
    input: ScheduleKeyDeletionInput,
) -> Result<ScheduleKeyDeletionOutput, Refusal> {
    let days = input.pending_window_in_days.unwrap_or(DEFAULT_DAYS);
    let now = cx.now;
    let at = now.plus_days(days);
    let window = days.to_string();
    let found = cx.find_without_alias::<actions::ScheduleKeyDeletion>(&input.key_id).await?;
    let unused = days_unused(cx, &found).await?;
    let asked = [
        (ContextKey::KmsScheduleKeyDeletionPendingWindowInDays, window.as_str()),
        (ContextKey::KmsTrailingDaysWithoutKeyUsage, unused.as_str()),
    ];
    let particulars = Particulars::of(&asked);
    let (arn, key_state) = cx
        .amend::<actions::ScheduleKeyDeletion, _>(&input.key_id, &particulars, async |change| {
            let waits = change.record.multi_region.as_deref().is_some_and(|about| {
                // The waiting period of a primary key begins when its last replica key is gone.
                about.is_primary() && !about.replicas.is_empty()
            });
            change.record.lifecycle = match waits {
                true => Lifecycle::PendingReplicaDeletion { days },
                false => Lifecycle::PendingDeletion { at },
            };
            Ok(metadata::state(&change.record, change.ready.region(), now))
        })
        .await?;
    let used = last_use(cx, &found).await?;
    warn_of_use(cx, &arn.0, used, days);
    let mut elements = Object::begin(&mut cx.notes.response_elements);
    elements.string("keyId", &arn.0);
    elements.string("keyState", key_state.as_str());
    let at = (key_state == KeyState::PendingDeletion).then_some(at);
    if let Some(at) = at {
        elements.string("deletionDate", &at.event_date());
    }
    elements.raw("pendingWindowInDays", days.to_string().as_bytes());
    elements.end();
    Ok(ScheduleKeyDeletionOutput {
        deletion_date: at,
        key_id: arn.0,
        key_state,
        pending_window_in_days: Some(days),
    })
}

/// Tells operators and auditors of a key that was used within the last `days`, which is how long it waits for its deletion: somebody
/// may miss it.
fn warn_of_use(cx: &mut Cx<'_>, arn: &str, used: Option<Timestamp>, days: u32) {
    let Some(used) = used.filter(|used| cx.now < used.plus_days(days)) else { return };
    let date = used.event_date();
    tracing::warn!(key = arn, last_used = %date, days, "a key that was used lately is scheduled for deletion");
    let mut data = Object::begin(&mut cx.notes.additional_event_data);
    data.string("keyLastUsageDate", &date);
    data.string("warning", "The key was used within its waiting period before this request.");
    data.end();
}
