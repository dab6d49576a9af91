//! One change of a key after the other.
//!
//! Of two changes of one record at once the store takes one, and the other is made anew. Where many are made at once, that would
//! go on for long, and each could lose again and again. So whoever has lost waits for a turn, and whoever counts what a key has
//! before he adds to it takes his turn first. This is for one process: whether a change holds is for the store to say.

use std::hash::{BuildHasher, RandomState};

use async_lock::{Mutex, MutexGuard};
use keyreeve_domain::KeyId;

/// A turn; over when it is dropped.
pub type Turn<'t> = MutexGuard<'t, ()>;

/// Turns there are at once; keys that share one wait for each other.
const PLACES: u64 = 1024;

/// Whose turn it is to change a key.
pub struct ChangeTurns {
    places: Box<[Mutex<()>]>,
    hasher: RandomState,
}

impl Default for ChangeTurns {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::new(())).collect(), hasher: RandomState::new() }
    }
}

impl ChangeTurns {
    /// A turn to change the key with this id, and the keys related to it. Hold one at a time. None only where there are no places.
    pub async fn of(&self, key: KeyId) -> Option<Turn<'_>> {
        let place = usize::try_from(self.hasher.hash_one(key) % PLACES).ok()?;
        Some(self.places.get(place)?.lock().await)
    }
}
