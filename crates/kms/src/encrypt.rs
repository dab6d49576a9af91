//! Encrypt: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>.
//!
//! Errors, in order: InvalidGrantToken · NotFound · AccessDenied · InvalidKeyUsage · Disabled, KMSInvalidState ·
//! InvalidKeyUsage (algorithm) · ValidationException (context, length; asymmetric keys) · DryRunOperation.

use keyreeve_core::gate::{Particulars, Ready, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::spec::{EncryptionAlgorithm, KeyLastUsageOperation};
use keyreeve_wire::{EncryptInput, EncryptOutput};

use crate::{asymmetric, grant_tokens, managed_key, public_key, symmetric};

pub(crate) async fn encrypt(cx: &mut Cx<'_>, input: EncryptInput) -> Result<EncryptOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let found = managed_key::find::<actions::Encrypt>(cx, &input.key_id).await?;
    let asked = symmetric::asked_algorithm(input.encryption_algorithm);
    let particulars = Particulars {
        encryption_context: Some(input.encryption_context.as_map()),
        ..Particulars::of(&asked)
    };
    let ready = cx.open::<actions::Encrypt>(&found, &particulars).await?;
    let encryption_algorithm = symmetric::check_algorithm(&ready, input.encryption_algorithm)?;
    if encryption_algorithm != EncryptionAlgorithm::SymmetricDefault {
        return encrypt_under_public_key(cx, &ready, input, encryption_algorithm).await;
    }
    symmetric::end_dry_run(input.dry_run)?;
    let context = input.encryption_context.as_map();
    // EXPOSE: the plaintext is what is to be encrypted.
    let sealing = ready.sealing()?;
    let blob = sealing.seal(context, input.plaintext.expose(), cx.service.vault().random())?;
    symmetric::note_material(cx, symmetric::KEY_MATERIAL, sealing.material_id());
    symmetric::note_use(cx, &ready, KeyLastUsageOperation::Encrypt);
    Ok(EncryptOutput {
        ciphertext_blob: blob.into(),
        encryption_algorithm,
        key_id: ready.arn_text().to_owned(),
    })
}

async fn encrypt_under_public_key(
    cx: &Cx<'_>,
    ready: &Ready<'_, actions::Encrypt>,
    input: EncryptInput,
    encryption_algorithm: EncryptionAlgorithm,
) -> Result<EncryptOutput, Refusal> {
    asymmetric::check_context(encryption_algorithm, &input.encryption_context)?;
    let plaintext = input.plaintext.into_inner();
    asymmetric::check_plaintext(ready.record().spec, encryption_algorithm, &plaintext)?;
    symmetric::end_dry_run(input.dry_run)?;
    let sealed = public_key::encrypt(cx, ready, encryption_algorithm, plaintext).await?;
    symmetric::note_use(cx, ready, KeyLastUsageOperation::Encrypt);
    Ok(EncryptOutput {
        ciphertext_blob: sealed.into(),
        encryption_algorithm,
        key_id: ready.arn_text().to_owned(),
    })
}
