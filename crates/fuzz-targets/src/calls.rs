//! Sequences of calls: bytes become requests of several callers to every service, in two Regions, under a clock that moves.
//!
//! What each answer must be in itself is judged where it is asked for ([`crate::asker`]); what it must be after all that went before
//! is judged by a model ([`model`]). At the end every index agrees with the records, and what is answered from memory is what the store
//! holds.

mod given;
mod model;

use std::sync::Arc;

use keyreeve_core::check::check;
use keyreeve_core::identity::record::UniqueRecord;
use keyreeve_core::identity::space;
use keyreeve_core::{Caller, Service};
use keyreeve_domain::Region;
use keyreeve_observe::Operation as Audit;
use keyreeve_observe::cloudwatch::rounds;
use keyreeve_store::conformance::block_on;
use keyreeve_testkit::{Has, World};
use keyreeve_wire::cloudwatch::Operation as Monitoring;
use keyreeve_wire::rpc::Protocol;
use keyreeve_wire::{Operation, iam, model as kms_model, sts};
use serde_json::{Value, json};

use crate::archive::{SmallArchive, names};
use crate::asked::Waves;
use crate::asker::{Answer, Asker};
use crate::bytes::Bytes;
pub(crate) use given::percent;
use given::{Pool, form};
use model::{Exchange, Model, Standing, State};

const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
/// Steps of a sequence, at most.
const MOST: usize = 60;
const HOUR: i64 = 3_600_000;

/// Any bytes as a sequence of calls.
pub fn api_calls(data: &[u8]) {
    let mut run = Run::new();
    let mut bytes = Bytes::new(data);
    for _ in 0..MOST {
        if bytes.is_empty() {
            break;
        }
        run.step(&mut bytes);
    }
    run.end();
}

struct Run {
    world: World,
    service: Arc<Service>,
    callers: Vec<(Caller, Standing)>,
    pool: Pool,
    model: Model,
}

impl Run {
    fn new() -> Self {
        let world = World::default();
        let carol = world.user_with(world.root.account(), "carol", Has::allowed("kms:*", "*"));
        // The kit makes its users past IAM, without this.
        for (id, name) in [("AIDACKCEVSQ6C2EXAMPLE", "alice"), ("AIDAcarol", "carol")] {
            let unique =
                UniqueRecord { account: world.root.account(), is_role: false, name: name.to_owned() };
            world.keep(&space::unique(id).expect("a path"), &unique);
        }
        let callers = vec![
            (world.root.clone(), Standing::Root),
            (world.stranger.clone(), Standing::Root),
            (world.user.clone(), Standing::Nobody),
            (carol, Standing::User),
        ];
        let pool = Pool::new(world.now().millis());
        let service = Arc::clone(&world.service);
        let mut run = Self { world, service, callers, pool, model: Model::default() };
        // A key that is there, with an alias: short inputs get somewhere.
        run.kms(0, REGIONS[0], Operation::CreateKey, b"{}");
        if let Some(arn) = run.model.keys.first().map(|key| key.arn.clone()) {
            let body = json!({"AliasName": "alias/a", "TargetKeyId": arn}).to_string();
            run.kms(0, REGIONS[0], Operation::CreateAlias, body.as_bytes());
        }
        run
    }

    fn step(&mut self, bytes: &mut Bytes<'_>) {
        let what = bytes.byte();
        // Mostly whoever owns the first key.
        let who = [0, 0, 0, 0, 1, 1, 2, 3].get(bytes.below(8)).copied().unwrap_or_default();
        let region = *bytes.one_of(&["us-east-1", "us-east-1", "eu-west-1"]);
        match what % 16 {
            0..=8 => {
                let model = kms_model();
                let operation = bytes.one_of(model);
                let mut request = self.pool.request(operation.input, bytes);
                self.wrap_material(who, region, operation.operation, &mut request);
                self.kms(who, region, operation.operation, request.to_string().as_bytes());
            }
            9 => {
                let operation = bytes.one_of(kms_model());
                let mut body = self.pool.request(operation.input, bytes).to_string().into_bytes();
                Bytes::new(bytes.counted()).edit(&mut body);
                self.kms(who, region, operation.operation, &body);
            }
            10 => {
                let operation = bytes.one_of(Operation::ALL);
                let body = bytes.counted();
                self.kms(who, region, *operation, body);
            }
            11 => self.pass(bytes),
            12 | 13 => self.identity(who, region, bytes),
            14 => self.observe(who, region, bytes),
            _ => self.service = self.world.restarted(),
        }
    }

    fn asker(&self, who: usize, region: &str) -> Asker<'_> {
        let region: Region = region.parse().expect("a Region");
        let caller = self.callers.get(who).map_or(&self.world.root, |(caller, _)| caller);
        let secrets = self.pool.secrets();
        Asker { world: &self.world, service: &self.service, caller, region, secrets }
    }

    fn kms(&mut self, who: usize, region: &str, operation: Operation, body: &[u8]) -> Answer {
        let answer = self.asker(who, region).kms(operation, body);
        let (caller, standing) = self.callers.get(who).cloned().expect("somebody");
        let account = caller.account().to_string();
        let exchange = Exchange { account: &account, region, standing, operation, body, answer: &answer };
        self.model.judge(&exchange);
        if answer.is_done() {
            self.pool.learn(&answer.json());
        }
        answer
    }

    /// Puts material under the key of a real import into a request, where there can be one.
    fn wrap_material(&mut self, who: usize, region: &str, operation: Operation, request: &mut Value) {
        if operation != Operation::ImportKeyMaterial {
            return;
        }
        let parameters = json!({
            "KeyId": request.get("KeyId"), "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048",
        });
        let parameters = parameters.to_string();
        let answer = self.kms(who, region, Operation::GetParametersForImport, parameters.as_bytes());
        if let (true, Some(members)) = (answer.is_done(), request.as_object_mut()) {
            let (token, wrapped) = World::wrap(&answer.json(), &[0x42; 32]);
            members.insert("ImportToken".to_owned(), json!(token));
            members.insert("EncryptedKeyMaterial".to_owned(), json!(wrapped));
        }
    }

    /// Lets time pass, or turns the clock back, and does what is due.
    fn pass(&mut self, bytes: &mut Bytes<'_>) {
        let by = match bytes.byte() {
            hours @ 0..=23 => HOUR * i64::from(hours),
            back @ 24..=33 => -HOUR * i64::from(back - 23),
            days => HOUR * 24 * i64::from(days % 40),
        };
        self.world.pass_millis(by);
        let now = self.world.now();
        self.pool.set_now(now.millis());
        while block_on(self.service.run_due(&self.world.trail, now)).expect("what is due is done") > 0 {}
        block_on(rounds::evaluate(&self.service, &Waves, now, now)).expect("alarms are judged");
        self.model.pass(now.millis());
        drop(self.world.trail.drain());
    }

    fn identity(&mut self, who: usize, region: &str, bytes: &mut Bytes<'_>) {
        let iam = iam::Operation::ALL.iter().map(|operation| keyreeve_identity::Operation::Iam(*operation));
        let sts = sts::Operation::ALL.iter().map(|operation| keyreeve_identity::Operation::Sts(*operation));
        let all: Vec<_> = iam.chain(sts).collect();
        let operation = *bytes.one_of(&all);
        let members = match operation {
            keyreeve_identity::Operation::Iam(operation) => operation.model().input,
            keyreeve_identity::Operation::Sts(operation) => operation.model().input,
        };
        let request = self.pool.request(members, bytes);
        let mut form = form(members, &request);
        if bytes.byte() > 250 {
            Bytes::new(bytes.counted()).edit(&mut form);
        }
        self.asker(who, region).identity(operation, &form);
    }

    fn observe(&mut self, who: usize, region: &str, bytes: &mut Bytes<'_>) {
        if bytes.byte().is_multiple_of(4) {
            let all: Vec<_> = Audit::CLOUDTRAIL.into_iter().chain(Audit::LOGS).collect();
            let (operation, body) = (*bytes.one_of(&all), bytes.counted());
            let names = names();
            self.asker(who, region).auditor(operation, (&names, &SmallArchive), body);
            return;
        }
        let operation = *bytes.one_of(Monitoring::ALL);
        let members = operation.model().input;
        let request = self.pool.request(members, bytes);
        let (protocol, body) = match bytes.byte() % 2 {
            0 => (Protocol::Json, request.to_string().into_bytes()),
            _ => (Protocol::Query, form(members, &request)),
        };
        let answer = self.asker(who, region).monitoring(operation, &Waves, (protocol, &body));
        if let (true, Protocol::Json) = (answer.is_done(), protocol) {
            self.pool.learn(&answer.json());
        }
    }

    /// What must hold in the end.
    fn end(mut self) {
        for key in self.model.keys.clone() {
            let own = |(caller, standing): &(Caller, Standing)| {
                caller.account().to_string() == key.account && *standing == Standing::Root
            };
            let who = self.callers.iter().position(own).expect("an owner");
            let body = json!({"KeyId": key.arn}).to_string();
            let answer = self.kms(who, &key.region, Operation::DescribeKey, body.as_bytes());
            let fresh = self.world.fresh_service();
            let again = Asker { service: &fresh, ..self.asker(who, &key.region) };
            assert_eq!(again.kms(Operation::DescribeKey, body.as_bytes()), answer, "{key:?}");
            let shown = answer.json();
            let shown = shown.pointer("/KeyMetadata/KeyState").and_then(Value::as_str);
            // A policy may keep its own account out.
            if let Some(state) = key.state.filter(|_| shown.is_some() || !key.is_open) {
                assert_eq!(shown, state.name(), "{key:?}: {}", answer.json());
            }
            if key.state == Some(State::Gone) {
                assert_eq!(shown, None, "{key:?}");
            }
        }
        let vault = self.service.vault();
        let snapshot = block_on(vault.snapshot()).expect("a snapshot");
        let mut found = Vec::new();
        block_on(check(vault, &*snapshot, &mut |finding| found.push(finding))).expect("the store is read");
        assert_eq!(found, []);
    }
}
