//! How long a key was not used: `kms:TrailingDaysWithoutKeyUsage`.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html>.

use keyreeve_core::record::UsageRecord;
use keyreeve_core::view::Found;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_domain::Timestamp;

use crate::create_key::space_path;

/// When the key was used last, as far as it was.
pub(crate) async fn last_use(cx: &Cx<'_>, found: &Found) -> Result<Option<Timestamp>, Refusal> {
    let arn = found.key.arn();
    Ok(match cx.service.usage().last(arn.region, arn.key) {
        Some(used) => Some(used.at),
        None => {
            let snapshot = cx.service.vault().snapshot().await?;
            let path = space_path(space::usage(arn.region, arn.key))?;
            cx.service.vault().read::<UsageRecord>(&*snapshot, &path).await?.map(|read| read.record.at)
        }
    })
}

/// The whole days since the last use of the key, or since it was made.
pub(crate) async fn days_unused(cx: &Cx<'_>, found: &Found) -> Result<String, Refusal> {
    let since = last_use(cx, found).await?.unwrap_or(found.key.record().created);
    Ok(cx.now.millis_since(since).max(0).div_euclid(DAY).to_string())
}

/// Milliseconds of one day.
const DAY: i64 = 24 * 60 * 60 * 1000;
