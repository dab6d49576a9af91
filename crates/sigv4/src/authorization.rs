//! The `Authorization` header: `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.

use memchr::{memchr, memchr3_iter};

use crate::error::{AuthorizationHash, MissingParts};
use crate::{ALGORITHM, SigV4Error};

/// The parameters of the header. Each is there once.
pub(crate) struct Parameters<'a> {
    pub(crate) credential: &'a str,
    pub(crate) signed_headers: &'a str,
    pub(crate) signature: &'a str,
}

/// Reads the header. `has_date` tells whether the request has a date, which one text names together with the parameters.
pub(crate) fn parse(header: &[u8], has_date: bool) -> Result<Parameters<'_>, SigV4Error> {
    let hash = || AuthorizationHash::of(header);
    let missing = |missing| SigV4Error::MissingHeaderParts { missing, authorization: hash() };
    let nothing = MissingParts {
        credential: true,
        signature: true,
        signed_headers: true,
        date: !has_date,
        in_query: false,
    };
    let Ok(text) = core::str::from_utf8(header) else { return Err(missing(nothing)) };
    let (algorithm, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    if algorithm != ALGORITHM {
        return Err(if algorithm.starts_with("AWS4-") {
            SigV4Error::UnsupportedAlgorithm { algorithm: algorithm.to_owned() }
        } else {
            missing(nothing)
        });
    }
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    // By bytes: neither a separator nor an equal sign is a part of a longer character.
    let ends = memchr3_iter(b',', b' ', b'\t', rest.as_bytes()).chain([rest.len()]);
    let mut begin = 0;
    for end in ends {
        let part = rest.get(begin..end).unwrap_or_default();
        begin = end + 1;
        if part.is_empty() {
            continue;
        }
        let equals = memchr(b'=', part.as_bytes());
        let Some((name, value)) = equals.and_then(|at| Some((part.get(..at)?, part.get(at + 1..)?))) else {
            return Err(SigV4Error::NotKeyValue { authorization: hash() });
        };
        let place = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => continue,
        };
        if place.replace(value).is_some() {
            return Err(SigV4Error::Duplicate);
        }
    }
    // An empty value counts as none.
    let [credential, signed_headers, signature] =
        [credential, signed_headers, signature].map(|value| value.filter(|value| !value.is_empty()));
    match (credential, signed_headers, signature) {
        (Some(credential), Some(signed_headers), Some(signature)) if has_date => {
            Ok(Parameters { credential, signed_headers, signature })
        }
        _ => Err(missing(MissingParts {
            credential: credential.is_none(),
            signature: signature.is_none(),
            signed_headers: signed_headers.is_none(),
            date: !has_date,
            in_query: false,
        })),
    }
}
