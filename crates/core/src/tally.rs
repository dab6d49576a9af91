//! Requests, counted by minute: what metrics are made of.
//!
//! A request is counted once, under one lock that is held for a look into a map: no allocation for a key that was seen lately,
//! no I/O. Whoever keeps metrics takes out what was counted since the last time. What was counted and not taken out is lost with
//! the process; the trail has it.

use core::hash::{BuildHasherDefault, Hash, Hasher};
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::HashMap;

use keyreeve_domain::{AccountId, KeyArn, KeyId, Region, Timestamp};
use keyreeve_wire::Operation;
use parking_lot::Mutex;

const MINUTE: i64 = 60_000;
const SHARDS: usize = 64;
/// Minutes after which a subject that nobody asked for is forgotten.
const IDLE: i64 = 10;

/// What came of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was refused, for another reason than a quota.
    Failed,
    /// It was answered.
    Succeeded,
    /// It was one too many.
    Throttled,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// The account that called.
    pub account: AccountId,
    /// The Region that was called.
    pub region: Region,
    /// The operation.
    pub operation: Operation,
    /// The keys that it is counted for.
    pub keys: [Option<KeyArn>; 2],
    /// What came of it.
    pub outcome: Outcome,
    /// When it arrived.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
}

/// An account in a Region.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
}

/// Whom a count is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Subject {
    /// Who called, where the count is one of the caller's requests; none where another count of the same request is.
    pub caller: Option<Place>,
    /// Where the key is, if there is one.
    pub owner: Option<Place>,
    /// The key; none also where there were too many to tell apart.
    pub key: Option<KeyId>,
}

/// How often what came of it, and how long it took.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Requests that were answered.
    pub succeeded: u64,
    /// Requests that were refused, for another reason than a quota.
    pub failed: u64,
    /// Requests that were one too many.
    pub throttled: u64,
    /// Microseconds of all of them.
    pub micros: u64,
    /// Microseconds of the shortest.
    pub least_micros: u64,
    /// Microseconds of the longest.
    pub most_micros: u64,
}

impl Counts {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.succeeded.saturating_add(self.failed).saturating_add(self.throttled)
    }

    fn add(&mut self, outcome: Outcome, micros: u64) {
        self.least_micros = if self.all() == 0 { micros } else { self.least_micros.min(micros) };
        self.most_micros = self.most_micros.max(micros);
        self.micros = self.micros.saturating_add(micros);
        let count = match outcome {
            Outcome::Failed => &mut self.failed,
            Outcome::Succeeded => &mut self.succeeded,
            Outcome::Throttled => &mut self.throttled,
        };
        *count = count.saturating_add(1);
    }
}

/// What was counted in one minute.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Row {
    /// Minutes since 1970.
    pub minute: i64,
    /// For whom.
    pub subject: Subject,
    /// Of which operation.
    pub operation: Operation,
    /// How often.
    pub counts: Counts,
}

/// The counts since they were last taken out.
pub struct Tally {
    shards: [Mutex<Shard>; SHARDS],
    /// Subjects of a shard that are told apart.
    most: usize,
    folded: AtomicU64,
}

#[derive(Default)]
struct Shard {
    entries: HashMap<Subject, Entry, BuildHasherDefault<Mix>>,
    /// The subjects that have counts.
    touched: Vec<Subject>,
    /// Counts of minutes that were over before they were taken out.
    earlier: Vec<Row>,
}

struct Entry {
    /// The minute that is counted, or was counted last.
    minute: i64,
    is_touched: bool,
    operations: Vec<(Operation, Counts)>,
}

impl Entry {
    /// Takes the counts out and leaves the room for the next ones.
    fn take(&mut self, subject: &Subject, out: &mut Vec<Row>) {
        for (operation, counts) in &mut self.operations {
            if counts.all() > 0 {
                let counts = core::mem::take(counts);
                out.push(Row { minute: self.minute, subject: *subject, operation: *operation, counts });
            }
        }
    }
}

impl Tally {
    /// Counts that tell about `keys` keys apart; nothing is counted where that is 0.
    #[must_use]
    pub fn new(keys: usize) -> Self {
        let shards = core::array::from_fn(|_| Mutex::default());
        Self { shards, most: keys.div_ceil(SHARDS), folded: AtomicU64::new(0) }
    }

    /// Counts a request.
    pub fn count(&self, counted: &Counted) {
        if self.most == 0 {
            return;
        }
        let minute = counted.at.millis().div_euclid(MINUTE);
        let micros = u64::try_from(counted.took.as_micros()).unwrap_or(u64::MAX);
        let mut caller = Some(Place { account: counted.account, region: counted.region });
        let mut keys = counted.keys.iter().flatten().peekable();
        let keyless = keys.peek().is_none().then_some(Subject { caller, owner: None, key: None });
        let of_key = |arn: &KeyArn| {
            let owner = Place { account: arn.account, region: arn.region };
            Subject { caller: caller.take(), owner: Some(owner), key: Some(arn.key) }
        };
        for subject in keyless.into_iter().chain(keys.map(of_key)) {
            self.shard(&subject).lock().add(
                subject,
                self.most,
                minute,
                |entry| {
                    entry.add(counted.operation, counted.outcome, micros);
                },
                &self.folded,
            );
        }
    }

    /// What was counted since this was last called. A minute that still runs comes in parts.
    #[must_use]
    pub fn take(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for shard in &self.shards {
            let Shard { entries, touched, earlier } = &mut *shard.lock();
            rows.append(earlier);
            for subject in touched.drain(..) {
                if let Some(entry) = entries.get_mut(&subject) {
                    entry.is_touched = false;
                    entry.take(&subject, &mut rows);
                }
            }
        }
        rows
    }

    /// Forgets whom nobody has asked for lately, so that there is room for others.
    pub fn forget_idle(&self, now: Timestamp) {
        let before = now.millis().div_euclid(MINUTE).saturating_sub(IDLE);
        for shard in &self.shards {
            shard.lock().entries.retain(|_, entry| entry.is_touched || entry.minute >= before);
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.shards.iter().for_each(|shard| *shard.lock() = Shard::default());
    }

    /// How many counts went to an account alone, because there were too many keys to tell apart.
    #[must_use]
    pub fn folded(&self) -> u64 {
        self.folded.load(Ordering::Relaxed)
    }

    fn shard(&self, subject: &Subject) -> &Mutex<Shard> {
        let bits = usize::try_from(subject.bits() >> 32).unwrap_or_default();
        let [first, rest @ ..] = &self.shards;
        (bits % SHARDS).checked_sub(1).and_then(|at| rest.get(at)).unwrap_or(first)
    }
}

impl Shard {
    fn add(
        &mut self,
        mut subject: Subject,
        most: usize,
        minute: i64,
        count: impl FnOnce(&mut Entry),
        folded: &AtomicU64,
    ) {
        if self.entries.len() >= most && subject.key.is_some() && !self.entries.contains_key(&subject) {
            subject.key = None;
            folded.fetch_add(1, Ordering::Relaxed);
        }
        let entry = self.entries.entry(subject).or_insert_with(|| Entry {
            minute,
            is_touched: false,
            operations: Vec::new(),
        });
        if entry.minute != minute {
            entry.take(&subject, &mut self.earlier);
            entry.minute = minute;
        }
        if !entry.is_touched {
            entry.is_touched = true;
            self.touched.push(subject);
        }
        count(entry);
    }
}

impl Entry {
    fn add(&mut self, operation: Operation, outcome: Outcome, micros: u64) {
        match self.operations.iter_mut().find(|(known, _)| *known == operation) {
            Some((_, counts)) => counts.add(outcome, micros),
            None => {
                let mut counts = Counts::default();
                counts.add(outcome, micros);
                self.operations.push((operation, counts));
            }
        }
    }
}

impl Subject {
    /// The bits of a key id are random, and nobody chooses them.
    fn bits(&self) -> u64 {
        match &self.key {
            Some(key) => {
                let (bits, _) = key.bits().split_first_chunk().unwrap_or((&[0; 8], &[]));
                u64::from_le_bytes(*bits)
            }
            None => {
                let place = self.caller.or(self.owner);
                let digits = place.map(|place| place.account.digits()).unwrap_or_default();
                let digits = digits
                    .iter()
                    .fold(0u64, |all, digit| all.wrapping_mul(10).wrapping_add(u64::from(*digit)));
                digits.wrapping_mul(SPREAD)
            }
        }
    }
}

impl Hash for Subject {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.bits());
    }
}

/// Hashes what is random already: key ids, and the few accounts there are.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, bits: u64) {
        self.0 = (self.0.rotate_left(5) ^ bits).wrapping_mul(SPREAD);
    }
}

/// An odd number without a pattern: 2^64 over the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arn(number: u8) -> KeyArn {
        KeyArn { region: region(), account: account(), key: KeyId::from_bits(false, [number; 16]) }
    }

    fn account() -> AccountId {
        "111122223333".parse().unwrap()
    }

    fn region() -> Region {
        "us-east-1".parse().unwrap()
    }

    fn counted(operation: Operation, keys: [Option<KeyArn>; 2], outcome: Outcome, millis: i64) -> Counted {
        let at = Timestamp::from_millis(millis);
        Counted {
            account: account(),
            region: region(),
            operation,
            keys,
            outcome,
            at,
            took: Duration::from_micros(7),
        }
    }

    #[test]
    fn a_request_is_one_of_its_caller_once_and_of_each_of_its_keys() {
        let tally = Tally::new(1000);
        tally.count(&counted(Operation::ReEncrypt, [Some(arn(1)), Some(arn(2))], Outcome::Succeeded, 60_000));
        tally.count(&counted(Operation::ListKeys, [None, None], Outcome::Failed, 60_001));
        let rows = tally.take();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows.iter().filter(|row| row.subject.caller.is_some()).count(), 2);
        assert_eq!(rows.iter().filter(|row| row.subject.key.is_some()).count(), 2);
        assert!(rows.iter().all(|row| row.minute == 1 && row.counts.all() == 1 && row.counts.micros == 7));
        assert_eq!(tally.take(), []);
    }

    #[test]
    fn keys_beyond_what_is_told_apart_are_counted_for_their_account() {
        let tally = Tally::new(1);
        for number in 0..=255 {
            tally.count(&counted(Operation::Encrypt, [Some(arn(number)), None], Outcome::Succeeded, 0));
        }
        let rows = tally.take();
        let all: u64 = rows.iter().map(|row| row.counts.succeeded).sum();
        let folded: u64 =
            rows.iter().filter(|row| row.subject.key.is_none()).map(|row| row.counts.succeeded).sum();
        assert_eq!((all, folded), (256, tally.folded()));
        assert!(folded >= 256 - 64, "{folded}");
        assert!(rows.iter().all(|row| row.subject.owner.is_some()));
    }

    #[test]
    fn whoever_is_idle_makes_room() {
        let tally = Tally::new(1);
        tally.count(&counted(Operation::Encrypt, [Some(arn(1)), None], Outcome::Succeeded, 0));
        tally.forget_idle(Timestamp::from_millis(IDLE * 10 * MINUTE));
        assert_eq!(tally.take().len(), 1, "what was not taken out is not idle");
        tally.forget_idle(Timestamp::from_millis((IDLE + 1) * MINUTE));
        assert!(tally.shards.iter().all(|shard| shard.lock().entries.is_empty()));
    }

    #[test]
    fn nothing_is_counted_where_no_key_is_told_apart() {
        let tally = Tally::new(0);
        tally.count(&counted(Operation::Encrypt, [Some(arn(1)), None], Outcome::Succeeded, 0));
        assert_eq!(tally.take(), []);
    }

    proptest! {
        #[test]
        fn what_is_counted_is_taken_out_once_in_its_minute(
            requests in proptest::collection::vec((0u8..4, 0i64..4, 0usize..3, any::<bool>()), 0..200),
        ) {
            let tally = Tally::new(100_000);
            let mut expected = HashMap::<(u8, i64, usize), u64>::new();
            let mut found = HashMap::new();
            let mut collect = |rows: Vec<Row>| {
                for row in rows {
                    let number = row.subject.key.unwrap().bits()[0];
                    for (at, count) in [row.counts.failed, row.counts.succeeded, row.counts.throttled].into_iter().enumerate() {
                        if count > 0 {
                            *found.entry((number, row.minute, at)).or_default() += count;
                        }
                    }
                }
            };
            for (number, minute, at, is_taken) in requests {
                let outcome = [Outcome::Failed, Outcome::Succeeded, Outcome::Throttled][at];
                tally.count(&counted(Operation::Sign, [Some(arn(number)), None], outcome, minute * MINUTE + 59_999));
                *expected.entry((number, minute, at)).or_default() += 1;
                if is_taken {
                    collect(tally.take());
                }
            }
            collect(tally.take());
            prop_assert_eq!(found, expected);
        }
    }
}
