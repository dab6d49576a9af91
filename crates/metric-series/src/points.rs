//! Points, and the bytes of a run of them.
//!
//! A run is a sequence of points in the order of time. Of each: how many slots it is behind the one before (from -1 on), then, where
//! every value is 1, how many; else how many, the least, the greatest less the least, and the sum less what it would be if all were
//! the least. Every number is a LEB128. A counter has two or three bytes a point, and none where nothing happened.

/// What was seen in one slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stat {
    /// How many values; more than 0.
    pub(crate) count: u64,
    pub(crate) sum: u64,
    pub(crate) least: u64,
    pub(crate) most: u64,
}

impl Stat {
    /// So many ones.
    pub(crate) fn ones(count: u64) -> Self {
        Self { count, sum: count, least: 1, most: 1 }
    }

    /// Takes in what was also seen.
    pub(crate) fn merge(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
    }

    /// Appends the bytes.
    pub(crate) fn write(self, shape: Shape, out: &mut Vec<u8>) {
        put(out, self.count);
        if shape == Shape::Values {
            put(out, self.least);
            put(out, self.most.saturating_sub(self.least));
            put(out, self.sum.saturating_sub(self.least.saturating_mul(self.count)));
        }
    }

    /// Takes the bytes from the front.
    pub(crate) fn read(shape: Shape, bytes: &mut &[u8]) -> Option<Self> {
        let count = take(bytes)?;
        if count == 0 {
            return None;
        }
        match shape {
            Shape::Ones => Some(Self::ones(count)),
            Shape::Values => {
                let least = take(bytes)?;
                let most = least.checked_add(take(bytes)?)?;
                let sum = least.saturating_mul(count).saturating_add(take(bytes)?);
                Some(Self { count, sum, least, most })
            }
        }
    }
}

/// What the values are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shape {
    /// Each is 1.
    Ones,
    /// Any number.
    Values,
}

impl Shape {
    pub(crate) fn of(is_count: bool) -> Self {
        if is_count { Self::Ones } else { Self::Values }
    }

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ones => 1,
            Self::Values => 2,
        }
    }

    pub(crate) fn of_code(code: u8) -> Option<Self> {
        [Self::Ones, Self::Values].into_iter().find(|shape| shape.code() == code)
    }
}

/// A point: its slot, and what was seen in it.
pub(crate) type Point = (u32, Stat);

/// A run that grows.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    shape: Shape,
    bytes: Vec<u8>,
    /// The slot behind the last one in `bytes`.
    next: u32,
    /// The last point, which may still change.
    open: Option<Point>,
}

impl Run {
    pub(crate) fn new(shape: Shape) -> Self {
        Self { shape, bytes: Vec::new(), next: 0, open: None }
    }

    pub(crate) fn of(shape: Shape, points: &[Point]) -> Self {
        let mut run = Self::new(shape);
        points.iter().for_each(|(slot, stat)| run.add(*slot, *stat));
        run
    }

    /// Adds what was seen in a slot.
    pub(crate) fn add(&mut self, slot: u32, stat: Stat) {
        match &mut self.open {
            Some((open, seen)) if *open == slot => seen.merge(stat),
            Some((open, _)) if *open > slot => self.add_late(slot, stat),
            Some(_) => {
                self.close();
                self.open = Some((slot, stat));
            }
            None if slot >= self.next => self.open = Some((slot, stat)),
            None => self.add_late(slot, stat),
        }
    }

    fn close(&mut self) {
        if let Some((slot, stat)) = self.open.take() {
            put(&mut self.bytes, u64::from(slot.saturating_sub(self.next)));
            stat.write(self.shape, &mut self.bytes);
            self.next = slot.saturating_add(1);
        }
    }

    fn add_late(&mut self, slot: u32, stat: Stat) {
        let mut points = self.points();
        merge(&mut points, &[(slot, stat)]);
        *self = Self::of(self.shape, &points);
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// The points, in the order of time.
    pub(crate) fn points(&self) -> Vec<Point> {
        let mut points = decode(self.shape, &self.bytes, u32::MAX).unwrap_or_default();
        points.extend(self.open);
        points
    }

    /// The bytes of all of it.
    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.close();
        self.bytes
    }
}

/// The points of a run; nothing where the bytes are none, or of a slot that is not below `slots`.
pub(crate) fn decode(shape: Shape, mut bytes: &[u8], slots: u32) -> Option<Vec<Point>> {
    // A point takes two bytes or more.
    let mut points = Vec::with_capacity((bytes.len() / 2).min(usize::try_from(slots).unwrap_or(usize::MAX)));
    let mut next = 0u32;
    while !bytes.is_empty() {
        let slot = next.checked_add(u32::try_from(take(&mut bytes)?).ok()?).filter(|slot| *slot < slots)?;
        points.push((slot, Stat::read(shape, &mut bytes)?));
        next = slot.checked_add(1)?;
    }
    Some(points)
}

/// Takes `others`, which are in the order of time, into `points`.
pub(crate) fn merge(points: &mut Vec<Point>, others: &[Point]) {
    for (slot, stat) in others {
        match points.binary_search_by_key(slot, |(slot, _)| *slot) {
            Ok(at) => {
                if let Some((_, seen)) = points.get_mut(at) {
                    seen.merge(*stat);
                }
            }
            Err(at) => points.insert(at, (*slot, *stat)),
        }
    }
}

/// Appends a number as LEB128.
pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Takes a number from the front.
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let low = u64::from(byte & 0x7f);
        number |= low.checked_shl(shift).filter(|moved| moved >> shift == low)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    use super::*;

    fn stat() -> impl Strategy<Value = Stat> {
        (1u64..1 << 40, 0u64..1 << 20, 0u64..1 << 20, 0u64..1 << 10).prop_map(|(count, least, more, rest)| {
            Stat { count, sum: least * count + rest, least, most: least + more }
        })
    }

    proptest! {
        #[test]
        fn a_run_holds_what_was_added_in_any_order(added in proptest::collection::vec((0u32..300, stat()), 0..60)) {
            for shape in [Shape::Ones, Shape::Values] {
                let mut run = Run::new(shape);
                let mut expected = BTreeMap::<u32, Stat>::new();
                for (slot, stat) in &added {
                    let stat = if shape == Shape::Ones { Stat::ones(stat.count) } else { *stat };
                    run.add(*slot, stat);
                    expected.entry(*slot).and_modify(|seen| seen.merge(stat)).or_insert(stat);
                }
                let expected: Vec<_> = expected.into_iter().collect();
                prop_assert_eq!(&run.points(), &expected);
                let bytes = run.into_bytes();
                prop_assert_eq!(decode(shape, &bytes, 300), Some(expected));
            }
        }

        #[test]
        fn any_bytes_are_points_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            for shape in [Shape::Ones, Shape::Values] {
                if let Some(points) = decode(shape, &bytes, 240) {
                    prop_assert!(points.is_sorted_by(|(one, _), (next, _)| one < next));
                    prop_assert!(points.iter().all(|(slot, stat)| *slot < 240 && stat.count > 0));
                }
            }
        }

        #[test]
        fn a_number_is_read_as_it_was_written(number: u64, rest in proptest::collection::vec(any::<u8>(), 0..3)) {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            bytes.extend_from_slice(&rest);
            let mut left = bytes.as_slice();
            prop_assert_eq!(take(&mut left), Some(number));
            prop_assert_eq!(left, rest.as_slice());
        }
    }

    #[test]
    fn a_counter_has_two_or_three_bytes_a_point() {
        let mut run = Run::new(Shape::Ones);
        (0..240).for_each(|slot| run.add(slot, Stat::ones(u64::from(slot) * 50 + 1)));
        let len = run.into_bytes().len();
        assert!(len <= 3 * 240, "{len}");
    }
}
