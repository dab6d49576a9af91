//! GetPublicKey: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html>.
//!
//! Errors, in order: InvalidGrantToken · NotFound · AccessDenied · KMSInvalidState · UnsupportedOperation (no asymmetric
//! key). A disabled key still shows its public key.

use keyreeve_core::gate::pairs::{Kind, kind};
use keyreeve_core::gate::{Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::{ErrorCode, GetPublicKeyInput, GetPublicKeyOutput};

use crate::asymmetric::refusal;
use crate::grant_tokens;
use crate::metadata::Algorithms;

pub(crate) async fn get_public_key(
    cx: &mut Cx<'_>,
    input: GetPublicKeyInput,
) -> Result<GetPublicKeyOutput, Refusal> {
    grant_tokens::check(cx, &input.grant_tokens)?;
    let found = cx.find::<actions::GetPublicKey>(&input.key_id).await?;
    let ready = cx.open::<actions::GetPublicKey>(&found, &Particulars::NONE).await?;
    let record = ready.record();
    match kind(record.spec) {
        Kind::Pair => {}
        Kind::Mac | Kind::Symmetric => return Err(Refusal::silent(ErrorCode::UnsupportedOperation)),
    }
    let read = cx.service.compute(ready.public_key()?, |key| key.to_spki()).await?;
    let public_key = read.map_err(|error| refusal(error, |never| match never {}))?;
    let algorithms = Algorithms::of(record);
    Ok(GetPublicKeyOutput {
        customer_master_key_spec: record.spec.customer_master_key_spec(),
        encapsulation_algorithms: algorithms.encapsulation,
        encryption_algorithms: algorithms.encryption,
        key_agreement_algorithms: algorithms.key_agreement,
        key_id: ready.arn_text().to_owned(),
        key_spec: record.spec,
        key_usage: record.usage,
        public_key: public_key.into(),
        signing_algorithms: algorithms.signing,
    })
}
