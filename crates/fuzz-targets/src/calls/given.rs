//! Requests out of bytes: as their shapes have them, with values that the world knows, so that many are let through.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_wire::{Kind, Member, Shape};
use serde_json::{Map, Value, json};

use crate::bytes::Bytes;

/// What requests are made of: texts by what they are, from answers and from the beginning.
pub(crate) struct Pool {
    texts: BTreeMap<&'static str, Vec<String>>,
    /// What is encrypted or signed: no two are the same, and nothing else says them.
    secrets: Vec<String>,
    now: i64,
}

/// Values that are there from the beginning, by what they are.
const FIRST: &[(&str, &[&str])] = &[
    ("alarm", &["a/one", "two"]),
    ("alias", &["alias/a", "alias/b", "alias/aws/kms", "alias/aws/s3"]),
    ("ciphertext", &["AQICAHg=", "YQ=="]),
    ("import", &["YQ=="]),
    ("key", &["alias/a", "alias/b", "1234abcd-12ab-34cd-56ef-1234567890ab", "alias/aws/s3"]),
    ("marker", &["AAAA"]),
    ("name", &["alice", "bob", "ops", "Reader"]),
    ("path", &["/", "/team/"]),
    (
        "policy",
        &[
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}}"#,
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}"#,
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["kms:Encrypt","kms:List*"],"Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:purpose":"test"}}}]}"#,
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"sts:AssumeRole"}]}"#,
        ],
    ),
    (
        "principal",
        &[
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/alice",
            "arn:aws:iam::444455556666:root",
            "arn:aws:iam::111122223333:role/Reader",
        ],
    ),
    (
        "text",
        &["", "x", "Project", "é\u{1F511}", "a&b<c>\"'", "arn:aws:kms:us-east-1:111122223333:key/", "*"],
    ),
];

/// What a member with this name holds.
fn category(name: &str) -> &'static str {
    match name {
        "KeyId" | "TargetKeyId" | "SourceKeyId" | "DestinationKeyId" | "AliasArn" => "key",
        "AliasName" => "alias",
        "CiphertextBlob" | "PrivateKeyCiphertextBlob" | "SharedSecretCiphertextBlob" => "ciphertext",
        "Marker" | "NextMarker" | "NextToken" => "marker",
        "GrantId" => "grant",
        "GrantToken" | "GrantTokens" => "grant token",
        "ImportToken" => "import",
        "Signature" | "Mac" => "signature",
        "PublicKey" => "public key",
        "Policy" | "PolicyDocument" | "AssumeRolePolicyDocument" | "PolicyInputList" => "policy",
        "GranteePrincipal" | "RetiringPrincipal" | "RoleArn" | "PolicySourceArn" | "PolicyArn" => "principal",
        "UserName" | "RoleName" | "GroupName" | "PolicyName" | "Name" | "RoleSessionName" => "name",
        "Path" | "PathPrefix" => "path",
        "AlarmName" | "AlarmNames" | "AlarmNamePrefix" => "alarm",
        "ReplicaRegion" | "PrimaryRegion" => "region",
        "Plaintext" | "Message" => "secret",
        _ => "text",
    }
}

impl Pool {
    pub(crate) fn new(now: i64) -> Self {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let texts = FIRST.iter().map(|(name, texts)| (*name, own(texts))).collect();
        Self { texts, secrets: Vec::new(), now }
    }

    pub(crate) fn set_now(&mut self, now: i64) {
        self.now = now;
    }

    pub(crate) fn add(&mut self, category: &'static str, text: &str) {
        let texts = self.texts.entry(category).or_default();
        if texts.len() < 64 && !texts.iter().any(|known| known == text) {
            texts.push(text.to_owned());
        }
    }

    /// What was asked to be encrypted so far.
    pub(crate) fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// Takes in what an answer says.
    pub(crate) fn learn(&mut self, answer: &Value) {
        match answer {
            Value::Object(members) => {
                for (name, value) in members {
                    match (category(name), value) {
                        ("text" | "secret" | "policy", Value::String(_)) => {}
                        (category, Value::String(text)) => self.add(category, text),
                        (_, other) => self.learn(other),
                    }
                    if let (true, Some(arn)) = (name == "Arn", value.as_str()) {
                        self.add("key", arn);
                    }
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.learn(element)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// A request with these members.
    pub(crate) fn request(&mut self, members: &[Member], bytes: &mut Bytes<'_>) -> Value {
        self.structure(members, bytes, 0)
    }

    fn structure(&mut self, members: &[Member], bytes: &mut Bytes<'_>, depth: usize) -> Value {
        let mut made = Map::new();
        // Which of the optional members are there: two bytes, so that short inputs make plain requests.
        let wanted = u16::from_be_bytes([bytes.byte(), bytes.byte()]);
        for (at, member) in members.iter().enumerate() {
            let is_wanted = wanted.rotate_right(u32::try_from(at % 16).unwrap_or_default()) & 1 == 1;
            if member.name == "DryRun" && !bytes.byte().is_multiple_of(16) {
                continue;
            }
            if member.required || is_wanted {
                made.insert(member.name.to_owned(), self.value(member.name, member.shape, bytes, depth));
            }
        }
        Value::Object(made)
    }

    fn value(&mut self, name: &str, shape: &Shape, bytes: &mut Bytes<'_>, depth: usize) -> Value {
        match shape.kind() {
            Kind::Blob => match category(name) {
                "text" => json!(STANDARD.encode(bytes.counted())),
                category => self.known(category, bytes),
            },
            Kind::Boolean => json!(bytes.byte() % 2 == 1),
            Kind::Double => json!(bytes.one_of(&[0.0, 1.5, -7.0, 1e300])),
            Kind::Enumeration { values, .. } => json!(bytes.one_of(values)),
            Kind::Integer => {
                let (least, most) = (shape.min().unwrap_or(0), shape.max().unwrap_or(100));
                match bytes.byte() {
                    0 => json!(least),
                    1 => json!(most),
                    2 => json!(u64::from(most) + 1),
                    3 => json!(i64::from(least) - 1),
                    other => json!(least.saturating_add(u32::from(other)).min(most)),
                }
            }
            Kind::List(element) if depth < 3 => {
                let elements = 0..bytes.below(3);
                elements.map(|_| self.value(name, element, bytes, depth + 1)).collect()
            }
            Kind::Structure(members) if depth < 3 => self.structure(members, bytes, depth + 1),
            Kind::List(_) => json!([]),
            Kind::Structure(_) => json!({}),
            Kind::Map => match bytes.byte() % 3 {
                0 => json!({"purpose": "test"}),
                1 => json!({"a": "1", "b": "é"}),
                _ => json!({}),
            },
            Kind::Text => self.known(category(name), bytes),
            Kind::Timestamp => {
                let day = i64::from(bytes.byte()) - 5;
                json!(self.now / 1000 + day * 86_400)
            }
        }
    }

    fn known(&mut self, category: &'static str, bytes: &mut Bytes<'_>) -> Value {
        if category == "secret" {
            let secret = format!("never to be seen, number {:08}", self.secrets.len() * 7919);
            self.secrets.push(secret.clone());
            return json!(STANDARD.encode(secret));
        }
        if category == "region" {
            return json!(bytes.one_of(&super::REGIONS));
        }
        let texts = self.texts.get(category).map(Vec::as_slice).unwrap_or_default();
        match bytes.byte() {
            255 => json!(String::from_utf8_lossy(bytes.counted())),
            // The newest first: what was just made is what is asked about.
            which => match texts.len().checked_sub(1 + usize::from(which) % texts.len().max(1)) {
                Some(at) => json!(texts.get(at)),
                None => json!(""),
            },
        }
    }
}

/// A request as a form: `Tags.member.1.Key=…`.
pub(crate) fn form(members: &[Member], request: &Value) -> Vec<u8> {
    let mut pairs = Vec::new();
    flatten("", &Kind::Structure(&[]), Some(members), request, &mut pairs);
    pairs.join("&").into_bytes()
}

fn flatten(name: &str, kind: &Kind, members: Option<&[Member]>, value: &Value, pairs: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (member, value) in object {
                let shape = members.into_iter().flatten().find(|known| known.name == member);
                let kind = shape.map_or(Kind::Text, |member| member.shape.kind());
                let name = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
                let inner = if let Kind::Structure(members) = kind { Some(members) } else { None };
                flatten(&name, &kind, inner, value, pairs);
            }
        }
        Value::Array(elements) => {
            let Kind::List(element) = kind else { return };
            let inner = if let Kind::Structure(members) = element.kind() { Some(members) } else { None };
            for (at, value) in elements.iter().enumerate() {
                flatten(&format!("{name}.member.{}", at + 1), &element.kind(), inner, value, pairs);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            pairs.push(format!("{name}={}", percent(&text)));
        }
    }
}

/// A text as the value of a form.
pub(crate) fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}
