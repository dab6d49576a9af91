//! HTTP and TLS: from a socket to a request of the API, and back.
//!
//! One thread accepts and hands connections out in turn; each worker thread serves its own on a single-threaded runtime, so
//! that a request never changes threads. Everything a client can make wait or grow is bounded by [`Limits`].

mod api;
mod bodies;
mod connection;
mod header_case;
mod ids;
mod limits;
mod metrics;
mod refusals;
pub mod server;
mod shares;
mod span;
mod test_mode;
mod tls;
pub mod turns;

pub use api::{Api, AuditTrail, Endpoint, Monitoring, TrailState};
pub use connection::{Body, Handler, Peer};
pub use limits::Limits;
pub use metrics::{Measure, Metrics};
pub use span::{ContinueTrace, SPANS};
pub use test_mode::{TEST_MODE_PATH, TestMode, TestModeAnswer, TestModeFuture, TestModeRequest};
pub use tls::{TlsConfigError, TlsSource};
