//! Violations of the limits of a request: where, what was found, and which limit.

use std::fmt;

use crate::shape::Shape;

/// Where in a request a value stands.
pub(crate) struct Place<'a> {
    pub(crate) parent: Option<&'a Place<'a>>,
    pub(crate) step: Step<'a>,
    pub(crate) shape: &'static Shape,
}

/// The last step to a place.
pub(crate) enum Step<'a> {
    /// A member of a structure.
    Member(&'static str),
    /// An element of a list, counted from 1.
    Element(usize),
    /// The value of a key of a map.
    Key(&'a str),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        match self.step {
            Step::Member(name) => {
                let mut rest = name.chars();
                if let Some(first) = rest.next() {
                    write!(f, "{}", first.to_ascii_lowercase())?;
                }
                f.write_str(rest.as_str())
            }
            Step::Element(number) => write!(f, "{number}.member"),
            Step::Key(key) => write!(f, "{key}.member"),
        }
    }
}

/// What a violation shows of the value.
pub(crate) enum Shown<'a> {
    /// Nothing: the value may be secret, or is no text.
    Nothing,
    /// That there is none.
    Null,
    /// The value.
    Text(&'a str),
}

/// Whether the answers of a service show the values that they complain about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Values {
    /// They say where a value stands, and no more.
    Hidden,
    /// They show each that is not sensitive.
    #[default]
    Shown,
}

/// The violations of one request, in the order of its members.
#[derive(Default)]
pub(crate) struct Violations {
    texts: Vec<String>,
    total: usize,
    values: Values,
}

impl Violations {
    /// None yet.
    pub(crate) fn new(values: Values) -> Self {
        Self { values, ..Self::default() }
    }

    /// Whether values are shown.
    pub(crate) fn values(&self) -> Values {
        self.values
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The number of violations; two numbers that are equal mean that none was recorded in between.
    pub(crate) fn count(&self) -> usize {
        self.total
    }

    /// Records a violation of the value at a place.
    pub(crate) fn add(&mut self, at: &Place<'_>, shown: &Shown<'_>, constraint: &str) {
        self.total = self.total.saturating_add(1);
        if self.texts.len() >= MOST {
            return;
        }
        let is_hidden = self.values == Values::Hidden || at.shape.is_sensitive();
        let text = match shown {
            Shown::Text(text) if !is_hidden => {
                format!("Value '{text}' at '{at}' failed to satisfy constraint: {constraint}")
            }
            Shown::Null if !is_hidden => {
                format!("Value null at '{at}' failed to satisfy constraint: {constraint}")
            }
            Shown::Nothing | Shown::Null | Shown::Text(_) => {
                format!("Value at '{at}' failed to satisfy constraint: {constraint}")
            }
        };
        self.texts.push(text);
    }

    /// The message of the ValidationException.
    pub(crate) fn message(&self) -> String {
        let noun = if self.total == 1 { "error" } else { "errors" };
        let mut texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let mut total = self.total;
        if self.values == Values::Hidden {
            // IAM counts no more than it tells of, in the order of the names of members, but the key of a tag behind its value.
            texts.truncate(MOST_OF_IAM);
            total = total.min(MOST_OF_IAM);
            texts.sort_by_key(|text| {
                text.split('\'').nth(1).map(|place| place.replace("member.key", "member.~"))
            });
        }
        format!("{total} validation {noun} detected: {}", texts.join("; "))
    }
}

/// No message names more violations than this, so that a small request cannot ask for a huge answer.
const MOST: usize = 250;
/// Those that a message of IAM names, by recorded answers of AWS (September 2026).
const MOST_OF_IAM: usize = 10;
