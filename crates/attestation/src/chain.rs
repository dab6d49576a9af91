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

/// A configured root and what follows it, each fit for its place; whether each issued the next one is not verified yet.
pub(crate) struct Chain {
    authorities: Vec<Certificate>,
    signer: Certificate,
}

impl Chain {
    /// The chain of `signer`, to which `authorities` lead at `time`: all that shows without a signature.
    pub(crate) fn read(
        authorities: &[&[u8]],
        signer: &[u8],
        time: Timestamp,
        roots: &Roots,
    ) -> Result<Self, AttestationError> {
        let root = authorities.first().ok_or(Field::CaBundle.wrong(FieldError::Missing))?;
        if !roots.contains(root) {
            return Err(AttestationError::Root);
        }
        let mut read: Vec<Certificate> = Vec::with_capacity(authorities.len());
        for (position, der) in authorities.iter().enumerate() {
            let below = authorities.len().saturating_sub(position).saturating_sub(1);
            let authority = fit(der, read.last(), time, |authority| authority.check_authority(below));
            read.push(authority.map_err(at(position))?);
        }
        let signer = fit(signer, read.last(), time, Certificate::check_signer);
        let signer = signer.map_err(at(authorities.len()))?;
        Ok(Self { authorities: read, signer })
    }

    /// The key that signs the document.
    pub(crate) fn key(&self) -> &PublicKey {
        self.signer.key()
    }

    /// Checks that each certificate signed the next one. A root has no issuer, because it was configured.
    // ORDER: from the root down, so that the first certificate that no authority made ends it: no forgery costs more
    // verifications than a document that holds.
    pub(crate) fn check_signatures(&self) -> Result<(), AttestationError> {
        let below = self.authorities.iter().skip(1).chain([&self.signer]);
        for (position, (issuer, certificate)) in (1..).zip(self.authorities.iter().zip(below)) {
            certificate.check_signature(issuer).map_err(at(position))?;
        }
        Ok(())
    }
}

/// A certificate fit for its place below `issuer`; a root has none.
fn fit(
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
