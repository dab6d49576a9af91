//! What IAM says of a policy that it does not take, in its own words and in its order.
//!
//! The texts and their order are those that callers of IAM have seen: first what is no policy at all, then its version, then what
//! an older parser does not read, then what a statement lacks.

mod control;
mod legacy;
mod literal;
mod resource;
mod trust;

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use self::control::parse_resource_control_policy;
use self::literal::Literals;
pub use self::trust::{invalid_principal, parse_trust_policy};
use crate::condition::Operator;
use crate::document::{Document, Kind};
use crate::json::{self, Value};

/// Reads a policy that is written on an identity; one without a version is of 2008-10-17.
///
/// # Errors
/// Where it is none: the text of IAM's `MalformedPolicyDocument`.
pub fn parse_identity_policy(text: &str) -> Result<Document, String> {
    parse(text, Versions::All, Literals::Typed)
}

/// Reads a policy that is passed for a session, whose conditions may have values that are none of their types.
///
/// # Errors
/// As [`parse_identity_policy`].
pub fn parse_session_policy(text: &str) -> Result<Document, String> {
    parse(text, Versions::All, Literals::Any)
}

/// Reads a managed policy, which must be of version 2012-10-17.
///
/// # Errors
/// As [`parse_identity_policy`].
pub fn parse_managed_policy(text: &str) -> Result<Document, String> {
    parse(text, Versions::Latest, Literals::Typed)
}

/// Which versions of the language are taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Versions {
    All,
    Latest,
}

fn parse(text: &str, versions: Versions, literals: Literals) -> Result<Document, String> {
    let syntax = || SYNTAX.to_owned();
    let value = json::parse(text).ok().ok_or_else(syntax)?;
    let policy = members(&value).ok_or_else(syntax)?;
    let statements = statements(policy).ok_or_else(syntax)?;
    let version = policy.get("Version").map(text_of);
    if !matches!(version, None | Some(Some("2008-10-17" | "2012-10-17")))
        || !policy.keys().all(|name| ["Id", "Statement", "Version"].contains(&name.as_str()))
        || policy.get("Id").is_some_and(|id| text_of(id).is_none())
        || !statements.iter().all(|statement| is_of_grammar(statement, &STATEMENT))
        || !statements.iter().all(|statement| has_an_effect(statement))
    {
        return Err(syntax());
    }
    if versions == Versions::Latest && version != Some(Some("2012-10-17")) {
        return Err("Policy document must be version 2012-10-17 or greater.".to_owned());
    }
    if statements.iter().any(|one| one.contains_key("Principal") || one.contains_key("NotPrincipal")) {
        return Err("Policy document should not specify a principal.".to_owned());
    }
    check_legacy_and_resources(&statements, literals)?;
    for statement in &statements {
        for name in ["Action", "NotAction"] {
            texts(statement, name).into_iter().try_for_each(check_action)?;
        }
    }
    Document::parse_as(Kind::Identity, text).ok().ok_or_else(syntax)
}

const SYNTAX: &str = "Syntax errors in policy.";

type Members = BTreeMap<String, Value>;

/// The members of a statement, in the order of their names.
const STATEMENT: [&str; 9] = [
    "Action",
    "Condition",
    "Effect",
    "NotAction",
    "NotPrincipal",
    "NotResource",
    "Principal",
    "Resource",
    "Sid",
];

/// Whether the members of a statement are among `known`, and of their types.
fn is_of_grammar(statement: &Members, known: &[&str]) -> bool {
    let is_listed = |name: &str| match statement.get(name) {
        None | Some(Value::Text(_)) => true,
        Some(Value::List(items)) => items.iter().all(|item| text_of(item).is_some()),
        Some(Value::Boolean(_) | Value::Null | Value::Number(_) | Value::Object(_)) => false,
    };
    statement.keys().all(|name| known.contains(&name.as_str()))
        && ["Action", "NotAction", "NotResource", "Resource"].into_iter().all(is_listed)
        && !both(statement, "Action", "NotAction")
        && !both(statement, "Resource", "NotResource")
        && !both(statement, "Principal", "NotPrincipal")
        && statement.get("Sid").is_none_or(|sid| text_of(sid).is_some())
        && statement.get("Condition").is_none_or(|value| is_condition(Kind::Identity, value))
}

fn has_an_effect(statement: &Members) -> bool {
    let effect = statement.get("Effect").and_then(text_of);
    effect.is_some_and(|effect| ["allow", "deny"].iter().any(|one| effect.eq_ignore_ascii_case(one)))
}

/// Whether a value is a condition. IAM takes an operator without keys in a policy of an identity, whatever it is called.
fn is_condition(kind: Kind, value: &Value) -> bool {
    let is_operand = |operand: &Value| match operand {
        Value::Boolean(_) | Value::Number(_) | Value::Text(_) => true,
        Value::List(items) => {
            items.iter().all(|item| matches!(item, Value::Boolean(_) | Value::Number(_) | Value::Text(_)))
        }
        Value::Null | Value::Object(_) => false,
    };
    let is_operator = |(name, keys): (&String, &Value)| {
        let known = || name.parse::<Operator>().is_ok();
        let is_nothing = |keys: &Members| keys.is_empty() && kind == Kind::Identity;
        members(keys).is_some_and(|keys| is_nothing(keys) || known() && keys.values().all(is_operand))
    };
    members(value).is_some_and(|operators| operators.iter().all(is_operator))
}

/// What the older parser does not read, then names of statements, then what statements lack, then resources.
fn check_legacy_and_resources(statements: &[&Members], literals: Literals) -> Result<(), String> {
    if statements.iter().any(|statement| !legacy::reads_statement(statement, literals)) {
        return Err(legacy::TEXT.to_owned());
    }
    let mut fault = None;
    for statement in statements {
        for name in ["Resource", "NotResource"] {
            let mut listed = texts(statement, name);
            listed.sort_unstable();
            fault = listed.iter().find_map(|one| resource::fault(one)).or(fault);
            if fault.is_none() && !listed.into_iter().all(legacy::reads_resource) {
                return Err(legacy::TEXT.to_owned());
            }
        }
    }
    check_sids(statements)?;
    let lacks = |one: &str, other: &str| {
        statements
            .iter()
            .any(|statement| texts(statement, one).is_empty() && texts(statement, other).is_empty())
    };
    if lacks("Action", "NotAction") {
        return Err("Policy statement must contain actions.".to_owned());
    }
    if lacks("Resource", "NotResource") {
        return Err("Policy statement must contain resources.".to_owned());
    }
    fault.map_or(Ok(()), Err)
}

fn check_sids(statements: &[&Members]) -> Result<(), String> {
    let sids = || {
        let sid = |statement: &&Members| statement.get("Sid").and_then(text_of).map(ToOwned::to_owned);
        statements.iter().filter_map(sid).filter(|sid| !sid.is_empty())
    };
    let mut seen = BTreeSet::new();
    if !sids().all(|sid| seen.insert(sid)) {
        return Err("Statement IDs (SID) in a single policy must be unique.".to_owned());
    }
    if !sids().all(|sid| sid.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Err(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression \
             [0-9A-Za-z]*"
                .to_owned(),
        );
    }
    Ok(())
}

fn check_action(action: &str) -> Result<(), String> {
    let (vendor, name) = match action.split_once(':') {
        None if action == "*" => return Ok(()),
        None => {
            return Err(
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned()
            );
        }
        Some(parts) => parts,
    };
    if name.contains(':') {
        return Err("Actions/Condition can contain only one colon.".to_owned());
    }
    let of_a_vendor = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if vendor != "*" && (vendor.is_empty() || !vendor.bytes().all(of_a_vendor)) {
        return Err(format!("Vendor {vendor} is not valid"));
    }
    Ok(())
}

/// The statements of a policy: at least one.
fn statements(policy: &Members) -> Option<Vec<&Members>> {
    let found: Option<Vec<_>> = match policy.get("Statement")? {
        Value::List(items) => items.iter().map(members).collect(),
        one @ (Value::Boolean(_) | Value::Null | Value::Number(_) | Value::Object(_) | Value::Text(_)) => {
            members(one).map(|one| alloc::vec![one])
        }
    };
    found.filter(|statements| !statements.is_empty())
}

fn members(value: &Value) -> Option<&Members> {
    match value {
        Value::Object(members) => Some(members),
        Value::Boolean(_) | Value::List(_) | Value::Null | Value::Number(_) | Value::Text(_) => None,
    }
}

fn text_of(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Boolean(_) | Value::List(_) | Value::Null | Value::Number(_) | Value::Object(_) => None,
    }
}

/// The texts of a member, which may be one or a list.
fn texts<'v>(members: &'v Members, name: &str) -> Vec<&'v str> {
    match members.get(name) {
        Some(Value::List(items)) => items.iter().filter_map(text_of).collect(),
        Some(one) => text_of(one).into_iter().collect(),
        None => Vec::new(),
    }
}

fn both(members: &Members, one: &str, other: &str) -> bool {
    members.contains_key(one) && members.contains_key(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a policy with this one statement.
    fn said(members: &str) -> String {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{{{members}}}]}}"#);
        parse_identity_policy(&text).err().unwrap_or_else(|| "taken".into())
    }

    #[test]
    fn what_is_no_policy_is_told_first() {
        let good = r#""Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
        let version = "Policy document must be version 2012-10-17 or greater.";
        for (text, expected) in [
            ("This is not a json document".into(), SYNTAX),
            (String::new(), SYNTAX),
            ("[]".into(), SYNTAX),
            ("{}".into(), SYNTAX),
            (format!("{{{good}}}"), version),
            (format!(r#"{{"Version":"2008-10-17",{good}}}"#), version),
            (format!(r#"{{"Version":"2013-10-17",{good}}}"#), SYNTAX),
            (format!(r#"{{"Version":20121017,{good}}}"#), SYNTAX),
            (format!(r#"{{"Version":"2012-10-17","Id":[],{good}}}"#), SYNTAX),
            (format!(r#"{{"Version":"2012-10-17","Extra":"x",{good}}}"#), SYNTAX),
            (format!(r#"{{"Id":[],{good}}}"#), SYNTAX),
            (format!(r#"{{"Extra":"x",{good}}}"#), SYNTAX),
            (r#"{"Version":"2012-10-17","Statement":[]}"#.into(), SYNTAX),
            (r#"{"Version":"2012-10-17","Statement":["x"]}"#.into(), SYNTAX),
            (r#"{"Statement":{"Effect":"denY","Action":"s3:*","Resource":"*"}}"#.into(), version),
            (format!(r#"{{"Version":"2012-10-17","Id":"x",{good}}}"#), "taken"),
        ] {
            let said = parse_managed_policy(&text).err().unwrap_or_else(|| "taken".into());
            assert_eq!(said, expected, "{text}");
            let said = parse_identity_policy(&text).err().unwrap_or_else(|| "taken".into());
            let of_any_version = match expected == version {
                true if text.contains("denY") => legacy::TEXT,
                true => "taken",
                false => expected,
            };
            assert_eq!(said, of_any_version, "{text}");
        }
    }

    #[test]
    fn each_fault_of_a_statement_has_its_text() {
        let vendor = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
        let unique = "Statement IDs (SID) in a single policy must be unique.";
        for (members, expected) in [
            (
                r#""Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::example_bucket""#,
                "taken",
            ),
            (r#""Effect":"Allow","NotAction":"iam:*","NotResource":["*"]"#, "taken"),
            (r#""Effect":"Allow","Action":"iam: asdf safdsf af ","Resource":"*""#, "taken"),
            (
                r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"DateGreaterThan":{"a":[]}}"#,
                "taken",
            ),
            (
                r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true}}"#,
                "taken",
            ),
            (r#""Effect":"Allow","Action":"s3:*","Resource":"*","Extra":"x""#, SYNTAX),
            (r#""Effect":"invalid","Action":"s3:*","Resource":"*""#, SYNTAX),
            (r#""Action":"s3:*","Resource":"*""#, SYNTAX),
            (r#""Effect":"Allow","Action":{},"Resource":"*""#, SYNTAX),
            (r#""Effect":"Allow","Action":[[]],"Resource":"*""#, SYNTAX),
            (r#""Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*""#, SYNTAX),
            (r#""Effect":"Allow","Action":"s3:*","Resource":"*","NotResource":[]"#, SYNTAX),
            (r#""Effect":"Allow","Action":"s3:*","Resource":"*","Sid":{}"#, SYNTAX),
            (r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":[]"#, SYNTAX),
            (r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"a":"b"}"#, SYNTAX),
            (r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"x":{"a":"1"}}"#, SYNTAX),
            (
                r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"DateGreaterThan":{"a":{}}}"#,
                SYNTAX,
            ),
            (r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"x":{}}"#, "taken"),
            (
                r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:username":"Alice"}}"#,
                "taken",
            ),
            (r#""Effect":"Allow","Action":"execute-api:Invoke","Resource":"*""#, "taken"),
            (r#""Effect":"Allow","Action":"a.b:c","Resource":"*""#, "taken"),
            (r#""Effect":"Allow","Principal":"*","Action":"s3:*","NotAction":"s3:*""#, SYNTAX),
            (r#""Effect":"Allow","Principal":"*","Resource":"*","NotResource":"*""#, SYNTAX),
            (r#""Effect":"Allow","Principal":"*","NotPrincipal":"*""#, SYNTAX),
            (r#""Effect":"Allow","Principal":"*","Condition":{"x":{"a":"1"}}"#, SYNTAX),
            (r#""Effect":"Allow","Principal":"*","Condition":{"Bool":{"a":{}}}"#, SYNTAX),
            (r#""Effect":"Allow","Principal":"*","Condition":{"Bool":{"a":[[]]}}"#, SYNTAX),
            (
                r#""Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*""#,
                "Policy document should not specify a principal.",
            ),
            (
                r#""Effect":"Allow","Action":"s3:*","Resource":"*","NotPrincipal":{"AWS":"*"}"#,
                "Policy document should not specify a principal.",
            ),
            (r#""Effect":"Allow","Resource":"*""#, "Policy statement must contain actions."),
            (r#""Effect":"Allow","Action":[],"Resource":"*""#, "Policy statement must contain actions."),
            (r#""Effect":"Allow""#, "Policy statement must contain actions."),
            (r#""Effect":"Allow","Action":"invalid""#, "Policy statement must contain resources."),
            (r#""Effect":"Allow","Action":"s3:*","Resource":[]"#, "Policy statement must contain resources."),
            (r#""Effect":"Allow","Action":"invalid","Resource":"*""#, vendor),
            (r#""Effect":"Allow","NotAction":"","Resource":"*""#, vendor),
            (r#""Effect":"Allow","Action":"a a:ListBucket","Resource":"*""#, "Vendor a a is not valid"),
            (r#""Effect":"Allow","Action":":ListBucket","Resource":"*""#, "Vendor  is not valid"),
            (
                r#""Effect":"Allow","Action":"s3:List:Bucket","Resource":"*""#,
                "Actions/Condition can contain only one colon.",
            ),
            (
                r#""Effect":"Allow","Action":"s:3:x","Resource":"sdfsadf""#,
                r#"Resource sdfsadf must be in ARN format or "*"."#,
            ),
            (
                r#""Effect":"Allow","Action":"s3:*","Resource":"*","Sid":"a"},{"Sid":"a","Effect":"Allow""#,
                unique,
            ),
            (
                r#""Effect":"Allow","Action":"s3:*","Resource":"*","Sid":"a b""#,
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
            ),
            (
                r#""Effect":"Allow","Action":"s3:*","Resource":"*","Sid":""},{"Sid":"","Effect":"Deny","Action":"*","Resource":"*""#,
                "taken",
            ),
            (r#""Effect":"denY","Action":"s3:*","Resource":"*""#, legacy::TEXT),
            (r#""Effect":"allow","Resource":"arn:aws:s3:us-east-1::b""#, legacy::TEXT),
            (r#""Effect":"Allow","Condition":{"DateGreaterThan":{"a":"sdfdsf"}}"#, legacy::TEXT),
            (r#""Effect":"Allow","Condition":{"NumericEquals":{"a":["1","ten"]}}"#, legacy::TEXT),
            (r#""Effect":"Allow","Condition":{"ArnLike":{"a":"rubbish"}}"#, legacy::TEXT),
            (r#""Effect":"Allow","Condition":{"IpAddress":{"a":"2001:db8::5/64"}}"#, legacy::TEXT),
            (r#""Effect":"Allow","Condition":{"BinaryEquals":{"a":"no base64"}}"#, legacy::TEXT),
            (r#""Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3::b""#, legacy::TEXT),
        ] {
            assert_eq!(said(members), expected, "{members}");
        }
    }
}
