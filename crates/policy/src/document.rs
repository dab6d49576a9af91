//! The grammar of a policy document.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>, with KMS's own rules for the
//! policy of a resource: every statement names a principal; one without `Action` or `Resource` is accepted and has no effect.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::condition::{self, Condition};
use crate::json::{self, Fault, Value};
use crate::principal::{AwsPrincipal, Principals};

/// A well-formed policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Document {
    /// What it hangs on.
    pub kind: Kind,
    /// The version of the language in which it is written.
    pub version: Version,
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}

/// What a policy hangs on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A principal or an account: identity policies, permissions boundaries, session policies, service control policies. Its
    /// statements name no principal, and must name actions and resources.
    Identity,
    /// A resource: key policies, endpoint policies, resource control policies. Each of its statements names a principal.
    Resource,
    /// A role: its trust policy. Each of its statements names a principal and actions, and no resource: it is about its role.
    Trust,
}

/// The version of the language.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// `2008-10-17`, and what counts where none is given: `${...}` is text like any other.
    V2008,
    /// `2012-10-17`: `${...}` is a variable.
    V2012,
}

/// One statement.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Statement {
    /// Its name.
    pub sid: Option<String>,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Whom it is about; none in a policy of [`Kind::Identity`].
    pub principals: Option<Principals>,
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
    /// The conditions under which it holds: all of them.
    pub conditions: Vec<Condition>,
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
    /// Parses a key policy.
    ///
    /// # Errors
    /// Where it is not of the grammar, or names a principal that cannot exist.
    pub fn parse(text: &str) -> Result<Self, ParsePolicyError> {
        Self::parse_as(Kind::Resource, text)
    }

    /// Parses a policy of `kind`.
    ///
    /// # Errors
    /// Where it is not of the grammar, or names a principal that cannot exist.
    pub fn parse_as(kind: Kind, text: &str) -> Result<Self, ParsePolicyError> {
        let value = json::parse(text).map_err(|fault| {
            grammar(match fault {
                Fault::Depth => "it is nested too deep",
                Fault::Duplicate => "an object has a member twice",
                Fault::Syntax => "it is no JSON",
            })
        })?;
        let mut members = Members::of(value)?;
        let version = match members.optional_text("Version")?.as_deref() {
            Some("2012-10-17") => Version::V2012,
            Some("2008-10-17") | None => Version::V2008,
            Some(_) => return Err(grammar("`Version` is neither 2012-10-17 nor 2008-10-17")),
        };
        members.optional_text("Id")?;
        let statements = members.take("Statement").map(one_or_many).unwrap_or_default();
        members.end()?;
        if statements.is_empty() {
            return Err(grammar("there is no statement"));
        }
        let statements =
            statements.into_iter().map(|one| Statement::parse(kind, one)).collect::<Result<_, _>>()?;
        Ok(Self { kind, version, statements })
    }

    /// The principals of the kind `AWS` that its statements name, also in `NotPrincipal`.
    pub fn principals(&self) -> impl Iterator<Item = &AwsPrincipal> {
        self.statements.iter().filter_map(|statement| statement.principals.as_ref()).flat_map(Principals::aws)
    }
}

// AWS: unverified. The texts for errors of grammar are our own.
pub(crate) fn grammar(why: &str) -> ParsePolicyError {
    ParsePolicyError::Grammar(why.to_owned())
}

impl Statement {
    fn parse(kind: Kind, value: Value) -> Result<Self, ParsePolicyError> {
        let mut members = Members::of(value)?;
        let sid = members.optional_text("Sid")?;
        let effect = match members.take("Effect") {
            Some(Value::Text(effect)) if effect == "Allow" => Effect::Allow,
            Some(Value::Text(effect)) if effect == "Deny" => Effect::Deny,
            _ => return Err(grammar("the `Effect` of a statement is neither Allow nor Deny")),
        };
        let (principals, except_principals) = parse_principals(kind, &mut members)?;
        let (actions, except_actions) = members.either("Action", "NotAction")?;
        if let Some(action) = actions.iter().find(|action| *action != "*" && !action.contains(':')) {
            return Err(grammar(&format!("`{action}` is no action")));
        }
        let (resources, except_resources) = members.either("Resource", "NotResource")?;
        let lacks = match kind {
            Kind::Identity => actions.is_empty() || resources.is_empty(),
            Kind::Resource => false,
            Kind::Trust => actions.is_empty(),
        };
        if lacks {
            return Err(grammar("a statement names no action or no resource"));
        }
        if kind == Kind::Trust && (except_resources || !resources.is_empty()) {
            return Err(grammar("a statement of a trust policy names a resource"));
        }
        let conditions = members
            .take("Condition")
            .map(|value| condition::parse(kind, value))
            .transpose()?
            .unwrap_or_default();
        members.end()?;
        Ok(Self {
            sid,
            effect,
            principals,
            except_principals,
            actions,
            except_actions,
            resources,
            except_resources,
            conditions,
        })
    }
}

/// Whom a statement of a policy of `kind` names, and whether it is about everybody else.
fn parse_principals(
    kind: Kind,
    members: &mut Members,
) -> Result<(Option<Principals>, bool), ParsePolicyError> {
    let (principals, except) = match (members.take("Principal"), members.take("NotPrincipal")) {
        (Some(principals), None) => (principals, false),
        (None, Some(principals)) => (principals, true),
        (Some(_), Some(_)) => return Err(grammar("a statement has both `Principal` and `NotPrincipal`")),
        (None, None) => {
            return match kind {
                Kind::Identity => Ok((None, false)),
                Kind::Resource | Kind::Trust => Err(grammar("a statement names no principal")),
            };
        }
    };
    match kind {
        Kind::Identity => Err(grammar("a statement names a principal, and the policy hangs on one")),
        Kind::Resource | Kind::Trust => Ok((Some(Principals::parse(principals)?), except)),
    }
}

/// The members of an object, each taken once.
pub(crate) struct Members(pub(crate) BTreeMap<String, Value>);

impl Members {
    pub(crate) fn of(value: Value) -> Result<Self, ParsePolicyError> {
        match value {
            Value::Object(members) => Ok(Self(members)),
            Value::Boolean(_) | Value::List(_) | Value::Null | Value::Number(_) | Value::Text(_) => {
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
            Value::Boolean(_) | Value::List(_) | Value::Null | Value::Number(_) | Value::Object(_) => {
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

pub(crate) fn one_or_many(value: Value) -> Vec<Value> {
    match value {
        Value::List(many) => many,
        one @ (Value::Boolean(_) | Value::Null | Value::Number(_) | Value::Object(_) | Value::Text(_)) => {
            vec![one]
        }
    }
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
            (statement(&format!(r#""Effect":"Allow",{root},"Condition":{{"StringEqauls":{{}}}}"#)), false),
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
