//! UpdateAlias: <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html>.
//!
//! Errors, in order: ValidationException, NotAuthorized (name) · ValidationException (alias as target) · NotFound (alias) ·
//! NotFound (key) · AccessDenied (both keys) · KMSInvalidState · ValidationException (another kind of key) · LimitExceeded.

use keyreeve_audit::event::Resource;
use keyreeve_core::commit::Draft;
use keyreeve_core::gate::pairs::kind;
use keyreeve_core::gate::{self, Particulars, actions};
use keyreeve_core::record::AliasRecord;
use keyreeve_core::vault::{VaultError, Versioned};
use keyreeve_core::view::LookupError;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_domain::{AliasArn, AliasName};
use keyreeve_wire::{ErrorCode, UpdateAliasInput};

use crate::answer::note_key;
use crate::create_alias::{ATTEMPTS, authorize_alias, check_quota, check_target, parse_name, turn_of};
use crate::create_key::space_path;

pub(crate) async fn update_alias(cx: &mut Cx<'_>, input: UpdateAliasInput) -> Result<(), Refusal> {
    let alias = parse_name(&input.alias_name)?;
    check_target(&input.target_key_id)?;
    let _turn = turn_of(cx.service, &input.target_key_id).await;
    for _ in 0..ATTEMPTS {
        match try_update(cx, &alias, &input.target_key_id).await? {
            Ok(()) => return Ok(()),
            Err(VaultError::Contended) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(VaultError::Contended.into())
}

async fn try_update(
    cx: &mut Cx<'_>,
    alias: &AliasName,
    target: &str,
) -> Result<Result<(), VaultError>, Refusal> {
    let (account, region) = (cx.caller.account(), cx.region);
    let vault = cx.service.vault();
    let snapshot = vault.snapshot().await?;
    let alias_arn = AliasArn { region, account, alias: alias.clone() };
    authorize_alias::<actions::UpdateAlias>(cx, &alias_arn).await?;
    let path = space_path(space::alias(account, region, alias))?;
    let held = vault.read::<AliasRecord>(&*snapshot, &path).await?;
    let Versioned { record, version } = held.ok_or_else(|| LookupError::NoAlias(alias_arn.clone()))?;
    cx.notes.resource(Resource::Alias(alias_arn.clone()));
    let found = cx.find::<actions::UpdateAlias>(target).await?;
    let to = *found.key.arn();
    let next = cx.service.key_at(&*snapshot, to.region, to.key).await?;
    let (Some(next), Some(previous)) = (next, cx.service.key_at(&*snapshot, region, record.target).await?)
    else {
        return Ok(Err(VaultError::Contended));
    };
    gate::open::<actions::UpdateAliasFrom>(cx, &previous, None, &Particulars::NONE).await?;
    let ready = gate::open::<actions::UpdateAlias>(cx, &next, None, &Particulars::NONE).await?;
    let (was, is) = (previous.record(), next.record());
    // AWS: unverified. Both texts are another emulator's.
    let (what, before, after) = if was.usage != is.usage {
        ("usage", was.usage.as_str(), is.usage.as_str())
    } else {
        ("type", was.spec.as_str(), is.spec.as_str())
    };
    if was.usage != is.usage || kind(was.spec) != kind(is.spec) {
        let message = format!(
            "Alias {alias_arn} cannot be changed from a CMK with key {what} {before} to a CMK with key {what} {after}"
        );
        return Err(Refusal::new(ErrorCode::Validation, message));
    }
    let mut draft = Draft::new(vault);
    if ready.id() != record.target {
        check_quota(cx, &*snapshot, &next).await?;
        draft.unindex(&space_path(space::named(region, record.target, alias))?);
        draft.index(&space_path(space::named(to.region, to.key, alias))?)?;
    }
    draft.put(&path, Some(version), &AliasRecord { target: ready.id(), updated: cx.now, ..record })?;
    draft.require(&space_path(space::key(to.region, to.key))?, Some(next.version()));
    let committed = cx.commit(draft).await;
    if committed.is_ok() {
        note_key(cx, &to.to_string());
    }
    Ok(committed)
}
