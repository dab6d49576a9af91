//! The presigned form: the parameters of a signature in the query.

use std::borrow::Cow;

use crate::encoding::{decode, parameters};
use crate::error::MissingParts;
use crate::{ALGORITHM, MAX_EXPIRES, SigV4Error};

/// The parameters of the query, decoded. Each is there at most once.
pub(crate) struct Parameters<'a> {
    pub(crate) credential: Cow<'a, str>,
    pub(crate) date: Cow<'a, str>,
    /// The life of the request in seconds; the ordinary window holds where there is none, as the parameters that all requests to
    /// KMS, IAM and STS have in common do not count it (S3 asks for it).
    /// Source: <https://docs.aws.amazon.com/STS/latest/APIReference/CommonParameters.html>. AWS: unverified.
    pub(crate) expires: Option<u32>,
    pub(crate) signed_headers: Cow<'a, str>,
    pub(crate) signature: Cow<'a, str>,
    pub(crate) token: Option<Cow<'a, str>>,
}

/// Reads the query; `None` where it names no algorithm, which is how a presigned request is told.
pub(crate) fn parse(query: &str) -> Result<Option<Parameters<'_>>, SigV4Error> {
    const NAMES: [&str; 7] = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
    ];
    let mut values: [Option<Cow<'_, str>>; 7] = [const { None }; 7];
    for (name, value) in parameters(query) {
        let name = decode(name);
        let Some((place, name)) =
            values.iter_mut().zip(NAMES).find(|(_, known)| known.as_bytes() == name.as_ref())
        else {
            continue;
        };
        let value = match decode(value) {
            Cow::Borrowed(bytes) => core::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
        };
        let value = value.ok_or(SigV4Error::MalformedQuery { name })?;
        if place.replace(value).is_some() {
            return Err(SigV4Error::Duplicate);
        }
    }
    let [algorithm, credential, date, expires, signed_headers, signature, token] =
        values.map(|value| value.filter(|value| !value.is_empty()));
    let Some(algorithm) = algorithm else { return Ok(None) };
    if algorithm != ALGORITHM {
        return Err(SigV4Error::UnsupportedAlgorithm { algorithm: algorithm.into_owned() });
    }
    let missing = MissingParts {
        in_query: true,
        credential: credential.is_none(),
        signature: signature.is_none(),
        signed_headers: signed_headers.is_none(),
        date: date.is_none(),
    };
    let (Some(credential), Some(date), Some(signed_headers), Some(signature)) =
        (credential, date, signed_headers, signature)
    else {
        return Err(SigV4Error::MissingQueryParts { missing });
    };
    let expires = expires.map(|text| parse_expires(&text)).transpose()?;
    Ok(Some(Parameters { credential, date, expires, signed_headers, signature, token }))
}

fn parse_expires(text: &str) -> Result<u32, SigV4Error> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|seconds| digits && (1..=MAX_EXPIRES).contains(seconds));
    seconds.ok_or(SigV4Error::MalformedExpires)
}
