//! Answers as JSON.

use keyreeve_domain::Timestamp;

use crate::encode::{ToJson, text};
use crate::query::{QueryOutput, Sink};
use crate::value::SensitiveText;

/// Appends an answer.
pub(crate) fn write<O: QueryOutput>(output: &O, out: &mut Vec<u8>) {
    let mut sink = Members { out, open: Vec::new(), key: None };
    sink.open(Level::Structure);
    output.write_members(&mut sink);
    sink.close();
}

/// Appends an error.
pub(super) fn write_error(kind: &str, message: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"__type\":");
    text(out, kind);
    out.extend_from_slice(b",\"message\":");
    text(out, message);
    out.push(b'}');
}

#[derive(Clone, Copy)]
enum Level {
    List,
    Structure,
}

struct Members<'o> {
    out: &'o mut Vec<u8>,
    /// What is open, and whether it is still empty.
    open: Vec<(Level, bool)>,
    /// The key of the entry of a map that is next.
    key: Option<String>,
}

impl Members<'_> {
    fn open(&mut self, level: Level) {
        self.out.push(match level {
            Level::List => b'[',
            Level::Structure => b'{',
        });
        self.open.push((level, true));
    }

    fn close(&mut self) {
        match self.open.pop() {
            Some((Level::List, _)) => self.out.push(b']'),
            Some((Level::Structure, _)) => self.out.push(b'}'),
            None => {}
        }
    }

    /// What stands before a value: a comma unless it is the first, and its name unless it is an element of a list.
    fn name(&mut self, name: &str) {
        let key = self.key.take();
        let Some((level, empty)) = self.open.last_mut() else { return };
        if !std::mem::replace(empty, false) {
            self.out.push(b',');
        }
        if matches!(level, Level::Structure) {
            text(self.out, key.as_deref().unwrap_or(name));
            self.out.push(b':');
        }
    }
}

impl Sink for Members<'_> {
    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        text(self.out, value);
    }

    fn secret(&mut self, name: &str, value: &SensitiveText) {
        self.name(name);
        value.write_json(self.out);
    }

    fn boolean(&mut self, name: &str, value: bool) {
        self.name(name);
        value.write_json(self.out);
    }

    fn integer(&mut self, name: &str, number: u32) {
        self.name(name);
        number.write_json(self.out);
    }

    fn double(&mut self, name: &str, number: f64) {
        self.name(name);
        number.write_json(self.out);
    }

    fn timestamp(&mut self, name: &str, at: Timestamp) {
        self.name(name);
        at.write_json(self.out);
    }

    fn begin(&mut self, name: &str) {
        self.name(name);
        self.open(Level::Structure);
    }

    fn end(&mut self, _: &str) {
        self.close();
    }

    fn begin_list(&mut self, name: &str) {
        self.name(name);
        self.open(Level::List);
    }

    fn begin_entry(&mut self, key: &str) {
        self.key = Some(key.to_owned());
    }

    fn end_entry(&mut self) {}
}
