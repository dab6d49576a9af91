//! What a policy sees of the session of a caller, and of the tags that a request is about.

use keyreeve_core::identity::session::{NamedId, SessionHolder, SessionRecord};
use keyreeve_testkit::{Has, World};
use keyreeve_wire::Operation;
use serde_json::json;
use zeroize::Zeroizing;

fn under(condition: &str) -> Has {
    Has::policy(&format!(
        r#"{{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{{{condition}}}}}"#
    ))
}

#[test]
fn a_policy_sees_when_and_how_a_session_began() {
    let world = World::default();
    let (own, key, now) = (world.root.account(), world.key(), world.now());
    let record = |is_full: bool| SessionRecord {
        account: own,
        access_key_id: "ASIASESSION".to_owned(),
        secret: Zeroizing::new("secret".to_owned()),
        issued: now,
        expires: now.plus_days(1),
        holder: SessionHolder::Role {
            role: NamedId { name: "R".to_owned(), id: "AROAR".to_owned() },
            name: "session".to_owned(),
        },
        policies: Vec::new(),
        policy_arns: Vec::new(),
        tags: Vec::new(),
        transitive: Vec::new(),
        source_identity: is_full.then(|| "alice".to_owned()),
        mfa_millis: is_full.then(|| now.millis() - 90_500),
        provider: is_full.then(|| "idp.example".to_owned()),
    };
    let (bare, full) = (record(false), record(true));
    for (condition, by_bare, by_full) in [
        (r#""Bool":{"aws:MultiFactorAuthPresent":"true"}"#, false, true),
        (r#""Bool":{"aws:MultiFactorAuthPresent":"false"}"#, true, false),
        (r#""NumericEquals":{"aws:MultiFactorAuthAge":"90"}"#, false, true),
        (r#""Null":{"aws:MultiFactorAuthAge":"true"}"#, true, false),
        (r#""StringEquals":{"aws:SourceIdentity":"alice"}"#, false, true),
        (r#""Null":{"aws:SourceIdentity":"true"}"#, true, false),
        (r#""StringEquals":{"aws:FederatedProvider":"idp.example"}"#, false, true),
        (r#""Null":{"aws:FederatedProvider":"true"}"#, true, false),
        (r#""DateGreaterThan":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}"#, true, true),
        (r#""DateLessThan":{"aws:TokenIssueTime":"2020-01-01T00:00:00Z"}"#, false, false),
    ] {
        world.role_with(own, "R", under(condition));
        for (record, allowed) in [(&bare, by_bare), (&full, by_full)] {
            let caller = world.session_of(record);
            let (status, answer) = world.call_as(&caller, Operation::DescribeKey, json!({"KeyId": key}));
            assert_eq!(status == 200, allowed, "{condition}: {answer}");
        }
    }
}

#[test]
fn a_policy_sees_the_tags_that_are_set_and_the_keys_of_those_that_are_taken_off() {
    let world = World::default();
    let (own, key) = (world.root.account(), world.key());
    let set = json!({"KeyId": key, "Tags": [{"TagKey": "k", "TagValue": "v"}]});
    let taken = json!({"KeyId": key, "TagKeys": ["k"]});
    for (condition, may_set, may_take) in [
        (r#""StringEquals":{"aws:RequestTag/k":"v"}"#, true, false),
        (r#""StringEquals":{"aws:RequestTag/k":"w"}"#, false, false),
        (r#""ForAnyValue:StringEquals":{"aws:TagKeys":"k"}"#, true, true),
        (r#""ForAnyValue:StringEquals":{"aws:TagKeys":"v"}"#, false, false),
    ] {
        let alice = world.user_with(own, "alice", under(condition));
        for (operation, request, allowed) in
            [(Operation::TagResource, &set, may_set), (Operation::UntagResource, &taken, may_take)]
        {
            let (status, answer) = world.call_as(&alice, operation, request.clone());
            assert_eq!(status == 200, allowed, "{operation} {condition}: {answer}");
        }
    }
}
