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

/// Whether `text` is an address as conditions read that of a request.
#[must_use]
pub fn is_address(text: &str) -> bool {
    Address::parse(text).is_some()
}

/// Whether `text` is base64 as conditions read it.
#[must_use]
pub fn is_base64(text: &str) -> bool {
    binary::decode(text, |_| ()).is_some()
}

/// Whether `text` is a number as conditions read it.
#[must_use]
pub fn is_number(text: &str) -> bool {
    Number::parse(text).is_some()
}
