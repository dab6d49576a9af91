//! One writer's trail, with group commit on the writer's own thread.
//!
//! An append chains its line into a buffer at once. A task, started by the first of them, lets every task that is ready run
//! once and then writes the whole buffer with one write; so requests that were in flight together share it, and one that
//! was alone does not wait for others. All of it happens on one thread, but for syncs and for the beginning of a segment.

use core::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use keyreeve_audit::chain::MAX_LINE_LEN;
use keyreeve_core::bracket::{Trail, TrailError, TrailFuture};
use keyreeve_core::offload::after_those_who_are_ready;

use crate::batch::Settled;
use crate::counts::WriteCounts;
use crate::medium::{Medium, SegmentFile};
use crate::segment::End;
use crate::state::{Roll, State};

/// The longest event in bytes: with sequence number and hash it fills [`MAX_LINE_LEN`].
pub const MAX_EVENT_LEN: usize = MAX_LINE_LEN - MAX_PREFIX_LEN;

/// What an answered append survives.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Level {
    /// A loss of power: the write is followed by `fdatasync`.
    Sync,
    /// A crash of the process, not of the operating system.
    #[default]
    Write,
}

/// How a trail is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options {
    /// What an answered append survives.
    pub level: Level,
    /// The length in bytes at which a segment is followed by the next; 64 MiB by default.
    pub segment_len: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { level: Level::default(), segment_len: 64 * 1024 * 1024 }
    }
}

/// Makes room on a disk that is full: whether another try may succeed. It may wait for the disk, on the thread that writes.
pub type Room = Arc<dyn Fn() -> bool + Send + Sync>;

/// The trail of one stream, for one thread. Clones write the same trail.
///
/// Appends must be made inside a [`tokio::task::LocalSet`] (or a local runtime), and the trail lives as long as it: what
/// was appended is written even if nobody waits for it any more, at the latest when the last clone is dropped.
#[derive(Clone)]
pub struct FileTrail {
    shared: Rc<Shared>,
}

impl FileTrail {
    /// The trail that goes on in `file`, whose end is `end`.
    pub(crate) fn begin(
        (medium, room): (Arc<dyn Medium>, Option<Room>),
        (file, end): (Box<dyn SegmentFile>, End),
        options: Options,
        counts: Arc<WriteCounts>,
    ) -> Self {
        let state = RefCell::new(State::begin(file, end, counts));
        Self { shared: Rc::new(Shared { medium, room, options, state }) }
    }

    /// Answers when everything that has been appended so far is written, or the last of it refused.
    pub fn settled(&self) -> TrailFuture<'_> {
        match self.shared.state.borrow().last() {
            Ok(Some(batch)) => Box::pin(Settled::of(batch)),
            Ok(None) => Box::pin(core::future::ready(Ok(()))),
            Err(TrailError) => refused(),
        }
    }

    /// Whether every append fails from now on: the file holds an unknown part of what was refused.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.shared.state.borrow().is_broken()
    }
}

impl Trail for FileTrail {
    fn append(&self, event: Vec<u8>) -> TrailFuture<'_> {
        // A line feed would end the line early, and break the chain for good.
        if event.len() > MAX_EVENT_LEN || memchr::memchr(b'\n', &event).is_some() {
            return refused();
        }
        let mut state = self.shared.state.borrow_mut();
        let Ok(batch) = state.append(&event) else { return refused() };
        if state.flush_begins() {
            // ORDER: a runtime that is ending drops the task at once, and with it borrows the state.
            drop(state);
            tokio::task::spawn_local(Flush { shared: Rc::clone(&self.shared) }.run());
        }
        Box::pin(batch)
    }
}

fn refused<'a>() -> TrailFuture<'a> {
    Box::pin(core::future::ready(Err(TrailError)))
}

struct Shared {
    medium: Arc<dyn Medium>,
    room: Option<Room>,
    options: Options,
    /// INVARIANT: borrowed neither across a wait nor while a task is woken.
    state: RefCell<State>,
}

impl Drop for Shared {
    /// What was appended is written, if the task that should have done it is gone.
    fn drop(&mut self) {
        let taken = self.state.get_mut().take();
        if let Some(mut taken) = taken {
            let written = taken.write(self.options.level, self.room.as_ref());
            let settling = self.state.get_mut().put(taken, written);
            settling.tell(&self.state);
        }
    }
}

/// The task that writes what is pending until nothing is.
struct Flush {
    shared: Rc<Shared>,
}

impl Flush {
    async fn run(self) {
        loop {
            // Everything that is ready to append does so first.
            after_those_who_are_ready().await;
            let roll = self.shared.state.borrow_mut().take_roll(self.shared.options.segment_len);
            if let Some(roll) = roll {
                self.roll(roll).await;
            }
            let taken = self.shared.state.borrow_mut().take();
            let Some(mut taken) = taken else { return };
            let level = self.shared.options.level;
            let (taken, written) = match level {
                Level::Write => {
                    let written = taken.write(level, self.shared.room.as_ref());
                    (taken, written)
                }
                Level::Sync => {
                    let room = self.shared.room.clone();
                    let job = tokio::task::spawn_blocking(move || {
                        let written = taken.write(level, room.as_ref());
                        (taken, written)
                    });
                    // Without an answer the file is gone; dropping `self` breaks the trail.
                    let Ok(answer) = job.await else { return };
                    answer
                }
            };
            let settling = self.shared.state.borrow_mut().put(taken, written);
            settling.tell(&self.shared.state);
        }
    }

    /// Begins the next segment. If that fails, the segment goes on, and it is tried again with the next batch.
    async fn roll(&self, mut roll: Roll) {
        let medium = Arc::clone(&self.shared.medium);
        let job = tokio::task::spawn_blocking(move || {
            let rolled = roll.run(medium.as_ref());
            (roll, rolled)
        });
        if let Ok((roll, rolled)) = job.await {
            self.shared.state.borrow_mut().put_roll(roll, rolled);
        }
    }
}

impl Drop for Flush {
    /// Lets the next append start another task, unless this one was ended while the file was away.
    fn drop(&mut self) {
        let settlings = self.shared.state.borrow_mut().flush_ended();
        for settling in settlings {
            settling.tell(&self.shared.state);
        }
    }
}

/// What goes before the event on its line: a sequence number, a hash and two spaces.
const MAX_PREFIX_LEN: usize = 20 + 1 + 64 + 1;
