//! JSON, read without leniency: no member twice, no nesting beyond [`MAX_DEPTH`].
//!
//! The faults carry our own words: what the parser underneath says does not reach a caller.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// How deep lists and objects may lie in one another. AWS: unverified.
pub(crate) const MAX_DEPTH: usize = 32;

/// A JSON value. A number is kept as text: a policy compares it with texts.
#[derive(Debug)]
pub(crate) enum Value {
    Boolean(bool),
    List(Vec<Value>),
    Null,
    Number(String),
    Object(BTreeMap<String, Value>),
    Text(String),
}

/// Why a text is not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// It is nested too deep.
    Depth,
    /// An object has a member twice.
    Duplicate,
    /// It is no JSON.
    Syntax,
}

/// Reads one value, which is the whole of `text`.
pub(crate) fn parse(text: &str) -> Result<Value, Fault> {
    let fault = Cell::new(Fault::Syntax);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Nested { left: MAX_DEPTH, fault: &fault }.deserialize(&mut deserializer);
    let value = value.or(Err(fault.get()))?;
    deserializer.end().or(Err(Fault::Syntax))?;
    Ok(value)
}

/// A value that may have `left` levels below it.
#[derive(Clone, Copy)]
struct Nested<'f> {
    left: usize,
    fault: &'f Cell<Fault>,
}

impl Nested<'_> {
    fn below<E: Error>(self) -> Result<Self, E> {
        let left = self.left.checked_sub(1).ok_or_else(|| self.fail(Fault::Depth))?;
        Ok(Self { left, ..self })
    }

    fn fail<E: Error>(self, fault: Fault) -> E {
        self.fault.set(fault);
        E::custom("")
    }
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut object = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.insert(name, members.next_value_seed(below)?).is_some() {
                return Err(self.fail(Fault::Duplicate));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{borrow::ToOwned, format};

    use super::*;

    #[test]
    fn each_fault_is_told_from_the_others() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for (text, fault) in [
            (r#"{"a":[1,-1,1.5,true,null,"x",{}]}"#.to_owned(), None),
            (nested(32), None),
            (nested(33), Some(Fault::Depth)),
            (nested(100_000), Some(Fault::Depth)),
            (r#"{"a":"#.repeat(33), Some(Fault::Depth)),
            (r#"{"a":1,"a":1}"#.into(), Some(Fault::Duplicate)),
            (r#"{"a":1,"\u0061":1}"#.into(), Some(Fault::Duplicate)),
            (r#"[{"b":{"a":1,"a":2}}]"#.into(), Some(Fault::Duplicate)),
            ("{} {}".into(), Some(Fault::Syntax)),
            ("{,}".into(), Some(Fault::Syntax)),
            (String::new(), Some(Fault::Syntax)),
        ] {
            assert_eq!(parse(&text).err(), fault, "{text}");
        }
    }
}
