//! Where parsed private keys lie, seen from the process itself: it looks for them in its own memory.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
#![expect(clippy::disallowed_methods, reason = "it reads /proc/self")]

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;

use keyreeve_crypto::asymmetric::{KeyPair, Message, make_material};
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_crypto::parsed_keys::{keep_locked, locked_len};
use keyreeve_crypto::random::SystemRandom;
use keyreeve_crypto::{Protection, protection};
use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, SigningAlgorithm};

/// Part of the private key as the library holds it, every bit inverted, so that the search does not find itself.
fn inverted(spec: KeySpec, material: &KeyMaterial) -> Vec<u8> {
    // EXPOSE: keys made for this test.
    let bytes = material.expose();
    if spec == KeySpec::Rsa2048 {
        // One of the primes: the first integer of 129 bytes, which starts with zero. Words are little-endian.
        let head = [0x02, 0x81, 0x81, 0x00];
        let at = bytes.windows(4).position(|window| window == head).unwrap() + 4;
        bytes[at..at + 128].iter().rev().map(|byte| !byte).collect()
    } else if spec == KeySpec::EccNistP256 {
        bytes[36..68].iter().rev().map(|byte| !byte).collect()
    } else {
        bytes[bytes.len() - 32..].iter().map(|byte| !byte).collect()
    }
}

/// How often the pattern stands in the readable and writable memory of this process, stacks left out.
fn count(inverted: &[u8]) -> usize {
    let mut maps = String::new();
    File::open("/proc/self/maps").unwrap().read_to_string(&mut maps).unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let here = std::ptr::from_ref(&memory) as u64;
    // One buffer, wiped after each piece: a copy of what is searched would be found next time.
    let mut piece = vec![0; 1 << 20];
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw") && !line.contains("[stack]")) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let (mut at, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        if (at..end).contains(&here) {
            continue;
        }
        // Secret pages cannot be read.
        while let Ok(len @ 1..) = memory.read_at(&mut piece, at) {
            let len = len.min(usize::try_from(end - at).unwrap());
            found += occurrences(&piece[..len], inverted);
            piece.fill(0);
            at += u64::try_from(len - inverted.len().min(len - 1)).unwrap();
            if at + u64::try_from(inverted.len()).unwrap() >= end {
                break;
            }
        }
    }
    found
}

fn occurrences(bytes: &[u8], inverted: &[u8]) -> usize {
    let first = !inverted[0];
    let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == first).map(|(at, _)| at);
    let same = |at: &usize| {
        let rest = bytes[*at..].iter();
        bytes.len() - at >= inverted.len() && rest.zip(inverted).all(|(byte, inverted)| *byte == !inverted)
    };
    starts.filter(same).count()
}

fn use_it(pair: &KeyPair) {
    let spec = pair.spec();
    if let Some(algorithm) = spec.signing_algorithms().first() {
        pair.sign(*algorithm, Message::Raw(b"x")).unwrap();
    }
    if spec.encryption_algorithms().contains(&EncryptionAlgorithm::RsaesOaepSha256) {
        let ciphertext = pair.encrypt(EncryptionAlgorithm::RsaesOaepSha256, b"x").unwrap();
        pair.decrypt(EncryptionAlgorithm::RsaesOaepSha256, &ciphertext).unwrap();
    }
}

/// A failed use, as a client can bring it about.
fn fail_with_it(pair: &KeyPair) {
    if pair.spec() == KeySpec::Rsa2048 {
        assert!(pair.decrypt(EncryptionAlgorithm::RsaesOaepSha256, &[1; 256]).is_err());
        assert!(pair.decrypt(EncryptionAlgorithm::RsaesOaepSha256, b"short").is_err());
        assert!(pair.sign(SigningAlgorithm::RsassaPssSha256, Message::Digest(b"short")).is_err());
    }
}

#[test]
fn a_parsed_key_lies_in_locked_memory_while_there_is_room_and_is_gone_when_it_is_dropped() {
    let secret = protection().unwrap() == Protection::Secret;
    for spec in [
        KeySpec::Rsa2048,
        KeySpec::EccNistP256,
        KeySpec::EccNistEdwards25519,
        KeySpec::MlDsa65,
        KeySpec::MlKem768,
    ] {
        let material = make_material(spec, &SystemRandom).unwrap();
        let pattern = inverted(spec, &material);
        // The first key of a kind leaves what the library keeps for all.
        for (case, limit) in [("no room", 0), ("warm", 1 << 20), ("room", 1 << 20)] {
            let _set = keep_locked(limit);
            let before = locked_len();
            let pair = KeyPair::parse(spec, &material).unwrap();
            fail_with_it(&pair);
            let held = locked_len() - before;
            assert_eq!(held > 0, limit > 0, "{spec} {case}: kept after a failed use");
            use_it(&pair);
            use_it(&pair);
            let (held, found) = (locked_len() - before, count(&pattern));
            drop(pair);
            assert_eq!(held > 0, limit > 0, "{spec} {case}");
            if secret {
                let expected = if limit == 0 { found > 0 } else { found == 0 };
                assert!(expected, "{spec} {case}: found {found} times");
                assert_eq!(count(&pattern), 0, "{spec} {case}: left behind");
            }
            if case == "room" {
                assert_eq!(locked_len(), before, "{spec}: all is given back");
            }
        }
    }
}
