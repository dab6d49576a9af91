//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use keyreeve_domain::{AccountId, Timestamp};

use crate::listen_address::ListenAddress;

/// A key management service that speaks the AWS KMS API.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make accounts and rescue them, in the data directory of a service that does not run
    #[command(subcommand)]
    Account(AccountCommand),
    /// Print every use of a key, and whether this build makes it an approved service of a FIPS module
    Algorithms,
    /// Prove and search the audit trail, beside a service that runs or on a copy
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Write everything that the store holds into one file, beside a service that runs or without one
    Backup(BackupArgs),
    /// Prove that every record of a store or a backup opens and every index agrees; exit code 1 where they do not
    Check(CheckArgs),
    /// Print every option of the configuration file with its default, and leave
    Config,
    /// Work with policies, without a service
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Make a data directory of a backup, and prove that every record in it opens
    Restore(RestoreArgs),
    /// Start the service (the default)
    Serve(ServeArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Make an account, and an access key of its root user
    Create(CreateAccountArgs),
    /// Print the id and the name of each account
    List(AccountPlace),
    /// Replace the access keys of the root user of an account by a new one; the old ones are not needed
    RotateRoot(RotateRootArgs),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CreateAccountArgs {
    /// The account, twelve digits
    #[arg(long, value_name = "ID")]
    pub(crate) account: AccountId,
    /// A name for people
    #[arg(long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) place: AccountPlace,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RotateRootArgs {
    /// The account, twelve digits
    #[arg(long, value_name = "ID")]
    pub(crate) account: AccountId,
    #[command(flatten)]
    pub(crate) place: AccountPlace,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AccountPlace {
    /// Where keys, audit trail and credentials are kept [default: ./keyreeve-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The configuration file of the service
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Print the events that are asked for, the newest first
    Search(SearchArgs),
    /// Prove that the trail, its log files and its digests are whole; exit code 1 where they are not
    Verify(VerifyArgs),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AuditPlace {
    /// Where the audit trail is kept, or a copy of it [default: ./keyreeve-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The configuration file of the service
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    pub(crate) place: AuditPlace,
    /// Events of this operation, such as `Decrypt`
    #[arg(long, value_name = "NAME")]
    pub(crate) event_name: Option<String>,
    /// Events about this KMS key, its id or ARN
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Events of this principal, its ARN or name
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) principal: Option<String>,
    /// The event with this id
    #[arg(long, value_name = "ID")]
    pub(crate) event_id: Option<String>,
    /// Not before this time, such as 2026-01-02T03:04:05Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// Not after this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub(crate) limit: usize,
    /// Print each event as one line of JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) place: AuditPlace,
    /// Digests that end at this time or later, such as 2026-01-02T03:04:05Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// Digests that begin at this time or earlier; one must reach it
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    /// The fingerprint of a key that may have signed; if any is named, no other may
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) trusted_key: Vec<String>,
    /// Of a directory that was restored: the one before, or a copy of it; its trail must lead to where this one begins
    #[arg(long, value_name = "DIR", conflicts_with = "folder")]
    pub(crate) before: Option<PathBuf>,
    /// A copy of the bucket of the trail, instead of a data directory
    #[arg(long, value_name = "DIR", requires = "public_keys")]
    pub(crate) folder: Option<PathBuf>,
    /// Of a copy: the keys that digests are signed with, as `aws cloudtrail list-public-keys` prints them or `public-keys.json` of the folder
    /// has them
    #[arg(long, value_name = "FILE", requires = "folder")]
    pub(crate) public_keys: Option<PathBuf>,
    /// Open encrypted log files with the KMS keys of the data directory, whose service must not run; each is an event of Decrypt in its trail
    #[arg(long)]
    pub(crate) decrypt: bool,
}

/// A time as RFC 3339 has it.
fn time(text: &str) -> Result<Timestamp, String> {
    keyreeve_observe::layout::parse_iso(text)
        .ok_or_else(|| "a time looks like 2026-01-02T03:04:05Z".to_owned())
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// The file to write, which must not be there; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// Put what opens the keys into the backup as well: whoever has it then has every key
    #[arg(long)]
    pub(crate) with_root_key: bool,
    #[command(flatten)]
    pub(crate) place: AccountPlace,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// A backup, instead of the store of a service that does not run
    #[arg(long, value_name = "FILE")]
    pub(crate) backup: Option<PathBuf>,
    /// What opens the keys of a backup that does not have it; see `keyreeve restore`
    #[arg(long, value_name = "FILE", requires = "backup")]
    pub(crate) root_key: Option<PathBuf>,
    /// Print one JSON object a line, for programs
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: AccountPlace,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The backup
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// What opens the keys, where the backup does not have it: the file of the root key; with a passphrase, `seal.toml`
    #[arg(long, value_name = "FILE")]
    pub(crate) root_key: Option<PathBuf>,
    /// Prove that the backup can be restored and every record in it opens, and leave nothing behind
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Restore although some records do not open or do not agree: the rest of them may be worth it
    #[arg(long)]
    pub(crate) despite_findings: bool,
    #[command(flatten)]
    pub(crate) place: AccountPlace,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Decide each of the requests of a file by the policies that stand beside it
    Decide(CasesArgs),
    /// Say of each of the requests of a file what every policy and every statement has to do with its decision
    Explain(ExplainArgs),
    /// Say what is likely to be a mistake in policies; exit code 1 where it is an error
    Lint(LintArgs),
    /// Say which principals may do an action on a key, and on what it depends
    WhoCan(WhoCanArgs),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CasesArgs {
    /// The requests, one JSON object a line; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) cases: PathBuf,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) cases: CasesArgs,
    /// Print one JSON object a line, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// The policies, a file each; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What the policies hang on [default: what their members suggest]
    #[arg(long)]
    pub(crate) kind: Option<PolicyKind>,
    /// Print one JSON object a line, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a policy hangs on.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum PolicyKind {
    /// A user, a group, a role, an organization, or a session
    Identity,
    /// A key
    Key,
    /// A role that trusts
    Trust,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct WhoCanArgs {
    /// The key, its policy, the action and the principals, as one JSON object; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Print one JSON object a line, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Where keys, audit trail and credentials are kept [default: ./keyreeve-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The address to listen on, or the name of one; port 0 takes any that is free [default: 127.0.0.1:4599]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<ListenAddress>,
    /// The account, twelve digits [default: 000000000000]
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<AccountId>,
    /// The Regions to answer for, separated by commas, or `any` [default: any]
    #[arg(long, value_name = "LIST|any")]
    pub(crate) regions: Option<String>,
    /// A configuration file; the flags above win over it
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Check configuration, seal, store and audit trail, and leave without serving
    #[arg(long)]
    pub(crate) check: bool,
    /// Serve plain HTTP on an address that other machines can reach
    #[arg(long)]
    pub(crate) allow_plain_http: bool,
    /// Run in the test mode: for tests alone, with access keys that everybody knows
    #[arg(long)]
    pub(crate) dev: bool,
    /// Keep everything in memory and leave no files; with --dev
    #[arg(long)]
    pub(crate) in_memory: bool,
    /// A file of accounts and keys to begin with; with --dev, once for each file
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Vec<PathBuf>,
}
