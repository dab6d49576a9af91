//! CreateAlias: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html>.
//!
//! Errors, in order: ValidationException, NotAuthorized (name) · ValidationException (alias as target) · NotFound ·
//! AccessDenied · KMSInvalidState · AlreadyExists · LimitExceeded.

use keyreeve_audit::event::Resource;
use keyreeve_core::change_turns::Turn;
use keyreeve_core::commit::Draft;
use keyreeve_core::gate::actions::{self, Action};
use keyreeve_core::gate::{self, Particulars};
use keyreeve_core::record::AliasRecord;
use keyreeve_core::vault::VaultError;
use keyreeve_core::{Cx, Refusal, Service, space};
use keyreeve_domain::alias::ParseAliasNameError;
use keyreeve_domain::{AliasArn, AliasName, KeyArn, KeyRef};
use keyreeve_wire::{CreateAliasInput, ErrorCode};

use crate::answer::note_key;
use crate::create_key::space_path;

/// How often a change is tried again after somebody else was faster.
pub(crate) const ATTEMPTS: usize = 16;

pub(crate) async fn create_alias(cx: &mut Cx<'_>, input: CreateAliasInput) -> Result<(), Refusal> {
    let alias = parse_name(&input.alias_name)?;
    check_target(&input.target_key_id)?;
    let _turn = turn_of(cx.service, &input.target_key_id).await;
    for _ in 0..ATTEMPTS {
        match try_create(cx, &alias, &input.target_key_id).await? {
            Ok(()) => return Ok(()),
            Err(VaultError::Contended) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(VaultError::Contended.into())
}

async fn try_create(
    cx: &mut Cx<'_>,
    alias: &AliasName,
    target: &str,
) -> Result<Result<(), VaultError>, Refusal> {
    let account = cx.caller.account();
    let alias_arn = AliasArn { region: cx.region, account, alias: alias.clone() };
    authorize_alias::<actions::CreateAlias>(cx, &alias_arn).await?;
    let found = cx.find::<actions::CreateAlias>(target).await?;
    let snapshot = cx.service.vault().snapshot().await?;
    let arn = *found.key.arn();
    let Some(key) = cx.service.key_at(&*snapshot, arn.region, arn.key).await? else {
        return Ok(Err(VaultError::Contended));
    };
    let ready = gate::open::<actions::CreateAlias>(cx, &key, None, &Particulars::NONE).await?;
    let path = space_path(space::alias(account, cx.region, alias))?;
    cx.notes.resource(Resource::Alias(alias_arn.clone()));
    if cx.service.vault().read::<AliasRecord>(&*snapshot, &path).await?.is_some() {
        let message = format!("An alias with the name {alias_arn} already exists");
        return Err(Refusal::new(ErrorCode::AlreadyExists, message));
    }
    check_quota(cx, &*snapshot, &key).await?;
    let mut draft = Draft::new(cx.service.vault());
    let record = AliasRecord { target: ready.id(), created: cx.now, updated: cx.now };
    draft.put(&path, None, &record)?;
    draft.index(&space_path(space::named(arn.region, arn.key, alias))?)?;
    draft.require(&space_path(space::key(arn.region, arn.key))?, Some(key.version()));
    let committed = cx.commit(draft).await;
    if committed.is_ok() {
        note_key(cx, &arn.to_string());
    }
    Ok(committed)
}

/// Checks that the caller's own policies let him do `A` with the alias.
pub(crate) async fn authorize_alias<A: Action>(cx: &mut Cx<'_>, alias: &AliasArn) -> Result<(), Refusal> {
    let authorized = gate::authorize_alias::<A>(cx, alias).await;
    if authorized.is_err() {
        cx.notes.resource(Resource::Alias(alias.clone()));
    }
    Ok(authorized?)
}

/// The turn of whoever gives the key `target` an alias: the aliases of a key are counted before one is added.
pub(crate) async fn turn_of<'s>(service: &'s Service, target: &str) -> Option<Turn<'s>> {
    match target.parse() {
        Ok(KeyRef::Id(key) | KeyRef::Arn(KeyArn { key, .. })) => service.change_turns().of(key).await,
        // What names no key is refused.
        Ok(KeyRef::Alias(_) | KeyRef::AliasArn(_)) | Err(_) => None,
    }
}

/// Refuses one alias more than the quota.
pub(crate) async fn check_quota(
    cx: &Cx<'_>,
    snapshot: &dyn keyreeve_store::Snapshot,
    key: &keyreeve_core::ring::OpenKey,
) -> Result<(), Refusal> {
    let arn = key.arn();
    let quota = cx.service.quotas().aliases_per_key;
    let count = snapshot.count(&space::named_prefix(arn.region, arn.key)).await.map_err(VaultError::from)?;
    if count < quota {
        return Ok(());
    }
    let message = format!(
        "Aliases per key quota for this account in this region is {quota}, current usage is {count}."
    );
    Err(Refusal::new(ErrorCode::LimitExceeded, message))
}

/// The name of an alias that the caller may make, move or delete.
pub(crate) fn parse_name(text: &str) -> Result<AliasName, Refusal> {
    let alias: AliasName = match text.parse() {
        Ok(alias) => alias,
        Err(ParseAliasNameError::Prefix) => {
            return Err(Refusal::new(
                ErrorCode::Validation,
                "Alias must start with the prefix \"alias/\". Please see \
                 https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
            ));
        }
        Err(ParseAliasNameError::Malformed) => {
            let message = format!("{text} contains invalid characters for an alias");
            return Err(Refusal::new(ErrorCode::Validation, message));
        }
    };
    if alias.is_reserved() { Err(Refusal::silent(ErrorCode::NotAuthorized)) } else { Ok(alias) }
}

/// Refuses an alias as the target of an alias.
pub(crate) fn check_target(text: &str) -> Result<(), Refusal> {
    if KeyRef::looks_like_alias(text) {
        return Err(Refusal::new(ErrorCode::Validation, "Aliases must refer to keys. Not aliases"));
    }
    Ok(())
}
