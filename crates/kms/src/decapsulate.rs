//! Decapsulate: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decapsulate.html>.
//!
//! Errors, in order: InvalidGrantToken · NotFound · AccessDenied · InvalidKeyUsage · Disabled, KMSInvalidState ·
//! InvalidKeyUsage (algorithm) · InvalidCiphertext (length) · DryRunOperation. A forged ciphertext of the right length
//! gives a secret that nobody knows (FIPS 203, implicit rejection).

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_crypto::asymmetric::DecapsulateError;
use keyreeve_domain::spec::KeyLastUsageOperation;
use keyreeve_wire::{DecapsulateInput, DecapsulateOutput, ErrorCode};

use crate::asymmetric::{check_encapsulation, refusal};
use crate::{grant_tokens, symmetric};

pub(crate) async fn decapsulate(
    cx: &mut Cx<'_>,
    input: DecapsulateInput,
) -> Result<DecapsulateOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let found = cx.find::<actions::Decapsulate>(&input.key_id).await?;
    let ready = cx.open::<actions::Decapsulate>(&found, &Particulars::NONE).await?;
    check_encapsulation(ready.record().spec, input.encapsulation_algorithm)?;
    let ciphertext = input.shared_secret_ciphertext_blob;
    let opened = cx.service.compute(ready.decapsulating()?, move |key| key.decapsulate(ciphertext.as_ref()));
    let secret = opened.await?.map_err(|error| {
        refusal(error, |error| match error {
            DecapsulateError::CiphertextLength => Some(Refusal::silent(ErrorCode::InvalidCiphertext)),
            DecapsulateError::Library | DecapsulateError::Unsupported => None,
        })
    })?;
    symmetric::end_dry_run(input.dry_run)?;
    symmetric::note_use(cx, &ready, KeyLastUsageOperation::Decapsulate);
    Ok(DecapsulateOutput {
        encapsulation_algorithm: input.encapsulation_algorithm,
        key_id: ready.arn_text().to_owned(),
        shared_secret: secret.into(),
    })
}
