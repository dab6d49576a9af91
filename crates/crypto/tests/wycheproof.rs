//! Vectors of Project Wycheproof, through the functions that the operations of the service call.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use keyreeve_crypto::asymmetric::{DecapsulateError, KeyPair, Message, PublicKey};
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_crypto::mac::MacKey;
use keyreeve_crypto::{LockedMemoryError, digest};
use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, SigningAlgorithm};
use serde_json::Value;

/// One case: its key, its fields, and whether it is valid.
struct Case {
    name: String,
    key: Value,
    fields: Vec<Value>,
    valid: bool,
}

impl Case {
    fn bytes(&self, field: usize) -> Vec<u8> {
        hex(self.fields[field].as_str().unwrap())
    }
}

/// The cases of one part of a file.
fn cases(text: &str, part: &str) -> Vec<Case> {
    let file: Value = serde_json::from_str(text).unwrap();
    let groups = if part.is_empty() { &file } else { &file[part] };
    let mut all = Vec::new();
    for group in groups.as_array().unwrap() {
        for case in group["cases"].as_array().unwrap() {
            let case = case.as_array().unwrap();
            all.push(Case {
                name: format!("{part} case {}", case[0]),
                key: group["key"].clone(),
                fields: case[1..case.len() - 1].to_vec(),
                valid: case.last().unwrap().as_bool().unwrap(),
            });
        }
    }
    assert!(all.iter().any(|case| case.valid), "{part}");
    all
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn material(bytes: &[u8]) -> KeyMaterial {
    KeyMaterial::init_with::<LockedMemoryError>(bytes.len(), |slot| {
        slot.copy_from_slice(bytes);
        Ok(())
    })
    .unwrap()
}

/// Checks the cases `[message, signature]` of one part; with SHA-256 also by the digest of the message.
fn check_signatures(text: &str, part: &str, spec: KeySpec, algorithm: SigningAlgorithm) {
    for case in cases(text, part) {
        let key = PublicKey::parse(spec, &hex(case.key.as_str().unwrap()));
        // A key that is refused verifies nothing.
        let Ok(key) = key else {
            assert!(!case.valid, "{}", case.name);
            continue;
        };
        let (message, signature) = (case.bytes(0), case.bytes(1));
        let verified = key.verify(algorithm, Message::Raw(&message), &signature);
        assert_eq!(verified.is_ok(), case.valid, "{}", case.name);
        if algorithm.as_str().ends_with("SHA_256") {
            let digest = digest::sha256(&message);
            let verified = key.verify(algorithm, Message::Digest(&digest), &signature);
            assert_eq!(verified.is_ok(), case.valid, "{} by digest", case.name);
        }
    }
}

#[test]
fn rsa_signatures() {
    let text = include_str!("vectors/rsa_pkcs1.json");
    for (part, spec, algorithm) in [
        ("2048 256", KeySpec::Rsa2048, SigningAlgorithm::RsassaPkcs1V15Sha256),
        ("3072 384", KeySpec::Rsa3072, SigningAlgorithm::RsassaPkcs1V15Sha384),
        ("4096 512", KeySpec::Rsa4096, SigningAlgorithm::RsassaPkcs1V15Sha512),
    ] {
        check_signatures(text, part, spec, algorithm);
    }
    let text = include_str!("vectors/rsa_pss.json");
    for (part, spec, algorithm) in [
        ("2048 256", KeySpec::Rsa2048, SigningAlgorithm::RsassaPssSha256),
        ("2048 384", KeySpec::Rsa2048, SigningAlgorithm::RsassaPssSha384),
        ("3072 256", KeySpec::Rsa3072, SigningAlgorithm::RsassaPssSha256),
        ("4096 512", KeySpec::Rsa4096, SigningAlgorithm::RsassaPssSha512),
    ] {
        check_signatures(text, part, spec, algorithm);
    }
}

#[test]
fn rsa_decryption() {
    let text = include_str!("vectors/rsa_oaep.json");
    for (part, spec, algorithm) in [
        ("2048 1", KeySpec::Rsa2048, EncryptionAlgorithm::RsaesOaepSha1),
        ("2048 256", KeySpec::Rsa2048, EncryptionAlgorithm::RsaesOaepSha256),
        ("3072 256", KeySpec::Rsa3072, EncryptionAlgorithm::RsaesOaepSha256),
        ("4096 256", KeySpec::Rsa4096, EncryptionAlgorithm::RsaesOaepSha256),
    ] {
        let mut pair = None;
        for case in cases(text, part) {
            let pair = pair
                .get_or_insert_with(|| KeyPair::parse_pkcs8(spec, &hex(case.key.as_str().unwrap())).unwrap());
            let found = pair.decrypt(algorithm, &case.bytes(1)).ok();
            let expected = case.valid.then(|| case.bytes(0));
            assert_eq!(found.as_deref(), expected.as_ref(), "{}", case.name);
        }
    }
}

#[test]
fn ecdsa_signatures() {
    let text = include_str!("vectors/ecdsa.json");
    for (part, spec, algorithm) in [
        ("secp256r1", KeySpec::EccNistP256, SigningAlgorithm::EcdsaSha256),
        ("secp384r1", KeySpec::EccNistP384, SigningAlgorithm::EcdsaSha384),
        ("secp521r1", KeySpec::EccNistP521, SigningAlgorithm::EcdsaSha512),
        ("secp256k1", KeySpec::EccSecgP256K1, SigningAlgorithm::EcdsaSha256),
    ] {
        check_signatures(text, part, spec, algorithm);
    }
}

#[test]
fn ed25519_signatures() {
    let text = include_str!("vectors/ed25519.json");
    check_signatures(text, "", KeySpec::EccNistEdwards25519, SigningAlgorithm::Ed25519Sha512);
}

#[test]
fn ecdh_secrets() {
    let text = include_str!("vectors/ecdh.json");
    // PKCS#8 with the scalar alone, as the vectors have it.
    for (part, spec, width, head) in [
        (
            "secp256r1",
            KeySpec::EccNistP256,
            32,
            "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420",
        ),
        (
            "secp384r1",
            KeySpec::EccNistP384,
            48,
            "304e020100301006072a8648ce3d020106052b81040022043730350201010430",
        ),
        (
            "secp521r1",
            KeySpec::EccNistP521,
            66,
            "3060020100301006072a8648ce3d020106052b81040023044930470201010442",
        ),
    ] {
        for case in cases(text, part) {
            let scalar = case.bytes(1);
            // The vectors' scalars have leading zeros, or lack some.
            let scalar = &scalar[scalar.len().saturating_sub(width)..];
            let mut document = hex(head);
            document.resize(document.len() + width - scalar.len(), 0);
            document.extend_from_slice(scalar);
            let pair = KeyPair::parse_pkcs8(spec, &document).unwrap();
            let found = pair.agree(&case.bytes(0)).ok();
            let expected = case.valid.then(|| case.bytes(2));
            assert_eq!(found.as_deref(), expected.as_ref(), "{}", case.name);
        }
    }
}

#[test]
fn hmac_tags() {
    let text = include_str!("vectors/hmac.json");
    for (part, spec) in [
        ("224", KeySpec::Hmac224),
        ("256", KeySpec::Hmac256),
        ("384", KeySpec::Hmac384),
        ("512", KeySpec::Hmac512),
    ] {
        for case in cases(text, part) {
            let key = MacKey::new(spec, &material(&case.bytes(0))).unwrap();
            let (message, tag) = (case.bytes(1), case.bytes(2));
            assert_eq!(key.verify(&message, &tag).is_ok(), case.valid, "{}", case.name);
            assert_eq!(key.sign(&message) == tag, case.valid, "{}", case.name);
            assert!(key.verify(&message, &tag[..tag.len() - 1]).is_err(), "{}", case.name);
        }
    }
}

#[test]
fn ml_dsa_signatures() {
    let (verified, signed) =
        (include_str!("vectors/ml_dsa_verify.json"), include_str!("vectors/ml_dsa_sign.json"));
    for (part, spec) in [("44", KeySpec::MlDsa44), ("65", KeySpec::MlDsa65), ("87", KeySpec::MlDsa87)] {
        let algorithm = SigningAlgorithm::MlDsaShake256;
        check_signatures(verified, part, spec, algorithm);
        for case in cases(signed, part) {
            let pair = KeyPair::parse(spec, &material(&hex(case.key[0].as_str().unwrap()))).unwrap();
            let public = hex(case.key[1].as_str().unwrap());
            assert!(pair.public_key().ends_with(&public), "{}", case.name);
            let signature = case.bytes(2);
            let mu = case.bytes(1);
            if !mu.is_empty() {
                let verified = pair.verify(algorithm, Message::ExternalMu(&mu), &signature);
                assert_eq!(verified, Ok(()), "{} by mu", case.name);
                // What is signed by mu verifies as the message, and the other way round.
                let by_mu = pair.sign(algorithm, Message::ExternalMu(&mu)).unwrap();
                if case.fields[0].is_string() {
                    let message = case.bytes(0);
                    let message = Message::Raw(&message);
                    assert_eq!(pair.verify(algorithm, message, &by_mu), Ok(()), "{}", case.name);
                    let raw = pair.sign(algorithm, message).unwrap();
                    let verified = pair.verify(algorithm, Message::ExternalMu(&mu), &raw);
                    assert_eq!(verified, Ok(()), "{}", case.name);
                }
            }
            if case.fields[0].is_string() {
                let verified = pair.verify(algorithm, Message::Raw(&case.bytes(0)), &signature);
                assert_eq!(verified, Ok(()), "{}", case.name);
            }
        }
    }
}

#[test]
fn ml_kem_keys_and_secrets() {
    let (keys, secrets) = (include_str!("vectors/ml_kem_keys.json"), include_str!("vectors/ml_kem.json"));
    for (part, spec) in [("512", KeySpec::MlKem512), ("768", KeySpec::MlKem768), ("1024", KeySpec::MlKem1024)]
    {
        for case in cases(keys, part) {
            let pair = KeyPair::parse(spec, &material(&case.bytes(0))).unwrap();
            assert!(pair.public_key().ends_with(&case.bytes(1)), "{}", case.name);
        }
        for case in cases(secrets, part) {
            let seed = case.bytes(0);
            if seed.len() != 64 {
                assert!(!case.valid && KeyPair::parse(spec, &material(&seed)).is_err(), "{}", case.name);
                continue;
            }
            let pair = KeyPair::parse(spec, &material(&seed)).unwrap();
            let found = pair.decapsulate(&case.bytes(1));
            if case.valid {
                assert_eq!(*found.unwrap(), case.bytes(2), "{}", case.name);
            } else {
                assert_eq!(found.unwrap_err(), DecapsulateError::CiphertextLength, "{}", case.name);
            }
        }
    }
}
