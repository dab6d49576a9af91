//! A file of the points of one window, of which a read touches what it needs.
//!
//! ```text
//! 0    4  magic "KRMB"
//! 4    1  version: 1
//! 5    1  level: 0, 1 or 2
//! 6    2  zero
//! 8    8  where the window begins, in seconds since 1970
//! 16   8  the number of the newest frame of the journal that is in it
//! 24   4  n, the number of series
//! 28   4  CRC-32 of the 48 bytes of this head with zeros here, of the names and the table
//! 32   8  where the names begin
//! 40   8  where the table begins
//! 48      n × (CRC-32 of what follows 4, 1: each value is 1, 2: any values 1, a run of points)
//! …       n × (length 1, what the series is of)
//! …       n × (hash of what it is of 8, its place in the names 4, of its points 4, their length 4, its newest minute since 1970 4),
//!         in the order of the hashes
//! ```
//! Integers are big-endian. The hash is FNV-1a of 64 bits. Places are counted from where names and points begin.

use std::io;

use flate2::Crc;

use crate::level::Level;
use crate::medium::Content;
use crate::points::{Point, Shape, decode};

const MAGIC: &[u8; 4] = b"KRMB";
const VERSION: u8 = 1;
const HEAD_LEN: usize = 48;
const ENTRY_LEN: usize = 24;
/// Tables of so many bytes are read whole rather than searched piece by piece.
const SMALL: usize = 128 * 1024;

/// The file is not of the form.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlockError {
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    #[error("its version is {0}, which is not known here")]
    Version(u8),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A block in the making.
pub(crate) struct Builder {
    level: Level,
    start: i64,
    through: u64,
    points: Vec<u8>,
    names: Vec<u8>,
    table: Vec<Entry>,
}

#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    name: u32,
    points: u32,
    len: u32,
    newest: u32,
}

impl Builder {
    pub(crate) fn new(level: Level, start: i64, through: u64) -> Self {
        Self { level, start, through, points: Vec::new(), names: Vec::new(), table: Vec::new() }
    }

    /// Adds a series; whether there is room for it in a file.
    pub(crate) fn push(&mut self, name: &[u8], newest: u32, shape: Shape, run: &[u8]) -> bool {
        let places = (
            u8::try_from(name.len()),
            u32::try_from(self.names.len()),
            u32::try_from(self.points.len()),
            u32::try_from(run.len().saturating_add(5)),
        );
        let (Ok(name_len), Ok(name_at), Ok(points_at), Ok(len)) = places else { return false };
        self.names.push(name_len);
        self.names.extend_from_slice(name);
        let body = self.points.len().saturating_add(4);
        self.points.extend_from_slice(&[0; 4]);
        self.points.push(shape.code());
        self.points.extend_from_slice(run);
        let sum = crc(&[self.points.get(body..).unwrap_or_default()]);
        if let Some(slot) = self.points.get_mut(body.saturating_sub(4)..body) {
            slot.copy_from_slice(&sum.to_be_bytes());
        }
        self.table.push(Entry { hash: hash(name), name: name_at, points: points_at, len, newest });
        true
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.table.sort_by_key(|entry| entry.hash);
        let names_at = HEAD_LEN.saturating_add(self.points.len());
        let table_at = names_at.saturating_add(self.names.len());
        let mut table = Vec::with_capacity(self.table.len().saturating_mul(ENTRY_LEN));
        for Entry { hash, name, points, len, newest } in &self.table {
            table.extend_from_slice(&hash.to_be_bytes());
            for number in [name, points, len, newest] {
                table.extend_from_slice(&number.to_be_bytes());
            }
        }
        let wide = |at: usize| u64::try_from(at).unwrap_or(u64::MAX).to_be_bytes();
        let head = |sum: u32| {
            let mut head = Vec::with_capacity(HEAD_LEN);
            head.extend_from_slice(MAGIC);
            head.extend_from_slice(&[VERSION, self.level.number, 0, 0]);
            head.extend_from_slice(&self.start.to_be_bytes());
            head.extend_from_slice(&self.through.to_be_bytes());
            head.extend_from_slice(&u32::try_from(self.table.len()).unwrap_or(u32::MAX).to_be_bytes());
            head.extend_from_slice(&sum.to_be_bytes());
            head.extend_from_slice(&wide(names_at));
            head.extend_from_slice(&wide(table_at));
            head
        };
        let sum = crc(&[&head(0), &self.names, &table]);
        [head(sum), self.points, self.names, table].concat()
    }
}

/// A block, to read.
pub(crate) struct Block {
    content: Content,
    pub(crate) level: Level,
    pub(crate) start: i64,
    pub(crate) through: u64,
    count: usize,
    sum: u32,
    names_at: u64,
    table_at: u64,
}

/// A series of a block.
pub(crate) struct Series {
    pub(crate) name: Vec<u8>,
    /// Minutes since 1970.
    pub(crate) newest: u32,
    points: u32,
    len: u32,
}

impl Block {
    /// Reads the head.
    pub(crate) fn open(content: Content) -> Result<Self, BlockError> {
        let len = content.len()?;
        if len < u64::try_from(HEAD_LEN).unwrap_or(u64::MAX) {
            return Err(BlockError::Damaged("it is too short"));
        }
        let head = content.read(0, HEAD_LEN)?;
        let mut fields = Fields(&head);
        if &fields.take::<4>() != MAGIC {
            return Err(BlockError::Damaged("it does not begin as one"));
        }
        let [version] = fields.take();
        if version != VERSION {
            return Err(BlockError::Version(version));
        }
        let [number] = fields.take();
        let level = Level::numbered(number).ok_or(BlockError::Damaged("no such level"))?;
        let [_, _] = fields.take();
        let block = Self {
            content,
            level,
            start: i64::from_be_bytes(fields.take()),
            through: u64::from_be_bytes(fields.take()),
            count: size(u32::from_be_bytes(fields.take())),
            sum: u32::from_be_bytes(fields.take()),
            names_at: u64::from_be_bytes(fields.take()),
            table_at: u64::from_be_bytes(fields.take()),
        };
        let table_len = u64::try_from(block.count.saturating_mul(ENTRY_LEN)).unwrap_or(u64::MAX);
        let is_in_order = HEAD_LEN as u64 <= block.names_at
            && block.names_at <= block.table_at
            && block.table_at.checked_add(table_len) == Some(len)
            && block.start == level.start(block.start);
        if is_in_order { Ok(block) } else { Err(BlockError::Damaged("its parts do not fit")) }
    }

    /// All series, once the sum of their names is seen to be right.
    pub(crate) fn series(&self) -> Result<Vec<Series>, BlockError> {
        let names_len = usize::try_from(self.table_at.saturating_sub(self.names_at)).unwrap_or(usize::MAX);
        let names = self.content.read(self.names_at, names_len)?;
        let table = self.content.read(self.table_at, self.count.saturating_mul(ENTRY_LEN))?;
        let mut head = self.content.read(0, HEAD_LEN)?;
        if let Some(slot) = head.get_mut(28..32) {
            slot.fill(0);
        }
        if crc(&[&head, &names, &table]) != self.sum {
            return Err(BlockError::Damaged("its sum is wrong"));
        }
        let of = |entry: &[u8]| {
            let Entry { name, points, len, newest, .. } = entry_of(entry);
            let name = names.get(size(name)..).and_then(name_of);
            Some(Series { name: name?.to_vec(), newest, points, len })
        };
        let all: Option<Vec<_>> = table.chunks_exact(ENTRY_LEN).map(of).collect();
        all.ok_or(BlockError::Damaged("a name is missing"))
    }

    /// The points of a series.
    pub(crate) fn points(&self, series: &Series) -> Result<(Shape, Vec<Point>), BlockError> {
        self.record(series.points, series.len)
    }

    /// The points of what has this name; none where it has none.
    pub(crate) fn find(&self, name: &[u8]) -> Result<Vec<Point>, BlockError> {
        let wanted = hash(name);
        let whole = self.count.saturating_mul(ENTRY_LEN);
        let table = if whole <= SMALL { Some(self.content.read(self.table_at, whole)?) } else { None };
        let entry = |at: usize| -> Result<Entry, BlockError> {
            let offset = at.saturating_mul(ENTRY_LEN);
            match &table {
                Some(table) => {
                    Ok(entry_of(table.get(offset..offset.saturating_add(ENTRY_LEN)).unwrap_or_default()))
                }
                None => {
                    let offset = u64::try_from(offset).unwrap_or(u64::MAX);
                    Ok(entry_of(&self.content.read(self.table_at.saturating_add(offset), ENTRY_LEN)?))
                }
            }
        };
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            if entry(middle)?.hash < wanted { low = middle.saturating_add(1) } else { high = middle }
        }
        for at in low..self.count {
            let found = entry(at)?;
            if found.hash != wanted {
                break;
            }
            let at = self.names_at.saturating_add(u64::from(found.name));
            let len = name.len().saturating_add(1);
            if at.saturating_add(u64::try_from(len).unwrap_or(u64::MAX)) > self.table_at {
                continue;
            }
            if name_of(&self.content.read(at, len)?) == Some(name) {
                return Ok(self.record(found.points, found.len)?.1);
            }
        }
        Ok(Vec::new())
    }

    fn record(&self, at: u32, len: u32) -> Result<(Shape, Vec<Point>), BlockError> {
        let damaged = BlockError::Damaged("points are damaged");
        let begin = u64::from(at).saturating_add(u64::try_from(HEAD_LEN).unwrap_or(u64::MAX));
        if begin.saturating_add(u64::from(len)) > self.names_at {
            return Err(damaged);
        }
        let record = self.content.read(begin, size(len))?;
        let Some((sum, body)) = record.split_first_chunk::<4>() else { return Err(damaged) };
        if u32::from_be_bytes(*sum) != crc(&[body]) {
            return Err(damaged);
        }
        let shape = body.split_first().and_then(|(code, run)| Some((Shape::of_code(*code)?, run)));
        let read = shape.and_then(|(shape, run)| Some((shape, decode(shape, run, self.level.slots())?)));
        read.ok_or(damaged)
    }
}

/// The name at the front.
fn name_of(bytes: &[u8]) -> Option<&[u8]> {
    let (len, rest) = bytes.split_first()?;
    rest.get(..usize::from(*len))
}

fn entry_of(bytes: &[u8]) -> Entry {
    let mut fields = Fields(bytes);
    Entry {
        hash: u64::from_be_bytes(fields.take()),
        name: u32::from_be_bytes(fields.take()),
        points: u32::from_be_bytes(fields.take()),
        len: u32::from_be_bytes(fields.take()),
        newest: u32::from_be_bytes(fields.take()),
    }
}

/// Bytes that are taken from the front; zero where there are none left.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => [0; N],
        }
    }
}

/// FNV-1a, 64 bits.
/// Source: <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>.
fn hash(bytes: &[u8]) -> u64 {
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold)
}

pub(crate) fn crc(parts: &[&[u8]]) -> u32 {
    let mut crc = Crc::new();
    parts.iter().for_each(|part| crc.update(part));
    crc.sum()
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::level::{HOURS, MINUTES};
    use crate::points::{Run, Stat};

    fn built(series: &[(Vec<u8>, Vec<Point>)]) -> Vec<u8> {
        let mut builder = Builder::new(MINUTES, 3 * MINUTES.window, 9);
        for (name, points) in series {
            let run = Run::of(Shape::Ones, points).into_bytes();
            assert!(builder.push(name, 7, Shape::Ones, &run));
        }
        builder.finish()
    }

    fn opened(bytes: &[u8]) -> Result<Block, BlockError> {
        Block::open(Content::Bytes(bytes.into()))
    }

    #[test]
    fn a_block_gives_what_it_was_built_of() {
        for count in [0u32, 1, 2, 100, 20_000] {
            let series: Vec<_> = (0..count)
                .map(|number| {
                    (number.to_be_bytes().to_vec(), vec![(number % 240, Stat::ones(u64::from(number) + 1))])
                })
                .collect();
            let block = opened(&built(&series)).unwrap();
            assert_eq!((block.start, block.through), (3 * MINUTES.window, 9));
            assert_eq!(block.series().unwrap().len(), series.len());
            for (name, points) in series.iter().step_by(97) {
                assert_eq!(block.find(name).unwrap(), *points, "{count}");
            }
            for named in block.series().unwrap().iter().step_by(97) {
                assert_eq!(block.points(named).unwrap().1, block.find(&named.name).unwrap());
                assert_eq!(named.newest, 7);
            }
            assert_eq!(block.find(b"none").unwrap(), []);
        }
    }

    #[test]
    fn a_level_or_version_that_is_not_known_is_refused() {
        let mut bytes = Builder::new(HOURS, 0, 0).finish();
        assert!(opened(&bytes).is_ok());
        bytes[5] = 3;
        assert!(matches!(opened(&bytes), Err(BlockError::Damaged(_))));
        bytes[4] = 2;
        assert!(matches!(opened(&bytes), Err(BlockError::Version(2))));
    }

    proptest! {
        #[test]
        fn a_block_that_was_cut_or_changed_is_refused_or_right(
            cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), bit in 0u8..8, is_cut: bool,
        ) {
            let series: Vec<_> = (0..20u8).map(|number| (vec![number; 3], vec![(9, Stat::ones(2)), (11, Stat::ones(300))])).collect();
            let mut bytes = built(&series);
            match is_cut {
                true => bytes.truncate(cut.index(bytes.len())),
                false => { let at = at.index(bytes.len()); bytes[at] ^= 1 << bit; }
            }
            if let Ok(block) = opened(&bytes) {
                let all = block.series();
                prop_assert!(all.is_ok() || !is_cut);
                for (name, points) in &series {
                    // Whatever its table says, points are checked by their own sum.
                    if let Ok(found) = block.find(name) {
                        prop_assert!(found.is_empty() || found == *points, "{:?}", found);
                    }
                }
            }
        }
    }
}
