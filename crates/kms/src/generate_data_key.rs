//! GenerateDataKey and GenerateDataKeyWithoutPlaintext:
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html>.
//!
//! Errors, in order: ValidationException (neither or both lengths) · InvalidGrantToken, ValidationException (Recipient) ·
//! NotFound · AccessDenied · InvalidKeyUsage · Disabled, KMSInvalidState · ValidationException (Recipient's document) ·
//! InvalidKeyUsage (an asymmetric key) · DryRunOperation.

use std::collections::BTreeMap;

use keyreeve_core::gate::Particulars;
use keyreeve_core::gate::actions::{self, Sealing};
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::KeyMaterialId;
use keyreeve_domain::spec::{DataKeySpec, KeyLastUsageOperation};
use keyreeve_wire::{
    ErrorCode, GenerateDataKeyInput, GenerateDataKeyOutput, GenerateDataKeyWithoutPlaintextInput,
    GenerateDataKeyWithoutPlaintextOutput,
};
use zeroize::Zeroizing;

use crate::{grant_tokens, managed_key, recipient, symmetric};

pub(crate) async fn generate_data_key(
    cx: &mut Cx<'_>,
    input: GenerateDataKeyInput,
) -> Result<GenerateDataKeyOutput, Refusal> {
    let len = data_key_len(input.key_spec, input.number_of_bytes)?;
    grant_tokens::check(cx, &input.grant_tokens)?;
    let recipient = recipient::check(input.recipient)?;
    let operation = KeyLastUsageOperation::GenerateDataKey;
    let context = input.encryption_context.as_map();
    let made = make::<actions::GenerateDataKey>(
        cx,
        &input.key_id,
        len,
        context,
        input.dry_run,
        operation,
        recipient,
    )
    .await?;
    let delivered = recipient::deliver(cx, made.plaintext)?;
    Ok(GenerateDataKeyOutput {
        ciphertext_blob: made.blob.into(),
        ciphertext_for_recipient: delivered.for_recipient,
        key_id: made.key_id,
        key_material_id: recipient::material_id(cx, Some(made.material)),
        plaintext: delivered.plaintext,
    })
}

pub(crate) async fn generate_data_key_without_plaintext(
    cx: &mut Cx<'_>,
    input: GenerateDataKeyWithoutPlaintextInput,
) -> Result<GenerateDataKeyWithoutPlaintextOutput, Refusal> {
    let len = data_key_len(input.key_spec, input.number_of_bytes)?;
    grant_tokens::check(cx, &input.grant_tokens)?;
    let operation = KeyLastUsageOperation::GenerateDataKeyWithoutPlaintext;
    let context = input.encryption_context.as_map();
    let made = make::<actions::GenerateDataKeyWithoutPlaintext>(
        cx,
        &input.key_id,
        len,
        context,
        input.dry_run,
        operation,
        None,
    )
    .await?;
    Ok(GenerateDataKeyWithoutPlaintextOutput {
        ciphertext_blob: made.blob.into(),
        key_id: made.key_id,
        key_material_id: Some(made.material.to_string()),
    })
}

/// A data key, in the clear and encrypted.
struct DataKey {
    plaintext: Zeroizing<Vec<u8>>,
    blob: Vec<u8>,
    key_id: String,
    material: KeyMaterialId,
}

async fn make<A: Sealing>(
    cx: &mut Cx<'_>,
    key_id: &str,
    len: usize,
    context: &BTreeMap<String, String>,
    dry_run: bool,
    operation: KeyLastUsageOperation,
    recipient: Option<recipient::Document>,
) -> Result<DataKey, Refusal> {
    let found = managed_key::find::<A>(cx, key_id).await?;
    let asked = symmetric::asked_algorithm(None);
    let particulars = Particulars { encryption_context: Some(context), ..Particulars::of(&asked) };
    let recipient = recipient::attest_early(cx, &found, recipient).await?;
    let ready = cx.open::<A>(&found, &particulars).await?;
    recipient::attest(cx, recipient).await?;
    symmetric::check_symmetric(&ready, "data key")?;
    symmetric::end_dry_run(dry_run)?;
    let random = cx.service.vault().random();
    let mut plaintext = Zeroizing::new(vec![0; len]);
    random.fill(&mut plaintext)?;
    let sealing = ready.sealing()?;
    let blob = sealing.seal(context, &plaintext, random)?;
    symmetric::note_material(cx, symmetric::KEY_MATERIAL, sealing.material_id());
    symmetric::note_use(cx, &ready, operation);
    Ok(DataKey { plaintext, blob, key_id: ready.arn_text().to_owned(), material: sealing.material_id() })
}

fn data_key_len(spec: Option<DataKeySpec>, bytes: Option<u32>) -> Result<usize, Refusal> {
    let len = match (spec, bytes) {
        (Some(DataKeySpec::Aes256), None) => Some(32),
        (Some(DataKeySpec::Aes128), None) => Some(16),
        (None, Some(bytes)) => usize::try_from(bytes).ok(),
        (None, None) | (Some(_), Some(_)) => None,
    };
    len.ok_or_else(|| {
        Refusal::new(ErrorCode::Validation, "Please specify either number of bytes or key spec.")
    })
}
