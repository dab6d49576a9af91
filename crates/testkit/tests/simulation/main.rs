//! Many clients at once, and whatever can go wrong: one seed decides who proceeds, what fails and when, and each answer is held
//! against what it may be.
//!
//! Requests stop at each snapshot, commit and record, and proceed in an order that the seed decides. Meanwhile commits are refused, lost
//! in races or done without an answer, reads fail, the trail fails, clients vanish, the clock jumps in both directions, what is due is
//! done, and the process is killed: what is in the store stays, and nothing else. A failing seed is named, and fails again:
//!
//! ```sh
//! KEYREEVE_SIMULATION_SEED=17 cargo test -p keyreeve-testkit --test simulation
//! KEYREEVE_SIMULATION_SEEDS=5000 cargo test -p keyreeve-testkit --test simulation
//! ```
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
#![expect(clippy::disallowed_methods, reason = "how long a test runs is said by the environment")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use keyreeve_audit::event::Uuid;
use keyreeve_core::Service;
use keyreeve_crypto::random;
use keyreeve_kms::{Request, answer};
use keyreeve_store::conformance::block_on;
use keyreeve_store::faults::CommitFault;
use keyreeve_store::{Refusal, Store, StoreFault, Watch};
use keyreeve_testkit::World;
use serde_json::Value;

use crate::chance::Chance;
use crate::model::{Ask, Asked, Model};
use crate::trail::SlowTrail;

mod chance;
mod model;
mod register;
mod trail;

const SEEDS: u64 = 20;
const LONG_SEEDS: u64 = 2000;
const STEPS: usize = 1500;
const ALIASES: usize = 3;
const AT_ONCE: usize = 6;
const HOUR: i64 = 3_600_000;

/// What happened in one run: how often each thing was answered or done to the service.
type Tally = BTreeMap<String, u64>;

type Answered = (u16, Value);

struct Task<'w> {
    asked: Asked,
    request_id: String,
    work: Pin<Box<dyn Future<Output = Answered> + 'w>>,
}

struct Simulation<'w> {
    chance: &'w Chance,
    world: &'w World,
    trail: &'w SlowTrail<'w>,
    service: Arc<Service>,
    tasks: Vec<Task<'w>>,
    model: Model,
    step: u64,
    /// What is told of changes of the store.
    watch: Box<dyn Watch>,
    /// The last answer.
    last: Answered,
    tally: Tally,
}

impl<'w> Simulation<'w> {
    fn count(&mut self, what: impl Into<String>) {
        *self.tally.entry(what.into()).or_default() += 1;
    }

    fn begin(&mut self, ask: Ask) {
        let asked = self.model.begin(ask, self.step, self.world.now().millis());
        let (world, trail, service) = (self.world, self.trail, Arc::clone(&self.service));
        let id = || Uuid::from_random(random::array(world.random()).unwrap());
        let (request_id, event_id) = (id(), id());
        let name = request_id.as_str().to_owned();
        let now = world.now();
        let work: Pin<Box<dyn Future<Output = Answered> + 'w>> = if matches!(asked.ask, Ask::RunDue(_)) {
            Box::pin(async move {
                let done = service.run_due(trail, now).await;
                (if done.is_ok() { 200 } else { 500 }, Value::Null)
            })
        } else {
            let (operation, body) = self.model.request(&asked.ask);
            let is_alice = matches!(asked.ask, Ask::EncryptAsAlice(_));
            Box::pin(async move {
                let request = Request {
                    operation,
                    caller: if is_alice { &world.user } else { &world.root },
                    region: world.region,
                    now,
                    request_id,
                    event_id,
                    source_ip: "127.0.0.1",
                    user_agent: "simulation",
                    tls: None,
                    begun: &Cell::new(false),
                };
                let answer = answer(&service, trail, &request, body.to_string()).await;
                let body = serde_json::from_slice(&answer.body).unwrap_or_default();
                (answer.status, body)
            })
        };
        self.tasks.push(Task { asked, request_id: name, work });
    }

    /// One more step of a task.
    fn proceed(&mut self, at: usize) -> Result<(), String> {
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready((status, body)) = self.tasks[at].work.as_mut().poll(&mut cx) else { return Ok(()) };
        let Task { asked, request_id, .. } = self.tasks.swap_remove(at);
        let told =
            |text: String| format!("{:?} from step {}: {text}; {status} {body}", asked.ask, asked.began);
        self.model.answered(&asked, self.step, status, &body).map_err(told)?;
        self.last = (status, body.clone());
        let name = format!("{:?}", asked.ask);
        let name = name.split('(').next().unwrap_or_default();
        self.count(format!(
            "{name} {}",
            body["__type"].as_str().unwrap_or(if status == 200 { "ok" } else { "failed" })
        ));
        if status >= 500 || matches!(asked.ask, Ask::RunDue(_)) {
            return Ok(());
        }
        let events = self.trail.of(&request_id);
        let completed =
            events.iter().filter(|event| event.pointer("/additionalEventData/recordPhase").is_none());
        let refused: Vec<_> = completed.map(|event| event.get("errorCode").is_some()).collect();
        match refused == [status != 200] {
            true => Ok(()),
            false => Err(told(format!("its events are {events:?}"))),
        }
    }

    fn lose(&mut self, at: usize) {
        let task = self.tasks.swap_remove(at);
        self.model.lose(&task.asked, self.step);
    }

    /// The process is killed, and another one started.
    fn kill(&mut self) {
        while !self.tasks.is_empty() {
            self.lose(0);
        }
        self.restart();
    }

    fn restart(&mut self) {
        self.service = self.world.restarted();
        self.watch = watch(self.world);
    }

    /// Tells the service of one more change, if there is one.
    fn follow(&mut self) -> bool {
        let next = self.watch.next();
        let mut next = pin!(next);
        let Poll::Ready(change) = next.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            return false;
        };
        let change = change.unwrap();
        let paths = change.changes.iter().map(|change| &change.path);
        self.service.ring().apply(change.revision, paths);
        true
    }

    /// Something that somebody asks for.
    fn any_ask(&self) -> Ask {
        let chance = self.chance;
        let keys = self.model.keys.len();
        if keys == 0 {
            return Ask::Create;
        }
        let (key, name) = (chance.index(keys), chance.index(ALIASES));
        match chance.below(30) {
            0 if keys < 5 => Ask::Create,
            1 | 2 => Ask::Disable(key),
            3 | 4 => Ask::Enable(key),
            5 => Ask::Schedule(key),
            6 | 7 => Ask::Cancel(key),
            8 | 9 => Ask::SetDescription(key, format!("at {}", self.step)),
            10 | 11 => Ask::SetTag(key, format!("at {}", self.step)),
            12 => Ask::PutPolicy(key, chance.one_in(2)),
            13 => Ask::CreateGrant(key),
            14 | 15 => match self.model.grants(key).as_slice() {
                [] => Ask::CreateGrant(key),
                grants => Ask::Revoke(key, grants[chance.index(grants.len())]),
            },
            16 => Ask::CreateAlias(name, key),
            17 => Ask::UpdateAlias(name, key),
            18 => Ask::DeleteAlias(name),
            19 | 20 => Ask::DescribeAlias(name),
            21 => Ask::Rotate(key),
            22 => Ask::ListTags(key),
            23 | 24 => Ask::EncryptAsAlice(key),
            25 | 26 => Ask::Describe(key),
            27 if !self.model.ciphertexts.is_empty() => {
                Ask::Decrypt(chance.index(self.model.ciphertexts.len()))
            }
            _ => Ask::Encrypt(key, format!("{:0>8}", self.step)),
        }
    }

    fn any_step(&mut self) -> Result<(), String> {
        self.step += 1;
        let chance = self.chance;
        match chance.below(200) {
            0 => {
                self.kill();
                self.count("killed");
            }
            1..=3 if !self.tasks.is_empty() => {
                self.lose(chance.index(self.tasks.len()));
                self.count("vanished");
            }
            4 => {
                let hours = i64::try_from(chance.below(60)).unwrap() - 10;
                self.world.pass_millis(hours * HOUR);
                self.count(if hours < 0 { "clock back" } else { "clock on" });
            }
            5..=7 => {
                let faults = [
                    CommitFault::Conflict,
                    CommitFault::Refuse(Refusal::Full),
                    CommitFault::Refuse(Refusal::ReadOnly),
                    CommitFault::UnknownAfter,
                    CommitFault::UnknownBefore,
                ];
                let fault = faults[chance.index(faults.len())];
                self.world.store.fail_commit(chance.below(3), fault);
                self.count(format!("{fault:?}"));
            }
            8 => {
                self.trail.failures.set(chance.below(6));
                self.count("trail fails");
            }
            9 => {
                self.world.store.fail_reads(Some(StoreFault::Timeout));
                self.count("reads fail");
            }
            10..=14 => self.world.store.fail_reads(None),
            15 | 16 => self.begin(Ask::RunDue(self.world.now().millis())),
            17..=40 => drop(self.follow()),
            _ if self.tasks.len() < AT_ONCE && (self.tasks.is_empty() || chance.one_in(4)) => {
                let ask = self.any_ask();
                self.begin(ask);
            }
            _ if !self.tasks.is_empty() => self.proceed(chance.index(self.tasks.len()))?,
            _ => {}
        }
        Ok(())
    }

    /// Everything works again: whoever waits is answered, and all that is known is looked at, as the service has it and as one that
    /// has nothing cached.
    fn end(&mut self) -> Result<(), String> {
        self.world.store.heal();
        self.trail.failures.set(0);
        self.finish()?;
        while self.follow() {}
        let cached = self.look()?;
        self.restart();
        let stored = self.look()?;
        match cached.into_iter().zip(stored).find(|(cached, stored)| cached != stored) {
            None => Ok(()),
            Some((cached, stored)) => {
                Err(format!("{cached:?} is answered from memory, but it is {stored:?}"))
            }
        }
    }

    /// All that can be asked about what is known, with the answers.
    fn look(&mut self) -> Result<Vec<(Ask, Answered)>, String> {
        let mut seen = Vec::new();
        let keys = 0..self.model.keys.len();
        let of_keys = keys.flat_map(|key| [Ask::Describe(key), Ask::ListTags(key), Ask::EncryptAsAlice(key)]);
        let ciphertexts = (0..self.model.ciphertexts.len()).map(Ask::Decrypt);
        let asks: Vec<_> = of_keys.chain((0..ALIASES).map(Ask::DescribeAlias)).chain(ciphertexts).collect();
        for ask in asks {
            self.step += 1;
            self.begin(ask.clone());
            self.finish()?;
            let (status, mut body) = std::mem::take(&mut self.last);
            // No ciphertext is like another.
            body.as_object_mut().unwrap().remove("CiphertextBlob");
            seen.push((ask, (status, body)));
        }
        Ok(seen)
    }

    fn finish(&mut self) -> Result<(), String> {
        for _ in 0..100_000 {
            self.step += 1;
            match self.tasks.len() {
                0 => return Ok(()),
                waiting => self.proceed(self.chance.index(waiting))?,
            }
        }
        Err(format!("{:?} is never answered", self.tasks[0].asked.ask))
    }
}

/// What is told of the changes of the store from now on.
fn watch(world: &World) -> Box<dyn Watch> {
    let store = world.store.inner();
    block_on(async { store.watch(store.snapshot().await.unwrap().revision()).await.unwrap() })
}

/// Runs one seed. What happened, or what cannot be.
fn run(seed: u64) -> Result<Tally, String> {
    let (chance, world) = (Chance::new(seed), World::default());
    let trail = SlowTrail::new(&chance);
    world.steps.set_stepping(true);
    world.steps.set_lingering(true);
    let mut simulation = Simulation {
        chance: &chance,
        world: &world,
        trail: &trail,
        service: world.restarted(),
        tasks: Vec::new(),
        model: Model::new(ALIASES),
        step: 0,
        watch: watch(&world),
        last: Answered::default(),
        tally: Tally::new(),
    };
    for _ in 0..STEPS {
        simulation.any_step()?;
    }
    simulation.end()?;
    world.steps.set_stepping(false);
    world.steps.set_lingering(false);
    world.assert_coherent(&format!("seed {seed}"));
    Ok(simulation.tally)
}

fn number(name: &str) -> Option<u64> {
    std::env::var_os(name).map(|text| text.to_str().unwrap().parse().unwrap())
}

#[test]
fn whatever_fails_every_answer_is_one_that_may_be() {
    let (first, count) = match number("KEYREEVE_SIMULATION_SEED") {
        Some(seed) => (seed, 1),
        None => {
            let is_long = std::env::var_os("KEYREEVE_TEST_LONG").is_some();
            let usual = if is_long { LONG_SEEDS } else { SEEDS };
            (0, number("KEYREEVE_SIMULATION_SEEDS").unwrap_or(usual))
        }
    };
    let mut all = Tally::new();
    for seed in first..first + count {
        let tally = run(seed).unwrap_or_else(|text| panic!("seed {seed}: {text}"));
        for (what, times) in tally {
            *all.entry(what).or_default() += times;
        }
    }
    println!("{all:#?}");
}

#[test]
fn a_seed_does_the_same_each_time() {
    assert_eq!(run(7), run(7));
}
