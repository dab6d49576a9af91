//! Each way to sign wrongly, and the code and text it is answered with.
#![expect(clippy::unwrap_used, reason = "test code")]

use std::num::NonZeroUsize;

use keyreeve_crypto::digest::{LowerHex, sha256};
use keyreeve_domain::time::Timestamp;
use keyreeve_sigv4::{
    AmzDate, Claim, Expected, Regions, RequestHead, SigV4Error, Signer, SigningKey, SigningKeyCache,
    authorization, presigned_query,
};

/// 2024-08-20T23:08:02Z.
const NOW: i64 = 1_724_195_282_000;
const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const SIGNED_HEADERS: &str = "'SignedHeaders' must name each header once, and only headers of the request.";
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

#[derive(Clone)]
struct Request {
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn head(&self) -> RequestHead<'_, impl Iterator<Item = (&str, &[u8])> + Clone> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        RequestHead { method: "POST", path: "/", query: &self.query, headers }
    }

    /// Unsigned.
    fn bare() -> Self {
        let headers = [
            ("host", "127.0.0.1:4599"),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "TrentService.ListKeys"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { query: String::new(), headers, body: "{}".into() }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(found, _)| found != name);
        self
    }

    /// With `from` replaced by `to` in the header `name`; the header must hold `from`.
    fn edit(mut self, name: &str, from: &str, to: &str) -> Self {
        let (_, value) = self.headers.iter_mut().find(|(found, _)| found == name).unwrap();
        assert!(value.contains(from), "{value}");
        *value = value.replacen(from, to, 1);
        self
    }

    fn query(mut self, from: &str, to: &str) -> Self {
        assert!(self.query.contains(from), "{}", self.query);
        self.query = self.query.replacen(from, to, 1);
        self
    }

    fn signed_at(mut self, seconds: i64) -> Self {
        let date = AmzDate::from_timestamp(Timestamp::from_millis(NOW + seconds * 1000));
        self = self.with("x-amz-date", date.as_str());
        let key = SigningKey::derive(SECRET, date.day(), "us-east-1", "kms");
        let value = authorization(&signer(date, &key), &self.head(), &sha256(self.body.as_bytes()));
        self.with("authorization", &value)
    }

    fn presigned_at(mut self, seconds: i64) -> Self {
        let date = AmzDate::from_timestamp(Timestamp::from_millis(NOW + seconds * 1000));
        let key = SigningKey::derive(SECRET, date.day(), "us-east-1", "kms");
        let query = presigned_query(
            &signer(date, &key),
            &self.head(),
            &sha256(self.body.as_bytes()),
            60,
            Some("token+/="),
        );
        self.query = query;
        self
    }

    fn verify(&self) -> Result<(), SigV4Error> {
        self.verify_for("kms")
    }

    fn verify_for(&self, service: &str) -> Result<(), SigV4Error> {
        let head = self.head();
        let expected = Expected { service, regions: Regions::Any };
        let claim = Claim::parse(&head)?.check(Timestamp::from_millis(NOW), &expected)?;
        let (date, region) = (claim.claim().scope_date(), claim.claim().region());
        let key = SigningKey::derive(SECRET, date, region, service);
        claim.verify(&head, &sha256(self.body.as_bytes()), &key).map(|_| ())
    }
}

fn signer<'a>(date: AmzDate, key: &'a SigningKey) -> Signer<'a> {
    Signer { access_key_id: "AKIDEXAMPLE", region: "us-east-1", service: "kms", date, key }
}

fn signed() -> Request {
    Request::bare().signed_at(0)
}

fn presigned() -> Request {
    Request::bare().presigned_at(0)
}

#[test]
fn a_good_request_verifies_in_either_form_and_at_the_edges_of_the_window() {
    let hash = LowerHex::new(&sha256(b"{}"));
    for (name, request) in [
        ("header", signed()),
        ("oldest", Request::bare().signed_at(-300)),
        ("newest", Request::bare().signed_at(300)),
        (
            "no space after the commas",
            signed().edit("authorization", ", S", ",S").edit("authorization", ", S", ",S"),
        ),
        ("a header that no one needs to sign", signed().with("user-agent", "x")),
        ("host without its port", Request::bare().edit("host", ":4599", "").signed_at(0)),
        ("declared body hash", Request::bare().with("x-amz-content-sha256", hash.as_str()).signed_at(0)),
        ("session token", Request::bare().with("x-amz-security-token", "t").signed_at(0)),
        ("query", presigned()),
        ("oldest query", Request::bare().presigned_at(-60)),
        ("query in another order", {
            let mut request = presigned();
            request.query = request.query.split('&').rev().collect::<Vec<_>>().join("&");
            request
        }),
    ] {
        assert_eq!(request.verify(), Ok(()), "{name}");
    }
}

#[test]
fn each_bad_signature_gets_the_code_and_text_of_aws() {
    const INCOMPLETE: &str = "IncompleteSignatureException";
    const INVALID: &str = "InvalidSignatureException";
    let bearer = signed().without("authorization").with("authorization", "Bearer abc");
    let table: Vec<(&str, Request, &str, &str)> = vec![
        ("unsigned", Request::bare(), "MissingAuthenticationTokenException", "Missing Authentication Token"),
        (
            "another scheme without a date",
            bearer.clone().without("x-amz-date"),
            INCOMPLETE,
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
             Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either \
             a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) \
             Authorization=w1Xc6WwWEogNEZQP/dkBTThsJT4MNlKmzQanIm970rY=",
        ),
        (
            "no signature",
            signed().edit("authorization", "Signature=", "Sign="),
            INCOMPLETE,
            "Authorization header requires 'Signature' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=",
        ),
        (
            "no signed headers",
            signed().edit("authorization", "SignedHeaders=", "Headers="),
            INCOMPLETE,
            "Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=",
        ),
        (
            "no credential",
            signed().edit("authorization", "Credential=AKIDEXAMPLE", "Credential=,x="),
            INCOMPLETE,
            "Authorization header requires 'Credential' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=",
        ),
        (
            "no date",
            signed().without("x-amz-date"),
            INCOMPLETE,
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) Authorization=",
        ),
        (
            "a space in the credential",
            signed().edit("authorization", "Credential=", "Credential= "),
            INCOMPLETE,
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '",
        ),
        (
            "another algorithm",
            signed().edit("authorization", "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
            INCOMPLETE,
            "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
        ),
        (
            "a signature twice",
            signed().edit("authorization", "Signature=", "Signature=0,Signature="),
            INCOMPLETE,
            "The request carries more than one value for an authentication parameter.",
        ),
        (
            "two authorization headers",
            signed().with("Authorization", "x"),
            INCOMPLETE,
            "The request carries more than one value for an authentication parameter.",
        ),
        (
            "a credential of four elements",
            signed().edit("authorization", "/kms/", "/"),
            INCOMPLETE,
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/20240820/us-east-1/aws4_request'",
        ),
        (
            "a date in another form",
            signed().edit("x-amz-date", "20240820T", "2024-08-20T"),
            INCOMPLETE,
            "Date must be in ISO-8601 'basic format'. Got '2024-08-20T230802Z'. See http://en.wikipedia.org/wiki/ISO_8601",
        ),
        (
            "host not signed",
            signed().edit("authorization", "content-type;host;", "content-type;"),
            INVALID,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "an x-amz- header not signed",
            signed().with("X-Amz-Meta", "x"),
            INVALID,
            "'x-amz-meta' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "an x-amz- header not signed in a presigned request",
            presigned().with("X-Amz-Meta", "x"),
            INVALID,
            "'x-amz-meta' must be a 'SignedHeader' in the AWS Authorization.",
        ),
        (
            "a region that KMS cannot be in",
            signed().edit("authorization", "/us-east-1/", "/local/"),
            INVALID,
            "Credential should be scoped to a valid region. ",
        ),
        (
            "a signed header named twice",
            signed().edit("authorization", "content-type;host;", "host;host;"),
            INCOMPLETE,
            SIGNED_HEADERS,
        ),
        (
            "a signed header named twice in two cases",
            signed().edit("authorization", "content-type;host;", "HOST;host;"),
            INCOMPLETE,
            SIGNED_HEADERS,
        ),
        (
            "a signed header named 7500 times",
            signed().with("a", &"x".repeat(15_000)).edit(
                "authorization",
                "content-type;",
                &"a;".repeat(7_500),
            ),
            INCOMPLETE,
            SIGNED_HEADERS,
        ),
        (
            "more signed headers than there are",
            signed().edit("authorization", "content-type;", "a;b;c;d;"),
            INCOMPLETE,
            SIGNED_HEADERS,
        ),
        (
            "a signed header named twice in a presigned request",
            presigned().query("content-type%3Bhost", "host%3Bhost"),
            INCOMPLETE,
            SIGNED_HEADERS,
        ),
        (
            "too old",
            Request::bare().signed_at(-379),
            INVALID,
            "Signature expired: 20240820T230143Z is now earlier than 20240820T230302Z (20240820T230802Z - 5 min.)",
        ),
        (
            "too new",
            Request::bare().signed_at(301),
            INVALID,
            "Signature not yet current: 20240820T231303Z is still later than 20240820T231302Z (20240820T230802Z + 5 min.)",
        ),
        (
            "presigned too long ago",
            Request::bare().presigned_at(-61),
            INVALID,
            "Signature expired: 20240820T230701Z is now earlier than 20240820T230702Z (20240820T230802Z - 60 sec.)",
        ),
        (
            "another service",
            signed().edit("authorization", "/kms/", "/sts/"),
            INVALID,
            "Credential should be scoped to correct service: 'kms'. ",
        ),
        (
            "another region",
            signed().edit("authorization", "/us-east-1/", "/US_EAST/"),
            INVALID,
            "Credential should be scoped to a valid region. ",
        ),
        (
            "another terminator, service and date",
            signed().edit(
                "authorization",
                "20240820/us-east-1/kms/aws4_request",
                "20240819/us-east-1/s3/aws5_request",
            ),
            INVALID,
            "Credential should be scoped to correct service: 'kms'. Credential should be scoped with a valid terminator: \
             'aws4_request', not 'aws5_request'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version \
             of date from HTTP: '20240819' != '20240820', from '20240820T230802Z'. ",
        ),
        ("another body", Request { body: "{ }".into(), ..signed() }, INVALID, MISMATCH),
        ("another host", signed().edit("host", "4599", "4600"), INVALID, MISMATCH),
        ("a second value of a signed header", signed().with("content-type", "text/plain"), INVALID, MISMATCH),
        ("a signed header that is gone", signed().without("content-type"), INVALID, MISMATCH),
        (
            "a signature that is none",
            signed().edit("authorization", "Signature=", "Signature=g"),
            INVALID,
            MISMATCH,
        ),
        (
            "an unsigned body",
            Request::bare().with("x-amz-content-sha256", "UNSIGNED-PAYLOAD").signed_at(0),
            INVALID,
            MISMATCH,
        ),
        ("another token", presigned().query("token", "Token"), INVALID, MISMATCH),
        (
            "a presigned query without a signature and a date",
            presigned().query("X-Amz-Signature", "Signature").query("X-Amz-Date", "Date"),
            INCOMPLETE,
            "AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include \
             'X-Amz-Date'. Re-examine the query-string parameters.",
        ),
        (
            "a presigned query for too long",
            presigned().query("Expires=60", "Expires=604801"),
            INCOMPLETE,
            "X-Amz-Expires must be a number of seconds between 1 and 604800.",
        ),
        (
            "a presigned query for no number",
            presigned().query("Expires=60", "Expires=%2B60"),
            INCOMPLETE,
            "X-Amz-Expires must be a number of seconds between 1 and 604800.",
        ),
        (
            "a presigned query with a parameter twice",
            presigned().query("X-Amz-Expires", "X-Amz-Date"),
            INCOMPLETE,
            "The request carries more than one value for an authentication parameter.",
        ),
        (
            "a presigned query that is no text",
            presigned().query("Credential=AKID", "Credential=%ff"),
            INCOMPLETE,
            "The query-string parameter 'X-Amz-Credential' is not valid UTF-8.",
        ),
        (
            "a presigned query of another algorithm",
            presigned().query("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
            INCOMPLETE,
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'.",
        ),
    ];
    for (name, request, code, text) in table {
        let error = request.verify().unwrap_err();
        assert_eq!(error.code(), code, "{name}: {error}");
        let found = error.to_string();
        // A text that ends in the hash of the header is compared up to the hash.
        let open = text.ends_with("Authorization=") || text.ends_with('\'') && text.contains("Base64");
        assert!(if open { found.starts_with(text) } else { found == text }, "{name}:\n{found}\n{text}");
    }
}

#[test]
fn a_header_covers_the_whole_query_whatever_its_parameters_are_called() {
    for added in ["a=b", "X-Amz-Signature=0", "X-Amz-Expires=60"] {
        let request = Request { query: added.into(), ..signed() };
        assert_eq!(request.verify(), Err(SigV4Error::Mismatch), "{added}");
    }
}

#[test]
fn a_header_covers_the_body_of_a_request_to_s3_unless_it_says_otherwise() {
    let date = AmzDate::from_timestamp(Timestamp::from_millis(NOW));
    let key = SigningKey::derive(SECRET, date.day(), "us-east-1", "s3");
    let signer = Signer { service: "s3", ..signer(date, &key) };
    let hash = LowerHex::new(&sha256(b"{}"));
    // The signature is over the hash of `{}`.
    for (declared, body, verifies) in [
        (None, "{}", true),
        (None, "x", false),
        (Some(hash.as_str()), "{}", true),
        (Some(hash.as_str()), "x", false),
        (Some("UNSIGNED-PAYLOAD"), "{}", false),
    ] {
        let mut request = Request::bare().with("x-amz-date", date.as_str());
        if let Some(declared) = declared {
            request = request.with("x-amz-content-sha256", declared);
        }
        let value = authorization(&signer, &request.head(), &sha256(b"{}"));
        let request = Request { body: body.into(), ..request.with("authorization", &value) };
        assert_eq!(request.verify_for("s3").is_ok(), verifies, "{declared:?} {body}");
    }
}

/// The example of <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>.
#[test]
fn a_presigned_request_to_s3_leaves_its_body_open() {
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
                 &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
                 &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let key = SigningKey::derive(b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3");
    let expected = Expected { service: "s3", regions: Regions::Any };
    let host: [(&str, &[u8]); 1] = [("host", b"examplebucket.s3.amazonaws.com")];
    for (path, body, verifies) in
        [("/test.txt", "", true), ("/test.txt", "x", true), ("/test.text", "", false)]
    {
        let head = RequestHead { method: "GET", path, query, headers: host.into_iter() };
        // 2013-05-24T12:00:00Z.
        let claim =
            Claim::parse(&head).unwrap().check(Timestamp::from_millis(1_369_396_800_000), &expected).unwrap();
        assert_eq!(claim.verify(&head, &sha256(body.as_bytes()), &key).is_ok(), verifies, "{path} {body}");
    }
}

#[test]
fn a_signature_covers_a_hundred_headers_and_no_more() {
    for (headers, ok) in [(100, true), (101, false)] {
        // The host, the time, the content type and the target are headers as well.
        let request = (4..headers).fold(Request::bare(), |request, at| request.with(&format!("a-{at}"), "x"));
        assert_eq!(request.signed_at(0).verify().is_ok(), ok, "{headers}");
    }
}

#[test]
fn what_the_caller_decides_has_its_text_here_too() {
    for (error, code, text) in [
        (
            SigV4Error::ExpiredToken,
            "ExpiredTokenException",
            "The security token included in the request is expired",
        ),
        (
            SigV4Error::UnrecognizedClient,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
    ] {
        assert_eq!((error.code(), error.to_string().as_str()), (code, text));
    }
}

#[test]
fn the_date_header_serves_where_there_is_no_x_amz_date() {
    let date = AmzDate::from_timestamp(Timestamp::from_millis(NOW));
    let key = SigningKey::derive(SECRET, date.day(), "us-east-1", "kms");
    for value in ["20240820T230802Z", "Tue, 20 Aug 2024 23:08:02 GMT"] {
        let request = Request::bare().with("date", value);
        let signature = authorization(&signer(date, &key), &request.head(), &sha256(request.body.as_bytes()));
        assert_eq!(request.with("authorization", &signature).verify(), Ok(()), "{value}");
    }
}

#[test]
fn only_listed_regions_are_accepted_where_a_list_is_given() {
    let request = signed();
    let head = request.head();
    for (regions, accepted) in
        [(&["eu-west-1", "us-east-1"][..], true), (&["eu-west-1"], false), (&[], false)]
    {
        let expected = Expected { service: "kms", regions: Regions::OneOf(regions) };
        let claim = Claim::parse(&head).unwrap().check(Timestamp::from_millis(NOW), &expected);
        assert_eq!(claim.is_ok(), accepted, "{regions:?}");
    }
}

#[test]
fn the_cache_keeps_only_keys_that_verified_and_only_for_their_generation() {
    let expected = Expected { service: "kms", regions: Regions::Any };
    let mut cache = SigningKeyCache::new(NonZeroUsize::new(2).unwrap());
    let mut derived = 0;
    let mut run = |cache: &mut SigningKeyCache, request: &Request, generation, secret: &[u8]| {
        let head = request.head();
        let claim = Claim::parse(&head).unwrap().check(Timestamp::from_millis(NOW), &expected).unwrap();
        let before = derived;
        let outcome = cache.verify(claim, generation, &head, &sha256(request.body.as_bytes()), |claim| {
            derived += 1;
            let claim = claim.claim();
            SigningKey::derive(secret, claim.scope_date(), claim.region(), claim.service())
        });
        (outcome.is_ok(), derived - before, cache.len())
    };
    let bad = signed().edit("authorization", "us-east-1", "eu-west-1");
    type Step<'a> = (&'a str, &'a Request, u64, &'a [u8], (bool, i32, usize));
    let steps: [Step<'_>; 7] = [
        ("a forged request leaves nothing", &bad, 1, SECRET, (false, 1, 0)),
        ("the first good one is kept", &signed(), 1, SECRET, (true, 1, 1)),
        ("and used", &signed(), 1, SECRET, (true, 0, 1)),
        (
            "another body under the kept key fails",
            &Request { body: "x".into(), ..signed() },
            1,
            SECRET,
            (false, 0, 1),
        ),
        ("a new secret is not checked with the old key", &signed(), 2, b"other", (false, 1, 1)),
        ("a request of the new generation replaces it", &signed(), 3, SECRET, (true, 1, 1)),
        ("which then serves", &signed(), 3, SECRET, (true, 0, 1)),
    ];
    for (name, request, generation, secret, outcome) in steps {
        assert_eq!(run(&mut cache, request, generation, secret), outcome, "{name}");
    }
    cache.forget("AKIDEXAMPL");
    assert_eq!((cache.len(), cache.is_empty()), (1, false));
    cache.forget("AKIDEXAMPLE");
    assert!(cache.is_empty());
}

#[test]
fn a_full_cache_forgets_what_was_used_longest_ago() {
    let expected = Expected { service: "kms", regions: Regions::Any };
    let mut cache = SigningKeyCache::new(NonZeroUsize::new(2).unwrap());
    for (region, derived) in [
        ("us-east-1", 1),
        ("us-east-2", 1),
        ("us-east-1", 0),
        ("us-east-3", 1),
        ("us-east-1", 0),
        ("us-east-2", 1),
    ] {
        let date = AmzDate::from_timestamp(Timestamp::from_millis(NOW));
        let key = SigningKey::derive(SECRET, date.day(), region, "kms");
        let request = Request::bare().with("x-amz-date", date.as_str());
        let value = authorization(
            &Signer { region, ..signer(date, &key) },
            &request.head(),
            &sha256(request.body.as_bytes()),
        );
        let request = request.with("authorization", &value);
        let head = request.head();
        let claim = Claim::parse(&head).unwrap().check(Timestamp::from_millis(NOW), &expected).unwrap();
        let mut count = 0;
        let verified = cache.verify(claim, 0, &head, &sha256(request.body.as_bytes()), |_| {
            count += 1;
            SigningKey::derive(SECRET, date.day(), region, "kms")
        });
        assert!(verified.is_ok());
        assert_eq!((count, cache.len() <= 2), (derived, true), "{region}");
    }
}
