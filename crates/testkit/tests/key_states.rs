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
}
use End::{Disabled as D, Done as O, NotPendingDeletion as N, PendingDeletion as X};

/// The operation and its end on a key that is enabled, disabled, and pending deletion.
const TABLE: &[(Operation, [End; 3])] = &[
    (CancelKeyDeletion, [N, N, O]),
    (CreateAlias, [O, O, X]),
    (CreateGrant, [O, D, X]),
    (Decapsulate, [O, D, X]),
    (Decrypt, [O, D, X]),
    (DeleteAlias, [O, O, O]),
    (DeriveSharedSecret, [O, D, X]),
    (DescribeKey, [O, O, O]),
    (DisableKey, [O, O, X]),
    (DisableKeyRotation, [O, D, X]),
    (EnableKey, [O, O, X]),
    (EnableKeyRotation, [O, D, X]),
    (Encapsulate, [O, D, X]),
    (Encrypt, [O, D, X]),
    (GenerateDataKey, [O, D, X]),
    (GenerateDataKeyPair, [O, D, X]),
    (GenerateDataKeyPairWithoutPlaintext, [O, D, X]),
    (GenerateDataKeyWithoutPlaintext, [O, D, X]),
    (GenerateMac, [O, D, X]),
    (GetKeyLastUsage, [O, O, O]),
    (GetKeyPolicy, [O, O, O]),
    (GetKeyRotationStatus, [O, O, O]),
    (GetPublicKey, [O, O, X]),
    (ListGrants, [O, O, O]),
    (ListKeyPolicies, [O, O, O]),
    (ListKeyRotations, [O, O, O]),
    (ListResourceTags, [O, O, O]),
    (PutKeyPolicy, [O, O, O]),
    (ReEncrypt, [O, D, X]),
    (RetireGrant, [O, O, O]),
    (RevokeGrant, [O, O, O]),
    (RotateKeyOnDemand, [O, D, X]),
    (ScheduleKeyDeletion, [O, O, X]),
    (Sign, [O, D, X]),
    (TagResource, [O, O, X]),
    (UntagResource, [O, O, X]),
    (UpdateAlias, [O, O, X]),
    (UpdateKeyDescription, [O, O, X]),
    (Verify, [O, D, X]),
    (VerifyMac, [O, D, X]),
];
const STATES: [KeyState; 3] = [KeyState::Enabled, KeyState::Disabled, KeyState::PendingDeletion];

#[test]
fn an_operation_ends_as_the_state_table_says() {
    for (operation, ends) in TABLE.iter().copied() {
        for (state, end) in STATES.into_iter().zip(ends) {
            let world = World::default();
            let of = world.fixture_of(operation, state);
            let before = world.dump();
            let (status, answer) = world.call(operation, body(operation, &of));
            let (code, text) = match end {
                O => {
                    assert_eq!(status, 200, "{operation} on a key that is {state}: {answer}");
                    continue;
                }
                D => ("DisabledException", "is disabled."),
                X => ("KMSInvalidStateException", "is pending deletion."),
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
