//! Parsed keys beyond the limit take no locked memory, which others need.

#![expect(clippy::unwrap_used, reason = "test code")]

use keyreeve_crypto::asymmetric::{KeyPair, Message, SignError, make_material};
use keyreeve_crypto::parsed_keys::keep_locked;
use keyreeve_crypto::random::SystemRandom;
use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, KeyUsage, SigningAlgorithm};

/// KiB of locked memory of this process.
fn locked_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

#[test]
fn any_number_of_parsed_rsa_keys_leaves_the_locked_memory_to_others() {
    const SIGNING: SigningAlgorithm = SigningAlgorithm::RsassaPssSha256;
    const OAEP: EncryptionAlgorithm = EncryptionAlgorithm::RsaesOaepSha256;
    assert!(keep_locked(0));
    let material = make_material(KeySpec::Rsa2048, &SystemRandom).unwrap();
    let before = locked_kib();
    assert!(before > 0, "the material is locked");
    let mut pairs = Vec::new();
    for usage in [None, Some(KeyUsage::SignVerify), Some(KeyUsage::EncryptDecrypt)] {
        for _ in 0..100 {
            pairs.push(KeyPair::parse_for(KeySpec::Rsa2048, usage, &material).unwrap());
        }
        let pair = pairs.last().unwrap();
        let signature = pair.sign(SIGNING, Message::Raw(b"x"));
        match usage {
            Some(KeyUsage::EncryptDecrypt) => assert_eq!(signature, Err(SignError::Unsupported)),
            _ => assert!(pair.verify(SIGNING, Message::Raw(b"x"), &signature.unwrap()).is_ok()),
        }
        let plaintext = pair.decrypt(OAEP, &pair.encrypt(OAEP, b"x").unwrap());
        assert_eq!(plaintext.is_ok(), usage != Some(KeyUsage::SignVerify), "{usage:?}");
    }
    assert_eq!(locked_kib(), before);
}
