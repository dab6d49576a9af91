//! What a search through the log group may cost, and where it is done.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]

use core::future::{Future as _, ready};
use core::task::{Context, Poll, Waker};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use keyreeve_core::offload::{AtOnce, FullError, Job, Lane, Offload, Patience};
use keyreeve_core::{Caller, Service};
use keyreeve_domain::AccountId;
use keyreeve_observe::archive::{
    Archive, Found, Object, ObjectInfo, Place, PublicKey, Reply, Status, Wanted,
};
use keyreeve_observe::layout::TrailNames;
use keyreeve_observe::{Answer, Operation, answer_json};
use keyreeve_store::conformance::block_on;
use keyreeve_testkit::World;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Searches are counted for the whole process: here one test at a time makes them.
static ALONE: Mutex<()> = Mutex::new(());

/// So many events of so many bytes.
struct Events(u64, usize);

impl Archive for Events {
    fn lookup(&self, wanted: Wanted) -> Reply<'_, Vec<Found>> {
        let from = wanted.after.map_or(1, |after| after.sequence + 1);
        let found = (from..=self.0).map(|sequence| Found {
            place: Place { time: 1_800_000_000_000, stream: "w0".to_owned(), sequence },
            json: format!(r#"{{"eventID":"{sequence}","padding":"{}"}}"#, "x".repeat(self.1)).into_bytes(),
        });
        Box::pin(ready(Ok(found.take(wanted.limit).collect())))
    }

    fn list(&self, _: String, _: String, _: usize) -> Reply<'_, Vec<ObjectInfo>> {
        Box::pin(ready(Ok(Vec::new())))
    }

    fn object(&self, _: String) -> Reply<'_, Option<Object>> {
        Box::pin(ready(Ok(None)))
    }

    fn public_keys(&self) -> Vec<PublicKey> {
        Vec::new()
    }

    fn status(&self, _: AccountId) -> Status {
        Status::default()
    }
}

/// Counts the jobs of the lane for what takes milliseconds.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Offload for Counting {
    fn run(&self, lane: Lane, job: Job) -> Result<(), FullError> {
        if lane == Lane::Operations {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        AtOnce.run(lane, job)
    }

    fn patience(&self) -> Patience {
        AtOnce.patience()
    }
}

/// Takes every job and does none.
#[derive(Default)]
struct Never(Mutex<Vec<Job>>);

impl Offload for Never {
    fn run(&self, _: Lane, job: Job) -> Result<(), FullError> {
        self.0.lock().push(job);
        Ok(())
    }

    fn patience(&self) -> Patience {
        AtOnce.patience()
    }
}

/// Takes no job.
struct Full;

impl Offload for Full {
    fn run(&self, _: Lane, _: Job) -> Result<(), FullError> {
        Err(FullError)
    }

    fn patience(&self) -> Patience {
        AtOnce.patience()
    }
}

async fn search(
    (world, service, caller): (&World, &Service, &Caller),
    events: &Events,
    body: Value,
) -> (Answer, Value) {
    let begun = Cell::new(false);
    let request = world.authenticated(Operation::FilterLogEvents, caller, &begun);
    let names = TrailNames {
        trail: "keyreeve".to_owned(),
        bucket: "keyreeve-trail".to_owned(),
        prefix: String::new(),
        kms_key: None,
        home: world.region,
    };
    let mut body = body;
    body["logGroupName"] = json!("CloudTrail/KMS");
    let body = body.to_string();
    let answer = answer_json(service, &world.trail, &request, (&names, events), body.as_bytes()).await;
    let said = serde_json::from_slice(&answer.body).unwrap();
    (answer, said)
}

#[test]
fn events_are_held_against_a_pattern_elsewhere_in_jobs_that_are_bounded() {
    let _alone = ALONE.lock();
    let world = World::default();
    for (events, pattern, jobs) in [
        (Events(5, 100), "", 0),
        (Events(5, 100), "padding", 1),
        (Events(5, 100), "{ $.padding = x* }", 1),
        // One event is more than a job holds.
        (Events(5, 90_000), "%x{300}y|padding%", 5),
        // Five in each, and a page has a mebibyte of them.
        (Events(20, 90_000), "padding", 3),
    ] {
        let offload = Arc::new(Counting::default());
        let service = world.service_with_offload(Arc::clone(&offload) as _);
        let asked = (&world, &*service, &world.root);
        let (answer, said) = block_on(search(asked, &events, json!({"filterPattern": pattern})));
        assert_eq!(answer.status, 200, "{pattern}: {said}");
        assert!(said["events"][4]["message"].to_string().contains("eventID\\\":\\\"5"), "{pattern}: {said}");
        assert_eq!(offload.0.load(Ordering::Relaxed), jobs, "{pattern}");
    }
}

#[test]
fn a_page_ends_early_where_events_are_long_however_cheap_each_term_is() {
    let _alone = ALONE.lock();
    let world = World::default();
    let asked = (&world, &*world.service, &world.root);
    // None of them is anywhere, and the first one that must be there ends the search in an event: it is paid for all the same.
    let terms: Vec<String> = (0..200).map(|number| format!("n{number}")).collect();
    let mut body = json!({"filterPattern": terms.join(" ")});
    let mut pages = 0;
    loop {
        let (answer, said) = block_on(search(asked, &Events(40, 100_000), body.clone()));
        assert_eq!((answer.status, &said["events"]), (200, &json!([])));
        pages += 1;
        let Some(next) = said.get("nextToken") else { break };
        body["nextToken"] = next.clone();
    }
    assert_eq!(pages, 3, "2^28 steps are fourteen events");
}

#[test]
fn few_searches_are_in_hand_at_once_and_one_that_is_given_up_makes_room() {
    let _alone = ALONE.lock();
    let world = World::default();
    let never = world.service_with_offload(Arc::new(Never::default()));
    let events = Events(1, 10);
    let asked = (&world, &*never, &world.root);
    let begin = || Box::pin(search(asked, &events, json!({"filterPattern": "padding"})));
    let mut cx = Context::from_waker(Waker::noop());
    let mut waiting = Vec::new();
    let refused = loop {
        let mut search = begin();
        match search.as_mut().poll(&mut cx) {
            Poll::Pending => waiting.push(search),
            Poll::Ready((answer, said)) => break (answer.status, said),
        }
    };
    assert_eq!(waiting.len(), 8);
    assert_eq!(refused, (400, json!({"__type": "ThrottlingException", "message": "Rate exceeded"})));
    drop(waiting.pop());
    let mut search = begin();
    assert!(search.as_mut().poll(&mut cx).is_pending());
}

#[test]
fn a_search_that_finds_no_room_among_the_jobs_is_one_too_many() {
    let _alone = ALONE.lock();
    let world = World::default();
    let service = world.service_with_offload(Arc::new(Full));
    let asked = (&world, &*service, &world.root);
    let pattern = |pattern: &str| json!({"filterPattern": pattern});
    let (answer, _) = block_on(search(asked, &Events(1, 10), pattern("padding")));
    assert_eq!((answer.status, answer.error), (400, Some("ThrottlingException")));
    let (answer, _) = block_on(search(asked, &Events(1, 10), pattern("")));
    assert_eq!(answer.status, 200, "nothing is to be looked for");
}

#[test]
fn a_pattern_is_made_ready_for_those_alone_who_may_search() {
    let _alone = ALONE.lock();
    let world = World::default();
    let offload = Arc::new(Counting::default());
    let service = world.service_with_offload(Arc::clone(&offload) as _);
    let asked = (&world, &*service, &world.user);
    let (answer, _) = block_on(search(asked, &Events(5, 100), json!({"filterPattern": "%x{200}%"})));
    assert_eq!(answer.error, Some("AccessDeniedException"));
    assert_eq!(offload.0.load(Ordering::Relaxed), 0);
}
