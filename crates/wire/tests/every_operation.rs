//! What holds for the request of every operation, read off its members.
#![expect(clippy::expect_used, clippy::panic, reason = "test code")]

use keyreeve_wire::{InputError, Kind, Member, Operation, OperationModel, Shape, model};
use serde_json::{Map, Value, json};

/// A value inside every limit of a shape, of the least length it allows.
fn least(shape: &Shape) -> Value {
    match shape.kind() {
        Kind::Blob => blob(shape.min().unwrap_or(0)),
        Kind::Boolean => json!(true),
        Kind::Enumeration { values, .. } => json!(values.first()),
        Kind::Double => json!(1.5),
        Kind::Integer => json!(shape.min()),
        Kind::List(element) => json!([least(element)]),
        Kind::Map => json!({"key": "value"}),
        Kind::Structure(members) => request(members),
        Kind::Text => text(shape, shape.min().unwrap_or(0)),
        Kind::Timestamp => json!(1_614_905_581.947),
    }
}

fn request(members: &[Member]) -> Value {
    members.iter().map(|member| (member.name.to_owned(), least(member.shape))).collect::<Map<_, _>>().into()
}

fn blob(length: u32) -> Value {
    let rest = match length % 3 {
        0 => "",
        1 => "AA==",
        _ => "AAA=",
    };
    json!(format!("{}{rest}", "AAAA".repeat(usize::try_from(length / 3).expect("a length"))))
}

/// Text of a length, or of the least length that the pattern leaves.
fn text(shape: &Shape, length: u32) -> Value {
    let start = match shape.pattern().map(|pattern| pattern.text()) {
        Some(pattern) if pattern.starts_with("cluster-") => "cluster-",
        Some(pattern) if pattern.starts_with("^arn:") => "arn:aws:s3::111122223333:",
        Some(pattern) if pattern.starts_with("^https:") => "https://",
        Some(pattern) if pattern.starts_with("^(/") => {
            return json!(format!(
                "/{}/kms/xks/v1",
                "a".repeat(usize::try_from(length.max(13) - 12).expect("a length"))
            ));
        }
        Some(pattern) if pattern.starts_with("^(com|eu)") => "com.amazonaws.vpce.us-east-1.vpce-svc-",
        Some(pattern) if pattern.starts_with("^([a-z]+-)") => "us-east-1",
        Some(pattern) if pattern.starts_with("^([A-Za-z0-9") => "s3.amazonaws.com",
        Some("[0-9]{12}") => return json!("1".repeat(usize::try_from(length).expect("a length"))),
        Some("^[A-Z2-7]+$") => return json!("A".repeat(usize::try_from(length).expect("a length"))),
        Some(_) | None => "",
    };
    let fill = if start == "us-east-1" { "1" } else { "a" };
    let missing = usize::try_from(length).expect("a length").saturating_sub(start.len());
    let at_least_one = usize::from(start.is_empty() || start.ends_with(['-', ':', '/']) && missing == 0);
    let count = if length == 0 && shape.pattern().is_none() { 0 } else { missing.max(at_least_one) };
    json!(format!("{start}{}", fill.repeat(count)))
}

fn decode(model: &OperationModel, request: &Value) -> Result<(), InputError> {
    (model.check)(request.to_string().as_bytes())
}

fn message(result: Result<(), InputError>) -> String {
    match result {
        Err(InputError::Validation(message)) => message,
        other => panic!("not a violation: {other:?}"),
    }
}

fn lower_camel(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_lowercase() + rest
}

#[test]
fn a_request_inside_every_limit_decodes() {
    for model in model() {
        let request = request(model.input);
        assert_eq!(decode(model, &request), Ok(()), "{} {request}", model.operation);
    }
}

#[test]
fn a_request_without_members_names_exactly_the_required_ones() {
    let required: &[(Operation, &[&str])] = &[
        (Operation::CancelKeyDeletion, &["keyId"]),
        (Operation::ConnectCustomKeyStore, &["customKeyStoreId"]),
        (Operation::CreateAlias, &["aliasName", "targetKeyId"]),
        (Operation::CreateCustomKeyStore, &["customKeyStoreName"]),
        (Operation::CreateGrant, &["keyId", "operations"]),
        (Operation::CreateKey, &[]),
        (Operation::Decapsulate, &["keyId", "sharedSecretCiphertextBlob", "encapsulationAlgorithm"]),
        (Operation::Decrypt, &["ciphertextBlob"]),
        (Operation::DeleteAlias, &["aliasName"]),
        (Operation::DeleteCustomKeyStore, &["customKeyStoreId"]),
        (Operation::DeleteImportedKeyMaterial, &["keyId"]),
        (Operation::DeriveSharedSecret, &["keyId", "keyAgreementAlgorithm", "publicKey"]),
        (Operation::DescribeCustomKeyStores, &[]),
        (Operation::DescribeKey, &["keyId"]),
        (Operation::DisableKey, &["keyId"]),
        (Operation::DisableKeyRotation, &["keyId"]),
        (Operation::DisconnectCustomKeyStore, &["customKeyStoreId"]),
        (Operation::EnableKey, &["keyId"]),
        (Operation::EnableKeyRotation, &["keyId"]),
        (Operation::Encapsulate, &["keyId", "encapsulationAlgorithm"]),
        (Operation::Encrypt, &["keyId", "plaintext"]),
        (Operation::GenerateDataKey, &["keyId"]),
        (Operation::GenerateDataKeyPair, &["keyId", "keyPairSpec"]),
        (Operation::GenerateDataKeyPairWithoutPlaintext, &["keyId", "keyPairSpec"]),
        (Operation::GenerateDataKeyWithoutPlaintext, &["keyId"]),
        (Operation::GenerateMac, &["message", "keyId", "macAlgorithm"]),
        (Operation::GenerateRandom, &[]),
        (Operation::GetKeyLastUsage, &["keyId"]),
        (Operation::GetKeyPolicy, &["keyId"]),
        (Operation::GetKeyRotationStatus, &["keyId"]),
        (Operation::GetParametersForImport, &["keyId", "wrappingAlgorithm", "wrappingKeySpec"]),
        (Operation::GetPublicKey, &["keyId"]),
        (Operation::ImportKeyMaterial, &["keyId", "importToken", "encryptedKeyMaterial"]),
        (Operation::ListAliases, &[]),
        (Operation::ListGrants, &["keyId"]),
        (Operation::ListKeyPolicies, &["keyId"]),
        (Operation::ListKeyRotations, &["keyId"]),
        (Operation::ListKeys, &[]),
        (Operation::ListResourceTags, &["keyId"]),
        (Operation::ListRetirableGrants, &[]),
        (Operation::PutKeyPolicy, &["keyId", "policy"]),
        (Operation::ReEncrypt, &["ciphertextBlob", "destinationKeyId"]),
        (Operation::ReplicateKey, &["keyId", "replicaRegion"]),
        (Operation::RetireGrant, &[]),
        (Operation::RevokeGrant, &["keyId", "grantId"]),
        (Operation::RotateKeyOnDemand, &["keyId"]),
        (Operation::ScheduleKeyDeletion, &["keyId"]),
        (Operation::Sign, &["keyId", "message", "signingAlgorithm"]),
        (Operation::TagResource, &["keyId", "tags"]),
        (Operation::UntagResource, &["keyId", "tagKeys"]),
        (Operation::UpdateAlias, &["aliasName", "targetKeyId"]),
        (Operation::UpdateCustomKeyStore, &["customKeyStoreId"]),
        (Operation::UpdateKeyDescription, &["keyId", "description"]),
        (Operation::UpdatePrimaryRegion, &["keyId", "primaryRegion"]),
        (Operation::Verify, &["keyId", "message", "signature", "signingAlgorithm"]),
        (Operation::VerifyMac, &["message", "keyId", "macAlgorithm", "mac"]),
    ];
    assert_eq!(required.iter().map(|(operation, _)| *operation).collect::<Vec<_>>(), Operation::ALL);
    for (model, (_, names)) in model().iter().zip(required) {
        for body in ["", "{}", r#"{"Unknown":{"KeyId":1}}"#] {
            let result = (model.check)(body.as_bytes());
            if names.is_empty() {
                assert_eq!(result, Ok(()), "{}", model.operation);
                continue;
            }
            let parts: Vec<_> = names
                .iter()
                .map(|name| {
                    let shown = if matches!(*name, "plaintext" | "message") { "" } else { " null" };
                    format!("Value{shown} at '{name}' failed to satisfy constraint: Member must not be null")
                })
                .collect();
            let noun = if parts.len() == 1 { "error" } else { "errors" };
            let expected = format!("{} validation {noun} detected: {}", parts.len(), parts.join("; "));
            assert_eq!(message(result), expected, "{}", model.operation);
        }
    }
}

#[test]
fn a_null_member_is_the_same_as_an_absent_one() {
    for model in model() {
        for member in model.input {
            let mut absent = request(model.input);
            absent.as_object_mut().expect("a request").remove(member.name);
            let mut null = request(model.input);
            null[member.name] = Value::Null;
            assert_eq!(decode(model, &absent), decode(model, &null), "{}.{}", model.operation, member.name);
        }
    }
}

#[test]
fn a_member_of_the_wrong_json_type_is_a_serialization_error_whatever_else_is_wrong() {
    for model in model() {
        for member in model.input {
            let wrong: &[Value] = match member.shape.kind() {
                Kind::Blob => {
                    &[json!(1), json!(true), json!([]), json!({}), json!("*"), json!("QQ"), json!("QR==")]
                }
                Kind::Boolean => &[json!(1), json!("true"), json!([]), json!({})],
                Kind::Double => &[json!("1"), json!(true), json!([]), json!({})],
                Kind::Integer => &[json!("1"), json!(true), json!([]), json!({}), json!(1.5), json!(1e300)],
                Kind::Timestamp => {
                    &[json!("2026-01-01T00:00:00Z"), json!(true), json!([]), json!({}), json!(1e300)]
                }
                Kind::Enumeration { .. } | Kind::Text => {
                    &[json!(1), json!(1.5), json!(false), json!([]), json!({})]
                }
                Kind::List(_) => &[json!(1), json!("a"), json!(true), json!({}), json!([true])],
                Kind::Map => &[json!(1), json!("a"), json!(true), json!([]), json!({"a": 1})],
                Kind::Structure(_) => &[json!(1), json!("a"), json!(true), json!([])],
            };
            for value in wrong {
                let request = json!({ member.name: value });
                let result = decode(model, &request);
                assert!(matches!(result, Err(InputError::Serialization(_))), "{} {request}", model.operation);
            }
        }
    }
}

#[test]
fn a_length_or_value_outside_the_limits_is_named_with_the_limit() {
    for model in model() {
        for member in model.input {
            let shape = member.shape;
            let (Some(min), Some(max)) = (shape.min(), shape.max()) else { continue };
            let of = |length| match shape.kind() {
                Kind::Blob => blob(length),
                Kind::Integer => json!(length),
                Kind::List(element) => (0..length).map(|_| least(element)).collect(),
                // Below the limit the pattern may break too; each violation has a text of its own.
                Kind::Text if length < min => json!("a".repeat(usize::try_from(length).expect("a length"))),
                Kind::Text => text(shape, length),
                Kind::Boolean
                | Kind::Double
                | Kind::Enumeration { .. }
                | Kind::Map
                | Kind::Structure(_)
                | Kind::Timestamp => {
                    panic!("limits of {shape:?}")
                }
            };
            let measure = if matches!(shape.kind(), Kind::Integer) { "value" } else { "length" };
            for (length, inside) in [(min.saturating_sub(1), min == 0), (max, true), (max + 1, false)] {
                let mut request = request(model.input);
                request[member.name] = of(length);
                let result = decode(model, &request);
                let case = format!("{}.{} of {length}", model.operation, member.name);
                if inside {
                    assert_eq!(result, Ok(()), "{case}");
                    continue;
                }
                let limit = if length < min {
                    format!("greater than or equal to {min}")
                } else {
                    format!("less than or equal to {max}")
                };
                let message = message(result);
                let at = format!(
                    " at '{}' failed to satisfy constraint: Member must have {measure} {limit}",
                    lower_camel(member.name)
                );
                assert!(message.contains(&at), "{case}: {message}");
                let hidden = shape.is_sensitive() || matches!(shape.kind(), Kind::Blob);
                assert_eq!(message.contains("Value at"), hidden, "{case}: {message}");
            }
        }
    }
}

#[test]
fn a_value_outside_an_enumeration_is_answered_with_the_set() {
    for model in model() {
        for member in model.input {
            let Kind::Enumeration { values, listed } = member.shape.kind() else { continue };
            for value in values {
                let mut request = request(model.input);
                request[member.name] = json!(value);
                assert_eq!(decode(model, &request), Ok(()), "{} {value}", model.operation);
            }
            let mut request = request(model.input);
            request[member.name] = json!("FOO");
            let expected = format!(
                "1 validation error detected: Value 'FOO' at '{}' failed to satisfy constraint: \
                 Member must satisfy enum value set: [{}]",
                lower_camel(member.name),
                listed.join(", ")
            );
            assert_eq!(message(decode(model, &request)), expected, "{}", model.operation);
        }
    }
}
