use aws_lc_rs::cipher::{DecryptionContext, PaddedBlockDecryptingKey};
use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::Value;

use super::*;
use crate::random::SystemRandom;

fn samples() -> Vec<Value> {
    let text = include_str!("../../tests/vectors/ciphertext_for_recipient.json");
    let file: Value = serde_json::from_str(text).unwrap();
    file["samples"].as_array().unwrap().clone()
}

fn hex(value: &Value) -> Vec<u8> {
    let pairs = value.as_str().unwrap().as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

struct Private {
    key: OaepPrivateDecryptingKey,
    spki: Vec<u8>,
}

fn private(size: KeySize) -> Private {
    let key = PrivateDecryptingKey::generate(size).unwrap();
    let spki: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
    Private { spki: spki.as_ref().to_vec(), key: OaepPrivateDecryptingKey::new(key).unwrap() }
}

/// Takes what `encode` wrote apart again: the encrypted key, the IV and the ciphertext.
fn decode<'e>(envelope: &'e [u8], identifier: &[u8], key_len: usize) -> (&'e [u8], &'e [u8], &'e [u8]) {
    let find =
        |text: &[u8]| envelope.windows(text.len()).position(|window| window == text).unwrap() + text.len();
    assert_eq!(envelope[find(&tlv(CONTEXT_0, &[identifier]))..][..62], RSAES_OAEP_SHA_256);
    let key = &envelope[find(&RSAES_OAEP_SHA_256) + 4..][..key_len];
    let iv = &envelope[find(&AES_256_CBC) + 2..][..16];
    let body = &envelope[find(iv)..envelope.len() - 10];
    assert_eq!(body[..3], [0xa0, 0x80, 0x04]);
    let header = if body[3] < 0x80 { 4 } else { 4 + usize::from(body[3] & 0x7f) };
    (key, iv, &body[header..])
}

fn open(private: &Private, envelope: &[u8]) -> Vec<u8> {
    let (encrypted, iv, ciphertext) =
        decode(envelope, &digest::sha256(&private.spki), private.key.key_size_bytes());
    let mut key = vec![0; private.key.min_output_size()];
    let key = private.key.decrypt(&OAEP_SHA256_MGF1SHA256, encrypted, &mut key, None).unwrap();
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key).unwrap()).unwrap();
    let mut content = ciphertext.to_vec();
    let context = DecryptionContext::Iv128(FixedLength::try_from(iv).unwrap());
    key.decrypt(&mut content, context).unwrap().to_vec()
}

#[test]
fn envelopes_of_the_service_are_encoded_again_byte_for_byte() {
    for (index, sample) in samples().iter().enumerate() {
        let [identifier, key, iv, ciphertext] =
            ["identifier", "encrypted_key", "iv", "ciphertext"].map(|name| hex(&sample[name]));
        assert_eq!(encode(&identifier, &key, &iv, &ciphertext), hex(&sample["envelope"]), "sample {index}");
    }
}

#[test]
fn a_key_is_named_as_the_service_names_it() {
    let samples: Vec<_> = samples().into_iter().filter(|sample| sample.get("public_key").is_some()).collect();
    assert_eq!(samples.len(), 2);
    for sample in samples {
        let key = RecipientKey::parse(&hex(&sample["public_key"])).unwrap();
        assert_eq!(key.identifier().to_vec(), hex(&sample["identifier"]));
    }
}

#[test]
fn the_holder_of_the_private_key_opens_an_envelope() {
    let private = private(KeySize::Rsa2048);
    for len in [0, 1, 15, 16, 17, 32, 255, 256, 1024, 4096] {
        let plaintext: Vec<u8> = (0..len).map(|n: usize| n.to_le_bytes()[0]).collect();
        let envelope = envelope(&private.spki, &plaintext, &SystemRandom).unwrap();
        assert!(envelope.len() <= MAX_LEN);
        assert_eq!(open(&private, &envelope), plaintext, "{len} bytes");
    }
}

#[test]
fn an_envelope_under_a_larger_key_opens_too() {
    for size in [KeySize::Rsa3072, KeySize::Rsa4096] {
        let private = private(size);
        let envelope = envelope(&private.spki, &[7; 4096], &SystemRandom).unwrap();
        assert_eq!(open(&private, &envelope), [7; 4096]);
    }
}

#[test]
fn two_envelopes_of_one_plaintext_share_neither_key_nor_iv_nor_ciphertext() {
    let private = private(KeySize::Rsa2048);
    let key = RecipientKey::parse(&private.spki).unwrap();
    let [one, two] = [(); 2].map(|()| key.envelope(b"the same", &SystemRandom).unwrap());
    let [one, two] = [&one, &two].map(|envelope| decode(envelope, key.identifier(), 256));
    assert!(one.0 != two.0 && one.1 != two.1 && one.2 != two.2);
}

#[test]
fn an_envelope_has_at_most_6144_bytes() {
    let private = private(KeySize::Rsa2048);
    let key = RecipientKey::parse(&private.spki).unwrap();
    let lengths: Vec<_> =
        (5600..6200).map(|len| key.envelope(&vec![0; len], &SystemRandom).map(|e| e.len())).collect();
    let fits = lengths.iter().filter(|len| len.is_ok()).count();
    assert!((1..599).contains(&fits));
    for (index, len) in lengths.into_iter().enumerate() {
        match len {
            Ok(len) => assert!(index < fits && len <= MAX_LEN),
            Err(error) => assert_eq!((error, index >= fits), (EnvelopeError::TooLong, true)),
        }
    }
    assert_eq!(key.envelope(&vec![0; 1 << 20], &SystemRandom), Err(EnvelopeError::TooLong));
}

#[test]
fn only_the_canonical_form_of_an_rsa_key_of_2048_bits_is_a_recipient() {
    let good = private(KeySize::Rsa2048).spki;
    let pkcs8 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let ec: PublicKeyX509Der<'_> = pkcs8.public_key().as_der().unwrap();
    let changed = |index: usize, byte: u8| {
        let mut spki = good.clone();
        spki[index] = byte;
        spki
    };
    // RSA with a modulus of 1024 bits: only its form matters, and it has another header.
    let small =
        [&[0x30, 0x81, 0x9f], &good[4..23], &[0x81, 0x8d, 0x00, 0x30, 0x81, 0x89], &good[29..]].concat();
    for (case, spki) in [
        ("empty", vec![]),
        ("P-256", ec.as_ref().to_vec()),
        ("1024 bits", small),
        ("PKCS#1", good[24..].to_vec()),
        ("cut off", good[..good.len() - 1].to_vec()),
        ("a byte more", [good.as_slice(), &[0]].concat()),
        ("RSASSA-PSS", changed(16, 0x0a)),
        ("even exponent", changed(good.len() - 1, 0x00)),
        ("unused bits", changed(23, 0x01)),
    ] {
        assert_eq!(RecipientKey::parse(&spki).unwrap_err(), RecipientKeyError, "{case}");
        assert_eq!(
            envelope(&spki, b"", &SystemRandom),
            Err(EnvelopeError::RecipientKey(RecipientKeyError)),
            "{case}"
        );
    }
    assert!(RecipientKey::parse(&good).is_ok());
}

#[test]
fn without_randomness_there_is_no_envelope() {
    struct Broken;
    impl Random for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }
    let key = RecipientKey::parse(&private(KeySize::Rsa2048).spki).unwrap();
    assert_eq!(key.envelope(b"", &Broken), Err(EnvelopeError::Random(RandomError)));
}

#[test]
fn a_length_has_the_form_of_der() {
    for (len, header) in [
        (0, &[OCTET_STRING, 0][..]),
        (1, &[OCTET_STRING, 1]),
        (0x7f, &[OCTET_STRING, 0x7f]),
        (0x80, &[OCTET_STRING, 0x81, 0x80]),
        (0xff, &[OCTET_STRING, 0x81, 0xff]),
        (0x100, &[OCTET_STRING, 0x82, 0x01, 0x00]),
        (0x1_0000, &[OCTET_STRING, 0x83, 0x01, 0x00, 0x00]),
    ] {
        let element = tlv(OCTET_STRING, &[&vec![7; len]]);
        assert_eq!((&element[..header.len()], element.len() - header.len()), (header, len));
    }
}
