//! The identity file: what it may hold, and the declaration that it is.
//!
//! It is read whole, with the files and secrets that it names, before anything is compared with the store. A fault says the
//! file and the line.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use keyreeve_core::Service;
use keyreeve_domain::AccountId;
use keyreeve_identity::declared::declaration::{self as declared, Declaration};
use keyreeve_identity::declared::{Fault, ReconcileError};
use toml::Spanned;
use zeroize::Zeroizing;

use crate::credentials_file::AccessKey;
use crate::data_dir::{ACCOUNTS_DIR, DataDir, make, warn_if_others_read};
use crate::exit::Failure;

mod organization;
mod shape;

use shape::{AccessKeyShape, FileShape, PolicyShape};

/// A fault of an identity file, as people read it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct FileFault(String);

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an identity file cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityFileError {
    /// It is not in order.
    #[error("{}", lines(.0))]
    Faults(Vec<FileFault>),
    /// The store or the trail failed.
    #[error("the identity file could not be followed: {0}")]
    Vault(#[from] keyreeve_core::vault::VaultError),
}

fn lines(faults: &[FileFault]) -> String {
    let lines: Vec<_> = faults.iter().map(FileFault::to_string).collect();
    lines.join("\n  ")
}

/// Where the file is, and what of the surroundings it may use.
pub(crate) struct IdentityFile<'a> {
    pub(crate) path: &'a Path,
    /// None where no files are left.
    pub(crate) dir: Option<&'a DataDir>,
    pub(crate) service: &'a Service,
    /// The first account: services belong to it unless said otherwise.
    pub(crate) account: AccountId,
    /// Whether access keys may be made that are not there yet.
    pub(crate) makes_keys: bool,
}

impl IdentityFile<'_> {
    /// Reads the file and all that it names.
    pub(crate) fn read(&self) -> Result<Declaration, IdentityFileError> {
        let text = std::fs::read_to_string(self.path).map_err(|error| self.fault(None, &error))?;
        let shape: FileShape = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| Lines::of(&text).line(span.start));
            self.fault(line, &error.message())
        })?;
        let reader = Reader { file: self, lines: Lines::of(&text) };
        reader.declaration(shape)
    }

    /// What is wrong, at a line of the file or in all of it.
    fn fault(&self, line: Option<usize>, text: &dyn fmt::Display) -> IdentityFileError {
        IdentityFileError::Faults(vec![self.file_fault(line, text)])
    }

    fn file_fault(&self, line: Option<usize>, text: &dyn fmt::Display) -> FileFault {
        let path = self.path.display();
        FileFault(match line {
            Some(line) => format!("{path}:{line}: {text}"),
            None => format!("{path}: {text}"),
        })
    }

    /// What a comparison with the store came to.
    pub(crate) fn refused(&self, error: ReconcileError) -> IdentityFileError {
        match error {
            ReconcileError::Faults(faults) => IdentityFileError::Faults(
                faults.iter().map(|Fault { line, text }| self.file_fault(*line, text)).collect(),
            ),
            ReconcileError::Vault(error) => error.into(),
        }
    }
}

/// The text of a file that nobody else should read.
fn read_secret(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut file = File::open(path)?;
    warn_if_others_read(path, &file);
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// Where the lines of a text end.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    /// The line, from 1, of a byte.
    fn line(&self, at: usize) -> usize {
        self.0.partition_point(|end| *end < at) + 1
    }
}

struct Reader<'a> {
    file: &'a IdentityFile<'a>,
    lines: Lines,
}

type Read<T> = Result<T, IdentityFileError>;

impl Reader<'_> {
    fn line<T>(&self, of: &Spanned<T>) -> usize {
        self.lines.line(of.span().start)
    }

    fn declaration(&self, shape: FileShape) -> Read<Declaration> {
        let accounts = shape.account.into_iter().map(|account| self.account(account));
        Ok(Declaration {
            accounts: accounts.collect::<Read<_>>()?,
            services: shape.service.into_iter().map(|service| self.service(service)).collect::<Read<_>>()?,
            organization: shape.organization.map(|shape| self.organization(shape)).transpose()?,
        })
    }

    fn account_id(&self, id: &Spanned<String>) -> Read<AccountId> {
        let parsed = id.get_ref().parse();
        parsed.map_err(|error| {
            self.file.fault(Some(self.line(id)), &format!("account `{}`: {error}", id.get_ref()))
        })
    }

    fn account(&self, shape: shape::AccountShape) -> Read<declared::Account> {
        let (line, id) = (self.line(&shape.id), self.account_id(&shape.id)?);
        Ok(declared::Account {
            line,
            id,
            name: shape.name,
            policies: shape.policy.into_iter().map(|policy| self.policy(policy)).collect::<Read<_>>()?,
            groups: shape.group.into_iter().map(|group| self.group(group)).collect::<Read<_>>()?,
            users: shape.user.into_iter().map(|user| self.user(id, user)).collect::<Read<_>>()?,
            roles: shape.role.into_iter().map(|role| self.role(role)).collect::<Read<_>>()?,
            providers: shape.provider.into_iter().map(|provider| self.provider(provider)).collect(),
        })
    }

    fn policy(&self, shape: shape::ManagedPolicyShape) -> Read<declared::ManagedPolicy> {
        let line = self.line(&shape.name);
        Ok(declared::ManagedPolicy {
            line,
            text: self.policy_text(line, shape.policy)?,
            name: shape.name.into_inner(),
            path: shape.path,
            description: shape.description,
            tags: shape::tags(shape.tags),
        })
    }

    fn group(&self, shape: shape::GroupShape) -> Read<declared::Group> {
        let line = self.line(&shape.name);
        Ok(declared::Group {
            line,
            policies: self.policies(line, shape.policies)?,
            name: shape.name.into_inner(),
            path: shape.path,
            attached: shape.attach,
        })
    }

    fn user(&self, account: AccountId, shape: shape::UserShape) -> Read<declared::User> {
        let line = self.line(&shape.name);
        let keys = shape.access_keys.into_iter().map(|key| self.access_key(account, key));
        Ok(declared::User {
            line,
            policies: self.policies(line, shape.policies)?,
            access_keys: keys.collect::<Read<_>>()?,
            name: shape.name.into_inner(),
            path: shape.path,
            attached: shape.attach,
            boundary: shape.boundary,
            groups: shape.groups,
            tags: shape::tags(shape.tags),
        })
    }

    fn role(&self, shape: shape::RoleShape) -> Read<declared::Role> {
        let line = self.line(&shape.name);
        Ok(declared::Role {
            line,
            policies: self.policies(line, shape.policies)?,
            trust: self.policy_text(line, shape.trust)?,
            name: shape.name.into_inner(),
            path: shape.path,
            description: shape.description,
            max_session_seconds: shape.max_session_seconds,
            attached: shape.attach,
            boundary: shape.boundary,
            tags: shape::tags(shape.tags),
        })
    }

    fn provider(&self, shape: shape::ProviderShape) -> declared::Provider {
        declared::Provider {
            line: self.line(&shape.url),
            url: shape.url.into_inner(),
            client_ids: shape.client_ids,
            thumbprints: shape.thumbprints,
            tags: shape::tags(shape.tags),
        }
    }

    fn service(&self, shape: shape::ServiceShape) -> Read<declared::Service> {
        let line = self.line(&shape.name);
        let account = match &shape.account {
            Some(account) => self.account_id(account)?,
            None => self.file.account,
        };
        let keys = shape.access_keys.into_iter().map(|key| self.access_key(account, key));
        let access_keys = keys.collect::<Read<_>>()?;
        Ok(declared::Service { line, name: shape.name.into_inner(), account, access_keys })
    }

    /// A file that the identity file names: relative to it.
    fn beside(&self, path: &Path) -> PathBuf {
        self.file.path.parent().map_or_else(|| path.to_owned(), |parent| parent.join(path))
    }

    fn policy_text(&self, line: usize, shape: PolicyShape) -> Read<String> {
        match shape {
            PolicyShape::Text(text) => Ok(text),
            PolicyShape::File(path) => {
                let path = self.beside(&path);
                std::fs::read_to_string(&path).map_err(|error| {
                    self.file.fault(Some(line), &format!("the policy `{}`: {error}", path.display()))
                })
            }
        }
    }

    fn policies(
        &self,
        line: usize,
        shapes: std::collections::BTreeMap<String, PolicyShape>,
    ) -> Read<Vec<shape::InlinePolicy>> {
        let policy = |(name, shape)| Ok(shape::InlinePolicy { name, text: self.policy_text(line, shape)? });
        shapes.into_iter().map(policy).collect()
    }

    fn access_key(&self, account: AccountId, shape: Spanned<AccessKeyShape>) -> Read<declared::AccessKey> {
        let line = self.line(&shape);
        let fault = |text: &dyn fmt::Display| self.file.fault(Some(line), text);
        let shape = shape.into_inner();
        let (id, secret) = match (shape.id, shape.secret_file, shape.secret_env, shape.credentials_file) {
            (Some(id), Some(path), None, None) => {
                let path = self.beside(&path);
                let text = read_secret(&path);
                let text = text.map_err(|error| {
                    fault(&format!("the secret of access key `{id}`, `{}`: {error}", path.display()))
                })?;
                (id, Zeroizing::new(text.lines().next().unwrap_or_default().trim().to_owned()))
            }
            (Some(id), None, Some(name), None) => {
                let secret = std::env::var(&name).map(Zeroizing::new);
                let secret = secret.map_err(|error| {
                    fault(&format!("the secret of access key `{id}`, environment variable {name}: {error}"))
                })?;
                (id, secret)
            }
            (None, None, None, Some(path)) => {
                let Some(dir) = self.file.dir else {
                    return Err(fault(
                        &"with --in-memory there is no place for a `credentials_file`; say an `id` with `secret_file` or \
                          `secret_env`",
                    ));
                };
                let key = self.kept_key(dir, account, &path).map_err(|error| fault(&error))?;
                (key.id, key.secret)
            }
            _ => {
                return Err(fault(
                    &"an access key has an `id` with `secret_file` or `secret_env`, or a `credentials_file` alone",
                ));
            }
        };
        Ok(declared::AccessKey { line, id, secret })
    }

    /// The access key in a credentials file; a new one, written there, where there is no file.
    fn kept_key(&self, dir: &DataDir, account: AccountId, path: &Path) -> Result<AccessKey, Failure> {
        let home = dir.join(ACCOUNTS_DIR).join(account.to_string());
        let path = home.join(path);
        if let Some(key) = AccessKey::read_from(path.clone())? {
            return Ok(key);
        }
        let key = AccessKey::make(self.file.service, account)?;
        if self.file.makes_keys {
            if let Some(parent) = path.parent() {
                make(parent).map_err(|error| Failure::NotWritable { path: parent.to_owned(), error })?;
            }
            key.write(&path)?;
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::garbled::{example, garbled};
    use proptest::prelude::*;

    fn documented() -> String {
        example(include_str!("../../../docs/identity.md"), "# identity.toml")
    }

    #[test]
    fn the_documented_identity_file_is_one() {
        let shape: FileShape = toml::from_str(&documented()).unwrap();
        assert!(shape.account.len() > 1);
    }

    proptest! {
        #[test]
        fn a_garbled_identity_file_is_taken_or_refused(text in garbled(&documented())) {
            if let Err(error) = toml::from_str::<FileShape>(&text) {
                let line = error.span().map(|span| Lines::of(&text).line(span.start));
                prop_assert!(line.is_none_or(|line| line <= text.lines().count() + 1), "{error}");
            }
        }
    }

    #[test]
    fn a_line_ends_with_its_line_feed() {
        let lines = Lines::of("a\n\nb");
        let found: Vec<_> = (0..4).map(|at| lines.line(at)).collect();
        assert_eq!(found, [1, 1, 2, 3]);
    }
}
