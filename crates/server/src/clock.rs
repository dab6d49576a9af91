//! The time of day, and how far a test has moved it.
//!
//! There is one clock in a process. It moves in a test mode alone: nothing else calls [`set_ahead`].

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use keyreeve_domain::Timestamp;

/// Milliseconds that the clock is ahead of the system's.
static AHEAD: AtomicI64 = AtomicI64::new(0);

/// Now, as the service sees it.
pub(crate) fn now() -> Timestamp {
    system().plus_millis(AHEAD.load(Ordering::Relaxed))
}

/// Now, as the system and the service's clients see it; the epoch where the clock stands before it.
pub(crate) fn system() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Milliseconds that the clock is ahead of the system's; negative where it is behind.
pub(crate) fn ahead() -> i64 {
    AHEAD.load(Ordering::Relaxed)
}

/// Lets the clock go on so many milliseconds ahead of the system's.
pub(crate) fn set_ahead(millis: i64) {
    AHEAD.store(millis, Ordering::Relaxed);
}
