//! DeleteAlias: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html>.
//!
//! Errors, in order: ValidationException, NotAuthorized (name) · NotFound · AccessDenied.

use keyreeve_audit::event::Resource;
use keyreeve_core::commit::Draft;
use keyreeve_core::gate::{self, Particulars, actions};
use keyreeve_core::record::AliasRecord;
use keyreeve_core::vault::{VaultError, Versioned};
use keyreeve_core::view::LookupError;
use keyreeve_core::{Cx, Refusal, space};
use keyreeve_domain::{AliasArn, AliasName};
use keyreeve_wire::DeleteAliasInput;

use crate::answer::note_key;
use crate::create_alias::{ATTEMPTS, authorize_alias, parse_name};
use crate::create_key::space_path;

pub(crate) async fn delete_alias(cx: &mut Cx<'_>, input: DeleteAliasInput) -> Result<(), Refusal> {
    let alias = parse_name(&input.alias_name)?;
    for _ in 0..ATTEMPTS {
        match try_delete(cx, &alias).await? {
            Ok(()) => return Ok(()),
            Err(VaultError::Contended) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(VaultError::Contended.into())
}

async fn try_delete(cx: &mut Cx<'_>, alias: &AliasName) -> Result<Result<(), VaultError>, Refusal> {
    let (account, region) = (cx.caller.account(), cx.region);
    let vault = cx.service.vault();
    let snapshot = vault.snapshot().await?;
    let alias_arn = AliasArn { region, account, alias: alias.clone() };
    authorize_alias::<actions::DeleteAlias>(cx, &alias_arn).await?;
    let path = space_path(space::alias(account, region, alias))?;
    let held = vault.read::<AliasRecord>(&*snapshot, &path).await?;
    let Versioned { record, version } = held.ok_or_else(|| LookupError::NoAlias(alias_arn.clone()))?;
    cx.notes.resource(Resource::Alias(alias_arn));
    let Some(key) = cx.service.key_at(&*snapshot, region, record.target).await? else {
        return Ok(Err(VaultError::Contended));
    };
    cx.notes.resource(Resource::Key(*key.arn()));
    let ready = gate::open::<actions::DeleteAlias>(cx, &key, None, &Particulars::NONE).await?;
    let mut draft = Draft::new(vault);
    draft.delete(&path, version);
    draft.unindex(&space_path(space::named(region, ready.id(), alias))?);
    let committed = cx.commit(draft).await;
    if committed.is_ok() {
        note_key(cx, ready.arn_text());
    }
    Ok(committed)
}
