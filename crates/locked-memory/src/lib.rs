//! Memory for keys: locked, outside core dumps, wiped when it is given back.
//!
//! A [`LockedBytes`] lives in pages that are never swapped, are left out of core dumps and are not inherited by a child
//! process. Where the kernel offers `memfd_secret(2)` the pages are also removed from the kernel's own map, so that not
//! even `ptrace` or `/proc/PID/mem` can read them. Inaccessible guard pages stand on both sides of each region.
//!
//! This crate may write `unsafe`: mapping memory has no safe form. The other one that may is the interface to AWS-LC.

mod arena;
mod region;

use core::fmt;

/// The largest value that fits, in bytes.
pub const MAX_LEN: usize = 8192;

/// The system refused to lock more memory, or the value is longer than [`MAX_LEN`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "no locked memory left: raise the limit of locked memory (RLIMIT_MEMLOCK, `LimitMEMLOCK=` in a systemd unit)"
)]
pub struct LockedMemoryError;

/// Bytes in locked memory, wiped on drop.
///
/// Missing on purpose: `Clone`, `Debug` of the content, `PartialEq`, `Deref`, `Serialize`.
pub struct LockedBytes {
    slot: arena::Slot,
    len: usize,
}

impl LockedBytes {
    /// `len` bytes, filled in place by `fill`; nothing is kept where `fill` fails.
    ///
    /// # Errors
    /// [`LockedMemoryError`] as `E` where no locked memory is left; whatever `fill` returns.
    pub fn init_with<E: From<LockedMemoryError>>(
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut slot = arena::take(len)?;
        fill(slot.bytes_mut().get_mut(..len).ok_or(LockedMemoryError)?)?;
        Ok(Self { slot, len })
    }

    /// A copy of `bytes` in locked memory; the caller wipes the source.
    ///
    /// # Errors
    /// Where no locked memory is left.
    pub fn copy_of(bytes: &[u8]) -> Result<Self, LockedMemoryError> {
        Self::init_with(bytes.len(), |slot| {
            slot.copy_from_slice(bytes);
            Ok(())
        })
    }

    /// The bytes. Every call site says why it needs them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.slot.bytes().get(..self.len).unwrap_or_default()
    }

    /// The number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl fmt::Debug for LockedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockedBytes(..)")
    }
}

/// What the system gives for key material, for the log at start.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protection {
    /// Locked and left out of core dumps; a privileged process can still read it.
    Locked,
    /// Not even the kernel's own map holds the pages (`memfd_secret`).
    Secret,
}

/// The protection that this system gives.
///
/// # Errors
/// Where no memory can be locked at all.
pub fn protection() -> Result<Protection, LockedMemoryError> {
    arena::protection()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_were_filled() {
        for len in [0, 1, 31, 32, 33, 64, 100, 2400, MAX_LEN] {
            let filled = LockedBytes::init_with::<LockedMemoryError>(len, |slot| {
                slot.fill(0xa5);
                Ok(())
            })
            .unwrap();
            assert_eq!(filled.expose(), vec![0xa5; len], "{len} bytes");
        }
    }

    #[test]
    fn a_slot_is_wiped_before_it_is_used_again() {
        let first = LockedBytes::copy_of(&[7; 4000]).unwrap();
        drop(first);
        for _ in 0..64 {
            let next = LockedBytes::init_with::<LockedMemoryError>(4000, |slot| {
                assert!(slot.iter().all(|byte| *byte == 0));
                Ok(())
            })
            .unwrap();
            drop(next);
        }
    }

    #[test]
    fn more_than_the_largest_value_is_refused() {
        assert_eq!(LockedBytes::copy_of(&[0; MAX_LEN + 1]).err(), Some(LockedMemoryError));
    }

    #[test]
    fn values_do_not_overlap() {
        let all: Vec<_> = (0..=255u8).map(|n| LockedBytes::copy_of(&[n; 32]).unwrap()).collect();
        for (n, value) in (0..=255u8).zip(&all) {
            assert_eq!(value.expose(), [n; 32]);
        }
    }

    #[test]
    fn a_failed_fill_keeps_nothing() {
        let failed = LockedBytes::init_with(32, |slot| {
            slot.fill(9);
            Err(LockedMemoryError)
        });
        assert!(failed.is_err());
    }

    #[test]
    fn the_content_is_never_printed() {
        let value = LockedBytes::copy_of(b"secret").unwrap();
        assert_eq!(format!("{value:?}"), "LockedBytes(..)");
    }

    #[test]
    fn threads_share_the_arena_without_sharing_slots() {
        std::thread::scope(|scope| {
            for n in 0..8u8 {
                scope.spawn(move || {
                    for _ in 0..500 {
                        let value = LockedBytes::copy_of(&[n; 48]).unwrap();
                        assert_eq!(value.expose(), [n; 48]);
                    }
                });
            }
        });
    }
}
