//! A trail of a few events and files, for auditors to ask about.

use core::future::ready;

use keyreeve_core::caller::Caller;
use keyreeve_domain::{AccountId, Timestamp};
use keyreeve_observe::Refusal;
use keyreeve_observe::archive::{
    Archive, Found, Object, ObjectInfo, Place, PublicKey, Reply, Status, Wanted,
};
use keyreeve_observe::layout::TrailNames;
use keyreeve_observe::object_keys::{Decrypted, ObjectKeys};
use keyreeve_observe::sealed_file::SealedFile;

/// The names of a trail in `us-east-1`.
pub(crate) fn names() -> TrailNames {
    TrailNames {
        trail: "keyreeve".to_owned(),
        bucket: "keyreeve-trail".to_owned(),
        prefix: String::new(),
        kms_key: None,
        home: "us-east-1".parse().expect("a Region"),
    }
}

/// Some events of every account, and a file of one.
pub(crate) struct SmallArchive;

/// The name of the file.
const FILE: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/08/13/111122223333_CloudTrail_us-east-1_20260813T1755Z_0123456789abcdef.json.gz";
const EVENT: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","userName":"alice","accessKeyId":"AKIAEXAMPLE"},"eventTime":"2027-01-15T08:00:00Z","eventSource":"kms.amazonaws.com","eventName":"Encrypt","awsRegion":"us-east-1","sourceIPAddress":"10.1.2.3","resources":[{"accountId":"111122223333","type":"AWS::KMS::Key","ARN":"arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"}],"readOnly":true,"eventID":"b9f1d7a4-0b0c-4a53-8e84-2d1f0f4b3c55","recipientAccountId":"111122223333"}"#;

impl Archive for SmallArchive {
    fn lookup(&self, wanted: Wanted) -> Reply<'_, Vec<Found>> {
        let found = |sequence: u64| Found {
            place: Place {
                time: 1_800_000_000_000_i64.saturating_add_unsigned(sequence),
                stream: "w0".to_owned(),
                sequence,
            },
            json: EVENT.as_bytes().to_vec(),
        };
        let mut all: Vec<_> = (1..=60).map(found).collect();
        if !wanted.oldest_first {
            all.reverse();
        }
        all.retain(|found| {
            let at = Timestamp::from_millis(found.place.time);
            let is_after = |after: &Place| match wanted.oldest_first {
                true => found.place > *after,
                false => found.place < *after,
            };
            wanted.from.is_none_or(|from| at >= from)
                && wanted.to.is_none_or(|to| at <= to)
                && wanted.after.as_ref().is_none_or(is_after)
        });
        all.truncate(wanted.limit);
        Box::pin(ready(Ok(all)))
    }

    fn list(&self, prefix: String, after: String, limit: usize) -> Reply<'_, Vec<ObjectInfo>> {
        let is_meant = FILE.starts_with(&prefix) && FILE > after.as_str() && limit > 0;
        Box::pin(ready(Ok(is_meant.then(info).into_iter().collect())))
    }

    fn object(&self, key: String) -> Reply<'_, Option<Object>> {
        let object =
            || Object { info: info(), metadata: Vec::new(), content: b"{}".to_vec(), is_sealed: false };
        Box::pin(ready(Ok((key == FILE).then(object))))
    }

    fn public_keys(&self) -> Vec<PublicKey> {
        let since = Timestamp::from_millis(1_790_000_000_000);
        vec![PublicKey { der: vec![0x30, 0], fingerprint: "0".repeat(32), since, until: None }]
    }

    fn status(&self, _: AccountId) -> Status {
        Status { started: Some(Timestamp::from_millis(1_790_000_000_000)), ..Status::default() }
    }
}

fn info() -> ObjectInfo {
    ObjectInfo { key: FILE.to_owned(), len: 2, modified: Timestamp::from_millis(1_790_000_000_000) }
}

/// Nobody who opens what is encrypted; nothing is.
pub(crate) struct NoObjectKeys;

impl ObjectKeys for NoObjectKeys {
    fn decrypt<'a>(&'a self, _: &'a Caller, _: &'a SealedFile<'a>) -> Decrypted<'a> {
        Box::pin(ready(Err(Refusal::internal())))
    }
}
