//! DeriveSharedSecret: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeriveSharedSecret.html>.
//!
//! Errors, in order: InvalidGrantToken, ValidationException (Recipient) · NotFound · AccessDenied · InvalidKeyUsage ·
//! Disabled, KMSInvalidState · ValidationException (Recipient's document) · InvalidKeyUsage (algorithm) ·
//! ValidationException (the other's public key) · DryRunOperation.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_crypto::asymmetric::AgreeError;
use keyreeve_domain::spec::KeyLastUsageOperation;
use keyreeve_policy::ContextKey;
use keyreeve_wire::{DeriveSharedSecretInput, DeriveSharedSecretOutput, ErrorCode};

use crate::asymmetric::{check_agreement, refusal};
use crate::{grant_tokens, recipient, symmetric};

pub(crate) async fn derive_shared_secret(
    cx: &mut Cx<'_>,
    input: DeriveSharedSecretInput,
) -> Result<DeriveSharedSecretOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let recipient = recipient::check(input.recipient)?;
    let found = cx.find::<actions::DeriveSharedSecret>(&input.key_id).await?;
    let recipient = recipient::attest_early(cx, &found, recipient).await?;
    let ready = cx
        .open::<actions::DeriveSharedSecret>(
            &found,
            &Particulars::of(&[(
                ContextKey::KmsKeyAgreementAlgorithm,
                input.key_agreement_algorithm.as_str(),
            )]),
        )
        .await?;
    recipient::attest(cx, recipient).await?;
    check_agreement(ready.record().spec, input.key_agreement_algorithm)?;
    let peer = input.public_key;
    let agreed = cx.service.compute(ready.agreeing()?, move |key| key.agree(peer.as_ref()));
    let secret = agreed.await?.map_err(|error| {
        refusal(error, |error| match error {
            AgreeError::PeerKey => Some(Refusal::silent(ErrorCode::Validation)),
            AgreeError::Library | AgreeError::Unsupported => None,
        })
    })?;
    symmetric::end_dry_run(input.dry_run)?;
    symmetric::note_use(cx, &ready, KeyLastUsageOperation::DeriveSharedSecret);
    let delivered = recipient::deliver(cx, secret)?;
    Ok(DeriveSharedSecretOutput {
        ciphertext_for_recipient: delivered.for_recipient,
        key_agreement_algorithm: input.key_agreement_algorithm,
        key_id: ready.arn_text().to_owned(),
        key_origin: ready.record().origin,
        shared_secret: delivered.plaintext,
    })
}
