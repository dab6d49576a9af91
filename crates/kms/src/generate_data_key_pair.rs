//! GenerateDataKeyPair and GenerateDataKeyPairWithoutPlaintext:
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPair.html>.
//!
//! Errors, in order: InvalidGrantToken, ValidationException (Recipient) · NotFound · AccessDenied · InvalidKeyUsage ·
//! Disabled, KMSInvalidState · ValidationException (Recipient's document) · InvalidKeyUsage (an asymmetric key) ·
//! UnsupportedOperation (SM2) · DryRunOperation.

use keyreeve_core::gate::Particulars;
use keyreeve_core::gate::actions::{self, Sealing};
use keyreeve_core::request_quota::RequestQuota;
use keyreeve_core::{Cx, Refusal};
use keyreeve_crypto::data_key_pair::{DataKeyPair, key_spec};
use keyreeve_domain::KeyMaterialId;
use keyreeve_domain::spec::{DataKeyPairSpec, EncryptionAlgorithm, KeyLastUsageOperation};
use keyreeve_policy::ContextKey;
use keyreeve_wire::{
    EncryptionContext, ErrorCode, GenerateDataKeyPairInput, GenerateDataKeyPairOutput,
    GenerateDataKeyPairWithoutPlaintextInput, GenerateDataKeyPairWithoutPlaintextOutput,
};

use crate::{grant_tokens, managed_key, recipient, symmetric};

pub(crate) async fn generate_data_key_pair(
    cx: &mut Cx<'_>,
    input: GenerateDataKeyPairInput,
) -> Result<GenerateDataKeyPairOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let recipient = recipient::check(input.recipient)?;
    let asked = Asked {
        key_id: &input.key_id,
        spec: input.key_pair_spec,
        context: &input.encryption_context,
        dry_run: input.dry_run,
    };
    let operation = KeyLastUsageOperation::GenerateDataKeyPair;
    let made = make::<actions::GenerateDataKeyPair>(cx, &asked, operation, recipient).await?;
    let delivered = recipient::deliver(cx, made.pair.private_key)?;
    Ok(GenerateDataKeyPairOutput {
        ciphertext_for_recipient: delivered.for_recipient,
        key_id: made.key_id,
        key_material_id: recipient::material_id(cx, Some(made.material)),
        key_pair_spec: input.key_pair_spec,
        private_key_ciphertext_blob: made.blob.into(),
        private_key_plaintext: delivered.plaintext,
        public_key: made.pair.public_key.into(),
    })
}

pub(crate) async fn generate_data_key_pair_without_plaintext(
    cx: &mut Cx<'_>,
    input: GenerateDataKeyPairWithoutPlaintextInput,
) -> Result<GenerateDataKeyPairWithoutPlaintextOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let asked = Asked {
        key_id: &input.key_id,
        spec: input.key_pair_spec,
        context: &input.encryption_context,
        dry_run: input.dry_run,
    };
    let operation = KeyLastUsageOperation::GenerateDataKeyPairWithoutPlaintext;
    let made = make::<actions::GenerateDataKeyPairWithoutPlaintext>(cx, &asked, operation, None).await?;
    Ok(GenerateDataKeyPairWithoutPlaintextOutput {
        key_id: made.key_id,
        key_material_id: Some(made.material.to_string()),
        key_pair_spec: input.key_pair_spec,
        private_key_ciphertext_blob: made.blob.into(),
        public_key: made.pair.public_key.into(),
    })
}

/// What a request asks for.
struct Asked<'i> {
    key_id: &'i str,
    spec: DataKeyPairSpec,
    context: &'i EncryptionContext,
    dry_run: bool,
}

/// A data key pair, its private key in the clear and encrypted.
struct Made {
    pair: DataKeyPair,
    blob: Vec<u8>,
    key_id: String,
    material: KeyMaterialId,
}

async fn make<A: Sealing>(
    cx: &mut Cx<'_>,
    asked: &Asked<'_>,
    operation: KeyLastUsageOperation,
    recipient: Option<recipient::Document>,
) -> Result<Made, Refusal> {
    cx.meter(RequestQuota::of_data_key_pair(asked.spec))?;
    let found = managed_key::find::<A>(cx, asked.key_id).await?;
    let texts = [
        (ContextKey::KmsDataKeyPairSpec, asked.spec.as_str()),
        (ContextKey::KmsEncryptionAlgorithm, EncryptionAlgorithm::SymmetricDefault.as_str()),
    ];
    let particulars =
        Particulars { encryption_context: Some(asked.context.as_map()), ..Particulars::of(&texts) };
    let recipient = recipient::attest_early(cx, &found, recipient).await?;
    let ready = cx.open::<A>(&found, &particulars).await?;
    recipient::attest(cx, recipient).await?;
    // AWS: unverified for key pairs; this is the answer of GenerateDataKey.
    symmetric::check_symmetric(&ready, "data key pair")?;
    if asked.spec == DataKeyPairSpec::Sm2 && !cx.service.makes_sm2(cx.region) {
        // AWS: unverified. The form is that of CreateKey.
        let message = format!("KeyPairSpec {} is not supported in this Region", asked.spec);
        return Err(Refusal::new(ErrorCode::UnsupportedOperation, message));
    }
    symmetric::end_dry_run(asked.dry_run)?;
    let spec = asked.spec;
    let read = move |material: &_| DataKeyPair::from_material(spec, material);
    let pair = cx.service.read_new_material(key_spec(spec), read).await?;
    let pair = pair.or(Err(Refusal::internal()))?;
    let sealing = ready.sealing()?;
    let blob = sealing.seal(asked.context.as_map(), &pair.private_key, cx.service.vault().random())?;
    symmetric::note_material(cx, symmetric::KEY_MATERIAL, sealing.material_id());
    symmetric::note_use(cx, &ready, operation);
    Ok(Made { pair, blob, key_id: ready.arn_text().to_owned(), material: sealing.material_id() })
}
