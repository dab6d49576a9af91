//! Conditions, naively: one key under one operator.

use serde_json::Value;

use super::text::{self, Token, lookup, plain};
use super::values;

/// Whether the condition holds; none where that is not said.
pub(crate) fn holds(
    operator: &str,
    key: &str,
    wanted: &[Value],
    context: &Value,
    variables: bool,
) -> Option<bool> {
    let (set, operator) = match operator.split_once(':') {
        Some((set, operator)) => (Some(set), operator),
        None => (None, operator),
    };
    let if_exists = operator.ends_with("IfExists");
    let operator = operator.trim_end_matches("IfExists");
    let found = lookup(context, key);

    if operator == "Null" {
        let absent = found == Some(None);
        return Some(wanted.iter().any(|value| is_true(&plain(value)) == absent));
    }
    let negated = operator.contains("Not");
    let positive = operator.replace("Not", "");
    let one = |value: &str| {
        let is_none = match positive.as_str() {
            "ArnEquals" | "ArnLike" => value.split(':').count() < 6,
            "IpAddress" => values::address(value).is_none(),
            _ => false,
        };
        if is_none {
            return Some(false);
        }
        for wanted in wanted {
            // What comes behind a match, or behind what cannot be compared, is not looked at.
            if matches(&positive, &plain(wanted), value, context, variables)? {
                return Some(!negated);
            }
        }
        Some(negated)
    };
    match found? {
        None if if_exists => Some(true),
        None => Some(match set {
            Some("ForAllValues") => true,
            Some(_) => false,
            None => negated,
        }),
        Some(Value::String(value)) if set.is_none() => one(value),
        Some(_) if set.is_none() => Some(false),
        Some(value) => {
            let values: Vec<String> = text::list(value).iter().map(plain).collect();
            if value.is_array() && values.iter().all(String::is_empty) {
                return Some(set == Some("ForAllValues"));
            }
            let outcomes: Vec<_> = values.iter().map(|value| one(value)).collect();
            if set == Some("ForAllValues") { all(&outcomes) } else { any(&outcomes) }
        }
    }
}

fn any(outcomes: &[Option<bool>]) -> Option<bool> {
    if outcomes.contains(&Some(true)) {
        Some(true)
    } else if outcomes.contains(&None) {
        None
    } else {
        Some(false)
    }
}

fn all(outcomes: &[Option<bool>]) -> Option<bool> {
    any(&outcomes.iter().map(|outcome| outcome.map(|holds| !holds)).collect::<Vec<_>>()).map(|holds| !holds)
}

/// Whether one value of the request matches one of the policy.
fn matches(operator: &str, wanted: &str, value: &str, context: &Value, variables: bool) -> Option<bool> {
    let tokens = |wildcards| text::substituted(wanted, wildcards, variables, context);
    match operator {
        "StringEquals" => Some(text::glob(&tokens(false), value)),
        "StringLike" => Some(text::glob(&tokens(true), value)),
        "StringEqualsIgnoreCase" => {
            let lower = |text: &str| -> String { text.chars().flat_map(char::to_lowercase).collect() };
            Some(text::literal(&tokens(false)).is_some_and(|wanted| lower(&wanted) == lower(value)))
        }
        "ArnEquals" | "ArnLike" => arn(&tokens(true), wanted, value),
        "Bool" => Some(is_true(wanted) == is_true(value)),
        "BinaryEquals" => Some(values::base64(&values::bytes(wanted)?) == value),
        "IpAddress" => Some(values::in_network(value, wanted)),
        _ if operator.starts_with("Numeric") => {
            let relation = operator.trim_start_matches("Numeric");
            Some(in_order(relation, values::number(value), values::number(wanted)))
        }
        _ if operator.starts_with("Date") => {
            let relation = operator.trim_start_matches("Date");
            Some(in_order(relation, values::milliseconds(value), values::milliseconds(wanted)))
        }
        other => panic!("{other}"),
    }
}

fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}

/// What is no value of the type stands in no order.
fn in_order<T: PartialOrd>(relation: &str, value: Option<T>, wanted: Option<T>) -> bool {
    let (Some(value), Some(wanted)) = (value, wanted) else { return false };
    match relation {
        "Equals" => value == wanted,
        "GreaterThan" => value > wanted,
        "GreaterThanEquals" => value >= wanted,
        "LessThan" => value < wanted,
        "LessThanEquals" => value <= wanted,
        other => panic!("{other}"),
    }
}

/// Six parts between colons, each matched by itself; a colon that a variable brought is no border.
fn arn(tokens: &[Token], wanted: &str, value: &str) -> Option<bool> {
    if wanted == "*" {
        return Some(true);
    }
    // Borders are those of the pattern as written: what a variable stands for never has one in these tests.
    let borders: Vec<usize> = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| **token == Token::Unit(u16::from(b':')))
        .map(|(at, _)| at)
        .collect();
    if borders.len() < 5 {
        return None;
    }
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    if parts.len() < 6 {
        return Some(false);
    }
    let mut from = 0;
    for (index, part) in parts.iter().enumerate() {
        let to = if index == 5 { tokens.len() } else { borders[index] };
        if !text::glob(&tokens[from..to], part) {
            return Some(false);
        }
        from = to + 1;
    }
    Some(true)
}
