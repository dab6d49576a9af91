//! Whether the store holds together: every record opens and is of its form, and every index says what the records say.
//!
//! One pass over everything. A record is asked for what it owes (its index entries, the records that it names), an index entry for
//! the record that it was made for. Each question is one read, so nothing but a page is in memory. What could not be opened is
//! reported where it stands; what depends on it is not judged.
//!
//! There are no counters: quotas count index entries, so they are right where the indexes are.

mod alarms;
mod grants;
mod identities;
mod keys;

use core::fmt;
use core::num::NonZeroUsize;
use std::collections::BTreeMap;

use keyreeve_domain::{KeyId, Region};
use keyreeve_store::{Entry, Path, Snapshot};

use crate::digest_keys::DigestKeysRecord;
use crate::import_keys::ImportKeyRecord;
use crate::record::{KeyRecord, Record};
use crate::space;
use crate::vault::{Vault, VaultError};

/// Something that is not as it should be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The path at which it was found.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong at a path.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// It contradicts another record.
    #[error("{0}")]
    Disagrees(String),
    /// Key material does not open, or is not that whose id it has.
    #[error("key material {0} does not open")]
    Material(String),
    /// What it needs is not there.
    #[error("`{0}` is missing")]
    Missing(String),
    /// It is an entry of an index, and no record says so.
    #[error("no record stands behind this entry")]
    Stray,
    /// No release up to this one puts anything there.
    #[error("nothing belongs there")]
    Unknown,
    /// It does not open: it was changed, moved, or put there by somebody else.
    #[error("it does not open")]
    Unopened,
    /// It opens, and is not of the form that this release knows.
    #[error("it is not a record of its kind")]
    Unread,
}

impl Problem {
    /// The word by which programs know it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Disagrees(_) => "disagrees",
            Self::Material(_) => "material",
            Self::Missing(_) => "missing",
            Self::Stray => "stray",
            Self::Unknown => "unknown",
            Self::Unopened => "unopened",
            Self::Unread => "unread",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

/// What was looked at.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Entries, by the first part of their paths.
    pub entries: BTreeMap<String, u64>,
    /// Versions of key material that were opened.
    pub materials: u64,
    /// Findings.
    pub findings: u64,
}

/// Looks at everything in `snapshot`, and tells `report` what is wrong.
///
/// # Errors
/// Where the store cannot be read.
pub async fn check(
    vault: &Vault,
    snapshot: &dyn Snapshot,
    report: &mut dyn FnMut(Finding),
) -> Result<Summary, VaultError> {
    let mut check = Check { vault, snapshot, report, summary: Summary::default() };
    let mut after = None;
    loop {
        let page = snapshot.range(b"", after.as_ref(), PAGE).await?;
        for (path, entry) in &page.entries {
            check.entry(path, entry).await?;
        }
        after = page.entries.into_iter().next_back().map(|(path, _)| path).filter(|_| page.more);
        if after.is_none() {
            return Ok(check.summary);
        }
    }
}

const PAGE: NonZeroUsize = NonZeroUsize::new(500).unwrap();

/// What stands at a path that a record or an entry speaks of.
enum Held<R> {
    Nothing,
    Record(Box<R>),
    /// It does not open; the finding is made where it stands.
    Unknown,
}

struct Check<'a> {
    vault: &'a Vault,
    snapshot: &'a dyn Snapshot,
    report: &'a mut dyn FnMut(Finding),
    summary: Summary,
}

impl Check<'_> {
    async fn entry(&mut self, path: &Path, entry: &Entry) -> Result<(), VaultError> {
        let text = core::str::from_utf8(path.as_bytes()).unwrap_or_default();
        let (kind, rest) = text.split_once('/').unwrap_or((text, ""));
        *self.summary.entries.entry(kind.to_owned()).or_default() += 1;
        if *path == space::keyring()? {
            // Whoever looks has opened it.
            return Ok(());
        }
        if !self.vault.opens(path, entry.version, &entry.value) {
            self.found(path, Problem::Unopened);
            return Ok(());
        }
        match (kind, rest) {
            ("meta", "digest-keys") => drop(self.open::<DigestKeysRecord>(path, entry)),
            ("import-key", day) if is_number(day) => drop(self.open::<ImportKeyRecord>(path, entry)),
            ("key" | "policy" | "owned" | "alias" | "named" | "due" | "usage", _) => {
                return self.key_entry(kind, rest, path, entry).await;
            }
            ("alarm" | "alarm-id" | "alarm-past" | "alarm-past-of", _) => {
                return self.alarm_entry(kind, rest, path, entry).await;
            }
            ("grant" | "grantee" | "retirable" | "same-grant", _) => {
                return self.grant_entry(kind, rest, path, entry).await;
            }
            (
                "account" | "attached" | "credential" | "declared" | "group-key" | "iam" | "member"
                | "unique" | "used",
                _,
            )
            | ("followed" | "organization", "") => return self.identity_entry(kind, rest, path, entry).await,
            _ => self.found(path, Problem::Unknown),
        }
        Ok(())
    }

    fn found(&mut self, path: &Path, problem: Problem) {
        self.summary.findings = self.summary.findings.saturating_add(1);
        (self.report)(Finding { path: path.to_string(), problem });
    }

    fn disagrees(&mut self, path: &Path, what: impl Into<String>) {
        self.found(path, Problem::Disagrees(what.into()));
    }

    /// The record in `entry`, which opens; where it is of another kind that is a finding.
    fn open<R: Record>(&mut self, path: &Path, entry: &Entry) -> Option<R> {
        let opened = self.vault.open(path, entry.version, &entry.value).ok();
        if opened.is_none() {
            self.found(path, Problem::Unread);
        }
        opened
    }

    /// The record at `path`.
    async fn read<R: Record>(&self, path: &Path) -> Result<Held<R>, VaultError> {
        match self.vault.read::<R>(self.snapshot, path).await {
            Ok(None) => Ok(Held::Nothing),
            Ok(Some(read)) => Ok(Held::Record(Box::new(read.record))),
            Err(VaultError::Damaged(_)) => Ok(Held::Unknown),
            Err(error) => Err(error),
        }
    }

    async fn read_key(&self, region: Region, key: KeyId) -> Result<Held<KeyRecord>, VaultError> {
        self.read(&space::key(region, key)?).await
    }

    /// Something that `path` needs.
    async fn needs(&mut self, path: &Path, wanted: &Path) -> Result<(), VaultError> {
        if self.snapshot.get(wanted).await?.is_none() {
            self.found(path, Problem::Missing(wanted.to_string()));
        }
        Ok(())
    }

    /// An entry of an index: of a record that must be `held` and say so.
    fn stands_for<R>(&mut self, path: &Path, held: &Held<R>, says_so: impl FnOnce(&R) -> bool) {
        let stands = match held {
            Held::Nothing => false,
            Held::Record(record) => says_so(record),
            Held::Unknown => true,
        };
        if !stands {
            self.found(path, Problem::Stray);
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The first `N - 1` parts of a path, and the rest of it.
fn parts<const N: usize>(text: &str) -> Option<[&str; N]> {
    let parts: Vec<_> = text.splitn(N, '/').collect();
    parts.try_into().ok()
}
