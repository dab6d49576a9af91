//! Requests out of CBOR, and answers as CBOR: RFC 8949.
//!
//! A document is refused when it holds what no member can be, when a name stands twice in a map, when it is nested deeper than
//! [`DEPTH`], or when something follows it. Only tag 1, a point in time, is known. What is written has no lengths ahead.

use std::borrow::Cow;

use keyreeve_domain::Timestamp;
use minicbor::data::Type;
use minicbor::{Decoder, Encoder};

use crate::json::{DEPTH, Json, Object};
use crate::query::{QueryOutput, Sink};
use crate::value::SensitiveText;

/// The document is not what [`parse`] reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a CBOR document")]
pub(super) struct MalformedCborError;

impl From<minicbor::decode::Error> for MalformedCborError {
    // The position and the cause are the caller's own bytes: an error of this module does not repeat them.
    fn from(_: minicbor::decode::Error) -> Self {
        Self
    }
}

/// Reads a whole document.
pub(super) fn parse(document: &[u8]) -> Result<Json<'_>, MalformedCborError> {
    let mut decoder = Decoder::new(document);
    let value = value(&mut decoder, DEPTH)?;
    if decoder.position() == document.len() { Ok(value) } else { Err(MalformedCborError) }
}

fn value<'d>(decoder: &mut Decoder<'d>, depth: usize) -> Result<Json<'d>, MalformedCborError> {
    let below = || depth.checked_sub(1).ok_or(MalformedCborError);
    Ok(match decoder.datatype()? {
        Type::Bool => Json::Bool(decoder.bool()?),
        Type::Null => {
            decoder.null()?;
            Json::Null
        }
        Type::Undefined => {
            decoder.undefined()?;
            Json::Null
        }
        Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::I8
        | Type::I16
        | Type::I32
        | Type::I64
        | Type::Int => Json::Integer(decoder.int()?.into()),
        Type::F16 => Json::Float(half(decoder)?),
        Type::F32 => Json::Float(decoder.f32()?.into()),
        Type::F64 => Json::Float(decoder.f64()?),
        Type::String | Type::StringIndef => Json::Text(text(decoder)?),
        Type::Array | Type::ArrayIndef => {
            let (mut left, below) = (decoder.array()?, below()?);
            let mut elements = Vec::new();
            while more(decoder, &mut left)? {
                elements.push(value(decoder, below)?);
            }
            Json::List(elements)
        }
        Type::Map | Type::MapIndef => {
            let (mut left, below) = (decoder.map()?, below()?);
            let mut members: Vec<(Cow<'d, str>, Json<'d>)> = Vec::new();
            while more(decoder, &mut left)? {
                let name = text(decoder)?;
                // No structure of the API has many members.
                if members.len() >= MEMBERS_MOST || members.iter().any(|(other, _)| *other == name) {
                    return Err(MalformedCborError);
                }
                members.push((name, value(decoder, below)?));
            }
            Json::Object(Object::from(members))
        }
        Type::Tag => {
            let below = below()?;
            if decoder.tag()?.as_u64() != TIME {
                return Err(MalformedCborError);
            }
            match value(decoder, below)? {
                seconds @ (Json::Integer(_) | Json::Float(_)) => seconds,
                Json::Null | Json::Bool(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => {
                    return Err(MalformedCborError);
                }
            }
        }
        Type::Bytes | Type::BytesIndef | Type::Simple | Type::Break | Type::Unknown(_) => {
            return Err(MalformedCborError);
        }
    })
}

/// Whether another element follows.
fn more(decoder: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, MalformedCborError> {
    if let Some(left) = left {
        let Some(rest) = left.checked_sub(1) else { return Ok(false) };
        *left = rest;
        return Ok(true);
    }
    if decoder.datatype()? != Type::Break {
        return Ok(true);
    }
    decoder.set_position(decoder.position().saturating_add(1));
    Ok(false)
}

fn text<'d>(decoder: &mut Decoder<'d>) -> Result<Cow<'d, str>, MalformedCborError> {
    if decoder.datatype()? == Type::String {
        return Ok(Cow::Borrowed(decoder.str()?));
    }
    let chunks = decoder.str_iter()?.collect::<Result<Vec<_>, _>>()?;
    Ok(Cow::Owned(chunks.concat()))
}

/// A number of 16 bits, RFC 8949 appendix D.
fn half(decoder: &mut Decoder<'_>) -> Result<f64, MalformedCborError> {
    let at = decoder.position();
    let bytes = decoder.input().get(at..at.saturating_add(3)).ok_or(MalformedCborError)?;
    let [_, high, low] = *bytes else { return Err(MalformedCborError) };
    decoder.set_position(at.saturating_add(3));
    let bits = u16::from_be_bytes([high, low]);
    let (exponent, fraction) = (i32::from((bits >> 10) & 0x1f), f64::from(bits & 0x3ff));
    let size = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (fraction + 1024.0) * 2_f64.powi(exponent.saturating_sub(25)),
    };
    Ok(if bits & 0x8000 == 0 { size } else { -size })
}

/// The tag of a point in time.
const TIME: u64 = 1;
/// The most members of a map.
const MEMBERS_MOST: usize = 256;

/// Appends an answer.
pub(super) fn write<O: QueryOutput>(output: &O, out: &mut Vec<u8>) {
    let mut sink = Members { out: Encoder::new(out), open: Vec::new(), key: None };
    sink.open(Level::Structure);
    output.write_members(&mut sink);
    sink.end("");
}

/// Appends an error.
pub(super) fn write_error(kind: &str, message: &str, out: &mut Vec<u8>) {
    let mut sink = Members { out: Encoder::new(out), open: Vec::new(), key: None };
    sink.open(Level::Structure);
    sink.text("__type", kind);
    sink.text("message", message);
    sink.end("");
}

#[derive(Clone, Copy)]
enum Level {
    List,
    Structure,
}

struct Members<'o> {
    out: Encoder<&'o mut Vec<u8>>,
    open: Vec<Level>,
    /// The key of the entry of a map that is next.
    key: Option<String>,
}

/// Writing to a `Vec` never fails.
type Written<'e, 'o> =
    Result<&'e mut Encoder<&'o mut Vec<u8>>, minicbor::encode::Error<std::convert::Infallible>>;

impl<'o> Members<'o> {
    fn put(&mut self, write: impl for<'e> FnOnce(&'e mut Encoder<&'o mut Vec<u8>>) -> Written<'e, 'o>) {
        write(&mut self.out).map(drop).unwrap_or_default();
    }

    fn open(&mut self, level: Level) {
        self.open.push(level);
        self.put(|out| match level {
            Level::List => out.begin_array(),
            Level::Structure => out.begin_map(),
        });
    }

    fn name(&mut self, name: &str) {
        let key = self.key.take();
        if let Some(Level::Structure) = self.open.last() {
            self.put(|out| out.str(key.as_deref().unwrap_or(name)));
        }
    }
}

impl Sink for Members<'_> {
    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        self.put(|out| out.str(text));
    }

    fn secret(&mut self, name: &str, text: &SensitiveText) {
        // EXPOSE: the answer carries the value.
        self.text(name, text.expose());
    }

    fn boolean(&mut self, name: &str, value: bool) {
        self.name(name);
        self.put(|out| out.bool(value));
    }

    fn integer(&mut self, name: &str, number: u32) {
        self.name(name);
        self.put(|out| out.u32(number));
    }

    fn double(&mut self, name: &str, number: f64) {
        self.name(name);
        self.put(|out| out.f64(number));
    }

    fn timestamp(&mut self, name: &str, at: Timestamp) {
        self.name(name);
        let seconds = at.millis().to_string().parse::<f64>().unwrap_or_default() / 1000.0;
        self.put(|out| out.tag(minicbor::data::Tag::new(TIME))?.f64(seconds));
    }

    fn begin(&mut self, name: &str) {
        self.name(name);
        self.open(Level::Structure);
    }

    fn end(&mut self, _: &str) {
        self.open.pop();
        self.put(Encoder::end);
    }

    fn begin_list(&mut self, name: &str) {
        self.name(name);
        self.open(Level::List);
    }

    fn begin_entry(&mut self, key: &str) {
        self.key = Some(key.to_owned());
    }

    fn end_entry(&mut self) {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(json: &Json<'_>) -> String {
        match json {
            Json::Null => "null".to_owned(),
            Json::Bool(value) => value.to_string(),
            Json::Integer(number) => number.to_string(),
            Json::Float(number) => format!("{number:?}"),
            Json::Text(text) => format!("{text:?}"),
            Json::List(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(",")),
            Json::Object(object) => {
                let members: Vec<_> =
                    object.iter().map(|(name, value)| format!("{name}:{}", shown(value))).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }

    #[test]
    fn a_document_is_read_or_refused() {
        let deep = |n: usize| [vec![0x81; n], vec![0xf6]].concat();
        for (document, expected) in [
            (b"\xa0".to_vec(), Some("{}")),
            (b"\xbf\xff".to_vec(), Some("{}")),
            (b"\xa1\x61a\x01".to_vec(), Some("{a:1}")),
            (b"\xbf\x61a\x20\x61b\xf5\xff".to_vec(), Some("{a:-1,b:true}")),
            (b"\xa1\x61a\x9f\x01\xf6\xff".to_vec(), Some("{a:[1,null]}")),
            (b"\xa1\x61a\x7f\x61x\x62yz\xff".to_vec(), Some("{a:\"xyz\"}")),
            (b"\xa1\x61a\xc1\xfb\x41\xd9\x5c\x40\x00\x00\x00\x00".to_vec(), Some("{a:1701904384.0}")),
            (b"\xa1\x61a\xf9\x3e\x00".to_vec(), Some("{a:1.5}")),
            (b"\xa1\x61a\xf9\xfc\x00".to_vec(), Some("{a:-inf}")),
            (b"\xa1\x61a\xf9\x00\x01".to_vec(), Some("{a:5.960464477539063e-8}")),
            (b"\xa1\x61a\xfa\x3f\xc0\x00\x00".to_vec(), Some("{a:1.5}")),
            (b"\xa1\x61a\x1b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(), Some("{a:18446744073709551615}")),
            (b"\xa2\x61a\x01\x61a\x02".to_vec(), None),
            (b"\xa1\x01\x01".to_vec(), None),
            (b"\xa0\xa0".to_vec(), None),
            (b"\xa1\x61a".to_vec(), None),
            (b"\xa1\x61a\x41a".to_vec(), None),
            (b"\xa1\x61a\xc2\x01".to_vec(), None),
            (b"\xa1\x61a\xc1\x61a".to_vec(), None),
            (b"\xa1\x61\xff\x01".to_vec(), None),
            (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(), None),
            (b"\xff".to_vec(), None),
            (b"".to_vec(), None),
            (deep(DEPTH + 1), None),
        ] {
            let read = parse(&document).ok().map(|json| shown(&json));
            assert_eq!(read.as_deref(), expected, "{document:02x?}");
        }
        assert!(parse(&deep(DEPTH)).is_ok());
    }

    proptest! {
        #[test]
        fn a_reader_of_arbitrary_bytes_does_not_panic(document in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ignored = parse(&document).is_ok();
        }
    }
}
