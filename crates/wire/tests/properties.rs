//! Properties of decoding and of writing.
#![expect(clippy::expect_used, reason = "test code")]

use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::*;
use keyreeve_wire::*;
use proptest::prelude::*;
use serde_json::Value;

/// Names that members have, and a few that none has.
fn name() -> impl Strategy<Value = String> {
    let known: Vec<String> =
        model().iter().flat_map(|m| m.input).map(|member| member.name.to_owned()).collect();
    prop_oneof![4 => proptest::sample::select(known), 1 => any::<String>()]
}

fn json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[A-Za-z0-9+/]{0,8}={0,2}",
        Just("IGNORE_CIPHERTEXT".to_owned()),
        Just("SYMMETRIC_DEFAULT".to_owned()),
        proptest::sample::select(KeySpec::TEXTS).prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(name(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn context() -> impl Strategy<Value = EncryptionContext> {
    proptest::collection::btree_map(any::<String>(), any::<String>(), 0..4).prop_map(EncryptionContext::from)
}

/// Whether the members of every object stand in the order of their bytes, none twice.
fn is_sorted(json: &str) -> bool {
    let Ok(document) = json::parse(json.as_bytes()) else { return false };
    fn sorted(value: &json::Json<'_>) -> bool {
        match value {
            json::Json::Object(object) => {
                object.iter().map(|(name, _)| name).is_sorted_by(|a, b| a < b)
                    && object.iter().all(|(_, value)| sorted(value))
            }
            json::Json::List(list) => list.iter().all(sorted),
            json::Json::Null
            | json::Json::Bool(_)
            | json::Json::Integer(_)
            | json::Json::Float(_)
            | json::Json::Text(_) => true,
        }
    }
    sorted(&document)
}

fn written(output: &impl Output) -> String {
    let mut out = Vec::new();
    output.write(&mut out);
    String::from_utf8(out).expect("an answer is UTF-8")
}

proptest! {
    #[test]
    fn decoding_never_panics_on_any_bytes(body in proptest::collection::vec(any::<u8>(), 0..256)) {
        for model in model() {
            drop((model.check)(&body));
        }
    }

    #[test]
    fn decoding_never_panics_on_any_json(body in json()) {
        let body = body.to_string();
        for model in model() {
            let first = (model.check)(body.as_bytes());
            prop_assert_eq!(first, (model.check)(body.as_bytes()));
        }
    }

    #[test]
    fn an_answer_is_json_with_sorted_members(
        key_id in any::<String>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..64),
        material in proptest::option::of("[0-9a-f]{64}"),
    ) {
        let output = DecryptOutput {
            ciphertext_for_recipient: None,
            encryption_algorithm: EncryptionAlgorithm::SymmetricDefault,
            key_id: key_id.clone(),
            key_material_id: material.clone(),
            plaintext: Some(bytes.clone().into()),
        };
        let text = written(&output);
        prop_assert!(is_sorted(&text), "{}", text);
        let read: Value = serde_json::from_str(&text).expect("JSON");
        prop_assert_eq!(read["KeyId"].as_str(), Some(key_id.as_str()));
        prop_assert_eq!(read.get("KeyMaterialId").and_then(Value::as_str), material.as_deref());
    }

    #[test]
    fn what_is_written_is_read_back(
        bytes in proptest::collection::vec(any::<u8>(), 1..64),
        context in context(),
        key_id in "[!-~]{1,20}",
    ) {
        let blob = written(&EncryptOutput {
            ciphertext_blob: bytes.clone().into(),
            encryption_algorithm: EncryptionAlgorithm::SymmetricDefault,
            key_id: key_id.clone(),
        });
        let input = DecryptInput::decode(blob.as_bytes()).expect("what one answers the other takes");
        prop_assert_eq!(input.ciphertext_blob.expect("a blob").into_vec(), bytes);
        prop_assert_eq!(input.key_id, Some(key_id.clone()));
        let grants = written(&ListGrantsOutput {
            grants: vec![GrantListEntry {
                constraints: Some(GrantConstraints {
                    encryption_context_equals: Some(context.clone()),
                    encryption_context_subset: None,
                    source_arn: None,
                }),
                creation_date: Timestamp::from_millis(0),
                grant_id: "g".to_owned(),
                grantee_principal: None,
                grantee_service_principal: None,
                issuing_account: "a".to_owned(),
                key_id,
                name: None,
                operations: GrantOperation::ALL.to_vec(),
                retiring_principal: None,
                retiring_service_principal: None,
            }],
            next_marker: None,
            truncated: false,
        });
        prop_assert!(is_sorted(&grants), "{}", grants);
        let read: Value = serde_json::from_str(&grants).expect("JSON");
        let create = serde_json::json!({
            "KeyId": "k", "Operations": ["Decrypt"], "Constraints": read["Grants"][0]["Constraints"],
        });
        let input = CreateGrantInput::decode(create.to_string().as_bytes()).expect("the same constraints");
        prop_assert_eq!(input.constraints.and_then(|c| c.encryption_context_equals), Some(context));
    }

    #[test]
    fn a_point_in_time_survives_its_writing(millis in -4_000_000_000_000_i64..4_000_000_000_000) {
        let text = written(&GetParametersForImportOutput {
            import_token: Vec::new().into(),
            key_id: String::new(),
            parameters_valid_to: Timestamp::from_millis(millis),
            public_key: Vec::new().into(),
        });
        let read: Value = serde_json::from_str(&text).expect("JSON");
        let import = serde_json::json!({
            "KeyId": "k", "ImportToken": "AAAA", "EncryptedKeyMaterial": "AAAA", "ValidTo": read["ParametersValidTo"],
        });
        let input = ImportKeyMaterialInput::decode(import.to_string().as_bytes()).expect("a request");
        prop_assert_eq!(input.valid_to, Some(KmsDate(Timestamp::from_millis(millis))));
    }
}
