//! What the operations that encrypt or use a key share.

use keyreeve_audit::json::Object;
use keyreeve_core::bracket::owners_event_id;
use keyreeve_core::gate::Ready;
use keyreeve_core::gate::pairs::{Kind, kind};
use keyreeve_core::usage::Use;
use keyreeve_core::{Cx, Refusal};
use keyreeve_crypto::digest::LowerHex;
use keyreeve_domain::KeyMaterialId;
use keyreeve_domain::spec::{EncryptionAlgorithm, KeyLastUsageOperation};
use keyreeve_policy::ContextKey;
use keyreeve_wire::ErrorCode;

use crate::asymmetric::incompatible;

/// The encryption algorithm that a request asks for, as policies may.
pub(crate) fn asked_algorithm(asked: Option<EncryptionAlgorithm>) -> [(ContextKey, &'static str); 1] {
    let algorithm = asked.unwrap_or(EncryptionAlgorithm::SymmetricDefault);
    [(ContextKey::KmsEncryptionAlgorithm, algorithm.as_str())]
}

/// Refuses an algorithm that does not fit the key.
pub(crate) fn check_algorithm<A>(
    ready: &Ready<'_, A>,
    asked: Option<EncryptionAlgorithm>,
) -> Result<EncryptionAlgorithm, Refusal> {
    let algorithm = asked.unwrap_or(EncryptionAlgorithm::SymmetricDefault);
    let spec = ready.record().spec;
    if spec.encryption_algorithms().contains(&algorithm) {
        return Ok(algorithm);
    }
    Err(incompatible(algorithm, spec))
}

/// Refuses a key under which nothing of the sort can be made: a `data key`, or a `data key pair`.
pub(crate) fn check_symmetric<A>(ready: &Ready<'_, A>, made: &str) -> Result<(), Refusal> {
    match kind(ready.record().spec) {
        Kind::Symmetric => Ok(()),
        Kind::Mac | Kind::Pair => Err(Refusal::new(
            ErrorCode::InvalidKeyUsage,
            format!("You cannot generate a {made} with an asymmetric CMK"),
        )),
    }
}

/// Refuses a key whose material never rotates.
pub(crate) fn check_rotates<A>(ready: &Ready<'_, A>) -> Result<(), Refusal> {
    match kind(ready.record().spec) {
        Kind::Symmetric => Ok(()),
        Kind::Mac | Kind::Pair => Err(Refusal::silent(ErrorCode::UnsupportedOperation)),
    }
}

/// Ends a dry run: every check has passed.
pub(crate) fn end_dry_run(dry_run: bool) -> Result<(), Refusal> {
    if dry_run { Err(dry_run_ended()) } else { Ok(()) }
}

/// The end of a dry run.
pub(crate) fn dry_run_ended() -> Refusal {
    Refusal::new(
        ErrorCode::DryRunOperation,
        "The request would have succeeded, but the DryRun option is set.",
    )
}

/// Notes which key material was used, for the trail; `name` is what CloudTrail calls it.
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/ct-encrypt.html>.
pub(crate) fn note_material(cx: &mut Cx<'_>, name: &str, material: KeyMaterialId) {
    let data = &mut cx.notes.additional_event_data;
    // All of it in one piece of memory: a name, 64 digits, and what stands around them.
    data.reserve(name.len() + 2 * material.as_bytes().len() + 8);
    let mut data = Object::go_on(data);
    data.string(name, LowerHex::new(material.as_bytes()).as_str());
    data.end();
}

/// What CloudTrail calls the key material of an operation with one key.
pub(crate) const KEY_MATERIAL: &str = "keyMaterialId";

/// Notes that the key was used; the event that its owner is told of is the one in his own trail.
pub(crate) fn note_use<A>(cx: &Cx<'_>, ready: &Ready<'_, A>, operation: KeyLastUsageOperation) {
    let owner = ready.arn().account;
    let event_id = match owner == cx.caller.account() {
        true => cx.event_id,
        false => owners_event_id(cx.event_id, owner),
    };
    let used = Use { operation, at: cx.now, event_id, request_id: cx.request_id };
    cx.service.usage().note(ready.region(), ready.id(), used);
}
