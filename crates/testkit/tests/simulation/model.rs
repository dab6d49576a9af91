//! What was asked, what was answered, and whether the two can be true.

use keyreeve_wire::Operation;
use serde_json::{Value, json};

use crate::register::{Outcome, Register};

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
const ROOT: &str = "arn:aws:iam::111122223333:root";
/// What a key waits for at least, in milliseconds.
const WAITING: i64 = 7 * 86_400_000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    Disabled,
    Enabled,
    Gone,
    PendingDeletion,
}

/// What a key is known to be.
pub(crate) struct Key {
    pub(crate) id: String,
    state: Register<State>,
    description: Register<String>,
    tag: Register<Option<String>>,
    /// Whether the key policy lets alice encrypt.
    open: Register<bool>,
    grants: Vec<Grant>,
    /// The earliest time at which it may have been due.
    due: Option<i64>,
}

struct Grant {
    id: Option<String>,
    exists: Register<bool>,
}

/// What is asked for; keys, aliases, grants and ciphertexts by number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ask {
    Cancel(usize),
    Create,
    CreateAlias(usize, usize),
    CreateGrant(usize),
    Decrypt(usize),
    DeleteAlias(usize),
    Describe(usize),
    DescribeAlias(usize),
    Disable(usize),
    Enable(usize),
    Encrypt(usize, String),
    EncryptAsAlice(usize),
    ListTags(usize),
    PutPolicy(usize, bool),
    Revoke(usize, usize),
    Rotate(usize),
    RunDue(i64),
    Schedule(usize),
    SetDescription(usize, String),
    SetTag(usize, String),
    UpdateAlias(usize, usize),
}

/// A request on its way.
pub(crate) struct Asked {
    pub(crate) ask: Ask,
    pub(crate) began: u64,
    /// Its write, by number, in the register that it writes to.
    write: Option<usize>,
    /// The writes of a run of what is due, each with the key or the alias.
    due: Due,
}

#[derive(Default)]
struct Due {
    keys: Vec<(usize, usize)>,
    aliases: Vec<(usize, usize)>,
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) keys: Vec<Key>,
    pub(crate) aliases: Vec<Register<Option<usize>>>,
    /// Of which key, of what, and the ciphertext.
    pub(crate) ciphertexts: Vec<(usize, String, String)>,
}

pub(crate) fn alias(number: usize) -> String {
    format!("alias/a{number}")
}

impl Model {
    pub(crate) fn new(aliases: usize) -> Self {
        Self { aliases: (0..aliases).map(|_| Register::new(None)).collect(), ..Self::default() }
    }

    pub(crate) fn grants(&self, key: usize) -> Vec<usize> {
        let grants = self.keys[key].grants.iter().enumerate();
        grants.filter(|(_, grant)| grant.id.is_some()).map(|(at, _)| at).collect()
    }

    /// The request for `ask`.
    pub(crate) fn request(&self, ask: &Ask) -> (Operation, Value) {
        let id = |key: &usize| self.keys[*key].id.as_str();
        match ask {
            Ask::Cancel(key) => (Operation::CancelKeyDeletion, json!({"KeyId": id(key)})),
            Ask::Create => (Operation::CreateKey, json!({})),
            Ask::CreateAlias(name, key) => {
                (Operation::CreateAlias, json!({"AliasName": alias(*name), "TargetKeyId": id(key)}))
            }
            Ask::CreateGrant(key) => (
                Operation::CreateGrant,
                json!({"KeyId": id(key), "GranteePrincipal": ALICE, "Operations": ["Encrypt"]}),
            ),
            Ask::Decrypt(ciphertext) => {
                (Operation::Decrypt, json!({"CiphertextBlob": self.ciphertexts[*ciphertext].2}))
            }
            Ask::DeleteAlias(name) => (Operation::DeleteAlias, json!({"AliasName": alias(*name)})),
            Ask::Describe(key) => (Operation::DescribeKey, json!({"KeyId": id(key)})),
            Ask::DescribeAlias(name) => (Operation::DescribeKey, json!({"KeyId": alias(*name)})),
            Ask::Disable(key) => (Operation::DisableKey, json!({"KeyId": id(key)})),
            Ask::Enable(key) => (Operation::EnableKey, json!({"KeyId": id(key)})),
            Ask::Encrypt(key, plaintext) => {
                (Operation::Encrypt, json!({"KeyId": id(key), "Plaintext": plaintext}))
            }
            Ask::EncryptAsAlice(key) => (Operation::Encrypt, json!({"KeyId": id(key), "Plaintext": "AAAA"})),
            Ask::ListTags(key) => (Operation::ListResourceTags, json!({"KeyId": id(key)})),
            Ask::PutPolicy(key, open) => {
                (Operation::PutKeyPolicy, json!({"KeyId": id(key), "Policy": policy(*open)}))
            }
            Ask::Revoke(key, grant) => {
                let grant = &self.keys[*key].grants[*grant].id;
                (Operation::RevokeGrant, json!({"KeyId": id(key), "GrantId": grant}))
            }
            Ask::Rotate(key) => (Operation::RotateKeyOnDemand, json!({"KeyId": id(key)})),
            Ask::RunDue(_) => unreachable!("no request"),
            Ask::Schedule(key) => {
                (Operation::ScheduleKeyDeletion, json!({"KeyId": id(key), "PendingWindowInDays": 7}))
            }
            Ask::SetDescription(key, text) => {
                (Operation::UpdateKeyDescription, json!({"KeyId": id(key), "Description": text}))
            }
            Ask::SetTag(key, text) => (
                Operation::TagResource,
                json!({"KeyId": id(key), "Tags": [{"TagKey": "k", "TagValue": text}]}),
            ),
            Ask::UpdateAlias(name, key) => {
                (Operation::UpdateAlias, json!({"AliasName": alias(*name), "TargetKeyId": id(key)}))
            }
        }
    }

    /// Notes that `ask` is on its way.
    pub(crate) fn begin(&mut self, ask: Ask, began: u64, now: i64) -> Asked {
        let keys = &mut self.keys;
        let mut due = Due::default();
        let write = match &ask {
            Ask::Cancel(key) | Ask::Disable(key) => Some(keys[*key].state.begin(State::Disabled, began)),
            Ask::Enable(key) => Some(keys[*key].state.begin(State::Enabled, began)),
            Ask::Schedule(key) => {
                let key = &mut keys[*key];
                key.due = Some(key.due.map_or(now + WAITING, |due| due.min(now + WAITING)));
                Some(key.state.begin(State::PendingDeletion, began))
            }
            Ask::SetDescription(key, text) => Some(keys[*key].description.begin(text.clone(), began)),
            Ask::SetTag(key, text) => Some(keys[*key].tag.begin(Some(text.clone()), began)),
            Ask::PutPolicy(key, open) => Some(keys[*key].open.begin(*open, began)),
            Ask::CreateGrant(key) => {
                let mut exists = Register::new(false);
                let write = exists.begin(true, began);
                keys[*key].grants.push(Grant { id: None, exists });
                Some(keys[*key].grants.len() * 8 + write)
            }
            Ask::Revoke(key, grant) => Some(keys[*key].grants[*grant].exists.begin(false, began)),
            Ask::CreateAlias(name, key) | Ask::UpdateAlias(name, key) => {
                Some(self.aliases[*name].begin(Some(*key), began))
            }
            Ask::DeleteAlias(name) => Some(self.aliases[*name].begin(None, began)),
            Ask::RunDue(now) => {
                for (at, key) in keys.iter_mut().enumerate() {
                    if key.due.is_some_and(|due| due <= *now) {
                        due.keys.push((at, key.state.begin(State::Gone, began)));
                    }
                }
                if !due.keys.is_empty() {
                    let aliases = self.aliases.iter_mut().enumerate();
                    due.aliases = aliases.map(|(at, alias)| (at, alias.begin(None, began))).collect();
                }
                None
            }
            Ask::Create
            | Ask::Decrypt(_)
            | Ask::Describe(_)
            | Ask::DescribeAlias(_)
            | Ask::Encrypt(..)
            | Ask::EncryptAsAlice(_)
            | Ask::ListTags(_)
            | Ask::Rotate(_) => None,
        };
        Asked { ask, began, write, due }
    }

    /// Notes how the write of a request ended.
    fn settle(&mut self, asked: &Asked, at: u64, outcome: Outcome) {
        for (key, write) in &asked.due.keys {
            self.keys[*key].state.settle(*write, at, Outcome::Unsure);
        }
        for (alias, write) in &asked.due.aliases {
            self.aliases[*alias].settle(*write, at, Outcome::Unsure);
        }
        let Some(write) = asked.write else { return };
        match &asked.ask {
            Ask::Cancel(key) | Ask::Disable(key) | Ask::Enable(key) | Ask::Schedule(key) => {
                self.keys[*key].state.settle(write, at, outcome);
            }
            Ask::SetDescription(key, _) => self.keys[*key].description.settle(write, at, outcome),
            Ask::SetTag(key, _) => self.keys[*key].tag.settle(write, at, outcome),
            Ask::PutPolicy(key, _) => self.keys[*key].open.settle(write, at, outcome),
            Ask::CreateGrant(key) => {
                self.keys[*key].grants[write / 8 - 1].exists.settle(write % 8, at, outcome);
            }
            Ask::Revoke(key, grant) => self.keys[*key].grants[*grant].exists.settle(write, at, outcome),
            Ask::CreateAlias(name, _) | Ask::UpdateAlias(name, _) | Ask::DeleteAlias(name) => {
                self.aliases[*name].settle(write, at, outcome);
            }
            Ask::Create
            | Ask::Decrypt(_)
            | Ask::Describe(_)
            | Ask::DescribeAlias(_)
            | Ask::Encrypt(..)
            | Ask::EncryptAsAlice(_)
            | Ask::ListTags(_)
            | Ask::Rotate(_)
            | Ask::RunDue(_) => unreachable!("it has no write"),
        }
    }

    /// Nobody will ever be told how a request ended.
    pub(crate) fn lose(&mut self, asked: &Asked, at: u64) {
        self.settle(asked, at, Outcome::Unsure);
    }

    /// Checks an answer. The text says what cannot be.
    pub(crate) fn answered(
        &mut self,
        asked: &Asked,
        at: u64,
        status: u16,
        body: &Value,
    ) -> Result<(), String> {
        let code = body["__type"].as_str().unwrap_or_default();
        let outcome = match status {
            200 => Outcome::Done,
            400 => Outcome::Refused,
            _ => Outcome::Unsure,
        };
        self.settle(asked, at, outcome);
        if outcome == Outcome::Unsure {
            return Ok(());
        }
        let span = (asked.began, at);
        let own = asked.write;
        match (&asked.ask, status, code) {
            (Ask::RunDue(_), ..) => Ok(()),
            (Ask::Create, 200, _) => {
                let id = body["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
                self.keys.push(Key {
                    id,
                    state: Register::new(State::Enabled),
                    description: Register::new(String::new()),
                    tag: Register::new(None),
                    open: Register::new(false),
                    grants: Vec::new(),
                    due: None,
                });
                Ok(())
            }
            (Ask::Decrypt(of), 200, _) => {
                let (key, plaintext, _) = &self.ciphertexts[*of];
                if body["Plaintext"].as_str() != Some(plaintext) {
                    return Err(format!("{} is not {plaintext}", body["Plaintext"]));
                }
                self.expect(*key, span, None, &[State::Enabled])
            }
            // Whether a ciphertext has a key that is gone is not told.
            (Ask::Decrypt(of), 400, "AccessDeniedException") => {
                self.expect(self.ciphertexts[*of].0, span, None, &[State::Gone])
            }
            (Ask::Decrypt(of), 400, code) => self.expect(self.ciphertexts[*of].0, span, None, states(code)?),
            (Ask::Encrypt(key, plaintext), 200, _) => {
                let ciphertext = body["CiphertextBlob"].as_str().unwrap().to_owned();
                self.ciphertexts.push((*key, plaintext.clone(), ciphertext));
                self.expect(*key, span, None, &[State::Enabled])
            }
            (Ask::Rotate(key), 200, _) => self.expect(*key, span, None, &[State::Enabled]),
            (Ask::Rotate(_), 400, "LimitExceededException" | "ConflictException") => Ok(()),
            (Ask::EncryptAsAlice(key), 400, "AccessDeniedException") => self.may_alice(*key, span, false),
            (Ask::EncryptAsAlice(key), status, code) => {
                let states = if status == 200 { &[State::Enabled][..] } else { states(code)? };
                self.expect(*key, span, None, states)?;
                // That a key of the account is gone is told before anybody is asked what he may.
                if states == [State::Gone] { Ok(()) } else { self.may_alice(*key, span, true) }
            }
            (Ask::Describe(key), 200, _) => {
                let seen = &body["KeyMetadata"];
                let state = match seen["KeyState"].as_str().unwrap() {
                    "Enabled" => State::Enabled,
                    "Disabled" => State::Disabled,
                    "PendingDeletion" => State::PendingDeletion,
                    other => return Err(format!("no state of this key: {other}")),
                };
                self.expect(*key, span, None, &[state])?;
                let description = seen["Description"].as_str().unwrap();
                let is = self.keys[*key].description.may_be(span, None, |text| text == description);
                if is { Ok(()) } else { Err(format!("the description cannot be {description:?}")) }
            }
            (Ask::ListTags(key), 200, _) => {
                let tag = body.pointer("/Tags/0/TagValue").and_then(Value::as_str);
                let is = self.keys[*key].tag.may_be(span, None, |text| text.as_deref() == tag);
                if is { Ok(()) } else { Err(format!("the tag cannot be {tag:?}")) }
            }
            (Ask::DescribeAlias(name), 200, _) => {
                let id = body["KeyMetadata"]["KeyId"].as_str().unwrap();
                let key = self.keys.iter().position(|key| key.id == id);
                let key = key.ok_or("the key of the alias is not known")?;
                need(
                    self.alias_may(*name, span, own, |target| target == Some(key)),
                    "the alias cannot be of this key",
                )
            }
            (Ask::DescribeAlias(name) | Ask::DeleteAlias(name), 400, "NotFoundException") => {
                need(self.alias_may(*name, span, own, |target| target.is_none()), "the alias is lost")
            }
            (Ask::DeleteAlias(name), 200, _) => {
                need(self.alias_may(*name, span, own, |target| target.is_some()), "there was no alias")
            }
            (Ask::CreateAlias(name, _), 400, "AlreadyExistsException") => {
                need(self.alias_may(*name, span, own, |target| target.is_some()), "there is no alias")
            }
            (Ask::CreateAlias(name, _), 200, _) => {
                need(self.alias_may(*name, span, own, |target| target.is_none()), "the alias was there")
            }
            (Ask::UpdateAlias(name, _), 200, _) => {
                need(self.alias_may(*name, span, own, |target| target.is_some()), "there was no alias")
            }
            (Ask::UpdateAlias(name, key), 400, "NotFoundException") => {
                let none = self.alias_may(*name, span, own, |target| target.is_none());
                if none { Ok(()) } else { self.expect(*key, span, None, &[State::Gone]) }
            }
            (Ask::CreateGrant(key), 200, _) => {
                let grant = &mut self.keys[*key].grants[own.unwrap() / 8 - 1];
                grant.id = Some(body["GrantId"].as_str().unwrap().to_owned());
                self.expect(*key, span, None, &[State::Enabled, State::Disabled])
            }
            (Ask::Revoke(key, grant), 400, "NotFoundException") => {
                let revoked = self.keys[*key].grants[*grant].exists.may_be(span, own, |exists| !exists);
                if revoked { Ok(()) } else { self.expect(*key, span, None, &[State::Gone]) }
            }
            (Ask::Revoke(key, grant), 200, _) => {
                let existed = self.keys[*key].grants[*grant].exists.may_be(span, own, |exists| *exists);
                need(existed, "there was no grant")
            }
            (Ask::Cancel(key), 200, _) => self.expect(*key, span, own, &[State::PendingDeletion]),
            (Ask::Cancel(key), 400, "KMSInvalidStateException") => {
                self.expect(*key, span, own, &[State::Enabled, State::Disabled])
            }
            (Ask::Enable(key) | Ask::Disable(key) | Ask::Schedule(key), 200, _) => {
                self.expect(*key, span, own, &[State::Enabled, State::Disabled])
            }
            (Ask::Enable(key) | Ask::Disable(key) | Ask::Schedule(key), 400, code) => {
                self.expect(*key, span, own, states(code)?)
            }
            (Ask::SetDescription(key, _) | Ask::SetTag(key, _), 200, _) => {
                self.expect(*key, span, None, &[State::Enabled, State::Disabled])
            }
            (Ask::PutPolicy(key, _), 200, _) => {
                self.expect(*key, span, None, &[State::Enabled, State::Disabled, State::PendingDeletion])
            }
            (
                Ask::Cancel(key)
                | Ask::CreateAlias(_, key)
                | Ask::CreateGrant(key)
                | Ask::Describe(key)
                | Ask::Encrypt(key, _)
                | Ask::ListTags(key)
                | Ask::PutPolicy(key, _)
                | Ask::Rotate(key)
                | Ask::Revoke(key, _)
                | Ask::SetDescription(key, _)
                | Ask::SetTag(key, _)
                | Ask::UpdateAlias(_, key),
                400,
                code,
            ) => self.expect(*key, span, None, states(code)?),
            (ask, ..) => Err(format!("{ask:?} is never answered {status} {body}")),
        }
    }

    /// Whether the key may have been in one of `states`.
    fn expect(
        &mut self,
        key: usize,
        span: (u64, u64),
        own: Option<usize>,
        states: &[State],
    ) -> Result<(), String> {
        let state = &mut self.keys[key].state;
        if !state.may_be(span, own, |state| states.contains(state)) {
            return Err(format!("key {key} cannot have been {states:?}"));
        }
        if states == [State::Gone] {
            state.confirm(span.1, |state| *state == State::Gone);
        }
        Ok(())
    }

    /// Whether an alias may have had such a target.
    fn alias_may(
        &self,
        alias: usize,
        span: (u64, u64),
        own: Option<usize>,
        like: impl Fn(Option<usize>) -> bool,
    ) -> bool {
        self.aliases[alias].may_be(span, own, |target| like(*target))
    }

    /// Whether alice may have been allowed, or not allowed, to encrypt.
    fn may_alice(&self, key: usize, span: (u64, u64), allowed: bool) -> Result<(), String> {
        let key = &self.keys[key];
        let open = |open: bool| key.open.may_be(span, None, |seen| *seen == open);
        let mut grants = key.grants.iter().map(|grant| &grant.exists);
        let is = match allowed {
            true => open(true) || grants.any(|exists| exists.may_be(span, None, |exists| *exists)),
            false => open(false) && grants.all(|exists| exists.may_be(span, None, |exists| !exists)),
        };
        need(
            is,
            if allowed {
                "alice was allowed what nothing gave her"
            } else {
                "alice was refused what is hers"
            },
        )
    }
}

fn need(is: bool, text: &str) -> Result<(), String> {
    if is { Ok(()) } else { Err(text.to_owned()) }
}

/// The states in which a key is refused like this.
fn states(code: &str) -> Result<&'static [State], String> {
    match code {
        "DisabledException" => Ok(&[State::Disabled]),
        "KMSInvalidStateException" => Ok(&[State::PendingDeletion]),
        "NotFoundException" => Ok(&[State::Gone]),
        code => Err(format!("no answer here: {code}")),
    }
}

fn policy(open: bool) -> String {
    let mut statements = vec![json!({
        "Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*",
    })];
    if open {
        statements.push(json!({
            "Effect": "Allow", "Principal": {"AWS": ALICE}, "Action": "kms:Encrypt", "Resource": "*",
        }));
    }
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}
