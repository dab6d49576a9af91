//! The words of the language: identifiers, ARNs, key specs, key states and time.
//!
//! Every value is well formed by construction: the only door into a type is its parser. No I/O, no clock, no randomness.
#![no_std]

extern crate alloc;

pub mod account;
pub mod alias;
pub mod arn;
pub mod key_id;
pub mod key_ref;
pub mod material;
pub mod region;
pub mod spec;
pub mod time;

pub use account::AccountId;
pub use alias::AliasName;
pub use arn::{AliasArn, KeyArn};
pub use key_id::KeyId;
pub use key_ref::KeyRef;
pub use material::KeyMaterialId;
pub use region::{Region, is_partition};
pub use time::Timestamp;
