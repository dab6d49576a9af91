//! Where the library keeps parsed private keys: in locked memory, while there is room.
//!
//! The library allocates through three functions that can be set once. Those of this module hand out slots of
//! [`keyreeve_locked_memory`] to a thread that is inside [`locked`], and plain memory to all others. A block says in front of
//! itself what it is, so that any thread can give it back at any time:
//!
//! ```text
//! locked   LockedBytes, its owner (24 bytes) | size, with the highest bit set (8) | the bytes that the library gets
//! plain                                        size (8)                           | the bytes that the library gets
//! ```
//!
//! The plain form is the one that the library uses by itself, so that a block from before the functions were set can be
//! given back after. Whatever is given back is wiped.

use core::cell::Cell;
use core::ffi::{c_char, c_int, c_void};
use core::mem::size_of;
use core::ptr::{copy_nonoverlapping, null_mut};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;

use keyreeve_locked_memory::{LockedBytes, LockedMemoryError, MAX_LEN};

use crate::lc;

/// The size in front of every block.
const SIZE: usize = size_of::<usize>();
/// The owner and the size in front of a locked block.
const HEADER: usize = 32;
/// The highest bit of the size: the block is locked.
const LOCKED: usize = 1 << (usize::BITS - 1);

// INVARIANT: the owner fits in front of the size, and a slot, which is a power of two of at least 32 bytes, keeps the
// alignment that the library expects behind a header of 32.
const _: () = assert!(size_of::<LockedBytes>() + SIZE <= HEADER);
// INVARIANT: the library's own allocator writes the size into the eight bytes in front of a block, as the plain form does.
const _: () = assert!(SIZE == 8);

/// Bytes of locked memory that the library may hold.
static LIMIT: AtomicUsize = AtomicUsize::new(0);
/// Bytes of locked memory that the library holds, whole slots.
static HELD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Sets the functions, once for the process, and lets the library hold up to `limit` bytes of locked memory; from there on it
/// gets plain memory. Returns whether the functions are set.
///
/// The first call comes before any other thread uses the library, which reads the functions without a lock. Later calls
/// change the limit alone, at any time.
pub fn keep_locked(limit: usize) -> bool {
    static SET: OnceLock<bool> = OnceLock::new();
    LIMIT.store(limit, Ordering::Relaxed);
    *SET.get_or_init(|| {
        // SAFETY: the three functions agree with each other and with the library's own on the form of a plain block. No
        // other thread uses the library yet, as the documentation asks, so nobody reads them while they are written.
        unsafe { lc::CRYPTO_set_mem_functions(Some(allocate), Some(resize), Some(release)) == 1 }
    })
}

/// The bytes of locked memory that the library holds.
#[must_use]
pub fn locked_len() -> usize {
    HELD.load(Ordering::Relaxed)
}

/// Does `work`; what the library allocates in it on this thread lies in locked memory, while there is room.
pub fn locked<T>(work: impl FnOnce() -> T) -> T {
    /// Puts back what was before, also when `work` panics.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            INSIDE.set(self.0);
        }
    }
    let _restore = Restore(INSIDE.replace(true));
    work()
}

unsafe extern "C" fn allocate(size: usize, _file: *const c_char, _line: c_int) -> *mut c_void {
    allocate_as(INSIDE.get(), size)
}

/// # Safety
/// `block` is null or came from [`allocate_as`] or the library's own allocator, and was not given back.
unsafe extern "C" fn resize(
    block: *mut c_void,
    size: usize,
    file: *const c_char,
    line: c_int,
) -> *mut c_void {
    if block.is_null() {
        // SAFETY: no pointer is passed on.
        return unsafe { allocate(size, file, line) };
    }
    // SAFETY: the caller's contract.
    let (was_locked, old) = unsafe { size_of_block(block) };
    let new = allocate_as(was_locked || INSIDE.get(), size);
    if !new.is_null() {
        // SAFETY: both blocks are live, have the bytes that are copied, and are not the same.
        unsafe { copy_nonoverlapping(block.cast::<u8>(), new.cast::<u8>(), old.min(size)) };
        // SAFETY: the caller's contract; the block is not used again.
        unsafe { release(block, file, line) };
    }
    new
}

/// # Safety
/// As for [`resize`].
unsafe extern "C" fn release(block: *mut c_void, _file: *const c_char, _line: c_int) {
    if block.is_null() {
        return;
    }
    // SAFETY: the caller's contract.
    let (is_locked, size) = unsafe { size_of_block(block) };
    if is_locked {
        // SAFETY: a locked block has its owner in front of it, which is taken out once; dropping it wipes the slot.
        drop(unsafe { block.byte_sub(HEADER).cast::<LockedBytes>().read() });
        HELD.fetch_sub(slot_len(size), Ordering::Relaxed);
    } else {
        // SAFETY: a plain block starts with its size and came from `malloc`; it is wiped and given back once.
        unsafe {
            let start = block.byte_sub(SIZE);
            lc::OPENSSL_cleanse(start, size + SIZE);
            libc::free(start);
        }
    }
}

/// Whether a block is locked, and its size.
///
/// # Safety
/// As for [`resize`], and not null.
unsafe fn size_of_block(block: *const c_void) -> (bool, usize) {
    // SAFETY: every block has its size in front of it, aligned.
    let size = unsafe { block.byte_sub(SIZE).cast::<usize>().read() };
    (size & LOCKED != 0, size & !LOCKED)
}

fn allocate_as(locked: bool, size: usize) -> *mut c_void {
    let slot = if locked { take_slot(size) } else { None };
    slot.unwrap_or_else(|| take_plain(size))
}

fn take_plain(size: usize) -> *mut c_void {
    let Some(len) = size.checked_add(SIZE).filter(|len| len & LOCKED == 0) else { return null_mut() };
    // SAFETY: any length may be asked for.
    let start = unsafe { libc::malloc(len) };
    if start.is_null() {
        return start;
    }
    // SAFETY: the memory is ours, aligned for any type, and at least as long as a size.
    unsafe {
        start.cast::<usize>().write(size);
        start.byte_add(SIZE)
    }
}

/// `None` where the block is too large for a slot, or the limit or the system's is reached.
fn take_slot(size: usize) -> Option<*mut c_void> {
    let len = size.checked_add(HEADER).filter(|len| *len <= MAX_LEN)?;
    let slot = slot_len(size);
    if HELD.fetch_add(slot, Ordering::Relaxed).checked_add(slot)? > LIMIT.load(Ordering::Relaxed) {
        HELD.fetch_sub(slot, Ordering::Relaxed);
        return None;
    }
    let mut start = null_mut::<u8>();
    let owner = LockedBytes::init_with(len, |bytes| {
        start = bytes.as_mut_ptr();
        Ok::<_, LockedMemoryError>(())
    });
    let Ok(owner) = owner else {
        HELD.fetch_sub(slot, Ordering::Relaxed);
        return None;
    };
    // SAFETY: the slot has `len` bytes, aligned to at least 32, and until `release` takes the owner out nobody uses them
    // but the library, behind the header.
    unsafe {
        start.cast::<LockedBytes>().write(owner);
        start.add(HEADER - SIZE).cast::<usize>().write(size | LOCKED);
        Some(start.add(HEADER).cast())
    }
}

/// The length of the slot of a block of `size` bytes.
fn slot_len(size: usize) -> usize {
    size.saturating_add(HEADER).next_power_of_two()
}
