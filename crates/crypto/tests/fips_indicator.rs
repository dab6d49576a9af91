//! The table of approved services against the indicator of the FIPS module.

#![cfg(feature = "fips")]
#![expect(clippy::unwrap_used, reason = "test code")]

use keyreeve_aws_lc_ffi::approved_services;
use keyreeve_crypto::approved::{Service, standing};
use keyreeve_crypto::asymmetric::{Message, make_material, make_pair};
use keyreeve_crypto::mac::MacKey;
use keyreeve_crypto::random::SystemRandom;
use keyreeve_domain::spec::{KeySpec, MessageType, SigningAlgorithm};

/// Compares the table with what the module says of `work`.
fn compare<T>(spec: KeySpec, service: Service, work: impl FnOnce() -> T) -> T {
    let before = approved_services();
    let done = work();
    let approved = approved_services() != before;
    // RSA encryption and SM2 are no services of the indicator, but the hashes and random bytes in them are.
    if spec != KeySpec::Sm2 && !matches!(service, Service::Encrypt(_) | Service::Decrypt(_)) {
        assert_eq!(standing(spec, service).is_ok(), approved, "{spec} {service:?}");
    }
    done
}

fn message(kind: MessageType) -> Message<'static> {
    match kind {
        MessageType::Raw => Message::Raw(b"message"),
        MessageType::Digest => Message::Digest(&[1; 64]),
        MessageType::ExternalMu => Message::ExternalMu(&[1; 64]),
    }
}

/// The digest of the algorithm's length, else the message of that kind.
fn sized(algorithm: SigningAlgorithm, kind: MessageType) -> Message<'static> {
    let len = match algorithm.as_str().rsplit('_').next() {
        Some("512") => 64,
        Some("384") => 48,
        _ => 32,
    };
    match message(kind) {
        Message::Digest(digest) => Message::Digest(digest.get(..len).unwrap()),
        whole @ (Message::Raw(_) | Message::ExternalMu(_)) => whole,
    }
}

#[test]
fn the_module_says_what_the_table_says() {
    assert!(aws_lc_rs::try_fips_mode().is_ok());
    for spec in KeySpec::ALL.iter().copied().filter(|spec| *spec != KeySpec::SymmetricDefault) {
        if !spec.mac_algorithms().is_empty() {
            let key = MacKey::new(spec, &make_material(spec, &SystemRandom).unwrap()).unwrap();
            compare(spec, Service::Mac, || key.sign(b"message"));
            continue;
        }
        let (_, pair) = make_pair(spec, &SystemRandom).unwrap();
        for algorithm in spec.signing_algorithms().iter().copied() {
            for kind in MessageType::ALL.iter().copied() {
                if let Ok(signature) = pair.sign(algorithm, sized(algorithm, kind)) {
                    compare(spec, Service::Sign(algorithm, kind), || {
                        pair.sign(algorithm, sized(algorithm, kind)).unwrap()
                    });
                    compare(spec, Service::Verify(algorithm, kind), || {
                        pair.verify(algorithm, sized(algorithm, kind), &signature).unwrap();
                    });
                }
            }
        }
        for algorithm in spec.encryption_algorithms().iter().copied() {
            let ciphertext =
                compare(spec, Service::Encrypt(algorithm), || pair.encrypt(algorithm, b"plaintext").unwrap());
            compare(spec, Service::Decrypt(algorithm), || pair.decrypt(algorithm, &ciphertext).unwrap());
        }
        if !spec.key_agreement_algorithms().is_empty() {
            compare(spec, Service::DeriveSharedSecret, || pair.agree(pair.public_key()).unwrap());
        }
        if !spec.encapsulation_algorithms().is_empty() {
            let made = compare(spec, Service::Encapsulate, || pair.encapsulate().unwrap());
            compare(spec, Service::Decapsulate, || pair.decapsulate(&made.ciphertext).unwrap());
        }
    }
}
