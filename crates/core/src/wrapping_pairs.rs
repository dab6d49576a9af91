//! The wrapping keys of imports that are expected, parsed.
//!
//! The library proves an RSA key when it parses it, which takes longer than what the key is needed for. So the pair stays here
//! from the request for parameters until the material has come, or until others push it out. A token is opened all the same:
//! that it is known here proves nothing.

use std::sync::Arc;

use keyreeve_crypto::asymmetric::KeyPair;
use keyreeve_crypto::digest::sha256;
use quick_cache::sync::Cache;

/// As many as are kept; an RSA_4096 key takes 20 KiB.
const KEPT: usize = 1024;

/// Pairs by the SHA-256 of their tokens.
pub(crate) struct WrappingPairs(Cache<[u8; 32], Kept>);

#[derive(Clone)]
struct Kept {
    day: u32,
    pair: Arc<KeyPair>,
}

impl Default for WrappingPairs {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl WrappingPairs {
    /// Keeps the pair of a token of `day`.
    pub(crate) fn keep(&self, token: &[u8], day: u32, pair: Arc<KeyPair>) {
        self.0.insert(sha256(token), Kept { day, pair });
    }

    /// The pair of a token.
    pub(crate) fn of(&self, token: &[u8]) -> Option<Arc<KeyPair>> {
        self.0.get(&sha256(token)).map(|kept| kept.pair)
    }

    /// Drops the pair of a token whose material has come.
    pub(crate) fn forget(&self, token: &[u8]) {
        self.0.remove(&sha256(token));
    }

    /// Drops the pairs of earlier days.
    pub(crate) fn forget_before(&self, day: u32) {
        self.0.retain(|_, kept| kept.day >= day);
    }

    /// Drops all.
    pub(crate) fn forget_all(&self) {
        self.0.clear();
    }
}
