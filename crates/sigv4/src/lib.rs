//! AWS Signature Version 4: verifying and making.
//!
//! No I/O, no clock, no HTTP type: the caller lends a view of the request head ([`RequestHead`]) and the SHA-256 of the
//! body. Verification is three steps, each a type that only the step before it yields:
//!
//! 1. [`Claim::parse`]: who says they sign, for which scope. Every header that must be signed is named as signed.
//! 2. [`Claim::check`]: the scope and the time are acceptable ([`CheckedClaim`]).
//! 3. [`CheckedClaim::verify`], or [`SigningKeyCache::verify`]: the signature is right ([`Verified`]).
//!
//! Between 2 and 3 the caller looks up the secret of [`Claim::access_key_id`], which may wait for I/O.
//!
//! Canonical form: a path is normalised and encoded once more than it was sent, but for S3, where it is encoded once. Source:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.

mod amz_date;
mod authorization;
mod cache;
mod canonical;
mod claim;
mod encoding;
mod error;
mod head;
mod presigned;
mod scope;
mod sign;
mod signing_key;

pub use amz_date::AmzDate;
pub use cache::SigningKeyCache;
pub use claim::{CheckedClaim, Claim, Expected, Regions, Verified};
pub use error::{AuthorizationHash, MissingParts, ScopeFaults, SigV4Error};
pub use head::{Headers, RequestHead};
pub use sign::{Signer, authorization, presigned_query};
pub use signing_key::SigningKey;

/// The only algorithm accepted.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The longest life of a presigned request, in seconds: seven days.
pub const MAX_EXPIRES: u32 = 604_800;

/// How far the time of a request may be from ours, in seconds, in either direction.
pub const MAX_SKEW: i64 = 300;

/// The most headers that one signature covers. AWS: unverified.
pub const MAX_SIGNED_HEADERS: usize = 100;

/// The last element of a credential scope.
const TERMINATOR: &str = "aws4_request";
