//! Events of what the service does by itself, or its operator with it: nobody called.

use keyreeve_audit::event::{Event, Kind, Resource, Uuid};
use keyreeve_audit::json::Object;
use keyreeve_crypto::key::MakeKeyError;
use keyreeve_crypto::random;
use keyreeve_domain::spec::{Origin, RotationType};
use keyreeve_domain::{AccountId, KeyArn, KeyMaterialId, Region, Timestamp};

use crate::bracket::Source;
use crate::cx::Service;
use crate::vault::VaultError;

/// What happens without a request.
pub struct ServiceEvent<'a> {
    /// The service that it belongs to.
    pub source: Source,
    /// What it is called.
    pub name: &'a str,
    /// The account that it is about.
    pub account: AccountId,
    /// The Region that it is written for.
    pub region: Region,
    /// When.
    pub time: Timestamp,
    /// The members of `serviceEventDetails`; none where there is nothing to add.
    pub details: &'a [(&'a str, &'a str)],
    /// The KMS keys that it is about.
    pub resources: &'a [Resource],
}

/// The key material before and after a rotation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Materials {
    /// What was current; none where the key had none.
    pub previous: Option<KeyMaterialId>,
    /// What is current from now on.
    pub current: KeyMaterialId,
}

impl Service {
    /// The line of the trail that says that the replica keys of the primary key `arn` are told something.
    /// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/ct-synchronize-multi-region-key.html>.
    ///
    /// # Errors
    /// Where there is no randomness for its ids.
    pub fn synchronization_event(&self, arn: KeyArn, time: Timestamp) -> Result<Vec<u8>, VaultError> {
        let ids: [u8; 32] = random::array(self.vault().random()).map_err(MakeKeyError::from)?;
        let (event_id, request_id) = ids.split_at(16);
        let uuid = |bits: &[u8]| Uuid::from_random(bits.try_into().unwrap_or_default());
        let mut response_elements = Vec::new();
        let mut object = Object::begin(&mut response_elements);
        object.string("keyId", &arn.to_string());
        object.end();
        let event = Event {
            event_id: uuid(event_id),
            request_id: uuid(request_id),
            time,
            account: arn.account,
            shared_event_id: None,
            region: arn.region,
            source: Source::Kms.as_str(),
            name: "SynchronizeMultiRegionKey",
            read_only: false,
            // As CloudTrail has it, though nobody called.
            kind: Kind::ApiCall,
            user_identity: &internal(arn.account),
            source_ip: INTERNAL,
            user_agent: INTERNAL,
            request_parameters: b"",
            response_elements: &response_elements,
            additional_event_data: b"",
            resources: &[Resource::Key(arn)],
            error: None,
            tls: None,
        };
        let mut line = Vec::with_capacity(1024);
        event.write(&mut line);
        Ok(line)
    }

    /// The line of the trail that says that the key `arn` goes on with other key material.
    /// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/ct-rotatekey.html>.
    ///
    /// # Errors
    /// Where there is no randomness for its ids.
    pub fn rotation_event(
        &self,
        arn: &KeyArn,
        origin: Origin,
        by: RotationType,
        materials: Materials,
        time: Timestamp,
    ) -> Result<Vec<u8>, VaultError> {
        let Materials { previous, current } = materials;
        let (previous, current) = (previous.map(|id| id.to_string()), current.to_string());
        let mut details = vec![("rotationType", by.as_str()), ("keyOrigin", origin.as_str())];
        details.extend(previous.as_deref().map(|previous| ("previousKeyMaterialId", previous)));
        details.extend([("currentKeyMaterialId", current.as_str())]);
        self.key_event("RotateKey", &details, time, arn)
    }

    /// The line of the trail that says that imported key material of the key `arn` has expired. The request of the same effect is
    /// DeleteImportedKeyMaterial.
    /// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/ct-deleteexpiredkeymaterial.html>.
    pub(crate) fn expiry_event(
        &self,
        arn: &KeyArn,
        material: KeyMaterialId,
        time: Timestamp,
    ) -> Result<Vec<u8>, VaultError> {
        let material = material.to_string();
        self.key_event("DeleteExpiredKeyMaterial", &[("keyMaterialId", &material)], time, arn)
    }

    /// The line of the trail for something that happens to the key `arn`; without details not even its id is one.
    pub(crate) fn key_event(
        &self,
        name: &str,
        details: &[(&str, &str)],
        time: Timestamp,
        arn: &KeyArn,
    ) -> Result<Vec<u8>, VaultError> {
        let key = arn.key.to_string();
        let id = Some(("keyId", key.as_str())).filter(|_| !details.is_empty());
        let details: Vec<_> = id.into_iter().chain(details.iter().copied()).collect();
        self.service_event(&ServiceEvent {
            source: Source::Kms,
            name,
            account: arn.account,
            region: arn.region,
            time,
            details: &details,
            resources: &[Resource::Key(*arn)],
        })
    }

    /// The line of the trail for `event`.
    ///
    /// # Errors
    /// Where there is no randomness for its ids.
    pub fn service_event(&self, event: &ServiceEvent<'_>) -> Result<Vec<u8>, VaultError> {
        let ids: [u8; 32] = random::array(self.vault().random()).map_err(MakeKeyError::from)?;
        let (event_id, request_id) = ids.split_at(16);
        let uuid = |bits: &[u8]| Uuid::from_random(bits.try_into().unwrap_or_default());
        let mut details = Vec::new();
        if !event.details.is_empty() {
            let mut object = Object::begin(&mut details);
            for (name, value) in event.details {
                object.string(name, value);
            }
            object.end();
        }
        let event = Event {
            event_id: uuid(event_id),
            request_id: uuid(request_id),
            time: event.time,
            account: event.account,
            shared_event_id: None,
            region: event.region,
            source: event.source.as_str(),
            name: event.name,
            read_only: false,
            kind: Kind::Service(&details),
            user_identity: &internal(event.account),
            source_ip: INTERNAL,
            user_agent: INTERNAL,
            request_parameters: b"",
            response_elements: b"",
            additional_event_data: b"",
            resources: event.resources,
            error: None,
            tls: None,
        };
        let mut line = Vec::with_capacity(1024);
        event.write(&mut line);
        Ok(line)
    }
}

const INTERNAL: &str = "AWS Internal";

/// The `userIdentity` of the service itself.
fn internal(account: AccountId) -> Vec<u8> {
    let mut identity = Vec::new();
    let mut object = Object::begin(&mut identity);
    object.string("accountId", &account.to_string());
    object.string("invokedBy", INTERNAL);
    object.end();
    identity
}
