//! Two futures in a chosen order.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Drives two futures to their ends. Each bit of `schedule` is one step, the lowest first: set for the second future,
/// clear for the first; after the last bit, and where one has ended, the other proceeds. One that waits for the other lets it go on.
pub fn interleave<A: Future, B: Future>(one: A, other: B, schedule: u32) -> (A::Output, B::Output) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    let mut cx = Context::from_waker(Waker::noop());
    let (mut left, mut steps) = (schedule, 0);
    while first.is_none() || second.is_none() {
        steps += 1;
        let is_stuck = steps > STEPS && steps % 2 == 0;
        if first.is_some() || (second.is_none() && (left & 1 == 1 || is_stuck)) {
            second = output(other.as_mut().poll(&mut cx));
        } else {
            first = output(one.as_mut().poll(&mut cx));
        }
        left >>= 1;
    }
    first.zip(second).expect("both have ended")
}

fn output<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// More steps than anything has here: whoever needs more waits for the other one.
const STEPS: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    async fn steps(name: char, log: &RefCell<String>) -> char {
        for _ in 0..2 {
            let mut waited = false;
            std::future::poll_fn(|_| {
                if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            log.borrow_mut().push(name);
        }
        name
    }

    #[test]
    fn the_schedule_decides_who_proceeds() {
        for (schedule, expected) in [(0, "aabb"), (0b111, "bbaa"), (0b1010, "abab"), (0b0011, "baab")] {
            let log = RefCell::default();
            assert_eq!(interleave(steps('a', &log), steps('b', &log), schedule), ('a', 'b'), "{schedule:b}");
            assert_eq!(log.take(), expected, "{schedule:b}");
        }
    }
}
