//! Events of the trail, as others are told of them.

use keyreeve_observe::event::Event;
use keyreeve_observe::filter_pattern::FilterPattern;
use keyreeve_observe::otlp;
use keyreeve_observe::syslog::{Sender, counted, shortened};

use serde_json::Value;

use crate::text;

/// An event as the service writes it.
const EVENT: &[u8] = br#"{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","userName":"alice"},"eventTime":"2026-08-13T17:56:48Z","eventSource":"kms.amazonaws.com","eventName":"Encrypt","awsRegion":"us-east-1","sourceIPAddress":"10.1.2.3","requestParameters":{"keyId":"alias/a","numberOfBytes":32,"list":["a","b"],"more":[{"x":1.5},{"x":null}]},"readOnly":true,"eventID":"b9f1d7a4-0b0c-4a53-8e84-2d1f0f4b3c55"}"#;

/// Any text as a filter pattern, and any bytes behind it as an event: a pattern is decided for every event, and what it demands
/// of a member is so where it holds.
pub fn filter_pattern(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (pattern, event) = (text(parts.next().unwrap_or_default()), parts.next().unwrap_or(EVENT));
    let Ok(pattern) = FilterPattern::parse(pattern) else { return };
    let meets = pattern.meets(event);
    assert_eq!(meets, pattern.meets(event));
    for member in ["eventName", "eventSource", "readOnly"] {
        if let (true, Some(demanded)) = (meets, pattern.demands(member)) {
            let event: Value = serde_json::from_slice(event).expect("a pattern of JSON met it");
            let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let found = event.get(member).map(shown);
            assert_eq!(found.as_deref(), Some(demanded), "{member}");
        }
    }
}

/// Any bytes as an event that is told over syslog: nothing, or one message whose head has no line break and whose body is the event. And as
/// one that a collector is told of, or what a collector answers.
pub fn syslog_message(data: &[u8]) {
    for enterprise in [None, Some(32473)] {
        let sender = Sender::new("host.example", 7, "0.1.0", enterprise);
        let message = sender.message(data);
        assert_eq!(message.is_some(), Event::read(data).is_some());
        let Some(message) = message else { continue };
        let head = message.strip_suffix(data).expect("the event stands at the end");
        assert!(head.starts_with(b"<1") && head.ends_with(b"] "), "{}", String::from_utf8_lossy(head));
        assert!(!head.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)), "{}", head.escape_ascii());
        let mut framed = Vec::new();
        counted(&message, &mut framed);
        assert!(framed.ends_with(&message));
    }
    let record = otlp::record(data);
    assert_eq!(record.is_some(), Event::read(data).is_some());
    if let Some(record) = record {
        let said = record.pointer("/body/stringValue").and_then(Value::as_str);
        assert_eq!(said, Some(&*String::from_utf8_lossy(data)));
    }
    drop(otlp::rejected(data));
    if let Some(short) = shortened(data) {
        assert!(serde_json::from_slice::<Value>(&short).is_ok());
    }
}
