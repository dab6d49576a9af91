//! The size of a page.

use core::num::NonZeroUsize;

/// The default and the largest page of a list operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageLimit {
    pub(crate) default: NonZeroUsize,
    pub(crate) most: NonZeroUsize,
}

const FIFTY: NonZeroUsize = NonZeroUsize::new(50).unwrap();
const ONE_HUNDRED: NonZeroUsize = NonZeroUsize::new(100).unwrap();

impl PageLimit {
    /// ListKeys, ListKeyPolicies, ListKeyRotations.
    pub(crate) const KEYS: Self = Self { default: ONE_HUNDRED, most: NonZeroUsize::new(1000).unwrap() };
    /// ListAliases.
    pub(crate) const ALIASES: Self = Self { default: FIFTY, most: ONE_HUNDRED };
    /// ListGrants, ListRetirableGrants.
    pub(crate) const GRANTS: Self = Self { default: FIFTY, most: ONE_HUNDRED };
    /// ListResourceTags.
    pub(crate) const TAGS: Self = Self { default: FIFTY, most: FIFTY };

    /// The page for a request that asked for `limit`. More than the most is the most: a page may be shorter than asked.
    pub(crate) fn of(self, limit: Option<u32>) -> NonZeroUsize {
        let asked = limit.and_then(|limit| usize::try_from(limit).ok()).and_then(NonZeroUsize::new);
        asked.unwrap_or(self.default).min(self.most)
    }
}
