//! What holds of every decision, whatever the policies say.

use keyreeve_policy::{
    Cause, Context, ContextKey, ContextName, ContextValue, Decision, Grounds, KeyFamily, KeySet, Layer,
    Policy, Request, decide,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::{engine, generate};

/// The members of a case that hold policies, and whether those hang on a resource.
const LAYERS: [(&str, bool); 7] = [
    ("key_policy", true),
    ("identity_policies", false),
    ("permissions_boundary", false),
    ("session_policy", false),
    ("scps", false),
    ("rcps", true),
    ("vpce_policy", true),
];

/// All members that hold policies. Statements of a trust policy have no resource, so that none is added to it.
fn members() -> impl Iterator<Item = &'static str> {
    LAYERS.into_iter().map(|(member, _)| member).chain(["trust_policy"])
}

fn is_policy(value: &Value) -> bool {
    value.get("Statement").is_some()
}

/// Calls `change` with every policy within `value`.
fn each_policy(value: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    if is_policy(value) {
        change(value);
    } else if let Value::Array(items) = value {
        items.iter_mut().for_each(|item| each_policy(item, change));
    }
}

fn each_policy_of(case: &mut Value, change: &mut dyn FnMut(&mut Value)) {
    for member in members() {
        each_policy(&mut case[member], change);
    }
}

fn add(policy: &mut Value, statement: &Value) {
    let statements = &mut policy["Statement"];
    let mut list = match statements.take() {
        Value::Array(list) => list,
        one => vec![one],
    };
    list.push(statement.clone());
    *statements = json!(list);
}

/// A statement, and the layer that it goes to.
fn addition(effect: &'static str) -> impl Strategy<Value = (&'static str, Value)> {
    select(LAYERS.to_vec())
        .prop_flat_map(move |(member, of_resource)| (Just(member), generate::statement(of_resource, effect)))
}

/// Reverses every list of a policy, and the lists that policies stand in.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().rev().map(reversed).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), reversed(value))).collect())
        }
        scalar => scalar.clone(),
    }
}

/// The same policy in other words: lists for scalars, and the case of names that have none.
fn reworded(policy: &mut Value) {
    let list = |value: &mut Value| {
        if !value.is_array() && !value.is_null() {
            *value = json!([value.take()]);
        }
    };
    list(&mut policy["Statement"]);
    for statement in policy["Statement"].as_array_mut().unwrap() {
        for name in ["Action", "NotAction"] {
            if let Some(actions) = statement.get_mut(name) {
                list(actions);
                *actions = actions
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| one.as_str().unwrap().to_uppercase())
                    .collect();
            }
        }
        for name in ["Resource", "NotResource"] {
            statement.get_mut(name).into_iter().for_each(list);
        }
        for (_, keys) in statement.get_mut("Condition").and_then(Value::as_object_mut).into_iter().flatten() {
            let renamed = keys.as_object().unwrap().iter().map(|(key, values)| {
                let mut values = values.clone();
                list(&mut values);
                (key.to_uppercase(), values)
            });
            // Two keys that differ in case alone stay as they are.
            let renamed: serde_json::Map<_, _> = renamed.collect();
            if renamed.len() == keys.as_object().unwrap().len() {
                *keys = Value::Object(renamed);
            }
        }
    }
}

/// The statement that a cause names.
fn named<'c>(case: &'c Value, cause: &Cause<'_>) -> &'c Value {
    let policy = match (cause.layer, cause.level) {
        (Layer::Key, None) if case["key_policy"].is_null() => &case["trust_policy"],
        (Layer::Key, None) => &case["key_policy"],
        (Layer::Identity, None) => &case["identity_policies"][cause.policy],
        (Layer::PermissionsBoundary, None) => &case["permissions_boundary"],
        (Layer::Session, None) => &case["session_policy"],
        (Layer::Endpoint, None) => &case["vpce_policy"],
        (Layer::ServiceControl, Some(level)) => &case["scps"][level][cause.policy],
        (Layer::ResourceControl, Some(level)) => &case["rcps"][level][cause.policy],
        (layer, level) => panic!("{layer} {level:?}"),
    };
    match &policy["Statement"] {
        Value::Array(statements) => &statements[cause.statement],
        one => one,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(
        if std::env::var_os("KEYREEVE_TEST_LONG").is_some() { 50_000 } else { 1_000 }
    ) })]

    #[test]
    fn a_deny_more_never_allows(case in generate::case(), (layer, deny) in addition("Deny")) {
        let mut denied = case.clone();
        each_policy(&mut denied[layer], &mut |policy| add(policy, &deny));
        if engine::decision(&case) != "allow" {
            prop_assert_ne!(engine::decision(&denied), "allow", "{:#}", denied);
        }
    }

    #[test]
    fn an_allow_more_never_refuses(case in generate::case(), (layer, allow) in addition("Allow")) {
        let mut allowed = case.clone();
        each_policy(&mut allowed[layer], &mut |policy| add(policy, &allow));
        if engine::decision(&case) == "allow" {
            prop_assert_eq!(engine::decision(&allowed), "allow", "{:#}", allowed);
        }
    }

    #[test]
    fn a_deny_of_everything_never_allows(mut case in generate::case(), by_key in any::<bool>()) {
        let everything = |effect: &str| json!({"Effect": effect, "Principal": "*", "Action": "*", "Resource": "*"});
        let policy = json!({"Statement": [everything("Allow"), everything("Deny")]});
        if by_key {
            case["action"] = json!("kms:Decrypt");
            case["key_policy"] = policy;
        } else {
            case["vpce_policy"] = policy;
        }
        prop_assert_ne!(engine::decision(&case), "allow", "{:#}", case);
    }

    #[test]
    fn order_never_matters(case in generate::case()) {
        let mut turned = case.clone();
        for member in members().chain(["grants"]) {
            turned[member] = reversed(&case[member]);
        }
        prop_assert_eq!(engine::decision(&turned), engine::decision(&case), "{:#}", case);
    }

    #[test]
    fn words_for_the_same_decide_the_same(case in generate::case()) {
        let mut other = case.clone();
        each_policy_of(&mut other, &mut reworded);
        other["action"] = json!(case["action"].as_str().unwrap().to_uppercase());
        prop_assert_eq!(engine::decision(&other), engine::decision(&case), "{:#}", case);
    }

    #[test]
    fn a_limit_less_never_refuses(case in generate::case(), layer in select(LAYERS[2..].to_vec())) {
        let mut freed = case.clone();
        freed[layer.0] = Value::Null;
        if engine::decision(&case) == "allow" {
            prop_assert_eq!(engine::decision(&freed), "allow", "{:#}", case);
        }
    }

    #[test]
    fn without_policies_and_grants_all_is_refused(case in generate::case()) {
        let mut bare = case.clone();
        for member in members().chain(["grants"]) {
            bare[member] = Value::Null;
        }
        let is_root = case["principal"]["type"] == "root";
        if !is_root {
            prop_assert_eq!(engine::decision(&bare), "implicit_deny", "{:#}", bare);
        }
    }

    #[test]
    fn what_no_policy_mentions_does_not_matter(case in generate::case()) {
        let mut more = case.clone();
        more["context"]["aws:Unrelated"] = json!("x");
        more["context"]["kms:EncryptionContext:unrelated"] = json!(["x", "y"]);
        prop_assert_eq!(engine::decision(&more), engine::decision(&case), "{:#}", case);
    }

    #[test]
    fn only_what_policies_and_grants_mention_matters(case in generate::case()) {
        let mentions = engine::with_request(&case, |_, policies| {
            let own = policies.identity.iter().chain(policies.session.unwrap_or_default()).copied();
            let single = [policies.key, policies.boundary, policies.endpoint].into_iter().flatten();
            let levels = policies.service_control.iter().chain(policies.resource_control);
            let all = own.chain(single).chain(levels.flat_map(|level| level.iter().copied()));
            let of_grants = policies.grants.iter().map(|grant| grant.mentions());
            all.map(Policy::mentions).chain(of_grants).collect::<KeySet>()
        });
        let is_mentioned = |name: &str| match (ContextKey::named(name), KeyFamily::of(name)) {
            (Some(key), _) => mentions.contains(key),
            (None, Some(family)) => mentions.contains_family(family),
            (None, None) => mentions.contains_others(),
        };
        let mut less = case.clone();
        less["context"].as_object_mut().unwrap().retain(|name, _| is_mentioned(name));
        prop_assert_eq!(engine::decision(&less), engine::decision(&case), "{:#}", case);
    }

    #[test]
    fn how_a_context_is_made_does_not_matter(case in generate::case()) {
        let names: Vec<_> = case["context"].as_object().unwrap().keys().collect();
        engine::with_request(&case, |request, policies| {
            let made = names.iter().filter_map(|name| {
                let value = match &case["context"][name.as_str()] {
                    Value::String(text) => ContextValue::One(text),
                    _ => return None,
                };
                let prefixed = KeyFamily::of(name).map(|family| (family, &name[family.prefix().len()..]));
                let name = match (ContextKey::named(name), prefixed) {
                    (Some(key), _) => key.into(),
                    (None, Some((family, rest))) => ContextName::of_family(family, rest),
                    (None, None) => ContextName::from(name.as_str()),
                };
                Some((name, value))
            });
            let plain = names.iter().filter_map(|name| match &case["context"][name.as_str()] {
                Value::String(text) => Some((name.as_str(), ContextValue::One(text))),
                _ => None,
            });
            let (made, plain): (Context<'_>, Context<'_>) = (made.collect(), plain.collect());
            let of = |context| decide(&Request { context, ..*request }, policies);
            prop_assert_eq!(of(&made), of(&plain), "{:#}", case);
            Ok(())
        })?;
    }

    #[test]
    fn who_is_not_known_is_never_allowed(mut case in generate::case()) {
        case["principal"] = json!({"type": "anonymous"});
        prop_assert_ne!(engine::decision(&case), "allow", "{:#}", case);
    }

    #[test]
    fn each_decision_names_the_statement_that_decided(case in generate::case()) {
        engine::with_decision(&case, |decision| {
            let (cause, effect) = match decision {
                Decision::Allow(Grounds::Statement(cause)) => (cause, "Allow"),
                Decision::ExplicitDeny(cause) => (cause, "Deny"),
                Decision::Allow(Grounds::Grant(_) | Grounds::Root) | Decision::ImplicitDeny(_) => return Ok(()),
            };
            let statement = named(&case, cause);
            prop_assert_eq!(&statement["Effect"], effect, "{:#}", case);
            prop_assert_eq!(statement["Sid"].as_str(), cause.sid, "{:#}", case);
            Ok(())
        })?;
    }
}
