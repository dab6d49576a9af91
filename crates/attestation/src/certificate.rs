//! X.509 certificates ([RFC 5280](https://www.rfc-editor.org/rfc/rfc5280)) of the kind that stand in documents.

use keyreeve_crypto::p384::PublicKey;
use keyreeve_domain::Timestamp;
use x509_cert::certificate::Version;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};
use x509_cert::name::Name;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::Time;

use crate::error::CertificateError;

/// A certificate of version 3 over a P-384 key, signed with ECDSA and SHA-384.
pub(crate) struct Certificate {
    parsed: x509_cert::Certificate,
    key: PublicKey,
    constraints: Option<BasicConstraints>,
    usage: Option<KeyUsage>,
}

impl Certificate {
    pub(crate) fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        Self::read(der).ok_or(CertificateError::Malformed)
    }

    fn read(der: &[u8]) -> Option<Self> {
        let parsed = x509_cert::Certificate::from_der(der).ok()?;
        // INVARIANT: what is verified below is encoded anew, so the input has to be that encoding.
        if parsed.to_der().ok()? != der {
            return None;
        }
        let tbs = parsed.tbs_certificate();
        let signed = is_ecdsa_sha384(tbs.signature()) && is_ecdsa_sha384(parsed.signature_algorithm());
        if tbs.version() != Version::V3 || !signed || !extensions_are_known(&parsed) {
            return None;
        }
        let key = public_key(tbs.subject_public_key_info())?;
        let constraints = tbs.get_extension::<BasicConstraints>().ok()?.map(|(_, value)| value);
        let usage = tbs.get_extension::<KeyUsage>().ok()?.map(|(_, value)| value);
        Some(Self { key, constraints, usage, parsed })
    }

    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Checks that `time`, to the second, is within the validity.
    pub(crate) fn check_validity(&self, time: Timestamp) -> Result<(), CertificateError> {
        let validity = self.parsed.tbs_certificate().validity();
        let seconds = time.millis().div_euclid(1000);
        if seconds < unix_seconds(&validity.not_before) {
            return Err(CertificateError::NotYetValid);
        }
        if seconds > unix_seconds(&validity.not_after) { Err(CertificateError::Expired) } else { Ok(()) }
    }

    /// Checks that this is an authority that `authorities_below` more may follow.
    pub(crate) fn check_authority(&self, authorities_below: usize) -> Result<(), CertificateError> {
        let constraints = self.constraints.as_ref().filter(|constraints| constraints.ca);
        let constraints = constraints.ok_or(CertificateError::BasicConstraints)?;
        if constraints.path_len_constraint.is_some_and(|limit| usize::from(limit) < authorities_below) {
            return Err(CertificateError::PathLength);
        }
        self.check_usage(KeyUsage::key_cert_sign)
    }

    /// Checks that this signs data and is no authority.
    pub(crate) fn check_signer(&self) -> Result<(), CertificateError> {
        let none =
            |constraints: &BasicConstraints| !constraints.ca && constraints.path_len_constraint.is_none();
        if !self.constraints.as_ref().is_none_or(none) {
            return Err(CertificateError::BasicConstraints);
        }
        self.check_usage(KeyUsage::digital_signature)
    }

    fn check_usage(&self, allows: impl Fn(&KeyUsage) -> bool) -> Result<(), CertificateError> {
        if self.usage.as_ref().is_some_and(allows) { Ok(()) } else { Err(CertificateError::KeyUsage) }
    }

    /// Checks that this names `issuer` as its issuer.
    pub(crate) fn check_issuer(&self, issuer: &Self) -> Result<(), CertificateError> {
        if self.issuer() != issuer.subject() || self.issuer().is_empty() {
            return Err(CertificateError::Issuer);
        }
        Ok(())
    }

    /// Checks that `issuer` signed this.
    pub(crate) fn check_signature(&self, issuer: &Self) -> Result<(), CertificateError> {
        let message = self.parsed.tbs_certificate().to_der().or(Err(CertificateError::Malformed))?;
        let signature = self.parsed.signature().as_bytes().ok_or(CertificateError::Malformed)?;
        issuer.key.verify_asn1(&message, signature).or(Err(CertificateError::Signature))
    }

    fn issuer(&self) -> &Name {
        self.parsed.tbs_certificate().issuer()
    }

    fn subject(&self) -> &Name {
        self.parsed.tbs_certificate().subject()
    }
}

fn unix_seconds(time: &Time) -> i64 {
    i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
}

/// Whether no extension stands there twice, and none is critical but those that are checked.
fn extensions_are_known(certificate: &x509_cert::Certificate) -> bool {
    let extensions = certificate.tbs_certificate().extensions().map(Vec::as_slice).unwrap_or_default();
    extensions.iter().enumerate().all(|(index, extension)| {
        let checked = [BasicConstraints::OID, KeyUsage::OID].contains(&extension.extn_id);
        let first = !extensions.iter().take(index).any(|earlier| earlier.extn_id == extension.extn_id);
        first && (checked || !extension.critical)
    })
}

fn is_ecdsa_sha384(algorithm: &AlgorithmIdentifierOwned) -> bool {
    algorithm.oid == ECDSA_WITH_SHA384 && algorithm.parameters.is_none()
}

fn public_key(spki: &SubjectPublicKeyInfoOwned) -> Option<PublicKey> {
    let curve: ObjectIdentifier = spki.algorithm.parameters.as_ref()?.decode_as().ok()?;
    if spki.algorithm.oid != EC_PUBLIC_KEY || curve != SECP384R1 {
        return None;
    }
    PublicKey::from_point(spki.subject_public_key.as_bytes()?).ok()
}

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
