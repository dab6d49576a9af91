//! Why a request is not accepted as signed.
//!
//! The text of an error is what AWS answers, word for word where a public answer shows it. Each variant says where its text
//! was seen; `AWS: unverified` marks our own wording. No variant carries a secret or the signature that would have been right.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyreeve_crypto::digest::{SHA256_LEN, sha256};

use crate::AmzDate;

/// A request that is not acceptably signed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SigV4Error {
    /// The `Authorization` header, or a parameter of it or of the presigned query, stands twice. AWS: unverified.
    #[error("The request carries more than one value for an authentication parameter.")]
    Duplicate,
    /// The time of the request is too far in the past. Seen from KMS itself.
    #[error("Signature expired: {signed} is now earlier than {earliest} ({now} - 5 min.)")]
    Expired {
        /// The time of the request.
        signed: AmzDate,
        /// The earliest time that is still accepted.
        earliest: AmzDate,
        /// Our time.
        now: AmzDate,
    },
    /// The session has ended; the caller of this crate decides it. Seen from KMS itself.
    #[error("The security token included in the request is expired")]
    ExpiredToken,
    /// A header whose name starts with `x-amz-` is not signed. AWS: unverified (shape of [`Self::HostNotSigned`]).
    #[error("'{name}' must be a 'SignedHeader' in the AWS Authorization.")]
    HeaderNotSigned {
        /// The name of the header, in lower case.
        name: String,
    },
    /// `host` is not signed. Seen from DynamoDB.
    #[error("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")]
    HostNotSigned,
    /// The credential is not of five elements. Seen from IAM.
    #[error(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
    )]
    MalformedCredential {
        /// The credential as sent.
        credential: String,
    },
    /// The time of the request cannot be read. Seen from IAM.
    #[error(
        "Date must be in ISO-8601 'basic format'. Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601"
    )]
    MalformedDate {
        /// The time as sent.
        date: String,
    },
    /// `X-Amz-Expires` is not a number of seconds from 1 to 604800. AWS: unverified (S3 says it in other words).
    #[error("X-Amz-Expires must be a number of seconds between 1 and 604800.")]
    MalformedExpires,
    /// A presigned query cannot be decoded. AWS: unverified.
    #[error("The query-string parameter '{name}' is not valid UTF-8.")]
    MalformedQuery {
        /// The parameter.
        name: &'static str,
    },
    /// The list of signed headers names one twice, or more than the request has. AWS: unverified.
    #[error("'SignedHeaders' must name each header once, and only headers of the request.")]
    MalformedSignedHeaders,
    /// The signature is not that of this request under this key. Seen from KMS itself.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
    /// There is neither an `Authorization` header nor a presigned query.
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    /// The `Authorization` header lacks parameters, or there is no date. Seen from API Gateway and IAM.
    #[error("{missing}(Hashed with SHA-256 and encoded with Base64) Authorization={authorization}")]
    MissingHeaderParts {
        /// What is missing.
        missing: MissingParts,
        /// The header.
        authorization: AuthorizationHash,
    },
    /// The presigned query lacks parameters. Seen from IAM.
    #[error("{missing}Re-examine the query-string parameters.")]
    MissingQueryParts {
        /// What is missing.
        missing: MissingParts,
    },
    /// A part of the `Authorization` header has no equal sign. Seen from API Gateway and Cloud9.
    #[error(
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '{authorization}'."
    )]
    NotKeyValue {
        /// The header.
        authorization: AuthorizationHash,
    },
    /// The time of the request is too far in the future. Seen from Kinesis.
    #[error("Signature not yet current: {signed} is still later than {latest} ({now} + 5 min.)")]
    NotYetCurrent {
        /// The time of the request.
        signed: AmzDate,
        /// The latest time that is accepted.
        latest: AmzDate,
        /// Our time.
        now: AmzDate,
    },
    /// A presigned request has outlived its `X-Amz-Expires`. AWS: unverified (shape of [`Self::Expired`]).
    #[error("Signature expired: {signed} is now earlier than {earliest} ({now} - {expires} sec.)")]
    PresignedExpired {
        /// The time of the request.
        signed: AmzDate,
        /// The earliest time that is still accepted.
        earliest: AmzDate,
        /// Our time.
        now: AmzDate,
        /// The life of the request in seconds.
        expires: u32,
    },
    /// The credential scope is not one this service accepts. Seen from STS, IAM and Execute-API.
    #[error("{0}")]
    Scope(Box<ScopeFaults>),
    /// The access key or its session token is not known; the caller of this crate decides it. Seen from KMS itself.
    #[error("The security token included in the request is invalid.")]
    UnrecognizedClient,
    /// The algorithm is not `AWS4-HMAC-SHA256`. Seen from IAM.
    #[error("Unsupported AWS 'algorithm': '{algorithm}'.")]
    UnsupportedAlgorithm {
        /// The algorithm as sent.
        algorithm: String,
    },
}

impl SigV4Error {
    /// The error code on the wire. The status is 400 for each of them.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ExpiredToken => "ExpiredTokenException",
            Self::Duplicate
            | Self::MalformedCredential { .. }
            | Self::MalformedDate { .. }
            | Self::MalformedExpires
            | Self::MalformedQuery { .. }
            | Self::MalformedSignedHeaders
            | Self::MissingHeaderParts { .. }
            | Self::MissingQueryParts { .. }
            | Self::NotKeyValue { .. }
            | Self::UnsupportedAlgorithm { .. } => "IncompleteSignatureException",
            Self::Expired { .. }
            | Self::HeaderNotSigned { .. }
            | Self::HostNotSigned
            | Self::Mismatch
            | Self::NotYetCurrent { .. }
            | Self::PresignedExpired { .. }
            | Self::Scope(_) => "InvalidSignatureException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
        }
    }
}

/// The SHA-256 of an `Authorization` header, so that an error can name the header without showing it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AuthorizationHash([u8; SHA256_LEN]);

impl AuthorizationHash {
    pub(crate) fn of(header: &[u8]) -> Self {
        Self(sha256(header))
    }
}

impl fmt::Display for AuthorizationHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

/// The parts of a signature that a request lacks, each `true` where it is missing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MissingParts {
    /// The words are those of the query form.
    pub in_query: bool,
    /// `Credential`, or `X-Amz-Credential`.
    pub credential: bool,
    /// `Signature`, or `X-Amz-Signature`.
    pub signature: bool,
    /// `SignedHeaders`, or `X-Amz-SignedHeaders`.
    pub signed_headers: bool,
    /// A date.
    pub date: bool,
}

impl fmt::Display for MissingParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (missing, name) in [
            (self.credential, "Credential"),
            (self.signature, "Signature"),
            (self.signed_headers, "SignedHeaders"),
        ] {
            match (missing, self.in_query) {
                (false, _) => {}
                (true, false) => write!(f, "Authorization header requires '{name}' parameter. ")?,
                (true, true) => write!(f, "AWS query-string parameters must include 'X-Amz-{name}'. ")?,
            }
        }
        match (self.date, self.in_query) {
            (false, _) => Ok(()),
            (true, false) => f.write_str(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
            ),
            (true, true) => f.write_str("AWS query-string parameters must include 'X-Amz-Date'. "),
        }
    }
}

/// What is wrong with a credential scope. The text is one sentence per fault, each followed by a space.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScopeFaults {
    /// The Region is not one we answer for.
    pub region: bool,
    /// The service we are, where the scope names another.
    pub service: Option<String>,
    /// The last element, where it is not `aws4_request`.
    pub terminator: Option<String>,
    /// The date of the scope and the time of the request, where they are not of one day.
    pub date: Option<(String, AmzDate)>,
}

impl ScopeFaults {
    pub(crate) fn any(&self) -> bool {
        *self != Self::default()
    }
}

impl fmt::Display for ScopeFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.region {
            f.write_str("Credential should be scoped to a valid region. ")?;
        }
        if let Some(service) = &self.service {
            write!(f, "Credential should be scoped to correct service: '{service}'. ")?;
        }
        if let Some(terminator) = &self.terminator {
            write!(
                f,
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. "
            )?;
        }
        if let Some((scope, date)) = &self.date {
            write!(
                f,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
                 '{scope}' != '{}', from '{date}'. ",
                date.day()
            )?;
        }
        Ok(())
    }
}
