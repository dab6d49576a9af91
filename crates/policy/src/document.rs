//! The grammar of a policy document.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>, with KMS's own rules: every
//! statement names a principal; a statement without `Action` or `Resource` is accepted and has no effect.

use std::collections::BTreeMap;

use crate::json::{self, Fault, Value};
use crate::principal::Principals;

/// A well-formed policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Whom it is about.
    pub principals: Principals,
    /// Whether it is about everybody but those (`NotPrincipal`).
    pub except_principals: bool,
    /// The actions, as written.
    pub actions: Vec<String>,
    /// Whether it is about every action but those (`NotAction`).
    pub except_actions: bool,
    /// The resources, as written; without one it has no effect.
    pub resources: Vec<String>,
    /// Whether it is about every resource but those (`NotResource`).
    pub except_resources: bool,
    /// Whether it holds under conditions alone.
    pub is_conditional: bool,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever else allows.
    Deny,
}

/// The text is no policy.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParsePolicyError {
    /// It is no JSON, or not of the grammar.
    #[error("the policy is not well formed: {0}")]
    Grammar(String),
    /// A statement names a principal that cannot exist.
    #[error("a statement names an invalid principal")]
    Principal,
}

impl Document {
    /// Parses a policy.
    ///
    /// # Errors
    /// Where it is not of the grammar, or names a principal that cannot exist.
    pub fn parse(text: &str) -> Result<Self, ParsePolicyError> {
        let value = json::parse(text).map_err(|fault| {
            grammar(match fault {
                Fault::Depth => "it is nested too deep",
                Fault::Duplicate => "an object has a member twice",
                Fault::Syntax => "it is no JSON",
            })
        })?;
        let mut members = Members::of(value)?;
        if members.optional_text("Version")?.is_some_and(|version| !VERSIONS.contains(&version.as_str())) {
            return Err(grammar("`Version` is neither 2012-10-17 nor 2008-10-17"));
        }
        members.optional_text("Id")?;
        let statements = members.take("Statement").map(one_or_many).unwrap_or_default();
        members.end()?;
        if statements.is_empty() {
            return Err(grammar("there is no statement"));
        }
        let statements = statements.into_iter().map(Statement::parse).collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }
}

const VERSIONS: [&str; 2] = ["2012-10-17", "2008-10-17"];

/// The condition operators, without `IfExists` and the set prefixes.
const OPERATORS: [&str; 27] = [
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "BinaryEquals",
    "Bool",
    "DateEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "IpAddress",
    "NotIpAddress",
    "Null",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericNotEquals",
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
];

// AWS: unverified. The texts for errors of grammar are our own.
pub(crate) fn grammar(why: &str) -> ParsePolicyError {
    ParsePolicyError::Grammar(why.to_owned())
}

impl Statement {
    fn parse(value: Value) -> Result<Self, ParsePolicyError> {
        let mut members = Members::of(value)?;
        members.optional_text("Sid")?;
        let effect = match members.take("Effect") {
            Some(Value::Text(effect)) if effect == "Allow" => Effect::Allow,
            Some(Value::Text(effect)) if effect == "Deny" => Effect::Deny,
            _ => return Err(grammar("the `Effect` of a statement is neither Allow nor Deny")),
        };
        let (principals, except_principals) = match (members.take("Principal"), members.take("NotPrincipal"))
        {
            (Some(principals), None) => (principals, false),
            (None, Some(principals)) => (principals, true),
            (Some(_), Some(_)) => {
                return Err(grammar("a statement has both `Principal` and `NotPrincipal`"));
            }
            (None, None) => return Err(grammar("a statement names no principal")),
        };
        let principals = Principals::parse(principals)?;
        let (actions, except_actions) = members.either("Action", "NotAction")?;
        if let Some(action) = actions.iter().find(|action| *action != "*" && !action.contains(':')) {
            return Err(grammar(&format!("`{action}` is no action")));
        }
        let (resources, except_resources) = members.either("Resource", "NotResource")?;
        let is_conditional = members.take("Condition").map(parse_condition).transpose()?.unwrap_or(false);
        members.end()?;
        Ok(Self {
            effect,
            principals,
            except_principals,
            actions,
            except_actions,
            resources,
            except_resources,
            is_conditional,
        })
    }
}

/// The members of an object, each taken once.
pub(crate) struct Members(BTreeMap<String, Value>);

impl Members {
    pub(crate) fn of(value: Value) -> Result<Self, ParsePolicyError> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            Value::Boolean | Value::List(_) | Value::Null | Value::Number | Value::Text(_) => {
                Err(grammar("an object is missing where the grammar has one"))
            }
        }
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// The member `name`, which is a text or a list of texts where it is there.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, ParsePolicyError> {
        let text = |value| match value {
            Value::Text(text) => Ok(text),
            Value::Boolean | Value::List(_) | Value::Null | Value::Number | Value::Object(_) => {
                Err(grammar(&format!("`{name}` is neither a string nor a list of strings")))
            }
        };
        self.take(name).map(|value| one_or_many(value).into_iter().map(text).collect()).transpose()
    }

    fn optional_text(&mut self, name: &str) -> Result<Option<String>, ParsePolicyError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(grammar(&format!("`{name}` is no string"))),
        }
    }

    /// The member `name` or the member `not`, and whether it was the latter.
    fn either(&mut self, name: &str, not: &str) -> Result<(Vec<String>, bool), ParsePolicyError> {
        match (self.texts(name)?, self.texts(not)?) {
            (Some(_), Some(_)) => Err(grammar(&format!("a statement has both `{name}` and `{not}`"))),
            (Some(listed), None) => Ok((listed, false)),
            (None, Some(listed)) => Ok((listed, true)),
            (None, None) => Ok((Vec::new(), false)),
        }
    }

    /// There is no other member.
    pub(crate) fn end(self) -> Result<(), ParsePolicyError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(grammar("there is a member that the grammar does not have"))
        }
    }
}

fn one_or_many(value: Value) -> Vec<Value> {
    match value {
        Value::List(many) => many,
        one @ (Value::Boolean | Value::Null | Value::Number | Value::Object(_) | Value::Text(_)) => vec![one],
    }
}

/// Checks a `Condition`; whether there is a condition in it.
fn parse_condition(value: Value) -> Result<bool, ParsePolicyError> {
    let mut is_conditional = false;
    for (operator, keys) in Members::of(value)?.0 {
        if !is_operator(&operator) {
            return Err(grammar(&format!("`{operator}` is no condition operator")));
        }
        for (_, values) in Members::of(keys)?.0 {
            is_conditional = true;
            let is_scalar = |value: &Value| matches!(value, Value::Boolean | Value::Number | Value::Text(_));
            if !one_or_many(values).iter().all(is_scalar) {
                return Err(grammar("the value of a condition is neither a scalar nor a list of scalars"));
            }
        }
    }
    Ok(is_conditional)
}

fn is_operator(text: &str) -> bool {
    let text =
        text.strip_prefix("ForAllValues:").or_else(|| text.strip_prefix("ForAnyValue:")).unwrap_or(text);
    let bare = text.strip_suffix("IfExists").unwrap_or(text);
    OPERATORS.contains(&bare) && (bare != "Null" || bare.len() == text.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn statement(members: &str) -> String {
        format!(r#"{{"Version":"2012-10-17","Statement":[{{{members}}}]}}"#)
    }

    #[test]
    fn the_grammar_is_enforced() {
        let root = r#""Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#;
        for (text, ok) in [
            (statement(&format!(r#""Effect":"Allow",{root},"Action":"kms:*","Resource":"*""#)), true),
            (statement(&format!(r#""Effect":"Allow",{root}"#)), true),
            (format!(r#"{{"Statement":{{"Effect":"Deny",{root},"Action":["kms:*"]}}}}"#), true),
            (statement(r#""Effect":"Allow","Principal":"*","Action":"*","Resource":"*""#), true),
            (
                statement(
                    r#""Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"kms:Decrypt""#,
                ),
                true,
            ),
            (
                statement(&format!(
                    r#""Effect":"Allow",{root},"Condition":{{"StringEqualsIfExists":{{"a":["b"]}}}}"#
                )),
                true,
            ),
            (
                statement(&format!(
                    r#""Effect":"Allow",{root},"Condition":{{"ForAllValues:StringLike":{{"a":true}}}}"#
                )),
                true,
            ),
            (statement(&format!(r#""Effect":"Allow",{root},"Condition":{{"StringIs":{{"a":"b"}}}}"#)), false),
            (
                statement(&format!(
                    r#""Effect":"Allow",{root},"Condition":{{"NullIfExists":{{"a":"true"}}}}"#
                )),
                false,
            ),
            (statement(r#""Effect":"Allow","Action":"kms:*","Resource":"*""#), false),
            (statement(&format!(r#""Effect":"allow",{root}"#)), false),
            (statement(&format!(r#"{root},"Action":"kms:*""#)), false),
            (statement(&format!(r#""Effect":"Allow",{root},"Actions":"kms:*""#)), false),
            (statement(&format!(r#""Effect":"Allow",{root},"Action":"kms:*","NotAction":"kms:*""#)), false),
            (statement(&format!(r#""Effect":"Allow",{root},"Action":"encrypt""#)), false),
            (r#"{"Version":"2012-10-18","Statement":[]}"#.into(), false),
            (r#"{"Version":"2012-10-17","Statement":[]}"#.into(), false),
            ("{}".into(), false),
            (r#"["2012-10-17",null,[["s","Allow","*",null,"kms:*",null,"*"]]]"#.into(), false),
            (r#"{"Statement":[[null,"Allow","*"]]}"#.into(), false),
            (statement(&format!(r#""Effect":{{"Allow":null}},{root}"#)), false),
            (statement(r#""Effect":"Allow","Principal":["arn:aws:iam::111122223333:root"]"#), false),
            (statement(r#""Effect":"Allow","Principal":{"AWS":[["*"]]}"#), false),
            (statement(r#""Effect":"Allow","Principal":{"AWS":"*","Else":"*"}"#), false),
            (statement(&format!(r#""Effect":"Allow",{root},"Sid":null"#)), false),
            (statement(&format!(r#""Effect":"Allow",{root},"Action":{{"kms:*":null}}"#)), false),
            (statement(&format!(r#""Effect":"Allow",{root},"Action":[["kms:*"]]"#)), false),
            (statement(&format!(r#""Effect":"Allow",{root},"Resource":1"#)), false),
            (statement(&format!(r#""Effect":"Allow",{root},"Condition":null"#)), false),
            (statement(&format!(r#""Effect":"Allow",{root},"Condition":[["Bool",{{"a":"b"}}]]"#)), false),
            (statement(&format!(r#""Effect":"Allow",{root},"Condition":{{"Bool":[["a","b"]]}}"#)), false),
            (statement(&format!(r#""Effect":"Allow",{root},"Condition":{{"Bool":{{"a":null}}}}"#)), false),
            (statement(&format!(r#""Effect":"Allow","Effect":"Allow",{root}"#)), false),
            (statement(r#""Effect":"Allow","Principal":{"AWS":"*","AWS":"*"}"#), false),
            (
                statement(&format!(
                    r#""Effect":"Allow",{root},"Condition":{{"Bool":{{"a":"b"}},"Bool":{{}}}}"#
                )),
                false,
            ),
            (
                statement(&format!(r#""Effect":"Allow",{root},"Condition":{{"Bool":{{"a":"b","a":"c"}}}}"#)),
                false,
            ),
            (
                format!(
                    r#"{{"Version":"2012-10-17","Version":"2012-10-17","Statement":{{"Effect":"Deny",{root}}}}}"#
                ),
                false,
            ),
            (statement(&format!(r#""Effect":"Allow",{root},"Action":{}"#, "[".repeat(10_000))), false),
            ("not json".into(), false),
            (String::new(), false),
        ] {
            assert_eq!(Document::parse(&text).is_ok(), ok, "{text}");
        }
    }

    #[test]
    fn a_principal_that_cannot_exist_is_told_from_bad_grammar() {
        for principal in [
            r#""foo""#,
            r#"{"AWS":"foo"}"#,
            r#"{"AWS":"arn:aws:iam::111122223333:group/g"}"#,
            r#"{"AWS":"arn:aws:iam::111122223333:user/*"}"#,
            r#"{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::1:root"]}"#,
            "{}",
        ] {
            let text = statement(&format!(r#""Effect":"Allow","Principal":{principal},"Action":"kms:*""#));
            assert_eq!(Document::parse(&text), Err(ParsePolicyError::Principal), "{principal}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_our_own_words() {
        for (text, why) in [
            ("not json", "it is no JSON"),
            (r#"{"Id":"a","Id":"a"}"#, "an object has a member twice"),
            (&"[".repeat(40), "it is nested too deep"),
            ("[]", "an object is missing where the grammar has one"),
            (r#"{"Id":1}"#, "`Id` is no string"),
            (r#"{"Statements":[]}"#, "there is a member that the grammar does not have"),
            (
                r#"{"Statement":{"Effect":{"Allow":null}}}"#,
                "the `Effect` of a statement is neither Allow nor Deny",
            ),
            (
                r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":1}}"#,
                "`Action` is neither a string nor a list of strings",
            ),
        ] {
            assert_eq!(Document::parse(text), Err(grammar(why)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_parser_never_panics(text in ".{0,200}") {
            drop(Document::parse(&text));
        }
    }
}
