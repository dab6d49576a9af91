//! RetireGrant: <https://docs.aws.amazon.com/kms/latest/APIReference/API_RetireGrant.html>.
//!
//! Errors, in order: ValidationException (neither token nor key and grant) · InvalidGrantToken · InvalidArn (an alias) ·
//! NotFound · AccessDenied · DryRunOperation. The grant itself says who may retire it; a policy can only deny it.

use keyreeve_audit::event::Resource;
use keyreeve_audit::json::Object;
use keyreeve_core::commit::Draft;
use keyreeve_core::gate::{self, Particulars, actions};
use keyreeve_core::vault::{VaultError, Versioned};
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_domain::KeyId;
use keyreeve_policy::ContextKey;
use keyreeve_wire::{ErrorCode, RetireGrantInput};

use crate::answer::note_key;
use crate::create_alias::ATTEMPTS;
use crate::create_key::space_path;
use crate::{grant_tokens, grants, symmetric};

pub(crate) async fn retire_grant(cx: &mut Cx<'_>, input: RetireGrantInput) -> Result<(), Refusal> {
    let (target, grant_id) = named(cx, &input)?;
    let mut additional = Object::begin(&mut cx.notes.additional_event_data);
    additional.string("grantId", &grant_id);
    additional.end();
    for _ in 0..ATTEMPTS {
        match try_retire(cx, &target, &grant_id, input.dry_run).await? {
            Ok(()) => return Ok(()),
            Err(VaultError::Contended) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(VaultError::Contended.into())
}

/// How a request names the key.
enum Target {
    /// By its id or ARN.
    Named(String),
    /// By a token, whosever it is.
    Token(KeyId),
}

/// The key and the grant that a request names.
fn named(cx: &Cx<'_>, input: &RetireGrantInput) -> Result<(Target, String), Refusal> {
    match (&input.grant_token, &input.key_id, &input.grant_id) {
        (Some(token), _, _) => {
            let content = cx.service.vault().open_grant_token(token).ok_or_else(grant_tokens::invalid)?;
            if content.region != cx.region {
                return Err(grant_tokens::invalid());
            }
            Ok((Target::Token(content.key), content.grant))
        }
        (None, Some(key), Some(grant)) => Ok((Target::Named(key.clone()), grant.clone())),
        (None, _, _) => {
            // AWS: unverified.
            let message = "You must specify a grant token, or a key ARN and a grant ID.";
            Err(Refusal::new(ErrorCode::Validation, message))
        }
    }
}

async fn try_retire(
    cx: &mut Cx<'_>,
    target: &Target,
    grant_id: &str,
    dry_run: bool,
) -> Result<Result<(), VaultError>, Refusal> {
    let key = match target {
        Target::Token(key) => cx.service.key(cx.region, *key).await?.ok_or_else(grant_tokens::invalid)?,
        Target::Named(key_id) => cx.find_without_alias::<actions::RetireGrant>(key_id).await?.key,
    };
    let arn = *key.arn();
    cx.notes.resource(Resource::Key(arn));
    let snapshot = cx.service.vault().snapshot().await?;
    let Some(Versioned { record, version }) = grants::read(cx, &*snapshot, &arn, grant_id).await? else {
        if cx.is_foreign(&arn.to_string()) {
            return Err(gate::unseen::<actions::RetireGrant>(cx.caller, &Particulars::NONE).into());
        }
        return Err(grants::not_found(grant_id));
    };
    let pairs = record.context_equals.as_ref().or(record.context_subset.as_ref());
    let kind = match (&record.context_equals, &record.context_subset) {
        (Some(_), _) => Some("EncryptionContextEquals"),
        (None, Some(_)) => Some("EncryptionContextSubset"),
        (None, None) => None,
    };
    let texts: Vec<_> = kind.into_iter().map(|kind| (ContextKey::KmsGrantConstraintType, kind)).collect();
    let particulars = Particulars { encryption_context: pairs, ..Particulars::of(&texts) };
    gate::open_for_grant::<actions::RetireGrant>(cx, &key, &record.to_policy(&arn), &particulars).await?;
    symmetric::end_dry_run(dry_run)?;
    let mut draft = Draft::new(cx.service.vault());
    draft.require(&space_path(space::grant(arn.region, arn.key, grant_id))?, Some(version));
    draft.remove_grant(&arn, &record)?;
    let committed = cx.commit(draft).await;
    if committed.is_ok() {
        cx.service.ring().release_grant(arn.region, arn.key);
        note_key(cx, &arn.to_string());
    }
    Ok(committed)
}
