//! Encapsulate: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encapsulate.html>.
//!
//! Errors, in order: InvalidGrantToken · NotFound · AccessDenied · InvalidKeyUsage · Disabled, KMSInvalidState ·
//! InvalidKeyUsage (algorithm) · DryRunOperation.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::spec::KeyLastUsageOperation;
use keyreeve_wire::{EncapsulateInput, EncapsulateOutput};

use crate::asymmetric::{check_encapsulation, refusal};
use crate::{grant_tokens, symmetric};

pub(crate) async fn encapsulate(
    cx: &mut Cx<'_>,
    input: EncapsulateInput,
) -> Result<EncapsulateOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let found = cx.find::<actions::Encapsulate>(&input.key_id).await?;
    let ready = cx.open::<actions::Encapsulate>(&found, &Particulars::NONE).await?;
    check_encapsulation(ready.record().spec, input.encapsulation_algorithm)?;
    symmetric::end_dry_run(input.dry_run)?;
    let made = cx.service.compute(ready.encapsulating()?, |key| key.encapsulate()).await?;
    let made = made.map_err(|error| refusal(error, |_| None))?;
    symmetric::note_use(cx, &ready, KeyLastUsageOperation::Encapsulate);
    Ok(EncapsulateOutput {
        encapsulation_algorithm: input.encapsulation_algorithm,
        key_id: ready.arn_text().to_owned(),
        shared_secret: made.secret.into(),
        shared_secret_ciphertext_blob: made.ciphertext.into(),
    })
}
