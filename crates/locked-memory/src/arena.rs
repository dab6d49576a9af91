//! Slots of locked memory, by size class.
//!
//! A slot belongs to one owner at a time: the free list hands a pointer out once and takes it back, wiped, on drop.

use core::ptr::NonNull;
use std::sync::OnceLock;

use parking_lot::Mutex;
use zeroize::Zeroize;

use crate::region::Region;
use crate::{LockedMemoryError, MAX_LEN, Protection};

/// Sizes of slots in bytes: powers of two, the smallest fits a 256-bit key.
const CLASSES: [usize; 9] = [32, 64, 128, 256, 512, 1024, 2048, 4096, MAX_LEN];
/// Bytes of one region; a region serves one class.
const REGION_LEN: usize = 64 * 1024;

/// One slot, owned.
pub(crate) struct Slot {
    start: NonNull<u8>,
    class: usize,
}

// SAFETY: a slot is the only owner of its bytes, as a `Box<[u8]>` would be; nothing is bound to a thread.
unsafe impl Send for Slot {}
// SAFETY: shared references give out shared slices alone.
unsafe impl Sync for Slot {}

impl Slot {
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: `start` points at `len()` mapped, initialised (zero-filled) bytes that only this slot owns; regions are
        // never unmapped.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len()) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`; the exclusive borrow of the slot makes the slice exclusive.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len()) }
    }

    fn len(&self) -> usize {
        CLASSES.get(self.class).copied().unwrap_or_default()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        if let Some(free) = arena().classes.get(self.class) {
            free.lock().push(Free(self.start));
        }
    }
}

/// A slot of at least `len` bytes, all zero.
pub(crate) fn take(len: usize) -> Result<Slot, LockedMemoryError> {
    let class = CLASSES.iter().position(|size| *size >= len).ok_or(LockedMemoryError)?;
    let size = CLASSES.get(class).copied().ok_or(LockedMemoryError)?;
    let arena = arena();
    let mut free = arena.classes.get(class).ok_or(LockedMemoryError)?.lock();
    if free.is_empty() {
        let region = Region::map(REGION_LEN).ok_or(LockedMemoryError)?;
        for offset in (0..REGION_LEN).step_by(size).rev() {
            free.extend(region.at(offset).map(Free));
        }
        arena.regions.lock().push(region);
    }
    let start = free.pop().ok_or(LockedMemoryError)?.0;
    Ok(Slot { start, class })
}

/// The protection of the regions that this system maps.
pub(crate) fn protection() -> Result<Protection, LockedMemoryError> {
    drop(take(1)?);
    arena().regions.lock().first().map(Region::protection).ok_or(LockedMemoryError)
}

/// A slot that nobody owns.
struct Free(NonNull<u8>);

// SAFETY: a free slot is a plain address; whoever takes it out of the list owns the bytes.
unsafe impl Send for Free {}

#[derive(Default)]
struct Arena {
    classes: [Mutex<Vec<Free>>; CLASSES.len()],
    /// Mapped for the life of the process.
    regions: Mutex<Vec<Region>>,
}

fn arena() -> &'static Arena {
    static ARENA: OnceLock<Arena> = OnceLock::new();
    ARENA.get_or_init(Arena::default)
}
