//! One CloudTrail event.
//!
//! Source: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>.

use keyreeve_domain::{AccountId, KeyArn, Region, Timestamp};

use crate::json::{Object, string};

/// What is known of a request, whatever came of it.
pub struct Event<'a> {
    /// The id of this event.
    pub event_id: Uuid,
    /// The id that the answer carries.
    pub request_id: Uuid,
    /// When the request arrived.
    pub time: Timestamp,
    /// The account that the event is delivered to.
    pub account: AccountId,
    /// The id that it has in common with the events of the same request in other accounts, where there are any.
    pub shared_event_id: Option<Uuid>,
    /// The Region that was called.
    pub region: Region,
    /// The service, such as `kms.amazonaws.com`.
    pub source: &'a str,
    /// The operation, such as `Encrypt`.
    pub name: &'a str,
    /// Whether the operation changes nothing.
    pub read_only: bool,
    /// How the event came about.
    pub kind: Kind<'a>,
    /// Who called: the JSON of `userIdentity`.
    pub user_identity: &'a [u8],
    /// The address of the client.
    pub source_ip: &'a str,
    /// The `User-Agent` header.
    pub user_agent: &'a str,
    /// The JSON of `requestParameters`, without anything secret; `null` where empty.
    pub request_parameters: &'a [u8],
    /// The JSON of `responseElements`; `null` where empty.
    pub response_elements: &'a [u8],
    /// The JSON of `additionalEventData`; absent where empty.
    pub additional_event_data: &'a [u8],
    /// The ARNs that the request touched, in the order of CloudTrail. Where there are none, an event of KMS has an empty list, and
    /// any other no member.
    pub resources: &'a [Resource],
    /// Code and message of the answer, where it was an error.
    pub error: Option<(&'a str, Option<&'a str>)>,
    /// How the request came over TLS, if it did.
    pub tls: Option<Tls<'a>>,
}

/// How a request came over TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tls<'a> {
    /// The version of the protocol.
    pub version: &'a str,
    /// The cipher suite, as IANA calls it.
    pub suite: &'a str,
    /// The host that the client has named; absent from the event where empty.
    pub host: &'a str,
}

/// How an event came about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind<'a> {
    /// A request to the API.
    ApiCall,
    /// Something that the service did by itself; the JSON of `serviceEventDetails`.
    Service(&'a [u8]),
}

/// A resource that a request touched.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Resource {
    /// An alias, as its ARN.
    Alias(keyreeve_domain::AliasArn),
    /// A KMS key.
    Key(KeyArn),
    /// A log group of CloudWatch Logs.
    LogGroup {
        /// Its account.
        account: AccountId,
        /// Its ARN, without what stands for its streams.
        arn: String,
    },
    /// A stream of a log group.
    LogStream {
        /// Its account.
        account: AccountId,
        /// Its ARN.
        arn: String,
    },
    /// A role of IAM.
    Role {
        /// Its account.
        account: AccountId,
        /// Its ARN.
        arn: String,
    },
}

impl Resource {
    /// The account that it belongs to.
    #[must_use]
    pub fn account(&self) -> AccountId {
        match self {
            Self::Alias(alias) => alias.account,
            Self::Key(key) => key.account,
            Self::LogGroup { account, .. } | Self::LogStream { account, .. } | Self::Role { account, .. } => {
                *account
            }
        }
    }

    /// Its type. An alias has that of a key.
    fn kind(&self) -> &'static [u8] {
        match self {
            Self::Alias(_) | Self::Key(_) => br#""AWS::KMS::Key""#,
            Self::LogGroup { .. } => br#""AWS::Logs::LogGroup""#,
            Self::LogStream { .. } => br#""AWS::Logs::LogStream""#,
            Self::Role { .. } => br#""AWS::IAM::Role""#,
        }
    }
}

/// An id in the form of a UUID version 4.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Uuid([u8; 36]);

impl Uuid {
    /// The id with these random bits.
    #[must_use]
    pub fn from_random(bits: [u8; 16]) -> Self {
        // A key id is a UUID of the same version.
        Self(keyreeve_domain::KeyId::from_random(bits).text())
    }

    /// The 36 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl core::fmt::Debug for Uuid {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The version of CloudTrail's record format.
const EVENT_VERSION: &[u8] = b"\"1.08\"";
/// The service whose events always list resources.
const KMS: &str = "kms.amazonaws.com";
/// The service whose events name the version of its API, unless the caller was not let through.
const LOGS: &str = "logs.amazonaws.com";
/// That version.
const LOGS_VERSION: &[u8] = br#""20140328""#;
/// The code where he was not.
const DENIED: &str = "AccessDenied";

impl Event<'_> {
    /// Appends the event as one line of JSON, without the line's end.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut event = Object::begin(out);
        event.raw("eventVersion", EVENT_VERSION);
        event.raw("userIdentity", self.user_identity);
        write_time(event.member("eventTime"), self.time);
        write_plain(event.member("eventSource"), self.source);
        event.string("eventName", self.name);
        write_plain(event.member("awsRegion"), self.region.as_str());
        event.string("sourceIPAddress", self.source_ip);
        event.string("userAgent", self.user_agent);
        if let Some((code, message)) = self.error {
            event.string("errorCode", code);
            if let Some(message) = message {
                event.string("errorMessage", message);
            }
        }
        event.raw("requestParameters", or_null(self.request_parameters));
        event.raw("responseElements", or_null(self.response_elements));
        if !self.additional_event_data.is_empty() {
            event.raw("additionalEventData", self.additional_event_data);
        }
        write_plain(event.member("requestID"), self.request_id.as_str());
        write_plain(event.member("eventID"), self.event_id.as_str());
        event.boolean("readOnly", self.read_only);
        if !self.resources.is_empty() || self.source == KMS {
            self.write_resources(event.member("resources"));
        }
        let (kind, details) = match self.kind {
            Kind::ApiCall => (br#""AwsApiCall""#.as_slice(), None),
            Kind::Service(details) => (br#""AwsServiceEvent""#.as_slice(), Some(details)),
        };
        event.raw("eventType", kind);
        if let Some(details) = details.filter(|details| !details.is_empty()) {
            event.raw("serviceEventDetails", details);
        }
        if self.source == LOGS && self.error.is_none_or(|(code, _)| code != DENIED) {
            event.raw("apiVersion", LOGS_VERSION);
        }
        event.boolean("managementEvent", true);
        write_account(event.member("recipientAccountId"), self.account);
        if let Some(shared) = self.shared_event_id {
            write_plain(event.member("sharedEventID"), shared.as_str());
        }
        event.raw("eventCategory", br#""Management""#);
        if let Some(Tls { version, suite, host }) = self.tls {
            let mut details = Object::begin(event.member("tlsDetails"));
            details.string("tlsVersion", version);
            details.string("cipherSuite", suite);
            if !host.is_empty() {
                details.string("clientProvidedHostHeader", host);
            }
            details.end();
        }
        event.end();
    }

    fn write_resources(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (at, resource) in self.resources.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            let mut object = Object::begin(out);
            write_account(object.member("accountId"), resource.account());
            object.raw("type", resource.kind());
            let arn = object.member("ARN");
            match resource {
                Resource::Alias(alias) => write_display_string(arn, format_args!("{alias}")),
                Resource::Key(key) => {
                    arn.push(b'"');
                    key.append_to(arn);
                    arn.push(b'"');
                }
                Resource::LogGroup { arn: text, .. }
                | Resource::LogStream { arn: text, .. }
                | Resource::Role { arn: text, .. } => string(arn, text),
            }
            object.end();
        }
        out.push(b']');
    }
}

fn or_null(json: &[u8]) -> &[u8] {
    if json.is_empty() { b"null" } else { json }
}

/// Appends a text that holds nothing to escape as a JSON string.
fn write_plain(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

fn write_account(out: &mut Vec<u8>, account: AccountId) {
    out.push(b'"');
    out.extend_from_slice(&account.digits());
    out.push(b'"');
}

/// Appends what `text` prints as a JSON string; for texts that hold nothing to escape (ARNs).
fn write_display_string(out: &mut Vec<u8>, text: core::fmt::Arguments<'_>) {
    use std::io::Write;
    out.push(b'"');
    // Writing to a `Vec` never fails.
    out.write_fmt(text).unwrap_or_default();
    out.push(b'"');
}

/// Appends `time` as a JSON string, such as `"2026-01-02T03:04:05Z"`.
pub fn write_time(out: &mut Vec<u8>, time: Timestamp) {
    let seconds = time.millis().div_euclid(1000);
    let at = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let (hour, minute, second) = at.to_hms();
    let year = u16::try_from(at.year()).unwrap_or_default();
    let [century, year] = [year / 100, year % 100].map(|part| u8::try_from(part).unwrap_or_default());
    let mut text = *b"\"0000-00-00T00:00:00Z\"";
    let parts = [century, year, u8::from(at.month()), at.day(), hour, minute, second];
    for (part, place) in parts.into_iter().zip([1, 3, 6, 9, 12, 15, 18]) {
        if let Some([tens, ones]) = text.get_mut(place..place + 2) {
            *tens += part / 10;
            *ones += part % 10;
        }
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    fn event<'a>(source: &'a str, resources: &'a [Resource]) -> Event<'a> {
        Event {
            event_id: Uuid::from_random([1; 16]),
            request_id: Uuid::from_random([2; 16]),
            time: Timestamp::from_millis(1_660_169_907_123),
            account: "111122223333".parse().unwrap(),
            shared_event_id: None,
            region: "us-west-2".parse().unwrap(),
            source,
            name: "Encrypt",
            read_only: true,
            kind: Kind::ApiCall,
            user_identity: br#"{"type":"Root"}"#,
            source_ip: "127.0.0.1",
            user_agent: "a \"quoted\" agent",
            request_parameters: br#"{"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}"#,
            response_elements: b"",
            additional_event_data: b"",
            resources,
            error: Some(("DisabledException", None)),
            tls: Some(Tls {
                version: "TLSv1.3",
                suite: "TLS_AES_256_GCM_SHA384",
                host: "kms.us-west-2.amazonaws.com",
            }),
        }
    }

    fn read(event: &Event<'_>) -> serde_json::Value {
        let mut line = Vec::new();
        event.write(&mut line);
        serde_json::from_slice(&line).unwrap()
    }

    #[test]
    fn an_event_has_the_form_of_cloudtrail() {
        let (region, account) = ("us-west-2".parse().unwrap(), "111122223333".parse().unwrap());
        let resources = [Resource::Key(KeyArn { region, account, key: KEY.parse().unwrap() })];
        let read = read(&event("kms.amazonaws.com", &resources));
        for (member, expected) in [
            ("/eventTime", serde_json::json!("2022-08-10T22:18:27Z")),
            ("/eventSource", serde_json::json!("kms.amazonaws.com")),
            ("/requestParameters/encryptionAlgorithm", serde_json::json!("SYMMETRIC_DEFAULT")),
            ("/responseElements", serde_json::Value::Null),
            ("/errorCode", serde_json::json!("DisabledException")),
            ("/resources/0/type", serde_json::json!("AWS::KMS::Key")),
            (
                "/resources/0/ARN",
                serde_json::json!(
                    "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
                ),
            ),
            ("/recipientAccountId", serde_json::json!("111122223333")),
            ("/userAgent", serde_json::json!("a \"quoted\" agent")),
            ("/eventID", serde_json::json!("01010101-0101-4101-8101-010101010101")),
            ("/requestID", serde_json::json!("02020202-0202-4202-8202-020202020202")),
            (
                "/tlsDetails",
                serde_json::json!({
                    "tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_256_GCM_SHA384",
                    "clientProvidedHostHeader": "kms.us-west-2.amazonaws.com",
                }),
            ),
        ] {
            assert_eq!(read.pointer(member), Some(&expected), "{member}");
        }
        assert!(read.get("errorMessage").is_none());
    }

    #[test]
    fn an_event_of_the_service_itself_says_so_and_shows_its_details_if_it_has_any() {
        for (kind, name, details) in [
            (Kind::ApiCall, "AwsApiCall", None),
            (Kind::Service(b""), "AwsServiceEvent", None),
            (Kind::Service(b"{}"), "AwsServiceEvent", Some(serde_json::json!({}))),
        ] {
            let read = read(&Event { kind, ..event("kms.amazonaws.com", &[]) });
            assert_eq!(
                (&read["eventType"], read.get("serviceEventDetails")),
                (&name.into(), details.as_ref())
            );
        }
    }

    #[test]
    fn an_event_of_logs_names_the_version_of_the_api_unless_the_caller_was_denied() {
        let denied = Some(("AccessDenied", None));
        for (source, error, version) in [
            ("logs.amazonaws.com", None, Some("20140328")),
            ("logs.amazonaws.com", Some(("ResourceNotFoundException", None)), Some("20140328")),
            ("logs.amazonaws.com", denied, None),
            ("cloudtrail.amazonaws.com", None, None),
        ] {
            let read = read(&Event { error, ..event(source, &[]) });
            assert_eq!(
                read.get("apiVersion").and_then(serde_json::Value::as_str),
                version,
                "{source} {error:?}"
            );
        }
    }

    #[test]
    fn resources_are_listed_where_there_are_some_and_always_by_kms() {
        let (region, account) = ("us-west-2".parse().unwrap(), "111122223333".parse().unwrap());
        let alias = keyreeve_domain::AliasArn { region, account, alias: "alias/a".parse().unwrap() };
        let role_arn = "arn:aws:iam::111122223333:role/r".to_owned();
        let resources = [
            Resource::Key(KeyArn { region, account, key: KEY.parse().unwrap() }),
            Resource::Alias(alias),
            Resource::Role { account, arn: role_arn },
            Resource::LogGroup { account, arn: "arn:aws:logs:us-west-2:111122223333:log-group:g".to_owned() },
            Resource::LogStream {
                account,
                arn: "arn:aws:logs:us-west-2:111122223333:log-group:g:log-stream:s".to_owned(),
            },
        ];
        let listed = serde_json::json!([
            { "accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": format!("arn:aws:kms:us-west-2:111122223333:key/{KEY}") },
            { "accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": "arn:aws:kms:us-west-2:111122223333:alias/a" },
            { "accountId": "111122223333", "type": "AWS::IAM::Role", "ARN": "arn:aws:iam::111122223333:role/r" },
            {
                "accountId": "111122223333", "type": "AWS::Logs::LogGroup",
                "ARN": "arn:aws:logs:us-west-2:111122223333:log-group:g",
            },
            {
                "accountId": "111122223333", "type": "AWS::Logs::LogStream",
                "ARN": "arn:aws:logs:us-west-2:111122223333:log-group:g:log-stream:s",
            },
        ]);
        for (source, resources, expected) in [
            ("kms.amazonaws.com", &resources[..], Some(&listed)),
            ("sts.amazonaws.com", &resources, Some(&listed)),
            ("kms.amazonaws.com", &[], Some(&serde_json::json!([]))),
            ("sts.amazonaws.com", &[], None),
        ] {
            assert_eq!(
                read(&event(source, resources)).get("resources"),
                expected,
                "{source} {}",
                resources.len()
            );
        }
    }
}
