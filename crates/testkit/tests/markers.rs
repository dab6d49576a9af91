//! Pages and their markers.
#![expect(clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeSet;

use keyreeve_domain::spec::KeyState;
use keyreeve_testkit::{World, column};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

fn invalid() -> (u16, Value) {
    (400, json!({"__type": "InvalidMarkerException"}))
}

fn with(request: &Value, member: &str, value: &Value) -> Value {
    let mut request = request.clone();
    request[member] = value.clone();
    request
}

/// A world where every list below has more than one page, and the requests for them.
fn lists() -> (World, Vec<(Operation, Value)>) {
    let world = World::default();
    let of = world.fixture(KeyState::Enabled);
    world.fixture(KeyState::Enabled);
    for name in ["alias/second", "alias/third"] {
        world.done(Operation::CreateAlias, json!({"AliasName": name, "TargetKeyId": of.id}));
        world.done(
            Operation::CreateAlias,
            json!({"AliasName": format!("{name}/of-other"), "TargetKeyId": of.other}),
        );
    }
    for id in [&of.id, &of.other] {
        let tags = json!([{"TagKey": "a", "TagValue": "b"}, {"TagKey": "c", "TagValue": "d"}]);
        world.done(Operation::TagResource, json!({"KeyId": id, "Tags": tags}));
        world.done(Operation::RotateKeyOnDemand, json!({"KeyId": id}));
        world.done(Operation::RotateKeyOnDemand, json!({"KeyId": id}));
    }
    let one = |key: &str| json!({"KeyId": key, "Limit": 1});
    let requests = vec![
        (Operation::ListKeys, json!({"Limit": 1})),
        (Operation::ListAliases, json!({"Limit": 1})),
        (Operation::ListAliases, one(&of.id)),
        (Operation::ListAliases, one(&of.other)),
        (Operation::ListKeyRotations, one(&of.id)),
        (Operation::ListKeyRotations, one(&of.other)),
        (
            Operation::ListKeyRotations,
            json!({"KeyId": of.id, "Limit": 1, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}),
        ),
        (Operation::ListResourceTags, one(&of.id)),
        (Operation::ListResourceTags, one(&of.other)),
        (Operation::ListKeyPolicies, one(&of.id)),
    ];
    (world, requests)
}

#[test]
fn a_marker_is_of_one_list_alone() {
    let (world, requests) = lists();
    for (at, (operation, request)) in requests.iter().enumerate() {
        let page = world.done(*operation, request.clone());
        let Some(marker) = page.get("NextMarker") else {
            assert_eq!(*operation, Operation::ListKeyPolicies);
            continue;
        };
        for (other_at, (other, request)) in requests.iter().enumerate() {
            let answer = world.call(*other, with(request, "Marker", marker));
            let case = format!("a marker of {operation} in {other} {request}");
            if at == other_at {
                assert_eq!(answer.0, 200, "{case}: {}", answer.1);
            } else {
                assert_eq!(answer, invalid(), "{case}");
            }
        }
    }
}

#[test]
fn a_marker_of_another_account_region_or_deployment_is_refused() {
    let (mut world, _) = lists();
    for operation in [Operation::ListKeys, Operation::ListAliases] {
        let page = world.done(operation, json!({"Limit": 1}));
        let request = json!({"Limit": 1, "Marker": page["NextMarker"]});
        assert_eq!(world.call_as(&world.stranger, operation, request.clone()), invalid(), "{operation}");
        assert_eq!(
            world.call_fresh(operation, &request).0,
            200,
            "{operation}: another process of the same deployment"
        );
        let other = world.service_of_another_keyring();
        assert_eq!(world.call_on(&other, operation, &request), invalid(), "{operation}: another keyring");
        world.region = "eu-west-1".parse().unwrap();
        assert_eq!(world.call(operation, request), invalid(), "{operation}: another Region");
        world.region = "us-east-1".parse().unwrap();
    }
}

#[test]
fn a_marker_that_was_tampered_with_is_refused() {
    let (world, requests) = lists();
    for (operation, request) in requests {
        let page = world.done(operation, request.clone());
        let Some(marker) = page.get("NextMarker").and_then(Value::as_str) else { continue };
        let mut tampered: Vec<_> = (0..marker.len())
            .map(|at| {
                let swapped = if marker.as_bytes()[at] == b'A' { "B" } else { "A" };
                format!("{}{swapped}{}", &marker[..at], &marker[at + 1..])
            })
            .collect();
        tampered.extend([
            marker[..marker.len() - 4].to_owned(),
            format!("{marker}AAAA"),
            "A".into(),
            "*".into(),
        ]);
        for marker in tampered {
            let answer = world.call(operation, with(&request, "Marker", &json!(marker)));
            assert_eq!(answer, invalid(), "{operation}: {marker}");
        }
    }
}

/// The lists that can have more than one page, and what tells their elements apart.
const LISTS: [(Operation, &str, &str); 4] = [
    (Operation::ListKeys, "Keys", "KeyId"),
    (Operation::ListAliases, "Aliases", "AliasName"),
    (Operation::ListKeyRotations, "Rotations", "KeyMaterialId"),
    (Operation::ListResourceTags, "Tags", "TagKey"),
];

#[test]
fn pages_hold_everything_that_stays_exactly_once() {
    let (world, requests) = lists();
    for (operation, request) in requests {
        let list = LISTS.iter().find(|(listed, ..)| *listed == operation);
        let Some((_, list, member)) = list else { continue };
        let whole = world.done(operation, with(&request, "Limit", &json!(100)));
        assert_eq!(whole["Truncated"], false, "{operation}");
        assert!(whole.get("NextMarker").is_none(), "{operation}");
        let expected = column(&whole, list, member);
        for limit in [1, 2, 3, 7] {
            let mut seen = Vec::new();
            let mut next = with(&request, "Limit", &json!(limit));
            loop {
                let page = world.done(operation, next.clone());
                let entries = column(&page, list, member);
                assert!(entries.len() <= limit, "{operation}");
                seen.extend(entries);
                assert_eq!(page["Truncated"] == true, page.get("NextMarker").is_some(), "{operation}");
                match page.get("NextMarker") {
                    Some(marker) => next["Marker"] = marker.clone(),
                    None => break,
                }
            }
            assert_eq!(seen, expected, "{operation} {request}, {limit} a page");
        }
    }
}

#[test]
fn keys_that_come_and_go_between_two_pages_move_no_other() {
    let world = World::default();
    let staying: BTreeSet<_> = (0..12).map(|_| world.key()).collect();
    let mut leaving: Vec<_> = (0..12).map(|_| world.key()).collect();
    for key in &leaving {
        world.done(Operation::ScheduleKeyDeletion, json!({"KeyId": key, "PendingWindowInDays": 7}));
        world.pass_days(1);
    }
    let mut seen = Vec::new();
    let mut request = json!({"Limit": 2});
    loop {
        let page = world.done(Operation::ListKeys, request.clone());
        seen.extend(column(&page, "Keys", "KeyId"));
        let Some(marker) = page.get("NextMarker") else { break };
        request["Marker"] = marker.clone();
        world.key();
        world.pass_days(1);
        world.run_due().unwrap();
        leaving.pop();
    }
    let once: BTreeSet<_> = seen.iter().cloned().collect();
    assert_eq!(once.len(), seen.len(), "nothing is seen twice");
    assert!(staying.is_subset(&once), "nothing that stayed is left out");
}
