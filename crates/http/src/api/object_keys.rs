//! Decrypt, as S3 calls it for whoever reads an object that is encrypted under a KMS key.
//!
//! The caller stays who he is, called for by S3 (`kms:ViaService`): the key is reached through the gate, with an event of its own.

use core::cell::Cell;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_audit::event::Uuid;
use keyreeve_core::bracket::Trail;
use keyreeve_core::caller::{Acting, Caller};
use keyreeve_crypto::random;
use keyreeve_observe::object_keys::{Decrypted, ObjectKeys, refused_by_kms};
use keyreeve_observe::sealed_file::SealedFile;
use keyreeve_observe::{Refusal, Request};
use keyreeve_wire::Operation;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::Endpoint;

/// The keys of objects, for one request of S3.
pub(super) struct KeysForS3<'a, T> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) trail: &'a T,
    pub(super) request: &'a Request<'a>,
}

/// What is read of an answer of KMS.
#[derive(Deserialize)]
struct Answered {
    #[serde(rename = "Plaintext")]
    plaintext: Option<String>,
    #[serde(alias = "Message")]
    message: Option<String>,
}

impl<T: Trail> KeysForS3<'_, T> {
    async fn ask(&self, caller: &Caller, file: &SealedFile<'_>) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let region = file.region().ok_or_else(Refusal::internal)?;
        let body = json!({
            "CiphertextBlob": STANDARD.encode(file.blob),
            "EncryptionContext": file.purpose.context(),
            "KeyId": file.key,
        });
        let caller = caller.clone().acting(Acting { via: Some(S3.to_owned()), ..Acting::default() });
        let id = || random::array(&*self.endpoint.random).map(Uuid::from_random);
        let begun = Cell::new(false);
        let request = keyreeve_kms::Request {
            operation: Operation::Decrypt,
            caller: &caller,
            region,
            now: self.request.now,
            request_id: id().map_err(|_random| Refusal::internal())?,
            event_id: id().map_err(|_random| Refusal::internal())?,
            source_ip: S3,
            user_agent: S3,
            tls: None,
            begun: &begun,
        };
        let answer =
            keyreeve_kms::answer(&self.endpoint.service, self.trail, &request, body.to_string()).await;
        let answered: Option<Answered> = serde_json::from_slice(&Zeroizing::new(answer.body)).ok();
        let Answered { plaintext, message } = answered.ok_or_else(Refusal::internal)?;
        if let Some(code) = answer.error {
            return Err(refused_by_kms(code, message.unwrap_or_default()));
        }
        let opened = plaintext.map(Zeroizing::new).and_then(|text| STANDARD.decode(&*text).ok());
        opened.map(Zeroizing::new).ok_or_else(Refusal::internal)
    }
}

impl<T: Trail> ObjectKeys for KeysForS3<'_, T> {
    fn decrypt<'a>(&'a self, caller: &'a Caller, file: &'a SealedFile<'a>) -> Decrypted<'a> {
        Box::pin(self.ask(caller, file))
    }
}

/// The service that calls.
const S3: &str = "s3.amazonaws.com";
