//! What a client may take.

use core::time::Duration;

/// KiB of bodies that one worker holds at once; a request waits until its body has room.
pub(crate) const BODIES_KIB: u32 = 32 * 1024;

/// KiB of bodies of unsigned requests that one worker holds at once, apart from the others.
pub(crate) const UNSIGNED_BODIES_KIB: u32 = 4 * 1024;

/// Bytes of the body of an unsigned request.
const UNSIGNED_BODY_BYTES: usize = 64 * 1024;

/// Time for the body of an unsigned request.
const UNSIGNED_BODY: Duration = Duration::from_secs(5);

/// Bytes of a user agent that are kept. Source:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>.
pub(crate) const USER_AGENT_BYTES: usize = 1024;

/// Bytes of the name of a host that are kept: many times the longest that DNS has.
pub(crate) const HOST_BYTES: usize = 1024;

/// Requests at once on one connection of HTTP/2.
pub(crate) const STREAMS: u32 = 32;

/// Bytes that a client may send on one stream of HTTP/2 before we have read some.
pub(crate) const STREAM_WINDOW: u32 = 64 * 1024;

/// Bytes that a client may send on one connection of HTTP/2 before we have read some.
pub(crate) const CONNECTION_WINDOW: u32 = 256 * 1024;

/// Bounds on connections and requests.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once. One more waits for a place for a moment, and is refused then.
    pub connections: usize,
    /// Connections that are being refused at once, beside those.
    pub refusals: usize,
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
        refusals: 256,
        handshake: Duration::from_secs(10),
        head: Duration::from_secs(30),
        body: Duration::from_secs(30),
        head_bytes: 32 * 1024,
        headers: 100,
        body_bytes: 1024 * 1024,
        drain: Duration::from_secs(30),
    };

    /// The bounds of an unsigned request, which are closer.
    pub(crate) fn unsigned(&self) -> Self {
        let (body, body_bytes) = (self.body.min(UNSIGNED_BODY), self.body_bytes.min(UNSIGNED_BODY_BYTES));
        Self { body, body_bytes, ..*self }
    }
}
