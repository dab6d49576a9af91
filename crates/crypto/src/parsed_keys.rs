//! Where parsed private keys lie.
//!
//! The library keeps a parsed key in memory that it allocates itself, and wipes that when the key is dropped. Once
//! [`keep_locked`] was called, it allocates them in locked memory, up to a limit, and beyond the limit where it did before.
//! What it writes while it works with a key (intermediate values, on the stack and in memory that it wipes) is not locked.
//!
//! A parsed key takes about: RSA-2048 11 KiB, RSA-3072 13 KiB, RSA-4096 20 KiB, each for one usage; ECC 1 KiB, Ed25519 256
//! bytes, ML-DSA 6 to 12 KiB, ML-KEM 2 to 4 KiB.
//!
//! The limit is that of the library. What this crate keeps of a parsed key itself is locked memory beside the limit, as any
//! key material is: of Ed25519 the seed and the public key (64 bytes), of SM2 the scalar (32). Where the system locks no
//! more for it, such a key is not parsed.

pub use keyreeve_aws_lc_ffi::memory::{keep_locked, locked_len};
