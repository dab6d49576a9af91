//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use keyreeve_domain::AccountId;

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
    /// Print every option of the configuration file with its default, and leave
    Config,
    /// Work with policies, without a service
    #[command(subcommand)]
    Policy(PolicyCommand),
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
    /// The address to listen on; port 0 takes any that is free [default: 127.0.0.1:4599]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
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
}
