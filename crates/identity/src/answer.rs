//! One request, from its form to the bytes of its answer, with its record in the trail.

use core::cell::Cell;
use std::sync::Arc;

use keyreeve_audit::event::Uuid;
use keyreeve_core::bracket::{Head, Notes, Source, Trail};
use keyreeve_core::cx::Announcement;
use keyreeve_core::{Caller, Cx, Service};
use keyreeve_domain::{Region, Timestamp};
use keyreeve_wire::query::{Api, Form, write_error};
use keyreeve_wire::{iam, sts};

use crate::dispatch;
use crate::refusal::Refusal;

/// An operation of IAM or STS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Of IAM.
    Iam(iam::Operation),
    /// Of STS.
    Sts(sts::Operation),
}

impl Operation {
    /// The name, as the API spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iam(operation) => operation.name(),
            Self::Sts(operation) => operation.name(),
        }
    }

    /// Whether CloudTrail calls it read-only.
    #[must_use]
    pub fn read_only(self) -> bool {
        match self {
            Self::Iam(operation) => operation.read_only(),
            Self::Sts(operation) => operation.read_only(),
        }
    }

    /// The service that it is of.
    #[must_use]
    pub fn source(self) -> Source {
        match self {
            Self::Iam(_) => Source::Iam,
            Self::Sts(_) => Source::Sts,
        }
    }
}

/// An authenticated request.
pub struct Request<'a> {
    /// The operation.
    pub operation: Operation,
    /// Who calls.
    pub caller: &'a Caller,
    /// The Region that was called. Events of IAM belong to `us-east-1`, whatever Region was called.
    pub region: Region,
    /// When the request arrived.
    pub now: Timestamp,
    /// The id of the request.
    pub request_id: Uuid,
    /// The id of its event.
    pub event_id: Uuid,
    /// The address of the client.
    pub source_ip: &'a str,
    /// The `User-Agent` header.
    pub user_agent: &'a str,
    /// Protocol and cipher suite, on TLS.
    pub tls: Option<(&'a str, &'a str)>,
    /// Set once a change is announced: from then on the request is to be carried to its end, whoever still waits for it.
    pub begun: &'a Cell<bool>,
}

/// What leaves.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, XML.
    pub body: Vec<u8>,
    /// The code, where the answer is an error.
    pub error: Option<&'static str>,
}

impl Answer {
    /// The answer of a service that is this error.
    #[must_use]
    pub fn refused(source: Source, refusal: &Refusal, request_id: &str) -> Self {
        let namespace = match source {
            Source::Iam | Source::Kms => iam::Operation::NAMESPACE,
            Source::Sts => sts::Operation::NAMESPACE,
        };
        let mut body = Vec::with_capacity(512);
        write_error(&refusal.0, namespace, request_id, &mut body);
        Self { status: refusal.0.code.http_status(), body, error: Some(refusal.0.code.as_str()) }
    }
}

/// Bytes set aside for an answer, so that one with a secret is not copied while it grows.
const CAPACITY: usize = 4096;

/// Handles `request`. The answer is returned only once its record is in the trail. Where the trail cannot be written the
/// answer is an error: nothing was changed, or the record that announced the change says that it may have been.
pub async fn answer(
    service: &Arc<Service>,
    trail: &dyn Trail,
    request: &Request<'_>,
    form: Form<'_>,
) -> Answer {
    let source = request.operation.source();
    let head = Head {
        source,
        name: request.operation.name(),
        read_only: request.operation.read_only(),
        caller: Some(request.caller),
        account: request.caller.account(),
        region: request.region,
        time: request.now,
        request_id: request.request_id,
        event_id: request.event_id,
        source_ip: request.source_ip,
        user_agent: request.user_agent,
        tls: request.tls,
    };
    let mut notes = Notes::default();
    let mut cx = Cx {
        service,
        caller: request.caller,
        region: request.region,
        now: request.now,
        request_id: request.request_id,
        event_id: request.event_id,
        attestation: None,
        notes: &mut notes,
        announcement: Announcement::new(trail, &head, request.begun),
    };
    let mut answer = Vec::with_capacity(CAPACITY);
    let outcome = match request.operation {
        Operation::Iam(operation) => dispatch::iam(&mut cx, operation, form, &mut answer).await,
        Operation::Sts(operation) => dispatch::sts(&mut cx, operation, form, &mut answer).await,
    };
    let refused = outcome.as_ref().err().map(Refusal::for_trail);
    if trail.append(head.completed(&notes, refused)).await.is_err() {
        return Answer::refused(source, &Refusal::unrecorded(), request.request_id.as_str());
    }
    match outcome {
        Ok(()) => Answer { status: 200, body: answer, error: None },
        Err(refusal) => Answer::refused(source, &refusal, request.request_id.as_str()),
    }
}
