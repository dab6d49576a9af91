//! The size of a page.

use core::num::NonZeroUsize;

/// The default and the largest page of a list operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageLimit {
    pub(crate) default: NonZeroUsize,
    pub(crate) most: NonZeroUsize,
}

impl PageLimit {
    /// ListKeys, ListKeyPolicies, ListKeyRotations.
    pub(crate) const KEYS: Self = Self::new(100, 1000);
    /// ListAliases.
    pub(crate) const ALIASES: Self = Self::new(50, 100);
    /// ListResourceTags.
    pub(crate) const TAGS: Self = Self::new(50, 50);

    const fn new(default: usize, most: usize) -> Self {
        Self { default: NonZeroUsize::new(default).unwrap(), most: NonZeroUsize::new(most).unwrap() }
    }

    /// The page for a request that asked for `limit`. More than the most is the most: a page may be shorter than asked.
    pub(crate) fn of(self, limit: Option<u32>) -> NonZeroUsize {
        let asked = limit.and_then(|limit| usize::try_from(limit).ok()).and_then(NonZeroUsize::new);
        asked.unwrap_or(self.default).min(self.most)
    }
}
