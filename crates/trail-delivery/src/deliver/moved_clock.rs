//! The delivery under the clock of a test mode, which jumps and is set back.
//!
//! A digest is of a stretch of time, and its name has the end of it. So a jump forward is delivered as the stretches that it passes over;
//! and after a step back, which comes to the same names again, everything is delivered anew.

use std::fs;
use std::io;

use keyreeve_core::digest_keys::DigestKeys;
use keyreeve_domain::Timestamp;
use keyreeve_observe::layout::TOP;

use super::{Deliverer, DeliveryError, Options, aligned, chain_name, step};
use crate::folder::Folder;
use crate::state::{ChainState, State};

impl Deliverer {
    /// As [`Self::digest`] at the end of every stretch of time up to `to`, as long as `left` stretches are left; then once more at `to`, for
    /// all that remains.
    ///
    /// # Errors
    /// As [`Self::digest`]: then none of the digests was delivered.
    pub fn pass(&mut self, to: Timestamp, keys: &DigestKeys, left: &mut u32) -> Result<(), DeliveryError> {
        self.settle()?;
        let last = aligned(to, self.options.digest_seconds);
        let step = step(self.options.digest_seconds);
        let (mut next, mut prepared) = (self.state.clone(), Vec::new());
        while let Some(oldest) = next.chains.values().map(|chain| chain.end).min()
            && oldest < last
        {
            let end = Timestamp::from_millis(oldest.saturating_add(step));
            let end = aligned(end, self.options.digest_seconds).min(last);
            // Where none is left, one digest has all that remains.
            let end = if *left == 0 { last } else { end };
            *left = left.saturating_sub(1);
            self.prepare_digests(end, keys, &mut next, &mut prepared)?;
        }
        if prepared.is_empty() { Ok(()) } else { self.commit(next, &prepared) }
    }

    /// Whether something was delivered at a time that is still to come at `now`: the clock was set back since.
    #[must_use]
    pub fn is_ahead_of(&self, now: Timestamp) -> bool {
        let mut chains = self.state.chains.values();
        chains.any(|chain| chain.delivered.unwrap_or(chain.end).max(chain.end) > now.millis())
    }

    /// Removes what was delivered, and delivers everything that the segments have once more: names of files have their time, and a
    /// clock that was set back comes to it again. For a test mode alone.
    ///
    /// # Errors
    /// When that fails; the next call of anything goes on with it.
    pub fn begin_anew(&mut self, now: Timestamp) -> Result<(), DeliveryError> {
        let Options { names, account, digest_seconds, .. } = &self.options;
        let mut next = State::new(names, now.millis());
        next.digest_seconds = *digest_seconds;
        let start = ChainState { end: aligned(now, *digest_seconds), ..ChainState::default() };
        next.chains.insert(chain_name(*account, names.home), start);
        next.is_anew = true;
        // ORDER: the state, which says that the files are to go, before they do.
        next.write(&self.folder.private())?;
        self.state = next;
        self.settle()
    }
}

/// Removes the files of the delivery before, and notes that they are gone.
pub(super) fn sweep(folder: &Folder, state: &mut State) -> io::Result<()> {
    match fs::remove_dir_all(folder.place(&format!("{}{TOP}", state.prefix))) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    for entry in fs::read_dir(folder.staging())? {
        fs::remove_file(entry?.path())?;
    }
    state.is_anew = false;
    state.write(&folder.private())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Place, now};
    use crate::files;

    #[test]
    fn a_delivery_that_begins_anew_delivers_everything_once_more_and_leaves_nothing_of_before() {
        let mut place = Place::new();
        place.write(1);
        place.write(2);
        let (mut deliverer, _) = place.open();
        deliverer.deliver(now()).unwrap();
        assert_eq!(place.events(), 2);
        assert!(!deliverer.is_ahead_of(now()));
        let earlier = now().plus_millis(-86_400_000);
        assert!(deliverer.is_ahead_of(earlier));
        deliverer.begin_anew(earlier).unwrap();
        assert_eq!(place.events(), 0, "what was delivered is gone, and the folder whole");
        place.write(3);
        deliverer.deliver(earlier).unwrap();
        assert_eq!(place.events(), 3);
        assert!(!deliverer.is_ahead_of(earlier));
    }

    #[test]
    fn a_sweep_that_was_cut_off_is_ended_by_the_next_start() {
        let mut place = Place::new();
        place.write(1);
        let (mut deliverer, _) = place.open();
        deliverer.deliver(now()).unwrap();
        let path = deliverer.folder.private().join(crate::state::STATE_FILE);
        let kept = place.root().join("kept");
        std::fs::rename(place.root().join("AWSLogs"), &kept).unwrap();
        deliverer.begin_anew(now()).unwrap();
        // As the process left it that ended before the files were gone.
        let state = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let cut_off = format!("{},\"isAnew\":true}}", state.strip_suffix('}').unwrap());
        files::replace(&path, cut_off.as_bytes()).unwrap();
        std::fs::rename(&kept, place.root().join("AWSLogs")).unwrap();
        let (mut deliverer, _) = place.open();
        assert_eq!(place.events(), 0);
        deliverer.deliver(now()).unwrap();
        assert_eq!(place.events(), 1);
    }
}
