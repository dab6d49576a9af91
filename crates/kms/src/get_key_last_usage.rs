//! GetKeyLastUsage: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::UsageRecord;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_wire::{GetKeyLastUsageInput, GetKeyLastUsageOutput, KeyLastUsageData};

use crate::create_key::space_path;

pub(crate) async fn get_key_last_usage(
    cx: &mut Cx<'_>,
    input: GetKeyLastUsageInput,
) -> Result<GetKeyLastUsageOutput, Refusal> {
    let found = cx.find_without_alias::<actions::GetKeyLastUsage>(&input.key_id).await?;
    let ready = cx.open::<actions::GetKeyLastUsage>(&found, &Particulars::NONE).await?;
    let key_last_usage = match cx.service.usage().last(ready.region(), ready.id()) {
        Some(used) => Some(KeyLastUsageData {
            cloud_trail_event_id: Some(used.event_id.as_str().to_owned()),
            kms_request_id: Some(used.request_id.as_str().to_owned()),
            operation: used.operation,
            timestamp: used.at,
        }),
        None => {
            let path = space_path(space::usage(ready.region(), ready.id()))?;
            let snapshot = cx.service.vault().snapshot().await?;
            let read = cx.service.vault().read::<UsageRecord>(&*snapshot, &path).await?;
            read.map(|read| KeyLastUsageData {
                cloud_trail_event_id: Some(read.record.event_id),
                kms_request_id: Some(read.record.request_id),
                operation: read.record.operation,
                timestamp: read.record.at,
            })
        }
    };
    Ok(GetKeyLastUsageOutput {
        key_creation_date: ready.record().created,
        key_id: ready.arn_text().to_owned(),
        key_last_usage,
        tracking_start_date: Some(ready.record().created),
    })
}
