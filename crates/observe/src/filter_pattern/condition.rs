//! Conditions on the members of an event.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html#matching-terms-json-log-events>.

use serde_json::Value;

use super::FilterPatternError;
use super::expression::Expression;

/// A condition on members of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Both hold.
    And(Box<Condition>, Box<Condition>),
    /// One holds.
    Or(Box<Condition>, Box<Condition>),
    /// A member is what is said.
    Is(Selector, Test),
}

/// Which member: names and places in lists, from the outside in.
pub type Selector = Vec<Step>;

/// One step of a selector.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Into each element of a list, or each member.
    AnyElement,
    /// Into each member.
    AnyMember,
    /// Into an element of a list.
    Element(usize),
    /// Into a member.
    Member(String),
}

/// What a member is held against.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// It is a text or a number that is, or is not, what is said.
    Equals(Operand, bool),
    /// It is not there.
    Missing,
    /// It is null, or a list with a null in it.
    Null,
    /// It is a number that stands so to this one.
    Number(Order, f64),
    /// It is true, or false.
    Truth(bool),
}

/// What a member is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// The expression is in it.
    Expression(Expression),
    /// A number without quotes, and how it is written: a number is that number, and a text is what is written.
    Number(f64, String),
    /// A text, `*` standing for anything.
    Text(String),
}

/// How two numbers stand to each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `<`
    Below,
}

impl Condition {
    /// Whether it holds of an event.
    pub(super) fn holds(&self, event: &Value) -> bool {
        match self {
            Self::And(one, other) => one.holds(event) && other.holds(event),
            Self::Or(one, other) => one.holds(event) || other.holds(event),
            Self::Is(selector, test) => {
                let mut found = Vec::new();
                select(event, selector, &mut found);
                match found.is_empty() {
                    true => *test == Test::Missing,
                    false => found.into_iter().any(|value| test.holds(value)),
                }
            }
        }
    }

    /// What a member must be for the condition to hold, where it says that.
    pub(super) fn demands(&self, member: &str) -> Option<&str> {
        match self {
            Self::And(one, other) => one.demands(member).or_else(|| other.demands(member)),
            Self::Is(selector, Test::Equals(Operand::Text(text), true)) if !text.contains('*') => {
                matches!(selector.as_slice(), [Step::Member(name)] if name == member).then_some(text.as_str())
            }
            Self::Is(..) | Self::Or(..) => None,
        }
    }

    /// The steps for each byte of an event, at most, beside reading it.
    pub(super) fn weight(&self) -> u32 {
        match self {
            Self::And(one, other) | Self::Or(one, other) => one.weight().saturating_add(other.weight()),
            Self::Is(_, Test::Equals(Operand::Expression(expression), _)) => {
                expression.weight().saturating_add(1)
            }
            Self::Is(..) => 1,
        }
    }

    /// Makes the regular expressions ready.
    pub(super) fn compile(&self) -> Result<(), FilterPatternError> {
        match self {
            Self::And(one, other) | Self::Or(one, other) => one.compile().and_then(|()| other.compile()),
            Self::Is(_, Test::Equals(Operand::Expression(expression), _)) => expression.compile(),
            Self::Is(..) => Ok(()),
        }
    }
}

fn select<'v>(value: &'v Value, selector: &[Step], found: &mut Vec<&'v Value>) {
    let Some((step, rest)) = selector.split_first() else {
        found.push(value);
        return;
    };
    match step {
        Step::AnyElement => {
            value.as_array().into_iter().flatten().for_each(|value| select(value, rest, found));
            let members = value.as_object().into_iter().flatten();
            members.for_each(|(_, value)| select(value, rest, found));
        }
        Step::AnyMember => {
            let members = value.as_object().into_iter().flatten();
            members.for_each(|(_, value)| select(value, rest, found));
        }
        Step::Element(at) => {
            if let Some(value) = value.get(at) {
                select(value, rest, found);
            }
        }
        Step::Member(name) => {
            if let Some(value) = value.get(name) {
                select(value, rest, found);
            }
        }
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Equals(operand, wanted) => operand.is(value).is_some_and(|is| is == *wanted),
            Self::Missing => false,
            Self::Null => value.is_null() || value.as_array().into_iter().flatten().any(Value::is_null),
            Self::Number(order, number) => value.as_f64().is_some_and(|value| match order {
                Order::Above => value > *number,
                Order::AtLeast => value >= *number,
                Order::AtMost => value <= *number,
                Order::Below => value < *number,
            }),
            Self::Truth(truth) => value.as_bool() == Some(*truth),
        }
    }
}

impl Operand {
    /// Whether a value is what is said; nothing of lists, objects, truths and null, which are no values to compare.
    fn is(&self, value: &Value) -> Option<bool> {
        let text = match value {
            Value::String(text) => text,
            Value::Number(_) => &value.to_string(),
            Value::Array(_) | Value::Bool(_) | Value::Null | Value::Object(_) => return None,
        };
        Some(match self {
            Self::Expression(expression) => expression.is_in(text),
            // Digits without quotes are a text where the member is one; that is how account numbers are written.
            Self::Number(number, written) => value.as_f64().map_or(written == text, |value| value == *number),
            Self::Text(pattern) => matches(pattern, text),
        })
    }
}

/// Whether `text` is `pattern`, in which `*` stands for anything: one pass for each star, from left to right.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    match last {
        None => rest.is_empty(),
        Some(last) => rest.ends_with(last),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn stars_stand_for_anything(parts in prop::collection::vec("[ab]{0,3}", 1..5), between in "[abc]{0,4}") {
            prop_assert!(matches(&parts.join("*"), &parts.join(&between)));
        }
    }
}
