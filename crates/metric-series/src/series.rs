//! The points that are not in files yet, and what files there are.
//!
//! INVARIANT: a point is in the head (and, once its minute is over, in the journal) or in a block of minutes, never in both for whoever
//! holds the lock. Nothing waits for the disk under the lock.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use keyreeve_core::tally::{Place, Row};
use keyreeve_domain::{KeyArn, Timestamp};
use parking_lot::Mutex;

use crate::block::Block;
use crate::catalogue::Catalogue;
use crate::identity::{Identity, Measure, uses_a_key};
use crate::journal;
use crate::level::{FIVE_MINUTES, Level, MINUTES};
use crate::medium::Medium;
use crate::points::{Run, Shape, Stat};

/// What the series are kept with.
#[derive(Clone)]
pub struct Options {
    /// Series of keys that have points of the last fifteen days, at most.
    pub most_series: usize,
    /// Days after which points are removed, whatever their resolution.
    pub keep_days: u32,
    /// Bytes of all files, at most: beyond, the oldest points of the finest resolution go.
    pub most_bytes: u64,
    /// The time of day.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Takes out what was counted since this was last called.
    pub counted: Arc<dyn Fn() -> Vec<Row> + Send + Sync>,
}

/// How the series stand.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// Series with points of the last fifteen days.
    pub series: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// Points that were counted for an account alone, because there were too many series of keys, or not at all, because they are
    /// older than what is kept.
    pub left_out: u64,
    /// How often in a row the files could not be written.
    pub failures: u32,
}

/// The embedded time series.
pub struct Series {
    pub(crate) medium: Medium,
    pub(crate) options: Options,
    pub(crate) state: Mutex<State>,
    /// Held by whoever writes files.
    pub(crate) keeper: Mutex<Keeper>,
}

/// What only the keeper knows.
#[derive(Default)]
pub(crate) struct Keeper {
    /// The minute of the last look.
    pub(crate) minute: Option<i64>,
    /// Series that the journal has named.
    pub(crate) named: HashSet<u32>,
    pub(crate) journal_len: u64,
    pub(crate) failures: u32,
}

/// The runs of one window, by series.
pub(crate) type Window = HashMap<u32, Run>;
/// What was seen in minutes that are not in the journal yet.
pub(crate) type Pending = BTreeMap<i64, HashMap<u32, Stat>>;

pub(crate) struct State {
    pub(crate) catalogue: Catalogue,
    /// By where the window begins.
    pub(crate) head: BTreeMap<i64, Window>,
    /// A window that becomes a block.
    pub(crate) sealing: Option<(i64, Arc<Window>)>,
    pub(crate) pending: Pending,
    /// The number of the last frame.
    pub(crate) last: u64,
    /// By level and where it begins.
    pub(crate) blocks: BTreeMap<(u8, i64), Held>,
    pub(crate) left_out: u64,
    pub(crate) failures: u32,
}

/// A block that is there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Held {
    pub(crate) through: u64,
    pub(crate) len: u64,
}

pub(crate) const JOURNAL: &str = "journal.krm";

/// The name of the file of a block.
pub(crate) fn file_name(level: u8, start: i64) -> String {
    format!("points-{level}-{start:011}.krm")
}

/// The level and the beginning that the name of a file says.
fn named(name: &str) -> Option<(u8, i64)> {
    let (level, start) = name.strip_prefix("points-")?.strip_suffix(".krm")?.split_once('-')?;
    let found = (level.parse().ok()?, start.parse().ok()?);
    (file_name(found.0, found.1) == name).then_some(found)
}

impl Series {
    /// The series in the directory `path`, which is made where it is not there. What is damaged is left out, with a line in the log.
    ///
    /// # Errors
    /// Where the directory cannot be read or written.
    pub fn open(path: &Path, options: Options) -> io::Result<Self> {
        Self::over(Medium::directory(path)?, options)
    }

    /// Series that are gone with the process.
    ///
    /// # Errors
    /// None that is known.
    pub fn in_memory(options: Options) -> io::Result<Self> {
        Self::over(Medium::memory(), options)
    }

    fn over(medium: Medium, options: Options) -> io::Result<Self> {
        let now = (options.clock)().millis().div_euclid(1000);
        let mut state = State {
            catalogue: Catalogue::new(options.most_series),
            head: BTreeMap::new(),
            sealing: None,
            pending: Pending::new(),
            last: 0,
            blocks: BTreeMap::new(),
            left_out: 0,
            failures: 0,
        };
        for (name, len) in medium.list()? {
            let Some((level, start)) = named(&name) else { continue };
            match examined(&medium, &name, (level, start)) {
                Ok(block) => state.take_in(&block, len, now),
                Err(error) => {
                    tracing::warn!(file = name, %error, "a file of metrics is left out");
                    let window = Level::numbered(level).map_or(0, |level| level.window);
                    if start.saturating_add(window) <= now.saturating_sub(keep(&options, level)) {
                        medium.remove(&name)?;
                    }
                }
            }
        }
        let mut keeper = Keeper::default();
        let told = match medium.open(JOURNAL)? {
            Some(content) => {
                let len = content.len()?;
                let told = journal::read(&content.read(0, usize::try_from(len).unwrap_or(usize::MAX))?);
                if let Some(torn) =
                    told.as_ref().and_then(|told| len.checked_sub(wide(told.len))).filter(|torn| *torn > 0)
                {
                    tracing::warn!(
                        bytes = torn,
                        "the journal of metrics ends in what a crash has torn off; it is dropped"
                    );
                }
                told
            }
            None => None,
        };
        match told {
            Some(told) => {
                keeper.journal_len = wide(told.len);
                state.replay(told, now);
            }
            None => {
                let head = journal::head();
                keeper.journal_len = wide(head.len());
                medium.replace(JOURNAL, head)?;
            }
        }
        Ok(Self { medium, options, state: Mutex::new(state), keeper: Mutex::new(keeper) })
    }

    /// Takes in what was counted meanwhile.
    pub(crate) fn absorb(&self) {
        let now = self.now();
        let rows = (self.options.counted)();
        if rows.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        for row in rows {
            state.absorb(&row, now);
        }
    }

    /// Notes how many seconds are left until material of these keys expires.
    pub fn note_expirations(&self, keys: impl IntoIterator<Item = (KeyArn, u64)>) {
        let now = self.now();
        let mut state = self.state.lock();
        for (arn, seconds) in keys {
            let place = Place { account: arn.account, region: arn.region };
            let identity =
                Identity { measure: Measure::Expiration, place, key: Some(arn.key), operation: None };
            let stat = Stat { count: 1, sum: seconds, least: seconds, most: seconds };
            state.add(identity, now.div_euclid(60), stat, now);
        }
    }

    /// Forgets every point, for a service that begins anew.
    pub fn clear(&self) {
        let mut keeper = self.keeper.lock();
        drop((self.options.counted)());
        let blocks = {
            let mut state = self.state.lock();
            state.catalogue = Catalogue::new(self.options.most_series);
            state.head.clear();
            state.pending.clear();
            core::mem::take(&mut state.blocks)
        };
        let removed =
            blocks.keys().try_for_each(|(level, start)| self.medium.remove(&file_name(*level, *start)));
        let head = journal::head();
        let len = wide(head.len());
        if let Err(error) = removed.and_then(|()| self.medium.replace(JOURNAL, head)) {
            tracing::warn!(%error, "old metrics could not be removed");
        }
        keeper.journal_len = len;
        keeper.named.clear();
    }

    /// How the series stand.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let state = self.state.lock();
        Standing {
            series: state.catalogue.len(),
            bytes: state.blocks.values().map(|held| held.len).sum(),
            left_out: state.left_out,
            failures: state.failures,
        }
    }

    pub(crate) fn now(&self) -> i64 {
        (self.options.clock)().millis().div_euclid(1000)
    }
}

/// A block whose names are in order.
fn examined(medium: &Medium, name: &str, at: (u8, i64)) -> Result<Block, crate::block::BlockError> {
    let content = medium.open(name)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let block = Block::open(content)?;
    if (block.level.number, block.start) != at {
        return Err(crate::block::BlockError::Damaged("its name is another's"));
    }
    Ok(block)
}

impl State {
    fn take_in(&mut self, block: &Block, len: u64, now: i64) {
        let since = now.saturating_sub(MINUTES.keep);
        let is_listed = [MINUTES, FIVE_MINUTES].contains(&block.level)
            && block.start.saturating_add(block.level.window) > since;
        if is_listed {
            match block.series() {
                Ok(series) => {
                    for named in series {
                        if let Some(identity) = Identity::parse(&named.name) {
                            self.catalogue.number(identity, named.newest.into());
                        }
                    }
                }
                Err(error) => {
                    let name = file_name(block.level.number, block.start);
                    tracing::warn!(file = name, %error, "a file of metrics is left out");
                    return;
                }
            }
        }
        self.last = self.last.max(block.through);
        self.blocks.insert((block.level.number, block.start), Held { through: block.through, len });
    }

    /// Takes in what the journal tells, but for what is in a block already.
    fn replay(&mut self, told: journal::Told, now: i64) {
        self.last = self.last.max(told.last);
        for (frame, minute, identity, stat) in told.points {
            let start = MINUTES.start(minute.saturating_mul(60));
            let is_in_block =
                self.blocks.get(&(MINUTES.number, start)).is_some_and(|held| held.through >= frame);
            if !is_in_block {
                self.add(identity, minute, stat, now);
            }
        }
        // They stand in the journal.
        self.pending.clear();
    }

    fn absorb(&mut self, row: &Row, now: i64) {
        let (counts, operation) = (&row.counts, Some(row.operation));
        let outcomes = [
            (Measure::Succeeded, counts.succeeded),
            (Measure::Failed, counts.failed),
            (Measure::Throttled, counts.throttled),
        ];
        let mut add = |identity: Identity, stat: Stat| {
            if stat.count > 0 {
                self.add(identity, row.minute, stat, now);
            }
        };
        if let Some(place) = row.subject.caller {
            let of = |measure| Identity { measure, place, key: None, operation };
            for (measure, count) in outcomes {
                add(of(measure), Stat::ones(count));
            }
            let (least, most) = (counts.least_micros, counts.most_micros);
            add(of(Measure::Latency), Stat { count: counts.all(), sum: counts.micros, least, most });
        }
        if let Some(place) = row.subject.owner {
            if row.subject.key.is_some() {
                for (measure, count) in outcomes {
                    add(Identity { measure, place, key: row.subject.key, operation }, Stat::ones(count));
                }
            }
            if uses_a_key(row.operation) {
                add(
                    Identity { measure: Measure::Used, place, key: None, operation },
                    Stat::ones(counts.succeeded),
                );
            }
        }
    }

    /// Adds what was seen in a minute.
    fn add(&mut self, identity: Identity, minute: i64, stat: Stat, now: i64) {
        let seconds = minute.saturating_mul(60);
        let is_kept = seconds >= now.saturating_sub(MINUTES.keep);
        let number = if is_kept && minute >= 0 { self.catalogue.number(identity, minute) } else { None };
        let Some(number) = number else {
            self.left_out = self.left_out.saturating_add(1);
            return;
        };
        let start = MINUTES.start(seconds);
        let shape = Shape::of(identity.measure.is_count());
        let run = self.head.entry(start).or_default().entry(number).or_insert_with(|| Run::new(shape));
        run.add(MINUTES.slot(start, seconds), stat);
        self.pending
            .entry(minute)
            .or_default()
            .entry(number)
            .and_modify(|seen| seen.merge(stat))
            .or_insert(stat);
    }
}

pub(crate) fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// The longest that anything is kept, in seconds.
pub(crate) fn keep(options: &Options, level: u8) -> i64 {
    let of_level = Level::numbered(level).map_or(0, |known| known.keep);
    of_level.min(i64::from(options.keep_days).saturating_mul(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_says_its_level_and_beginning() {
        assert_eq!(named(&file_name(2, 1_790_000_000)), Some((2, 1_790_000_000)));
        for name in ["points-0-1.krm", "points-0-00000000001", "points--00000000001.krm", "journal.krm", ""] {
            assert_eq!(named(name), None, "{name}");
        }
    }
}
