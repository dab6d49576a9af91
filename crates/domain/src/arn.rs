//! The ARNs of KMS: keys and aliases.

use alloc::vec::Vec;
use core::fmt;

use crate::{AccountId, AliasName, KeyId, Region};

/// `arn:<partition>:kms:<region>:<account>:key/<key id>`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyArn {
    /// The Region of the key.
    pub region: Region,
    /// The account that owns the key.
    pub account: AccountId,
    /// The key.
    pub key: KeyId,
}

/// `arn:<partition>:kms:<region>:<account>:alias/<name>`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AliasArn {
    /// The Region of the alias.
    pub region: Region,
    /// The account that owns the alias.
    pub account: AccountId,
    /// The name, prefix included.
    pub alias: AliasName,
}

impl KeyArn {
    /// Appends the text, as [`Display`](fmt::Display) writes it. Every event of the trail holds an ARN.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        let Self { region, account, key } = self;
        out.extend_from_slice(b"arn:");
        out.extend_from_slice(region.partition().as_bytes());
        out.extend_from_slice(b":kms:");
        out.extend_from_slice(region.as_str().as_bytes());
        out.push(b':');
        out.extend_from_slice(&account.digits());
        out.extend_from_slice(b":key/");
        out.extend_from_slice(&key.text());
    }
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, account, key } = self;
        write!(f, "arn:{}:kms:{region}:{account}:key/{key}", region.partition())
    }
}

impl fmt::Display for AliasArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, account, alias } = self;
        write!(f, "arn:{}:kms:{region}:{account}:{alias}", region.partition())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;

    #[test]
    fn an_arn_is_appended_as_it_is_displayed() {
        for (region, key) in [
            ("us-east-1", "1234abcd-12ab-34cd-56ef-1234567890ab"),
            ("us-gov-west-1", "mrk-1234abcd12ab34cd56ef1234567890ab"),
            ("cn-north-1", "00000000-0000-0000-0000-00000000000f"),
        ] {
            let account = "012345678901".parse().unwrap();
            let arn = KeyArn { region: region.parse().unwrap(), account, key: key.parse().unwrap() };
            let mut text = Vec::new();
            arn.append_to(&mut text);
            assert_eq!(String::from_utf8(text).unwrap(), arn.to_string());
        }
    }
}
