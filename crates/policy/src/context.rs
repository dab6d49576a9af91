//! The context of a request: condition keys and their values.
//!
//! Names are compared without regard to case, values are not. Two names that differ in case alone are one key with two values,
//! and which of them a condition means cannot be told: a condition on it cannot be decided.

use alloc::boxed::Box;
use alloc::vec::Vec;

/// The keys of one request. Only what is in it is there: nothing is added.
#[derive(Clone, Debug, Default)]
pub struct Context<'a> {
    /// By hash of the name.
    entries: Vec<Entry<'a>>,
}

/// The value of a key.
#[derive(Clone, Copy, Debug)]
pub enum ContextValue<'a> {
    /// Of a key that may have many values, as many as there are.
    Many(&'a [&'a str]),
    /// Of a key that has one value.
    One(&'a str),
}

#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    hash: u64,
    name: &'a str,
    value: ContextValue<'a>,
}

/// The name of a key in a policy.
#[derive(Clone, Debug)]
pub(crate) struct KeyName {
    hash: u64,
    name: Box<str>,
}

/// What the context has for a name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'a> {
    /// Nothing.
    Absent,
    /// More than one key.
    Ambiguous,
    /// A value.
    Value(ContextValue<'a>),
}

impl<'a> FromIterator<(&'a str, ContextValue<'a>)> for Context<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, ContextValue<'a>)>>(keys: I) -> Self {
        let entry = |(name, value)| Entry { hash: hash(name), name, value };
        let mut entries: Vec<_> = keys.into_iter().map(entry).collect();
        entries.sort_unstable_by_key(|entry| entry.hash);
        Self { entries }
    }
}

impl<'a> Context<'a> {
    /// The value of the key `name`; without values, it is absent.
    pub(crate) fn find(&self, name: &KeyName) -> Found<'a> {
        let start = self.entries.partition_point(|entry| entry.hash < name.hash);
        let same_hash = self.entries.iter().skip(start).take_while(|entry| entry.hash == name.hash);
        let mut same = same_hash.filter(|entry| entry.name.eq_ignore_ascii_case(&name.name));
        match (same.next(), same.next()) {
            (None | Some(Entry { value: ContextValue::Many([]), .. }), None) => Found::Absent,
            (Some(entry), None) => Found::Value(entry.value),
            (_, Some(_)) => Found::Ambiguous,
        }
    }
}

impl KeyName {
    pub(crate) fn new(name: &str) -> Self {
        Self { hash: hash(name), name: name.into() }
    }
}

/// FNV-1a over the name in lower case.
fn hash(name: &str) -> u64 {
    let mix = |hash: u64, byte: u8| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
    };
    name.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_whatever_its_case() {
        let context: Context<'_> = [
            ("aws:username", ContextValue::One("Alice")),
            ("kms:EncryptionContext:Dept", ContextValue::One("a")),
            ("KMS:encryptioncontext:DEPT", ContextValue::One("b")),
            ("aws:TagKeys", ContextValue::Many(&["x", "y"])),
            ("kms:ResourceAliases", ContextValue::Many(&[])),
        ]
        .into_iter()
        .collect();
        for name in ["aws:username", "AWS:UserName"] {
            let found = context.find(&KeyName::new(name));
            assert!(matches!(found, Found::Value(ContextValue::One("Alice"))), "{name}");
        }
        for (name, expected) in [
            ("aws:userid", "absent"),
            ("kms:ResourceAliases", "absent"),
            ("kms:EncryptionContext:dept", "ambiguous"),
            ("aws:tagkeys", "many"),
        ] {
            let found = match context.find(&KeyName::new(name)) {
                Found::Absent => "absent",
                Found::Ambiguous => "ambiguous",
                Found::Value(ContextValue::Many(_)) => "many",
                Found::Value(ContextValue::One(_)) => "one",
            };
            assert_eq!(found, expected, "{name}");
        }
    }
}
