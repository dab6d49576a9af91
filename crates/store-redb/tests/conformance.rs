//! The embedded store passes the suite.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::sync::Arc;

use keyreeve_store::conformance::{self, Subject, model};
use keyreeve_store::{FeedLimit, Store};
use keyreeve_store_redb::{Options, RedbStore};
use proptest::prelude::*;
use redb::backends::InMemoryBackend;

struct Redb;

impl Subject for Redb {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(RedbStore::open_with_backend(InMemoryBackend::new(), &Options::default()).unwrap())
    }

    fn forgetful_store(&self) -> Arc<dyn Store> {
        let history = FeedLimit { revisions: 8, bytes: 1 << 20 };
        let options = Options { history, ..Options::default() };
        Arc::new(RedbStore::open_with_backend(InMemoryBackend::new(), &options).unwrap())
    }
}

#[test]
fn the_redb_store_passes_every_case() {
    conformance::run(&Redb).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_redb_store_equals_a_map(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        model::run(&*Redb.store(), model::steps(&bytes)).unwrap();
    }
}
