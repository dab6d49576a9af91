//! RotateKeyOnDemand: <https://docs.aws.amazon.com/kms/latest/APIReference/API_RotateKeyOnDemand.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · Disabled, KMSInvalidState · UnsupportedOperation ·
//! Conflict · LimitExceeded · KMSInvalidState (no imported material waits). The schedule of automatic rotation does not move.

use keyreeve_core::gate::{Particulars, Ready, actions};
use keyreeve_core::record::Rotated;
use keyreeve_core::service_event::Materials;
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::spec::{Origin, RotationType};
use keyreeve_wire::{ErrorCode, RotateKeyOnDemandInput, RotateKeyOnDemandOutput};

use crate::answer::note_key;
use crate::{multi_region, symmetric};

/// No rotation on demand so shortly before an automatic one, in milliseconds.
const QUIET_BEFORE_AUTOMATIC: i64 = 20 * 60 * 1000;

pub(crate) async fn rotate_key_on_demand(
    cx: &mut Cx<'_>,
    input: RotateKeyOnDemandInput,
) -> Result<RotateKeyOnDemandOutput, Refusal> {
    let now = cx.now;
    let (arn, event) = cx
        .amend::<actions::RotateKeyOnDemand, _>(&input.key_id, &Particulars::NONE, async |change| {
            symmetric::check_rotates(&change.ready)?;
            multi_region::check_rotates_itself(&change.ready, "RotateKeyOnDemand")?;
            let record = change.ready.record();
            if record.rotation.is_some_and(|rotation| rotation.next.millis_since(now) <= QUIET_BEFORE_AUTOMATIC) {
                // AWS: unverified. The text of this exception is not known.
                let message = "An automatic rotation of this key is in progress or scheduled to begin within the next \
                               20 minutes.";
                return Err(Refusal::new(ErrorCode::Conflict, message));
            }
            if record.on_demand_rotations >= change.service().quotas().on_demand_rotations {
                let message = format!(
                    "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can \
                     be performed for this key: {}",
                    change.ready.arn_text()
                );
                return Err(Refusal::new(ErrorCode::LimitExceeded, message));
            }
            let arn = change.ready.arn();
            if record.origin == Origin::External
                && !change.service().is_pending_everywhere(change.snapshot(), arn, record, now).await?
            {
                return Err(match record.pending {
                    Some(_) => Refusal::new(ErrorCode::KmsInvalidState, NOT_EVERYWHERE),
                    None => nothing_pending(&change.ready),
                });
            }
            let mut material = match record.origin {
                Origin::External => *change.record.pending.take().ok_or_else(|| nothing_pending(&change.ready))?,
                Origin::AwsKms | Origin::AwsCloudhsm | Origin::ExternalKeyStore => {
                    change.service().vault().make_material(change.ready.arn(), record)?
                }
            };
            let previous = record.materials.last().map(|last| last.id);
            let materials = Materials { previous, current: material.id };
            let event =
                change.service().rotation_event(arn, record.origin, RotationType::OnDemand, materials, now)?;
            material.rotated = Some(Rotated { at: now, by: RotationType::OnDemand });
            change.record.materials.push(material);
            change.record.on_demand_rotations += 1;
            Ok(event)
        })
        .await?;
    // The request was announced before the rotation; this says what came of it.
    cx.record_service_event(event).await?;
    note_key(cx, &arn.0);
    Ok(RotateKeyOnDemandOutput { key_id: arn.0 })
}

const NOT_EVERYWHERE: &str = "Cannot perform key material rotation: Key material has not been imported for replicas of the Multi-Region key.";

/// The refusal where no imported material waits.
fn nothing_pending<A>(ready: &Ready<'_, A>) -> Refusal {
    let message = format!("No available key material pending rotation for the key: {}.", ready.arn_text());
    Refusal::new(ErrorCode::KmsInvalidState, message)
}
