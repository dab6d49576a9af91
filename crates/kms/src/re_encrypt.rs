//! ReEncrypt: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html>.
//!
//! Errors: those of Decrypt for the source, then those of Encrypt for the destination. The plaintext never leaves.

use keyreeve_core::gate::actions;
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::spec::{DryRunModifier, KeyLastUsageOperation};
use keyreeve_wire::{ReEncryptInput, ReEncryptOutput};

use crate::decrypt::{find_source, open_blob};
use crate::{grant_tokens, managed_key, symmetric};

pub(crate) async fn re_encrypt(cx: &mut Cx<'_>, input: ReEncryptInput) -> Result<ReEncryptOutput, Refusal> {
    grant_tokens::check(&input.grant_tokens)?;
    let ignored = input.dry_run && input.dry_run_modifiers.contains(&DryRunModifier::IgnoreCiphertext);
    let blob = input.ciphertext_blob.as_ref().filter(|_| !ignored);
    let (source, sealed) =
        find_source::<actions::ReEncryptFrom>(cx, blob, input.source_key_id.as_deref()).await?;
    let destination = managed_key::find::<actions::ReEncryptTo>(cx, &input.destination_key_id).await?;
    let from = cx.open::<actions::ReEncryptFrom>(&source)?;
    let to = cx.open::<actions::ReEncryptTo>(&destination)?;
    let source_encryption_algorithm = symmetric::check_algorithm(&from, input.source_encryption_algorithm)?;
    let destination_encryption_algorithm =
        symmetric::check_algorithm(&to, input.destination_encryption_algorithm)?;
    let Some(opened) = sealed else { return Err(symmetric::dry_run_ended()) };
    let plaintext = open_blob(&from, &opened, input.source_encryption_context.as_map())?;
    symmetric::end_dry_run(input.dry_run)?;
    let sealing = to.sealing()?;
    let context = input.destination_encryption_context.as_map();
    let sealed = sealing.seal(context, &plaintext, cx.service.vault().random())?;
    symmetric::note_use(cx, &from, KeyLastUsageOperation::ReEncrypt);
    symmetric::note_use(cx, &to, KeyLastUsageOperation::ReEncrypt);
    Ok(ReEncryptOutput {
        ciphertext_blob: sealed.into(),
        destination_encryption_algorithm,
        destination_key_material_id: Some(sealing.material_id().to_string()),
        key_id: to.arn_text().to_owned(),
        source_encryption_algorithm,
        source_key_id: from.arn_text().to_owned(),
        source_key_material_id: Some(opened.header.material.to_string()),
    })
}
