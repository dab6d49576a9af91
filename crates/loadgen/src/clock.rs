//! The clocks, read in one place.
#![expect(clippy::disallowed_methods, reason = "a load generator measures real time and signs with it")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use keyreeve_domain::time::Timestamp;

/// The clock that latencies are measured with.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time of day, for signatures.
pub(crate) fn today() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A variable of the environment, if it is set and is text.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
