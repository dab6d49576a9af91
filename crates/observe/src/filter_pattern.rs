//! Filter patterns of CloudWatch Logs: which events a search is for.
//!
//! A pattern is bounded in length, depth and weight, and is held against one event in time that is bounded by its weight and the event's
//! length.
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>.

pub mod condition;
pub mod expression;
mod reader;

use serde_json::Value;

use self::condition::Condition;
use self::expression::Expression;

/// The text is no filter pattern, or none that is taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FilterPatternError {
    /// These have no place where they stand.
    #[error("Invalid character(s) in term '{0}'")]
    Characters(String),
    /// What stands between two `%` is no regular expression.
    #[error("Failed to compile regular expression.")]
    Expression,
    /// More regular expressions than there may be.
    #[error("Your input has exceeded the maximum of 2 regular expressions per filter pattern.")]
    Expressions,
    /// An expression that would take too long.
    #[error("Regular expression evaluation time exceeded allowed limit")]
    Heavy,
    /// Not in the syntax, or more than there may be of something.
    #[error("Invalid filter pattern")]
    Syntax,
    /// What is opened at the beginning is not closed at the end.
    #[error("If a filter pattern starts with '{0}' it must end with '{1}'")]
    Unclosed(char, char),
    /// More wildcards than there may be in the name of one member.
    #[error(
        "Your filter pattern has a JSON path selector that exceeds the maximum of 1 wildcard allowed per json selector."
    )]
    WildcardsOfOne,
    /// More names of members with a wildcard than there may be.
    #[error("Your input has exceeded the maximum of 3 JSON wildcard selectors allowed per filter pattern.")]
    Wildcards,
}

/// A filter pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum FilterPattern {
    /// Everything.
    All,
    /// A regular expression is in the text.
    Expression(Expression),
    /// A condition on members of the JSON.
    Json(Condition),
    /// Terms of the text: all of the first must be there, none of the second, and one of the third unless there are none.
    Terms {
        /// Must be there.
        all: Vec<String>,
        /// Must not be there.
        none: Vec<String>,
        /// One of them must be there.
        any: Vec<String>,
    },
}

/// The longest pattern, in characters.
const LONGEST: usize = 1024;
/// The steps for each byte of an event to read it as JSON.
const WEIGHT_OF_JSON: u32 = 4;

impl FilterPattern {
    /// Reads a pattern, and weighs its regular expressions; see [`FilterPattern::compile`].
    ///
    /// # Errors
    /// Where the text is none. Patterns for columns, `[a, b]`, are none here: events are JSON.
    pub fn parse(text: &str) -> Result<Self, FilterPatternError> {
        let text = text.trim();
        if text.chars().count() > LONGEST {
            return Err(FilterPatternError::Syntax);
        }
        match text.chars().next() {
            None => Ok(Self::All),
            Some('[') if text.ends_with(']') => Err(FilterPatternError::Syntax),
            Some('[') => Err(FilterPatternError::Unclosed('[', ']')),
            Some('{') => {
                let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
                reader::condition(inner.ok_or(FilterPatternError::Unclosed('{', '}'))?)
            }
            Some('%') => reader::expression(text),
            Some(_) => reader::terms(text),
        }
    }

    /// Makes the regular expressions ready, which takes up to some milliseconds; the first event would, too.
    ///
    /// # Errors
    /// Where one is too heavy, or none. It is then in no text.
    pub fn compile(&self) -> Result<(), FilterPatternError> {
        match self {
            Self::Expression(expression) => expression.compile(),
            Self::Json(condition) => condition.compile(),
            Self::All | Self::Terms { .. } => Ok(()),
        }
    }

    /// Whether an event is meant.
    #[must_use]
    pub fn meets(&self, json: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Expression(expression) => expression.is_in(&String::from_utf8_lossy(json)),
            Self::Json(condition) => {
                let event = serde_json::from_slice(json).ok();
                event.is_some_and(|event: Value| event.is_object() && condition.holds(&event))
            }
            Self::Terms { all, none, any } => {
                let text = String::from_utf8_lossy(json);
                let has = |term: &String| text.contains(term.as_str());
                all.iter().all(has) && !none.iter().any(has) && (any.is_empty() || any.iter().any(has))
            }
        }
    }

    /// What a member must be for the pattern to hold, where the pattern says that of it.
    #[must_use]
    pub fn demands(&self, member: &str) -> Option<&str> {
        match self {
            Self::Json(condition) => condition.demands(member),
            Self::All | Self::Expression(_) | Self::Terms { .. } => None,
        }
    }

    /// The steps that [`FilterPattern::meets`] takes for each byte of an event, at most: one to look at it, and beside that some for
    /// JSON, one for each term and condition, and those of regular expressions.
    #[must_use]
    pub fn weight(&self) -> u32 {
        let beside = match self {
            Self::All => 0,
            Self::Expression(expression) => expression.weight(),
            Self::Json(condition) => condition.weight().saturating_add(WEIGHT_OF_JSON),
            Self::Terms { all, none, any } => {
                let terms = [all, none, any].map(Vec::len).into_iter().fold(0, usize::saturating_add);
                u32::try_from(terms).unwrap_or(u32::MAX)
            }
        };
        beside.saturating_add(1)
    }
}

#[cfg(test)]
mod tests;
