//! A service in memory, for tests of everything above the store.
//!
//! All that a service takes from outside is the test's own: the store and its faults, the clock, the randomness, the trail
//! and the order in which futures proceed. Nothing here reads a clock, sleeps, or needs a runtime, so a test that failed
//! once fails again.
#![expect(clippy::expect_used, reason = "what fails here is the test")]

mod bodies;
mod coherence;
mod identities;
mod interleave;
mod random;
mod rsa;
mod steps;
mod trail;
mod world;

pub use bodies::{Fixture, ON_IMPORTED, UNSUPPORTED, body, spec_of};
pub use coherence::column;
pub use identities::Has;
pub use interleave::interleave;
pub use random::SeededRandom;
pub use steps::StepStore;
pub use trail::RecordingTrail;
pub use world::{Reply, World};
