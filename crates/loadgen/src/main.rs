//! A load generator for KMS endpoints, and a null server to hold its figures against.
//!
//! Client and server share the cores of one machine, so a request costs the client little: it is signed before the clock
//! starts and written as it stands, and of an answer only the status line, the length and, where it failed, the
//! error's name are read. The loop is closed: each connection sends its next request when it has the answer to the last.

mod call;
mod clock;
mod connection;
mod credentials;
mod error;
mod load;
mod null_server;
mod options;
mod process;
mod report;
mod request;
mod target;
mod workload;

use std::process::ExitCode;

use clap::Parser;

use crate::error::LoadError;
use crate::options::{Command, Options};

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loadgen: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &options.command {
        Some(Command::Call(call)) => runtime.block_on(call::run(call)),
        Some(Command::NullServer(server)) => runtime.block_on(null_server::run(server)),
        None => {
            let report = runtime.block_on(load::run(&options.load))?;
            if options.load.json {
                println!("{}", report.json())
            } else {
                print!("{report}")
            }
            Ok(())
        }
    }
}
