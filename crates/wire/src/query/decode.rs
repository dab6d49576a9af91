//! Members out of a form, every limit checked.
//!
//! The form becomes the tree that a JSON request would have been, guided by the shapes of the members, so that one code
//! checks the limits of every protocol. `Tags.member.2.Key` is the member `Key` of the second element of the list `Tags`.

use std::borrow::Cow;
use std::collections::BTreeMap;

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
        Kind::Boolean => Json::Bool(boolean(text).ok_or_else(malformed)?),
        Kind::Double => Json::Float(text.parse().or(Err(malformed()))?),
        // Of 32 bits, with a sign and zeros before it.
        Kind::Integer => Json::Integer(text.parse::<i32>().or(Err(malformed()))?.into()),
        Kind::Timestamp => Json::Float(time(text).ok_or_else(malformed)?),
        Kind::Blob
        | Kind::Enumeration { .. }
        | Kind::List(_)
        | Kind::Map
        | Kind::Structure(_)
        | Kind::Text => Json::Text(Cow::Borrowed(text)),
    }))
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// The seconds since 1970 of a point in time, as RFC 3339 writes it.
fn time(text: &str) -> Option<f64> {
    let nanos = OffsetDateTime::parse(text, &Rfc3339).ok()?.unix_timestamp_nanos();
    (nanos / 1_000_000).to_string().parse::<f64>().ok().map(|millis| millis / 1000.0)
}

/// The elements that a list may lack before one that is there. Source: recorded answers of AWS (September 2026).
const GAP: u32 = 10;

/// `name.member.1`, `name.member.2` and so on; `name` alone, without a value, is the empty list. What is left out between two is
/// an element without a value, and so is the first of a list of structures that has a name for a number.
fn list<'f>(form: &'f Form<'_>, name: &str, element: &Shape) -> Result<Option<Json<'f>>, QueryError> {
    let prefix = format!("{name}.member.");
    let mut written: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for (name, _) in form.under(&prefix) {
        let mut rest = name.strip_prefix(prefix.as_str()).unwrap_or_default().split('.');
        let index = rest.next().unwrap_or_default();
        if rest.next().is_some_and(is_number) && is_number(index) {
            return Err(refused("Two index elements may not occur back to back".to_owned()));
        }
        let spellings = written.entry(position(index, element)?).or_default();
        // The first element has no members under another name, and there may be thousands of such names.
        if is_number(index) && !spellings.contains(&index) {
            spellings.push(index);
        }
    }
    let Some(last) = written.keys().next_back() else {
        return Ok(form.get(name).filter(|value| value.is_empty()).map(|_| Json::List(Vec::new())));
    };
    let mut reached = 1;
    for position in written.keys() {
        let gap = position.saturating_sub(reached);
        if gap > GAP {
            return Err(refused(format!("Excessively sparse input would skip {gap} list elements")));
        }
        reached = *position;
    }
    let mut elements = Vec::new();
    for position in 1..=*last {
        let spellings = written.get(&position).map(Vec::as_slice).unwrap_or_default();
        match (spellings, element.kind()) {
            (_, Kind::Structure(members)) => {
                elements.push(Json::Object(spelt(form, &prefix, spellings, members)?));
            }
            // Members under an element that has none are no value of it.
            ([index], _) => {
                let value = value(form, &format!("{prefix}{index}"), element)?;
                elements.push(value.ok_or_else(malformed)?);
            }
            ([], _) => return Err(QueryError::validation(lacking(name, element))),
            // An element must not stand twice.
            (_, _) => return Err(malformed()),
        }
    }
    Ok(Some(Json::List(elements)))
}

/// An element whose number is spelt in these ways: `01` is 1, and each member stands under one of them.
fn spelt<'f>(
    form: &'f Form<'_>,
    prefix: &str,
    spellings: &[&str],
    members: &'static [Member],
) -> Result<Object<'f>, QueryError> {
    let mut whole = Vec::new();
    for index in spellings {
        for member in members {
            let name = format!("{prefix}{index}.{}", member.name);
            let Some(value) = value(form, &name, member.shape)? else { continue };
            if whole.iter().any(|(known, _)| *known == member.name) {
                return Err(malformed());
            }
            whole.push((Cow::Borrowed(member.name), value));
        }
    }
    Ok(Object::from(whole))
}

fn is_number(index: &str) -> bool {
    !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit())
}

/// Which element of a list `index` is.
fn position(index: &str, element: &Shape) -> Result<u32, QueryError> {
    match index.parse::<u32>() {
        Ok(0) if is_number(index) => Err(refused(format!("{index} is not a valid index"))),
        Ok(position) if is_number(index) => Ok(position),
        _ if index.starts_with('-') => Err(refused(format!("Key {index} may not have a leading '-'"))),
        _ if is_number(index) || index.is_empty() => Err(malformed()),
        // A name among the members of the first element, which has no such member.
        _ if matches!(element.kind(), Kind::Structure(_)) => Ok(1),
        _ => Err(refused("Start of list found where not expected".to_owned())),
    }
}

fn refused(text: String) -> QueryError {
    QueryError::new(QueryErrorCode::MalformedInput, text)
}

/// What is said of a list that lacks an element.
fn lacking(name: &str, element: &Shape) -> String {
    let mut place = String::new();
    let mut segments = name.split('.');
    while let Some(segment) = segments.next() {
        let segment = match segment {
            "member" => format!(".{}.member.", segments.next().unwrap_or_default()),
            _ => {
                segment.chars().take(1).flat_map(char::to_lowercase).chain(segment.chars().skip(1)).collect()
            }
        };
        place.push_str(&segment);
    }
    format!(
        "1 validation error detected: Value at '{place}' failed to satisfy constraint: Member must satisfy constraint: [{}]",
        element.constraints().join(", ")
    )
}

// AWS: the text is unverified.
fn malformed() -> QueryError {
    QueryError::new(QueryErrorCode::MalformedInput, "The input is not of the form that the operation takes.")
}
