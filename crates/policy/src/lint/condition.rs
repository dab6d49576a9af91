//! Conditions.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Findings, Severity, availability, statement};
use crate::action::Actions;
use crate::arn::ArnPattern;
use crate::condition::{Comparison, Condition, Quantifier};
use crate::document::{Document, Effect, Kind, Statement, Version};
use crate::key::{ContextKey, KeyFamily, ValueType};
use crate::pattern::{Pattern, Syntax};
use crate::value::{Instant, Network, Number, binary};

pub(super) fn look(findings: &mut Findings, document: &Document, statement: &Statement, one: &Condition) {
    let key = &one.key;
    let known = ContextKey::named(key);
    let family = KeyFamily::of(key);
    if known.is_none() && family.is_none() {
        look_at_unknown(findings, document, key);
    }
    let value_type = known.map_or_else(|| family.map(|_| ValueType::Text), |key| Some(key.value_type()));
    if let Some(value_type) = value_type
        && !fits(one.operator.comparison, value_type, known)
    {
        let message = format!("`{}` does not compare values of `{key}`", one.operator);
        findings.add(Severity::Error, "operator", message, "use an operator of the type of the key");
    }
    look_at_sets(findings, one, known, family);
    look_at_values(findings, document, statement, one);
    if statement::is_of_kms(statement)
        && let Some(with) = availability::actions_with(key)
    {
        let own = Actions::compile(&statement.actions, false).known;
        if own != 0 && own & with == 0 && one.operator.comparison != Comparison::Null {
            let message = format!("no request with an action of this statement has `{key}`");
            findings.add(
                Severity::Error,
                "key-without-action",
                message,
                "leave it out, or name actions that have it",
            );
        }
    }
}

/// Conditions of one statement that do not go together.
pub(super) fn look_together(findings: &mut Findings, statement: &Statement) {
    let is_absent = |one: &&Condition| is_null(one, "true");
    for absent in statement.conditions.iter().filter(is_absent) {
        let needs = |one: &&Condition| {
            one.key.eq_ignore_ascii_case(&absent.key)
                && one.operator.comparison != Comparison::Null
                && !one.operator.negated
                && !one.operator.if_exists
                && one.operator.quantifier != Some(Quantifier::All)
        };
        if statement.conditions.iter().any(|one| needs(&one)) {
            let message = format!("`{}` must be absent and have a value: it never applies", absent.key);
            findings.add(Severity::Error, "contradiction", message, "leave out one of the two");
        }
    }
    if statement.effect == Effect::Deny {
        return;
    }
    for one in &statement.conditions {
        let is_present =
            |other: &Condition| other.key.eq_ignore_ascii_case(&one.key) && is_null(other, "false");
        if statement.conditions.iter().any(is_present) || one.operator.comparison == Comparison::Null {
            continue;
        }
        if one.operator.quantifier == Some(Quantifier::All) {
            let message = format!("`{}` holds where the request has no `{}`", one.operator, one.key);
            let advice = "add Null with \"false\" for the same key";
            findings.add(Severity::Warning, "for-all-values", message, advice);
        } else if one.operator.negated && one.operator.quantifier.is_none() {
            let message = format!("`{}` holds where the request has no `{}`", one.operator, one.key);
            let advice = "add Null with \"false\" for the same key, if that is not meant";
            findings.add(Severity::Notice, "negated-allow", message, advice);
        }
    }
}

fn is_null(condition: &Condition, wanted: &str) -> bool {
    let is_wanted = |value: &String| value.eq_ignore_ascii_case(wanted);
    condition.operator.comparison == Comparison::Null
        && !condition.values.is_empty()
        && condition.values.iter().all(is_wanted)
}

fn look_at_unknown(findings: &mut Findings, document: &Document, key: &str) {
    let starts =
        |prefix: &str| key.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if ["aws:", "kms:", "sts:"].into_iter().any(starts) {
        let message = format!("there is no condition key `{key}`: no request has it");
        findings.add(Severity::Error, "unknown-key", message, "correct its name");
    } else if document.kind == Kind::Resource {
        let message = format!("no request about a key has `{key}`");
        findings.add(Severity::Warning, "unknown-key", message, "correct its name, or leave it out");
    }
}

/// Whether an operator compares values of this type.
fn fits(comparison: Comparison, value_type: ValueType, key: Option<ContextKey>) -> bool {
    // Texts that are written as others.
    let is_epoch = key == Some(ContextKey::AwsEpochTime);
    match comparison {
        Comparison::Null => true,
        Comparison::Arn => matches!(value_type, ValueType::Arn | ValueType::Text),
        Comparison::Binary => value_type == ValueType::Text,
        Comparison::Bool => value_type == ValueType::Bool,
        Comparison::Date(_) => value_type == ValueType::Date,
        Comparison::Ip => value_type == ValueType::Ip,
        Comparison::Numeric(_) => value_type == ValueType::Numeric || is_epoch,
        Comparison::Text | Comparison::TextIgnoringCase | Comparison::TextLike => {
            matches!(value_type, ValueType::Arn | ValueType::Bool | ValueType::Text)
        }
    }
}

fn look_at_sets(
    findings: &mut Findings,
    one: &Condition,
    known: Option<ContextKey>,
    family: Option<KeyFamily>,
) {
    let (operator, key) = (one.operator, &one.key);
    if operator.comparison == Comparison::Null {
        return;
    }
    let is_many = known.map_or_else(|| family.map(|_| false), |key| Some(key.is_multivalued()));
    match (is_many, operator.quantifier) {
        (Some(true), None) => {
            let message = format!(
                "`{key}` may have many values, and `{operator}` compares one: where it has any, this does not hold"
            );
            let advice = "use ForAnyValue: or ForAllValues: before the operator";
            findings.add(Severity::Error, "set-operator", message, advice);
        }
        (Some(false), Some(_)) => {
            let message = format!("`{key}` has one value, and `{operator}` compares sets");
            findings.add(Severity::Warning, "set-operator", message, "leave out the prefix of the operator");
        }
        (Some(true), Some(_)) | (Some(false), None) | (None, _) => {}
    }
}

fn look_at_values(findings: &mut Findings, document: &Document, statement: &Statement, one: &Condition) {
    let effect = match (one.operator.comparison, statement.effect) {
        (Comparison::Bool | Comparison::Null, _) => "it stands for false",
        (Comparison::Date(_) | Comparison::Ip | Comparison::Numeric(_), _) if one.operator.negated => {
            "everything differs from it"
        }
        (Comparison::Date(_) | Comparison::Ip | Comparison::Numeric(_), _) => "nothing equals it",
        (_, Effect::Allow) => "it never allows",
        (_, Effect::Deny) => "it denies more than it says",
    };
    if one.values.is_empty() {
        let message = format!("`{}` has no value of `{}` to compare with", one.operator, one.key);
        findings.add(Severity::Error, "no-value", message, "add one, or leave the condition out");
    }
    let variables = document.version == Version::V2012;
    look_at_variables(findings, document, &one.values);
    for value in &one.values {
        if !is_value(one.operator.comparison, value, document.version) {
            let message = format!("`{value}` is no value for `{}`: {effect}", one.operator);
            findings.add(Severity::Error, "value", message, "correct the value");
        }
        let is_literal = |value: &str| variables && (value.contains("${*}") || value.contains("${?}"));
        let compares_text =
            matches!(one.operator.comparison, Comparison::Text | Comparison::TextIgnoringCase);
        if compares_text && value.contains(['*', '?']) && !is_literal(value) {
            let message = format!("`{}` takes the wildcard of `{value}` for a character", one.operator);
            findings.add(Severity::Warning, "wildcard", message, "use StringLike, if it is a wildcard");
        }
    }
}

/// The variables of these texts.
pub(super) fn look_at_variables(findings: &mut Findings, document: &Document, texts: &[String]) {
    let syntax = Syntax { wildcards: false, variables: document.version == Version::V2012 };
    for text in texts {
        let mut names: Vec<String> = Vec::new();
        Pattern::compile(text, syntax).mention(&mut |key| names.push(key.text().to_owned()));
        names.iter().for_each(|name| look_at_variable(findings, name));
    }
}

fn look_at_variable(findings: &mut Findings, name: &str) {
    let known = ContextKey::named(name);
    if known.is_some_and(ContextKey::is_multivalued) {
        let message = format!("`{name}` may have many values, so that a variable of its name has none");
        findings.add(Severity::Error, "variable", message, "use a key with one value");
    } else if known.is_none() && KeyFamily::of(name).is_none() && !name.contains(':') {
        let message = format!("there is no condition key `{name}` for a variable");
        findings.add(Severity::Error, "variable", message, "correct its name");
    }
}

/// Whether a value of a policy is of the type that its operator compares.
fn is_value(comparison: Comparison, value: &str, version: Version) -> bool {
    match comparison {
        Comparison::Arn => !matches!(ArnPattern::compile(value, version), ArnPattern::Incomplete),
        Comparison::Binary => binary::decode(value, |_| ()).is_some(),
        Comparison::Bool | Comparison::Null => {
            ["true", "false"].into_iter().any(|one| value.eq_ignore_ascii_case(one))
        }
        Comparison::Date(_) => Instant::parse(value).is_some(),
        Comparison::Ip => Network::parse(value).is_some(),
        Comparison::Numeric(_) => Number::parse(value).is_some(),
        Comparison::Text | Comparison::TextIgnoringCase | Comparison::TextLike => true,
    }
}
