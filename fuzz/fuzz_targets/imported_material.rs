//! Any bytes as the PKCS#8 of a key that is imported, of each spec, and as what is wrapped for an import: it is refused, or it is a key that works.
#![no_main]

use std::sync::LazyLock;

use keyreeve_crypto::asymmetric::{KeyPair, make_material};
use keyreeve_crypto::import::unwrap_import;
use keyreeve_crypto::random::SystemRandom;
use keyreeve_domain::spec::{KeySpec, WrappingAlgorithm};
use libfuzzer_sys::fuzz_target;

static WRAPPING: LazyLock<KeyPair> = LazyLock::new(|| {
    let material = make_material(KeySpec::Rsa2048, &SystemRandom).unwrap();
    KeyPair::parse(KeySpec::Rsa2048, &material).unwrap()
});

fuzz_target!(|data: &[u8]| {
    for spec in KeySpec::ALL {
        if let Ok(pair) = KeyPair::parse_pkcs8(*spec, data) {
            assert!(!pair.public_key().is_empty());
            assert!(pair.complete().is_ok());
        }
        for algorithm in [WrappingAlgorithm::RsaesOaepSha256, WrappingAlgorithm::RsaAesKeyWrapSha256] {
            drop(unwrap_import(*spec, algorithm, &WRAPPING, data));
        }
    }
});
