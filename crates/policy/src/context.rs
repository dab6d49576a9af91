//! The context of a request: condition keys and their values.
//!
//! Names are compared without regard to case, values are not. Two names that differ in case alone are one key with two values,
//! and which of them a condition means cannot be told: a condition on it cannot be decided.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::key::{ContextKey, EMPTY_HASH, KeyFamily, hash};

/// The keys of one request. Only what is in it is there: nothing is added.
#[derive(Clone, Debug, Default)]
pub struct Context<'a> {
    /// By hash of the name.
    entries: Vec<Entry<'a>>,
    /// Whether what is not in it is unknown, and not absent.
    is_open: bool,
}

/// The value of a key.
#[derive(Clone, Copy, Debug)]
pub enum ContextValue<'a> {
    /// Of a key that may have many values, as many as there are.
    Many(&'a [&'a str]),
    /// Of a key that has one value.
    One(&'a str),
}

/// The name of a key in a request.
#[derive(Clone, Copy, Debug)]
pub struct ContextName<'a> {
    hash: u64,
    /// The name is both, one after the other.
    family: &'static str,
    rest: &'a str,
}

#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    name: ContextName<'a>,
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
pub enum Found<'a> {
    /// Nothing.
    Absent,
    /// More than one key: the names differ in case alone.
    Ambiguous,
    /// What is not known, in a context that says so.
    Open,
    /// A value.
    Value(ContextValue<'a>),
}

impl<'a, N: Into<ContextName<'a>>> FromIterator<(N, ContextValue<'a>)> for Context<'a> {
    fn from_iter<I: IntoIterator<Item = (N, ContextValue<'a>)>>(keys: I) -> Self {
        let mut entries: Vec<_> =
            keys.into_iter().map(|(name, value)| Entry { name: name.into(), value }).collect();
        entries.sort_unstable_by_key(|entry| entry.name.hash);
        Self { entries, is_open: false }
    }
}

impl<'a> Context<'a> {
    /// The same keys, of a request of which no more is known: any other may have any value, or none. A key of this context
    /// that has many values and none of them is known to be absent.
    #[must_use]
    pub fn opened(self) -> Self {
        Self { is_open: true, ..self }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// The value of the key `name`; without values, it is absent.
    pub(crate) fn find(&self, name: &KeyName) -> Found<'a> {
        let start = self.entries.partition_point(|entry| entry.name.hash < name.hash);
        let same_hash = self.entries.iter().skip(start).take_while(|entry| entry.name.hash == name.hash);
        let mut same = same_hash.filter(|entry| entry.name.is(&name.name));
        match (same.next(), same.next()) {
            (None, None) if self.is_open => Found::Open,
            (None | Some(Entry { value: ContextValue::Many([]), .. }), None) => Found::Absent,
            (Some(entry), None) => Found::Value(entry.value),
            (_, Some(_)) => Found::Ambiguous,
        }
    }
}

impl<'a> ContextName<'a> {
    /// The key of `family` that goes on with `rest`, such as the key of a tag.
    #[must_use]
    pub fn of_family(family: KeyFamily, rest: &'a str) -> Self {
        Self { hash: hash(family.hash(), rest), family: family.prefix(), rest }
    }

    fn is(&self, name: &str) -> bool {
        let (start, rest) = name.as_bytes().split_at_checked(self.family.len()).unwrap_or_default();
        start.eq_ignore_ascii_case(self.family.as_bytes()) && rest.eq_ignore_ascii_case(self.rest.as_bytes())
    }
}

impl<'a> From<&'a str> for ContextName<'a> {
    fn from(name: &'a str) -> Self {
        Self { hash: hash(EMPTY_HASH, name), family: "", rest: name }
    }
}

impl From<ContextKey> for ContextName<'_> {
    fn from(key: ContextKey) -> Self {
        Self { hash: key.hash(), family: "", rest: key.name() }
    }
}

impl KeyName {
    pub(crate) fn new(name: &str) -> Self {
        Self { hash: hash(EMPTY_HASH, name), name: name.into() }
    }

    pub(crate) fn text(&self) -> &str {
        &self.name
    }
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
                Found::Open => "open",
                Found::Value(ContextValue::Many(_)) => "many",
                Found::Value(ContextValue::One(_)) => "one",
            };
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn names_of_one_hash_would_be_told_apart() {
        let tag = ContextName::of_family(KeyFamily::PrincipalTag, "Team");
        for (name, is) in [
            ("AWS:principaltag/team", true),
            ("aws:PrincipalTag/teal", false),
            ("aws:RequestedTag/team", false),
            ("aws:PrincipalTag/", false),
            ("team", false),
        ] {
            assert_eq!(tag.is(name), is, "{name}");
        }
    }

    #[test]
    fn a_name_is_the_same_however_it_is_made() {
        let family = |rest| ContextName::of_family(KeyFamily::PrincipalTag, rest);
        let context: Context<'_> = [
            (ContextKey::AwsUserName.into(), ContextValue::One("Alice")),
            (family("Team"), ContextValue::One("a")),
            (family(""), ContextValue::One("b")),
            (ContextName::from("aws:PrincipalTag/other"), ContextValue::One("c")),
        ]
        .into_iter()
        .collect();
        for (name, expected) in [
            ("aws:username", Some("Alice")),
            ("aws:principaltag/team", Some("a")),
            ("aws:PrincipalTag/", Some("b")),
            ("AWS:PrincipalTag/Other", Some("c")),
            ("aws:PrincipalTag", None),
            ("aws:PrincipalTagé", None),
            ("aws", None),
        ] {
            let found = match context.find(&KeyName::new(name)) {
                Found::Value(ContextValue::One(value)) => Some(value),
                Found::Absent | Found::Ambiguous | Found::Open | Found::Value(ContextValue::Many(_)) => None,
            };
            assert_eq!(found, expected, "{name}");
        }
    }
}
