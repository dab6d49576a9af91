//! Events of what the service does by itself, or its operator with it: nobody called.

use keyreeve_audit::event::{Event, Kind, Resource, Uuid};
use keyreeve_audit::json::Object;
use keyreeve_crypto::key::MakeKeyError;
use keyreeve_crypto::random;
use keyreeve_domain::{AccountId, Region, Timestamp};

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

impl Service {
    /// The line of the trail for `event`.
    ///
    /// # Errors
    /// Where there is no randomness for its ids.
    pub fn service_event(&self, event: &ServiceEvent<'_>) -> Result<Vec<u8>, VaultError> {
        let ids: [u8; 32] = random::array(self.vault().random()).map_err(MakeKeyError::from)?;
        let (event_id, request_id) = ids.split_at(16);
        let uuid = |bits: &[u8]| Uuid::from_random(bits.try_into().unwrap_or_default());
        let mut identity = Vec::new();
        let mut object = Object::begin(&mut identity);
        object.string("accountId", &event.account.to_string());
        object.string("invokedBy", "AWS Internal");
        object.end();
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
            region: event.region,
            source: event.source.as_str(),
            name: event.name,
            read_only: false,
            kind: Kind::Service(&details),
            user_identity: &identity,
            source_ip: "AWS Internal",
            user_agent: "AWS Internal",
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
