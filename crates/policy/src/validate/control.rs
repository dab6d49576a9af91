//! What a resource control policy must be.
//!
//! Organizations refuses the rest with one text for all; here is said what is wrong.
//! Source: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html>, and recorded answers
//! of AWS (September 2026) on the versions and the forms of a principal that are taken.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::{Members, SYNTAX, members, statements, text_of, texts};
use crate::document::{Document, Kind};
use crate::json::{self, Value};

/// Reads a resource control policy of one's own: all that AWS's `RCPFullAWSAccess` is not.
///
/// # Errors
/// Where it is none: what is wrong with it.
pub fn parse_resource_control_policy(text: &str) -> Result<Document, String> {
    let syntax = || SYNTAX.to_owned();
    let value = json::parse(text).ok().ok_or_else(syntax)?;
    let policy = members(&value).ok_or_else(syntax)?;
    for (index, statement) in statements(policy).ok_or_else(syntax)?.into_iter().enumerate() {
        check(statement)
            .map_err(|what| format!("Statement {} of a resource control policy {what}", index + 1))?;
    }
    Document::parse_as(Kind::Resource, text).map_err(|error| format!("{error}"))
}

/// Services of this server that no resource control policy is for.
const WITHOUT: [&str; 3] = ["cloudtrail", "iam", "organizations"];

fn check(statement: &Members) -> Result<(), String> {
    if statement.get("Effect").and_then(text_of) != Some("Deny") {
        return Err("must have the Effect \"Deny\": such policies only forbid".to_owned());
    }
    if statement.contains_key("NotPrincipal") || !statement.get("Principal").is_some_and(is_everybody) {
        return Err(
            "must have the Principal \"*\" or {\"AWS\": \"*\"}: say in a Condition whom it is for".to_owned()
        );
    }
    let actions = texts(statement, "Action");
    if statement.contains_key("NotAction") || actions.is_empty() {
        return Err("must have an Action: NotAction is not taken".to_owned());
    }
    for action in actions {
        let service = action.split_once(':').map(|(service, _)| service);
        let is_service = |service: &str| {
            !service.is_empty() && service.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let Some(service) = service.filter(|service| is_service(service)) else {
            return Err(format!("must name the service of the Action `{action}`, such as `kms:*`"));
        };
        if WITHOUT.iter().any(|without| service.eq_ignore_ascii_case(without)) {
            return Err(format!("has the Action `{action}`, of a service that such policies are not for"));
        }
    }
    Ok(())
}

fn is_everybody(principal: &Value) -> bool {
    match principal {
        Value::Text(text) => text == "*",
        Value::Object(kinds) => kinds.len() == 1 && kinds.get("AWS").and_then(text_of) == Some("*"),
        Value::Boolean(_) | Value::List(_) | Value::Null | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_control_policy_forbids_everybody_actions_of_a_service() {
        let (deny, all) = (r#""Effect":"Deny""#, r#""Principal":"*""#);
        let everybody = "Statement 1 of a resource control policy must have the Principal \"*\" or {\"AWS\": \"*\"}: \
                         say in a Condition whom it is for";
        let action = "Statement 1 of a resource control policy must have an Action: NotAction is not taken";
        for (members, expected) in [
            (format!(r#"{deny},{all},"Action":"kms:*","Resource":"*""#), "taken"),
            (format!(r#"{deny},{all},"Action":["KMS:Decrypt","sqs:Unknown"],"NotResource":"*""#), "taken"),
            (format!(r#"{deny},"Principal":{{"AWS":"*"}},"Action":"cognito-idp:*","Resource":"*""#), "taken"),
            (
                format!(
                    r#"{deny},{all},"Action":"kms:*","Resource":"*","Condition":{{"Null":{{"a":"true"}}}}"#
                ),
                "taken",
            ),
            (
                format!(r#""Effect":"Allow",{all},"Action":"kms:*","Resource":"*""#),
                "Statement 1 of a resource control policy must have the Effect \"Deny\": such policies only forbid",
            ),
            (format!(r#"{deny},"Action":"kms:*","Resource":"*""#), everybody),
            (format!(r#"{deny},"Principal":["*"],"Action":"kms:*","Resource":"*""#), everybody),
            (format!(r#"{deny},"Principal":{{"AWS":["*"]}},"Action":"kms:*","Resource":"*""#), everybody),
            (
                format!(r#"{deny},"Principal":{{"AWS":"111122223333"}},"Action":"kms:*","Resource":"*""#),
                everybody,
            ),
            (format!(r#"{deny},"NotPrincipal":"*","Action":"kms:*","Resource":"*""#), everybody),
            (format!(r#"{deny},{all},"NotAction":"kms:*","Resource":"*""#), action),
            (format!(r#"{deny},{all},"Resource":"*""#), action),
            (
                format!(r#"{deny},{all},"Action":["kms:*","*"],"Resource":"*""#),
                "Statement 1 of a resource control policy must name the service of the Action `*`, such as `kms:*`",
            ),
            (
                format!(r#"{deny},{all},"Action":"k*:Decrypt","Resource":"*""#),
                "Statement 1 of a resource control policy must name the service of the Action `k*:Decrypt`, such as `kms:*`",
            ),
            (
                format!(r#"{deny},{all},"Action":"iam:CreateUser","Resource":"*""#),
                "Statement 1 of a resource control policy has the Action `iam:CreateUser`, of a service that such policies are not for",
            ),
        ] {
            for version in [r#""Version":"2012-10-17","#, r#""Version":"2008-10-17","#, ""] {
                let text = format!(r#"{{{version}"Statement":{{{members}}}}}"#);
                let said = parse_resource_control_policy(&text).err();
                assert_eq!(said.as_deref().unwrap_or("taken"), expected, "{text}");
            }
        }
        for text in ["", "[]", "{}", r#"{"Statement":[]}"#, r#"{"Statement":["x"]}"#] {
            assert_eq!(parse_resource_control_policy(text).unwrap_err(), SYNTAX, "{text}");
        }
    }
}
