//! Points in time.

use alloc::format;
use alloc::string::String;

use time::OffsetDateTime;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

/// Milliseconds of one day.
const DAY: i64 = 24 * 60 * 60 * 1000;

impl Timestamp {
    /// The point `millis` milliseconds after the epoch.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This point, `days` days of 24 hours later; the last point that fits where that is too far.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.saturating_add(i64::from(days).saturating_mul(DAY)))
    }

    /// This point, `millis` milliseconds later.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this point; negative where `earlier` is later.
    #[must_use]
    pub fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// As CloudTrail writes a date inside the parameters and elements of an event, such as `Aug 10, 2022, 10:38:27 PM`.
    /// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/ct-importkeymaterial.html>.
    #[must_use]
    pub fn event_date(self) -> String {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let seconds = self.0.div_euclid(1000);
        let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let month = MONTHS.get(usize::from(u8::from(at.month())).saturating_sub(1)).copied();
        let (hour, minute, second) = at.to_hms();
        let (hour, half) = match hour {
            0 => (12, "AM"),
            1..=11 => (hour, "AM"),
            12 => (12, "PM"),
            _ => (hour - 12, "PM"),
        };
        let month = month.unwrap_or_default();
        format!("{month} {}, {}, {hour}:{minute:02}:{second:02} {half}", at.day(), at.year())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_as_cloudtrail_writes_it() {
        for (seconds, expected) in [
            (1_660_171_107, "Aug 10, 2022, 10:38:27 PM"),
            (1_660_089_600, "Aug 10, 2022, 12:00:00 AM"),
            (1_660_132_800, "Aug 10, 2022, 12:00:00 PM"),
            (1_660_093_265, "Aug 10, 2022, 1:01:05 AM"),
        ] {
            assert_eq!(Timestamp::from_millis(seconds * 1000).event_date(), expected);
        }
    }
}
