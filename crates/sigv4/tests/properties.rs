//! What holds for every request.

use keyreeve_crypto::digest::sha256;
use keyreeve_domain::time::Timestamp;
use keyreeve_sigv4::{
    AmzDate, Claim, Expected, Regions, RequestHead, Signer, SigningKey, authorization, presigned_query,
};
use proptest::prelude::*;

/// 2024-08-20T23:08:02Z.
const NOW: i64 = 1_724_195_282_000;

#[derive(Clone, Debug)]
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    fn head(&self) -> RequestHead<'_, impl Iterator<Item = (&str, &[u8])> + Clone> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        RequestHead { method: &self.method, path: &self.path, query: &self.query, headers }
    }

    fn sign(mut self, presign: bool) -> Self {
        let date = AmzDate::from_timestamp(Timestamp::from_millis(NOW));
        let key = SigningKey::derive(b"secret", date.day(), "us-east-1", "kms");
        let signer = Signer { access_key_id: "AKID", region: "us-east-1", service: "kms", date, key: &key };
        let hash = sha256(&self.body);
        if presign {
            let query = presigned_query(&signer, &self.head(), &hash, 60, None);
            self.query = query;
        } else {
            self.headers.push(("X-Amz-Date".into(), date.as_str().into()));
            let value = authorization(&signer, &self.head(), &hash);
            self.headers.push(("Authorization".into(), value.into()));
        }
        self
    }

    fn verifies(&self) -> bool {
        let head = self.head();
        let expected = Expected { service: "kms", regions: Regions::Any };
        let Ok(claim) = Claim::parse(&head) else { return false };
        // The signature does not cover the access key id: the secret does.
        if claim.access_key_id() != "AKID" {
            return false;
        }
        let Ok(claim) = claim.check(Timestamp::from_millis(NOW), &expected) else { return false };
        let (date, region) = (claim.claim().scope_date().to_owned(), claim.claim().region().to_owned());
        let key = SigningKey::derive(b"secret", &date, &region, "kms");
        claim.verify(&head, &sha256(&self.body), &key).is_ok()
    }
}

/// A header that may stand in a request next to those that the signature itself needs.
fn header() -> impl Strategy<Value = (String, Vec<u8>)> {
    ("(x-amz-meta|X-Amz-|)[b-z][b-zB-Z0-9-]{0,8}q", prop::collection::vec(0x20u8..=0xff, 0..20))
}

fn request() -> impl Strategy<Value = Request> {
    (
        "[A-Z]{1,7}",
        "/[ -~]{0,24}",
        "([a-zA-Z0-9%=&+._~-]{0,24})",
        prop::collection::vec(header(), 0..6),
        prop::collection::vec(any::<u8>(), 0..40),
    )
        .prop_map(|(method, path, query, mut headers, body)| {
            headers.insert(0, ("Host".into(), b"127.0.0.1:4599".to_vec()));
            Request { method, path, query, headers, body }
        })
}

proptest! {
    #[test]
    fn what_we_sign_we_verify(request in request(), presign: bool) {
        prop_assert!(request.sign(presign).verifies());
    }

    #[test]
    fn a_flipped_bit_in_the_body_the_method_or_the_host_is_noticed(
        request in request(), presign: bool, place in any::<prop::sample::Index>(), bit in 0u32..8,
    ) {
        let signed = request.sign(presign);
        let mut body = signed.clone();
        body.body.push(0);
        let at = place.index(body.body.len());
        body.body[at] ^= 1 << bit;
        prop_assert!(!body.verifies());

        let mut method = signed.clone();
        let mut bytes = method.method.into_bytes();
        let at = place.index(bytes.len());
        bytes[at] ^= 1 << (bit % 7);
        method.method = String::from_utf8(bytes).unwrap();
        prop_assert!(!method.verifies());

        let mut host = signed;
        let at = place.index(host.headers[0].1.len());
        host.headers[0].1[at] ^= 1 << bit;
        prop_assert!(!host.verifies());
    }

    #[test]
    fn a_flipped_bit_in_the_authorization_header_is_noticed(
        request in request(), place in any::<prop::sample::Index>(), bit in 0u32..8,
    ) {
        let mut signed = request.sign(false);
        let last = signed.headers.len() - 1;
        let value = &mut signed.headers[last].1;
        let at = place.index(value.len());
        value[at] ^= 1 << bit;
        // A blank or a comma between parameters carries nothing.
        let separators = [b' ', b',', b'\t'];
        let original = value[at] ^ (1 << bit);
        prop_assume!(!(separators.contains(&original) && separators.contains(&value[at])));
        prop_assert!(!signed.verifies());
    }

    #[test]
    fn a_header_value_changed_in_more_than_white_space_is_noticed(
        request in request(), presign: bool, which in any::<prop::sample::Index>(),
    ) {
        let mut signed = request.sign(presign);
        let at = which.index(signed.headers.len() - usize::from(!presign));
        signed.headers[at].1.push(b'!');
        prop_assert!(!signed.verifies());
    }

    #[test]
    fn no_input_makes_the_parser_panic(
        authorization in prop::collection::vec(any::<u8>(), 0..80),
        tail in "[ -~]{0,60}",
        date in "[0-9TZ]{0,17}",
        query in "(X-Amz-(Algorithm|Credential|Date|Expires|Signature|SignedHeaders)=[ -~]{0,20}&?){0,6}",
        path in any::<String>(),
    ) {
        let near = format!("AWS4-HMAC-SHA256 Credential={tail}, SignedHeaders=host;{tail}, Signature={tail}");
        for value in [Some(authorization), Some(near.into_bytes()), None] {
            let mut request = Request {
                method: "POST".into(),
                path: path.clone(),
                query: format!("{query}&{path}&X-Amz-Algorithm=AWS4-HMAC-SHA256"),
                headers: vec![("host".into(), vec![]), ("x-amz-date".into(), date.clone().into_bytes())],
                body: vec![],
            };
            request.headers.extend(value.map(|value| ("authorization".to_owned(), value)));
            prop_assert!(!request.verifies());
        }
    }
}
