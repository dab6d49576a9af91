//! Automatic rotation, by the clock of the test.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]

use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::KeyState;
use keyreeve_testkit::{World, column};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

fn seconds(at: Timestamp) -> Value {
    json!(at.millis().div_euclid(1000))
}

/// Whether a date in an answer is `at`, which is a whole number of seconds.
fn is_at(answer: &Value, at: Timestamp) -> bool {
    answer.as_f64().is_some() && answer.as_f64() == seconds(at).as_f64()
}

fn rotating(world: &World, days: u32) -> String {
    let key = world.key();
    world.done(Operation::EnableKeyRotation, json!({"KeyId": key, "RotationPeriodInDays": days}));
    key
}

fn encrypt(world: &World, key: &str) -> String {
    let sealed = world.done(Operation::Encrypt, json!({"KeyId": key, "Plaintext": "AAAA"}));
    sealed["CiphertextBlob"].as_str().unwrap().to_owned()
}

/// The id of the material that opens `ciphertext`.
fn material(world: &World, ciphertext: &str) -> Value {
    let opened = world.done(Operation::Decrypt, json!({"CiphertextBlob": ciphertext}));
    assert_eq!(opened["Plaintext"], "AAAA");
    opened["KeyMaterialId"].clone()
}

fn rotations(world: &World, key: &str) -> Vec<String> {
    column(&world.done(Operation::ListKeyRotations, json!({"KeyId": key})), "Rotations", "RotationType")
}

fn status(world: &World, key: &str) -> Value {
    world.done(Operation::GetKeyRotationStatus, json!({"KeyId": key}))
}

fn has_due_task(world: &World) -> bool {
    world.paths().iter().any(|path| path.starts_with("due/"))
}

#[test]
fn a_key_is_rotated_exactly_at_its_period() {
    for days in [90, 365, 2560] {
        let world = World::default();
        let key = rotating(&world, days);
        let before = encrypt(&world, &key);
        assert!(is_at(&status(&world, &key)["NextRotationDate"], world.now().plus_days(days)), "{days}");
        world.pass_days(days);
        world.pass_millis(-1);
        assert_eq!(world.run_due(), Ok(0), "{days}");
        world.pass_millis(1);
        world.trail.drain();
        assert_eq!(world.run_due(), Ok(1), "{days}");
        let [event] = world.trail.drain().try_into().unwrap();
        for (member, expected) in [
            ("/eventName", json!("RotateKey")),
            ("/eventType", json!("AwsServiceEvent")),
            ("/serviceEventDetails/rotationType", json!("AUTOMATIC")),
            ("/serviceEventDetails/keyId", json!(key)),
            ("/serviceEventDetails/keyOrigin", json!("AWS_KMS")),
        ] {
            assert_eq!(event.pointer(member), Some(&expected), "{days}: {member}");
        }
        let after = encrypt(&world, &key);
        let details = &event["serviceEventDetails"];
        assert_eq!(details["previousKeyMaterialId"], material(&world, &before), "{days}");
        assert_eq!(details["currentKeyMaterialId"], material(&world, &after), "{days}");
        assert_ne!(material(&world, &before), material(&world, &after), "{days}");
        let listed = world.done(Operation::ListKeyRotations, json!({"KeyId": key}));
        let [rotation] = listed["Rotations"].as_array().unwrap().as_slice() else {
            panic!("{days}: {listed}")
        };
        assert_eq!(rotation["RotationType"], "AUTOMATIC", "{days}");
        assert_eq!(rotation["KeyMaterialId"], material(&world, &after), "{days}");
        assert!(is_at(&rotation["RotationDate"], world.now()), "{days}: {rotation}");
        let status = status(&world, &key);
        assert_eq!(status["KeyRotationEnabled"], true, "{days}");
        assert_eq!(status["RotationPeriodInDays"], days, "{days}");
        assert!(is_at(&status["NextRotationDate"], world.now().plus_days(days)), "{days}: {status}");
        assert_eq!(world.run_due(), Ok(0), "{days}: once is enough");
        world.assert_coherent("rotated");
    }
}

#[test]
fn a_key_that_was_disabled_past_its_rotation_is_rotated_at_once_and_a_period_later() {
    for (disabled_for, is_late) in [(89, false), (120, true), (400, true)] {
        let world = World::default();
        let key = rotating(&world, 90);
        let schedule = world.now().plus_days(90);
        world.done(Operation::DisableKey, json!({"KeyId": key}));
        world.pass_days(disabled_for);
        assert_eq!(world.run_due(), Ok(0), "{disabled_for}");
        world.done(Operation::EnableKey, json!({"KeyId": key}));
        let enabled = world.now();
        // The job comes by a little later.
        world.pass_millis(30_000);
        assert_eq!(world.run_due(), Ok(usize::from(is_late)), "{disabled_for}");
        let next = if is_late { enabled.plus_days(90) } else { schedule };
        assert!(is_at(&status(&world, &key)["NextRotationDate"], next), "{disabled_for}");
        // To enable a key that is enabled moves nothing.
        world.pass_days(1);
        world.done(Operation::EnableKey, json!({"KeyId": key}));
        world.assert_coherent("enabled again");
    }
}

#[test]
fn every_version_of_the_material_still_decrypts() {
    let world = World::default();
    let key = rotating(&world, 90);
    let mut sealed = vec![encrypt(&world, &key)];
    for _ in 0..4 {
        world.pass_days(90);
        assert_eq!(world.run_due(), Ok(1));
        sealed.push(encrypt(&world, &key));
        let mut materials: Vec<_> = sealed.iter().map(|blob| material(&world, blob).to_string()).collect();
        materials.dedup();
        assert_eq!(materials.len(), sealed.len());
    }
    let service = world.fresh_service();
    for blob in sealed {
        assert_eq!(world.call_on(&service, Operation::Decrypt, &json!({"CiphertextBlob": blob})).0, 200);
    }
}

#[test]
fn after_a_long_downtime_a_key_is_rotated_once() {
    let world = World::default();
    let key = rotating(&world, 90);
    world.pass_days(90 * 7 + 3);
    assert_eq!(world.run_due(), Ok(1));
    assert_eq!(world.run_due(), Ok(0));
    assert_eq!(rotations(&world, &key), ["AUTOMATIC"]);
    assert!(is_at(&status(&world, &key)["NextRotationDate"], world.now().plus_days(90)));
}

#[test]
fn a_rotation_that_comes_a_little_late_does_not_move_the_schedule() {
    let world = World::default();
    let key = rotating(&world, 90);
    let next = world.now().plus_days(180);
    world.pass_days(95);
    assert_eq!(world.run_due(), Ok(1));
    assert!(is_at(&status(&world, &key)["NextRotationDate"], next));
}

#[test]
fn a_rotation_on_demand_does_not_move_the_schedule() {
    let world = World::default();
    let key = rotating(&world, 90);
    let next = world.now().plus_days(90);
    let before = encrypt(&world, &key);
    world.pass_days(30);
    world.trail.drain();
    world.done(Operation::RotateKeyOnDemand, json!({"KeyId": key}));
    let [_opened, event, _completed] = world.trail.drain().try_into().unwrap();
    let (before, after) = (material(&world, &before), material(&world, &encrypt(&world, &key)));
    let details = json!({"rotationType": "ON_DEMAND", "keyOrigin": "AWS_KMS", "keyId": key,
        "previousKeyMaterialId": before, "currentKeyMaterialId": after});
    assert_eq!((&event["eventName"], &event["serviceEventDetails"]), (&json!("RotateKey"), &details));
    assert!(is_at(&status(&world, &key)["NextRotationDate"], next));
    assert_ne!(before, after);
    world.pass_days(60);
    assert_eq!(world.run_due(), Ok(1));
    assert_eq!(rotations(&world, &key), ["ON_DEMAND", "AUTOMATIC"]);
}

#[test]
fn shortly_before_an_automatic_rotation_there_is_none_on_demand() {
    const MINUTE: i64 = 60_000;
    for (minutes, expected) in [(21, 200), (20, 400), (1, 400), (0, 400), (-5, 400)] {
        let world = World::default();
        let key = rotating(&world, 90);
        world.pass_days(90);
        world.pass_millis(-minutes * MINUTE);
        let (status, answer) = world.call(Operation::RotateKeyOnDemand, json!({"KeyId": key}));
        assert_eq!(status, expected, "{minutes} minutes before: {answer}");
        if status == 400 {
            assert_eq!(answer["__type"], "ConflictException", "{minutes} minutes before");
        }
    }
}

#[test]
fn a_disabled_key_is_rotated_once_it_is_enabled_again() {
    let world = World::default();
    let key = rotating(&world, 365);
    world.done(Operation::DisableKey, json!({"KeyId": key}));
    assert!(!has_due_task(&world), "{:?}", world.paths());
    assert_eq!(status(&world, &key)["KeyRotationEnabled"], true);
    world.pass_days(400);
    assert_eq!(world.run_due(), Ok(0));
    world.done(Operation::EnableKey, json!({"KeyId": key}));
    assert_eq!(world.run_due(), Ok(1));
    assert_eq!(rotations(&world, &key), ["AUTOMATIC"]);
    world.assert_coherent("enabled again");
}

#[test]
fn a_key_that_is_enabled_again_in_time_keeps_its_date() {
    let world = World::default();
    let key = rotating(&world, 365);
    let next = world.now().plus_days(365);
    world.done(Operation::DisableKey, json!({"KeyId": key}));
    world.pass_days(100);
    world.done(Operation::EnableKey, json!({"KeyId": key}));
    assert!(is_at(&status(&world, &key)["NextRotationDate"], next));
    world.pass_days(264);
    assert_eq!(world.run_due(), Ok(0));
    world.pass_days(1);
    assert_eq!(world.run_due(), Ok(1));
}

#[test]
fn a_key_that_is_pending_deletion_is_not_rotated_and_reads_so() {
    let world = World::default();
    let key = rotating(&world, 90);
    world.pass_days(80);
    world.done(Operation::ScheduleKeyDeletion, json!({"KeyId": key, "PendingWindowInDays": 30}));
    assert_eq!(status(&world, &key)["KeyRotationEnabled"], false);
    world.pass_days(20);
    assert_eq!(world.run_due(), Ok(0));
    world.done(Operation::CancelKeyDeletion, json!({"KeyId": key}));
    assert!(!has_due_task(&world));
    assert_eq!(status(&world, &key)["KeyRotationEnabled"], true);
    world.pass_days(100);
    assert_eq!(world.run_due(), Ok(0), "it is disabled");
    world.done(Operation::EnableKey, json!({"KeyId": key}));
    assert_eq!(world.run_due(), Ok(1));
}

#[test]
fn without_automatic_rotation_nothing_is_due() {
    let world = World::default();
    let key = rotating(&world, 90);
    world.done(Operation::DisableKeyRotation, json!({"KeyId": key}));
    assert!(!has_due_task(&world));
    world.pass_days(4000);
    assert_eq!(world.run_due(), Ok(0));
    assert_eq!(status(&world, &key)["KeyRotationEnabled"], false);
}

#[test]
fn another_period_begins_when_it_is_set_and_the_same_one_does_not() {
    let world = World::default();
    let key = rotating(&world, 365);
    let first = world.now().plus_days(365);
    world.pass_days(50);
    world.done(Operation::EnableKeyRotation, json!({"KeyId": key}));
    assert!(is_at(&status(&world, &key)["NextRotationDate"], first));
    world.done(Operation::EnableKeyRotation, json!({"KeyId": key, "RotationPeriodInDays": 90}));
    let ninety = world.now().plus_days(90);
    assert!(is_at(&status(&world, &key)["NextRotationDate"], ninety));
    // Without a period, a key that rotates keeps its own; one that does not begins with the default.
    world.pass_days(1);
    world.done(Operation::EnableKeyRotation, json!({"KeyId": key}));
    let kept = status(&world, &key);
    assert!(kept["RotationPeriodInDays"] == 90 && is_at(&kept["NextRotationDate"], ninety), "{kept}");
    world.done(Operation::DisableKeyRotation, json!({"KeyId": key}));
    world.done(Operation::EnableKeyRotation, json!({"KeyId": key}));
    assert_eq!(status(&world, &key)["RotationPeriodInDays"], 365);
    world.assert_coherent("another period");
}

#[test]
fn an_aws_managed_key_is_rotated_every_year() {
    let world = World::default();
    let described = world.done(Operation::DescribeKey, json!({"KeyId": "alias/aws/s3"}));
    let key = described["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    world.pass_days(365);
    assert_eq!(world.run_due(), Ok(1));
    assert_eq!(rotations(&world, &key), ["AUTOMATIC"]);
}

#[test]
fn a_damaged_key_holds_up_no_other() {
    let world = World::default();
    let (damaged, whole) = (rotating(&world, 90), rotating(&world, 90));
    let path =
        world.paths().into_iter().find(|path| path.starts_with("key/") && path.ends_with(&damaged)).unwrap();
    let path = keyreeve_store::Path::try_from(path.as_str()).unwrap();
    world.tamper(keyreeve_store::Batch::builder().put(path, "damaged").build().unwrap());
    world.pass_days(90);
    let error = world.run_due().unwrap_err().to_string();
    assert!(error.contains(&damaged), "{error}");
    assert_eq!(rotations(&world, &whole), ["AUTOMATIC"]);
    let of = world.fixture(KeyState::Enabled);
    world.assert_not_stale(&of, "beside a damaged key");
}
