//! Simulations, against what is documented of them and against the engine.

use keyreeve_policy::{Simulated, context_keys, simulate, statement_spans};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{engine, generate};

const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn policy(effect: &str, action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": effect, "Effect": effect, "Action": action, "Resource": "*"}]})
}

#[test]
fn a_simulation_asks_the_policies_of_the_caller() {
    let (allow, deny) = (policy("Allow", "kms:*"), policy("Deny", "kms:Dec*"));
    let other = policy("Allow", "s3:*");
    let key = |principal: &str| json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "*", "Resource": "*"}});
    for (name, members, decision, matched) in [
        ("nothing", json!({}), Simulated::ImplicitDeny, vec![]),
        ("an allow", json!({"identity_policies": [other, allow]}), Simulated::Allowed, vec!["Identity 1 0"]),
        (
            "two allows",
            json!({"identity_policies": [allow, allow]}),
            Simulated::Allowed,
            vec!["Identity 0 0", "Identity 1 0"],
        ),
        (
            "a deny",
            json!({"identity_policies": [allow, deny]}),
            Simulated::ExplicitDeny,
            vec!["Identity 1 0"],
        ),
        (
            "a boundary that allows",
            json!({"identity_policies": [allow], "permissions_boundary": allow}),
            Simulated::Allowed,
            vec!["Identity 0 0"],
        ),
        (
            "a boundary that does not",
            json!({"identity_policies": [allow], "permissions_boundary": other}),
            Simulated::ImplicitDeny,
            vec![],
        ),
        (
            "a boundary that denies",
            json!({"identity_policies": [allow], "permissions_boundary": deny}),
            Simulated::ExplicitDeny,
            vec!["PermissionsBoundary 0 0"],
        ),
        (
            "a level that does not allow",
            json!({"identity_policies": [allow], "scps": [[allow], [other]]}),
            Simulated::ImplicitDeny,
            vec![],
        ),
        (
            "a session that does not allow",
            json!({"identity_policies": [allow], "session_policy": other}),
            Simulated::ImplicitDeny,
            vec![],
        ),
        (
            "a key policy that leaves it to the account",
            json!({"identity_policies": [allow], "key_policy": key("111122223333")}),
            Simulated::Allowed,
            vec!["Key 0 0", "Identity 0 0"],
        ),
        (
            "a key policy for others",
            json!({"identity_policies": [allow], "key_policy": key("444455556666")}),
            Simulated::ImplicitDeny,
            vec![],
        ),
        (
            "a grant does not count",
            json!({
                "key_policy": key("444455556666"),
                "grants": [{"GrantId": "g", "KeyId": KEY, "GranteePrincipal": "arn:aws:iam::111122223333:user/Alice", "Operations": ["Decrypt"]}],
            }),
            Simulated::ImplicitDeny,
            vec![],
        ),
    ] {
        let mut case = json!({
            "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/Alice"},
            "action": "kms:Decrypt",
            "resource": KEY,
        });
        case.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        engine::with_request(&case, |request, policies| {
            let simulation = simulate(request, policies);
            let causes: Vec<_> = simulation
                .matched
                .iter()
                .map(|cause| format!("{:?} {} {}", cause.layer, cause.policy, cause.statement))
                .collect();
            assert_eq!(simulation.decision, decision, "{name}");
            assert_eq!(causes, matched, "{name}");
            let has = |member: &str| case.get(member).is_some();
            assert_eq!(simulation.allowed_by_boundary.is_some(), has("permissions_boundary"), "{name}");
            assert_eq!(simulation.allowed_by_organization, has("scps").then_some(false), "{name}");
            assert_eq!(simulation.by_resource.is_some(), has("key_policy"), "{name}");
        });
    }
}

#[test]
fn what_a_request_lacks_is_told_as_policies_write_it() {
    let case = json!({
        "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/Alice"},
        "action": "kms:Decrypt",
        "resource": KEY,
        "context": {"AWS:username": "Alice"},
        "identity_policies": [{"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "*", "Resource": "arn:aws:kms:*:*:key/${aws:PrincipalTag/Key}",
            "Condition": {"StringEquals": {"aws:UserName": "${AWS:userid}", "kms:ViaService": "x"}},
        }}],
        "permissions_boundary": {"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null": {"KMS:viaservice": "true"}},
        }},
    });
    engine::with_request(&case, |request, policies| {
        let simulation = simulate(request, policies);
        assert_eq!(simulation.missing, ["aws:PrincipalTag/Key", "AWS:userid", "kms:ViaService"]);
        assert_eq!(
            context_keys(policies.identity.iter().copied()),
            ["aws:PrincipalTag/Key", "aws:UserName", "AWS:userid", "kms:ViaService"]
        );
    });
}

#[test]
fn decisions_are_named_as_the_api_has_them() {
    let names = [Simulated::Allowed, Simulated::ExplicitDeny, Simulated::ImplicitDeny].map(Simulated::name);
    assert_eq!(names, ["allowed", "explicitDeny", "implicitDeny"]);
}

#[test]
fn a_matched_statement_has_a_place_in_its_text() {
    let text =
        "{\"Version\":\"2012-10-17\",\n \"Statement\":[{\"Effect\":\"Deny\"},\n {\"Effect\":\"Allow\"}]}";
    let spans = statement_spans(text);
    let places: Vec<_> = spans
        .iter()
        .map(|span| (span.start.line, span.start.column, span.end.line, span.end.column))
        .collect();
    assert_eq!(places, [(2, 15, 2, 32), (3, 2, 3, 20)]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn a_simulation_with_a_resource_policy_is_the_decision(mut case in generate::case()) {
        case["grants"] = json!([]);
        let decision = engine::decision(&case);
        engine::with_request(&case, |request, policies| {
            let simulation = simulate(request, policies);
            if policies.key.is_some() {
                let expected = match decision {
                    "allow" => Simulated::Allowed,
                    "explicit_deny" => Simulated::ExplicitDeny,
                    _ => Simulated::ImplicitDeny,
                };
                prop_assert_eq!(simulation.decision, expected, "{:#}", case);
            }
            // A root user is allowed without a statement.
            let is_root = case["principal"]["type"] == "root";
            match simulation.decision {
                Simulated::Allowed => prop_assert!(is_root || !simulation.matched.is_empty(), "{:#}", case),
                Simulated::ExplicitDeny => prop_assert!(!simulation.matched.is_empty(), "{:#}", case),
                Simulated::ImplicitDeny => prop_assert!(simulation.matched.is_empty(), "{:#}", case),
            }
            Ok(())
        })?;
    }
}
