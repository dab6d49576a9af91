//! A bucket that the files of the trail are put into: of S3, or of anything that speaks its API.
//!
//! The protocol is the business of `object_store`; its connections are ours ([`connector`]), so that there is one TLS library with
//! one set of algorithms in the process, and so is its cryptography ([`signing`]). An object is put where there is none of its name
//! (`If-None-Match: *`) and never written again. Nothing is tried twice here: whoever puts tries again, with all
//! that a later attempt needs to be looked up anew.

mod bucket;
mod connector;
mod credentials;
mod reason;
mod signing;

pub use bucket::{Bucket, Options, SettingsError};
pub use credentials::{CredentialsError, Source};
