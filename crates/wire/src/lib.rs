//! The wire protocols: of AWS KMS (awsJson 1.1, service model 2014-11-01), of IAM and STS (awsQuery), of CloudWatch
//! (awsQuery, awsJson 1.0, RPC v2 CBOR), and the requests of CloudTrail and CloudWatch Logs (awsJson 1.1).
//!
//! A request that decodes is inside every limit of the API; an answer is written in the bytes that AWS sends.
//! No I/O, no clock, no randomness. Protocol:
//! [AWS JSON 1.1](https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html).

pub mod auditing;
pub mod cloudwatch;
mod declare;
mod decode;
mod encode;
mod error;
pub mod iam;
pub mod json;
mod mismatch;
mod model;
mod operation;
mod parameters;
mod pattern;
pub mod query;
pub mod rpc;
mod shape;
mod shapes;
mod structures;
pub mod sts;
mod value;
mod violation;

pub use error::{ApiError, ErrorCode, InputError};
pub use model::{OperationModel, model};
pub use operation::*;
pub use pattern::Pattern;
pub use shape::{Kind, Member, Shape};
pub use structures::*;
pub use value::{Blob, EncryptionContext, KmsDate, RequestedSigningAlgorithm, SensitiveBlob, SensitiveText};

/// A request.
pub trait Input: Sized {
    /// The operation it asks for.
    const OPERATION: Operation;

    /// Reads the body of a request. An empty body is a request without members, an unknown member is ignored, and
    /// `null` is the same as absence.
    ///
    /// # Errors
    /// [`InputError::Serialization`] when the body is no JSON object or a member has the wrong JSON type, else
    /// [`InputError::Validation`] with every member that is outside its limits.
    fn decode(body: &[u8]) -> Result<Self, InputError>;

    /// Appends the `requestParameters` of the request's event: its members as a JSON object, without anything secret,
    /// blobs and grant tokens.
    fn write_parameters(&self, out: &mut Vec<u8>);
}

/// An answer. An operation without one answers an empty body.
pub trait Output {
    /// The operation it answers.
    const OPERATION: Operation;

    /// Appends the body of the answer.
    ///
    /// Nothing but `out` is allocated. An answer may hold a secret: where `out` has to grow, what was written so far
    /// is left in the memory it came from, which the allocator of the process has to wipe.
    fn write(&self, out: &mut Vec<u8>);
}
