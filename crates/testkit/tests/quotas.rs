//! Quotas, at their limit and over it.

use keyreeve_core::quota::Quotas;
use keyreeve_testkit::World;
use keyreeve_wire::Operation;
use serde_json::{Value, json};

const SMALL: Quotas = Quotas {
    keys: 3,
    aliases_per_key: 2,
    grants_per_key: 3,
    on_demand_rotations: 2,
    policy_bytes: 200,
    tags_per_key: 3,
};

fn refused(code: &str, message: &str) -> (u16, Value) {
    (400, json!({"__type": code, "message": message}))
}

#[test]
fn an_account_has_so_many_keys_in_a_region() {
    let mut world = World::with_quotas(SMALL);
    let keys: Vec<_> = (0..3).map(|_| world.key()).collect();
    let text = "Keys quota for this account in this region is 3, current usage is 3.";
    for fresh in [false, true] {
        let answer = match fresh {
            false => world.call(Operation::CreateKey, json!({})),
            true => world.call_fresh(Operation::CreateKey, &json!({})),
        };
        assert_eq!(answer, refused("LimitExceededException", text), "counted anew: {fresh}");
    }
    assert_eq!(world.call_as(&world.stranger, Operation::CreateKey, json!({})).0, 200, "another account");
    world.region = "eu-west-1".parse().unwrap();
    world.key();
    world.region = "us-east-1".parse().unwrap();
    // A key that waits for its deletion still counts; one that is gone does not.
    world.done(Operation::ScheduleKeyDeletion, json!({"KeyId": keys[0], "PendingWindowInDays": 7}));
    assert_eq!(world.call(Operation::CreateKey, json!({})).0, 400);
    world.pass_days(7);
    assert_eq!(world.run_due(), Ok(1));
    world.key();
    assert_eq!(world.call(Operation::CreateKey, json!({})).0, 400);
}

#[test]
fn an_aws_managed_key_does_not_count() {
    let world = World::with_quotas(SMALL);
    for service in ["s3", "ebs", "rds", "sqs"] {
        world.done(Operation::DescribeKey, json!({"KeyId": format!("alias/aws/{service}")}));
    }
    for _ in 0..2 {
        world.key();
    }
    // A process that counts anew finds the same.
    let fresh = world.fresh_service();
    for expected in [200, 400] {
        assert_eq!(world.call_on(&fresh, Operation::CreateKey, &json!({})).0, expected);
    }
}

#[test]
fn a_key_has_so_many_aliases() {
    let world = World::with_quotas(SMALL);
    let (key, other) = (world.key(), world.key());
    let create = |name: &str, target: &str| {
        world.call(Operation::CreateAlias, json!({"AliasName": name, "TargetKeyId": target}))
    };
    for name in ["alias/a", "alias/b"] {
        assert_eq!(create(name, &key).0, 200, "{name}");
    }
    let text = "Aliases per key quota for this account in this region is 2, current usage is 2.";
    assert_eq!(create("alias/c", &key), refused("LimitExceededException", text));
    assert_eq!(create("alias/c", &other).0, 200);
    let moved = |name: &str, target: &str| {
        world.call(Operation::UpdateAlias, json!({"AliasName": name, "TargetKeyId": target}))
    };
    assert_eq!(moved("alias/c", &key), refused("LimitExceededException", text));
    assert_eq!(moved("alias/a", &key).0, 200, "it is there already");
    world.done(Operation::DeleteAlias, json!({"AliasName": "alias/b"}));
    assert_eq!(moved("alias/c", &key).0, 200);
    world.assert_coherent("aliases");
}

#[test]
fn a_key_is_rotated_on_demand_so_many_times() {
    let world = World::with_quotas(SMALL);
    let key = world.key();
    for _ in 0..2 {
        world.done(Operation::RotateKeyOnDemand, json!({"KeyId": key}));
    }
    let text = format!(
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed \
         for this key: arn:aws:kms:us-east-1:111122223333:key/{key}"
    );
    let answer = world.call(Operation::RotateKeyOnDemand, json!({"KeyId": key}));
    assert_eq!(answer, refused("LimitExceededException", &text));
    // Automatic rotation has no limit.
    world.done(Operation::EnableKeyRotation, json!({"KeyId": key, "RotationPeriodInDays": 90}));
    world.pass_days(90);
    assert_eq!(world.run_due(), Ok(1));
}

#[test]
fn a_key_has_so_many_tags() {
    let world = World::with_quotas(SMALL);
    let key = world.key();
    let tags =
        |keys: &[&str]| keys.iter().map(|key| json!({"TagKey": key, "TagValue": "v"})).collect::<Vec<_>>();
    let too_many = refused("TagException", "Too many tags");
    for (keys, expected) in [
        (vec!["a", "b"], None),
        (vec!["a", "b", "c"], None),
        (vec!["c"], None),
        (vec!["d"], Some(&too_many)),
        (vec!["a", "d"], Some(&too_many)),
    ] {
        let answer = world.call(Operation::TagResource, json!({"KeyId": key, "Tags": tags(&keys)}));
        assert_eq!(Some(&answer).filter(|answer| answer.0 != 200), expected, "{keys:?}");
    }
    for (keys, expected) in [(vec!["a", "b", "c"], None), (vec!["a", "b", "c", "d"], Some(&too_many))] {
        let answer = world.call(Operation::CreateKey, json!({"Tags": tags(&keys)}));
        assert_eq!(Some(&answer).filter(|answer| answer.0 != 200), expected, "new key with {keys:?}");
    }
}

#[test]
fn a_key_policy_has_so_many_bytes() {
    let world = World::with_quotas(SMALL);
    let key = world.key();
    let policy = |bytes: usize| {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}"#;
        format!("{text}{}", " ".repeat(bytes - text.len()))
    };
    for (bytes, fits) in [(200, true), (201, false)] {
        let text = policy(bytes);
        let put = world.call(Operation::PutKeyPolicy, json!({"KeyId": key, "Policy": text}));
        let made = world.call(Operation::CreateKey, json!({"Policy": text}));
        for (case, answer) in [("put", put), ("made", made)] {
            let code = answer.1.get("__type").cloned();
            assert_eq!(answer.0 == 200, fits, "{case}, {bytes} bytes: {}", answer.1);
            assert_eq!(code, (!fits).then(|| json!("LimitExceededException")), "{case}, {bytes} bytes");
        }
    }
    assert_eq!(world.done(Operation::GetKeyPolicy, json!({"KeyId": key}))["Policy"], json!(policy(200)));
}
