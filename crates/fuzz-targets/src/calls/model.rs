//! What keys are, as far as answers say: the judge of a sequence of calls.
//!
//! Written from the state table and the rules of the developer guide, not from the service: it knows less than the service, and holds what
//! it knows against every answer. Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>.
#![expect(clippy::wildcard_enum_match_arm, reason = "it follows some operations alone")]

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_wire::Operation;
use keyreeve_wire::json::{Json, Object, parse};
use serde_json::Value;

use crate::asker::Answer;

/// The state of a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    Disabled,
    Enabled,
    /// It was deleted.
    Gone,
    PendingDeletion {
        at: i64,
    },
    PendingImport,
}

impl State {
    /// As DescribeKey has it; nothing where there is no key any more.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Disabled => Some("Disabled"),
            Self::Enabled => Some("Enabled"),
            Self::Gone => None,
            Self::PendingDeletion { .. } => Some("PendingDeletion"),
            Self::PendingImport => Some("PendingImport"),
        }
    }
}

/// A key that was made.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) arn: String,
    pub(crate) account: String,
    pub(crate) region: String,
    /// Its state; none where the model does not follow it.
    pub(crate) state: Option<State>,
    /// Its material comes from outside.
    is_external: bool,
    /// Its policy is no longer the default one, or a grant was made: others than its owner may use it.
    pub(crate) is_open: bool,
}

/// What was encrypted: the plaintext, where it is known, and the encryption context.
type Sealed = (Option<Vec<u8>>, BTreeMap<String, String>);

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Standing {
    /// A user without any policy.
    Nobody,
    /// The root user of an account.
    Root,
    /// A user who may do whatever KMS does.
    User,
}

/// A request of KMS and its answer.
pub(crate) struct Exchange<'a> {
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
    pub(crate) standing: Standing,
    pub(crate) operation: Operation,
    pub(crate) body: &'a [u8],
    pub(crate) answer: &'a Answer,
}

/// All that is known.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) keys: Vec<Key>,
    aliases: BTreeMap<(String, String, String), String>,
    sealed: BTreeMap<Vec<u8>, Sealed>,
}

/// The operations that use the material of a key.
const USES: [Operation; 15] = [
    Operation::Decapsulate,
    Operation::Decrypt,
    Operation::DeriveSharedSecret,
    Operation::Encapsulate,
    Operation::Encrypt,
    Operation::GenerateDataKey,
    Operation::GenerateDataKeyPair,
    Operation::GenerateDataKeyPairWithoutPlaintext,
    Operation::GenerateDataKeyWithoutPlaintext,
    Operation::GenerateMac,
    Operation::ReEncrypt,
    Operation::RotateKeyOnDemand,
    Operation::Sign,
    Operation::Verify,
    Operation::VerifyMac,
];

fn text<'a>(body: &'a Object<'_>, name: &str) -> Option<&'a str> {
    match body.get(name)? {
        Json::Text(text) => Some(text),
        Json::Bool(_) | Json::Float(_) | Json::Integer(_) | Json::List(_) | Json::Null | Json::Object(_) => {
            None
        }
    }
}

fn context(body: &Object<'_>, name: &str) -> BTreeMap<String, String> {
    let Some(Json::Object(pairs)) = body.get(name) else { return BTreeMap::new() };
    let pairs = pairs.iter().filter_map(|(name, _)| Some((name.to_owned(), text(pairs, name)?.to_owned())));
    pairs.collect()
}

fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("what the service took is base64")
}

impl Model {
    /// The key that `name` names for a caller of `account` in `region`.
    fn find(&self, name: &str, account: &str, region: &str) -> Option<usize> {
        let alias = |account: &str, region: &str, name: &str| {
            self.aliases.get(&(account.to_owned(), region.to_owned(), name.to_owned())).cloned()
        };
        let arn = if name.starts_with("arn:") {
            let parts: Vec<_> = name.splitn(6, ':').collect();
            let [_, _, _, region, account, resource] = parts.as_slice() else { return None };
            if resource.starts_with("alias/") { alias(account, region, resource)? } else { name.to_owned() }
        } else if name.starts_with("alias/") {
            alias(account, region, name)?
        } else {
            format!("arn:aws:kms:{region}:{account}:key/{name}")
        };
        self.keys.iter().position(|key| key.arn == arn)
    }

    /// Lets the keys become what the time makes of them.
    pub(crate) fn pass(&mut self, now: i64) {
        for key in &mut self.keys {
            if matches!(key.state, Some(State::PendingDeletion { at }) if at <= now) {
                key.state = Some(State::Gone);
                self.aliases.retain(|_, target| *target != key.arn);
            }
        }
    }

    /// Holds an exchange against what is known, and learns from it.
    pub(crate) fn judge(&mut self, exchange: &Exchange<'_>) {
        let Exchange { account, region, operation, .. } = *exchange;
        if !exchange.answer.is_done() {
            return;
        }
        let empty = Object::from(Vec::new());
        let parsed = parse(exchange.body);
        let body = match &parsed {
            Ok(Json::Object(body)) => body,
            _ => &empty,
        };
        let answer = exchange.answer.json();
        let is_open = self.keys.iter().any(|key| key.is_open);
        assert!(exchange.standing != Standing::Nobody || is_open, "{operation}: nobody was let through");
        if operation == Operation::CreateKey {
            return self.created(body, &answer, exchange);
        }
        let named = if operation == Operation::ReEncrypt { "DestinationKeyId" } else { "KeyId" };
        let said = answer.get("KeyId").and_then(Value::as_str).filter(|said| said.starts_with("arn:"));
        let given = text(body, named).or(text(body, "TargetKeyId"));
        let used = given.and_then(|name| self.find(name, account, region));
        let answered = said.and_then(|said| self.keys.iter().position(|key| key.arn == said));
        if let (Some(used), Some(answered), true) = (used, answered, operation != Operation::ReEncrypt) {
            assert_eq!(used, answered, "{operation} used another key: {answer}");
        }
        if let Some(at) = used.or(answered) {
            self.on_key(at, &answer, exchange);
        }
        self.ciphertexts(body, &answer, operation);
        let own = |name: &str| (account.to_owned(), region.to_owned(), name.to_owned());
        if let Some(alias) = text(body, "AliasName") {
            if operation == Operation::DeleteAlias {
                assert!(self.aliases.remove(&own(alias)).is_some(), "{alias} was deleted and never made");
            } else if let Some(key) = used.and_then(|at| self.keys.get(at)) {
                self.aliases.insert(own(alias), key.arn.clone());
            }
        }
    }

    fn created(&mut self, body: &Object<'_>, answer: &Value, exchange: &Exchange<'_>) {
        let made = answer.get("KeyMetadata").unwrap_or(&Value::Null);
        let arn = made.get("Arn").and_then(Value::as_str).expect("a key has an ARN").to_owned();
        let is_multi_region = made.get("MultiRegion") == Some(&Value::Bool(true));
        let state = match text(body, "Origin") {
            _ if is_multi_region => None,
            Some("EXTERNAL") => Some(State::PendingImport),
            _ => Some(State::Enabled),
        };
        let (account, region) = (exchange.account.to_owned(), exchange.region.to_owned());
        let is_external = text(body, "Origin") == Some("EXTERNAL");
        self.keys.push(Key {
            arn,
            account,
            region,
            state,
            is_external,
            is_open: text(body, "Policy").is_some(),
        });
    }

    fn on_key(&mut self, at: usize, answer: &Value, exchange: &Exchange<'_>) {
        let Exchange { operation, account, standing, .. } = *exchange;
        let Some(key) = self.keys.get_mut(at) else { return };
        let is_own = key.account == account && standing != Standing::Nobody;
        assert!(is_own || key.is_open, "{operation} by {standing:?} of {account} on {key:?}");
        assert_ne!(key.state, Some(State::Gone), "{operation} on {key:?}");
        if USES.contains(&operation) {
            assert!(key.state.is_none_or(|state| state == State::Enabled), "{operation} on {key:?}");
        }
        let is_waiting = matches!(key.state, Some(State::PendingDeletion { .. }));
        match operation {
            Operation::DisableKey | Operation::EnableKey => {
                let is_switch =
                    key.state.is_none_or(|state| matches!(state, State::Disabled | State::Enabled));
                assert!(is_switch, "{operation} on {key:?}");
                let becomes =
                    if operation == Operation::EnableKey { State::Enabled } else { State::Disabled };
                key.state = key.state.map(|_| becomes);
            }
            Operation::ScheduleKeyDeletion => {
                assert!(!is_waiting, "{operation} on {key:?}");
                let at = answer.get("DeletionDate").and_then(Value::as_f64).map(|seconds| seconds * 1000.0);
                let at = at.and_then(|at| format!("{at:.0}").parse().ok());
                key.state = key.state.zip(at).map(|(_, at)| State::PendingDeletion { at });
            }
            Operation::CancelKeyDeletion => {
                assert!(key.state.is_none() || is_waiting, "{operation} on {key:?}");
                // Whether it waits for material again is not followed.
                key.state = key.state.filter(|_| !key.is_external).map(|_| State::Disabled);
            }
            Operation::DeleteImportedKeyMaterial => {
                key.state = key.state.filter(|_| !is_waiting).map(|_| State::PendingImport);
            }
            Operation::ImportKeyMaterial => key.state = None,
            Operation::CreateGrant | Operation::PutKeyPolicy => key.is_open = true,
            _ => {}
        }
    }

    /// What is decrypted is what was encrypted, in the same context.
    fn ciphertexts(&mut self, body: &Object<'_>, answer: &Value, operation: Operation) {
        let member = |name: &str| answer.get(name).and_then(Value::as_str).map(decoded);
        let blob = text(body, "CiphertextBlob").map(decoded);
        let own = context(body, "EncryptionContext");
        match operation {
            Operation::Decrypt => {
                let sealed = blob.and_then(|blob| self.sealed.get(&blob));
                let (plaintext, context) = sealed.expect("nobody made what was decrypted");
                assert_eq!(*context, own, "{answer}");
                let found = member("Plaintext");
                assert!(plaintext.is_none() || *plaintext == found, "{answer}");
            }
            Operation::Encrypt => {
                let plaintext = text(body, "Plaintext").map(decoded);
                self.sealed.extend(member("CiphertextBlob").map(|blob| (blob, (plaintext, own))));
            }
            Operation::GenerateDataKey | Operation::GenerateDataKeyWithoutPlaintext => {
                self.sealed.extend(member("CiphertextBlob").map(|blob| (blob, (member("Plaintext"), own))));
            }
            Operation::GenerateDataKeyPair | Operation::GenerateDataKeyPairWithoutPlaintext => {
                let plaintext = member("PrivateKeyPlaintext");
                self.sealed.extend(member("PrivateKeyCiphertextBlob").map(|blob| (blob, (plaintext, own))));
            }
            Operation::ReEncrypt => {
                let sealed = blob.and_then(|blob| self.sealed.get(&blob)).cloned();
                let (plaintext, held) = sealed.expect("nobody made what was encrypted anew");
                assert_eq!(held, context(body, "SourceEncryptionContext"), "{answer}");
                let next = context(body, "DestinationEncryptionContext");
                self.sealed.extend(member("CiphertextBlob").map(|blob| (blob, (plaintext, next))));
            }
            _ => {}
        }
    }
}
