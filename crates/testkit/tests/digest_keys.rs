//! The keys that sign digests, on a machine that is slow to make them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use keyreeve_core::offload::{AtOnce, FullError, Job, Lane, Offload, Patience};
use keyreeve_core::vault::VaultError;
use keyreeve_store::conformance::block_on;
use keyreeve_testkit::World;

/// Does nothing in time until it was asked as often as it says.
struct SlowFor(AtomicUsize);

impl Offload for SlowFor {
    fn run(&self, lane: Lane, job: Job) -> Result<(), FullError> {
        match self.0.load(Ordering::Relaxed) {
            0 => AtOnce.run(lane, job),
            left => {
                self.0.store(left - 1, Ordering::Relaxed);
                // A job that is not dropped may still be done: whoever waits for it has only patience to go by.
                Box::leak(Box::new(job));
                Ok(())
            }
        }
    }

    fn patience(&self) -> Patience {
        Box::pin(core::future::ready(()))
    }
}

#[test]
fn a_key_that_is_late_is_asked_for_again() {
    let world = World::default();
    let service = world.service_with_offload(Arc::new(SlowFor(AtomicUsize::new(5))));
    assert_eq!(block_on(service.digest_keys(world.now(), 365)).unwrap().public().len(), 1);
}

#[test]
fn a_machine_that_never_makes_one_is_told_of() {
    let world = World::default();
    let service = world.service_with_offload(Arc::new(SlowFor(AtomicUsize::new(usize::MAX))));
    assert!(matches!(block_on(service.digest_keys(world.now(), 365)), Err(VaultError::Slow)));
}
