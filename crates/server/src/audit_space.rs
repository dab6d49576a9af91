//! The room that is left for the audit trail: a warning in time, and a reserve.
//!
//! Without room for its record no request is answered. So a file beside the segments holds some room; it is given up when the disk
//! is nearly full, at the latest by the write that finds it full, and taken again once there is plenty.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::fs::{FallocateFlags, fallocate};

/// How much room there is, as it was seen last.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Space {
    /// Bytes that are free; none where that could not be found out.
    pub(crate) free: Option<u64>,
    /// Bytes that the reserve holds.
    pub(crate) reserve: u64,
    /// Whether less is free than is to be warned of.
    pub(crate) is_low: bool,
}

/// The room of one directory.
pub(crate) struct AuditSpace {
    directory: PathBuf,
    reserve: u64,
    warn_below: u64,
    seen: Mutex<Space>,
    /// Whether the file system cannot hold room for a file.
    gave_up: Mutex<bool>,
}

impl AuditSpace {
    /// That of `directory`, with a reserve of so many bytes, and a warning below so many.
    pub(crate) fn new(directory: &Path, reserve: u64, warn_below: u64) -> Self {
        Self {
            directory: directory.to_owned(),
            reserve,
            warn_below,
            seen: Mutex::default(),
            gave_up: Mutex::new(false),
        }
    }

    /// As it was seen last.
    pub(crate) fn seen(&self) -> Space {
        *self.seen.lock()
    }

    /// Whether there is no room for records; asks the system.
    pub(crate) fn is_full(&self) -> bool {
        self.free().is_some_and(|free| free < ENOUGH)
    }

    /// Looks now and then, on a thread of its own for as long as the process lives: the disk may be slow, and a runtime that is
    /// out of threads would have to end.
    ///
    /// # Errors
    /// Where the system has no thread.
    pub(crate) fn watch(self: Arc<Self>) -> io::Result<()> {
        let thread = thread::Builder::new().name("audit-space".to_owned());
        thread.spawn(move || {
            loop {
                self.look(self.free());
                thread::sleep(LOOK);
            }
        })?;
        Ok(())
    }

    fn free(&self) -> Option<u64> {
        let room = rustix::fs::statvfs(&self.directory).ok()?;
        Some(room.f_bavail.saturating_mul(room.f_frsize))
    }

    /// Does what is to be done where so many bytes are free.
    fn look(&self, free: Option<u64>) {
        let mut held = fs::metadata(self.file()).map_or(0, |metadata| metadata.len());
        let Some(free) = free else {
            *self.seen.lock() = Space { free: None, reserve: held, is_low: false };
            return;
        };
        let plenty = self.warn_below.saturating_add(self.reserve.saturating_mul(2));
        if held > 0 && (free < self.reserve / 2 || self.reserve == 0) {
            if self.remove() != Removed::Failed {
                held = 0;
            }
        } else if held == 0 && self.reserve > 0 && free >= plenty && !*self.gave_up.lock() {
            match self.take() {
                Ok(()) => held = self.reserve,
                Err(error) => {
                    *self.gave_up.lock() = true;
                    tracing::warn!(%error, "no room can be held in reserve for the audit trail");
                }
            }
        }
        let is_low = free < self.warn_below;
        let before =
            core::mem::replace(&mut *self.seen.lock(), Space { free: Some(free), reserve: held, is_low });
        match (before.is_low, is_low) {
            (false, true) => tracing::warn!(free, "little room is left for the audit trail"),
            (true, false) => tracing::info!(free, "there is room for the audit trail again"),
            (false, false) | (true, true) => {}
        }
    }

    /// Gives up the reserve because the disk is full, whatever was seen of it last; whether there is some room now.
    pub(crate) fn give_up(&self) -> bool {
        match self.remove() {
            Removed::Now => {
                self.seen.lock().reserve = 0;
                true
            }
            // Another writer was faster, and what it gave up is enough for all of them.
            Removed::Before => self.free().is_some_and(|free| free >= ENOUGH),
            Removed::Failed => false,
        }
    }

    fn remove(&self) -> Removed {
        match fs::remove_file(self.file()) {
            Ok(()) => {
                if self.reserve > 0 {
                    tracing::error!("the disk is nearly full: the reserve of the audit trail was given up");
                }
                Removed::Now
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Removed::Before,
            Err(error) => {
                tracing::error!(%error, "the reserve of the audit trail could not be given up");
                Removed::Failed
            }
        }
    }

    fn take(&self) -> io::Result<()> {
        let beside = self.directory.join(BESIDE);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        let taken = fallocate(&file, FallocateFlags::empty(), 0, self.reserve).map_err(io::Error::from);
        match taken.and_then(|()| fs::rename(&beside, self.file())) {
            Ok(()) => Ok(()),
            Err(error) => {
                fs::remove_file(&beside)?;
                Err(error)
            }
        }
    }

    fn file(&self) -> PathBuf {
        self.directory.join(RESERVE)
    }
}

/// What became of the reserve.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Removed {
    /// There was none.
    Before,
    Failed,
    Now,
}

/// Bytes for the records that wait to be written.
const ENOUGH: u64 = 1 << 20;
/// From one look to the next.
const LOOK: Duration = Duration::from_secs(1);
/// The file that holds room.
const RESERVE: &str = "reserve";
/// The same before it is whole.
const BESIDE: &str = "reserve.new";

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_reserve_is_held_while_there_is_plenty_and_given_up_before_the_disk_is_full() {
        let directory = tempfile::tempdir().unwrap();
        let space = AuditSpace::new(directory.path(), 4 * MIB, 100 * MIB);
        for (free, reserve, is_low) in [
            (107, 0, false),
            (108, 4, false),
            (101, 4, false),
            (99, 4, true),
            (2, 4, true),
            (1, 0, true),
            (50, 0, true),
            (107, 0, false),
            (200, 4, false),
        ] {
            space.look(Some(free * MIB));
            let expected = Space { free: Some(free * MIB), reserve: reserve * MIB, is_low };
            assert_eq!(space.seen(), expected, "{free}");
            assert_eq!(directory.path().join(RESERVE).exists(), reserve > 0, "{free}");
        }
        space.look(None);
        assert_eq!(space.seen(), Space { free: None, reserve: 4 * MIB, is_low: false });
        // An option that was changed is followed.
        AuditSpace::new(directory.path(), 0, 100 * MIB).look(Some(200 * MIB));
        assert!(!directory.path().join(RESERVE).exists());
    }

    #[test]
    fn whoever_finds_the_disk_full_gives_up_the_reserve_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let space = AuditSpace::new(directory.path(), 4 * MIB, 0);
        space.look(Some(100 * MIB));
        assert!(space.give_up());
        assert_eq!((space.seen().reserve, directory.path().join(RESERVE).exists()), (0, false));
        // There is none any more; a disk that has room for another reason is tried again as well.
        assert_eq!(space.give_up(), space.free().unwrap() >= ENOUGH);
    }

    #[test]
    fn the_reserve_holds_room() {
        use std::os::unix::fs::MetadataExt;

        let directory = tempfile::tempdir().unwrap();
        AuditSpace::new(directory.path(), 4 * MIB, 0).look(Some(100 * MIB));
        let held = fs::metadata(directory.path().join(RESERVE)).unwrap();
        assert!(held.blocks() * 512 >= 4 * MIB, "{}", held.blocks());
    }
}
