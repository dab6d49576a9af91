//! What holds for every operation: who is refused, what is recorded, and what this release does not do yet.
#![expect(clippy::unwrap_used, reason = "test code")]

use keyreeve_domain::spec::KeyState;
use keyreeve_kms::is_supported;
use keyreeve_testkit::{Fixture, UNSUPPORTED, World, body};
use keyreeve_wire::{Operation, model};
use serde_json::{Value, json};

/// The operations on no key: their resource is the account, and the key in a request of theirs is none of the caller's.
const ON_ACCOUNT: [Operation; 5] = [
    Operation::CreateKey,
    Operation::GenerateRandom,
    Operation::ListAliases,
    Operation::ListKeys,
    Operation::ListRetirableGrants,
];
/// The operations that find their key by an alias of the caller's own account.
const BY_OWN_ALIAS: [Operation; 2] = [Operation::DeleteAlias, Operation::UpdateAlias];

fn supported() -> impl Iterator<Item = Operation> {
    Operation::ALL.iter().copied().filter(|operation| is_supported(*operation))
}

fn action(operation: Operation) -> String {
    let name = if operation == Operation::ReEncrypt { "ReEncryptFrom" } else { operation.name() };
    format!("kms:{name}")
}

fn error(code: &str, message: &str) -> Value {
    json!({"__type": code, "message": message})
}

#[test]
fn a_user_without_a_policy_is_denied_and_changes_nothing() {
    for operation in supported() {
        let world = World::default();
        let of = world.fixture_for(operation);
        let before = world.dump();
        let answer = world.call_as(&world.user, operation, body(operation, &of));
        let action = action(operation);
        let request = body(operation, &of);
        let resource = if let Some(alias) = request.get("AliasName").and_then(Value::as_str) {
            of.arn.replace(&format!("key/{}", of.id), alias)
        } else if ON_ACCOUNT.contains(&operation) {
            "*".to_owned()
        } else {
            of.arn.clone()
        };
        // A grant says who may retire it; policies can only deny it.
        let layer = if operation == Operation::RetireGrant { "resource-based" } else { "identity-based" };
        let text = format!(
            "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: {action} on resource: {resource} \
             because no {layer} policy allows the {action} action"
        );
        assert_eq!(answer, (400, error("AccessDeniedException", &text)), "{operation}");
        assert!(world.dump() == before, "{operation} changed the store");
    }
}

#[test]
fn the_root_of_another_account_learns_nothing_of_a_key_and_changes_nothing() {
    for operation in supported().filter(|operation| !ON_ACCOUNT.contains(operation)) {
        let world = World::default();
        let of = world.fixture_for(operation);
        let before = world.dump();
        let request = body(operation, &of);
        let answer = world.call_as(&world.stranger, operation, request.clone());
        if BY_OWN_ALIAS.contains(&operation) {
            let alias = request["AliasName"].as_str().unwrap();
            let text = format!("Alias arn:aws:kms:us-east-1:444455556666:{alias} is not found.");
            assert_eq!(answer, (400, error("NotFoundException", &text)), "{operation}");
        } else {
            let action = action(operation);
            let text = format!(
                "User: arn:aws:iam::444455556666:root is not authorized to perform: {action} on this resource because \
                 the resource does not exist in this Region, no resource-based policies allow access, or a \
                 resource-based policy explicitly denies access"
            );
            assert_eq!(answer, (400, error("AccessDeniedException", &text)), "{operation}");
            let mut requests = vec![request.clone()];
            if request.get("CiphertextBlob").is_some() {
                let others = json!({"KeyId": of.other, "Plaintext": Fixture::PLAINTEXT});
                let others = world.done(Operation::Encrypt, others)["CiphertextBlob"].clone();
                requests.extend([others, json!("AAAA")].map(|blob| {
                    let mut changed = request.clone();
                    changed["CiphertextBlob"] = blob;
                    changed
                }));
            }
            for request in requests {
                let found = world.call_as(&world.stranger, operation, request.clone());
                assert_eq!(found, answer, "{operation}: {request}");
                // A key that is not there is refused in the same words.
                let missing = request.to_string().replace(&of.id, "1234abcd-12ab-34cd-56ef-1234567890ab");
                let missing = serde_json::from_str(&missing).unwrap();
                assert_eq!(
                    world.call_as(&world.stranger, operation, missing),
                    answer,
                    "{operation} on a missing key: {request}"
                );
            }
        }
        assert!(world.dump() == before, "{operation} changed the store");
    }
}

#[test]
fn a_foreign_ciphertext_is_refused_as_an_unknown_one_is() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    let destination = world.call_as(&world.stranger, Operation::CreateKey, json!({})).1;
    let destination = destination["KeyMetadata"]["KeyId"].clone();
    for (operation, request, action) in [
        (Operation::Decrypt, json!({"CiphertextBlob": of.ciphertext}), "kms:Decrypt"),
        (
            Operation::ReEncrypt,
            json!({"CiphertextBlob": of.ciphertext, "DestinationKeyId": destination}),
            "kms:ReEncryptFrom",
        ),
    ] {
        let text = format!(
            "User: arn:aws:iam::444455556666:root is not authorized to perform: {action} on the resource associated with \
             this ciphertext because the resource does not exist in this Region, no resource-based policies allow \
             access, or a resource-based policy explicitly denies access"
        );
        let answer = world.call_as(&world.stranger, operation, request);
        assert_eq!(answer, (400, error("AccessDeniedException", &text)), "{operation}");
    }
}

#[test]
fn the_lists_of_an_account_hold_nothing_of_another() {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    let keys = world.call_as(&world.stranger, Operation::ListKeys, json!({})).1;
    assert_eq!(keys["Keys"], json!([]));
    let aliases = world.call_as(&world.stranger, Operation::ListAliases, json!({"Limit": 100})).1;
    assert!(!aliases.to_string().contains(&of.alias), "{aliases}");
    let own = world.call_as(&world.stranger, Operation::ListAliases, json!({"KeyId": of.arn}));
    assert_eq!(own.1["__type"], "AccessDeniedException", "{}", own.1);
    let missing = of.arn.replace(&of.id, "1234abcd-12ab-34cd-56ef-1234567890ab");
    assert_eq!(world.call_as(&world.stranger, Operation::ListAliases, json!({"KeyId": missing})), own);
}

#[test]
fn every_request_is_recorded_once_and_a_change_is_announced_first() {
    for operation in Operation::ALL.iter().copied() {
        for refused in [false, true] {
            let world = World::default();
            let of = world.fixture_for(operation);
            let caller = if refused { &world.user } else { &world.root };
            let (status, answer) = world.call_as(caller, operation, body(operation, &of));
            let case = format!("{operation}, refused: {refused}");
            // What a request does in another Region is an event of its own there.
            let (events, elsewhere): (Vec<_>, Vec<_>) =
                world.trail.drain().into_iter().partition(|event| event["awsRegion"] == "us-east-1");
            let told = |event: &Value| event["eventName"] == "SynchronizeMultiRegionKey";
            let (told, events): (Vec<_>, Vec<_>) = events.into_iter().partition(told);
            // What the service does by itself for a request.
            let done = |event: &Value| event["eventType"] == "AwsServiceEvent";
            let (done, events): (Vec<_>, Vec<_>) = events.into_iter().partition(done);
            let rotates = operation == Operation::RotateKeyOnDemand && !refused;
            assert_eq!(done.len(), usize::from(rotates), "{case}");
            let is_elsewhere =
                !refused && [Operation::ReplicateKey, Operation::UpdatePrimaryRegion].contains(&operation);
            assert_eq!(
                (elsewhere.len(), told.len()),
                (usize::from(is_elsewhere), usize::from(is_elsewhere)),
                "{case}"
            );
            let (last, opened) = events.split_last().unwrap();
            let changes = !operation.read_only() && !refused && is_supported(operation);
            assert_eq!(opened.len(), usize::from(changes), "{case}");
            for event in &events {
                for (member, expected) in [
                    ("eventName", json!(operation.name())),
                    ("readOnly", json!(operation.read_only())),
                    ("recipientAccountId", json!("111122223333")),
                    ("requestID", last["requestID"].clone()),
                    ("eventID", last["eventID"].clone()),
                    ("eventType", json!("AwsApiCall")),
                ] {
                    assert_eq!(event[member], expected, "{case}: {member}");
                }
            }
            for event in opened {
                assert_eq!(event["additionalEventData"]["recordPhase"], "Opened", "{case}");
                assert_eq!(event["requestParameters"], last["requestParameters"], "{case}");
                assert_eq!(event["resources"], last["resources"], "{case}");
            }
            let additional = last.get("additionalEventData");
            if operation == Operation::ScheduleKeyDeletion && !refused {
                // The fixture was used a moment ago.
                assert!(additional.is_some_and(|data| data["warning"].is_string()), "{case}");
            } else {
                let mut expected = serde_json::Map::new();
                if operation == Operation::RetireGrant {
                    expected.insert("grantId".to_owned(), json!(of.grant));
                }
                if operation == Operation::Encrypt && !refused {
                    let described = world.done(Operation::DescribeKey, json!({"KeyId": of.id}));
                    let current = described["KeyMetadata"]["CurrentKeyMaterialId"].clone();
                    expected.insert("keyMaterialId".to_owned(), current);
                }
                // What the answer says of the material that was used; a change of the material is told with its elements.
                for name in ["KeyMaterialId", "DestinationKeyMaterialId", "SourceKeyMaterialId"] {
                    if let Some(id) = answer.get(name).filter(|_| operation.read_only()) {
                        expected.insert(format!("{}{}", name[..1].to_lowercase(), &name[1..]), id.clone());
                    }
                }
                let expected = Some(Value::Object(expected)).filter(|expected| *expected != json!({}));
                assert_eq!(additional, expected.as_ref(), "{case}");
            }
            let code = if status == 200 { Value::Null } else { answer["__type"].clone() };
            assert_eq!(last.get("errorCode").cloned().unwrap_or_default(), code, "{case}");
            assert_eq!(last.get("errorMessage"), answer.get("message"), "{case}");
            assert_eq!(status == 200, !refused && is_supported(operation), "{case}: {answer}");
            if is_supported(operation) {
                check_parameters(operation, &of, last);
                check_resources(operation, &of, last, refused);
            }
            let user = if refused { "IAMUser" } else { "Root" };
            assert_eq!(last["userIdentity"]["type"], user, "{case}");
        }
    }
}

#[test]
fn a_key_that_is_made_on_first_use_is_announced() {
    let world = World::default();
    world.done(Operation::DescribeKey, json!({"KeyId": "alias/aws/s3"}));
    let events = world.trail.drain();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["additionalEventData"]["recordPhase"], "Opened");
    assert_eq!(events[0]["resources"], events[1]["resources"]);
    world.done(Operation::DescribeKey, json!({"KeyId": "alias/aws/s3"}));
    assert_eq!(world.trail.drain().len(), 1);
}

#[test]
fn a_record_fits_the_trail_however_long_the_request_is() {
    let long = "k".repeat(1_000_000);
    let many: Vec<String> = (0..7500).map(|n| format!("{n:0128}")).collect();
    for (operation, members) in [
        (Operation::DescribeKey, json!({"KeyId": long})),
        (Operation::Encrypt, json!({"Plaintext": "YQ==", "EncryptionContext": {"k": long}})),
        (Operation::GenerateDataKey, json!({"KeySpec": "AES_256", "EncryptionContext": {"k": long}})),
        (Operation::UntagResource, json!({"TagKeys": many})),
    ] {
        let world = World::default();
        let of = world.fixture_for(operation);
        world.trail.drain();
        let mut body = members;
        if body.get("KeyId").is_none() {
            body["KeyId"] = json!(of.id);
        }
        let (status, _) = world.call(operation, body);
        assert_ne!(status, 500, "{operation}");
        let events = world.trail.drain();
        assert!(!events.is_empty(), "{operation}");
        for event in events {
            assert!(event.to_string().len() < 128 * 1024, "{operation}");
            assert_eq!(
                event["resources"].as_array().unwrap().is_empty(),
                operation == Operation::DescribeKey
            );
        }
    }
}

/// The parameters are those of the request, but for its secrets.
fn check_parameters(operation: Operation, of: &Fixture, event: &Value) {
    if matches!(
        operation,
        Operation::GenerateRandom | Operation::RetireGrant | Operation::ListAliases | Operation::ListKeys
    ) {
        return assert_eq!(event["requestParameters"], Value::Null, "{operation}");
    }
    let logged = event["requestParameters"].as_object().unwrap();
    for (name, value) in body(operation, of).as_object().unwrap() {
        let (first, rest) = name.split_at(1);
        let logged = logged.get(&(first.to_lowercase() + rest));
        match name.as_str() {
            "CiphertextBlob"
            | "EncryptedKeyMaterial"
            | "ImportToken"
            | "Mac"
            | "Message"
            | "Plaintext"
            | "PublicKey"
            | "SharedSecretCiphertextBlob"
            | "Signature" => assert_eq!(logged, None, "{operation}: {name}"),
            "Tags" => assert_eq!(
                logged.and_then(|tags| tags.pointer("/0/tagKey")),
                value.pointer("/0/TagKey"),
                "{operation}"
            ),
            _ => assert_eq!(logged, Some(value), "{operation}: {name}"),
        }
    }
}

fn check_resources(operation: Operation, of: &Fixture, event: &Value, refused: bool) {
    let arns: Vec<_> = event["resources"].as_array().unwrap().iter().map(|one| one["ARN"].clone()).collect();
    let alias = |alias: &str| json!(of.arn.replace(&format!("key/{}", of.id), alias));
    let expected: &[Value] = if operation == Operation::CreateKey {
        // The id of the new key is not known before.
        return assert_eq!(arns.len(), usize::from(!refused), "{operation}");
    } else if ON_ACCOUNT.contains(&operation) {
        &[]
    } else if operation == Operation::CreateAlias && refused {
        &[alias("alias/new")]
    } else if operation == Operation::CreateAlias {
        &[json!(of.arn), alias("alias/new")]
    } else if operation == Operation::UpdateAlias && refused {
        &[alias(&of.other_alias)]
    } else if operation == Operation::DeleteAlias && refused {
        &[alias(&of.alias)]
    } else if operation == Operation::UpdateAlias {
        &[alias(&of.other_alias), json!(of.arn)]
    } else if operation == Operation::DeleteAlias {
        &[alias(&of.alias), json!(of.arn)]
    } else {
        &[json!(of.arn)]
    };
    assert_eq!(arns, expected, "{operation}");
}

#[test]
fn no_secret_occurs_in_the_trail() {
    for operation in supported() {
        let world = World::default();
        let of = world.fixture_for(operation);
        let mut request = body(operation, &of);
        let mut secrets =
            vec![Fixture::PLAINTEXT.to_owned(), of.ciphertext.clone(), "a secret that".to_owned()];
        if let Some((token, wrapped)) = of.import.clone() {
            secrets.extend([token, wrapped]);
        }
        let (_, answer) = world.call(operation, request.clone());
        for member in [
            "Plaintext",
            "CiphertextBlob",
            "NextMarker",
            "Signature",
            "Mac",
            "SharedSecret",
            "SharedSecretCiphertextBlob",
            "PrivateKeyPlaintext",
            "PrivateKeyCiphertextBlob",
            "PublicKey",
            "ImportToken",
        ] {
            secrets.extend(answer.get(member).and_then(Value::as_str).map(str::to_owned));
        }
        let takes_token = model().iter().any(|model| {
            model.operation == operation && model.input.iter().any(|member| member.name == "GrantTokens")
        });
        if takes_token {
            request["GrantTokens"] = json!(["token-of-a-grant"]);
            secrets.push("token-of-a-grant".to_owned());
            assert_eq!(
                world.call(operation, request).1["__type"],
                "InvalidGrantTokenException",
                "{operation}"
            );
        }
        let trail = world.trail.text();
        for secret in &secrets {
            assert!(!trail.contains(secret.as_str()), "{operation}: {secret} in {trail}");
        }
    }
}

#[test]
fn what_is_not_supported_yet_is_validated_and_refused() {
    let refused: Vec<_> =
        Operation::ALL.iter().copied().filter(|operation| !is_supported(*operation)).collect();
    assert_eq!(refused, UNSUPPORTED, "the list may only shrink");
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    let before = world.dump();
    for operation in UNSUPPORTED.iter().copied() {
        let text = format!("Keyreeve does not support {operation} yet.");
        let answer = world.call(operation, body(operation, &of));
        assert_eq!(answer, (400, error("UnsupportedOperationException", &text)), "{operation}");
        let model = model().iter().find(|model| model.operation == operation).unwrap();
        if (model.check)(b"{}").is_err() {
            assert_eq!(world.call(operation, json!({})).1["__type"], "ValidationException", "{operation}");
        }
        assert_eq!(world.call(operation, json!([])).1["__type"], "SerializationException", "{operation}");
    }
    assert!(world.dump() == before);
}
