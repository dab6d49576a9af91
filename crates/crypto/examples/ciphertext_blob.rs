//! Seals and opens CiphertextBlobs for a test that holds them against another implementation.
//!
//! Reads one JSON object a line: `material`, `key` (16 bytes), `material_id` (32 bytes) and, to seal, `plaintext`, or, to open,
//! `blob`, all in hexadecimal digits, and `context`. Writes one line each: hexadecimal digits, or `refused`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "an aid to tests")]

use std::collections::BTreeMap;
use std::io::BufRead;

use keyreeve_crypto::LockedMemoryError;
use keyreeve_crypto::ciphertext::{Header, open, seal};
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_crypto::random::SystemRandom;
use keyreeve_domain::{KeyId, KeyMaterialId};
use serde_json::Value;

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap().as_bytes();
    text.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn main() {
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let material = bytes(&asked["material"]);
        let material = KeyMaterial::init_with::<LockedMemoryError>(material.len(), |slot| {
            slot.copy_from_slice(&material);
            Ok(())
        });
        let material = material.unwrap();
        let context: BTreeMap<String, String> = serde_json::from_value(asked["context"].clone()).unwrap();
        let outcome = match asked.get("plaintext") {
            Some(plaintext) => {
                let header = Header {
                    key: KeyId::from_bits(false, bytes(&asked["key"]).try_into().unwrap()),
                    material: KeyMaterialId::from_bytes(bytes(&asked["material_id"]).try_into().unwrap()),
                };
                let mut blob = Vec::new();
                seal(&material, &header, &context, &bytes(plaintext), &SystemRandom, &mut blob)
                    .ok()
                    .map(|()| blob)
            }
            None => {
                open(&material, &bytes(&asked["blob"]), &context).ok().map(|plaintext| plaintext.to_vec())
            }
        };
        match outcome {
            Some(outcome) => {
                println!("{}", outcome.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
            }
            None => println!("refused"),
        }
    }
}
