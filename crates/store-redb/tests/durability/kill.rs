//! A process that writes is killed at every step; what it was told is durable is there.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use keyreeve_store::conformance::block_on;
use keyreeve_store::{Batch, Path, Store};
use keyreeve_store_redb::{OpenError, Options, RedbStore};
use redb::StorageBackend;
use redb::backends::FileBackend;
use rustix::process::{Signal, getpid, kill_process};

const FILE: &str = "KEYREEVE_STORE_TEST_FILE";
const STEP: &str = "KEYREEVE_STORE_TEST_STEP";
const BATCHES: u64 = 40;

/// A file whose process is killed at one operation, before it or in the middle of it.
#[derive(Debug)]
struct Deadly {
    file: FileBackend,
    steps: AtomicUsize,
}

impl Deadly {
    /// Whether this is the last step.
    fn is_last(&self) -> bool {
        self.steps.fetch_sub(1, Ordering::SeqCst) == 1
    }
}

fn die() -> ! {
    kill_process(getpid(), Signal::KILL).unwrap();
    unreachable!("killed")
}

impl StorageBackend for Deadly {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if self.is_last() { die() } else { self.file.set_len(len) }
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.is_last() { die() } else { self.file.sync_data() }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if self.is_last() {
            let (half, _) = data.split_at(data.len() / 2);
            self.file.write(offset, half)?;
            die();
        }
        self.file.write(offset, data)
    }
}

fn path(number: u64) -> Path {
    Path::try_from(format!("record/{number}").as_str()).unwrap()
}

/// The child: not a test of its own, it does nothing unless told which file to write.
#[test]
fn a_child_writes_until_it_is_killed() {
    let (Some(file), Some(step)) = (std::env::var_os(FILE), std::env::var_os(STEP)) else { return };
    let file = OpenOptions::new().read(true).write(true).open(file).unwrap();
    let steps = step.to_str().unwrap().parse().unwrap();
    let backend = Deadly { file: FileBackend::new(file).unwrap(), steps: AtomicUsize::new(steps) };
    let store = RedbStore::open_with_backend(backend, &Options::default()).unwrap();
    for number in 1..=BATCHES {
        // Three entries that only ever change together.
        let batch = (0..3).fold(Batch::builder(), |batch, each| {
            let value =
                [number.to_be_bytes().as_slice(), &vec![7; usize::try_from(number).unwrap() * 40]].concat();
            batch.put(path(each), value)
        });
        block_on(store.commit(batch.build().unwrap())).unwrap();
        let mut out = io::stdout();
        out.write_all(format!("\nacknowledged {number}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn what_a_killed_process_was_told_is_durable_is_there() {
    let long = std::env::var_os("KEYREEVE_TEST_LONG").is_some();
    let mut killed = 0;
    let mut steps = 1;
    loop {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("store.redb");
        drop(RedbStore::open(&file, &Options::default()).unwrap());
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::a_child_writes_until_it_is_killed", "--nocapture"])
            .env(FILE, &file)
            .env(STEP, steps.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut acknowledged = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            if let Some(number) = line.unwrap().strip_prefix("acknowledged ") {
                acknowledged = number.parse().unwrap();
            }
        }
        let survived = child.wait().unwrap().success();

        let store = RedbStore::open(&file, &Options::default()).unwrap();
        let snapshot = block_on(store.snapshot()).unwrap();
        let revision = snapshot.revision().get();
        assert!(
            (acknowledged..=acknowledged + 1).contains(&revision),
            "step {steps}: {revision}, {acknowledged}"
        );
        for each in 0..3 {
            let found = block_on(snapshot.get(&path(each))).unwrap().map(|entry| entry.value);
            let number = found.map(|value| u64::from_be_bytes(*value.first_chunk().unwrap()));
            assert_eq!(number.unwrap_or(0), revision, "step {steps}, entry {each}");
        }
        if survived {
            assert_eq!(acknowledged, BATCHES);
            break;
        }
        killed += 1;
        steps += if long { 1 } else { 1 + steps / 4 };
    }
    assert!(killed > 10, "{killed}");
}

#[test]
fn a_store_in_use_by_another_process_is_locked() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("store.redb");
    let store = RedbStore::open(&file, &Options::default()).unwrap();
    let second = RedbStore::open(&file, &Options::default());
    assert!(matches!(second, Err(OpenError::Locked)), "{second:?}");
    drop(store);
    assert!(RedbStore::open(&file, &Options::default()).is_ok());
}
