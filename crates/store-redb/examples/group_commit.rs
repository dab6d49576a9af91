//! How many durable commits a second: redb alone with group commit, and this store beside it.
//!
//! `cargo run --release -p keyreeve-store-redb --example group_commit -- [SECONDS] [DIRECTORY]` prints one JSON object a
//! line: values of 400 bytes under random paths, 1 writer and 64, each waiting for its answer; alternating rounds.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use keyreeve_store::conformance::block_on;
use keyreeve_store::{Batch, Store};
use keyreeve_store_redb::{Options, RedbStore};
use redb::backends::FileBackend;
use redb::{Builder, Database, TableDefinition};

type Failure = Box<dyn Error + Send + Sync>;

const ENTRIES: TableDefinition<'static, &'static [u8], &'static [u8]> = TableDefinition::new("entries");

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(Ok(3.0), |text| text.parse())?;
    let directory = match arguments.next() {
        None => tempfile::tempdir(),
        Some(parent) => tempfile::tempdir_in(parent),
    }?;
    for round in 0..2 {
        for writers in [1, 64] {
            let file = directory.path().join(format!("raw-{round}-{writers}.redb"));
            report("redb", round, writers, raw(&file, writers, seconds)?);
            let file = directory.path().join(format!("store-{round}-{writers}.redb"));
            report("keyreeve-store-redb", round, writers, ours(&file, writers, seconds)?);
        }
    }
    Ok(())
}

fn report(what: &str, round: u32, writers: u32, mut latencies: Measured) {
    latencies.each.sort_unstable();
    let percentile =
        |of: usize| latencies.each.get(latencies.each.len() * of / 100).map_or(0, Duration::as_micros);
    let rate = latencies.each.len() as f64 / latencies.seconds;
    let line = serde_json::json!({
        "store": what, "round": round, "writers": writers, "value_bytes": 400,
        "commits_per_second": rate.round(), "p50_us": percentile(50), "p99_us": percentile(99),
    });
    println!("{line}");
}

struct Measured {
    each: Vec<Duration>,
    seconds: f64,
}

/// Let `writers` threads commit one value after another.
fn measure(
    writers: u32,
    seconds: f64,
    commit: impl Fn(Vec<u8>, Vec<u8>) -> Result<(), Failure> + Sync,
) -> Result<Measured, Failure> {
    let stop = AtomicBool::new(false);
    let start = Instant::now();
    let each = thread::scope(|scope| {
        let threads: Vec<_> = (0..writers)
            .map(|writer| {
                let (commit, stop) = (&commit, &stop);
                scope.spawn(move || {
                    let mut latencies = Vec::new();
                    let mut state = u64::from(writer) + 1;
                    while !stop.load(Ordering::Relaxed) {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1_442_695_040_888_963_407);
                        let path =
                            format!("account/000000000000/key/{:08}", (state >> 33) % 100_000).into_bytes();
                        let before = Instant::now();
                        commit(path, vec![7; 400])?;
                        latencies.push(before.elapsed());
                    }
                    Ok::<_, Failure>(latencies)
                })
            })
            .collect();
        thread::sleep(Duration::from_secs_f64(seconds));
        stop.store(true, Ordering::Relaxed);
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_panic| Failure::from("a writer panicked"))?);
        joined.collect::<Result<Vec<_>, _>>()
    })?;
    Ok(Measured { each: each.concat(), seconds: start.elapsed().as_secs_f64() })
}

fn ours(file: &Path, writers: u32, seconds: f64) -> Result<Measured, Failure> {
    let store = RedbStore::open(file, &Options::default())?;
    measure(writers, seconds, |path, value| {
        let batch = Batch::builder().put(keyreeve_store::Path::new(path)?, value).build()?;
        block_on(store.commit(batch))?;
        Ok(())
    })
}

type Wish = (Vec<u8>, Vec<u8>, Sender<()>);

fn raw(file: &Path, writers: u32, seconds: f64) -> Result<Measured, Failure> {
    let storage =
        std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(true).open(file)?;
    let mut builder = Builder::new();
    let database = builder
        .set_cache_size(Options::default().cache_bytes)
        .create_with_backend(FileBackend::new(storage)?)?;
    let (wishes, queue) = mpsc::channel::<Wish>();
    let writer = thread::spawn(move || write(&database, &queue));
    let measured = measure(writers, seconds, |path, value| {
        let (answer, answered) = mpsc::channel();
        wishes.send((path, value, answer))?;
        Ok(answered.recv()?)
    });
    drop(wishes);
    writer.join().map_err(|_panic| Failure::from("the writer panicked"))??;
    measured
}

/// Take what waits, write it in one transaction, answer.
fn write(database: &Database, queue: &Receiver<Wish>) -> Result<(), Failure> {
    while let Ok(first) = queue.recv() {
        let group: Vec<Wish> = std::iter::once(first).chain(queue.try_iter()).collect();
        let transaction = database.begin_write()?;
        let mut entries = transaction.open_table(ENTRIES)?;
        for (path, value, _) in &group {
            entries.insert(path.as_slice(), value.as_slice())?;
        }
        drop(entries);
        transaction.commit()?;
        for (_, _, answer) in group {
            if answer.send(()).is_err() {}
        }
    }
    Ok(())
}
