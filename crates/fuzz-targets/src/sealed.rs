//! What the service has sealed, or seems to have: ciphertexts, wrappings, tokens.

use std::collections::BTreeMap;

use keyreeve_core::grants::TokenContent;
use keyreeve_core::identity::session::{SessionHolder, SessionRecord};
use keyreeve_crypto::LockedMemoryError;
use keyreeve_crypto::ciphertext::{Header, open, seal};
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_crypto::wrap::{Binding, Kind, unwrap, wrapping_key_id};
use keyreeve_domain::{KeyId, KeyMaterialId};
use keyreeve_store::conformance::block_on;
use keyreeve_testkit::{SeededRandom, World};
use keyreeve_wire::Operation;
use serde_json::json;

use crate::bytes::Bytes;
use crate::text;

/// Any bytes as a CiphertextBlob: refused, since nobody sealed them. Bytes after `*` change a blob that was sealed: it opens
/// under its own context, and no other does.
pub fn ciphertext_blob(data: &[u8]) {
    let material = KeyMaterial::init_with::<LockedMemoryError>(32, |bytes| {
        bytes.fill(0x5a);
        Ok(())
    });
    let material = material.expect("locked memory");
    let context = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
    let Some(edits) = data.strip_prefix(b"*") else {
        core::hint::black_box(Header::read(data)).ok();
        assert!(open(&material, data, &context).is_err());
        return;
    };
    let header = Header { key: KeyId::from_random([3; 16]), material: KeyMaterialId::from_bytes([9; 32]) };
    let mut blob = Vec::new();
    seal(&material, &header, &context, b"plaintext", &SeededRandom::new(5), &mut blob).expect("it is sealed");
    let mut changed = blob.clone();
    Bytes::new(edits).edit(&mut changed);
    let opened = open(&material, &changed, &context);
    assert_eq!(opened.is_ok(), changed == blob, "{}", changed.escape_ascii());
    let other = BTreeMap::from([("a".to_owned(), "2".to_owned())]);
    assert!(open(&material, &changed, &other).is_err());
}

/// Any bytes as a wrapping, which is what a marker is: refused, since nobody wrapped them.
pub fn pagination_marker(data: &[u8]) {
    let binding = Binding::default().field(1, b"deployment").field(2, b"ListKeys/000000000000/us-east-1");
    for kind in [
        Kind::Backup,
        Kind::GrantToken,
        Kind::ImportToken,
        Kind::KeyMaterial,
        Kind::Keyring,
        Kind::Marker,
        Kind::Record,
        Kind::RootKey,
        Kind::Session,
        Kind::TrailFile,
    ] {
        core::hint::black_box(wrapping_key_id(kind, data)).ok();
        assert!(unwrap(&[7; 32], kind, &binding, data).is_err());
    }
}

/// Any text as each kind of token, and tokens that were made with any change: good for nothing but what they were made for.
///
/// The first byte says which token is changed; none, and the text is taken as it is.
pub fn tokens(data: &[u8]) {
    thread_local!(static MADE: Made = Made::new());
    MADE.with(|made| {
        let Some((which, edits)) = data.split_first() else { return };
        let mut changed = made.token(*which).map(|token| token.as_bytes().to_vec()).unwrap_or_default();
        if changed.is_empty() {
            changed = edits.to_vec();
        } else {
            Bytes::new(edits).edit(&mut changed);
        }
        made.judge(text(&changed));
    });
}

/// A world, and a token of each kind that it made.
struct Made {
    world: World,
    key: String,
    session: String,
    grant: String,
    marker: String,
    import: (String, String),
}

const SCOPE: &str = "ListKeys/111122223333/us-east-1";

impl Made {
    fn new() -> Self {
        let world = World::default();
        let vault = world.service.vault();
        let session = SessionRecord {
            account: world.root.account(),
            access_key_id: "ASIAEXAMPLE".to_owned(),
            secret: "secret".to_owned().into(),
            issued: world.now(),
            expires: world.now().plus_days(1),
            holder: SessionHolder::Root,
            policies: Vec::new(),
            policy_arns: Vec::new(),
            tags: Vec::new(),
            transitive: Vec::new(),
            source_identity: None,
            mfa_millis: None,
            provider: None,
        };
        let session = vault.seal_session(&session).expect("a session").as_str().to_owned();
        let content =
            TokenContent { region: world.region, key: KeyId::from_random([3; 16]), grant: "0".repeat(64) };
        let grant = vault.seal_grant_token(&content).expect("a grant token");
        let marker = world.service.marker(SCOPE, b"owned/1").expect("a marker");
        let made = world.done(Operation::CreateKey, json!({"Origin": "EXTERNAL"}));
        let key = made.pointer("/KeyMetadata/KeyId").and_then(|id| id.as_str()).expect("an id").to_owned();
        let import = world.wrapped_import(&key, &[7; 32]);
        Self { world, key, session, grant, marker, import }
    }

    fn token(&self, which: u8) -> Option<&str> {
        match which % 5 {
            0 => Some(&self.session),
            1 => Some(&self.grant),
            2 => Some(&self.marker),
            3 => Some(&self.import.0),
            _ => None,
        }
    }

    fn judge(&self, token: &str) {
        let vault = self.world.service.vault();
        assert_eq!(vault.open_session(token).is_some(), token == self.session, "{token}");
        assert_eq!(vault.open_grant_token(token).is_some(), token == self.grant, "{token}");
        assert_eq!(self.world.service.read_marker(SCOPE, token).is_ok(), token == self.marker, "{token}");
        assert!(self.world.service.read_marker("ListKeys/444455556666/us-east-1", token).is_err());
        let id = "ASIAEXAMPLE";
        let found = block_on(self.world.service.credential(id, Some(token), self.world.now()));
        assert_eq!(found.is_ok(), token == self.session, "{token}");
        let (_, wrapped) = &self.import;
        let body = json!({
            "KeyId": self.key, "ImportToken": token, "EncryptedKeyMaterial": wrapped,
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        });
        let (status, answer) = self.world.call(Operation::ImportKeyMaterial, body);
        assert_eq!(status == 200, token == self.import.0, "{token}: {answer}");
        assert!(status < 500, "{token}: {answer}");
        drop(self.world.trail.drain());
        let body = json!({"KeyId": self.key, "GrantTokens": [token]});
        let (status, answer) = self.world.call_as(&self.world.user, Operation::DescribeKey, body);
        assert_eq!(status, 400, "{token}: {answer}");
        let trail = self.world.trail.text();
        assert!(token.len() < 40 || !trail.contains(token), "a token is in the trail");
        drop(self.world.trail.drain());
    }
}
