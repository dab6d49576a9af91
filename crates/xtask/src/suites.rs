//! `cargo xtask test`: the tests of the workspace, and unmodified clients against the release binary.
//!
//! The long run adds what takes minutes: more rounds where a test has them (`KEYREEVE_TEST_LONG`), each fuzz target, and
//! the clients that stand outside of the workspace.

use std::fs;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use crate::fuzz;
use crate::process::{Failure, Program, heading};
use crate::python;
use crate::repository::Repository;

const JAVASCRIPT: &str = "tests/e2e/javascript";
/// One process for each core: the tests wait for other processes most of the time.
const E2E: &str = "tests/e2e -n auto --dist worksteal";
const RUSTDOC: &str = "crates/xtask/rustdoc-with-error-codes.sh";
/// Cases of each property in the long run.
const GENERATED_CASES: &str = "20000";

/// Runs every suite up to the first that fails.
pub(crate) fn run(repository: &Repository, long: bool) -> Result<(), Failure> {
    heading("cargo test, and the release build beside it");
    // The link of the release binary keeps one core busy for minutes, and the tests wait for files and for each other.
    let (tests, build) = thread::scope(|scope| {
        let build = scope.spawn(|| release_build(repository));
        let tests = rounds(Program::new("cargo", &repository.root), long)
            .env("RUSTDOC", repository.root.join(RUSTDOC))
            .args("test --workspace")
            .run("cargo test");
        (tests, build.join())
    });
    tests?;
    build.unwrap_or_else(|panic| resume_unwind(panic))?;
    python::prepare(repository)?;
    javascript(repository)?;
    heading("e2e");
    rounds(Program::new(python::program(repository, "pytest"), &repository.root), long)
        .env("KEYREEVE_BIN", repository.release_binary("keyreeve"))
        .args(E2E)
        .run("e2e")?;
    if long {
        million_decisions(repository)?;
        clients(repository)?;
        fuzz::all(repository, fuzz::LONG)?;
    }
    Ok(())
}

/// A million cases for the policy engine and the interpreter beside it: optimised, for else they take hours.
fn million_decisions(repository: &Repository) -> Result<(), Failure> {
    heading("a million decisions");
    let arguments = "test --release -p keyreeve-policy --test decisions a_million -- --ignored";
    Program::new("cargo", &repository.root).args(arguments).run("a million decisions")
}

/// Builds the release binaries of the server and of the load generator, without a word where all is well.
fn release_build(repository: &Repository) -> Result<(), Failure> {
    let arguments = "build --quiet --release -p keyreeve -p keyreeve-loadgen";
    Program::new("cargo", &repository.root).args(arguments).run("release build")
}

fn rounds(program: Program, long: bool) -> Program {
    if long { program.env("KEYREEVE_TEST_LONG", "1").env("PROPTEST_CASES", GENERATED_CASES) } else { program }
}

/// Installs the packages of the lock file; without node and npm pytest skips the test that needs them.
fn javascript(repository: &Repository) -> Result<(), Failure> {
    heading("node packages");
    let directory = repository.root.join(JAVASCRIPT);
    let missing = ["node", "npm"]
        .into_iter()
        .find(|program| Program::new(program, &repository.root).arg("--version").output().is_none());
    if let Some(missing) = missing {
        println!("SKIPPED: the test of the AWS SDK for JavaScript, because `{missing}` is not installed");
        return Ok(());
    }
    // The test itself compares the same stamp.
    let (lock, stamp) = (directory.join("package-lock.json"), directory.join("node_modules/.installed.json"));
    let wanted = fs::read_to_string(&lock).ok();
    if wanted.is_some() && wanted == fs::read_to_string(&stamp).ok() {
        println!("as in {JAVASCRIPT}/package-lock.json");
        return Ok(());
    }
    let arguments = "ci --ignore-scripts --no-audit --no-fund";
    Program::new("npm", &directory).args(arguments).run("node packages")?;
    fs::copy(&lock, &stamp).map(drop).map_err(|error| Failure {
        part: "node packages",
        why: format!("{}: {error}", stamp.display()),
        alone: format!("cd {JAVASCRIPT} && npm {arguments}"),
    })
}

/// The tests of each client in `clients/`, against the release binary.
fn clients(repository: &Repository) -> Result<(), Failure> {
    heading("clients");
    let manifests = entries(&repository.root.join("clients")).into_iter().map(|path| path.join("Cargo.toml"));
    let manifests: Vec<_> = manifests.filter(|manifest| manifest.exists()).collect();
    if manifests.is_empty() {
        println!("SKIPPED: there are no clients/*/Cargo.toml");
    }
    for manifest in manifests {
        Program::new("cargo", &repository.root)
            .env("KEYREEVE_BIN", repository.release_binary("keyreeve"))
            .args("test --manifest-path")
            .arg(manifest)
            .run("clients")?;
    }
    Ok(())
}

/// What stands in a directory, in order; nothing where there is none.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries
}
