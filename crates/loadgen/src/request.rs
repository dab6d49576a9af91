//! Requests as the bytes that are sent: head, signature and body.

use bytes::Bytes;
use keyreeve_crypto::digest::sha256;
use keyreeve_domain::time::Timestamp;
use keyreeve_sigv4::{AmzDate, RequestHead, Signer, SigningKey, authorization};

use crate::credentials::Credentials;
use crate::workload::Call;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const SERVICE: &str = "kms";

/// What every request of a run has in common.
pub(crate) struct Sender {
    pub(crate) host: String,
    pub(crate) region: String,
    /// Who signs: the first request is of the first, and so on; at least one.
    pub(crate) credentials: Vec<Credentials>,
}

impl Sender {
    /// The bytes of each call, signed at `now`: good for five minutes. Where there are more who sign than calls, the first
    /// call follows the last, so that everybody sends.
    pub(crate) fn sign(&self, calls: &[Call], now: Timestamp) -> Vec<Bytes> {
        let date = AmzDate::from_timestamp(now);
        let key =
            |who: &Credentials| SigningKey::derive(who.secret.as_bytes(), date.day(), &self.region, SERVICE);
        let keys: Vec<_> = self.credentials.iter().map(|who| (who, key(who))).collect();
        let pairs = keys.iter().cycle().zip(calls.iter().cycle()).take(calls.len().max(keys.len()));
        let requests = pairs.map(|((who, key), call)| {
            let id = &who.access_key_id;
            let signer = Signer { access_key_id: id, region: &self.region, service: SERVICE, date, key };
            self.request(call, who, &signer)
        });
        requests.collect()
    }

    fn request(&self, call: &Call, who: &Credentials, signer: &Signer<'_>) -> Bytes {
        let target = format!("TrentService.{}", call.operation);
        let mut headers = vec![
            ("host", self.host.as_str()),
            ("content-type", CONTENT_TYPE),
            ("x-amz-date", signer.date.as_str()),
            ("x-amz-target", target.as_str()),
        ];
        headers.extend(who.session_token.as_deref().map(|token| ("x-amz-security-token", token)));
        let signed = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        let head = RequestHead { method: "POST", path: "/", query: "", headers: signed };
        let authorization = authorization(signer, &head, &sha256(call.body.as_bytes()));
        let mut text = String::from("POST / HTTP/1.1\r\n");
        let length = call.body.len().to_string();
        for (name, value) in
            headers.into_iter().chain([("content-length", &*length), ("authorization", &authorization)])
        {
            for part in [name, ": ", value, "\r\n"] {
                text.push_str(part);
            }
        }
        text.push_str("\r\n");
        text.push_str(&call.body);
        Bytes::from(text)
    }
}

#[cfg(test)]
mod tests {
    use keyreeve_sigv4::{Claim, Expected, Regions};
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn a_request_is_whole_http_and_verifies() {
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret: Zeroizing::new("secret".to_owned()),
            session_token: Some("token".to_owned()),
        };
        let sender = Sender {
            host: "127.0.0.1:8080".to_owned(),
            region: "us-east-1".to_owned(),
            credentials: vec![credentials],
        };
        let call = Call { operation: "Encrypt".to_owned(), body: "{\"KeyId\":\"k\"}".to_owned() };
        let bytes = sender.sign(&[call], Timestamp::from_millis(1_440_938_160_000)).remove(0);
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut request = httparse::Request::new(&mut headers);
        let head = request.parse(&bytes).unwrap().unwrap();
        let value = |name: &str| request.headers.iter().find(|header| header.name == name).unwrap().value;
        assert_eq!(&bytes[head..], b"{\"KeyId\":\"k\"}");
        assert_eq!(value("content-length"), b"13");
        assert_eq!(value("x-amz-target"), b"TrentService.Encrypt");
        assert_eq!(value("x-amz-date"), b"20150830T123600Z");

        let headers = request.headers.iter().map(|header| (header.name, header.value));
        let head = RequestHead { method: "POST", path: "/", query: "", headers };
        let claim = Claim::parse(&head).unwrap();
        let names: Vec<_> = claim.signed_headers().collect();
        assert_eq!(names, ["content-type", "host", "x-amz-date", "x-amz-security-token", "x-amz-target"]);
        let expected = Expected { service: "kms", regions: Regions::OneOf(&["us-east-1"]) };
        let checked = claim.check(Timestamp::from_millis(1_440_938_160_000 + 240_000), &expected).unwrap();
        let key = SigningKey::derive(b"secret", "20150830", "us-east-1", "kms");
        assert!(checked.verify(&head, &sha256(b"{\"KeyId\":\"k\"}"), &key).is_ok());
    }
}
