//! What a client may take.

use core::time::Duration;

/// Bounds on connections and requests.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; one more waits in the system's queue.
    pub connections: usize,
    /// Time for a TLS handshake.
    pub handshake: Duration,
    /// Time for the head of a request, and for the pause between two requests.
    pub head: Duration,
    /// Time for the body of a request.
    pub body: Duration,
    /// Bytes of a head.
    pub head_bytes: usize,
    /// Headers of a head.
    pub headers: usize,
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Time for requests that are being answered when the server stops.
    pub drain: Duration,
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Self = Self {
        connections: 10_000,
        handshake: Duration::from_secs(10),
        head: Duration::from_secs(30),
        body: Duration::from_secs(30),
        head_bytes: 32 * 1024,
        headers: 100,
        body_bytes: 1024 * 1024,
        drain: Duration::from_secs(30),
    };
}
