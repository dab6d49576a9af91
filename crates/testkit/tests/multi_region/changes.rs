//! Changes that are cut off, refused by the store, or of many keys at once; and what the trail says of them.

use keyreeve_core::quota::Quotas;
use keyreeve_store::Refusal;
use keyreeve_store::faults::CommitFault;
use keyreeve_testkit::World;
use keyreeve_wire::Operation::*;
use serde_json::{Value, json};

use super::waiting_material::{import, imported};
use super::{AWAY, HOME, THIRD, arn, at, describe, refused, replicated};

/// Cut off between the two commits of a change of the primary Region: both keys are updating.
fn cut_off(world: &mut World) -> String {
    let id = replicated(world);
    world.done(EnableKeyRotation, json!({"KeyId": id}));
    world.store.fail_commit(1, CommitFault::Refuse(Refusal::ReadOnly));
    world.done(UpdatePrimaryRegion, json!({"KeyId": id, "PrimaryRegion": AWAY}));
    for region in [HOME, AWAY] {
        assert_eq!(describe(world, region, &id)["KeyState"], "Updating", "{region}");
    }
    id
}

#[test]
fn keys_that_change_places_are_used_and_not_managed() {
    let updating = ("KMSInvalidStateException", "is updating.");
    for (operation, request, expected) in [
        (Encrypt, json!({"Plaintext": "YQ=="}), None),
        (GenerateDataKey, json!({"KeySpec": "AES_256"}), None),
        (
            CreateGrant,
            json!({"GranteePrincipal": "arn:aws:iam::111122223333:root", "Operations": ["Encrypt"]}),
            None,
        ),
        (TagResource, json!({"Tags": [{"TagKey": "a", "TagValue": "b"}]}), None),
        (UpdateKeyDescription, json!({"Description": "d"}), None),
        (GetKeyRotationStatus, json!({}), None),
        (EnableKey, json!({}), Some(updating)),
        (DisableKey, json!({}), Some(updating)),
        (ScheduleKeyDeletion, json!({}), Some(updating)),
        (RotateKeyOnDemand, json!({}), Some(updating)),
        (ReplicateKey, json!({"ReplicaRegion": THIRD}), Some(updating)),
        (DisableKeyRotation, json!({}), Some(("UnsupportedOperationException", "is updating."))),
        (EnableKeyRotation, json!({}), Some(("UnsupportedOperationException", "is updating."))),
        (CancelKeyDeletion, json!({}), Some(("KMSInvalidStateException", "is not pending deletion."))),
    ] {
        let mut world = World::default();
        let id = cut_off(&mut world);
        let mut request = request;
        request["KeyId"] = json!(arn(HOME, &id));
        let (status, answer) = world.call(operation, request);
        match expected {
            None => assert_eq!(status, 200, "{operation}: {answer}"),
            Some((code, text)) => {
                let text = format!("{} {text}", arn(HOME, &id));
                assert_eq!(answer, json!({"__type": code, "message": text}), "{operation}");
            }
        }
    }
}

#[test]
fn a_change_of_the_primary_region_that_was_cut_off_is_brought_to_its_end() {
    let mut world = World::default();
    let id = cut_off(&mut world);
    // A rotation that is overdue waits for whoever is the primary key then.
    world.pass_days(400);
    assert_eq!(world.run_due(), Ok(1));
    for (region, key_type) in [(HOME, "REPLICA"), (AWAY, "PRIMARY")] {
        let seen = describe(&mut world, region, &id);
        assert_eq!(seen["KeyState"], "Enabled", "{region}");
        assert_eq!(seen["MultiRegionConfiguration"]["MultiRegionKeyType"], key_type, "{region}");
    }
    world.assert_coherent("brought to its end");
    assert_eq!(world.run_due(), Ok(1), "the rotation");
    let listed = world.done(ListKeyRotations, json!({"KeyId": id}));
    assert_eq!(listed["Rotations"].as_array().unwrap().len(), 1);
}

#[test]
fn a_replica_key_that_cannot_take_over_leaves_the_primary_key_what_it_was() {
    let mut world = World::default();
    let id = imported(&mut world);
    // The material of the replica key expires before it is asked.
    let soon = world.now().plus_days(1).millis() / 1000;
    let validity = json!({"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": soon});
    at(&mut world, AWAY, |world| import(world, &id, [1; 32], validity));
    world.store.fail_commit(1, CommitFault::Refuse(Refusal::ReadOnly));
    world.done(UpdatePrimaryRegion, json!({"KeyId": id, "PrimaryRegion": AWAY}));
    world.pass_days(2);
    world.run_due().unwrap();
    world.run_due().unwrap();
    let seen = describe(&mut world, HOME, &id);
    assert_eq!(seen["KeyState"], "Enabled");
    assert_eq!(seen["MultiRegionConfiguration"]["MultiRegionKeyType"], "PRIMARY");
    let seen = describe(&mut world, AWAY, &id);
    assert_eq!(seen["KeyState"], "PendingImport");
    assert_eq!(seen["MultiRegionConfiguration"]["MultiRegionKeyType"], "REPLICA");
    world.assert_coherent("refused");
}

#[test]
fn a_store_that_fails_at_any_commit_leaves_nothing_half_done() {
    let prepare = |world: &World| {
        let id = world.multi_region_key();
        world.done(ReplicateKey, json!({"KeyId": id, "ReplicaRegion": AWAY}));
        id
    };
    for fault in [
        CommitFault::Conflict,
        CommitFault::Refuse(Refusal::Full),
        CommitFault::UnknownBefore,
        CommitFault::UnknownAfter,
    ] {
        for (operation, more) in [
            (ReplicateKey, json!({"ReplicaRegion": THIRD})),
            (UpdatePrimaryRegion, json!({"PrimaryRegion": AWAY})),
            (EnableKeyRotation, json!({})),
            (RotateKeyOnDemand, json!({})),
            (ScheduleKeyDeletion, json!({})),
        ] {
            for skip in 0..2 {
                let case = format!("{operation}, {fault:?} at commit {skip}");
                let mut world = World::default();
                let id = prepare(&world);
                let mut request = more.clone();
                request["KeyId"] = json!(id);
                world.store.fail_commit(skip, fault);
                world.call(operation, request);
                world.assert_coherent(&case);
                // A fault that was not met yet is met here.
                drop(world.run_due());
                world.run_due().unwrap();
                world.assert_coherent(&case);
                let relatives = |world: &mut World, region| {
                    let seen = describe(world, region, &id);
                    let mut about = seen["MultiRegionConfiguration"].clone();
                    about.as_object_mut().unwrap().remove("MultiRegionKeyType");
                    let status =
                        at(world, region, |world| world.done(GetKeyRotationStatus, json!({"KeyId": id})));
                    (about, seen["CurrentKeyMaterialId"].clone(), status["KeyRotationEnabled"].clone())
                };
                let is_leaving = describe(&mut world, HOME, &id)["KeyState"] == "PendingReplicaDeletion";
                if !is_leaving {
                    assert_eq!(relatives(&mut world, HOME), relatives(&mut world, AWAY), "{case}");
                }
            }
        }
    }
}

#[test]
fn the_events_are_in_the_regions_that_they_are_about() {
    let mut world = World::default();
    let id = world.multi_region_key();
    let told = |event: &Value| event["eventName"] == "SynchronizeMultiRegionKey";
    let completed = |world: &World| {
        let events = world.trail.drain().into_iter();
        let events = events.filter(|event| event["additionalEventData"].get("recordPhase").is_none());
        events
            .map(|event| (event["eventName"].clone(), event["awsRegion"].clone(), event))
            .collect::<Vec<_>>()
    };
    world.trail.drain();
    world.done(ReplicateKey, json!({"KeyId": id, "ReplicaRegion": AWAY}));
    let events = completed(&world);
    let names: Vec<_> = events.iter().map(|(name, region, _)| (name.clone(), region.clone())).collect();
    let expected = [("SynchronizeMultiRegionKey", HOME), ("CreateKey", AWAY), ("ReplicateKey", HOME)];
    assert_eq!(names, expected.map(|(name, region)| (json!(name), json!(region))));
    let (_, _, event) = events.iter().find(|(_, _, event)| told(event)).unwrap();
    for (member, expected) in [
        ("/eventType", json!("AwsApiCall")),
        ("/userIdentity", json!({"accountId": "111122223333", "invokedBy": "AWS Internal"})),
        ("/sourceIPAddress", json!("AWS Internal")),
        ("/requestParameters", Value::Null),
        ("/responseElements/keyId", json!(arn(HOME, &id))),
        ("/resources/0/ARN", json!(arn(HOME, &id))),
    ] {
        assert_eq!(event.pointer(member), Some(&expected), "{member}");
    }
    let made = &events[1].2;
    assert_eq!(made["resources"][0]["ARN"], arn(AWAY, &id));
    let about = &events[2].2["responseElements"]["replicaKeyMetadata"]["multiRegionConfiguration"];
    let relative = |region: &str| json!({"arn": arn(region, &id), "region": region});
    let expected = json!({"multiRegionKeyType": "REPLICA", "primaryKey": relative(HOME), "replicaKeys": [relative(AWAY)]});
    assert_eq!(*about, expected);
    for (operation, request, count) in [
        (RotateKeyOnDemand, json!({"KeyId": id}), 1),
        (EnableKeyRotation, json!({"KeyId": id}), 1),
        (EnableKeyRotation, json!({"KeyId": id}), 0),
        (UpdateKeyDescription, json!({"KeyId": id, "Description": "x"}), 0),
        (DisableKey, json!({"KeyId": id}), 0),
    ] {
        world.done(operation, request);
        let found = completed(&world).iter().filter(|(_, _, event)| told(event)).count();
        assert_eq!(found, count, "{operation}");
    }
    world.done(EnableKey, json!({"KeyId": id}));
    world.trail.drain();
    world.pass_days(365);
    assert_eq!(world.run_due(), Ok(1));
    let names: Vec<_> = completed(&world).into_iter().map(|(name, region, _)| (name, region)).collect();
    let expected = [("RotateKey", HOME), ("SynchronizeMultiRegionKey", HOME)];
    assert_eq!(names, expected.map(|(name, region)| (json!(name), json!(region))));
    at(&mut world, AWAY, |world| {
        world.done(ScheduleKeyDeletion, json!({"KeyId": id, "PendingWindowInDays": 7}))
    });
    world.trail.drain();
    world.pass_days(7);
    assert_eq!(world.run_due(), Ok(1));
    let (name, region, _) = completed(&world).remove(0);
    assert_eq!((name, region), (json!("DeleteKey"), json!(AWAY)));
}

#[test]
fn replica_keys_count_against_the_quota_of_their_region() {
    let mut world = World::with_quotas(Quotas { keys: 1, ..Quotas::DEFAULT });
    let id = replicated(&world);
    let (code, _) = at(&mut world, AWAY, |world| refused(world, CreateKey, json!({})));
    assert_eq!(code, "LimitExceededException");
    at(&mut world, THIRD, |world| world.done(CreateKey, json!({})));
    let (code, _) = refused(&world, ReplicateKey, json!({"KeyId": id, "ReplicaRegion": THIRD}));
    assert_eq!(code, "LimitExceededException");
    assert_eq!(
        describe(&mut world, HOME, &id)["MultiRegionConfiguration"]["ReplicaKeys"].as_array().unwrap().len(),
        1
    );
}

#[test]
fn a_primary_key_has_so_many_replica_keys_and_all_of_them_are_told_at_once() {
    let mut world = World::default();
    let id = world.multi_region_key();
    let region = |number: usize| format!("xx-far-{number}");
    for number in 0..40 {
        world.done(ReplicateKey, json!({"KeyId": id, "ReplicaRegion": region(number)}));
    }
    let (code, _) = refused(&world, ReplicateKey, json!({"KeyId": id, "ReplicaRegion": AWAY}));
    assert_eq!(code, "LimitExceededException");
    world.done(RotateKeyOnDemand, json!({"KeyId": id}));
    let current = describe(&mut world, HOME, &id)["CurrentKeyMaterialId"].clone();
    assert_eq!(describe(&mut world, &region(39), &id)["CurrentKeyMaterialId"], current);
    world.done(UpdatePrimaryRegion, json!({"KeyId": id, "PrimaryRegion": region(0)}));
    at(&mut world, &region(39), |world| {
        world.done(ScheduleKeyDeletion, json!({"KeyId": id, "PendingWindowInDays": 7}))
    });
    world.pass_days(7);
    assert_eq!(world.run_due(), Ok(1));
    world.assert_coherent("one of many is gone");
}

#[test]
fn related_keys_that_are_too_large_together_are_told_nothing_and_say_so() {
    let mut world = World::default();
    let id = world.multi_region_key();
    let tags: Vec<_> =
        (0..50).map(|n| json!({"TagKey": format!("{n:0>128}"), "TagValue": "v".repeat(256)})).collect();
    let region = |number: usize| format!("xx-far-{number}");
    let mut answers = (0..40).map(|number| {
        let request = json!({
            "KeyId": id, "ReplicaRegion": region(number), "Tags": tags, "Description": "d".repeat(8192),
        });
        world.call(ReplicateKey, request)
    });
    let (status, answer) = answers.find(|(status, _)| *status != 200).unwrap();
    drop(answers);
    assert_eq!((status, &answer["__type"]), (400, &json!("LimitExceededException")), "{answer}");
    world.assert_coherent("too large");
    // What is there can still be used, and made smaller.
    world.done(Encrypt, json!({"KeyId": id, "Plaintext": "YQ=="}));
    at(&mut world, &region(0), |world| {
        world.done(UpdateKeyDescription, json!({"KeyId": id, "Description": ""}))
    });
}
