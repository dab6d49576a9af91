//! An authenticated request, whichever service it is for.

use core::cell::Cell;

use keyreeve_audit::event::{Tls, Uuid};
use keyreeve_domain::{AccountId, Region, Timestamp};

use crate::bracket::{Head, Notes, Source, Trail};
use crate::caller::Caller;
use crate::cx::{Announcement, Cx, Service};

/// An operation of a service.
pub trait Operation: Copy {
    /// The name, as the API spells it.
    fn name(self) -> &'static str;

    /// Whether CloudTrail calls it read-only.
    fn read_only(self) -> bool;

    /// The service that it is of.
    fn source(self) -> Source;
}

impl Operation for keyreeve_wire::Operation {
    fn name(self) -> &'static str {
        self.name()
    }

    fn read_only(self) -> bool {
        self.read_only()
    }

    fn source(self) -> Source {
        Source::Kms
    }
}

/// An authenticated request.
pub struct Request<'a, O> {
    /// The operation.
    pub operation: O,
    /// Who calls.
    pub caller: &'a Caller,
    /// The Region that was called.
    pub region: Region,
    /// When the request arrived.
    pub now: Timestamp,
    /// The id of the request.
    pub request_id: Uuid,
    /// The id of its event.
    pub event_id: Uuid,
    /// The address of the client.
    pub source_ip: &'a str,
    /// The `User-Agent` header.
    pub user_agent: &'a str,
    /// How it came over TLS, if it did.
    pub tls: Option<Tls<'a>>,
    /// Set once a change is announced: from then on the request is to be carried to its end, whoever still waits for it.
    pub begun: &'a Cell<bool>,
}

impl<'a, O: Operation> Request<'a, O> {
    /// What the trail knows of the request before it is handled, by `caller` and for `account`.
    #[must_use]
    pub fn head(&self, caller: Option<&'a Caller>, account: AccountId) -> Head<'a> {
        Head {
            source: self.operation.source(),
            name: self.operation.name(),
            read_only: self.operation.read_only(),
            caller,
            account,
            region: self.region,
            time: self.now,
            request_id: self.request_id,
            event_id: self.event_id,
            source_ip: self.source_ip,
            user_agent: self.user_agent,
            tls: self.tls,
        }
    }

    /// The context in which it is handled for `caller`.
    pub fn context<'c>(
        &self,
        service: &'c Service,
        trail: &'c dyn Trail,
        head: &'c Head<'c>,
        notes: &'c mut Notes,
        caller: &'c Caller,
    ) -> Cx<'c>
    where
        'a: 'c,
    {
        Cx {
            service,
            caller,
            region: self.region,
            now: self.now,
            request_id: self.request_id,
            event_id: self.event_id,
            attestation: None,
            notes,
            announcement: Announcement::new(trail, head, self.begun),
        }
    }
}
