//! The chain of certificates from a configured root to the key that signs a document.
//!
//! A document brings it in order, root first, so there is no search for a path
//! ([RFC 5280 section 6.1](https://www.rfc-editor.org/rfc/rfc5280#section-6.1)). As the specification of documents demands,
//! no revocation list is asked for.

use keyreeve_crypto::p384::PublicKey;
use keyreeve_domain::Timestamp;

use crate::certificate::Certificate;
use crate::error::{AttestationError, CertificateError, Field, FieldError};
use crate::roots::Roots;

/// The key of `signer`, to which `authorities` lead at `time`.
pub(crate) fn verify(
    authorities: &[&[u8]],
    signer: &[u8],
    time: Timestamp,
    roots: &Roots,
) -> Result<PublicKey, AttestationError> {
    let (root, others) = authorities.split_first().ok_or(Field::CaBundle.wrong(FieldError::Missing))?;
    if !roots.contains(root) {
        return Err(AttestationError::Root);
    }
    let mut issuer = authority(root, None, others.len(), time).map_err(at(0))?;
    for (position, der) in (1..).zip(others) {
        issuer = authority(der, Some(&issuer), others.len().saturating_sub(position), time)
            .map_err(at(position))?;
    }
    let signer =
        checked(signer, Some(&issuer), time, Certificate::check_signer).map_err(at(authorities.len()))?;
    Ok(signer.key().clone())
}

fn authority(
    der: &[u8],
    issuer: Option<&Certificate>,
    authorities_below: usize,
    time: Timestamp,
) -> Result<Certificate, CertificateError> {
    checked(der, issuer, time, |certificate| certificate.check_authority(authorities_below))
}

/// A certificate fit for its place; a root has no issuer, because it was configured.
fn checked(
    der: &[u8],
    issuer: Option<&Certificate>,
    time: Timestamp,
    check_role: impl FnOnce(&Certificate) -> Result<(), CertificateError>,
) -> Result<Certificate, CertificateError> {
    let certificate = Certificate::parse(der)?;
    certificate.check_validity(time)?;
    check_role(&certificate)?;
    issuer.map_or(Ok(()), |issuer| certificate.check_issuer(issuer))?;
    Ok(certificate)
}

fn at(position: usize) -> impl Fn(CertificateError) -> AttestationError {
    move |error| AttestationError::Certificate { position, error }
}
