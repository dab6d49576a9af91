//! What the operations on multi-Region keys share.

use keyreeve_core::gate::Ready;
use keyreeve_core::multi_region::MultiRegionRecord;
use keyreeve_core::record::KeyRecord;
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::{KeyArn, Region};
use keyreeve_wire::{ErrorCode, MultiRegionConfiguration, MultiRegionKey};

/// What the primary key knows of its related keys; refuses every other key.
pub(crate) fn primary<'r, A>(ready: &Ready<'r, A>) -> Result<&'r MultiRegionRecord, Refusal> {
    let about = ready.record().multi_region.as_deref().filter(|about| about.is_primary());
    about.ok_or_else(|| not_primary(ready))
}

/// Refuses a replica key, whose rotation is its primary key's business, and either of two keys that change places.
pub(crate) fn check_rotates_itself<A>(ready: &Ready<'_, A>, operation: &str) -> Result<(), Refusal> {
    match &ready.record().multi_region {
        Some(about) if !about.is_primary() => {
            let arn = ready.arn_text();
            let message = format!("{arn} is a multi-region replica key which is not valid for {operation}.");
            Err(Refusal::new(ErrorCode::UnsupportedOperation, message))
        }
        Some(about) if about.is_updating(ready.region()) => {
            let message = format!("{} is updating.", ready.arn_text());
            Err(Refusal::new(ErrorCode::UnsupportedOperation, message))
        }
        Some(_) | None => Ok(()),
    }
}

fn not_primary<A>(ready: &Ready<'_, A>) -> Refusal {
    let message = format!("{} is not a multi-region primary key.", ready.arn_text());
    Refusal::new(ErrorCode::UnsupportedOperation, message)
}

/// The Region for a replica key: another one than the request's, answered for, of the same partition.
pub(crate) fn replica_region(cx: &Cx<'_>, name: &str) -> Result<Region, Refusal> {
    let region: Option<Region> = name.parse().ok();
    let message = match region {
        Some(region) if region == cx.region => {
            format!("{name} cannot have a replica because it contains the primary.")
        }
        Some(region) if region.partition() != cx.region.partition() => {
            "The replica key Region must be in the same AWS partition as the primary key Region.".to_owned()
        }
        Some(region) if cx.service.answers_for(region) => return Ok(region),
        Some(_) | None => format!(
            "Region {name} is not a valid Region or multi-Region keys are not supported in Region {name}."
        ),
    };
    Err(Refusal::new(ErrorCode::Validation, message))
}

/// The `MultiRegionConfiguration` of a key.
pub(crate) fn configuration(arn: &KeyArn, record: &KeyRecord) -> Option<MultiRegionConfiguration> {
    let about = record.multi_region.as_deref()?;
    let key = |region: Region| MultiRegionKey {
        arn: KeyArn { region, ..*arn }.to_string(),
        region: region.to_string(),
    };
    Some(MultiRegionConfiguration {
        multi_region_key_type: about.key_type,
        primary_key: key(about.primary),
        replica_keys: about.replicas.iter().copied().map(key).collect(),
    })
}
