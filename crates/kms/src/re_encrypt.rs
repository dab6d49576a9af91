//! ReEncrypt: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html>.
//!
//! Errors: those of Decrypt for the source, then those of Encrypt for the destination; but what needs no plaintext is
//! checked of both before anything is decrypted. The plaintext never leaves.

use keyreeve_core::gate::actions;
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::spec::{DryRunModifier, EncryptionAlgorithm, KeyLastUsageOperation};
use keyreeve_wire::{ReEncryptInput, ReEncryptOutput};

use crate::decrypt::{Opened, find_source, open_source};
use crate::{asymmetric, grant_tokens, managed_key, public_key, symmetric};

pub(crate) async fn re_encrypt(cx: &mut Cx<'_>, input: ReEncryptInput) -> Result<ReEncryptOutput, Refusal> {
    grant_tokens::check(&input.grant_tokens)?;
    let ignored = input.dry_run && input.dry_run_modifiers.contains(&DryRunModifier::IgnoreCiphertext);
    let blob = input.ciphertext_blob.as_ref().filter(|_| !ignored);
    let asked = input.source_encryption_algorithm;
    let named = input.source_key_id.as_deref();
    let (found, source) = find_source::<actions::ReEncryptFrom>(cx, blob, named, asked).await?;
    let destination = managed_key::find::<actions::ReEncryptTo>(cx, &input.destination_key_id).await?;
    let from = cx.open::<actions::ReEncryptFrom>(&found)?;
    let to = cx.open::<actions::ReEncryptTo>(&destination)?;
    let source_encryption_algorithm = symmetric::check_algorithm(&from, asked)?;
    let destination_encryption_algorithm =
        symmetric::check_algorithm(&to, input.destination_encryption_algorithm)?;
    let to_public_key = destination_encryption_algorithm != EncryptionAlgorithm::SymmetricDefault;
    let context = &input.source_encryption_context;
    asymmetric::check_context(source_encryption_algorithm, context)?;
    asymmetric::check_context(destination_encryption_algorithm, &input.destination_encryption_context)?;
    let opened = open_source(cx, &from, source, source_encryption_algorithm, context).await?;
    let Opened { plaintext, material } = opened.ok_or_else(symmetric::dry_run_ended)?;
    asymmetric::check_plaintext(to.record().spec, destination_encryption_algorithm, &plaintext)?;
    symmetric::end_dry_run(input.dry_run)?;
    let (sealed, sealed_by) = match to_public_key {
        true => (public_key::encrypt(cx, &to, destination_encryption_algorithm, plaintext).await?, None),
        false => {
            let sealing = to.sealing()?;
            let context = input.destination_encryption_context.as_map();
            let sealed = sealing.seal(context, &plaintext, cx.service.vault().random())?;
            (sealed, Some(sealing.material_id()))
        }
    };
    symmetric::note_use(cx, &from, KeyLastUsageOperation::ReEncrypt);
    symmetric::note_use(cx, &to, KeyLastUsageOperation::ReEncrypt);
    Ok(ReEncryptOutput {
        ciphertext_blob: sealed.into(),
        destination_encryption_algorithm,
        destination_key_material_id: sealed_by.map(|material| material.to_string()),
        key_id: to.arn_text().to_owned(),
        source_encryption_algorithm,
        source_key_id: from.arn_text().to_owned(),
        source_key_material_id: material.map(|material| material.to_string()),
    })
}
