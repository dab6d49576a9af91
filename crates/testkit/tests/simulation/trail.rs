//! A trail that takes its time, and fails while it is told to.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::Poll;

use keyreeve_core::bracket::{Trail, TrailError, TrailFuture};
use serde_json::Value;

use crate::chance::Chance;

pub(crate) struct SlowTrail<'w> {
    chance: &'w Chance,
    lines: RefCell<Vec<Vec<u8>>>,
    /// So many appends fail from now on.
    pub(crate) failures: Cell<u64>,
}

impl<'w> SlowTrail<'w> {
    pub(crate) fn new(chance: &'w Chance) -> Self {
        Self { chance, lines: RefCell::default(), failures: Cell::default() }
    }

    /// The events of a request, parsed.
    pub(crate) fn of(&self, request_id: &str) -> Vec<Value> {
        let lines = self.lines.borrow();
        let has_id =
            |line: &&Vec<u8>| line.windows(request_id.len()).any(|part| part == request_id.as_bytes());
        lines.iter().filter(has_id).map(|line| serde_json::from_slice(line).unwrap()).collect()
    }
}

impl Trail for SlowTrail<'_> {
    /// A line may have its place before whoever wrote it is told, or only then; so it may be there though nobody heard of it.
    fn append(&self, event: Vec<u8>) -> TrailFuture<'_> {
        let mut event = Some(event);
        let mut write = move || {
            let Some(event) = event.take() else { return Ok(()) };
            if let Some(left) = self.failures.get().checked_sub(1) {
                self.failures.set(left);
                return Err(TrailError);
            }
            self.lines.borrow_mut().push(event);
            Ok(())
        };
        let at_once = self.chance.one_in(2).then(&mut write);
        let mut steps = 1 + self.chance.below(2);
        Box::pin(poll_fn(move |_| {
            if let Some(Err(error)) = at_once {
                return Poll::Ready(Err(error));
            }
            match steps.checked_sub(1) {
                Some(left) => {
                    steps = left;
                    Poll::Pending
                }
                None => Poll::Ready(write()),
            }
        }))
    }
}
