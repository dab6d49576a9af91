//! What the older of the two parsers of IAM reads: the letter case of an effect, dates, and ARNs.

use super::literal::Literals;
use super::{Members, texts};

pub(super) const TEXT: &str = "The policy failed legacy parsing";

pub(super) fn reads_statement(statement: &Members, literals: Literals) -> bool {
    let effect = texts(statement, "Effect");
    matches!(effect.as_slice(), ["Allow" | "Deny"]) && literals.take(statement.get("Condition"))
}

pub(super) fn reads_resource(resource: &str) -> bool {
    let colons = resource.matches(':').count();
    resource == "*"
        || (colons >= 5 || !resource.contains("::"))
            && resource.split(':').nth(2).is_none_or(|service| !service.is_empty())
}

/// Seconds of the epoch, or a date and what there is of a time.
pub(super) fn reads_date(text: &str) -> bool {
    if !text.contains(['-', 't', 'T']) {
        return within(text, 0, i64::MAX);
    }
    let (date, time) = text.split_once(['t', 'T']).unwrap_or((text, ""));
    reads_day(date) && (time.is_empty() || reads_time(time))
}

fn reads_day(text: &str) -> bool {
    let (sign, rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut parts = rest.split('-');
    let year = parts.next().and_then(|year| year.parse::<i64>().ok()).map(|year| year.saturating_mul(sign));
    let (month, day) = (parts.next(), parts.next());
    year.is_some_and(|year| (-292_275_054..=292_278_993).contains(&year))
        && month.is_none_or(|month| within(month, 1, 12))
        && day.is_none_or(|day| within(day, 1, 31))
        && parts.next().is_none()
}

fn reads_time(text: &str) -> bool {
    let (clock, offset) = match text.find(['+', 'z', 'Z']) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at..).unwrap_or_default()),
        None => (text, ""),
    };
    let mut parts = clock.splitn(3, ':');
    let (hours, minutes, seconds) = (parts.next(), parts.next(), parts.next());
    hours.is_none_or(|hours| within(hours, 0, 23))
        && minutes.is_none_or(|minutes| within(minutes, 0, 59))
        && seconds.is_none_or(reads_seconds)
        && reads_offset(offset)
}

fn reads_seconds(text: &str) -> bool {
    match text.split_once('.') {
        Some((whole, fraction)) => within(whole, 0, 59) && within(fraction, 0, 999_999_999),
        None => within(text, 0, 59),
    }
}

fn reads_offset(text: &str) -> bool {
    let two = |text: &str, last| text.len() == 2 && within(text, 0, last);
    match text.strip_prefix('+') {
        Some(offset) => match offset.split_once(':') {
            Some((hours, minutes)) => two(hours, 23) && two(minutes, 59),
            None => two(offset, 23),
        },
        None => text.is_empty() || text.eq_ignore_ascii_case("z"),
    }
}

fn within(text: &str, least: i64, most: i64) -> bool {
    text.parse::<i64>().is_ok_and(|number| (least..=most).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_iam_does() {
        for (text, expected) in [
            ("2017-07-01T00:00:00Z", true),
            ("2017-07-01", true),
            ("2017", true),
            ("-2017-07", true),
            ("2016-12-13t2:00:00.593194+10:59", true),
            ("2016-12-13t2:00:00", true),
            ("2016-12-13T2", true),
            ("2016-12-13z", false),
            ("1781524800", true),
            ("0", true),
            ("-292275054", true),
            ("292278993-12", true),
            ("2016-12-13t2:00:00+23:59", true),
            ("-292275055", false),
            ("292278994-01", false),
            ("2016-12-13t2:00:00+24:00", false),
            ("2016-12-13t2:00:00+10:60", false),
            ("sdfdsf", false),
            ("234-13", false),
            ("2016-12-32", false),
            ("2016-12-13-1", false),
            ("2016-12-13t24", false),
            ("2016-12-13t2:60", false),
            ("2016-12-13t2:00:60", false),
            ("2016-12-13t2:00:00.593194+1", false),
            ("2016-12-13t2:00:00.1999999999+10:59", false),
            ("2016-12-13t2:00:00Zx", false),
            ("9223372036854775808", false),
            ("", false),
        ] {
            assert_eq!(reads_date(text), expected, "{text}");
        }
    }

    #[test]
    fn arns_are_read_as_iam_does() {
        for (text, expected) in [
            ("*", true),
            ("arn:aws:s3:::b", true),
            ("arn:aws:fdsasf", true),
            ("arn:aws:s3::b", false),
            ("arn:aws::::b", false),
            ("arn:aws::fdsasf", false),
        ] {
            assert_eq!(reads_resource(text), expected, "{text}");
        }
    }
}
