//! Where the delivery of the trail has its data keys made and opened.
//!
//! The threads of the delivery have no part in the service; they ask here, and wait. A task on the thread that jobs run on calls
//! GenerateDataKey and Decrypt as CloudTrail does: as a service, which the policy of the key must let in, with an event
//! for each call. Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/encrypting-cloudtrail-log-files-with-aws-kms.html>.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_audit::event::Uuid;
use keyreeve_core::caller::Acting;
use keyreeve_core::{Caller, Principal, Service};
use keyreeve_crypto::random::{self, SystemRandom};
use keyreeve_domain::Region;
use keyreeve_observe::sealed_file::{DataKey, DataKeyError, DataKeys, Purpose, SealedFile};
use keyreeve_trail_file::FileTrail;
use keyreeve_wire::Operation;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zeroize::Zeroizing;

use crate::clock;
use crate::config::Config;
use crate::exit::Failure;
use crate::start;

/// What is asked, and where the answer goes.
struct Ask {
    operation: Operation,
    region: Region,
    purpose: Purpose,
    body: Value,
    reply: SyncSender<Result<Answered, DataKeyError>>,
}

/// What is read of an answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Answered {
    key_id: Option<String>,
    ciphertext_blob: Option<String>,
    plaintext: Option<String>,
    #[serde(alias = "message")]
    message: Option<String>,
}

/// Where data keys come from.
pub(crate) struct DataKeyDesk {
    key: String,
    region: Region,
    asks: UnboundedSender<Ask>,
}

impl DataKeyDesk {
    /// Answers from now on, on this thread, for the KMS key `key`.
    pub(crate) fn open(
        config: &Config,
        key: &str,
        service: &Arc<Service>,
        trail: &FileTrail,
    ) -> Result<Arc<dyn DataKeys>, Failure> {
        let home = start::home_region(config)?;
        // An ARN names its Region, of a key or of an alias.
        let region = key.split(':').nth(3).and_then(|name| name.parse().ok()).unwrap_or(home);
        let account = config.account()?;
        let (asks, asked) = unbounded_channel();
        let (service, trail) = (Arc::clone(service), trail.clone());
        tokio::task::spawn_local(answer_all(asked, service, trail, account));
        Ok(Arc::new(Self { key: key.to_owned(), region, asks }))
    }

    fn ask(
        &self,
        operation: Operation,
        region: Region,
        purpose: &Purpose,
        body: Value,
    ) -> Result<Answered, DataKeyError> {
        let (reply, replied) = sync_channel(1);
        let stopping = || DataKeyError("the service stops".to_owned());
        self.asks
            .send(Ask { operation, region, purpose: purpose.clone(), body, reply })
            .map_err(|_closed| stopping())?;
        replied.recv_timeout(PATIENCE).map_err(|_closed| stopping())?
    }
}

impl DataKeys for DataKeyDesk {
    fn make(&self, purpose: &Purpose) -> Result<DataKey, DataKeyError> {
        let body = json!({"KeyId": self.key, "KeySpec": "AES_256", "EncryptionContext": purpose.context()});
        let answered = self.ask(Operation::GenerateDataKey, self.region, purpose, body)?;
        let Answered { key_id, ciphertext_blob, plaintext, .. } = answered;
        let blob = ciphertext_blob.and_then(|text| STANDARD.decode(text).ok());
        let made = key_id.zip(blob).zip(decoded(plaintext));
        let ((key, blob), plaintext) = made.ok_or_else(|| DataKeyError("no data key came".to_owned()))?;
        Ok(DataKey { key, blob, plaintext })
    }

    fn open(&self, file: &SealedFile<'_>) -> Result<Zeroizing<Vec<u8>>, DataKeyError> {
        let region = file.region().ok_or_else(|| DataKeyError("the file names no KMS key".to_owned()))?;
        self.ask(Operation::Decrypt, region, &file.purpose, decrypt(file))?.data_key()
    }
}

/// What Decrypt is asked for the data key of a file.
pub(crate) fn decrypt(file: &SealedFile<'_>) -> Value {
    json!({
        "CiphertextBlob": STANDARD.encode(file.blob),
        "EncryptionContext": file.purpose.context(),
        "KeyId": file.key,
    })
}

impl Answered {
    /// The data key that came.
    pub(crate) fn data_key(self) -> Result<Zeroizing<Vec<u8>>, DataKeyError> {
        decoded(self.plaintext).ok_or_else(|| DataKeyError("no data key came".to_owned()))
    }
}

fn decoded(text: Option<String>) -> Option<Zeroizing<Vec<u8>>> {
    let text = Zeroizing::new(text?);
    STANDARD.decode(&*text).ok().map(Zeroizing::new)
}

async fn answer_all(
    mut asked: UnboundedReceiver<Ask>,
    service: Arc<Service>,
    trail: FileTrail,
    account: keyreeve_domain::AccountId,
) {
    while let Some(Ask { operation, region, purpose, body, reply }) = asked.recv().await {
        let caller = Caller::new(account, Principal::Service(CLOUDTRAIL.to_owned()), String::new());
        let source_account = purpose.trail.split(':').nth(4).map(str::to_owned);
        let source_place = match source_account.as_deref().and_then(|account| account.parse().ok()) {
            // A place that cannot be read now is none: what is asked of it does not hold.
            Some(account) => service.source_place(account).await.unwrap_or_default(),
            None => None,
        };
        let source_arn = Some(purpose.trail);
        let caller = caller.acting(Acting { via: None, source_arn, source_account, source_place });
        let asked = (operation, region);
        let answered = answer(&service, &trail, &caller, asked, (&body, CLOUDTRAIL)).await;
        // Whoever has asked may have given up.
        drop(reply.try_send(answered));
    }
}

/// What the operation answers to `body`, as `agent` calls it.
pub(crate) async fn answer(
    service: &Arc<Service>,
    trail: &FileTrail,
    caller: &Caller,
    (operation, region): (Operation, Region),
    (body, agent): (&Value, &str),
) -> Result<Answered, DataKeyError> {
    let id = || {
        let bits = random::array(&SystemRandom).map_err(|error| DataKeyError(error.to_string()))?;
        Ok::<_, DataKeyError>(Uuid::from_random(bits))
    };
    let begun = Cell::new(false);
    let request = keyreeve_kms::Request {
        operation,
        caller,
        region,
        now: clock::now(),
        request_id: id()?,
        event_id: id()?,
        source_ip: agent,
        user_agent: agent,
        tls: None,
        begun: &begun,
    };
    let answer = keyreeve_kms::answer(service, trail, &request, body.to_string()).await;
    let read: Result<Answered, _> = serde_json::from_slice(&Zeroizing::new(answer.body));
    let answered = read.map_err(|error| DataKeyError(error.to_string()))?;
    match answer.error {
        None => Ok(answered),
        Some(code) => Err(DataKeyError(format!("{code}: {}", answered.message.unwrap_or_default()))),
    }
}

/// The service that calls.
const CLOUDTRAIL: &str = "cloudtrail.amazonaws.com";
/// How long an answer may take; it comes at once unless the service stops.
const PATIENCE: Duration = Duration::from_secs(30);
