//! What is read of an event of the trail: where it belongs, and by what it is found.

use std::borrow::Cow;

use keyreeve_domain::{AccountId, Region, Timestamp};
use serde::Deserialize;

use crate::layout::parse_iso;

/// The members of an event by which it is delivered and found.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'a> {
    #[serde(borrow)]
    user_identity: Identity<'a>,
    #[serde(borrow)]
    event_time: &'a str,
    /// The service.
    #[serde(borrow)]
    pub event_source: &'a str,
    /// The operation.
    #[serde(borrow)]
    pub event_name: Cow<'a, str>,
    #[serde(borrow)]
    aws_region: &'a str,
    #[serde(borrow, default)]
    additional_event_data: Option<Additional<'a>>,
    /// The code of the answer, where it was an error.
    #[serde(borrow, default)]
    pub error_code: Option<Cow<'a, str>>,
    /// The id of the event.
    #[serde(rename = "eventID", borrow)]
    pub event_id: &'a str,
    /// Whether it changed nothing.
    pub read_only: bool,
    /// What it was about.
    #[serde(borrow, default)]
    pub resources: Vec<Resource<'a>>,
    #[serde(borrow)]
    recipient_account_id: &'a str,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identity<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    arn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    access_key_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    principal_id: Option<Cow<'a, str>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Additional<'a> {
    #[serde(borrow)]
    record_phase: Option<Cow<'a, str>>,
}

/// A resource of an event.
#[derive(Clone, Debug, Deserialize)]
pub struct Resource<'a> {
    /// Its type, such as `AWS::KMS::Key`.
    #[serde(borrow, rename = "type", default)]
    pub kind: Cow<'a, str>,
    /// Its ARN.
    #[serde(borrow, rename = "ARN", default)]
    pub arn: Cow<'a, str>,
}

impl<'a> Event<'a> {
    /// Reads an event.
    #[must_use]
    pub fn read(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// The account that the event belongs to.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.recipient_account_id.parse().ok()
    }

    /// The Region that the event belongs to.
    #[must_use]
    pub fn region(&self) -> Option<Region> {
        self.aws_region.parse().ok()
    }

    /// When the request arrived, in whole seconds.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        parse_iso(self.event_time)
    }

    /// Whether this announces a change that another event, with the same id, completes.
    #[must_use]
    pub fn is_opened(&self) -> bool {
        let phase = self.additional_event_data.as_ref().and_then(|data| data.record_phase.as_deref());
        phase == Some("Opened")
    }

    /// Whether nobody who is known has asked.
    #[must_use]
    pub fn is_of_nobody(&self) -> bool {
        self.user_identity.kind == "Unknown"
    }

    /// The name of whoever asked, as LookupEvents has it: of the user, the session, or `root`.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        let Identity { kind, user_name, principal_id, .. } = &self.user_identity;
        match kind.as_ref() {
            "Root" => Some("root"),
            "AssumedRole" | "FederatedUser" => principal_id.as_deref()?.split_once(':').map(|(_, name)| name),
            _ => user_name.as_deref(),
        }
    }

    /// The ARN of whoever asked.
    #[must_use]
    pub fn principal(&self) -> Option<&str> {
        self.user_identity.arn.as_deref()
    }

    /// The access key that was used.
    #[must_use]
    pub fn access_key_id(&self) -> Option<&str> {
        self.user_identity.access_key_id.as_deref()
    }
}
