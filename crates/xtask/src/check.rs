//! `cargo xtask check`: everything that can be told without running the service.

use std::path::Path;

use crate::doc_flags::Flags;
use crate::doc_paths;
use crate::house_rules::Findings;
use crate::layers;
use crate::parity::{self as wire_parity, EXCEPTIONS};
use crate::process::{Failure, Program, heading};
use crate::promises;
use crate::python;
use crate::repository::Repository;

/// A part of the check, in the order in which they run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Part {
    /// rustfmt would change nothing
    Fmt,
    /// Dependencies between our crates look down, I/O and wrapped libraries stay where they belong
    Layers,
    /// The rules of the house that a machine can see
    House,
    /// Promises name their tests; paths and flags in the documents exist
    Docs,
    /// No warning of clippy
    Clippy,
    /// The wire models are the service models of botocore
    Parity,
    /// Licences, duplicates and sources of dependencies, with cargo-deny where it is installed
    Deny,
}

/// Runs these parts, or all, up to the first that fails.
pub(crate) fn run(repository: &Repository, parts: &[Part]) -> Result<(), Failure> {
    let all = [Part::Fmt, Part::Layers, Part::House, Part::Docs, Part::Clippy, Part::Parity, Part::Deny];
    let parts = if parts.is_empty() { &all[..] } else { parts };
    for part in parts {
        match part {
            Part::Fmt => {
                heading("fmt");
                Program::new("cargo", &repository.root).args("fmt --all --check").run("fmt")?;
            }
            Part::Layers => {
                heading("layers");
                report("layers", &layers::complaints(&repository.metadata))?;
            }
            Part::House => house(repository)?,
            Part::Docs => docs(repository)?,
            Part::Clippy => {
                heading("clippy");
                let arguments = "clippy --workspace --all-targets -- -D warnings";
                Program::new("cargo", &repository.root).args(arguments).run("clippy")?;
            }
            Part::Parity => parity(repository, None)?,
            Part::Deny => deny(repository)?,
        }
    }
    Ok(())
}

/// Compares the wire models with the service models in `data`, or with those of the botocore in `.venv`.
pub(crate) fn parity(repository: &Repository, data: Option<&Path>) -> Result<(), Failure> {
    heading("parity");
    let data = match data {
        Some(data) => data.to_path_buf(),
        None => {
            python::prepare(repository)?;
            python::service_models(repository).map_err(|why| parity_failure(&why))?
        }
    };
    println!("against {}", data.display());
    wire_parity::run(&data, &repository.root.join(EXCEPTIONS)).map_err(|why| {
        parity_failure(&format!(
            "{why}\nfollow the service model in crates/wire, or give the reason in {EXCEPTIONS}"
        ))
    })
}

fn parity_failure(why: &str) -> Failure {
    Failure { part: "parity", why: why.to_owned(), alone: "cargo xtask parity".to_owned() }
}

fn house(repository: &Repository) -> Result<(), Failure> {
    heading("house");
    let findings = Findings::of(&repository.text_files());
    for file in &findings.long_files {
        println!("warning: {file}: can it be split by subject?");
    }
    println!("{} exposures of secrets outside of tests", findings.exposures);
    report("house", &findings.complaints)
}

fn docs(repository: &Repository) -> Result<(), Failure> {
    heading("docs");
    let files = repository.text_files();
    let flags = Flags::read(&files);
    let mut complaints = promises::complaints(&files);
    for document in files.iter().filter(|file| doc_paths::is_document(&file.path)) {
        complaints.extend(doc_paths::complaints(&repository.root, document));
        complaints.extend(flags.complaints(document));
    }
    report("docs", &complaints)
}

fn deny(repository: &Repository) -> Result<(), Failure> {
    heading("deny");
    if Program::new("cargo", &repository.root).args("deny --version").output().is_none() {
        println!("SKIPPED: cargo-deny is not installed (cargo install cargo-deny --locked)");
        return Ok(());
    }
    let arguments = "deny --workspace check bans licenses sources";
    Program::new("cargo", &repository.root).args(arguments).run("deny")
}

fn report(part: &'static str, complaints: &[String]) -> Result<(), Failure> {
    if complaints.is_empty() {
        return Ok(());
    }
    Err(Failure { part, why: complaints.join("\n"), alone: format!("cargo xtask check {part}") })
}
