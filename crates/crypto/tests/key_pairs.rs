//! What every key pair does and refuses, on one new pair of each spec.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::sync::LazyLock;

use keyreeve_crypto::asymmetric::{
    AgreeError, DecapsulateError, EncapsulateError, EncryptError, KeyPair, Message, ParseKeyError, SignError,
    VerifyError, make_pair,
};
use keyreeve_crypto::ciphertext::OpenError;
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_crypto::random::SystemRandom;
use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, MessageType, SigningAlgorithm};

struct Made {
    material: KeyMaterial,
    pair: KeyPair,
}

/// One pair of each asymmetric spec, made once.
static PAIRS: LazyLock<Vec<Made>> = LazyLock::new(|| {
    let specs = KeySpec::ALL.iter().copied().filter(|spec| is_asymmetric(*spec));
    specs
        .map(|spec| {
            let (material, pair) = make_pair(spec, &SystemRandom).unwrap();
            Made { material, pair }
        })
        .collect()
});

fn is_asymmetric(spec: KeySpec) -> bool {
    spec != KeySpec::SymmetricDefault && spec.mac_algorithms().is_empty()
}

/// The kinds of message that a spec's algorithm takes.
fn kinds(spec: KeySpec, algorithm: SigningAlgorithm) -> &'static [MessageType] {
    use MessageType::{Digest, ExternalMu, Raw};
    use SigningAlgorithm as S;
    if !spec.signing_algorithms().contains(&algorithm) {
        return &[];
    }
    match algorithm {
        S::Ed25519Sha512 => &[Raw],
        S::Ed25519PhSha512 => &[Digest],
        S::MlDsaShake256 => &[Raw, ExternalMu],
        S::RsassaPssSha256
        | S::RsassaPssSha384
        | S::RsassaPssSha512
        | S::RsassaPkcs1V15Sha256
        | S::RsassaPkcs1V15Sha384
        | S::RsassaPkcs1V15Sha512
        | S::EcdsaSha256
        | S::EcdsaSha384
        | S::EcdsaSha512
        | S::Sm2Dsa => &[Raw, Digest],
    }
}

fn digest_len(algorithm: SigningAlgorithm) -> usize {
    match algorithm.as_str().rsplit('_').next().unwrap_or_default() {
        "384" => 48,
        "512" => 64,
        _ => 32,
    }
}

fn message(kind: MessageType, bytes: &[u8]) -> Message<'_> {
    match kind {
        MessageType::Raw => Message::Raw(bytes),
        MessageType::Digest => Message::Digest(bytes),
        MessageType::ExternalMu => Message::ExternalMu(bytes),
    }
}

fn len(kind: MessageType, algorithm: SigningAlgorithm) -> usize {
    match kind {
        MessageType::Raw => 100,
        MessageType::Digest => digest_len(algorithm),
        MessageType::ExternalMu => 64,
    }
}

#[test]
fn a_signature_verifies_exactly_for_its_pair_algorithm_and_message() {
    for Made { material, pair } in PAIRS.iter() {
        let again = KeyPair::parse(pair.spec(), material).unwrap();
        assert_eq!(again.public_key(), pair.public_key());
        for algorithm in SigningAlgorithm::ALL.iter().copied() {
            for kind in MessageType::ALL.iter().copied() {
                let case = format!("{} {algorithm} {kind}", pair.spec());
                let mut bytes = vec![0x5a; len(kind, algorithm)];
                if !kinds(pair.spec(), algorithm).contains(&kind) {
                    let signed = pair.sign(algorithm, message(kind, &bytes));
                    assert_eq!(signed.unwrap_err(), SignError::Unsupported, "{case}");
                    let verified = pair.verify(algorithm, message(kind, &bytes), &[0; 64]);
                    assert_eq!(verified.unwrap_err(), VerifyError::Unsupported, "{case}");
                    continue;
                }
                let signature = pair.sign(algorithm, message(kind, &bytes)).expect(&case);
                let verify =
                    |bytes: &[u8], signature: &[u8]| again.verify(algorithm, message(kind, bytes), signature);
                assert_eq!(verify(&bytes, &signature), Ok(()), "{case}");
                for bit in (0..8 * signature.len()).step_by(signature.len() / 40 * 8 + 3) {
                    let mut flipped = signature.clone();
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    assert_eq!(verify(&bytes, &flipped), Err(VerifyError::Mismatch), "{case} bit {bit}");
                }
                for wrong in [&signature[..signature.len() - 1], &[], &[signature.as_slice(), &[0]].concat()]
                {
                    assert_eq!(verify(&bytes, wrong), Err(VerifyError::Mismatch), "{case} {}", wrong.len());
                }
                bytes[7] ^= 1;
                assert_eq!(verify(&bytes, &signature), Err(VerifyError::Mismatch), "{case} other message");
            }
        }
    }
}

#[test]
fn a_digest_or_mu_of_another_length_is_named_as_such() {
    for Made { pair, .. } in PAIRS.iter() {
        for algorithm in pair.spec().signing_algorithms().iter().copied() {
            for kind in kinds(pair.spec(), algorithm).iter().copied().filter(|kind| *kind != MessageType::Raw)
            {
                let right = len(kind, algorithm);
                for wrong in [0, 20, right - 1, right + 1, 100] {
                    let case = format!("{} {algorithm} {kind} {wrong}", pair.spec());
                    let bytes = vec![1; wrong];
                    let signed = pair.sign(algorithm, message(kind, &bytes));
                    assert_eq!(signed.unwrap_err(), SignError::MessageLength, "{case}");
                    let verified = pair.verify(algorithm, message(kind, &bytes), &[0; 64]);
                    assert_eq!(verified.unwrap_err(), VerifyError::MessageLength, "{case}");
                }
            }
        }
    }
}

#[test]
fn a_raw_message_may_have_any_length() {
    for Made { pair, .. } in PAIRS.iter() {
        for algorithm in pair.spec().signing_algorithms().iter().copied() {
            if !kinds(pair.spec(), algorithm).contains(&MessageType::Raw) {
                continue;
            }
            for len in [0, 1, 4096, 100_000] {
                let bytes = vec![3; len];
                let signature = pair.sign(algorithm, Message::Raw(&bytes)).unwrap();
                let verified = pair.verify(algorithm, Message::Raw(&bytes), &signature);
                assert_eq!(verified, Ok(()), "{} {algorithm} {len}", pair.spec());
            }
        }
    }
}

#[test]
fn a_plaintext_comes_back_under_its_algorithm_alone_and_every_failure_is_the_same() {
    for Made { pair, .. } in PAIRS.iter() {
        for algorithm in EncryptionAlgorithm::ALL.iter().copied() {
            let case = format!("{} {algorithm}", pair.spec());
            let algorithms = pair.spec().encryption_algorithms();
            if !algorithms.contains(&algorithm) {
                assert_eq!(pair.encrypt(algorithm, b"x").unwrap_err(), EncryptError::Unsupported, "{case}");
                assert_eq!(pair.decrypt(algorithm, &[0; 256]).unwrap_err(), OpenError, "{case}");
                continue;
            }
            if algorithm == EncryptionAlgorithm::Sm2Pke {
                assert_eq!(pair.encrypt(algorithm, b"").unwrap_err(), EncryptError::Library, "{case}");
            }
            let empty: &[&[u8]] = if algorithm == EncryptionAlgorithm::Sm2Pke { &[] } else { &[b""] };
            for plaintext in empty.iter().copied().chain([&b"x"[..], &[7; 100]]) {
                let ciphertext = pair.encrypt(algorithm, plaintext).unwrap();
                assert_eq!(*pair.decrypt(algorithm, &ciphertext).unwrap(), plaintext, "{case}");
                for other in algorithms.iter().copied().filter(|other| *other != algorithm) {
                    assert_eq!(pair.decrypt(other, &ciphertext).unwrap_err(), OpenError, "{case} {other}");
                }
                for byte in (0..ciphertext.len()).step_by(17) {
                    let mut flipped = ciphertext.clone();
                    flipped[byte] ^= 1;
                    assert_eq!(pair.decrypt(algorithm, &flipped).unwrap_err(), OpenError, "{case} {byte}");
                }
                let long = [ciphertext.as_slice(), &[0]].concat();
                for wrong in
                    [&ciphertext[1..], &long, &[], &vec![0; ciphertext.len()], &vec![0xff; ciphertext.len()]]
                {
                    assert_eq!(pair.decrypt(algorithm, wrong).unwrap_err(), OpenError, "{case}");
                }
            }
        }
    }
}

#[test]
fn the_longest_plaintext_is_what_the_service_documents() {
    for (spec, sha_1, sha_256) in
        [(KeySpec::Rsa2048, 214, 190), (KeySpec::Rsa3072, 342, 318), (KeySpec::Rsa4096, 470, 446)]
    {
        let Made { pair, .. } = PAIRS.iter().find(|made| made.pair.spec() == spec).unwrap();
        for (algorithm, max) in
            [(EncryptionAlgorithm::RsaesOaepSha1, sha_1), (EncryptionAlgorithm::RsaesOaepSha256, sha_256)]
        {
            let ciphertext = pair.encrypt(algorithm, &vec![1; max]).unwrap();
            assert_eq!(pair.decrypt(algorithm, &ciphertext).unwrap().len(), max);
            let refused = pair.encrypt(algorithm, &vec![1; max + 1]).unwrap_err();
            assert_eq!(refused, EncryptError::TooLong { max }, "{spec} {algorithm}");
        }
    }
    let Made { pair, .. } = PAIRS.iter().find(|made| made.pair.spec() == KeySpec::Sm2).unwrap();
    assert!(pair.encrypt(EncryptionAlgorithm::Sm2Pke, &[1; 1024]).is_ok());
    let refused = pair.encrypt(EncryptionAlgorithm::Sm2Pke, &[1; 1025]).unwrap_err();
    assert_eq!(refused, EncryptError::TooLong { max: 1024 });
}

#[test]
fn two_pairs_agree_on_the_same_secret_of_the_width_of_their_curve() {
    for (spec, width) in [
        (KeySpec::EccNistP256, 32),
        (KeySpec::EccNistP384, 48),
        (KeySpec::EccNistP521, 66),
        (KeySpec::Sm2, 32),
    ] {
        let Made { pair, .. } = PAIRS.iter().find(|made| made.pair.spec() == spec).unwrap();
        let (_, peer) = make_pair(spec, &SystemRandom).unwrap();
        let secret = pair.agree(peer.public_key()).unwrap();
        assert_eq!(secret.len(), width, "{spec}");
        assert_eq!(secret, peer.agree(pair.public_key()).unwrap(), "{spec}");
        let spki = peer.public_key();
        let mut off_the_curve = spki.to_vec();
        *off_the_curve.last_mut().unwrap() ^= 1;
        for (case, wrong) in [
            ("nothing", &[][..]),
            ("cut", &spki[..spki.len() - 1]),
            ("more after it", &[spki, &[0]].concat()),
            ("a bare point", &spki[spki.len() - 2 * width - 1..]),
            ("off the curve", &off_the_curve),
        ] {
            assert_eq!(pair.agree(wrong).unwrap_err(), AgreeError::PeerKey, "{spec} {case}");
        }
        for other in PAIRS.iter().filter(|other| other.pair.spec() != spec) {
            let agreed = pair.agree(other.pair.public_key());
            assert_eq!(agreed.unwrap_err(), AgreeError::PeerKey, "{spec} {}", other.pair.spec());
        }
    }
}

#[test]
fn a_ciphertext_of_the_right_length_always_gives_a_secret_and_only_the_right_one_the_right_secret() {
    for (spec, len) in [(KeySpec::MlKem512, 768), (KeySpec::MlKem768, 1088), (KeySpec::MlKem1024, 1568)] {
        let Made { pair, .. } = PAIRS.iter().find(|made| made.pair.spec() == spec).unwrap();
        let made = pair.encapsulate().unwrap();
        assert_eq!((made.ciphertext.len(), made.secret.len()), (len, 32), "{spec}");
        assert_eq!(pair.decapsulate(&made.ciphertext).unwrap(), made.secret, "{spec}");
        let again = pair.encapsulate().unwrap();
        assert_ne!(again.secret, made.secret, "{spec}");
        let mut flipped = made.ciphertext.clone();
        flipped[len / 2] ^= 1;
        for wrong in [&flipped, &vec![0; len], &vec![0xff; len], &again.ciphertext] {
            let secret = pair.decapsulate(wrong).unwrap();
            assert_eq!(secret.len(), 32, "{spec}");
            assert_ne!(secret, made.secret, "{spec}");
            assert_eq!(
                secret,
                pair.decapsulate(wrong).unwrap(),
                "{spec} rejection is a function of the ciphertext"
            );
        }
        for wrong in [0, 1, len - 1, len + 1, 2 * len] {
            let refused = pair.decapsulate(&vec![0; wrong]).unwrap_err();
            assert_eq!(refused, DecapsulateError::CiphertextLength, "{spec} {wrong}");
        }
    }
}

#[test]
fn what_a_pair_cannot_do_is_unsupported() {
    for Made { pair, .. } in PAIRS.iter() {
        let spec = pair.spec();
        if spec.key_agreement_algorithms().is_empty() {
            assert_eq!(pair.agree(pair.public_key()).unwrap_err(), AgreeError::Unsupported, "{spec}");
        }
        if spec.encapsulation_algorithms().is_empty() {
            assert_eq!(pair.encapsulate().err(), Some(EncapsulateError::Unsupported), "{spec}");
            assert_eq!(pair.decapsulate(&[0; 768]).unwrap_err(), DecapsulateError::Unsupported, "{spec}");
        }
    }
    for spec in KeySpec::ALL.iter().copied().filter(|spec| !is_asymmetric(*spec)) {
        let material = KeyMaterial::make(32, &SystemRandom).unwrap();
        assert!(KeyPair::parse(spec, &material).is_err(), "{spec}");
        let document = b"\x30\x07\x02\x01\x00\x30\x00\x04\x00";
        assert_eq!(KeyPair::parse_pkcs8(spec, document).err(), Some(ParseKeyError::NoPair), "{spec}");
    }
}

#[test]
fn material_parses_as_its_own_spec_alone_and_only_whole() {
    for Made { material, pair } in PAIRS.iter() {
        // EXPOSE: a key made for this test.
        let bytes = material.expose();
        for spec in KeySpec::ALL.iter().copied().filter(|spec| *spec != pair.spec()) {
            let same_seed = ["ML_DSA", "ML_KEM"]
                .iter()
                .any(|family| [spec, pair.spec()].iter().all(|spec| spec.as_str().starts_with(family)));
            assert_eq!(KeyPair::parse(spec, material).is_ok(), same_seed, "{} as {spec}", pair.spec());
        }
        for (case, wrong) in [
            ("nothing", vec![]),
            ("cut", bytes[..bytes.len() - 1].to_vec()),
            ("a byte more", [bytes, &[0]].concat()),
            ("twice", [bytes, bytes].concat()),
        ] {
            let wrong = KeyMaterial::init_with::<keyreeve_crypto::LockedMemoryError>(wrong.len(), |slot| {
                slot.copy_from_slice(&wrong);
                Ok(())
            })
            .unwrap();
            assert_eq!(
                KeyPair::parse(pair.spec(), &wrong).err(),
                Some(ParseKeyError::Rejected),
                "{} {case}",
                pair.spec()
            );
        }
    }
}
