//! One mapping of locked pages between two guard pages.
//!
//! `memfd_secret(2)` where the kernel has it, else anonymous memory with `mlock(2)`, `MADV_DONTDUMP` and `MADV_WIPEONFORK`.

use core::ptr::{NonNull, null_mut};

use crate::Protection;

/// The page size that guards are cut to; a multiple of every page size of the supported machines.
const GUARD_LEN: usize = 64 * 1024;
/// No supported machine has a smaller page.
const SMALLEST_PAGE: usize = 4096;

/// Mapped, locked, readable and writable bytes. Never unmapped.
pub(crate) struct Region {
    start: NonNull<u8>,
    len: usize,
    protection: Protection,
}

// SAFETY: a region is an address range; access to its bytes is the business of the slots cut from it.
unsafe impl Send for Region {}

impl Region {
    /// A new region of `len` zero bytes, a multiple of the page size; `None` where the system refuses.
    pub(crate) fn map(len: usize) -> Option<Self> {
        let reserved = reserve(len.checked_add(GUARD_LEN.checked_mul(2)?)?)?;
        // SAFETY: the reservation is longer than one guard, so the address stays inside it.
        let start = unsafe { reserved.add(GUARD_LEN) };
        if map_secret(start, len) {
            return Some(Self { start, len, protection: Protection::Secret });
        }
        map_locked(start, len).then_some(Self { start, len, protection: Protection::Locked })
    }

    pub(crate) fn protection(&self) -> Protection {
        self.protection
    }

    /// The address `offset` bytes into the region.
    pub(crate) fn at(&self, offset: usize) -> Option<NonNull<u8>> {
        // SAFETY: the offset is checked to lie inside the mapping.
        (offset < self.len).then(|| unsafe { self.start.add(offset) })
    }
}

/// Address space without access: what is not mapped over stays a guard.
fn reserve(len: usize) -> Option<NonNull<u8>> {
    // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches no memory in use.
    let address = unsafe {
        libc::mmap(
            null_mut(),
            len,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if address == libc::MAP_FAILED { None } else { NonNull::new(address.cast()) }
}

/// Maps secret memory over `[start, start + len)`; false, with the reservation as it was, where the kernel lacks it.
fn map_secret(start: NonNull<u8>, len: usize) -> bool {
    let Ok(size) = libc::off_t::try_from(len) else { return false };
    // SAFETY: the call takes flags only and returns a descriptor or an error.
    let descriptor = unsafe { libc::syscall(libc::SYS_memfd_secret, libc::O_CLOEXEC) };
    let Ok(descriptor) = libc::c_int::try_from(descriptor) else { return false };
    if descriptor < 0 {
        return false;
    }
    // SAFETY: the descriptor was just opened by us.
    let sized = unsafe { libc::ftruncate(descriptor, size) } == 0;
    let mapped = sized && {
        // SAFETY: `[start, start + len)` lies inside our own reservation, which nothing else uses. The pages are shared
        // with nobody: the descriptor is closed below and is not inherited. Secret memory is locked by itself.
        let address = unsafe {
            libc::mmap(
                start.as_ptr().cast(),
                len,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_FIXED,
                descriptor,
                0,
            )
        };
        address != libc::MAP_FAILED
    };
    // SAFETY: the descriptor is ours and is not used again; the mapping keeps the memory.
    unsafe { libc::close(descriptor) };
    // Fork would share the pages with a child; a system that refuses the advice gets the other kind of region.
    let kept_from_children = mapped && {
        // SAFETY: the range was mapped by us just above.
        unsafe { libc::madvise(start.as_ptr().cast(), len, libc::MADV_DONTFORK) == 0 }
    };
    kept_from_children && populate(start, len)
}

/// Makes every page of `[start, start + len)` exist; false where the system refuses one.
///
/// A refused page is a signal to whoever touches it. A system call that writes to it fails instead; `MADV_POPULATE_WRITE`
/// cannot do it, since it refuses secret memory with `EINVAL`.
fn populate(start: NonNull<u8>, len: usize) -> bool {
    (0..len).step_by(SMALLEST_PAGE).all(|offset| {
        // SAFETY: the caller has mapped the range, `offset` lies inside it, and the call writes one byte there. Not the
        // function of the C library, which may write without entering the kernel.
        unsafe {
            let byte = start.add(offset);
            let written = libc::syscall(libc::SYS_getrandom, byte.as_ptr(), 1usize, 0u32) == 1;
            if written {
                byte.write(0);
            }
            written
        }
    })
}

/// Maps anonymous memory over `[start, start + len)` and locks it.
fn map_locked(start: NonNull<u8>, len: usize) -> bool {
    // SAFETY: `[start, start + len)` lies inside our own reservation, which nothing else uses.
    let address = unsafe {
        libc::mmap(
            start.as_ptr().cast(),
            len,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
            -1,
            0,
        )
    };
    if address == libc::MAP_FAILED {
        return false;
    }
    // SAFETY: the range was mapped by us just above; none of the calls moves or unmaps it.
    unsafe {
        libc::mlock(address, len) == 0
            && libc::madvise(address, len, libc::MADV_DONTDUMP) == 0
            && libc::madvise(address, len, libc::MADV_WIPEONFORK) == 0
    }
}
