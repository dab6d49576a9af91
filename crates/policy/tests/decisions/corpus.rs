//! Documented cases: what each decides, and why.
//!
//! `sample.jsonl` has them as `keyreeve policy decide` takes them. `documented.json` has words for principals and policies,
//! which are replaced here; a case of it without a resource is about one key.

use serde_json::{Value, json};

use crate::{engine, naive};

const SAMPLE: &str = include_str!("../cases/sample.jsonl");
const DOCUMENTED: &str = include_str!("../cases/documented.json");
const KEY: &str = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
/// The fewest documented cases that there may be.
const FEWEST: usize = 370;

/// The cases of both files, each with what it is called.
pub(crate) fn cases() -> Vec<(String, Value)> {
    let sample = SAMPLE.lines().map(|line| serde_json::from_str(line).unwrap());
    let documented: Value = serde_json::from_str(DOCUMENTED).unwrap();
    let sections = documented["sections"].as_array().unwrap().clone();
    let define = documented["define"].clone();
    let named = |case: &Value| format!("{} {}", case["id"].as_str().unwrap_or_default(), case["why"]);
    let of_section = move |section: Value| -> Vec<(String, Value)> {
        let cases = section["cases"].as_array().unwrap();
        cases
            .iter()
            .map(|case| (format!("{}: {}", section["about"], case["why"]), expand(case, &define)))
            .collect()
    };
    sample.map(|case: Value| (named(&case), case)).chain(sections.into_iter().flat_map(of_section)).collect()
}

/// Replaces the words of a case by what they are defined as.
fn expand(case: &Value, define: &Value) -> Value {
    let mut case = case.clone();
    case["principal"] = define["principal"][case["principal"].as_str().unwrap()].clone();
    if case["resource"].is_null() {
        case["resource"] = json!(KEY);
    }
    case["resource_account"] = json!("111122223333");
    for member in [
        "key_policy",
        "trust_policy",
        "identity_policies",
        "permissions_boundary",
        "session_policy",
        "scps",
        "rcps",
        "vpce_policy",
    ] {
        case[member] = define_all(&case[member], &define["policy"]);
    }
    case
}

fn define_all(value: &Value, policies: &Value) -> Value {
    match value {
        Value::String(word) => policies.get(word).unwrap_or_else(|| panic!("no policy {word}")).clone(),
        Value::Array(items) => items.iter().map(|item| define_all(item, policies)).collect(),
        policy => policy.clone(),
    }
}

#[test]
fn each_documented_case_decides_as_it_says() {
    let cases = cases();
    assert!(cases.len() >= FEWEST, "{}", cases.len());
    let mut failures = Vec::new();
    for (name, case) in cases {
        let expected = case["expected"].as_str().unwrap();
        for (by, decision) in [("engine", engine::decision(&case)), ("naive", naive::decision(&case))] {
            if decision != expected {
                failures.push(format!("{by}: {decision}, not {expected}: {name}"));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
