//! Requests of every service to a world, with what must hold of each answer.
//!
//! Whatever was asked: no answer is an internal error, each is well formed, each request has one event that completes it and says how
//! it ended, and no secret is in the trail.

use core::cell::Cell;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_audit::event::Uuid;
use keyreeve_core::{Caller, Service};
use keyreeve_crypto::random;
use keyreeve_domain::Region;
use keyreeve_observe::archive::Archive;
use keyreeve_observe::cloudwatch::{CloudWatchOperation, CloudWatchRequest};
use keyreeve_observe::layout::TrailNames;
use keyreeve_observe::metric::MetricSource;
use keyreeve_observe::{S3Asked, answer_json, answer_s3};
use keyreeve_store::conformance::block_on;
use keyreeve_testkit::World;
use keyreeve_wire::Operation;
use keyreeve_wire::query::{AnswerForm, Form};
use keyreeve_wire::rpc::Protocol;
use serde_json::Value;

use crate::archive::NoObjectKeys;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) error: Option<&'static str>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null where there is none.
    pub(crate) fn json(&self) -> Value {
        match self.body.as_slice() {
            [] => Value::Null,
            body => serde_json::from_slice(body).expect("an answer is JSON"),
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.status == 200
    }
}

/// Who asks, where, and of which service over the store of a world.
pub(crate) struct Asker<'w> {
    pub(crate) world: &'w World,
    pub(crate) service: &'w Arc<Service>,
    pub(crate) caller: &'w Caller,
    pub(crate) region: Region,
    /// What no event and no refusal may say.
    pub(crate) secrets: &'w [String],
}

impl<'w> Asker<'w> {
    pub(crate) fn root(world: &'w World) -> Self {
        Self { world, service: &world.service, caller: &world.root, region: world.region, secrets: &[] }
    }

    fn request<'a, O>(
        &'a self,
        operation: O,
        begun: &'a Cell<bool>,
    ) -> keyreeve_core::request::Request<'a, O> {
        let id = || Uuid::from_random(random::array(self.world.random()).expect("random bytes"));
        keyreeve_core::request::Request {
            operation,
            caller: self.caller,
            region: self.region,
            now: self.world.now(),
            request_id: id(),
            event_id: id(),
            source_ip: "192.0.2.1",
            user_agent: "fuzz",
            tls: None,
            begun,
        }
    }

    /// Asks KMS.
    pub(crate) fn kms(&self, operation: Operation, body: &[u8]) -> Answer {
        let begun = Cell::new(false);
        let request = self.request(operation, &begun);
        let answer = block_on(keyreeve_kms::answer(self.service, &self.world.trail, &request, body));
        let answer = Answer { status: answer.status, error: answer.error, body: answer.body };
        self.judge(&format!("{operation} {}", body.escape_ascii()), &answer);
        answer.json();
        answer
    }

    /// Asks IAM or STS.
    pub(crate) fn identity(&self, operation: keyreeve_identity::Operation, form: &[u8]) -> Answer {
        let begun = Cell::new(false);
        let request = self.request(operation, &begun);
        let Ok(read) = Form::parse(form) else { return refused() };
        let answer = block_on(keyreeve_identity::answer(
            self.service,
            &self.world.trail,
            &request,
            (read, AnswerForm::Xml),
        ));
        let answer = Answer { status: answer.status, error: answer.error, body: answer.body };
        let case = format!("{} {}", operation.name(), form.escape_ascii());
        self.judge(&case, &answer);
        assert_xml(&case, &answer.body);
        answer
    }

    /// Asks CloudWatch.
    pub(crate) fn monitoring(
        &self,
        operation: keyreeve_wire::cloudwatch::Operation,
        metrics: &dyn MetricSource,
        (protocol, body): (Protocol, &[u8]),
    ) -> Answer {
        let begun = Cell::new(false);
        let request: CloudWatchRequest<'_> = self.request(CloudWatchOperation(operation), &begun);
        let asked = (protocol, body);
        let answer =
            keyreeve_observe::cloudwatch::answer(self.service, &self.world.trail, &request, metrics, asked);
        let answer = block_on(answer);
        let answer = Answer { status: answer.status, error: answer.error, body: answer.body };
        let case = format!("{operation:?} {protocol:?} {}", body.escape_ascii());
        self.judge(&case, &answer);
        match protocol {
            Protocol::Cbor => {}
            Protocol::Json => drop(answer.json()),
            Protocol::Query => assert_xml(&case, &answer.body),
        }
        answer
    }

    /// Asks CloudTrail or CloudWatch Logs.
    pub(crate) fn auditor(
        &self,
        operation: keyreeve_observe::Operation,
        place: (&TrailNames, &dyn Archive),
        body: &[u8],
    ) -> Answer {
        let begun = Cell::new(false);
        let request = self.request(operation, &begun);
        let answer = block_on(answer_json(self.service, &self.world.trail, &request, place, body));
        let answer = Answer { status: answer.status, error: answer.error, body: answer.body };
        self.judge(&format!("{} {}", operation.name(), body.escape_ascii()), &answer);
        answer.json();
        answer
    }

    /// Asks S3.
    pub(crate) fn s3(
        &self,
        (method, path, query): (&str, &str, &str),
        headers: &[(&str, &str)],
        (names, archive): (&TrailNames, &dyn Archive),
    ) -> Answer {
        let header = |name| headers.iter().find(|(held, _)| *held == name).map(|(_, value)| *value);
        let asked = S3Asked::of(method, path, query, header);
        let begun = Cell::new(false);
        let request = self.request(asked.operation, &begun);
        let place = (names, archive, &NoObjectKeys as _);
        let answer = block_on(answer_s3(self.service, &self.world.trail, &request, place, &asked));
        let case = format!("{method} {path}?{query}");
        for (name, value) in &answer.headers {
            let is_sound = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            assert!(is_sound(name) && is_sound(value), "{case}: {name}: {value}");
        }
        if answer.content_type == "application/xml" {
            assert_xml(&case, &answer.body);
        }
        let answer = Answer { status: answer.status, error: answer.error, body: answer.body };
        self.judge(&case, &answer);
        answer
    }

    /// What holds of every answer and of its events, which are forgotten.
    fn judge(&self, case: &str, answer: &Answer) {
        let said = String::from_utf8_lossy(&answer.body);
        let is_declined = answer.status == 501 && answer.error == Some("NotImplemented");
        // S3 alone has parts, and objects that whoever asks has already.
        let is_of_s3 = case.starts_with("GET ") || case.starts_with("HEAD ");
        let is_done = answer.status == 200 || (is_of_s3 && matches!(answer.status, 206 | 304));
        assert!(is_done || (400..500).contains(&answer.status) || is_declined, "{case}: {said}");
        assert_eq!(is_done, answer.error.is_none(), "{case}: {said}");
        assert_ne!(answer.error, Some("KMSInternalException"), "{case}: {said}");
        let trail = self.world.trail.text();
        for secret in self.secrets {
            for form in [secret.clone(), STANDARD.encode(secret)] {
                assert!(!trail.contains(&form), "{case}: {form} is in the trail");
                assert!(answer.error.is_none() || !said.contains(&form), "{case}: {said}");
            }
        }
        let account = self.caller.account().to_string();
        let mut completed = 0;
        for event in self.world.trail.drain() {
            let is = |pointer, text| event.pointer(pointer).and_then(Value::as_str) == Some(text);
            // What opens a record, what the owner of a key is told, and what the service says of its own accord.
            if is("/additionalEventData/recordPhase", "Opened")
                || !is("/recipientAccountId", &account)
                || is("/eventType", "AwsServiceEvent")
            {
                continue;
            }
            completed += 1;
            let recorded = event.get("errorCode").and_then(Value::as_str);
            assert_eq!(recorded.is_some(), answer.error.is_some(), "{case}: {said}: {event}");
        }
        assert_eq!(completed, 1, "{case}: a request has one event");
    }
}

/// As a form that is none is answered before it gets to a service.
fn refused() -> Answer {
    Answer { status: 400, error: Some("MalformedInput"), body: Vec::new() }
}

/// Every character of a document is one that XML 1.0 has (section 2.2), and what is opened is closed.
fn assert_xml(case: &str, body: &[u8]) {
    let text = core::str::from_utf8(body).expect("XML is UTF-8");
    let is_one = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(is_one), "{case}: {}", text.escape_debug());
    let mut open: Vec<&str> = Vec::new();
    for part in text.split('<').skip(1) {
        let (tag, _) = part.split_once('>').unwrap_or((part, ""));
        let name = tag.split_whitespace().next().unwrap_or_default();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{case}: {text}");
        } else if !tag.ends_with('/') && !tag.starts_with('?') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{case}: {text}");
}
