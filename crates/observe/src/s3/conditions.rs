//! What a request for an object asks of it: preconditions, and a part of its bytes.
//!
//! Source: RFC 9110 sections 13 and 14; <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>.

use core::ops::RangeInclusive;
use std::time::SystemTime;

use http_range_header::parse_range_header;
use keyreeve_domain::Timestamp;

/// The headers that ask something of an object, as sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_modified_since: Option<String>,
    if_unmodified_since: Option<String>,
    range: Option<String>,
}

/// What comes of preconditions that do not hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Unmet {
    /// 304: whoever asks has the object.
    NotModified,
    /// 412: it is not the object that is meant.
    PreconditionFailed,
}

/// What of an object is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// These bytes.
    Bytes(RangeInclusive<u64>),
    /// Nothing that it has.
    None,
}

impl Conditions {
    /// The conditions among headers, by their names.
    pub(super) fn of<'a>(header: impl Fn(&'static str) -> Option<&'a str>) -> Self {
        let text = |name| header(name).map(str::to_owned);
        Self {
            if_match: text("if-match"),
            if_none_match: text("if-none-match"),
            if_modified_since: text("if-modified-since"),
            if_unmodified_since: text("if-unmodified-since"),
            range: text("range"),
        }
    }

    /// Whether an object with this tag, in its quotes, written at this time is the one that is asked for.
    pub(super) fn judge(&self, etag: &str, modified: Timestamp) -> Result<(), Unmet> {
        // Times of HTTP are whole seconds.
        let modified = modified.millis().div_euclid(1000);
        let since = |text: &Option<String>| text.as_deref().and_then(seconds);
        let is_expected = match &self.if_match {
            Some(tags) => names(tags, etag),
            None => since(&self.if_unmodified_since).is_none_or(|since| modified <= since),
        };
        if !is_expected {
            return Err(Unmet::PreconditionFailed);
        }
        let is_new = match &self.if_none_match {
            Some(tags) => !names(tags, etag),
            None => since(&self.if_modified_since).is_none_or(|since| modified > since),
        };
        if is_new { Ok(()) } else { Err(Unmet::NotModified) }
    }

    /// What is asked for of `len` bytes. S3 knows one range in a request, and reads one that is none, or more of them, for all.
    pub(super) fn part(&self, len: u64) -> Part {
        let range = self.range.as_deref().filter(|range| !range.contains(','));
        let Some(Ok(range)) = range.map(parse_range_header) else { return Part::Whole };
        match range.validate(len).as_deref() {
            Ok([range]) if range.end() < &len => Part::Bytes(range.clone()),
            Ok(_) | Err(_) => Part::None,
        }
    }

    /// The precondition that an object is held against first, as its header is called.
    pub(super) fn precondition(&self) -> &'static str {
        if self.if_match.is_some() { "If-Match" } else { "If-Unmodified-Since" }
    }

    /// The range, as sent.
    pub(super) fn range(&self) -> Option<&str> {
        self.range.as_deref()
    }
}

/// Whether a list of tags names this one. S3 takes tags without their quotes, too.
fn names(tags: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    let etag = bare(etag);
    tags.trim() == "*" || tags.split(',').any(|tag| bare(tag) == etag)
}

/// The seconds since 1970 of a date of HTTP; nothing where it is none.
fn seconds(text: &str) -> Option<i64> {
    let at = httpdate::parse_http_date(text).ok()?;
    i64::try_from(at.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAG: &str = "\"0123\"";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    #[test]
    fn preconditions_are_judged_in_the_order_of_http() {
        for (headers, expected) in [
            (&[][..], Ok(())),
            (&[("if-match", TAG)], Ok(())),
            (&[("if-match", "0123")], Ok(())),
            (&[("if-match", "*")], Ok(())),
            (&[("if-match", "\"a\", \"0123\"")], Ok(())),
            (&[("if-match", "\"01\"")], Err(Unmet::PreconditionFailed)),
            (&[("if-none-match", TAG)], Err(Unmet::NotModified)),
            (&[("if-none-match", "W/\"0123\"")], Err(Unmet::NotModified)),
            (&[("if-none-match", "\"01\"")], Ok(())),
            (&[("if-modified-since", BEFORE)], Ok(())),
            (&[("if-modified-since", THEN)], Err(Unmet::NotModified)),
            (&[("if-modified-since", "yesterday")], Ok(())),
            (&[("if-unmodified-since", BEFORE)], Err(Unmet::PreconditionFailed)),
            (&[("if-unmodified-since", THEN)], Ok(())),
            (&[("if-unmodified-since", AFTER)], Ok(())),
            // A tag is asked in place of a time.
            (&[("if-match", TAG), ("if-unmodified-since", BEFORE)], Ok(())),
            (&[("if-none-match", "\"01\""), ("if-modified-since", AFTER)], Ok(())),
            (&[("if-none-match", TAG), ("if-modified-since", BEFORE)], Err(Unmet::NotModified)),
            (&[("if-match", "\"01\""), ("if-none-match", TAG)], Err(Unmet::PreconditionFailed)),
        ] {
            let header = |name| headers.iter().find(|(held, _)| *held == name).map(|(_, value)| *value);
            let judged = Conditions::of(header).judge(TAG, Timestamp::from_millis(784_111_777_999));
            assert_eq!(judged, expected, "{headers:?}");
        }
    }

    #[test]
    fn a_range_is_what_an_object_has_of_it() {
        for (range, len, expected) in [
            (None, 10, Part::Whole),
            (Some("bytes=0-0"), 10, Part::Bytes(0..=0)),
            (Some("bytes=2-5"), 10, Part::Bytes(2..=5)),
            (Some("bytes=2-"), 10, Part::Bytes(2..=9)),
            (Some("bytes=2-99"), 10, Part::Bytes(2..=9)),
            (Some("bytes=-3"), 10, Part::Bytes(7..=9)),
            (Some("bytes=10-"), 10, Part::None),
            (Some("bytes=10-12"), 10, Part::None),
            (Some("bytes=0-0"), 0, Part::None),
            (Some("bytes=0-1,4-5"), 10, Part::Whole),
            (Some("bytes=5-2"), 10, Part::Whole),
            (Some("bytes=a-b"), 10, Part::Whole),
            (Some("lines=0-1"), 10, Part::Whole),
            (Some(""), 10, Part::Whole),
        ] {
            let part = Conditions::of(|name| range.filter(|_| name == "range")).part(len);
            assert_eq!(part, expected, "{range:?} of {len}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_asked_for_is_inside_of_the_object(range in "bytes=[0-9]{0,3}-[0-9]{0,3}", len in 0u64..300) {
            if let Part::Bytes(bytes) = Conditions::of(|name| Some(range.as_str()).filter(|_| name == "range")).part(len) {
                assert!(bytes.start() <= bytes.end() && *bytes.end() < len, "{range} of {len}: {bytes:?}");
            }
        }
    }
}
