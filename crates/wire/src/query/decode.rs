//! Members out of a form, every limit checked.
//!
//! The form becomes the tree that a JSON request would have been, guided by the shapes of the members, so that one code
//! checks the limits of every protocol. `Tags.member.2.Key` is the member `Key` of the second element of the list `Tags`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::decode::FromObject;
use crate::error::InputError;
use crate::iam::pattern::PREFIXES;
use crate::json::{Json, Object};
use crate::query::error::{QueryError, QueryErrorCode};
use crate::query::form::Form;
use crate::shape::{Kind, Member, Shape};
use crate::violation::{Place, Step, Values, Violations};

/// Reads a request whose members are `members`.
pub(crate) fn decode<T: FromObject>(
    form: &Form<'_>,
    members: &'static [Member],
    values: Values,
) -> Result<T, QueryError> {
    read(&structure(form, "", members)?, members, values)
}

/// Reads a request whose members are `members` out of a tree, whichever protocol it came in.
pub(crate) fn read<T: FromObject>(
    object: &Object<'_>,
    members: &'static [Member],
    values: Values,
) -> Result<T, QueryError> {
    let mut found = Violations::new(values);
    let input = T::from_object(object, None, &mut found);
    let input = input.map_err(|error| match error {
        InputError::Serialization(_) => malformed(),
        InputError::Validation(message) => QueryError::validation(message),
    })?;
    match input {
        Some(input) if found.is_empty() => Ok(input),
        Some(_) | None => Err(QueryError::validation(
            special(object, members).filter(|_| found.count() == 1).unwrap_or_else(|| found.message()),
        )),
    }
}

/// The text of IAM for a name, a path or a policy with a character that it must not have.
fn special(object: &Object<'_>, members: &'static [Member]) -> Option<String> {
    members.iter().find_map(|member| {
        let (Some(Json::Text(text)), Some(pattern)) = (object.get(member.name), member.shape.pattern())
        else {
            return None;
        };
        let explanation = pattern.explanation().filter(|_| !pattern.matches(text))?;
        let explanation = if member.name == "PathPrefix" { PREFIXES } else { explanation };
        let place = Place { parent: None, step: Step::Member(member.name), shape: member.shape };
        Some(format!("The specified value for {place} is invalid. {explanation}"))
    })
}

fn structure<'f>(
    form: &'f Form<'_>,
    prefix: &str,
    members: &'static [Member],
) -> Result<Object<'f>, QueryError> {
    let mut object = Vec::with_capacity(members.len());
    for member in members {
        let name = format!("{prefix}{}", member.name);
        if let Some(value) = value(form, &name, member.shape)? {
            object.push((Cow::Borrowed(member.name), value));
        }
    }
    Ok(Object::from(object))
}

fn value<'f>(form: &'f Form<'_>, name: &str, shape: &Shape) -> Result<Option<Json<'f>>, QueryError> {
    if let Kind::List(element) = shape.kind() {
        return list(form, name, element);
    }
    if let Kind::Structure(members) = shape.kind() {
        let prefix = format!("{name}.");
        let is_there = form.under(&prefix).next().is_some();
        return is_there.then(|| Ok(Json::Object(structure(form, &prefix, members)?))).transpose();
    }
    let Some(text) = form.get(name) else { return Ok(None) };
    Ok(Some(match shape.kind() {
        Kind::Boolean if text.eq_ignore_ascii_case("true") => Json::Bool(true),
        Kind::Boolean if text.eq_ignore_ascii_case("false") => Json::Bool(false),
        Kind::Boolean => return Err(malformed()),
        Kind::Double => Json::Float(text.parse().or(Err(malformed()))?),
        Kind::Integer => Json::Integer(text.parse().or(Err(malformed()))?),
        Kind::Timestamp => Json::Float(time(text).ok_or_else(malformed)?),
        Kind::Blob
        | Kind::Enumeration { .. }
        | Kind::List(_)
        | Kind::Map
        | Kind::Structure(_)
        | Kind::Text => Json::Text(Cow::Borrowed(text)),
    }))
}

/// The seconds since 1970 of a point in time, as RFC 3339 writes it.
fn time(text: &str) -> Option<f64> {
    let nanos = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
    (nanos / 1_000_000).to_string().parse::<f64>().ok().map(|millis| millis / 1000.0)
}

/// `name.member.1`, `name.member.2` and so on; `name` alone, without a value, is the empty list.
fn list<'f>(form: &'f Form<'_>, name: &str, element: &Shape) -> Result<Option<Json<'f>>, QueryError> {
    let prefix = format!("{name}.member.");
    let mut numbers = BTreeSet::new();
    for (name, _) in form.under(&prefix) {
        let rest = name.strip_prefix(prefix.as_str()).unwrap_or_default();
        let number = rest.split('.').next().unwrap_or_default();
        let is_number = number.starts_with(|c: char| matches!(c, '1'..='9'));
        // `01` and `+1` are no other way to write 1: an element must not stand twice.
        numbers.insert(number.parse::<u32>().ok().filter(|_| is_number).ok_or_else(malformed)?);
    }
    if numbers.is_empty() {
        return Ok(form.get(name).filter(|value| value.is_empty()).map(|_| Json::List(Vec::new())));
    }
    let mut elements = Vec::with_capacity(numbers.len());
    for number in numbers {
        elements.extend(value(form, &format!("{prefix}{number}"), element)?);
    }
    Ok(Some(Json::List(elements)))
}

// AWS: the text is unverified.
fn malformed() -> QueryError {
    QueryError::new(QueryErrorCode::MalformedInput, "The input is not of the form that the operation takes.")
}
