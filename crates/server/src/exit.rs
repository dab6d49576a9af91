//! Why the program ends, as text and exit code.

use std::path::PathBuf;

use keyreeve_core::identity::accounts::CreateAccountError;
use keyreeve_core::keyring::KeyringError;
use keyreeve_core::vault::VaultError;
use keyreeve_domain::AccountId;
use keyreeve_http::TlsConfigError;
use keyreeve_store::{ReadError, StoreFault};
use keyreeve_store_redb::OpenError;
use keyreeve_trail_file::OpenTrailError;

use crate::identity_file::IdentityFileError;
use crate::seal::SealError;

/// What ends the program. Each text says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Config(String),
    #[error(
        "cannot listen on {address}: {error}. Choose another address with --listen, or stop what listens there."
    )]
    Listen { address: String, error: std::io::Error },
    #[error(
        "{address} can be reached by other machines, and plain HTTP would show them every key in transit. Configure \
         [tls] certificate and key, or say --allow-plain-http if something else protects the connection."
    )]
    PlainHttp { address: String },
    #[error("cannot write to `{}`: {error}. Give the user of this process write access, or choose another directory with --data-dir.", path.display())]
    NotWritable { path: PathBuf, error: std::io::Error },
    #[error("the store in `{}` is in use by another process. Stop that process, or choose another directory with --data-dir.", path.display())]
    Locked { path: PathBuf },
    #[error("the service is running over `{}`. Stop it, say this again, and start it; or declare the account in the file of [identity] file and send the service SIGHUP.", path.display())]
    Serving { path: PathBuf },
    #[error("the service is running over `{}`. Check a backup of it instead: keyreeve backup, and keyreeve check --backup; or stop it.", path.display())]
    CheckServing { path: PathBuf },
    #[error(
        "the limit of open files is {found}, and it takes {least}. Raise it, with ulimit -n or LimitNOFILE of systemd."
    )]
    Descriptors { found: usize, least: usize },
    #[error("the store does not hold together: {findings} findings; each is named above.")]
    CheckFindings { findings: u64 },
    #[error("there is no store in `{}`: the first start of the service makes it. Choose another directory with --data-dir.", path.display())]
    NothingThere { path: PathBuf },
    #[error("{0}. To replace a lost access key of its root user: keyreeve account rotate-root.")]
    CreateAccount(#[from] CreateAccountError),
    #[error("the identity file is not in order, and nothing of it was followed:\n  {0}")]
    Identities(#[from] IdentityFileError),
    #[error("there is no account {0}. To see which there are: keyreeve account list.")]
    NoAccount(AccountId),
    #[error("cannot read `{}`: {error}. Give the user of this process access to it, or delete it to have a new access key made.", path.display())]
    CredentialsUnreadable { path: PathBuf, error: std::io::Error },
    #[error("`{}` holds no access key under [default]. Correct it, or delete it to have a new one made: the old one is refused from then on.", path.display())]
    NoAccessKey { path: PathBuf },
    #[error("the data directory `{}` belongs to account {found}, and {asked} was asked for. Say --account {found}, or choose another directory with --data-dir.", path.display())]
    OtherAccount { path: PathBuf, found: String, asked: AccountId },
    #[error("{0}")]
    Seal(#[from] SealError),
    #[error("the store `{}` is missing or empty, but `{trace}` beside it shows that it held keys. Restore the store from a backup; to start anew without those keys, move everything in the directory away.", path.display())]
    StoreMissing { path: PathBuf, trace: &'static str },
    #[error("the first start in `{}` was cut off before it made a keyring: no keys are here yet. Start without --check to complete it.", path.display())]
    Unfinished { path: PathBuf },
    #[error("the store in `{}` cannot be used: {reason}. Restore it from a backup; the file was left as it is.", path.display())]
    Store { path: PathBuf, reason: String },
    #[error("the audit trail in `{}` cannot be used: {error}. Move the damaged segment away to go on, and keep it: it is evidence.", path.display())]
    Trail { path: PathBuf, error: OpenTrailError },
    #[error("the audit trail cannot be delivered to `{}`: {error}. Choose another place with [audit] folder, or say [audit] deliver = false.", path.display())]
    Delivery { path: PathBuf, error: keyreeve_trail_delivery::DeliveryError },
    #[error("metrics cannot be kept in `{}`: {error}. Choose another place with [metrics] folder, or say [metrics] keep = false.", path.display())]
    Metrics { path: PathBuf, error: std::io::Error },
    #[error("{0}")]
    Tls(#[from] TlsConfigError),
    #[error("`{}` was made with --dev: its keys and access keys may be known to everybody. Say --dev, or choose another directory with --data-dir.", path.display())]
    DevDirectory { path: PathBuf },
    #[error("`{}` was not made with --dev, and the test mode would put keys and access keys that everybody knows among its own. Take --dev out, or choose another directory with --data-dir.", path.display())]
    NoDevDirectory { path: PathBuf },
    #[error("{0}.")]
    Seed(String),
    #[error("cannot read the seed file `{}`: {error}. Correct --seed, or make the file.", path.display())]
    SeedUnreadable { path: PathBuf, error: std::io::Error },
    #[error("{0}")]
    System(#[from] std::io::Error),
    #[error("the store failed while starting: {0}")]
    Vault(#[from] VaultError),
    #[error("cannot read `{}`: {error}. Name a file of cases, or `-` for standard input.", path.display())]
    CasesUnreadable { path: PathBuf, error: std::io::Error },
    #[error("`{}` is not of the form that docs/policy.md describes: {reason}.", path.display())]
    MalformedInput { path: PathBuf, reason: String },
    #[error("`{}` is there already: it was left as it is. Choose another file with --to, or move it away.", path.display())]
    BackupExists { path: PathBuf },
    #[error("the backup cannot be written to `{}`: {error}. Nothing was left there.", path.display())]
    BackupUnwritable { path: PathBuf, error: std::io::Error },
    #[error("the service that runs over `{}` did not write the backup: {reason}.", path.display())]
    BackupRefused { path: PathBuf, reason: String },
    #[error("the backup was written to `{}`, but {unopened} of its {records} records do not open. To see which: keyreeve check.", path.display())]
    BackupUnopened { path: PathBuf, records: u64, unopened: u64 },
    #[error("cannot read the backup `{}`: {error}. Correct --from or --backup, or give the user of this process access to it.", path.display())]
    BackupUnreadable { path: PathBuf, error: std::io::Error },
    #[error("the backup `{}` cannot be used: {reason}. Nothing of it was restored; take another one.", path.display())]
    BackupDamaged { path: PathBuf, reason: String },
    #[error("the backup `{}` has no root key: it was made without --with-root-key. Name the {wanted} that was kept apart with --root-key.", path.display())]
    NoRootKey { path: PathBuf, wanted: &'static str },
    #[error("`{}` is not empty, and nothing is restored over what is there. Choose another directory with --data-dir, or move its content away.", path.display())]
    NotEmpty { path: PathBuf },
    #[error("a restore into `{}` did not come to its end: what is there is not whole. Remove the whole directory and restore again.", path.display())]
    HalfRestored { path: PathBuf },
    #[error(
        "{findings} findings; each is named above. What does not open cannot be used, and restoring it anew does not change that. To restore the rest nevertheless: --despite-findings."
    )]
    RestoreFindings { findings: u64 },
    #[error("the audit trail is not whole: {findings} findings; each is named above.")]
    TrailFindings { findings: usize },
    #[error(
        "{logs} encrypted log files could not be opened, so their events are not proven. Nothing else is wrong with the audit trail."
    )]
    TrailUnproven { logs: u64 },
    #[error("there is no audit trail in `{}`. Name the data directory, or a copy of it, with --data-dir.", path.display())]
    NoTrail { path: PathBuf },
    #[error("the policies have {errors} errors; each is named above.")]
    Findings { errors: usize },
    #[error("{count} of the lines are no cases; each is named above.")]
    MalformedCases { count: usize },
    #[error("the keyring cannot be made or opened: {0}")]
    Keyring(KeyringError),
}

impl Failure {
    /// The exit code. Operators and scripts rely on them; docs/configuration.md lists them.
    pub(crate) fn code(&self) -> u8 {
        match self {
            // A page or a record that no check at the opening has looked at.
            Self::Vault(
                VaultError::Damaged(_) | VaultError::Unreadable(ReadError::Unavailable(StoreFault::Damaged)),
            ) => 7,
            Self::BackupRefused { .. }
            | Self::BackupUnopened { .. }
            | Self::CheckFindings { .. }
            | Self::Descriptors { .. }
            | Self::Findings { .. }
            | Self::RestoreFindings { .. }
            | Self::System(_)
            | Self::TrailFindings { .. }
            | Self::Vault(_)
            | Self::Keyring(_)
            | Self::CreateAccount(CreateAccountError::Vault(_))
            | Self::Identities(IdentityFileError::Vault(_)) => 1,
            Self::BackupExists { .. }
            | Self::Config(_)
            | Self::NotEmpty { .. }
            | Self::Identities(IdentityFileError::Faults(_))
            | Self::CreateAccount(CreateAccountError::Exists(_))
            | Self::NoAccount(_)
            | Self::NoTrail { .. }
            | Self::NothingThere { .. }
            | Self::MalformedCases { .. }
            | Self::MalformedInput { .. }
            | Self::NoAccessKey { .. }
            | Self::OtherAccount { .. }
            | Self::PlainHttp { .. }
            | Self::DevDirectory { .. }
            | Self::NoDevDirectory { .. }
            | Self::Seed(_)
            | Self::Tls(_) => 2,
            Self::Listen { .. } => 3,
            Self::BackupUnreadable { .. }
            | Self::BackupUnwritable { .. }
            | Self::CasesUnreadable { .. }
            | Self::Delivery { .. }
            | Self::Metrics { .. }
            | Self::SeedUnreadable { .. }
            | Self::CredentialsUnreadable { .. }
            | Self::NotWritable { .. } => 4,
            Self::CheckServing { .. } | Self::Locked { .. } | Self::Serving { .. } => 5,
            Self::NoRootKey { .. } | Self::Seal(_) => 6,
            Self::BackupDamaged { .. }
            | Self::HalfRestored { .. }
            | Self::Store { .. }
            | Self::StoreMissing { .. }
            | Self::Trail { .. }
            | Self::Unfinished { .. } => 7,
            Self::TrailUnproven { .. } => 8,
        }
    }

    /// The failure that `error` of the store at `path` is.
    pub(crate) fn of_store(path: PathBuf, error: OpenError) -> Self {
        match error {
            OpenError::Locked => Self::Locked { path },
            OpenError::NotWritable(error) => Self::NotWritable { path, error },
            OpenError::Damaged(_) | OpenError::UnsupportedFormat { .. } => {
                Self::Store { path, reason: error.to_string() }
            }
            OpenError::Io(error) => Self::Store { path, reason: error.to_string() },
        }
    }
}
