//! A trail that remembers.

use std::cell::{Cell, RefCell};
use std::future::ready;

use keyreeve_core::bracket::{Trail, TrailError, TrailFuture};
use serde_json::Value;

/// A trail in memory. It can be told to fail.
#[derive(Default)]
pub struct RecordingTrail {
    lines: RefCell<Vec<Vec<u8>>>,
    left: Cell<Option<usize>>,
}

impl RecordingTrail {
    /// Lets `count` appends succeed from now on, and none after them; nothing lifts the limit.
    pub fn fail_after(&self, count: impl Into<Option<usize>>) {
        self.left.set(count.into());
    }

    /// The events so far, parsed.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        let parse = |line: &Vec<u8>| serde_json::from_slice(line).expect("a line of the trail is JSON");
        self.lines.borrow().iter().map(parse).collect()
    }

    /// The events so far, parsed; forgotten with that.
    pub fn drain(&self) -> Vec<Value> {
        let events = self.events();
        self.lines.borrow_mut().clear();
        events
    }

    /// The lines so far, as text.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.borrow().iter().map(|line| String::from_utf8_lossy(line).into_owned() + "\n").collect()
    }
}

impl Trail for RecordingTrail {
    fn append(&self, event: Vec<u8>) -> TrailFuture<'_> {
        let written = match self.left.get() {
            Some(0) => Err(TrailError),
            left => {
                self.left.set(left.map(|left| left - 1));
                self.lines.borrow_mut().push(event);
                Ok(())
            }
        };
        Box::pin(ready(written))
    }
}
