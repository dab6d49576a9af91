//! Values out of JSON, every limit checked.
//!
//! A value of the wrong JSON type ends decoding (SerializationException). A value outside its limits is recorded and
//! decoding goes on, so that the answer names every violation (ValidationException).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_domain::Timestamp;
use zeroize::Zeroizing;

use crate::error::InputError;
use crate::json::{Json, Object};
use crate::mismatch::{UNEXPECTED_LIST, Wanted, mismatch};
use crate::shape::{Kind, Member, Shape, matching, one_of};
use crate::value::{
    Blob, EncryptionContext, KmsDate, RequestedSigningAlgorithm, SensitiveBlob, SensitiveText,
};
use crate::violation::{Place, Shown, Step, Values, Violations};

/// A value that can be read; `None` when a violation was recorded instead.
pub(crate) trait FromJson: Sized {
    fn from_json(json: &Json<'_>, at: &Place<'_>, found: &mut Violations)
    -> Result<Option<Self>, InputError>;
}

/// A structure that can be read; `None` when a violation was recorded instead.
pub(crate) trait FromObject: Sized {
    fn from_object(
        object: &Object<'_>,
        parent: Option<&Place<'_>>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError>;
}

/// Reads the body of a request; no body at all is a request without members.
pub(crate) fn body<T: FromObject>(body: &[u8]) -> Result<T, InputError> {
    let json = crate::json::parse(if body.is_empty() { b"{}" } else { body });
    let object = match json {
        Ok(Json::Object(object)) => object,
        Ok(Json::List(_)) => return Err(InputError::Serialization(Some(UNEXPECTED_LIST.to_owned()))),
        Ok(Json::Null | Json::Bool(_) | Json::Integer(_) | Json::Float(_) | Json::Text(_)) | Err(_) => {
            return Err(InputError::Serialization(None));
        }
    };
    let mut found = Violations::default();
    match T::from_object(&object, None, &mut found)? {
        Some(value) if found.is_empty() => Ok(value),
        Some(_) | None => Err(InputError::Validation(found.message())),
    }
}

/// A member that must be there.
pub(crate) fn required<T: FromJson>(
    object: &Object<'_>,
    member: &Member,
    parent: Option<&Place<'_>>,
    found: &mut Violations,
) -> Result<Option<T>, InputError> {
    let at = Place { parent, step: Step::Member(member.name), shape: member.shape };
    match object.get(member.name) {
        Some(json) => T::from_json(json, &at, found),
        None => {
            found.add(&at, &Shown::Null, NOT_NULL);
            Ok(None)
        }
    }
}

/// A member that may be absent.
pub(crate) fn optional<T: FromJson>(
    object: &Object<'_>,
    member: &Member,
    parent: Option<&Place<'_>>,
    found: &mut Violations,
) -> Result<Option<Option<T>>, InputError> {
    let at = Place { parent, step: Step::Member(member.name), shape: member.shape };
    match object.get(member.name) {
        Some(json) => Ok(T::from_json(json, &at, found)?.map(Some)),
        None => Ok(Some(None)),
    }
}

/// A member whose absence means its empty value.
pub(crate) fn default<T: FromJson + Default>(
    object: &Object<'_>,
    member: &Member,
    parent: Option<&Place<'_>>,
    found: &mut Violations,
) -> Result<Option<T>, InputError> {
    Ok(optional(object, member, parent, found)?.map(Option::unwrap_or_default))
}

/// A member that must be there unless the request is a dry run that ignores the ciphertext.
pub(crate) fn unless_ignored<T: FromJson>(
    object: &Object<'_>,
    member: &Member,
    parent: Option<&Place<'_>>,
    found: &mut Violations,
) -> Result<Option<Option<T>>, InputError> {
    let dry_run = matches!(object.get("DryRun"), Some(Json::Bool(true)));
    let ignored = match object.get("DryRunModifiers") {
        Some(Json::List(modifiers)) => {
            modifiers.iter().any(|m| matches!(m, Json::Text(text) if text == "IGNORE_CIPHERTEXT"))
        }
        Some(_) | None => false,
    };
    if dry_run && ignored {
        return optional(object, member, parent, found);
    }
    Ok(required(object, member, parent, found)?.map(Some))
}

impl FromJson for String {
    fn from_json(
        json: &Json<'_>,
        at: &Place<'_>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError> {
        let text = text(json, "a String")?;
        Ok(within_limits(text, at, found).then(|| text.to_owned()))
    }
}

impl FromJson for SensitiveText {
    fn from_json(
        json: &Json<'_>,
        at: &Place<'_>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError> {
        Ok(String::from_json(json, at, found)?.map(Self::from))
    }
}

impl FromJson for bool {
    fn from_json(json: &Json<'_>, _: &Place<'_>, _: &mut Violations) -> Result<Option<Self>, InputError> {
        // AWS: unverified
        let Json::Bool(value) = json else { return Err(mismatch(json, Wanted::Scalar("a Boolean"))) };
        Ok(Some(*value))
    }
}

impl FromJson for u32 {
    fn from_json(
        json: &Json<'_>,
        at: &Place<'_>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError> {
        // Every integer of the API has limits, so this fails for none of them.
        let Some(number) = number_within_limits(json, at, found)? else { return Ok(None) };
        Ok(Some(u32::try_from(number).map_err(|_error| mismatch(json, Wanted::Scalar("an Integer")))?))
    }
}

impl FromJson for i64 {
    fn from_json(
        json: &Json<'_>,
        at: &Place<'_>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError> {
        let Some(number) = number_within_limits(json, at, found)? else { return Ok(None) };
        Ok(Some(i64::try_from(number).map_err(|_error| mismatch(json, Wanted::Scalar("a Long")))?))
    }
}

/// A whole number; `None` when a violation was recorded instead.
fn number_within_limits(
    json: &Json<'_>,
    at: &Place<'_>,
    found: &mut Violations,
) -> Result<Option<i128>, InputError> {
    // AWS: unverified for a number with a fraction: it is refused here, not cut.
    let number = integer(json).ok_or_else(|| mismatch(json, Wanted::Scalar("an Integer")))?;
    let shown = number.to_string();
    if let Some(min) = at.shape.min().filter(|min| number < i128::from(*min)) {
        found.add(at, &Shown::Text(&shown), &at.shape.at_least(min));
        return Ok(None);
    }
    if let Some(max) = at.shape.max().filter(|max| number > i128::from(*max)) {
        found.add(at, &Shown::Text(&shown), &at.shape.at_most(max));
        return Ok(None);
    }
    Ok(Some(number))
}

impl FromJson for f64 {
    /// Texts stand for what JSON has no number for.
    fn from_json(json: &Json<'_>, _: &Place<'_>, _: &mut Violations) -> Result<Option<Self>, InputError> {
        let number = match json {
            Json::Integer(number) => number.to_string().parse().ok(),
            Json::Float(number) => Some(*number),
            Json::Text(text) => match text.as_ref() {
                "NaN" => Some(Self::NAN),
                "Infinity" => Some(Self::INFINITY),
                "-Infinity" => Some(Self::NEG_INFINITY),
                _ => None,
            },
            Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => None,
        };
        // AWS: unverified
        Ok(Some(number.ok_or_else(|| mismatch(json, Wanted::Scalar("a Double")))?))
    }
}

impl FromJson for Timestamp {
    fn from_json(json: &Json<'_>, _: &Place<'_>, _: &mut Violations) -> Result<Option<Self>, InputError> {
        let millis = if let Json::Integer(seconds) = json {
            i64::try_from(*seconds).ok().and_then(|seconds| seconds.checked_mul(1000))
        } else if let Json::Float(seconds) = json {
            whole((seconds * 1000.0).round())
        } else {
            // AWS: unverified
            return Err(mismatch(json, Wanted::Scalar("a Date")));
        };
        let millis = millis.filter(|m| (-FARTHEST..=FARTHEST).contains(m));
        Ok(Some(Self::from_millis(millis.ok_or(InputError::Serialization(None))?)))
    }
}

impl FromJson for KmsDate {
    fn from_json(
        json: &Json<'_>,
        at: &Place<'_>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError> {
        Ok(Timestamp::from_json(json, at, found)?.map(Self))
    }
}

impl FromJson for Blob {
    fn from_json(
        json: &Json<'_>,
        at: &Place<'_>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError> {
        let mut bytes = base64(json)?;
        Ok(long_enough(&bytes, at, found).then(|| Self::from(std::mem::take(&mut *bytes))))
    }
}

impl FromJson for SensitiveBlob {
    fn from_json(
        json: &Json<'_>,
        at: &Place<'_>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError> {
        let bytes = base64(json)?;
        Ok(long_enough(&bytes, at, found).then(|| Self::from(bytes)))
    }
}

impl FromJson for RequestedSigningAlgorithm {
    fn from_json(
        json: &Json<'_>,
        at: &Place<'_>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError> {
        enumeration(json, at, found, |text| match text.parse() {
            Ok(algorithm) => Some(Self::Signing(algorithm)),
            Err(_) => (text == Self::SymmetricDefault.as_str()).then_some(Self::SymmetricDefault),
        })
    }
}

impl FromJson for EncryptionContext {
    fn from_json(
        json: &Json<'_>,
        at: &Place<'_>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError> {
        let Json::Object(object) = json else { return Err(mismatch(json, Wanted::Map)) };
        let mut context = Self::new();
        let mut whole = true;
        for (key, value) in object.iter() {
            if matches!(value, Json::Null) {
                // AWS: unverified; a pair without a value must not vanish from what is authenticated.
                found.add(
                    &Place { parent: Some(at), step: Step::Key(key), shape: at.shape },
                    &Shown::Null,
                    NOT_NULL,
                );
                whole = false;
                continue;
            }
            // The parser refuses a key that stands twice.
            whole &= context.insert(key.to_owned(), text(value, "a String")?.to_owned());
        }
        Ok(whole.then_some(context))
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    /// `null` elements are skipped.
    // AWS: unverified for KMS; second-hand from another service of the same protocol.
    fn from_json(
        json: &Json<'_>,
        at: &Place<'_>,
        found: &mut Violations,
    ) -> Result<Option<Self>, InputError> {
        let (Json::List(elements), Kind::List(shape)) = (json, at.shape.kind()) else {
            return Err(mismatch(json, Wanted::List));
        };
        let mut values = Self::with_capacity(elements.len());
        // Elements with members name each violation; of others the list as a whole is named once.
        let mut of_elements = Violations::default();
        for (number, element) in (1..).zip(elements.iter().filter(|e| !matches!(e, Json::Null))) {
            let place = Place { parent: Some(at), step: Step::Element(number), shape };
            values.extend(match shape.kind() {
                Kind::Structure(_) => T::from_json(element, &place, found)?,
                Kind::Blob
                | Kind::Boolean
                | Kind::Double
                | Kind::Enumeration { .. }
                | Kind::Integer
                | Kind::List(_)
                | Kind::Map
                | Kind::Text
                | Kind::Timestamp => T::from_json(element, &place, &mut of_elements)?,
            });
        }
        let before = found.count();
        if let Some(constraint) = broken_length(elements.len(), at.shape) {
            found.add(at, &Shown::Text(&listing(elements)), &constraint);
        }
        if !of_elements.is_empty() {
            // AWS: unverified for KMS; the form other services of the same framework answer.
            let mut constraints = shape.constraints();
            if found.values() == Values::Hidden && shape.name() == "tagKeyType" {
                // IAM says so of these, and not of the elements of other lists.
                constraints.push(NOT_NULL.to_owned());
            }
            let constraint = format!("Member must satisfy constraint: [{}]", constraints.join(", "));
            found.add(at, &Shown::Text(&listing(elements)), &constraint);
        }
        Ok((found.count() == before).then_some(values))
    }
}

/// A structure inside a request.
pub(crate) fn structure<T: FromObject>(
    json: &Json<'_>,
    at: &Place<'_>,
    found: &mut Violations,
) -> Result<Option<T>, InputError> {
    let Json::Object(object) = json else { return Err(mismatch(json, Wanted::Structure)) };
    T::from_object(object, Some(at), found)
}

/// A value of an enumeration, by `parse`.
pub(crate) fn enumeration<T>(
    json: &Json<'_>,
    at: &Place<'_>,
    found: &mut Violations,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, InputError> {
    let text = text(json, "a String")?;
    let value = parse(text);
    if let (None, Kind::Enumeration { listed, .. }) = (&value, at.shape.kind()) {
        found.add(at, &Shown::Text(text), &one_of(listed));
    }
    Ok(value)
}

fn text<'j>(json: &'j Json<'_>, wanted: &'static str) -> Result<&'j str, InputError> {
    let Json::Text(text) = json else { return Err(mismatch(json, Wanted::Scalar(wanted))) };
    Ok(text)
}

fn base64(json: &Json<'_>) -> Result<Zeroizing<Vec<u8>>, InputError> {
    // AWS: unverified
    let text = text(json, "a Blob")?;
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
    // AWS: the text, if any, is unverified. The cause would name a byte of what may be secret.
    let length = STANDARD.decode_slice(text, &mut bytes).ok().ok_or(InputError::Serialization(None))?;
    bytes.truncate(length);
    Ok(bytes)
}

fn within_limits(text: &str, at: &Place<'_>, found: &mut Violations) -> bool {
    let mut ok = check_length(text.chars().count(), &Shown::Text(text), at, found);
    if let Some(pattern) = at.shape.pattern().filter(|pattern| !pattern.matches(text)) {
        found.add(at, &Shown::Text(text), &matching(&pattern));
        ok = false;
    }
    ok
}

fn long_enough(bytes: &[u8], at: &Place<'_>, found: &mut Violations) -> bool {
    check_length(bytes.len(), &Shown::Nothing, at, found)
}

fn check_length(length: usize, shown: &Shown<'_>, at: &Place<'_>, found: &mut Violations) -> bool {
    let Some(constraint) = broken_length(length, at.shape) else { return true };
    found.add(at, shown, &constraint);
    false
}

/// The limit of a shape that a length is outside of.
fn broken_length(length: usize, shape: &Shape) -> Option<String> {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    match (shape.min(), shape.max()) {
        (Some(min), _) if length < min => Some(shape.at_least(min)),
        (_, Some(max)) if length > max => Some(shape.at_most(max)),
        _ => None,
    }
}

/// A list as AWS shows it.
fn listing(elements: &[Json<'_>]) -> String {
    let texts: Vec<Cow<'_, str>> = elements
        .iter()
        .map(|element| match element {
            Json::Text(text) => Cow::Borrowed(text.as_ref()),
            Json::Integer(number) => Cow::Owned(number.to_string()),
            Json::Null | Json::Bool(_) | Json::Float(_) | Json::List(_) | Json::Object(_) => {
                Cow::Borrowed("")
            }
        })
        .collect();
    format!("[{}]", texts.join(", "))
}

/// The integer that a JSON number is.
fn integer(json: &Json<'_>) -> Option<i128> {
    if let Json::Integer(number) = json {
        return Some(*number);
    }
    let Json::Float(number) = json else { return None };
    whole(*number).map(i128::from)
}

/// The integer that a number is, when it is one that a double holds exactly.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 2^53 fits")]
    let whole = number as i64;
    Some(whole)
}

const NOT_NULL: &str = "Member must not be null";

/// The farthest point in time, either way from the epoch, in milliseconds: 100 million days.
const FARTHEST: i64 = 8_640_000_000_000_000;
