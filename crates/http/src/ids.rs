//! Ids of requests and events, from randomness that is drawn in advance.
//!
//! INVARIANT: only ids come from here. They are unique and no secret; nonces and keys are drawn when they are needed.

use keyreeve_audit::event::Uuid;
use keyreeve_crypto::random::{Random, RandomError};

/// The ids of one worker.
pub(crate) struct Ids {
    bytes: [u8; AHEAD],
    used: usize,
}

impl Ids {
    /// Nothing drawn yet.
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; AHEAD], used: AHEAD }
    }

    /// The next id.
    ///
    /// # Errors
    /// Where the source of randomness fails.
    pub(crate) fn next(&mut self, random: &dyn Random) -> Result<Uuid, RandomError> {
        if self.used >= AHEAD {
            random.fill(&mut self.bytes)?;
            self.used = 0;
        }
        let bits = self.bytes.get(self.used..).and_then(<[u8]>::first_chunk::<16>).ok_or(RandomError)?;
        self.used += 16;
        Ok(Uuid::from_random(*bits))
    }
}

/// Bytes drawn at once, a multiple of 16: a call of the generator costs more than these bytes.
const AHEAD: usize = 1024;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use keyreeve_crypto::random::SystemRandom;

    use super::*;

    struct Broken;

    impl Random for Broken {
        fn fill(&self, _bytes: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }

    #[test]
    fn no_id_comes_twice_however_many_are_drawn() {
        let mut ids = Ids::new();
        let drawn: HashSet<_> = (0..1000).map(|_| ids.next(&SystemRandom).unwrap()).collect();
        assert_eq!(drawn.len(), 1000);
    }

    #[test]
    fn no_id_comes_from_a_source_that_failed() {
        let mut ids = Ids::new();
        assert_eq!(ids.next(&Broken), Err(RandomError));
        assert!(ids.next(&SystemRandom).is_ok());
        (1..AHEAD / 16).for_each(|_| assert!(ids.next(&Broken).is_ok()));
        assert_eq!(ids.next(&Broken), Err(RandomError));
    }
}
