//! What IAM says of the trust policy of a role.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use super::literal::Literals;
use super::{Members, is_condition, members, statements, text_of, texts};
use crate::context::Context;
use crate::document::{Document, Kind};
use crate::fuel::Fuel;
use crate::json::{self, Value};
use crate::pattern::{Pattern, Scope, Syntax};
use crate::principal::AwsPrincipal;

/// Reads the trust policy of a role.
///
/// # Errors
/// Where it is none: the text of IAM's `MalformedPolicyDocument`.
pub fn parse_trust_policy(text: &str) -> Result<Document, String> {
    let no_json = || "This policy contains invalid Json".to_owned();
    let value = json::parse(text).ok().ok_or_else(no_json)?;
    let policy = members(&value).ok_or_else(no_json)?;
    if !matches!(policy.get("Version").map(text_of), None | Some(Some("2008-10-17" | "2012-10-17"))) {
        return Err("The policy must contain a valid version string".to_owned());
    }
    let is_empty = |value: &Value| matches!(value, Value::List(items) if items.is_empty());
    if policy.get("Statement").is_none_or(is_empty) {
        return Err("Could not parse the policy: Statement is empty!".to_owned());
    }
    let statements = statements(policy).ok_or_else(|| SYNTAX.to_owned())?;
    let mut sids = BTreeSet::new();
    for statement in statements {
        check(statement)?;
        let sid = statement.get("Sid").and_then(text_of).filter(|sid| !sid.is_empty());
        if !sid.is_none_or(|sid| sids.insert(sid)) {
            return Err("The Statement Ids in the policy are not unique".to_owned());
        }
    }
    Document::parse_as(Kind::Trust, text).ok().ok_or_else(|| SYNTAX.to_owned())
}

/// What IAM says of a principal, such as one that does not exist. `kind` is `AWS`, `Service` or `Federated`.
#[must_use]
pub fn invalid_principal(kind: &str, principal: &str) -> String {
    format!("Invalid principal in policy: \"{}\":\"{principal}\"", kind.to_ascii_uppercase())
}

/// The provider that the identity pools of everybody have in common.
const COGNITO: &str = "cognito-identity.amazonaws.com";

/// What a trust policy may speak of.
/// Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html>.
const ROLE_ACTIONS: [&str; 6] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "SetContext",
    "SetSourceIdentity",
    "TagSession",
];

const SYNTAX: &str = "Syntax error in policy.";

fn check(statement: &Members) -> Result<(), String> {
    match statement.get("Effect") {
        None => return Err("Missing required field Effect".to_owned()),
        Some(Value::Text(effect)) if effect == "Allow" || effect == "Deny" => {}
        Some(Value::Text(effect)) => return Err(format!("Invalid effect: {effect}")),
        Some(_) => return Err(SYNTAX.to_owned()),
    }
    if statement.contains_key("NotPrincipal") {
        let allows = texts(statement, "Effect") == ["Allow"];
        let text = if allows {
            "Allow with NotPrincipal is not allowed."
        } else {
            "AssumeRole policy must not contain NotPrincipal field."
        };
        return Err(text.to_owned());
    }
    check_principal(statement.get("Principal"))?;
    if !statement.get("Condition").is_none_or(|value| is_condition(Kind::Trust, value))
        || statement.contains_key("Action") && statement.contains_key("NotAction")
        || !Literals::Typed.take(statement.get("Condition"))
    {
        return Err(SYNTAX.to_owned());
    }
    let is_of_cognito =
        |kinds: &Value| members(kinds).is_some_and(|kinds| texts(kinds, "Federated").contains(&COGNITO));
    let asks_nothing = |value: &Value| members(value).is_some_and(Members::is_empty);
    if statement.get("Principal").is_some_and(is_of_cognito)
        && statement.get("Condition").is_none_or(asks_nothing)
    {
        return Err("A condition block must be present for the Cognito provider".to_owned());
    }
    let actions = [texts(statement, "Action"), texts(statement, "NotAction")].concat();
    if actions.is_empty() {
        return Err("Missing required field Action".to_owned());
    }
    // AWS: what it says of a pattern is unverified; one is taken here where it covers an action that is.
    let (context, fuel) = (Context::default(), Fuel::full());
    let scope = Scope { context: &context, fuel: &fuel };
    let is_of_roles = |action: &&str| {
        let Some((service, name)) = action.split_once(':') else { return false };
        let pattern =
            Pattern::compile(&name.to_ascii_lowercase(), Syntax { wildcards: true, variables: false });
        service.eq_ignore_ascii_case("sts")
            && ROLE_ACTIONS.iter().any(|known| pattern.matches(&known.to_ascii_lowercase(), scope))
    };
    if !actions.iter().all(is_of_roles) {
        return Err("AssumeRole policy may only specify STS AssumeRole actions.".to_owned());
    }
    if statement.contains_key("Resource") {
        return Err("Has prohibited field Resource".to_owned());
    }
    if statement.contains_key("NotResource") {
        return Err("AssumeRole policy must not contain resources.".to_owned());
    }
    Ok(())
}

fn check_principal(principal: Option<&Value>) -> Result<(), String> {
    let kinds = match principal {
        None => return Err("Missing required field Principal".to_owned()),
        Some(Value::Object(kinds)) => kinds,
        Some(Value::Text(_)) => return Err("Principal must be a JSON object.".to_owned()),
        Some(Value::Boolean(_) | Value::List(_) | Value::Null | Value::Number(_)) => {
            return Err(SYNTAX.to_owned());
        }
    };
    if kinds.is_empty() {
        return Err("Missing required field Principal cannot be empty!".to_owned());
    }
    for kind in kinds.keys() {
        for principal in texts(kinds, kind) {
            check_one(kind, principal)?;
        }
        if !["AWS", "Federated", "Service"].contains(&kind.as_str()) {
            return Err(format!("Invalid principal in policy: \"{kind}\""));
        }
    }
    Ok(())
}

fn check_one(kind: &str, principal: &str) -> Result<(), String> {
    // A name of at least two labels.
    let is_domain = || {
        let label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        principal.contains('.') && principal.split('.').all(label)
    };
    match kind {
        "AWS" if principal.parse::<AwsPrincipal>().is_err() => Err(invalid_principal(kind, principal)),
        "Service" if !is_domain() => Err(invalid_principal(kind, principal)),
        "Federated" if !is_domain() && !is_provider(principal) => {
            Err("Federated principals must be valid domain names or SAML metadata ARNs".to_owned())
        }
        _ => Ok(()),
    }
}

fn is_provider(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let mut next = || parts.next().unwrap_or_default();
    let (arn, _, service, region, _, name) = (next(), next(), next(), next(), next(), next());
    let named = |prefix| name.strip_prefix(prefix).is_some_and(|name: &str| !name.is_empty());
    arn == "arn"
        && service == "iam"
        && region.is_empty()
        && (named("oidc-provider/") || named("saml-provider/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(members: &str) -> String {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{{{members}}}]}}"#);
        parse_trust_policy(&text).err().unwrap_or_else(|| "taken".into())
    }

    #[test]
    fn each_fault_of_a_trust_policy_has_its_text() {
        let sts = "AssumeRole policy may only specify STS AssumeRole actions.";
        let federated = "Federated principals must be valid domain names or SAML metadata ARNs";
        for (members, expected) in [
            (r#""Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole""#, "taken"),
            (
                r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:TagSession"]"#,
                "taken",
            ),
            (
                r#""Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"STS:AssumeRole","Condition":{}"#,
                "taken",
            ),
            (
                r#""Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/idp.example/a"},"Action":"sts:AssumeRoleWithWebIdentity""#,
                "taken",
            ),
            (
                r#""Effect":"Deny","Principal":{"Federated":"accounts.google.com"},"NotAction":"sts:TagSession""#,
                "taken",
            ),
            (
                r#""Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole""#,
                "Missing required field Effect",
            ),
            (
                r#""Effect":"allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole""#,
                "Invalid effect: allow",
            ),
            (r#""Effect":1,"Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole""#, SYNTAX),
            (r#""Effect":"Allow","Action":"sts:AssumeRole""#, "Missing required field Principal"),
            (
                r#""Effect":"Allow","Principal":{},"Action":"sts:AssumeRole""#,
                "Missing required field Principal cannot be empty!",
            ),
            (
                r#""Effect":"Allow","Principal":"*","Action":"sts:AssumeRole""#,
                "Principal must be a JSON object.",
            ),
            (r#""Effect":"Allow","Principal":[],"Action":"sts:AssumeRole""#, SYNTAX),
            (
                r#""Effect":"Allow","Principal":{"Else":"x"},"Action":"sts:AssumeRole""#,
                r#"Invalid principal in policy: "Else""#,
            ),
            (
                r#""Effect":"Allow","Principal":{"AWS":"foo"},"Action":"sts:AssumeRole""#,
                r#"Invalid principal in policy: "AWS":"foo""#,
            ),
            (
                r#""Effect":"Allow","Principal":{"Service":"ec2"},"Action":"sts:AssumeRole""#,
                r#"Invalid principal in policy: "SERVICE":"ec2""#,
            ),
            (
                r#""Effect":"Allow","Principal":{"Service":"ec2..amazonaws.com"},"Action":"sts:AssumeRole""#,
                r#"Invalid principal in policy: "SERVICE":"ec2..amazonaws.com""#,
            ),
            (
                r#""Effect":"Allow","Principal":{"Service":"ec2*.amazonaws.com"},"Action":"sts:AssumeRole""#,
                r#"Invalid principal in policy: "SERVICE":"ec2*.amazonaws.com""#,
            ),
            (r#""Effect":"Allow","Principal":{"Federated":"x"},"Action":"sts:AssumeRole""#, federated),
            (
                r#""Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/"},"Action":"sts:AssumeRole""#,
                federated,
            ),
            (
                r#""Effect":"Allow","NotPrincipal":{"AWS":"*"},"Action":"sts:AssumeRole""#,
                "Allow with NotPrincipal is not allowed.",
            ),
            (
                r#""Effect":"Deny","NotPrincipal":{"AWS":"*"},"Action":"sts:AssumeRole""#,
                "AssumeRole policy must not contain NotPrincipal field.",
            ),
            (
                r#""Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity""#,
                "A condition block must be present for the Cognito provider",
            ),
            (
                r#""Effect":"Allow","Principal":{"Federated":"cognito-identity.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":"x"}}"#,
                "taken",
            ),
            (r#""Effect":"Allow","Principal":{"AWS":"*"}"#, "Missing required field Action"),
            (r#""Effect":"Allow","Principal":{"AWS":"*"},"Condition":{"x":{}}"#, SYNTAX),
            (r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"s3:x","NotAction":"s3:y""#, SYNTAX),
            (r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"*""#, sts),
            (r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:InvalidAction""#, sts),
            (r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:Assume*""#, "taken"),
            (r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","s3:x"]"#, sts),
            (
                r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Resource":"*""#,
                "Has prohibited field Resource",
            ),
            (
                r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","NotResource":"*""#,
                "AssumeRole policy must not contain resources.",
            ),
            (
                r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"x":{"a":"b"}}"#,
                SYNTAX,
            ),
            (r#""Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Else":"x""#, SYNTAX),
            (
                r#""Sid":"a","Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"},{"Sid":"a","Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole""#,
                "The Statement Ids in the policy are not unique",
            ),
        ] {
            assert_eq!(said(members), expected, "{members}");
        }
        for (text, expected) in [
            ("{", "This policy contains invalid Json"),
            ("[]", "This policy contains invalid Json"),
            (r#"{"Version":"1","Statement":[]}"#, "The policy must contain a valid version string"),
            (r#"{"Version":"2012-10-17"}"#, "Could not parse the policy: Statement is empty!"),
            (r#"{"Statement":[]}"#, "Could not parse the policy: Statement is empty!"),
            (r#"{"Statement":["x"]}"#, SYNTAX),
        ] {
            assert_eq!(parse_trust_policy(text).unwrap_err(), expected, "{text}");
        }
    }
}
