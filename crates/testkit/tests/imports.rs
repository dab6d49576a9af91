//! Imported key material, from the first import to its end. The wrapping algorithms are tried with other libraries in
//! `tests/e2e/test_import.py`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyreeve_testkit::World;
use keyreeve_wire::Operation::{self, *};
use serde_json::{Value, json};

const DAY: i64 = 86_400_000;

fn external(world: &World, request: Value) -> String {
    let mut request = request;
    request["Origin"] = json!("EXTERNAL");
    let made = world.done(CreateKey, request);
    assert_eq!(made["KeyMetadata"]["KeyState"], "PendingImport");
    assert_eq!(made["KeyMetadata"]["Origin"], "EXTERNAL");
    assert_eq!(made["KeyMetadata"]["Enabled"], false);
    made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
}

/// A request to import `material`, with more members.
fn request(world: &World, id: &str, material: &[u8], more: Value) -> Value {
    let (token, wrapped) = world.wrapped_import(id, material);
    let mut request = json!({"KeyId": id, "ImportToken": token, "EncryptedKeyMaterial": wrapped});
    if more.get("ValidTo").is_none() {
        request["ExpirationModel"] = json!("KEY_MATERIAL_DOES_NOT_EXPIRE");
    }
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

fn import(world: &World, id: &str, material: &[u8], more: Value) -> Value {
    world.done(ImportKeyMaterial, request(world, id, material, more))
}

fn metadata(world: &World, id: &str) -> Value {
    world.done(DescribeKey, json!({"KeyId": id}))["KeyMetadata"].clone()
}

fn refused(world: &World, operation: Operation, request: Value) -> (String, Value) {
    let (status, answer) = world.call(operation, request);
    assert_eq!(status, 400, "{operation}: {answer}");
    (answer["__type"].as_str().unwrap().to_owned(), answer["message"].clone())
}

#[test]
fn material_that_comes_back_brings_every_ciphertext_back() {
    let world = World::default();
    let id = external(&world, json!({}));
    let first = import(&world, &id, &[7; 32], json!({}));
    let seen = metadata(&world, &id);
    assert_eq!(seen["KeyState"], "Enabled");
    assert_eq!(seen["ExpirationModel"], "KEY_MATERIAL_DOES_NOT_EXPIRE");
    assert_eq!(seen["CurrentKeyMaterialId"], first["KeyMaterialId"]);
    let sealed = world.done(Encrypt, json!({"KeyId": id, "Plaintext": "YQ=="}))["CiphertextBlob"].clone();
    let never =
        refused(&world, DeleteImportedKeyMaterial, json!({"KeyId": id, "KeyMaterialId": "0".repeat(64)}));
    assert_eq!(never.0, "ValidationException");
    assert!(never.1.as_str().unwrap().contains("has never been imported into KMS key arn:"), "{}", never.1);
    let deleted = world.done(DeleteImportedKeyMaterial, json!({"KeyId": id}));
    assert_eq!(deleted["KeyMaterialId"], first["KeyMaterialId"]);
    let seen = metadata(&world, &id);
    assert_eq!((seen["KeyState"].as_str(), seen.get("ExpirationModel")), (Some("PendingImport"), None));
    let (code, text) = refused(&world, Decrypt, json!({"CiphertextBlob": sealed}));
    assert_eq!(code, "KMSInvalidStateException");
    assert_eq!(text, json!(format!("{} is pending import.", seen["Arn"].as_str().unwrap())));
    let known = first["KeyMaterialId"].as_str().unwrap();
    let arn = seen["Arn"].as_str().unwrap();
    for (material, import_type, text) in [
        (
            [8; 32],
            "EXISTING_KEY_MATERIAL",
            format!("Imported key material does not have the expected identifier ({known})."),
        ),
        (
            [7; 32],
            "NEW_KEY_MATERIAL",
            format!(
                "Key material (id: {known}) being imported as NEW_KEY_MATERIAL is already associated with KMS key {arn}."
            ),
        ),
    ] {
        let request = request(&world, &id, &material, json!({"ImportType": import_type}));
        let expected = ("IncorrectKeyMaterialException".to_owned(), json!(text));
        assert_eq!(refused(&world, ImportKeyMaterial, request), expected);
    }
    assert_eq!(import(&world, &id, &[7; 32], json!({}))["KeyMaterialId"], first["KeyMaterialId"]);
    assert_eq!(world.done(Decrypt, json!({"CiphertextBlob": sealed}))["Plaintext"], "YQ==");
}

#[test]
fn material_ends_with_the_clock_and_its_end_is_recorded() {
    let world = World::default();
    let id = external(&world, json!({}));
    let valid_to = world.now().plus_millis(DAY).millis() / 1000;
    let imported = import(&world, &id, &[7; 32], json!({"ValidTo": valid_to}));
    let material = imported["KeyMaterialId"].clone();
    let seen = metadata(&world, &id);
    assert_eq!(seen["ExpirationModel"], "KEY_MATERIAL_EXPIRES");
    assert_eq!(seen["ValidTo"].as_f64(), Some(valid_to as f64));
    let sealed = world.done(Encrypt, json!({"KeyId": id, "Plaintext": "YQ=="}))["CiphertextBlob"].clone();
    world.pass_millis(DAY - 1);
    assert_eq!(world.run_due(), Ok(0));
    world.done(Decrypt, json!({"CiphertextBlob": sealed}));
    world.pass_millis(1);
    // Before the job comes by, the clock says it.
    let state = |world: &World| metadata(world, &id)["KeyState"].clone();
    assert_eq!(state(&world), "PendingImport");
    assert_eq!(refused(&world, Decrypt, json!({"CiphertextBlob": sealed})).0, "KMSInvalidStateException");
    world.trail.drain();
    assert_eq!(world.run_due(), Ok(1));
    assert_eq!(world.run_due(), Ok(0));
    let events = world.trail.drain();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["eventName"], "DeleteExpiredKeyMaterial");
    assert_eq!(events[0]["eventType"], "AwsServiceEvent");
    assert_eq!(events[0]["serviceEventDetails"], json!({"keyId": id, "keyMaterialId": material}));
    // The end of the material is not undone by a clock that is turned back.
    world.pass_millis(-DAY);
    assert_eq!(state(&world), "PendingImport");
    import(&world, &id, &[7; 32], json!({}));
    world.done(Decrypt, json!({"CiphertextBlob": sealed}));
}

#[test]
fn several_materials_of_one_key_are_rotated_to_and_all_are_needed() {
    let world = World::default();
    let id = external(&world, json!({}));
    let arn = metadata(&world, &id)["Arn"].as_str().unwrap().to_owned();
    let one = import(&world, &id, &[1; 32], json!({"KeyMaterialDescription": "one"}));
    let nothing = refused(&world, RotateKeyOnDemand, json!({"KeyId": id}));
    let text = format!("No available key material pending rotation for the key: {arn}.");
    assert_eq!(nothing, ("KMSInvalidStateException".to_owned(), json!(text)));
    let sealed = world.done(Encrypt, json!({"KeyId": id, "Plaintext": "YQ=="}))["CiphertextBlob"].clone();
    let new = json!({"ImportType": "NEW_KEY_MATERIAL", "KeyMaterialDescription": "two"});
    let two = import(&world, &id, &[2; 32], new.clone());
    let third = request(&world, &id, &[3; 32], new);
    let (code, text) = refused(&world, ImportKeyMaterial, third);
    assert_eq!(code, "KMSInvalidStateException");
    let two_id = two["KeyMaterialId"].as_str().unwrap();
    assert!(text.as_str().unwrap().ends_with(&format!("(id: {two_id}) is pending rotation.")), "{text}");
    assert_eq!(metadata(&world, &id)["CurrentKeyMaterialId"], one["KeyMaterialId"]);
    let list = |world: &World| {
        let listed =
            world.done(ListKeyRotations, json!({"KeyId": id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}));
        let entries = listed["Rotations"].as_array().unwrap().clone();
        let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let names = ["KeyMaterialDescription", "KeyMaterialState", "ImportState"];
        entries.iter().map(|entry| names.map(|name| word(entry, name)).join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(list(&world), ["one CURRENT IMPORTED", "two PENDING_ROTATION IMPORTED"]);
    world.done(RotateKeyOnDemand, json!({"KeyId": id}));
    assert_eq!(metadata(&world, &id)["CurrentKeyMaterialId"], two["KeyMaterialId"]);
    world.done(Decrypt, json!({"CiphertextBlob": sealed}));
    world.done(DeleteImportedKeyMaterial, json!({"KeyId": id, "KeyMaterialId": one["KeyMaterialId"]}));
    let seen = metadata(&world, &id);
    assert_eq!((&seen["KeyState"], seen.get("ExpirationModel")), (&json!("PendingImport"), None));
    assert_eq!(list(&world), ["one NON_CURRENT PENDING_IMPORT", "two CURRENT IMPORTED"]);
    import(&world, &id, &[1; 32], json!({}));
    assert_eq!(world.done(Decrypt, json!({"CiphertextBlob": sealed}))["Plaintext"], "YQ==");
    // An import enables a disabled key.
    world.done(DisableKey, json!({"KeyId": id}));
    import(&world, &id, &[1; 32], json!({}));
    assert_eq!(metadata(&world, &id)["KeyState"], "Enabled");
}

#[test]
fn an_id_names_material_that_the_key_has_and_never_new_material() {
    let world = World::default();
    let id = external(&world, json!({}));
    let told = |material: [u8; 32], more: Value| {
        let (_, answer) = world.call(ImportKeyMaterial, request(&world, &id, &material, more));
        answer["__type"].as_str().unwrap_or_default().to_owned()
    };
    let one = import(&world, &id, &[1; 32], json!({}))["KeyMaterialId"].clone();
    let two =
        import(&world, &id, &[2; 32], json!({"ImportType": "NEW_KEY_MATERIAL"}))["KeyMaterialId"].clone();
    let incorrect = "IncorrectKeyMaterialException";
    for (case, material, more, code) in [
        ("the current one", [1; 32], json!({"KeyMaterialId": one}), ""),
        ("the one that waits", [2; 32], json!({"KeyMaterialId": two}), ""),
        ("another one's id", [1; 32], json!({"KeyMaterialId": two}), incorrect),
        (
            "new and named",
            [3; 32],
            json!({"KeyMaterialId": one, "ImportType": "NEW_KEY_MATERIAL"}),
            "ValidationException",
        ),
        ("known and new", [1; 32], json!({"ImportType": "NEW_KEY_MATERIAL"}), incorrect),
    ] {
        assert_eq!(told(material, more), code, "{case}");
    }
    // The first material has an id that is known, where it was imported before: but not of this key as it is.
    let fresh = external(&world, json!({}));
    let (token, wrapped) = world.wrapped_import(&fresh, &[1; 32]);
    let request = |more: Value| {
        let mut request = json!({
            "KeyId": fresh, "ImportToken": token, "EncryptedKeyMaterial": wrapped,
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let first = request(json!({"KeyMaterialId": one}));
    assert_eq!(refused(&world, ImportKeyMaterial, first).0, incorrect);
    assert_eq!(metadata(&world, &fresh)["KeyState"], "PendingImport");
}

#[test]
fn parameters_of_symmetric_keys_are_refused_for_others() {
    let world = World::default();
    let id = external(&world, json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}));
    for (name, value) in [
        ("ImportType", "NEW_KEY_MATERIAL"),
        ("ImportType", "EXISTING_KEY_MATERIAL"),
        ("KeyMaterialDescription", "words"),
        ("KeyMaterialId", &"0".repeat(64)),
    ] {
        let request = request(&world, &id, &[7; 32], json!({name: value}));
        let (code, text) = refused(&world, ImportKeyMaterial, request);
        assert_eq!(code, "ValidationException", "{name}");
        let shown = format!("{}{}", name[..1].to_lowercase(), &name[1..]);
        assert_eq!(
            text,
            json!(format!("Input parameter {shown} cannot be used with HMAC_256 imported keys."))
        );
    }
    let listed = json!({"KeyId": id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
    let text = json!("Input parameter includeKeyMaterial can only be used with symmetric keys.");
    assert_eq!(refused(&world, ListKeyRotations, listed), ("ValidationException".to_owned(), text));
    let (arn, id_only) = (metadata(&world, &id)["Arn"].clone(), json!({"KeyId": id}));
    for _ in 0..2 {
        assert_eq!(import(&world, &id, &[7; 32], json!({})), json!({"KeyId": arn}));
    }
    assert_eq!(world.done(DeleteImportedKeyMaterial, id_only), json!({"KeyId": arn}));
}

#[test]
fn what_does_not_fit_is_refused_with_its_own_error() {
    let world = World::default();
    let (id, other) = (external(&world, json!({})), external(&world, json!({})));
    let good = request(&world, &id, &[7; 32], json!({}));
    let changed = |name: &str, value: Value| {
        let mut request = good.clone();
        request[name] = value;
        request
    };
    let in_the_past = world.now().millis() / 1000 - 1;
    let mut expires = changed("ValidTo", json!(in_the_past));
    expires.as_object_mut().unwrap().remove("ExpirationModel");
    for (case, request, code) in [
        ("another key", changed("KeyId", json!(other)), "InvalidImportTokenException"),
        ("no token", changed("ImportToken", json!("AAAA")), "InvalidImportTokenException"),
        ("no wrapping", changed("EncryptedKeyMaterial", json!("AAAA")), "InvalidCiphertextException"),
        (
            "another's wrapping",
            changed("EncryptedKeyMaterial", json!("A".repeat(344))),
            "InvalidCiphertextException",
        ),
        ("short", request(&world, &id, &[7; 31], json!({})), "IncorrectKeyMaterialException"),
        ("long", request(&world, &id, &[7; 33], json!({})), "IncorrectKeyMaterialException"),
        ("another id", changed("KeyMaterialId", json!("0".repeat(64))), "IncorrectKeyMaterialException"),
        ("over already", expires, "ValidationException"),
        ("no end", changed("ExpirationModel", json!("KEY_MATERIAL_EXPIRES")), "ValidationException"),
        ("an end too many", changed("ValidTo", json!(in_the_past + 100)), "ValidationException"),
    ] {
        assert_eq!(refused(&world, ImportKeyMaterial, request).0, code, "{case}");
    }
    world.pass_millis(DAY);
    assert_eq!(refused(&world, ImportKeyMaterial, good).0, "ExpiredImportTokenException");
    let own = world.key();
    let arn = metadata(&world, &own)["Arn"].as_str().unwrap().to_owned();
    let text = json!(format!("{arn} origin is AWS_KMS which is not valid for this operation."));
    let asked =
        json!({"KeyId": own, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"});
    for (operation, request) in [
        (GetParametersForImport, asked),
        (DeleteImportedKeyMaterial, json!({"KeyId": own})),
        (
            ImportKeyMaterial,
            json!({"KeyId": own, "ImportToken": "AAAA", "EncryptedKeyMaterial": "AAAA",
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}),
        ),
    ] {
        let expected = ("UnsupportedOperationException".to_owned(), text.clone());
        assert_eq!(refused(&world, operation, request), expected, "{operation}");
    }
}

#[test]
fn a_wrapping_that_does_not_fit_is_not_offered() {
    let world = World::default();
    for (spec, usage, algorithm, wrapping, good) in [
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "RSAES_OAEP_SHA_1", "RSA_2048", true),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "RSAES_PKCS1_V1_5", "RSA_2048", false),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "SM2PKE", "SM2", true),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "SM2PKE", "RSA_2048", false),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "RSAES_OAEP_SHA_256", "SM2", false),
        ("RSA_2048", "SIGN_VERIFY", "RSAES_OAEP_SHA_256", "RSA_4096", false),
        ("RSA_2048", "SIGN_VERIFY", "RSA_AES_KEY_WRAP_SHA_256", "RSA_3072", true),
        ("ECC_NIST_P521", "SIGN_VERIFY", "RSAES_OAEP_SHA_256", "RSA_2048", false),
        ("ECC_NIST_P521", "SIGN_VERIFY", "RSAES_OAEP_SHA_256", "RSA_3072", true),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "RSAES_OAEP_SHA_256", "RSA_2048", true),
        ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", "RSAES_OAEP_SHA_256", "RSA_3072", true),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "RSA_AES_KEY_WRAP_SHA_256", "RSA_2048", false),
    ] {
        let id = external(&world, json!({"KeySpec": spec, "KeyUsage": usage}));
        let request = json!({"KeyId": id, "WrappingAlgorithm": algorithm, "WrappingKeySpec": wrapping});
        let (status, answer) = world.call(GetParametersForImport, request);
        assert_eq!(status == 200, good, "{spec} {algorithm} {wrapping}: {answer}");
        // What no key takes is refused before what this one does not.
        let of_key = format!(
            "Wrapping algorithm {algorithm} and wrapping key spec {wrapping} cannot be used to import a {spec} key."
        );
        if !good && answer["__type"] != "UnsupportedOperationException" {
            assert_eq!(
                (&answer["__type"], &answer["message"]),
                (&json!("ValidationException"), &json!(of_key))
            );
        }
    }
    for (spec, usage) in [("ML_DSA_44", "SIGN_VERIFY"), ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")] {
        let request = json!({"KeySpec": spec, "KeyUsage": usage, "Origin": "EXTERNAL"});
        let text = json!(format!("KeySpec {spec} is not supported for Origin EXTERNAL"));
        assert_eq!(refused(&world, CreateKey, request), ("ValidationException".to_owned(), text));
    }
}

#[test]
fn a_policy_may_ask_for_the_wrapping_and_for_the_end_of_the_material() {
    let world = World::default();
    let end = world.now().millis() / 1000 + 1000;
    for (condition, allowed) in [
        (json!({"StringEquals": {"kms:WrappingAlgorithm": "RSAES_OAEP_SHA_256"}}), true),
        (json!({"StringEquals": {"kms:WrappingAlgorithm": "RSAES_OAEP_SHA_1"}}), false),
        (json!({"StringEquals": {"kms:WrappingKeySpec": "RSA_4096"}}), false),
        (json!({"StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_EXPIRES"}}), true),
        (json!({"StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}}), false),
        (json!({"DateLessThan": {"kms:ValidTo": (end + 1).to_string()}}), true),
        (json!({"DateLessThan": {"kms:ValidTo": end.to_string()}}), false),
    ] {
        let id = external(&world, json!({}));
        let request = request(&world, &id, &[7; 32], json!({"ValidTo": end}));
        let root = json!({"AWS": "arn:aws:iam::111122223333:root"});
        let is_of_parameters = condition.to_string().contains("Wrapping");
        let (operation, asked) = match is_of_parameters {
            true => (
                GetParametersForImport,
                json!({"KeyId": id, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}),
            ),
            false => (ImportKeyMaterial, request),
        };
        let action = format!("kms:{operation}");
        let statements = json!([
            {"Effect": "Allow", "Principal": root, "NotAction": action, "Resource": "*"},
            {"Effect": "Allow", "Principal": root, "Action": action, "Resource": "*", "Condition": condition},
        ]);
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        world.done(PutKeyPolicy, json!({"KeyId": id, "Policy": policy}));
        let (status, answer) = world.call(operation, asked);
        assert_eq!(status == 200, allowed, "{condition}: {answer}");
    }
}

#[test]
fn the_key_of_an_import_token_is_destroyed_when_the_token_is_good_no_longer() {
    let world = World::default();
    let id = external(&world, json!({}));
    let keys = |world: &World| {
        world.paths().into_iter().filter(|path| path.starts_with("import-key/")).collect::<Vec<_>>()
    };
    assert_eq!(keys(&world).len(), 0, "none before it is asked for");
    let first = request(&world, &id, &[7; 32], json!({}));
    let of_first_day = keys(&world);
    assert_eq!(of_first_day.len(), 1);
    // The last moment of the token; another process has to find the key.
    world.pass_millis(DAY - 1);
    assert_eq!(world.run_due(), Ok(0));
    let second = request(&world, &id, &[7; 32], json!({}));
    assert_eq!(keys(&world).len(), 2, "another day, another key");
    for request in [&first, &second] {
        let (status, answer) = world.call_fresh(ImportKeyMaterial, request);
        assert_eq!(status, 200, "{answer}");
    }
    world.pass_days(1);
    assert_eq!(world.run_due(), Ok(0));
    let left = keys(&world);
    assert!(left.len() == 1 && left != of_first_day, "{left:?}");
    assert_eq!(refused(&world, ImportKeyMaterial, first.clone()).0, "ExpiredImportTokenException");
    world.pass_days(1);
    assert_eq!(world.run_due(), Ok(0));
    assert_eq!(keys(&world).len(), 0);
    for request in [first, second] {
        assert_eq!(refused(&world, ImportKeyMaterial, request.clone()).0, "ExpiredImportTokenException");
        // A clock that is turned back brings no key back.
        world.pass_days(0);
        world.pass_millis(-3 * DAY);
        assert_eq!(refused(&world, ImportKeyMaterial, request).0, "InvalidImportTokenException");
        world.pass_days(3);
    }
}

#[test]
fn a_token_is_good_more_than_once_and_for_its_own_key_alone() {
    let world = World::default();
    let (id, other) = (external(&world, json!({})), external(&world, json!({})));
    let good = request(&world, &id, &[7; 32], json!({}));
    let mut elsewhere = good.clone();
    elsewhere["KeyId"] = json!(other);
    let mut damaged = good.clone();
    damaged["EncryptedKeyMaterial"] = json!(STANDARD.encode([7; 256]));
    for _ in 0..2 {
        assert_eq!(refused(&world, ImportKeyMaterial, elsewhere.clone()).0, "InvalidImportTokenException");
        assert_eq!(refused(&world, ImportKeyMaterial, damaged.clone()).0, "InvalidCiphertextException");
        let first = world.done(ImportKeyMaterial, good.clone());
        world.done(DeleteImportedKeyMaterial, json!({"KeyId": id}));
        assert_eq!(world.done(ImportKeyMaterial, good.clone())["KeyMaterialId"], first["KeyMaterialId"]);
    }
}

#[test]
fn no_other_bytes_are_an_import_token() {
    let world = World::default();
    let id = external(&world, json!({}));
    let good = request(&world, &id, &[7; 32], json!({}));
    let token = STANDARD.decode(good["ImportToken"].as_str().unwrap()).unwrap();
    let code = |token: &[u8]| {
        let mut request = good.clone();
        request["ImportToken"] = json!(STANDARD.encode(token));
        refused(&world, ImportKeyMaterial, request).0
    };
    for at in 4..token.len() {
        let mut bent = token.clone();
        bent[at] ^= 1;
        assert_eq!(code(&bent), "InvalidImportTokenException", "byte {at}");
        assert_eq!(code(&token[..at]), "InvalidImportTokenException", "{at} bytes");
    }
    let mut longer = token.clone();
    longer.push(0);
    assert_eq!(code(&longer), "InvalidImportTokenException");
    assert_eq!(code(&[]), "ValidationException");
    assert_eq!(code(&token[..3]), "InvalidImportTokenException");
    let days = |offset: i64| {
        let day = u32::from_be_bytes(token[..4].try_into().unwrap());
        let day = u32::try_from(i64::from(day) + offset).unwrap();
        [day.to_be_bytes().as_slice(), &token[4..]].concat()
    };
    assert_eq!(code(&days(-1)), "InvalidImportTokenException", "a day without a key");
    assert_eq!(code(&days(-2)), "ExpiredImportTokenException", "its key would be gone");
    assert_eq!(code(&days(1)), "InvalidImportTokenException", "a day that has not come");
    let other = external(&world, json!({}));
    let mut request = good.clone();
    request["KeyId"] = json!(other);
    assert_eq!(
        refused(&world, ImportKeyMaterial, request).0,
        "InvalidImportTokenException",
        "of another key"
    );
}
