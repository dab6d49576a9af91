//! XML out of answers and errors.
//!
//! Elements hold text or elements, never both; nothing is indented. Source: the protocol, and recordings of the service.

use keyreeve_domain::Timestamp;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::query::error::QueryError;
use crate::query::sink::Sink;
use crate::query::{Api, QueryOutput};
use crate::value::SensitiveText;

/// Writes the whole answer of an operation.
///
/// It may hold a secret: where `out` has to grow, what was written so far is left in the memory it came from, which the
/// allocator of the process has to wipe.
pub fn write_answer<O: QueryOutput>(output: &O, request_id: &str, out: &mut Vec<u8>) {
    envelope(O::OPERATION, request_id, out, |xml| {
        let result = format!("{}Result", O::OPERATION.name());
        xml.begin(&result);
        output.write_members(xml);
        xml.end(&result);
    });
}

/// Writes the whole answer of an operation that answers nothing.
pub fn write_empty_answer<A: Api>(operation: A, request_id: &str, out: &mut Vec<u8>) {
    envelope(operation, request_id, out, |_| {});
}

/// Writes the answer of a service with `namespace` that is this error.
pub fn write_error(error: &QueryError, namespace: &str, request_id: &str, out: &mut Vec<u8>) {
    let mut xml = Xml { out, milliseconds: false };
    xml.root("ErrorResponse", namespace);
    xml.begin("Error");
    xml.text("Type", error.code.fault().as_str());
    xml.text("Code", error.code.as_str());
    if !error.message.is_empty() {
        xml.text("Message", &error.message);
    }
    xml.end("Error");
    xml.text("RequestId", request_id);
    xml.end("ErrorResponse");
}

fn envelope<A: Api>(operation: A, request_id: &str, out: &mut Vec<u8>, result: impl FnOnce(&mut Xml<'_>)) {
    let mut xml = Xml { out, milliseconds: A::MILLISECONDS };
    let response = format!("{}Response", operation.name());
    xml.root(&response, A::NAMESPACE);
    result(&mut xml);
    xml.begin("ResponseMetadata");
    xml.text("RequestId", request_id);
    xml.end("ResponseMetadata");
    xml.end(&response);
}

/// A writer of elements. Names are those of the declarations: they need no escape.
struct Xml<'o> {
    out: &'o mut Vec<u8>,
    /// Whether times have milliseconds.
    milliseconds: bool,
}

impl Xml<'_> {
    fn root(&mut self, name: &str, namespace: &str) {
        self.raw(&["<", name, " xmlns=\"", namespace, "\">"]);
    }

    fn raw(&mut self, parts: &[&str]) {
        parts.iter().for_each(|part| self.out.extend_from_slice(part.as_bytes()));
    }

    /// A character that XML 1.0 has no way to write is written as the one that stands for such characters.
    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.raw(&["&amp;"]),
                '<' => self.raw(&["&lt;"]),
                '>' => self.raw(&["&gt;"]),
                '"' => self.raw(&["&quot;"]),
                '\'' => self.raw(&["&#39;"]),
                '\r' => self.raw(&["&#xD;"]),
                '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                    self.raw(&["\u{fffd}"]);
                }
                c => self.raw(&[c.encode_utf8(&mut [0; 4])]),
            }
        }
    }
}

impl Sink for Xml<'_> {
    fn text(&mut self, name: &str, text: &str) {
        self.raw(&["<", name, ">"]);
        self.escaped(text);
        self.raw(&["</", name, ">"]);
    }

    fn secret(&mut self, name: &str, text: &SensitiveText) {
        // EXPOSE: the answer carries the value.
        self.text(name, text.expose());
    }

    fn boolean(&mut self, name: &str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    fn integer(&mut self, name: &str, number: u32) {
        self.text(name, &number.to_string());
    }

    fn double(&mut self, name: &str, number: f64) {
        // As XML Schema writes what is no number.
        let text = if number.is_infinite() {
            format!("{number:?}").replace("inf", "INF")
        } else {
            format!("{number:?}")
        };
        self.text(name, &text);
    }

    fn timestamp(&mut self, name: &str, at: Timestamp) {
        let is_whole = !self.milliseconds || at.millis().rem_euclid(1000) == 0;
        self.text(name, &formatted(at, if is_whole { ISO_8601 } else { ISO_8601_MILLISECONDS }));
    }

    fn begin(&mut self, name: &str) {
        self.raw(&["<", name, ">"]);
    }

    fn end(&mut self, name: &str) {
        self.raw(&["</", name, ">"]);
    }

    fn begin_list(&mut self, name: &str) {
        self.begin(name);
    }

    fn begin_entry(&mut self, key: &str) {
        self.begin("entry");
        self.text("key", key);
    }

    fn end_entry(&mut self) {
        self.end("entry");
    }
}

/// To the second.
pub(crate) const ISO_8601: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

const ISO_8601_MILLISECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// A point in time in a format without an offset; empty outside the years that the format has.
pub(crate) fn formatted(at: Timestamp, format: &[BorrowedFormatItem<'_>]) -> String {
    let nanos = i128::from(at.millis()).saturating_mul(1_000_000);
    let date = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    date.and_then(|date| date.format(format).ok()).unwrap_or_default()
}
