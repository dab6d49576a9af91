//! The trail against a directory in memory that fails on demand, and against a disk.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod batches;
mod disk;
mod faults;
mod memory;
mod restart;
mod verification;

use core::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use keyreeve_core::bracket::{Trail, TrailError};
use keyreeve_trail_file::{FileTrail, Options, StreamName, TrailDirectory};

use crate::memory::Memory;

/// Runs `test` as a worker of the server would.
fn on_one_thread<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

fn stream(name: &str) -> StreamName {
    name.parse().unwrap()
}

fn open(memory: &Memory, name: &str, options: Options) -> FileTrail {
    let directory = TrailDirectory::open_medium(Arc::new(memory.clone())).unwrap();
    directory.trail(&stream(name), options).unwrap()
}

fn event(number: usize) -> Vec<u8> {
    format!(r#"{{"event":{number}}}"#).into_bytes()
}

/// Appends one event per task, all ready at once.
async fn append_at_once(
    trail: &FileTrail,
    events: impl Iterator<Item = usize>,
) -> Vec<Result<(), TrailError>> {
    let trail = Rc::new(trail.clone());
    let tasks: Vec<_> = events
        .map(|number| {
            let trail = Rc::clone(&trail);
            tokio::task::spawn_local(async move { trail.append(event(number)).await })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// Writes `counts[i]` events, each its own batch, in the i-th run of the stream.
fn write_runs(memory: &Memory, name: &str, options: Options, counts: &[usize]) {
    for count in counts {
        on_one_thread(async {
            let trail = open(memory, name, options);
            for number in 0..*count {
                trail.append(event(number)).await.unwrap();
            }
        });
    }
}
