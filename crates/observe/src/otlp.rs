//! Events of the trail as log records of OpenTelemetry, in requests of OTLP over HTTP, as JSON.
//!
//! The body of a record is the JSON of the event as the trail has it, byte for byte; the attributes say what it is about, by the names of the semantic
//! conventions. `log.record.uid` is the id of the event: records with the same one are the same event.
//! Source: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>, and for the names
//! <https://opentelemetry.io/docs/specs/semconv/registry/attributes/>.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::event::Event;

/// What is the same in all requests of a process.
#[derive(Clone, Debug)]
pub struct Exporter {
    resource: Value,
    version: String,
}

impl Exporter {
    /// The process `process` of release `version` on the machine `hostname`.
    #[must_use]
    pub fn new(hostname: &str, process: u32, version: &str) -> Self {
        let attributes = [
            text("service.name", "keyreeve"),
            text("service.version", version),
            text("host.name", hostname),
            json!({"key": "process.pid", "value": {"intValue": process.to_string()}}),
        ];
        Self { resource: json!({"attributes": attributes}), version: version.to_owned() }
    }

    /// The request with these records, in order.
    #[must_use]
    pub fn request(&self, records: &[Value]) -> Vec<u8> {
        let scope = json!({"name": "keyreeve.audit", "version": self.version});
        let logs = json!({"scope": scope, "logRecords": records});
        json!({"resourceLogs": [{"resource": self.resource, "scopeLogs": [logs]}]}).to_string().into_bytes()
    }
}

/// The record for an event, or nothing where `json` is none.
#[must_use]
pub fn record(json: &[u8]) -> Option<Value> {
    let event = Event::read(json)?;
    let time = event.time().map_or(0, |time| i128::from(time.millis()) * 1_000_000).to_string();
    let (number, severity) = if event.error_code.is_some() { (WARN, "WARN") } else { (INFO, "INFO") };
    let account = event.account().map(|account| account.to_string());
    let region = event.region().map(|region| region.as_str().to_owned());
    let mut attributes = vec![
        text("log.record.uid", event.event_id),
        text("rpc.system", "aws-api"),
        text("rpc.service", event.event_source),
        text("rpc.method", &event.event_name),
    ];
    for (name, value) in [
        ("cloud.account.id", account.as_deref()),
        ("cloud.region", region.as_deref()),
        ("user.id", event.principal()),
        ("error.type", event.error_code.as_deref()),
    ] {
        attributes.extend(value.map(|value| text(name, value)));
    }
    let resources: Vec<Value> =
        event.resources.iter().map(|resource| json!({"stringValue": resource.arn})).collect();
    if !resources.is_empty() {
        attributes.push(json!({"key": "cloud.resource_id", "value": {"arrayValue": {"values": resources}}}));
    }
    Some(json!({
        "timeUnixNano": time,
        "observedTimeUnixNano": time,
        "severityNumber": number,
        "severityText": severity,
        "eventName": EVENT_NAME,
        "body": {"stringValue": String::from_utf8_lossy(json)},
        "attributes": attributes,
    }))
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// What a collector that took a request did not take of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejected {
    /// How many records.
    pub records: u64,
    /// Why, in its words.
    pub message: String,
}

/// What the answer of a collector says that it did not take; nothing where it took all, or says nothing that can be read.
#[must_use]
pub fn rejected(answer: &[u8]) -> Option<Rejected> {
    let answer: Answer = serde_json::from_slice(answer).ok()?;
    let PartialSuccess { rejected_log_records, error_message } = answer.partial_success?;
    let records = match rejected_log_records.as_str() {
        Some(text) => text.parse().ok()?,
        None => rejected_log_records.as_u64()?,
    };
    (records > 0).then_some(Rejected { records, message: error_message })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    partial_success: Option<PartialSuccess>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialSuccess {
    /// A number of 64 bits, which JSON of this protocol has as a text.
    #[serde(default)]
    rejected_log_records: Value,
    #[serde(default)]
    error_message: String,
}

/// What kind of events these are.
const EVENT_NAME: &str = "aws.cloudtrail";
const INFO: u8 = 9;
const WARN: u8 = 13;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(error: Option<&str>) -> Vec<u8> {
        let mut event = json!({
            "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/a\"b"},
            "eventTime": "2026-01-02T03:04:05Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "Encrypt",
            "awsRegion": "us-east-1",
            "eventID": "2c1cfb9c-0000-4000-8000-000000000000",
            "readOnly": true,
            "resources": [{"ARN": "arn:aws:kms:us-east-1:111122223333:key/k", "type": "AWS::KMS::Key"}],
            "recipientAccountId": "111122223333",
        });
        if let Some(error) = error {
            event["errorCode"] = json!(error);
        }
        event.to_string().into_bytes()
    }

    fn attribute(record: &Value, name: &str) -> Option<Value> {
        let attributes = record["attributes"].as_array().unwrap();
        attributes.iter().find(|attribute| attribute["key"] == name).map(|found| found["value"].clone())
    }

    #[test]
    fn a_record_has_the_event_as_it_is_and_says_what_it_is_about() {
        let json = event(None);
        let found = record(&json).unwrap();
        assert_eq!(found["timeUnixNano"], "1767323045000000000");
        assert_eq!((&found["severityNumber"], &found["severityText"]), (&json!(9), &json!("INFO")));
        assert_eq!(found["body"]["stringValue"].as_str().unwrap().as_bytes(), json);
        for (name, expected) in [
            ("log.record.uid", json!({"stringValue": "2c1cfb9c-0000-4000-8000-000000000000"})),
            ("rpc.method", json!({"stringValue": "Encrypt"})),
            ("cloud.account.id", json!({"stringValue": "111122223333"})),
            ("user.id", json!({"stringValue": "arn:aws:iam::111122223333:user/a\"b"})),
            (
                "cloud.resource_id",
                json!({"arrayValue": {"values": [{"stringValue": "arn:aws:kms:us-east-1:111122223333:key/k"}]}}),
            ),
        ] {
            assert_eq!(attribute(&found, name), Some(expected), "{name}");
        }
        assert_eq!(attribute(&found, "error.type"), None);
        let refused = record(&event(Some("DisabledException"))).unwrap();
        assert_eq!(refused["severityNumber"], 13);
        assert_eq!(attribute(&refused, "error.type"), Some(json!({"stringValue": "DisabledException"})));
    }

    #[test]
    fn a_request_holds_its_records_in_order() {
        let exporter = Exporter::new("kms1", 42, "0.1.0");
        let records = [record(&event(None)).unwrap(), record(&event(Some("x"))).unwrap()];
        let request: Value = serde_json::from_slice(&exporter.request(&records)).unwrap();
        let logs = &request["resourceLogs"][0];
        assert_eq!(
            logs["resource"]["attributes"][0],
            json!({"key": "service.name", "value": {"stringValue": "keyreeve"}})
        );
        assert_eq!(logs["scopeLogs"][0]["logRecords"], json!(records));
    }

    #[test]
    fn what_was_rejected_is_read_of_the_answer() {
        for (answer, expected) in [
            (
                r#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too old"}}"#,
                Some((3, "too old")),
            ),
            (r#"{"partialSuccess":{"rejectedLogRecords":2}}"#, Some((2, ""))),
            (r#"{"partialSuccess":{"errorMessage":"only a warning"}}"#, None),
            (r#"{"partialSuccess":{"rejectedLogRecords":"0"}}"#, None),
            (r#"{"partialSuccess":{}}"#, None),
            ("{}", None),
            ("", None),
        ] {
            let found = rejected(answer.as_bytes());
            let expected =
                expected.map(|(records, message)| Rejected { records, message: message.to_owned() });
            assert_eq!(found, expected, "{answer}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (record(&bytes), rejected(&bytes));
        }
    }
}
