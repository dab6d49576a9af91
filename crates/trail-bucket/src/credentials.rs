//! The access key for the bucket.
//!
//! A file is read anew for each request, so a key that was replaced there is used from then on. The library keeps a key in plain
//! strings; those of a request are wiped when they are freed, by the allocator of the process.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use object_store::aws::AwsCredential;
use object_store::client::CredentialProvider;
use zeroize::Zeroizing;

/// Where an access key is.
pub enum Source {
    /// In a credentials file of AWS, in this profile of it.
    File {
        /// The file.
        path: PathBuf,
        /// The name of the profile.
        profile: String,
    },
    /// Here.
    Held {
        /// The id.
        id: String,
        /// The secret.
        secret: Zeroizing<String>,
        /// The token of a session.
        token: Option<Zeroizing<String>>,
    },
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, profile } => write!(f, "File({}, {profile})", path.display()),
            Self::Held { id, .. } => write!(f, "Held({id})"),
        }
    }
}

/// There is no access key.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("the credentials file `{}` cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file has no access key in the profile.
    #[error("the credentials file `{}` has no access key in the profile `{profile}`", path.display())]
    None {
        /// The file.
        path: PathBuf,
        /// The name of the profile.
        profile: String,
    },
}

impl Source {
    /// The access key as it is now.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(&self) -> Result<AwsCredential, CredentialsError> {
        match self {
            // EXPOSE: the library signs the requests to the bucket.
            Self::Held { id, secret, token } => Ok(AwsCredential {
                key_id: id.clone(),
                secret_key: (**secret).clone(),
                token: token.as_ref().map(|token| (**token).clone()),
            }),
            Self::File { path, profile } => {
                let text = std::fs::read_to_string(path).map(Zeroizing::new);
                let text =
                    text.map_err(|error| CredentialsError::Unreadable { path: path.clone(), error })?;
                profile_of(&text, profile).ok_or_else(|| none(path, profile))
            }
        }
    }
}

fn none(path: &Path, profile: &str) -> CredentialsError {
    CredentialsError::None { path: path.to_owned(), profile: profile.to_owned() }
}

/// The access key in a profile of a credentials file.
fn profile_of(text: &str, profile: &str) -> Option<AwsCredential> {
    let mut is_in = false;
    let (mut id, mut secret, mut token) = (None, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            is_in = name.trim() == profile;
        } else if let Some((name, value)) = line.split_once('=').filter(|_| is_in) {
            let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            match name.trim() {
                "aws_access_key_id" => id = value,
                "aws_secret_access_key" => secret = value,
                "aws_session_token" => token = value,
                _ => {}
            }
        }
    }
    Some(AwsCredential { key_id: id?, secret_key: secret?, token })
}

#[async_trait]
impl CredentialProvider for Source {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let read = self.read().map(Arc::new);
        read.map_err(|error| object_store::Error::Generic { store: "S3", source: Box::new(error) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# two keys\n[default]\naws_access_key_id = AKIA1\naws_secret_access_key=s=1\n\n\
                        [ trail ]\naws_secret_access_key = s2\n  aws_access_key_id = AKIA2\naws_session_token = t2\n\
                        region = x\n[half]\naws_access_key_id = AKIA3\naws_secret_access_key =\n";

    #[test]
    fn a_profile_has_its_own_key() {
        for (profile, expected) in [
            ("default", Some(("AKIA1", "s=1", None))),
            ("trail", Some(("AKIA2", "s2", Some("t2")))),
            ("half", None),
            ("other", None),
        ] {
            let found = profile_of(FILE, profile);
            let found = found
                .as_ref()
                .map(|key| (key.key_id.as_str(), key.secret_key.as_str(), key.token.as_deref()));
            assert_eq!(found, expected, "{profile}");
        }
    }

    #[test]
    fn a_key_that_is_replaced_is_used_from_then_on_and_never_printed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials");
        let source = Source::File { path: path.clone(), profile: "default".to_owned() };
        assert!(matches!(source.read(), Err(CredentialsError::Unreadable { .. })));
        for secret in ["first", "second"] {
            let text = format!("[default]\naws_access_key_id = A\naws_secret_access_key = {secret}\n");
            std::fs::write(&path, text).unwrap();
            assert_eq!(source.read().unwrap().secret_key, secret);
        }
        std::fs::write(&path, "").unwrap();
        assert!(matches!(source.read(), Err(CredentialsError::None { .. })));
        let secret = Zeroizing::new("hidden".to_owned());
        let held = Source::Held { id: "A".to_owned(), secret, token: None };
        assert!(!format!("{held:?} {:?}", held.read().unwrap()).contains("hidden"));
    }
}
