//! What a caller is told when a request is refused.

use keyreeve_audit::json::Object;
use keyreeve_core::gate::GateError;

use crate::archive::ArchiveError;

/// An answer that is an error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Its code.
    pub code: &'static str,
    /// Its HTTP status.
    pub status: u16,
    /// Its text; empty where the service gives none.
    pub message: String,
}

impl Refusal {
    /// A refusal that the caller can do something about.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status: 400, message: message.into() }
    }

    /// The same with another HTTP status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The failure of something inside; the request can be tried again.
    #[must_use]
    pub fn internal() -> Self {
        Self {
            code: "InternalFailure",
            status: 500,
            message: "An internal error occurred. The request can be retried.".to_owned(),
        }
    }

    /// As the trail has it.
    #[must_use]
    pub fn for_trail(&self) -> (&str, Option<&str>) {
        (self.code, Some(self.message.as_str()).filter(|message| !message.is_empty()))
    }

    /// The body of an answer, JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(256);
        let mut object = Object::begin(&mut body);
        object.string("__type", self.code);
        if !self.message.is_empty() {
            object.string("message", &self.message);
        }
        object.end();
        body
    }
}

impl From<GateError> for Refusal {
    fn from(error: GateError) -> Self {
        let keyreeve_core::Refusal(error) = error.into();
        let code =
            if error.code.http_status() >= 500 { return Self::internal() } else { error.code.as_str() };
        Self { code, status: error.code.http_status(), message: error.message.unwrap_or_default() }
    }
}

impl From<ArchiveError> for Refusal {
    fn from(error: ArchiveError) -> Self {
        tracing::error!(%error, "a request failed inside");
        Self::internal()
    }
}
