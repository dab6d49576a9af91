//! The life of keys against a model: generated sequences over several keys, Regions and accounts and a moving clock.
//!
//! The model is written from the state table and the rules of the developer guide, not from the service; where the two part, one of them
//! is wrong. Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::collections::BTreeMap;

use keyreeve_core::Caller;
use keyreeve_testkit::World;
use keyreeve_wire::Operation::{self, *};
use proptest::prelude::*;
use serde_json::{Value, json};

const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-southeast-2"];
const DAY: i64 = 86_400_000;
/// No rotation on demand so shortly before an automatic one.
const QUIET: i64 = 20 * 60 * 1000;

/// One step; a key is the number of one that was made, and stands for its key in the Region of the step.
#[derive(Clone, Debug)]
enum Step {
    Create { multi_region: bool, external: bool, account: usize },
    On { key: usize, region: usize, action: Action },
    Pass { days: u32 },
}

#[derive(Clone, Copy, Debug)]
enum Action {
    CancelDeletion,
    Decrypt,
    DeleteMaterial,
    Disable,
    DisableRotation,
    Enable,
    EnableRotation { days: u32 },
    Encrypt,
    Import { valid_days: Option<u32> },
    MovePrimary { to: usize },
    Replicate { to: usize },
    Rotate,
    Schedule { days: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let days = prop_oneof![Just(7_u32), Just(11), Just(30)];
    let action = prop_oneof![
        2 => Just(Action::CancelDeletion),
        3 => Just(Action::Decrypt),
        1 => Just(Action::DeleteMaterial),
        1 => Just(Action::Disable),
        1 => Just(Action::DisableRotation),
        2 => Just(Action::Enable),
        1 => prop_oneof![Just(90_u32), Just(100)].prop_map(|days| Action::EnableRotation { days }),
        3 => Just(Action::Encrypt),
        2 => prop::option::of(1_u32..40).prop_map(|valid_days| Action::Import { valid_days }),
        2 => (0..REGIONS.len()).prop_map(|to| Action::MovePrimary { to }),
        3 => (0..REGIONS.len()).prop_map(|to| Action::Replicate { to }),
        2 => Just(Action::Rotate),
        2 => days.prop_map(|days| Action::Schedule { days }),
    ];
    prop_oneof![
        2 => (any::<bool>(), prop::bool::weighted(0.3), 0_usize..2)
            .prop_map(|(multi_region, external, account)| Step::Create { multi_region, external, account }),
        16 => (0_usize..6, 0..REGIONS.len(), action).prop_map(|(key, region, action)| Step::On { key, region, action }),
        2 => prop_oneof![1_u32..12, Just(31), Just(95)].prop_map(|days| Step::Pass { days }),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Enabled,
    Disabled,
    PendingDeletion { at: i64 },
    PendingReplicaDeletion { days: u32 },
}

/// One key in one Region.
#[derive(Clone, Debug)]
struct One {
    state: State,
    /// Whether imported material is there, and until when.
    material: Option<Option<i64>>,
}

/// A key, or all that are related.
#[derive(Clone, Debug)]
struct Key {
    id: String,
    account: usize,
    external: bool,
    multi_region: bool,
    primary: usize,
    /// By Region.
    keys: BTreeMap<usize, One>,
    /// The order in which replica keys were made.
    replicas: Vec<usize>,
    /// Period and next time.
    rotation: Option<(u32, i64)>,
    versions: usize,
    /// Whether material was ever imported.
    has_material_id: bool,
    ciphertexts: Vec<String>,
}

impl Key {
    fn is_pending_import(&self, region: usize, now: i64) -> bool {
        let present = |valid: Option<i64>| valid.is_none_or(|valid| now < valid);
        self.external && !self.keys[&region].material.is_some_and(present)
    }

    fn shown(&self, region: usize, now: i64) -> &'static str {
        match self.keys[&region].state {
            State::Enabled | State::Disabled if self.is_pending_import(region, now) => "PendingImport",
            State::Enabled => "Enabled",
            State::Disabled => "Disabled",
            State::PendingDeletion { .. } => "PendingDeletion",
            State::PendingReplicaDeletion { .. } => "PendingReplicaDeletion",
        }
    }
}

/// What a refusal is called, or nothing where it is none.
type End = Option<&'static str>;

const INVALID_STATE: End = Some("KMSInvalidStateException");
const DISABLED: End = Some("DisabledException");
const UNSUPPORTED: End = Some("UnsupportedOperationException");

/// As most operations end on a key in a state.
fn usable(state: &str) -> End {
    match state {
        "Enabled" => None,
        "Disabled" => DISABLED,
        _ => INVALID_STATE,
    }
}

/// How `action` ends on the key of `region`, and what it changes.
fn model(key: &mut Key, region: usize, action: Action, now: i64) -> End {
    let state = key.shown(region, now);
    let is_pending_deletion = state.starts_with("Pending") && state.ends_with("Deletion");
    let is_primary = !key.multi_region || key.primary == region;
    let one = key.keys.get_mut(&region).unwrap();
    match action {
        Action::CancelDeletion if !is_pending_deletion => return INVALID_STATE,
        Action::CancelDeletion => one.state = State::Disabled,
        Action::Encrypt | Action::Decrypt => return usable(state),
        Action::DeleteMaterial if !key.external => return UNSUPPORTED,
        // A key that waits for its deletion keeps its state.
        Action::DeleteMaterial => one.material = None,
        Action::Disable | Action::Enable => match state {
            "Enabled" | "Disabled" => {
                one.state = if matches!(action, Action::Disable) { State::Disabled } else { State::Enabled };
            }
            _ => return INVALID_STATE,
        },
        Action::EnableRotation { .. } | Action::DisableRotation => {
            match state {
                "Enabled" => {}
                "PendingImport" => return UNSUPPORTED,
                other => return usable(other),
            }
            if key.external || !is_primary {
                return UNSUPPORTED;
            }
            if let Action::EnableRotation { days } = action {
                if key.rotation.is_none_or(|(period, _)| period != days) {
                    key.rotation = Some((days, now + i64::from(days) * DAY));
                }
            } else {
                key.rotation = None;
            }
        }
        Action::Import { .. } if is_pending_deletion => return INVALID_STATE,
        Action::Import { .. } if !key.external => return UNSUPPORTED,
        Action::Import { valid_days } => {
            one.material = Some(valid_days.map(|days| now + i64::from(days) * DAY));
            one.state = State::Enabled;
            key.has_material_id = true;
        }
        Action::Replicate { to } | Action::MovePrimary { to } => {
            if let Some(refused) = usable(state) {
                return Some(refused);
            }
            let replicates = matches!(action, Action::Replicate { .. });
            if !key.multi_region || replicates && !is_primary {
                return UNSUPPORTED;
            }
            if !is_primary {
                return INVALID_STATE;
            }
            if to == region {
                return if replicates { Some("ValidationException") } else { None };
            }
            if replicates {
                if key.replicas.contains(&to) {
                    return Some("AlreadyExistsException");
                }
                key.replicas.push(to);
                key.keys.insert(to, One { state: State::Enabled, material: None });
                return None;
            }
            if !key.replicas.contains(&to) {
                return Some("ValidationException");
            }
            if let Some(refused) = usable(key.shown(to, now)) {
                return Some(refused);
            }
            let place = key.replicas.iter().position(|replica| *replica == to).unwrap();
            key.replicas[place] = region;
            key.primary = to;
        }
        Action::Rotate => {
            if let Some(refused) = usable(state) {
                return Some(refused);
            }
            if !is_primary {
                return UNSUPPORTED;
            }
            if key.rotation.is_some_and(|(_, next)| next - now <= QUIET) {
                return Some("ConflictException");
            }
            if key.external {
                return INVALID_STATE;
            }
            key.versions += 1;
        }
        Action::Schedule { .. } if is_pending_deletion => return INVALID_STATE,
        Action::Schedule { days } => {
            one.state = match key.multi_region && is_primary && !key.replicas.is_empty() {
                true => State::PendingReplicaDeletion { days },
                false => State::PendingDeletion { at: now + i64::from(days) * DAY },
            };
        }
    }
    None
}

/// Lets the keys become what the time makes of them.
fn pass(keys: &mut [Key], now: i64) {
    for key in keys {
        // What is due is done in the order of time; a replica key that goes may let its primary key begin to wait.
        loop {
            let over = |one: &One| matches!(one.state, State::PendingDeletion { at } if at <= now);
            let Some(region) = key.keys.iter().find(|(_, one)| over(one)).map(|(region, _)| *region) else {
                break;
            };
            key.keys.remove(&region);
            key.replicas.retain(|replica| *replica != region);
            if let Some(primary) = key.keys.get_mut(&key.primary)
                && let (State::PendingReplicaDeletion { days }, true) =
                    (primary.state, key.replicas.is_empty())
            {
                primary.state = State::PendingDeletion { at: now + i64::from(days) * DAY };
            }
        }
        let is_enabled = key.keys.get(&key.primary).is_some_and(|one| one.state == State::Enabled);
        if let Some((period, next)) = key.rotation.filter(|(_, next)| is_enabled && *next <= now) {
            key.versions += 1;
            let following = next + i64::from(period) * DAY;
            key.rotation =
                Some((period, if following > now { following } else { now + i64::from(period) * DAY }));
        }
        for one in key.keys.values_mut() {
            one.material = one.material.filter(|valid| valid.is_none_or(|valid| now < valid));
        }
    }
}

struct Run {
    world: World,
    keys: Vec<Key>,
}

impl Run {
    fn caller(&self, account: usize) -> Caller {
        if account == 0 { self.world.root.clone() } else { self.world.stranger.clone() }
    }

    fn call(&mut self, account: usize, region: usize, operation: Operation, body: Value) -> (u16, Value) {
        self.world.region = REGIONS[region].parse().unwrap();
        self.world.call_as(&self.caller(account), operation, body)
    }

    fn request(&mut self, key: &Key, region: usize, action: Action) -> (u16, Value) {
        let id = key.id.as_str();
        let on = |operation| (operation, json!({"KeyId": id}));
        let (operation, body) = match action {
            Action::CancelDeletion => on(CancelKeyDeletion),
            Action::DeleteMaterial => on(DeleteImportedKeyMaterial),
            Action::Disable => on(DisableKey),
            Action::DisableRotation => on(DisableKeyRotation),
            Action::Enable => on(EnableKey),
            Action::EnableRotation { days } => {
                (EnableKeyRotation, json!({"KeyId": id, "RotationPeriodInDays": days}))
            }
            Action::Encrypt => (Encrypt, json!({"KeyId": id, "Plaintext": "YQ=="})),
            Action::Decrypt => match key.ciphertexts.last() {
                Some(sealed) => (Decrypt, json!({"KeyId": id, "CiphertextBlob": sealed})),
                None => (Encrypt, json!({"KeyId": id, "Plaintext": "YQ=="})),
            },
            Action::Import { valid_days } => {
                let (token, wrapped) = self.import_parameters(key, region);
                let mut body = json!({"KeyId": id, "ImportToken": token, "EncryptedKeyMaterial": wrapped});
                match valid_days {
                    Some(days) => {
                        body["ValidTo"] = json!(self.world.now().plus_days(days).millis() as f64 / 1000.0);
                    }
                    None => body["ExpirationModel"] = json!("KEY_MATERIAL_DOES_NOT_EXPIRE"),
                }
                (ImportKeyMaterial, body)
            }
            Action::MovePrimary { to } => {
                (UpdatePrimaryRegion, json!({"KeyId": id, "PrimaryRegion": REGIONS[to]}))
            }
            Action::Replicate { to } => (ReplicateKey, json!({"KeyId": id, "ReplicaRegion": REGIONS[to]})),
            Action::Rotate => on(RotateKeyOnDemand),
            Action::Schedule { days } => {
                (ScheduleKeyDeletion, json!({"KeyId": id, "PendingWindowInDays": days}))
            }
        };
        self.call(key.account, region, operation, body)
    }

    /// The same material for one key, whenever it is imported.
    fn import_parameters(&mut self, key: &Key, region: usize) -> (String, String) {
        let parameters = json!({
            "KeyId": key.id, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048",
        });
        let (status, answer) = self.call(key.account, region, GetParametersForImport, parameters);
        if status != 200 {
            // Whatever is refused here is refused of the import, too.
            return ("YQ==".to_owned(), "YQ==".to_owned());
        }
        World::wrap(&answer, &[u8::try_from(key.id.len()).unwrap(); 32])
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Create { multi_region, external, account } => {
                let origin = if external { "EXTERNAL" } else { "AWS_KMS" };
                let (status, made) =
                    self.call(account, 0, CreateKey, json!({"MultiRegion": multi_region, "Origin": origin}));
                assert_eq!(status, 200, "{made}");
                self.keys.push(Key {
                    id: made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned(),
                    account,
                    external,
                    multi_region,
                    primary: 0,
                    keys: BTreeMap::from([(0, One { state: State::Enabled, material: None })]),
                    replicas: Vec::new(),
                    rotation: None,
                    versions: 1,
                    has_material_id: false,
                    ciphertexts: Vec::new(),
                });
            }
            Step::Pass { days } => {
                self.world.pass_days(days);
                while self.world.run_due().unwrap() > 0 {}
                pass(&mut self.keys, self.world.now().millis());
            }
            Step::On { key, region, action } => {
                let Some(mut key) = self.keys.get(key).cloned() else { return };
                let now = self.world.now().millis();
                let answer = self.request(&key, region, action);
                let expected = match key.keys.contains_key(&region) {
                    true => model(&mut key, region, action, now),
                    false => Some("NotFoundException"),
                };
                let (status, answer) = answer;
                let ended = if status == 200 { None } else { answer["__type"].as_str() };
                assert_eq!(ended, expected, "{action:?} in {} on {key:?}: {answer}", REGIONS[region]);
                if let Some(sealed) = answer["CiphertextBlob"].as_str() {
                    key.ciphertexts.push(sealed.to_owned());
                }
                let place = self.keys.iter().position(|held| held.id == key.id).unwrap();
                self.keys[place] = key;
            }
        }
    }

    /// Whether every key is what the model says.
    fn check(&mut self) {
        let now = self.world.now().millis();
        for key in self.keys.clone() {
            for (region, name) in REGIONS.iter().enumerate() {
                let (status, seen) = self.call(key.account, region, DescribeKey, json!({"KeyId": key.id}));
                let Some(_) = key.keys.get(&region) else {
                    assert_eq!(status, 400, "{key:?} in {}", name);
                    continue;
                };
                let seen = &seen["KeyMetadata"];
                assert_eq!(seen["KeyState"], key.shown(region, now), "{key:?} in {}", name);
                let replicas = seen["MultiRegionConfiguration"]["ReplicaKeys"].as_array();
                let replicas: Vec<_> =
                    replicas.into_iter().flatten().map(|replica| replica["Region"].clone()).collect();
                let expected: Vec<_> = key.replicas.iter().map(|replica| json!(REGIONS[*replica])).collect();
                assert_eq!(replicas, expected, "{key:?}");
                if key.external {
                    continue;
                }
                let all = json!({"KeyId": key.id, "IncludeKeyMaterial": "ALL_KEY_MATERIAL", "Limit": 1000});
                let (_, rotations) = self.call(key.account, region, ListKeyRotations, all);
                assert_eq!(rotations["Rotations"].as_array().unwrap().len(), key.versions, "{key:?}");
                if key.shown(region, now) == "Enabled" {
                    for sealed in &key.ciphertexts {
                        let opened =
                            self.call(key.account, region, Decrypt, json!({"CiphertextBlob": sealed}));
                        assert_eq!(opened.0, 200, "{key:?} in {}: {}", name, opened.1);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn keys_live_as_the_model_says(steps in prop::collection::vec(step(), 1..50)) {
        let mut run = Run { world: World::default(), keys: Vec::new() };
        run.step(&Step::Create { multi_region: true, external: false, account: 0 });
        run.step(&Step::Create { multi_region: false, external: true, account: 1 });
        for step in &steps {
            run.step(step);
        }
        run.check();
        run.world.assert_coherent("the end");
    }
}
