//! Whether a refusal takes longer for one reason than for another: `cargo bench -p keyreeve-testkit --bench timing`.
//!
//! Each case has two kinds of input that are refused alike, and that one who guesses could tell apart if one of them took longer: a tag that is wrong
//! in its first byte and one that is wrong in its last, for instance. The kinds are timed in random order, and Welch's t-test says
//! whether the times are of one distribution, as dudect does it (Reparaz, Balasch, Verbauwhede: Dude, is my code constant time?, 2017):
//! beyond 10 they are not, below 4.5 nothing was seen. What disturbs a measurement makes it longer, so the slowest tenth
//! is left out, of both kinds by one threshold.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a benchmark")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use keyreeve_crypto::asymmetric::{KeyPair, make_material};
use keyreeve_crypto::ciphertext::{self, Header};
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_crypto::mac::MacKey;
use keyreeve_crypto::random::{self, SystemRandom};
use keyreeve_domain::spec::{EncryptionAlgorithm, KeySpec};
use keyreeve_domain::{KeyId, KeyMaterialId, Timestamp};
use keyreeve_sigv4::{AmzDate, Claim, Expected, Regions, RequestHead, Signer, SigningKey, authorization};
use keyreeve_testkit::World;

/// Measurements of what takes about a microsecond.
const MANY: usize = 400_000;
/// Measurements of an RSA operation.
const FEW: usize = 8_000;

fn main() {
    println!("{:<58} {:>9} {:>12} {:>7}", "refused alike", "each", "difference", "t");
    blobs();
    macs();
    signatures();
    markers();
    oaep();
}

/// Times two kinds of input `of` times in all, and prints what sets them apart.
fn compare(name: &str, of: usize, kinds: [&[u8]; 2], refuse: impl Fn(&[u8]) -> bool) {
    let mut times: [Vec<f64>; 2] = [Vec::with_capacity(of), Vec::with_capacity(of)];
    let mut coins = Vec::new();
    // Both kinds are read from the same place.
    let mut input = vec![0; kinds.iter().map(|kind| kind.len()).max().unwrap()];
    for at in 0..of {
        if at % 32 == 0 {
            coins = random::array::<32>(&SystemRandom).unwrap().to_vec();
        }
        let kind = usize::from(coins.pop().unwrap() & 1);
        input.truncate(0);
        input.extend_from_slice(kinds[kind]);
        let begun = Instant::now();
        let is_refused = black_box(refuse(black_box(&input)));
        let took = begun.elapsed();
        assert!(is_refused, "{name}: it was accepted");
        // The first are slow for reasons of their own.
        if at >= of / 10 {
            times[kind].push(took.as_secs_f64() * 1e9);
        }
    }
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let slowest = all[all.len() * 9 / 10];
    let [one, other] = times.map(|times| Spread::of(times.into_iter().filter(|time| *time <= slowest)));
    let t = (one.mean - other.mean) / (one.variance / one.count + other.variance / other.count).sqrt();
    let seen = match t.abs() {
        0.0..4.5 => "",
        4.5..10.0 => "  again, on a machine that does nothing else",
        _ => "  DIFFERENT",
    };
    println!("{name:<58} {:>6.0} ns {:>9.2} ns {t:>7.2}{seen}", one.mean, one.mean - other.mean);
}

struct Spread {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Spread {
    /// Welford's way: no sum of squares that loses what it is for.
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for value in values {
            count += 1.0;
            let off = value - mean;
            mean += off / count;
            squares += off * (value - mean);
        }
        Self { count, mean, variance: squares / (count - 1.0) }
    }
}

/// `bytes` with one bit of the byte at `at` changed.
fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

fn blobs() {
    let material = make_material(KeySpec::SymmetricDefault, &SystemRandom).unwrap();
    let header = Header {
        key: KeyId::from_random(random::array(&SystemRandom).unwrap()),
        material: KeyMaterialId::from_bytes([7; 32]),
    };
    let context = BTreeMap::from([("purpose".to_owned(), "timing".to_owned())]);
    let mut blob = Vec::new();
    ciphertext::seal(&material, &header, &context, &[1; 64], &SystemRandom, &mut blob).unwrap();
    let refuse = |blob: &[u8]| ciphertext::open(&material, blob, &context).is_err();
    // The layout stands in docs/formats.md: the commitment at 80, the ciphertext at 112, the tag at the end.
    for (name, first, last) in [
        ("a blob: first or last byte of the commitment", 80, 111),
        ("a blob: first or last byte of the tag", blob.len() - 16, blob.len() - 1),
        ("a blob: first byte of the ciphertext, last of the tag", 112, blob.len() - 1),
    ] {
        compare(name, MANY, [&flipped(&blob, first), &flipped(&blob, last)], refuse);
    }
}

fn macs() {
    for spec in [KeySpec::Hmac256, KeySpec::Hmac512] {
        let material: KeyMaterial = make_material(spec, &SystemRandom).unwrap();
        let key = MacKey::new(spec, &material).unwrap();
        let mac = key.sign(b"message");
        let (first, last) = (flipped(&mac, 0), flipped(&mac, mac.len() - 1));
        let name = format!("VerifyMac, {}: first or last byte", spec.as_str());
        compare(&name, MANY, [&first, &last], |mac| key.verify(b"message", mac).is_err());
    }
}

fn signatures() {
    let key = SigningKey::derive(b"secret", "20260101", "us-east-1", "kms");
    let now = Timestamp::from_millis(1_767_225_600_000);
    let date = AmzDate::from_timestamp(now);
    let signer =
        Signer { access_key_id: "AKIAEXAMPLE", region: "us-east-1", service: "kms", date, key: &key };
    let headers = [("host", b"localhost".as_slice()), ("x-amz-date", date.as_str().as_bytes())];
    let head = RequestHead { method: "POST", path: "/", query: "", headers: headers.iter().copied() };
    let signed = authorization(&signer, &head, &[3; 32]).into_bytes();
    // Digits of the signature: another digit for each.
    let other = |at: usize| {
        let mut signed = signed.clone();
        signed[at] = if signed[at] == b'0' { b'1' } else { b'0' };
        signed
    };
    let (first, last) = (other(signed.len() - 64), other(signed.len() - 1));
    compare("a signature of a request: first or last digit", MANY, [&first, &last], |signed| {
        let headers = [headers[0], headers[1], ("authorization", signed)];
        let head = RequestHead { method: "POST", path: "/", query: "", headers: headers.iter().copied() };
        let expected = Expected { service: "kms", regions: Regions::Any };
        let claim = Claim::parse(&head).unwrap().check(now, &expected).unwrap();
        claim.verify(&head, &[3; 32], &key).is_err()
    });
}

/// Session tokens, import tokens, grant tokens and records are opened by the same code.
fn markers() {
    let world = World::default();
    let service = &world.service;
    let marker = service.marker("list", b"position").unwrap().into_bytes();
    let other = |at: usize| {
        let mut marker = marker.clone();
        marker[at] = if marker[at] == b'A' { b'B' } else { b'A' };
        marker
    };
    // The last digit of base64 may hold bits that are no part of the value; the tag is the last 16 bytes.
    let (first, last) = (other(marker.len() - 20), other(marker.len() - 3));
    compare("a marker: towards the first or the last byte of its tag", MANY, [&first, &last], |marker| {
        service.read_marker("list", std::str::from_utf8(marker).unwrap()).is_err()
    });
}

fn oaep() {
    let algorithm = EncryptionAlgorithm::RsaesOaepSha256;
    let material = make_material(KeySpec::Rsa2048, &SystemRandom).unwrap();
    let pair = KeyPair::parse(KeySpec::Rsa2048, &material).unwrap();
    // A padding that begins as it should and is of another hash, against what is no padding at all.
    let of_another_hash = pair.encrypt(EncryptionAlgorithm::RsaesOaepSha1, &[1; 32]).unwrap();
    let sound = pair.encrypt(algorithm, &[1; 32]).unwrap();
    let unpadded = flipped(&sound, sound.len() - 1);
    let refuse = |ciphertext: &[u8]| pair.decrypt(algorithm, ciphertext).is_err();
    compare("OAEP: a padding of another hash, or none at all", FEW, [&of_another_hash, &unpadded], refuse);
}
