//! One request, from its form to the bytes of its answer, with its record in the trail.

use std::sync::Arc;

use keyreeve_core::bracket::{Notes, Source, Trail};
use keyreeve_core::{Caller, Principal, Service};
use keyreeve_wire::query::{AnswerForm, Api, Form, QueryErrorCode};
use keyreeve_wire::{iam, sts};

use crate::dispatch::{self, Page};
use crate::refusal::Refusal;
use crate::web_identity;

/// An operation of IAM or STS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Of IAM.
    Iam(iam::Operation),
    /// Of STS.
    Sts(sts::Operation),
}

impl keyreeve_core::request::Operation for Operation {
    fn name(self) -> &'static str {
        self.name()
    }

    fn read_only(self) -> bool {
        self.read_only()
    }

    fn source(self) -> Source {
        self.source()
    }
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

/// An authenticated request. Events of IAM belong to `us-east-1`, whatever Region was called.
pub type Request<'a> = keyreeve_core::request::Request<'a, Operation>;

/// What leaves.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, in the form that was asked for.
    pub body: Vec<u8>,
    /// The code, where the answer is an error.
    pub error: Option<&'static str>,
}

impl Answer {
    /// The answer of a service that is this error.
    #[must_use]
    pub fn refused(source: Source, refusal: &Refusal, request_id: &str, answer_form: AnswerForm) -> Self {
        let namespace = match source {
            Source::CloudTrail
            | Source::CloudWatch
            | Source::Iam
            | Source::Kms
            | Source::Logs
            | Source::S3 => iam::Operation::NAMESPACE,
            Source::Sts => sts::Operation::NAMESPACE,
        };
        let mut body = Vec::with_capacity(512);
        answer_form.write_error(&refusal.0, namespace, request_id, &mut body);
        Self { status: refusal.0.code.http_status(), body, error: Some(refusal.0.code.as_str()) }
    }
}

/// Whether a session may call `operation` at all. Those that a long-term key was exchanged for may not call IAM, and federated users
/// may ask STS who they are, and nothing else.
/// Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>.
fn is_open_to(operation: Operation, caller: &Caller) -> bool {
    match (operation, caller.principal()) {
        (_, Principal::Role(_) | Principal::Service(_) | Principal::WebIdentity(_)) => true,
        (Operation::Iam(_), _) => caller.session().is_none(),
        (Operation::Sts(operation), Principal::FederatedUser(_)) => {
            operation == sts::Operation::GetCallerIdentity
        }
        (Operation::Sts(_), Principal::Root | Principal::User(_)) => true,
    }
}

const NOT_WITH_A_SESSION: &str = "The security token included in the request is invalid";

/// Bytes set aside for an answer, so that one with a secret is not copied while it grows.
const CAPACITY: usize = 4096;

/// As [`answer`], for AssumeRoleWithWebIdentity: whoever signs it, if anybody does, the caller is known once his token was verified.
async fn answer_web_identity(
    service: &Arc<Service>,
    trail: &dyn Trail,
    request: &Request<'_>,
    (form, answer_form): (Form<'_>, AnswerForm),
) -> Answer {
    let mut notes = Notes::default();
    let (mut page, mut caller) = (Page { form: answer_form, body: Vec::with_capacity(CAPACITY) }, None);
    let nobody = request.head(None, request.caller.account());
    let mut cx = request.context(service, trail, &nobody, &mut notes, request.caller);
    let input = dispatch::decode(&mut cx, form);
    drop(cx);
    let outcome = match input {
        Err(refusal) => Err(refusal),
        Ok(input) => web_identity::identify(service, request.now, &input).await.map(|found| (input, found)),
    };
    let outcome = match outcome {
        Err(refusal) => Err(refusal),
        Ok((input, identified)) => {
            let known = caller.insert(identified);
            let head = request.head(Some(&known.caller), known.caller.account());
            let mut cx = request.context(service, trail, &head, &mut notes, &known.caller);
            match web_identity::assume(&mut cx, input, known).await {
                Ok(output) => {
                    dispatch::answered(
                        &mut cx,
                        sts::Operation::AssumeRoleWithWebIdentity,
                        &output,
                        &mut page,
                    );
                    Ok(())
                }
                Err(refusal) => Err(refusal),
            }
        }
    };
    let caller = caller.as_ref().map(|known| &known.caller);
    let account = caller.map_or(request.caller.account(), Caller::account);
    let head = request.head(caller, account);
    let refused = outcome.as_ref().err().map(Refusal::for_trail);
    if head.complete(trail, &notes, refused).await.is_err() {
        return Answer::refused(
            Source::Sts,
            &Refusal::unrecorded(),
            request.request_id.as_str(),
            answer_form,
        );
    }
    match outcome {
        Ok(()) => Answer { status: 200, body: page.body, error: None },
        Err(refusal) => Answer::refused(Source::Sts, &refusal, request.request_id.as_str(), answer_form),
    }
}

/// Handles `request`, whose members are in a form, and writes the answer as `answer_form` says. The answer is returned only once its record is in the trail. Where the trail cannot be written the
/// answer is an error: nothing was changed, or the record that announced the change says that it may have been.
pub async fn answer(
    service: &Arc<Service>,
    trail: &dyn Trail,
    request: &Request<'_>,
    (form, answer_form): (Form<'_>, AnswerForm),
) -> Answer {
    if request.operation == Operation::Sts(sts::Operation::AssumeRoleWithWebIdentity) {
        return answer_web_identity(service, trail, request, (form, answer_form)).await;
    }
    let source = request.operation.source();
    let head = request.head(Some(request.caller), request.caller.account());
    let mut notes = Notes::default();
    let mut cx = request.context(service, trail, &head, &mut notes, request.caller);
    let mut page = Page { form: answer_form, body: Vec::with_capacity(CAPACITY) };
    let outcome = match request.operation {
        operation if !is_open_to(operation, request.caller) => {
            Err(Refusal::new(QueryErrorCode::InvalidClientTokenId, NOT_WITH_A_SESSION))
        }
        Operation::Iam(operation) => dispatch::iam(&mut cx, operation, form, &mut page).await,
        Operation::Sts(operation) => dispatch::sts(&mut cx, operation, form, &mut page).await,
    };
    let refused = outcome.as_ref().err().map(Refusal::for_trail);
    if head.complete(trail, &notes, refused).await.is_err() {
        return Answer::refused(source, &Refusal::unrecorded(), request.request_id.as_str(), answer_form);
    }
    match outcome {
        Ok(()) => Answer { status: 200, body: page.body, error: None },
        Err(refusal) => Answer::refused(source, &refusal, request.request_id.as_str(), answer_form),
    }
}
