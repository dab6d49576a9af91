//! The canonical request and the signature over it.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>, steps 1 to 4.

use keyreeve_crypto::digest::{LowerHex, sha256};

use crate::encoding::{push_canonical_path, push_canonical_query, push_collapsed, push_object_path};
use crate::{ALGORITHM, AmzDate, Headers, RequestHead};

/// A signed header that the request does not have.
pub(crate) struct AbsentHeader;

/// What a service has of its own in the canonical request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// Every service but S3: the path is normalised and encoded once more.
    General,
    /// S3: the path is encoded once, whatever stands in it.
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
    S3,
}

impl Form {
    /// The form of a service.
    pub(crate) fn of(service: &str) -> Self {
        if service == "s3" { Self::S3 } else { Self::General }
    }
}

/// The canonical request of `head` with `query` in place of its own. `signed_headers` is the list as the signer sent it, in the order the signer chose.
/// `payload` is what stands for the body: its SHA-256 in hexadecimal digits, as a rule.
pub(crate) fn canonical_request<'a, H: Headers<'a>>(
    head: &RequestHead<'a, H>,
    query: &str,
    signed_headers: &str,
    payload: &[u8],
    form: Form,
    drop_signature: bool,
) -> Result<Vec<u8>, AbsentHeader> {
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(head.method.as_bytes());
    out.push(b'\n');
    match form {
        Form::General => push_canonical_path(&mut out, head.path),
        Form::S3 => push_object_path(&mut out, head.path),
    }
    out.push(b'\n');
    push_canonical_query(&mut out, query, drop_signature);
    out.push(b'\n');
    for name in signed_headers.as_bytes().split(|byte| *byte == b';') {
        out.extend_from_slice(name);
        let mut separator = b':';
        for value in head.values(name) {
            out.push(separator);
            separator = b',';
            push_collapsed(&mut out, value);
        }
        if separator == b':' {
            return Err(AbsentHeader);
        }
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(signed_headers.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(payload);
    Ok(out)
}

/// The string to sign, in parts: hand them to HMAC one after the other.
pub(crate) fn string_to_sign<T>(
    canonical_request: &[u8],
    date: &AmzDate,
    scope: &str,
    with: impl FnOnce(&[&[u8]]) -> T,
) -> T {
    let hash = LowerHex::new(&sha256(canonical_request));
    let parts: [&[u8]; 6] =
        [ALGORITHM.as_bytes(), b"\n", date.as_str().as_bytes(), b"\n", scope.as_bytes(), b"\n"];
    // A scope is short, as a rule; then the text is one piece on the stack.
    let mut text = [0; 256];
    let mut end = 0;
    for part in parts.into_iter().chain([hash.as_bytes().as_slice()]) {
        let Some(slot) = text.get_mut(end..end + part.len()) else {
            let [a, b, c, d, e, f] = parts;
            return with(&[a, b, c, d, e, f, hash.as_bytes()]);
        };
        slot.copy_from_slice(part);
        end += part.len();
    }
    with(&[text.get(..end).unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_request_is_at_most_three_times_as_long_as_the_head() {
        let (path, value) = ("/!".repeat(1000), "x".repeat(15_000));
        let query = ["a=%00&", "!&", "=&", "%&"].concat().repeat(500);
        let names: Vec<String> = (0..100).map(|at| format!("a-{at}")).collect();
        let headers = names.iter().map(|name| (name.as_str(), value.as_bytes()));
        let head = RequestHead { method: "POST", path: &path, query: &query, headers };
        let list = names.join(";");
        let sent = path.len() + query.len() + 2 * list.len() + 100 * value.len();
        let made = canonical_request(&head, head.query, &list, &[b'0'; 64], Form::General, false);
        let made = made.map(|made| made.len()).unwrap_or(usize::MAX);
        assert!(made <= 3 * sent, "{made} of {sent}");
    }
}
