//! Policies that are written to be dear.

use keyreeve_policy::{Decision, Kind, LONGEST_POLICY, Lack, Policy};
use serde_json::{Value, json};

use crate::engine;

const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn case(condition: &Value, context: &Value) -> Value {
    let allow = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
    let mut conditional = allow.clone();
    conditional["Condition"] = condition.clone();
    json!({
        "principal": {"type": "user", "arn": "arn:aws:iam::111122223333:user/Alice"},
        "action": "kms:Decrypt",
        "resource": KEY,
        "context": context,
        "key_policy": {"Version": "2012-10-17", "Statement": [conditional, allow]},
    })
}

#[test]
fn a_policy_that_is_too_dear_to_evaluate_allows_nothing() {
    let long = "a".repeat(8_000);
    let names: Vec<_> = (0..2_000).map(|index| format!("k{index}")).collect();
    let patterns =
        |pattern: &str| -> Vec<String> { (0..4_000).map(|index| format!("{pattern}{index}")).collect() };
    for (name, condition, context) in [
        ("a search", json!({"StringLike": {"x": patterns("*a?a?b*")}}), json!({"x": long})),
        ("a plain search", json!({"StringLike": {"x": patterns("*b*b")}}), json!({"x": long})),
        ("long runs", json!({"StringLike": {"x": format!("*{}?b*", "a".repeat(4_000))}}), json!({"x": long})),
        (
            "two long lists",
            json!({"ForAllValues:StringNotEquals": {"x": patterns("p")}}),
            json!({"x": names}),
        ),
        ("a variable", json!({"StringLike": {"x": patterns("*${y}?b*")}}), json!({"x": long, "y": "aaaa"})),
    ] {
        let case = case(&condition, &context);
        engine::with_decision(&case, |decision| {
            assert_eq!(*decision, Decision::ImplicitDeny(Lack::TooDear), "{name}");
        });
    }
}

#[test]
fn a_large_policy_of_ordinary_statements_is_not_too_dear() {
    let tags: Vec<_> = (0..400).map(|index| format!("team-{index}-*")).collect();
    let case = case(
        &json!({"StringLike": {"aws:PrincipalTag/team": tags}}),
        &json!({"aws:PrincipalTag/team": "team-399-x"}),
    );
    assert_eq!(engine::decision(&case), "allow");
}

#[test]
fn a_policy_beyond_the_longest_is_refused() {
    let policy = |sid: usize| {
        let sid = "s".repeat(sid);
        json!({"Statement": {"Sid": sid, "Effect": "Allow", "Action": "*", "Resource": "*"}}).to_string()
    };
    let frame = policy(0).len();
    assert!(Policy::compile(Kind::Identity, &policy(LONGEST_POLICY - frame)).is_ok());
    assert!(Policy::compile(Kind::Identity, &policy(LONGEST_POLICY - frame + 1)).is_err());
}

#[test]
fn each_kind_of_policy_has_its_grammar() {
    let root = r#""Principal":{"AWS":"111122223333"}"#;
    for (kind, members, ok) in [
        (Kind::Identity, r#""Effect":"Allow","Action":"*","Resource":"*""#.to_owned(), true),
        (Kind::Identity, r#""Effect":"Allow","NotAction":"kms:*","NotResource":"*""#.to_owned(), true),
        (Kind::Identity, format!(r#""Effect":"Allow","Action":"*","Resource":"*",{root}"#), false),
        (Kind::Identity, r#""Effect":"Allow","Action":"*""#.to_owned(), false),
        (Kind::Identity, r#""Effect":"Allow","Resource":"*""#.to_owned(), false),
        (Kind::Resource, format!(r#""Effect":"Allow","Action":"*","Resource":"*",{root}"#), true),
        (Kind::Resource, format!(r#""Effect":"Allow",{root}"#), true),
        (Kind::Resource, r#""Effect":"Allow","Action":"*","Resource":"*""#.to_owned(), false),
    ] {
        let text = format!(r#"{{"Statement":{{{members}}}}}"#);
        assert_eq!(Policy::compile(kind, &text).is_ok(), ok, "{kind:?} {text}");
    }
}
