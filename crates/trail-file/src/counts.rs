//! What the trails of a directory have written.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use keyreeve_core::distribution::Distribution;

/// Lines of one write, as they are told apart.
const LINES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128];

/// What the trails of a directory have written since it was opened.
#[derive(Debug)]
pub struct WriteCounts {
    bytes: AtomicU64,
    failures: AtomicU64,
    /// Whether the last write was refused.
    refused: AtomicBool,
    /// Trails that are broken for good.
    broken: AtomicU64,
    lines: Arc<Distribution>,
}

impl Default for WriteCounts {
    fn default() -> Self {
        let lines = Arc::new(Distribution::new(LINES));
        Self {
            bytes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            refused: AtomicBool::new(false),
            broken: AtomicU64::new(0),
            lines,
        }
    }
}

impl WriteCounts {
    pub(crate) fn wrote(&self, lines: u64, bytes: u64) {
        self.lines.count(lines);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.refused.load(Ordering::Relaxed) {
            self.refused.store(false, Ordering::Relaxed);
        }
    }

    pub(crate) fn refused(&self) {
        self.failed();
        self.refused.store(true, Ordering::Relaxed);
    }

    pub(crate) fn broke(&self) {
        self.failed();
        self.broken.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes of all lines.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Writes, and beginnings of segments, that the disk refused.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Whether appends fail as far as is known: the last write was refused, or a trail is broken for good.
    #[must_use]
    pub fn is_refusing(&self) -> bool {
        self.refused.load(Ordering::Relaxed) || self.broken.load(Ordering::Relaxed) > 0
    }

    /// Lines by write: how many requests have shared one. Its sum is all lines.
    #[must_use]
    pub fn lines(&self) -> Arc<Distribution> {
        Arc::clone(&self.lines)
    }
}
