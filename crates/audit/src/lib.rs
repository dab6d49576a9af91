//! The audit trail: CloudTrail events and the chain that makes a gap or a change visible.
//!
//! Formats only; the files are an adapter's business. An event is one line of JSON in CloudTrail's form; a segment is a
//! sequence of chained lines, see [`chain`].

pub mod chain;
pub mod event;
pub mod json;
pub mod segment;
