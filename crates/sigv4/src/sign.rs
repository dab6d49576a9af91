//! Making signatures: for load generators, tests, and requests to other services.

use keyreeve_crypto::digest::{LowerHex, SHA256_LEN};

use crate::canonical::{AbsentHeader, Form, canonical_request, string_to_sign};
use crate::encoding::push_encoded;
use crate::{ALGORITHM, AmzDate, Headers, MAX_EXPIRES, RequestHead, SigningKey, TERMINATOR};

/// Who signs, for which scope, when.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The access key id.
    pub access_key_id: &'a str,
    /// The Region of the scope.
    pub region: &'a str,
    /// The service of the scope.
    pub service: &'a str,
    /// The time of the request. A request signed in its header carries it as `x-amz-date`.
    pub date: AmzDate,
    /// The key derived for the same day, Region and service.
    pub key: &'a SigningKey,
}

/// The value of the `Authorization` header for `head`, whose headers are all signed, but for one named `authorization`.
///
/// The headers must hold `host` and `x-amz-date`, and `x-amz-security-token` where there is a session.
#[must_use]
pub fn authorization<'a, H: Headers<'a>>(
    signer: &Signer<'_>,
    head: &RequestHead<'a, H>,
    payload_hash: &[u8; SHA256_LEN],
) -> String {
    let signed_headers = signed_headers(head);
    let signature = signature(signer, head, head.query, &signed_headers, payload_hash);
    let Signer { access_key_id, .. } = signer;
    let scope = scope(signer);
    format!(
        "{ALGORITHM} Credential={access_key_id}/{scope}, SignedHeaders={signed_headers}, Signature={signature}"
    )
}

/// The query of `head` with a signature added to it that is good for `expires` seconds, at most [`MAX_EXPIRES`]. All headers
/// of `head` are signed; they must hold `host`.
#[must_use]
pub fn presigned_query<'a, H: Headers<'a>>(
    signer: &Signer<'_>,
    head: &RequestHead<'a, H>,
    payload_hash: &[u8; SHA256_LEN],
    expires: u32,
    session_token: Option<&str>,
) -> String {
    let signed_headers = signed_headers(head);
    let mut query = head.query.to_owned();
    let credential = format!("{}/{}", signer.access_key_id, scope(signer));
    let expires = expires.min(MAX_EXPIRES).to_string();
    for (name, value) in [
        ("X-Amz-Algorithm", Some(ALGORITHM)),
        ("X-Amz-Credential", Some(credential.as_str())),
        ("X-Amz-Date", Some(signer.date.as_str())),
        ("X-Amz-Expires", Some(expires.as_str())),
        ("X-Amz-Security-Token", session_token),
        ("X-Amz-SignedHeaders", Some(signed_headers.as_str())),
    ] {
        if let Some(value) = value {
            push_parameter(&mut query, name, value);
        }
    }
    let signature = signature(signer, head, &query, &signed_headers, payload_hash);
    push_parameter(&mut query, "X-Amz-Signature", signature.as_str());
    query
}

fn signature<'a, H: Headers<'a>>(
    signer: &Signer<'_>,
    head: &RequestHead<'a, H>,
    query: &str,
    signed_headers: &str,
    payload_hash: &[u8; SHA256_LEN],
) -> LowerHex {
    // INVARIANT: the list was made from the headers; it names none that is absent, unless there are none.
    let (payload, form) = (LowerHex::new(payload_hash), Form::of(signer.service));
    let request = canonical_request(head, query, signed_headers, payload.as_bytes(), form, true);
    let request = request.unwrap_or_else(|AbsentHeader| Vec::new());
    let signature = string_to_sign(&request, &signer.date, &scope(signer), |parts| signer.key.sign(parts));
    LowerHex::new(&signature)
}

fn signed_headers<'a, H: Headers<'a>>(head: &RequestHead<'a, H>) -> String {
    let names = head.headers.clone().map(|(name, _)| name.to_ascii_lowercase());
    let mut names: Vec<String> = names.filter(|name| name != "authorization").collect();
    names.sort();
    names.dedup();
    names.join(";")
}

fn scope(signer: &Signer<'_>) -> String {
    let Signer { region, service, date, .. } = signer;
    format!("{}/{region}/{service}/{TERMINATOR}", date.day())
}

fn push_parameter(query: &mut String, name: &str, value: &str) {
    let mut encoded = Vec::with_capacity(value.len());
    push_encoded(&mut encoded, value.as_bytes(), None);
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    query.push_str(&String::from_utf8_lossy(&encoded));
}
