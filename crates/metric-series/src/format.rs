//! The files by themselves, for whoever has one and no series.

use crate::block::Block;
use crate::journal;
use crate::medium::Content;

/// How many points a journal tells of, as far as it is in order; none where it is no journal of a version that is known.
#[must_use]
pub fn points_of_journal(bytes: &[u8]) -> Option<usize> {
    journal::read(bytes).map(|told| told.points.len())
}

/// How many points a file of points has that can be read; none where it is damaged, or of a version that is not known.
#[must_use]
pub fn points_of_block(bytes: &[u8]) -> Option<usize> {
    let block = Block::open(Content::Bytes(bytes.into())).ok()?;
    let series = block.series().ok()?;
    Some(series.iter().map(|named| block.points(named).map_or(0, |(_, points)| points.len())).sum())
}
