//! The root access key, in the file that every AWS SDK reads.

use std::io::{ErrorKind, Write};

use keyreeve_crypto::random::{self, Random, RandomError};
use zeroize::Zeroizing;

use crate::data_dir::{CREDENTIALS_FILE as FILE, DataDir, write_whole};
use crate::exit::Failure;

/// An access key of the account root.
pub(crate) struct AccessKey {
    pub(crate) id: String,
    pub(crate) secret: Zeroizing<String>,
}

const ID_VARIABLE: &str = "KEYREEVE_ROOT_ACCESS_KEY_ID";
const SECRET_VARIABLE: &str = "KEYREEVE_ROOT_SECRET_ACCESS_KEY";
/// The letters of an access key id, after its prefix.
const ID_LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The letters of a secret access key.
const SECRET_LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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

    /// A new random pair.
    pub(crate) fn make(random: &dyn Random) -> Result<Self, RandomError> {
        let letters: [u8; 16] = random::array(random)?;
        let id = letters.iter().map(|byte| pick(ID_LETTERS, *byte));
        let id = core::iter::once("AKIA".to_owned()).chain(id.map(String::from)).collect();
        let bytes: Zeroizing<[u8; 40]> = Zeroizing::new(random::array(random)?);
        let secret = Zeroizing::new(bytes.iter().map(|byte| pick(SECRET_LETTERS, *byte)).collect());
        Ok(Self { id, secret })
    }

    /// The pair in the file, under its default profile; `None` where there is no file.
    pub(crate) fn read(dir: &DataDir) -> Result<Option<Self>, Failure> {
        let path = dir.join(FILE);
        let text = match std::fs::read_to_string(&path) {
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
    pub(crate) fn write(&self, dir: &DataDir) -> Result<(), Failure> {
        let path = dir.join(FILE);
        let written = write_whole(&path, 0o600, |file| {
            writeln!(file, "[default]\naws_access_key_id = {}", self.id)?;
            // EXPOSE: this file is where the operator finds the secret.
            writeln!(file, "aws_secret_access_key = {}", *self.secret)
        });
        written.map_err(|error| Failure::NotWritable { path, error })
    }
}

/// The letter for a random byte; the number of letters divides 256, so none is more likely.
fn pick(letters: &[u8], byte: u8) -> char {
    letters.get(usize::from(byte) % letters.len()).copied().map(char::from).unwrap_or('A')
}

fn is_id(id: &str) -> bool {
    (16..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_secret(secret: &str) -> bool {
    (8..=128).contains(&secret.len()) && secret.bytes().all(|byte| byte.is_ascii_graphic())
}
