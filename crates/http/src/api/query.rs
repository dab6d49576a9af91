//! IAM and STS: from an HTTP request to an answer.
//!
//! A request of AWS KMS names its operation in a header; what comes as a form is for the service that its credential scope
//! names. Who signs is looked up before the body is read, as for KMS. What is not signed has no scope: the `Version` in its
//! form tells whose error it gets.

use core::cell::Cell;
use std::rc::Rc;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::request::Parts;
use http::{Method, Response};
use hyper::body::Incoming;
use keyreeve_core::bracket::{Head, Notes, Source, Trail};
use keyreeve_core::{Caller, Principal};
use keyreeve_domain::Region;
use keyreeve_identity::{Answer, Operation, Refusal, Request};
use keyreeve_sigv4::{Claim, RequestHead, SigV4Error};
use keyreeve_wire::query::{AnswerForm, Api as _, Form, QueryError, QueryErrorCode};
use keyreeve_wire::{ErrorCode, iam, sts};
use tracing::Instrument as _;

use super::{Api, Authenticated, Call, Cause, Client, Endpoint, respond, signed_view, user_agent};
use crate::bodies::{self, Bodies, Held};
use crate::connection::Body;
use crate::limits::Limits;
use crate::span;

/// The Region that IAM belongs to, whatever Region is called.
const GLOBAL: &str = "us-east-1";

/// Whether a request is for IAM or STS, by its head. One that names a target is for KMS.
pub(super) fn is_query(parts: &Parts) -> bool {
    !parts.headers.contains_key(&super::TARGET)
        && match parts.method {
            Method::POST => is_form(parts) || asks_in_query(parts),
            Method::GET => asks_in_query(parts),
            _ => false,
        }
}

fn is_form(parts: &Parts) -> bool {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().starts_with("application/x-www-form-urlencoded"))
}

/// Whether the operation is named in the query, as in a presigned URL, whatever method it is sent with.
fn asks_in_query(parts: &Parts) -> bool {
    parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("Action=")))
}

/// A request that is not answered by its operation.
struct Refused {
    refusal: Refusal,
    source: Source,
    /// The operation, as far as it is known.
    operation: Option<Operation>,
    region: Option<Region>,
}

/// The form of a request, where it came.
pub(super) enum Received {
    Body(Held),
    Query(String),
}

impl AsRef<[u8]> for Received {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Body(body) => body.as_ref(),
            Self::Query(query) => query.as_bytes(),
        }
    }
}

/// Who asks, and for what.
struct Asked {
    /// Nobody where the token in the form is to say who asks.
    authenticated: Option<Authenticated>,
    operation: Operation,
    form: Received,
}

/// The one operation that is not signed.
const WEB_IDENTITY: Operation = Operation::Sts(sts::Operation::AssumeRoleWithWebIdentity);

impl<T: Trail + 'static> Api<T> {
    /// Answers a request of IAM or STS.
    pub(super) async fn query(self: Rc<Self>, call: Call, parts: Parts, body: Incoming) -> Response<Body> {
        let id = call.request_id;
        let arrived = call.arrived;
        let answer_form = answer_form(&parts);
        let this = Rc::clone(&self);
        let (operation, answer) = match self.asked(&call, &parts, body).await {
            Ok(asked) => (Some(asked.operation), this.run(call, parts, asked).await),
            Err(refused) => (refused.operation, self.refuse_query(&call, &parts, &refused).await),
        };
        self.endpoint.metrics.count_query(operation, answer.error, arrived.elapsed());
        if let Some(operation) = operation {
            span::note(operation.source(), Some(operation.name()), answer.error);
        }
        respond(Some(id), answer.status, answer.body, answer_form.content_type())
    }

    /// Who asks, and for which operation.
    async fn asked(&self, call: &Call, parts: &Parts, body: Incoming) -> Result<Asked, Refused> {
        let headers = signed_view(parts);
        let head = RequestHead {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: headers.iter().copied(),
        };
        let (source, claim) = match Claim::parse(&head) {
            Ok(claim) => (source(&claim), claim),
            Err(error) => return self.unclaimed(parts, body, &error).await,
        };
        let refused = |refusal, operation, region| Refused { refusal, source, operation, region };
        let (service, regions) = self.scope(source);
        let claimed = match self.claimed(call, claim, service, regions.as_deref()).await {
            Ok(claimed) => claimed,
            Err(error) => {
                bodies::discard(body, &self.endpoint.limits);
                return Err(refused(of_cause(error.cause), None, error.region));
            }
        };
        let region = Some(claimed.region);
        let form = received(parts, body, &self.bodies, &self.endpoint.limits).await;
        let form = form.map_err(|refusal| refused(refusal, None, region))?;
        let operation = operation(source, &form);
        // A query string is no part of what the hash of the body covers: its own place in the signature does.
        let signed_body = match &form {
            Received::Body(body) => body.as_ref(),
            Received::Query(_) => &[],
        };
        let known = operation.as_ref().ok().copied();
        let authenticated = self.verified(call, claimed, &head, signed_body).await;
        let authenticated =
            authenticated.map_err(|error| refused(of_cause(error.cause), known, error.region))?;
        let operation = operation.map_err(|refusal| refused(refusal, None, region))?;
        Ok(Asked { authenticated: Some(authenticated), operation, form })
    }

    /// The name that signatures have for the service, and the Regions that are accepted; all where there are none.
    fn scope(&self, source: Source) -> (&'static str, Option<Vec<&str>>) {
        match source {
            // Clients sign for the Region that they are set to, or for the global one.
            Source::CloudTrail
            | Source::CloudWatch
            | Source::Iam
            | Source::Kms
            | Source::Logs
            | Source::S3 => ("iam", None),
            Source::Sts if self.region_names.is_empty() => ("sts", None),
            Source::Sts => {
                let regions = self.region_names.iter().map(String::as_str).chain([GLOBAL]);
                ("sts", Some(regions.collect()))
            }
        }
    }

    /// The Region that events of a service belong to, where that is not the one that was called. Where the global one is not
    /// answered for, nobody could look them up there.
    fn event_region(&self, source: Source) -> Option<Region> {
        match source {
            Source::Iam => {
                let Endpoint { regions, home, .. } = &*self.endpoint;
                let global = GLOBAL.parse().ok();
                global.filter(|global| regions.is_empty() || regions.contains(global)).or(Some(*home))
            }
            Source::CloudTrail
            | Source::CloudWatch
            | Source::Kms
            | Source::Logs
            | Source::S3
            | Source::Sts => None,
        }
    }

    /// A request that is not, or not well, signed: refused, unless it brings a token of an identity provider instead. Of a body
    /// that anybody may send, little is read, and nothing where it is of no use.
    async fn unclaimed(&self, parts: &Parts, body: Incoming, error: &SigV4Error) -> Result<Asked, Refused> {
        let of_iam = |refusal| Refused { refusal, source: Source::Iam, operation: None, region: None };
        let limits = self.endpoint.limits.unsigned();
        if *error != SigV4Error::MissingAuthenticationToken {
            bodies::discard(body, &limits);
            return Err(of_iam(of_signature(error)));
        }
        let form = received(parts, body, &self.unsigned_bodies, &limits).await.map_err(of_iam)?;
        let is_sts =
            Form::parse(form.as_ref()).is_ok_and(|form| form.get("Version") == Some(sts::Operation::VERSION));
        let source = if is_sts { Source::Sts } else { Source::Iam };
        match operation(source, &form).ok() {
            Some(WEB_IDENTITY) => Ok(Asked { authenticated: None, operation: WEB_IDENTITY, form }),
            operation => Err(Refused { refusal: of_signature(error), source, operation, region: None }),
        }
    }

    /// Runs the operation. ORDER: as for KMS, a change that is announced goes on when its client hangs up.
    async fn run(self: Rc<Self>, call: Call, parts: Parts, asked: Asked) -> Answer {
        let (source, id, answer_form) = (asked.operation.source(), call.request_id, answer_form(&parts));
        let begun = Rc::new(Cell::new(false));
        if asked.operation.read_only() {
            return self.answered_by(&call, &parts, asked, &begun).await;
        }
        let seen = Rc::clone(&begun);
        let task = tokio::task::spawn_local(
            async move { self.answered_by(&call, &parts, asked, &seen).await }.in_current_span(),
        );
        let _client = Client { begun, task: task.abort_handle() };
        task.await.unwrap_or_else(|_panicked| {
            Answer::refused(source, &Refusal::internal(), id.as_str(), answer_form)
        })
    }

    async fn answered_by(&self, call: &Call, parts: &Parts, asked: Asked, begun: &Cell<bool>) -> Answer {
        let Asked { authenticated, operation, form } = asked;
        let (source, answer_form) = (operation.source(), answer_form(parts));
        // It has no policies, and nothing is allowed to it.
        let nobody = Caller::new(self.endpoint.account, Principal::Service(String::new()), String::new());
        let (caller, region) = match &authenticated {
            Some(known) => (known.credential.caller(), known.region),
            None => (&nobody, self.endpoint.home),
        };
        let request = Request {
            operation,
            caller,
            region: self.event_region(source).unwrap_or(region),
            now: call.now,
            request_id: call.request_id,
            event_id: call.event_id,
            source_ip: &call.peer.address,
            user_agent: user_agent(parts),
            tls: call.tls(parts),
            begun,
        };
        let _running = self.endpoint.running().await;
        match Form::parse(form.as_ref()) {
            Ok(form) => {
                let forms = (form, answer_form);
                keyreeve_identity::answer(&self.endpoint.service, &self.trail, &request, forms).await
            }
            // It was parsed before.
            Err(error) => Answer::refused(source, &error.into(), call.request_id.as_str(), answer_form),
        }
    }

    /// Puts a request that was refused before its operation began into the trail, and answers it.
    async fn refuse_query(&self, call: &Call, parts: &Parts, refused: &Refused) -> Answer {
        let Refused { refusal, source, operation, region } = refused;
        let head = Head {
            source: *source,
            name: operation.map_or("Unknown", Operation::name),
            read_only: operation.is_none_or(Operation::read_only),
            caller: None,
            account: self.endpoint.account,
            region: self.event_region(*source).or(*region).unwrap_or(self.endpoint.home),
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
            Ok(()) => Answer::refused(*source, refusal, id.as_str(), answer_form(parts)),
            Err(_) => Answer::refused(*source, &Refusal::internal(), id.as_str(), answer_form(parts)),
        }
    }
}

/// How a request asks to be answered.
fn answer_form(parts: &Parts) -> AnswerForm {
    AnswerForm::accepted(parts.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()))
}

/// The form of a request, read into the room of `bodies`.
pub(super) async fn received(
    parts: &Parts,
    body: Incoming,
    bodies: &Bodies,
    limits: &Limits,
) -> Result<Received, Refusal> {
    if parts.method == Method::GET || asks_in_query(parts) {
        bodies::discard(body, limits);
        return Ok(Received::Query(parts.uri.query().unwrap_or_default().to_owned()));
    }
    bodies.read(body, limits).await.map(Received::Body).map_err(of_body)
}

/// The service that a claim is scoped to; where it is neither, the refusal is that of IAM.
fn source(claim: &Claim<'_>) -> Source {
    if claim.service() == "sts" { Source::Sts } else { Source::Iam }
}

/// The operation of a service that a form asks for.
fn operation(source: Source, form: &Received) -> Result<Operation, Refusal> {
    let form = Form::parse(form.as_ref())?;
    Ok(match source {
        Source::CloudTrail | Source::CloudWatch | Source::Iam | Source::Kms | Source::Logs | Source::S3 => {
            Operation::Iam(iam::Operation::of(&form)?)
        }
        Source::Sts => Operation::Sts(sts::Operation::of(&form)?),
    })
}

pub(super) fn of_cause(cause: Cause) -> Refusal {
    match cause {
        Cause::Signature(error) => of_signature(&error),
        Cause::Vault(error) => error.into(),
    }
}

pub(super) fn of_signature(error: &SigV4Error) -> Refusal {
    let code = match error.code() {
        "ExpiredTokenException" => QueryErrorCode::SessionExpired,
        "IncompleteSignatureException" => QueryErrorCode::IncompleteSignature,
        "MissingAuthenticationTokenException" => {
            return Refusal(QueryError::new(
                QueryErrorCode::MissingAuthenticationToken,
                "Request is missing Authentication Token",
            ));
        }
        "UnrecognizedClientException" => QueryErrorCode::InvalidClientTokenId,
        _ => QueryErrorCode::SignatureDoesNotMatch,
    };
    Refusal::new(code, error.to_string())
}

// AWS: unverified. The answers to a body that is too long, too slow or broken off are not known.
fn of_body(refusal: keyreeve_core::Refusal) -> Refusal {
    let keyreeve_core::Refusal(error) = refusal;
    let code = if error.code == ErrorCode::RequestEntityTooLarge {
        QueryErrorCode::RequestEntityTooLarge
    } else if error.code == ErrorCode::RequestTimeout {
        QueryErrorCode::RequestTimeout
    } else if error.code == ErrorCode::Serialization {
        QueryErrorCode::MalformedInput
    } else {
        return Refusal::internal();
    };
    Refusal::new(code, error.message.unwrap_or_else(|| "The request body cannot be read.".to_owned()))
}
