//! Documents that `tests/e2e/attestation.py` made, and others put together here, whose signature nobody made.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyreeve_attestation::{Attestation, AttestationError, Roots, verify};
use keyreeve_domain::Timestamp;
use serde_json::Value;

/// The documents and certificates of `cases.json`.
pub(crate) struct Cases {
    pub(crate) timestamp: i64,
    documents: BTreeMap<String, Vec<u8>>,
    certificates: BTreeMap<String, Vec<u8>>,
}

impl Cases {
    pub(crate) fn read() -> Self {
        let cases: Value = serde_json::from_str(include_str!("../documents/cases.json")).unwrap();
        let named = |kind: &str| {
            let entries = cases[kind].as_object().unwrap().iter();
            entries
                .map(|(name, text)| (name.clone(), STANDARD.decode(text.as_str().unwrap()).unwrap()))
                .collect()
        };
        Self {
            timestamp: cases["timestamp"].as_i64().unwrap(),
            documents: named("documents"),
            certificates: named("certificates"),
        }
    }

    pub(crate) fn document(&self, name: &str) -> &[u8] {
        &self.documents[name]
    }

    pub(crate) fn certificate(&self, name: &str) -> &[u8] {
        &self.certificates[name]
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots::none().with_der(self.certificate("root")).unwrap()
    }

    pub(crate) fn verify(&self, document: &[u8]) -> Result<Attestation, AttestationError> {
        verify(document, Timestamp::from_millis(self.timestamp), &self.roots())
    }

    /// The fields of a document that has everything and whose chain is good.
    pub(crate) fn fields(&self) -> Fields {
        self.fields_with(&["root", "upper", "lower"], "signer")
    }

    pub(crate) fn fields_with(&self, authorities: &[&str], signer: &str) -> Fields {
        let authorities: Vec<_> = authorities.iter().map(|name| bytes(self.certificate(name))).collect();
        Fields(vec![
            ("module_id", text("i-0123456789abcdef0-enc0123456789abcdef")),
            ("digest", text("SHA384")),
            ("timestamp", head(0, self.timestamp.try_into().unwrap())),
            ("pcrs", map(&[(head(0, 0), bytes(&[0; 48]))])),
            ("certificate", bytes(self.certificate(signer))),
            ("cabundle", array(&authorities)),
            ("public_key", bytes(&[0; 300])),
            ("user_data", NULL.to_vec()),
            ("nonce", NULL.to_vec()),
        ])
    }
}

/// The fields of a payload: names and encoded values.
#[derive(Clone)]
pub(crate) struct Fields(pub(crate) Vec<(&'static str, Vec<u8>)>);

impl Fields {
    pub(crate) fn set(mut self, name: &'static str, value: Vec<u8>) -> Self {
        match self.0.iter_mut().find(|(present, _)| *present == name) {
            Some((_, present)) => *present = value,
            None => self.0.push((name, value)),
        }
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(present, _)| *present != name);
        self
    }

    pub(crate) fn and(mut self, name: &'static str, value: Vec<u8>) -> Self {
        self.0.push((name, value));
        self
    }

    pub(crate) fn payload(&self) -> Vec<u8> {
        let entries: Vec<_> = self.0.iter().map(|(name, value)| (text(name), value.clone())).collect();
        map(&entries)
    }

    pub(crate) fn document(&self) -> Vec<u8> {
        unsigned(&self.payload())
    }
}

/// A document with a signature of zeros.
pub(crate) fn unsigned(payload: &[u8]) -> Vec<u8> {
    array(&[bytes(ES384), map(&[]), bytes(payload), bytes(&[0; 96])])
}

pub(crate) const ES384: &[u8] = &[0xa1, 0x01, 0x38, 0x22];
pub(crate) const NULL: [u8; 1] = [0xf6];

pub(crate) fn head(major: u8, argument: u64) -> Vec<u8> {
    let bytes = argument.to_be_bytes();
    let (code, len) = match argument {
        0..=23 => return vec![major << 5 | bytes[7]],
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        0x1_0000_0000.. => (27, 8),
    };
    [&[major << 5 | code], &bytes[8 - len..]].concat()
}

pub(crate) fn bytes(content: &[u8]) -> Vec<u8> {
    [head(2, content.len().try_into().unwrap()), content.to_vec()].concat()
}

pub(crate) fn text(content: &str) -> Vec<u8> {
    [head(3, content.len().try_into().unwrap()), content.into()].concat()
}

pub(crate) fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len().try_into().unwrap()), items.concat()].concat()
}

pub(crate) fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let items: Vec<_> = entries.iter().map(|(key, value)| [key.as_slice(), value].concat()).collect();
    [head(5, entries.len().try_into().unwrap()), items.concat()].concat()
}
