//! The journal: the points of the windows that are not files yet.
//!
//! ```text
//! 4   magic "KRMJ"
//! 1   version: 1
//!     frames: length 4, CRC-32 of what follows 4, then the frame
//! ```
//! A frame is its number (8), then, as LEB128: how many series are named, of each its number, the bytes of its name and the name; how many
//! minutes there are, of each the minute since 1970, how many points, and of each the number of the series and what was seen.
//!
//! INVARIANT: a frame is whole or not there. What stands behind the first one that is not whole was torn off by a crash.

use std::collections::HashMap;

use crate::block::crc;
use crate::identity::Identity;
use crate::points::{Shape, Stat, put, take};

const MAGIC: &[u8; 4] = b"KRMJ";
const VERSION: u8 = 1;
/// The longest frame that is believed.
const MOST: usize = 1 << 30;

/// What an empty journal consists of.
pub(crate) fn head() -> Vec<u8> {
    [MAGIC.as_slice(), &[VERSION]].concat()
}

/// A frame in the making.
#[derive(Default)]
pub(crate) struct Frame {
    named: u64,
    names: Vec<u8>,
    minutes: u64,
    points: Vec<u8>,
}

impl Frame {
    /// Says which series the number `series` stands for from here on.
    pub(crate) fn name(&mut self, series: u32, identity: &Identity) {
        let bytes = identity.bytes();
        self.named = self.named.saturating_add(1);
        put(&mut self.names, series.into());
        put(&mut self.names, u64::try_from(bytes.len()).unwrap_or_default());
        self.names.extend_from_slice(&bytes);
    }

    /// Adds what was seen in a minute.
    pub(crate) fn minute(&mut self, minute: i64, points: &[(u32, Shape, Stat)]) {
        self.minutes = self.minutes.saturating_add(1);
        put(&mut self.points, u64::try_from(minute).unwrap_or_default());
        put(&mut self.points, u64::try_from(points.len()).unwrap_or_default());
        for (series, shape, stat) in points {
            put(
                &mut self.points,
                u64::from(*series).saturating_mul(2).saturating_add(u64::from(*shape == Shape::Values)),
            );
            stat.write(*shape, &mut self.points);
        }
    }

    /// The bytes, with the number of the frame.
    pub(crate) fn finish(self, number: u64) -> Vec<u8> {
        let mut body = number.to_be_bytes().to_vec();
        put(&mut body, self.named);
        body.extend_from_slice(&self.names);
        put(&mut body, self.minutes);
        body.extend_from_slice(&self.points);
        let len = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
        [len.as_slice(), &crc(&[&body]).to_be_bytes(), &body].concat()
    }
}

/// What a journal says.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The number of the last frame.
    pub(crate) last: u64,
    /// Bytes that are in order.
    pub(crate) len: usize,
    /// Which series each number stood for last; none where it is of a kind that is not known.
    pub(crate) names: HashMap<u32, Option<Identity>>,
    /// The frame, the minute, the series and what was seen.
    pub(crate) points: Vec<(u64, i64, Identity, Stat)>,
}

/// Reads a journal as far as it is in order; nothing where it is none of this version.
pub(crate) fn read(bytes: &[u8]) -> Option<Told> {
    let head = head();
    let mut rest = bytes.strip_prefix(head.as_slice())?;
    let mut told = Told { len: head.len(), ..Told::default() };
    while let Some((frame, behind)) = next(rest) {
        if told.take_in(frame).is_none() {
            break;
        }
        told.len = told.len.saturating_add(rest.len().saturating_sub(behind.len()));
        rest = behind;
    }
    Some(told)
}

/// The next frame, and what stands behind it.
fn next(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let len = usize::try_from(u32::from_be_bytes(*len)).ok().filter(|len| *len <= MOST)?;
    let (frame, rest) = rest.split_at_checked(len)?;
    (u32::from_be_bytes(*sum) == crc(&[frame])).then_some((frame, rest))
}

impl Told {
    /// Takes a frame in, all of it or nothing.
    fn take_in(&mut self, frame: &[u8]) -> Option<()> {
        let (number, mut rest) = frame.split_first_chunk::<8>()?;
        let number = u64::from_be_bytes(*number);
        let (mut names, mut points) = (Vec::new(), Vec::new());
        for _ in 0..take(&mut rest)? {
            let series = u32::try_from(take(&mut rest)?).ok()?;
            let len = usize::try_from(take(&mut rest)?).ok()?;
            let (name, behind) = rest.split_at_checked(len)?;
            rest = behind;
            names.push((series, Identity::parse(name)));
        }
        let named: HashMap<u32, Option<Identity>> = names.iter().copied().collect();
        for _ in 0..take(&mut rest)? {
            let minute = i64::try_from(take(&mut rest)?).ok()?;
            for _ in 0..take(&mut rest)? {
                let tagged = take(&mut rest)?;
                let shape = if tagged % 2 == 1 { Shape::Values } else { Shape::Ones };
                let series = u32::try_from(tagged / 2).ok()?;
                let stat = Stat::read(shape, &mut rest)?;
                let identity = named.get(&series).or_else(|| self.names.get(&series))?;
                points.extend(identity.map(|identity| (number, minute, identity, stat)));
            }
        }
        rest.is_empty().then_some(())?;
        self.last = self.last.max(number);
        self.names.extend(named);
        self.points.append(&mut points);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use keyreeve_core::tally::Place;
    use keyreeve_domain::KeyId;
    use keyreeve_wire::Operation;
    use proptest::prelude::*;

    use super::*;
    use crate::identity::Measure;

    fn identity(number: u8) -> Identity {
        let place = Place { account: "111122223333".parse().unwrap(), region: "us-east-1".parse().unwrap() };
        let key = Some(KeyId::from_bits(false, [number; 16]));
        Identity { measure: Measure::Succeeded, place, key, operation: Some(Operation::Encrypt) }
    }

    fn journal(frames: u64) -> Vec<u8> {
        let mut bytes = head();
        for number in 1..=frames {
            let mut frame = Frame::default();
            if number == 1 {
                frame.name(5, &identity(5));
                frame.name(6, &identity(6));
            }
            let minute = 29_000_000 + i64::try_from(number).unwrap();
            frame.minute(minute, &[(5, Shape::Ones, Stat::ones(number)), (6, Shape::Ones, Stat::ones(1))]);
            bytes.extend(frame.finish(number));
        }
        bytes
    }

    #[test]
    fn a_journal_tells_what_was_written() {
        let bytes = journal(3);
        let told = read(&bytes).unwrap();
        assert_eq!((told.last, told.len, told.points.len()), (3, bytes.len(), 6));
        assert_eq!(told.points[4], (3, 29_000_003, identity(5), Stat::ones(3)));
    }

    #[test]
    fn a_journal_of_another_version_is_none() {
        let mut bytes = journal(1);
        bytes[4] = 2;
        assert!(read(&bytes).is_none());
        assert!(read(b"").is_none());
    }

    proptest! {
        #[test]
        fn what_stands_before_the_tear_is_told(cut in any::<prop::sample::Index>()) {
            let whole = journal(5);
            let cut = head().len() + cut.index(whole.len() - head().len());
            let told = read(&whole[..cut]).unwrap();
            prop_assert!(told.len <= cut);
            prop_assert_eq!(told.points.len() as u64, told.last * 2);
            prop_assert_eq!(read(&whole[..told.len]).unwrap().points, told.points);
            prop_assert!(told.last == 5 || journal(told.last + 1).len() > cut);
        }

        #[test]
        fn any_bytes_are_read_without_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..100), is_framed: bool) {
            let mut journal = head();
            if is_framed {
                journal.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
                journal.extend(crc(&[&bytes]).to_be_bytes());
            }
            journal.extend(&bytes);
            prop_assert!(read(&journal).unwrap().len <= journal.len());
        }
    }
}
