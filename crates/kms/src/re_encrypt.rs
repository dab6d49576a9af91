//! ReEncrypt: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html>.
//!
//! Errors: those of Decrypt for the source, then those of Encrypt for the destination; but what needs no plaintext is
//! checked of both before anything is decrypted. The plaintext never leaves.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::request_quota::RequestQuota;
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::spec::{DryRunModifier, EncryptionAlgorithm, KeyLastUsageOperation};
use keyreeve_policy::ContextKey;
use keyreeve_wire::{ReEncryptInput, ReEncryptOutput};

use crate::decrypt::{Opened, authorize_named, find_named, find_source, open_source};
use crate::{asymmetric, grant_tokens, managed_key, public_key, symmetric};

pub(crate) async fn re_encrypt(cx: &mut Cx<'_>, input: ReEncryptInput) -> Result<ReEncryptOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let ignored = input.dry_run && input.dry_run_modifiers.contains(&DryRunModifier::IgnoreCiphertext);
    let blob = input.ciphertext_blob.as_ref().filter(|_| !ignored);
    let asked = input.source_encryption_algorithm;
    let source_key_id = input.source_key_id.as_deref();
    let texts = symmetric::asked_algorithm(asked);
    let from_asked = Particulars {
        encryption_context: Some(input.source_encryption_context.as_map()),
        by_ciphertext: source_key_id.is_none(),
        ..Particulars::of(&texts)
    };
    let named = match source_key_id {
        Some(key_id) => Some(find_named::<actions::ReEncryptFrom>(cx, key_id, blob, asked).await?),
        None => None,
    };
    let (from_key, source) = match &named {
        Some(named) => (named.clone(), None),
        None => {
            let (found, source) =
                find_source::<actions::ReEncryptFrom>(cx, blob, None, asked, &from_asked).await?;
            (found, Some(source))
        }
    };
    let destination = managed_key::find::<actions::ReEncryptTo>(cx, &input.destination_key_id).await?;
    let is_same = if from_key.key.arn() == destination.key.arn() { "true" } else { "false" };
    let same = (ContextKey::KmsReEncryptOnSameKey, is_same);
    let [algorithm] = texts;
    let from_texts = [algorithm, same];
    let from_asked = Particulars { texts: &from_texts, ..from_asked };
    let (found, source) = match source {
        Some(source) => (from_key, source),
        None => {
            let key_id = source_key_id.unwrap_or_default();
            authorize_named::<actions::ReEncryptFrom>(cx, key_id, &from_key, &from_asked).await?;
            find_source::<actions::ReEncryptFrom>(cx, blob, named, asked, &from_asked).await?
        }
    };
    let from = cx.open::<actions::ReEncryptFrom>(&found, &from_asked).await?;
    let [algorithm] = symmetric::asked_algorithm(input.destination_encryption_algorithm);
    let to_texts = [algorithm, same];
    let to_asked = Particulars {
        encryption_context: Some(input.destination_encryption_context.as_map()),
        ..Particulars::of(&to_texts)
    };
    // AWS: unverified. One request counts once against each kind of key that it uses.
    let of_destination = RequestQuota::of_key(destination.key.record().spec);
    if of_destination != RequestQuota::of_key(found.key.record().spec) {
        cx.meter(of_destination)?;
    }
    let to = cx.open::<actions::ReEncryptTo>(&destination, &to_asked).await?;
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
    for (name, material) in [("destinationKeyMaterialId", sealed_by), ("sourceKeyMaterialId", material)] {
        if let Some(material) = material {
            symmetric::note_material(cx, name, material);
        }
    }
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
