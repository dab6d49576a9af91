//! Conditions, compiled, and what they say of a request.
//!
//! What is absent is settled first: a positive comparison does not hold, a negated one does, `IfExists` and `ForAllValues` do,
//! `ForAnyValue` does not. Then the values of a policy are alternatives; for a negated comparison, none of them may match.
//! What is none of its type is as recorded answers of AWS have it: a number or a date that is none equals nothing, what is not
//! `true` is false, and an ARN or an address of a request that is none is not compared, so that the negated comparison does not
//! hold either; nor does any operator without a set prefix on a key with many values. What is still unknown (an ARN of a policy
//! that is none) does not allow, and does deny.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html> and
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::arn::{Arn, ArnPattern};
use crate::condition::{Comparison, Condition, Operator, Quantifier, Relation};
use crate::context::{ContextValue, Found, KeyName};
use crate::document::{Effect, Version};
use crate::pattern::{Pattern, Scope, Syntax};
use crate::value::{Address, Binary, Instant, Network, Number, binary, same_bytes};

/// A condition, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    operator: Operator,
    key: KeyName,
    values: Values,
}

/// Whether something holds of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Truth {
    /// It does not.
    No,
    /// It depends on what is not known of the request.
    Open,
    /// It cannot be decided: a statement that allows takes it for no, one that denies for yes.
    Undecidable,
    /// It does.
    Yes,
}

/// The values of a policy; one that is none of its type is kept as such. What is not `true` is false.
#[derive(Clone, Debug)]
enum Values {
    Arns(Box<[ArnPattern]>),
    Binaries(Box<[Option<Binary>]>),
    Bools(Box<[bool]>),
    Dates(Relation, Box<[Option<Instant>]>),
    Networks(Box<[Option<Network>]>),
    Nulls(Box<[bool]>),
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
                binary::decode(value, |byte| bytes.push(byte)).map(|_| bytes)
            })),
            Comparison::Bool => Values::Bools(condition.values.iter().map(|value| is_true(value)).collect()),
            Comparison::Date(relation) => Values::Dates(relation, each(condition, Instant::parse)),
            Comparison::Ip => Values::Networks(each(condition, Network::parse)),
            Comparison::Null => Values::Nulls(condition.values.iter().map(|value| is_true(value)).collect()),
            Comparison::Numeric(relation) => Values::Numbers(relation, condition.values.clone().into()),
            Comparison::Text => Values::Texts(texts(false)),
            Comparison::TextLike => Values::Texts(texts(true)),
            Comparison::TextIgnoringCase => Values::TextsIgnoringCase(texts(false)),
        };
        Self { operator: condition.operator, key: KeyName::new(&condition.key), values }
    }

    /// Calls `with` for its key, and for that of each variable in its values.
    pub(crate) fn mention<'p>(&'p self, with: &mut dyn FnMut(&'p KeyName)) {
        with(&self.key);
        match &self.values {
            Values::Arns(arns) => arns.iter().for_each(|arn| arn.mention(with)),
            Values::Texts(texts) | Values::TextsIgnoringCase(texts) => {
                texts.iter().for_each(|text| text.mention(with));
            }
            Values::Binaries(_)
            | Values::Bools(_)
            | Values::Dates(..)
            | Values::Networks(_)
            | Values::Nulls(_)
            | Values::Numbers(..) => {}
        }
    }

    pub(crate) fn operator(&self) -> Operator {
        self.operator
    }

    pub(crate) fn key(&self) -> &KeyName {
        &self.key
    }

    pub(crate) fn holds(&self, scope: Scope<'_, '_>) -> Truth {
        let found = scope.context.find(&self.key);
        if let Values::Nulls(expected) = &self.values {
            return is_absent(found, expected);
        }
        match (found, self.operator.quantifier) {
            (Found::Ambiguous, _) => Truth::Undecidable,
            (Found::Open, _) => Truth::Open,
            (Found::Absent, quantifier) => self.without_value(quantifier),
            (Found::Value(ContextValue::One(value)), None) => self.compare(value, scope),
            (Found::Value(ContextValue::One(value)), Some(quantifier)) => {
                self.compare_set(quantifier, &[value], scope)
            }
            // Empty texts alone are "a null data set": as good as no value. Of a key with one value, the text is compared.
            (Found::Value(ContextValue::Many(values)), Some(quantifier))
                if values.iter().all(|value| value.is_empty()) =>
            {
                truth(quantifier == Quantifier::All)
            }
            (Found::Value(ContextValue::Many(values)), Some(quantifier)) => {
                self.compare_set(quantifier, values, scope)
            }
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
        let decisive = truth(quantifier == Quantifier::Any);
        let mut outcome = decisive.negated();
        for value in values {
            let compared = self.compare(value, scope);
            if compared == decisive {
                return decisive;
            }
            match compared {
                Truth::Open | Truth::Undecidable => outcome = outcome.or_open(compared),
                Truth::No | Truth::Yes => {}
            }
        }
        outcome
    }

    /// Compares one value of the request with those of the policy.
    fn compare(&self, value: &str, scope: Scope<'_, '_>) -> Truth {
        match self.values.matches(value, scope) {
            None => Truth::No,
            Some(matched) if self.operator.negated => matched.negated(),
            Some(matched) => matched,
        }
    }
}

impl Values {
    /// Whether `value` matches one of them; none where it is an ARN or an address that is none.
    fn matches(&self, value: &str, scope: Scope<'_, '_>) -> Option<Truth> {
        Some(match self {
            Self::Arns(arns) => {
                let arn = Arn::parse(value)?;
                any(arns, scope, |pattern| {
                    if pattern.is_open(scope) { Truth::Open } else { decided(pattern.matches(&arn, scope)) }
                })
            }
            Self::Binaries(binaries) => any(binaries, scope, |binary| {
                decided(binary.as_deref().map(|binary| same_bytes(value, binary)))
            }),
            Self::Bools(bools) => any(bools, scope, |expected| truth(*expected == is_true(value))),
            Self::Dates(relation, dates) => {
                let value = Instant::parse(value);
                let holds = |date: &Option<Instant>| Some(relation.holds(value?.cmp(date.as_ref()?)));
                any(dates, scope, |date| truth(holds(date) == Some(true)))
            }
            Self::Networks(networks) => {
                let address = Address::parse(value)?;
                let contains = |network: &Network| network.contains(address);
                any(networks, scope, |network| truth(network.as_ref().is_some_and(contains)))
            }
            // Absence is settled before values are looked at.
            Self::Nulls(_) => Truth::Undecidable,
            Self::Numbers(relation, numbers) => {
                let value = Number::parse(value);
                let holds = |number: &str| Some(relation.holds(value?.order(Number::parse(number)?)));
                any(numbers, scope, |number| truth(holds(number) == Some(true)))
            }
            Self::Texts(texts) => any(texts, scope, |text| {
                if text.is_open(scope) { Truth::Open } else { truth(text.matches(value, scope)) }
            }),
            Self::TextsIgnoringCase(texts) => any(texts, scope, |text| {
                if text.is_open(scope) {
                    Truth::Open
                } else {
                    truth(text.matches_ignoring_case(value, scope))
                }
            }),
        })
    }
}

impl Truth {
    /// What a statement with this effect takes it for.
    pub(crate) fn under(self, effect: Effect) -> Self {
        match (self, effect) {
            (Self::Undecidable, Effect::Allow) => Self::No,
            (Self::Undecidable, Effect::Deny) => Self::Yes,
            (Self::No | Self::Open | Self::Yes, _) => self,
        }
    }

    /// Both. Neither is undecidable.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            (Self::Undecidable | Self::Yes, Self::Undecidable | Self::Yes) => Self::Yes,
        }
    }

    /// Of alternatives of which none holds for sure: what is not known comes before what cannot be decided.
    fn or_open(self, other: Self) -> Self {
        if self == Self::Open { self } else { other }
    }

    fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Open => Self::Open,
            Self::Undecidable => Self::Undecidable,
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

/// Whether all `requirements` of a statement with this effect hold. Nothing is left undecided.
pub(crate) fn all_hold(requirements: &[Requirement], effect: Effect, scope: Scope<'_, '_>) -> Truth {
    let mut outcome = Truth::Yes;
    for requirement in requirements {
        match requirement.holds(scope).under(effect) {
            Truth::No => return Truth::No,
            Truth::Open => outcome = Truth::Open,
            Truth::Undecidable | Truth::Yes => {}
        }
    }
    outcome
}

fn is_absent(found: Found<'_>, expected: &[bool]) -> Truth {
    if matches!(found, Found::Open) {
        return Truth::Open;
    }
    truth(expected.contains(&matches!(found, Found::Absent)))
}

/// Whether one of the values matches. They are looked at in their order, up to the first that matches or cannot be compared.
fn any<T>(values: &[T], scope: Scope<'_, '_>, matches: impl Fn(&T) -> Truth) -> Truth {
    let mut outcome = Truth::No;
    for value in values {
        if !scope.fuel.spend(1) {
            return Truth::Undecidable;
        }
        match matches(value) {
            Truth::Yes => return Truth::Yes,
            Truth::No => {}
            Truth::Open => outcome = Truth::Open,
            Truth::Undecidable => return outcome.or_open(Truth::Undecidable),
        }
    }
    outcome
}

fn each<T>(condition: &Condition, parse: impl Fn(&str) -> Option<T>) -> Box<[Option<T>]> {
    condition.values.iter().map(|value| parse(value)).collect()
}

fn decided(holds: Option<bool>) -> Truth {
    holds.map_or(Truth::Undecidable, truth)
}

pub(crate) fn truth(holds: bool) -> Truth {
    if holds { Truth::Yes } else { Truth::No }
}

fn is_true(text: &str) -> bool {
    text.eq_ignore_ascii_case("true")
}
