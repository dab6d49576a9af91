//! Keys that come from outside, and documents that are signed by others.

use std::sync::LazyLock;

use keyreeve_attestation::{Roots, verify};
use keyreeve_crypto::asymmetric::{KeyPair, PublicKey, make_material};
use keyreeve_crypto::import::unwrap_import;
use keyreeve_crypto::random::SystemRandom;
use keyreeve_crypto::recipient::RecipientKey;
use keyreeve_domain::Timestamp;
use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec, WrappingAlgorithm};

static WRAPPING: LazyLock<KeyPair> = LazyLock::new(|| {
    let material = make_material(KeySpec::Rsa2048, &SystemRandom).expect("an RSA key");
    KeyPair::parse(KeySpec::Rsa2048, &material).expect("it is read")
});

/// Any bytes as the PKCS#8 of a key that is imported, of each spec, and as what is wrapped for an import: it is refused, or
/// it is a key that works. After `*`, a byte says for which spec the rest is wrapped.
pub fn imported_material(data: &[u8]) {
    let spec_of = |byte: usize| *KeySpec::ALL.get(byte % KeySpec::ALL.len()).expect("there is one");
    if let Some((which, material)) = data.strip_prefix(b"*").and_then(<[u8]>::split_first) {
        let wrapping = PublicKey::parse(KeySpec::Rsa2048, WRAPPING.public_key()).expect("a public key");
        let Ok(wrapped) = wrapping.encrypt(EncryptionAlgorithm::RsaesOaepSha256, material) else { return };
        let (spec, algorithm) = (spec_of(usize::from(*which)), WrappingAlgorithm::RsaesOaepSha256);
        if let Ok(unwrapped) = unwrap_import(spec, algorithm, &WRAPPING, &wrapped) {
            // EXPOSE: how long it is, is compared with what was wrapped.
            assert!(!unwrapped.expose().is_empty() && unwrapped.expose().len() <= material.len());
        }
        return;
    }
    for spec in KeySpec::ALL {
        if let Ok(pair) = KeyPair::parse_pkcs8(*spec, data) {
            assert!(!pair.public_key().is_empty());
            assert!(pair.complete().is_ok());
        }
    }
    for algorithm in [WrappingAlgorithm::RsaesOaepSha256, WrappingAlgorithm::RsaAesKeyWrapSha256] {
        drop(unwrap_import(spec_of(data.len()), algorithm, &WRAPPING, data));
    }
}

/// Any bytes as the public key of each spec, and as that of a recipient: refused, or it prints as it was given and takes work.
pub fn public_key(data: &[u8]) {
    for spec in KeySpec::ALL {
        let Ok(key) = PublicKey::parse(*spec, data) else { continue };
        assert_eq!(key.spki(), data, "{spec:?}");
        drop(key.encrypt(EncryptionAlgorithm::RsaesOaepSha256, b"x"));
        drop(key.encrypt(EncryptionAlgorithm::Sm2Pke, b"x"));
        drop(key.encapsulate());
    }
    drop(RecipientKey::parse(data));
}

/// Any bytes as an attestation document: as a whole, as a signed payload, and as a certificate in the place of each.
pub fn attestation_document(data: &[u8]) {
    let now = Timestamp::from_millis(1_786_642_608_432);
    let roots = Roots::aws_nitro();
    // Nobody signed them, unless they are a document that was published; none of those has an RSA key.
    assert!(verify(data, now, &roots).is_err());
    assert!(verify(&signed(data), now, &roots).is_err());
    drop(Roots::none().with_der(data));
    drop(Roots::none().with_pem(data));
}

/// The head of a COSE_Sign1 structure up to its payload, of which `len` follows in two bytes.
fn signed(payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    [b"\x84\x44\xa1\x01\x38\x22\xa0\x59".as_slice(), &len, payload, b"\x58\x60", &[0; 96]].concat()
}
