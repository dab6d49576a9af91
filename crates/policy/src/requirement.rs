//! Conditions, compiled, and what they say of a request.
//!
//! What is absent is settled first: a positive comparison does not hold, a negated one does, `IfExists` and `ForAllValues` do,
//! `ForAnyValue` does not. Then the values of a policy are alternatives; for a negated comparison, none of them may match.
//! What cannot be compared (a number that is none, a key with many values under an operator that takes one) is unknown: such a
//! statement does not allow, and does deny.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::arn::ArnPattern;
use crate::condition::{Comparison, Condition, Operator, Quantifier, Relation};
use crate::context::{ContextValue, Found, KeyName};
use crate::document::Version;
use crate::key::KeySet;
use crate::pattern::{Pattern, Scope, Syntax};
use crate::value::{Address, Binary, Instant, Network, Number, binary, same_bytes};

/// A condition, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    operator: Operator,
    key: KeyName,
    values: Values,
}

/// What a condition says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Truth {
    No,
    Unknown,
    Yes,
}

/// The values of a policy; one that is none of its type is kept as such.
#[derive(Clone, Debug)]
enum Values {
    Arns(Box<[ArnPattern]>),
    Binaries(Box<[Option<Binary>]>),
    Bools(Box<[Option<bool>]>),
    Dates(Relation, Box<[Option<Instant>]>),
    Networks(Box<[Option<Network>]>),
    Nulls(Box<[Option<bool>]>),
    Numbers(Relation, Box<[String]>),
    Texts(Box<[Pattern]>),
    TextsIgnoringCase(Box<[Pattern]>),
}

impl Requirement {
    pub(crate) fn compile(condition: &Condition, version: Version) -> Self {
        let variables = version == Version::V2012;
        let texts = |wildcards| {
            let syntax = Syntax { wildcards, variables };
            condition.values.iter().map(|value| Pattern::compile(value, syntax)).collect()
        };
        let values = match condition.operator.comparison {
            Comparison::Arn => Values::Arns(
                condition.values.iter().map(|value| ArnPattern::compile(value, version)).collect(),
            ),
            Comparison::Binary => Values::Binaries(each(condition, |value| {
                let mut bytes = Vec::new();
                binary::decode(value, |byte| bytes.push(byte)).map(|()| bytes)
            })),
            Comparison::Bool => Values::Bools(each(condition, truth_value)),
            Comparison::Date(relation) => Values::Dates(relation, each(condition, Instant::parse)),
            Comparison::Ip => Values::Networks(each(condition, Network::parse)),
            Comparison::Null => Values::Nulls(each(condition, truth_value)),
            Comparison::Numeric(relation) => Values::Numbers(relation, condition.values.clone().into()),
            Comparison::Text => Values::Texts(texts(false)),
            Comparison::TextLike => Values::Texts(texts(true)),
            Comparison::TextIgnoringCase => Values::TextsIgnoringCase(texts(false)),
        };
        Self { operator: condition.operator, key: KeyName::new(&condition.key), values }
    }

    /// Adds its key, and those of variables in its values.
    pub(crate) fn mention(&self, set: &mut KeySet) {
        self.key.add_to(set);
        match &self.values {
            Values::Arns(arns) => arns.iter().for_each(|arn| arn.mention(set)),
            Values::Texts(texts) | Values::TextsIgnoringCase(texts) => {
                texts.iter().for_each(|text| text.mention(set));
            }
            Values::Binaries(_)
            | Values::Bools(_)
            | Values::Dates(..)
            | Values::Networks(_)
            | Values::Nulls(_)
            | Values::Numbers(..) => {}
        }
    }

    pub(crate) fn holds(&self, scope: Scope<'_, '_>) -> Truth {
        let found = scope.context.find(&self.key);
        if let Values::Nulls(expected) = &self.values {
            return is_absent(found, expected);
        }
        match (found, self.operator.quantifier) {
            (Found::Ambiguous, _) => Truth::Unknown,
            (Found::Absent, quantifier) => self.without_value(quantifier),
            (Found::Value(ContextValue::One(value)), None) => self.compare(value, scope),
            (Found::Value(ContextValue::One(value)), Some(quantifier)) => {
                self.compare_set(quantifier, &[value], scope)
            }
            (Found::Value(ContextValue::Many(values)), Some(quantifier)) => {
                self.compare_set(quantifier, values, scope)
            }
            // AWS: unverified. An operator without a set prefix on a key with many values is not documented.
            (Found::Value(ContextValue::Many(_)), None) if self.operator.negated => Truth::Unknown,
            (Found::Value(ContextValue::Many(_)), None) => Truth::No,
        }
    }

    fn without_value(&self, quantifier: Option<Quantifier>) -> Truth {
        let holds = match quantifier {
            Some(Quantifier::All) => true,
            Some(Quantifier::Any) => false,
            None => self.operator.negated,
        };
        truth(self.operator.if_exists || holds)
    }

    fn compare_set(&self, quantifier: Quantifier, values: &[&str], scope: Scope<'_, '_>) -> Truth {
        // Empty texts alone are "a null data set": as good as no value.
        if values.iter().all(|value| value.is_empty()) {
            return truth(quantifier == Quantifier::All);
        }
        let decisive = truth(quantifier == Quantifier::Any);
        let mut outcome = decisive.negated();
        for value in values {
            match self.compare(value, scope) {
                compared if compared == decisive => return decisive,
                Truth::Unknown => outcome = Truth::Unknown,
                Truth::No | Truth::Yes => {}
            }
        }
        outcome
    }

    /// Compares one value of the request with those of the policy.
    fn compare(&self, value: &str, scope: Scope<'_, '_>) -> Truth {
        let matched = self.values.matches(value, scope);
        if self.operator.negated { matched.negated() } else { matched }
    }
}

impl Values {
    /// Whether `value` matches one of them.
    fn matches(&self, value: &str, scope: Scope<'_, '_>) -> Truth {
        match self {
            Self::Arns(arns) => any(arns, scope, |arn| arn.matches(value, scope)),
            Self::Binaries(binaries) => any(binaries, scope, |binary| same_bytes(value, binary.as_deref()?)),
            Self::Bools(bools) => {
                let value = truth_value(value);
                any(bools, scope, |expected| Some((*expected)? == value?))
            }
            Self::Dates(relation, dates) => {
                let value = Instant::parse(value);
                any(dates, scope, |date| Some(relation.holds(value?.cmp(date.as_ref()?))))
            }
            Self::Networks(networks) => {
                let address = Address::parse(value);
                any(networks, scope, |network| Some(network.as_ref()?.contains(address?)))
            }
            // Absence is settled before values are looked at.
            Self::Nulls(_) => Truth::Unknown,
            Self::Numbers(relation, numbers) => {
                let value = Number::parse(value);
                any(numbers, scope, |number| Some(relation.holds(value?.order(Number::parse(number)?))))
            }
            Self::Texts(texts) => any(texts, scope, |text| Some(text.matches(value, scope))),
            Self::TextsIgnoringCase(texts) => {
                any(texts, scope, |text| Some(text.matches_ignoring_case(value, scope)))
            }
        }
    }
}

impl Truth {
    fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        }
    }
}

/// Whether all `requirements` hold.
pub(crate) fn all_hold(requirements: &[Requirement], scope: Scope<'_, '_>) -> Truth {
    let mut outcome = Truth::Yes;
    for requirement in requirements {
        match requirement.holds(scope) {
            Truth::No => return Truth::No,
            Truth::Unknown => outcome = Truth::Unknown,
            Truth::Yes => {}
        }
    }
    outcome
}

fn is_absent(found: Found<'_>, expected: &[Option<bool>]) -> Truth {
    let absent = matches!(found, Found::Absent);
    if expected.contains(&Some(absent)) {
        Truth::Yes
    } else if expected.contains(&None) {
        Truth::Unknown
    } else {
        Truth::No
    }
}

fn any<T>(values: &[T], scope: Scope<'_, '_>, matches: impl Fn(&T) -> Option<bool>) -> Truth {
    let mut outcome = Truth::No;
    for value in values {
        if !scope.fuel.spend(1) {
            return Truth::Unknown;
        }
        match matches(value) {
            Some(true) => return Truth::Yes,
            Some(false) => {}
            None => outcome = Truth::Unknown,
        }
    }
    outcome
}

fn each<T>(condition: &Condition, parse: impl Fn(&str) -> Option<T>) -> Box<[Option<T>]> {
    condition.values.iter().map(|value| parse(value)).collect()
}

fn truth(holds: bool) -> Truth {
    if holds { Truth::Yes } else { Truth::No }
}

fn truth_value(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
