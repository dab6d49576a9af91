//! The functions that hand memory to the library, in a process of their own.

use core::ffi::c_void;
use std::thread;

#[cfg(feature = "fips")]
use aws_lc_fips_sys as lc;
#[cfg(not(feature = "fips"))]
use aws_lc_sys as lc;
use keyreeve_aws_lc_ffi::memory::{keep_locked, locked, locked_len};

/// A block of the library, filled.
struct Block(*mut c_void);

// SAFETY: a block is bound to no thread.
unsafe impl Send for Block {}

fn take(len: usize) -> Block {
    // SAFETY: the block is ours until it is given back, and has `len` bytes.
    unsafe {
        let block = lc::OPENSSL_malloc(len);
        assert!(!block.is_null() && block.cast::<usize>().is_aligned());
        block.cast::<u8>().write_bytes(0xa5, len);
        Block(block)
    }
}

fn resize(block: Block, len: usize) -> Block {
    // SAFETY: the block is live, and is not used again.
    Block(unsafe { lc::OPENSSL_realloc(block.0, len) })
}

/// Whether the first `len` bytes are as they were filled; gives the block back.
fn give_back(block: Block, len: usize) -> bool {
    // SAFETY: the block is live, has at least `len` bytes, and is not used again.
    unsafe {
        let bytes = core::slice::from_raw_parts(block.0.cast::<u8>(), len);
        let intact = bytes.iter().all(|byte| *byte == 0xa5);
        lc::OPENSSL_free(block.0);
        intact
    }
}

#[test]
fn blocks_are_locked_inside_alone_and_can_always_be_given_back() {
    let (before, resized) = (take(100), take(100));
    assert!(keep_locked(64 * 1024) && keep_locked(64 * 1024));
    assert!(give_back(before, 100) && give_back(resize(resized, 300), 100), "blocks from before");
    assert!(give_back(take(0), 0) && give_back(take(5000), 5000));
    assert_eq!(locked_len(), 0, "outside");

    for (len, slot) in [(0, 32), (1, 64), (32, 64), (33, 128), (224, 256), (225, 512), (8160, 8192)] {
        let block = locked(|| take(len));
        assert_eq!(locked_len(), slot, "{len}");
        assert!(give_back(block, len) && locked_len() == 0, "{len}");
    }
    for len in [8161, 65536, 1 << 20] {
        let block = locked(|| take(len));
        assert_eq!(locked_len(), 0, "{len} bytes are too many for a slot");
        assert!(give_back(block, len));
    }

    // A block stays what it is when it grows or shrinks, until it is too large.
    let block = resize(resize(locked(|| take(100)), 1000), 50);
    assert_eq!(locked_len(), 128);
    let block = resize(block, 20_000);
    assert_eq!(locked_len(), 0);
    assert!(give_back(block, 50));

    // What does not fit in the limit is plain; what fits again is locked again.
    let all: Vec<_> = (0..40).map(|_| locked(|| take(2000))).collect();
    assert_eq!(locked_len(), 64 * 1024);
    // Another thread, which never was inside, gives them back.
    let intact = thread::spawn(move || all.into_iter().all(|block| give_back(block, 2000))).join();
    assert!(intact.is_ok_and(|intact| intact));
    assert_eq!(locked_len(), 0);
    assert!(keep_locked(0));
    assert!(give_back(locked(|| take(10)), 10) && locked_len() == 0);

    // Inside ends with the work, also where the work panics.
    assert!(keep_locked(64 * 1024));
    let panicked = thread::spawn(|| {
        let caught = std::panic::catch_unwind(|| locked(|| std::panic::resume_unwind(Box::new(()))));
        let block = take(10);
        (caught.is_err(), locked_len(), give_back(block, 10))
    });
    assert_eq!(panicked.join().ok(), Some((true, 0, true)));
    let nested = locked(|| {
        locked(|| ());
        take(10)
    });
    assert_eq!(locked_len(), 64);
    assert!(give_back(nested, 10));
}
