//! UpdatePrimaryRegion: <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdatePrimaryRegion.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · Disabled, KMSInvalidState (a replica key, too) · UnsupportedOperation (a key
//! of one Region) · ValidationException (the Region), of the primary key; then AccessDenied · Disabled, KMSInvalidState of the replica key
//! that becomes it.
//! Both keys are updating until the other has taken over, which here is before the answer.

use keyreeve_audit::event::Resource;
use keyreeve_audit::json::Object;
use keyreeve_core::bracket::Notes;
use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::multi_region::Handing;
use keyreeve_core::view::Found;
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::{KeyArn, Region};
use keyreeve_policy::ContextKey;
use keyreeve_wire::{ErrorCode, UpdatePrimaryRegionInput};

use crate::answer::note_key;
use crate::multi_region;

pub(crate) async fn update_primary_region(
    cx: &mut Cx<'_>,
    input: UpdatePrimaryRegionInput,
) -> Result<(), Refusal> {
    let asked = [(ContextKey::KmsPrimaryRegion, input.primary_region.as_str())];
    let particulars = Particulars::of(&asked);
    let found = cx.find_without_alias::<actions::UpdatePrimaryRegion>(&input.key_id).await?;
    let ready = cx.open::<actions::UpdatePrimaryRegion>(&found, &particulars).await?;
    let about = ready.record().multi_region.as_deref();
    if about.is_some_and(|about| !about.is_primary()) {
        let message = format!("{} is not a multi-Region primary key.", ready.arn_text());
        return Err(Refusal::new(ErrorCode::KmsInvalidState, message));
    }
    let about = multi_region::primary(&ready)?;
    let named: Option<Region> = input.primary_region.parse().ok();
    if named == Some(cx.region) {
        // Recorded: to where it is already, it is brought without more ado.
        note_key(cx, ready.arn_text());
        return Ok(());
    }
    let id = ready.arn().key;
    let missing = || {
        let message = format!("{id} does not have a replica key in the specified Region.");
        Refusal::new(ErrorCode::Validation, message)
    };
    let to = named.filter(|to| about.replicas.contains(to)).ok_or_else(missing)?;
    let next = KeyArn { region: to, ..*ready.arn() };
    let key = cx.service.key(to, next.key).await?.ok_or_else(missing)?;
    let home = core::mem::replace(&mut cx.region, to);
    let opened =
        cx.open::<actions::UpdatePrimaryRegion>(&Found { key, alias: None }, &particulars).await.map(drop);
    cx.region = home;
    opened?;
    let since = cx.now;
    cx.amend::<actions::UpdatePrimaryRegion, _>(&input.key_id, &particulars, async |change| {
        // Another may have become the primary key meanwhile.
        multi_region::primary(&change.ready)?;
        let about = change.record.multi_region.as_deref_mut().filter(|about| about.replicas.contains(&to));
        about.ok_or_else(missing)?.handing = Some(Handing { to, since });
        Ok(())
    })
    .await?;
    // ORDER: the trail first. From here on the request is accepted: what is cut off now, the jobs bring to its end.
    let mut notes = Notes::default();
    let mut parameters = Object::begin(&mut notes.request_parameters);
    parameters.string("keyId", &next.to_string());
    parameters.string("primaryRegion", to.as_str());
    parameters.end();
    let mut elements = Object::begin(&mut notes.response_elements);
    elements.string("keyId", &next.to_string());
    elements.end();
    notes.resource(Resource::Key(next));
    cx.record_in(to, "UpdatePrimaryRegion", &notes).await?;
    note_key(cx, &KeyArn { region: home, ..next }.to_string());
    if let Err(error) = cx.service.hand_over(home, next.key, since).await {
        tracing::warn!(%error, key = %next, "the primary Region is still to be changed; it is tried again later");
    }
    Ok(())
}
