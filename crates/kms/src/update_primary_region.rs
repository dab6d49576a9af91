//! UpdatePrimaryRegion: <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdatePrimaryRegion.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · Disabled, KMSInvalidState · UnsupportedOperation · ValidationException
//! (the Region), of the primary key; then NotFound · AccessDenied · Disabled, KMSInvalidState of the replica key that becomes it.
//! Both keys are updating until the other has taken over, which here is before the answer.

use keyreeve_audit::event::Resource;
use keyreeve_audit::json::Object;
use keyreeve_core::bracket::Notes;
use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::multi_region::Handing;
use keyreeve_core::view::{Found, LookupError};
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::KeyArn;
use keyreeve_policy::ContextKey;
use keyreeve_wire::UpdatePrimaryRegionInput;

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
    let about = multi_region::primary(&ready)?;
    let to = multi_region::other_region(cx, &input.primary_region)?;
    let next = KeyArn { region: to, ..*ready.arn() };
    let missing = || LookupError::NoKey(next.to_string());
    let key = cx.service.key(to, next.key).await?.filter(|_| about.replicas.contains(&to));
    let key = key.ok_or_else(missing)?;
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
