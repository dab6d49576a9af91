//! Any bytes as a CiphertextBlob: refused, since nobody sealed them.
#![no_main]

use std::collections::BTreeMap;

use keyreeve_crypto::LockedMemoryError;
use keyreeve_crypto::ciphertext::{Header, open};
use keyreeve_crypto::key::KeyMaterial;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let material = KeyMaterial::init_with::<LockedMemoryError>(32, |bytes| {
        bytes.fill(0x5a);
        Ok(())
    });
    let context = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
    let _ = Header::read(data);
    assert!(open(&material.unwrap(), data, &context).is_err());
});
