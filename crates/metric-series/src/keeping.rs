//! From the head to files: the journal each minute, a block for each window that is over, coarser blocks of finer ones, and the end of
//! what is too old.
//!
//! ORDER: a block is durable before the journal loses its points; the number of the newest frame in it says which frames a restart
//! leaves out. So a crash at any point repeats and loses nothing that was in the journal.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::sync::Arc;

use crate::block::{Block, BlockError, Builder};
use crate::journal::Frame;
use crate::level::{LEVELS, Level, MINUTES};
use crate::points::{Point, Run, Shape, Stat, merge};
use crate::series::{Held, JOURNAL, Keeper, Pending, Series, State, Window, file_name, keep, wide};

/// Seconds after the end of a window in which points of it still come.
const GRACE: i64 = 120;
/// Minutes that wait for a journal that cannot be written; then the oldest are given up.
const PATIENCE: usize = 240;

impl Series {
    /// Takes in what was counted, and writes what is to be written by now. To be called about once a second.
    pub fn keep(&self) {
        let mut keeper = self.keeper.lock();
        self.absorb();
        let now = self.now();
        let minute = now.div_euclid(60);
        if keeper.minute.replace(minute) == Some(minute) && keeper.failures == 0 {
            return;
        }
        let done = self.write_journal(&mut keeper, Some(minute)).and_then(|()| self.roll(&mut keeper, now));
        self.note_outcome(&mut keeper, done);
    }

    /// Writes what was counted until now, before the process ends.
    pub fn stop(&self) {
        let mut keeper = self.keeper.lock();
        self.absorb();
        let done = self.write_journal(&mut keeper, None);
        self.note_outcome(&mut keeper, done);
    }

    fn note_outcome(&self, keeper: &mut Keeper, done: io::Result<()>) {
        match done {
            Ok(()) if keeper.failures > 0 => {
                keeper.failures = 0;
                tracing::info!("metrics are written again");
            }
            Ok(()) => {}
            Err(error) => {
                keeper.failures = keeper.failures.saturating_add(1);
                if keeper.failures == 1 {
                    tracing::error!(%error, "metrics cannot be written; trying again");
                }
            }
        }
        self.state.lock().failures = keeper.failures;
    }

    /// Writes all minutes to the journal but the one that is `running`. Where the clock was set back, later ones are over, too.
    fn write_journal(&self, keeper: &mut Keeper, running: Option<i64>) -> io::Result<()> {
        let (taken, frame, last) = {
            let mut state = self.state.lock();
            let mut taken = core::mem::take(&mut state.pending);
            if let Some((minute, points)) = running.and_then(|minute| taken.remove_entry(&minute)) {
                state.pending.insert(minute, points);
            }
            while taken.len() > PATIENCE {
                let given_up = taken.pop_first().map_or(0, |(_, points)| wide(points.len()));
                state.left_out = state.left_out.saturating_add(given_up);
            }
            if taken.is_empty() {
                return Ok(());
            }
            let frame = frame(&state, &taken, &keeper.named);
            (taken, frame, state.last.saturating_add(1))
        };
        let bytes = frame.finish(last);
        match self.medium.append(JOURNAL, keeper.journal_len, &bytes) {
            Ok(()) => {
                keeper.journal_len = keeper.journal_len.saturating_add(wide(bytes.len()));
                keeper.named.extend(taken.values().flat_map(HashMap::keys));
                self.state.lock().last = last;
                Ok(())
            }
            Err(error) => {
                self.put_back(taken);
                // Somebody has removed it.
                if error.kind() == io::ErrorKind::NotFound {
                    self.rewrite_journal(keeper)
                } else {
                    Err(error)
                }
            }
        }
    }

    fn put_back(&self, pending: Pending) {
        let mut state = self.state.lock();
        for (minute, points) in pending {
            let held = state.pending.entry(minute).or_default();
            for (number, stat) in points {
                held.entry(number).and_modify(|seen| seen.merge(stat)).or_insert(stat);
            }
        }
    }

    /// Everything that is due at `now`, once the journal has all minutes before.
    fn roll(&self, keeper: &mut Keeper, now: i64) -> io::Result<()> {
        let over: Vec<i64> = {
            let state = self.state.lock();
            let is_over = |start: &i64| start.saturating_add(MINUTES.window).saturating_add(GRACE) <= now;
            state.head.keys().copied().filter(is_over).collect()
        };
        for start in &over {
            self.seal(*start)?;
        }
        if !over.is_empty() {
            self.rewrite_journal(keeper)?;
            // ORDER: the journal names no series any more whose number may now be another's.
            self.state.lock().forget(now.saturating_sub(MINUTES.keep).div_euclid(60));
        }
        for pair in LEVELS.windows(2) {
            if let [finer, coarser] = pair {
                self.roll_up(*finer, *coarser, now)?;
            }
        }
        self.retain(now)
    }

    /// Makes a block of a window, together with what an earlier block of it has.
    fn seal(&self, start: i64) -> io::Result<()> {
        let (window, pending, through) = {
            let mut state = self.state.lock();
            let window = Arc::new(state.head.remove(&start).unwrap_or_default());
            // What is in the block never comes to the journal.
            let end = start.saturating_add(MINUTES.window).div_euclid(60);
            let mut later = state.pending.split_off(&start.div_euclid(60));
            let behind = later.split_off(&end);
            state.pending.extend(behind);
            state.sealing = Some((start, Arc::clone(&window)));
            (window, later, state.last)
        };
        let outcome = self.block_of(start, &window, through).and_then(|bytes| {
            let len = wide(bytes.len());
            self.medium.replace(&file_name(MINUTES.number, start), bytes)?;
            Ok(Held { through, len })
        });
        let mut state = self.state.lock();
        state.sealing = None;
        match outcome {
            Ok(held) => {
                state.blocks.insert((MINUTES.number, start), held);
                Ok(())
            }
            Err(error) => {
                state.restore(start, &window);
                drop(state);
                self.put_back(pending);
                Err(error)
            }
        }
    }

    fn block_of(&self, start: i64, window: &Window, through: u64) -> io::Result<Vec<u8>> {
        let mut fresh: HashMap<Vec<u8>, (Shape, Vec<Point>)> = {
            let state = self.state.lock();
            let named = window.iter().filter_map(|(number, run)| {
                Some((state.catalogue.held(*number)?.identity.bytes(), (run.shape(), run.points())))
            });
            named.collect()
        };
        let mut builder = Builder::new(MINUTES, start, through);
        let mut push = |name: &[u8], (shape, points): (Shape, Vec<Point>)| {
            let newest = points
                .last()
                .map_or(start, |(slot, _)| start.saturating_add(i64::from(*slot) * MINUTES.step));
            let newest = u32::try_from(newest.div_euclid(60)).unwrap_or_default();
            if !builder.push(name, newest, shape, &Run::of(shape, &points).into_bytes()) {
                tracing::warn!("a file of metrics is full; a series is left out");
            }
        };
        if let Some(earlier) = self.block(MINUTES.number, start)? {
            for named in readable(earlier.series()).unwrap_or_default() {
                let Some((shape, mut points)) = readable(earlier.points(&named)) else { continue };
                if let Some((_, late)) = fresh.remove(&named.name) {
                    merge(&mut points, &late);
                }
                push(&named.name, (shape, points));
            }
        }
        for (name, run) in fresh {
            push(&name, run);
        }
        Ok(builder.finish())
    }

    /// Leaves in the journal what is in no block.
    fn rewrite_journal(&self, keeper: &mut Keeper) -> io::Result<()> {
        let (taken, bytes, last, named) = {
            let mut state = self.state.lock();
            let taken = core::mem::take(&mut state.pending);
            let mut all = Pending::new();
            for (start, window) in &state.head {
                for (number, run) in window {
                    for (slot, stat) in run.points() {
                        let minute = start.div_euclid(60).saturating_add(slot.into());
                        all.entry(minute).or_default().insert(*number, stat);
                    }
                }
            }
            let last = state.last.saturating_add(1);
            let bytes = [crate::journal::head(), frame(&state, &all, &HashSet::new()).finish(last)].concat();
            (taken, bytes, last, all.values().flat_map(HashMap::keys).copied().collect())
        };
        let len = wide(bytes.len());
        match self.medium.replace(JOURNAL, bytes) {
            Ok(()) => {
                keeper.journal_len = len;
                keeper.named = named;
                self.state.lock().last = last;
                Ok(())
            }
            Err(error) => {
                self.put_back(taken);
                Err(error)
            }
        }
    }

    /// Makes coarser blocks of the finer ones of windows that are over.
    fn roll_up(&self, finer: Level, coarser: Level, now: i64) -> io::Result<()> {
        let due: Vec<(i64, Vec<i64>, u64)> = {
            let state = self.state.lock();
            let mut windows = BTreeMap::<i64, (Vec<i64>, u64)>::new();
            for ((_, start), held) in state.blocks.range((finer.number, i64::MIN)..=(finer.number, i64::MAX))
            {
                let (parts, through) = windows.entry(coarser.start(*start)).or_default();
                parts.push(*start);
                *through = held.through.max(*through);
            }
            let is_due = |(start, (_, through)): &(i64, (Vec<i64>, u64))| {
                let end = start.saturating_add(coarser.window);
                let made = state.blocks.get(&(coarser.number, *start));
                // What it was made of may be gone in part; then it stays as it is.
                let is_whole = *start >= now.saturating_sub(keep(&self.options, finer.number));
                end.saturating_add(GRACE) <= now
                    && state.head.range(*start..end).next().is_none()
                    && made.is_none_or(|made| made.through < *through && is_whole)
            };
            windows
                .into_iter()
                .filter(is_due)
                .map(|(start, (parts, through))| (start, parts, through))
                .collect()
        };
        for (start, parts, through) in due {
            let bytes = self.rolled_up(finer, coarser, start, &parts, through)?;
            let len = wide(bytes.len());
            self.medium.replace(&file_name(coarser.number, start), bytes)?;
            self.state.lock().blocks.insert((coarser.number, start), Held { through, len });
        }
        Ok(())
    }

    fn rolled_up(
        &self,
        finer: Level,
        coarser: Level,
        start: i64,
        parts: &[i64],
        through: u64,
    ) -> io::Result<Vec<u8>> {
        let mut blocks = Vec::new();
        for part in parts {
            blocks.extend(self.block(finer.number, *part)?);
        }
        let mut series = BTreeMap::<Vec<u8>, Vec<_>>::new();
        for block in &blocks {
            for named in readable(block.series()).unwrap_or_default() {
                series.entry(named.name.clone()).or_default().push((block, named));
            }
        }
        let mut builder = Builder::new(coarser, start, through);
        for (name, parts) in series {
            let (mut run, mut newest) = (None, 0);
            for (block, named) in parts {
                let Some((shape, points)) = readable(block.points(&named)) else { continue };
                newest = named.newest.max(newest);
                let run = run.get_or_insert_with(|| Run::new(shape));
                for (slot, stat) in points {
                    let seconds = block.start.saturating_add(i64::from(slot).saturating_mul(finer.step));
                    run.add(coarser.slot(start, seconds), stat);
                }
            }
            if let Some(run) = run
                && !builder.push(&name, newest, run.shape(), &run.clone().into_bytes())
            {
                tracing::warn!("a file of metrics is full; a series is left out");
            }
        }
        Ok(builder.finish())
    }

    /// Removes what is older than it is kept, and the oldest of what is too much.
    fn retain(&self, now: i64) -> io::Result<()> {
        let gone: Vec<(u8, i64)> = {
            let state = self.state.lock();
            let is_old = |level: u8, start: i64| {
                let window = Level::numbered(level).map_or(0, |level| level.window);
                start.saturating_add(window) <= now.saturating_sub(keep(&self.options, level))
            };
            let mut bytes: u64 = state.blocks.values().map(|held| held.len).sum();
            let mut gone = Vec::new();
            for ((level, start), held) in &state.blocks {
                if is_old(*level, *start) {
                    bytes = bytes.saturating_sub(held.len);
                    gone.push((*level, *start));
                }
            }
            for ((level, start), held) in &state.blocks {
                if bytes > self.options.most_bytes && !is_old(*level, *start) {
                    bytes = bytes.saturating_sub(held.len);
                    gone.push((*level, *start));
                }
            }
            gone
        };
        for (level, start) in gone {
            self.state.lock().blocks.remove(&(level, start));
            self.medium.remove(&file_name(level, start))?;
        }
        Ok(())
    }

    /// A block that is there and in order.
    pub(crate) fn block(&self, level: u8, start: i64) -> io::Result<Option<Block>> {
        match self.medium.open(&file_name(level, start))? {
            Some(content) => Ok(readable(Block::open(content))),
            None => Ok(None),
        }
    }
}

impl State {
    /// Puts a window back that did not become a block.
    fn restore(&mut self, start: i64, window: &Window) {
        let head = self.head.entry(start).or_default();
        for (number, run) in window {
            let shape = run.shape();
            let held = head.entry(*number).or_insert_with(|| Run::new(shape));
            run.points().into_iter().for_each(|(slot, stat)| held.add(slot, stat));
        }
    }

    /// Forgets the series without a point since `minute`.
    fn forget(&mut self, minute: i64) {
        let in_head = self.head.values().flat_map(HashMap::keys);
        let used: HashSet<u32> =
            in_head.chain(self.pending.values().flat_map(HashMap::keys)).copied().collect();
        self.catalogue.forget(minute, |number| used.contains(&number));
    }
}

/// A frame of what was seen in these minutes; names the series that are not among `named`.
fn frame(state: &State, pending: &Pending, named: &HashSet<u32>) -> Frame {
    let mut frame = Frame::default();
    let mut fresh = HashSet::new();
    for (minute, points) in pending {
        let mut seen: Vec<(u32, Shape, Stat)> = Vec::with_capacity(points.len());
        for (number, stat) in points {
            let Some(held) = state.catalogue.held(*number) else { continue };
            if !named.contains(number) && fresh.insert(*number) {
                frame.name(*number, &held.identity);
            }
            seen.push((*number, Shape::of(held.identity.measure.is_count()), *stat));
        }
        frame.minute(*minute, &seen);
    }
    frame
}

/// What could be read; what is damaged is left out, with a line in the log.
pub(crate) fn readable<T>(read: Result<T, BlockError>) -> Option<T> {
    read.inspect_err(|error| tracing::warn!(%error, "a file of metrics is left out")).ok()
}
