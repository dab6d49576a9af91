//! The grammar of a policy document.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>, with KMS's own rules: every
//! statement names a principal; a statement without `Action` or `Resource` is accepted and has no effect.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::principal::{Principals, RawPrincipals};

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
    /// Whether it names a resource that is the key itself; without one it has no effect.
    pub on_resource: bool,
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
        let raw: RawDocument =
            serde_json::from_str(text).map_err(|error| ParsePolicyError::Grammar(error.to_string()))?;
        if raw.version.as_deref().is_some_and(|version| !VERSIONS.contains(&version)) {
            return Err(grammar("`Version` is neither 2012-10-17 nor 2008-10-17"));
        }
        let statements = raw.statement.into_vec();
        if statements.is_empty() {
            return Err(grammar("there is no statement"));
        }
        let statements = statements.into_iter().map(RawStatement::parse).collect::<Result<_, _>>()?;
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

fn grammar(why: &str) -> ParsePolicyError {
    ParsePolicyError::Grammar(why.to_owned())
}

/// A value or a list of values.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    pub(crate) fn into_vec(self) -> Vec<T> {
        match self {
            Self::Many(many) => many,
            Self::One(one) => vec![one],
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDocument {
    #[serde(rename = "Version")]
    version: Option<String>,
    #[expect(dead_code, reason = "read so that it may be there and must be a string")]
    #[serde(rename = "Id")]
    id: Option<String>,
    #[serde(rename = "Statement")]
    statement: OneOrMany<RawStatement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStatement {
    #[expect(dead_code, reason = "read so that it may be there and must be a string")]
    #[serde(rename = "Sid")]
    sid: Option<String>,
    #[serde(rename = "Effect")]
    effect: RawEffect,
    #[serde(rename = "Principal")]
    principal: Option<RawPrincipals>,
    #[serde(rename = "NotPrincipal")]
    not_principal: Option<RawPrincipals>,
    #[serde(rename = "Action")]
    action: Option<OneOrMany<String>>,
    #[serde(rename = "NotAction")]
    not_action: Option<OneOrMany<String>>,
    #[serde(rename = "Resource")]
    resource: Option<OneOrMany<String>>,
    #[serde(rename = "NotResource")]
    not_resource: Option<OneOrMany<String>>,
    #[serde(rename = "Condition")]
    condition: Option<BTreeMap<String, BTreeMap<String, OneOrMany<Scalar>>>>,
}

#[derive(Deserialize)]
enum RawEffect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    #[expect(dead_code, reason = "the grammar alone is checked here")]
    Boolean(bool),
    #[expect(dead_code, reason = "the grammar alone is checked here")]
    Number(serde_json::Number),
    #[expect(dead_code, reason = "the grammar alone is checked here")]
    Text(String),
}

impl RawStatement {
    fn parse(self) -> Result<Statement, ParsePolicyError> {
        let (principals, except_principals) = match (self.principal, self.not_principal) {
            (Some(principals), None) => (principals, false),
            (None, Some(principals)) => (principals, true),
            (Some(_), Some(_)) => return Err(grammar("a statement has both `Principal` and `NotPrincipal`")),
            (None, None) => return Err(grammar("a statement names no principal")),
        };
        let principals = principals.parse().or(Err(ParsePolicyError::Principal))?;
        let (actions, except_actions) = match (self.action, self.not_action) {
            (Some(_), Some(_)) => return Err(grammar("a statement has both `Action` and `NotAction`")),
            (Some(actions), None) => (actions.into_vec(), false),
            (None, Some(actions)) => (actions.into_vec(), true),
            (None, None) => (Vec::new(), false),
        };
        if let Some(action) = actions.iter().find(|action| *action != "*" && !action.contains(':')) {
            return Err(grammar(&format!("`{action}` is no action")));
        }
        if self.resource.is_some() && self.not_resource.is_some() {
            return Err(grammar("a statement has both `Resource` and `NotResource`"));
        }
        let condition = self.condition.unwrap_or_default();
        if let Some(operator) = condition.keys().find(|operator| !is_operator(operator)) {
            return Err(grammar(&format!("`{operator}` is no condition operator")));
        }
        let effect = match self.effect {
            RawEffect::Allow => Effect::Allow,
            RawEffect::Deny => Effect::Deny,
        };
        let on_resource =
            self.not_resource.is_some() || self.resource.is_some_and(|listed| !listed.into_vec().is_empty());
        let is_conditional = condition.values().any(|keys| !keys.is_empty());
        Ok(Statement {
            effect,
            principals,
            except_principals,
            actions,
            except_actions,
            on_resource,
            is_conditional,
        })
    }
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

    proptest! {
        #[test]
        fn the_parser_never_panics(text in ".{0,200}") {
            drop(Document::parse(&text));
        }
    }
}
