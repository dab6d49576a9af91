//! The time of a request.

use core::fmt;

use keyreeve_domain::time::Timestamp;
use time::format_description::well_known::Rfc2822;
use time::{Date, Month, OffsetDateTime};

/// A time to the second in the form `20150830T123600Z`: ISO 8601, basic format, UTC.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct AmzDate {
    text: [u8; 16],
    seconds: i64,
}

impl AmzDate {
    /// Reads exactly `YYYYMMDDTHHMMSSZ`.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text: [u8; 16] = text.try_into().ok()?;
        let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = text else {
            return None;
        };
        let pair = |high: u8, low: u8| {
            (high.is_ascii_digit() && low.is_ascii_digit()).then(|| (high - b'0') * 10 + (low - b'0'))
        };
        let year = i32::from(pair(y1, y2)?) * 100 + i32::from(pair(y3, y4)?);
        let month = Month::try_from(pair(mo1, mo2)?).ok()?;
        let date = Date::from_calendar_date(year, month, pair(d1, d2)?).ok()?;
        let moment = date.with_hms(pair(h1, h2)?, pair(mi1, mi2)?, pair(s1, s2)?).ok()?;
        Some(Self { text, seconds: moment.assume_utc().unix_timestamp() })
    }

    /// Reads the value of a `Date` header: ISO 8601 basic format, or the form of RFC 9110 section 5.6.7.
    pub(crate) fn parse_date_header(text: &[u8]) -> Option<Self> {
        Self::parse(text).or_else(|| {
            let text = core::str::from_utf8(text).ok()?;
            Self::from_seconds(OffsetDateTime::parse(text, &Rfc2822).ok()?.unix_timestamp())
        })
    }

    /// The second that `now` lies in; years outside 0 to 9999 are clamped to the epoch.
    #[must_use]
    pub fn from_timestamp(now: Timestamp) -> Self {
        Self::clamped(now.millis().div_euclid(1000))
    }

    /// This time moved by `seconds`.
    pub(crate) fn plus_seconds(self, seconds: i64) -> Self {
        Self::clamped(self.seconds.saturating_add(seconds))
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: 16 ASCII bytes.
        core::str::from_utf8(&self.text).unwrap_or_default()
    }

    /// The first eight digits: the date of a credential scope.
    #[must_use]
    pub fn day(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }

    /// Seconds since the epoch.
    pub(crate) fn seconds(self) -> i64 {
        self.seconds
    }

    fn clamped(seconds: i64) -> Self {
        const EPOCH: AmzDate = AmzDate { text: *b"19700101T000000Z", seconds: 0 };
        Self::from_seconds(seconds).unwrap_or(EPOCH)
    }

    fn from_seconds(seconds: i64) -> Option<Self> {
        let moment = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
        let year = u16::try_from(moment.year()).ok().filter(|year| *year <= 9999)?;
        let [y1, y2] = digits(u8::try_from(year / 100).ok()?);
        let [y3, y4] = digits(u8::try_from(year % 100).ok()?);
        let [mo1, mo2] = digits(u8::from(moment.month()));
        let [d1, d2] = digits(moment.day());
        let [h1, h2] = digits(moment.hour());
        let [mi1, mi2] = digits(moment.minute());
        let [s1, s2] = digits(moment.second());
        let text = [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'];
        Some(Self { text, seconds })
    }
}

impl fmt::Debug for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn digits(value: u8) -> [u8; 2] {
    [b'0' + value / 10 % 10, b'0' + value % 10]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_reads_only_in_basic_format_or_as_an_http_date() {
        for (text, seconds) in [
            ("19700101T000000Z", Some(0)),
            ("20150830T123600Z", Some(1_440_938_160)),
            ("20240229T235959Z", Some(1_709_251_199)),
            ("Sun, 30 Aug 2015 12:36:00 GMT", Some(1_440_938_160)),
            ("20230229T000000Z", None),
            ("20150830T243600Z", None),
            ("2015-08-30T12:36:00Z", None),
            ("20150830T123600", None),
            ("20150830T123600z", None),
            ("+0150830T123600Z", None),
            ("", None),
            ("now", None),
        ] {
            let date = AmzDate::parse_date_header(text.as_bytes());
            assert_eq!(date.map(AmzDate::seconds), seconds, "{text:?}");
        }
    }

    #[test]
    fn text_and_seconds_agree() {
        for seconds in [0, 951_782_400, 1_440_938_160, 4_102_444_800, 253_402_300_799] {
            let date = AmzDate::from_timestamp(Timestamp::from_millis(seconds * 1000 + 999));
            assert_eq!(date.seconds(), seconds);
            assert_eq!(AmzDate::parse(date.as_str().as_bytes()), Some(date));
        }
        assert_eq!(AmzDate::from_timestamp(Timestamp::from_millis(i64::MAX)).as_str(), "19700101T000000Z");
    }
}
