//! Cases drawn from few words, so that policies and requests often meet.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ALIAS: &str = "arn:aws:kms:us-west-2:111122223333:alias/example";

/// A case: mostly of a key, sometimes of another service.
pub(crate) fn case() -> impl Strategy<Value = Value> {
    prop_oneof![
        9 => case_of(caller().boxed(), action().boxed()),
        1 => case_of_services(),
    ]
}

/// A case of IAM or of the assumption of a role.
fn case_of_services() -> impl Strategy<Value = Value> {
    let web = json!({"type": "web-identity", "arn": "accounts.example.com"});
    let callers = prop_oneof![2 => caller().boxed(), 1 => Just(web).boxed()];
    let actions = select(&["sts:AssumeRole", "sts:AssumeRole", "iam:CreateUser", "s3:GetObject"][..]);
    let cases = case_of(callers.boxed(), actions.boxed());
    (cases, option::weighted(0.7, policy(true))).prop_map(|(mut case, trust)| {
        case["key_policy"] = Value::Null;
        if let Some(mut trust) = trust {
            for statement in trust["Statement"].as_array_mut().unwrap() {
                let members = statement.as_object_mut().unwrap();
                members.remove("Resource");
                members.remove("NotResource");
            }
            case["trust_policy"] = trust;
        }
        case
    })
}

fn case_of(
    caller: BoxedStrategy<Value>,
    action: BoxedStrategy<&'static str>,
) -> impl Strategy<Value = Value> {
    let request = (caller, action, resource(), context(), pairs());
    let policies = (
        option::weighted(0.9, policy(true)),
        vec(policy(false), 0..3),
        option::weighted(0.2, policy(false)),
        option::weighted(0.2, policy(false)),
        option::weighted(0.15, vec(vec(guard(), 1..3), 0..3)),
        option::weighted(0.15, vec(vec(policy(true), 1..3), 0..2)),
        option::weighted(0.1, policy(true)),
        vec(grant(), 0..3),
    );
    (request, policies).prop_map(|(request, policies)| {
        let (principal, action, resource, context, encryption_context) = request;
        let (key, identity, boundary, session, scps, rcps, endpoint, grants) = policies;
        json!({
            "principal": principal,
            "action": action,
            "resource": resource,
            "resource_account": "111122223333",
            "context": context,
            "encryption_context": encryption_context,
            "key_policy": key,
            "identity_policies": identity,
            "permissions_boundary": boundary,
            "session_policy": session,
            "scps": scps,
            "rcps": rcps,
            "vpce_policy": endpoint,
            "grants": grants,
            "bound_ids": {
                "arn:aws:iam::111122223333:user/Alice": "AIDACKCEVSQ6C2EXAMPLE",
                "arn:aws:iam::111122223333:role/path/Example": "AROACKCEVSQ6C2EXAMPLE",
            },
        })
    })
}

/// A statement with this effect; one of a policy of a resource names a principal.
pub(crate) fn statement(of_resource: bool, effect: &'static str) -> impl Strategy<Value = Value> {
    let principal = if of_resource { principals().boxed() } else { Just(("", Value::Null)).boxed() };
    let about = (
        principal,
        actions(),
        resources(),
        option::weighted(0.5, condition()),
        option::of(select(&["a", "b"][..])),
    );
    about.prop_map(move |(principal, actions, resources, condition, sid)| {
        let mut statement = Map::new();
        statement.insert("Effect".into(), effect.into());
        if of_resource {
            statement.insert(principal.0.into(), principal.1);
        }
        statement.insert(actions.0.into(), actions.1);
        statement.insert(resources.0.into(), resources.1);
        statement.extend(condition.map(|condition| ("Condition".into(), condition)));
        statement.extend(sid.map(|sid| ("Sid".into(), sid.into())));
        Value::Object(statement)
    })
}

fn policy(of_resource: bool) -> BoxedStrategy<Value> {
    let one = prop_oneof![
        4 => statement(of_resource, "Allow"),
        1 => statement(of_resource, "Deny"),
    ];
    (option::weighted(0.9, select(&["2012-10-17", "2012-10-17", "2008-10-17"][..])), vec(one, 1..4))
        .prop_map(|(version, statements)| match version {
            Some(version) => json!({"Version": version, "Statement": statements}),
            None => json!({"Statement": statements}),
        })
        .boxed()
}

/// A service control policy: mostly the one that allows everything.
fn guard() -> impl Strategy<Value = Value> {
    let everything =
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    prop_oneof![3 => Just(everything), 2 => policy(false)]
}

fn caller() -> impl Strategy<Value = Value> {
    let session = "arn:aws:sts::111122223333:assumed-role/Example/s";
    let callers = vec![
        json!({"type": "user", "arn": "arn:aws:iam::111122223333:user/Alice"}),
        json!({"type": "user", "arn": "arn:aws:iam::111122223333:user/Alice"}),
        json!({"type": "user", "arn": "arn:aws:iam::111122223333:user/Alice", "id": "AIDACKCEVSQ6C2EXAMPLE"}),
        json!({"type": "user", "arn": "arn:aws:iam::111122223333:user/Alice", "id": "AIDAANOTHERONEEXAMPLE"}),
        json!({"type": "user", "arn": "arn:aws:iam::444455556666:user/Eve"}),
        json!({"type": "assumed-role", "arn": session, "role_arn": "arn:aws:iam::111122223333:role/path/Example"}),
        json!({"type": "assumed-role", "arn": session}),
        json!({"type": "assumed-role", "arn": session, "id": "AROACKCEVSQ6C2EXAMPLE"}),
        json!({"type": "assumed-role", "arn": session, "id": "AROAANOTHERONEEXAMPLE"}),
        json!({
            "type": "assumed-role",
            "arn": "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForThing/s",
            "role_arn": "arn:aws:iam::111122223333:role/aws-service-role/thing.amazonaws.com/AWSServiceRoleForThing",
        }),
        json!({"type": "assumed-role", "arn": "arn:aws:sts::444455556666:assumed-role/Far/s"}),
        json!({
            "type": "federated-user",
            "arn": "arn:aws:sts::111122223333:federated-user/Bob",
            "user_arn": "arn:aws:iam::111122223333:user/Alice",
        }),
        json!({"type": "root", "account": "111122223333", "arn": "arn:aws:iam::111122223333:root"}),
        json!({"type": "root", "account": "444455556666", "arn": "arn:aws:iam::444455556666:root"}),
        json!({"type": "service", "arn": "logs.amazonaws.com"}),
        json!({"type": "anonymous"}),
    ];
    select(callers)
}

const AWS: [&str; 13] = [
    "*",
    "111122223333",
    "111122223333",
    "444455556666",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:user/Alice",
    "arn:aws:iam::444455556666:user/Eve",
    "arn:aws:iam::111122223333:role/path/Example",
    "arn:aws:iam::444455556666:role/Far",
    "arn:aws:sts::111122223333:assumed-role/Example/s",
    "arn:aws:sts::111122223333:federated-user/Bob",
    "arn:aws:iam::111122223333:role/aws-service-role/thing.amazonaws.com/AWSServiceRoleForThing",
    "AIDACKCEVSQ6C2EXAMPLE",
];

fn principals() -> impl Strategy<Value = (&'static str, Value)> {
    let aws = vec(select(&AWS[..]), 1..4).prop_map(|aws| json!({"AWS": aws}));
    let service = select(&["logs.amazonaws.com", "s3.amazonaws.com"][..])
        .prop_map(|service| json!({"Service": service, "AWS": ["444455556666"]}));
    let federated = Just(json!({"Federated": "accounts.example.com"}));
    let value = prop_oneof![3 => Just(json!("*")), 12 => aws, 3 => service, 1 => federated];
    (prop_oneof![9 => Just("Principal"), 1 => Just("NotPrincipal")], value)
}

fn action() -> impl Strategy<Value = &'static str> {
    select(
        &[
            "kms:Decrypt",
            "kms:Decrypt",
            "kms:Decrypt",
            "kms:Encrypt",
            "KMS:encrypt",
            "kms:CreateGrant",
            "kms:RetireGrant",
            "kms:DescribeKey",
            "kms:PutKeyPolicy",
            "kms:CreateKey",
            "kms:CreateAlias",
            "kms:TagResource",
            "kms:FutureThing",
            "kms:ReEncryptTo",
            "iam:CreateUser",
        ][..],
    )
}

fn actions() -> impl Strategy<Value = (&'static str, Value)> {
    let words = [
        "*",
        "kms:*",
        "kms:*",
        "kms:Decrypt",
        "KMS:DECRYPT",
        "kms:?ecrypt",
        "kms:*rypt",
        "kms:Create*",
        "kms:Retire*",
        "s3:*",
        "sts:Assume*",
        "kms:Encrypt",
        "kms:ReEncrypt*",
        "kms:PutKeyPolicy",
    ];
    let name = prop_oneof![9 => Just("Action"), 1 => Just("NotAction")];
    (name, vec(select(words.to_vec()), 1..3)).prop_map(|(name, words)| (name, json!(words)))
}

fn resource() -> impl Strategy<Value = &'static str> {
    prop_oneof![8 => Just(KEY), 1 => Just(ALIAS), 1 => Just("*")]
}

fn resources() -> impl Strategy<Value = (&'static str, Value)> {
    let words = [
        "*",
        "*",
        "*",
        KEY,
        "arn:aws:kms:us-west-2:111122223333:key/*",
        "arn:aws:kms:*:*:key/1234*",
        "arn:aws:kms:*:111122223333:*",
        "arn:aws:kms",
        "arn:aws:kms:*:key/*",
        "arn:aws:kms:us-west-2:111122223333:key/????????-*ab",
        "arn:aws:kms:us-west-2:111122223333:key/${aws:PrincipalTag/key}*",
        "arn:aws:kms:us-west-2:${aws:PrincipalAccount}:key/*",
        "arn:aws:kms:us-west-2:111122223333:${aws:nothing, 'key'}/*",
        ALIAS,
        "arn:aws:s3:::bucket",
    ];
    let name = prop_oneof![9 => Just("Resource"), 1 => Just("NotResource")];
    (name, vec(select(words.to_vec()), 1..3)).prop_map(|(name, words)| (name, json!(words)))
}

/// The condition keys, with values that a request and a policy may have.
pub(crate) const KEYS: [(&str, &[&str]); 13] = [
    ("aws:username", &["Alice", "alice", "Bob", "A*", ""]),
    ("aws:PrincipalAccount", &["111122223333", "444455556666"]),
    ("aws:PrincipalTag/key", &["1234abcd", "1234", "*", "é?", "a😀"]),
    ("aws:PrincipalArn", &["arn:aws:iam::111122223333:user/Alice", "arn:aws:iam::111122223333:role/Example"]),
    (
        "aws:SourceIp",
        &["203.0.113.10", "198.51.100.7", "2001:db8::1", "2001:db8:::1", "::ffff:203.0.113.10", "host", ""],
    ),
    (
        "aws:SourceArn",
        &["arn:aws:s3:::bucket", "arn:aws:logs:us-west-2:111122223333:log-group:a:b", "bucket"],
    ),
    (
        "aws:CurrentTime",
        &[
            "2026-06-15T12:00:00Z",
            "1781524800",
            "2026-06-15T14:00:00+02:00",
            "2026-06-15T12:00:00.0009Z",
            "2027",
            "never",
        ],
    ),
    ("aws:MultiFactorAuthAge", &["3600", "3600.0", "36e2", "-1", "10000000000000000000001", "old"]),
    ("kms:MultiRegion", &["true", "false", "TRUE", "maybe"]),
    ("kms:EncryptionContext:Dept", &["IT", "it", "HR"]),
    ("kms:EncryptionContextKeys", &["Dept", "dept", "Purpose", ""]),
    ("kms:GrantOperations", &["Decrypt", "Encrypt", "RetireGrant"]),
    ("kms:RequestBytes", &["Zm9v", "Zm8=", "Zm8", "Zm9=", "?", ""]),
];

fn context() -> impl Strategy<Value = Value> {
    let present = subsequence(KEYS.to_vec(), 0..=KEYS.len());
    present
        .prop_flat_map(|keys| {
            let values: Vec<_> = keys
                .into_iter()
                .map(|(key, words)| {
                    let name = prop_oneof![9 => Just(key.to_owned()), 1 => Just(key.to_uppercase())];
                    let one = select(words.to_vec()).prop_map(|word| json!(word));
                    let many = vec(select(words.to_vec()), 0..4).prop_map(|words| json!(words));
                    let is_set = key.ends_with("Keys") || key.ends_with("Operations");
                    let value = if is_set {
                        prop_oneof![1 => one, 9 => many]
                    } else {
                        prop_oneof![19 => one, 1 => many]
                    };
                    (name, value)
                })
                .collect();
            (values, option::weighted(0.03, Just(("KMS:encryptioncontext:dept".to_owned(), json!("IT")))))
        })
        .prop_map(|(values, twin)| Value::Object(values.into_iter().chain(twin).collect()))
}

fn condition() -> impl Strategy<Value = Value> {
    vec((operator(), key_and_values()), 1..3).prop_map(|conditions| {
        let mut condition = Map::new();
        for (operator, (key, values)) in conditions {
            let keys = condition.entry(operator).or_insert_with(|| json!({}));
            keys[key] = values;
        }
        Value::Object(condition)
    })
}

fn operator() -> impl Strategy<Value = String> {
    let bare = select(
        &[
            "StringEquals",
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringLike",
            "StringNotLike",
            "NumericEquals",
            "NumericNotEquals",
            "NumericLessThan",
            "NumericLessThanEquals",
            "NumericGreaterThan",
            "NumericGreaterThanEquals",
            "DateEquals",
            "DateNotEquals",
            "DateLessThan",
            "DateLessThanEquals",
            "DateGreaterThan",
            "DateGreaterThanEquals",
            "Bool",
            "BinaryEquals",
            "IpAddress",
            "NotIpAddress",
            "ArnEquals",
            "ArnLike",
            "ArnNotEquals",
            "ArnNotLike",
            "Null",
        ][..],
    );
    let prefix = prop_oneof![6 => Just(""), 1 => Just("ForAllValues:"), 1 => Just("ForAnyValue:")];
    (prefix, bare, prop::bool::weighted(0.2)).prop_map(|(prefix, bare, if_exists)| {
        let suffix = if if_exists && bare != "Null" { "IfExists" } else { "" };
        format!("{prefix}{bare}{suffix}")
    })
}

fn key_and_values() -> impl Strategy<Value = (String, Value)> {
    const PATTERNS: [&str; 28] = [
        "*",
        "A*",
        "?lice",
        "*i*e",
        "a?",
        "a?*?",
        "rubbish",
        "${aws:username}",
        "x-${aws:nothing, 'Alice'}",
        "${aws:nothing, 'Alice'}",
        "${aws:nothing}",
        "${*}",
        "true",
        "false",
        "203.0.113.0/24",
        "2001:db8::/32",
        "2001:db8::1/32",
        "::ffff:cb00:7100/120",
        "203.000.113.0/+24",
        "3600",
        "0",
        "2026-06-15",
        "1781524800.5",
        "arn:aws:iam::111122223333:*",
        "arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}",
        "arn:aws:iam::*",
        "arn:*:s3:*:*:b?cket",
        "arn:aws:logs:*:*:log-group:*",
    ];
    select(KEYS.to_vec()).prop_flat_map(|(key, words)| {
        let own = select(words.to_vec());
        let value = prop_oneof![4 => own, 2 => select(PATTERNS.to_vec())];
        let key = prop_oneof![9 => Just(key.to_owned()), 1 => Just(key.to_lowercase())];
        let values = prop_oneof![
            3 => value.clone().prop_map(|value| json!(value)),
            3 => vec(value, 1..4).prop_map(|values| json!(values)),
            1 => select(vec![json!(true), json!(3600), json!([]), json!(false)]),
        ];
        (key, values)
    })
}

fn pairs() -> impl Strategy<Value = Value> {
    let words =
        vec![json!({}), json!({"Dept": "IT"}), json!({"Dept": "IT", "Purpose": "x"}), json!({"dept": "IT"})];
    select(words)
}

fn grant() -> impl Strategy<Value = Value> {
    let parties = vec(select(AWS.to_vec()), 2);
    let key =
        prop_oneof![8 => Just(KEY), 1 => Just("1234abcd-12ab-34cd-56ef-1234567890ab"), 1 => Just("other")];
    let operations = subsequence(
        vec!["Decrypt", "Encrypt", "CreateGrant", "RetireGrant", "DescribeKey", "ReEncryptTo"],
        0..=6,
    );
    let constraints = prop_oneof![
        3 => Just(json!({})),
        2 => pairs().prop_map(|pairs| json!({"EncryptionContextEquals": pairs})),
        2 => pairs().prop_map(|pairs| json!({"EncryptionContextSubset": pairs})),
        1 => Just(json!({"SourceArn": "arn:aws:s3:::bucket"})),
    ];
    let by_service = prop::bool::weighted(0.15);
    let issuer = option::weighted(0.5, select(vec!["111122223333", "arn:aws:iam::444455556666:root"]));
    (parties, key, operations, constraints, by_service, issuer).prop_map(
        |(parties, key, operations, constraints, by_service, issuer)| {
            let mut grant =
                json!({"GrantId": "g", "KeyId": key, "Operations": operations, "Constraints": constraints});
            if by_service {
                grant["GranteeServicePrincipal"] = json!("logs.amazonaws.com");
            } else {
                grant["GranteePrincipal"] = json!(parties[0]);
                grant["RetiringPrincipal"] = json!(parties[1]);
            }
            if let Some(issuer) = issuer {
                grant["IssuingAccount"] = json!(issuer);
            }
            grant
        },
    )
}
