//! Randomness from a seed.

use keyreeve_crypto::random::{Random, RandomError};
use parking_lot::Mutex;

/// A source whose bytes are a function of its seed: for tests alone, and good for nothing else.
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// The source of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Random for SeededRandom {
    /// SplitMix64: <https://doi.org/10.1145/2714064.2660195>.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let mut state = self.0.lock();
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
            chunk.iter_mut().zip(mixed.to_le_bytes()).for_each(|(slot, byte)| *slot = byte);
        }
        Ok(())
    }
}
