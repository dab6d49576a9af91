//! Who signs: an AWS shared credentials file, or the environment.
//!
//! Format: <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html>.

use std::path::Path;

use zeroize::Zeroizing;

use crate::clock;
use crate::error::LoadError;

/// An access key. The secret cannot be printed.
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret: Zeroizing<String>,
    pub(crate) session_token: Option<String>,
}

impl Credentials {
    /// The profile in the file, or without a file what the environment holds.
    pub(crate) fn load(file: Option<&Path>, profile: &str) -> Result<Self, LoadError> {
        let Some(path) = file else {
            return Self::from_keys("environment", |key| clock::variable(&key.to_ascii_uppercase()));
        };
        let text = std::fs::read_to_string(path);
        let text = Zeroizing::new(text.map_err(|error| LoadError::File { path: path.to_owned(), error })?);
        Self::from_keys(profile, |key| find(&text, profile, key))
    }

    /// Every profile of the file, in its order.
    pub(crate) fn load_all(path: &Path) -> Result<Vec<Self>, LoadError> {
        let text = std::fs::read_to_string(path);
        let text = Zeroizing::new(text.map_err(|error| LoadError::File { path: path.to_owned(), error })?);
        sections(&text)
            .map(|(profile, lines)| Self::from_keys(profile, |key| value(lines.clone(), key)))
            .collect()
    }

    fn from_keys(profile: &str, key: impl Fn(&str) -> Option<String>) -> Result<Self, LoadError> {
        let needed =
            |name| key(name).ok_or(LoadError::Credentials { profile: profile.to_owned(), key: name });
        Ok(Self {
            access_key_id: needed("aws_access_key_id")?,
            secret: Zeroizing::new(needed("aws_secret_access_key")?),
            session_token: key("aws_session_token"),
        })
    }
}

/// The value of `key` in the section of `profile`.
fn find(text: &str, profile: &str, key: &str) -> Option<String> {
    let (_, section) = sections(text).find(|(name, _)| *name == profile)?;
    value(section, key)
}

/// The sections: the name of each, and its lines.
fn sections(text: &str) -> impl Iterator<Item = (&str, impl Iterator<Item = &str> + Clone)> {
    let mut lines = text.lines().map(str::trim);
    std::iter::from_fn(move || {
        let name = lines.find_map(|line| line.strip_prefix('[')?.strip_suffix(']'))?;
        Some((name.trim(), lines.clone().take_while(|line| !line.starts_with('['))))
    })
}

fn value<'a>(section: impl Iterator<Item = &'a str>, key: &str) -> Option<String> {
    let mut pairs = section.filter_map(|line| line.split_once('='));
    pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_taken_once_in_its_order() {
        let text = "x = y\n[one]\na=1\n\n[ two ]\n[three]\na = 3\nb=4\n";
        let found: Vec<_> = sections(text).map(|(name, lines)| (name, value(lines, "a"))).collect();
        assert_eq!(found, [("one", Some("1".to_owned())), ("two", None), ("three", Some("3".to_owned()))]);
    }

    #[test]
    fn a_key_is_found_in_its_own_profile_only() {
        let text = "[default]\naws_access_key_id = AKIA1\n# note\naws_secret_access_key=s/e=c\n\n[ other ]\naws_session_token = t\n";
        for (profile, key, expected) in [
            ("default", "aws_access_key_id", Some("AKIA1")),
            ("default", "aws_secret_access_key", Some("s/e=c")),
            ("default", "aws_session_token", None),
            ("other", "aws_session_token", Some("t")),
            ("other", "aws_access_key_id", None),
            ("absent", "aws_access_key_id", None),
        ] {
            assert_eq!(find(text, profile, key).as_deref(), expected, "{profile} {key}");
        }
    }
}
