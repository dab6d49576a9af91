//! The context of a request, and what every request shares.

use core::cell::Cell;

use keyreeve_attestation::{Attestation, Roots};
use keyreeve_audit::event::{Resource, Uuid};
use keyreeve_crypto::key::{KeyMaterial, MakeKeyError};
use keyreeve_crypto::random;
use keyreeve_domain::spec::KeySpec;
use keyreeve_domain::{KeyId, Region, Timestamp};
use keyreeve_store::{Path, Revision, Snapshot};
use std::sync::Arc;

use crate::bracket::{Head, Notes, Trail};
use crate::caller::Caller;
use crate::change_turns::ChangeTurns;
use crate::commit::Draft;
use crate::gate::actions::{Action, Changing};
use crate::gate::pairs::{Handle, Kind, kind};
use crate::gate::{self, Particulars, Ready};
use crate::identity::issuer::IssuerKeys;
use crate::import_keys::ImportKeys;
use crate::last_use::LastUses;
use crate::offload::{self, Lane, Offload, OffloadError};
use crate::quota::Quotas;
use crate::record::{KeyRecord, Record};
use crate::refusal::Refusal;
use crate::request_quota::RequestQuota;
use crate::request_rate::{RequestMeters, RequestRates};
use crate::ring::Ring;
use crate::stock::{Maker, Stock};
use crate::tally::Tally;
use crate::usage::UsageLog;
use crate::vault::{Vault, VaultError, Versioned};
use crate::view::{Found, LookupError};

/// How often a change is tried again after somebody else was faster.
const ATTEMPTS: usize = 16;

/// What a service is started with.
pub struct ServiceOptions {
    /// The resource quotas.
    pub quotas: Quotas,
    /// The request quotas.
    pub request_rates: RequestRates,
    /// Keys kept open in memory.
    pub cached_keys: usize,
    /// Keys that requests are counted by; nothing is counted where that is 0.
    pub counted_keys: usize,
    /// Where long work is done.
    pub offload: Arc<dyn Offload>,
    /// RSA keys of each size that are kept ready, from the first of that size on.
    pub ready_rsa_keys: usize,
    /// How the material of key pairs is made.
    pub maker: Maker,
    /// Whether SM2 keys may be made outside of the Regions of China, too.
    pub sm2: bool,
    /// The roots that attestation documents may lead to.
    pub roots: Roots,
    /// The Regions that are answered for; all where empty.
    pub regions: Vec<Region>,
    /// Where the keys of identity providers come from.
    pub issuers: Arc<dyn IssuerKeys>,
}

/// What all requests of a process share.
pub struct Service {
    vault: Vault,
    ring: Ring,
    quotas: Quotas,
    request_meters: RequestMeters,
    usage: UsageLog,
    last_uses: LastUses,
    tally: Tally,
    import_keys: ImportKeys,
    change_turns: ChangeTurns,
    offload: Arc<dyn Offload>,
    stock: Stock,
    maker: Maker,
    sm2: bool,
    roots: Arc<Roots>,
    regions: Vec<Region>,
    issuers: Arc<dyn IssuerKeys>,
}

impl Service {
    /// A service over `vault`.
    #[must_use]
    pub fn new(vault: Vault, options: ServiceOptions) -> Self {
        let ServiceOptions {
            quotas,
            request_rates,
            cached_keys,
            counted_keys,
            offload,
            ready_rsa_keys,
            maker,
            sm2,
            roots,
            regions,
            issuers,
        } = options;
        Self {
            vault,
            ring: Ring::new(cached_keys),
            quotas,
            request_meters: RequestMeters::new(request_rates),
            usage: UsageLog::default(),
            last_uses: LastUses::default(),
            tally: Tally::new(counted_keys),
            import_keys: ImportKeys::default(),
            change_turns: ChangeTurns::default(),
            stock: Stock::new(ready_rsa_keys, &maker, Arc::clone(&offload)),
            offload,
            maker,
            sm2,
            roots: Arc::new(roots),
            regions,
            issuers,
        }
    }

    /// Whose turn it is to change a key.
    #[must_use]
    pub fn change_turns(&self) -> &ChangeTurns {
        &self.change_turns
    }

    /// Where the keys of identity providers come from.
    #[must_use]
    pub fn issuers(&self) -> &dyn IssuerKeys {
        &*self.issuers
    }

    /// The roots that attestation documents may lead to.
    #[must_use]
    pub fn roots(&self) -> Arc<Roots> {
        Arc::clone(&self.roots)
    }

    /// Whether requests in `region` are answered.
    #[must_use]
    pub fn answers_for(&self, region: Region) -> bool {
        self.regions.is_empty() || self.regions.contains(&region)
    }

    /// Whether SM2 keys may be made in `region`: in the Regions of China, and elsewhere where that was asked for.
    #[must_use]
    pub fn makes_sm2(&self, region: Region) -> bool {
        self.sm2 || region.partition() == "aws-cn"
    }

    /// New material for a key of `spec`: out of the stock, or made where it holds up nobody.
    ///
    /// # Errors
    /// Where it cannot be made, or not now.
    pub async fn new_material(&self, spec: KeySpec) -> Result<KeyMaterial, VaultError> {
        if let Some(taken) = self.stock.take(spec).await {
            return Ok(taken?);
        }
        let make = Arc::clone(&self.maker);
        match kind(spec) {
            Kind::Mac | Kind::Symmetric => Ok(make(spec)?),
            Kind::Pair => Ok(self.work(move || make(spec)).await??),
        }
    }

    /// What `read` makes of new material for a key of `spec`, on the thread where it was made.
    ///
    /// # Errors
    /// As [`Service::new_material`].
    pub async fn read_new_material<T: Send + 'static>(
        &self,
        spec: KeySpec,
        read: impl FnOnce(&KeyMaterial) -> T + Send + 'static,
    ) -> Result<T, VaultError> {
        let make = Arc::clone(&self.maker);
        Ok(match self.stock.take(spec).await {
            Some(taken) => {
                let taken = taken?;
                self.work(move || read(&taken)).await?
            }
            None => self.work(move || make(spec).map(|made| read(&made))).await??,
        })
    }

    /// As [`Service::read_new_material`], for a key that is made so seldom that none is kept ready for it.
    ///
    /// # Errors
    /// As [`Service::new_material`].
    pub(crate) async fn read_rare_material<T: Send + 'static>(
        &self,
        spec: KeySpec,
        read: impl FnOnce(&KeyMaterial) -> T + Send + 'static,
    ) -> Result<T, VaultError> {
        let make = Arc::clone(&self.maker);
        Ok(self.work(move || make(spec).map(|made| read(&made))).await??)
    }

    /// Does `work`, which takes long, on another thread.
    ///
    /// # Errors
    /// Where too much is waiting already.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, OffloadError> {
        offload::run(&*self.offload, Lane::Operations, work).await
    }

    /// Does `work` with a handle: at once, or where its lane says.
    ///
    /// # Errors
    /// Where too much is waiting already.
    pub async fn compute<H: Handle, T: Send + 'static>(
        &self,
        handle: H,
        work: impl FnOnce(&H) -> T + Send + 'static,
    ) -> Result<T, OffloadError> {
        match handle.lane() {
            Some(lane) => offload::run(&*self.offload, lane, move || work(&handle)).await,
            None => Ok(work(&handle)),
        }
    }

    /// The sealed store.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The cache of opened records.
    #[must_use]
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// Forgets everything that was read of the store up to `revision`: after it was emptied.
    pub fn forget_all(&self, revision: Revision) {
        self.ring.clear(revision);
        self.import_keys.forget_all();
    }

    /// The resource quotas.
    #[must_use]
    pub fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// The keys that seal import tokens.
    pub(crate) fn import_keys(&self) -> &ImportKeys {
        &self.import_keys
    }

    /// The requests since they were last taken out.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The last uses of keys that are not yet in the store.
    #[must_use]
    pub fn usage(&self) -> &UsageLog {
        &self.usage
    }

    /// The last uses of access keys and roles that are not yet in the store.
    pub(crate) fn last_uses(&self) -> &LastUses {
        &self.last_uses
    }
}

/// The context of one request.
pub struct Cx<'a> {
    /// What all requests share.
    pub service: &'a Service,
    /// Who calls.
    pub caller: &'a Caller,
    /// The Region that was called.
    pub region: Region,
    /// When the request arrived.
    pub now: Timestamp,
    /// The id of the request.
    pub request_id: Uuid,
    /// The id of its event in the trail.
    pub event_id: Uuid,
    /// What the recipient of the answer has attested, where the request names one and its document was verified: what
    /// policies may ask for, and whom the answer is encrypted for.
    pub attestation: Option<Attestation>,
    /// What the trail will say of it.
    pub notes: &'a mut Notes,
    /// Where a change is announced.
    pub announcement: Announcement<'a>,
}

/// The announcement of a change to the trail, made once for each request that changes something.
pub struct Announcement<'a> {
    trail: &'a dyn Trail,
    head: &'a Head<'a>,
    /// Set before the announcement is written.
    begun: &'a Cell<bool>,
    made: bool,
    /// Whether it was said that replica keys are told something.
    synchronized: bool,
}

impl<'a> Announcement<'a> {
    /// What is known of the request.
    #[must_use]
    pub fn head(&self) -> &Head<'a> {
        self.head
    }

    /// Not made yet; `begun` is set when it is about to be.
    #[must_use]
    pub fn new(trail: &'a dyn Trail, head: &'a Head<'a>, begun: &'a Cell<bool>) -> Self {
        Self { trail, head, begun, made: false, synchronized: false }
    }
}

impl<'a> Cx<'a> {
    /// The key that the caller names, by any of the four forms; noted for the trail.
    ///
    /// A key of another account that is not there is refused as one that may not be used: whether it exists is not
    /// the caller's business.
    ///
    /// # Errors
    /// As [`LookupError`], or not authorized.
    pub async fn find<A: Action>(&mut self, key_id: &str) -> Result<Found, Refusal> {
        let found = self.service.find(self.caller.account(), self.region, key_id).await;
        self.noted::<A>(found)
    }

    /// As [`Cx::find`], for the operations that take no alias.
    ///
    /// # Errors
    /// As [`LookupError`], or not authorized.
    pub async fn find_without_alias<A: Action>(&mut self, key_id: &str) -> Result<Found, Refusal> {
        let found = self.service.find_without_alias(self.caller.account(), self.region, key_id).await;
        self.noted::<A>(found)
    }

    fn noted<A: Action>(&mut self, found: Result<Found, LookupError>) -> Result<Found, Refusal> {
        match found {
            Ok(found) => {
                self.notes.resource(Resource::Key(*found.key.arn()));
                Ok(found)
            }
            Err(LookupError::NoKey(arn)) if self.is_foreign(&arn) => {
                Err(gate::unseen::<A>(self.caller, &Particulars::NONE).into())
            }
            Err(LookupError::NoAlias(alias)) if alias.account != self.caller.account() => {
                Err(gate::unseen::<A>(self.caller, &Particulars::NONE).into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Announces the change to the trail, if that was not done yet, and makes `draft` durable.
    ///
    /// ORDER: a change is announced before it can happen, so that no crash leaves one without a record; whatever the
    /// request has noted by now is in the announcement.
    ///
    /// # Errors
    /// As [`Service::commit`]; [`VaultError::Unrecorded`] where the trail cannot be written.
    pub async fn commit(&mut self, draft: Draft<'_>) -> Result<(), VaultError> {
        if !self.announcement.made {
            self.announcement.begun.set(true);
            let Announcement { head, trail, .. } = self.announcement;
            head.open(trail, self.notes).await.or(Err(VaultError::Unrecorded))?;
            self.announcement.made = true;
        }
        if let Some(primary) = draft.synchronizes().filter(|_| !self.announcement.synchronized) {
            let line = self.service.synchronization_event(primary, self.now)?;
            self.announcement.trail.append(line).await.or(Err(VaultError::Unrecorded))?;
            self.announcement.synchronized = true;
        }
        self.service.commit(draft).await
    }

    /// Records that the request did something in another Region, too: an event of its own there.
    ///
    /// # Errors
    /// Where the trail cannot be written.
    pub async fn record_in(&self, region: Region, name: &str, notes: &Notes) -> Result<(), VaultError> {
        let bits = random::array(self.service.vault().random()).map_err(MakeKeyError::from)?;
        let head = Head { region, name, event_id: Uuid::from_random(bits), ..*self.announcement.head };
        head.complete(self.announcement.trail, notes, None).await.or(Err(VaultError::Unrecorded))
    }

    /// Records what the service has done for the request by itself, as a line that it has made for it.
    ///
    /// # Errors
    /// Where the trail cannot be written.
    pub async fn record_service_event(&self, line: Vec<u8>) -> Result<(), VaultError> {
        self.announcement.trail.append(line).await.or(Err(VaultError::Unrecorded))
    }

    /// Whether `arn` is of another account than the caller's.
    #[must_use]
    pub fn is_foreign(&self, arn: &str) -> bool {
        arn.split(':').nth(4).is_some_and(|account| account != self.caller.account().to_string())
    }

    /// Counts the request against a quota of the caller's account in the Region that was called.
    ///
    /// # Errors
    /// ThrottlingException where it is one too many.
    pub fn meter(&self, quota: RequestQuota) -> Result<(), Refusal> {
        self.meter_in(self.region, quota)
    }

    /// As [`Cx::meter`], in another Region.
    ///
    /// # Errors
    /// ThrottlingException where it is one too many.
    pub fn meter_in(&self, region: Region, quota: RequestQuota) -> Result<(), Refusal> {
        match self.service.request_meters.take(self.caller.account(), region, quota, self.now) {
            true => Ok(()),
            false => Err(Refusal::throttled()),
        }
    }

    /// Checks that the caller may do `A` with `found`, before [`Cx::open`] asks for its usage and state.
    ///
    /// # Errors
    /// Not authorized.
    pub async fn authorize<A: Action>(
        &self,
        found: &Found,
        particulars: &Particulars<'_>,
    ) -> Result<(), Refusal> {
        Ok(gate::authorize::<A>(self, &found.key, found.alias.as_ref(), particulars).await?)
    }

    /// Lets the caller through to `found` for the action `A`; counts a cryptographic operation against the quota of such keys.
    ///
    /// # Errors
    /// One request too many, then as the gate says.
    pub async fn open<'k, A: Action>(
        &self,
        found: &'k Found,
        particulars: &Particulars<'_>,
    ) -> Result<Ready<'k, A>, Refusal>
    where
        'a: 'k,
    {
        if A::METERED {
            self.meter(RequestQuota::of_key(found.key.record().spec))?;
        }
        Ok(gate::open::<A>(self, &found.key, found.alias.as_ref(), particulars).await?)
    }

    /// Changes the key that `key_id` names: looks it up, opens the gate, lets `change` work on a copy of its record, and
    /// makes record and further writes durable in one batch. Looks again where somebody else was faster; writes nothing
    /// where nothing changed.
    ///
    /// # Errors
    /// As the lookup, the gate, `change` or the store says.
    pub async fn amend<A: Changing, T>(
        &mut self,
        key_id: &str,
        particulars: &Particulars<'_>,
        mut change: impl AsyncFnMut(&mut Amendment<'_, A>) -> Result<T, Refusal>,
    ) -> Result<(Arn, T), Refusal> {
        let service = self.service;
        let mut found = self.find_without_alias::<A>(key_id).await?;
        let mut turn = None;
        for attempt in 0..ATTEMPTS {
            let arn = *found.key.arn();
            if attempt == 1 {
                turn = service.change_turns().of(arn.key).await;
            }
            let snapshot = service.vault().snapshot().await.map_err(Refusal::from)?;
            let latest = service.key_at(&*snapshot, arn.region, arn.key).await.map_err(Refusal::from)?;
            found.key = latest.ok_or(LookupError::NoKey(arn.to_string()))?;
            let ready = gate::open::<A>(self, &found.key, None, particulars).await?;
            let record = ready.record().clone();
            let draft = Draft::new(service.vault());
            let mut amendment = Amendment { ready, record, draft, snapshot, service };
            let outcome = change(&mut amendment).await?;
            let Amendment { ready, record, mut draft, snapshot, .. } = amendment;
            if record != *ready.record() {
                let replaced = draft.replace_key(service, &*snapshot, ready.changing(), &record).await;
                replaced.map_err(Refusal::from)?;
            } else if !draft.is_empty() {
                let path = crate::space::key(arn.region, arn.key).map_err(VaultError::from)?;
                draft.require(&path, Some(ready.changing().version()));
            }
            if draft.is_empty() {
                return Ok((Arn(arn.to_string()), outcome));
            }
            match self.commit(draft).await {
                Ok(()) => return Ok((Arn(arn.to_string()), outcome)),
                Err(VaultError::Contended) => {}
                Err(error) => return Err(error.into()),
            }
        }
        drop(turn);
        Err(VaultError::Contended.into())
    }
}

/// The ARN of a key, as an answer carries it.
pub struct Arn(pub String);

/// A change in the making.
pub struct Amendment<'s, A> {
    /// The key, let through for `A`, as the store has it now.
    pub ready: Ready<'s, A>,
    /// What the record is to become.
    pub record: KeyRecord,
    /// What else is to be written.
    pub draft: Draft<'s>,
    snapshot: Arc<dyn Snapshot>,
    service: &'s Service,
}

impl<A> Amendment<'_, A> {
    /// Another record, from the same state of the store.
    ///
    /// # Errors
    /// Where the store cannot be read.
    pub async fn read<R: Record>(&self, path: &Path) -> Result<Option<Versioned<R>>, Refusal> {
        Ok(self.service.vault().read(&*self.snapshot, path).await?)
    }

    /// What all requests share.
    #[must_use]
    pub fn service(&self) -> &Service {
        self.service
    }

    /// The state of the store that the change is made from.
    #[must_use]
    pub fn snapshot(&self) -> &dyn Snapshot {
        &*self.snapshot
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.ready.id()
    }
}
