//! Request quotas: what is one too many is refused before anything is done, and recorded.

use std::collections::HashMap;

use keyreeve_core::request_quota::RequestQuota;
use keyreeve_core::request_rate::RequestRates;
use keyreeve_kms::is_supported;
use keyreeve_testkit::{World, body};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

const MESSAGE: &str =
    "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";

fn throttled() -> (u16, Value) {
    (400, json!({"__type": "ThrottlingException", "message": MESSAGE}))
}

/// One request in 1,000 seconds.
fn one_each() -> RequestRates {
    let of_all = RequestQuota::ALL.iter().map(|quota| (*quota, 0.001)).collect();
    RequestRates { of_all, ..RequestRates::default() }
}

#[test]
fn every_operation_is_counted_and_the_one_too_many_changes_nothing_and_is_recorded() {
    for operation in Operation::ALL.iter().copied().filter(|operation| is_supported(*operation)) {
        let name = operation.name();
        let mut world = World::default();
        let request = body(operation, &world.fixture_for(operation));
        let mut rates = one_each();
        if operation == Operation::ReplicateKey {
            // It counts as two of these in the other Region.
            rates.of_all.remove(&RequestQuota::CreateKey);
        }
        world.service = world.service_with_rates(rates);
        let (status, answer) = world.call(operation, request.clone());
        assert_eq!(status, 200, "{name}: {answer}");
        world.trail.drain();
        let before = world.dump();
        assert_eq!(world.call(operation, request.clone()), throttled(), "{name}");
        assert_eq!(world.dump(), before, "{name}");
        let events = world.trail.drain();
        assert_eq!(events.len(), 1, "{name}");
        assert_eq!(events[0]["errorCode"], "ThrottlingException", "{name}");
        assert_eq!(events[0]["errorMessage"], MESSAGE, "{name}");
        world.pass_millis(1_000_000);
        assert_ne!(world.call(operation, request), throttled(), "{name}: there is room again");
    }
}

#[test]
fn cryptographic_operations_share_a_quota_by_the_kind_of_their_key() {
    let world = World::default();
    let [of_encrypt, of_mac, of_sign] =
        [Operation::Encrypt, Operation::GenerateMac, Operation::Sign].map(|of| world.fixture_for(of));
    let calls = [
        (Operation::Encrypt, &of_encrypt, false),
        (Operation::Decrypt, &of_encrypt, true),
        (Operation::GenerateDataKeyWithoutPlaintext, &of_encrypt, true),
        (Operation::GenerateMac, &of_mac, true),
        (Operation::GenerateRandom, &of_mac, true),
        (Operation::Sign, &of_sign, false),
        (Operation::Verify, &of_sign, true),
        (Operation::GenerateDataKeyPair, &of_encrypt, false),
        (Operation::GenerateDataKeyPairWithoutPlaintext, &of_encrypt, true),
        (Operation::DescribeKey, &of_encrypt, false),
    ];
    let service = world.service_with_rates(one_each());
    for (operation, fixture, is_refused) in calls {
        let answer = world.call_on(&service, operation, &body(operation, fixture));
        assert_eq!(answer == throttled(), is_refused, "{}: {answer:?}", operation.name());
    }
}

#[test]
fn a_user_shares_the_quota_of_the_account_and_another_account_does_not() {
    let mut world = World::default();
    let key = world.key();
    let of_all = HashMap::from([(RequestQuota::DescribeKey, 2.0), (RequestQuota::ListKeys, 1.0)]);
    world.service = world.service_with_rates(RequestRates { of_all, ..RequestRates::default() });
    let describe = |caller| world.call_as(caller, Operation::DescribeKey, json!({"KeyId": key}));
    assert_eq!(describe(&world.root).0, 200);
    assert_eq!(describe(&world.user).1["__type"], "AccessDeniedException");
    assert_eq!(describe(&world.root), throttled(), "a request that is denied counts, too");
    assert_eq!(describe(&world.stranger).1["__type"], "NotFoundException");
    let list = |caller| world.call_as(caller, Operation::ListKeys, json!({})).0;
    assert_eq!([list(&world.root), list(&world.root), list(&world.stranger)], [200, 400, 200]);
}

#[test]
fn a_key_of_another_account_counts_against_the_caller() {
    let mut world = World::default();
    let key = format!("arn:aws:kms:us-east-1:{}:key/{}", world.root.account(), world.key());
    let everybody = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"},
    ]});
    world.done(Operation::PutKeyPolicy, json!({"KeyId": key, "Policy": everybody.to_string()}));
    let of_account = HashMap::from([((world.stranger.account(), RequestQuota::Symmetric), 1.0)]);
    world.service = world.service_with_rates(RequestRates { of_account, ..RequestRates::default() });
    let encrypt =
        |caller| world.call_as(caller, Operation::Encrypt, json!({"KeyId": key, "Plaintext": "aGk="})).0;
    assert_eq!([encrypt(&world.stranger), encrypt(&world.stranger)], [200, 400]);
    assert_eq!([encrypt(&world.root), encrypt(&world.root)], [200, 200]);
}
