//! The state table: which operation is possible on a key in which state.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>, corrected by recordings of the service.

use keyreeve_domain::spec::KeyState;
use keyreeve_kms::is_supported;
use keyreeve_testkit::{World, body};
use keyreeve_wire::Operation::{self, *};
use serde_json::json;

/// How an operation ends on a key in a state.
#[derive(Clone, Copy)]
enum End {
    Done,
    Disabled,
    NotPendingDeletion,
    PendingDeletion,
    PendingImport,
    WrongOrigin,
}
use End::{
    Disabled as D, Done as O, NotPendingDeletion as N, PendingDeletion as X, PendingImport as I,
    WrongOrigin as U,
};

/// The operation and its end on a key that is enabled, disabled, pending deletion, and pending import.
const TABLE: &[(Operation, [End; 4])] = &[
    (CancelKeyDeletion, [N, N, O, N]),
    (CreateAlias, [O, O, X, O]),
    (CreateGrant, [O, D, X, I]),
    (Decapsulate, [O, D, X, O]),
    (Decrypt, [O, D, X, I]),
    (DeleteAlias, [O, O, O, O]),
    (DeleteImportedKeyMaterial, [O, O, O, O]),
    (DeriveSharedSecret, [O, D, X, I]),
    (DescribeKey, [O, O, O, O]),
    (DisableKey, [O, O, X, I]),
    (DisableKeyRotation, [O, D, X, U]),
    (EnableKey, [O, O, X, I]),
    (EnableKeyRotation, [O, D, X, U]),
    (Encapsulate, [O, D, X, O]),
    (Encrypt, [O, D, X, I]),
    (GenerateDataKey, [O, D, X, I]),
    (GenerateDataKeyPair, [O, D, X, I]),
    (GenerateDataKeyPairWithoutPlaintext, [O, D, X, I]),
    (GenerateDataKeyWithoutPlaintext, [O, D, X, I]),
    (GenerateMac, [O, D, X, I]),
    (GetKeyLastUsage, [O, O, O, O]),
    (GetKeyPolicy, [O, O, O, O]),
    (GetKeyRotationStatus, [O, O, O, O]),
    (GetParametersForImport, [O, O, X, O]),
    (GetPublicKey, [O, O, X, I]),
    (ImportKeyMaterial, [O, O, X, O]),
    (ListGrants, [O, O, O, O]),
    (ListKeyPolicies, [O, O, O, O]),
    (ListKeyRotations, [O, O, O, O]),
    (ListResourceTags, [O, O, O, O]),
    (PutKeyPolicy, [O, O, O, O]),
    (ReEncrypt, [O, D, X, I]),
    (ReplicateKey, [O, D, X, I]),
    (RetireGrant, [O, O, O, O]),
    (RevokeGrant, [O, O, O, O]),
    (RotateKeyOnDemand, [O, D, X, I]),
    (ScheduleKeyDeletion, [O, O, X, O]),
    (Sign, [O, D, X, I]),
    (TagResource, [O, O, X, O]),
    (UntagResource, [O, O, X, O]),
    (UpdateAlias, [O, O, X, O]),
    (UpdateKeyDescription, [O, O, X, O]),
    (UpdatePrimaryRegion, [O, D, X, I]),
    (Verify, [O, D, X, I]),
    (VerifyMac, [O, D, X, I]),
];
const STATES: [KeyState; 4] =
    [KeyState::Enabled, KeyState::Disabled, KeyState::PendingDeletion, KeyState::PendingImport];
/// The operations on keys that take no imported material.
const ENCAPSULATING: [Operation; 2] = [Decapsulate, Encapsulate];

#[test]
fn an_operation_ends_as_the_state_table_says() {
    for (operation, ends) in TABLE.iter().copied() {
        for (state, end) in STATES.into_iter().zip(ends) {
            if state == KeyState::PendingImport && ENCAPSULATING.contains(&operation) {
                continue;
            }
            let world = World::default();
            let of = match (operation, state) {
                // A key that has replica keys waits for their deletion first.
                (UpdatePrimaryRegion, KeyState::PendingDeletion) => {
                    world.fixture_of(operation, KeyState::PendingReplicaDeletion)
                }
                (_, state) => world.fixture_of(operation, state),
            };
            let before = world.dump();
            let (status, answer) = world.call(operation, body(operation, &of));
            let (code, text) = match end {
                O => {
                    assert_eq!(status, 200, "{operation} on a key that is {state}: {answer}");
                    continue;
                }
                D => ("DisabledException", "is disabled."),
                X if operation == UpdatePrimaryRegion => {
                    ("KMSInvalidStateException", "is pending replica deletion.")
                }
                X => ("KMSInvalidStateException", "is pending deletion."),
                I => ("KMSInvalidStateException", "is pending import."),
                U => (
                    "UnsupportedOperationException",
                    "origin is EXTERNAL which is not valid for this operation.",
                ),
                N => ("KMSInvalidStateException", "is not pending deletion."),
            };
            let expected = json!({"__type": code, "message": format!("{} {text}", of.arn)});
            assert_eq!((status, answer), (400, expected), "{operation} on a key that is {state}");
            assert!(world.dump() == before, "{operation} on a key that is {state} changed the store");
        }
    }
}

#[test]
fn the_table_has_every_operation_on_a_key() {
    let on_account = [CreateKey, GenerateRandom, ListAliases, ListKeys, ListRetirableGrants];
    let expected: Vec<_> = Operation::ALL
        .iter()
        .copied()
        .filter(|operation| is_supported(*operation) && !on_account.contains(operation))
        .collect();
    assert_eq!(TABLE.iter().map(|(operation, _)| *operation).collect::<Vec<_>>(), expected);
}

#[test]
fn each_side_of_a_re_encryption_must_be_enabled() {
    for state in [KeyState::Disabled, KeyState::PendingDeletion] {
        let world = World::default();
        let of = world.fixture(state);
        let enabled = world.fixture(KeyState::Enabled);
        let context = json!({"purpose": "test"});
        for (source, ciphertext, destination) in
            [(&of.arn, &of.ciphertext, &enabled.arn), (&enabled.arn, &enabled.ciphertext, &of.arn)]
        {
            let request = json!({
                "SourceKeyId": source, "CiphertextBlob": ciphertext, "SourceEncryptionContext": context,
                "DestinationKeyId": destination,
            });
            let (status, answer) = world.call(ReEncrypt, request);
            assert_eq!(status, 400, "{state}");
            assert!(answer["message"].as_str().unwrap().starts_with(&of.arn), "{state}: {answer}");
        }
    }
}

#[test]
fn a_key_whose_deletion_is_cancelled_comes_back_disabled() {
    let world = World::default();
    let of = world.fixture(KeyState::PendingDeletion);
    world.done(CancelKeyDeletion, json!({"KeyId": of.id}));
    let described = world.done(DescribeKey, json!({"KeyId": of.id}));
    assert_eq!(described["KeyMetadata"]["KeyState"], "Disabled");
    assert!(described["KeyMetadata"].get("DeletionDate").is_none());
}
