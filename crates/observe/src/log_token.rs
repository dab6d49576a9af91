//! Where a reader of the log group has come to, and how far he reads.
//!
//! Whoever reads makes events in what he reads. So a reading goes through the second in which it began and no farther, however long
//! that takes, and has an end. A stream goes on from its end once that was told for a while.
//!
//! Events are in the order of their seconds, and in no certain one within a second: of one that is not over, there is more to come
//! anywhere. So what was shown of the last second of a reading is kept by itself, and the reading goes on before that second.

use keyreeve_core::Cx;
use keyreeve_domain::Timestamp;

use crate::archive::Place;
use crate::refusal::Refusal;

/// For how long the end of a stream stays where it is, in milliseconds.
const STAYS: i64 = 5_000;
/// Milliseconds of a second.
const SECOND: i64 = 1_000;

/// What a token of a page holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LogToken {
    /// The next page begins after it; with the first event where there is none.
    pub(crate) after: Option<Place>,
    /// When the reading began.
    since: Timestamp,
    /// The last event of each stream that was shown before its second was over.
    shown: Vec<Place>,
}

impl LogToken {
    /// A reading that begins now, with the first event.
    pub(crate) fn beginning(now: Timestamp) -> Self {
        Self { after: None, since: now, shown: Vec::new() }
    }

    /// The same reading, after another place.
    pub(crate) fn at(&self, after: Option<Place>) -> Self {
        Self { after, ..self.clone() }
    }

    /// A reading that begins now where this one has come to; nothing while its end stays where it is.
    pub(crate) fn anew(&self, now: Timestamp) -> Option<Self> {
        (now.millis_since(self.since) >= STAYS).then(|| Self { since: now, ..self.clone() })
    }

    /// The last second of the reading.
    fn end(&self) -> i64 {
        self.since.millis().div_euclid(SECOND).saturating_mul(SECOND)
    }

    /// Whether the reading comes to an event.
    pub(crate) fn reaches(&self, place: &Place) -> bool {
        place.time <= self.end()
    }

    /// Whether there may be more to come before an event.
    pub(crate) fn is_open(&self, place: &Place) -> bool {
        place.time >= self.end()
    }

    /// Whether an event was shown before its second was over.
    pub(crate) fn has_shown(&self, place: &Place) -> bool {
        let is_of = |shown: &&Place| shown.stream == place.stream && shown.time == place.time;
        self.shown.iter().find(is_of).is_some_and(|shown| place.sequence <= shown.sequence)
    }

    /// Notes that a page with `places` was shown, in order. `is_whole` says that none was left out between where the reading was and
    /// the first of them.
    pub(crate) fn come_to(&mut self, places: &[Place], is_whole: bool) {
        let (over, open): (Vec<_>, Vec<_>) = places.iter().partition(|place| !self.is_open(place));
        if over.is_empty() && !is_whole {
            // AWS: unverified. What is yet to come in this second before the last of them is passed over.
            self.after = places.last().cloned();
            return;
        }
        if let Some(last) = over.last() {
            self.after = Some((*last).clone());
            self.shown.retain(|shown| shown.time > last.time);
        }
        for place in open {
            self.shown.retain(|shown| shown.stream != place.stream || shown.time != place.time);
            self.shown.push(place.clone());
        }
    }

    /// The token, for the request that `scope` stands for.
    pub(crate) fn write(&self, cx: &Cx<'_>, scope: &str) -> Result<String, Refusal> {
        cx.service.marker(scope, self.to_string().as_bytes()).map_err(|error| {
            tracing::error!(%error, "a request failed inside");
            Refusal::internal()
        })
    }

    /// Reads what [`LogToken::write`] has written for such a request.
    pub(crate) fn read(cx: &Cx<'_>, scope: &str, token: &str) -> Option<Self> {
        let text = String::from_utf8(cx.service.read_marker(scope, token).ok()?).ok()?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('|');
        let since = Timestamp::from_millis(parts.next()?.parse().ok()?);
        let after = match parts.next()? {
            "" => None,
            after => Some(place(after)?),
        };
        Some(Self { after, since, shown: parts.map(place).collect::<Option<_>>()? })
    }
}

fn place(text: &str) -> Option<Place> {
    let mut parts = text.splitn(3, ' ');
    let (time, stream, sequence) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Place { time: time.parse().ok()?, stream: stream.to_owned(), sequence: sequence.parse().ok()? })
}

impl core::fmt::Display for LogToken {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}|", self.since.millis())?;
        if let Some(Place { time, stream, sequence }) = &self.after {
            write!(f, "{time} {stream} {sequence}")?;
        }
        for Place { time, stream, sequence } in &self.shown {
            write!(f, "|{time} {stream} {sequence}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: i64, stream: &str, sequence: u64) -> Place {
        Place { time, stream: stream.to_owned(), sequence }
    }

    #[test]
    fn a_token_is_read_back() {
        let places = [at(-1, "a", 0), at(i64::MAX, "worker-3", u64::MAX)];
        for after in [None, Some(at(5, "b", 7))] {
            for shown in [&places[..0], &places[..1], &places] {
                let since = Timestamp::from_millis(1_800_000_000_123);
                let token = LogToken { after: after.clone(), since, shown: shown.to_vec() };
                assert_eq!(LogToken::parse(&token.to_string()), Some(token));
            }
        }
        for text in ["", "1", "|", "x|", "1|1 a", "1|1 a 2|", "1||3", "1|1 a x"] {
            assert_eq!(LogToken::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_reading_ends_with_the_second_in_which_it_began() {
        let token = LogToken::beginning(Timestamp::from_millis(5_999));
        for (time, reached, open) in [(4_000, true, false), (5_000, true, true), (6_000, false, true)] {
            let place = at(time, "a", 0);
            assert_eq!((token.reaches(&place), token.is_open(&place)), (reached, open), "{time}");
        }
        assert_eq!(token.anew(Timestamp::from_millis(5_999 + STAYS - 1)), None);
        assert!(token.anew(Timestamp::from_millis(5_999 + STAYS)).unwrap().reaches(&at(10_000, "a", 0)));
    }

    #[test]
    fn what_was_shown_is_not_shown_again_and_what_came_in_its_second_is() {
        let token = LogToken::beginning(Timestamp::from_millis(5_500));
        let page = [at(4_000, "a", 1), at(5_000, "a", 2), at(5_000, "a", 3), at(5_000, "c", 8)];
        let behind = |places: &[Place], is_whole| {
            let mut token = token.clone();
            token.come_to(places, is_whole);
            token
        };
        let mut there = behind(&page, false);
        assert_eq!(there.after, Some(page[0].clone()));
        for (place, shown) in [
            (at(5_000, "a", 2), true),
            (at(5_000, "a", 3), true),
            (at(5_000, "a", 4), false),
            (at(5_000, "b", 1), false),
            (at(5_000, "c", 9), false),
            (at(6_000, "c", 8), false),
        ] {
            assert_eq!(there.has_shown(&place), shown, "{place:?}");
        }
        there.come_to(&[at(5_000, "b", 1)], true);
        assert!(there.has_shown(&at(5_000, "b", 1)) && there.has_shown(&page[3]));
        assert_eq!(behind(&page[1..], true).after, None);
        assert_eq!(behind(&page[1..], false).after, Some(page[3].clone()));
        let mut later = there.anew(Timestamp::from_millis(50_000)).unwrap();
        later.come_to(&[at(7_000, "a", 9)], true);
        assert_eq!((later.after, later.shown), (Some(at(7_000, "a", 9)), Vec::new()));
    }
}
