//! The lockout safety check: whoever puts a policy must be able to put the next one.

use crate::action::Action;
use crate::caller::Caller;
use crate::decide::Request;
use crate::fuel::Fuel;
use crate::pattern::Scope;
use crate::policy::{Policy, Question, Verdict};

const ACTION: &str = "kms:putkeypolicy";

/// Whether `policy`, once it is the policy of the key of `request`, lets the caller put the next one. Whatever the action of
/// `request` is, `kms:PutKeyPolicy` is asked for.
///
/// That the policy leaves it to the account of the caller is enough, whatever his own policies say.
/// `is_bounded`: he has a permissions boundary.
#[must_use]
pub fn allows_to_put_policy(policy: &Policy, request: &Request<'_>, is_bounded: bool) -> bool {
    let caller = &request.caller;
    if matches!(caller, Caller::Anonymous)
        || caller.account().is_some_and(|account| account != request.resource_account)
    {
        return false;
    }
    let fuel = Fuel::full();
    let question = Question {
        caller,
        is_bounded,
        action: &Action::new(ACTION),
        resource: &request.resource,
        scope: Scope { context: request.context, fuel: &fuel },
        hopes: false,
    };
    match policy.ask(&question) {
        Verdict::Allow(..) => !fuel.is_empty(),
        Verdict::Deny(_) | Verdict::Silence => false,
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use keyreeve_domain::AccountId;

    use super::*;
    use crate::document::Document;

    /// Whether the root user of `account` could put the next policy.
    fn allows_root(policy: &Document, account: AccountId, key_arn: &str) -> bool {
        let request = Request {
            caller: Caller::Root { account },
            action: &Action::new(ACTION),
            resource: crate::Resource::new(key_arn),
            resource_account: account,
            context: &crate::Context::default(),
            encryption_context: &[],
        };
        allows_to_put_policy(&Policy::from(policy), &request, false)
    }

    #[test]
    fn a_policy_that_locks_the_root_out_is_found() {
        let account = "111122223333".parse().unwrap();
        let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let root = r#""Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Resource":"*""#;
        for (case, statements, expected) in [
            ("the default", format!(r#"{{"Effect":"Allow",{root},"Action":"kms:*"}}"#), true),
            (
                "the account id",
                r#"{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Resource":"*","Action":"kms:*"}"#
                    .into(),
                true,
            ),
            (
                "anybody",
                r#"{"Effect":"Allow","Principal":"*","Resource":"*","Action":"kms:PutKeyPolicy"}"#.into(),
                true,
            ),
            (
                "upper and lower case",
                format!(r#"{{"Effect":"Allow",{root},"Action":"KMS:putkeypolicy"}}"#),
                true,
            ),
            ("another action", format!(r#"{{"Effect":"Allow",{root},"Action":"kms:Encrypt"}}"#), false),
            ("without a resource", r#"{"Effect":"Allow","Principal":"*","Action":"kms:*"}"#.into(), false),
            (
                "another account",
                r#"{"Effect":"Allow","Principal":{"AWS":"999999999999"},"Resource":"*","Action":"kms:*"}"#
                    .into(),
                false,
            ),
            (
                "only under a condition",
                format!(
                    r#"{{"Effect":"Allow",{root},"Action":"kms:*","Condition":{{"Bool":{{"a":"true"}}}}}}"#
                ),
                false,
            ),
            (
                "every other action",
                format!(r#"{{"Effect":"Allow",{root},"NotAction":"kms:PutKeyPolicy"}}"#),
                false,
            ),
            (
                "denied",
                format!(
                    r#"{{"Effect":"Allow",{root},"Action":"kms:*"}},{{"Effect":"Deny",{root},"Action":"kms:Put*"}}"#
                ),
                false,
            ),
            (
                "denied first",
                format!(
                    r#"{{"Effect":"Deny",{root},"Action":"kms:Put*"}},{{"Effect":"Allow",{root},"Action":"kms:*"}}"#
                ),
                false,
            ),
            (
                "denied to all but the root",
                format!(
                    r#"{{"Effect":"Allow",{root},"Action":"kms:*"}},{{"Effect":"Deny","NotPrincipal":{{"AWS":"111122223333"}},"Resource":"*","Action":"kms:*"}}"#
                ),
                true,
            ),
        ] {
            let policy = Document::parse(&format!(r#"{{"Statement":[{statements}]}}"#)).unwrap();
            assert_eq!(allows_root(&policy, account, arn), expected, "{case}");
        }
    }

    #[test]
    fn whoever_puts_a_policy_must_be_able_to_put_the_next() {
        let account = "111122223333".parse().unwrap();
        let far = "444455556666".parse().unwrap();
        let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let alice = Caller::User { account, arn: "arn:aws:iam::111122223333:user/Alice", id: None };
        let eve = Caller::User { account: far, arn: "arn:aws:iam::444455556666:user/Eve", id: None };
        let root = Caller::Root { account };
        let allow = |principal: &str, more: &str| {
            format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"kms:*","Resource":"*"{more}}}"#)
        };
        let account_root = r#"{"AWS":"arn:aws:iam::111122223333:root"}"#;
        let by_name = r#"{"AWS":"arn:aws:iam::111122223333:user/Alice"}"#;
        let by_alice = r#","Condition":{"StringEquals":{"aws:username":"Alice"}}"#;
        let by_bob = r#","Condition":{"StringEquals":{"aws:username":"Bob"}}"#;
        let not_root =
            r#"{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333"]},"Action":"*","Resource":"*"}"#;
        for (case, statements, caller, is_bounded, expected) in [
            ("left to the account", allow(account_root, ""), alice, false, true),
            ("left to the account", allow(account_root, ""), root, false, true),
            ("by name", allow(by_name, ""), alice, false, true),
            ("by name", allow(by_name, ""), root, false, false),
            ("a condition that holds", allow(account_root, by_alice), alice, false, true),
            ("a condition that does not", allow(account_root, by_bob), alice, false, false),
            ("of another account", allow("\"*\"", ""), eve, false, false),
            ("not known", allow("\"*\"", ""), Caller::Anonymous, false, false),
            ("everybody but the account", format!("{},{not_root}", allow("\"*\"", "")), alice, false, true),
            ("bounded", format!("{},{not_root}", allow("\"*\"", "")), alice, true, false),
        ] {
            let policy = Policy::compile(
                crate::Kind::Resource,
                &format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#),
            );
            let context = [("aws:username", crate::ContextValue::One("Alice"))].into_iter().collect();
            let request = Request {
                caller,
                action: &Action::new("kms:CreateKey"),
                resource: crate::Resource::new(arn),
                resource_account: account,
                context: &context,
                encryption_context: &[],
            };
            assert_eq!(
                allows_to_put_policy(&policy.unwrap(), &request, is_bounded),
                expected,
                "{case} {caller:?}"
            );
        }
    }

    #[test]
    fn a_statement_counts_only_where_it_is_about_the_key() {
        let account = "111122223333".parse().unwrap();
        let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let listed = format!(r#""Resource":["arn:aws:s3:::b","{arn}"]"#);
        for (resource, covered) in [
            (r#""Resource":"*""#, true),
            (r#""Resource":"arn:aws:kms:*:111122223333:key/*""#, true),
            (r#""Resource":"arn:aws:kms:us-east-1:111122223333:key/????????-*""#, true),
            (listed.as_str(), true),
            (r#""Resource":"arn:aws:kms:us-east-1:111122223333:key/nothing""#, false),
            (r#""Resource":"arn:aws:kms:us-west-2:111122223333:key/*""#, false),
            (r#""Resource":"ARN:AWS:KMS:us-east-1:111122223333:key/*""#, false),
            (r#""Resource":"arn:aws:kms:us-east-1:111122223333:alias/*""#, false),
            (r#""Resource":"""#, false),
            (r#""Resource":[]"#, false),
            (r#""NotResource":"*""#, false),
            (r#""NotResource":"arn:aws:kms:us-east-1:111122223333:key/*""#, false),
            (r#""NotResource":"arn:aws:s3:::b""#, true),
        ] {
            let of = |effect: &str, resource: &str| {
                format!(r#"{{"Effect":"{effect}","Principal":"*","Action":"kms:*",{resource}}}"#)
            };
            let allowed = format!(r#"{{"Statement":{}}}"#, of("Allow", resource));
            let denied =
                format!(r#"{{"Statement":[{},{}]}}"#, of("Allow", r#""Resource":"*""#), of("Deny", resource));
            for (text, expected) in [(allowed, covered), (denied, !covered)] {
                let policy = Document::parse(&text).unwrap();
                assert_eq!(allows_root(&policy, account, arn), expected, "{text}");
            }
        }
    }
}
