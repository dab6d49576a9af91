//! A JSON document as a tree that borrows from the request body.
//!
//! Text without an escape is not copied. A document is refused when it is not UTF-8, when a member stands twice
//! in an object, when it is nested deeper than [`DEPTH`], or when something follows it. Grammar: RFC 8259.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The deepest nesting of lists and objects that is read.
pub const DEPTH: usize = 32;

/// A JSON value.
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without fraction and exponent.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Json<'a>>),
    /// An object.
    Object(Object<'a>),
}

/// The members of an object, in the order of the document; no name stands twice.
pub struct Object<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Object<'a> {
    /// The member of this name; `None` when it is absent or `null`, which is the same to the API.
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
            .filter(|v| !matches!(v, Json::Null))
    }

    /// The members in the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json<'a>)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }
}

impl<'a> From<Vec<(Cow<'a, str>, Json<'a>)>> for Object<'a> {
    /// No name may stand twice.
    fn from(members: Vec<(Cow<'a, str>, Json<'a>)>) -> Self {
        Self(members)
    }
}

/// The document is not what [`parse`] reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a JSON document")]
pub struct MalformedJsonError;

/// Reads a whole document.
///
/// # Errors
/// The document is refused for one of the reasons at the top of this module.
pub fn parse(document: &[u8]) -> Result<Json<'_>, MalformedJsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(document);
    // The position and the cause are the caller's own bytes: an error of this module does not repeat them.
    let value = Value { depth: DEPTH }.deserialize(&mut deserializer).ok().ok_or(MalformedJsonError)?;
    deserializer.end().ok().ok_or(MalformedJsonError)?;
    Ok(value)
}

/// Reads one value, with `depth` levels left below it.
#[derive(Clone, Copy)]
struct Value {
    depth: usize,
}

impl Value {
    fn below<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { depth })
    }
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Json<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json::Integer(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json<'de>, A::Error> {
        let below = self.below()?;
        let mut elements = Vec::new();
        while let Some(element) = list.next_element_seed(below)? {
            elements.push(element);
        }
        Ok(Json::List(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let below = self.below()?;
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value_seed(below)?));
        }
        if has_duplicate(&members) {
            return Err(A::Error::custom("a member stands twice"));
        }
        Ok(Json::Object(Object(members)))
    }
}

/// Reads the name of a member.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Whether a name stands twice; linear in the length, however long the object is.
fn has_duplicate(members: &[(Cow<'_, str>, Json<'_>)]) -> bool {
    if members.len() <= FEW {
        let mut rest = members;
        while let Some(((name, _), tail)) = rest.split_first() {
            if tail.iter().any(|(other, _)| other == name) {
                return true;
            }
            rest = tail;
        }
        return false;
    }
    let mut seen = HashSet::with_capacity(members.len());
    !members.iter().all(|(name, _)| seen.insert(name.as_ref()))
}

/// Up to this many members, comparing each with each is faster than hashing.
const FEW: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_is_not_json_is_refused() {
        let deep = |n: usize| [vec![b'['; n], vec![b']'; n]].concat();
        let many = |last: &str| {
            let members: String = (0..FEW + 4).map(|n| format!("\"k{n}\":1,")).collect();
            format!("{{{members}\"{last}\":1}}").into_bytes()
        };
        for (document, ok) in [
            (b"{}".to_vec(), true),
            (b" {\"a\" : [1, -2.5e3, null, true, \"x\\u00e9\"]} ".to_vec(), true),
            (b"".to_vec(), false),
            (b"{".to_vec(), false),
            (b"{}{}".to_vec(), false),
            (b"{} x".to_vec(), false),
            (b"{\"a\":1,}".to_vec(), false),
            (b"{\"a\":1,\"a\":1}".to_vec(), false),
            (b"{\"a\":1,\"\\u0061\":1}".to_vec(), false),
            (b"{\"o\":{\"a\":1,\"a\":1}}".to_vec(), false),
            (b"{\"a\":NaN}".to_vec(), false),
            (b"{\"a\":01}".to_vec(), false),
            (b"{\"a\":\"\xff\"}".to_vec(), false),
            (b"{\"a\":\"\\ud800\"}".to_vec(), false),
            (b"\xef\xbb\xbf{}".to_vec(), false),
            (deep(DEPTH), true),
            (deep(DEPTH + 1), false),
            (many("last"), true),
            (many("k3"), false),
        ] {
            assert_eq!(parse(&document).is_ok(), ok, "{:?}", String::from_utf8_lossy(&document));
        }
    }

    #[test]
    fn text_without_an_escape_is_borrowed_from_the_document() {
        let Ok(Json::Object(object)) = parse(br#"{"plain":"text","escaped":"a\/b"}"#) else {
            panic!("an object")
        };
        assert!(matches!(object.get("plain"), Some(Json::Text(Cow::Borrowed("text")))));
        assert!(matches!(object.get("escaped"), Some(Json::Text(Cow::Owned(text))) if text == "a/b"));
    }

    #[test]
    fn a_null_member_is_an_absent_member() {
        let Ok(Json::Object(object)) = parse(br#"{"a":null}"#) else { panic!("an object") };
        assert!(object.get("a").is_none());
        assert_eq!(object.iter().count(), 1);
    }
}
