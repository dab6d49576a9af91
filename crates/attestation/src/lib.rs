//! Attestation documents of AWS Nitro enclaves and of NitroTPM: proof of what runs where a key is to be used.
//!
//! What [`verify`] returns was signed, not long ago, by a certificate that leads to a configured root, and names an RSA key
//! whose private half the attested machine holds. Which measurements are good is for policies to say, so documents of
//! debug enclaves, whose registers are zero, pass as well.
//!
//! Sources: [Nitro Enclaves attestation process](https://github.com/aws/aws-nitro-enclaves-nsm-api/blob/main/docs/attestation_process.md),
//! [Validate a NitroTPM Attestation Document](https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/nitrotpm-attestation-document-validate.html).

mod cbor;
mod certificate;
mod chain;
mod document;
mod error;
mod measurements;
mod roots;

pub use error::{AttestationError, CertificateError, Field, FieldError};
pub use measurements::{Measurements, Platform};
pub use roots::{RootError, Roots};

use keyreeve_crypto::recipient::RecipientKey;
use keyreeve_domain::Timestamp;

/// The most bytes of a document, as the service model has it.
pub const MAX_DOCUMENT_LEN: usize = 262_144;

/// The age in milliseconds at which a document is refused.
// AWS: unverified. The service documents no limit; five minutes is what its clients report.
pub const MAX_AGE: i64 = 5 * 60 * 1000;

/// How many milliseconds a document may be ahead of this machine's clock.
// AWS: unverified.
pub const MAX_AHEAD: i64 = 60 * 1000;

/// What a verified document says.
#[derive(Debug)]
pub struct Attestation {
    /// The machine: the id of an instance, then that of the enclave or the TPM.
    pub module_id: String,
    /// When the document was made.
    pub timestamp: Timestamp,
    /// The platform configuration registers.
    pub measurements: Measurements,
    /// The key for which answers are enveloped.
    pub recipient: RecipientKey,
}

/// Verifies `document` at the time `now`.
///
/// The certificates are held to the document's own time, which is [`MAX_AGE`] before `now` at the earliest.
///
/// # Errors
/// The first check that fails, in the order of the variants of [`AttestationError`]; but what a signature has to show comes
/// after all that shows without one, and there the document's own comes first.
pub fn verify(document: &[u8], now: Timestamp, roots: &Roots) -> Result<Attestation, AttestationError> {
    if document.len() > MAX_DOCUMENT_LEN {
        return Err(AttestationError::TooLong);
    }
    let signed = document::Signed::parse(document)?;
    let payload = document::Payload::parse(signed.payload)?;
    check_age(payload.timestamp, now)?;
    let chain = chain::Chain::read(&payload.cabundle, payload.certificate, payload.timestamp, roots)?;
    // ORDER: whoever has no key of the chain, which anybody can copy from a document, is refused after one verification.
    chain
        .key()
        .verify_fixed(&signed.signed_bytes(), signed.signature)
        .or(Err(AttestationError::Signature))?;
    chain.check_signatures()?;
    let public_key = payload.public_key.ok_or(AttestationError::NoPublicKey)?;
    Ok(Attestation {
        module_id: payload.module_id.to_owned(),
        timestamp: payload.timestamp,
        measurements: payload.measurements,
        recipient: RecipientKey::parse(public_key).or(Err(AttestationError::PublicKey))?,
    })
}

fn check_age(timestamp: Timestamp, now: Timestamp) -> Result<(), AttestationError> {
    let age = now.millis_since(timestamp);
    if age > MAX_AGE {
        return Err(AttestationError::Stale);
    }
    if age < -MAX_AHEAD { Err(AttestationError::Future) } else { Ok(()) }
}
