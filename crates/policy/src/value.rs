//! The typed values of conditions.
//!
//! A text that is no value of its type gives none; what that means is for the condition to say.

pub(crate) mod binary;
mod date;
mod network;
mod number;

pub(crate) use binary::{Binary, same_bytes};
pub(crate) use date::Instant;
pub(crate) use network::{Address, Network};
pub(crate) use number::Number;
