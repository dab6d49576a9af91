//! `responseElements`: what a trail may say of an answer.
//!
//! Names start with a lower-case letter, times are written as in the answer, to the second, and nothing secret is written.
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html>.

use keyreeve_domain::Timestamp;

use crate::encode::{ToJson, text};
use crate::query::QueryOutput;
use crate::query::sink::Sink;
use crate::query::xml::{ISO_8601, formatted};
use crate::value::SensitiveText;

/// Appends the members of an answer as a JSON object.
pub fn write_elements<O: QueryOutput>(output: &O, out: &mut Vec<u8>) {
    let mut elements = Elements { out, open: Vec::new() };
    elements.open(Level::Structure);
    output.write_members(&mut elements);
    elements.close();
}

#[derive(Clone, Copy)]
enum Level {
    List,
    Structure,
}

struct Elements<'o> {
    out: &'o mut Vec<u8>,
    /// What is open, and whether it is still empty.
    open: Vec<(Level, bool)>,
}

impl Elements<'_> {
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
        let Some((level, empty)) = self.open.last_mut() else { return };
        if !std::mem::replace(empty, false) {
            self.out.push(b',');
        }
        if matches!(level, Level::Structure) {
            let mut letters = name.chars();
            let first = letters.next().map(|letter| letter.to_ascii_lowercase());
            text(self.out, &first.into_iter().chain(letters).collect::<String>());
            self.out.push(b':');
        }
    }
}

impl Sink for Elements<'_> {
    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        text(self.out, value);
    }

    fn secret(&mut self, _: &str, _: &SensitiveText) {}

    fn boolean(&mut self, name: &str, value: bool) {
        self.name(name);
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    fn integer(&mut self, name: &str, number: u32) {
        self.name(name);
        self.out.extend_from_slice(number.to_string().as_bytes());
    }

    fn double(&mut self, name: &str, number: f64) {
        self.name(name);
        number.write_json(self.out);
    }

    fn timestamp(&mut self, name: &str, at: Timestamp) {
        self.text(name, &formatted(at, ISO_8601));
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
        self.begin(key);
    }

    fn end_entry(&mut self) {
        self.close();
    }
}
