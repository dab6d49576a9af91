//! One request, from its body to the bytes of its answer, with its record in the trail.

use keyreeve_core::Service;
use keyreeve_core::bracket::{Notes, Source, Trail};
use keyreeve_core::request::Operation as AnyOperation;
use keyreeve_wire::cloudwatch::Operation;
use keyreeve_wire::query::Api;
use keyreeve_wire::rpc::{Protocol, query_error};

use super::dispatch;
use super::refusal::Refusal;
use crate::metric::MetricSource;

/// An operation of CloudWatch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CloudWatchOperation(pub Operation);

impl CloudWatchOperation {
    /// The name, as the API spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Whether CloudTrail calls it read-only.
    #[must_use]
    pub fn read_only(self) -> bool {
        self.0.read_only()
    }
}

impl AnyOperation for CloudWatchOperation {
    fn name(self) -> &'static str {
        self.0.name()
    }

    fn read_only(self) -> bool {
        self.0.read_only()
    }

    fn source(self) -> Source {
        Source::CloudWatch
    }
}

/// An authenticated request.
pub type CloudWatchRequest<'a> = keyreeve_core::request::Request<'a, CloudWatchOperation>;

/// What leaves.
#[derive(Debug)]
pub struct CloudWatchAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// The code, where the answer is an error.
    pub error: Option<&'static str>,
    /// What the header `x-amzn-query-error` says, where the answer is an error.
    pub query_error: Option<String>,
}

/// The namespace of the names of errors, as AWS answers: the model has another.
const SHAPES: &str = "com.amazon.coral.service";

impl CloudWatchAnswer {
    /// The answer that is this error.
    #[must_use]
    pub fn refused(protocol: Protocol, Refusal(error): &Refusal, request_id: &str) -> Self {
        let mut body = Vec::with_capacity(512);
        protocol.write_error(error, (SHAPES, Operation::NAMESPACE), request_id, &mut body);
        Self {
            status: error.code.http_status(),
            body,
            error: Some(error.code.as_str()),
            query_error: Some(query_error(error.code)),
        }
    }
}

/// Handles `request`. The answer is returned only once its record is in the trail. Where the trail cannot be written the
/// answer is an error: nothing was changed, or the record that announced the change says that it may have been.
pub async fn answer(
    service: &Service,
    trail: &dyn Trail,
    request: &CloudWatchRequest<'_>,
    metrics: &dyn MetricSource,
    (protocol, body): (Protocol, &[u8]),
) -> CloudWatchAnswer {
    let head = request.head(Some(request.caller), request.caller.account());
    let mut notes = Notes::default();
    let mut cx = request.context(service, trail, &head, &mut notes, request.caller);
    let mut answer = Vec::with_capacity(4096);
    let outcome =
        dispatch::dispatch(&mut cx, metrics, request.operation.0, (protocol, body), &mut answer).await;
    drop(cx);
    let id = request.request_id;
    let refused = outcome.as_ref().err().map(Refusal::for_trail);
    if head.complete(trail, &notes, refused).await.is_err() {
        return CloudWatchAnswer::refused(protocol, &Refusal::unrecorded(), id.as_str());
    }
    match outcome {
        Ok(()) => CloudWatchAnswer { status: 200, body: answer, error: None, query_error: None },
        Err(refusal) => CloudWatchAnswer::refused(protocol, &refusal, id.as_str()),
    }
}
