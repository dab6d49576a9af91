//! The principals of a statement.

use alloc::string::String;
use alloc::vec::Vec;
use core::str::FromStr;

use keyreeve_domain::AccountId;

use crate::document::{Members, ParsePolicyError};
use crate::json::Value;

/// The value of `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Principals {
    /// `"*"`.
    Anyone,
    /// By kind.
    Listed {
        /// `AWS`: accounts, users, roles and sessions.
        aws: Vec<AwsPrincipal>,
        /// `Service`: names such as `logs.us-east-1.amazonaws.com`.
        services: Vec<String>,
        /// `Federated`: identity providers, by ARN or by name. They name who shows a token of theirs.
        federated: Vec<String>,
        /// `CanonicalUser`: how many. They sign no request to this service, so they match nobody.
        other: usize,
    },
}

/// A principal of the kind `AWS`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AwsPrincipal {
    /// `*`.
    Anyone,
    /// An account: its id, or the ARN of its root.
    Account(AccountId),
    /// The ARN of a user, a role or a session.
    Identity(String),
    /// A unique id, such as `AIDA…` of a user. It stands for an identity that is gone: nobody else ever has it.
    UniqueId(String),
}

/// The text is no principal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ParsePrincipalError;

impl FromStr for AwsPrincipal {
    type Err = ParsePrincipalError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self::Anyone);
        }
        if let Ok(account) = text.parse() {
            return Ok(Self::Account(account));
        }
        let id = |text: &str| {
            text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        if ["AIDA", "AROA", "AGPA"].iter().any(|prefix| text.starts_with(prefix)) && id(text) {
            return Ok(Self::UniqueId(text.into()));
        }
        let mut parts = text.splitn(6, ':');
        let mut part = || parts.next().ok_or(ParsePrincipalError);
        let (arn, partition, service, region, account, resource) =
            (part()?, part()?, part()?, part()?, part()?, part()?);
        let account: AccountId = account.parse().or(Err(ParsePrincipalError))?;
        let well_formed = arn == "arn" && keyreeve_domain::is_partition(partition) && region.is_empty();
        let named = |prefix: &str| {
            resource.strip_prefix(prefix).is_some_and(|name| !name.is_empty() && !name.contains(['*', '?']))
        };
        match service {
            "iam" if well_formed && resource == "root" => Ok(Self::Account(account)),
            "iam" if well_formed && (named("user/") || named("role/")) => Ok(Self::Identity(text.into())),
            "sts" if well_formed && (named("assumed-role/") || named("federated-user/")) => {
                Ok(Self::Identity(text.into()))
            }
            _ => Err(ParsePrincipalError),
        }
    }
}

impl AwsPrincipal {
    /// The account that it is of, as far as it says.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(account) => Some(*account),
            Self::Anyone | Self::UniqueId(_) => None,
            Self::Identity(arn) => arn.split(':').nth(4)?.parse().ok(),
        }
    }
}

impl Principals {
    /// Those of the kind `AWS`.
    #[must_use]
    pub fn aws(&self) -> &[AwsPrincipal] {
        match self {
            Self::Anyone => &[AwsPrincipal::Anyone],
            Self::Listed { aws, .. } => aws,
        }
    }

    /// Reads the value of `Principal` or `NotPrincipal`: a text, or an object of lists by kind.
    pub(crate) fn parse(value: Value) -> Result<Self, ParsePolicyError> {
        if let Value::Text(text) = value {
            return if text == "*" { Ok(Self::Anyone) } else { Err(ParsePolicyError::Principal) };
        }
        let mut kinds = Members::of(value)?;
        let aws = kinds.texts("AWS")?.unwrap_or_default();
        let services = kinds.texts("Service")?.unwrap_or_default();
        let federated = kinds.texts("Federated")?.unwrap_or_default();
        let other = kinds.texts("CanonicalUser")?.unwrap_or_default();
        kinds.end()?;
        let aws = aws.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>();
        let aws = aws.or(Err(ParsePolicyError::Principal))?;
        let names = || services.iter().chain(&federated).chain(&other);
        if aws.is_empty() && names().next().is_none() || names().any(String::is_empty) {
            return Err(ParsePolicyError::Principal);
        }
        Ok(Self::Listed { aws, services, federated, other: other.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_is_one_of_the_documented_forms() {
        for (text, is_one, account) in [
            ("*", true, None),
            ("111122223333", true, Some("111122223333")),
            ("arn:aws:iam::111122223333:root", true, Some("111122223333")),
            ("arn:aws-cn:iam::111122223333:user/a/b", true, Some("111122223333")),
            ("arn:aws-us-gov:iam::111122223333:role/r", true, Some("111122223333")),
            ("arn:aws:sts::111122223333:assumed-role/r/s", true, Some("111122223333")),
            ("arn:aws:sts::111122223333:federated-user/f", true, Some("111122223333")),
            ("AIDACKCEVSQ6C2EXAMPLE", true, None),
            ("AROACKCEVSQ6C2EXAMPLE", true, None),
            ("AIDACKCEVSQ6C2E", false, None),
            ("AIDACKCEVSQ6C2example", false, None),
            ("AKIACKCEVSQ6C2EXAMPLE", false, None),
            ("arn:aws:iam::111122223333:roots", false, None),
            ("arn:aws:iam::111122223333:group/g", false, None),
            ("arn:aws:iam::111122223333:user/", false, None),
            ("arn:aws:iam::111122223333:user/*", false, None),
            ("arn:aws:iam::111122223333:role/?", false, None),
            ("arn:aws:iam:us-west-2:111122223333:root", false, None),
            ("arn:aws:iam:us-west-2:111122223333:user/a", false, None),
            ("arn:other:iam::111122223333:user/a", false, None),
            ("urn:aws:iam::111122223333:user/a", false, None),
            ("arn:aws:iam::1111:user/a", false, None),
            ("arn:aws:iam::111122223333:assumed-role/r/s", false, None),
            ("arn:aws:sts::111122223333:user/a", false, None),
            ("arn:aws:sts::111122223333:root", false, None),
            ("arn:aws:sts:us-west-2:111122223333:assumed-role/r/s", false, None),
            ("arn:aws:sts::111122223333:assumed-role/r/*", false, None),
            ("arn:aws:s3::111122223333:user/a", false, None),
            ("arn:aws:iam::111122223333", false, None),
            ("", false, None),
        ] {
            let principal = text.parse::<AwsPrincipal>();
            assert_eq!(principal.is_ok(), is_one, "{text}");
            let expected = account.map(|account| account.parse().unwrap());
            assert_eq!(principal.ok().and_then(|principal| principal.account()), expected, "{text}");
        }
    }
}
