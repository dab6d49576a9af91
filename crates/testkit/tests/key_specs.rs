//! Every key spec with every usage under every operation with every algorithm and type of message: each cell works, or
//! gives the error that the service gives.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html>; texts and order of the
//! errors are recordings of the service.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "test code")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyreeve_crypto::asymmetric::PublicKey;
use keyreeve_domain::spec::{
    DataKeyPairSpec, EncryptionAlgorithm, KeySpec, KeyUsage, MacAlgorithm, MessageType, SigningAlgorithm,
};
use keyreeve_kms::answer_capacity;
use keyreeve_testkit::World;
use keyreeve_wire::Operation::{self, *};
use serde_json::{Value, json};

const OAEP: &[&str] = &["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];
const RSASSA: &[&str] = &[
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
];
const ED25519: &[&str] = &["ED25519_SHA_512", "ED25519_PH_SHA_512"];
const ECDH: &[&str] = &["ECDH"];
const ML_DSA: &[&str] = &["ML_DSA_SHAKE_256"];
const ML_KEM: &[&str] = &["ML_KEM"];

/// Every key that there is: its spec, its usage, its algorithms, and the length of its public key in bytes.
const KEYS: &[(&str, &str, &[&str], Option<usize>)] = &[
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", &["SYMMETRIC_DEFAULT"], None),
    ("RSA_2048", "ENCRYPT_DECRYPT", OAEP, Some(294)),
    ("RSA_2048", "SIGN_VERIFY", RSASSA, Some(294)),
    ("RSA_3072", "ENCRYPT_DECRYPT", OAEP, Some(422)),
    ("RSA_3072", "SIGN_VERIFY", RSASSA, Some(422)),
    ("RSA_4096", "ENCRYPT_DECRYPT", OAEP, Some(550)),
    ("RSA_4096", "SIGN_VERIFY", RSASSA, Some(550)),
    ("ECC_NIST_P256", "SIGN_VERIFY", &["ECDSA_SHA_256"], Some(91)),
    ("ECC_NIST_P256", "KEY_AGREEMENT", ECDH, Some(91)),
    ("ECC_NIST_P384", "SIGN_VERIFY", &["ECDSA_SHA_384"], Some(120)),
    ("ECC_NIST_P384", "KEY_AGREEMENT", ECDH, Some(120)),
    ("ECC_NIST_P521", "SIGN_VERIFY", &["ECDSA_SHA_512"], Some(158)),
    ("ECC_NIST_P521", "KEY_AGREEMENT", ECDH, Some(158)),
    ("ECC_SECG_P256K1", "SIGN_VERIFY", &["ECDSA_SHA_256"], Some(88)),
    ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", ED25519, Some(44)),
    ("HMAC_224", "GENERATE_VERIFY_MAC", &["HMAC_SHA_224"], None),
    ("HMAC_256", "GENERATE_VERIFY_MAC", &["HMAC_SHA_256"], None),
    ("HMAC_384", "GENERATE_VERIFY_MAC", &["HMAC_SHA_384"], None),
    ("HMAC_512", "GENERATE_VERIFY_MAC", &["HMAC_SHA_512"], None),
    ("SM2", "ENCRYPT_DECRYPT", &["SM2PKE"], Some(91)),
    ("SM2", "SIGN_VERIFY", &["SM2DSA"], Some(91)),
    ("SM2", "KEY_AGREEMENT", ECDH, Some(91)),
    ("ML_DSA_44", "SIGN_VERIFY", ML_DSA, Some(1334)),
    ("ML_DSA_65", "SIGN_VERIFY", ML_DSA, Some(1974)),
    ("ML_DSA_87", "SIGN_VERIFY", ML_DSA, Some(2614)),
    ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE", ML_KEM, Some(822)),
    ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE", ML_KEM, Some(1206)),
    ("ML_KEM_1024", "ENCAPSULATE_DECAPSULATE", ML_KEM, Some(1590)),
];

/// A key of the table.
struct Key {
    arn: String,
    spec: &'static str,
    usage: &'static str,
    algorithms: &'static [&'static str],
    public_key_len: Option<usize>,
    metadata: Value,
}

fn keys(world: &World) -> Vec<Key> {
    let made = |&(spec, usage, algorithms, public_key_len): &(_, _, _, _)| {
        let made = world.done(CreateKey, json!({"KeySpec": spec, "KeyUsage": usage}));
        let metadata = made["KeyMetadata"].clone();
        let arn = metadata["Arn"].as_str().unwrap().to_owned();
        Key { arn, spec, usage, algorithms, public_key_len, metadata }
    };
    KEYS.iter().map(made).collect()
}

/// How a cell ends where it does not work.
type End = Result<(), (&'static str, Option<String>)>;

impl Key {
    fn has(&self, algorithm: &str) -> bool {
        self.algorithms.contains(&algorithm)
    }

    /// The error where the key is not of `usage`, or does not have `algorithm`.
    fn fits(&self, operation: Operation, usage: &str, algorithm: &str) -> End {
        if self.usage != usage {
            let text =
                format!("{} key usage is {} which is not valid for {operation}.", self.arn, self.usage);
            return Err(("InvalidKeyUsageException", Some(text)));
        }
        if !self.has(algorithm) {
            let text = format!("Algorithm {algorithm} is incompatible with key spec {}.", self.spec);
            return Err(("InvalidKeyUsageException", Some(text)));
        }
        Ok(())
    }

    /// The error where a message of `len` bytes of this type does not go with the algorithm.
    fn takes(&self, algorithm: &str, kind: &str, len: usize) -> End {
        let of_type = |by: &str| {
            Err(("ValidationException", Some(format!("Message type {kind} is incompatible with {by}."))))
        };
        let expected = match (algorithm, kind) {
            ("ED25519_SHA_512", "RAW") | (_, "RAW") if algorithm != "ED25519_PH_SHA_512" => return Ok(()),
            ("ED25519_PH_SHA_512", "DIGEST") => 64,
            ("ED25519_SHA_512", "DIGEST") | ("ED25519_PH_SHA_512", "RAW") => {
                return of_type(&format!("algorithm {algorithm}"));
            }
            ("ML_DSA_SHAKE_256", "EXTERNAL_MU") => 64,
            ("ML_DSA_SHAKE_256", _) | (_, "EXTERNAL_MU") => {
                return of_type(&format!("key spec {}", self.spec));
            }
            (algorithm, _) if algorithm.ends_with("_384") => 48,
            (algorithm, _) if algorithm.ends_with("_512") => 64,
            (_, _) => 32,
        };
        if len == expected {
            return Ok(());
        }
        Err(("ValidationException", Some(format!("Digest is invalid length for algorithm {algorithm}."))))
    }
}

/// Calls, and gives the answer where the cell works, as it must where `end` says so; a dry run ends as one then.
fn cell(world: &World, operation: Operation, request: &Value, end: &End) -> Option<Value> {
    let (status, answer) = world.call(operation, request.clone());
    let mut dry = request.clone();
    dry["DryRun"] = json!(true);
    let (dry_status, dry_answer) = world.call(operation, dry);
    match end {
        Ok(()) => {
            assert_eq!(status, 200, "{operation} {request}: {answer}");
            if ![GetPublicKey, EnableKeyRotation, RotateKeyOnDemand, DisableKeyRotation].contains(&operation)
            {
                let text = "The request would have succeeded, but the DryRun option is set.";
                let expected = json!({"__type": "DryRunOperationException", "message": text});
                assert_eq!((dry_status, dry_answer), (400, expected), "dry {operation} {request}");
            }
            Some(answer)
        }
        Err((code, text)) => {
            let mut expected = json!({"__type": code});
            if let Some(text) = text {
                expected["message"] = json!(text);
            }
            assert_eq!((status, &answer), (400, &expected), "{operation} {request}");
            assert_eq!((dry_status, dry_answer), (400, expected), "dry {operation} {request}");
            None
        }
    }
}

fn refused(world: &World, operation: Operation, request: &Value, code: &'static str, text: Option<&str>) {
    cell(world, operation, request, &Err((code, text.map(str::to_owned))));
}

/// Whether the buffer of an answer does not grow once a secret is in it.
fn fits(operation: Operation, answer: &Value) -> bool {
    answer.to_string().len() <= answer_capacity(operation)
}

fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn bytes(answer: &Value, member: &str) -> Vec<u8> {
    STANDARD.decode(answer[member].as_str().unwrap()).unwrap()
}

#[test]
fn a_key_can_be_created_for_exactly_the_usages_of_its_spec() {
    let world = World::default();
    for spec in KeySpec::TEXTS {
        for usage in KeyUsage::TEXTS {
            let request = json!({"KeySpec": spec, "KeyUsage": usage});
            let (status, answer) = world.call(CreateKey, request);
            if KEYS.iter().any(|key| (key.0, key.1) == (*spec, *usage)) {
                assert_eq!(status, 200, "{spec} {usage}: {answer}");
            } else {
                let text = format!("KeyUsage {usage} is not compatible with KeySpec {spec}");
                let expected = json!({"__type": "ValidationException", "message": text});
                assert_eq!((status, answer), (400, expected), "{spec} {usage}");
            }
        }
        let (status, answer) = world.call(CreateKey, json!({"KeySpec": spec}));
        if *spec == "SYMMETRIC_DEFAULT" {
            assert_eq!(status, 200, "{answer}");
        } else {
            let text =
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
            assert_eq!(answer, json!({"__type": "ValidationException", "message": text}), "{spec}");
        }
    }
}

#[test]
fn a_key_says_what_it_is() {
    let world = World::default();
    for key in keys(&world) {
        let of = format!("{} {}", key.spec, key.usage);
        let described = world.done(DescribeKey, json!({"KeyId": key.arn}));
        assert_eq!(described["KeyMetadata"], key.metadata, "{of}");
        let symmetric = key.spec == "SYMMETRIC_DEFAULT";
        assert_eq!(key.metadata.get("CurrentKeyMaterialId").is_some(), symmetric, "{of}");
        let old = !key.spec.starts_with("ML_") && key.spec != "ECC_NIST_EDWARDS25519";
        let expected = if old { json!(key.spec) } else { Value::Null };
        assert_eq!(key.metadata["CustomerMasterKeySpec"], expected, "{of}");
        for (usage, member) in [
            ("ENCRYPT_DECRYPT", "EncryptionAlgorithms"),
            ("SIGN_VERIFY", "SigningAlgorithms"),
            ("GENERATE_VERIFY_MAC", "MacAlgorithms"),
            ("KEY_AGREEMENT", "KeyAgreementAlgorithms"),
            ("ENCAPSULATE_DECAPSULATE", "EncapsulationAlgorithms"),
        ] {
            let expected = if usage == key.usage { json!(key.algorithms) } else { Value::Null };
            assert_eq!(key.metadata[member], expected, "{of}: {member}");
            let shown = world.call(GetPublicKey, json!({"KeyId": key.arn})).1;
            if key.public_key_len.is_some() {
                assert_eq!(shown[member], expected, "{of}: {member} of the public key");
            }
        }
        let request = json!({"KeyId": key.arn});
        let Some(len) = key.public_key_len else {
            refused(&world, GetPublicKey, &request, "UnsupportedOperationException", None);
            continue;
        };
        let shown = world.done(GetPublicKey, request);
        assert_eq!((&shown["KeyId"], &shown["KeySpec"]), (&json!(key.arn), &json!(key.spec)), "{of}");
        assert_eq!(shown["KeyUsage"], key.usage, "{of}");
        assert_eq!(shown["CustomerMasterKeySpec"], expected, "{of}");
        let public_key = bytes(&shown, "PublicKey");
        assert_eq!(public_key.len(), len, "{of}");
        let fresh = world.call_fresh(GetPublicKey, &json!({"KeyId": key.arn})).1;
        assert_eq!(fresh, shown, "{of}: opened again");
    }
}

#[test]
fn signatures_are_made_and_verified_or_refused_for_the_right_reason() {
    let world = World::default();
    for key in keys(&world) {
        let other = world.done(CreateKey, json!({"KeySpec": key.spec, "KeyUsage": key.usage}));
        for algorithm in SigningAlgorithm::TEXTS.iter().chain(&["SYMMETRIC_DEFAULT"]) {
            for kind in MessageType::TEXTS {
                for len in [32, 48, 64, 20] {
                    let message = b64(&vec![7; len]);
                    let request = json!({
                        "KeyId": key.arn, "SigningAlgorithm": algorithm, "MessageType": kind, "Message": message,
                    });
                    let end = key
                        .fits(Sign, "SIGN_VERIFY", algorithm)
                        .and_then(|()| key.takes(algorithm, kind, len));
                    let signed = cell(&world, Sign, &request, &end);
                    let mut verify = request.clone();
                    verify["Signature"] =
                        signed.as_ref().map_or(json!("AAAA"), |signed| signed["Signature"].clone());
                    let end = key
                        .fits(Verify, "SIGN_VERIFY", algorithm)
                        .and_then(|()| key.takes(algorithm, kind, len));
                    let verified = cell(&world, Verify, &verify, &end);
                    let (Some(signed), Some(verified)) = (signed, verified) else { continue };
                    let expected =
                        json!({"KeyId": key.arn, "SignatureValid": true, "SigningAlgorithm": algorithm});
                    assert_eq!(verified, expected);
                    assert_eq!(
                        (&signed["KeyId"], &signed["SigningAlgorithm"]),
                        (&json!(key.arn), &json!(algorithm))
                    );
                    let signature = bytes(&signed, "Signature");
                    let expected_len = match key.spec {
                        "RSA_2048" => Some(256),
                        "RSA_3072" => Some(384),
                        "RSA_4096" => Some(512),
                        "ECC_NIST_EDWARDS25519" => Some(64),
                        "ML_DSA_44" => Some(2420),
                        "ML_DSA_65" => Some(3309),
                        "ML_DSA_87" => Some(4627),
                        _ => None,
                    };
                    assert!(expected_len.is_none_or(|len| len == signature.len()), "{request}");
                    // Altered, cut, of another message, and for another key (RSA keys of a size are all one here).
                    let mut altered = signature.clone();
                    *altered.last_mut().unwrap() ^= 1;
                    for wrong in [altered, signature[..signature.len() - 1].to_vec(), vec![0]] {
                        verify["Signature"] = json!(b64(&wrong));
                        refused(&world, Verify, &verify, "KMSInvalidSignatureException", None);
                    }
                    verify["Signature"] = signed["Signature"].clone();
                    verify["Message"] = json!(b64(&vec![8; len]));
                    refused(&world, Verify, &verify, "KMSInvalidSignatureException", None);
                    if !key.spec.starts_with("RSA") {
                        verify["Message"] = json!(message);
                        verify["KeyId"] = other["KeyMetadata"]["KeyId"].clone();
                        refused(&world, Verify, &verify, "KMSInvalidSignatureException", None);
                    }
                }
            }
        }
    }
}

#[test]
fn a_message_is_raw_where_its_type_is_not_given() {
    let world = World::default();
    let key = world.key_of(KeySpec::Rsa2048, KeyUsage::SignVerify);
    let mut request =
        json!({"KeyId": key, "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256", "Message": "AAAA"});
    let implied = world.done(Sign, request.clone());
    request["MessageType"] = json!("RAW");
    assert_eq!(world.done(Sign, request), implied);
}

#[test]
fn macs_are_made_and_verified_or_refused_for_the_right_reason() {
    let world = World::default();
    for key in keys(&world) {
        for algorithm in MacAlgorithm::TEXTS {
            let mut request =
                json!({"KeyId": key.arn, "MacAlgorithm": algorithm, "Message": b64(b"message")});
            let made =
                cell(&world, GenerateMac, &request, &key.fits(GenerateMac, "GENERATE_VERIFY_MAC", algorithm));
            request["Mac"] = made.as_ref().map_or(json!("AAAA"), |made| made["Mac"].clone());
            let verified =
                cell(&world, VerifyMac, &request, &key.fits(VerifyMac, "GENERATE_VERIFY_MAC", algorithm));
            let (Some(made), Some(verified)) = (made, verified) else { continue };
            assert_eq!(verified, json!({"KeyId": key.arn, "MacAlgorithm": algorithm, "MacValid": true}));
            let mac = bytes(&made, "Mac");
            let bits: usize = algorithm.rsplit('_').next().unwrap().parse().unwrap();
            assert_eq!(mac.len(), bits / 8);
            let mut altered = mac.clone();
            altered[0] ^= 1;
            for wrong in [altered, mac[..mac.len() - 1].to_vec(), [mac, vec![0]].concat()] {
                request["Mac"] = json!(b64(&wrong));
                refused(&world, VerifyMac, &request, "KMSInvalidMacException", None);
            }
        }
    }
}

/// The longest plaintext of a public key.
fn longest(spec: &str, algorithm: &str) -> Option<usize> {
    Some(match (spec, algorithm) {
        ("RSA_2048", "RSAES_OAEP_SHA_1") => 214,
        ("RSA_2048", "RSAES_OAEP_SHA_256") => 190,
        ("RSA_3072", "RSAES_OAEP_SHA_1") => 342,
        ("RSA_3072", "RSAES_OAEP_SHA_256") => 318,
        ("RSA_4096", "RSAES_OAEP_SHA_1") => 470,
        ("RSA_4096", "RSAES_OAEP_SHA_256") => 446,
        ("SM2", "SM2PKE") => 1024,
        _ => return None,
    })
}

#[test]
fn what_is_encrypted_is_decrypted_or_refused_for_the_right_reason() {
    const NO_CONTEXT: &str =
        "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.";
    let world = World::default();
    for key in keys(&world) {
        for algorithm in EncryptionAlgorithm::TEXTS {
            let most = longest(key.spec, algorithm);
            let plaintext = b64(&vec![1; most.unwrap_or(4096)]);
            let mut request =
                json!({"KeyId": key.arn, "EncryptionAlgorithm": algorithm, "Plaintext": plaintext});
            let sealed = cell(&world, Encrypt, &request, &key.fits(Encrypt, "ENCRYPT_DECRYPT", algorithm));
            if *algorithm == "SYMMETRIC_DEFAULT" {
                let mut implied = request.clone();
                implied.as_object_mut().unwrap().remove("EncryptionAlgorithm");
                cell(&world, Encrypt, &implied, &key.fits(Encrypt, "ENCRYPT_DECRYPT", algorithm));
            }
            let blob =
                sealed.as_ref().map_or(json!(b64(&[1; 256])), |sealed| sealed["CiphertextBlob"].clone());
            let mut open =
                json!({"KeyId": key.arn, "EncryptionAlgorithm": algorithm, "CiphertextBlob": blob});
            if *algorithm == "SYMMETRIC_DEFAULT" && sealed.is_none() {
                // It is read as a blob of ours before the key is looked at.
                refused(&world, Decrypt, &open, "InvalidCiphertextException", None);
                continue;
            }
            let opened = cell(&world, Decrypt, &open, &key.fits(Decrypt, "ENCRYPT_DECRYPT", algorithm));
            let (Some(sealed), Some(opened)) = (sealed, opened) else { continue };
            for (member, expected) in [("KeyId", key.arn.as_str()), ("EncryptionAlgorithm", algorithm)] {
                assert_eq!((&sealed[member], &opened[member]), (&json!(expected), &json!(expected)));
            }
            assert_eq!(opened["Plaintext"], plaintext);
            let Some(most) = most else { continue };
            assert!(opened.get("KeyMaterialId").is_none(), "{opened}");
            for (len, end) in [
                (1, Ok(())),
                (
                    most + 1,
                    Err((
                        "ValidationException",
                        Some(format!(
                            "Algorithm {algorithm} and key spec {} cannot encrypt data larger than {most} bytes.",
                            key.spec
                        )),
                    )),
                ),
            ] {
                request["Plaintext"] = json!(b64(&vec![2; len]));
                cell(&world, Encrypt, &request, &end);
            }
            request["Plaintext"] = json!(plaintext);
            request["EncryptionContext"] = json!({"a": "b"});
            refused(&world, Encrypt, &request, "ValidationException", Some(NO_CONTEXT));
            open["EncryptionContext"] = json!({"a": "b"});
            refused(&world, Decrypt, &open, "ValidationException", Some(NO_CONTEXT));
            open.as_object_mut().unwrap().remove("EncryptionContext");
            // Whatever is wrong with a ciphertext, the answer is the same.
            let whole = bytes(&sealed, "CiphertextBlob");
            let mut altered = whole.clone();
            *altered.last_mut().unwrap() ^= 1;
            let short = whole[..whole.len() - 1].to_vec();
            for wrong in
                [altered, short, vec![0; whole.len()], vec![255; whole.len()], vec![1], vec![9; 6144]]
            {
                open["CiphertextBlob"] = json!(b64(&wrong));
                refused(&world, Decrypt, &open, "InvalidCiphertextException", None);
            }
            open["CiphertextBlob"] = sealed["CiphertextBlob"].clone();
            open.as_object_mut().unwrap().remove("KeyId");
            refused(&world, Decrypt, &open, "ValidationException", Some("KeyId must not be null"));
            open["KeyId"] = json!(key.arn);
            open.as_object_mut().unwrap().remove("EncryptionAlgorithm");
            refused(&world, Decrypt, &open, "InvalidCiphertextException", None);
        }
    }
}

#[test]
fn a_blob_of_a_symmetric_key_is_not_another_keys() {
    let world = World::default();
    let sealed = world.done(Encrypt, json!({"KeyId": world.key(), "Plaintext": "AAAA"}));
    for key in keys(&world) {
        let request = json!({"KeyId": key.arn, "CiphertextBlob": sealed["CiphertextBlob"]});
        let text = "The key ID in the request does not identify a CMK that can perform this operation.";
        refused(&world, Decrypt, &request, "IncorrectKeyException", Some(text));
    }
}

#[test]
fn a_ciphertext_is_re_encrypted_between_keys_of_all_kinds() {
    let world = World::default();
    let encrypting: Vec<_> = keys(&world).into_iter().filter(|key| key.usage == "ENCRYPT_DECRYPT").collect();
    for from in &encrypting {
        for source in from.algorithms {
            let request =
                json!({"KeyId": from.arn, "EncryptionAlgorithm": source, "Plaintext": b64(b"secret")});
            let blob = world.done(Encrypt, request)["CiphertextBlob"].clone();
            for to in &encrypting {
                for destination in EncryptionAlgorithm::TEXTS {
                    let request = json!({
                        "CiphertextBlob": blob, "SourceKeyId": from.arn, "SourceEncryptionAlgorithm": source,
                        "DestinationKeyId": to.arn, "DestinationEncryptionAlgorithm": destination,
                    });
                    let end = to.fits(ReEncrypt, "ENCRYPT_DECRYPT", destination);
                    let Some(moved) = cell(&world, ReEncrypt, &request, &end) else { continue };
                    for (member, expected) in [
                        ("SourceKeyId", from.arn.as_str()),
                        ("KeyId", to.arn.as_str()),
                        ("SourceEncryptionAlgorithm", source),
                        ("DestinationEncryptionAlgorithm", destination),
                    ] {
                        assert_eq!(moved[member], expected, "{request}");
                    }
                    for (member, key) in [("SourceKeyMaterialId", from), ("DestinationKeyMaterialId", to)] {
                        let symmetric = key.spec == "SYMMETRIC_DEFAULT";
                        assert_eq!(moved.get(member).is_some(), symmetric, "{request}");
                    }
                    let open = json!({
                        "KeyId": to.arn, "EncryptionAlgorithm": destination,
                        "CiphertextBlob": moved["CiphertextBlob"],
                    });
                    assert_eq!(world.done(Decrypt, open)["Plaintext"], b64(b"secret"), "{request}");
                }
            }
        }
    }
}

#[test]
fn no_side_of_a_re_encryption_that_is_asymmetric_takes_a_context() {
    let world = World::default();
    let (symmetric, rsa) = (world.key(), world.key_of(KeySpec::Rsa2048, KeyUsage::EncryptDecrypt));
    let text = "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.";
    let blob =
        world.done(Encrypt, json!({"KeyId": symmetric, "Plaintext": "AAAA"}))["CiphertextBlob"].clone();
    // A ciphertext that is ignored, and two that cannot be decrypted.
    for ignored in [true, false] {
        for (member, mut request) in [
            (
                "SourceEncryptionContext",
                json!({
                    "SourceKeyId": rsa, "SourceEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
                    "DestinationKeyId": symmetric, "CiphertextBlob": "AAAA",
                }),
            ),
            (
                "DestinationEncryptionContext",
                json!({
                    "SourceKeyId": symmetric, "SourceEncryptionContext": {"not": "its"}, "CiphertextBlob": blob,
                    "DestinationKeyId": rsa, "DestinationEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
                }),
            ),
        ] {
            if ignored {
                request["DryRun"] = json!(true);
                request["DryRunModifiers"] = json!(["IGNORE_CIPHERTEXT"]);
            }
            let (code, end) = match ignored {
                true => {
                    let text = "The request would have succeeded, but the DryRun option is set.";
                    ("DryRunOperationException", Some(text))
                }
                false => ("InvalidCiphertextException", None),
            };
            refused(&world, ReEncrypt, &request, code, end);
            request[member] = json!({"a": "b"});
            refused(&world, ReEncrypt, &request, "ValidationException", Some(text));
        }
    }
}

#[test]
fn a_ciphertext_too_long_for_the_new_key_stays_where_it_is() {
    let world = World::default();
    let (from, to) = (world.key(), world.key_of(KeySpec::Rsa2048, KeyUsage::EncryptDecrypt));
    let sealed = world.done(Encrypt, json!({"KeyId": from, "Plaintext": b64(&[1; 191])}));
    let request = json!({
        "CiphertextBlob": sealed["CiphertextBlob"], "DestinationKeyId": to,
        "DestinationEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
    });
    let text =
        "Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes.";
    refused(&world, ReEncrypt, &request, "ValidationException", Some(text));
}

#[test]
fn an_empty_plaintext_is_re_encrypted_where_the_algorithm_takes_one() {
    let world = World::default();
    let rsa = world.key_of(KeySpec::Rsa2048, KeyUsage::EncryptDecrypt);
    let public = bytes(&world.done(GetPublicKey, json!({"KeyId": rsa})), "PublicKey");
    let public = PublicKey::parse(KeySpec::Rsa2048, &public).unwrap();
    let empty = public.encrypt(EncryptionAlgorithm::RsaesOaepSha256, &[]).unwrap();
    for (to, algorithm) in [
        (world.key(), "SYMMETRIC_DEFAULT"),
        (rsa.clone(), "RSAES_OAEP_SHA_256"),
        (world.key_of(KeySpec::Sm2, KeyUsage::EncryptDecrypt), "SM2PKE"),
    ] {
        let request = json!({
            "SourceKeyId": rsa, "SourceEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "CiphertextBlob": b64(&empty),
            "DestinationKeyId": to, "DestinationEncryptionAlgorithm": algorithm,
        });
        if algorithm == "SM2PKE" {
            let text = "Algorithm SM2PKE and key spec SM2 cannot encrypt empty data.";
            refused(&world, ReEncrypt, &request, "ValidationException", Some(text));
        } else {
            world.done(ReEncrypt, request);
        }
    }
}

#[test]
fn secrets_are_agreed_on_with_a_key_of_the_same_curve_alone() {
    let world = World::default();
    let all = keys(&world);
    let public_key = |key: &Key| world.call(GetPublicKey, json!({"KeyId": key.arn})).1["PublicKey"].clone();
    for key in &all {
        let request = json!({"KeyId": key.arn, "KeyAgreementAlgorithm": "ECDH", "PublicKey": "AAAA"});
        if let Err(end) = key.fits(DeriveSharedSecret, "KEY_AGREEMENT", "ECDH") {
            cell(&world, DeriveSharedSecret, &request, &Err(end));
            continue;
        }
        refused(&world, DeriveSharedSecret, &request, "ValidationException", None);
        let twin = world.done(CreateKey, json!({"KeySpec": key.spec, "KeyUsage": key.usage}))["KeyMetadata"]
            ["Arn"]
            .clone();
        for peer in &all {
            if peer.public_key_len.is_none() {
                continue;
            }
            let mut request = request.clone();
            request["PublicKey"] = public_key(peer);
            let end = match peer.spec == key.spec {
                true => Ok(()),
                false => Err(("ValidationException", None)),
            };
            let Some(agreed) = cell(&world, DeriveSharedSecret, &request, &end) else { continue };
            let len = match key.spec {
                "ECC_NIST_P384" => 48,
                "ECC_NIST_P521" => 66,
                _ => 32,
            };
            assert_eq!(bytes(&agreed, "SharedSecret").len(), len, "{}", key.spec);
            assert_eq!((&agreed["KeyId"], &agreed["KeyOrigin"]), (&json!(key.arn), &json!("AWS_KMS")));
            assert_eq!(agreed["KeyAgreementAlgorithm"], "ECDH");
        }
        let there = json!({
            "KeyId": key.arn, "KeyAgreementAlgorithm": "ECDH",
            "PublicKey": world.done(GetPublicKey, json!({"KeyId": twin}))["PublicKey"],
        });
        let back = json!({"KeyId": twin, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public_key(key)});
        let (there, back) = (world.done(DeriveSharedSecret, there), world.done(DeriveSharedSecret, back));
        assert_eq!(there["SharedSecret"], back["SharedSecret"], "{}", key.spec);
    }
}

#[test]
fn secrets_are_encapsulated_and_a_forged_one_gives_another() {
    let world = World::default();
    for key in keys(&world) {
        let request = json!({"KeyId": key.arn, "EncapsulationAlgorithm": "ML_KEM"});
        let end = key.fits(Encapsulate, "ENCAPSULATE_DECAPSULATE", "ML_KEM");
        let made = cell(&world, Encapsulate, &request, &end);
        let mut open = request.clone();
        open["SharedSecretCiphertextBlob"] =
            made.as_ref().map_or(json!("AAAA"), |made| made["SharedSecretCiphertextBlob"].clone());
        let opened =
            cell(&world, Decapsulate, &open, &key.fits(Decapsulate, "ENCAPSULATE_DECAPSULATE", "ML_KEM"));
        let (Some(made), Some(opened)) = (made, opened) else { continue };
        assert_eq!(made["SharedSecret"], opened["SharedSecret"]);
        assert!(fits(Encapsulate, &made), "{}", key.spec);
        assert_eq!((&made["KeyId"], &opened["KeyId"]), (&json!(key.arn), &json!(key.arn)));
        assert_eq!(bytes(&opened, "SharedSecret").len(), 32);
        let blob = bytes(&made, "SharedSecretCiphertextBlob");
        let len = match key.spec {
            "ML_KEM_512" => 768,
            "ML_KEM_768" => 1088,
            _ => 1568,
        };
        assert_eq!(blob.len(), len);
        let mut forged = blob.clone();
        forged[5] ^= 1;
        open["SharedSecretCiphertextBlob"] = json!(b64(&forged));
        let rejected = cell(&world, Decapsulate, &open, &Ok(())).unwrap();
        assert_ne!(rejected["SharedSecret"], made["SharedSecret"]);
        assert_eq!(cell(&world, Decapsulate, &open, &Ok(())).unwrap(), rejected, "always the same");
        for wrong in [blob[..len - 1].to_vec(), [blob, vec![0]].concat(), vec![0]] {
            open["SharedSecretCiphertextBlob"] = json!(b64(&wrong));
            refused(&world, Decapsulate, &open, "InvalidCiphertextException", None);
        }
    }
}

#[test]
fn data_keys_and_pairs_are_made_under_symmetric_keys_alone() {
    let world = World::default();
    for key in keys(&world) {
        let end = |operation| match (key.usage, key.spec) {
            (_, "SYMMETRIC_DEFAULT") => Ok(()),
            ("ENCRYPT_DECRYPT", _) => Err((
                "InvalidKeyUsageException",
                Some(match [GenerateDataKey, GenerateDataKeyWithoutPlaintext].contains(&operation) {
                    true => "You cannot generate a data key with an asymmetric CMK".to_owned(),
                    false => "You cannot generate a data key pair with an asymmetric CMK".to_owned(),
                }),
            )),
            _ => key.fits(operation, "ENCRYPT_DECRYPT", ""),
        };
        for operation in [GenerateDataKey, GenerateDataKeyWithoutPlaintext] {
            cell(&world, operation, &json!({"KeyId": key.arn, "KeySpec": "AES_256"}), &end(operation));
        }
        for pair in DataKeyPairSpec::TEXTS {
            for operation in [GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext] {
                let context = json!({"a": "b"});
                let request = json!({"KeyId": key.arn, "KeyPairSpec": pair, "EncryptionContext": context});
                let Some(made) = cell(&world, operation, &request, &end(operation)) else { continue };
                let len = KEYS.iter().find(|(spec, ..)| spec == pair).unwrap().3;
                assert_eq!(Some(bytes(&made, "PublicKey").len()), len, "{pair}");
                assert!(operation != GenerateDataKeyPair || fits(operation, &made), "{pair}");
                assert_eq!((&made["KeyId"], &made["KeyPairSpec"]), (&json!(key.arn), &json!(pair)));
                assert_eq!(made["KeyMaterialId"], key.metadata["CurrentKeyMaterialId"]);
                let blob = &made["PrivateKeyCiphertextBlob"];
                let opened =
                    world.done(Decrypt, json!({"CiphertextBlob": blob, "EncryptionContext": context}));
                if operation == GenerateDataKeyPair {
                    assert_eq!(opened["Plaintext"], made["PrivateKeyPlaintext"], "{pair}");
                } else {
                    assert!(made.get("PrivateKeyPlaintext").is_none(), "{pair}");
                }
            }
        }
    }
}

#[test]
fn symmetric_keys_alone_rotate() {
    let world = World::default();
    for key in keys(&world) {
        let request = json!({"KeyId": key.arn});
        for operation in [EnableKeyRotation, RotateKeyOnDemand, ListKeyRotations] {
            let (status, answer) = world.call(operation, request.clone());
            if key.spec == "SYMMETRIC_DEFAULT" {
                assert_eq!(status, 200, "{operation}: {answer}");
            } else if operation == ListKeyRotations {
                assert_eq!(answer, json!({"Rotations": [], "Truncated": false}), "{}", key.spec);
            } else {
                assert_eq!(
                    answer,
                    json!({"__type": "UnsupportedOperationException"}),
                    "{operation} {}",
                    key.spec
                );
            }
        }
        assert_eq!(world.call(DisableKeyRotation, request.clone()).0, 200, "{}", key.spec);
        let expected = json!({"KeyId": key.arn, "KeyRotationEnabled": false});
        assert_eq!(world.done(GetKeyRotationStatus, request.clone()), expected, "{}", key.spec);
        world.done(DisableKey, request.clone());
        for operation in [EnableKeyRotation, RotateKeyOnDemand, DisableKeyRotation] {
            let (_, answer) = world.call(operation, request.clone());
            assert_eq!(answer["message"], format!("{} is disabled.", key.arn), "{operation} {}", key.spec);
        }
    }
}

#[test]
fn the_last_use_of_a_key_of_every_kind_is_kept() {
    let world = World::default();
    for operation in Operation::ALL.iter().copied() {
        let tracked = [
            Decapsulate,
            Decrypt,
            DeriveSharedSecret,
            Encapsulate,
            Encrypt,
            GenerateDataKey,
            GenerateDataKeyPair,
            GenerateDataKeyPairWithoutPlaintext,
            GenerateDataKeyWithoutPlaintext,
            GenerateMac,
            ReEncrypt,
            Sign,
            Verify,
            VerifyMac,
        ];
        if !tracked.contains(&operation) {
            continue;
        }
        let of = world.fixture_for(operation);
        world.done(operation, keyreeve_testkit::body(operation, &of));
        let used = world.done(GetKeyLastUsage, json!({"KeyId": of.id}));
        assert_eq!(used["KeyLastUsage"]["Operation"], operation.name(), "{operation}");
    }
}

#[test]
fn an_alias_moves_between_keys_of_one_usage_and_one_kind_alone() {
    let world = World::default();
    let all = keys(&world);
    for (at, from) in all.iter().enumerate() {
        let alias = format!("alias/from-{at}");
        world.done(CreateAlias, json!({"AliasName": alias, "TargetKeyId": from.arn}));
        for to in &all {
            let (status, answer) =
                world.call(UpdateAlias, json!({"AliasName": alias, "TargetKeyId": to.arn}));
            let kind = |key: &Key| (key.spec == "SYMMETRIC_DEFAULT", key.spec.starts_with("HMAC"));
            let fits = from.usage == to.usage && kind(from) == kind(to);
            assert_eq!(status == 200, fits, "from {} to {}: {answer}", from.spec, to.spec);
            if !fits {
                assert_eq!(answer["__type"], "ValidationException");
            }
            world.call(UpdateAlias, json!({"AliasName": alias, "TargetKeyId": from.arn}));
        }
    }
}

#[test]
fn ml_kem_keys_are_not_made_in_the_regions_of_china() {
    let mut world = World::default();
    for spec in ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"] {
        let request = json!({"KeySpec": spec, "KeyUsage": "ENCAPSULATE_DECAPSULATE"});
        for (region, status) in [("cn-north-1", 400), ("cn-northwest-1", 400), ("us-gov-west-1", 200)] {
            world.region = region.parse().unwrap();
            let (told, answer) = world.call(CreateKey, request.clone());
            assert_eq!(told, status, "{spec} {region}: {answer}");
            if status == 400 {
                assert_eq!(answer["__type"], "UnsupportedOperationException", "{spec} {region}");
                assert_eq!(answer["message"], format!("KeySpec {spec} is not supported in this Region"));
            }
        }
    }
}
