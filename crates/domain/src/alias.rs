//! Alias names.

use alloc::boxed::Box;
use core::fmt;
use core::str::FromStr;

/// A name that starts with `alias/`, then one to 250 of `a-z A-Z 0-9 / _ -`.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AliasName(Box<str>);

/// The text is not an alias name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParseAliasNameError {
    /// It does not start with `alias/`.
    #[error("an alias name starts with `alias/`")]
    Prefix,
    /// It holds a character that no alias may have, or nothing after the prefix, or is too long.
    #[error("an alias name holds letters, digits, `/`, `_` and `-`")]
    Malformed,
}

impl AliasName {
    /// The longest name in bytes, prefix included (`AliasNameType` of the service model).
    pub const MAX_LEN: usize = 256;

    /// The name, prefix included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is kept for AWS managed keys.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with("alias/aws/")
    }

    /// The service of a name kept for AWS managed keys, such as `s3` for `alias/aws/s3`.
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.0.strip_prefix("alias/aws/").filter(|service| !service.is_empty())
    }
}

impl FromStr for AliasName {
    type Err = ParseAliasNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.strip_prefix("alias/").ok_or(ParseAliasNameError::Prefix)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-');
        if name.is_empty() || text.len() > Self::MAX_LEN || !name.bytes().all(allowed) {
            return Err(ParseAliasNameError::Malformed);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AliasName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AliasName({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn an_alias_name_has_the_prefix_and_plain_characters() {
        for (text, expected) in [
            ("alias/app-encryption-key", Ok(())),
            ("alias/a/b_C-9", Ok(())),
            ("alias/aws/s3", Ok(())),
            ("app", Err(ParseAliasNameError::Prefix)),
            ("Alias/app", Err(ParseAliasNameError::Prefix)),
            ("alias/", Err(ParseAliasNameError::Malformed)),
            ("alias/Service:Test", Err(ParseAliasNameError::Malformed)),
            ("alias/é", Err(ParseAliasNameError::Malformed)),
        ] {
            assert_eq!(text.parse::<AliasName>().map(|_| ()), expected, "{text:?}");
        }
        assert!(format!("alias/{}", "x".repeat(250)).parse::<AliasName>().is_ok());
        assert!(format!("alias/{}", "x".repeat(251)).parse::<AliasName>().is_err());
    }

    #[test]
    fn only_names_below_alias_aws_are_reserved() {
        for (text, service) in [("alias/aws/s3", Some("s3")), ("alias/awsome", None), ("alias/aws/", None)] {
            assert_eq!(text.parse::<AliasName>().unwrap().service(), service, "{text}");
        }
    }
}
