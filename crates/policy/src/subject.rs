//! Whom a policy may concern: who is named in it, as callers, and what every request of theirs has.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};

use keyreeve_domain::AccountId;

use crate::arn::Resource;
use crate::caller::{Caller, RoleSession};
use crate::condition::{Comparison, Condition};
use crate::document::{Document, Effect, Statement};
use crate::key::ContextKey;
use crate::principal::{AwsPrincipal, Principals};

/// Somebody whom the statements of a policy that allow let in.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Named {
    /// An account, as far as it lets its own principals.
    Account(AccountId),
    /// Everybody, of any account.
    Anyone,
    /// The user, role or session with this ARN.
    Identity(String),
    /// The service of this name.
    Service(String),
}

impl Document {
    /// Whom its statements that allow name, also by account in the conditions of a statement for everybody.
    #[must_use]
    pub fn named(&self) -> Vec<Named> {
        let allows = |statement: &&Statement| statement.effect == Effect::Allow;
        let mut named: Vec<_> = self.statements.iter().filter(allows).flat_map(named_by).collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    /// Whether a condition asks for the ARN of the principal without naming his account.
    #[must_use]
    pub fn asks_for_arns_of_any_account(&self) -> bool {
        let of_any = |value: &String| {
            Resource::new(value).account().is_none_or(|account| account.contains(['*', '?']))
        };
        let asks = |condition: &Condition| {
            is_on(condition, ContextKey::AwsPrincipalArn) && condition.values.iter().any(of_any)
        };
        self.statements.iter().flat_map(|statement| &statement.conditions).any(asks)
    }
}

fn named_by(statement: &Statement) -> Vec<Named> {
    let mut named = Vec::new();
    match &statement.principals {
        None => {}
        Some(_) if statement.except_principals => named.push(Named::Anyone),
        Some(Principals::Anyone) => named.push(Named::Anyone),
        Some(Principals::Listed { aws, services, .. }) => {
            named.extend(aws.iter().filter_map(|principal| match principal {
                AwsPrincipal::Account(account) => Some(Named::Account(*account)),
                AwsPrincipal::Anyone => Some(Named::Anyone),
                AwsPrincipal::Identity(arn) => Some(Named::Identity(arn.clone())),
                AwsPrincipal::UniqueId(_) => None,
            }));
            named.extend(services.iter().cloned().map(Named::Service));
        }
    }
    if named.contains(&Named::Anyone) {
        named.extend(statement.conditions.iter().flat_map(accounts).map(Named::Account));
    }
    named
}

/// The accounts that a condition on the caller names.
fn accounts(condition: &Condition) -> Vec<AccountId> {
    let by_id =
        is_on(condition, ContextKey::AwsPrincipalAccount) || is_on(condition, ContextKey::KmsCallerAccount);
    let account = |value: &String| match Resource::new(value).account() {
        Some(account) if is_on(condition, ContextKey::AwsPrincipalArn) => account.parse().ok(),
        None if by_id => value.parse().ok(),
        Some(_) | None => None,
    };
    condition.values.iter().filter_map(account).collect()
}

fn is_on(condition: &Condition, key: ContextKey) -> bool {
    condition.operator.comparison != Comparison::Null && condition.key.eq_ignore_ascii_case(key.name())
}

impl<'a> Caller<'a> {
    /// The user, role, session or root user with this ARN. Of a role, any session.
    #[must_use]
    pub fn of_arn(arn: &'a str) -> Option<Self> {
        let account = Resource::new(arn).account()?.parse().ok()?;
        match arn.parse().ok()? {
            AwsPrincipal::Account(account) => Some(Self::Root { account }),
            AwsPrincipal::Anyone | AwsPrincipal::UniqueId(_) => None,
            AwsPrincipal::Identity(_) => {
                let (kind, _) = Resource::new(arn).name().split_once('/')?;
                Some(match kind {
                    "user" => Self::User { account, arn, id: None },
                    "role" => Self::Role(RoleSession::new(account, "", Some(arn))),
                    "assumed-role" => Self::Role(RoleSession::new(account, arn, None)),
                    _ => Self::FederatedUser { account, session: arn, user: None, user_id: None },
                })
            }
        }
    }

    /// The condition keys that all requests of this caller have, as far as it tells.
    #[must_use]
    pub fn known_keys(&self) -> Vec<(ContextKey, String)> {
        let of_account = |account: &AccountId, kind: &str| {
            vec![
                (ContextKey::AwsPrincipalAccount, account.to_string()),
                (ContextKey::KmsCallerAccount, account.to_string()),
                (ContextKey::AwsPrincipalIsAwsService, "false".to_owned()),
                (ContextKey::AwsPrincipalType, kind.to_owned()),
            ]
        };
        match self {
            Self::Anonymous | Self::WebIdentity { .. } => Vec::new(),
            Self::FederatedUser { account, session, .. } => {
                let mut keys = of_account(account, "FederatedUser");
                keys.push((ContextKey::AwsPrincipalArn, (*session).to_owned()));
                keys
            }
            Self::Role(session) => {
                let mut keys = of_account(&session.account(), "AssumedRole");
                keys.extend(session.role_arn().map(|arn| (ContextKey::AwsPrincipalArn, arn.to_owned())));
                keys
            }
            Self::Root { account } => {
                let mut keys = of_account(account, "Account");
                keys.push((ContextKey::AwsPrincipalArn, format!("arn:aws:iam::{account}:root")));
                keys
            }
            Self::Service { name } => vec![
                (ContextKey::AwsPrincipalIsAwsService, "true".to_owned()),
                (ContextKey::AwsPrincipalServiceName, (*name).to_owned()),
            ],
            Self::User { account, arn, .. } => {
                let mut keys = of_account(account, "User");
                keys.push((ContextKey::AwsPrincipalArn, (*arn).to_owned()));
                let name = arn.rsplit('/').next().unwrap_or_default();
                keys.push((ContextKey::AwsUserName, name.to_owned()));
                keys
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_policy_names_is_listed_once() {
        let text = r#"{"Statement":[
            {"Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::444455556666:role/r","AIDACKCEVSQ6C2EXAMPLE"]},"Action":"*"},
            {"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com","AWS":"arn:aws:iam::111122223333:root"},"Action":"*"},
            {"Effect":"Deny","Principal":{"AWS":"999999999999"},"Action":"*"}]}"#;
        let account = |text: &str| Named::Account(text.parse().unwrap());
        assert_eq!(
            Document::parse(text).unwrap().named(),
            [
                account("111122223333"),
                Named::Identity("arn:aws:iam::444455556666:role/r".into()),
                Named::Service("s3.amazonaws.com".into())
            ]
        );
        let text = r#"{"Statement":[
            {"Effect":"Allow","Principal":"*","Action":"*","Condition":{
                "StringEquals":{"KMS:CallerAccount":"111122223333","kms:ViaService":"444455556666"},
                "ArnLike":{"aws:PrincipalArn":["arn:aws:iam::222233334444:role/*","arn:aws:iam::*:role/x"]},
                "ArnEquals":{"aws:SourceArn":"arn:aws:sns:us-west-2:555566667777:topic"},
                "Null":{"aws:PrincipalAccount":"true"}}},
            {"Effect":"Allow","NotPrincipal":{"AWS":"999999999999"},"Action":"*"}]}"#;
        let document = Document::parse(text).unwrap();
        assert_eq!(document.named(), [account("111122223333"), account("222233334444"), Named::Anyone]);
        assert!(document.asks_for_arns_of_any_account());
        for (condition, expected) in [
            (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:*"}}"#, false),
            (r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::*"},"StringEquals":{"aws:username":"x"}}"#, false),
            (r#"{"Null":{"aws:PrincipalArn":"false"}}"#, false),
            (r#"{"StringLike":{"aws:principalarn":"*/Admin"}}"#, true),
            (r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::1111*:role/x"}}"#, true),
        ] {
            let text = format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":"*","Action":"*","Condition":{condition}}}}}"#
            );
            let document = Document::parse(&text).unwrap();
            assert_eq!(document.asks_for_arns_of_any_account(), expected, "{condition}");
        }
    }

    #[test]
    fn a_caller_is_known_by_his_arn() {
        for (arn, kind, principal) in [
            ("arn:aws:iam::111122223333:user/p/Alice", "User", "arn:aws:iam::111122223333:user/p/Alice"),
            ("arn:aws:iam::111122223333:role/p/R", "AssumedRole", "arn:aws:iam::111122223333:role/p/R"),
            ("arn:aws:iam::111122223333:root", "Account", "arn:aws:iam::111122223333:root"),
            (
                "arn:aws:sts::111122223333:federated-user/F",
                "FederatedUser",
                "arn:aws:sts::111122223333:federated-user/F",
            ),
        ] {
            let keys = Caller::of_arn(arn).unwrap().known_keys();
            let of = |key| keys.iter().find(|(name, _)| *name == key).map(|(_, value)| value.as_str());
            assert_eq!(of(ContextKey::AwsPrincipalType), Some(kind), "{arn}");
            assert_eq!(of(ContextKey::AwsPrincipalArn), Some(principal), "{arn}");
            assert_eq!(of(ContextKey::KmsCallerAccount), Some("111122223333"), "{arn}");
        }
        // The ARN of a session does not tell the path of its role.
        let session = Caller::of_arn("arn:aws:sts::111122223333:assumed-role/R/s").unwrap().known_keys();
        assert!(!session.iter().any(|(key, _)| *key == ContextKey::AwsPrincipalArn));
        for arn in ["*", "111122223333", "arn:aws:iam::111122223333:group/g", "arn:aws:s3:::b", ""] {
            assert!(Caller::of_arn(arn).is_none(), "{arn}");
        }
    }
}
