//! Verify: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Verify.html>.
//!
//! Errors, in order: InvalidGrantToken · NotFound · AccessDenied · InvalidKeyUsage · Disabled, KMSInvalidState ·
//! InvalidKeyUsage (algorithm) · ValidationException (type of message, length of the digest) · KMSInvalidSignature ·
//! DryRunOperation.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_crypto::asymmetric::VerifyError;
use keyreeve_domain::spec::{KeyLastUsageOperation, MessageType};
use keyreeve_policy::ContextKey;
use keyreeve_wire::{ErrorCode, VerifyInput, VerifyOutput};

use crate::asymmetric::{check_message, check_signing, message_of, refusal};
use crate::{grant_tokens, symmetric};

pub(crate) async fn verify(cx: &mut Cx<'_>, input: VerifyInput) -> Result<VerifyOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let found = cx.find::<actions::Verify>(&input.key_id).await?;
    let kind = input.message_type.unwrap_or(MessageType::Raw);
    let asked = [
        (ContextKey::KmsMessageType, kind.as_str()),
        (ContextKey::KmsSigningAlgorithm, input.signing_algorithm.as_str()),
    ];
    let ready = cx.open::<actions::Verify>(&found, &Particulars::of(&asked)).await?;
    let spec = ready.record().spec;
    let signing_algorithm = check_signing(spec, input.signing_algorithm)?;
    check_message(spec, signing_algorithm, kind, &input.message)?;
    let (message, signature) = (input.message.into_inner(), input.signature);
    let verified = cx.service.compute(ready.verifying()?, move |key| {
        key.verify(signing_algorithm, message_of(kind, &message), signature.as_ref())
    });
    verified.await?.map_err(|error| {
        refusal(error, |error| match error {
            VerifyError::Mismatch => Some(Refusal::silent(ErrorCode::KmsInvalidSignature)),
            VerifyError::MessageLength | VerifyError::Unsupported => None,
        })
    })?;
    symmetric::end_dry_run(input.dry_run)?;
    symmetric::note_use(cx, &ready, KeyLastUsageOperation::Verify);
    Ok(VerifyOutput { key_id: ready.arn_text().to_owned(), signature_valid: true, signing_algorithm })
}
