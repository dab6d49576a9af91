//! Explanations, and what may be when not all is known: both must say what the engine decides.

use keyreeve_policy::{
    Access, Cause, ContextKey, Decision, Effect, ExplainedPolicy, ExplainedStatement, Explanation, GrantLack,
    Grounds, Lack, Layer, Residual, Truth, access, decide, explain,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{engine, generate};

fn named<'e, 'p, 'a>(
    explanation: &'e Explanation<'p, 'a>,
    cause: &Cause<'_>,
) -> &'e ExplainedStatement<'p, 'a> {
    let is_it = |policy: &&ExplainedPolicy<'_, '_>| {
        (policy.layer, policy.level, policy.index) == (cause.layer, cause.level, cause.policy)
    };
    &explanation.policies.iter().find(is_it).unwrap().statements[cause.statement]
}

/// Whether a statement of a layer that binds applies with this effect.
fn applies(explanation: &Explanation<'_, '_>, effect: Effect, layer: Option<Layer>) -> bool {
    let policies = explanation.policies.iter().filter(|policy| policy.binds);
    let mut of_layer = policies.filter(|policy| layer.is_none_or(|layer| layer == policy.layer));
    of_layer
        .any(|policy| policy.statements.iter().any(|one| one.effect == effect && one.applies == Truth::Yes))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(
        if std::env::var_os("KEYREEVE_TEST_LONG").is_some() { 50_000 } else { 2_000 }
    ) })]

    #[test]
    fn an_explanation_is_of_the_decision(case in generate::case()) {
        engine::with_request(&case, |request, policies| {
            let explanation = explain(request, policies);
            prop_assert_eq!(explanation.decision, decide(request, policies));
            let denied = applies(&explanation, Effect::Deny, None);
            match explanation.decision {
                Decision::ExplicitDeny(cause) => {
                    let statement = named(&explanation, &cause);
                    prop_assert_eq!((statement.effect, statement.applies), (Effect::Deny, Truth::Yes), "{:#}", case);
                }
                Decision::Allow(grounds) => {
                    prop_assert!(!denied, "{:#}", case);
                    match grounds {
                        Grounds::Statement(cause) => {
                            let statement = named(&explanation, &cause);
                            prop_assert_eq!((statement.effect, statement.applies), (Effect::Allow, Truth::Yes));
                            prop_assert!(statement.naming.is_some() && statement.sid == cause.sid);
                        }
                        Grounds::Grant(id) => {
                            prop_assert!(explanation.grants.iter().any(|grant| grant.id == id && grant.lack.is_none()));
                        }
                        Grounds::Root => prop_assert!(!applies(&explanation, Effect::Allow, Some(Layer::Key))),
                    }
                }
                Decision::ImplicitDeny(Lack::CrossAccount) => {}
                Decision::ImplicitDeny(lack) => {
                    prop_assert!(!denied, "{:#}", case);
                    prop_assert!(explanation.grants.iter().all(|grant| grant.lack.is_some())
                        || matches!(lack, Lack::Layer(Layer::ServiceControl | Layer::Endpoint) | Lack::Anonymous | Lack::WrongResource)
                        || matches!(lack, Lack::Layer(_)) && case["action"].as_str().unwrap().contains("Create"), "{:#}", case);
                    if let Lack::Layer(layer @ (Layer::Identity | Layer::Session | Layer::PermissionsBoundary)) = lack {
                        prop_assert!(!applies(&explanation, Effect::Allow, Some(layer)), "{:#}", case);
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn what_is_not_known_is_never_guessed(case in generate::case(), known in any::<u32>()) {
        // Some of the keys; of the others nothing is known, also those that the request does not have.
        let mut partial = case.clone();
        let keys = case["context"].as_object().unwrap();
        let kept = keys.iter().enumerate().filter(|(index, _)| known >> (index % 32) & 1 == 1);
        partial["context"] = Value::Object(kept.map(|(_, (key, value))| (key.clone(), value.clone())).collect());
        let twins = keys.keys().filter(|key| key.eq_ignore_ascii_case("kms:EncryptionContext:Dept")).count();
        let decision = engine::decision(&case);
        engine::with_request(&partial, |request, policies| {
            match access(request, policies) {
                // One of two keys that differ in case alone is not all that is known of it.
                _ if twins > 1 => {}
                Access::Allowed(_) => prop_assert_eq!(decision, "allow", "{:#}", case),
                Access::Never(_) => prop_assert_ne!(decision, "allow", "{:#}", case),
                Access::Depends(residuals) => prop_assert!(!residuals.is_empty(), "{:#}", case),
            }
            Ok(())
        })?;
    }

    #[test]
    fn what_is_all_known_depends_on_nothing(mut case in generate::case()) {
        // Each key that policies of generated cases ask for is there or known to be absent.
        let grants = case["grants"].as_array_mut().unwrap();
        grants.iter_mut().for_each(|grant| grant["Constraints"] = json!({}));
        let keys = case["context"].as_object().unwrap().clone();
        let is_known = |key: &str| keys.keys().any(|known| known.eq_ignore_ascii_case(key));
        for key in generate::KEYS.iter().map(|(key, _)| *key).chain(["aws:nothing", "kms:GrantConstraintType"]) {
            if !is_known(key) {
                case["context"][key] = json!([]);
            }
        }
        let decision = engine::decision(&case);
        engine::with_request(&case, |request, policies| {
            match access(request, policies) {
                Access::Allowed(_) => prop_assert_eq!(decision, "allow", "{:#}", case),
                Access::Never(_) => prop_assert_ne!(decision, "allow", "{:#}", case),
                Access::Depends(residuals) => prop_assert!(false, "{:?} {:#}", residuals, case),
            }
            Ok(())
        })?;
    }
}

#[test]
fn what_it_depends_on_is_named() {
    let key_policy = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements});
    let allow = |more: Value| {
        let mut statement =
            json!({"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "*", "Resource": "*"});
        statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        statement
    };
    let plain = allow(json!({}));
    let from_office = json!({"Condition": {
        "IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "StringEquals": {"aws:RequestedRegion": "us-west-2"}
    }});
    let conditional = allow(from_office.clone());
    let mut deny = allow(json!({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}));
    deny["Effect"] = json!("Deny");
    let everything = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    for (name, key, identity, expected) in [
        ("all is allowed", json!([plain]), json!([everything]), "allowed"),
        ("nothing is allowed", json!([plain]), json!([]), "never"),
        (
            "a condition that is known not to hold",
            json!([allow(json!({"Condition": {"StringEquals": {"aws:username": "Bob"}}}))]),
            json!([everything]),
            "never",
        ),
        (
            "a condition that is known to hold",
            json!([allow(json!({"Condition": {"StringEquals": {"aws:username": "Alice"}}}))]),
            json!([everything]),
            "allowed",
        ),
        ("an open condition", json!([conditional]), json!([everything]), "Key 0 Allow [0]"),
        ("an open condition that is not needed", json!([conditional, plain]), json!([everything]), "allowed"),
        ("an open denial", json!([plain, deny]), json!([everything]), "Key 1 Deny [0]"),
        ("both", json!([conditional, deny]), json!([everything]), "Key 0 Allow [0], Key 1 Deny [0]"),
        (
            "a variable",
            json!([plain]),
            json!([key_policy(
                json!({"Effect": "Allow", "Action": "*", "Resource": "arn:aws:kms:*:*:key/${aws:PrincipalTag/key}"})
            )]),
            "Identity 0 Allow [] resource",
        ),
        (
            "a variable in a value",
            json!([allow(
                json!({"Condition": {"StringEquals": {"aws:username": ["Bob", "${aws:PrincipalTag/name}"]}}})
            )]),
            json!([everything]),
            "Key 0 Allow [0]",
        ),
        (
            "a variable that is not needed",
            json!([allow(
                json!({"Condition": {"StringEquals": {"aws:username": ["Alice", "${aws:PrincipalTag/name}"]}}})
            )]),
            json!([everything]),
            "allowed",
        ),
        (
            "a variable in an ARN",
            json!([allow(
                json!({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::${aws:PrincipalTag/b}"}}})
            )]),
            json!([everything]),
            "Key 0 Allow [0]",
        ),
        (
            "another resource",
            json!([plain]),
            json!([{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b"}}]),
            "never",
        ),
        (
            "an open condition that is not needed, beside an open denial",
            json!([conditional, plain, deny]),
            json!([everything]),
            "Key 2 Deny [0]",
        ),
        (
            "a condition that does not hold, beside an open denial",
            json!([
                plain,
                deny,
                allow(
                    json!({"Condition": {"Bool": {"aws:username": "x"}, "Null": {"aws:SourceIp": "true"}}})
                )
            ]),
            json!([everything]),
            "Key 1 Deny [0]",
        ),
    ] {
        let case = json!({
            "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/Alice"},
            "action": "kms:Decrypt",
            "resource": "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "context": {
                "aws:username": "Alice",
                "aws:RequestedRegion": "us-west-2",
                "aws:SourceArn": "arn:aws:s3:::bucket",
            },
            "key_policy": key_policy(key),
            "identity_policies": identity,
        });
        let said = engine::with_request(&case, |request, policies| match access(request, policies) {
            Access::Allowed(_) => "allowed".to_owned(),
            Access::Never(_) => "never".to_owned(),
            Access::Depends(residuals) => residuals.iter().map(word).collect::<Vec<_>>().join(", "),
        });
        assert_eq!(said, expected, "{name}");
    }
}

#[test]
fn a_grant_says_why_it_does_not_give_what_is_asked() {
    let arn = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let role = "arn:aws:iam::111122223333:role/Example";
    let session = "arn:aws:sts::111122223333:assumed-role/Example/s";
    let s3 = json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}});
    let root = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "*", "Resource": "*"}});
    for (action, grantee, more, boundary, lack) in [
        ("kms:Decrypt", role, json!({}), Value::Null, None),
        ("kms:Decrypt", role, json!({}), s3.clone(), Some(GrantLack::Ceiling(Layer::PermissionsBoundary))),
        ("kms:Decrypt", session, json!({}), s3.clone(), None),
        (
            "kms:Decrypt",
            "arn:aws:iam::111122223333:role/Other",
            json!({}),
            Value::Null,
            Some(GrantLack::Grantee),
        ),
        ("kms:Decrypt", role, json!({"KeyId": "other"}), Value::Null, Some(GrantLack::Key)),
        ("kms:Encrypt", role, json!({}), Value::Null, Some(GrantLack::Operation)),
        (
            "kms:Decrypt",
            role,
            json!({"Constraints": {"EncryptionContextEquals": {"a": "b"}}}),
            Value::Null,
            Some(GrantLack::Constraint),
        ),
        (
            "kms:Decrypt",
            role,
            json!({"Constraints": {"SourceArn": "arn:aws:s3:::b"}}),
            Value::Null,
            Some(GrantLack::Constraint),
        ),
        ("kms:CreateGrant", role, json!({}), Value::Null, Some(GrantLack::Child)),
        ("kms:RetireGrant", role, json!({}), Value::Null, Some(GrantLack::Retiring)),
        ("kms:RetireGrant", role, json!({"RetiringPrincipal": role}), Value::Null, None),
    ] {
        let mut grant = json!({"GrantId": "g", "KeyId": arn, "GranteePrincipal": grantee, "Operations": ["Decrypt", "CreateGrant"]});
        grant.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let case = json!({
            "principal": {"type": "assumed-role", "arn": session, "role_arn": role},
            "action": action,
            "resource": arn,
            "context": {"kms:GrantOperations": ["Decrypt", "Encrypt"]},
            "key_policy": root,
            "permissions_boundary": boundary,
            "grants": [grant],
        });
        engine::with_request(&case, |request, policies| {
            let explanation = explain(request, policies);
            assert_eq!(explanation.grants[0].lack, lack, "{action} {grantee} {more}");
            assert_eq!(explanation.decision.is_allow(), lack.is_none(), "{action} {grantee} {more}");
        });
    }
}

#[test]
fn a_grant_mentions_what_its_constraints_look_at() {
    for (operations, constraints, keys) in [
        (json!(["Decrypt"]), json!({"EncryptionContextEquals": {"a": "b"}}), &[][..]),
        (json!(["Decrypt"]), json!({"SourceArn": "arn:aws:s3:::b"}), &[ContextKey::AwsSourceArn]),
        (
            json!(["CreateGrant"]),
            json!({}),
            &[ContextKey::KmsGrantConstraintType, ContextKey::KmsGrantOperations],
        ),
    ] {
        let case = json!({
            "principal": {"type": "anonymous"},
            "action": "kms:Decrypt",
            "resource": "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "grants": [{"GrantId": "g", "Operations": operations, "Constraints": constraints}],
        });
        engine::with_request(&case, |_, policies| {
            let mentions = policies.grants[0].mentions();
            let mentioned: Vec<_> = ContextKey::all().filter(|key| mentions.contains(*key)).collect();
            assert_eq!(mentioned, keys, "{operations} {constraints}");
        });
    }
}

#[test]
fn a_grant_that_it_depends_on_is_named() {
    let grant = |who: &str, constraints: Value| {
        json!({
            "GrantId": "g",
            "KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab",
            "GranteePrincipal": format!("arn:aws:iam::111122223333:user/{who}"),
            "Operations": ["Decrypt"],
            "Constraints": constraints,
        })
    };
    let subset = json!({"EncryptionContextSubset": {"a": "b"}});
    let allow =
        json!({"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "*", "Resource": "*"});
    let deny = json!({
        "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    });
    for (name, statements, grants, expected) in [
        ("a constraint", json!([allow]), json!([grant("Alice", subset.clone())]), "grant g"),
        ("none", json!([allow]), json!([grant("Alice", json!({}))]), "allowed"),
        ("of somebody else", json!([allow]), json!([grant("Bob", subset.clone())]), "never"),
        (
            "a source",
            json!([allow]),
            json!([grant("Alice", json!({"SourceArn": "arn:aws:s3:::b"}))]),
            "grant g",
        ),
        (
            "a denial",
            json!([allow, deny]),
            json!([grant("Alice", json!({})), grant("Bob", subset.clone())]),
            "Key 1 Deny [0]",
        ),
        ("both", json!([allow, deny]), json!([grant("Alice", subset)]), "Key 1 Deny [0], grant g"),
    ] {
        let case = json!({
            "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/Alice"},
            "action": "kms:Decrypt",
            "resource": "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "key_policy": {"Version": "2012-10-17", "Statement": statements},
            "grants": grants,
        });
        let said = engine::with_request(&case, |request, policies| match access(request, policies) {
            Access::Allowed(_) => "allowed".to_owned(),
            Access::Never(_) => "never".to_owned(),
            Access::Depends(residuals) => residuals.iter().map(word).collect::<Vec<_>>().join(", "),
        });
        assert_eq!(said, expected, "{name}");
    }
}

fn word(residual: &Residual<'_>) -> String {
    match residual {
        Residual::Grant(id) => format!("grant {id}"),
        Residual::Statement { cause, effect, conditions, resource } => {
            let resource = if *resource { " resource" } else { "" };
            format!("{:?} {} {effect:?} {conditions:?}{resource}", cause.layer, cause.statement)
        }
    }
}
