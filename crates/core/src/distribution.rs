//! How often which size occurred: what histograms are made of.
//!
//! Counting takes a few additions that wait for nobody.

use core::sync::atomic::{AtomicU64, Ordering};

/// Counts of sizes, by bounds that are known from the start.
#[derive(Debug)]
pub struct Distribution {
    bounds: &'static [u64],
    /// One for each bound, and one for what is beyond the last.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What was counted until now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Counted {
    /// Of each bound how many sizes are above the bound before and not above this one; at last, without a bound, the rest.
    pub buckets: Vec<(Option<u64>, u64)>,
    /// The sum of all sizes.
    pub sum: u64,
}

impl Distribution {
    /// Nothing counted yet. The bounds ascend.
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts =
            core::iter::repeat_with(AtomicU64::default).take(bounds.len().saturating_add(1)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Counts a size.
    pub fn count(&self, size: u64) {
        let at = self.bounds.partition_point(|bound| *bound < size);
        if let Some(count) = self.counts.get(at) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(size, Ordering::Relaxed);
    }

    /// What was counted until now.
    #[must_use]
    pub fn counted(&self) -> Counted {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        Counted { buckets: bounds.zip(counts).collect(), sum: self.sum.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_counted_below_the_first_bound_that_it_is_not_above() {
        let distribution = Distribution::new(&[1, 10]);
        for size in [0, 1, 2, 10, 11, 1000] {
            distribution.count(size);
        }
        let buckets = vec![(Some(1), 2), (Some(10), 2), (None, 2)];
        assert_eq!(distribution.counted(), Counted { buckets, sum: 1024 });
    }
}
