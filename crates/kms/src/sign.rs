//! Sign: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html>.
//!
//! Errors, in order: InvalidGrantToken · NotFound · AccessDenied · InvalidKeyUsage · Disabled, KMSInvalidState ·
//! InvalidKeyUsage (algorithm) · ValidationException (type of message, length of the digest) · DryRunOperation.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::spec::{KeyLastUsageOperation, MessageType};
use keyreeve_policy::ContextKey;
use keyreeve_wire::{SignInput, SignOutput};

use crate::asymmetric::{check_message, check_signing, message_of, refusal};
use crate::{grant_tokens, symmetric};

pub(crate) async fn sign(cx: &mut Cx<'_>, input: SignInput) -> Result<SignOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let found = cx.find::<actions::Sign>(&input.key_id).await?;
    let kind = input.message_type.unwrap_or(MessageType::Raw);
    let asked = [
        (ContextKey::KmsMessageType, kind.as_str()),
        (ContextKey::KmsSigningAlgorithm, input.signing_algorithm.as_str()),
    ];
    let ready = cx.open::<actions::Sign>(&found, &Particulars::of(&asked)).await?;
    let spec = ready.record().spec;
    let signing_algorithm = check_signing(spec, input.signing_algorithm)?;
    check_message(spec, signing_algorithm, kind, &input.message)?;
    symmetric::end_dry_run(input.dry_run)?;
    let message = input.message.into_inner();
    let signed = cx
        .service
        .compute(ready.signing()?, move |key| key.sign(signing_algorithm, message_of(kind, &message)));
    let signature = signed.await?.map_err(|error| refusal(error, |_| None))?;
    symmetric::note_use(cx, &ready, KeyLastUsageOperation::Sign);
    Ok(SignOutput { key_id: ready.arn_text().to_owned(), signature: signature.into(), signing_algorithm })
}
