//! The resolutions that points are kept at, and for how long: those of CloudWatch.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#metrics-retention>.
//!
//! INVARIANT: a window of one level is made of whole windows of the level before.

const DAY: i64 = 86_400;

/// A resolution.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Level {
    /// Its number, in names and files.
    pub(crate) number: u8,
    /// Seconds of a point.
    pub(crate) step: i64,
    /// Seconds of a file.
    pub(crate) window: i64,
    /// Seconds that a file is kept.
    pub(crate) keep: i64,
}

pub(crate) const MINUTES: Level = Level { number: 0, step: 60, window: DAY / 6, keep: 15 * DAY };
pub(crate) const FIVE_MINUTES: Level = Level { number: 1, step: 300, window: DAY, keep: 63 * DAY };
pub(crate) const HOURS: Level = Level { number: 2, step: 3600, window: 8 * DAY, keep: 455 * DAY };
pub(crate) const LEVELS: [Level; 3] = [MINUTES, FIVE_MINUTES, HOURS];

impl Level {
    /// Where the window of `seconds` begins.
    pub(crate) fn start(self, seconds: i64) -> i64 {
        seconds.div_euclid(self.window).saturating_mul(self.window)
    }

    /// The point of a window that starts at `start` which `seconds` belong to.
    pub(crate) fn slot(self, start: i64, seconds: i64) -> u32 {
        u32::try_from(seconds.saturating_sub(start).div_euclid(self.step)).unwrap_or_default()
    }

    /// Points of a window.
    pub(crate) fn slots(self) -> u32 {
        u32::try_from(self.window / self.step).unwrap_or(u32::MAX)
    }

    /// The level of this number.
    pub(crate) fn numbered(number: u8) -> Option<Self> {
        LEVELS.into_iter().find(|level| level.number == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_made_of_whole_windows_of_the_level_before() {
        for [finer, coarser] in [[MINUTES, FIVE_MINUTES], [FIVE_MINUTES, HOURS]] {
            assert_eq!(coarser.window % finer.window, 0);
            assert_eq!(coarser.step % finer.step, 0);
            assert_eq!(finer.window % coarser.step, 0);
            assert!(finer.keep >= 2 * coarser.window, "what a window is made of is there until it is made");
        }
    }
}
