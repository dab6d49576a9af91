//! What a caller of CloudWatch is told when a request is refused.

use keyreeve_core::bracket::ErrorText;
use keyreeve_core::gate::GateError;
use keyreeve_core::space::SpaceError;
use keyreeve_core::vault::VaultError;
use keyreeve_crypto::random::RandomError;
use keyreeve_wire::query::{QueryError, QueryErrorCode};

use crate::metric::MetricsError;

/// An answer that is an error: the code and text of the API. What the log reads is written where the cause is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal(pub QueryError);

impl Refusal {
    /// A refusal with a text.
    #[must_use]
    pub fn new(code: QueryErrorCode, message: impl Into<String>) -> Self {
        Self(QueryError::new(code, message))
    }

    /// As the trail has it.
    #[must_use]
    pub fn for_trail(&self) -> ErrorText<'_> {
        (self.0.code.shape(), Some(&self.0.message))
    }

    /// The trail cannot be written, so nothing may be done or answered.
    #[must_use]
    pub fn unrecorded() -> Self {
        Self::new(
            QueryErrorCode::InternalService,
            "The audit trail cannot be written to at the moment. The request can be retried.",
        )
    }

    /// The failure of something inside; the request can be tried again.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(QueryErrorCode::InternalService, "An internal error occurred. The request can be retried.")
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(QueryErrorCode::ValidationError, message)
    }

    pub(crate) fn token(token: &str) -> Self {
        // AWS: unverified but for DescribeAlarmHistory
        Self::new(QueryErrorCode::InvalidNextToken, format!("Invalid NextToken : {token}"))
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        Self(error)
    }
}

impl From<GateError> for Refusal {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Denied(denied) => Self::new(QueryErrorCode::AccessDenied, denied.to_string()),
            GateError::Undecided(error) => error.into(),
            GateError::Disabled(_)
            | GateError::NotPendingDeletion(_)
            | GateError::PendingDeletion(_)
            | GateError::PendingImport(_)
            | GateError::PendingReplicaDeletion(_)
            | GateError::Updating(_)
            | GateError::Usage { .. } => Self::internal(),
        }
    }
}

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        if matches!(error, VaultError::Busy | VaultError::Slow | VaultError::Contended) {
            tracing::debug!(%error, "a request was turned away");
        } else {
            tracing::error!(%error, "a request failed inside");
        }
        match error {
            VaultError::Unrecorded => Self::unrecorded(),
            VaultError::Contended | VaultError::Busy => {
                Self::new(QueryErrorCode::Throttling, "Rate exceeded")
            }
            VaultError::Slow | VaultError::Timeout => Self::new(
                QueryErrorCode::ServiceUnavailable,
                "The service is not available at the moment. The request can be retried.",
            ),
            VaultError::Unwritable(_) => Self::new(
                QueryErrorCode::InternalService,
                "The store cannot be written to at the moment. The request can be retried.",
            ),
            VaultError::Damaged(_)
            | VaultError::Lost
            | VaultError::Material(_)
            | VaultError::Memory(_)
            | VaultError::TooLarge(_)
            | VaultError::Unreadable(_)
            | VaultError::Wrap(_) => Self::internal(),
        }
    }
}

impl From<SpaceError> for Refusal {
    fn from(error: SpaceError) -> Self {
        VaultError::from(error).into()
    }
}

impl From<RandomError> for Refusal {
    fn from(RandomError: RandomError) -> Self {
        Self::internal()
    }
}

impl From<MetricsError> for Refusal {
    fn from(error: MetricsError) -> Self {
        tracing::error!(%error, "a request failed inside");
        Self::internal()
    }
}
