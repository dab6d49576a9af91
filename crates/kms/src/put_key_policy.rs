//! PutKeyPolicy: <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · ValidationException, UnsupportedOperation (policy name) ·
//! LimitExceeded, MalformedPolicyDocument.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::record::PolicyRecord;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_policy::{ContextKey, DEFAULT_NAME};
use keyreeve_wire::{ErrorCode, PutKeyPolicyInput};

use crate::answer::note_key;
use crate::create_key::{note_bypass, space_path};
use crate::get_key_policy::note_default_name;
use crate::policy_check;

pub(crate) async fn put_key_policy(cx: &mut Cx<'_>, input: PutKeyPolicyInput) -> Result<(), Refusal> {
    let bypass = input.bypass_policy_lockout_safety_check;
    if input.policy_name.is_none() {
        note_default_name(cx);
    }
    note_bypass(cx, bypass);
    let asked = [
        (ContextKey::KmsBypassPolicyLockoutSafetyCheck, if bypass { "true" } else { "false" }),
        (ContextKey::KmsPolicyName, input.policy_name.as_deref().unwrap_or(DEFAULT_NAME)),
    ];
    let particulars = Particulars::of(&asked);
    let found = cx.find_without_alias::<actions::PutKeyPolicy>(&input.key_id).await?;
    let ready = cx.open::<actions::PutKeyPolicy>(&found, &particulars).await?;
    check_name(input.policy_name.as_deref())?;
    let bound = policy_check::check(cx, &input.policy, ready.arn(), Some(&found.key), bypass).await?;
    let (arn, ()) = cx
        .amend::<actions::PutKeyPolicy, _>(&input.key_id, &particulars, async |change| {
            let path = space_path(space::policy(change.ready.region(), change.id()))?;
            let held = change.read::<PolicyRecord>(&path).await?;
            change.record.has_policy = true;
            let record = PolicyRecord { text: input.policy.clone(), bound: Some(bound.clone()) };
            change.draft.put(&path, held.map(|held| held.version), &record)?;
            Ok(())
        })
        .await?;
    note_key(cx, &arn.0);
    Ok(())
}

fn check_name(name: Option<&str>) -> Result<(), Refusal> {
    match name {
        None | Some(DEFAULT_NAME) => Ok(()),
        Some("AWS_RAM") => Err(Refusal::new(
            ErrorCode::Validation,
            "The AWS_RAM policy can only be managed by the RAM service.",
        )),
        Some(_) => Err(Refusal::new(ErrorCode::UnsupportedOperation, "Only default policy is supported")),
    }
}
