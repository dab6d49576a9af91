//! VerifyMac: <https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html>.
//!
//! Errors, in order: InvalidGrantToken · NotFound · AccessDenied · InvalidKeyUsage · Disabled, KMSInvalidState ·
//! InvalidKeyUsage (algorithm) · KMSInvalidMac · DryRunOperation.

use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_crypto::hmac::MismatchError;
use keyreeve_domain::spec::KeyLastUsageOperation;
use keyreeve_policy::ContextKey;
use keyreeve_wire::{ErrorCode, VerifyMacInput, VerifyMacOutput};

use crate::asymmetric::{check_mac, refusal};
use crate::{grant_tokens, symmetric};

pub(crate) async fn verify_mac(cx: &mut Cx<'_>, input: VerifyMacInput) -> Result<VerifyMacOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let found = cx.find::<actions::VerifyMac>(&input.key_id).await?;
    let ready = cx
        .open::<actions::VerifyMac>(
            &found,
            &Particulars::of(&[(ContextKey::KmsMacAlgorithm, input.mac_algorithm.as_str())]),
        )
        .await?;
    check_mac(ready.record().spec, input.mac_algorithm)?;
    // EXPOSE: the message is what the MAC was made of.
    let verified = ready.verifying_mac()?.verify(input.message.expose(), input.mac.as_ref());
    verified
        .map_err(|error| refusal(error, |MismatchError| Some(Refusal::silent(ErrorCode::KmsInvalidMac))))?;
    symmetric::end_dry_run(input.dry_run)?;
    symmetric::note_use(cx, &ready, KeyLastUsageOperation::VerifyMac);
    Ok(VerifyMacOutput {
        key_id: ready.arn_text().to_owned(),
        mac_algorithm: input.mac_algorithm,
        mac_valid: true,
    })
}
