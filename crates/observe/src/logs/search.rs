//! One page of a search through the log group.
//!
//! A search may take long, and whoever asks chooses how long: so a page ends when it has cost so much, events are held against a
//! pattern on the threads for long work, in jobs that are bounded, and few searches are in hand at once.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use keyreeve_core::Cx;
use keyreeve_core::offload::OffloadError;

use super::{BATCH, BATCH_BYTES, BYTES_MOST, invalid};
use crate::answer::Asked;
use crate::archive::{AttributeKey, Found, Place, Wanted};
use crate::filter_pattern::{FilterPattern, FilterPatternError};
use crate::log_token::LogToken;
use crate::refusal::Refusal;

/// Events that are looked at for one page; it may then be short, or empty, and says where to go on.
const LOOKED_AT_MOST: usize = 20_000;
/// Steps for one page, at most. A step takes 10 ns where pattern and events are made for it, and some hundredths of that elsewhere.
const STEPS_MOST: usize = 1 << 28;
/// Steps of one job, which then takes milliseconds as others of its lane do. An event that takes more is a job of its own.
const STEPS_OF_JOB: usize = 1 << 20;
/// Searches in hand at once.
const IN_HAND_MOST: usize = 8;

/// The searches in hand in this process.
static IN_HAND: AtomicUsize = AtomicUsize::new(0);

/// One of the searches that are in hand, until it is dropped.
struct InHand;

impl InHand {
    fn begin() -> Result<Self, Refusal> {
        let one_more = |held: usize| held.checked_add(1).filter(|held| *held <= IN_HAND_MOST);
        match IN_HAND.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Self),
            Err(_) => Err(throttled()),
        }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        IN_HAND.fetch_sub(1, Ordering::Relaxed);
    }
}

fn throttled() -> Refusal {
    Refusal::new("ThrottlingException", "Rate exceeded")
}

/// What one page is made of.
pub(super) struct Search<'a> {
    pub(super) pattern: Arc<FilterPattern>,
    /// Events, at most.
    pub(super) limit: usize,
    /// The reading that it is a page of, but for the first.
    pub(super) until: Option<&'a LogToken>,
}

/// The events of a page.
pub(super) struct Page {
    pub(super) events: Vec<Found>,
    /// After which place the next one begins; nothing where there is none.
    pub(super) next: Option<Place>,
}

impl Search<'_> {
    /// The page of what is `wanted`. There is none where too many searches are in hand.
    pub(super) async fn page(&self, cx: &Cx<'_>, asked: &Asked<'_>, wanted: Wanted) -> Result<Page, Refusal> {
        let _in_hand = InHand::begin()?;
        // What the pattern demands of an event is looked up, not looked for.
        let demanded = [("eventName", AttributeKey::EventName), ("eventSource", AttributeKey::EventSource)];
        let attribute = demanded
            .into_iter()
            .find_map(|(member, key)| self.pattern.demands(member).map(|value| (key, value.to_owned())));
        let (mut events, mut bytes, mut looked_at, mut steps) = (Vec::new(), 0_usize, 0_usize, 0_usize);
        let mut wanted = Wanted { attribute, limit: BATCH, bytes: BATCH_BYTES, ..wanted };
        loop {
            let mut batch = asked.archive.lookup(wanted.clone()).await?;
            let is_full = batch.len() >= BATCH || bytes_of(&batch) >= BATCH_BYTES;
            looked_at = looked_at.saturating_add(batch.len());
            let end = |token: &LogToken| batch.iter().position(|found| !token.reaches(&found.place));
            let end = self.until.and_then(end);
            batch.truncate(end.unwrap_or(batch.len()));
            let mut rest = batch.into_iter().peekable();
            while rest.peek().is_some() {
                for (found, is_met) in self.judged(cx, self.job(&mut rest)).await? {
                    let (place, size) = (found.place.clone(), found.json.len());
                    if is_met {
                        bytes = bytes.saturating_add(size);
                        if !events.is_empty() && (events.len() == self.limit || bytes > BYTES_MOST) {
                            return Ok(Page { events, next: wanted.after });
                        }
                        events.push(found);
                    }
                    wanted.after = Some(place);
                    steps = steps.saturating_add(self.cost(size));
                    if steps >= STEPS_MOST {
                        return Ok(Page { events, next: wanted.after });
                    }
                }
            }
            if !is_full || end.is_some() {
                return Ok(Page { events, next: None });
            }
            if looked_at >= LOOKED_AT_MOST {
                return Ok(Page { events, next: wanted.after });
            }
        }
    }

    /// The steps that an event of so many bytes takes, at most.
    fn cost(&self, bytes: usize) -> usize {
        bytes.saturating_mul(usize::try_from(self.pattern.weight()).unwrap_or(usize::MAX))
    }

    /// The next events that are held against the pattern in one go: one at least.
    fn job(&self, rest: &mut core::iter::Peekable<impl Iterator<Item = Found>>) -> Vec<Found> {
        let (mut job, mut steps) = (Vec::new(), 0_usize);
        while let Some(found) = rest.next_if(|found| {
            steps = steps.saturating_add(self.cost(found.json.len()));
            job.is_empty() || steps <= STEPS_OF_JOB
        }) {
            job.push(found);
        }
        job
    }

    /// Which of these events the pattern is for.
    async fn judged(&self, cx: &Cx<'_>, job: Vec<Found>) -> Result<Vec<(Found, bool)>, Refusal> {
        if *self.pattern == FilterPattern::All {
            return Ok(job.into_iter().map(|found| (found, true)).collect());
        }
        let pattern = Arc::clone(&self.pattern);
        let judge = move || -> Result<Vec<(Found, bool)>, FilterPatternError> {
            pattern.compile()?;
            let judge = |found: Found| {
                let is_met = pattern.meets(&found.json);
                (found, is_met)
            };
            Ok(job.into_iter().map(judge).collect())
        };
        match cx.service.work(judge).await {
            Ok(judged) => judged.map_err(|error| invalid(error.to_string())),
            // AWS: unverified for what waited too long.
            Err(OffloadError::Full(_) | OffloadError::Slow) => Err(throttled()),
            Err(OffloadError::Lost) => Err(Refusal::internal()),
        }
    }
}

fn bytes_of(batch: &[Found]) -> usize {
    batch.iter().fold(0, |bytes: usize, found| bytes.saturating_add(found.json.len()))
}
