//! Cryptography: the only crate that names a cryptographic library.
//!
//! Pure functions over caller-provided key material. Nothing here reads a clock, a file or a store. Key material lives in
//! locked memory and leaves it only into the library's own calls.

pub mod approved;
pub mod asymmetric;
pub mod chosen;
pub mod ciphertext;
pub mod context;
pub mod data_key_pair;
pub mod derive;
pub mod digest;
pub mod hmac;
pub mod import;
pub mod key;
pub mod mac;
pub mod p384;
pub mod parsed_keys;
pub mod passphrase;
pub mod random;
pub mod recipient;
pub mod wrap;

pub use keyreeve_locked_memory::{LockedMemoryError, Protection, protection};
