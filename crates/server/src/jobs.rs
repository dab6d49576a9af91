//! What the service does by itself, on the control thread.

use std::sync::Arc;
use std::time::Duration;

use keyreeve_core::Service;
use keyreeve_core::bracket::Trail;
use keyreeve_store::{ReadError, Revision, WatchError};
use tokio::sync::RwLock;

use crate::clock;

/// Looks for due rotations and deletions, and writes last uses to the store, every `interval`; not while the state as a whole
/// changes, which holds `running` for writing. Never returns.
pub(crate) async fn run(
    service: Arc<Service>,
    trail: impl Trail,
    interval: Duration,
    running: Arc<RwLock<()>>,
) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let _running = running.read().await;
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
        tracing::warn!(%error, "the last use of some keys, access keys or roles could not be written; trying again later");
    }
}

/// Keeps the key ring true to the store, whoever writes it. Never returns.
pub(crate) async fn follow(service: Arc<Service>) {
    let mut after = Revision::ZERO;
    let mut pause = FIRST_PAUSE;
    loop {
        let seen = after;
        let error = watch(&service, &mut after).await;
        // What is not followed must not be answered from.
        service.ring().clear(after);
        if after > seen {
            pause = FIRST_PAUSE;
        }
        tracing::error!(%error, ?pause, "the store could not be watched; the key ring starts anew");
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// Why the changes of the store are not known.
#[derive(Debug, thiserror::Error)]
enum FollowError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Watch(#[from] WatchError),
}

/// Applies every change of the store to the key ring, and moves `after` along, until the store fails.
async fn watch(service: &Service, after: &mut Revision) -> FollowError {
    loop {
        // ORDER: the snapshot is gone before the wait. While one lives, the store can use no page again that was freed after it.
        let seen = match service.vault().store().snapshot().await {
            Ok(snapshot) => snapshot.revision(),
            Err(error) => return error.into(),
        };
        service.ring().clear(seen);
        *after = seen.max(*after);
        let mut watch = match service.vault().store().watch(*after).await {
            Ok(watch) => watch,
            Err(error) => return error.into(),
        };
        loop {
            match watch.next().await {
                Ok(changes) => {
                    *after = changes.revision;
                    service.ring().apply(changes.revision, changes.changes.iter().map(|change| &change.path));
                }
                Err(WatchError::Compacted { oldest }) => {
                    tracing::warn!(%oldest, "the key ring fell behind the store and starts anew");
                    break;
                }
                Err(error @ WatchError::Unavailable(_)) => return error.into(),
            }
        }
    }
}

/// How long to wait after the first failure of the store, and at most; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
