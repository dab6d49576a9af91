//! `cargo xtask bench --curves`: how the service grows, measured and drawn.
//!
//! Each figure is measured over a server of its own, whose files are removed afterwards. Sides that are compared are measured in
//! alternating rounds, so that a busy machine moves both; a point is the median of its rounds. The data of each figure are kept
//! beside it, and `--redraw` draws them again.

pub(crate) mod chart;
mod identities;
mod keys;
mod many;
mod svg;
mod traffic;

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::bench::curves::chart::Figure;
use crate::bench::lines::median;
use crate::bench::parts::progress;
use crate::bench::servers::{self, Bench, Bodies, Extent, Load, Place, Sample, Server, failed};
use crate::process::{Failure, Program, heading};
use crate::repository::Repository;

/// A figure.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Curve {
    /// Keys of one account
    Keys,
    /// Aliases
    Aliases,
    /// Grants on one key
    Grants,
    /// Statements of a policy
    Policies,
    /// Users of the identity file
    Users,
    /// Connections, plain and TLS
    Connections,
    /// One worker and two
    Cores,
    /// Without a trail, and with each of its levels
    Audit,
}

/// How far, how long and how often.
pub(crate) struct Plan {
    rounds: usize,
    seconds: f64,
    warmup: f64,
    keys: &'static [u64],
    aliases: &'static [u64],
    grants: &'static [u64],
    statements: &'static [u64],
    users: &'static [u64],
    connections: &'static [usize],
}

const FULL: Plan = Plan {
    rounds: 3,
    seconds: 2.0,
    warmup: 0.5,
    keys: &[1_000, 10_000, 100_000, 1_000_000],
    aliases: &[100, 1_000, 10_000, 100_000],
    grants: &[10, 100, 1_000, 10_000, 50_000],
    statements: &[1, 10, 30, 100, 200, 300],
    users: &[10, 100, 1_000, 10_000, 100_000],
    connections: &[1, 4, 16, 64, 256, 1024, 4096],
};

const QUICK: Plan = Plan {
    rounds: 3,
    seconds: 0.8,
    warmup: 0.2,
    keys: &[1_000, 10_000, 100_000],
    aliases: &[100, 1_000, 10_000],
    grants: &[10, 1_000, 10_000],
    statements: &[1, 30, 300],
    users: &[10, 1_000, 10_000],
    connections: &[1, 16, 256, 4096],
};

/// Measures the figures that are asked for, all where none is, and draws them.
pub(crate) fn run(
    bench: &Bench<'_>,
    repository: &Repository,
    quick: bool,
    only: &[Curve],
) -> Result<(), Failure> {
    let plan = if quick { &QUICK } else { &FULL };
    for curve in Curve::value_variants().iter().copied() {
        if !only.is_empty() && !only.contains(&curve) {
            continue;
        }
        heading(&format!("{curve:?}"));
        let mut figure = match curve {
            Curve::Keys => keys::keys(bench, plan),
            Curve::Aliases => many::aliases(bench, plan),
            Curve::Grants => many::grants(bench, plan),
            Curve::Policies => identities::policies(bench, plan),
            Curve::Users => identities::users(bench, plan),
            Curve::Connections => traffic::connections(bench, plan),
            Curve::Cores => traffic::cores(bench, plan),
            Curve::Audit => traffic::audit(bench, plan),
        }?;
        if quick {
            figure.note.push_str("quick; ");
        }
        keep(repository, figure)?;
    }
    Ok(())
}

/// Notes when and where a figure was measured, keeps its data, and draws it.
pub(crate) fn keep(repository: &Repository, mut figure: Figure) -> Result<(), Failure> {
    let date = Program::new("date", &repository.root).args("-u +%Y-%m-%d").output().unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("?").to_owned();
    let on = std::env::consts::ARCH;
    figure.note.push_str(&format!("{date}, {cores} cores ({on}); load average at the end {load}"));
    let directory = directory(repository)?;
    figure.keep(&directory)?;
    draw(&directory.join(format!("{}.json", figure.name)))
}

/// Draws every figure whose data are kept.
pub(crate) fn redraw(repository: &Repository) -> Result<(), Failure> {
    let directory = directory(repository)?;
    let mut files: Vec<_> = fs::read_dir(&directory)
        .and_then(|files| files.map(|file| file.map(|file| file.path())).collect::<Result<Vec<_>, _>>())
        .map_err(|error| failed(format!("{}: {error}", directory.display())))?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    for file in files {
        draw(&file)?;
    }
    Ok(())
}

/// Draws a figure from its data, beside them.
fn draw(data: &Path) -> Result<(), Failure> {
    servers::write(&data.with_extension("svg"), &svg::draw(&Figure::read(data)?))
}

/// Where figures are kept.
fn directory(repository: &Repository) -> Result<PathBuf, Failure> {
    let directory = repository.root.join("docs/curves");
    fs::create_dir_all(&directory).map_err(|error| failed(format!("{}: {error}", directory.display())))?;
    Ok(directory)
}

/// A load that is compared with others.
struct Side<'a> {
    name: &'a str,
    server: &'a Server,
    /// Whoever signs; the root user of the server where it is not said.
    credentials: Option<&'a Path>,
    load: Load<'a>,
    /// Further options of the load generator.
    more: &'a [&'a str],
}

/// A load of Encrypt by 16 connections, for as long as planned.
fn encrypt<'a>(plan: &Plan, bodies: Bodies<'a>) -> Load<'a> {
    let extent = Extent::Seconds { warmup: plan.warmup, seconds: plan.seconds };
    Load { operation: "Encrypt", bodies, connections: 16, extent, place: Place::Second }
}

/// Measures the sides in alternating rounds and adds a point of each to the panels of rates and latencies.
fn compare(
    bench: &Bench<'_>,
    plan: &Plan,
    figure: &mut Figure,
    at: f64,
    sides: &[Side<'_>],
) -> Result<(), Failure> {
    let mut samples: Vec<Vec<Sample>> = sides.iter().map(|_| Vec::new()).collect();
    for _ in 0..plan.rounds {
        for (side, samples) in sides.iter().zip(&mut samples) {
            let credentials = side.credentials.or(side.server.credentials());
            samples.push(bench.load_with(side.server, credentials, side.load, side.more)?);
        }
    }
    for (side, samples) in sides.iter().zip(&samples) {
        let of = |figure: fn(&Sample) -> f64| median(samples.iter().map(figure).collect());
        let (rate, p50, p99) = (of(|one| one.rate), of(|one| one.p50) / 1e3, of(|one| one.p99) / 1e3);
        // The system tells processor time in steps of 10 ms: of all rounds together it is worth more than of each.
        let rates: f64 = samples.iter().map(|one| one.rate).sum();
        let cpu = samples.iter().map(|one| one.cpu * one.rate).sum::<f64>() / rates;
        progress(&format!(
            "{at}: {}: {rate:.0}/s, p50 {p50:.2} ms, p99 {p99:.2} ms, {cpu:.1} us of the processor",
            side.name
        ));
        figure.point("processor time of the server, µs a request", side.name, at, cpu);
        figure.point("requests/s", side.name, at, rate);
        figure.point("latency, ms", &format!("p50, {}", side.name), at, p50);
        figure.point("latency, ms", &format!("p99, {}", side.name), at, p99);
    }
    Ok(())
}

/// Bytes that the disk holds for a file or for all files below a directory.
pub(crate) fn on_disk(path: &Path) -> f64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(metadata) = fs::symlink_metadata(path) else { return 0.0 };
    let own = metadata.blocks() as f64 * 512.0;
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    if metadata.is_dir() { own + entries.map(|entry| on_disk(&entry.path())).sum::<f64>() } else { own }
}

/// Removes what a figure has left on the disk.
fn clear(bench: &Bench<'_>, name: &str) -> Result<(), Failure> {
    let path = bench.path(name);
    fs::remove_dir_all(&path).map_err(|error| failed(format!("{}: {error}", path.display())))
}
