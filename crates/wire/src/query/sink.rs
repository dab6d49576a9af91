//! What an answer is made of, independent of how it is written: as XML, or as the JSON of its event.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_domain::Timestamp;

use crate::value::{SensitiveBlob, SensitiveText};

/// Takes the members of an answer one by one.
pub trait Sink {
    /// A text.
    fn text(&mut self, name: &str, text: &str);
    /// A text that may be secret.
    fn secret(&mut self, name: &str, text: &SensitiveText);
    /// A truth value.
    fn boolean(&mut self, name: &str, value: bool);
    /// A number.
    fn integer(&mut self, name: &str, number: u32);
    /// A number, with a fraction or without.
    fn double(&mut self, name: &str, number: f64);
    /// A point in time.
    fn timestamp(&mut self, name: &str, at: Timestamp);
    /// Begins a structure.
    fn begin(&mut self, name: &str);
    /// Ends a structure, a list or a map.
    fn end(&mut self, name: &str);
    /// Begins a list.
    fn begin_list(&mut self, name: &str);
    /// Begins an entry of a map; its value has the name `value`.
    fn begin_entry(&mut self, key: &str);
    /// Ends an entry of a map.
    fn end_entry(&mut self);
}

/// A value of an answer.
pub trait Answered {
    /// Puts it into `sink`, under a name.
    fn write(&self, name: &str, sink: &mut dyn Sink);
}

impl Answered for String {
    fn write(&self, name: &str, sink: &mut dyn Sink) {
        sink.text(name, self);
    }
}

impl Answered for SensitiveText {
    fn write(&self, name: &str, sink: &mut dyn Sink) {
        sink.secret(name, self);
    }
}

impl Answered for SensitiveBlob {
    fn write(&self, name: &str, sink: &mut dyn Sink) {
        // EXPOSE: the answer carries the value.
        sink.secret(name, &SensitiveText::from(STANDARD.encode(self.expose())));
    }
}

impl Answered for bool {
    fn write(&self, name: &str, sink: &mut dyn Sink) {
        sink.boolean(name, *self);
    }
}

impl Answered for u32 {
    fn write(&self, name: &str, sink: &mut dyn Sink) {
        sink.integer(name, *self);
    }
}

impl Answered for f64 {
    fn write(&self, name: &str, sink: &mut dyn Sink) {
        sink.double(name, *self);
    }
}

impl Answered for Timestamp {
    fn write(&self, name: &str, sink: &mut dyn Sink) {
        sink.timestamp(name, *self);
    }
}

impl<T: Answered> Answered for Option<T> {
    fn write(&self, name: &str, sink: &mut dyn Sink) {
        if let Some(value) = self {
            value.write(name, sink);
        }
    }
}

impl<T: Answered> Answered for Vec<T> {
    fn write(&self, name: &str, sink: &mut dyn Sink) {
        sink.begin_list(name);
        self.iter().for_each(|value| value.write("member", sink));
        sink.end(name);
    }
}

impl<K: AsRef<str>, T: Answered> Answered for BTreeMap<K, T> {
    fn write(&self, name: &str, sink: &mut dyn Sink) {
        sink.begin(name);
        for (key, value) in self {
            sink.begin_entry(key.as_ref());
            value.write("value", sink);
            sink.end_entry();
        }
        sink.end(name);
    }
}
