//! Why a document is refused.

use core::fmt;

use crate::cbor::CborError;

/// Why a document is refused: the checks in their order.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AttestationError {
    /// Longer than [`MAX_DOCUMENT_LEN`](crate::MAX_DOCUMENT_LEN).
    #[error("the attestation document is too long")]
    TooLong,
    /// Not a COSE_Sign1 structure, or not in the one encoding of CBOR that is accepted, or more than that.
    #[error("the attestation document is malformed")]
    Malformed,
    /// The headers say anything but ES384 alone.
    #[error("the attestation document is not signed with ES384")]
    Algorithm,
    /// A field that documents do not have.
    #[error("the attestation document has an unknown field")]
    UnknownField,
    /// A field is not as it should be.
    #[error("the field `{field}` of the attestation document is {error}")]
    Field {
        /// Which one.
        field: Field,
        /// What is wrong with it.
        error: FieldError,
    },
    /// Older than [`MAX_AGE`](crate::MAX_AGE).
    #[error("the attestation document is too old")]
    Stale,
    /// Ahead of the clock by more than [`MAX_AHEAD`](crate::MAX_AHEAD).
    #[error("the attestation document is from the future")]
    Future,
    /// The chain does not start at a configured root.
    #[error("the attestation document leads to an unknown root certificate")]
    Root,
    /// A certificate is not fit for its place.
    #[error("certificate {position} of the attestation document, counted from the root, {error}")]
    Certificate {
        /// Its place: 0 is the root, and the highest is the certificate that signs the document.
        position: usize,
        /// What is wrong with it.
        error: CertificateError,
    },
    /// The key of the certificate did not sign this; found before a signature of the chain that does not fit.
    #[error("the signature of the attestation document does not fit")]
    Signature,
    /// There is no key to envelope answers for.
    #[error("the attestation document has no public key")]
    NoPublicKey,
    /// The key is not an RSA key of 2048 bits or more.
    #[error("the public key of the attestation document is not an RSA key of 2048 bits or more")]
    PublicKey,
}

impl From<CborError> for AttestationError {
    fn from(_: CborError) -> Self {
        Self::Malformed
    }
}

/// A field of a document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Field {
    /// `cabundle`: the authorities, root first.
    CaBundle,
    /// `certificate`: the one that signs the document.
    Certificate,
    /// `digest`: always `SHA384`.
    Digest,
    /// `module_id`
    ModuleId,
    /// `nitrotpm_pcrs`: the registers of a NitroTPM.
    NitroTpmPcrs,
    /// `nonce`
    Nonce,
    /// `pcrs`: the registers of an enclave.
    Pcrs,
    /// `public_key`
    PublicKey,
    /// `timestamp`: milliseconds since the epoch.
    Timestamp,
    /// `user_data`
    UserData,
}

impl Field {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    pub(crate) fn wrong(self, error: FieldError) -> AttestationError {
        AttestationError::Field { field: self, error }
    }

    /// The name in the document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CaBundle => "cabundle",
            Self::Certificate => "certificate",
            Self::Digest => "digest",
            Self::ModuleId => "module_id",
            Self::NitroTpmPcrs => "nitrotpm_pcrs",
            Self::Nonce => "nonce",
            Self::Pcrs => "pcrs",
            Self::PublicKey => "public_key",
            Self::Timestamp => "timestamp",
            Self::UserData => "user_data",
        }
    }

    const ALL: [Self; 10] = [
        Self::CaBundle,
        Self::Certificate,
        Self::Digest,
        Self::ModuleId,
        Self::NitroTpmPcrs,
        Self::Nonce,
        Self::Pcrs,
        Self::PublicKey,
        Self::Timestamp,
        Self::UserData,
    ];
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FieldError {
    /// It stands there twice, or beside another that excludes it.
    #[error("there twice")]
    Duplicate,
    /// Its type, its size or its value.
    #[error("not valid")]
    Invalid,
    /// It has to be there.
    #[error("missing")]
    Missing,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CertificateError {
    /// Not the DER of a certificate of version 3 with a P-384 key, an ECDSA signature with SHA-384, and no critical
    /// extension but those that are checked here.
    #[error("is malformed")]
    Malformed,
    /// It was not yet valid when the document was made.
    #[error("was not yet valid")]
    NotYetValid,
    /// It was no longer valid when the document was made.
    #[error("had expired")]
    Expired,
    /// An authority has to be one by its basic constraints, and what signs a document must not be.
    #[error("has the wrong basic constraints")]
    BasicConstraints,
    /// More authorities follow than its path length allows.
    #[error("is followed by too many authorities")]
    PathLength,
    /// An authority signs certificates, what signs a document signs data: the key usage has to say so.
    #[error("has the wrong key usage")]
    KeyUsage,
    /// It names another issuer than the certificate before it.
    #[error("has another issuer")]
    Issuer,
    /// The key of the certificate before it did not sign it; verified after the signature of the document.
    #[error("has a signature that does not fit")]
    Signature,
}
