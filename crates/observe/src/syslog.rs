//! An event of the trail as a message of syslog.
//!
//! `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG`: the facility is that of log audits (13), the severity
//! informational (6), or warning (4) where the request was refused; MSGID is the operation, MSG the JSON of the event. MSG has no
//! byte order mark, so that what follows the structured data is JSON.
//! Source: <https://www.rfc-editor.org/rfc/rfc5424>; octet counting: <https://www.rfc-editor.org/rfc/rfc6587#section-3.4.1>.

use serde_json::Value;

use crate::event::Event;
use crate::layout::iso;

/// What is the same in all messages of a process.
#[derive(Clone, Debug)]
pub struct Sender {
    hostname: String,
    process: u32,
    version: String,
    enterprise: Option<u32>,
}

impl Sender {
    /// The process `process` on the machine `hostname`. `enterprise` is the private enterprise number under which the members of
    /// an event are structured data; without one they stand in the JSON alone, for names of structured data are not free to take.
    #[must_use]
    pub fn new(hostname: &str, process: u32, version: &str, enterprise: Option<u32>) -> Self {
        let hostname = printable(hostname, HOSTNAME_MOST);
        Self { hostname, process, version: version.to_owned(), enterprise }
    }

    /// The message for an event, or nothing where `json` is none.
    #[must_use]
    pub fn message(&self, json: &[u8]) -> Option<Vec<u8>> {
        let event = Event::read(json)?;
        let severity = if event.error_code.is_some() { WARNING } else { INFORMATIONAL };
        let mut out = Vec::with_capacity(json.len().saturating_add(512));
        let time = event.time().map_or_else(|| NIL.to_owned(), iso);
        let id = printable(&event.event_name, MSGID_MOST);
        let Self { hostname, process, .. } = self;
        let priority = FACILITY * 8 + severity;
        out.extend_from_slice(
            format!("<{priority}>1 {time} {hostname} {APP_NAME} {process} {id} ").as_bytes(),
        );
        self.structured(&event, &mut out);
        out.push(b' ');
        out.extend_from_slice(json);
        Some(out)
    }

    fn structured(&self, event: &Event<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"[origin");
        parameter("software", "keyreeve", out);
        parameter("swVersion", &self.version, out);
        out.push(b']');
        let Some(enterprise) = self.enterprise else { return };
        out.extend_from_slice(format!("[event@{enterprise}").as_bytes());
        parameter("id", event.event_id, out);
        parameter("source", event.event_source, out);
        parameter("name", &event.event_name, out);
        let account = event.account().map(|account| account.to_string());
        let region = event.region().map(|region| region.as_str().to_owned());
        for (name, value) in [
            ("account", account.as_deref()),
            ("region", region.as_deref()),
            ("principal", event.principal()),
            ("error", event.error_code.as_deref()),
        ] {
            if let Some(value) = value {
                parameter(name, value, out);
            }
        }
        for resource in event.resources.iter().take(RESOURCES_MOST) {
            parameter("resource", &resource.arn, out);
        }
        out.push(b']');
    }
}

/// An event in few words, for a way that takes no long ones: what it is about, without parameters, elements and data.
#[must_use]
pub fn shortened(json: &[u8]) -> Option<Vec<u8>> {
    let mut event: Value = serde_json::from_slice(json).ok()?;
    let members = event.as_object_mut()?;
    let mut omitted = Vec::new();
    for name in LONG {
        if members.get(name).is_some_and(|value| !value.is_null()) {
            members.insert(name.to_owned(), Value::Null);
            omitted.push(Value::from(name));
        }
    }
    members.insert("omitted".to_owned(), Value::Array(omitted));
    serde_json::to_vec(&event).ok()
}

/// Appends `message` as a frame of its own, led by its length.
pub fn counted(message: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(message.len().to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(message);
}

/// Appends ` name="value"`, with what would end the value escaped (section 6.3.3). Values are cut: what a caller can make long has
/// its place in the JSON.
fn parameter(name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    let value = value.get(..value.floor_char_boundary(VALUE_MOST)).unwrap_or_default();
    for letter in value.chars() {
        if matches!(letter, '"' | '\\' | ']') {
            out.push(b'\\');
        }
        // A receiver may take a control character for the end of the message.
        let letter = if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
        out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    }
    out.push(b'"');
}

/// The first `most` characters of `text` as printable ASCII without spaces; `-` where there are none.
fn printable(text: &str, most: usize) -> String {
    let found: String =
        text.chars().map(|letter| if letter.is_ascii_graphic() { letter } else { '?' }).take(most).collect();
    if found.is_empty() { NIL.to_owned() } else { found }
}

const APP_NAME: &str = "keyreeve";
/// "Log audit".
const FACILITY: u8 = 13;
const HOSTNAME_MOST: usize = 255;
const INFORMATIONAL: u8 = 6;
/// Members that a caller can make long.
const LONG: [&str; 5] =
    ["requestParameters", "responseElements", "additionalEventData", "errorMessage", "userAgent"];
const MSGID_MOST: usize = 32;
const NIL: &str = "-";
/// No operation touches more.
const RESOURCES_MOST: usize = 4;
const VALUE_MOST: usize = 2048;
const WARNING: u8 = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn event(name: &str, arn: &str, error: Option<&str>) -> Vec<u8> {
        let mut event = json!({
            "userIdentity": {"type": "IAMUser", "arn": arn},
            "eventTime": "2026-01-02T03:04:05Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": name,
            "awsRegion": "us-east-1",
            "eventID": "2c1cfb9c-0000-4000-8000-000000000000",
            "readOnly": true,
            "requestParameters": {"keyId": "k"},
            "responseElements": null,
            "recipientAccountId": "111122223333",
        });
        if let Some(error) = error {
            event["errorCode"] = json!(error);
        }
        event.to_string().into_bytes()
    }

    #[test]
    fn a_message_is_that_of_the_standard() {
        let sender = Sender::new("kms 1.example", 42, "0.1.0", Some(32473));
        let json = event("Encrypt", "arn:aws:iam::111122223333:user/a\"]\\b", None);
        let expected = concat!(
            r#"<110>1 2026-01-02T03:04:05Z kms?1.example keyreeve 42 Encrypt [origin software="keyreeve" swVersion="0.1.0"]"#,
            r#"[event@32473 id="2c1cfb9c-0000-4000-8000-000000000000" source="kms.amazonaws.com" name="Encrypt" "#,
            r#"account="111122223333" region="us-east-1" principal="arn:aws:iam::111122223333:user/a\"\]\\b"] "#,
        );
        let message = String::from_utf8(sender.message(&json).unwrap()).unwrap();
        assert_eq!(message, format!("{expected}{}", String::from_utf8(json).unwrap()));
        let refused = Sender::new("", 42, "0.1.0", None).message(&event("Encrypt", "a", Some("X"))).unwrap();
        let head = r#"<108>1 2026-01-02T03:04:05Z - keyreeve 42 Encrypt [origin software="keyreeve" swVersion="0.1.0"] {"#;
        assert!(String::from_utf8(refused).unwrap().starts_with(head));
    }

    #[test]
    fn what_is_shortened_says_what_is_left_out() {
        let short: Value = serde_json::from_slice(&shortened(&event("Encrypt", "a", None)).unwrap()).unwrap();
        assert_eq!(short["omitted"], json!(["requestParameters"]));
        assert_eq!(short["requestParameters"], Value::Null);
        assert_eq!(short["eventID"], "2c1cfb9c-0000-4000-8000-000000000000");
    }

    /// The structured data at the start of `text`, by the grammar of section 6, and what follows.
    fn read_structured(mut text: &str) -> Option<(Vec<(String, String)>, &str)> {
        let mut found = Vec::new();
        while let Some(rest) = text.strip_prefix('[') {
            let (_, mut rest) = rest.split_at(rest.find([' ', ']'])?);
            while let Some(after) = rest.strip_prefix(' ') {
                let (name, after) = after.split_once("=\"")?;
                let (mut value, mut escaped, mut end) = (String::new(), false, None);
                for (at, letter) in after.char_indices() {
                    match letter {
                        _ if escaped => {
                            value.push(letter);
                            escaped = false;
                        }
                        '\\' => escaped = true,
                        '"' => {
                            end = Some(at);
                            break;
                        }
                        ']' => return None,
                        letter => value.push(letter),
                    }
                }
                found.push((name.to_owned(), value));
                rest = &after[end? + 1..];
            }
            text = rest.strip_prefix(']')?;
        }
        Some((found, text.strip_prefix(' ')?))
    }

    proptest! {
        #[test]
        fn whatever_an_event_says_its_message_is_read_back_as_it_was(
            name in ".{0,60}", principal in ".{0,3000}", host in ".{0,400}", error in proptest::option::of(".{0,80}"),
        ) {
            let json = event(&name, &principal, error.as_deref());
            let sender = Sender::new(&host, 1, "0.1.0", Some(1));
            let message = String::from_utf8(sender.message(&json).unwrap()).unwrap();
            let mut fields = message.splitn(7, ' ');
            let head: Vec<&str> = fields.by_ref().take(6).collect();
            let priority = if error.is_some() { "<108>1" } else { "<110>1" };
            prop_assert_eq!(head[0], priority);
            for (field, most) in [(head[2], HOSTNAME_MOST), (head[3], 48), (head[4], 128), (head[5], MSGID_MOST)] {
                prop_assert!((1..=most).contains(&field.len()) && field.bytes().all(|byte| byte.is_ascii_graphic()));
            }
            let (parameters, rest) = read_structured(fields.next().unwrap()).unwrap();
            prop_assert_eq!(rest.as_bytes(), json.as_slice());
            let held = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
            let plain = |text: &str| {
                let text = &text[..text.floor_char_boundary(VALUE_MOST)];
                text.replace(char::is_control, "\u{fffd}")
            };
            prop_assert_eq!(held("principal"), Some(plain(&principal)));
            prop_assert_eq!(held("name"), Some(plain(&name)));
            prop_assert_eq!(held("error"), error.as_deref().map(plain));
            prop_assert!(message.len() <= json.len() + 4 * VALUE_MOST * 2 + 1024);
            // The count of a frame is that of bytes.
            let mut frame = Vec::new();
            counted(message.as_bytes(), &mut frame);
            let frame = String::from_utf8(frame).unwrap();
            let (count, rest) = frame.split_once(' ').unwrap();
            prop_assert_eq!(count.parse::<usize>().unwrap(), rest.len());
        }

        #[test]
        fn what_is_no_event_makes_no_message(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Sender::new("h", 1, "v", None).message(&bytes).is_none());
        }
    }
}
