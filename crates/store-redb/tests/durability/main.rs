//! What the embedded store promises of its file.
#![expect(clippy::disallowed_methods, reason = "the tests own their files and read how long they may run")]
#![expect(clippy::panic, reason = "test code")]
#![expect(clippy::unwrap_used, reason = "test code")]

mod disk;
mod kill;
mod opening;
mod power_loss;
mod restore;
