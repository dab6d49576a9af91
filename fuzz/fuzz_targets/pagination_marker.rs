//! Any bytes as a wrapping, which is what a marker is: refused, since nobody wrapped them.
#![no_main]

use keyreeve_crypto::wrap::{Binding, Kind, unwrap, wrapping_key_id};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let binding = Binding::default().field(1, b"deployment").field(2, b"ListKeys/000000000000/us-east-1");
    for kind in [Kind::Keyring, Kind::KeyMaterial, Kind::Record, Kind::Marker, Kind::RootKey] {
        let _ = wrapping_key_id(kind, data);
        assert!(unwrap(&[7; 32], kind, &binding, data).is_err());
    }
});
