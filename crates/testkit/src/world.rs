//! The service and everything around it.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_attestation::Roots;
use keyreeve_audit::event::{Tls, Uuid};
use keyreeve_core::caller::User;
use keyreeve_core::commit::Draft;
use keyreeve_core::due::DueError;
use keyreeve_core::identity::issuer::{IssuerKeys, NoIssuers};
use keyreeve_core::identity::record::{AccountRecord, UserRecord};
use keyreeve_core::identity::space as identity;
use keyreeve_core::keyring::{DeploymentId, Keyring};
use keyreeve_core::offload::{AtOnce, Offload};
use keyreeve_core::quota::Quotas;
use keyreeve_core::request_rate::RequestRates;
use keyreeve_core::vault::{Vault, VaultError};
use keyreeve_core::{Caller, Principal, Service, ServiceOptions};
use keyreeve_crypto::asymmetric::{PublicKey, make_material};
use keyreeve_crypto::key::RootKey;
use keyreeve_crypto::random::{self, Random};
use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, KeyState, KeyUsage};
use keyreeve_domain::{AccountId, Region, Timestamp};
use keyreeve_kms::answer;
use keyreeve_store::conformance::block_on;
use keyreeve_store::faults::FaultyStore;
use keyreeve_store::memory::MemoryStore;
use keyreeve_store::{Batch, Entry, Path, Store};
use keyreeve_wire::Operation;
use serde_json::{Value, json};

use crate::bodies::{Fixture, ON_IMPORTED, ON_MULTI_REGION, body, spec_of};
use crate::random::SeededRandom;
use crate::rsa::made_before;
use crate::steps::StepStore;
use crate::trail::RecordingTrail;

/// An HTTP status and a body; null where there is none.
pub type Reply = (u16, Value);

const DEPLOYMENT: DeploymentId = [7; 16];
/// More keys than a test makes.
const CACHED_KEYS: usize = 1000;
const DAY: i64 = 86_400_000;

/// What the services of a world are started with: nothing is computed elsewhere or ahead.
fn options(quotas: Quotas, random: &Arc<SeededRandom>) -> ServiceOptions {
    let random = Arc::clone(random);
    ServiceOptions {
        quotas,
        request_rates: RequestRates::default(),
        cached_keys: CACHED_KEYS,
        counted_keys: 0,
        offload: Arc::new(AtOnce),
        ready_rsa_keys: 0,
        maker: Arc::new(move |spec| made_before(spec).unwrap_or_else(|| make_material(spec, &*random))),
        sm2: true,
        roots: Roots::aws_nitro(),
        regions: Vec::new(),
        issuers: Arc::new(NoIssuers),
    }
}

fn alice() -> User {
    User { name: "alice".to_owned(), path: "/".to_owned(), id: "AIDACKCEVSQ6C2EXAMPLE".to_owned() }
}

/// A service over a store in memory.
pub struct World {
    /// The store, with faults to be planned. What is below it never fails.
    pub store: FaultyStore<MemoryStore>,
    /// The store as the service has it.
    pub steps: StepStore<FaultyStore<MemoryStore>>,
    /// The service.
    pub service: Arc<Service>,
    /// The trail.
    pub trail: RecordingTrail,
    /// The root of the account whose keys these are.
    pub root: Caller,
    /// The root of another account.
    pub stranger: Caller,
    /// A user of the same account, whom nobody allowed anything.
    pub user: Caller,
    /// The Region that is called.
    pub region: Region,
    /// How requests come over TLS; not at all unless a test says so.
    pub tls: Option<Tls<'static>>,
    quotas: Quotas,
    random: Arc<SeededRandom>,
    root_key: RootKey,
    keyring: Vec<u8>,
    now: Cell<Timestamp>,
}

impl Default for World {
    fn default() -> Self {
        Self::with_quotas(Quotas::DEFAULT)
    }
}

impl World {
    /// A world under the quotas `quotas`, with an empty store.
    #[must_use]
    pub fn with_quotas(quotas: Quotas) -> Self {
        let random = Arc::new(SeededRandom::new(1));
        let root_key = RootKey::make(&*random).expect("a root key");
        let keyring = Keyring::make(DEPLOYMENT, &*random).and_then(|ring| ring.seal(&root_key, &*random));
        let keyring = keyring.expect("a keyring");
        let store = FaultyStore::new(MemoryStore::default());
        let steps = StepStore::new(store.clone());
        let own: AccountId = "111122223333".parse().expect("an account");
        let foreign = "444455556666".parse().expect("an account");
        let caller = |account, principal| Caller::new(account, principal, "AKIAEXAMPLE".to_owned());
        let opened = Keyring::open(DEPLOYMENT, &root_key, &keyring).expect("the keyring opens");
        let vault = Vault::new(Arc::new(steps.clone()), opened, random.clone());
        let world = Self {
            store,
            steps,
            service: Arc::new(Service::new(vault, options(quotas, &random))),
            trail: RecordingTrail::default(),
            root: caller(own, Principal::Root),
            stranger: caller(foreign, Principal::Root),
            user: caller(own, Principal::User(alice())),
            region: "us-east-1".parse().expect("a Region"),
            tls: None,
            quotas,
            random,
            root_key,
            keyring,
            now: Cell::new(Timestamp::from_millis(1_800_000_000_000)),
        };
        block_on(world.settle()).expect("the identities are kept");
        world
    }

    /// Keeps the accounts and the user.
    async fn settle(&self) -> Result<(), VaultError> {
        let mut draft = Draft::new(self.service.vault());
        for account in [self.root.account(), self.stranger.account()] {
            let record =
                AccountRecord { name: String::new(), created: self.now(), root_access_keys: Vec::new() };
            draft.put(&identity::account(account)?, None, &record)?;
        }
        let User { name, path, id } = alice();
        let record = UserRecord {
            id,
            path,
            created: self.now(),
            policies: Vec::new(),
            attached: Vec::new(),
            boundary: None,
            groups: Vec::new(),
            tags: Vec::new(),
            access_keys: Vec::new(),
            name,
        };
        draft.put(&identity::user(self.root.account(), &record.name)?, None, &record)?;
        self.service.commit(draft).await
    }

    /// Another service over the same store and keyring, with nothing cached and without faults.
    #[must_use]
    pub fn fresh_service(&self) -> Arc<Service> {
        let keyring = Keyring::open(DEPLOYMENT, &self.root_key, &self.keyring).expect("the keyring opens");
        self.service_under(keyring)
    }

    /// Another service over the same store, with its faults, and with nothing cached: as after a restart.
    #[must_use]
    pub fn restarted(&self) -> Arc<Service> {
        let keyring = Keyring::open(DEPLOYMENT, &self.root_key, &self.keyring).expect("the keyring opens");
        let vault = Vault::new(Arc::new(self.steps.clone()), keyring, self.random.clone());
        Arc::new(Service::new(vault, options(self.quotas, &self.random)))
    }

    /// Another service over the same store under a keyring of its own.
    #[must_use]
    pub fn service_of_another_keyring(&self) -> Arc<Service> {
        self.service_under(Keyring::make(DEPLOYMENT, &*self.random).expect("a keyring"))
    }

    /// Another service over the same store, which counts requests against `request_rates`.
    #[must_use]
    pub fn service_with_rates(&self, request_rates: RequestRates) -> Arc<Service> {
        let keyring = Keyring::open(DEPLOYMENT, &self.root_key, &self.keyring).expect("the keyring opens");
        let vault = Vault::new(Arc::new(self.store.inner().clone()), keyring, self.random.clone());
        let options = ServiceOptions { request_rates, ..options(self.quotas, &self.random) };
        Arc::new(Service::new(vault, options))
    }

    /// Another service over the same store, which has the keys of identity providers from `issuers`.
    #[must_use]
    pub fn service_with_issuers(&self, issuers: Arc<dyn IssuerKeys>) -> Arc<Service> {
        let keyring = Keyring::open(DEPLOYMENT, &self.root_key, &self.keyring).expect("the keyring opens");
        let vault = Vault::new(Arc::new(self.store.inner().clone()), keyring, self.random.clone());
        Arc::new(Service::new(vault, ServiceOptions { issuers, ..options(self.quotas, &self.random) }))
    }

    /// Another service over the same store, whose long work is done by `offload`.
    #[must_use]
    pub fn service_with_offload(&self, offload: Arc<dyn Offload>) -> Arc<Service> {
        let keyring = Keyring::open(DEPLOYMENT, &self.root_key, &self.keyring).expect("the keyring opens");
        let vault = Vault::new(Arc::new(self.store.inner().clone()), keyring, self.random.clone());
        Arc::new(Service::new(vault, ServiceOptions { offload, ..options(self.quotas, &self.random) }))
    }

    fn service_under(&self, keyring: Keyring) -> Arc<Service> {
        let store = Arc::new(self.store.inner().clone());
        let vault = Vault::new(store, keyring, self.random.clone());
        Arc::new(Service::new(vault, options(self.quotas, &self.random)))
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now.get()
    }

    /// Lets `days` pass.
    pub fn pass_days(&self, days: u32) {
        self.pass_millis(DAY * i64::from(days));
    }

    /// Lets `millis` milliseconds pass; fewer than 0 turn the clock back.
    pub fn pass_millis(&self, millis: i64) {
        self.now.set(self.now.get().plus_millis(millis));
    }

    /// Calls `operation` as the root of the account.
    pub fn call(&self, operation: Operation, body: Value) -> Reply {
        self.call_as(&self.root, operation, body)
    }

    /// Calls `operation` as `caller`.
    pub fn call_as(&self, caller: &Caller, operation: Operation, body: Value) -> Reply {
        block_on(self.request(&self.service, caller, operation, body))
    }

    /// Calls `operation` on a service of [`World::fresh_service`]; nothing of it comes into the trail.
    pub fn call_fresh(&self, operation: Operation, body: &Value) -> Reply {
        self.call_on(&self.fresh_service(), operation, body)
    }

    /// Calls `operation` on `service`; nothing of it comes into the trail.
    pub fn call_on(&self, service: &Arc<Service>, operation: Operation, body: &Value) -> Reply {
        let trail = RecordingTrail::default();
        block_on(self.recorded(service, &trail, &self.root, operation, body.clone()))
    }

    /// As [`World::call_as`] on `service`, as a future.
    pub async fn request(
        &self,
        service: &Arc<Service>,
        caller: &Caller,
        operation: Operation,
        body: Value,
    ) -> Reply {
        self.recorded(service, &self.trail, caller, operation, body).await
    }

    /// A request of `caller` for `operation`, whichever service it is of, as it comes to that service once it is authenticated.
    pub fn authenticated<'a, O>(
        &'a self,
        operation: O,
        caller: &'a Caller,
        begun: &'a Cell<bool>,
    ) -> keyreeve_core::request::Request<'a, O> {
        let id = || Uuid::from_random(random::array(self.random()).expect("random bytes"));
        keyreeve_core::request::Request {
            operation,
            caller,
            region: self.region,
            now: self.now(),
            request_id: id(),
            event_id: id(),
            source_ip: "127.0.0.1",
            user_agent: "testkit",
            tls: self.tls,
            begun,
        }
    }

    async fn recorded(
        &self,
        service: &Arc<Service>,
        trail: &RecordingTrail,
        caller: &Caller,
        operation: Operation,
        body: Value,
    ) -> Reply {
        let body = body.to_string();
        let begun = Cell::new(false);
        let request = self.authenticated(operation, caller, &begun);
        let answer = answer(service, trail, &request, body).await;
        let body = match answer.body.as_slice() {
            [] => Value::Null,
            body => serde_json::from_slice(body).expect("an answer is JSON"),
        };
        (answer.status, body)
    }

    /// Calls `operation`, which must succeed.
    pub fn done(&self, operation: Operation, body: Value) -> Value {
        let (status, answer) = self.call(operation, body.clone());
        assert_eq!(status, 200, "{operation} {body}: {answer}");
        answer
    }

    /// Does what is due.
    ///
    /// # Errors
    /// As [`Service::run_due`].
    pub fn run_due(&self) -> Result<usize, DueError> {
        block_on(self.service.run_due(&self.trail, self.now()))
    }

    /// The source of randomness.
    #[must_use]
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// Everything in the store.
    #[must_use]
    pub fn dump(&self) -> Vec<(Path, Entry)> {
        let snapshot = block_on(self.store.inner().snapshot()).expect("a snapshot");
        block_on(snapshot.range(b"", None, NonZeroUsize::MAX)).expect("all of it").entries
    }

    /// The paths of the store, as text, but for those of identities.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let all = self.dump().into_iter().map(|(path, _)| path.to_string());
        let identities = ["account/", "credential/", "iam/", "organization"];
        all.filter(|path| !identities.iter().any(|start| path.starts_with(start))).collect()
    }

    /// Writes into the store past the service, and forgets what is cached.
    pub fn tamper(&self, batch: Batch) {
        let revision = block_on(self.store.inner().commit(batch)).expect("the batch is taken");
        self.service.ring().clear(revision);
    }

    /// A new symmetric key, and its id.
    pub fn key(&self) -> String {
        self.key_of(KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt)
    }

    /// A new symmetric multi-Region primary key, and its id.
    pub fn multi_region_key(&self) -> String {
        let made = self.done(Operation::CreateKey, json!({"MultiRegion": true}));
        made.pointer("/KeyMetadata/KeyId").and_then(Value::as_str).expect("a key id").to_owned()
    }

    /// A new key, and its id.
    pub fn key_of(&self, spec: KeySpec, usage: KeyUsage) -> String {
        let made =
            self.done(Operation::CreateKey, json!({"KeySpec": spec.as_str(), "KeyUsage": usage.as_str()}));
        made.pointer("/KeyMetadata/KeyId").and_then(Value::as_str).expect("a key id").to_owned()
    }

    /// A new key that has imported material which does not expire, and what was imported: the token and the wrapped material.
    pub fn imported_key(&self, spec: KeySpec, usage: KeyUsage) -> (String, (String, String)) {
        let made = self.done(
            Operation::CreateKey,
            json!({"KeySpec": spec.as_str(), "KeyUsage": usage.as_str(), "Origin": "EXTERNAL"}),
        );
        let id = made.pointer("/KeyMetadata/KeyId").and_then(Value::as_str).expect("a key id").to_owned();
        let material = make_material(spec, &*self.random).expect("material");
        // EXPOSE: the material of a test is wrapped for an import.
        let import = self.wrapped_import(&id, material.expose());
        let (token, wrapped) = &import;
        self.done(
            Operation::ImportKeyMaterial,
            json!({
                "KeyId": id, "ImportToken": token, "EncryptedKeyMaterial": wrapped,
                "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
            }),
        );
        (id, import)
    }

    /// The token of an import into the key `id`, and `material` wrapped for it.
    pub fn wrapped_import(&self, id: &str, material: &[u8]) -> (String, String) {
        let request =
            json!({"KeyId": id, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"});
        Self::wrap(&self.done(Operation::GetParametersForImport, request), material)
    }

    /// The token of `parameters` for an import, and `material` wrapped for it.
    pub fn wrap(parameters: &Value, material: &[u8]) -> (String, String) {
        let member = |name| parameters.get(name).and_then(Value::as_str).expect("a blob");
        let public_key = STANDARD.decode(member("PublicKey")).expect("base64");
        let public_key = PublicKey::parse(KeySpec::Rsa2048, &public_key).expect("a public key");
        let wrapped = public_key.encrypt(EncryptionAlgorithm::RsaesOaepSha256, material).expect("it fits");
        (member("ImportToken").to_owned(), STANDARD.encode(wrapped))
    }

    /// A symmetric key in `state` and all that belongs to it. The trail is empty afterwards.
    pub fn fixture(&self, state: KeyState) -> Fixture {
        self.fixture_of(Operation::Encrypt, state)
    }

    /// A key in `state` of the kind that `operation` is called on, and all that belongs to it. The trail is empty
    /// afterwards.
    pub fn fixture_of(&self, operation: Operation, state: KeyState) -> Fixture {
        let (spec, usage) = spec_of(operation);
        // Only a key of imported material waits for it, and only one serves the operations on it.
        let is_external = ON_IMPORTED.contains(&operation) || state == KeyState::PendingImport;
        let (id, import) = match is_external {
            true => {
                let (id, import) = self.imported_key(spec, usage);
                (id, Some(import))
            }
            false if ON_MULTI_REGION.contains(&operation) => (self.multi_region_key(), None),
            false => (self.key_of(spec, usage), None),
        };
        if operation == Operation::UpdatePrimaryRegion && !is_external {
            self.done(Operation::ReplicateKey, json!({"KeyId": id, "ReplicaRegion": "eu-west-1"}));
        }
        let other = self.key();
        let arn = format!("arn:aws:kms:{}:{}:key/{id}", self.region, self.root.account());
        let (alias, other_alias) = (format!("alias/of-{id}"), format!("alias/of-{other}"));
        self.done(Operation::CreateAlias, json!({"AliasName": alias, "TargetKeyId": id}));
        self.done(Operation::CreateAlias, json!({"AliasName": other_alias, "TargetKeyId": other}));
        self.done(
            Operation::TagResource,
            json!({"KeyId": id, "Tags": [{"TagKey": "Project", "TagValue": "x"}]}),
        );
        if spec == KeySpec::SymmetricDefault && !is_external {
            self.done(Operation::EnableKeyRotation, json!({"KeyId": id}));
        }
        let (grant, ciphertext) = (String::new(), String::new());
        let mut of = Fixture { id, arn, alias, ciphertext, grant, other, other_alias, import };
        let granted = self.done(
            Operation::CreateGrant,
            json!({
                "KeyId": of.arn, "GranteePrincipal": self.root.arn(), "Operations": ["DescribeKey"],
                "RetiringPrincipal": self.root.arn(), "Name": "fixture",
            }),
        );
        of.grant = granted.get("GrantId").and_then(Value::as_str).expect("a grant").to_owned();
        let (makes, member) = match usage {
            KeyUsage::EncapsulateDecapsulate => (Operation::Encapsulate, "SharedSecretCiphertextBlob"),
            KeyUsage::EncryptDecrypt => (Operation::Encrypt, "CiphertextBlob"),
            KeyUsage::GenerateVerifyMac => (Operation::GenerateMac, "Mac"),
            KeyUsage::KeyAgreement => (Operation::GetPublicKey, "PublicKey"),
            KeyUsage::SignVerify => (Operation::Sign, "Signature"),
        };
        let made = self.done(makes, body(makes, &of));
        of.ciphertext = made.get(member).and_then(Value::as_str).expect("a blob").to_owned();
        if state == KeyState::Disabled {
            self.done(Operation::DisableKey, json!({"KeyId": of.id}));
        } else if [KeyState::PendingDeletion, KeyState::PendingReplicaDeletion].contains(&state) {
            self.done(Operation::ScheduleKeyDeletion, json!({"KeyId": of.id, "PendingWindowInDays": 7}));
        } else if state == KeyState::PendingImport {
            self.done(Operation::DeleteImportedKeyMaterial, json!({"KeyId": of.id}));
        } else {
            assert_eq!(state, KeyState::Enabled, "no key can be made so");
        }
        self.trail.drain();
        of
    }

    /// A key in the state in which `operation` succeeds and, for a change, changes it.
    pub fn fixture_for(&self, operation: Operation) -> Fixture {
        let state = if operation == Operation::CancelKeyDeletion {
            KeyState::PendingDeletion
        } else if operation == Operation::EnableKey {
            KeyState::Disabled
        } else {
            KeyState::Enabled
        };
        self.fixture_of(operation, state)
    }
}
