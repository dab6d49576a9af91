//! The grammar of conditions: operators, keys, values.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::document::{Kind, Members, ParsePolicyError, grammar, one_or_many};
use crate::json::Value;

/// One key under one operator, with the values that it is compared with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Condition {
    /// How they are compared.
    pub operator: Operator,
    /// The key, as written.
    pub key: String,
    /// The values, as written; numbers and truth values as text.
    pub values: Vec<String>,
}

/// A condition operator with what stands around its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Operator {
    /// `ForAllValues:` or `ForAnyValue:`.
    pub quantifier: Option<Quantifier>,
    /// What is compared.
    pub comparison: Comparison,
    /// Whether it holds where the comparison does not: `StringNotEquals` and its like.
    pub negated: bool,
    /// `IfExists`: it holds, too, where the key is absent.
    pub if_exists: bool,
}

/// How many of the values of a key must hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Quantifier {
    /// `ForAllValues:`.
    All,
    /// `ForAnyValue:`.
    Any,
}

/// What an operator compares, and how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// `ArnEquals` and `ArnLike`, which are the same.
    Arn,
    /// `BinaryEquals`: what the base64 of both stands for.
    Binary,
    /// `Bool`.
    Bool,
    /// Points in time.
    Date(Relation),
    /// `IpAddress`: whether the address lies in the network.
    Ip,
    /// `Null`: whether the key is absent.
    Null,
    /// Decimal numbers.
    Numeric(Relation),
    /// `StringEquals`.
    Text,
    /// `StringEqualsIgnoreCase`.
    TextIgnoringCase,
    /// `StringLike`.
    TextLike,
}

/// An order between the value of the request, which stands on the left, and that of the policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Relation {
    /// The same.
    Equal,
    /// Greater.
    Greater,
    /// Greater, or the same.
    GreaterOrEqual,
    /// Less.
    Less,
    /// Less, or the same.
    LessOrEqual,
}

/// The text is no condition operator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ParseOperatorError;

impl FromStr for Operator {
    type Err = ParseOperatorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = text.strip_prefix("ForAllValues:").map(|rest| (Some(Quantifier::All), rest));
        let any = text.strip_prefix("ForAnyValue:").map(|rest| (Some(Quantifier::Any), rest));
        let (quantifier, rest) = all.or(any).unwrap_or((None, text));
        let bare = rest.strip_suffix("IfExists").unwrap_or(rest);
        let if_exists = bare.len() < rest.len();
        let (_, comparison, negated) =
            OPERATORS.into_iter().find(|(name, ..)| *name == bare).ok_or(ParseOperatorError)?;
        if if_exists && comparison == Comparison::Null {
            return Err(ParseOperatorError);
        }
        Ok(Self { quantifier, comparison, negated, if_exists })
    }
}

/// As a policy writes it; of two names for one comparison, the one that says more: `ArnLike`, not `ArnEquals`.
impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = OPERATORS.into_iter().rev();
        let same = |(_, comparison, negated): &(&str, Comparison, bool)| {
            *comparison == self.comparison && *negated == self.negated
        };
        f.write_str(match self.quantifier {
            None => "",
            Some(Quantifier::All) => "ForAllValues:",
            Some(Quantifier::Any) => "ForAnyValue:",
        })?;
        f.write_str(names.find(same).map_or("", |(name, ..)| name))?;
        f.write_str(if self.if_exists { "IfExists" } else { "" })
    }
}

/// Reads the value of `Condition` of a policy of `kind`.
pub(crate) fn parse(kind: Kind, value: Value) -> Result<Vec<Condition>, ParsePolicyError> {
    let mut conditions = Vec::new();
    for (name, keys) in Members::of(value)?.0 {
        let keys = Members::of(keys)?.0;
        if keys.is_empty() && kind == Kind::Identity {
            // It asks for nothing, and IAM takes it there whatever it is called.
            continue;
        }
        let operator: Operator =
            name.parse().or(Err(grammar(&format!("`{name}` is no condition operator"))))?;
        for (key, values) in keys {
            let values = one_or_many(values).into_iter().map(scalar).collect::<Result<_, _>>()?;
            conditions.push(Condition { operator, key, values });
        }
    }
    Ok(conditions)
}

fn scalar(value: Value) -> Result<String, ParsePolicyError> {
    match value {
        Value::Boolean(value) => Ok(if value { "true" } else { "false" }.to_owned()),
        Value::Number(text) | Value::Text(text) => Ok(text),
        Value::List(_) | Value::Null | Value::Object(_) => {
            Err(grammar("the value of a condition is neither a scalar nor a list of scalars"))
        }
    }
}

/// The operators, without `IfExists` and the set prefixes, and whether each negates.
const OPERATORS: [(&str, Comparison, bool); 27] = [
    ("ArnEquals", Comparison::Arn, false),
    ("ArnLike", Comparison::Arn, false),
    ("ArnNotEquals", Comparison::Arn, true),
    ("ArnNotLike", Comparison::Arn, true),
    ("BinaryEquals", Comparison::Binary, false),
    ("Bool", Comparison::Bool, false),
    ("DateEquals", Comparison::Date(Relation::Equal), false),
    ("DateGreaterThan", Comparison::Date(Relation::Greater), false),
    ("DateGreaterThanEquals", Comparison::Date(Relation::GreaterOrEqual), false),
    ("DateLessThan", Comparison::Date(Relation::Less), false),
    ("DateLessThanEquals", Comparison::Date(Relation::LessOrEqual), false),
    ("DateNotEquals", Comparison::Date(Relation::Equal), true),
    ("IpAddress", Comparison::Ip, false),
    ("NotIpAddress", Comparison::Ip, true),
    ("Null", Comparison::Null, false),
    ("NumericEquals", Comparison::Numeric(Relation::Equal), false),
    ("NumericGreaterThan", Comparison::Numeric(Relation::Greater), false),
    ("NumericGreaterThanEquals", Comparison::Numeric(Relation::GreaterOrEqual), false),
    ("NumericLessThan", Comparison::Numeric(Relation::Less), false),
    ("NumericLessThanEquals", Comparison::Numeric(Relation::LessOrEqual), false),
    ("NumericNotEquals", Comparison::Numeric(Relation::Equal), true),
    ("StringEquals", Comparison::Text, false),
    ("StringEqualsIgnoreCase", Comparison::TextIgnoringCase, false),
    ("StringLike", Comparison::TextLike, false),
    ("StringNotEquals", Comparison::Text, true),
    ("StringNotEqualsIgnoreCase", Comparison::TextIgnoringCase, true),
    ("StringNotLike", Comparison::TextLike, true),
];

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_operator_is_written_as_it_is_read() {
        for (name, ..) in OPERATORS {
            for prefix in ["", "ForAllValues:", "ForAnyValue:"] {
                for suffix in ["", "IfExists"] {
                    let text = format!("{prefix}{name}{suffix}");
                    let Ok(operator) = text.parse::<Operator>() else {
                        assert_eq!((name, suffix), ("Null", "IfExists"));
                        continue;
                    };
                    let written = operator.to_string();
                    assert_eq!(written.parse(), Ok(operator));
                    assert_eq!(
                        written,
                        text.replace("ArnEquals", "ArnLike").replace("ArnNotEquals", "ArnNotLike")
                    );
                }
            }
        }
        for text in
            ["", "stringEquals", "ForAnyValue::StringEquals", "ForAll:StringEquals", "StringEqualsIfExist"]
        {
            assert_eq!(text.parse::<Operator>(), Err(ParseOperatorError), "{text}");
        }
    }
}
