//! EnableKeyRotation: <https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKeyRotation.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · Disabled, KMSInvalidState · UnsupportedOperation.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::RotationRecord;
use keyreeve_core::{Cx, Refusal};
use keyreeve_policy::ContextKey;
use keyreeve_wire::EnableKeyRotationInput;

use crate::answer::note_key;
use crate::imported;
use crate::multi_region;
use crate::symmetric;

/// What policies are asked about, too, where a request names no period: recorded even of keys that keep another one.
const DEFAULT_DAYS: u32 = 365;

pub(crate) async fn enable_key_rotation(
    cx: &mut Cx<'_>,
    input: EnableKeyRotationInput,
) -> Result<(), Refusal> {
    let (asked_days, now) = (input.rotation_period_in_days, cx.now);
    let days = asked_days.unwrap_or(DEFAULT_DAYS).to_string();
    let asked = [(ContextKey::KmsRotationPeriodInDays, days.as_str())];
    let particulars = Particulars::of(&asked);
    let (arn, ()) = cx
        .amend::<actions::EnableKeyRotation, _>(&input.key_id, &particulars, async |change| {
            imported::check_not_external(&change.ready)?;
            multi_region::check_rotates_itself(&change.ready, "EnableKeyRotation")?;
            symmetric::check_rotates(&change.ready)?;
            // The same period again does not move the next rotation; without one, a key that rotates goes on as it does.
            let kept = change.record.rotation.map(|rotation| rotation.period_days);
            let period_days = asked_days.or(kept).unwrap_or(DEFAULT_DAYS);
            if kept != Some(period_days) {
                let next = now.plus_days(period_days);
                change.record.rotation = Some(RotationRecord { period_days, next });
            }
            Ok(())
        })
        .await?;
    note_key(cx, &arn.0);
    Ok(())
}
