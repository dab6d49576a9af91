//! `cargo xtask fuzz`: each target of `fuzz/`, from its committed corpus on.
//!
//! libFuzzer's instrumentation is not stable: an environment variable lets the stable compiler do it. The address sanitizer is on, as
//! `cargo fuzz` has it: it links with the cryptographic library, and sees what that does wrong; but see [`WHOLE`]. What is found goes
//! into `fuzz/target/found`, and nothing into the committed corpora: those are chosen by hand (docs/reliability.md).

#![expect(clippy::disallowed_methods, reason = "a tool writes its own files")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use clap::Args;

use crate::process::{Failure, Program, heading};
use crate::repository::Repository;

const TARGETS: &str = "fuzz/fuzz_targets";
/// Beside what is built: git ignores it.
const FOUND: &str = "fuzz/target/found";
/// What came of the last run.
const REPORT: &str = "fuzz/target/report.md";
/// Seconds for each target in the long run of the tests.
pub(crate) const LONG: u64 = 600;
/// A single input must not take longer, in seconds, nor a process more memory, in MiB.
const LIMITS: &str = "-timeout=20 -rss_limit_mb=3000 -print_final_stats=1";

/// The targets that ask a whole service. The address sanitizer makes them many times slower, and what they reach has no unsafe code but
/// that which the other targets reach, too: they run without it, built in a directory of their own.
const WHOLE: [&str; 2] = ["api_calls", "http_exchange"];
const WHOLE_BUILD: &str = "--sanitizer none --target-dir fuzz/target/whole";

#[derive(Args)]
pub(crate) struct FuzzOptions {
    /// How long each target is run
    #[arg(long, default_value_t = LONG)]
    seconds: u64,
    /// Only these targets
    targets: Vec<String>,
}

/// Runs the targets that are asked for, or all; up to the first finding.
pub(crate) fn run(repository: &Repository, options: &FuzzOptions) -> Result<(), Failure> {
    let all = targets(&repository.root);
    let is_asked = |name: &String| options.targets.is_empty() || options.targets.contains(name);
    if let Some(unknown) = options.targets.iter().find(|name| !all.contains(name)) {
        return Err(Failure {
            part: "fuzz",
            why: format!("there is no target `{unknown}` in {TARGETS}: {}", all.join(", ")),
            alone: "cargo xtask fuzz".to_owned(),
        });
    }
    each(repository, &all.iter().filter(|name| is_asked(name)).collect::<Vec<_>>(), options.seconds)
}

/// Runs every target for so many seconds.
pub(crate) fn all(repository: &Repository, seconds: u64) -> Result<(), Failure> {
    each(repository, &targets(&repository.root).iter().collect::<Vec<_>>(), seconds)
}

fn each(repository: &Repository, targets: &[&String], seconds: u64) -> Result<(), Failure> {
    heading("fuzz");
    if Program::new("cargo", &repository.root).args("fuzz --version").output().is_none() {
        println!("cargo-fuzz is not installed; installing it now for this user, with cargo");
        Program::new("cargo", &repository.root).args("install cargo-fuzz --locked").run("fuzz")?;
    }
    let mut reached = BTreeMap::new();
    for target in targets {
        let found = format!("{FOUND}/{target}");
        let failed = |error: std::io::Error| Failure {
            part: "fuzz",
            why: format!("{found}: {error}"),
            alone: format!("cargo xtask fuzz {target}"),
        };
        fs::create_dir_all(repository.root.join(&found)).map_err(failed)?;
        let program = Program::new("cargo", &repository.root).env("RUSTC_BOOTSTRAP", "1").args("fuzz run");
        let is_whole = WHOLE.contains(&target.as_str());
        let said = program
            .args(if is_whole { WHOLE_BUILD } else { "" })
            .arg(target)
            .arg(&found)
            .arg(format!("fuzz/corpus/{target}"))
            .args(&format!("-- -max_total_time={seconds} {LIMITS}"))
            .run_and_listen("fuzz")?;
        reached.insert(target.as_str(), Reached::of(&said));
        let report = report(&reached, seconds);
        fs::write(repository.root.join(REPORT), report).map_err(failed)?;
    }
    println!("{}\nalso in {REPORT}", report(&reached, seconds));
    Ok(())
}

/// How far a run of a target got, in the words of libFuzzer.
#[derive(Debug, Default, Eq, PartialEq)]
struct Reached {
    runs: String,
    coverage: String,
    features: String,
}

impl Reached {
    /// Out of what it said: `#1234 DONE cov: 567 ft: 890 corp: …`.
    fn of(said: &str) -> Self {
        let mut reached = Self::default();
        for line in said.lines().filter(|line| line.contains(" cov: ") && line.contains(" ft: ")) {
            let after = |name: &str| line.split_once(name)?.1.split_whitespace().next().map(str::to_owned);
            reached = Self {
                runs: after("#").unwrap_or_default(),
                coverage: after(" cov: ").unwrap_or_default(),
                features: after(" ft: ").unwrap_or_default(),
            };
        }
        reached
    }
}

fn report(reached: &BTreeMap<&str, Reached>, seconds: u64) -> String {
    let mut table = format!("{seconds} s each\n\n| target | runs | edges | features |\n|---|---|---|---|\n");
    for (target, Reached { runs, coverage, features }) in reached {
        table.push_str(&format!("| {target} | {runs} | {coverage} | {features} |\n"));
    }
    table
}

/// The names of the targets, in order.
fn targets(root: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join(TARGETS)).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| name(&entry.path())).collect();
    names.sort();
    names
}

fn name(path: &Path) -> Option<String> {
    let is_source = path.extension().is_some_and(|extension| extension == "rs");
    is_source.then(|| path.file_stem().map(|stem| stem.to_string_lossy().into_owned())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_run_says_how_far_it_got() {
        let said = "INFO: seed corpus: files: 3\n#4\tINITED cov: 10 ft: 12 corp: 3/9b\n#77\tNEW    cov: 11 ft: 13 corp: 4/9b\n\
                    #2097152\tDONE   cov: 128 ft: 343 corp: 61/1kb exec/s: 9\nDone\n";
        let expected = Reached { runs: "2097152".into(), coverage: "128".into(), features: "343".into() };
        assert_eq!(Reached::of(said), expected);
        assert_eq!(Reached::of(""), Reached::default());
    }
}
