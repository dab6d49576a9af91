//! The tools of this repository: `cargo xtask check`, `test`, `fuzz`, `mutants`, `parity` and `bench`.
//!
//! Each part runs alone too; a failure names its part and the command for that. Cheap parts come first.

mod bench;
mod check;
mod doc_flags;
mod doc_paths;
mod fuzz;
mod house_rules;
mod layers;
mod markdown;
mod mutants;
mod parity;
mod process;
mod promises;
mod python;
mod repository;
mod rust_source;
mod suites;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::process::Failure;
use crate::repository::Repository;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Checks and tests Keyreeve")]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the promises on speed, against a null server
    Bench(bench::BenchOptions),
    /// Everything that can be told without running the service
    Check(CheckOptions),
    /// Each fuzz target, from its committed corpus on
    Fuzz(fuzz::FuzzOptions),
    /// Change the crates that decide in one place at a time, and see whether a test fails
    Mutants(mutants::MutantsOptions),
    /// Check, then every test of the workspace, then the clients against the release binary
    Test(TestOptions),
    /// Compare the wire models with the service models of botocore
    Parity(ParityOptions),
}

#[derive(Args)]
struct CheckOptions {
    /// Only these parts
    #[arg(value_enum)]
    parts: Vec<check::Part>,
}

#[derive(Args)]
struct TestOptions {
    /// Fuzz each target for ten minutes, kill the server more often, test the clients in `clients/`
    #[arg(long)]
    long: bool,
    /// Begin with the tests
    #[arg(long)]
    skip_check: bool,
}

#[derive(Args)]
struct ParityOptions {
    /// The directory `data` of a botocore; without it, that of the botocore in `.venv`
    path: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Options::parse().command) {
        Ok(()) => {
            println!("\nxtask: passed");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<(), Failure> {
    let repository = Repository::find()?;
    match command {
        Command::Bench(options) => bench::run(&repository, options),
        Command::Check(options) => check::run(&repository, &options.parts),
        Command::Fuzz(options) => fuzz::run(&repository, options),
        Command::Mutants(options) => mutants::run(&repository, options),
        Command::Test(options) => {
            if !options.skip_check {
                check::run(&repository, &[])?;
            }
            suites::run(&repository, options.long)
        }
        Command::Parity(options) => check::parity(&repository, options.path.as_deref()),
    }
}
