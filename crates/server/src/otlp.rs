//! Spans of requests, sent to a collector of OpenTelemetry.
//!
//! A thread of the library's own collects spans and sends them in batches; a request waits for nothing. A queue that is full, or a collector that does not
//! answer, costs spans and nothing else.
//! Source: <https://opentelemetry.io/docs/specs/otlp/>.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri};
use http_body_util::Full;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use parking_lot::Mutex;
use tokio::runtime::{self, Runtime};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::collector_request::CollectorRequest;
use crate::config::TracingSection;
use crate::exit::Failure;
use crate::https::Https;

/// The export of spans. To be ended before the process is.
pub(crate) struct Otlp {
    provider: SdkTracerProvider,
}

impl Otlp {
    /// Begins to send to the collector at `url`.
    pub(crate) fn start(config: &TracingSection, url: &str) -> Result<Self, Failure> {
        let refused =
            |error: &dyn fmt::Display| Failure::Config(format!("[tracing] otlp, `{url}`: {error}."));
        let https = Https::new(config.otlp_ca.as_deref(), "[tracing] otlp_ca")?;
        let uri: Uri = url.parse().map_err(|error| refused(&error))?;
        let headers = config.otlp_headers.as_deref();
        let form = CollectorRequest::new(&uri, headers, "[tracing] otlp_headers", config.otlp_gzip)?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client { https, form, runtime: Mutex::new(runtime) })
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(url)
            .build()
            .map_err(|error| refused(&error))?;
        let resource = Resource::builder()
            .with_service_name("keyreeve")
            .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(resource)
            .build();
        Ok(Self { provider })
    }

    /// What takes the spans of requests, and nothing else.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        let tracer = self.provider.tracer("keyreeve");
        let only = Targets::new().with_target(keyreeve_http::SPANS, tracing::Level::INFO);
        // Thread, target and place in the source are always the same; a span that was activated could not be given its name later.
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_context_activation(false)
            .with_location(false)
            .with_target(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(only)
    }

    /// Sends what is left, for a few seconds at most.
    pub(crate) fn stop(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(PATIENCE) {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}

/// Makes `span` a part of the trace that the caller has begun, if there is one.
pub(crate) fn continue_from(span: &Span, headers: &HeaderMap) {
    let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    if let Err(error) = span.set_parent(context) {
        tracing::debug!(?error, "a trace was not continued");
    }
}

/// A client on a runtime of its own, for the thread that sends.
struct Client {
    https: Https,
    form: CollectorRequest,
    runtime: Mutex<Runtime>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (mut parts, body) = request.into_parts();
        let uri = std::mem::take(&mut parts.uri);
        parts.uri = uri.path().parse()?;
        let body = self.form.prepare(&mut parts.headers, body.into())?;
        let request = Request::from_parts(parts, Full::new(Bytes::from(body)));
        // The thread that sends does nothing else, and is in no other runtime.
        self.runtime.lock().block_on(self.https.send(&uri, request))?;
        Ok(Response::new(Bytes::new()))
    }
}

/// How long the process waits for the last spans.
const PATIENCE: Duration = Duration::from_secs(5);
