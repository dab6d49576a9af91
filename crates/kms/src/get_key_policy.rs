//! GetKeyPolicy: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html>.
//!
//! Errors, in order: InvalidArn · NotFound (key) · AccessDenied · NotFound (policy).

use keyreeve_audit::json::Object;
use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::PolicyRecord;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_policy::{ContextKey, DEFAULT_NAME};
use keyreeve_wire::{ErrorCode, GetKeyPolicyInput, GetKeyPolicyOutput};

use crate::create_key::space_path;

pub(crate) async fn get_key_policy(
    cx: &mut Cx<'_>,
    input: GetKeyPolicyInput,
) -> Result<GetKeyPolicyOutput, Refusal> {
    if input.policy_name.is_none() {
        note_default_name(cx);
    }
    let found = cx.find_without_alias::<actions::GetKeyPolicy>(&input.key_id).await?;
    let asked = [(ContextKey::KmsPolicyName, input.policy_name.as_deref().unwrap_or(DEFAULT_NAME))];
    let ready = cx.open::<actions::GetKeyPolicy>(&found, &Particulars::of(&asked)).await?;
    if input.policy_name.as_deref().is_some_and(|name| name != DEFAULT_NAME) {
        return Err(Refusal::new(ErrorCode::NotFound, "No such policy exists"));
    }
    let snapshot = cx.service.vault().snapshot().await?;
    let path = space_path(space::policy(ready.region(), ready.id()))?;
    let held = cx.service.vault().read::<PolicyRecord>(&*snapshot, &path).await?;
    let policy = match held {
        Some(held) => cx.service.shown_policy(&*snapshot, held.record).await?,
        // A key that says it has a policy, and has none, was tampered with; or it changed while we looked.
        None if ready.record().has_policy => return Err(Refusal::internal()),
        None => cx.service.written_policy_text(&*snapshot, &found.key).await?,
    };
    Ok(GetKeyPolicyOutput { policy, policy_name: DEFAULT_NAME.to_owned() })
}

/// Puts the name of the policy into the event of a request that left it out, as CloudTrail shows it.
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/ct-getkeypolicy.html>.
pub(crate) fn note_default_name(cx: &mut Cx<'_>) {
    let mut parameters = Object::go_on(&mut cx.notes.request_parameters);
    parameters.string("policyName", DEFAULT_NAME);
    parameters.end();
}
