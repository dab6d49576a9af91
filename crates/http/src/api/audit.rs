//! CloudTrail, CloudWatch Logs and S3, as auditors read the trail: from an HTTP request to an answer.
//!
//! A request of CloudTrail or CloudWatch Logs names its operation in a header; a request of S3 is what is signed for S3. Who signs is looked up before
//! the body is read, as for KMS. What is signed for S3 has no body that anybody reads.

use core::cell::Cell;
use std::rc::Rc;

use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response};
use hyper::body::Incoming;
use keyreeve_core::bracket::{Head, Notes, Source, Trail};
use keyreeve_core::request::Operation as _;
use keyreeve_domain::Region;
use keyreeve_observe::{Answer, Operation, Refusal, Request, S3Asked};
use keyreeve_sigv4::{Claim, RequestHead, SigV4Error};

use super::object_keys::KeysForS3;
use super::{Api, AuditTrail, Authenticated, Call, Cause, TARGET, respond, signed_view, user_agent};
use crate::bodies::{self, Held};
use crate::connection::Body;
use crate::header_case;
use crate::span;

/// What is asked for.
pub(super) enum Asked {
    /// An operation of CloudTrail or CloudWatch Logs; none where it has a name that is not served.
    Json(Source, Option<Operation>),
    /// Something of S3.
    S3(S3Asked),
}

/// What a request asks of CloudTrail, CloudWatch Logs or S3, by its head; nothing where it is for another service.
pub(super) fn asked(parts: &Parts) -> Option<Asked> {
    if let Some(target) = parts.headers.get(&TARGET) {
        let (source, operation) = Operation::from_target(target.to_str().ok()?)?;
        return Some(Asked::Json(source, operation));
    }
    let text = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let query = parts.uri.query().unwrap_or_default();
    let is_signed = text(AUTHORIZATION).is_some_and(|text| text.contains("/s3/aws4_request"))
        || query.contains("%2Fs3%2Faws4_request");
    let is_read = parts.method == Method::GET || parts.method == Method::HEAD;
    // Presigned with version 2, as clients of S3 still do it. It is refused, in the words of S3.
    let is_old = is_read && query.contains("AWSAccessKeyId=");
    let header = |name| match parts.headers.get(name)?.to_str() {
        Ok(text) => Some(text),
        // A condition that nobody can read is not met.
        Err(_no_text) => Some(UNREADABLE),
    };
    let s3 = || S3Asked::of(parts.method.as_str(), parts.uri.path(), query, header);
    match is_signed {
        true => Some(Asked::S3(s3())),
        false if is_old => Some(s3()).filter(S3Asked::is_of_signature_version_2).map(Asked::S3),
        false => None,
    }
}

/// What stands for a value of a header that is no text: no tag, no time and no range.
const UNREADABLE: &str = "\u{fffd}";

impl Asked {
    fn service(&self) -> &'static str {
        match self {
            Self::Json(Source::Logs, _) => "logs",
            Self::Json(..) => "cloudtrail",
            Self::S3(_) => "s3",
        }
    }

    fn source(&self) -> Source {
        match self {
            Self::Json(source, _) => *source,
            Self::S3(_) => Source::S3,
        }
    }

    fn operation(&self) -> Option<Operation> {
        match self {
            Self::Json(_, operation) => *operation,
            Self::S3(asked) => Some(asked.operation),
        }
    }

    fn refused(&self, refusal: &Refusal, request_id: &str) -> Answer {
        match self {
            Self::Json(..) => Answer::refused(refusal),
            Self::S3(asked) => keyreeve_observe::s3_refused(refusal, asked, request_id),
        }
    }
}

/// A request that is not answered by its operation.
struct Refused {
    refusal: Refusal,
    region: Option<Region>,
}

impl<T: Trail + 'static> Api<T> {
    /// Answers a request of CloudTrail, CloudWatch Logs or S3.
    pub(super) async fn audit(
        self: Rc<Self>,
        call: Call,
        parts: Parts,
        body: Incoming,
        asked: Asked,
    ) -> Response<Body> {
        let arrived = call.arrived;
        let answer = match self.auditor(&call, &parts, body, &asked).await {
            Ok((operation, authenticated, body, trail)) => {
                let begun = Cell::new(false);
                let request = Request {
                    operation,
                    caller: authenticated.credential.caller(),
                    region: authenticated.region,
                    now: call.now,
                    request_id: call.request_id,
                    event_id: call.event_id,
                    source_ip: &call.peer.address,
                    user_agent: user_agent(&parts),
                    tls: call.tls(&parts),
                    begun: &begun,
                };
                let (service, records) = (&self.endpoint.service, &self.trail);
                let place = (&trail.names, &*trail.archive);
                match &asked {
                    Asked::Json(..) => {
                        keyreeve_observe::answer_json(service, records, &request, place, body.as_ref()).await
                    }
                    Asked::S3(asked) => {
                        let keys = KeysForS3 { endpoint: &self.endpoint, trail: records, request: &request };
                        let place = (place.0, place.1, &keys as _);
                        keyreeve_observe::answer_s3(service, records, &request, place, asked).await
                    }
                }
            }
            Err(refused) => self.refuse_auditor(&call, &parts, &asked, refused).await,
        };
        self.endpoint.metrics.count_audit(asked.operation(), answer.error, arrived.elapsed());
        span::note(asked.source(), asked.operation().map(Operation::name), answer.error);
        let mut response = respond(Some(call.request_id), answer.status, answer.body, answer.content_type);
        for (name, value) in answer.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
                response.headers_mut().insert(name, value);
            }
        }
        if let (Asked::S3(_), Ok(id)) = (&asked, HeaderValue::from_str(call.request_id.as_str())) {
            response.headers_mut().insert(HeaderName::from_static("x-amz-request-id"), id);
        }
        header_case::keep_metadata(&mut response);
        if parts.method == Method::HEAD && !response.headers().contains_key(CONTENT_LENGTH) {
            response.headers_mut().remove(CONTENT_TYPE);
        }
        response
    }

    /// The operation, who asks for it, the body, and the trail that is read.
    async fn auditor(
        &self,
        call: &Call,
        parts: &Parts,
        body: Incoming,
        asked: &Asked,
    ) -> Result<(Operation, Authenticated, Held, &AuditTrail), Refused> {
        let refused = |refusal, region| Refused { refusal, region };
        let (operation, trail) = match (asked.operation(), &self.endpoint.audit) {
            (Some(operation), Some(trail)) => (operation, trail),
            (None, _) | (_, None) => {
                bodies::discard(body, &self.endpoint.limits);
                return Err(refused(Refusal::new("UnknownOperationException", ""), None));
            }
        };
        let headers = signed_view(parts);
        let head = RequestHead {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: headers.iter().copied(),
        };
        let of_cause = |cause| match cause {
            Cause::Signature(error) => of_signature(asked, &error),
            Cause::Vault(error) => {
                tracing::error!(%error, "a request failed inside");
                Refusal::internal()
            }
        };
        let names: Vec<&str> = self.region_names.iter().map(String::as_str).collect();
        // A client of S3 signs for whatever Region it is set to.
        let regions =
            Some(names.as_slice()).filter(|names| !names.is_empty() && matches!(asked, Asked::Json(..)));
        let claimed = match Claim::parse(&head) {
            Ok(claim) => self
                .claimed(call, claim, asked.service(), regions)
                .await
                .map_err(|error| refused(of_cause(error.cause), error.region)),
            Err(error) => Err(refused(of_signature(asked, &error), None)),
        };
        let claimed = match claimed {
            Ok(claimed) => claimed,
            Err(error) => {
                bodies::discard(body, &self.endpoint.limits);
                return Err(error);
            }
        };
        let region = Some(claimed.region);
        let body = self.bodies.read(body, &self.endpoint.limits).await.map_err(|error| {
            let (code, message) = error.for_trail();
            refused(Refusal::new(code_of(code), message.unwrap_or_default()), region)
        })?;
        let authenticated = self.verified(call, claimed, &head, body.as_ref()).await;
        let authenticated = authenticated.map_err(|error| refused(of_cause(error.cause), error.region))?;
        Ok((operation, authenticated, body, trail))
    }

    /// Puts a request that was refused before its operation began into the trail, and answers it.
    async fn refuse_auditor(&self, call: &Call, parts: &Parts, asked: &Asked, refused: Refused) -> Answer {
        let operation = asked.operation();
        let head = Head {
            source: asked.source(),
            name: operation.map_or("Unknown", Operation::name),
            read_only: operation.is_none_or(|operation| operation.read_only()),
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
        let id = call.request_id;
        match head.complete(&self.trail, &Notes::default(), refused_as).await {
            Ok(()) => asked.refused(&refused.refusal, id.as_str()),
            Err(_) => asked.refused(&Refusal::internal(), id.as_str()),
        }
    }
}

/// The refusal of a body that is too long, too slow or broken off.
fn code_of(code: &str) -> &'static str {
    match code {
        "RequestEntityTooLargeException" => "RequestEntityTooLargeException",
        _ => "RequestTimeout",
    }
}

/// The refusal of a signature, as the service has it.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
fn of_signature(asked: &Asked, error: &SigV4Error) -> Refusal {
    let text = error.to_string();
    match (asked, error.code()) {
        (Asked::Json(..), code) => Refusal::new(code, text),
        (Asked::S3(asked), _) if asked.is_of_signature_version_2() => Refusal::new(
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
        ),
        (Asked::S3(_), "MissingAuthenticationTokenException") => {
            Refusal::new("AccessDenied", "Access Denied").with_status(403)
        }
        (Asked::S3(_), "UnrecognizedClientException") => Refusal::new(
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        )
        .with_status(403),
        (Asked::S3(_), "ExpiredTokenException") => {
            Refusal::new("ExpiredToken", "The provided token has expired.")
        }
        (Asked::S3(_), "IncompleteSignatureException") => Refusal::new("AuthorizationHeaderMalformed", text),
        (Asked::S3(_), _) => Refusal::new("SignatureDoesNotMatch", text).with_status(403),
    }
}
