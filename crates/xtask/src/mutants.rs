//! `cargo xtask mutants`: whether a test fails where the code is changed.
//!
//! The crates on whose decisions everything rests, each changed in one place at a time by cargo-mutants, in a copy of the tree. The first
//! look asks the crate's own tests with few generated cases; what survives it is looked at again with all of them, and with the tests of
//! the other packages that hold the crate. What no test can tell apart stands in `.cargo/mutants.toml`, with its reason, and is not made.

#![expect(clippy::disallowed_methods, reason = "a tool writes its own files")]

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::process::{Failure, Program, heading};
use crate::repository::Repository;

/// A crate that is mutated.
struct Area {
    /// The package without its prefix.
    package: &'static str,
    /// The packages, beside it, whose tests hold it.
    held_by: &'static [&'static str],
}

const AREAS: [Area; 6] = [
    Area { package: "policy", held_by: &["testkit"] },
    Area { package: "core", held_by: &["testkit"] },
    Area { package: "sigv4", held_by: &[] },
    Area { package: "crypto", held_by: &["testkit"] },
    Area { package: "audit", held_by: &["testkit", "trail-file"] },
    Area { package: "trail-file", held_by: &[] },
];

/// Cases of each property in the first look.
const FEW_CASES: &str = "16";
/// One mutant at a time, so that its time can be judged: it may take five times as long as what was not changed.
const LIMITS: &str = "--jobs 1 --timeout-multiplier 5 --colors never";
/// Its exit codes for a whole run: all caught, some missed, some timed out.
const WHOLE_RUNS: [i32; 3] = [0, 2, 3];

#[derive(Args)]
pub(crate) struct MutantsOptions {
    /// Only these packages, without `keyreeve-`
    #[arg(long = "package", value_name = "P")]
    packages: Vec<String>,
    /// Every N-th mutant of each package, from the K-th on, K from 0
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// Only what stands in these files: a pattern such as `crates/core/src/gate/*.rs`
    #[arg(long = "file", value_name = "GLOB")]
    files: Vec<String>,
}

/// Mutates the packages that are asked for, or all; fails where a mutant survives.
pub(crate) fn run(repository: &Repository, options: &MutantsOptions) -> Result<(), Failure> {
    let unknown = options.packages.iter().find(|name| !AREAS.iter().any(|area| area.package == **name));
    if let Some(unknown) = unknown {
        let known: Vec<_> = AREAS.iter().map(|area| area.package).collect();
        return Err(failure(format!("`{unknown}` is not one of {}", known.join(", "))));
    }
    heading("mutants");
    if Program::new("cargo", &repository.root).args("mutants --version").output().is_none() {
        println!("cargo-mutants is not installed; installing it now for this user, with cargo");
        Program::new("cargo", &repository.root).args("install cargo-mutants --locked").run("mutants")?;
    }
    let place = repository.root.join("target/mutants");
    let is_asked = |area: &&Area| {
        options.packages.is_empty() || options.packages.iter().any(|name| name == area.package)
    };
    let mut outcomes = Vec::new();
    for area in AREAS.iter().filter(is_asked) {
        outcomes.push((area.package, Outcome::of(repository, &place, area, options)?));
        let report = report(&outcomes);
        fs::write(place.join("report.md"), report)
            .map_err(|error| failure(format!("target/mutants/report.md: {error}")))?;
    }
    println!("\n{}\nalso in target/mutants/report.md", report(&outcomes));
    match outcomes.iter().map(|(_, outcome)| outcome.survivors.len()).sum() {
        0 => Ok(()),
        survivors => Err(failure(format!("{survivors} mutants survive"))),
    }
}

/// What became of the mutants of a package, by their names: file, place, and what was changed.
#[derive(Debug, Default, Eq, PartialEq)]
struct Outcome {
    /// A test failed.
    caught: Vec<String>,
    /// It does not compile.
    unviable: Vec<String>,
    /// The tests came to no end, which fails, too.
    timeouts: Vec<String>,
    /// No test failed.
    survivors: Vec<String>,
}

impl Outcome {
    fn of(
        repository: &Repository,
        place: &Path,
        area: &Area,
        options: &MutantsOptions,
    ) -> Result<Self, Failure> {
        let looks = Looks { repository, place, area };
        for look in ["first", "second"] {
            let directory = looks.directory(look);
            fs::create_dir_all(&directory)
                .map_err(|error| failure(format!("{}: {error}", directory.display())))?;
        }
        let mut first = looks.program("first");
        for file in &options.files {
            first = first.arg("--file").arg(file);
        }
        if let Some(shard) = &options.shard {
            first = first.args("--sharding round-robin --shard").arg(shard);
        }
        // The tests of the library and those in `tests/`: examples and documentation tests do not tell mutants apart.
        first.env("PROPTEST_CASES", FEW_CASES).args("-- --lib --tests").run_to("mutants", &WHOLE_RUNS)?;
        let outcome = looks.outcome("first");
        if outcome.survivors.is_empty() {
            return Ok(outcome);
        }
        let mut second = looks.program("second");
        for package in [area.package].iter().chain(area.held_by) {
            second = second.arg("--test-package").arg(format!("keyreeve-{package}"));
        }
        for survivor in &outcome.survivors {
            second = second.arg("--re").arg(exactly(survivor));
        }
        second.args("-- --lib --tests").run_to("mutants", &WHOLE_RUNS)?;
        outcome.then(&looks.outcome("second"))
    }

    /// With what became of its survivors at the second look. That may have seen others, too: cargo-mutants 27 does not choose among
    /// the fields that are left out of a structure.
    fn then(mut self, second: &Self) -> Result<Self, Failure> {
        for name in std::mem::take(&mut self.survivors) {
            let place = match &name {
                name if second.survivors.contains(name) => &mut self.survivors,
                name if second.caught.contains(name) => &mut self.caught,
                name if second.timeouts.contains(name) => &mut self.timeouts,
                name => return Err(failure(format!("the second look did not see `{name}`"))),
            };
            place.push(name);
        }
        Ok(self)
    }

    fn all(&self) -> usize {
        [&self.caught, &self.unviable, &self.timeouts, &self.survivors].map(Vec::len).into_iter().sum()
    }
}

/// The two looks at a package.
struct Looks<'a> {
    repository: &'a Repository,
    place: &'a Path,
    area: &'a Area,
}

impl Looks<'_> {
    fn directory(&self, look: &str) -> PathBuf {
        self.place.join(self.area.package).join(look)
    }

    /// The copies of the tree are built in one place, so that dependencies are built once. Nothing else is built there: for cargo a
    /// copy is the same workspace, and an artifact of another one may be taken for its own.
    fn program(&self, look: &str) -> Program {
        let program = Program::new("cargo", &self.repository.root)
            .env("CARGO_TARGET_DIR", self.place.join("build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "false");
        let package = format!("keyreeve-{}", self.area.package);
        program.args("mutants --package").arg(package).args(LIMITS).arg("--output").arg(self.directory(look))
    }

    fn outcome(&self, look: &str) -> Outcome {
        let lines = |kind: &str| -> Vec<String> {
            let path = self.directory(look).join("mutants.out").join(kind);
            fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
        };
        Outcome {
            caught: lines("caught.txt"),
            unviable: lines("unviable.txt"),
            timeouts: lines("timeout.txt"),
            survivors: lines("missed.txt"),
        }
    }
}

/// A regular expression that matches this name alone.
fn exactly(name: &str) -> String {
    let mut pattern = "^".to_owned();
    for character in name.chars() {
        // What stands escaped is itself; other punctuation is so without, and `\<` would be the beginning of a word.
        if r"\.+*?()|[]{}^$".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('$');
    pattern
}

fn report(outcomes: &[(&str, Outcome)]) -> String {
    let mut text =
        "| crate | mutants | caught | timeouts | unviable | survivors |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for (package, outcome) in outcomes {
        let Outcome { caught, unviable, timeouts, survivors } = outcome;
        let [caught, unviable, timeouts, survived] = [caught, unviable, timeouts, survivors].map(Vec::len);
        let all = outcome.all();
        text.push_str(&format!("| {package} | {all} | {caught} | {timeouts} | {unviable} | {survived} |\n"));
    }
    for survivor in outcomes.iter().flat_map(|(_, outcome)| &outcome.survivors) {
        text.push_str(&format!("\n- {survivor}"));
    }
    text
}

fn failure(why: String) -> Failure {
    Failure { part: "mutants", why, alone: "cargo xtask mutants".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_again_by_an_expression_of_it() {
        let name = "crates/a/src/b.rs:1:2: replace + with -= in <impl A for B>::c";
        let expected = r"^crates/a/src/b\.rs:1:2: replace \+ with -= in <impl A for B>::c$";
        assert_eq!(exactly(name), expected);
    }

    fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
        names.map(str::to_owned).to_vec()
    }

    #[test]
    fn a_report_counts_every_mutant_and_names_the_survivors() {
        let outcome = Outcome {
            caught: names(["a", "b"]),
            unviable: names(["c"]),
            timeouts: names(["d"]),
            survivors: names(["a.rs:1:1: replace < with <= in b"]),
        };
        let report = report(&[("policy", outcome)]);
        assert!(report.contains("| policy | 5 | 2 | 1 | 1 | 1 |"), "{report}");
        assert!(report.ends_with("\n- a.rs:1:1: replace < with <= in b"), "{report}");
    }

    #[test]
    fn the_second_look_decides_on_the_survivors_of_the_first_and_on_nothing_else() {
        let first =
            || Outcome { caught: names(["a"]), survivors: names(["b", "c", "d"]), ..Outcome::default() };
        let second = Outcome {
            caught: names(["b", "x"]),
            timeouts: names(["c"]),
            survivors: names(["d", "a"]),
            ..Outcome::default()
        };
        let expected = Outcome {
            caught: names(["a", "b"]),
            timeouts: names(["c"]),
            survivors: names(["d"]),
            ..Outcome::default()
        };
        assert_eq!(first().then(&second).ok(), Some(expected));
        assert!(first().then(&Outcome { caught: names(["b", "c"]), ..Outcome::default() }).is_err());
    }
}
