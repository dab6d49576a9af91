//! A KMS key as a caller names it: key id, key ARN, alias name or alias ARN.

use alloc::string::String;
use core::str::FromStr;

use crate::key_id::ParseKeyIdError;
use crate::{AccountId, AliasArn, AliasName, KeyArn, KeyId, Region};

/// The four forms of a `KeyId` parameter.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id>.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyRef {
    /// `alias/…`.
    Alias(AliasName),
    /// `arn:…:alias/…`.
    AliasArn(AliasArn),
    /// `arn:…:key/…`.
    Arn(KeyArn),
    /// A key id.
    Id(KeyId),
}

/// The text names no key, whatever the state of the store.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParseKeyRefError {
    /// An ARN that is not one of KMS.
    #[error("`{0}` is not an ARN of a KMS key or alias")]
    Arn(String),
    /// A key ARN whose last part is not a key id.
    #[error("`{0}` in an ARN is not a key id")]
    KeyInArn(String),
    /// None of the four forms.
    #[error("`{0}` is not a key id")]
    Malformed(String),
    /// A key id in upper case, bare or in an ARN: well formed, but no key has it. Region and account are the ARN's.
    #[error("no key has the id `{id}`")]
    NeverIssued {
        /// The id as given.
        id: String,
        /// Region and account of the ARN that held it.
        of: Option<(Region, AccountId)>,
    },
}

impl KeyRef {
    /// Whether the caller named the key by an alias.
    #[must_use]
    pub fn is_alias(&self) -> bool {
        matches!(self, Self::Alias(_) | Self::AliasArn(_))
    }

    /// Whether `text` has an alias form, well formed or not.
    #[must_use]
    pub fn looks_like_alias(text: &str) -> bool {
        text.starts_with("alias/")
            || (text.starts_with("arn:")
                && text.splitn(6, ':').nth(5).is_some_and(|resource| resource.starts_with("alias/")))
    }
}

impl FromStr for KeyRef {
    type Err = ParseKeyRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("arn:") {
            return arn(text);
        }
        if text.starts_with("alias/") {
            return text
                .parse()
                .map(Self::Alias)
                .ok()
                .ok_or_else(|| ParseKeyRefError::Malformed(text.into()));
        }
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(ParseKeyIdError::UpperCase) => {
                Err(ParseKeyRefError::NeverIssued { id: text.into(), of: None })
            }
            Err(ParseKeyIdError::Malformed) => Err(ParseKeyRefError::Malformed(text.into())),
        }
    }
}

fn arn(text: &str) -> Result<KeyRef, ParseKeyRefError> {
    let refused = || ParseKeyRefError::Arn(text.into());
    let mut parts = text.splitn(6, ':').skip(1);
    let mut part = || parts.next().ok_or_else(refused);
    let (partition, service) = (part()?, part()?);
    let region: Region = part()?.parse().ok().ok_or_else(refused)?;
    let account: AccountId = part()?.parse().ok().ok_or_else(refused)?;
    let resource = part()?;
    if service != "kms" || partition != region.partition() {
        return Err(refused());
    }
    if let Some(id) = resource.strip_prefix("key/") {
        return match id.parse() {
            Ok(key) => Ok(KeyRef::Arn(KeyArn { region, account, key })),
            Err(ParseKeyIdError::UpperCase) => {
                Err(ParseKeyRefError::NeverIssued { id: id.into(), of: Some((region, account)) })
            }
            Err(ParseKeyIdError::Malformed) => Err(ParseKeyRefError::KeyInArn(id.into())),
        };
    }
    match resource.parse() {
        Ok(alias) => Ok(KeyRef::AliasArn(AliasArn { region, account, alias })),
        Err(_) => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn the_four_forms_are_told_apart() {
        for (text, alias) in [
            (ID, false),
            ("arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", false),
            ("alias/app", true),
            ("arn:aws:kms:us-east-1:111122223333:alias/app", true),
        ] {
            assert_eq!(text.parse::<KeyRef>().map(|key| key.is_alias()), Ok(alias), "{text}");
        }
    }

    #[test]
    fn an_arn_is_printed_as_it_was_read() {
        for text in [
            "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws-cn:kms:cn-north-1:000000000000:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        ] {
            let Ok(KeyRef::Arn(arn)) = text.parse() else { panic!("{text}") };
            assert_eq!(arn.to_string(), text);
        }
    }

    #[test]
    fn what_names_no_key_is_refused_by_kind() {
        let upper = "1234ABCD-12ab-34cd-56ef-1234567890ab";
        for (text, expected) in [
            ("foo", ParseKeyRefError::Malformed("foo".into())),
            ("mrk-1234", ParseKeyRefError::Malformed("mrk-1234".into())),
            ("arn:aws:kms:us-east-1:111122223333:key/foo", ParseKeyRefError::KeyInArn("foo".into())),
            ("arn:aws:s3:::bucket", ParseKeyRefError::Arn("arn:aws:s3:::bucket".into())),
            ("arn:aws", ParseKeyRefError::Arn("arn:aws".into())),
            (upper, ParseKeyRefError::NeverIssued { id: upper.into(), of: None }),
        ] {
            assert_eq!(text.parse::<KeyRef>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn an_alias_form_is_recognised_even_where_the_name_is_bad() {
        for (text, alias) in [
            ("alias/ü", true),
            ("arn:aws:kms:us-east-1:111122223333:alias/x", true),
            ("arn:aws:kms:us-east-1:111122223333:key/alias/x", false),
            (ID, false),
        ] {
            assert_eq!(KeyRef::looks_like_alias(text), alias, "{text}");
        }
    }
}
