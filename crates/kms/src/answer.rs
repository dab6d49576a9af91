//! One request, from its body to the bytes of its answer, with its record in the trail.

use std::sync::Arc;

use keyreeve_audit::json::Object;
use keyreeve_core::bracket::{Notes, Trail};
use keyreeve_core::{Cx, Refusal, Service};
use keyreeve_domain::KeyArn;
use keyreeve_wire::Operation;

use crate::{counted_keys, dispatch};

/// An authenticated request.
pub type Request<'a> = keyreeve_core::request::Request<'a, Operation>;

/// What leaves.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, awsJson 1.1.
    pub body: Vec<u8>,
    /// The code, where the answer is an error.
    pub error: Option<&'static str>,
    /// The keys that the request is counted for.
    pub keys: [Option<KeyArn>; 2],
}

impl Answer {
    /// The answer that is this error.
    #[must_use]
    pub fn refused(refusal: &Refusal) -> Self {
        let mut body = Vec::with_capacity(256);
        refusal.0.write_body(&mut body);
        let code = refusal.0.code;
        Self { status: code.http_status(), body, error: Some(code.as_str()), keys: [None; 2] }
    }
}

/// Handles `request`. The answer is returned only once its record is in the trail. Where the trail cannot be written the
/// answer is an error: nothing was changed, or the record that announced the change says that it may have been.
///
/// `body` is dropped as soon as it is decoded: a request may wait, and bodies take room.
pub async fn answer(
    service: &Arc<Service>,
    trail: &dyn Trail,
    request: &Request<'_>,
    body: impl AsRef<[u8]>,
) -> Answer {
    let head = request.head(Some(request.caller), request.caller.account());
    let mut notes = Notes::default();
    let mut cx = request.context(service, trail, &head, &mut notes, request.caller);
    let mut answer = Vec::with_capacity(answer_capacity(request.operation));
    let outcome = dispatch::dispatch(&mut cx, request.operation, body, &mut answer).await;
    let refused = outcome.as_ref().err().map(Refusal::for_trail);
    let keys = counted_keys::of(&notes, request.caller.account(), outcome.as_ref().err());
    if head.complete(trail, &notes, refused).await.is_err() {
        return Answer { keys, ..Answer::refused(&Refusal::unrecorded()) };
    }
    match outcome {
        Ok(()) => Answer { status: 200, body: answer, error: None, keys },
        Err(refusal) => Answer { keys, ..Answer::refused(&refusal) },
    }
}

/// The bytes set aside for an answer of `operation`: they fit most, so that nothing is copied while the buffer grows. A
/// secret makes room for itself before it is written; where much may follow it, all of the answer fits.
#[must_use]
pub fn answer_capacity(operation: Operation) -> usize {
    if operation == Operation::GenerateDataKeyPair {
        DATA_KEY_PAIR_CAPACITY
    } else if operation == Operation::Encapsulate {
        ENCAPSULATED_CAPACITY
    } else {
        CAPACITY
    }
}

const CAPACITY: usize = 1024;
/// Fits a secret that was encapsulated with ML-KEM-1024.
const ENCAPSULATED_CAPACITY: usize = 3 * 1024;
/// Fits an ML-KEM-1024 or RSA-4096 key: the private key in the clear and encrypted, and the public key.
const DATA_KEY_PAIR_CAPACITY: usize = 12 * 1024;

/// Notes the ARN of the key that a change was made to, as CloudTrail's `responseElements` have it.
pub(crate) fn note_key(cx: &mut Cx<'_>, arn: &str) {
    let mut elements = Object::begin(&mut cx.notes.response_elements);
    elements.string("keyId", arn);
    elements.end();
}

/// As [`note_key`], with the key material that the change was about.
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/ct-deleteimportedkeymaterial.html>.
pub(crate) fn note_key_and_material(cx: &mut Cx<'_>, arn: &str, material: &str) {
    let mut elements = Object::begin(&mut cx.notes.response_elements);
    elements.string("keyId", arn);
    elements.string("keyMaterialId", material);
    elements.end();
}
