//! Which segments are removed, and when.
//!
//! INVARIANT: every event of a segment that goes was delivered, and a stream has no holes: the oldest goes first, the newest stays.

use std::fs;

use keyreeve_domain::Timestamp;

use super::{Deliverer, DeliveryError};
use crate::index::Index;
use crate::{files, lines};

/// How long segments are kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retention {
    /// Days after the newest event of a segment; for ever where there are none.
    pub days: Option<u32>,
    /// Bytes of all segments.
    pub bytes: Option<u64>,
}

/// A day, in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

impl Deliverer {
    /// Removes segments of which every event was delivered, and that are older than `keep` says or more than it has room for, the
    /// oldest first. The newest segment of a stream stays.
    ///
    /// # Errors
    /// When that fails; what was removed by then is gone.
    pub fn retain(&mut self, index: &Index, keep: Retention, now: Timestamp) -> Result<(), DeliveryError> {
        let mut complete = Vec::new();
        let mut gone = Vec::new();
        let mut size = 0u64;
        for segment in lines::segments(&self.segments)? {
            let at = self.state.streams.get(segment.stream().as_str());
            // What was to be removed when the process ended.
            if at.is_some_and(|at| segment.number() < at.first) {
                gone.push(segment);
                continue;
            }
            let len = fs::metadata(self.segments.join(segment.to_string()))?.len();
            size = size.saturating_add(len);
            let is_delivered = at.is_some_and(|at| segment.number() < at.segment);
            if let Some(newest) = index.newest(&segment).filter(|_| is_delivered) {
                complete.push((newest, segment, len));
            }
        }
        complete.sort();
        let oldest = keep.days.map(|days| now.millis().saturating_sub(i64::from(days).saturating_mul(DAY)));
        let mut next = self.state.clone();
        for (newest, segment, len) in complete {
            let is_old = oldest.is_some_and(|oldest| newest < oldest);
            let is_too_much = keep.bytes.is_some_and(|most| size > most);
            let Some(at) = next.streams.get_mut(segment.stream().as_str()) else { continue };
            // A stream has no holes.
            if !(is_old || is_too_much) || segment.number() != at.first {
                continue;
            }
            at.first = segment.number().saturating_add(1);
            size = size.saturating_sub(len);
            gone.push(segment);
        }
        if gone.is_empty() {
            return Ok(());
        }
        // ORDER: the state, which says up to where everything was delivered and what is missing on purpose, then the segments.
        next.write(&self.folder.private())?;
        self.state = next;
        for segment in gone {
            fs::remove_file(self.segments.join(segment.to_string()))?;
            tracing::info!(%segment, "a segment of the audit trail was removed: it is delivered, and older than is kept");
        }
        Ok(files::sync_parent(&self.segments.join("x"))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::tests::{Place, everything, now};

    #[test]
    fn segments_that_were_to_be_removed_are_removed_later() {
        let mut place = Place::new();
        (1..=4).for_each(|number| place.write(number));
        let (mut deliverer, index) = place.open();
        deliverer.deliver(now()).unwrap();
        index.find(&everything(1)).unwrap();
        let first = place.segments().join("w0-00000001.log");
        let content = fs::read(&first).unwrap();
        let keep = Retention { days: None, bytes: Some(0) };
        deliverer.retain(&index, keep, now()).unwrap();
        let left = || lines::segments(&place.segments()).unwrap().len();
        assert_eq!(left(), 1);
        // The process ended before the first one was gone.
        fs::write(&first, content).unwrap();
        assert_eq!(left(), 2);
        let (mut deliverer, index) = place.open();
        deliverer.deliver(now()).unwrap();
        deliverer.retain(&index, Retention::default(), now()).unwrap();
        assert_eq!(left(), 1);
        assert!(!first.exists());
        assert_eq!(place.events(), 4);
    }
}
