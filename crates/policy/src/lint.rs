//! What is likely to be a mistake in a policy.
//!
//! A finding is an error where a statement does not do what it says, or lets in everybody; a warning where it probably is not what
//! was meant; a notice where a word of it is worth a second look.

mod availability;
mod condition;
mod statement;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::document::{Document, Effect, Kind, Statement, Version};
use crate::policy::Policy;
use crate::spans::{Span, statement_spans};
use crate::validate::{parse_identity_policy, parse_managed_policy, parse_trust_policy};

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Worth a second look.
    Notice,
    /// Probably not what was meant.
    Warning,
    /// It does not do what it says, or lets in everybody.
    Error,
}

/// Something that is likely to be a mistake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The name of the rule.
    pub rule: &'static str,
    /// The statement, from zero; none if it is about the whole policy.
    pub statement: Option<usize>,
    /// The name of the statement.
    pub sid: Option<String>,
    /// Where the statement stands in the text.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub advice: &'static str,
}

/// Looks at the text of a policy that hangs on what `kind` says. The order is that of the statements.
#[must_use]
pub fn lint(kind: Kind, text: &str) -> Vec<Finding> {
    let mut findings = Findings::default();
    match Document::parse_as(kind, text) {
        Ok(document) => {
            findings.look_at(&document, text);
            findings.place(&document, text);
        }
        Err(error) => findings.add(
            Severity::Error,
            "grammar",
            error.to_string(),
            "correct it: a policy that cannot be read allows nothing",
        ),
    }
    findings.found.sort_by_key(|finding| finding.statement);
    findings.found
}

/// What was found so far, and the statement that is looked at.
#[derive(Default)]
struct Findings {
    found: Vec<Finding>,
    statement: Option<usize>,
}

impl Findings {
    fn add(&mut self, severity: Severity, rule: &'static str, message: String, advice: &'static str) {
        let statement = self.statement;
        self.found.push(Finding { severity, rule, statement, sid: None, span: None, message, advice });
    }

    fn look_at(&mut self, document: &Document, text: &str) {
        self.look_at_document(document, text);
        for (index, statement) in document.statements.iter().enumerate() {
            self.statement = Some(index);
            statement::look(self, document, statement);
            condition::look_at_variables(self, document, &statement.resources);
            for one in &statement.conditions {
                condition::look(self, document, statement, one);
            }
            condition::look_together(self, statement);
            self.look_for_twins(document, index, statement);
        }
        self.statement = None;
    }

    /// Sets the names and places of the statements.
    fn place(&mut self, document: &Document, text: &str) {
        let spans = statement_spans(text);
        for finding in &mut self.found {
            let Some(index) = finding.statement else { continue };
            finding.sid = document.statements.get(index).and_then(|statement| statement.sid.clone());
            finding.span = spans.get(index).copied();
        }
    }

    fn look_at_document(&mut self, document: &Document, text: &str) {
        let refused = match document.kind {
            Kind::Identity => parse_identity_policy(text).err(),
            Kind::Trust => parse_trust_policy(text).err(),
            Kind::Resource => None,
        };
        if let Some(said) = refused {
            self.add(Severity::Error, "refused", format!("IAM refuses it: {said}"), "correct what IAM says");
        }
        if document.kind == Kind::Identity
            && parse_identity_policy(text).is_ok()
            && let Err(said) = parse_managed_policy(text)
        {
            let message = format!("IAM refuses it as a managed or a service control policy: {said}");
            self.add(Severity::Warning, "refused", message, "correct what IAM says");
        }
        if document.version == Version::V2008 {
            let (severity, message) = if uses_variables(document) {
                (Severity::Error, "it has variables, and is of a version of the language that has none")
            } else {
                (Severity::Notice, "it is of the older version of the language, which has no variables")
            };
            self.add(severity, "version", message.to_owned(), "say \"Version\": \"2012-10-17\"");
        }
        if document.kind == Kind::Resource && text.len() > LONGEST_KEY_POLICY {
            let message = format!(
                "it has {} bytes, and the policy of a key has at most {LONGEST_KEY_POLICY}",
                text.len()
            );
            self.add(Severity::Error, "size", message, "shorten it");
        }
        let mut seen = BTreeSet::new();
        let sids = document.statements.iter().filter_map(|one| one.sid.as_deref());
        let twice: BTreeSet<_> = sids.filter(|sid| !sid.is_empty() && !seen.insert(*sid)).collect();
        for sid in twice {
            let message = format!("`{sid}` is the name of more than one statement");
            self.add(Severity::Warning, "duplicate-sid", message, "give each statement a name of its own");
        }
        if document.kind == Kind::Resource && !leaves_the_policy_to_somebody(document) {
            self.add(
                Severity::Error,
                "lockout",
                "no statement lets anybody put the next policy without a condition".to_owned(),
                "let the account (its root) do kms:PutKeyPolicy, if this is the policy of a key",
            );
        }
    }

    /// Statements that change nothing beside another one.
    fn look_for_twins(&mut self, document: &Document, index: usize, statement: &Statement) {
        let is_same = |other: &Statement| {
            Statement { sid: None, ..other.clone() } == Statement { sid: None, ..statement.clone() }
        };
        if let Some(first) = document.statements.iter().take(index).position(is_same) {
            let message = format!("it says what statement {first} says");
            self.add(Severity::Warning, "duplicate", message, "leave one of them out");
        }
        if statement.effect == Effect::Deny {
            return;
        }
        let policy = Policy::from(document);
        let known = |index: usize| policy.statements().get(index).map_or(0, |one| one.known_actions());
        let own = known(index);
        let hides = |(at, other): (usize, &Statement)| {
            other.effect == Effect::Deny
                && other.conditions.is_empty()
                && own != 0
                && own & !known(at) == 0
                && other.resources == ["*"]
                && !other.except_resources
                && !other.except_principals
                && (other.principals == statement.principals && !statement.except_principals
                    || statement::is_for_everybody(other) && other.principals.is_some())
        };
        if let Some(denial) = document.statements.iter().enumerate().position(hides) {
            let message = format!("statement {denial} denies all that it allows");
            self.add(Severity::Warning, "unreachable", message, "leave it out, or narrow the denial");
        }
    }
}

fn uses_variables(document: &Document) -> bool {
    let mut texts = document.statements.iter().flat_map(|statement| {
        statement.resources.iter().chain(statement.conditions.iter().flat_map(|one| &one.values))
    });
    texts.any(|text| text.contains("${"))
}

fn leaves_the_policy_to_somebody(document: &Document) -> bool {
    let put = crate::action::Action::new("kms:PutKeyPolicy").bit();
    let policy = Policy::from(document);
    let statements = document.statements.iter().zip(policy.statements());
    let allows = |(written, compiled): (&Statement, &crate::policy::Statement)| {
        written.effect == Effect::Allow
            && written.conditions.is_empty()
            && compiled.known_actions() & put != 0
            && (!written.resources.is_empty())
    };
    statements.into_iter().any(allows)
}

/// What `PutKeyPolicy` takes at most.
const LONGEST_KEY_POLICY: usize = 32_768;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;

    const ROOT: &str =
        r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*"}"#;

    /// The rules that find something in the last statement of a key policy.
    fn found(members: &str) -> Vec<&'static str> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{ROOT},{{{members}}}]}}"#);
        let findings = lint(Kind::Resource, &text);
        assert!(findings.iter().all(|finding| finding.statement == Some(1)), "{findings:#?}");
        findings.iter().map(|finding| finding.rule).collect()
    }

    /// The same of an identity policy.
    fn found_in_identity(members: &str) -> Vec<&'static str> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{{{members}}}]}}"#);
        lint(Kind::Identity, &text).iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn mistakes_of_statements_are_found() {
        let alice = r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/Alice"}"#;
        let use_it = r#""Action":"kms:Decrypt","Resource":"*""#;
        for (members, rules) in [
            (format!(r#""Effect":"Allow",{alice},{use_it}"#), &[][..]),
            (format!(r#""Effect":"Allow",{alice},"Action":"kms:Generate*","Resource":"*""#), &[]),
            (
                format!(r#""Effect":"Allow",{alice},"Action":"kms:Decript","Resource":"*""#),
                &["unknown-action"],
            ),
            (
                format!(r#""Effect":"Allow",{alice},"Action":["s3:GetObject","kms:Decrypt"],"Resource":"*""#),
                &["foreign-action"],
            ),
            (format!(r#""Effect":"Allow",{alice},"Action":"kms:Decrypt""#), &["no-effect"]),
            (format!(r#""Effect":"Allow",{alice},"Resource":"*""#), &["no-effect"]),
            (
                format!(r#""Effect":"Allow",{alice},"NotAction":"kms:Decrypt","Resource":"*""#),
                &["allow-all-but"],
            ),
            (format!(r#""Effect":"Deny",{alice},"NotAction":"kms:Decrypt","Resource":"*""#), &[]),
            (
                format!(
                    r#""Effect":"Allow",{alice},"Action":"kms:Decrypt","Resource":"arn:aws:kms:us-west-2:111122223333:alias/a""#
                ),
                &["never-the-key"],
            ),
            (
                format!(
                    r#""Effect":"Allow",{alice},"Action":"kms:Decrypt","Resource":["*","arn:aws:s3:::b"]"#
                ),
                &["never-the-key"],
            ),
            (
                format!(
                    r#""Effect":"Allow",{alice},"Action":"kms:Decrypt","Resource":["arn:aws:kms:*:*:k*","arn:*","arn:aws:kms:us-west-2:111122223333:key/1"]"#
                ),
                &[],
            ),
            (
                format!(
                    r#""Effect":"Allow",{alice},"Action":"kms:Decrypt","Resource":"arn:aws:kms:us-west-2:${{aws:PrincipalAccount}}:key/*""#
                ),
                &["variable-place", "never-the-key"],
            ),
            (format!(r#""Effect":"Allow","Principal":"*",{use_it}"#), &["public"]),
            (
                format!(
                    r#""Effect":"Allow","Principal":{{"AWS":"*"}},{use_it},"Condition":{{"StringEquals":{{"kms:ViaService":"s3.us-west-2.amazonaws.com"}}}}"#
                ),
                &["public"],
            ),
            (
                format!(
                    r#""Effect":"Allow","Principal":"*",{use_it},"Condition":{{"StringEquals":{{"kms:CallerAccount":"111122223333"}}}}"#
                ),
                &[],
            ),
            (
                format!(
                    r#""Effect":"Allow","Principal":"*",{use_it},"Condition":{{"StringLike":{{"kms:CallerAccount":"*"}}}}"#
                ),
                &["public"],
            ),
            (
                format!(
                    r#""Effect":"Allow","Principal":"*",{use_it},"Condition":{{"StringEquals":{{"kms:EncryptionContext:a":"b"}}}}"#
                ),
                &["public"],
            ),
            (
                format!(
                    r#""Effect":"Allow","Principal":{{"Service":"logs.amazonaws.com"}},{use_it},"Condition":{{"Bool":{{"aws:SecureTransport":"true"}}}}"#
                ),
                &["confused-deputy"],
            ),
            (format!(r#""Effect":"Deny","Principal":"*",{use_it}"#), &[]),
            (
                format!(r#""Effect":"Allow","NotPrincipal":{{"AWS":"111122223333"}},{use_it}"#),
                &["not-principal"],
            ),
            (
                format!(r#""Effect":"Deny","NotPrincipal":{{"AWS":"111122223333"}},{use_it}"#),
                &["not-principal"],
            ),
            (
                format!(r#""Effect":"Allow","Principal":{{"AWS":"AIDACKCEVSQ6C2EXAMPLE"}},{use_it}"#),
                &["gone"],
            ),
            (
                format!(r#""Effect":"Allow","Principal":{{"Service":"logs.amazonaws.com"}},{use_it}"#),
                &["confused-deputy"],
            ),
            (
                format!(
                    r#""Effect":"Allow","Principal":{{"Service":"logs.amazonaws.com"}},{use_it},"Condition":{{"ArnLike":{{"aws:SourceArn":"arn:aws:logs:*:111122223333:*"}}}}"#
                ),
                &[],
            ),
            (
                format!(
                    r#""Effect":"Allow","Principal":{{"Service":"logs.amazonaws.com"}},{use_it},"Condition":{{"StringEquals":{{"kms:EncryptionContext:a":"b"}}}}"#
                ),
                &[],
            ),
        ] {
            assert_eq!(found(&members), rules, "{members}");
        }
    }

    #[test]
    fn mistakes_of_conditions_are_found() {
        for (effect, action, condition, rules) in [
            ("Allow", "kms:*", r#""StringEquals":{"aws:username":"Alice"}"#, &[][..]),
            ("Allow", "kms:*", r#""StringEquals":{"aws:usrname":"Alice"}"#, &["unknown-key"]),
            ("Allow", "kms:*", r#""StringEquals":{"kms:EncryptionContxt:a":"b"}"#, &["unknown-key"]),
            ("Allow", "kms:*", r#""StringEquals":{"s3:prefix":"b"}"#, &["unknown-key"]),
            ("Allow", "kms:*", r#""StringEquals":{"kms:EncryptionContext:a":"b"}"#, &[]),
            ("Allow", "kms:*", r#""NumericEquals":{"aws:username":"1"}"#, &["operator"]),
            ("Allow", "kms:*", r#""StringEquals":{"aws:SourceIp":"203.0.113.0/24"}"#, &["operator"]),
            ("Allow", "kms:*", r#""Bool":{"kms:MultiRegion":"true"}"#, &[]),
            ("Allow", "kms:*", r#""StringEquals":{"kms:MultiRegion":"true"}"#, &[]),
            ("Allow", "kms:*", r#""NumericLessThan":{"aws:EpochTime":"1781524800"}"#, &[]),
            ("Allow", "kms:*", r#""BinaryEquals":{"aws:username":"QWxpY2U="}"#, &[]),
            ("Allow", "kms:*", r#""BinaryEquals":{"kms:MultiRegion":"QWxpY2U="}"#, &["operator"]),
            ("Allow", "kms:*", r#""Bool":{"kms:MultiRegion":"maybe"}"#, &["value"]),
            ("Allow", "kms:*", r#""IpAddress":{"aws:SourceIp":["203.0.113.0/24","host"]}"#, &["value"]),
            ("Allow", "kms:*", r#""DateLessThan":{"aws:CurrentTime":"soon"}"#, &["value"]),
            ("Allow", "kms:*", r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::1111*"}"#, &["value"]),
            ("Allow", "kms:*", r#""StringEquals":{"aws:username":[]}"#, &["no-value"]),
            ("Allow", "kms:*", r#""StringEquals":{"aws:username":"A*"}"#, &["wildcard"]),
            ("Allow", "kms:*", r#""StringEquals":{"aws:username":"A${*}"}"#, &[]),
            ("Allow", "kms:*", r#""StringLike":{"aws:username":"A*"}"#, &[]),
            ("Allow", "kms:*", r#""StringEquals":{"kms:ResourceAliases":"alias/a"}"#, &["set-operator"]),
            ("Allow", "kms:*", r#""ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/a"}"#, &[]),
            ("Allow", "kms:*", r#""ForAnyValue:StringEquals":{"aws:username":"a"}"#, &["set-operator"]),
            (
                "Allow",
                "kms:*",
                r#""ForAllValues:StringEquals":{"kms:ResourceAliases":"alias/a"}"#,
                &["for-all-values"],
            ),
            ("Deny", "kms:*", r#""ForAllValues:StringEquals":{"kms:ResourceAliases":"alias/a"}"#, &[]),
            (
                "Allow",
                "kms:*",
                r#""ForAllValues:StringEquals":{"kms:ResourceAliases":"alias/a"},"Null":{"kms:ResourceAliases":"false"}"#,
                &[],
            ),
            ("Allow", "kms:*", r#""StringNotEquals":{"aws:username":"a"}"#, &["negated-allow"]),
            ("Deny", "kms:*", r#""StringNotEquals":{"aws:username":"a"}"#, &[]),
            (
                "Allow",
                "kms:*",
                r#""StringEquals":{"aws:username":"a"},"Null":{"AWS:UserName":"true"}"#,
                &["contradiction"],
            ),
            (
                "Deny",
                "kms:*",
                r#""ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/a"},"Null":{"kms:ResourceAliases":"true"}"#,
                &["contradiction"],
            ),
            (
                "Deny",
                "kms:*",
                r#""ForAllValues:StringEquals":{"kms:ResourceAliases":"alias/a"},"Null":{"kms:ResourceAliases":"true"}"#,
                &[],
            ),
            (
                "Deny",
                "kms:*",
                r#""StringNotEquals":{"aws:username":"a"},"Null":{"aws:username":"true"}"#,
                &[],
            ),
            (
                "Deny",
                "kms:*",
                r#""StringEqualsIfExists":{"aws:username":"a"},"Null":{"aws:username":"true"}"#,
                &[],
            ),
            ("Deny", "kms:*", r#""StringEquals":{"aws:userid":"a"},"Null":{"aws:username":"true"}"#, &[]),
            ("Allow", "kms:*", r#""StringEquals":{"aws:username":"${aws:TagKeys}"}"#, &["variable"]),
            ("Allow", "kms:*", r#""StringEquals":{"aws:username":"${user}"}"#, &["variable"]),
            ("Allow", "kms:*", r#""StringEquals":{"aws:username":"${saml:sub}"}"#, &[]),
            (
                "Allow",
                "kms:DescribeKey",
                r#""StringEquals":{"kms:EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
                &["key-without-action"],
            ),
            (
                "Allow",
                "kms:Encrypt",
                r#""StringEquals":{"kms:EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
                &[],
            ),
        ] {
            let members = format!(
                r#""Effect":"{effect}","Principal":{{"AWS":"arn:aws:iam::111122223333:user/Alice"}},"Action":"{action}","Resource":"*","Condition":{{{condition}}}"#
            );
            assert_eq!(found(&members), rules, "{members}");
        }
    }

    #[test]
    fn what_a_value_of_another_type_does_is_said_as_it_is_decided() {
        for (effect, condition, said) in [
            ("Allow", r#""IpAddress":{"aws:SourceIp":"2001:db8::5/64"}"#, "nothing equals it"),
            ("Deny", r#""NotIpAddress":{"aws:SourceIp":"2001:db8::5/64"}"#, "everything differs from it"),
            ("Deny", r#""NumericNotEquals":{"s3:max-keys":"ten"}"#, "everything differs from it"),
            ("Allow", r#""Bool":{"kms:MultiRegion":"maybe"}"#, "it stands for false"),
            ("Allow", r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::1111*"}"#, "it never allows"),
            ("Deny", r#""ArnLike":{"aws:PrincipalArn":"arn:aws:iam::1111*"}"#, "it denies more than it says"),
        ] {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Principal":{{"AWS":"arn:aws:iam::111122223333:user/Alice"}},"Action":"kms:*","Resource":"*","Condition":{{{condition}}}}}]}}"#
            );
            let found = lint(Kind::Resource, &text);
            let messages: Vec<_> =
                found.iter().filter(|one| one.rule == "value").map(|one| &*one.message).collect();
            assert!(matches!(&*messages, [one] if one.ends_with(said)), "{text}: {messages:?}");
        }
    }

    #[test]
    fn mistakes_of_identity_policies_are_found() {
        for (members, rules) in [
            (r#""Effect":"Allow","Action":"kms:*","Resource":"*""#, &[][..]),
            (
                r#""Effect":"Allow","Action":"kms:CreateKey","Resource":"arn:aws:kms:*:111122223333:key/*""#,
                &["needs-star"],
            ),
            (
                r#""Effect":"Allow","NotAction":"kms:CreateKey","Resource":"arn:aws:kms:*:111122223333:key/*""#,
                &["allow-all-but"],
            ),
            (
                r#""Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:*:111122223333:alias/a""#,
                &["alias-for-key"],
            ),
            (
                r#""Effect":"Allow","Action":"kms:CreateAlias","Resource":"arn:aws:kms:*:111122223333:alias/a""#,
                &[],
            ),
            (r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}""#, &[]),
            (r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${user}""#, &["variable"]),
            (r#""Effect":"Allow","Action":"s3:*","Resource":"b""#, &["refused"]),
            (r#""Effect":"Allow","Action":"s3:*""#, &["grammar"]),
            (
                r#""Effect":"Allow","Action":"kms:Decrypt","Resource":"*"},{"Effect":"Deny","Action":"kms:*","Resource":"*""#,
                &["unreachable"],
            ),
            (
                r#""Effect":"Allow","Action":"kms:*","Resource":"*"},{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*""#,
                &[],
            ),
            (
                r#""Sid":"a","Effect":"Allow","Action":"kms:*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"kms:Decrypt","Resource":"*""#,
                &["refused", "duplicate-sid"],
            ),
        ] {
            assert_eq!(found_in_identity(members), rules, "{members}");
        }
    }

    #[test]
    fn mistakes_of_a_whole_policy_are_found() {
        let alice = r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/Alice"},"Action":"kms:Decrypt","Resource":"*"}"#;
        let long = "a".repeat(LONGEST_KEY_POLICY);
        for (kind, text, rules) in [
            (Kind::Resource, format!(r#"{{"Version":"2012-10-17","Statement":[{ROOT}]}}"#), &[][..]),
            (Kind::Resource, format!(r#"{{"Version":"2012-10-17","Statement":[{alice}]}}"#), &["lockout"]),
            (Kind::Resource, format!(r#"{{"Statement":[{ROOT}]}}"#), &["version"]),
            (Kind::Resource, format!(r#"{{"Version":"2012-10-17","Id":"{long}","Statement":[{ROOT}]}}"#), &["size"]),
            (Kind::Resource, "{".to_owned(), &["grammar"]),
            (
                Kind::Identity,
                r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#.to_owned(),
                &["refused", "version"],
            ),
            (
                Kind::Trust,
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}"#.to_owned(),
                &[],
            ),
            (
                Kind::Trust,
                r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}"#.to_owned(),
                &["public"],
            ),
        ] {
            let found: Vec<_> = lint(kind, &text).iter().map(|finding| finding.rule).collect();
            assert_eq!(found, rules, "{text:.200}");
        }
        let twice = format!(r#"{{"Version":"2012-10-17","Statement":[{ROOT},{ROOT}]}}"#);
        let found: Vec<_> = lint(Kind::Resource, &twice).iter().map(|finding| finding.rule).collect();
        assert_eq!(found, ["duplicate"]);
        let variable =
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}"}}"#;
        let findings = lint(Kind::Identity, variable);
        let version = findings.iter().find(|finding| finding.rule == "version").unwrap();
        assert_eq!(version.severity, Severity::Error);
    }

    #[test]
    fn a_denial_hides_what_it_covers() {
        let of = |effect: &str, principal: &str, more: &str| {
            format!(r#"{{"Effect":"{effect}",{principal},"Action":"kms:Decrypt"{more}}}"#)
        };
        let (alice, bob) = (
            r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/Alice"}"#,
            r#""Principal":{"AWS":"arn:aws:iam::111122223333:user/Bob"}"#,
        );
        let star = r#","Resource":"*""#;
        for (denial, hides) in [
            (of("Deny", alice, star), true),
            (of("Deny", r#""Principal":"*""#, star), true),
            (of("Deny", bob, star), false),
            (of("Deny", r#""NotPrincipal":{"AWS":"111122223333"}"#, star), false),
            (of("Deny", alice, r#","Resource":"arn:aws:kms:us-west-2:111122223333:key/1""#), false),
            (of("Deny", alice, r#","NotResource":"*""#), false),
            (
                of("Deny", alice, r#","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#),
                false,
            ),
            (of("Deny", alice, star).replace("Decrypt", "Encrypt"), false),
        ] {
            let allow = of("Allow", alice, star);
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{ROOT},{allow},{denial}]}}"#);
            let findings = lint(Kind::Resource, &text);
            let found: Vec<_> = findings
                .iter()
                .filter(|finding| finding.rule == "unreachable")
                .map(|finding| finding.statement)
                .collect();
            assert_eq!(found, if hides { vec![Some(1)] } else { vec![] }, "{denial}");
        }
    }

    #[test]
    fn limits_and_severities_are_as_documented() {
        let of_length = |length: usize| {
            let frame = format!(r#"{{"Version":"2012-10-17","Id":"","Statement":[{ROOT}]}}"#).len();
            let id = "a".repeat(length - frame);
            format!(r#"{{"Version":"2012-10-17","Id":"{id}","Statement":[{ROOT}]}}"#)
        };
        assert_eq!(lint(Kind::Resource, &of_length(LONGEST_KEY_POLICY)), []);
        assert_eq!(lint(Kind::Resource, &of_length(LONGEST_KEY_POLICY + 1)).len(), 1);
        let findings = lint(Kind::Resource, &format!(r#"{{"Statement":[{ROOT}]}}"#));
        assert_eq!(findings.first().map(|finding| finding.severity), Some(Severity::Notice));
        for (resource, severity) in
            [(r#""arn:aws:s3:::b""#, Severity::Error), (r#"["*","arn:aws:s3:::b"]"#, Severity::Warning)]
        {
            let statement = ROOT.replace(r#""Resource":"*""#, &format!(r#""Resource":{resource}"#));
            let text = format!(r#"{{"Version":"2012-10-17","Statement":[{ROOT},{statement}]}}"#);
            let severities: Vec<_> = lint(Kind::Resource, &text).iter().map(|one| one.severity).collect();
            assert_eq!(severities, [severity], "{resource}");
        }
        let named = |sid: &str| ROOT.replacen('{', &format!(r#"{{"Sid":"{sid}","#), 1);
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{},{}]}}"#, named("a"), named("b"));
        let rules: Vec<_> = lint(Kind::Resource, &text).iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, ["duplicate"]);
    }

    #[test]
    fn a_finding_has_a_place_and_a_name() {
        let text = "{\"Version\": \"2012-10-17\", \"Statement\": [\n  {\"Sid\": \"x\", \"Effect\": \"Allow\", \"Action\": \"kms:X\", \"Resource\": \"*\"}]}";
        let findings = lint(Kind::Identity, text);
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((finding.sid.as_deref(), finding.statement), (Some("x"), Some(0)));
        let start = finding.span.unwrap().start;
        assert_eq!((start.line, start.column), (2, 3));
    }

    proptest! {
        #[test]
        fn any_text_is_looked_at(text in ".{0,200}") {
            drop(lint(Kind::Resource, &text));
        }
    }
}
