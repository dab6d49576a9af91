//! The bodies of requests, within the memory that a worker has for them.
//!
//! The room of a body is taken before any of it is read, and given back once it is decoded.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use keyreeve_core::Refusal;
use keyreeve_wire::ErrorCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{BODIES_KIB, Limits, UNSIGNED_BODIES_KIB};

/// The room for bodies of one worker.
pub(crate) struct Bodies(Arc<Semaphore>);

/// A body, and its room.
pub(crate) struct Held {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl Held {
    /// A copy that takes no room.
    pub(crate) fn copied(&self) -> Bytes {
        Bytes::copy_from_slice(&self.bytes)
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Bodies {
    pub(crate) fn new() -> Self {
        Self::with_room(BODIES_KIB)
    }

    /// The room for bodies of requests that nobody has signed.
    pub(crate) fn unsigned() -> Self {
        Self::with_room(UNSIGNED_BODIES_KIB)
    }

    fn with_room(kib: u32) -> Self {
        Self(Arc::new(Semaphore::new(usize::try_from(kib).unwrap_or(Semaphore::MAX_PERMITS))))
    }

    /// Reads `body` whole. The time for a body runs while it waits for room, too.
    pub(crate) async fn read(&self, body: Incoming, limits: &Limits) -> Result<Held, Refusal> {
        // AWS: unverified. The answers to a body that is too long, too slow or broken off are not known.
        let too_long = || {
            let message = format!("Request body is longer than {} bytes.", limits.body_bytes);
            Refusal::new(ErrorCode::RequestEntityTooLarge, message)
        };
        let length = body.size_hint();
        if usize::try_from(length.lower()).map_or(true, |least| least > limits.body_bytes) {
            discard(body, limits);
            return Err(too_long());
        }
        let kib = kib(length.upper(), limits.body_bytes);
        let reading = async {
            let room = Arc::clone(&self.0).acquire_many_owned(kib).await.or(Err(Refusal::internal()))?;
            match whole(Limited::new(body, limits.body_bytes)).await {
                Ok(bytes) => Ok(Held { bytes, _room: room }),
                Err(error) if error.is::<LengthLimitError>() => Err(too_long()),
                Err(_) => Err(Refusal::silent(ErrorCode::Serialization)),
            }
        };
        match tokio::time::timeout(limits.body, reading).await {
            Ok(read) => read,
            Err(_elapsed) => {
                Err(Refusal::new(ErrorCode::RequestTimeout, "The request body did not arrive in time."))
            }
        }
    }
}

/// All bytes of `body`: where they came in one piece, that piece.
async fn whole(mut body: Limited<Incoming>) -> Result<Bytes, BoxError> {
    let mut first = Bytes::new();
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame?.into_data() else { continue };
        if first.is_empty() {
            first = data;
            continue;
        }
        // Nothing is copied again while it grows: a body may hold a secret.
        let rest = usize::try_from(body.size_hint().lower()).unwrap_or_default();
        let mut pieces = BytesMut::with_capacity(first.len() + data.len() + rest);
        pieces.extend_from_slice(&first);
        pieces.extend_from_slice(&data);
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                pieces.extend_from_slice(&data);
            }
        }
        return Ok(pieces.freeze());
    }
    Ok(first)
}

type BoxError = Box<dyn core::error::Error + Send + Sync>;

/// Throws away what comes of a body that nobody wants, so that the client can send it to its end and read the answer.
pub(crate) fn discard(body: Incoming, limits: &Limits) {
    if body.is_end_stream() {
        return;
    }
    let mut rest = Limited::new(body, limits.body_bytes);
    let time = limits.body;
    tokio::task::spawn_local(async move {
        let ended = async { while let Some(Ok(_frame)) = rest.frame().await {} };
        tokio::time::timeout(time, ended).await.unwrap_or_default();
    });
}

/// The room for a body of at most `length` bytes, or of at most `limit` where that is not told; never more than there is.
fn kib(length: Option<u64>, limit: usize) -> u32 {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let bytes = length.unwrap_or(limit).min(limit);
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(BODIES_KIB).min(BODIES_KIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_that_of_the_length_or_of_the_limit() {
        for (length, limit, expected) in [
            (Some(0), 1 << 20, 0),
            (Some(1), 1 << 20, 1),
            (Some(1024), 1 << 20, 1),
            (Some(1025), 1 << 20, 2),
            (None, 1 << 20, 1024),
            (Some(1 << 30), 1 << 20, 1024),
            (None, 1 << 30, BODIES_KIB),
            (None, usize::MAX, BODIES_KIB),
        ] {
            assert_eq!(kib(length, limit), expected, "{length:?} {limit}");
        }
    }
}
