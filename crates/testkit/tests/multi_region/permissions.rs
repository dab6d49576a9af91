//! Who may replicate what to where, and move the primary Region.

use keyreeve_testkit::{Has, World};
use keyreeve_wire::Operation::*;
use serde_json::json;

use super::{AWAY, HOME, arn, at, refused, replicated};

#[test]
fn a_policy_may_say_where_and_what_is_replicated() {
    let of = |action: &str, condition: &str| {
        format!(r#"{{"Effect":"Allow","Action":"{action}","Resource":"*","Condition":{{{condition}}}}}"#)
    };
    let replicate = of("kms:ReplicateKey", r#""StringEquals":{"kms:ReplicaRegion":"eu-west-1"}"#);
    let all = |condition: &str| of("kms:*", condition);
    for (statements, allowed) in [
        (vec![replicate.clone()], Err("kms:CreateKey")),
        (vec![replicate.clone(), of("kms:CreateKey", "")], Err("kms:TagResource")),
        (vec![replicate.clone(), of("kms:CreateKey", ""), of("kms:TagResource", "")], Ok(())),
        (
            vec![
                replicate.clone(),
                of(
                    "kms:CreateKey",
                    r#""StringEquals":{"aws:RequestedRegion":"eu-west-1","kms:MultiRegionKeyType":"REPLICA","kms:KeySpec":"SYMMETRIC_DEFAULT"},"Bool":{"kms:MultiRegion":"true"}"#,
                ),
                of("kms:TagResource", r#""StringEquals":{"aws:RequestTag/k":"v"}"#),
            ],
            Ok(()),
        ),
        (
            vec![
                replicate.clone(),
                of("kms:CreateKey", r#""StringEquals":{"aws:RequestedRegion":"us-east-1"}"#),
            ],
            Err("kms:CreateKey"),
        ),
        (
            vec![of("kms:ReplicateKey", r#""StringEquals":{"kms:ReplicaRegion":"eu-west-2"}"#)],
            Err("kms:ReplicateKey"),
        ),
        (vec![all(r#""StringEquals":{"kms:MultiRegionKeyType":"PRIMARY"}"#)], Err("kms:CreateKey")),
        (
            vec![all(""), r#"{"Effect":"Deny","Action":"kms:CreateKey","Resource":"*"}"#.to_owned()],
            Err("kms:CreateKey"),
        ),
    ] {
        let world = World::default();
        let id = world.multi_region_key();
        let alice = world.user_with(world.root.account(), "alice", Has::policy(&statements.join(",")));
        let tags = json!([{"TagKey": "k", "TagValue": "v"}]);
        let request = json!({"KeyId": id, "ReplicaRegion": AWAY, "Tags": tags});
        let before = world.dump();
        let (status, answer) = world.call_as(&alice, ReplicateKey, request);
        match allowed {
            Ok(()) => assert_eq!(status, 200, "{statements:?}: {answer}"),
            Err(action) => {
                assert_eq!(answer["__type"], "AccessDeniedException", "{statements:?}");
                let text = answer["message"].as_str().unwrap();
                assert!(text.contains(&format!("perform: {action} ")), "{statements:?}: {text}");
                assert!(world.dump() == before, "{statements:?}");
            }
        }
    }
}

#[test]
fn both_keys_have_a_say_in_who_moves_the_primary_region() {
    let by = r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#;
    let root = r#"{"AWS":"arn:aws:iam::111122223333:root"}"#;
    for (denied_in, condition, allowed) in [
        (None, "", true),
        (Some(HOME), "", false),
        (Some(AWAY), "", false),
        (None, r#","Condition":{"StringEquals":{"kms:PrimaryRegion":"eu-west-1"}}"#, true),
        (None, r#","Condition":{"StringEquals":{"kms:PrimaryRegion":"us-east-1"}}"#, false),
    ] {
        let mut world = World::default();
        let id = replicated(&world);
        if let Some(region) = denied_in {
            let policy = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{root},"Action":"kms:*","Resource":"*"}},{{"Effect":"Deny","Principal":{by},"Action":"kms:UpdatePrimaryRegion","Resource":"*"}}]}}"#
            );
            let alice = world.user_with(world.root.account(), "alice", Has::default());
            drop(alice);
            at(&mut world, region, |world| world.done(PutKeyPolicy, json!({"KeyId": id, "Policy": policy})));
        }
        let own = format!(r#"{{"Effect":"Allow","Action":"kms:*","Resource":"*"{condition}}}"#);
        let alice = world.user_with(world.root.account(), "alice", Has::policy(&own));
        let request = json!({"KeyId": id, "PrimaryRegion": AWAY});
        let (status, answer) = world.call_as(&alice, UpdatePrimaryRegion, request);
        assert_eq!(status == 200, allowed, "{denied_in:?} {condition}: {answer}");
        if let Some(region) = denied_in {
            let text = answer["message"].as_str().unwrap();
            assert!(text.contains(&arn(region, &id)), "{text}");
        }
    }
}

#[test]
fn a_disabled_replica_key_does_not_become_the_primary_one() {
    let mut world = World::default();
    let id = replicated(&world);
    at(&mut world, AWAY, |world| world.done(DisableKey, json!({"KeyId": id})));
    let (code, text) = refused(&world, UpdatePrimaryRegion, json!({"KeyId": id, "PrimaryRegion": AWAY}));
    assert_eq!((code.as_str(), text), ("DisabledException", format!("{} is disabled.", arn(AWAY, &id))));
}
