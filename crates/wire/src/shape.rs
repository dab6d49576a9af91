//! Shapes of the service model at run time: what a value is and which limits it has.

use crate::pattern::Pattern;

/// A named shape with its limits.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    name: &'static str,
    kind: Kind,
    min: Option<u32>,
    max: Option<u32>,
    pattern: Option<Pattern>,
    sensitive: bool,
}

/// What the values of a shape are.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Bytes, base64 on the wire; limits count the decoded bytes.
    Blob,
    /// `true` or `false`.
    Boolean,
    /// A number, with a fraction or without.
    Double,
    /// One of a set of texts.
    Enumeration {
        /// The set, in the order of the service model.
        values: &'static [&'static str],
        /// What an error text lists; AWS KMS has orders, and even sets, of its own.
        listed: &'static [&'static str],
    },
    /// A whole number.
    Integer,
    /// Values of one shape; limits count the elements.
    List(&'static Shape),
    /// Pairs of text and text.
    Map,
    /// Named members.
    Structure(&'static [Member]),
    /// Text; limits count characters.
    Text,
    /// A point in time, seconds since the epoch on the wire.
    Timestamp,
}

/// A member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The name on the wire.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it holds.
    pub shape: &'static Shape,
}

impl Shape {
    pub(crate) const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, min: None, max: None, pattern: None, sensitive: false }
    }

    /// Limits the value of a number, the length of anything else.
    pub(crate) const fn limits(mut self, min: u32, max: u32) -> Self {
        self.min = Some(min);
        self.max = Some(max);
        self
    }

    pub(crate) const fn min_of(mut self, min: u32) -> Self {
        self.min = Some(min);
        self
    }

    pub(crate) const fn max_of(mut self, max: u32) -> Self {
        self.max = Some(max);
        self
    }

    pub(crate) const fn pattern_of(mut self, pattern: Pattern) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// Error texts never repeat a value of this shape.
    pub(crate) const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// The name in the service model.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What the values are.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The least value of a number, the least length of anything else.
    pub const fn min(&self) -> Option<u32> {
        self.min
    }

    /// The greatest value of a number, the greatest length of anything else.
    pub const fn max(&self) -> Option<u32> {
        self.max
    }

    /// The pattern of a text.
    pub const fn pattern(&self) -> Option<Pattern> {
        self.pattern
    }

    /// Whether the value may be secret.
    pub const fn is_sensitive(&self) -> bool {
        self.sensitive
    }

    /// The limits as an error text states them for an element of a list.
    pub(crate) fn constraints(&self) -> Vec<String> {
        let mut texts = Vec::new();
        if let Kind::Enumeration { listed, .. } = self.kind {
            texts.push(one_of(listed));
        }
        texts.extend(self.max.map(|max| self.at_most(max)));
        texts.extend(self.min.map(|min| self.at_least(min)));
        texts.extend(self.pattern.map(|pattern| matching(&pattern)));
        texts
    }

    pub(crate) fn at_least(&self, min: u32) -> String {
        format!("Member must have {} greater than or equal to {min}", self.measure())
    }

    pub(crate) fn at_most(&self, max: u32) -> String {
        format!("Member must have {} less than or equal to {max}", self.measure())
    }

    const fn measure(&self) -> &'static str {
        match self.kind {
            Kind::Integer => "value",
            Kind::Blob
            | Kind::Boolean
            | Kind::Double
            | Kind::Enumeration { .. }
            | Kind::List(_)
            | Kind::Map
            | Kind::Structure(_)
            | Kind::Text
            | Kind::Timestamp => "length",
        }
    }
}

pub(crate) fn one_of(listed: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", listed.join(", "))
}

pub(crate) fn matching(pattern: &Pattern) -> String {
    format!("Member must satisfy regular expression pattern: {}", pattern.text())
}
