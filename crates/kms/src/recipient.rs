//! The `Recipient` of a request: an attested enclave for which the secret in the answer is encrypted.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/cryptographic-attestation.html>. The document is verified
//! behind the gate, so that nobody who may do nothing has several signatures verified; before it, where a policy has a
//! condition on `kms:RecipientAttestation`.

use keyreeve_attestation::Platform;
use keyreeve_audit::json::Object;
use keyreeve_core::view::Found;
use keyreeve_core::{Cx, Refusal, gate};
use keyreeve_domain::KeyMaterialId;
use keyreeve_wire::{Blob, ErrorCode, RecipientInfo, SensitiveBlob};
use zeroize::Zeroizing;

/// An attestation document that nobody has looked at.
pub(crate) struct Document(Blob);

/// The document of the recipient, where the request names one.
pub(crate) fn check(asked: Option<RecipientInfo>) -> Result<Option<Document>, Refusal> {
    let Some(asked) = asked else { return Ok(None) };
    if asked.key_encryption_algorithm.is_none() {
        return Err(refused("A Recipient needs a KeyEncryptionAlgorithm."));
    }
    let missing = || refused("A Recipient needs an AttestationDocument.");
    Ok(Some(Document(asked.attestation_document.ok_or_else(missing)?)))
}

/// As [`attest`], before the gate, where a policy of the key or of the caller asks for what is attested. A document that is
/// verified leaves nothing to do. One that is not is refused behind the gate: whoever may do nothing learns nothing of it.
pub(crate) async fn attest_early(
    cx: &mut Cx<'_>,
    found: &Found,
    document: Option<Document>,
) -> Result<Option<Document>, Refusal> {
    if document.is_none() || !gate::asks_for_attestation(cx, &found.key).await? {
        return Ok(document);
    }
    let Some(Document(document)) = document else { return Ok(None) };
    let copy = Document(document.as_ref().to_vec().into());
    match attest(cx, Some(copy)).await {
        Ok(()) => Ok(None),
        Err(_) => Ok(Some(Document(document))),
    }
}

/// Verifies the document, where there is one, and keeps what it attests in the context.
// AWS: unverified. Where the service verifies a document among its other checks is not known.
pub(crate) async fn attest(cx: &mut Cx<'_>, document: Option<Document>) -> Result<(), Refusal> {
    let Some(Document(document)) = document else { return Ok(()) };
    let (now, roots) = (cx.now, cx.service.roots());
    // Several signatures over P-384.
    let verified =
        cx.service.work(move || keyreeve_attestation::verify(document.as_ref(), now, &roots)).await?;
    let attestation = verified.map_err(|error| refused(&format!("Recipient: {error}.")))?;
    let mut data = Object::begin(&mut cx.notes.additional_event_data);
    let mut recipient = Object::begin(data.member("recipient"));
    recipient.string("attestationDocumentModuleId", &attestation.module_id);
    if let Some(digest) = attestation.measurements.image_digest() {
        recipient.string("attestationDocumentEnclaveImageDigest", &digest);
    }
    if attestation.measurements.platform() == Platform::NitroTpm {
        // AWS: unverified. These are the registers of the examples; whether the service has others is not known.
        for (index, register) in attestation.measurements.registers() {
            if NITROTPM_REGISTERS.contains(&index) {
                recipient.string(&format!("attestationDocumentNitroTPMPCR{index}"), &register);
            }
        }
    }
    recipient.end();
    data.end();
    cx.attestation = Some(attestation);
    Ok(())
}

/// The registers of a NitroTPM that the trail has.
const NITROTPM_REGISTERS: [u8; 6] = [4, 7, 8, 9, 16, 23];

// AWS: unverified. The texts of this module are our own.
fn refused(text: &str) -> Refusal {
    Refusal::new(ErrorCode::Validation, text)
}

/// A secret as the answer has it.
pub(crate) struct Delivered {
    /// In the clear, for a caller that named no recipient.
    pub(crate) plaintext: Option<SensitiveBlob>,
    /// Encrypted for the recipient.
    pub(crate) for_recipient: Option<Blob>,
}

/// Hands out `secret`: in the clear, or to the attested recipient alone.
pub(crate) fn deliver(cx: &Cx<'_>, secret: Zeroizing<Vec<u8>>) -> Result<Delivered, Refusal> {
    let Some(attestation) = &cx.attestation else {
        return Ok(Delivered { plaintext: Some(secret.into()), for_recipient: None });
    };
    let enveloped = attestation.recipient.envelope(&secret, cx.service.vault().random());
    let enveloped = enveloped.map_err(|error| {
        tracing::error!(%error, "an answer could not be encrypted for its recipient");
        Refusal::internal()
    })?;
    Ok(Delivered { plaintext: None, for_recipient: Some(enveloped.into()) })
}

/// The id of the material as the answer has it: not beside a recipient.
pub(crate) fn material_id(cx: &Cx<'_>, material: Option<KeyMaterialId>) -> Option<String> {
    material.filter(|_| cx.attestation.is_none()).map(|material| material.to_string())
}
