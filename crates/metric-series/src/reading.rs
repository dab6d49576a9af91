//! Points of a metric, from the head and as few files as will do.
//!
//! Of each stretch of time the coarsest resolution is read that the period is made of. Where only coarser points are left than the
//! period, there are none, as with CloudWatch.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use keyreeve_core::tally::Place;
use keyreeve_domain::{AccountId, Region};
use keyreeve_observe::metric::{Listed, Metric, MetricSource, MetricsError, Point, Reply, Wanted};

use crate::identity::{Identity, behind};
use crate::keeping::readable;
use crate::level::{LEVELS, Level, MINUTES};
use crate::points::Stat;
use crate::series::{Held, Series, State, file_name};

/// How often a read begins anew because files were replaced meanwhile.
const ATTEMPTS: usize = 5;

/// What a read has found: by the number of the period.
type Periods = BTreeMap<i64, Stat>;

/// What a read is about.
struct Read<'a> {
    series: &'a Series,
    names: Vec<Vec<u8>>,
    blocks: BTreeMap<(u8, i64), Held>,
    wanted: &'a Wanted,
    found: Periods,
    /// Whether a file was another than it was when the read began.
    is_stale: bool,
}

impl Series {
    /// The points that are wanted, in the order of time. Waits for the disk.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn points(&self, wanted: &Wanted) -> io::Result<Vec<Point>> {
        self.absorb();
        let place = Place { account: wanted.account, region: wanted.region };
        let identities = behind(place, &wanted.metric);
        let Some(scale) = identities.first().map(|identity| identity.measure.scale()) else {
            return Ok(Vec::new());
        };
        if wanted.period == 0 || wanted.from >= wanted.to {
            return Ok(Vec::new());
        }
        let mut read = self.read(wanted, &identities)?;
        for _ in 1..ATTEMPTS {
            if !read.is_stale {
                break;
            }
            read = self.read(wanted, &identities)?;
        }
        let period = i64::from(wanted.period);
        let point = |(number, stat): (i64, Stat)| Point {
            start: wanted.from.saturating_add(number.saturating_mul(period)),
            samples: float(stat.count),
            sum: float(stat.sum) * scale,
            minimum: float(stat.least) * scale,
            maximum: float(stat.most) * scale,
        };
        Ok(read.found.into_iter().map(point).collect())
    }

    fn read<'a>(&'a self, wanted: &'a Wanted, identities: &[Identity]) -> io::Result<Read<'a>> {
        let state = self.state.lock();
        let mut read = Read {
            series: self,
            names: identities.iter().map(Identity::bytes).collect(),
            blocks: state.blocks.clone(),
            wanted,
            found: Periods::new(),
            is_stale: false,
        };
        read.take_head(&state, identities);
        drop(state);
        read.take_blocks(LEVELS.as_slice(), wanted.from, wanted.to)?;
        Ok(read)
    }

    /// The metrics of an account and a Region that have points of the last fifteen days, in order.
    #[must_use]
    pub fn listed(&self, place: Place) -> Vec<Listed> {
        self.absorb();
        let since = self.now().saturating_sub(MINUTES.keep).div_euclid(60);
        let state = self.state.lock();
        let mut found = HashMap::<Metric, i64>::new();
        for held in state.catalogue.all().filter(|held| held.identity.place == place && held.newest >= since)
        {
            for metric in held.identity.metrics() {
                let newest = found.entry(metric).or_insert(held.newest);
                *newest = held.newest.max(*newest);
            }
        }
        drop(state);
        let listed = |(metric, minute): (Metric, i64)| Listed { metric, newest: minute.saturating_mul(60) };
        let mut all: Vec<Listed> = found.into_iter().map(listed).collect();
        all.sort_by(|one, other| one.metric.cmp(&other.metric));
        all
    }
}

impl Read<'_> {
    fn take_head(&mut self, state: &State, identities: &[Identity]) {
        let numbers: Vec<u32> =
            identities.iter().filter_map(|identity| state.catalogue.known(identity)).collect();
        let first = MINUTES.start(self.wanted.from);
        let head = state.head.range(first..self.wanted.to).map(|(start, window)| (*start, window));
        let sealing = state.sealing.as_ref().map(|(start, window)| (*start, &**window));
        for (start, window) in head.chain(sealing) {
            for run in numbers.iter().filter_map(|number| window.get(number)) {
                run.points().into_iter().for_each(|(slot, stat)| self.take(MINUTES, start, slot, stat));
            }
        }
    }

    /// What the blocks have from `from` to `to`, of the first of these levels that will do, or of those behind it.
    fn take_blocks(&mut self, levels: &[Level], from: i64, to: i64) -> io::Result<()> {
        let Some((level, finer)) = levels.split_last() else { return Ok(()) };
        let fits = i64::from(self.wanted.period) % level.step == 0
            && (*level == MINUTES || self.wanted.from % level.step == 0);
        if !fits {
            return self.take_blocks(finer, from, to);
        }
        let range = (level.number, level.start(from))..(level.number, to);
        let blocks: Vec<(i64, Held)> =
            self.blocks.range(range).map(|((_, start), held)| (*start, *held)).collect();
        let mut at = from;
        for (start, held) in blocks {
            if at < start {
                self.take_blocks(finer, at, start)?;
            }
            let end = start.saturating_add(level.window);
            match self.take_block(*level, start, held, (at.max(start), to.min(end)))? {
                true => {}
                false => self.take_blocks(finer, at.max(start), to.min(end))?,
            }
            at = end;
        }
        if at < to { self.take_blocks(finer, at, to) } else { Ok(()) }
    }

    /// What one block has in a stretch of time; whether it could be read.
    fn take_block(
        &mut self,
        level: Level,
        start: i64,
        held: Held,
        (from, to): (i64, i64),
    ) -> io::Result<bool> {
        let Some(block) = self.series.block(level.number, start)? else {
            // It is removed because it is old, or damaged.
            return Ok(false);
        };
        self.is_stale |= block.through != held.through;
        for name in core::mem::take(&mut self.names) {
            match readable(block.find(&name)) {
                Some(points) => {
                    for (slot, stat) in points {
                        let seconds = start.saturating_add(i64::from(slot).saturating_mul(level.step));
                        if (from..to).contains(&seconds) {
                            self.take(level, start, slot, stat);
                        }
                    }
                }
                None => {
                    tracing::warn!(file = file_name(level.number, start), "points of a metric are damaged")
                }
            }
            self.names.push(name);
        }
        Ok(true)
    }

    fn take(&mut self, level: Level, start: i64, slot: u32, stat: Stat) {
        let seconds = start.saturating_add(i64::from(slot).saturating_mul(level.step));
        if !(self.wanted.from..self.wanted.to).contains(&seconds) {
            return;
        }
        let period = seconds.saturating_sub(self.wanted.from).div_euclid(i64::from(self.wanted.period));
        self.found.entry(period).and_modify(|seen| seen.merge(stat)).or_insert(stat);
    }
}

/// What the API reads of the series.
pub struct Source(pub Arc<Series>);

impl MetricSource for Source {
    fn list(&self, account: AccountId, region: Region) -> Reply<'_, Vec<Listed>> {
        let series = Arc::clone(&self.0);
        blocking(move || Ok(series.listed(Place { account, region })))
    }

    fn read(&self, wanted: Wanted) -> Reply<'_, Vec<Point>> {
        let series = Arc::clone(&self.0);
        blocking(move || series.points(&wanted))
    }
}

/// Does work that waits for the disk where it holds up nobody.
fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Reply<'static, T> {
    Box::pin(async move {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(|error| MetricsError(error.to_string())),
            Err(error) => Err(MetricsError(error.to_string())),
        }
    }) as Pin<Box<_>>
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the API has numbers of this kind, and counts stay far below 2^53"
)]
fn float(number: u64) -> f64 {
    number as f64
}
