//! How fast the bare primitives of the library are: what no server on top of them can exceed.
//!
//! `cargo run --release -p keyreeve-crypto --example raw_primitives -- [MILLISECONDS]` times each primitive for about that long
//! on one thread (300 by default) and prints one JSON object: operations per second.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "an aid to measurements, with a clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::digest::SHA256_OUTPUT_LEN;
use aws_lc_rs::hmac;
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, ML_KEM_768};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair, ML_DSA_65_SIGNING, ParsedPublicKey, PqdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Map, Value, json};

const MESSAGE: [u8; 32] = [0x5a; 32];

/// Operations per second of `work`, in batches so that the clock does not count.
fn rate(duration: Duration, mut work: impl FnMut()) -> Value {
    let once = Instant::now();
    work();
    let batch = (Duration::from_millis(2).as_nanos() / once.elapsed().as_nanos().max(1)).clamp(1, 1000);
    let (start, mut done) = (Instant::now(), 0u32);
    loop {
        for _ in 0..batch {
            work();
        }
        done += u32::try_from(batch).unwrap();
        let elapsed = start.elapsed();
        if elapsed >= duration {
            return json!((f64::from(done) / elapsed.as_secs_f64()).round());
        }
    }
}

fn main() {
    let milliseconds = std::env::args().nth(1).map_or(300, |text| text.parse().unwrap());
    let duration = Duration::from_millis(milliseconds);
    let rng = SystemRandom::new();
    let mut rates = Map::new();
    let mut add = |name: &str, work: &mut dyn FnMut()| {
        rates.insert(name.to_owned(), rate(duration, work));
    };

    for (name, size) in
        [("rsa_2048_sign_pkcs1_sha256", KeySize::Rsa2048), ("rsa_4096_sign_pkcs1_sha256", KeySize::Rsa4096)]
    {
        let pair = RsaKeyPair::generate(size).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        add(name, &mut || pair.sign(&RSA_PKCS1_SHA256, &rng, &MESSAGE, &mut signature).unwrap());
    }

    let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    add("ecdsa_p256_sign", &mut || {
        black_box(p256.sign(&rng, &MESSAGE).unwrap());
    });
    let signature = p256.sign(&rng, &MESSAGE).unwrap();
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, p256.public_key()).unwrap();
    add("ecdsa_p256_verify", &mut || public.verify_sig(&MESSAGE, signature.as_ref()).unwrap());

    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
    add("ecdsa_p384_sign", &mut || {
        black_box(p384.sign(&rng, &MESSAGE).unwrap());
    });

    let ed25519 = Ed25519KeyPair::generate().unwrap();
    add("ed25519_sign", &mut || {
        black_box(ed25519.sign(&MESSAGE));
    });

    let ml_dsa = PqdsaKeyPair::generate(&ML_DSA_65_SIGNING).unwrap();
    let mut signature = vec![0; ML_DSA_65_SIGNING.signature_len()];
    add("ml_dsa_65_sign", &mut || {
        black_box(ml_dsa.sign(&MESSAGE, &mut signature).unwrap());
    });

    let key = hmac::Key::new(hmac::HMAC_SHA256, &[0x11; SHA256_OUTPUT_LEN]);
    add("hmac_sha256_32_bytes", &mut || {
        black_box(hmac::sign(&key, &MESSAGE));
    });

    let (ours, theirs) =
        (PrivateKey::generate(&ECDH_P256).unwrap(), PrivateKey::generate(&ECDH_P256).unwrap());
    let peer = theirs.compute_public_key().unwrap();
    add("ecdh_p256", &mut || {
        let peer = UnparsedPublicKey::new(&ECDH_P256, peer.as_ref());
        agreement::agree(&ours, peer, (), |secret| {
            black_box(secret);
            Ok(())
        })
        .unwrap();
    });

    let ml_kem = DecapsulationKey::generate(&ML_KEM_768).unwrap();
    let (ciphertext, _) = ml_kem.encapsulation_key().unwrap().encapsulate().unwrap();
    add("ml_kem_768_decapsulate", &mut || {
        drop(black_box(ml_kem.decapsulate(Ciphertext::from(ciphertext.as_ref())).unwrap()));
    });

    println!("{}", Value::Object(rates));
}
