//! Alarms, while the service runs: they are evaluated every minute, and what they are to do is done.
//!
//! An action stays in the store until it is completed: what a killed process did not get to is done by the next one, and may then
//! be done twice.

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use keyreeve_core::Service;
use keyreeve_core::vault::VaultError;
use keyreeve_domain::Timestamp;
use keyreeve_observe::cloudwatch::rounds::{self, Waiting};
use keyreeve_observe::metric::MetricSource;
use tokio::sync::{Notify, RwLock, Semaphore};

use crate::clock;
use crate::webhooks::Webhooks;

/// What alarms are evaluated with.
#[derive(Clone)]
pub(crate) struct Alarms {
    service: Arc<Service>,
    metrics: Arc<dyn MetricSource>,
    /// Told when actions are to be run now.
    set: Arc<Notify>,
    counts: Arc<AlarmCounts>,
    /// The minute, counted from 1970, that the periods of the last evaluation ended before.
    evaluated: Arc<AtomicI64>,
}

/// What operators see of it.
#[derive(Debug, Default)]
pub(crate) struct AlarmCounts {
    /// When all alarms were last evaluated, in seconds since 1970.
    evaluated: AtomicI64,
    /// Actions that could not be run.
    failed: AtomicU64,
    /// Actions that were run.
    told: AtomicU64,
}

impl AlarmCounts {
    /// When all alarms were last evaluated, in seconds since 1970; nothing before the first time.
    pub(crate) fn evaluated(&self) -> Option<i64> {
        Some(self.evaluated.load(Ordering::Relaxed)).filter(|evaluated| *evaluated != 0)
    }

    /// Actions that were run, and those that could not be.
    pub(crate) fn told_and_failed(&self) -> (u64, u64) {
        (self.told.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}

impl Alarms {
    /// The alarms of `service`, over `metrics`.
    pub(crate) fn new(service: &Arc<Service>, metrics: Arc<dyn MetricSource>) -> Self {
        let evaluated = Arc::new(AtomicI64::new(i64::MIN));
        Self {
            service: Arc::clone(service),
            metrics,
            set: Arc::new(Notify::new()),
            counts: Arc::default(),
            evaluated,
        }
    }

    /// What is told when actions are to be run now.
    pub(crate) fn set(&self) -> Arc<Notify> {
        Arc::clone(&self.set)
    }

    /// What operators see of it.
    pub(crate) fn counts(&self) -> Arc<AlarmCounts> {
        Arc::clone(&self.counts)
    }

    /// The metrics.
    pub(crate) fn metrics(&self) -> Arc<dyn MetricSource> {
        Arc::clone(&self.metrics)
    }

    /// Evaluates all alarms at `now`, over whole minutes before it; for a test that has moved the clock. How many changed.
    pub(crate) async fn evaluate_at(&self, now: Timestamp) -> Result<usize, VaultError> {
        self.evaluated.store(minute_of(now), Ordering::Relaxed);
        let round = rounds::evaluate(&self.service, &*self.metrics, now, now).await?;
        if !round.waiting.is_empty() {
            self.set.notify_one();
        }
        Ok(round.changed)
    }

    /// Whether there is any alarm.
    pub(crate) async fn are_any(&self) -> Result<bool, VaultError> {
        rounds::are_any(&self.service).await
    }

    /// Evaluates alarms once a minute and runs their actions; not while the state as a whole changes, which holds `running` for
    /// writing. Never returns.
    pub(crate) async fn run(self, webhooks: Webhooks, running: Arc<RwLock<()>>) {
        let actions = Rc::new(Actions {
            service: Arc::clone(&self.service),
            webhooks,
            in_hand: RefCell::default(),
            at_once: Semaphore::new(AT_ONCE),
            set: Arc::clone(&self.set),
            running: Arc::clone(&running),
            counts: Arc::clone(&self.counts),
        });
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut forgotten = None;
        loop {
            let is_set = tokio::select! {
                _ = ticks.tick() => false,
                () = self.set.notified() => true,
            };
            // ORDER: a clock that is being moved is read when it stands.
            let _running = running.read().await;
            let now = clock::now();
            // The last requests of a minute are counted shortly after it.
            let until = now.plus_millis(-SETTLING);
            let minute = minute_of(until);
            let found = if is_due(self.evaluated.load(Ordering::Relaxed), minute, minute_of(now)) {
                self.evaluated.store(minute, Ordering::Relaxed);
                let round = rounds::evaluate(&self.service, &*self.metrics, now, until).await;
                if round.as_ref().is_ok_and(|round| round.failed == 0) {
                    self.counts.evaluated.store(now.millis().div_euclid(1000), Ordering::Relaxed);
                }
                round.map(|round| round.waiting)
            } else if is_set {
                rounds::all_waiting(&self.service).await
            } else {
                continue;
            };
            match found {
                Ok(waiting) => actions.begin(waiting),
                Err(error) => {
                    tracing::error!(%error, "the alarms could not be evaluated; trying again later")
                }
            }
            let hour = minute.div_euclid(60);
            if forgotten != Some(hour) {
                forgotten = Some(hour);
                if let Err(error) = rounds::forget(&self.service, now).await {
                    tracing::warn!(%error, "old entries of histories could not be removed; trying again later");
                }
            }
        }
    }
}

/// The minute, counted from 1970.
fn minute_of(time: Timestamp) -> i64 {
    time.millis().div_euclid(60_000)
}

/// Whether periods that end before `minute` are to be evaluated `now`, where those that end before `evaluated` were the last. A
/// later evaluation, which did not wait for the counts to settle, is not replaced by an earlier one; one that lies ahead is of a
/// clock that was set back since.
fn is_due(evaluated: i64, minute: i64, now: i64) -> bool {
    !(minute..=now).contains(&evaluated)
}

/// The actions that are being run.
struct Actions {
    service: Arc<Service>,
    webhooks: Webhooks,
    in_hand: RefCell<HashSet<String>>,
    at_once: Semaphore,
    set: Arc<Notify>,
    running: Arc<RwLock<()>>,
    counts: Arc<AlarmCounts>,
}

impl Actions {
    /// Begins with those that are not in hand yet, as many as there is room for. What there is no room for stays in the store.
    fn begin(self: &Rc<Self>, waiting: Vec<Waiting>) {
        for one in waiting {
            let id = format!(
                "{}/{}/{}/{}/{}",
                one.account,
                one.region,
                one.action.at.millis(),
                one.action.arn,
                one.alarm
            );
            let mut in_hand = self.in_hand.borrow_mut();
            if in_hand.len() >= IN_HAND_MOST || !in_hand.insert(id.clone()) {
                continue;
            }
            let this = Rc::clone(self);
            tokio::task::spawn_local(async move {
                this.run(&one).await;
                let was_full = {
                    let mut in_hand = this.in_hand.borrow_mut();
                    in_hand.remove(&id);
                    in_hand.len().saturating_add(1) >= IN_HAND_MOST
                };
                if was_full {
                    this.set.notify_one();
                }
            });
        }
    }

    async fn run(&self, waiting: &Waiting) {
        let outcome = {
            // It is never closed.
            let _turn = self.at_once.acquire().await;
            self.webhooks.tell(&waiting.action).await
        };
        let outcome = outcome.map_err(|error| error.to_string());
        let count = if outcome.is_ok() { &self.counts.told } else { &self.counts.failed };
        count.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = &outcome {
            let (alarm, arn) = (&waiting.alarm, &waiting.action.arn);
            tracing::warn!(alarm, arn, error, "the action of an alarm could not be run");
        }
        let told = outcome.as_ref().copied().map_err(String::as_str);
        let _running = self.running.read().await;
        if let Err(error) = rounds::complete(&self.service, waiting, told, clock::now()).await {
            tracing::error!(%error, alarm = waiting.alarm, "the action of an alarm could not be completed; it is run again");
        }
    }
}

/// From one look at the clock to the next.
const LOOK: Duration = Duration::from_secs(1);
/// How long after a minute its counts are read, in milliseconds.
const SETTLING: i64 = 2000;
/// Actions that are run at once.
const AT_ONCE: usize = 8;
/// Actions that are being run or wait for their turn in memory, at most.
const IN_HAND_MOST: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_evaluated_once_and_none_before_it_afterwards() {
        for (evaluated, minute, now, due) in [
            (i64::MIN, 100, 100, true),
            (99, 100, 100, true),
            (100, 100, 100, false),
            // Minute 101 has begun, and the counts of minute 100 have not settled.
            (99, 100, 101, true),
            (100, 100, 101, false),
            (101, 100, 101, false),
            // The clock was set back.
            (500, 100, 101, true),
        ] {
            assert_eq!(is_due(evaluated, minute, now), due, "{evaluated} {minute} {now}");
        }
    }
}
