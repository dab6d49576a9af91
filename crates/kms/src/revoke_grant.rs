//! RevokeGrant: <https://docs.aws.amazon.com/kms/latest/APIReference/API_RevokeGrant.html>.
//!
//! Errors, in order: InvalidArn (an alias) · NotFound (key) · AccessDenied · NotFound (grant) · DryRunOperation.

use keyreeve_core::commit::Draft;
use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::vault::{VaultError, Versioned};
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_policy::ContextKey;
use keyreeve_wire::RevokeGrantInput;

use crate::answer::note_key;
use crate::create_alias::ATTEMPTS;
use crate::create_key::space_path;
use crate::{grants, symmetric};

pub(crate) async fn revoke_grant(cx: &mut Cx<'_>, input: RevokeGrantInput) -> Result<(), Refusal> {
    for _ in 0..ATTEMPTS {
        match try_revoke(cx, &input).await? {
            Ok(()) => return Ok(()),
            Err(VaultError::Contended) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(VaultError::Contended.into())
}

async fn try_revoke(cx: &mut Cx<'_>, input: &RevokeGrantInput) -> Result<Result<(), VaultError>, Refusal> {
    let found = cx.find_without_alias::<actions::RevokeGrant>(&input.key_id).await?;
    let asked = [(ContextKey::KmsGrantIsForAwsResource, grants::is_for_resource(cx))];
    let ready = cx.open::<actions::RevokeGrant>(&found, &Particulars::of(&asked)).await?;
    let arn = *ready.arn();
    let snapshot = cx.service.vault().snapshot().await?;
    let read = grants::read(cx, &*snapshot, &arn, &input.grant_id).await?;
    let Versioned { record, version } = read.ok_or_else(|| grants::not_found(&input.grant_id))?;
    symmetric::end_dry_run(input.dry_run)?;
    let mut draft = Draft::new(cx.service.vault());
    draft.require(&space_path(space::grant(arn.region, arn.key, &input.grant_id))?, Some(version));
    draft.remove_grant(&arn, &record)?;
    let committed = cx.commit(draft).await;
    if committed.is_ok() {
        cx.service.ring().release_grant(arn.region, arn.key);
        note_key(cx, ready.arn_text());
    }
    Ok(committed)
}
