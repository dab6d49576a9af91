//! GenerateRandom: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateRandom.html>.
//!
//! Errors, in order: ValidationException (no length; Recipient) · AccessDenied · ValidationException (Recipient's document) ·
//! CustomKeyStoreNotFound.

use keyreeve_core::gate::{self, Particulars, actions};
use keyreeve_core::{Cx, Refusal};
use keyreeve_wire::{ErrorCode, GenerateRandomInput, GenerateRandomOutput};
use zeroize::Zeroizing;

use crate::recipient;

pub(crate) async fn generate_random(
    cx: &mut Cx<'_>,
    input: GenerateRandomInput,
) -> Result<GenerateRandomOutput, Refusal> {
    let missing = || Refusal::new(ErrorCode::Validation, "NumberOfBytes is required.");
    let len = input.number_of_bytes.and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(missing)?;
    let recipient = recipient::check(input.recipient)?;
    gate::open_account::<actions::GenerateRandom>(cx, &Particulars::NONE).await?;
    recipient::attest(cx, recipient).await?;
    if let Some(store) = input.custom_key_store_id {
        // AWS: unverified. The text of this exception is not known; there are no custom key stores yet.
        let message = format!("Custom key store {store} is not found.");
        return Err(Refusal::new(ErrorCode::CustomKeyStoreNotFound, message));
    }
    let mut plaintext = Zeroizing::new(vec![0; len]);
    cx.service.vault().random().fill(&mut plaintext)?;
    let delivered = recipient::deliver(cx, plaintext)?;
    Ok(GenerateRandomOutput {
        ciphertext_for_recipient: delivered.for_recipient,
        plaintext: delivered.plaintext,
    })
}
