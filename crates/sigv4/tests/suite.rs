//! The AWS Signature Version 4 test suite, each case in its header form and in its query form. See `vectors/README.md`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use keyreeve_crypto::digest::sha256;
use keyreeve_domain::time::Timestamp;
use keyreeve_sigv4::{
    AmzDate, Claim, Expected, Regions, RequestHead, SigV4Error, Signer, SigningKey, authorization,
};
use serde_json::Value;

const SUITE: &str = include_str!("vectors/aws-signing-test-suite.json");

/// 2015-08-30T12:36:00Z, the time of every case.
const NOW: i64 = 1_440_938_160_000;

/// What becomes of a case that does not simply verify.
enum Fate {
    Verified,
    /// The case has no key: its path stands in `src/encoding.rs`.
    NoKey,
    /// Signed with path normalisation switched off, which only S3 does.
    SignedAsS3Does,
    /// The token was added after signing, as only the IoT WebSocket upgrade does.
    UnsignedToken,
}

fn fate(name: &str) -> Fate {
    match name {
        "double-encode-path" | "double-url-encode" => Fate::NoKey,
        "get-relative-relative-unnormalized"
        | "get-relative-unnormalized"
        | "get-slash-dot-slash-unnormalized"
        | "get-slash-pointless-dot-unnormalized"
        | "get-slash-unnormalized"
        | "get-slashes-unnormalized" => Fate::SignedAsS3Does,
        "post-sts-header-after" => Fate::UnsignedToken,
        _ => Fate::Verified,
    }
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let (method, target) =
            lines.next().unwrap().strip_suffix(" HTTP/1.1").unwrap().split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.starts_with(' ') {
                let (_, value) = headers.last_mut().unwrap();
                value.push('\n');
                value.push_str(line);
            } else {
                let (name, value) = line.split_once(':').unwrap();
                headers.push((name.to_owned(), value.to_owned()));
            }
        }
        Self { method: method.into(), path: path.into(), query: query.into(), headers, body: body.into() }
    }

    fn head(&self) -> RequestHead<'_, impl Iterator<Item = (&str, &[u8])> + Clone> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        RequestHead { method: &self.method, path: &self.path, query: &self.query, headers }
    }
}

fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} is missing"))
}

fn key(case: &Value) -> SigningKey {
    let secret = case.pointer("/context/credentials/secret_access_key").unwrap().as_str().unwrap();
    SigningKey::derive(secret.as_bytes(), "20150830", "us-east-1", "service")
}

fn verify(request: &Request, case: &Value) -> Result<Option<String>, SigV4Error> {
    let expected = Expected { service: "service", regions: Regions::OneOf(&["us-east-1"]) };
    let head = request.head();
    let claim = Claim::parse(&head)?.check(Timestamp::from_millis(NOW), &expected)?;
    let verified = claim.verify(&head, &sha256(request.body.as_bytes()), &key(case))?;
    assert_eq!(verified.claim().access_key_id(), "AKIDEXAMPLE");
    Ok(verified.claim().session_token().map(str::to_owned))
}

fn cases() -> Vec<Value> {
    let cases: Vec<Value> = serde_json::from_str(SUITE).unwrap();
    assert_eq!(cases.len(), 40);
    cases
}

#[test]
fn every_case_of_the_aws_suite_meets_its_fate() {
    for case in cases() {
        let name = text(&case, "name");
        for (form, unsigned_token) in [
            ("header_signed_request", SigV4Error::HeaderNotSigned { name: "x-amz-security-token".into() }),
            ("query_signed_request", SigV4Error::Mismatch),
        ] {
            let token =
                case.pointer("/context/credentials/token").map(|token| token.as_str().unwrap().to_owned());
            let outcome = match fate(name) {
                Fate::NoKey => continue,
                Fate::Verified => Ok(token),
                Fate::SignedAsS3Does => Err(SigV4Error::Mismatch),
                Fate::UnsignedToken => Err(unsigned_token),
            };
            let request = Request::read(text(&case, form));
            assert_eq!(verify(&request, &case), outcome, "{name} {form}");
        }
    }
}

#[test]
fn the_signer_makes_the_signatures_of_the_aws_suite() {
    for case in cases() {
        let name = text(&case, "name");
        if !matches!(fate(name), Fate::Verified) {
            continue;
        }
        let mut request = Request::read(text(&case, "header_signed_request"));
        let (_, published) = request.headers.pop().unwrap();
        let signer = Signer {
            access_key_id: "AKIDEXAMPLE",
            region: "us-east-1",
            service: "service",
            date: AmzDate::from_timestamp(Timestamp::from_millis(NOW)),
            key: &key(&case),
        };
        assert_eq!(
            authorization(&signer, &request.head(), &sha256(request.body.as_bytes())),
            published,
            "{name}"
        );
    }
}
