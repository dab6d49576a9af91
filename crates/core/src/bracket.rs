//! The audit bracket: a record is opened before a change and completed before the answer.

use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;

use keyreeve_audit::event::{Event, Kind, Resource, Tls, Uuid};
use keyreeve_audit::json::Object;
use keyreeve_crypto::digest::Sha256;
use keyreeve_domain::{AccountId, Region, Timestamp};

use crate::caller::{Caller, UNKNOWN_IDENTITY};

/// The trail could not be written: no answer may leave.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the audit trail cannot be written")]
pub struct TrailError;

/// What a trail's methods answer with; bound to the thread that asked.
pub type TrailFuture<'a> = Pin<Box<dyn Future<Output = Result<(), TrailError>> + 'a>>;

/// Where events go. One per thread: its records are chained in the order of the calls.
pub trait Trail {
    /// Appends one line of JSON. When this answers, the line is written as durably as the trail promises.
    fn append(&self, event: Vec<u8>) -> TrailFuture<'_>;
}

/// What a handler tells the trail.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    resources: Vec<Resource>,
    /// The other accounts that let the caller through to what is theirs.
    owners: RefCell<Vec<AccountId>>,
    /// The JSON of `requestParameters`, without anything secret.
    pub request_parameters: Vec<u8>,
    /// The JSON of `responseElements`.
    pub response_elements: Vec<u8>,
    /// The JSON of `additionalEventData`.
    pub additional_event_data: Vec<u8>,
}

impl Notes {
    /// Notes that the request touched `resource`; once.
    pub fn resource(&mut self, resource: Resource) {
        if !self.resources.contains(&resource) {
            self.resources.push(resource);
        }
    }

    /// What the request touched.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// Notes that the request was let through to something of `owner`, who is not the caller's account: from now on its event is
    /// one of that account, too. A request that was not let through is nobody's business but the caller's.
    pub fn let_through_by(&self, owner: AccountId) {
        let mut owners = self.owners.borrow_mut();
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
}

/// The service of an event.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// CloudTrail.
    CloudTrail,
    /// CloudWatch.
    CloudWatch,
    /// CloudWatch Logs.
    Logs,
    /// IAM.
    Iam,
    /// KMS.
    Kms,
    /// S3.
    S3,
    /// STS.
    Sts,
}

impl Source {
    /// The `eventSource`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CloudTrail => "cloudtrail.amazonaws.com",
            Self::CloudWatch => "monitoring.amazonaws.com",
            Self::Logs => "logs.amazonaws.com",
            Self::Iam => "iam.amazonaws.com",
            Self::Kms => "kms.amazonaws.com",
            Self::S3 => "s3.amazonaws.com",
            Self::Sts => "sts.amazonaws.com",
        }
    }
}

/// The code of an error, and its text if it has one.
pub type ErrorText<'a> = (&'a str, Option<&'a str>);

/// What is known of a request before it is handled.
pub struct Head<'a> {
    /// The service that was called.
    pub source: Source,
    /// The operation as it was called, known or not.
    pub name: &'a str,
    /// Whether it changes nothing.
    pub read_only: bool,
    /// Who called, once authenticated.
    pub caller: Option<&'a Caller>,
    /// The account that the event belongs to.
    pub account: AccountId,
    /// The Region that was called.
    pub region: Region,
    /// When the request arrived.
    pub time: Timestamp,
    /// The id that the answer carries.
    pub request_id: Uuid,
    /// The id of the event.
    pub event_id: Uuid,
    /// The address of the client.
    pub source_ip: &'a str,
    /// The `User-Agent` header.
    pub user_agent: &'a str,
    /// How it came over TLS, if it did.
    pub tls: Option<Tls<'a>>,
}

impl Head<'_> {
    /// Opens the record of a change: what was asked, and of which resources. If the process dies before the record is completed,
    /// this says that the change may have happened, in each account that has to do with it.
    ///
    /// # Errors
    /// Where the trail cannot be written.
    pub async fn open(&self, trail: &dyn Trail, notes: &Notes) -> Result<(), TrailError> {
        self.record(trail, notes, None, Some(OPENED)).await
    }

    /// Completes a record: when this answers, every account that has to do with the request has its event.
    ///
    /// # Errors
    /// Where the trail cannot be written.
    pub async fn complete(
        &self,
        trail: &dyn Trail,
        notes: &Notes,
        refused: Option<ErrorText<'_>>,
    ) -> Result<(), TrailError> {
        self.record(trail, notes, refused, None).await
    }

    async fn record(
        &self,
        trail: &dyn Trail,
        notes: &Notes,
        refused: Option<ErrorText<'_>>,
        phase: Option<&[u8]>,
    ) -> Result<(), TrailError> {
        let own = trail.append(self.line(notes, refused, phase, None));
        // ORDER: all are appended before any is waited for, so that they share a write.
        let owners = notes.owners.borrow().clone();
        let copies: Vec<_> = owners
            .into_iter()
            .map(|owner| trail.append(self.line(notes, refused, phase, Some(owner))))
            .collect();
        own.await?;
        for copy in copies {
            copy.await?;
        }
        Ok(())
    }

    /// A line of the trail: for the account of the request, or for `owner`, who let the caller through to what is his. He learns
    /// which account and which principal called, and of the resources those that are his own.
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html#stscloudtrailexample>.
    ///
    /// INVARIANT: a line always fits the trail: what a caller can make long is cut, and what it is about is kept.
    fn line(
        &self,
        notes: &Notes,
        refused: Option<ErrorText<'_>>,
        phase: Option<&[u8]>,
        owner: Option<AccountId>,
    ) -> Vec<u8> {
        let is_shared = !notes.owners.borrow().is_empty();
        let identity = match owner {
            Some(_) => self.caller.map(Caller::identity_elsewhere),
            None => None,
        };
        let owned: Vec<Resource> = match owner {
            Some(owner) => notes.resources().iter().filter(|held| held.account() == owner).cloned().collect(),
            None => Vec::new(),
        };
        let request_parameters = match notes.request_parameters.len() {
            0..=PARAMETERS_MOST => notes.request_parameters.as_slice(),
            _ => OMITTED,
        };
        let error = refused.map(|(code, message)| (code, message.map(|text| cut(text, TEXT_MOST))));
        let additional = phase.unwrap_or(&notes.additional_event_data);
        // As CloudTrail has it, a service stands where an address would; from where it called is kept beside it.
        let service = self.caller.and_then(Caller::service_name);
        let with_address = service.filter(|name| *name != self.source_ip).map(|_| {
            let mut additional = additional.to_vec();
            let mut object = Object::go_on(&mut additional);
            object.string("serviceSourceIPAddress", self.source_ip);
            object.end();
            additional
        });
        let event = Event {
            event_id: owner.map_or(self.event_id, |owner| owners_event_id(self.event_id, owner)),
            request_id: self.request_id,
            time: self.time,
            account: owner.unwrap_or(self.account),
            shared_event_id: is_shared.then(|| derived_id(self.event_id, b"")),
            region: self.region,
            source: self.source.as_str(),
            name: self.name,
            read_only: self.read_only,
            kind: Kind::ApiCall,
            user_identity: identity
                .as_deref()
                .or_else(|| self.caller.map(Caller::identity))
                .unwrap_or(UNKNOWN_IDENTITY),
            source_ip: service.unwrap_or(self.source_ip),
            user_agent: service.unwrap_or_else(|| cut(self.user_agent, TEXT_MOST)),
            request_parameters,
            response_elements: &notes.response_elements,
            additional_event_data: with_address.as_deref().unwrap_or(additional),
            resources: if owner.is_some() { &owned } else { notes.resources() },
            error,
            tls: self.tls,
        };
        let mut line = Vec::with_capacity(LINE_CAPACITY);
        event.write(&mut line);
        line
    }
}

/// The id that the event of a request has in the trail of `owner`, who let the caller through to what is his, where it has `event_id` in that of
/// the caller: the same for the line that opens it and the one that completes it.
#[must_use]
pub fn owners_event_id(event_id: Uuid, owner: AccountId) -> Uuid {
    derived_id(event_id, &owner.digits())
}

/// The id of an event of a request, or of all of them.
fn derived_id(event_id: Uuid, of: &[u8]) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(b"keyreeve-shared-event-v1\0");
    hash.update(event_id.as_str().as_bytes());
    hash.update(of);
    let hash = hash.finish();
    Uuid::from_random(hash.first_chunk::<16>().copied().unwrap_or_default())
}

/// Bytes of most lines, so that a line is not copied while it grows.
const LINE_CAPACITY: usize = 1536;
/// The longest `requestParameters` in bytes; CloudTrail has the same bound.
const PARAMETERS_MOST: usize = 100 * 1024;
/// What stands for longer ones.
const OMITTED: &[u8] = br#"{"omitted":"the request parameters are longer than 100 KiB"}"#;
/// The longest text of a client in bytes.
const TEXT_MOST: usize = 1024;

/// The first `most` bytes of `text`, or as many less as leave its last character whole.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or_default()
}

/// The `additionalEventData` of a line that opens a record.
const OPENED: &[u8] = br#"{"recordPhase":"Opened"}"#;
