//! A form: names with values, out of a body or a query string.
//!
//! INVARIANT: no name stands twice, every value is UTF-8, and there are at most [`Form::MOST`] of them. What is not of the
//! form is refused, not repaired: a repaired value is not the one that was signed. Source:
//! <https://url.spec.whatwg.org/#application/x-www-form-urlencoded>.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;

use percent_encoding::percent_decode_str;

use crate::query::error::{QueryError, QueryErrorCode};

/// The parameters of a request. They may hold secrets, so a form cannot be printed.
pub struct Form<'a>(BTreeMap<Cow<'a, str>, Cow<'a, str>>);

impl<'a> Form<'a> {
    /// The most parameters of a request; 500 queries of GetMetricData, the largest that an operation takes, have some thousands.
    pub const MOST: usize = 8192;

    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// Where it is not UTF-8, an escape is broken, a name is empty or stands twice, or there are too many.
    pub fn parse(text: &'a [u8]) -> Result<Self, QueryError> {
        let text = std::str::from_utf8(text).or(Err(malformed()))?;
        let mut parameters = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if name.is_empty() || parameters.len() >= Self::MOST || parameters.insert(name, value).is_some() {
                return Err(malformed());
            }
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(Cow::as_ref)
    }

    /// The parameters whose names start with `prefix`, in the order of the names.
    pub(crate) fn under(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let from = self.0.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let found = from.map(|(name, value)| (name.as_ref(), value.as_ref()));
        found.take_while(move |(name, _)| name.starts_with(prefix))
    }
}

// AWS: the text is unverified.
fn malformed() -> QueryError {
    QueryError::new(QueryErrorCode::MalformedQueryString, "The query string contains a syntax error.")
}

fn decoded(text: &str) -> Result<Cow<'_, str>, QueryError> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    let whole = |escape: &str| escape.bytes().take_while(u8::is_ascii_hexdigit).take(2).count() == 2;
    if !text.split('%').skip(1).all(whole) {
        return Err(malformed());
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().or(Err(malformed()))?;
    Ok(Cow::Owned(decoded.into_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::prelude::*;

    use super::*;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

    fn pairs(text: &[u8]) -> Option<Vec<(String, String)>> {
        let form = Form::parse(text).ok()?;
        Some(form.under("").map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn a_form_is_read_or_refused_but_not_repaired() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("a=1", Some(vec![("a", "1")])),
            ("a=1&&b=", Some(vec![("a", "1"), ("b", "")])),
            ("a", Some(vec![("a", "")])),
            ("a=b=c", Some(vec![("a", "b=c")])),
            ("a=x+y%2Bz%20%c3%a4", Some(vec![("a", "x y+z ä")])),
            ("%41=1", Some(vec![("A", "1")])),
            ("a=1&a=2", None),
            ("A=1&%41=2", None),
            ("=1", None),
            ("a=%", None),
            ("a=%4", None),
            ("a=%4g", None),
            ("a=%+1", None),
            ("a=%ff", None),
            ("a=%25%", None),
        ] {
            let expected = expected.map(|pairs| {
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
            });
            assert_eq!(pairs(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(pairs(b"a=\xff"), None);
    }

    #[test]
    fn a_form_has_a_bound() {
        let many = |count: usize| (0..count).map(|n| format!("p{n}=")).collect::<Vec<_>>().join("&");
        assert!(Form::parse(many(Form::MOST).as_bytes()).is_ok());
        assert!(Form::parse(many(Form::MOST + 1).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(sent in btree_map(".{1,8}", ".{0,8}", 0..8)) {
            let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let text: Vec<_> = sent.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
            prop_assert_eq!(pairs(text.join("&").as_bytes()), Some(sent.into_iter().collect()));
        }

        #[test]
        fn a_reader_of_arbitrary_bytes_does_not_panic(text in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ignored = Form::parse(&text).is_ok();
        }

        #[test]
        fn a_reader_of_escapes_does_not_panic(text in "[%&=+a0ä]{0,32}") {
            let _ignored = Form::parse(text.as_bytes()).is_ok();
        }
    }
}
