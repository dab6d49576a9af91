//! The test mode: seeds, a clock that moves, a reset, and access keys that stand for accounts.
//!
//! INVARIANT: nothing here is reached unless the service was started with `--dev`. Whatever changes the state as a whole holds
//! the lock for writing; operations and jobs hold it for reading.

use std::sync::{Arc, OnceLock};

use keyreeve_core::Service;
use keyreeve_core::bracket::{Source, Trail, TrailError};
use keyreeve_core::due::DueError;
use keyreeve_core::expirations::Expirations;
use keyreeve_core::service_event::ServiceEvent;
use keyreeve_core::space;
use keyreeve_core::vault::VaultError;
use keyreeve_crypto::LockedMemoryError;
use keyreeve_crypto::key::MaterialIdSecret;
use keyreeve_domain::{AccountId, Region, Timestamp};
use keyreeve_http::{TestMode, TestModeAnswer, TestModeFuture, TestModeRequest};
use keyreeve_metric_series::Series;
use keyreeve_store::{Batch, CommitError};
use keyreeve_trail_delivery::Index;
use tokio::sync::RwLock;

use crate::alarms::Alarms;
use crate::clock;
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::delivery::{Passage, Passing};
use crate::exit::Failure;
use crate::identities::Identities;
use crate::start;

mod control;
mod local_kms;
mod material;
mod seed;
mod shape;

use seed::Seed;

/// The secret of every access key that stands for an account.
pub(crate) const SECRET: &str = "test";
/// The access key of the root user of [`TEST_ACCOUNT`]; that of another account is its id.
pub(crate) const TEST_ID: &str = "test";
/// The account of `test`.
const TEST_ACCOUNT: &str = "000000000000";

/// See [`material_ids`]. Never another one: ciphertexts are kept beside tests.
const MATERIAL_IDS: &[u8; 32] = b"keyreeve: material ids for tests";

/// Times at which something is due that a move of the clock stops at, at most.
const STOPS: usize = 10_000;
/// Minutes at which a move of the clock evaluates the alarms, at most: a day.
const MINUTES: i64 = 1440;
/// Milliseconds of a minute.
const MINUTE: i64 = 60_000;
/// Records that are removed at once.
const REMOVED: core::num::NonZeroUsize = core::num::NonZeroUsize::new(100).unwrap();
/// What is no state of the service but a part of its set-up, the keyring among it.
const KEPT: &[u8] = b"meta/";
/// Entries of the index of what is due that are read at once.
const DUE: core::num::NonZeroUsize = core::num::NonZeroUsize::new(100).unwrap();

/// What was asked for with `--dev`.
#[derive(Clone, Debug, Default)]
pub(crate) struct DevOptions {
    /// Whether the test mode is on.
    pub(crate) is_on: bool,
    /// Whether everything is kept in memory.
    pub(crate) in_memory: bool,
    /// The seed files.
    pub(crate) seeds: Vec<std::path::PathBuf>,
}

/// The test mode of a running service.
pub(crate) struct Dev {
    service: Arc<Service>,
    running: Arc<RwLock<()>>,
    alarms: Alarms,
    config: Config,
    region: Region,
    dir: Option<DataDir>,
    identities: Option<Arc<Identities>>,
    series: Option<Arc<Series>>,
    seed: Seed,
    audit: OnceLock<Audit>,
}

/// What follows the clock and the reset of the trail.
#[derive(Default)]
struct Audit {
    /// The delivery, where there is one.
    passage: Option<Passage>,
    /// Where events in memory are found.
    remembered: Option<Arc<Index>>,
}

/// The state could not be made anew.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResetError {
    #[error(transparent)]
    Due(#[from] DueError),
    #[error("{0}")]
    Start(#[from] Failure),
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// The account whose root user signs with this access key.
pub(crate) fn account_of(access_key_id: &str) -> Option<AccountId> {
    match access_key_id {
        TEST_ID => TEST_ACCOUNT.parse().ok(),
        digits => digits.parse().ok(),
    }
}

/// The secret of material ids of every keyring of the test mode. It is known, so that an id is a function of key id and material
/// alone, and a ciphertext opens wherever the key has been seeded with the same material.
pub(crate) fn material_ids() -> Result<MaterialIdSecret, LockedMemoryError> {
    MaterialIdSecret::init_with(|secret| {
        secret.copy_from_slice(MATERIAL_IDS);
        Ok(())
    })
}

impl Dev {
    /// The test mode of `service`; reads the seed files.
    pub(crate) fn new(
        config: &Config,
        dir: Option<&DataDir>,
        service: &Arc<Service>,
        (identities, series): (Option<&Arc<Identities>>, Option<Arc<Series>>),
        running: &Arc<RwLock<()>>,
        alarms: &Alarms,
    ) -> Result<Self, Failure> {
        let region = start::home_region(config)?;
        Ok(Self {
            service: Arc::clone(service),
            running: Arc::clone(running),
            alarms: alarms.clone(),
            config: config.clone(),
            region,
            dir: dir.cloned(),
            identities: identities.cloned(),
            series,
            seed: Seed::read(&config.dev.seeds, config.account()?, region)?,
            audit: OnceLock::new(),
        })
    }

    /// Lets the delivery of the trail, and what is remembered of it, follow from now on; the first call alone counts.
    pub(crate) fn tell(&self, passage: Option<Passage>, remembered: Option<Arc<Index>>) {
        self.audit.get_or_init(|| Audit { passage, remembered });
    }

    /// Has the delivery follow a move of the clock until that is over.
    async fn passing(&self) -> Option<Passing> {
        Some(self.audit.get()?.passage.as_ref()?.begin().await)
    }

    /// Reads the seed files, and makes nothing.
    pub(crate) fn examine(config: &Config) -> Result<(), Failure> {
        Seed::read(&config.dev.seeds, config.account()?, start::home_region(config)?).map(drop)
    }

    /// Makes what the seed and the identity file say, as far as it is not there.
    pub(crate) async fn populate(&self, trail: &dyn Trail) -> Result<(), Failure> {
        let now = clock::now();
        let own = self.config.account()?;
        self.service.add_root_credential(own, "", (&own.to_string(), SECRET), now).await?;
        self.admit_account(TEST_ID).await?;
        for account in &self.seed.accounts {
            let id = account.id.to_string();
            self.service.add_root_credential(account.id, &account.name, (&id, SECRET), now).await?;
        }
        if let Some(identities) = &self.identities {
            identities.follow(trail).await?;
        }
        self.seed.plant(&self.service, trail, now).await
    }

    async fn admit_account(&self, access_key_id: &str) -> Result<bool, VaultError> {
        let Some(account) = account_of(access_key_id) else { return Ok(false) };
        self.service.add_root_credential(account, "", (access_key_id, SECRET), clock::now()).await?;
        Ok(true)
    }

    /// Moves the clock to `ahead` milliseconds before the system's, and does what comes due on the way, each at its time; how
    /// much that was.
    async fn move_clock(&self, ahead: i64, trail: &dyn Trail) -> Result<usize, DueError> {
        let _alone = self.running.write().await;
        self.announce(trail, "SetClock").await?;
        let target = clock::system().plus_millis(ahead);
        let mut done = 0;
        let mut at = clock::now();
        let mut passing = self.passing().await;
        let mut minutes = if self.alarms.are_any().await? { MINUTES } else { 0 };
        for _ in 0..STOPS {
            let Some(due) = self.next_due(at).await?.filter(|due| *due <= target) else { break };
            if let Some(passing) = &mut passing {
                passing.pass(at, due).await;
            }
            self.evaluate_alarms((at, due), &mut minutes).await?;
            clock::set_ahead(due.millis_since(clock::system()));
            self.note_expirations(due).await?;
            done += self.service.run_due(trail, due).await?;
            at = due;
        }
        if let Some(passing) = &mut passing {
            passing.pass(at, target).await;
        }
        self.evaluate_alarms((at, target), &mut minutes).await?;
        clock::set_ahead(ahead);
        done += self.service.run_due(trail, clock::now()).await?;
        if let Some(passing) = passing {
            passing.end(clock::now()).await;
        }
        Ok(done)
    }

    /// Evaluates the alarms at each minute on the way from one time to another, as long as there are `left`; then at the last.
    async fn evaluate_alarms(
        &self,
        (from, to): (Timestamp, Timestamp),
        left: &mut i64,
    ) -> Result<(), VaultError> {
        let (first, last) =
            (from.millis().div_euclid(MINUTE).saturating_add(1), to.millis().div_euclid(MINUTE));
        let looked_at = last.min(first.saturating_add(*left).saturating_sub(1));
        // The last minute is looked at in any case, where there is anything to look at.
        let skipped = (*left > 0 && looked_at < last).then_some(last);
        for minute in (first..=looked_at).chain(skipped) {
            let at = Timestamp::from_millis(minute.saturating_mul(MINUTE));
            clock::set_ahead(at.millis_since(clock::system()));
            self.note_expirations(at).await?;
            self.alarms.evaluate_at(at).await?;
            *left = left.saturating_sub(1);
        }
        Ok(())
    }

    /// Notes for the metrics how long imported key material is still valid, as the service does every minute.
    async fn note_expirations(&self, now: Timestamp) -> Result<(), VaultError> {
        if let Some(series) = &self.series {
            series.note_expirations(self.service.expirations(Expirations::default()).await?.left(now));
        }
        Ok(())
    }

    /// The first time after `after` at which something is due.
    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, VaultError> {
        let snapshot = self.service.vault().snapshot().await?;
        let mut from = None;
        loop {
            let page = snapshot.range(space::DUE_PREFIX, from.as_ref(), DUE).await?;
            let times = page.entries.iter().filter_map(|(path, _)| space::read_due(path)).map(|due| due.0);
            if let Some(due) = times.into_iter().find(|due| *due > after) {
                return Ok(Some(due));
            }
            from = page.entries.into_iter().next_back().map(|(path, _)| path).filter(|_| page.more);
            if from.is_none() {
                return Ok(None);
            }
        }
    }

    /// Puts clock and state back to what the service had when it was started for the first time.
    async fn reset(&self, trail: &dyn Trail) -> Result<(), ResetError> {
        let _alone = self.running.write().await;
        let passing = self.passing().await;
        clock::set_ahead(0);
        if let Some(index) = self.audit.get().and_then(|audit| audit.remembered.as_ref())
            && let Err(error) = index.forget()
        {
            tracing::warn!(%error, "old events are still found");
        }
        self.announce(trail, "Reset").await?;
        // What was noted of keys that are about to go is written and goes with them.
        self.service.flush_usage().await?;
        self.remove_all().await?;
        if let Some(series) = self.series.clone() {
            // It waits for the disk, and for whoever writes.
            if tokio::task::spawn_blocking(move || series.clear()).await.is_err() {
                tracing::warn!("old metrics could not be removed");
            }
        }
        if let Some(dir) = &self.dir {
            start::root_access_key(&self.config, dir, &self.service, trail).await?;
        }
        self.populate(trail).await?;
        if let Some(passing) = passing {
            passing.end(clock::now()).await;
        }
        Ok(())
    }

    async fn remove_all(&self) -> Result<(), VaultError> {
        let store = self.service.vault().store();
        let mut after = None;
        loop {
            let snapshot = store.snapshot().await?;
            let page = snapshot.range(b"", after.as_ref(), REMOVED).await?;
            let mut batch = Batch::builder();
            for (path, _) in page.entries.iter().filter(|(path, _)| !path.starts_with(KEPT)) {
                batch = batch.delete(path.clone());
            }
            let batch = batch.build().map_err(|error| VaultError::Damaged(error.to_string()))?;
            let committed: Result<_, CommitError> = store.commit(batch).await;
            let revision = committed.map_err(VaultError::Unwritable)?;
            self.service.forget_all(revision);
            after = page.entries.into_iter().next_back().map(|(path, _)| path).filter(|_| page.more);
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn announce(&self, trail: &dyn Trail, name: &str) -> Result<(), VaultError> {
        let account = TEST_ACCOUNT.parse().or(Err(VaultError::Lost))?;
        let event = self.service.service_event(&ServiceEvent {
            source: Source::Kms,
            name,
            account,
            region: self.region,
            time: clock::now(),
            details: &[("by", "test mode")],
            resources: &[],
        })?;
        trail.append(event).await.map_err(|TrailError| VaultError::Unrecorded)
    }
}

impl TestMode for Dev {
    fn running(&self) -> &RwLock<()> {
        &self.running
    }

    fn admit<'a>(&'a self, access_key_id: &'a str) -> TestModeFuture<'a, Result<bool, VaultError>> {
        Box::pin(async move {
            let _running = self.running.read().await;
            self.admit_account(access_key_id).await
        })
    }

    fn answer<'a>(
        &'a self,
        request: TestModeRequest,
        trail: &'a dyn Trail,
    ) -> TestModeFuture<'a, TestModeAnswer> {
        Box::pin(async move { control::answer(self, &request, trail).await })
    }
}
