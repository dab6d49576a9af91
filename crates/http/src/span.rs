//! One span for each request, where somebody takes spans.
//!
//! Names are those of OpenTelemetry's semantic conventions for the cloud's SDKs and for HTTP. Nothing that a caller writes is an attribute: operations
//! and error codes are known words, and identifiers are the service's own.
//! Source: <https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/>.

use http::HeaderMap;
use keyreeve_audit::event::Uuid;
use keyreeve_core::bracket::Source;
use tracing::Span;
use tracing::field::Empty;

/// The target of the spans.
pub const SPANS: &str = "keyreeve::request";

/// Gives a span its place in the trace that the caller tells of in the headers of the request.
pub type ContinueTrace = fn(&Span, &HeaderMap);

/// The span of a request, in the trace of its caller.
pub(crate) fn of_request(continue_from: ContinueTrace, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        target: SPANS,
        "request",
        "otel.name" = Empty,
        "otel.kind" = "server",
        "otel.status_code" = Empty,
        "rpc.system" = "aws-api",
        "rpc.service" = Empty,
        "rpc.method" = Empty,
        "error.type" = Empty,
        "aws.request_id" = Empty,
        "http.response.status_code" = Empty,
    );
    continue_from(&span, headers);
    span
}

/// Notes in the span of the request which id it has.
pub(crate) fn note_id(id: Uuid) {
    let span = Span::current();
    if !span.is_disabled() {
        span.record("aws.request_id", id.as_str());
    }
}

/// Notes in the span of the request what was asked for, as far as it is known, and the error that it is answered with.
pub(crate) fn note(source: Source, operation: Option<&str>, error: Option<&str>) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    let service = service_id(source);
    span.record("rpc.service", service);
    if let Some(operation) = operation {
        span.record("rpc.method", operation);
        span.record("otel.name", format!("{service}/{operation}"));
    }
    if let Some(error) = error {
        span.record("error.type", error);
    }
}

/// Notes in `span` the status that the request was answered with.
pub(crate) fn note_status(span: &Span, status: u16) {
    if !span.is_disabled() {
        span.record("http.response.status_code", status);
        if status >= 500 {
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// The id of a service, as the SDKs have it.
fn service_id(source: Source) -> &'static str {
    match source {
        Source::CloudTrail => "CloudTrail",
        Source::CloudWatch => "CloudWatch",
        Source::Iam => "IAM",
        Source::Kms => "KMS",
        Source::Logs => "CloudWatch Logs",
        Source::S3 => "S3",
        Source::Sts => "STS",
    }
}
