//! What a trail knows between two steps.
//!
//! INVARIANT: `end` is the end of the file while `file` is there. `chain` is the end of the chain after `end`, the batch in
//! flight and `pending`, in this order; so a batch that is refused, and a header that comes between, chain `pending` anew.

use core::cell::RefCell;
use core::task::Waker;
use std::io;
use std::rc::Rc;
use std::sync::Arc;

use keyreeve_audit::chain::Chain;
use keyreeve_core::bracket::TrailError;

use crate::batch::{Batch, Settled, Written, is_full, write};
use crate::counts::WriteCounts;
use crate::medium::{Medium, SegmentFile};
use crate::segment::{End, count};
use crate::trail::{Level, Room};
use keyreeve_audit::segment::SegmentName;

/// The buffers, the file and the two ends of a trail.
pub(crate) struct State {
    /// The end of the file, as durable as the trail promises.
    end: End,
    /// The end of the chain after what is in flight and what is pending.
    chain: Chain,
    /// The open segment; away while another thread writes it.
    file: Option<Box<dyn SegmentFile>>,
    /// Lines that wait to be written.
    pending: Vec<u8>,
    pending_lines: u64,
    /// Those who wait for `pending`.
    batch: Rc<Batch>,
    /// Those who wait for what is being written.
    in_flight: Option<Rc<Batch>>,
    /// Memory of the batch before.
    spare: Vec<u8>,
    spare_wakers: Vec<Waker>,
    /// Whether a task will write what is pending.
    flushing: bool,
    /// Whether the last write was refused.
    failing: bool,
    /// Whether the end of the file is unknown.
    broken: bool,
    counts: Arc<WriteCounts>,
}

/// A batch on its way into the file.
pub(crate) struct Taken {
    file: Box<dyn SegmentFile>,
    lines: Vec<u8>,
    /// How many lines.
    number: u64,
    /// The end of the chain after them.
    chain: Chain,
    /// The length of the file before them.
    len: u64,
}

/// The next segment on its way to the directory.
pub(crate) struct Roll {
    old: Box<dyn SegmentFile>,
    /// Where the next segment ends when it holds its header alone.
    end: End,
    name: SegmentName,
    header: Vec<u8>,
}

/// What became of the next segment.
pub(crate) enum Rolled {
    /// It holds its header.
    Begun(Box<dyn SegmentFile>),
    /// It is not there.
    Undone(io::Error),
    /// It may be there.
    Unknown(io::Error),
}

/// A batch whose outcome is known.
#[must_use]
pub(crate) struct Settling {
    batch: Option<Rc<Batch>>,
    outcome: Result<(), TrailError>,
}

impl State {
    /// The state of a trail that goes on in `file`, whose end is `end`.
    pub(crate) fn begin(file: Box<dyn SegmentFile>, end: End, counts: Arc<WriteCounts>) -> Self {
        Self {
            chain: end.chain,
            end,
            file: Some(file),
            pending: Vec::new(),
            pending_lines: 0,
            batch: Rc::default(),
            in_flight: None,
            spare: Vec::new(),
            spare_wakers: Vec::new(),
            flushing: false,
            failing: false,
            broken: false,
            counts,
        }
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Notes that a task will write what is pending; whether it has to be started.
    pub(crate) fn flush_begins(&mut self) -> bool {
        !core::mem::replace(&mut self.flushing, true)
    }

    /// Notes that no task will; who is to be told that nothing will come.
    pub(crate) fn flush_ended(&mut self) -> [Settling; 2] {
        self.flushing = false;
        if self.file.is_none() && !self.broken {
            self.fail_for_good(&"the task that wrote it was ended");
        }
        let pending = self.broken.then(|| {
            self.pending.clear();
            core::mem::take(&mut self.batch)
        });
        [self.in_flight.take(), pending].map(|batch| Settling { batch, outcome: Err(TrailError) })
    }

    /// Chains an event to what is pending.
    pub(crate) fn append(&mut self, event: &[u8]) -> Result<Settled, TrailError> {
        if self.broken {
            return Err(TrailError);
        }
        self.chain.append(event, &mut self.pending);
        self.pending_lines = self.pending_lines.saturating_add(1);
        Ok(Settled::of(&self.batch))
    }

    /// The batch that settles last of all that were appended to.
    pub(crate) fn last(&self) -> Result<Option<&Rc<Batch>>, TrailError> {
        if self.broken {
            return Err(TrailError);
        }
        Ok(if self.pending.is_empty() { self.in_flight.as_ref() } else { Some(&self.batch) })
    }

    /// Takes the file to begin the next segment, if this one has reached `segment_len` and there is something to write.
    pub(crate) fn take_roll(&mut self, segment_len: u64) -> Option<Roll> {
        if self.broken || self.pending.is_empty() || self.end.bytes < segment_len || self.end.lines <= 1 {
            return None;
        }
        let name = self.end.segment.as_ref()?.next()?;
        let old = self.file.take()?;
        let (end, header) = self.end.begin(&name);
        Some(Roll { old, end, name, header })
    }

    /// Goes on in the next segment, or in the old one.
    pub(crate) fn put_roll(&mut self, roll: Roll, rolled: Rolled) {
        let Roll { old, end, name: _, header: _ } = roll;
        match rolled {
            Rolled::Begun(file) => {
                self.file = Some(file);
                self.end = end;
                self.rechain(self.end.chain);
            }
            Rolled::Undone(error) => {
                self.file = Some(old);
                self.counts.failed();
                tracing::error!(segment = %self.segment(), %error, "the next segment of the audit trail cannot begin");
            }
            Rolled::Unknown(error) => self.fail_for_good(&error),
        }
    }

    /// Takes what is pending, and the file to write it to.
    pub(crate) fn take(&mut self) -> Option<Taken> {
        if self.broken || self.pending.is_empty() {
            return None;
        }
        let file = self.file.take()?;
        let spare = core::mem::take(&mut self.spare);
        let next = Rc::new(Batch::reusing(core::mem::take(&mut self.spare_wakers)));
        let batch = core::mem::replace(&mut self.batch, next);
        self.in_flight = Some(batch);
        Some(Taken {
            file,
            lines: core::mem::replace(&mut self.pending, spare),
            number: core::mem::take(&mut self.pending_lines),
            chain: self.chain,
            len: self.end.bytes,
        })
    }

    /// Takes note of what became of a batch; what is to be told to those who wait for it.
    pub(crate) fn put(&mut self, taken: Taken, written: Written) -> Settling {
        let Taken { file, mut lines, number, chain, len } = taken;
        self.file = Some(file);
        let outcome = match written {
            Written::Whole => {
                self.counts.wrote(number, count(lines.len()));
                self.end.bytes = len.saturating_add(count(lines.len()));
                self.end.lines = self.end.lines.saturating_add(number);
                self.end.chain = chain;
                self.recovered();
                Ok(())
            }
            Written::Undone(error) => {
                self.failed(&error);
                self.rechain(self.end.chain);
                Err(TrailError)
            }
            Written::Unknown(error) => {
                self.fail_for_good(&error);
                Err(TrailError)
            }
        };
        lines.clear();
        lines.shrink_to(MAX_SPARE_LEN);
        self.spare = lines;
        Settling { batch: self.in_flight.take(), outcome }
    }

    /// Puts what is pending behind `chain` instead of a line that is not in the file.
    fn rechain(&mut self, chain: Chain) {
        self.chain = chain;
        let old = core::mem::take(&mut self.pending);
        for line in old.split(|byte| *byte == b'\n') {
            if let Some(json) = line.splitn(3, |byte| *byte == b' ').nth(2) {
                self.chain.append(json, &mut self.pending);
            }
        }
    }

    fn failed(&mut self, error: &io::Error) {
        self.counts.refused();
        if !core::mem::replace(&mut self.failing, true) {
            tracing::error!(segment = %self.segment(), %error, "the audit trail cannot be written");
        }
    }

    fn recovered(&mut self) {
        if core::mem::take(&mut self.failing) {
            tracing::info!(segment = %self.segment(), "the audit trail is written again");
        }
    }

    fn fail_for_good(&mut self, error: &dyn core::fmt::Display) {
        self.broken = true;
        self.counts.broke();
        tracing::error!(segment = %self.segment(), %error, "the audit trail is broken until it is opened again");
    }

    fn segment(&self) -> String {
        self.end.segment.as_ref().map(ToString::to_string).unwrap_or_default()
    }
}

impl Taken {
    /// Writes the batch; once more where the disk is full and `room` can be made.
    pub(crate) fn write(&mut self, level: Level, room: Option<&Room>) -> Written {
        let written = write(self.file.as_mut(), &self.lines, self.len, level);
        match (&written, room) {
            (Written::Undone(error), Some(room)) if is_full(error) && room() => {
                write(self.file.as_mut(), &self.lines, self.len, level)
            }
            _ => written,
        }
    }
}

impl Roll {
    /// Makes the old segment durable, then the new one.
    pub(crate) fn run(&mut self, medium: &dyn Medium) -> Rolled {
        if let Err(error) = self.old.sync() {
            return Rolled::Undone(error);
        }
        let name = self.name.to_string();
        match medium.create(&name, &self.header) {
            Ok(file) => Rolled::Begun(file),
            Err(error) => match medium.remove(&name) {
                Ok(()) => Rolled::Undone(error),
                // A header that stays behind would be in the way of what the old segment still takes.
                Err(left) => Rolled::Unknown(left),
            },
        }
    }
}

impl Settling {
    /// Tells all who wait for the batch.
    pub(crate) fn tell(self, state: &RefCell<State>) {
        if let Some(batch) = self.batch {
            let wakers = batch.settle(self.outcome);
            state.borrow_mut().spare_wakers = wakers;
        }
    }
}

/// How much memory is kept for the next batch, in bytes.
const MAX_SPARE_LEN: usize = 1024 * 1024;
