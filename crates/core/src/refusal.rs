//! What a caller is told when a request is refused.
//!
//! Each module has its own error type; this is the one place where they become codes and texts of the API. The texts are
//! those of the service, as far as they are known.

use keyreeve_crypto::ciphertext::SealError;
use keyreeve_crypto::random::RandomError;
use keyreeve_wire::{ApiError, ErrorCode};

use crate::bracket::ErrorText;
use crate::offload::OffloadError;
use crate::vault::VaultError;

/// An answer that is an error: the code and text of the API. What the log reads is written where the cause is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal(pub ApiError);

impl Refusal {
    /// A refusal with a text.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(ApiError { code, message: Some(message.into()) })
    }

    /// A refusal that carries no text on the wire.
    #[must_use]
    pub fn silent(code: ErrorCode) -> Self {
        Self(ApiError { code, message: None })
    }

    /// As the trail has it.
    #[must_use]
    pub fn for_trail(&self) -> ErrorText<'_> {
        (self.0.code.as_str(), self.0.message.as_deref())
    }

    /// The trail cannot be written, so nothing may be done or answered.
    #[must_use]
    pub fn unrecorded() -> Self {
        Self::new(
            ErrorCode::KmsInternal,
            "The audit trail cannot be written to at the moment. The request can be retried.",
        )
    }

    /// There were too many requests, or there is too much to do.
    #[must_use]
    pub fn throttled() -> Self {
        Self::new(
            ErrorCode::Throttling,
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
        )
    }

    /// The failure of something inside; the request can be tried again.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(ErrorCode::KmsInternal, "An internal error occurred. The request can be retried.")
    }
}

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        // The caller is told that something failed; what it was is for the operator. That there is more to do than can be
        // done is no failure, and what is told of it is told often.
        if matches!(error, VaultError::Busy | VaultError::Slow) {
            tracing::debug!(%error, "a request was turned away");
        } else {
            tracing::error!(%error, "a request failed inside");
        }
        match error {
            VaultError::Unrecorded => Self::unrecorded(),
            VaultError::Unwritable(_) => Self::new(
                ErrorCode::KmsInternal,
                "The key store cannot be written to at the moment. The request can be retried.",
            ),
            VaultError::Contended => {
                Self::new(ErrorCode::KmsInternal, "The resource is changing. The request can be retried.")
            }
            VaultError::Busy => Self::throttled(),
            VaultError::TooLarge(_) => Self::new(
                ErrorCode::LimitExceeded,
                "The keys that this request changes are too many or too large to be changed at once.",
            ),
            VaultError::Slow | VaultError::Timeout => Self::silent(ErrorCode::DependencyTimeout),
            VaultError::Damaged(_)
            | VaultError::Lost
            | VaultError::Material(_)
            | VaultError::Memory(_)
            | VaultError::Unreadable(_)
            | VaultError::Wrap(_) => Self::internal(),
        }
    }
}

impl From<SealError> for Refusal {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Cipher | SealError::Random(_) => Self::internal(),
        }
    }
}

impl From<OffloadError> for Refusal {
    fn from(error: OffloadError) -> Self {
        VaultError::from(error).into()
    }
}

impl From<RandomError> for Refusal {
    fn from(RandomError: RandomError) -> Self {
        Self::internal()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    use super::*;
    use crate::offload::FullError;

    /// Notes the level of each event.
    #[derive(Clone, Default)]
    struct Levels(Arc<Mutex<Vec<Level>>>);

    impl Subscriber for Levels {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            self.0.lock().push(*event.metadata().level());
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn too_much_work_is_no_error_in_the_log() {
        for (error, code, level) in [
            (OffloadError::Full(FullError), ErrorCode::Throttling, Level::DEBUG),
            (OffloadError::Slow, ErrorCode::DependencyTimeout, Level::DEBUG),
            (OffloadError::Lost, ErrorCode::KmsInternal, Level::ERROR),
        ] {
            let levels = Levels::default();
            let refusal = tracing::subscriber::with_default(levels.clone(), || Refusal::from(error));
            assert_eq!(refusal.0.code, code);
            assert_eq!(*levels.0.lock(), [level], "{error}");
        }
    }
}
