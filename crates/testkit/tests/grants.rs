//! Grants: what they give, to whom, and that it is gone once they are.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]

use keyreeve_core::caller::User;
use keyreeve_core::quota::Quotas;
use keyreeve_core::{Caller, Principal};
use keyreeve_domain::spec::{KeySpec, KeyUsage};
use keyreeve_testkit::{Has, World, column};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";

fn grant(world: &World, key: &str, more: Value) -> (String, String) {
    let mut request = json!({"KeyId": key, "GranteePrincipal": ALICE, "Operations": ["Encrypt", "Decrypt"]});
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    let made = world.done(Operation::CreateGrant, request);
    (made["GrantId"].as_str().unwrap().to_owned(), made["GrantToken"].as_str().unwrap().to_owned())
}

fn code(answer: (u16, Value)) -> String {
    if answer.0 == 200 { "ok".to_owned() } else { answer.1["__type"].as_str().unwrap().to_owned() }
}

const DENIED: &str = "AccessDeniedException";

#[test]
fn a_grant_gives_its_operations_at_once_and_until_it_is_revoked() {
    let world = World::default();
    let alice = world.user_with(world.root.account(), "alice", Has::default());
    let key = world.key();
    let encrypt = || json!({"KeyId": key, "Plaintext": "AAAA"});
    assert_eq!(code(world.call_as(&alice, Operation::Encrypt, encrypt())), DENIED);
    let (id, token) = grant(&world, &key, json!({}));
    assert_eq!(id.len(), 64);
    assert_eq!(code(world.call_as(&alice, Operation::Encrypt, encrypt())), "ok");
    let with_token = json!({"KeyId": key, "Plaintext": "AAAA", "GrantTokens": [token]});
    assert_eq!(code(world.call_as(&alice, Operation::Encrypt, with_token)), "ok");
    let sign = json!({"KeyId": key});
    assert_eq!(code(world.call_as(&alice, Operation::DescribeKey, sign)), DENIED);
    assert_eq!(code(world.call_as(&alice, Operation::DisableKey, json!({"KeyId": key}))), DENIED);
    world.done(Operation::RevokeGrant, json!({"KeyId": key, "GrantId": id}));
    assert_eq!(code(world.call_as(&alice, Operation::Encrypt, encrypt())), DENIED);
    let again = world.call(Operation::RevokeGrant, json!({"KeyId": key, "GrantId": id}));
    assert_eq!(code(again), "NotFoundException");
    world.assert_coherent("revoked");
}

#[test]
fn while_grants_come_and_go_the_next_request_is_worth_what_is_there() {
    let world = World::default();
    let alice = world.user_with(world.root.account(), "alice", Has::default());
    let key = world.key();
    let mut state: u64 = 3;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let contexts = [json!({}), json!({"v": "0"}), json!({"v": "1"}), json!({"v": "0", "a": "1"})];
    let mut there: Vec<(String, Option<(bool, usize)>)> = Vec::new();
    for step in 0..400 {
        if there.is_empty() || draw(10) < if (step / 40) % 2 == 0 { 7 } else { 3 } {
            // More of them without a break now and then, which nobody asks for in between.
            for _ in 0..=draw(4) {
                let asked = (draw(8) > 0).then(|| (draw(2) == 0, 1 + draw(contexts.len() - 1)));
                let more = match asked {
                    None => json!({"Operations": ["Encrypt"]}),
                    Some((true, at)) => json!({"Constraints": {"EncryptionContextEquals": contexts[at]}}),
                    Some((false, at)) => json!({"Constraints": {"EncryptionContextSubset": contexts[at]}}),
                };
                there.push((grant(&world, &key, more).0, asked));
            }
        } else {
            let (id, _) = there.swap_remove(draw(there.len()));
            world.done(Operation::RevokeGrant, json!({"KeyId": key, "GrantId": id}));
        }
        for context in &contexts {
            let fits = |(_, asked): &(String, Option<(bool, usize)>)| match asked {
                None => true,
                Some((true, at)) => contexts[*at] == *context,
                Some((false, at)) => {
                    contexts[*at].as_object().unwrap().iter().all(|(k, v)| context.get(k) == Some(v))
                }
            };
            let request = json!({"KeyId": key, "Plaintext": "AAAA", "EncryptionContext": context});
            let expected = if there.iter().any(fits) { "ok" } else { DENIED };
            assert_eq!(
                code(world.call_as(&alice, Operation::Encrypt, request)),
                expected,
                "{step} {context}"
            );
        }
    }
    world.assert_coherent("all steps");
}

#[test]
fn constraints_compare_the_encryption_context_and_nothing_else() {
    let world = World::default();
    let alice = world.user_with(world.root.account(), "alice", Has::default());
    for (constraint, context, given) in [
        (json!({"EncryptionContextEquals": {"a": "1"}}), json!({"a": "1"}), true),
        (json!({"EncryptionContextEquals": {"a": "1"}}), json!({"a": "1", "b": "2"}), false),
        (json!({"EncryptionContextEquals": {"a": "1"}}), json!({"A": "1"}), false),
        (json!({"EncryptionContextEquals": {"a": "1"}}), json!({}), false),
        (json!({"EncryptionContextSubset": {"a": "1"}}), json!({"a": "1", "b": "2"}), true),
        (json!({"EncryptionContextSubset": {"a": "1"}}), json!({"a": "1"}), true),
        (json!({"EncryptionContextSubset": {"a": "1"}}), json!({"a": "2"}), false),
        (json!({"EncryptionContextSubset": {"a": "1"}}), json!({"b": "1"}), false),
    ] {
        let key = world.key();
        let more = json!({"Constraints": constraint, "Operations": ["Encrypt", "DescribeKey"]});
        grant(&world, &key, more);
        let request = json!({"KeyId": key, "Plaintext": "AAAA", "EncryptionContext": context});
        let expected = if given { "ok" } else { DENIED };
        assert_eq!(
            code(world.call_as(&alice, Operation::Encrypt, request)),
            expected,
            "{constraint} {context}"
        );
        // An operation without an encryption context is not bound.
        assert_eq!(code(world.call_as(&alice, Operation::DescribeKey, json!({"KeyId": key}))), "ok");
    }
}

#[test]
fn a_denial_is_stronger_than_a_grant() {
    let world = World::default();
    let denied = r#"{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*"}"#;
    let alice = world.user_with(world.root.account(), "alice", Has::policy(denied));
    let key = world.key();
    grant(&world, &key, json!({}));
    assert_eq!(
        code(world.call_as(&alice, Operation::Encrypt, json!({"KeyId": key, "Plaintext": "AAAA"}))),
        DENIED
    );
}

#[test]
fn what_a_caller_was_allowed_before_changes_no_answer() {
    let world = World::default();
    let statements = r#"{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:by":"policy"}}},
        {"Effect":"Deny","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:by":"nothing"}}}"#;
    let alice = world.user_with(world.root.account(), "alice", Has::policy(statements));
    let (granted, other) = (world.key(), world.key());
    let (id, _) = grant(&world, &granted, json!({}));
    let asked = |key: &str, by: &str| {
        let request = json!({"KeyId": key, "Plaintext": "AAAA", "EncryptionContext": {"by": by}});
        code(world.call_as(&alice, Operation::Encrypt, request))
    };
    let cases = [
        (&granted, "grant", "ok"),
        (&granted, "policy", "ok"),
        (&granted, "nothing", DENIED),
        (&other, "grant", DENIED),
        (&other, "policy", "ok"),
        (&other, "nothing", DENIED),
    ];
    for (before, by, expected) in cases {
        for (key, then, next) in cases {
            assert_eq!(asked(before, by), expected, "{by}");
            assert_eq!(asked(key, then), next, "{then} after {by}");
        }
    }
    assert_eq!(asked(&granted, "grant"), "ok");
    world.done(Operation::RevokeGrant, json!({"KeyId": granted, "GrantId": id}));
    assert_eq!(asked(&granted, "grant"), DENIED);
    assert_eq!(asked(&granted, "policy"), "ok");
}

#[test]
fn the_same_name_and_properties_are_the_same_grant() {
    let world = World::default();
    world.user_with(world.root.account(), "alice", Has::default());
    let key = world.key();
    let (first, _) = grant(&world, &key, json!({"Name": "n"}));
    let (second, _) = grant(&world, &key, json!({"Name": "n", "Operations": ["Decrypt", "Encrypt"]}));
    let (other, _) = grant(&world, &key, json!({"Name": "n", "Operations": ["Decrypt"]}));
    let (nameless, _) = grant(&world, &key, json!({}));
    let (another, _) = grant(&world, &key, json!({}));
    assert_eq!(first, second);
    assert!(first != other && nameless != another);
    let listed = world.done(Operation::ListGrants, json!({"KeyId": key}));
    assert_eq!(column(&listed, "Grants", "GrantId").len(), 4);
    world.done(Operation::RevokeGrant, json!({"KeyId": key, "GrantId": first}));
    let (made_again, _) = grant(&world, &key, json!({"Name": "n"}));
    assert!(made_again != first);
    world.assert_coherent("same grants");
}

#[test]
fn a_grant_is_retired_by_whom_it_names_and_by_nobody_else() {
    let world = World::default();
    let own = world.root.account();
    let alice = world.user_with(own, "alice", Has::default());
    let bob = world.user_with(own, "bob", Has::default());
    let carol = world.user_with(own, "carol", Has::allowed("kms:RetireGrant", "*"));
    let far = world.user_with(world.stranger.account(), "eve", Has::allowed("kms:*", "*"));
    let key = world.key();
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{key}");
    let by_bob = || json!({"RetiringPrincipal": "arn:aws:iam::111122223333:user/bob"});
    let by_grantee = || json!({"Operations": ["Encrypt", "RetireGrant"]});
    for (case, more, caller, retired) in [
        ("the retiring principal", by_bob(), &bob, true),
        ("the grantee", by_bob(), &alice, false),
        ("the grantee who may", by_grantee(), &alice, true),
        ("somebody else", by_grantee(), &bob, false),
        ("whom the issuing account lets", by_bob(), &carol, true),
        ("the root user of the issuing account", by_bob(), &world.root, true),
        ("another account", by_bob(), &far, false),
    ] {
        let (id, token) = grant(&world, &key, more.clone());
        let dry = json!({"KeyId": arn, "GrantId": id, "DryRun": true});
        let expected = if retired { "DryRunOperationException" } else { DENIED };
        assert_eq!(code(world.call_as(caller, Operation::RetireGrant, dry)), expected, "{case}");
        let expected = if retired { "ok" } else { DENIED };
        assert_eq!(
            code(world.call_as(caller, Operation::RetireGrant, json!({"GrantToken": token}))),
            expected,
            "{case}"
        );
        let listed = world.done(Operation::ListGrants, json!({"KeyId": key, "GrantId": id}));
        assert_eq!(column(&listed, "Grants", "GrantId").is_empty(), retired, "{case}");
    }
    let invalid = world.call(Operation::RetireGrant, json!({"GrantToken": "AAAA"}));
    assert_eq!(code(invalid), "InvalidGrantTokenException");
    assert_eq!(code(world.call(Operation::RetireGrant, json!({"KeyId": arn}))), "ValidationException");
}

#[test]
fn a_grant_that_makes_grants_makes_none_that_give_more() {
    let world = World::default();
    let alice = world.user_with(world.root.account(), "alice", Has::default());
    let key = world.key();
    let more = json!({
        "Operations": ["Encrypt", "Decrypt", "CreateGrant"],
        "Constraints": {"EncryptionContextSubset": {"a": "1"}},
    });
    grant(&world, &key, more);
    let equals = |pairs: Value| json!({"EncryptionContextEquals": pairs});
    let subset = |pairs: Value| json!({"EncryptionContextSubset": pairs});
    for (operations, constraints, made) in [
        (json!(["Encrypt"]), equals(json!({"a": "1"})), true),
        (json!(["Decrypt"]), subset(json!({"a": "1", "b": "2"})), true),
        (json!(["Encrypt"]), subset(json!({"b": "2"})), false),
        (json!(["Encrypt"]), Value::Null, false),
        (json!(["GenerateDataKey"]), equals(json!({"a": "1"})), false),
    ] {
        let mut request = json!({"KeyId": key, "GranteePrincipal": "111122223333", "Operations": operations});
        if !constraints.is_null() {
            request["Constraints"] = constraints.clone();
        }
        let expected = if made { "ok" } else { DENIED };
        let case = format!("{operations} {constraints}");
        assert_eq!(code(world.call_as(&alice, Operation::CreateGrant, request)), expected, "{case}");
    }
}

#[test]
fn a_grant_for_an_empty_encryption_context_makes_none_for_every_one() {
    let world = World::default();
    let alice = world.user_with(world.root.account(), "alice", Has::default());
    let key = world.key();
    let empty = || json!({"EncryptionContextEquals": {}});
    grant(&world, &key, json!({"Operations": ["Decrypt", "CreateGrant"], "Constraints": empty()}));
    let child = json!({"KeyId": key, "GranteePrincipal": "111122223333", "Operations": ["Decrypt"]});
    assert_eq!(code(world.call_as(&alice, Operation::CreateGrant, child.clone())), DENIED);
    let mut as_strict = child;
    as_strict["Constraints"] = empty();
    assert_eq!(code(world.call_as(&alice, Operation::CreateGrant, as_strict)), "ok");
}

#[test]
fn a_grant_is_somebodys_and_not_a_names() {
    let world = World::default();
    let own = world.root.account();
    let key = world.key();
    let encrypt = || json!({"KeyId": key, "Plaintext": "AAAA"});
    let bob = world.user_with(own, "bob", Has::default());
    let to_bob = || json!({"GranteePrincipal": "arn:aws:iam::111122223333:user/bob"});
    grant(&world, &key, to_bob());
    assert_eq!(code(world.call_as(&bob, Operation::Encrypt, encrypt())), "ok");
    // Another of the same name.
    let another = |id: &str| {
        let principal =
            Principal::User(User { name: "bob".to_owned(), path: "/".to_owned(), id: id.to_owned() });
        Caller::new(own, principal, "AKIAANOTHER".to_owned())
    };
    assert_eq!(code(world.call_as(&another("AIDAanother"), Operation::Encrypt, encrypt())), DENIED);
    // The same under another name.
    let renamed =
        Principal::User(User { name: "robert".to_owned(), path: "/".to_owned(), id: "AIDAbob".to_owned() });
    let renamed = Caller::new(own, renamed, "AKIAbob".to_owned());
    assert_eq!(code(world.call_as(&renamed, Operation::Encrypt, encrypt())), "ok");
    let mine = world
        .done(Operation::ListGrants, json!({"KeyId": key, "GranteePrincipal": to_bob()["GranteePrincipal"]}));
    assert_eq!(column(&mine, "Grants", "GrantId").len(), 1);
}

#[test]
fn grants_are_listed_by_key_by_grantee_and_by_who_retires_them() {
    let world = World::default();
    world.user_with(world.root.account(), "alice", Has::default());
    world.user_with(world.root.account(), "bob", Has::default());
    let (key, other) = (world.key(), world.key());
    let bob = "arn:aws:iam::111122223333:user/bob";
    let constraints = json!({"EncryptionContextSubset": {"a": "1"}});
    let (first, _) =
        grant(&world, &key, json!({"RetiringPrincipal": bob, "Constraints": constraints, "Name": "n"}));
    let (second, _) = grant(&world, &key, json!({"GranteePrincipal": bob}));
    let (third, _) = grant(&world, &other, json!({"RetiringPrincipal": bob}));
    let ids = |operation, request: Value| {
        let mut ids = column(&world.done(operation, request), "Grants", "GrantId");
        ids.sort();
        ids
    };
    let sorted = |ids: &[&String]| {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(Operation::ListGrants, json!({"KeyId": key})), sorted(&[&first, &second]));
    assert_eq!(
        ids(Operation::ListGrants, json!({"KeyId": key, "GranteePrincipal": ALICE})),
        sorted(&[&first])
    );
    assert_eq!(ids(Operation::ListGrants, json!({"KeyId": key, "GrantId": second})), sorted(&[&second]));
    assert_eq!(
        ids(Operation::ListRetirableGrants, json!({"RetiringPrincipal": bob})),
        sorted(&[&first, &third])
    );
    let page = world.done(Operation::ListGrants, json!({"KeyId": key, "Limit": 1}));
    assert_eq!(page["Truncated"], true);
    let rest = world.done(Operation::ListGrants, json!({"KeyId": key, "Marker": page["NextMarker"]}));
    assert_eq!(column(&rest, "Grants", "GrantId").len(), 1);
    let listed = world.done(Operation::ListGrants, json!({"KeyId": key, "GrantId": first}));
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{key}");
    let mut expected = json!({
        "KeyId": arn, "GrantId": first, "Name": "n", "GranteePrincipal": ALICE, "RetiringPrincipal": bob,
        "IssuingAccount": "arn:aws:iam::111122223333:root", "Operations": ["Encrypt", "Decrypt"],
        "Constraints": {"EncryptionContextSubset": {"a": "1"}},
    });
    expected["CreationDate"] = listed["Grants"][0]["CreationDate"].clone();
    assert_eq!(listed["Grants"], json!([expected]));
}

#[test]
fn a_grant_that_cannot_be_is_refused_by_its_own_reason() {
    let world = World::with_quotas(Quotas { grants_per_key: 2, ..Quotas::DEFAULT });
    world.user_with(world.root.account(), "alice", Has::default());
    let (key, signs) = (world.key(), world.key_of(KeySpec::EccNistP256, KeyUsage::SignVerify));
    world.done(Operation::CreateAlias, json!({"AliasName": "alias/a", "TargetKeyId": key}));
    let base = || json!({"KeyId": key, "GranteePrincipal": ALICE, "Operations": ["Decrypt"]});
    let nine: serde_json::Map<_, _> = (0..9).map(|n| (n.to_string(), json!("v"))).collect();
    for (change, expected) in [
        (json!({"Operations": ["CreateGrant"]}), "ValidationException"),
        (json!({"Operations": []}), "ValidationException"),
        (json!({"Operations": ["Sign"]}), "ValidationException"),
        (
            json!({"KeyId": signs, "Operations": ["Sign"], "Constraints": {"EncryptionContextSubset": {"a": "b"}}}),
            "ValidationException",
        ),
        (json!({"Constraints": {"EncryptionContextSubset": nine}}), "ValidationException"),
        (json!({"Constraints": {"EncryptionContextEquals": {"a": "v".repeat(385)}}}), "ValidationException"),
        (json!({"GranteePrincipal": "arn:aws:iam::111122223333:user/nobody"}), "InvalidArnException"),
        (json!({"GranteePrincipal": "arn:aws:iam::999999999999:root"}), "InvalidArnException"),
        (json!({"RetiringPrincipal": "arn:aws:iam::111122223333:role/none"}), "InvalidArnException"),
        (json!({"GranteePrincipal": "arn:aws:sts::111122223333:assumed-role/none/s"}), "InvalidArnException"),
        (
            json!({"GranteePrincipal": "arn:aws:sts::111122223333:assumed-role/p/none/s"}),
            "InvalidArnException",
        ),
        (json!({"GranteePrincipal": "AROA1111111111111111:s"}), "InvalidArnException"),
        (json!({"KeyId": "alias/a"}), "InvalidArnException"),
        (json!({"GrantTokens": ["AAAA"]}), "InvalidGrantTokenException"),
        (json!({"DryRun": true}), "DryRunOperationException"),
        (json!({"GranteePrincipal": "111122223333"}), "ok"),
        (json!({}), "ok"),
        (json!({}), "LimitExceededException"),
    ] {
        let mut request = base();
        for (name, value) in change.as_object().unwrap() {
            request[name] = value.clone();
        }
        assert_eq!(code(world.call(Operation::CreateGrant, request)), expected, "{change}");
    }
    let id = column(&world.done(Operation::ListGrants, json!({"KeyId": key})), "Grants", "GrantId").remove(0);
    world.done(Operation::RevokeGrant, json!({"KeyId": key, "GrantId": id}));
    assert_eq!(code(world.call(Operation::CreateGrant, base())), "ok");
}

#[test]
fn a_key_with_more_grants_and_aliases_than_a_batch_takes_goes_whole() {
    for grants in [14, 15, 16, 60] {
        let world = World::default();
        world.user_with(world.root.account(), "alice", Has::default());
        let key = world.key();
        for number in 0..grants {
            grant(&world, &key, json!({"Name": number.to_string(), "RetiringPrincipal": ALICE}));
        }
        for number in 0..grants.min(50) {
            let alias = json!({"AliasName": format!("alias/{number}"), "TargetKeyId": key});
            world.done(Operation::CreateAlias, alias);
        }
        world.done(Operation::ScheduleKeyDeletion, json!({"KeyId": key, "PendingWindowInDays": 7}));
        world.pass_days(7);
        assert_eq!(world.run_due(), Ok(1), "{grants}");
        let left: Vec<_> = world.paths().into_iter().filter(|path| path.contains(&key)).collect();
        assert_eq!(left, Vec::<String>::new(), "{grants}");
    }
}
