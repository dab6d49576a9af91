//! PutKeyPolicy: <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>.
//!
//! Errors, in order: InvalidArn · NotFound · AccessDenied · ValidationException, UnsupportedOperation (policy name) ·
//! LimitExceeded, MalformedPolicyDocument.

use keyreeve_core::gate::actions;
use keyreeve_core::record::PolicyRecord;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_policy::DEFAULT_NAME;
use keyreeve_wire::{ErrorCode, PutKeyPolicyInput};

use crate::answer::note_key;
use crate::create_key::space_path;
use crate::policy_check;

pub(crate) async fn put_key_policy(cx: &mut Cx<'_>, input: PutKeyPolicyInput) -> Result<(), Refusal> {
    let (arn, ()) = cx
        .amend::<actions::PutKeyPolicy, _>(&input.key_id, async |change| {
            check_name(input.policy_name.as_deref())?;
            let bypass = input.bypass_policy_lockout_safety_check;
            policy_check::check(&input.policy, change.ready.arn(), change.service().quotas(), bypass)?;
            let path = space_path(space::policy(change.ready.region(), change.id()))?;
            let held = change.read::<PolicyRecord>(&path).await?;
            change.record.has_policy = true;
            let text = input.policy.clone();
            change.draft.put(&path, held.map(|held| held.version), &PolicyRecord { text })?;
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
