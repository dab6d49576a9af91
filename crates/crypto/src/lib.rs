//! Cryptography: the only crate that names a cryptographic library.
//!
//! Pure functions over caller-provided key material. Nothing here reads a clock, a file or a store.

pub mod digest;
pub mod hmac;
