//! Private and public keys that are refused, and what every reader of bytes does with bytes that are none.

#![expect(clippy::unwrap_used, reason = "test code")]

use keyreeve_crypto::asymmetric::{KeyPair, ParseKeyError, PublicKey};
use keyreeve_crypto::data_key_pair::{DataKeyPair, key_spec, make_data_key_pair};
use keyreeve_crypto::random::SystemRandom;
use keyreeve_domain::spec::{DataKeyPairSpec, KeySpec};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn a_document_with_anything_unusual_is_refused() {
    let cases: Vec<(String, String, String)> =
        serde_json::from_str(include_str!("vectors/refused_keys.json")).unwrap();
    for (case, spec, document) in cases {
        let parsed = KeyPair::parse_pkcs8(spec.parse().unwrap(), &hex(&document));
        assert_eq!(parsed.err(), Some(ParseKeyError::Rejected), "{spec} {case}");
    }
}

#[test]
fn a_data_key_pair_has_the_documented_form_and_reads_back() {
    for (spec, private, public) in [
        (DataKeyPairSpec::Rsa2048, None, 294),
        (DataKeyPairSpec::EccNistP256, Some(138), 91),
        (DataKeyPairSpec::EccNistP384, Some(185), 120),
        (DataKeyPairSpec::EccNistP521, Some(241), 158),
        (DataKeyPairSpec::EccSecgP256K1, Some(135), 88),
        (DataKeyPairSpec::Sm2, Some(138), 91),
        (DataKeyPairSpec::EccNistEdwards25519, Some(48), 44),
        (DataKeyPairSpec::MlKem512, Some(86), 822),
        (DataKeyPairSpec::MlKem768, Some(86), 1206),
        (DataKeyPairSpec::MlKem1024, Some(86), 1590),
    ] {
        let made = make_data_key_pair(spec, &SystemRandom).unwrap();
        assert!(private.is_none_or(|len| len == made.private_key.len()), "{spec} {}", made.private_key.len());
        assert_eq!(made.public_key.len(), public, "{spec}");
        let pair = KeyPair::parse_pkcs8(key_spec(spec), &made.private_key).unwrap();
        assert_eq!(pair.public_key(), made.public_key, "{spec}");
        assert_eq!(key_spec(spec).as_str(), spec.as_str());
    }
}

#[test]
fn a_data_key_pair_of_ready_made_material_is_that_material() {
    for spec in [DataKeyPairSpec::EccNistP256, DataKeyPairSpec::MlKem768] {
        let (material, pair) = keyreeve_crypto::asymmetric::make_pair(key_spec(spec), &SystemRandom).unwrap();
        let made = DataKeyPair::from_material(spec, &material).unwrap();
        assert_eq!(made.public_key, pair.public_key(), "{spec}");
        // EXPOSE: a key made for this test.
        assert!(made.private_key.ends_with(material.expose()), "{spec}");
    }
}

#[test]
fn a_public_key_is_read_only_as_its_own_spec_and_only_whole() {
    let mut all = Vec::new();
    for spec in DataKeyPairSpec::ALL.iter().copied().filter(|spec| !spec.as_str().starts_with("RSA")) {
        let made = make_data_key_pair(spec, &SystemRandom).unwrap();
        all.push((key_spec(spec), made.public_key));
    }
    for (spec, spki) in &all {
        let parsed = PublicKey::parse(*spec, spki).unwrap();
        assert_eq!((parsed.spec(), parsed.spki()), (*spec, spki.as_slice()));
        for other in KeySpec::ALL.iter().filter(|other| *other != spec) {
            assert!(PublicKey::parse(*other, spki).is_err(), "{spec} as {other}");
        }
        for wrong in [&[], &spki[1..], &spki[..spki.len() - 1], &[spki.as_slice(), &[0]].concat()] {
            assert!(PublicKey::parse(*spec, wrong).is_err(), "{spec} {} bytes", wrong.len());
        }
    }
}

/// A key of RFC 6979 section A.2.5, with its public key.
const DOCUMENT: &str = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420\
    c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721a144034200\
    0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
    7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";

#[test]
fn a_public_key_in_the_hybrid_form_is_refused() {
    for form in [0x06, 0x07] {
        let mut document = hex(DOCUMENT);
        assert_eq!(std::mem::replace(&mut document[73], form), 0x04);
        assert!(KeyPair::parse_pkcs8(KeySpec::EccNistP256, &document).is_err(), "{form}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_key(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for spec in KeySpec::ALL.iter().copied() {
            prop_assert!(KeyPair::parse_pkcs8(spec, &bytes).is_err());
            prop_assert!(PublicKey::parse(spec, &bytes).is_err());
        }
    }

    #[test]
    fn a_document_with_one_byte_changed_is_refused(at in 0usize..138, to in any::<u8>()) {
        let mut document = hex(DOCUMENT);
        prop_assert!(KeyPair::parse_pkcs8(KeySpec::EccNistP256, &document).is_ok());
        let same = document[at] == to;
        document[at] = to;
        prop_assert_eq!(KeyPair::parse_pkcs8(KeySpec::EccNistP256, &document).is_ok(), same);
    }
}
