//! Who signed a request.

use keyreeve_domain::Timestamp;
use keyreeve_sigv4::{Claim, Expected, Regions, RequestHead, SigningKey};

/// Any request head: a claim or an error, and no claim verifies under a key that did not sign it.
///
/// Lines: method, path, query, then `name:value`.
pub fn sigv4_head(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let text = |line: Option<&[u8]>| String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
    let (method, path, query) = (text(lines.next()), text(lines.next()), text(lines.next()));
    let headers: Vec<(String, Vec<u8>)> = lines
        .filter_map(|line| {
            let (name, value) = line.split_at(line.iter().position(|byte| *byte == b':')?);
            let value = value.strip_prefix(b":").unwrap_or_default();
            Some((String::from_utf8_lossy(name).to_ascii_lowercase(), value.to_vec()))
        })
        .collect();
    let head = RequestHead {
        method: &method,
        path: &path,
        query: &query,
        headers: headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())),
    };
    let Ok(claim) = Claim::parse(&head) else { return };
    let key = SigningKey::derive(
        b"a secret that signed nothing",
        claim.scope_date(),
        claim.region(),
        claim.service(),
    );
    let now = Timestamp::from_millis(1_440_938_160_000);
    let expected = Expected { service: "kms", regions: Regions::Any };
    let Ok(checked) = claim.check(now, &expected) else { return };
    assert!(checked.verify(&head, &[0; 32], &key).is_err());
}
