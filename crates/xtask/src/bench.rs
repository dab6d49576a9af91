//! `cargo xtask bench`: the promises on speed, measured against a null server in the same run.
//!
//! INVARIANT: a line of the table compares two figures of one run, taken in alternating rounds, or holds one figure against a
//! bound; so a busy machine moves both sides. Servers are pinned to the first core and the load to the second, except where
//! a line is about writing: there both sides have the whole machine.

mod algorithms;
mod curves;
mod identities;
mod lines;
mod parts;
mod servers;
mod soak;
mod storms;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::bench::lines::Line;
use crate::bench::servers::Bench;
use crate::process::{Failure, Program, heading};
use crate::repository::Repository;

/// What to measure, and where the figures go.
#[derive(Args)]
pub(crate) struct BenchOptions {
    /// Shorter rounds, fewer connections, fewer keys: under two minutes
    #[arg(long)]
    quick: bool,
    /// Take the release binaries as they are
    #[arg(long)]
    no_build: bool,
    /// Write the figures to this file too, as one JSON object
    #[arg(long)]
    json: Option<PathBuf>,
    /// Only this part; may be repeated
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Measure how the service grows instead, and draw it: docs/curves
    #[arg(long, conflicts_with_all = ["only", "json"])]
    curves: bool,
    /// Only this figure; may be repeated
    #[arg(long, value_enum, requires = "curves")]
    curve: Vec<curves::Curve>,
    /// Send a mix of requests at 70 % of what the server can take for so many minutes instead, and watch it: docs/curves/soak.svg
    #[arg(long, value_name = "MINUTES", conflicts_with_all = ["only", "json", "curves"])]
    soak: Option<f64>,
    /// Draw the figures again from the data that are kept
    #[arg(long, conflicts_with_all = ["only", "json", "curves"])]
    redraw: bool,
}

/// A part of the measurements.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Part {
    /// From the start to the first answer, and the memory of an idle server
    Start,
    /// Encrypt, Decrypt and GenerateDataKey against the null server
    Symmetric,
    /// The same over TLS
    Tls,
    /// CreateKey against redb alone
    CreateKey,
    /// Many keys in one account
    ManyKeys,
    /// Encrypt as a user with policies and as a grantee, against the root user
    Identities,
    /// Sign, Verify, GenerateMac, DeriveSharedSecret and Decapsulate against the bare primitives
    Algorithms,
    /// Encrypt while others sign and make keys with heavy algorithms
    BesideHeavy,
    /// Encrypt beside a storm of TLS handshakes, and beside another account that sends all it can
    Storms,
}

/// How long and how often.
#[derive(Clone, Copy)]
struct Plan {
    rounds: usize,
    /// Seconds of a round, and of sending before it.
    seconds: f64,
    warmup: f64,
    connections: &'static [usize],
    keys: u64,
    grants: u64,
}

const FULL: Plan =
    Plan { rounds: 5, seconds: 2.5, warmup: 0.5, connections: &[1, 16, 64], keys: 100_000, grants: 50_000 };
const QUICK: Plan =
    Plan { rounds: 3, seconds: 0.9, warmup: 0.1, connections: &[1, 16], keys: 20_000, grants: 2_000 };

/// Builds, measures, prints. A missed target is no failure: a shared machine misses some on a bad day.
pub(crate) fn run(repository: &Repository, options: &BenchOptions) -> Result<(), Failure> {
    if options.redraw {
        return curves::redraw(repository);
    }
    if !options.no_build {
        build(repository)?;
    }
    if options.curves {
        let bench = Bench::prepare(repository)?;
        return curves::run(&bench, repository, options.quick, &options.curve);
    }
    if let Some(minutes) = options.soak {
        return soak::run(&Bench::prepare(repository)?, repository, minutes);
    }
    let plan = if options.quick { QUICK } else { FULL };
    let bench = Bench::prepare(repository)?;
    let mut lines = Vec::new();
    for part in Part::value_variants().iter().copied() {
        if options.only.is_empty() || options.only.contains(&part) {
            heading(&format!("{part:?}"));
            measure(&bench, part, plan, &mut lines)?;
        }
    }
    heading("results");
    print!("{}", lines::table(&lines));
    match &options.json {
        Some(path) => write(path, &lines, options.quick, repository),
        None => Ok(()),
    }
}

fn build(repository: &Repository) -> Result<(), Failure> {
    heading("release build");
    for what in [
        "-p keyreeve -p keyreeve-loadgen",
        "-p keyreeve --example trail_levels",
        "-p keyreeve-store-redb --example group_commit",
        "-p keyreeve-crypto --example raw_primitives",
    ] {
        Program::new("cargo", &repository.root).args("build --release").args(what).run("release build")?;
    }
    Ok(())
}

fn measure(bench: &Bench<'_>, part: Part, plan: Plan, lines: &mut Vec<Line>) -> Result<(), Failure> {
    match part {
        Part::Start => parts::start(bench, plan, lines),
        Part::Symmetric => parts::symmetric(bench, plan, false, lines),
        Part::Tls => parts::symmetric(bench, plan, true, lines),
        Part::CreateKey => parts::create_key(bench, plan, lines),
        Part::ManyKeys => parts::many_keys(bench, plan, lines),
        Part::Identities => identities::identities(bench, plan, lines),
        Part::Algorithms => algorithms::algorithms(bench, plan, lines),
        Part::BesideHeavy => algorithms::beside_heavy(bench, plan, lines),
        Part::Storms => storms::storms(bench, plan, lines),
    }
}

fn write(path: &Path, lines: &[Line], quick: bool, repository: &Repository) -> Result<(), Failure> {
    let date = Program::new("date", &repository.root).args("-u +%Y-%m-%dT%H:%M:%SZ").output();
    let report = json!({
        "date": date,
        "quick": quick,
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "architecture": std::env::consts::ARCH,
        "lines": lines.iter().map(Line::json).collect::<Vec<_>>(),
    });
    servers::write(path, &format!("{report:#}\n"))
}
