//! Points in time: the W3C profile of ISO 8601, and seconds since the epoch.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>, which names
//! <https://www.w3.org/TR/NOTE-datetime>. Four digits are a year. A time without an offset is in UTC.

/// A point in time, by its order; fractions beyond a millisecond are cut off, as recorded answers of AWS have it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Instant {
    seconds: i64,
    millis: u32,
}

const DAY: i64 = 24 * 60 * 60;

impl Instant {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_year { calendar(text) } else { epoch(text).or_else(|| calendar(text)) }
    }
}

/// Seconds since the epoch: `1431648000`, `+1431648000`, `-1.5`.
fn epoch(text: &str) -> Option<Instant> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let seconds = digits(whole, whole.len())?;
    let millis = millis(fraction)?;
    match (negative, millis) {
        (false, _) => Some(Instant { seconds, millis }),
        (true, 0) => Some(Instant { seconds: -seconds, millis }),
        (true, _) => Some(Instant { seconds: -seconds - 1, millis: 1000 - millis }),
    }
}

/// `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, or the last with `Thh:mm`, `Thh:mm:ss` or `Thh:mm:ss.s` and `Z` or `±hh:mm`.
fn calendar(text: &str) -> Option<Instant> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |month| digits(month, 2))?;
    let day = parts.next();
    if parts.next().is_some() || time.is_some() && day.is_none() {
        return None;
    }
    let day = day.map_or(Some(1), |day| digits(day, 2))?;
    if !(1..=12).contains(&month) || !(1..=length_of_month(year, month)).contains(&day) {
        return None;
    }
    let midnight = days_since_epoch(year, month, day) * DAY;
    let Some(time) = time else { return Some(Instant { seconds: midnight, millis: 0 }) };
    let (clock, offset) = split_offset(time)?;
    let (clock, fraction) = match clock.split_once('.') {
        Some((clock, fraction)) => (clock, Some(millis(fraction)?)),
        None => (clock, None),
    };
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = parts.next();
    if parts.next().is_some() || second.is_none() && fraction.is_some() {
        return None;
    }
    let second = second.map_or(Some(0), |second| digits(second, 2))?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(Instant {
        seconds: midnight + hour * 3600 + minute * 60 + second - offset,
        millis: fraction.unwrap_or(0),
    })
}

/// The clock of a time, and its offset in seconds.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = time.rfind(['+', '-']) else { return Some((time, 0)) };
    let (clock, offset) = time.split_at_checked(at)?;
    let (sign, offset) = match offset.strip_prefix('-') {
        Some(offset) => (-1, offset),
        None => (1, offset.strip_prefix('+')?),
    };
    let (hours, minutes) = match offset.split_once(':') {
        Some(parts) => parts,
        None => offset.split_at_checked(2)?,
    };
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    (hours <= 23 && minutes <= 59).then_some((clock, sign * (hours * 3600 + minutes * 60)))
}

/// The number that exactly `length` digits are.
fn digits(text: &str, length: usize) -> Option<i64> {
    let well_formed = text.len() == length && length > 0 && text.bytes().all(|byte| byte.is_ascii_digit());
    // Leaves room for offsets and for a sign.
    text.parse().ok().filter(|number| well_formed && *number < i64::MAX / 2)
}

/// A fraction of a second, in milliseconds.
fn millis(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let padded = fraction.bytes().chain(core::iter::repeat(b'0')).take(3);
    Some(padded.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn length_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01; the year begins in March, so that the leap day is its last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let of_years = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    of_years + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_the_point_that_it_names() {
        for (text, seconds, millis) in [
            ("1970", 0, 0),
            ("1970-01", 0, 0),
            ("1970-01-01", 0, 0),
            ("1970-01-01T00:00Z", 0, 0),
            ("1970-01-01T00:00:00Z", 0, 0),
            ("1970-01-01T00:00:00.5Z", 0, 500),
            ("1970-01-01T01:00:00+01:00", 0, 0),
            ("1969-12-31T19:00:00-0500", 0, 0),
            ("1970-01-01T05:30:00+05:30", 0, 0),
            ("1969-12-31T20:15:00-03:45", 0, 0),
            ("1970-01-01T00:00:00", 0, 0),
            ("1969-12-31T23:59:59Z", -1, 0),
            ("2026-06-15T12:00:00Z", 1_781_524_800, 0),
            ("2026-06-15t12:00:00z", 1_781_524_800, 0),
            ("2024-02-29T00:00:00Z", 1_709_164_800, 0),
            ("2000-02-29", 951_782_400, 0),
            ("2016-12-31T23:59:60Z", 1_483_228_800, 0),
            ("0", 0, 0),
            ("1781524800", 1_781_524_800, 0),
            ("1781524800.25", 1_781_524_800, 250),
            ("+1781524800", 1_781_524_800, 0),
            ("1781524800.2509", 1_781_524_800, 250),
            ("1970-01-01T00:00:00.0009Z", 0, 0),
            ("1970-01-01T00:00:00.1239Z", 0, 123),
            ("-1", -1, 0),
            ("-1.25", -2, 750),
            ("0001-01-01", -62_135_596_800, 0),
            ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
        ] {
            assert_eq!(Instant::parse(text), Some(Instant { seconds, millis }), "{text}");
        }
    }

    #[test]
    fn what_is_no_point_in_time_is_none() {
        for text in [
            "",
            "now",
            "2026-13",
            "2026-00",
            "2026-02-29",
            "1900-02-29",
            "2100-02-29",
            "2026-04-31",
            "2026-6-15",
            "2026-06T12:00Z",
            "2026-06-15T24:00:00Z",
            "2026-06-15T12:60Z",
            "2026-06-15T12Z",
            "2026-06-15T12:00:00.Z",
            "2026-06-15T12:00.5Z",
            "2026-06-15T12:00:00+25:00",
            "2026-06-15T12:00:00Z ",
            "2026-06-15 12:00:00",
            "2026-06-15-01",
            "1.",
            ".5",
            "-",
            "--1",
            "+-1",
            "4611686018427387903",
            "9223372036854775807",
            "1e9",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
    }
}
