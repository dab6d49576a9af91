//! GenerateMac: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html>.
//!
//! Errors, in order: InvalidGrantToken · NotFound · AccessDenied · InvalidKeyUsage · Disabled, KMSInvalidState ·
//! InvalidKeyUsage (algorithm) · DryRunOperation.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_domain::spec::KeyLastUsageOperation;
use keyreeve_policy::ContextKey;
use keyreeve_wire::{GenerateMacInput, GenerateMacOutput};

use crate::asymmetric::{check_mac, refusal};
use crate::{grant_tokens, symmetric};

pub(crate) async fn generate_mac(
    cx: &mut Cx<'_>,
    input: GenerateMacInput,
) -> Result<GenerateMacOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let found = cx.find::<actions::GenerateMac>(&input.key_id).await?;
    let ready = cx
        .open::<actions::GenerateMac>(
            &found,
            &Particulars::of(&[(ContextKey::KmsMacAlgorithm, input.mac_algorithm.as_str())]),
        )
        .await?;
    check_mac(ready.record().spec, input.mac_algorithm)?;
    symmetric::end_dry_run(input.dry_run)?;
    // EXPOSE: the message is what the MAC is made of.
    let made = ready.authenticating()?.sign(input.message.expose());
    let mac = made.map_err(|error| refusal(error, |_| None))?;
    symmetric::note_use(cx, &ready, KeyLastUsageOperation::GenerateMac);
    Ok(GenerateMacOutput {
        key_id: ready.arn_text().to_owned(),
        mac: mac.into(),
        mac_algorithm: input.mac_algorithm,
    })
}
