//! Operations with asymmetric and HMAC keys: the processor time of a request against that of the bare primitive, and what
//! heavy ones do to the others.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bench::Plan;
use crate::bench::lines::{Line, Target};
use crate::bench::parts::{PLAINTEXT, answer, create_with, progress};
use crate::bench::servers::{Bench, Bodies, Extent, Load, Place, Sample, Server, failed};
use crate::process::Failure;

/// What a request may cost above its primitive, in units of an Encrypt.
const ALLOWANCE: f64 = 1.1;

/// An operation and the primitive in it.
struct Row {
    /// The name of the primitive in what the example prints.
    primitive: &'static str,
    spec: &'static str,
    usage: &'static str,
    operation: &'static str,
    /// The algorithm, under the name of its member.
    algorithm: (&'static str, &'static str),
}

const fn sign(primitive: &'static str, spec: &'static str, algorithm: &'static str) -> Row {
    Row {
        primitive,
        spec,
        usage: "SIGN_VERIFY",
        operation: "Sign",
        algorithm: ("SigningAlgorithm", algorithm),
    }
}

const ROWS: [Row; 10] = [
    sign("rsa_2048_sign_pkcs1_sha256", "RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256"),
    sign("rsa_4096_sign_pkcs1_sha256", "RSA_4096", "RSASSA_PKCS1_V1_5_SHA_256"),
    sign("ecdsa_p256_sign", "ECC_NIST_P256", "ECDSA_SHA_256"),
    sign("ecdsa_p384_sign", "ECC_NIST_P384", "ECDSA_SHA_384"),
    sign("ed25519_sign", "ECC_NIST_EDWARDS25519", "ED25519_SHA_512"),
    sign("ml_dsa_65_sign", "ML_DSA_65", "ML_DSA_SHAKE_256"),
    Row {
        primitive: "ecdsa_p256_verify",
        spec: "ECC_NIST_P256",
        usage: "SIGN_VERIFY",
        operation: "Verify",
        algorithm: ("SigningAlgorithm", "ECDSA_SHA_256"),
    },
    Row {
        primitive: "hmac_sha256_32_bytes",
        spec: "HMAC_256",
        usage: "GENERATE_VERIFY_MAC",
        operation: "GenerateMac",
        algorithm: ("MacAlgorithm", "HMAC_SHA_256"),
    },
    Row {
        primitive: "ecdh_p256",
        spec: "ECC_NIST_P256",
        usage: "KEY_AGREEMENT",
        operation: "DeriveSharedSecret",
        algorithm: ("KeyAgreementAlgorithm", "ECDH"),
    },
    Row {
        primitive: "ml_kem_768_decapsulate",
        spec: "ML_KEM_768",
        usage: "ENCAPSULATE_DECAPSULATE",
        operation: "Decapsulate",
        algorithm: ("EncapsulationAlgorithm", "ML_KEM"),
    },
];

/// Each operation against its primitive plus [`ALLOWANCE`] Encrypts, all pinned to one core.
pub(crate) fn algorithms(bench: &Bench<'_>, plan: Plan, lines: &mut Vec<Line>) -> Result<(), Failure> {
    let server = bench.keyreeve("algorithms", Place::First, false)?;
    let encrypt = encrypt_body(bench, &server)?;
    let bodies = ROWS.iter().map(|row| body(bench, &server, row)).collect::<Result<Vec<_>, _>>()?;
    let mut sides = vec![Vec::new(); ROWS.len()];
    let mut rates = Vec::new();
    for _ in 0..plan.rounds {
        let raw = raw_primitives(bench, plan)?;
        let of_encrypt = one(bench, &server, plan, "Encrypt", &encrypt)?.cpu;
        for ((row, body), sides) in ROWS.iter().zip(&bodies).zip(&mut sides) {
            let rate = raw.get(row.primitive).copied();
            let rate = rate.ok_or_else(|| failed(format!("no figure for {}", row.primitive)))?;
            let sample = one(bench, &server, plan, row.operation, body)?;
            let allowed = 1e6 / rate + ALLOWANCE * of_encrypt;
            progress(&format!(
                "{} {}: {:.1} us CPU, primitive {:.1} us, Encrypt {of_encrypt:.1} us",
                row.operation,
                row.spec,
                sample.cpu,
                1e6 / rate
            ));
            sides.push((sample.cpu, allowed));
            if row.primitive == "rsa_2048_sign_pkcs1_sha256" {
                rates.push((1e6 / sample.cpu, rate));
            }
        }
    }
    for (row, sides) in ROWS.iter().zip(&sides) {
        let what = format!("{} {}: CPU us, primitive + {ALLOWANCE} Encrypt", row.operation, row.spec);
        lines.push(Line::ratio(what, sides, Target::AtMost(1.0)));
    }
    let what = "Sign RSA_2048: requests per CPU second, against the primitive";
    lines.push(Line::ratio(what, &rates, Target::AtLeast(0.95)));
    server.stop()
}

/// The p99 of Encrypt beside a load of heavy operations that takes all it can get, against the p99 without.
pub(crate) fn beside_heavy(bench: &Bench<'_>, plan: Plan, lines: &mut Vec<Line>) -> Result<(), Failure> {
    let server = bench.keyreeve("heavy", Place::Anywhere, false)?;
    let encrypt = encrypt_body(bench, &server)?;
    let rsa = body(bench, &server, &sign("", "RSA_4096", "RSASSA_PSS_SHA_512"))?;
    let ml_dsa = body(bench, &server, &sign("", "ML_DSA_87", "ML_DSA_SHAKE_256"))?;
    let new_key = json!({"KeySpec": "RSA_4096", "KeyUsage": "SIGN_VERIFY"}).to_string();
    // A new key of this size takes seconds, and whoever waits too long is told so: the point is what others feel.
    for (name, operation, body, connections) in [
        ("Sign RSA_4096", "Sign", &rsa, 16),
        ("Sign ML_DSA_87", "Sign", &ml_dsa, 16),
        ("CreateKey RSA_4096", "CreateKey", &new_key, 4),
    ] {
        let mut sides = Vec::new();
        for _ in 0..plan.rounds {
            let alone = one_of_few(bench, &server, plan, &encrypt)?;
            let heavy = bench.background(&server, operation, body, connections)?;
            let beside = one_of_few(bench, &server, plan, &encrypt);
            heavy.stop()?;
            let beside = beside?;
            progress(&format!("Encrypt p99 {:.0} us beside {name}, {:.0} us alone", beside.p99, alone.p99));
            sides.push((beside.p99, alone.p99));
        }
        lines.push(Line::ratio(format!("Encrypt beside {name}: p99, us"), &sides, Target::AtMost(3.0)));
    }
    server.stop()
}

/// Operations a second of each bare primitive, on the core of the servers.
fn raw_primitives(bench: &Bench<'_>, plan: Plan) -> Result<BTreeMap<String, f64>, Failure> {
    let millis = (plan.seconds * 200.0).round();
    let text = bench.example("raw_primitives", &[&millis.to_string()])?;
    serde_json::from_str(&text).map_err(|error| failed(format!("raw primitives: {error}")))
}

fn one(
    bench: &Bench<'_>,
    server: &Server,
    plan: Plan,
    operation: &str,
    body: &str,
) -> Result<Sample, Failure> {
    let extent = Extent::Seconds { warmup: plan.warmup, seconds: plan.seconds };
    let load = Load { operation, bodies: Bodies::One(body), connections: 16, extent, place: Place::Second };
    bench.load(server, server, load)
}

fn one_of_few(bench: &Bench<'_>, server: &Server, plan: Plan, body: &str) -> Result<Sample, Failure> {
    let extent = Extent::Seconds { warmup: plan.warmup, seconds: plan.seconds };
    let load = Load {
        operation: "Encrypt",
        bodies: Bodies::One(body),
        connections: 16,
        extent,
        place: Place::Anywhere,
    };
    bench.load(server, server, load)
}

fn encrypt_body(bench: &Bench<'_>, server: &Server) -> Result<String, Failure> {
    let key = create_with(bench, server, &json!({}))?;
    Ok(json!({"KeyId": key, "Plaintext": PLAINTEXT}).to_string())
}

/// A request of the operation with a new key, and with whatever it needs that another operation makes.
fn body(bench: &Bench<'_>, server: &Server, row: &Row) -> Result<String, Failure> {
    let key = create_with(bench, server, &json!({"KeySpec": row.spec, "KeyUsage": row.usage}))?;
    let (member, algorithm) = row.algorithm;
    let mut body = json!({"KeyId": key, member: algorithm});
    let mut add = |member: &str, value: Value| {
        if let Some(members) = body.as_object_mut() {
            members.insert(member.to_owned(), value);
        }
    };
    match row.operation {
        "DeriveSharedSecret" => {
            let peer = create_with(bench, server, &json!({"KeySpec": row.spec, "KeyUsage": row.usage}))?;
            let public = answer(bench, server, "GetPublicKey", &json!({"KeyId": peer}))?;
            add("PublicKey", public.get("PublicKey").cloned().unwrap_or_default());
        }
        "Decapsulate" => {
            let asked = json!({"KeyId": key, member: algorithm});
            let made = answer(bench, server, "Encapsulate", &asked)?;
            let blob = "SharedSecretCiphertextBlob";
            add(blob, made.get(blob).cloned().unwrap_or_default());
        }
        "Verify" => {
            let asked = json!({"KeyId": key, member: algorithm, "Message": PLAINTEXT});
            let made = answer(bench, server, "Sign", &asked)?;
            add("Message", json!(PLAINTEXT));
            add("Signature", made.get("Signature").cloned().unwrap_or_default());
        }
        _ => add("Message", json!(PLAINTEXT)),
    }
    Ok(body.to_string())
}
