//! Which values of conditions IAM keeps, by recorded answers of AWS (September 2026).

use super::{legacy, members};
use crate::condition::{Comparison, Operator};
use crate::json::Value;
use crate::value::{Network, Number, binary};

/// Which values of conditions are taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Literals {
    /// Those of their types, as policies that are kept have them.
    Typed,
    /// Any but what is no base64, as policies that are passed for a session have them.
    Any,
}

impl Literals {
    /// Whether it takes the values of a statement with this condition.
    pub(super) fn take(self, condition: Option<&Value>) -> bool {
        let mut operators = condition.and_then(members).into_iter().flatten();
        operators.all(|(name, keys)| {
            let comparison = name.parse().map(|operator: Operator| operator.comparison);
            members(keys).into_iter().flatten().all(|(_, values)| match values {
                Value::List(items) => items.iter().all(|item| self.takes_one(comparison, item)),
                one @ (Value::Boolean(_)
                | Value::Null
                | Value::Number(_)
                | Value::Object(_)
                | Value::Text(_)) => self.takes_one(comparison, one),
            })
        })
    }

    fn takes_one<E>(self, comparison: Result<Comparison, E>, value: &Value) -> bool {
        let (Ok(comparison), Value::Text(text)) = (comparison, value) else { return true };
        // A variable stands for what is not known yet.
        text.contains("${")
            || match comparison {
                Comparison::Binary => binary::decode(text, |_| ()).is_some(),
                _ if self == Self::Any => true,
                Comparison::Arn => begins_as_arn(text),
                Comparison::Date(_) => legacy::reads_date(text),
                Comparison::Ip => Network::parse(text).is_some(),
                Comparison::Numeric(_) => Number::parse(text).is_some(),
                Comparison::Bool
                | Comparison::Null
                | Comparison::Text
                | Comparison::TextIgnoringCase
                | Comparison::TextLike => true,
            }
    }
}

// AWS: unverified. What is refused besides a text without `arn:` is not recorded.
fn begins_as_arn(text: &str) -> bool {
    let (first, rest) = text.split_once(':').map_or((text, None), |(first, rest)| (first, Some(rest)));
    first == "arn" && rest.is_some() || first.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::json;

    #[test]
    fn policies_that_are_kept_have_values_of_their_types_and_sessions_any() {
        for (operator, value, typed, any) in [
            ("NumericEquals", "01", true, true),
            ("NumericEquals", "NaN", false, true),
            ("NumericLessThanIfExists", "ten", false, true),
            ("NumericEquals", "${aws:PrincipalTag/limit}", true, true),
            ("Bool", "maybe", true, true),
            ("Null", "maybe", true, true),
            ("DateEquals", "soon", false, true),
            ("DateEquals", "2026-06-15", true, true),
            ("ArnLike", "rubbish", false, true),
            ("ForAllValues:ArnNotLike", "", false, true),
            ("ArnLike", "arn", false, true),
            ("ArnLike", "*", true, true),
            ("ArnLike", "arn:aws:iam::*:user/${aws:username}", true, true),
            ("ArnEquals", "arn:aws:s3", true, true),
            ("IpAddress", "host", false, true),
            ("IpAddress", "203.0.113.5/24", true, true),
            ("NotIpAddress", "203.000.113.0/+24", true, true),
            ("IpAddress", "203.0.113.0/33", false, true),
            ("IpAddress", "2001:db8::5/64", false, true),
            ("IpAddress", "2001:db8::4/127", true, true),
            ("IpAddress", "2001:db8:::1/128", true, true),
            ("IpAddress", "::ffff:203.0.113.0/120", false, true),
            ("IpAddress", "::ffff:cb00:7100/120", true, true),
            ("BinaryEquals", "Zg==", true, true),
            ("BinaryEquals", "no base64", false, false),
            ("StringEquals", "", true, true),
            ("Unknown", "", true, true),
        ] {
            for values in [format!("\"{value}\""), format!("[1, true, \"{value}\"]")] {
                let condition = json::parse(&format!("{{\"{operator}\": {{\"a\": {values}}}}}")).unwrap();
                assert_eq!(Literals::Typed.take(Some(&condition)), typed, "{operator} {values}");
                assert_eq!(Literals::Any.take(Some(&condition)), any, "{operator} {values}");
            }
        }
    }
}
