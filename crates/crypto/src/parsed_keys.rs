//! Where parsed private keys lie.
//!
//! The library keeps a parsed key in memory that it allocates itself, and wipes that when the key is dropped. Once
//! [`keep_locked`] was called, it allocates them in locked memory, up to a limit, and beyond the limit where it did before.
//! What it writes while it works with a key (intermediate values, on the stack and in memory that it wipes) is not locked.
//!
//! A parsed key takes about: RSA-2048 11 KiB, RSA-3072 13 KiB, RSA-4096 20 KiB, ECC 1 KiB, Ed25519 256 bytes, ML-DSA 6 to
//! 12 KiB, ML-KEM 2 to 4 KiB.

pub use keyreeve_aws_lc_ffi::memory::{keep_locked, locked_len};
