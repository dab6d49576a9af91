//! The root access key, in the file that every AWS SDK reads.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use keyreeve_core::Service;
use keyreeve_core::vault::VaultError;
use keyreeve_crypto::key::MakeKeyError;
use keyreeve_crypto::random::RandomError;
use keyreeve_domain::AccountId;
use keyreeve_identity::{access_key_id, secret_access_key};
use zeroize::Zeroizing;

use crate::data_dir::{CREDENTIALS_FILE as FILE, DataDir, warn_if_others_read, write_whole};
use crate::exit::Failure;

/// An access key of the account root.
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: Zeroizing<String>,
}

const ID_VARIABLE: &str = "KEYREEVE_ROOT_ACCESS_KEY_ID";
const SECRET_VARIABLE: &str = "KEYREEVE_ROOT_SECRET_ACCESS_KEY";

impl AccessKey {
    /// The pair that the environment chooses.
    pub(crate) fn from_environment() -> Result<Option<Self>, Failure> {
        let refused = |text: String| Err(Failure::Config(text));
        match (std::env::var(ID_VARIABLE), std::env::var(SECRET_VARIABLE)) {
            (Err(_), Err(_)) => Ok(None),
            (Ok(id), Ok(secret)) => {
                if !is_id(&id) {
                    return refused(format!(
                        "{ID_VARIABLE} must be 16 to 128 letters, digits and underscores."
                    ));
                }
                if !is_secret(&secret) {
                    return refused(format!(
                        "{SECRET_VARIABLE} must be 8 to 128 printable ASCII characters."
                    ));
                }
                Ok(Some(Self { id, secret: Zeroizing::new(secret) }))
            }
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => {
                refused(format!("{ID_VARIABLE} and {SECRET_VARIABLE} must be set together."))
            }
        }
    }

    /// A new random pair, whose id tells the account.
    pub(crate) fn make(service: &Service, account: AccountId) -> Result<Self, VaultError> {
        let made = access_key_id(service, "AKIA", account)
            .and_then(|id| Ok(Self { id, secret: secret_access_key(service)? }));
        // Nothing but randomness can be missing.
        made.or(Err(MakeKeyError::from(RandomError).into()))
    }

    /// The pair of the root user of the first account; `None` where there is no file.
    pub(crate) fn read(dir: &DataDir) -> Result<Option<Self>, Failure> {
        Self::read_from(dir.join(FILE))
    }

    /// The pair in the file, under its default profile; `None` where there is no file.
    pub(crate) fn read_from(path: PathBuf) -> Result<Option<Self>, Failure> {
        let text = match File::open(&path).and_then(|file| {
            warn_if_others_read(&path, &file);
            std::io::read_to_string(file)
        }) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                return Err(Failure::NoAccessKey { path });
            }
            Err(error) => return Err(Failure::CredentialsUnreadable { path, error }),
            Ok(text) => Zeroizing::new(text),
        };
        Self::parse(&text).map(Some).ok_or(Failure::NoAccessKey { path })
    }

    /// The pair of the profile `[default]`; the file may hold others.
    fn parse(text: &str) -> Option<Self> {
        let lines = text.lines().map(str::trim).skip_while(|line| *line != "[default]").skip(1);
        let profile: Vec<_> = lines
            .take_while(|line| !line.starts_with('['))
            .filter(|line| !line.starts_with(['#', ';']))
            .filter_map(|line| line.split_once('='))
            .collect();
        let value = |name: &str| {
            profile.iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
        };
        let (id, secret) = (value("aws_access_key_id")?, Zeroizing::new(value("aws_secret_access_key")?));
        (is_id(&id) && is_secret(&secret)).then_some(Self { id, secret })
    }

    /// Writes the file, for its owner alone.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let written = write_whole(path, 0o600, |file| {
            writeln!(file, "[default]\naws_access_key_id = {}", self.id)?;
            // EXPOSE: this file is where the operator finds the secret.
            writeln!(file, "aws_secret_access_key = {}", *self.secret)
        });
        written.map_err(|error| Failure::NotWritable { path: path.to_owned(), error })
    }
}

pub(crate) fn is_id(id: &str) -> bool {
    (16..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(crate) fn is_secret(secret: &str) -> bool {
    (8..=128).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic())
}
