//! Parsed keys in locked memory, used and dropped by many threads at once.

use std::sync::mpsc;
use std::thread;

use keyreeve_crypto::asymmetric::{KeyPair, Message, make_material};
use keyreeve_crypto::parsed_keys::{keep_locked, locked_len};
use keyreeve_crypto::random::SystemRandom;
use keyreeve_domain::spec::KeySpec;

#[test]
fn keys_are_parsed_used_and_dropped_by_any_thread_with_room_and_without() {
    // Room for a few of the keys below at a time.
    let limit = 48 * 1024;
    assert!(keep_locked(limit));
    let specs = [KeySpec::Rsa2048, KeySpec::EccNistP256, KeySpec::EccNistEdwards25519, KeySpec::MlDsa44];
    let materials = specs.map(|spec| (spec, make_material(spec, &SystemRandom).unwrap()));
    let (give, take) = mpsc::channel::<KeyPair>();
    thread::scope(|scope| {
        let materials = &materials;
        for n in 0..8 {
            let give = give.clone();
            scope.spawn(move || {
                for (spec, material) in materials.iter().cycle().skip(n).take(60) {
                    let algorithm = spec.signing_algorithms().first().copied().unwrap();
                    let pair = KeyPair::parse(*spec, material).unwrap();
                    let signature = pair.sign(algorithm, Message::Raw(b"x")).unwrap();
                    pair.verify(algorithm, Message::Raw(b"x"), &signature).unwrap();
                    give.send(pair).unwrap();
                }
            });
        }
        drop(give);
        scope.spawn(move || {
            for pair in take {
                let algorithm = pair.spec().signing_algorithms().first().copied().unwrap();
                pair.sign(algorithm, Message::Raw(b"y")).unwrap();
                assert!(locked_len() <= limit + 8 * 8192);
            }
        });
    });
}
