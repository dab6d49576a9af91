//! CloudWatch: from an HTTP request to an answer.
//!
//! Three protocols lead here: a target in a header (awsJson 1.0), a path (RPC v2 CBOR), and a form that is signed for
//! `monitoring` (awsQuery). Who signs is looked up before the body is read, as for KMS.

use core::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response};
use hyper::body::Incoming;
use keyreeve_core::bracket::{Head, Notes, Source, Trail};
use keyreeve_domain::Region;
use keyreeve_observe::cloudwatch::{
    CloudWatchAnswer, CloudWatchOperation, CloudWatchRequest, Refusal, answer,
};
use keyreeve_observe::metric::MetricSource;
use keyreeve_sigv4::{Claim, RequestHead};
use keyreeve_wire::cloudwatch::Operation;
use keyreeve_wire::query::{Api as _, Form, QueryError};
use keyreeve_wire::rpc::Protocol;
use tokio::sync::Notify;
use tracing::Instrument as _;

use super::query::{self, Received, received};
use super::{Api, Authenticated, Call, Client, TARGET, respond, signed_view, user_agent};
use crate::bodies;
use crate::connection::Body;
use crate::span;

/// What the API of CloudWatch works on, beside the store.
pub struct Monitoring {
    /// The metrics.
    pub metrics: Arc<dyn MetricSource>,
    /// Told when an alarm was given another state by a request: its actions are to be run.
    pub alarm_set: Arc<Notify>,
}

/// The name of the service in targets and paths.
const SERVICE: &str = "GraniteServiceVersion20100801";
/// Its name in credential scopes.
const SIGNED_FOR: &str = "monitoring";
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");
const QUERY_MODE: HeaderName = HeaderName::from_static("x-amzn-query-mode");
const SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");

/// What a request asks of CloudWatch, by its head.
pub(super) struct Asked {
    protocol: Protocol,
    /// The operation; of a form it stands in the body.
    operation: Option<Result<Operation, QueryError>>,
}

/// Whether a request is for CloudWatch, by its head.
pub(super) fn asked(parts: &Parts) -> Option<Asked> {
    let named = |protocol, name: &str| {
        let operation =
            Operation::from_name(name).ok_or_else(|| QueryError::invalid_action(name, Operation::VERSION));
        Some(Asked { protocol, operation: Some(operation) })
    };
    if let Some(target) = parts.headers.get(&TARGET) {
        let name = target.to_str().ok()?.strip_prefix(SERVICE)?.strip_prefix('.')?;
        return named(Protocol::Json, name);
    }
    if let Some(rest) = parts.uri.path().strip_prefix("/service/").and_then(|rest| rest.strip_prefix(SERVICE))
    {
        let name = rest.strip_prefix("/operation/").filter(|_| parts.method == Method::POST);
        return named(Protocol::Cbor, name.unwrap_or_default());
    }
    let text = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let is_signed =
        text.contains("/monitoring/aws4_request") || query.contains("%2Fmonitoring%2Faws4_request");
    (is_signed && query::is_query(parts)).then_some(Asked { protocol: Protocol::Query, operation: None })
}

/// A request whose caller is known.
struct Known {
    authenticated: Authenticated,
    operation: Operation,
    body: Received,
}

/// A request that is not answered by its operation.
struct Refused {
    refusal: Refusal,
    operation: Option<Operation>,
    region: Option<Region>,
}

impl<T: Trail + 'static> Api<T> {
    /// Answers a request of CloudWatch.
    pub(super) async fn cloudwatch(
        self: Rc<Self>,
        call: Call,
        parts: Parts,
        body: Incoming,
        asked: Asked,
    ) -> Response<Body> {
        let arrived = call.arrived;
        let is_query_mode =
            parts.headers.get(QUERY_MODE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        let (id, protocol, this) = (call.request_id, asked.protocol, Rc::clone(&self));
        let (operation, answer) = match self.known(&call, &parts, body, asked).await {
            Ok(known) => (Some(known.operation), this.run_cloudwatch(call, parts, protocol, known).await),
            Err(refused) => {
                (refused.operation, self.refuse_cloudwatch(&call, &parts, protocol, &refused).await)
            }
        };
        let counted = operation.map(CloudWatchOperation);
        self.endpoint.metrics.count_cloudwatch(counted, answer.error, arrived.elapsed());
        span::note(Source::CloudWatch, counted.map(CloudWatchOperation::name), answer.error);
        if operation == Some(Operation::SetAlarmState) {
            self.endpoint.monitoring.alarm_set.notify_one();
        }
        let mut response = respond(Some(id), answer.status, answer.body, protocol.content_type());
        let headers = response.headers_mut();
        if is_query_mode
            && protocol != Protocol::Query
            && let Some(Ok(value)) = answer.query_error.map(|text| HeaderValue::from_str(&text))
        {
            headers.insert(QUERY_ERROR, value);
        }
        if protocol == Protocol::Cbor {
            headers.insert(SMITHY_PROTOCOL, HeaderValue::from_static("rpc-v2-cbor"));
        }
        response
    }

    /// Who asks, and for which operation.
    async fn known(
        &self,
        call: &Call,
        parts: &Parts,
        body: Incoming,
        asked: Asked,
    ) -> Result<Known, Refused> {
        let headers = signed_view(parts);
        let head = RequestHead {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: headers.iter().copied(),
        };
        let by_head = asked.operation.as_ref().and_then(|operation| operation.as_ref().ok()).copied();
        let refused = |refusal: keyreeve_identity::Refusal, operation: Option<Operation>, region| Refused {
            refusal: Refusal(refusal.0),
            operation,
            region,
        };
        let names: Vec<&str> = self.region_names.iter().map(String::as_str).collect();
        let regions = Some(names.as_slice()).filter(|names| !names.is_empty());
        let claimed = match Claim::parse(&head) {
            Ok(claim) => self
                .claimed(call, claim, SIGNED_FOR, regions)
                .await
                .map_err(|error| refused(query::of_cause(error.cause), by_head, error.region)),
            Err(error) => Err(refused(query::of_signature(&error), by_head, None)),
        };
        let claimed = match claimed {
            Ok(claimed) => claimed,
            Err(error) => {
                bodies::discard(body, &self.endpoint.limits);
                return Err(error);
            }
        };
        let region = Some(claimed.region);
        let body = received(parts, body, &self.bodies, &self.endpoint.limits).await;
        let body = body.map_err(|refusal| refused(refusal, by_head, region))?;
        let operation = match asked.operation {
            Some(operation) => operation,
            None => Form::parse(body.as_ref()).and_then(|form| Operation::of(&form)),
        };
        // A query string is no part of what the hash of the body covers: its own place in the signature does.
        let signed_body = match &body {
            Received::Body(body) => body.as_ref(),
            Received::Query(_) => &[],
        };
        let known = operation.as_ref().ok().copied();
        let authenticated = self.verified(call, claimed, &head, signed_body).await;
        let authenticated =
            authenticated.map_err(|error| refused(query::of_cause(error.cause), known, error.region))?;
        let operation =
            operation.map_err(|error| Refused { refusal: Refusal(error), operation: None, region })?;
        Ok(Known { authenticated, operation, body })
    }

    /// Runs the operation. ORDER: as for KMS, a change that is announced goes on when its client hangs up.
    async fn run_cloudwatch(
        self: Rc<Self>,
        call: Call,
        parts: Parts,
        protocol: Protocol,
        known: Known,
    ) -> CloudWatchAnswer {
        let begun = Rc::new(Cell::new(false));
        if known.operation.read_only() {
            return self.answered_by_cloudwatch(&call, &parts, protocol, known, &begun).await;
        }
        let (seen, id) = (Rc::clone(&begun), call.request_id);
        let task = tokio::task::spawn_local(
            async move { self.answered_by_cloudwatch(&call, &parts, protocol, known, &seen).await }
                .in_current_span(),
        );
        let _client = Client { begun, task: task.abort_handle() };
        task.await.unwrap_or_else(|_panicked| {
            CloudWatchAnswer::refused(protocol, &Refusal::internal(), id.as_str())
        })
    }

    async fn answered_by_cloudwatch(
        &self,
        call: &Call,
        parts: &Parts,
        protocol: Protocol,
        known: Known,
        begun: &Cell<bool>,
    ) -> CloudWatchAnswer {
        let Known { authenticated, operation, body } = known;
        let request = CloudWatchRequest {
            operation: CloudWatchOperation(operation),
            caller: authenticated.credential.caller(),
            region: authenticated.region,
            now: call.now,
            request_id: call.request_id,
            event_id: call.event_id,
            source_ip: &call.peer.address,
            user_agent: user_agent(parts),
            tls: call.tls(parts),
            begun,
        };
        let _running = self.endpoint.running().await;
        let metrics = &*self.endpoint.monitoring.metrics;
        answer(&self.endpoint.service, &self.trail, &request, metrics, (protocol, body.as_ref())).await
    }

    /// Puts a request that was refused before its operation began into the trail, and answers it.
    async fn refuse_cloudwatch(
        &self,
        call: &Call,
        parts: &Parts,
        protocol: Protocol,
        refused: &Refused,
    ) -> CloudWatchAnswer {
        let Refused { refusal, operation, region } = refused;
        let head = Head {
            source: Source::CloudWatch,
            name: operation.map_or("Unknown", Operation::name),
            read_only: operation.is_none_or(Operation::read_only),
            caller: None,
            account: self.endpoint.account,
            region: region.unwrap_or(self.endpoint.home),
            time: call.now,
            request_id: call.request_id,
            event_id: call.event_id,
            source_ip: &call.peer.address,
            user_agent: user_agent(parts),
            tls: call.tls(parts),
        };
        let refused_as = Some(refusal.for_trail());
        let id = call.request_id;
        match head.complete(&self.trail, &Notes::default(), refused_as).await {
            Ok(()) => CloudWatchAnswer::refused(protocol, refusal, id.as_str()),
            Err(_) => CloudWatchAnswer::refused(protocol, &Refusal::internal(), id.as_str()),
        }
    }
}
