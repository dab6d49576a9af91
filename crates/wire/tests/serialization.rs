//! Bodies that cannot be read and what AWS answers.

use keyreeve_wire::{DescribeKeyInput, EncryptInput, Input, InputError, Operation, model};

fn refusal(operation: Operation, body: &[u8]) -> Option<Option<String>> {
    model().iter().filter(|m| m.operation == operation).find_map(|m| match (m.check)(body) {
        Err(InputError::Serialization(message)) => Some(message),
        Ok(()) | Err(InputError::Validation(_)) => None,
    })
}

#[test]
fn a_value_of_the_wrong_type_is_named_by_both_types() {
    use Operation as O;
    const LIST: &str = "Start of list found where not expected";
    const STRUCTURE: &str = "Start of structure or map found where not expected.";
    for (operation, body, expected) in [
        (O::DescribeKey, r#"{"KeyId":1}"#, "NUMBER_VALUE can not be converted to a String"),
        (O::DescribeKey, r#"{"KeyId":1.5}"#, "NUMBER_VALUE can not be converted to a String"),
        (O::DescribeKey, r#"{"KeyId":true}"#, "TRUE_VALUE can not be converted to a String"),
        (O::DescribeKey, r#"{"KeyId":false}"#, "FALSE_VALUE can not be converted to a String"),
        (O::DescribeKey, r#"{"KeyId":["k"]}"#, LIST),
        (O::DescribeKey, r#"{"KeyId":{"k":1}}"#, STRUCTURE),
        (O::DescribeKey, r#"{"KeyId":"k","GrantTokens":"t"}"#, "Expected list or null"),
        (O::DescribeKey, r#"{"KeyId":"k","GrantTokens":{}}"#, STRUCTURE),
        (
            O::DescribeKey,
            r#"{"KeyId":"k","GrantTokens":[1]}"#,
            "NUMBER_VALUE can not be converted to a String",
        ),
        (O::DescribeKey, r#"{"KeyId":"k","GrantTokens":[["t"]]}"#, LIST),
        (O::ListKeys, r#"{"Limit":"1"}"#, "STRING_VALUE can not be converted to an Integer"),
        (O::ListKeys, r#"{"Limit":true}"#, "TRUE_VALUE can not be converted to an Integer"),
        (O::ListKeys, r#"{"Limit":[1]}"#, LIST),
        (O::ListKeys, r#"{"Limit":1.5}"#, "NUMBER_VALUE can not be converted to an Integer"),
        (O::Sign, r#"{"MessageType":1}"#, "NUMBER_VALUE can not be converted to a String"),
        (O::Encrypt, r#"{"EncryptionContext":{"a":1}}"#, "NUMBER_VALUE can not be converted to a String"),
        (O::Encrypt, r#"{"EncryptionContext":[]}"#, LIST),
        (O::Encrypt, r#"{"EncryptionContext":"a"}"#, "Expected map or null"),
        (O::Encrypt, r#"{"DryRun":"true"}"#, "STRING_VALUE can not be converted to a Boolean"),
        (O::GenerateRandom, r#"{"Recipient":"r"}"#, "Expected null"),
        (O::TagResource, r#"{"Tags":[1]}"#, "Expected null"),
        (O::DescribeKey, "[]", LIST),
    ] {
        assert_eq!(
            refusal(operation, body.as_bytes()),
            Some(Some(expected.to_owned())),
            "{operation} {body}"
        );
    }
}

#[test]
fn a_body_that_is_no_json_object_is_refused_without_a_text() {
    for operation in Operation::ALL.iter().copied() {
        for body in [
            &b"{"[..],
            b"null",
            b"1",
            b"true",
            b"\"x\"",
            b"{\"KeyId\":\"k\",}",
            b"{\"KeyId\":\"k\"} {}",
            b"{\"KeyId\":\"k\",\"KeyId\":\"k\"}",
            b"{\"KeyId\":\"\xff\"}",
            b" ",
        ] {
            assert_eq!(refusal(operation, body), Some(None), "{operation} {body:?}");
        }
    }
}

#[test]
fn a_blob_is_canonical_padded_base64_or_the_body_is_refused() {
    for (text, ok) in [
        ("QQ==", true),
        ("QUI=", true),
        ("QUJD", true),
        ("+/+/", true),
        (r"\u0051UJD", true),
        ("QQ", false),
        ("QQ=", false),
        ("QR==", false),
        ("-_-_", false),
        ("QQ==QQ==", false),
        ("QUJD\\n", false),
        (" QUJD", false),
        ("Q", false),
    ] {
        let body = format!(r#"{{"KeyId":"k","Plaintext":"{text}"}}"#);
        let expected = (!ok).then_some(None);
        assert_eq!(refusal(Operation::Encrypt, body.as_bytes()), expected, "{text:?}");
    }
}

#[test]
fn a_request_is_read_as_it_was_sent() {
    let body = br#"{"KeyId":"alias/a","Plaintext":"aGk=","EncryptionContext":{"b":"2","a":"\u00e9\n"},"GrantTokens":["t"],"DryRun":true}"#;
    let input = EncryptInput::decode(body).ok().unwrap();
    assert_eq!(input.key_id, "alias/a");
    assert_eq!(input.plaintext.expose(), b"hi");
    let context: Vec<_> = input.encryption_context.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(context, [("a", "é\n"), ("b", "2")]);
    assert_eq!(input.grant_tokens, ["t"]);
    assert_eq!(input.encryption_algorithm, None);
    assert!(input.dry_run);
    assert_eq!(DescribeKeyInput::OPERATION, Operation::DescribeKey);
}
