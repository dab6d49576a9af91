//! The trail of a service that leaves no files: the newest of its events, in memory.
//!
//! Segments are short. The oldest of those that are complete goes where all together have more than a bound; the trail goes on, and what is
//! looked up in it ends there.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::sync::Arc;

use keyreeve_audit::segment::SegmentName;
use keyreeve_trail_delivery::Segments;
use keyreeve_trail_file::{Medium, SegmentFile};
use parking_lot::Mutex;

/// Bytes at which a segment is followed by the next.
pub(crate) const SEGMENT_LEN: u64 = 1 << 20;
/// Bytes of all segments, but for those that are being written.
const KEPT: usize = 32 << 20;

/// Segments in memory. Clones hold the same ones.
#[derive(Clone, Default)]
pub(crate) struct MemoryTrail {
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    segments: HashMap<SegmentName, Vec<u8>>,
    /// In the order in which they began.
    order: VecDeque<SegmentName>,
    len: usize,
}

impl Held {
    /// Drops the oldest segments that are complete until the others have `most` bytes.
    fn drop_oldest(&mut self, most: usize) {
        let mut at = 0;
        while self.len > most
            && let Some(name) = self.order.get(at)
        {
            if !name.next().is_some_and(|next| self.segments.contains_key(&next)) {
                at += 1;
                continue;
            }
            if let Some(bytes) = self.segments.remove(name) {
                self.len = self.len.saturating_sub(bytes.len());
            }
            self.order.remove(at);
        }
    }

    fn remove(&mut self, name: &SegmentName) {
        if let Some(bytes) = self.segments.remove(name) {
            self.len = self.len.saturating_sub(bytes.len());
            self.order.retain(|held| held != name);
        }
    }
}

impl Medium for MemoryTrail {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.held.lock().segments.keys().map(ToString::to_string).collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        Segments::read(self, &named(name)?, 0, usize::MAX)
    }

    fn create(&self, name: &str, header: &[u8]) -> io::Result<Box<dyn SegmentFile>> {
        let name = named(name)?;
        let mut held = self.held.lock();
        held.remove(&name);
        held.len = held.len.saturating_add(header.len());
        held.segments.insert(name.clone(), header.to_vec());
        held.order.push_back(name.clone());
        held.drop_oldest(KEPT);
        Ok(Box::new(Written { trail: self.clone(), name }))
    }

    fn reopen(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        Ok(Box::new(Written { trail: self.clone(), name: named(name)? }))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.held.lock().remove(&named(name)?);
        Ok(())
    }
}

/// A segment that is open to append.
struct Written {
    trail: MemoryTrail,
    name: SegmentName,
}

impl SegmentFile for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut held = self.trail.held.lock();
        held.segments.get_mut(&self.name).ok_or_else(|| gone(&self.name))?.extend_from_slice(bytes);
        held.len = held.len.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let mut held = self.trail.held.lock();
        let segment = held.segments.get_mut(&self.name).ok_or_else(|| gone(&self.name))?;
        let before = segment.len();
        segment.truncate(usize::try_from(len).unwrap_or(usize::MAX));
        let cut = before.saturating_sub(segment.len());
        held.len = held.len.saturating_sub(cut);
        Ok(())
    }
}

impl Segments for MemoryTrail {
    fn names(&self) -> io::Result<BTreeSet<SegmentName>> {
        Ok(self.held.lock().segments.keys().cloned().collect())
    }

    fn len(&self, name: &SegmentName) -> io::Result<u64> {
        let held = self.held.lock();
        let segment = held.segments.get(name).ok_or_else(|| gone(name))?;
        Ok(u64::try_from(segment.len()).unwrap_or(u64::MAX))
    }

    fn read(&self, name: &SegmentName, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let held = self.held.lock();
        let segment = held.segments.get(name).ok_or_else(|| gone(name))?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(segment.len());
        let to = from.saturating_add(most).min(segment.len());
        Ok(segment.get(from..to).unwrap_or_default().to_vec())
    }
}

fn named(name: &str) -> io::Result<SegmentName> {
    name.parse().map_err(io::Error::other)
}

fn gone(name: &SegmentName) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("`{name}` is not kept any more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_complete_segments_go_where_all_have_too_much() {
        let trail = MemoryTrail::default();
        let mut quiet = trail.create("control-00000001.log", b"head").unwrap();
        for number in 1..=80 {
            let mut file = trail.create(&format!("w0-{number:08}.log"), b"head").unwrap();
            file.write(&vec![b'x'; 1 << 20]).unwrap();
        }
        let names = Segments::names(&trail).unwrap();
        assert!(names.contains(&"control-00000001.log".parse().unwrap()), "it is being written");
        assert!(names.contains(&"w0-00000080.log".parse().unwrap()));
        assert!(!names.contains(&"w0-00000040.log".parse().unwrap()));
        let len: u64 = names.iter().map(|name| Segments::len(&trail, name).unwrap()).sum();
        assert!(len <= (KEPT as u64) + SEGMENT_LEN + 8, "{len}");
        assert_eq!(trail.held.lock().len as u64, len);
        // Whoever is quiet writes on.
        quiet.write(b"more").unwrap();
        let control = "control-00000001.log".parse().unwrap();
        assert_eq!(Segments::read(&trail, &control, 2, 4).unwrap(), b"admo");
        quiet.truncate(4).unwrap();
        assert_eq!(Segments::len(&trail, &control).unwrap(), 4);
    }

    #[test]
    fn what_is_gone_is_not_found() {
        let trail = MemoryTrail::default();
        let name = "w0-00000001.log".parse().unwrap();
        let found = Segments::read(&trail, &name, 0, 1).map_err(|error| error.kind());
        assert_eq!(found, Err(io::ErrorKind::NotFound));
    }
}
