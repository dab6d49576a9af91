//! The way to a collector of OpenTelemetry: requests of OTLP over HTTP, each of which says that it was taken.
//!
//! A request that was not taken, for whatever reason, is an error, after which its events are told again: the trail has them for as long as its segments
//! are there. What a collector says that it rejected of a request that it took is not sent again, for it would be rejected again.
//! Source: <https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Request, Uri};
use http_body_util::Full;
use keyreeve_observe::otlp::{self, Exporter, Rejected};
use serde_json::Value;
use tokio::runtime::{self, Runtime};

use crate::collector_request::CollectorRequest;
use crate::https::Https;
use crate::streams::counts::Counts;
use crate::streams::way::Way;

/// How collectors are spoken to.
#[derive(Clone)]
pub(super) struct Collector {
    pub(super) url: Uri,
    pub(super) request: CollectorRequest,
    pub(super) https: Arc<Https>,
    pub(super) exporter: Exporter,
    pub(super) counts: Arc<Counts>,
}

/// The way to one.
pub(super) struct CollectorWay {
    collector: Collector,
    runtime: Runtime,
    /// What is held back to be sent at once, and how long its events are.
    records: Vec<Value>,
    len: usize,
}

impl CollectorWay {
    pub(super) fn open(collector: Collector) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { collector, runtime, records: Vec::new(), len: 0 })
    }

    fn push(&mut self, is_stopped: &dyn Fn() -> bool) -> io::Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        let Collector { url, request: form, https, exporter, counts } = &self.collector;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = form.prepare(&mut headers, exporter.request(&self.records))?;
        let request = Request::post(url.path()).body(Full::new(Bytes::from(body)));
        let mut request = request.map_err(io::Error::other)?;
        *request.headers_mut() = headers;
        let stop = async {
            while !is_stopped() {
                tokio::time::sleep(TURN).await;
            }
        };
        let answer = self.runtime.block_on(async {
            tokio::select! {
                answer = https.send(url, request) => answer.map_err(io::Error::other),
                () = stop => Err(io::Error::new(io::ErrorKind::Interrupted, "the service stops")),
            }
        })?;
        if let Some(Rejected { records, message }) = otlp::rejected(&answer) {
            counts.rejected(records);
            tracing::error!(records, message, %url, "a collector does not take events of the audit trail");
        }
        self.records.clear();
        self.len = 0;
        Ok(())
    }
}

impl Way for CollectorWay {
    fn send(&mut self, json: &[u8], is_stopped: &dyn Fn() -> bool) -> io::Result<()> {
        let record = otlp::record(json).ok_or_else(|| io::Error::other("an event cannot be read"))?;
        self.records.push(record);
        self.len = self.len.saturating_add(json.len());
        if self.len >= BUFFER || self.records.len() >= RECORDS { self.push(is_stopped) } else { Ok(()) }
    }

    fn flush(&mut self, is_stopped: &dyn Fn() -> bool) -> io::Result<()> {
        self.push(is_stopped)
    }
}

/// Bytes of events in a request: with the attributes, less than a collector takes (20 MiB) by far.
const BUFFER: usize = 512 * 1024;
/// Events in a request: as many as exporters send by themselves.
const RECORDS: usize = 512;
/// From one look whether the service stops to the next.
const TURN: Duration = Duration::from_millis(100);
