//! From an HTTP request to an answer of the API.
//!
//! The order: the operation, what the head says of its signature, the access key, the body, the signature, then the operation
//! itself. Nothing of a body is kept for an access key that is not known. Every request that names a
//! Region is in the trail before its answer leaves, refused ones too.

use core::cell::{Cell, RefCell};
use core::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HOST, HeaderName, HeaderValue, PRAGMA, USER_AGENT,
};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use keyreeve_audit::event::{Tls, Uuid};
use keyreeve_core::bracket::{Head, Notes, Source, Trail};
use keyreeve_core::service_event::ServiceEvent;
use keyreeve_core::tally::{Counted, Outcome};
use keyreeve_core::vault::VaultError;
use keyreeve_core::{Principal, Refusal, Service};
use keyreeve_crypto::random::Random;
use keyreeve_domain::{AccountId, Region, Timestamp};
use keyreeve_kms::Answer;
use keyreeve_observe::archive::Archive;
use keyreeve_observe::layout::TrailNames;
use keyreeve_sigv4::{Claim, RequestHead, SigV4Error, SigningKeyCache};
use keyreeve_wire::{ErrorCode, Operation};
use tokio::sync::RwLockReadGuard;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::bodies::{self, Bodies, Held};
use crate::connection::{Body, Handler, Peer};
use crate::ids::Ids;
use crate::limits::{HOST_BYTES, Limits, USER_AGENT_BYTES};
use crate::metrics::{self, Metrics};
use crate::shares::Shares;
use crate::span::{self, ContinueTrace};
use crate::test_mode::{TEST_MODE_PATH, TestMode};

mod audit;
mod authentication;
mod cloudwatch;
mod object_keys;
mod query;
mod test_mode;

use authentication::{Authenticated, Cause, Unauthenticated, signed_view};
pub use cloudwatch::Monitoring;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const SERVICE: &str = "kms";
/// The form of metrics.
/// Source: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Signing keys of one worker: an access key has one for each day and Region.
const SIGNING_KEYS: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// What the workers of one endpoint share.
pub struct Endpoint {
    /// The service.
    pub service: Arc<Service>,
    /// The account that the events of unauthenticated requests belong to.
    pub account: AccountId,
    /// The Regions that are answered for; all where empty.
    pub regions: Vec<Region>,
    /// The Region that the events of requests without one belong to.
    pub home: Region,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Bounds of a request.
    pub limits: Limits,
    /// Randomness for the ids of requests.
    pub random: Arc<dyn Random>,
    /// The time of day.
    pub clock: fn() -> Timestamp,
    /// The time of day by which clients sign; another than the clock in a test mode alone.
    pub signature_clock: fn() -> Timestamp,
    /// The trail that auditors read, where it is delivered.
    pub audit: Option<AuditTrail>,
    /// How the trail stands.
    pub trail_state: Box<dyn Fn() -> TrailState + Send + Sync>,
    /// What the API of CloudWatch works on.
    pub monitoring: Monitoring,
    /// What continues the traces of callers, where spans are taken.
    pub trace: Option<ContinueTrace>,
    /// The test mode, where the service runs in one.
    pub test_mode: Option<Arc<dyn TestMode>>,
}

/// Whether the trail takes what is appended, as far as that is known without a try.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TrailState {
    /// The last write was refused, and there is no room for another.
    Full,
    /// The last write was refused. Another may be taken.
    Refusing,
    /// The last write was taken.
    Taking,
}

/// The trail, as auditors read it.
pub struct AuditTrail {
    /// What it is called.
    pub names: TrailNames,
    /// Where it lies.
    pub archive: Arc<dyn Archive>,
}

impl Endpoint {
    /// Waits until the state as a whole is at rest, and keeps it so.
    async fn running(&self) -> Option<RwLockReadGuard<'_, ()>> {
        match &self.test_mode {
            Some(test_mode) => Some(test_mode.running().read().await),
            None => None,
        }
    }
}

/// The API on one worker thread.
pub struct Api<T> {
    endpoint: Arc<Endpoint>,
    region_names: Vec<String>,
    trail: T,
    signing_keys: RefCell<SigningKeyCache>,
    ids: RefCell<Ids>,
    shares: Rc<Shares>,
    bodies: Bodies,
    unsigned_bodies: Bodies,
}

impl<T: Trail> Api<T> {
    /// The API over `trail`.
    pub fn new(endpoint: Arc<Endpoint>, trail: T) -> Self {
        let region_names = endpoint.regions.iter().map(Region::to_string).collect();
        let signing_keys = RefCell::new(SigningKeyCache::new(SIGNING_KEYS));
        let (bodies, unsigned_bodies) = (Bodies::new(), Bodies::unsigned());
        let (ids, shares) = (RefCell::new(Ids::new()), Rc::default());
        Self { endpoint, region_names, trail, signing_keys, ids, shares, bodies, unsigned_bodies }
    }
}

impl From<Unauthenticated> for Refused {
    fn from(Unauthenticated { cause, region }: Unauthenticated) -> Self {
        let refusal = match cause {
            Cause::Signature(error) => refusal(&error),
            Cause::Vault(error) => error.into(),
        };
        Self { refusal, region }
    }
}

/// A request that is not answered by its operation.
struct Refused {
    refusal: Refusal,
    /// The Region that it named, as far as it is known.
    region: Option<Region>,
}

impl<T: Trail + 'static> Handler for Api<T> {
    async fn handle(self: Rc<Self>, request: Request<Incoming>, peer: Rc<Peer>) -> Response<Body> {
        let is_probe = request.method() == Method::GET;
        match request.uri().path() {
            "/livez" if is_probe => plain(StatusCode::OK, "ok\n".to_owned()),
            "/readyz" if is_probe => Box::pin(self.readiness()).await,
            "/metrics" if is_probe => self.metrics(request.headers()),
            path if path.starts_with(TEST_MODE_PATH)
                && let Some(test_mode) = self.endpoint.test_mode.clone() =>
            {
                Box::pin(self.test_mode(&*test_mode, request)).await
            }
            _ => match self.endpoint.trace {
                None => self.call(request, peer).await,
                // A future that is given to a span is moved, and this one is long.
                Some(trace) => Box::pin(self.traced(trace, request, peer)).await,
            },
        }
    }
}

impl<T: Trail + 'static> Api<T> {
    async fn readiness(&self) -> Response<Body> {
        if !self.trail_takes().await {
            let error = VaultError::Unrecorded;
            return plain(StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n"));
        }
        match self.endpoint.service.vault().snapshot().await {
            Ok(_) => plain(StatusCode::OK, "ok\n".to_owned()),
            Err(error) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")),
        }
    }

    /// Whether the trail takes what is appended. Where it did not the last time, it is tried: who is not ready is sent no request
    /// that would.
    async fn trail_takes(&self) -> bool {
        let state = &self.endpoint.trail_state;
        match state() {
            TrailState::Taking => return true,
            TrailState::Full => return false,
            TrailState::Refusing => {}
        }
        let event = self.endpoint.service.service_event(&ServiceEvent {
            source: Source::Kms,
            name: "ResumeAuditTrail",
            account: self.endpoint.account,
            region: self.endpoint.home,
            time: (self.endpoint.clock)(),
            details: &[],
            resources: &[],
        });
        match event {
            Ok(event) => self.trail.append(event).await.is_ok() && state() == TrailState::Taking,
            Err(_no_randomness) => false,
        }
    }

    /// What Prometheus reads, said to be in the form that it asks for: the older one, as far as whoever asks knows no other.
    fn metrics(&self, headers: &HeaderMap) -> Response<Body> {
        let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let is_open = accepted.into_iter().any(|value| value.contains("application/openmetrics-text"));
        let open = self.endpoint.metrics.text(self.endpoint.service.ring().len());
        let (text, content_type) =
            if is_open { (open, OPEN_METRICS) } else { (metrics::plain(&open), metrics::PLAIN) };
        let mut response = plain(StatusCode::OK, text);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        response
    }

    /// Answers a request in a span of its own.
    async fn traced(
        self: Rc<Self>,
        trace: ContinueTrace,
        request: Request<Incoming>,
        peer: Rc<Peer>,
    ) -> Response<Body> {
        let span = span::of_request(trace, request.headers());
        let response = Box::pin(self.call(request, peer)).instrument(span.clone()).await;
        span::note_status(&span, response.status().as_u16());
        response
    }

    async fn call(self: Rc<Self>, request: Request<Incoming>, peer: Rc<Peer>) -> Response<Body> {
        let (request_id, event_id) = {
            let mut ids = self.ids.borrow_mut();
            let random = &*self.endpoint.random;
            match (ids.next(random), ids.next(random)) {
                (Ok(request_id), Ok(event_id)) => (request_id, event_id),
                (Err(_), _) | (_, Err(_)) => return answered(None, Answer::refused(&Refusal::internal())),
            }
        };
        span::note_id(request_id);
        let (now, signed_by) = ((self.endpoint.clock)(), (self.endpoint.signature_clock)());
        let call = Call { request_id, event_id, now, signed_by, arrived: Instant::now(), peer };
        let (parts, body) = request.into_parts();
        if let Some(asked) = cloudwatch::asked(&parts) {
            return Box::pin(self.cloudwatch(call, parts, body, asked)).await;
        }
        if query::is_query(&parts) {
            return Box::pin(self.query(call, parts, body)).await;
        }
        if let Some(asked) = audit::asked(&parts) {
            return Box::pin(self.audit(call, parts, body, asked)).await;
        }
        let operation =
            parts.headers.get(&TARGET).and_then(|target| Operation::from_target(target.to_str().ok()?));
        let id = call.request_id;
        let begun = Rc::new(Cell::new(false));
        // ORDER: a change that is announced goes on when its client hangs up, so that it is complete in the store and in
        // the trail; one that only waits is given up.
        let answer = if operation.is_none_or(Operation::read_only) {
            self.answer(call, parts, body, operation, &begun).await
        } else {
            let seen = Rc::clone(&begun);
            let task = tokio::task::spawn_local(
                async move { self.answer(call, parts, body, operation, &seen).await }.in_current_span(),
            );
            let _client = Client { begun, task: task.abort_handle() };
            task.await.unwrap_or_else(|_panicked| Answer::refused(&Refusal::internal()))
        };
        answered(Some(id), answer)
    }

    async fn answer(
        self: Rc<Self>,
        call: Call,
        parts: Parts,
        body: Incoming,
        operation: Option<Operation>,
        begun: &Cell<bool>,
    ) -> Answer {
        let arrived = call.arrived;
        let answer = match self.authenticated(&call, &parts, body, operation).await {
            Ok((operation, authenticated, body)) => {
                let _running = self.endpoint.running().await;
                let request = keyreeve_kms::Request {
                    operation,
                    caller: authenticated.caller(),
                    region: authenticated.region,
                    now: call.now,
                    request_id: call.request_id,
                    event_id: call.event_id,
                    source_ip: &call.peer.address,
                    user_agent: user_agent(&parts),
                    tls: call.tls(&parts),
                    begun,
                };
                let answer = keyreeve_kms::answer(&self.endpoint.service, &self.trail, &request, body).await;
                self.endpoint.service.tally().count(&Counted {
                    account: request.caller.account(),
                    region: request.region,
                    operation,
                    keys: answer.keys,
                    outcome: outcome(answer.error),
                    at: call.now,
                    took: arrived.elapsed(),
                });
                answer
            }
            Err(refused) => Box::pin(self.refuse(&call, &parts, operation, refused)).await,
        };
        self.endpoint.metrics.count(operation, answer.error, arrived.elapsed());
        span::note(Source::Kms, operation.map(Operation::name), answer.error);
        answer
    }

    /// The operation, who asks for it, and the body, in this order: a body is read for a known access key alone.
    async fn authenticated(
        &self,
        call: &Call,
        parts: &Parts,
        body: Incoming,
        operation: Option<Operation>,
    ) -> Result<(Operation, Authenticated, Held), Refused> {
        let is_root = parts.method == Method::POST && parts.uri.path() == "/";
        let refused = |refusal| Refused { refusal, region: None };
        let Some(operation) = operation.filter(|_| is_root) else {
            bodies::discard(body, &self.endpoint.limits);
            return Err(refused(Refusal::silent(ErrorCode::UnknownOperation)));
        };
        let headers = signed_view(parts);
        let head = RequestHead {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: headers.iter().copied(),
        };
        let unscoped = |error| Unauthenticated { cause: Cause::Signature(error), region: None };
        let names: Vec<&str> = self.region_names.iter().map(String::as_str).collect();
        let regions = Some(names.as_slice()).filter(|names| !names.is_empty());
        let claimed = match Claim::parse(&head).map_err(unscoped) {
            Ok(claim) => self.claimed(call, claim, SERVICE, regions).await,
            Err(error) => {
                self.turn_of(None).await;
                Err(error)
            }
        };
        let claimed = match claimed {
            Ok(claimed) => claimed,
            Err(error) => {
                bodies::discard(body, &self.endpoint.limits);
                return Err(error.into());
            }
        };
        let body = self.bodies.read(body, &self.endpoint.limits).await.map_err(refused)?;
        let mut authenticated = self.verified(call, claimed, &head, body.as_ref()).await?;
        if let Principal::Service(service) = authenticated.credential.caller().principal() {
            let forwarded = Box::pin(self.forwarded(call, parts, service, &authenticated)).await?;
            // AWS: whether a role counts as used where a service calls with a session of it is unverified.
            self.endpoint.service.note_use_by(&forwarded, SERVICE, authenticated.region, call.now);
            authenticated.forwarded = Some(Box::new(forwarded));
        }
        Ok((operation, authenticated, body))
    }

    /// Puts a request that was refused before its operation began into the trail, and answers it.
    async fn refuse(
        &self,
        call: &Call,
        parts: &Parts,
        operation: Option<Operation>,
        refused: Refused,
    ) -> Answer {
        let head = Head {
            source: Source::Kms,
            name: operation.map_or("Unknown", Operation::name),
            read_only: operation.is_none_or(Operation::read_only),
            caller: None,
            account: self.endpoint.account,
            region: refused.region.unwrap_or(self.endpoint.home),
            time: call.now,
            request_id: call.request_id,
            event_id: call.event_id,
            source_ip: &call.peer.address,
            user_agent: user_agent(parts),
            tls: call.tls(parts),
        };
        let refused_as = Some(refused.refusal.for_trail());
        match head.complete(&self.trail, &Notes::default(), refused_as).await {
            Ok(()) => Answer::refused(&refused.refusal),
            Err(_) => Answer::refused(&Refusal::internal()),
        }
    }
}

/// What is known of a request before it is read.
struct Call {
    request_id: Uuid,
    event_id: Uuid,
    now: Timestamp,
    /// Now, by the clock of whoever signs.
    signed_by: Timestamp,
    /// Now, by a clock that is never put back.
    arrived: Instant,
    peer: Rc<Peer>,
}

impl Call {
    /// What the trail says of TLS; nothing without it. The name of the host is that of the `Host` header, or of `:authority`.
    fn tls<'a>(&'a self, parts: &'a Parts) -> Option<Tls<'a>> {
        let (version, suite) = self.peer.tls.as_ref()?;
        let named = parts.headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
        let host = named.or_else(|| Some(parts.uri.authority()?.as_str())).unwrap_or_default();
        let host = host.get(..host.floor_char_boundary(HOST_BYTES)).unwrap_or_default();
        Some(Tls { version, suite, host })
    }
}

/// The client of a change. Where it goes away before the change is announced, nothing was changed or written, and the task
/// ends: what it waits for is for others.
struct Client {
    begun: Rc<Cell<bool>>,
    task: AbortHandle,
}

impl Drop for Client {
    fn drop(&mut self) {
        // To end a task that has ended does nothing.
        if !self.begun.get() {
            self.task.abort();
        }
    }
}

/// The user agent as the trail keeps it.
fn user_agent(parts: &Parts) -> &str {
    let agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    agent.get(..agent.floor_char_boundary(USER_AGENT_BYTES)).unwrap_or_default()
}

/// What came of a request that is answered with this error, if any.
fn outcome(error: Option<&str>) -> Outcome {
    match error {
        None => Outcome::Succeeded,
        Some(code) if code == ErrorCode::Throttling.as_str() => Outcome::Throttled,
        Some(_) => Outcome::Failed,
    }
}

fn refusal(error: &SigV4Error) -> Refusal {
    let known = ErrorCode::ALL.iter().find(|code| code.as_str() == error.code());
    Refusal::new(known.copied().unwrap_or(ErrorCode::InvalidSignature), error.to_string())
}

fn answered(request_id: Option<Uuid>, answer: Answer) -> Response<Body> {
    respond(request_id, answer.status, answer.body, "application/x-amz-json-1.1")
}

fn respond(
    request_id: Option<Uuid>,
    status: u16,
    body: Vec<u8>,
    content_type: &'static str,
) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.reserve(5);
    let id = request_id.and_then(|id| HeaderValue::from_str(id.as_str()).ok());
    headers.extend(id.map(|id| (REQUEST_ID, id)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, must-revalidate, private"));
    headers.insert(EXPIRES, HeaderValue::from_static("0"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trail that takes everything.
    struct Deaf;

    impl Trail for Deaf {
        fn append(&self, _event: Vec<u8>) -> keyreeve_core::bracket::TrailFuture<'_> {
            Box::pin(core::future::ready(Ok(())))
        }
    }

    fn answer_size<S, R, P, F>(_handle: impl FnOnce(S, R, P) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn the_future_of_a_request_is_small_enough_to_be_moved() {
        let size = answer_size(<Api<Deaf> as Handler>::handle);
        assert!(size <= 5632, "{size} bytes");
    }

    #[test]
    fn a_user_agent_is_cut_at_one_kibibyte() {
        for (sent, kept) in [(0, 0), (1023, 1023), (1024, 1024), (1025, 1024), (30_000, 1024)] {
            let request = Request::builder().header(USER_AGENT, "a".repeat(sent)).body(()).unwrap();
            assert_eq!(user_agent(&request.into_parts().0), "a".repeat(kept), "{sent}");
        }
    }
}
