//! `keyreeve`: a key management service that speaks the AWS KMS API.

mod accounts;
mod alarms;
mod algorithms;
mod announcement;
mod args;
mod audit;
mod audit_space;
mod backup;
mod bucket;
mod check;
mod clock;
mod collector_request;
mod config;
mod credentials_file;
mod data_dir;
mod data_key_desk;
mod delivery;
mod dev;
mod exit;
#[cfg(test)]
mod garbled;
mod harden;
mod https;
mod identities;
mod identity_file;
mod issuers;
mod jobs;
mod listen_address;
mod logging;
mod measured_store;
mod measures;
mod memory_trail;
mod metering;
mod offload;
#[cfg(feature = "otlp")]
mod otlp;
mod policy_case;
mod policy_decide;
mod policy_explain;
mod policy_lint;
mod policy_sources;
mod policy_who_can;
mod sandbox;
mod seal;
mod serve;
mod setting;
mod start;
mod streams;
mod upload;
mod webhooks;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use zeroizing_alloc::ZeroAlloc;

use crate::args::{Args, Command, PolicyCommand};

/// Wipes every block of memory that is given back, so that no buffer of a library leaves a secret behind.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<MiMalloc> = ZeroAlloc(MiMalloc);

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match args.command.unwrap_or(Command::Serve(args.serve)) {
        Command::Account(command) => accounts::run(&command),
        Command::Algorithms => {
            print!("{}", algorithms::table());
            Ok(())
        }
        Command::Audit(command) => audit::run(&command),
        Command::Backup(args) => backup::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Config => {
            print!("{}", config::reference());
            Ok(())
        }
        Command::Policy(PolicyCommand::Decide(args)) => policy_decide::run(&args),
        Command::Policy(PolicyCommand::Explain(args)) => policy_explain::run(&args),
        Command::Policy(PolicyCommand::Lint(args)) => policy_lint::run(&args),
        Command::Policy(PolicyCommand::WhoCan(args)) => policy_who_can::run(&args),
        Command::Restore(args) => backup::restore::run(&args),
        Command::Serve(args) => serve::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("keyreeve: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
