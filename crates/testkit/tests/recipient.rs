//! The `Recipient` of a request, as far as it needs no attestation document that holds: those are made in `tests/e2e`.

use keyreeve_testkit::{World, body};
use keyreeve_wire::Operation::{self, *};
use keyreeve_wire::model;
use serde_json::json;

/// Three bytes, which are no document.
const NO_DOCUMENT: &str = "AAAA";
const WITH_RECIPIENT: [Operation; 5] =
    [Decrypt, DeriveSharedSecret, GenerateDataKey, GenerateDataKeyPair, GenerateRandom];

#[test]
fn the_model_has_a_recipient_in_these_operations_alone() {
    let having: Vec<_> = model()
        .iter()
        .filter(|model| model.input.iter().any(|member| member.name == "Recipient"))
        .map(|model| model.operation)
        .collect();
    assert_eq!(having.len(), WITH_RECIPIENT.len());
    assert!(having.iter().all(|operation| WITH_RECIPIENT.contains(operation)), "{having:?}");
}

#[test]
fn a_recipient_that_proves_nothing_gets_nothing() {
    for operation in WITH_RECIPIENT {
        let world = World::default();
        let of = world.fixture_for(operation);
        for (recipient, text) in [
            (json!({}), "A Recipient needs a KeyEncryptionAlgorithm."),
            (
                json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256"}),
                "A Recipient needs an AttestationDocument.",
            ),
            (
                json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": NO_DOCUMENT}),
                "Recipient: the attestation document is malformed.",
            ),
        ] {
            let mut request = body(operation, &of);
            request["Recipient"] = recipient;
            let (status, answer) = world.call(operation, request);
            let expected = json!({"__type": "ValidationException", "message": text});
            assert_eq!((status, answer), (400, expected), "{operation}");
        }
        let used = world.done(GetKeyLastUsage, json!({"KeyId": of.id}));
        assert_ne!(used["KeyLastUsage"]["Operation"], operation.name(), "{operation}");
        for event in world.trail.drain() {
            assert!(event.get("additionalEventData").is_none(), "{operation}: nothing was attested");
        }
    }
}

#[test]
fn nobody_who_may_do_nothing_has_a_document_verified() {
    for operation in WITH_RECIPIENT {
        let world = World::default();
        let of = world.fixture_for(operation);
        let mut request = body(operation, &of);
        request["Recipient"] =
            json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": NO_DOCUMENT});
        let on_key = operation != GenerateRandom;
        for (caller, denied) in [(&world.user, true), (&world.stranger, on_key), (&world.root, false)] {
            let (_, answer) = world.call_as(caller, operation, request.clone());
            let expected = if denied { "AccessDeniedException" } else { "ValidationException" };
            assert_eq!(answer["__type"], expected, "{operation}: {answer}");
        }
        if on_key {
            world.done(DisableKey, json!({"KeyId": of.id}));
            let (_, answer) = world.call(operation, request);
            assert_eq!(answer["__type"], "DisabledException", "{operation}: {answer}");
        }
    }
}
