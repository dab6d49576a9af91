//! Multi-Region keys: what related keys share, what each has of its own, and how they come and go.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use keyreeve_domain::spec::{KeySpec, KeyUsage};
use keyreeve_testkit::World;
use keyreeve_wire::Operation::{self, *};
use serde_json::{Value, json};

mod changes;
mod permissions;
mod waiting_material;

const HOME: &str = "us-east-1";
const AWAY: &str = "eu-west-1";
const THIRD: &str = "ap-southeast-2";

/// Calls in a Region.
fn at<T>(world: &mut World, region: &str, call: impl FnOnce(&World) -> T) -> T {
    world.region = region.parse().unwrap();
    let answer = call(world);
    world.region = HOME.parse().unwrap();
    answer
}

fn describe(world: &mut World, region: &str, id: &str) -> Value {
    at(world, region, |world| world.done(DescribeKey, json!({"KeyId": id}))["KeyMetadata"].clone())
}

fn refused(world: &World, operation: Operation, request: Value) -> (String, String) {
    let (status, answer) = world.call(operation, request);
    assert_eq!(status, 400, "{operation}: {answer}");
    let text = |member: &str| answer[member].as_str().unwrap_or_default().to_owned();
    (text("__type"), text("message"))
}

fn arn(region: &str, id: &str) -> String {
    format!("arn:aws:kms:{region}:111122223333:key/{id}")
}

fn related(region: &str, id: &str) -> Value {
    json!({"Arn": arn(region, id), "Region": region})
}

fn replicated(world: &World) -> String {
    let id = world.multi_region_key();
    world.done(ReplicateKey, json!({"KeyId": id, "ReplicaRegion": AWAY}));
    id
}

#[test]
fn related_keys_know_each_other_and_have_an_id_and_material_in_common() {
    let mut world = World::default();
    let id = world.multi_region_key();
    assert!(id.starts_with("mrk-") && id.len() == 36, "{id}");
    let alone = describe(&mut world, HOME, &id);
    assert_eq!(alone["MultiRegion"], true);
    let expected =
        json!({"MultiRegionKeyType": "PRIMARY", "PrimaryKey": related(HOME, &id), "ReplicaKeys": []});
    assert_eq!(alone["MultiRegionConfiguration"], expected);
    let tags = json!([{"TagKey": "k", "TagValue": "v"}]);
    let request = json!({"KeyId": id, "ReplicaRegion": AWAY, "Description": "the other", "Tags": tags});
    let made = world.done(ReplicateKey, request);
    let metadata = &made["ReplicaKeyMetadata"];
    assert_eq!((&metadata["KeyState"], &metadata["Enabled"]), (&json!("Creating"), &json!(false)));
    assert_eq!((&metadata["Arn"], &metadata["KeyId"]), (&json!(arn(AWAY, &id)), &json!(id)));
    assert_eq!(metadata["Description"], "the other");
    assert_eq!(made["ReplicaTags"], tags);
    assert!(made["ReplicaPolicy"].as_str().unwrap().contains("key-default-1"));
    world.done(ReplicateKey, json!({"KeyId": id, "ReplicaRegion": THIRD}));
    for (region, key_type) in [(HOME, "PRIMARY"), (AWAY, "REPLICA"), (THIRD, "REPLICA")] {
        let seen = describe(&mut world, region, &id);
        assert_eq!((&seen["KeyState"], &seen["Arn"]), (&json!("Enabled"), &json!(arn(region, &id))));
        let expected = json!({
            "MultiRegionKeyType": key_type, "PrimaryKey": related(HOME, &id),
            "ReplicaKeys": [related(AWAY, &id), related(THIRD, &id)],
        });
        assert_eq!(seen["MultiRegionConfiguration"], expected, "{region}");
        assert_eq!(seen["CurrentKeyMaterialId"], alone["CurrentKeyMaterialId"], "{region}");
    }
    assert_eq!(describe(&mut world, THIRD, &id)["Description"], "");
    let listed = at(&mut world, AWAY, |world| world.done(ListResourceTags, json!({"KeyId": id})));
    assert_eq!(listed["Tags"], tags);
}

#[test]
fn a_ciphertext_of_one_region_decrypts_in_the_others_and_nowhere_else() {
    let mut world = World::default();
    let id = replicated(&world);
    let single = world.key();
    let seal = |world: &World, key: &str| {
        world.done(Encrypt, json!({"KeyId": key, "Plaintext": "YQ=="}))["CiphertextBlob"].clone()
    };
    let (home, of_single) = (seal(&world, &id), seal(&world, &single));
    let away = at(&mut world, AWAY, |world| seal(world, &id));
    for (region, sealed) in [(AWAY, &home), (HOME, &away), (AWAY, &away)] {
        for key in [None, Some(&id)] {
            let mut request = json!({"CiphertextBlob": sealed});
            if let Some(key) = key {
                request["KeyId"] = json!(key);
            }
            let opened = at(&mut world, region, |world| world.done(Decrypt, request));
            assert_eq!((&opened["Plaintext"], &opened["KeyId"]), (&json!("YQ=="), &json!(arn(region, &id))));
        }
    }
    assert_ne!(at(&mut world, THIRD, |world| world.call(Decrypt, json!({"CiphertextBlob": home})).0), 200);
    assert_ne!(
        at(&mut world, AWAY, |world| world.call(Decrypt, json!({"CiphertextBlob": of_single})).0),
        200
    );
}

#[test]
fn keys_of_every_spec_are_replicated_with_their_material() {
    for spec in KeySpec::ALL.iter().copied() {
        let mut world = World::default();
        let usage = [
            KeyUsage::EncryptDecrypt,
            KeyUsage::SignVerify,
            KeyUsage::GenerateVerifyMac,
            KeyUsage::EncapsulateDecapsulate,
        ]
        .into_iter()
        .find(|usage| spec.allows(*usage))
        .unwrap();
        let request = json!({"KeySpec": spec.as_str(), "KeyUsage": usage.as_str(), "MultiRegion": true});
        let made = world.done(CreateKey, request);
        let id = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
        world.done(ReplicateKey, json!({"KeyId": id, "ReplicaRegion": AWAY}));
        if spec == KeySpec::SymmetricDefault {
            continue;
        }
        let (operation, request) = if usage == KeyUsage::GenerateVerifyMac {
            let algorithm = made["KeyMetadata"]["MacAlgorithms"][0].clone();
            (GenerateMac, json!({"KeyId": id, "Message": "YQ==", "MacAlgorithm": algorithm}))
        } else {
            (GetPublicKey, json!({"KeyId": id}))
        };
        let mut answers =
            [HOME, AWAY].map(|region| at(&mut world, region, |world| world.done(operation, request.clone())));
        answers.iter_mut().for_each(|answer| drop(answer.as_object_mut().unwrap().remove("KeyId")));
        assert_eq!(answers[0], answers[1], "{spec}");
    }
}

#[test]
fn rotation_is_the_primary_keys_and_all_have_it() {
    let mut world = World::default();
    let id = replicated(&world);
    world.done(EnableKeyRotation, json!({"KeyId": id, "RotationPeriodInDays": 100}));
    let status = |world: &mut World, region| {
        let mut status = at(world, region, |world| world.done(GetKeyRotationStatus, json!({"KeyId": id})));
        status.as_object_mut().unwrap().remove("KeyId");
        status
    };
    assert_eq!(status(&mut world, AWAY), status(&mut world, HOME));
    assert_eq!(status(&mut world, AWAY)["RotationPeriodInDays"], 100);
    for operation in
        [EnableKeyRotation, DisableKeyRotation, RotateKeyOnDemand, ReplicateKey, UpdatePrimaryRegion]
    {
        let request = json!({"KeyId": id, "ReplicaRegion": THIRD, "PrimaryRegion": HOME});
        let mut request = request;
        for other in ["ReplicaRegion", "PrimaryRegion"] {
            let is_of = other == "ReplicaRegion" && operation == ReplicateKey
                || other == "PrimaryRegion" && operation == UpdatePrimaryRegion;
            if !is_of {
                request.as_object_mut().unwrap().remove(other);
            }
        }
        let (code, text) = at(&mut world, AWAY, |world| refused(world, operation, request));
        let (expected, about) = if operation == UpdatePrimaryRegion {
            ("KMSInvalidStateException", "is not a multi-Region primary key.".to_owned())
        } else if operation == ReplicateKey {
            ("UnsupportedOperationException", "is not a multi-region primary key.".to_owned())
        } else {
            let about = format!("is a multi-region replica key which is not valid for {operation}.");
            ("UnsupportedOperationException", about)
        };
        assert_eq!((code.as_str(), text), (expected, format!("{} {about}", arn(AWAY, &id))), "{operation}");
    }
    // By the ARN that it has elsewhere, a related key opens nothing here.
    let sealed = world.done(Encrypt, json!({"KeyId": id, "Plaintext": "YQ=="}))["CiphertextBlob"].clone();
    let elsewhere = json!({"KeyId": arn(HOME, &id), "CiphertextBlob": sealed});
    let text = "The key ID in the request does not identify a CMK that can perform this operation.";
    let expected = ("IncorrectKeyException".to_owned(), text.to_owned());
    assert_eq!(at(&mut world, AWAY, |world| refused(world, Decrypt, elsewhere)), expected);
    world.done(RotateKeyOnDemand, json!({"KeyId": id}));
    world.pass_days(100);
    assert_eq!(world.run_due(), Ok(1), "the replica key is not rotated by itself");
    let rotations = |world: &mut World, region| {
        at(world, region, |world| world.done(ListKeyRotations, json!({"KeyId": id}))["Rotations"].clone())
    };
    assert_eq!(rotations(&mut world, HOME).as_array().unwrap().len(), 2);
    let of_home = rotations(&mut world, HOME).to_string().replace(&arn(HOME, &id), &arn(AWAY, &id));
    assert_eq!(rotations(&mut world, AWAY).to_string(), of_home);
    let sealed = world.done(Encrypt, json!({"KeyId": id, "Plaintext": "YQ=="}))["CiphertextBlob"].clone();
    let opened = at(&mut world, AWAY, |world| world.done(Decrypt, json!({"CiphertextBlob": sealed})));
    assert_eq!(opened["Plaintext"], "YQ==");
    world.assert_coherent("rotated");
}

#[test]
fn the_primary_key_waits_for_the_last_replica_key_before_its_own_period_begins() {
    let mut world = World::default();
    let id = replicated(&world);
    world.done(EnableKeyRotation, json!({"KeyId": id, "RotationPeriodInDays": 400}));
    let scheduled = world.done(ScheduleKeyDeletion, json!({"KeyId": id, "PendingWindowInDays": 8}));
    let expected =
        json!({"KeyId": arn(HOME, &id), "KeyState": "PendingReplicaDeletion", "PendingWindowInDays": 8});
    assert_eq!(scheduled, expected);
    let seen = describe(&mut world, HOME, &id);
    assert_eq!(
        (&seen["KeyState"], &seen["PendingDeletionWindowInDays"]),
        (&json!("PendingReplicaDeletion"), &json!(8))
    );
    assert_eq!(seen.get("DeletionDate"), None);
    let rotation = world.done(GetKeyRotationStatus, json!({"KeyId": id}));
    assert_eq!(rotation["RotationPeriodInDays"], 400, "it is still said: {rotation}");
    let (code, text) = refused(&world, Encrypt, json!({"KeyId": id, "Plaintext": "YQ=="}));
    assert_eq!(code, "KMSInvalidStateException");
    assert_eq!(text, format!("{} is pending replica deletion.", arn(HOME, &id)));
    world.pass_days(100);
    assert_eq!(world.run_due(), Ok(0), "it waits for as long as it takes");
    at(&mut world, AWAY, |world| {
        world.done(ScheduleKeyDeletion, json!({"KeyId": id, "PendingWindowInDays": 7}))
    });
    world.pass_days(7);
    assert_eq!(world.run_due(), Ok(1));
    assert_eq!(
        at(&mut world, AWAY, |world| world.call(DescribeKey, json!({"KeyId": id})).1["__type"].clone()),
        "NotFoundException"
    );
    let seen = describe(&mut world, HOME, &id);
    assert_eq!(
        (&seen["KeyState"], &seen["MultiRegionConfiguration"]["ReplicaKeys"]),
        (&json!("PendingDeletion"), &json!([]))
    );
    assert_eq!(seen["DeletionDate"].as_f64().unwrap(), (world.now().millis() / 1000 + 8 * 86_400) as f64);
    world.pass_days(8);
    assert_eq!(world.run_due(), Ok(1));
    assert_eq!(world.call(DescribeKey, json!({"KeyId": id})).0, 400);
    world.assert_coherent("all are gone");
}

#[test]
fn a_primary_key_that_waits_comes_back_and_a_replica_key_is_made_again_after_its_end() {
    let mut world = World::default();
    let id = replicated(&world);
    world.done(ScheduleKeyDeletion, json!({"KeyId": id, "PendingWindowInDays": 7}));
    world.done(CancelKeyDeletion, json!({"KeyId": id}));
    assert_eq!(describe(&mut world, HOME, &id)["KeyState"], "Disabled");
    world.done(EnableKey, json!({"KeyId": id}));
    assert_eq!(
        refused(&world, ReplicateKey, json!({"KeyId": id, "ReplicaRegion": AWAY})).0,
        "AlreadyExistsException"
    );
    at(&mut world, AWAY, |world| {
        world.done(ScheduleKeyDeletion, json!({"KeyId": id, "PendingWindowInDays": 7}))
    });
    world.pass_days(7);
    assert_eq!(world.run_due(), Ok(1));
    world.done(ReplicateKey, json!({"KeyId": id, "ReplicaRegion": AWAY}));
    assert_eq!(describe(&mut world, AWAY, &id)["KeyState"], "Enabled");
    world.assert_coherent("made again");
}

#[test]
fn the_primary_region_moves_and_the_keys_change_places() {
    let mut world = World::default();
    let id = replicated(&world);
    world.done(ReplicateKey, json!({"KeyId": id, "ReplicaRegion": THIRD}));
    world.done(EnableKeyRotation, json!({"KeyId": id}));
    world.trail.drain();
    world.done(UpdatePrimaryRegion, json!({"KeyId": id, "PrimaryRegion": AWAY}));
    let events: Vec<_> =
        world.trail.drain().into_iter().filter(|event| event.get("additionalEventData").is_none()).collect();
    let (told, events): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|event| event["eventName"] == "SynchronizeMultiRegionKey");
    assert_eq!(told.len(), 1);
    let regions: Vec<_> = events.iter().map(|event| event["awsRegion"].clone()).collect();
    assert_eq!(regions, [AWAY, HOME]);
    assert!(events.iter().all(|event| event["eventName"] == "UpdatePrimaryRegion"));
    let parameters = json!({"keyId": arn(AWAY, &id), "primaryRegion": AWAY});
    assert_eq!(events[0]["requestParameters"], parameters);
    for (region, key_type) in [(HOME, "REPLICA"), (AWAY, "PRIMARY"), (THIRD, "REPLICA")] {
        let seen = describe(&mut world, region, &id);
        assert_eq!(seen["KeyState"], "Enabled", "{region}");
        let expected = json!({
            "MultiRegionKeyType": key_type, "PrimaryKey": related(AWAY, &id),
            "ReplicaKeys": [related(HOME, &id), related(THIRD, &id)],
        });
        assert_eq!(seen["MultiRegionConfiguration"], expected, "{region}");
    }
    world.assert_coherent("moved");
    assert_eq!(refused(&world, RotateKeyOnDemand, json!({"KeyId": id})).0, "UnsupportedOperationException");
    at(&mut world, AWAY, |world| world.done(RotateKeyOnDemand, json!({"KeyId": id})));
    world.pass_days(365);
    assert_eq!(world.run_due(), Ok(1));
    let rotations = at(&mut world, THIRD, |world| world.done(ListKeyRotations, json!({"KeyId": id})));
    assert_eq!(rotations["Rotations"].as_array().unwrap().len(), 2);
    let invalid_state = "KMSInvalidStateException";
    for (case, from, to, expected) in [
        ("from a replica key", THIRD, HOME, Some(invalid_state)),
        ("from the primary key", AWAY, THIRD, None),
        ("it is a replica key by now", AWAY, "sa-east-1", Some(invalid_state)),
        ("no replica key there", THIRD, "sa-east-1", Some("ValidationException")),
    ] {
        let request = json!({"KeyId": id, "PrimaryRegion": to});
        let (_, answer) = at(&mut world, from, |world| world.call(UpdatePrimaryRegion, request));
        assert_eq!(answer["__type"].as_str(), expected, "{case}: {answer}");
    }
}

#[test]
fn a_key_that_is_no_primary_key_and_a_region_that_is_none_are_refused() {
    let world = World::default();
    let (single, id) = (world.key(), world.multi_region_key());
    let none = format!("{id} does not have a replica key in the specified Region.");
    let single_text = format!("{} is not a multi-region primary key.", arn(HOME, &single));
    let partition = "The replica key Region must be in the same AWS partition as the primary key Region.";
    let own = format!("{HOME} cannot have a replica because it contains the primary.");
    let (invalid, unsupported) = ("ValidationException", "UnsupportedOperationException");
    for (operation, key, region, code, text) in [
        (ReplicateKey, &single, AWAY, unsupported, single_text.as_str()),
        (ReplicateKey, &id, HOME, invalid, &own),
        (ReplicateKey, &id, "cn-north-1", invalid, partition),
        (ReplicateKey, &id, "us-gov-west-1", invalid, partition),
        (UpdatePrimaryRegion, &single, AWAY, unsupported, &single_text),
        (UpdatePrimaryRegion, &id, AWAY, invalid, &none),
        (UpdatePrimaryRegion, &id, "cn-north-1", invalid, &none),
    ] {
        let member = if operation == ReplicateKey { "ReplicaRegion" } else { "PrimaryRegion" };
        let before = world.dump();
        let told = refused(&world, operation, json!({"KeyId": key, member: region}));
        assert_eq!(told, (code.to_owned(), text.to_owned()), "{operation} {region}");
        assert!(world.dump() == before);
    }
    // To where it is, the primary key is brought without more ado.
    let before = world.dump();
    world.done(UpdatePrimaryRegion, json!({"KeyId": id, "PrimaryRegion": HOME}));
    assert!(world.dump() == before);
}

#[test]
fn imported_material_comes_into_each_key_and_must_be_the_same() {
    let mut world = World::default();
    let made = world.done(CreateKey, json!({"Origin": "EXTERNAL", "MultiRegion": true}));
    let id = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    let import = |world: &World, material: [u8; 32], more: Value| {
        let (token, wrapped) = world.wrapped_import(&id, &material);
        let mut request = json!({
            "KeyId": id, "ImportToken": token, "EncryptedKeyMaterial": wrapped,
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.call(ImportKeyMaterial, request)
    };
    let waiting = refused(&world, ReplicateKey, json!({"KeyId": id, "ReplicaRegion": AWAY}));
    assert_eq!(waiting.0, "KMSInvalidStateException");
    assert_eq!(import(&world, [1; 32], json!({"KeyMaterialDescription": "words"})).0, 200);
    let replica = world.done(ReplicateKey, json!({"KeyId": id, "ReplicaRegion": AWAY}));
    let told = &replica["ReplicaKeyMetadata"]["ExpirationModel"];
    assert_eq!(told, "KEY_MATERIAL_DOES_NOT_EXPIRE", "while it is created");
    assert_eq!(describe(&mut world, AWAY, &id)["KeyState"], "PendingImport");
    for (material, more, code, text) in [
        (
            [2; 32],
            json!({}),
            "IncorrectKeyMaterialException",
            "Imported key material does not have the expected",
        ),
        (
            [2; 32],
            json!({"ImportType": "NEW_KEY_MATERIAL"}),
            "ValidationException",
            "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys",
        ),
        (
            [1; 32],
            json!({"KeyMaterialDescription": "other words"}),
            "ValidationException",
            "Key material description can only be specified on primary Multi-Region keys",
        ),
    ] {
        let wrong = at(&mut world, AWAY, |world| import(world, material, more)).1;
        assert!(wrong["__type"] == code && wrong["message"].as_str().unwrap().starts_with(text), "{wrong}");
    }
    let listed = json!({"KeyId": id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
    let described = at(&mut world, AWAY, |world| world.done(ListKeyRotations, listed));
    assert_eq!(described["Rotations"][0]["KeyMaterialDescription"], "words", "those of the primary key");
    let right = at(&mut world, AWAY, |world| import(world, [1; 32], json!({})));
    assert_eq!(right.0, 200, "{}", right.1);
    assert_eq!(describe(&mut world, AWAY, &id)["KeyState"], "Enabled");
    let sealed = world.done(Encrypt, json!({"KeyId": id, "Plaintext": "YQ=="}))["CiphertextBlob"].clone();
    let opened = at(&mut world, AWAY, |world| world.done(Decrypt, json!({"CiphertextBlob": sealed})));
    assert_eq!(opened["Plaintext"], "YQ==");
    // The next material: it waits until every key has it.
    assert_eq!(import(&world, [3; 32], json!({"ImportType": "NEW_KEY_MATERIAL"})).0, 200);
    let states = |world: &World| {
        let listed =
            world.done(ListKeyRotations, json!({"KeyId": id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}));
        let states =
            listed["Rotations"].as_array().unwrap().iter().map(|one| one["KeyMaterialState"].clone());
        states.collect::<Vec<_>>()
    };
    assert_eq!(states(&world), ["CURRENT", "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"]);
    let text = "Cannot perform key material rotation: Key material has not been imported for replicas of the \
                Multi-Region key.";
    let expected = ("KMSInvalidStateException".to_owned(), text.to_owned());
    assert_eq!(refused(&world, RotateKeyOnDemand, json!({"KeyId": id})), expected);
    let new = at(&mut world, AWAY, |world| import(world, [3; 32], json!({"ImportType": "NEW_KEY_MATERIAL"})));
    assert_eq!(new.1["__type"], "ValidationException", "the primary key has it: {}", new.1);
    let existing = json!({"ImportType": "EXISTING_KEY_MATERIAL"});
    let same = at(&mut world, AWAY, |world| import(world, [3; 32], existing));
    assert_eq!(same.0, 200, "{}", same.1);
    assert_eq!(states(&world), ["CURRENT", "PENDING_ROTATION"]);
    world.done(RotateKeyOnDemand, json!({"KeyId": id}));
    for region in [HOME, AWAY] {
        let states = at(&mut world, region, |world| states(world));
        assert_eq!(states, ["NON_CURRENT", "CURRENT"], "{region}");
    }
    let sealed = at(&mut world, AWAY, |world| world.done(Encrypt, json!({"KeyId": id, "Plaintext": "YQ=="})));
    world.done(Decrypt, json!({"CiphertextBlob": sealed["CiphertextBlob"]}));
    world.assert_coherent("imported");
}

#[test]
fn aliases_policies_grants_and_state_are_of_each_region() {
    let mut world = World::default();
    let id = replicated(&world);
    world.done(CreateAlias, json!({"AliasName": "alias/one", "TargetKeyId": id}));
    world.done(DisableKey, json!({"KeyId": id}));
    world.done(TagResource, json!({"KeyId": id, "Tags": [{"TagKey": "a", "TagValue": "b"}]}));
    world.done(UpdateKeyDescription, json!({"KeyId": id, "Description": "here"}));
    let seen = describe(&mut world, AWAY, &id);
    assert_eq!((&seen["KeyState"], &seen["Description"]), (&json!("Enabled"), &json!("")));
    at(&mut world, AWAY, |world| {
        assert_eq!(world.done(ListAliases, json!({"KeyId": id}))["Aliases"], json!([]));
        assert_eq!(world.done(ListResourceTags, json!({"KeyId": id}))["Tags"], json!([]));
        world.done(CreateAlias, json!({"AliasName": "alias/one", "TargetKeyId": id}));
        world.done(Encrypt, json!({"KeyId": "alias/one", "Plaintext": "YQ=="}));
    });
    assert_eq!(
        refused(&world, Encrypt, json!({"KeyId": "alias/one", "Plaintext": "YQ=="})).0,
        "DisabledException"
    );
}
