//! Any request head: a claim or an error, and no claim verifies under a key that did not sign it.
#![no_main]

use keyreeve_domain::Timestamp;
use keyreeve_sigv4::{Claim, Expected, Regions, RequestHead, SigningKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut lines = data.split(|byte| *byte == b'\n');
    let text = |line: Option<&[u8]>| String::from_utf8_lossy(line.unwrap_or_default()).into_owned();
    let (method, path, query) = (text(lines.next()), text(lines.next()), text(lines.next()));
    let headers: Vec<(String, Vec<u8>)> = lines
        .filter_map(|line| {
            let at = line.iter().position(|byte| *byte == b':')?;
            Some((String::from_utf8_lossy(&line[..at]).to_ascii_lowercase(), line[at + 1..].to_vec()))
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
});
