//! What a read may see of a thing that several write at once.
//!
//! A regular register in the sense of Lamport, "On interprocess communication" (1986): a read sees the last write before it, or one
//! that overlaps it. A write whose outcome nobody was told may have happened while it ran.

/// One thing and everything that was written to it, by the steps of the simulation.
pub(crate) struct Register<V> {
    writes: Vec<Write<V>>,
}

struct Write<V> {
    value: V,
    began: u64,
    /// When it had happened, if it ever did.
    ended: Option<u64>,
    /// Whether it has happened.
    is_sure: bool,
    /// Whether it had no effect.
    is_void: bool,
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Outcome {
    Done,
    Refused,
    Unsure,
}

impl<V> Register<V> {
    /// A thing that has been `value` for ever.
    pub(crate) fn new(value: V) -> Self {
        Self { writes: vec![Write { value, began: 0, ended: Some(0), is_sure: true, is_void: false }] }
    }

    /// A write begins. Its number.
    pub(crate) fn begin(&mut self, value: V, now: u64) -> usize {
        self.writes.push(Write { value, began: now, ended: None, is_sure: false, is_void: false });
        self.writes.len() - 1
    }

    /// A write has ended.
    pub(crate) fn settle(&mut self, write: usize, now: u64, outcome: Outcome) {
        let write = &mut self.writes[write];
        write.ended = Some(now);
        write.is_sure = outcome == Outcome::Done;
        write.is_void = outcome == Outcome::Refused;
    }

    /// Whether a read from `began` to `ended` may have seen a value like this. `own` is a write that it is part of.
    pub(crate) fn may_be(
        &self,
        (began, ended): (u64, u64),
        own: Option<usize>,
        like: impl Fn(&V) -> bool,
    ) -> bool {
        let overwritten = |write: &Write<V>| {
            let is_after = |later: &&Write<V>| {
                let is_before_read = later.is_sure && later.ended.is_some_and(|at| at < began);
                is_before_read && write.ended.is_some_and(|at| at < later.began)
            };
            self.writes.iter().find(is_after).is_some()
        };
        let candidates = self
            .writes
            .iter()
            .enumerate()
            .filter(|(at, write)| Some(*at) != own && !write.is_void && write.began < ended);
        candidates.into_iter().any(|(_, write)| like(&write.value) && !overwritten(write))
    }

    /// A read that ended at `now` has seen a value of some write that nobody was told of: it is the newest one.
    pub(crate) fn confirm(&mut self, now: u64, like: impl Fn(&V) -> bool) {
        if let Some(write) = self.writes.iter_mut().rev().find(|write| !write.is_void && like(&write.value)) {
            write.is_sure = true;
            write.ended = Some(write.ended.unwrap_or(now));
        }
    }
}

#[test]
fn a_read_sees_the_last_write_or_one_that_it_meets() {
    let mut one = Register::new('a');
    let see = |one: &Register<char>, began, ended| {
        "abcd"
            .chars()
            .filter(|value| one.may_be((began, ended), None, |seen| seen == value))
            .collect::<String>()
    };
    let b = one.begin('b', 10);
    assert_eq!(see(&one, 5, 8), "a");
    assert_eq!(see(&one, 5, 12), "ab");
    one.settle(b, 20, Outcome::Done);
    assert_eq!((see(&one, 15, 30).as_str(), see(&one, 21, 30).as_str()), ("ab", "b"));
    let c = one.begin('c', 30);
    one.settle(c, 40, Outcome::Unsure);
    assert_eq!(see(&one, 50, 60), "bc");
    let d = one.begin('d', 70);
    one.settle(d, 80, Outcome::Refused);
    assert_eq!(see(&one, 75, 90), "bc");
    let a = one.begin('a', 100);
    one.settle(a, 110, Outcome::Done);
    assert_eq!(see(&one, 120, 130), "a");
}
