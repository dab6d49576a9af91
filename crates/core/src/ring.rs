//! The key ring: a bounded cache of opened records, always equal to the store.
//!
//! INVARIANT: a resident value equals the store at every revision that [`Ring::apply`] has seen. Whoever commits applies
//! the paths that it wrote before it acknowledges, and the watch applies them again, so that a writer that vanished between
//! the two leaves nothing stale. A value read at revision `r` enters only while no change after `r` to its shard was
//! applied.

use core::num::NonZeroUsize;
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use keyreeve_crypto::asymmetric::KeyPair;
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_crypto::mac::MacKey;
use keyreeve_domain::{AccountId, AliasName, KeyArn, KeyId, KeyMaterialId, Region};
use keyreeve_policy::Policy;
use keyreeve_store::{Path, Revision, Version};
use parking_lot::Mutex;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::caller::Principal;
use crate::credential::Credential;
use crate::cx::Service;
use crate::gate::pairs::{Kind, kind};
use crate::grants::GranteeKey;
use crate::grants::grantee::GranteeGrants;
use crate::identity::organization::Organization;
use crate::record::KeyRecord;
use crate::space::{self, Cached};
use crate::vault::{Vault, VaultError};

/// A key record, opened. Its material is opened on first use and reached through [`crate::gate`] alone.
pub struct OpenKey {
    arn: KeyArn,
    arn_text: Box<str>,
    record: KeyRecord,
    version: Version,
    policy: Arc<Policy>,
    /// Its aliases, once a policy asked for them. A change of them drops the key from the ring.
    aliases: OnceLock<Box<[AliasName]>>,
    materials: Box<[OnceLock<KeyMaterial>]>,
    parsed: OnceLock<Box<Parsed>>,
}

/// The material of an asymmetric or HMAC key in the form that is computed with.
pub(crate) enum Parsed {
    /// The key of a MAC.
    Mac(Box<MacKey>),
    /// A key pair.
    Pair(KeyPair),
}

impl OpenKey {
    /// The record that the store holds as `version`.
    #[must_use]
    pub fn new(
        region: Region,
        key: KeyId,
        mut record: KeyRecord,
        version: Version,
        policy: Arc<Policy>,
    ) -> Self {
        // A list that was decoded has room for four where there is one: of a million keys that are resident, a third of a GiB.
        record.materials.shrink_to_fit();
        record.tags.shrink_to_fit();
        let arn = KeyArn { region, account: record.account, key };
        let materials = record.materials.iter().map(|_| OnceLock::new()).collect();
        Self {
            arn,
            arn_text: arn.to_string().into(),
            record,
            version,
            policy,
            aliases: OnceLock::new(),
            materials,
            parsed: OnceLock::new(),
        }
    }

    /// The ARN.
    #[must_use]
    pub fn arn(&self) -> &KeyArn {
        &self.arn
    }

    /// The ARN as text.
    #[must_use]
    pub fn arn_text(&self) -> &str {
        &self.arn_text
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &KeyRecord {
        &self.record
    }

    /// The version of the record.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Its key policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its aliases.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn aliases(&self, service: &Service) -> Result<&[AliasName], VaultError> {
        if let Some(known) = self.aliases.get() {
            return Ok(known);
        }
        let snapshot = service.vault().snapshot().await?;
        let prefix = space::named_prefix(self.arn.region, self.arn.key);
        let page = snapshot.range(&prefix, None, ALIASES).await?;
        let names = page.entries.iter().filter_map(|(path, _)| space::last_part(&prefix, path)?.parse().ok());
        let names = names.collect();
        Ok(self.aliases.get_or_init(|| names))
    }

    /// The material with the id `id`, if this is a symmetric key that has or had it. For the gate.
    pub(crate) fn material(
        &self,
        id: &KeyMaterialId,
        vault: &Vault,
    ) -> Result<Option<&KeyMaterial>, VaultError> {
        if kind(self.record.spec) != Kind::Symmetric {
            return Ok(None);
        }
        let found =
            self.record.materials.iter().zip(&self.materials).rev().find(|(material, _)| material.id == *id);
        let Some((material, slot)) = found else { return Ok(None) };
        if let Some(open) = slot.get() {
            return Ok(Some(open));
        }
        let opened = vault.open_material(&self.arn, &self.record, material)?;
        // Two threads may open the same material at once; the second copy is wiped.
        Ok(Some(slot.get_or_init(|| opened)))
    }

    /// The current material, opened anew: it is parsed and not kept. For the gate.
    pub(crate) fn current_material(&self, vault: &Vault) -> Result<KeyMaterial, VaultError> {
        let current = self.record.materials.last();
        let current = current.ok_or_else(|| VaultError::Damaged(self.arn_text.to_string()))?;
        vault.open_material(&self.arn, &self.record, current)
    }

    /// The parsed key, where it was used before. For the gate.
    pub(crate) fn parsed(&self) -> Option<&Parsed> {
        self.parsed.get().map(|parsed| &**parsed)
    }

    /// Keeps `parsed`, or what was kept before.
    pub(crate) fn keep(&self, parsed: Parsed) -> &Parsed {
        self.parsed.get_or_init(|| Box::new(parsed))
    }
}

const SHARDS: usize = 64;
/// Grantees of keys whose grants are kept open, those without any among them.
const GRANTEES: usize = 32_768;
/// Policies of the service's own that are kept compiled.
const WRITTEN: usize = 4096;
/// More aliases than a key can have.
const ALIASES: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();
/// Access keys and sessions kept open, as far as [`CREDENTIALS_KIB`] reaches.
const CREDENTIALS: usize = 16_384;
/// KiB of all that is kept open for access keys and sessions: one of a user with large policies takes the room of many.
const CREDENTIALS_KIB: u64 = 64 * 1024;
/// Bytes that an access key takes beside its policies.
const CREDENTIAL_LEN: usize = 2048;

/// How much room an access key takes, in KiB.
#[derive(Clone)]
struct Room;

impl Weighter<String, Arc<Credential>> for Room {
    fn weight(&self, _: &String, credential: &Arc<Credential>) -> u64 {
        let len = credential.caller().standing().len_of_texts().saturating_add(CREDENTIAL_LEN);
        u64::try_from(len.div_ceil(1024)).unwrap_or(u64::MAX)
    }
}

/// The cache.
pub struct Ring {
    hits: AtomicU64,
    misses: AtomicU64,
    keys: Cache<(Region, KeyId), Arc<OpenKey>>,
    aliases: Cache<(AccountId, Region, AliasName), KeyId>,
    credentials: Cache<String, Arc<Credential>, Room>,
    /// The organization, once it was looked for.
    organization: Mutex<Option<Option<Arc<Organization>>>>,
    /// The last change of anything that credentials are made of; a fill of one holds the lock.
    identities: Mutex<Revision>,
    /// The last change applied to each shard of the paths; a fill holds the lock of its shard.
    touched: [Mutex<Revision>; SHARDS],
    /// The compiled policies that the service itself writes, by account, Region and service.
    written: Mutex<HashMap<(AccountId, Region, String), Arc<Policy>>>,
    /// The grants that each grantee has on each key.
    grants: Cache<GranteeKey, Arc<GranteeGrants>>,
    /// Grants by key, once counted.
    grant_counts: Mutex<HashMap<(Region, KeyId), u64>>,
    /// Customer managed keys by account and Region, once counted.
    counts: Mutex<HashMap<(AccountId, Region), u64>>,
}

impl Ring {
    /// An empty ring for at most `capacity` keys, and as many aliases.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            keys: Cache::new(capacity),
            aliases: Cache::new(capacity),
            credentials: Cache::with_weighter(CREDENTIALS, CREDENTIALS_KIB, Room),
            organization: Mutex::default(),
            identities: Mutex::new(Revision::ZERO),
            touched: std::array::from_fn(|_| Mutex::new(Revision::ZERO)),
            written: Mutex::default(),
            grants: Cache::new(GRANTEES),
            grant_counts: Mutex::default(),
            counts: Mutex::default(),
        }
    }

    /// The compiled policy that the service itself writes for the keys of `account`, or for its AWS managed key of a service.
    pub(crate) fn written_policy(
        &self,
        account: AccountId,
        region: Region,
        service: Option<&str>,
    ) -> Option<Arc<Policy>> {
        self.written.lock().get(&(account, region, service.unwrap_or_default().to_owned())).cloned()
    }

    /// Keeps such a policy. It never changes.
    pub(crate) fn keep_written_policy(
        &self,
        account: AccountId,
        region: Region,
        service: Option<&str>,
        policy: &Arc<Policy>,
    ) {
        let mut written = self.written.lock();
        if written.len() < WRITTEN {
            written.insert((account, region, service.unwrap_or_default().to_owned()), Arc::clone(policy));
        }
    }

    /// The grants of a grantee on a key, where they are resident.
    pub(crate) fn grants(&self, grantee: &GranteeKey) -> Option<Arc<GranteeGrants>> {
        self.grants.get(grantee)
    }

    /// Takes in the grants of a grantee on a key, read at `seen`.
    pub(crate) fn fill_grants(&self, seen: Revision, grantee: GranteeKey, grants: &Arc<GranteeGrants>) {
        let touched = self.touched_by(&Cached::Grantee(grantee, String::new())).lock();
        if *touched <= seen {
            self.grants.insert(grantee, Arc::clone(grants));
        }
    }

    /// Takes one place for a new grant under `quota`, where the count is known; see [`Ring::reserve`].
    #[must_use]
    pub fn reserve_grant(&self, region: Region, key: KeyId, quota: u64) -> Option<bool> {
        let mut counts = self.grant_counts.lock();
        let count = counts.get_mut(&(region, key))?;
        let room = *count < quota;
        *count += u64::from(room);
        Some(room)
    }

    /// Gives one place of a grant back.
    pub fn release_grant(&self, region: Region, key: KeyId) {
        if let Some(count) = self.grant_counts.lock().get_mut(&(region, key)) {
            *count = count.saturating_sub(1);
        }
    }

    /// Notes the number of grants on a key; a number that is already known stays.
    pub fn note_grant_count(&self, region: Region, key: KeyId, count: u64) {
        self.grant_counts.lock().entry((region, key)).or_insert(count);
    }

    /// Forgets the number of grants on a key.
    pub(crate) fn forget_grant_count(&self, region: Region, key: KeyId) {
        self.grant_counts.lock().remove(&(region, key));
    }

    /// A resident key.
    #[must_use]
    pub fn key(&self, region: Region, key: KeyId) -> Option<Arc<OpenKey>> {
        let found = self.keys.get(&(region, key));
        let looked = if found.is_some() { &self.hits } else { &self.misses };
        looked.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// How often a key was resident when it was looked for, and how often not.
    #[must_use]
    pub fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// What a resident alias stands for.
    #[must_use]
    pub fn alias(&self, account: AccountId, region: Region, alias: &AliasName) -> Option<KeyId> {
        self.aliases.get(&(account, region, alias.clone()))
    }

    /// A resident access key.
    #[must_use]
    pub fn credential(&self, access_key_id: &str) -> Option<Arc<Credential>> {
        self.credentials.get(access_key_id)
    }

    /// Takes in a key read at `seen`.
    pub fn fill_key(&self, path: &Path, seen: Revision, key: &Arc<OpenKey>) {
        self.fill(path, seen, || self.keys.insert((key.arn.region, key.arn.key), Arc::clone(key)));
    }

    /// Takes in an alias read at `seen`.
    pub fn fill_alias(
        &self,
        path: &Path,
        seen: Revision,
        name: (AccountId, Region, AliasName),
        target: KeyId,
    ) {
        self.fill(path, seen, || self.aliases.insert(name, target));
    }

    /// The organization, where it is known whether there is one.
    #[must_use]
    pub fn organization(&self) -> Option<Option<Arc<Organization>>> {
        self.organization.lock().clone()
    }

    /// Takes in an access key, made of what was read at `seen`.
    pub fn fill_credential(&self, seen: Revision, id: &str, credential: &Arc<Credential>) {
        let touched = self.identities.lock();
        if *touched <= seen {
            self.credentials.insert(id.to_owned(), Arc::clone(credential));
        }
    }

    /// Takes in the organization read at `seen`.
    pub fn fill_organization(&self, seen: Revision, organization: Option<Arc<Organization>>) {
        let touched = self.identities.lock();
        if *touched <= seen {
            *self.organization.lock() = Some(organization);
        }
    }

    fn fill(&self, path: &Path, seen: Revision, insert: impl FnOnce()) {
        let Some(cached) = space::read_cached(path) else { return };
        let touched = self.touched_by(&cached).lock();
        if *touched <= seen {
            insert();
        }
    }

    /// Drops what stood for `paths`, which changed at `revision`. Idempotent.
    pub fn apply<'a>(&self, revision: Revision, paths: impl IntoIterator<Item = &'a Path>) {
        for cached in paths.into_iter().filter_map(space::read_cached) {
            let mut touched = self.touched_by(&cached).lock();
            *touched = revision.max(*touched);
            match cached {
                Cached::Alias(account, region, alias) => drop(self.aliases.remove(&(account, region, alias))),
                Cached::Credential(id) => drop(self.credentials.remove(&id)),
                // Those that are resident know by the id what to read again; see `grants::grantee`.
                Cached::Grantee(grantee, grant) => {
                    if self.grants.peek(&grantee).is_some_and(|resident| !resident.mark(&grant)) {
                        self.grants.remove(&grantee);
                    }
                }
                Cached::Identities(account) => {
                    self.credentials.retain(|_, credential| credential.caller().account() != account);
                }
                Cached::Key(region, key) => drop(self.keys.remove(&(region, key))),
                Cached::Organization => {
                    *self.organization.lock() = None;
                    self.credentials.clear();
                }
                Cached::Owned(..) => {}
                Cached::Role(account, name) => self.forget(account, |principal| match principal {
                    Principal::Role(session) => session.role.eq_ignore_ascii_case(&name),
                    Principal::FederatedUser(_)
                    | Principal::Root
                    | Principal::Service(_)
                    | Principal::User(_)
                    | Principal::WebIdentity(_) => false,
                }),
                Cached::User(account, name) => self.forget(account, |principal| {
                    principal.user().is_some_and(|user| user.name.eq_ignore_ascii_case(&name))
                }),
            }
        }
    }

    fn forget(&self, account: AccountId, depends: impl Fn(&Principal) -> bool) {
        self.credentials.retain(|_, credential| {
            let caller = credential.caller();
            caller.account() != account || !depends(caller.principal())
        });
    }

    /// As [`Ring::apply`] for paths that may have changed until `revision`: the keys of their accounts are counted anew.
    pub fn doubt(&self, revision: Revision, paths: &[Path]) {
        self.apply(revision, paths);
        for cached in paths.iter().filter_map(space::read_cached) {
            match cached {
                Cached::Owned(account, region) => drop(self.counts.lock().remove(&(account, region))),
                Cached::Grantee(grantee, _) => self.forget_grant_count(grantee.region, grantee.key),
                Cached::Alias(..)
                | Cached::Credential(_)
                | Cached::Identities(_)
                | Cached::Key(..)
                | Cached::Organization
                | Cached::Role(..)
                | Cached::User(..) => {}
            }
        }
    }

    /// Forgets everything: after the watch lost its place.
    pub fn clear(&self, revision: Revision) {
        let mut held: Vec<_> = self.touched.iter().map(Mutex::lock).collect();
        held.iter_mut().for_each(|touched| **touched = revision.max(**touched));
        let mut identities = self.identities.lock();
        *identities = revision.max(*identities);
        *self.organization.lock() = None;
        self.keys.clear();
        self.aliases.clear();
        self.credentials.clear();
        self.grants.clear();
        self.grant_counts.lock().clear();
        self.counts.lock().clear();
    }

    /// Takes one place for a new key under `quota`, where the count is known: `None` where it is not, else whether
    /// there was room. Given back by [`Ring::release`] where the key is not made after all.
    pub fn reserve(&self, account: AccountId, region: Region, quota: u64) -> Option<bool> {
        let mut counts = self.counts.lock();
        let count = counts.get_mut(&(account, region))?;
        let room = *count < quota;
        *count += u64::from(room);
        Some(room)
    }

    /// Gives one place back.
    pub fn release(&self, account: AccountId, region: Region) {
        if let Some(count) = self.counts.lock().get_mut(&(account, region)) {
            *count = count.saturating_sub(1);
        }
    }

    /// Notes the number of keys; a number that is already known stays.
    pub fn note_count(&self, account: AccountId, region: Region, count: u64) {
        self.counts.lock().entry((account, region)).or_insert(count);
    }

    /// How many keys are resident.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key is resident.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Where the last change of a value is noted: a shard by what it is of, so that a key and its policy share one, and one
    /// place for all that credentials are made of.
    fn touched_by(&self, cached: &Cached) -> &Mutex<Revision> {
        let mut hasher = DefaultHasher::new();
        match cached {
            Cached::Alias(account, region, alias) => (account, region, alias).hash(&mut hasher),
            Cached::Grantee(grantee, _) => grantee.hash(&mut hasher),
            Cached::Key(region, key) => (region, key).hash(&mut hasher),
            Cached::Owned(account, region) => (account, region).hash(&mut hasher),
            Cached::Credential(_)
            | Cached::Identities(_)
            | Cached::Organization
            | Cached::Role(..)
            | Cached::User(..) => return &self.identities,
        }
        let [first, rest @ ..] = &self.touched;
        let at = usize::try_from(hasher.finish() % 64).unwrap_or_default();
        at.checked_sub(1).and_then(|at| rest.get(at)).unwrap_or(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alias() -> (AccountId, Region, AliasName) {
        ("111122223333".parse().unwrap(), "us-east-1".parse().unwrap(), "alias/a".parse().unwrap())
    }

    #[test]
    fn a_value_read_before_a_change_does_not_enter_after_it() {
        let ring = Ring::new(8);
        let (account, region, name) = alias();
        let path = space::alias(account, region, &name).unwrap();
        let target = KeyId::from_random([1; 16]);
        for (seen, resident) in [(4, false), (5, true), (6, true)] {
            ring.apply(Revision::new(5), [&path]);
            ring.fill_alias(&path, Revision::new(seen), alias(), target);
            assert_eq!(
                ring.alias(account, region, &name).is_some(),
                resident,
                "read at {seen}, changed at 5"
            );
        }
    }

    #[test]
    fn a_change_drops_what_is_resident() {
        let ring = Ring::new(8);
        let (account, region, name) = alias();
        let path = space::alias(account, region, &name).unwrap();
        ring.fill_alias(&path, Revision::new(1), alias(), KeyId::from_random([1; 16]));
        ring.apply(Revision::new(2), [&path]);
        assert_eq!(ring.alias(account, region, &name), None);
    }

    #[test]
    fn places_under_a_quota_are_taken_one_by_one() {
        let ring = Ring::new(8);
        let (account, region, _) = alias();
        assert_eq!(ring.reserve(account, region, 2), None);
        ring.note_count(account, region, 1);
        assert_eq!(ring.reserve(account, region, 2), Some(true));
        assert_eq!(ring.reserve(account, region, 2), Some(false));
        ring.release(account, region);
        assert_eq!(ring.reserve(account, region, 2), Some(true));
    }
}
