//! A request that another account let through to its key is an event of both accounts, and of nobody else.

use keyreeve_testkit::World;
use keyreeve_wire::Operation;
use serde_json::{Value, json};

const OWN: &str = "111122223333";
const FOREIGN: &str = "444455556666";

/// A key of the account, which the other account may use in every way.
fn opened_key(world: &World) -> String {
    let made = world.done(Operation::CreateKey, json!({}));
    let arn = made.pointer("/KeyMetadata/Arn").cloned().unwrap_or_default();
    let allow = |principal: &str| {
        let principal = format!("arn:aws:iam::{principal}:root");
        json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"})
    };
    let policy = json!({"Version": "2012-10-17", "Statement": [allow(OWN), allow(FOREIGN)]});
    world.done(Operation::PutKeyPolicy, json!({"KeyId": arn, "Policy": policy.to_string()}));
    arn.as_str().unwrap_or_default().to_owned()
}

fn recipients(events: &[Value]) -> Vec<(&str, bool)> {
    let is_opened =
        |event: &Value| event.pointer("/additionalEventData/recordPhase") == Some(&json!("Opened"));
    events
        .iter()
        .map(|event| {
            let recipient = event.get("recipientAccountId").and_then(Value::as_str);
            (recipient.unwrap_or_default(), is_opened(event))
        })
        .collect()
}

/// What is not the same in the events of two accounts.
const OF_ITS_OWN: [&str; 4] = ["eventID", "recipientAccountId", "resources", "userIdentity"];

fn in_common(event: &Value) -> Value {
    let mut event = event.clone();
    if let Some(members) = event.as_object_mut() {
        members.retain(|name, _| !OF_ITS_OWN.contains(&name.as_str()));
    }
    event
}

#[test]
fn both_accounts_have_an_event_of_what_was_let_through() {
    let world = World::default();
    let key = opened_key(&world);
    let disabled = opened_key(&world);
    world.done(Operation::DisableKey, json!({"KeyId": disabled}));
    let grant = json!({"KeyId": key, "GranteePrincipal": format!("arn:aws:iam::{FOREIGN}:root"), "Operations": ["Encrypt"]});
    let both = vec![(FOREIGN, false), (OWN, false)];
    let changed = vec![(FOREIGN, true), (OWN, true), (FOREIGN, false), (OWN, false)];
    for (operation, body, status, expected) in [
        (Operation::Encrypt, json!({"KeyId": key, "Plaintext": "AAAA"}), 200, both.clone()),
        (Operation::DescribeKey, json!({"KeyId": key}), 200, both.clone()),
        (Operation::CreateGrant, grant, 200, changed),
        // What fails once the caller was let through is the owner's business as well.
        (Operation::Encrypt, json!({"KeyId": disabled, "Plaintext": "AAAA"}), 400, both.clone()),
        (Operation::Encrypt, json!({"KeyId": key, "Plaintext": "AAAA", "DryRun": true}), 400, both.clone()),
    ] {
        world.trail.drain();
        let (found, answer) = world.call_as(&world.stranger, operation, body);
        let case = format!("{operation}: {answer}");
        assert_eq!(found, status, "{case}");
        let events = world.trail.drain();
        assert_eq!(recipients(&events), expected, "{case}");
        let shared = &events[0]["sharedEventID"];
        assert!(shared.is_string(), "{case}");
        for pair in events.chunks(2) {
            let [callers, owners] = pair else { panic!("{case}") };
            assert_eq!(in_common(callers), in_common(owners), "{case}");
            assert_eq!(&callers["sharedEventID"], shared, "{case}");
            assert_ne!(callers["eventID"], owners["eventID"], "{case}");
            assert_ne!(&owners["eventID"], shared, "{case}");
            assert_eq!(callers["resources"], owners["resources"], "{case}");
            assert_eq!(callers["userIdentity"]["type"], "Root", "{case}");
            let identity = json!({"type": "AWSAccount", "principalId": FOREIGN, "accountId": FOREIGN});
            assert_eq!(owners["userIdentity"], identity, "{case}");
        }
        // The line that completes a record has the id of the one that opened it, in each account.
        if let [first, second, third, fourth] = events.as_slice() {
            assert_eq!((&first["eventID"], &second["eventID"]), (&third["eventID"], &fourth["eventID"]));
        }
    }
}

#[test]
fn what_was_not_let_through_is_the_callers_alone() {
    let world = World::default();
    let key = opened_key(&world);
    let closed = world.done(Operation::CreateKey, json!({}))["KeyMetadata"]["Arn"].clone();
    let blob = world.done(Operation::Encrypt, json!({"KeyId": closed, "Plaintext": "AAAA"}));
    for (operation, body) in [
        (Operation::Encrypt, json!({"KeyId": closed, "Plaintext": "AAAA"})),
        (Operation::DescribeKey, json!({"KeyId": closed})),
        (Operation::Decrypt, json!({"CiphertextBlob": blob["CiphertextBlob"]})),
        // Open to the key's own account alone, whatever its policy says.
        (Operation::DisableKey, json!({"KeyId": key})),
        (Operation::Encrypt, json!({"KeyId": key, "Plaintext": "AAAA", "GrantTokens": ["AAAA"]})),
    ] {
        world.trail.drain();
        let (status, answer) = world.call_as(&world.stranger, operation, body);
        assert_eq!(status, 400, "{operation}: {answer}");
        let events = world.trail.drain();
        assert_eq!(recipients(&events), [(FOREIGN, false)], "{operation}: {answer}");
        assert_eq!(events[0].get("sharedEventID"), None, "{operation}");
    }
}

#[test]
fn an_account_that_uses_its_own_keys_shares_no_event() {
    let world = World::default();
    let key = opened_key(&world);
    world.trail.drain();
    world.done(Operation::Encrypt, json!({"KeyId": key, "Plaintext": "AAAA"}));
    let events = world.trail.drain();
    assert_eq!(recipients(&events), [(OWN, false)]);
    assert_eq!(events[0].get("sharedEventID"), None);
}

#[test]
fn an_owner_sees_of_two_keys_its_own() {
    let world = World::default();
    let key = opened_key(&world);
    let blob = world.done(Operation::Encrypt, json!({"KeyId": key, "Plaintext": "AAAA"}));
    let (_, theirs) = world.call_as(&world.stranger, Operation::CreateKey, json!({}));
    let theirs = &theirs["KeyMetadata"]["Arn"];
    world.trail.drain();
    let body = json!({"CiphertextBlob": blob["CiphertextBlob"], "DestinationKeyId": theirs});
    let (status, answer) = world.call_as(&world.stranger, Operation::ReEncrypt, body);
    assert_eq!(status, 200, "{answer}");
    let events = world.trail.drain();
    assert_eq!(recipients(&events), [(FOREIGN, false), (OWN, false)]);
    let arns = |event: &Value| {
        let resources = event["resources"].as_array().cloned().unwrap_or_default();
        resources.iter().map(|resource| resource["ARN"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(arns(&events[0]), [json!(key), theirs.clone()]);
    assert_eq!(arns(&events[1]), [json!(key)]);
}

#[test]
fn no_answer_leaves_where_the_event_of_one_of_the_accounts_cannot_be_written() {
    for (operation, lines) in [(Operation::Encrypt, 2), (Operation::CreateGrant, 4)] {
        for written in 0..lines {
            let world = World::default();
            let key = opened_key(&world);
            let grantee = format!("arn:aws:iam::{FOREIGN}:root");
            let body = if operation == Operation::CreateGrant {
                json!({"KeyId": key, "GranteePrincipal": grantee, "Operations": ["Encrypt"]})
            } else {
                json!({"KeyId": key, "Plaintext": "AAAA"})
            };
            let before = world.dump();
            world.trail.fail_after(written);
            let (status, answer) = world.call_as(&world.stranger, operation, body);
            assert_eq!(
                (status, &answer["__type"]),
                (500, &json!("KMSInternalException")),
                "{operation} {written}"
            );
            // Nothing changes before both accounts have been told that it may.
            if operation == Operation::CreateGrant {
                assert_eq!(world.dump() == before, written < 2, "{operation} {written}");
            }
        }
    }
}
