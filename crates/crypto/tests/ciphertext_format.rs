//! The CiphertextBlob and the wrapping against known answers, tampering and an arbitrary reader.
#![expect(clippy::unwrap_used, reason = "test code")]

use keyreeve_crypto::LockedMemoryError;
use std::collections::BTreeMap;

use keyreeve_crypto::ciphertext::{self, Header};
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_crypto::random::{Random, RandomError, SystemRandom};
use keyreeve_crypto::wrap::{self, Binding, Kind};
use keyreeve_domain::KeyMaterialId;
use proptest::prelude::*;

/// Nonces of the known answer: 16 bytes 0x22, then 12 bytes 0x33.
struct Fixed;

impl Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        let pattern = [0x22; 16].into_iter().chain([0x33; 12]);
        bytes.iter_mut().zip(pattern).for_each(|(slot, byte)| *slot = byte);
        Ok(())
    }
}

fn material() -> KeyMaterial {
    KeyMaterial::init_with::<LockedMemoryError>(32, |bytes| {
        bytes.iter_mut().zip(0..).for_each(|(byte, n)| *byte = n);
        Ok(())
    })
    .unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn header() -> Header {
    let id = hex("a89a5ad7244084b5ca62dac7da175bd58ed8a599a7f5459b152f1508596dafbf");
    Header {
        key: "1234abcd-12ab-34cd-56ef-1234567890ab".parse().unwrap(),
        material: KeyMaterialId::from_bytes(id.try_into().unwrap()),
    }
}

fn context() -> BTreeMap<String, String> {
    [("b", "2"), ("a", "1"), ("ä", "é")].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn sealed(plaintext: &[u8]) -> Vec<u8> {
    let mut blob = Vec::new();
    ciphertext::seal(&material(), &header(), &context(), plaintext, &SystemRandom, &mut blob).unwrap();
    blob
}

/// Made by an independent implementation in Python (`cryptography` and `hmac`).
const KNOWN: &str = "c50101001234abcd12ab34cd56ef1234567890aba89a5ad7244084b5ca62dac7da175bd58ed8a599a7f5459b152f1508596dafbf22222222222222222222222222222222333333333333333333333333391a6aa6d4b11e9599a9e58e28a207319e3e4e19b30eebe16605af473a8fa2cab356db855cb47726d5cceb5bcd4afc9a482fa2e050";

#[test]
fn a_blob_equals_the_independent_reference_byte_for_byte() {
    let mut blob = Vec::new();
    ciphertext::seal(&material(), &header(), &context(), b"hello", &Fixed, &mut blob).unwrap();
    assert_eq!(blob, hex(KNOWN));
}

#[test]
fn a_blob_of_the_independent_reference_opens() {
    assert_eq!(ciphertext::open(&material(), &hex(KNOWN), &context()).unwrap().as_slice(), b"hello");
    assert_eq!(Header::read(&hex(KNOWN)), Ok(header()));
}

#[test]
fn another_context_does_not_open_a_blob() {
    for other in [BTreeMap::new(), [("a".to_owned(), "1".to_owned())].into()] {
        assert!(ciphertext::open(&material(), &hex(KNOWN), &other).is_err(), "{other:?}");
    }
}

#[test]
fn another_material_does_not_open_a_blob() {
    let other = KeyMaterial::make(32, &SystemRandom).unwrap();
    assert!(ciphertext::open(&other, &hex(KNOWN), &context()).is_err());
}

#[test]
fn every_single_bit_of_a_blob_counts() {
    let blob = sealed(b"hello");
    for at in 0..blob.len() {
        for bit in 0..8 {
            let mut forged = blob.clone();
            *forged.get_mut(at).unwrap() ^= 1 << bit;
            assert!(ciphertext::open(&material(), &forged, &context()).is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn a_shorter_or_longer_blob_does_not_open() {
    let blob = sealed(b"hello");
    for len in 0..blob.len() {
        assert!(ciphertext::open(&material(), blob.get(..len).unwrap(), &context()).is_err(), "{len} bytes");
    }
    assert!(ciphertext::open(&material(), &[blob.as_slice(), &[0]].concat(), &context()).is_err());
}

#[test]
fn the_first_four_bytes_of_a_blob_say_its_format_and_whether_its_key_is_multi_region() {
    let known = hex(KNOWN);
    for at in 0..4 {
        for bit in 0..8 {
            let mut other = known.clone();
            *other.get_mut(at).unwrap() ^= 1 << bit;
            let read = Header::read(&other);
            if (at, bit) == (3, 0) {
                let key = "mrk-1234abcd12ab34cd56ef1234567890ab".parse().unwrap();
                assert_eq!(read, Ok(Header { key, ..header() }));
            } else {
                assert!(read.is_err(), "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn a_header_is_read_where_the_blob_has_room_for_all_its_parts() {
    let known = hex(KNOWN);
    for (len, ok) in [(ciphertext::OVERHEAD, true), (ciphertext::OVERHEAD - 1, false), (0, false)] {
        assert_eq!(Header::read(known.get(..len).unwrap()).is_ok(), ok, "{len} bytes");
    }
}

#[test]
fn a_wrapping_opens_only_as_what_it_was_made() {
    let (key, id) = ([7; 32], [1; 16]);
    let binding = Binding::default().field(1, b"path").field(2, &[0, 0, 0, 1]);
    let wrapped = wrap::wrap(&key, &id, Kind::Record, &binding, b"content", &SystemRandom).unwrap();
    assert_eq!(wrapped.len(), 7 + wrap::OVERHEAD);
    assert_eq!(wrap::wrapping_key_id(Kind::Record, &wrapped), Ok(id));
    assert_eq!(wrap::unwrap(&key, Kind::Record, &binding, &wrapped).unwrap().as_slice(), b"content");
    let other = Binding::default().field(1, b"path").field(2, &[0, 0, 0, 2]);
    let moved = Binding::default().field(1, b"path\x02").field(2, &[0, 0, 1]);
    for (case, key, kind, binding) in [
        ("another version", [7; 32], Kind::Record, &other),
        ("fields cut elsewhere", [7; 32], Kind::Record, &moved),
        ("another kind", [7; 32], Kind::Marker, &binding),
        ("another key", [8; 32], Kind::Record, &binding),
    ] {
        assert!(wrap::unwrap(&key, kind, binding, &wrapped).is_err(), "{case}");
    }
    for at in 0..wrapped.len() {
        let mut forged = wrapped.clone();
        *forged.get_mut(at).unwrap() ^= 1;
        assert!(wrap::unwrap(&key, Kind::Record, &binding, &forged).is_err(), "byte {at}");
    }
}

#[test]
fn a_wrapping_of_nothing_is_one_and_whatever_is_shorter_is_none() {
    let (key, binding) = ([7; 32], Binding::default());
    let wrapped = wrap::wrap(&key, &[1; 16], Kind::Record, &binding, b"", &SystemRandom).unwrap();
    assert_eq!(wrap::unwrap(&key, Kind::Record, &binding, &wrapped).unwrap().as_slice(), b"");
    for len in 0..=wrapped.len() {
        let id = wrap::wrapping_key_id(Kind::Record, wrapped.get(..len).unwrap());
        assert_eq!(id.is_ok(), len == wrap::OVERHEAD, "{len} bytes");
    }
}

proptest! {
    #[test]
    fn every_plaintext_comes_back(plaintext in proptest::collection::vec(any::<u8>(), 0..300)) {
        let blob = sealed(&plaintext);
        prop_assert_eq!(blob.len(), plaintext.len() + ciphertext::OVERHEAD);
        let opened = ciphertext::open(&material(), &blob, &context()).unwrap();
        prop_assert_eq!(opened.as_slice(), plaintext.as_slice());
    }

    #[test]
    fn a_reader_of_arbitrary_bytes_refuses_them(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(ciphertext::open(&material(), &bytes, &BTreeMap::new()).is_err());
        prop_assert!(wrap::unwrap(&[0; 32], Kind::Record, &Binding::default(), &bytes).is_err());
    }
}
