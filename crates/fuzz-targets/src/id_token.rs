//! ID tokens of identity providers, and the key sets that they are verified with.

use core::future::ready;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyreeve_core::Service;
use keyreeve_core::identity::issuer::{IssuerKeys, KeysFuture};
use keyreeve_crypto::asymmetric::{KeyPair, Message, make_material};
use keyreeve_crypto::random::SystemRandom;
use keyreeve_domain::spec::{KeySpec, SigningAlgorithm};
use keyreeve_identity::Operation;
use keyreeve_testkit::World;
use keyreeve_wire::{iam, sts};
use parking_lot::Mutex;
use serde_json::json;

use crate::asker::Asker;
use crate::calls::percent;
use crate::text;

const ISSUER: &str = "issuer.example";
const ROLE: &str = "arn:aws:iam::111122223333:role/Web";

/// Any text as a token with any key set, two parts between NUL: nobody is let in. Claims after `*` are signed by the provider: they are
/// taken for what they say, or refused.
pub fn id_token(data: &[u8]) {
    thread_local!(static PROVIDER: Provider = Provider::new());
    PROVIDER.with(|provider| {
        let text = text(data);
        if let Some(claims) = text.strip_prefix('*') {
            provider.ask(&provider.sign(claims), &provider.key_set);
        } else {
            let (token, key_set) = text.split_once('\0').unwrap_or((text, &provider.key_set));
            let is_done = provider.ask(token, key_set);
            assert!(!is_done, "{token} {key_set}");
        }
    });
}

#[derive(Default)]
struct Pinned(Mutex<Arc<str>>);

impl IssuerKeys for Pinned {
    fn keys<'a>(&'a self, _: &'a str, _: bool) -> KeysFuture<'a> {
        Box::pin(ready(Ok(Arc::clone(&self.0.lock()))))
    }
}

/// A world with a provider and a role for whom it vouches.
struct Provider {
    world: World,
    service: Arc<Service>,
    pinned: Arc<Pinned>,
    pair: KeyPair,
    key_set: String,
}

impl Provider {
    fn new() -> Self {
        let world = World::default();
        let pinned = Arc::new(Pinned::default());
        let service = world.service_with_issuers(Arc::clone(&pinned) as Arc<dyn IssuerKeys>);
        let asker = Asker { service: &service, ..Asker::root(&world) };
        let provider = format!(
            "Url=https%3A%2F%2F{ISSUER}&ClientIDList.member.1=app&ThumbprintList.member.1={}",
            "0".repeat(40)
        );
        let trust = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Principal": {"Federated": format!("arn:aws:iam::111122223333:oidc-provider/{ISSUER}")},
            "Condition": {"StringLike": {format!("{ISSUER}:sub"): "alice*"}},
        }});
        let role = format!("RoleName=Web&AssumeRolePolicyDocument={}", percent(&trust.to_string()));
        for (operation, form) in
            [(iam::Operation::CreateOpenIDConnectProvider, provider), (iam::Operation::CreateRole, role)]
        {
            let answer = asker.identity(Operation::Iam(operation), form.as_bytes());
            assert!(answer.is_done(), "{}", answer.body.escape_ascii());
        }
        let spec = KeySpec::EccNistEdwards25519;
        let material = make_material(spec, &SystemRandom).expect("a key");
        let pair = KeyPair::parse(spec, &material).expect("it is read");
        let point = pair.public_key().last_chunk::<32>().expect("a point stands at the end");
        let key_set = json!({"keys": [{
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": "k", "x": URL_SAFE_NO_PAD.encode(point),
        }]});
        Self { world, service, pinned, pair, key_set: key_set.to_string() }
    }

    fn sign(&self, claims: &str) -> String {
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"k","typ":"JWT"}"#);
        let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
        let message = Message::Raw(signed.as_bytes());
        let signature = self.pair.sign(SigningAlgorithm::Ed25519Sha512, message).expect("it is signed");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Whether somebody is let in with `token`.
    fn ask(&self, token: &str, key_set: &str) -> bool {
        *self.pinned.0.lock() = Arc::from(key_set);
        let form =
            format!("RoleArn={}&RoleSessionName=web&WebIdentityToken={}", percent(ROLE), percent(token));
        let asker = Asker { service: &self.service, ..Asker::root(&self.world) };
        let operation = Operation::Sts(sts::Operation::AssumeRoleWithWebIdentity);
        asker.identity(operation, form.as_bytes()).is_done()
    }
}
