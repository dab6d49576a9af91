//! Reading, planning, writing.

use core::future::Future;
use std::collections::{BTreeMap, BTreeSet};

use keyreeve_core::commit::Draft;
use keyreeve_core::cx::Service;
use keyreeve_core::vault::VaultError;
use keyreeve_domain::{AccountId, Timestamp};
use keyreeve_store::{Batch, Path, Revision, Version};

use super::Fault;
use super::declaration::Declaration;
use super::digest::digest_of;
use super::entities::Work;
use super::load::load;
use super::plan::{Op, Plan, Unit};
use super::state::State;
use crate::ids::unique_id;

/// How often everything is looked at again after somebody else was faster.
const ATTEMPTS: usize = 16;

/// A declaration could not be followed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReconcileError {
    /// It is not in order, or meets what it did not make. Nothing was changed.
    #[error("{} things are not in order", .0.len())]
    Faults(Vec<Fault>),
    /// The store or the trail failed. What was written before stays; the next attempt goes on.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Outcome {
    /// How many things were made, changed or removed.
    pub changes: usize,
}

/// Who tells the trail of a change, before it is made.
pub trait Announce {
    /// Tells of the change `name` in `account`.
    fn announce(
        &self,
        account: AccountId,
        name: &'static str,
        details: &[(&'static str, String)],
    ) -> impl Future<Output = Result<(), VaultError>>;
}

/// Looks whether `declaration` could be followed, and how many changes that would be. Nothing is written.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn examine(
    service: &Service,
    now: Timestamp,
    declaration: &Declaration,
) -> Result<Outcome, ReconcileError> {
    if service.is_followed(&digest_of(declaration)).await? {
        return Ok(Outcome::default());
    }
    let (state, _) = computed(service, now, declaration).await?;
    Ok(Outcome { changes: Plan::of(&state)?.changes() })
}

/// Lets the identities be as `declaration` says.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn reconcile(
    service: &Service,
    trail: &impl Announce,
    now: Timestamp,
    declaration: &Declaration,
) -> Result<Outcome, ReconcileError> {
    let mut outcome = Outcome::default();
    let digest = digest_of(declaration);
    if service.is_followed(&digest).await? {
        return Ok(outcome);
    }
    for _ in 0..ATTEMPTS {
        let (state, seen) = computed(service, now, declaration).await?;
        let plan = Plan::of(&state)?;
        let mut writer = Writer { service, trail, versions: BTreeMap::new(), changes: 0, seen };
        let written = writer.write(&plan).await;
        outcome.changes += writer.changes;
        match written {
            Ok(()) => {
                // What cannot be noted is compared once more by the next start: a full disk keeps none from starting.
                match service.note_followed(&digest, writer.seen).await {
                    Ok(is_noted) => tracing::debug!(is_noted, "all is as the identity file says"),
                    Err(error) => {
                        tracing::debug!(%error, "all is as the identity file says; that is not noted")
                    }
                }
                return Ok(outcome);
            }
            Err(VaultError::Contended) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(VaultError::Contended.into())
}

/// The records as the store has them, and as they are to be; at which revision.
async fn computed(
    service: &Service,
    now: Timestamp,
    declaration: &Declaration,
) -> Result<(State, Revision), ReconcileError> {
    let snapshot = service.vault().snapshot().await?;
    let mut state = load(service, &*snapshot, declaration).await?;
    let mut ids = |kind| unique_id(service, kind);
    let faults = compute(&mut state, now, &mut ids, declaration);
    if faults.is_empty() { Ok((state, snapshot.revision())) } else { Err(ReconcileError::Faults(faults)) }
}

/// Lets `state` be as `declaration` says; what is wrong with it, in the order of the file.
fn compute(
    state: &mut State,
    now: Timestamp,
    ids: super::entities::Ids<'_>,
    declaration: &Declaration,
) -> Vec<Fault> {
    let mut work = Work { state, now, ids, faults: Vec::new() };
    work.remove_all(declaration);
    work.put_all(declaration);
    work.bind_all(declaration);
    work.organization(declaration.organization.as_ref());
    work.check_removals();
    let mut faults = work.faults;
    faults.sort_by_key(|fault| fault.line);
    faults
}

impl Plan<'_> {
    fn changes(&self) -> usize {
        let accounts = self.accounts.values().flat_map(BTreeMap::values);
        accounts.chain(self.organization.as_ref().map(|(_, unit)| unit)).map(|unit| unit.events.len()).sum()
    }
}

struct Writer<'w, A> {
    service: &'w Service,
    trail: &'w A,
    /// Versions of what was touched in a batch before.
    versions: BTreeMap<Path, Version>,
    changes: usize,
    /// The revision that the store has if nobody else has written anything.
    seen: Revision,
}

impl<A: Announce> Writer<'_, A> {
    async fn write(&mut self, plan: &Plan<'_>) -> Result<(), VaultError> {
        for (account, units) in &plan.accounts {
            let mut batch: Vec<&Unit<'_>> = Vec::new();
            for unit in units.values() {
                if !batch.is_empty() && !fits(batch.iter().copied().chain([unit])) {
                    self.commit(*account, &batch).await?;
                    batch.clear();
                }
                batch.push(unit);
            }
            self.commit(*account, &batch).await?;
        }
        if let Some((account, unit)) = &plan.organization {
            self.commit(*account, &[unit]).await?;
        }
        Ok(())
    }

    async fn commit(&mut self, account: AccountId, units: &[&Unit<'_>]) -> Result<(), VaultError> {
        let vault = self.service.vault();
        let mut draft = Draft::new(vault);
        let ops: Vec<&Op<'_>> = units.iter().flat_map(|unit| &unit.ops).collect();
        let written: BTreeSet<&Path> = ops.iter().filter(|op| !op.touches).map(|op| &op.path).collect();
        let mut touched = BTreeMap::new();
        for op in ops {
            if !op.touches {
                op.draft(&mut draft, op.seen)?;
            } else if !written.contains(&op.path) && !touched.contains_key(&op.path) {
                let seen = self.versions.get(&op.path).copied().or(op.seen);
                op.draft(&mut draft, seen)?;
                touched.insert(op.path.clone(), seen);
            }
        }
        // ORDER: the trail first. What is announced and then not written is announced again by the next attempt.
        for event in units.iter().flat_map(|unit| &unit.events) {
            self.trail.announce(account, event.name, &event.details).await?;
        }
        self.service.commit(draft).await?;
        self.seen = Revision::new(self.seen.get().saturating_add(1));
        self.changes += units.iter().map(|unit| unit.events.len()).sum::<usize>();
        for (path, seen) in touched {
            self.versions.extend(Version::after(seen).map(|version| (path, version)));
        }
        Ok(())
    }
}

/// Whether units can be one batch.
fn fits<'u>(units: impl Iterator<Item = &'u Unit<'u>>) -> bool {
    let (count, bytes) = units.flat_map(|unit| &unit.ops).fold((0_usize, 0_usize), |(count, bytes), op| {
        (count.saturating_add(1), bytes.saturating_add(op.bytes).saturating_add(op.path.as_bytes().len()))
    });
    // Preconditions have paths as well, and the note that all is as it was declared goes with the first change.
    count < Batch::MAX_OPERATIONS && bytes.saturating_mul(5) / 4 <= Batch::MAX_BYTES
}
