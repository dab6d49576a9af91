//! The ARNs of KMS: keys and aliases.

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
