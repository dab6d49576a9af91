//! A bound on the work of one decision.
//!
//! A policy can be written to make each comparison as dear as possible. Whoever writes it pays with a refusal.

use core::cell::Cell;

/// What is left of the work that one decision may take.
#[derive(Debug)]
pub(crate) struct Fuel(Cell<u32>);

/// Comparisons, and steps of searches that are not linear. An ordinary decision takes some hundreds.
const FULL: u32 = 1 << 20;

impl Fuel {
    pub(crate) fn full() -> Self {
        Self(Cell::new(FULL))
    }

    /// Takes `amount`; whether it was there.
    pub(crate) fn spend(&self, amount: usize) -> bool {
        let amount = u32::try_from(amount).unwrap_or(u32::MAX);
        let left = self.0.get().checked_sub(amount);
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.get() == 0
    }

    /// What was taken so far.
    #[cfg(test)]
    pub(crate) fn spent(&self) -> u32 {
        FULL - self.0.get()
    }
}
