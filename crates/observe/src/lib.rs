//! What an auditor sees of the trail: the formats of CloudTrail's files, its API, the part of S3 that reads the files, and the
//! part of CloudWatch Logs that reads events. And what an operator sees: the metrics and alarms of CloudWatch.
//!
//! Formats and operations only. Where the trail lies and how it is searched is an adapter's business, behind [`archive::Archive`].

pub mod archive;
pub mod cloudwatch;
pub mod destination;
pub mod digest;
pub mod event;
pub mod filter_pattern;
pub mod layout;
pub mod metric;
pub mod object_keys;
pub mod otlp;
pub mod sealed_file;
pub mod syslog;

mod answer;
mod cloudtrail;
mod log_token;
mod logs;
mod lookup;
mod refusal;
mod s3;

pub use answer::{Answer, Operation, Request, answer_json, answer_s3};
pub use refusal::Refusal;
pub use s3::{S3Asked, refused as s3_refused};
