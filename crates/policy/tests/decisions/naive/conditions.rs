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
        let words: Vec<String> = wanted.iter().map(|value| plain(value).to_lowercase()).collect();
        let known = words.iter().all(|word| word == "true" || word == "false");
        let matched = words.contains(&absent.to_string());
        return if matched || known { Some(matched) } else { None };
    }
    let negated = operator.contains("Not");
    let positive = operator.replace("Not", "");
    let one = |value: &str| {
        let outcomes: Vec<_> = wanted
            .iter()
            .map(|wanted| matches(&positive, &plain(wanted), value, context, variables))
            .collect();
        let matched = any(&outcomes);
        if negated { matched.map(|matched| !matched) } else { matched }
    };
    match found? {
        None if if_exists => Some(true),
        None => Some(match set {
            Some("ForAllValues") => true,
            Some(_) => false,
            None => negated,
        }),
        Some(Value::String(value)) if set.is_none() => one(value),
        Some(_) if set.is_none() => {
            if negated {
                None
            } else {
                Some(false)
            }
        }
        Some(value) => {
            let values: Vec<String> = text::list(value).iter().map(plain).collect();
            if values.iter().all(String::is_empty) {
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
            let lower = |tokens: Vec<Token>| -> Vec<Token> {
                let one = |token| match token {
                    Token::Char(char) => char.to_lowercase().map(Token::Char).collect(),
                    other => vec![other],
                };
                tokens.into_iter().flat_map(one).collect()
            };
            let value: String = value.chars().flat_map(char::to_lowercase).collect();
            Some(text::glob(&lower(tokens(false)), &value))
        }
        "ArnEquals" | "ArnLike" => arn(&tokens(true), wanted, value),
        "Bool" => {
            let word = |text: &str| text.to_lowercase().parse::<bool>().ok();
            Some(word(wanted)? == word(value)?)
        }
        "BinaryEquals" => Some(values::bytes(wanted)? == values::bytes(value)?),
        "IpAddress" => values::in_network(value, wanted),
        _ if operator.starts_with("Numeric") => Some(in_order(
            operator.trim_start_matches("Numeric"),
            &values::number(value)?,
            &values::number(wanted)?,
        )),
        _ if operator.starts_with("Date") => Some(in_order(
            operator.trim_start_matches("Date"),
            &values::nanoseconds(value)?,
            &values::nanoseconds(wanted)?,
        )),
        other => panic!("{other}"),
    }
}

fn in_order<T: PartialOrd>(relation: &str, value: &T, wanted: &T) -> bool {
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
        .filter(|(_, token)| **token == Token::Char(':'))
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
