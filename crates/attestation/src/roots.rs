//! The root certificates to which documents may lead.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::certificate::Certificate;

/// A configured root cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RootError {
    /// Not PEM.
    #[error("not in the PEM format")]
    Pem,
    /// No certificate in it.
    #[error("there is no certificate")]
    Empty,
    /// A certificate that no document could lead to: not an authority, not over P-384, or not signed with SHA-384.
    #[error("a certificate is not an authority over P-384")]
    Certificate,
}

/// Root certificates, each known by all of its bytes.
#[derive(Clone, Debug, Default)]
pub struct Roots(Vec<Vec<u8>>);

impl Roots {
    /// No root: every document is refused.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The root of the commercial partition of AWS, "AWS Nitro Enclaves Root-G1", valid until 2049.
    #[must_use]
    pub fn aws_nitro() -> Self {
        Self(vec![AWS_NITRO_ROOT_G1.to_vec()])
    }

    /// These and the certificates of `pem`.
    ///
    /// # Errors
    /// Where there is none, or one that cannot be a root.
    pub fn with_pem(mut self, pem: &[u8]) -> Result<Self, RootError> {
        let before = self.0.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            self = self.with_der(&certificate.or(Err(RootError::Pem))?)?;
        }
        if self.0.len() > before { Ok(self) } else { Err(RootError::Empty) }
    }

    /// These and one more.
    ///
    /// # Errors
    /// Where it cannot be a root.
    pub fn with_der(mut self, der: &[u8]) -> Result<Self, RootError> {
        let certificate = Certificate::parse(der).or(Err(RootError::Certificate))?;
        certificate.check_authority(0).or(Err(RootError::Certificate))?;
        self.0.push(der.to_vec());
        Ok(self)
    }

    pub(crate) fn contains(&self, der: &[u8]) -> bool {
        self.0.iter().any(|root| root == der)
    }
}

/// From `https://aws-nitro-enclaves.amazonaws.com/AWS_NitroEnclaves_Root-G1.zip`.
const AWS_NITRO_ROOT_G1: &[u8] = include_bytes!("aws_nitro_root_g1.der");

#[cfg(test)]
mod tests {
    use super::*;
    use keyreeve_crypto::digest::{LowerHex, sha256};

    #[test]
    fn the_root_of_aws_has_the_published_fingerprint() {
        let published = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";
        assert_eq!(LowerHex::new(&sha256(AWS_NITRO_ROOT_G1)).as_str(), published);
        assert!(Roots::none().with_der(AWS_NITRO_ROOT_G1).is_ok());
    }
}
