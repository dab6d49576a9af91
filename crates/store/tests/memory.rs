//! The store in memory passes the suite.

use std::sync::Arc;

use keyreeve_store::conformance::{self, Subject, model};
use keyreeve_store::memory::MemoryStore;
use keyreeve_store::{FeedLimit, Store};
use proptest::prelude::*;

struct Memory;

impl Subject for Memory {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(MemoryStore::default())
    }

    fn forgetful_store(&self) -> Arc<dyn Store> {
        Arc::new(MemoryStore::new(FeedLimit { revisions: 8, bytes: 1 << 20 }))
    }
}

#[test]
fn the_memory_store_passes_every_case() {
    conformance::run(&Memory).unwrap();
}

proptest! {
    #[test]
    fn the_memory_store_equals_a_map(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        model::run(&MemoryStore::default(), model::steps(&bytes)).unwrap();
    }
}
