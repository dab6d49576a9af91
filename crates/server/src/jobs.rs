//! What the service does by itself, on the control thread.

use std::sync::Arc;
use std::time::Duration;

use keyreeve_core::Service;
use keyreeve_core::bracket::Trail;
use keyreeve_store::{Revision, WatchError};

use crate::clock;

/// Looks for due rotations and deletions, and writes last uses to the store, every `interval`. Never returns.
pub(crate) async fn run(service: Arc<Service>, trail: impl Trail, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match service.run_due(&trail, clock::now()).await {
            Ok(0) => {}
            Ok(done) => tracing::info!(done, "keys were rotated or deleted"),
            Err(error) => {
                tracing::error!(%error, "due rotations and deletions could not be done; trying again later")
            }
        }
        flush_usage(&service).await;
    }
}

/// Writes the last uses to the store.
pub(crate) async fn flush_usage(service: &Service) {
    if let Err(error) = service.flush_usage().await {
        tracing::warn!(%error, "the last use of some keys could not be written; trying again later");
    }
}

/// Keeps the key ring true to the store, whoever writes it. Never returns while the store lives.
pub(crate) async fn follow(service: Arc<Service>) {
    let mut after = Revision::ZERO;
    loop {
        let Ok(snapshot) = service.vault().snapshot().await else { return };
        service.ring().clear(snapshot.revision());
        after = after.max(snapshot.revision());
        let Ok(mut watch) = service.vault().store().watch(after).await else { return };
        loop {
            match watch.next().await {
                Ok(changes) => {
                    after = changes.revision;
                    service.ring().apply(changes.revision, changes.changes.iter().map(|change| &change.path));
                }
                Err(WatchError::Compacted { oldest }) => {
                    tracing::warn!(%oldest, "the key ring fell behind the store and starts anew");
                    break;
                }
                Err(WatchError::Unavailable(_)) => return,
            }
        }
    }
}
