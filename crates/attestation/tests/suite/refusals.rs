//! What passes, and every way to be refused.
//!
//! The signature of a document is verified after all that shows without one. So a document that nobody signed shows how far
//! it gets: it is refused for its signature where nothing else is wrong.

use crate::cases::{Cases, ES384, Fields, NULL, array, bytes, head, map, text, unsigned};
use keyreeve_attestation::{
    AttestationError, CertificateError, Field, FieldError, MAX_DOCUMENT_LEN, Platform, RootError, Roots,
};
use keyreeve_domain::Timestamp;

const GOOD: AttestationError = AttestationError::Signature;

fn field(field: Field, error: FieldError) -> AttestationError {
    AttestationError::Field { field, error }
}

fn invalid(name: Field) -> AttestationError {
    field(name, FieldError::Invalid)
}

#[test]
fn a_good_document_says_what_was_attested() {
    let cases = Cases::read();
    for (name, platform, module) in [
        ("enclave", Platform::Enclave, "i-0123456789abcdef0-enc0123456789abcdef"),
        ("tagged", Platform::Enclave, "i-0123456789abcdef0-enc0123456789abcdef"),
        ("indefinite", Platform::Enclave, "i-0123456789abcdef0-enc0123456789abcdef"),
        ("nitrotpm", Platform::NitroTpm, "i-0123456789abcdef0-tpm0000000000000000"),
        ("root signs", Platform::Enclave, "i-0123456789abcdef0-enc0123456789abcdef"),
    ] {
        let attestation = cases.verify(cases.document(name)).unwrap();
        assert_eq!(attestation.module_id, module, "{name}");
        assert_eq!(attestation.timestamp, Timestamp::from_millis(cases.timestamp), "{name}");
        assert_eq!(attestation.measurements.platform(), platform, "{name}");
        assert_eq!(
            attestation.measurements.registers().map(|(n, _)| n).collect::<Vec<_>>(),
            [0, 1],
            "{name}"
        );
        // SHA-384 of "enclave 1".
        let register = attestation.measurements.register(1).unwrap();
        assert!(register.starts_with("b2d3514a"), "{name}: {register}");
    }
}

#[test]
fn registers_of_a_debug_enclave_are_kept_as_they_are() {
    let cases = Cases::read();
    let attestation = cases.verify(cases.document("debug")).unwrap();
    let zero = "00".repeat(48);
    let conditions: Vec<_> =
        attestation.measurements.conditions().map(|(key, value)| (key, value == zero)).collect();
    let expected =
        ["ImageSha384", "PCR0", "PCR1"].map(|key| (format!("kms:RecipientAttestation:{key}"), true));
    assert_eq!(conditions, expected);
}

#[test]
fn a_signed_document_without_a_usable_key_is_refused_for_that() {
    let cases = Cases::read();
    for (name, error) in [
        ("no key", AttestationError::NoPublicKey),
        ("key left out", AttestationError::NoPublicKey),
        ("EC key", AttestationError::PublicKey),
        ("RSA key of 1024 bits", AttestationError::PublicKey),
        ("PKCS#1 key", AttestationError::PublicKey),
        ("key with a byte more", AttestationError::PublicKey),
    ] {
        assert_eq!(cases.verify(cases.document(name)).unwrap_err(), error, "{name}");
    }
}

#[test]
fn what_is_no_signed_document_is_refused() {
    let cases = Cases::read();
    let payload = cases.fields().payload();
    let signature = [0; 96];
    let sign1 = |parts: &[Vec<u8>]| array(parts);
    let with_header = |header: &[u8]| sign1(&[bytes(header), map(&[]), bytes(&payload), bytes(&signature)]);
    let with_signature =
        |len: usize| sign1(&[bytes(ES384), map(&[]), bytes(&payload), bytes(&signature.repeat(2)[..len])]);
    let good = unsigned(&payload);
    for (case, document, error) in [
        ("good", good.clone(), GOOD),
        ("tagged", [&[0xd2], good.as_slice()].concat(), GOOD),
        ("another tag", [&[0xd1], good.as_slice()].concat(), AttestationError::Malformed),
        ("tagged twice", [&[0xd2, 0xd2], good.as_slice()].concat(), AttestationError::Malformed),
        ("tag in a longer form", [&[0xd8, 0x12], good.as_slice()].concat(), AttestationError::Malformed),
        ("nothing", vec![], AttestationError::Malformed),
        ("a byte more", [good.as_slice(), &[0]].concat(), AttestationError::Malformed),
        ("a byte less", good[..good.len() - 1].to_vec(), AttestationError::Malformed),
        ("no array", bytes(&good), AttestationError::Malformed),
        ("3 parts", sign1(&[bytes(ES384), map(&[]), bytes(&payload)]), AttestationError::Malformed),
        ("array of indefinite length", [&[0x9f], &good[1..], &[0xff]].concat(), AttestationError::Malformed),
        ("ES256", with_header(&[0xa1, 0x01, 0x26]), AttestationError::Algorithm),
        ("ES512", with_header(&[0xa1, 0x01, 0x38, 0x23]), AttestationError::Algorithm),
        ("another header", with_header(&[0xa2, 0x01, 0x38, 0x22, 0x04, 0x40]), AttestationError::Algorithm),
        ("no header", with_header(&[]), AttestationError::Algorithm),
        (
            "unprotected header",
            sign1(&[bytes(ES384), map(&[(head(0, 4), bytes(&[]))]), bytes(&payload), bytes(&signature)]),
            AttestationError::Algorithm,
        ),
        (
            "detached payload",
            sign1(&[bytes(ES384), map(&[]), NULL.to_vec(), bytes(&signature)]),
            AttestationError::Malformed,
        ),
        ("empty payload", unsigned(&[]), AttestationError::Malformed),
        ("payload of 16385 bytes", unsigned(&vec![0; 16385]), AttestationError::Malformed),
        ("signature of 95 bytes", with_signature(95), AttestationError::Malformed),
        ("signature of 97 bytes", with_signature(97), AttestationError::Malformed),
        ("payload that is no map", unsigned(&bytes(&payload)), AttestationError::Malformed),
        (
            "payload with a byte more",
            unsigned(&[payload.as_slice(), &[0]].concat()),
            AttestationError::Malformed,
        ),
        ("as long as can be", vec![0; MAX_DOCUMENT_LEN], AttestationError::Malformed),
        ("longer", vec![0; MAX_DOCUMENT_LEN + 1], AttestationError::TooLong),
    ] {
        assert_eq!(cases.verify(&document).unwrap_err(), error, "{case}");
    }
}

#[test]
fn a_payload_of_indefinite_length_ends_with_its_map() {
    let cases = Cases::read();
    let payload = cases.fields().payload();
    for (case, payload, error) in [
        ("good", [&[0xbf], &payload[1..], &[0xff]].concat(), GOOD),
        ("unended", [&[0xbf], &payload[1..]].concat(), AttestationError::Malformed),
        ("more", [&[0xbf], &payload[1..], &[0xff, 0xff]].concat(), AttestationError::Malformed),
        ("an entry too many", [&[payload[0] - 1], &payload[1..]].concat(), AttestationError::Malformed),
        ("an entry too few", [&[payload[0] + 1], &payload[1..]].concat(), AttestationError::Malformed),
    ] {
        assert_eq!(cases.verify(&unsigned(&payload)).unwrap_err(), error, "{case}");
    }
}

#[test]
fn each_field_is_there_once_and_only_those_are() {
    let cases = Cases::read();
    for (name, missing) in [
        ("module_id", field(Field::ModuleId, FieldError::Missing)),
        ("digest", field(Field::Digest, FieldError::Missing)),
        ("timestamp", field(Field::Timestamp, FieldError::Missing)),
        ("pcrs", field(Field::Pcrs, FieldError::Missing)),
        ("certificate", field(Field::Certificate, FieldError::Missing)),
        ("cabundle", field(Field::CaBundle, FieldError::Missing)),
        ("public_key", GOOD),
        ("user_data", GOOD),
        ("nonce", GOOD),
    ] {
        let fields = cases.fields();
        assert_eq!(cases.verify(&fields.clone().without(name).document()).unwrap_err(), missing, "{name}");
        let (_, value) = fields.0.iter().find(|(present, _)| *present == name).unwrap().clone();
        let twice = cases.verify(&fields.and(name, value).document()).unwrap_err();
        assert!(
            matches!(twice, AttestationError::Field { field, error: FieldError::Duplicate } if field.name() == name),
            "{name}: {twice:?}"
        );
    }
    let registers = map(&[(head(0, 0), bytes(&[0; 48]))]);
    for (case, fields, error) in [
        ("unknown", cases.fields().and("debug", NULL.to_vec()), AttestationError::UnknownField),
        ("upper case", cases.fields().and("Nonce", NULL.to_vec()), AttestationError::UnknownField),
        (
            "both platforms",
            cases.fields().and("nitrotpm_pcrs", registers.clone()),
            field(Field::NitroTpmPcrs, FieldError::Duplicate),
        ),
        ("the other platform", cases.fields().without("pcrs").and("nitrotpm_pcrs", registers), GOOD),
    ] {
        assert_eq!(cases.verify(&fields.document()).unwrap_err(), error, "{case}");
    }
}

#[test]
fn each_field_is_within_its_limits() {
    let cases = Cases::read();
    let malformed = AttestationError::Malformed;
    let string = |len: usize| bytes(&vec![0; len]);
    let distinct = |count: u8| array(&(0..count).map(|n| bytes(&[n])).collect::<Vec<_>>());
    let now: u64 = cases.timestamp.try_into().unwrap();
    let check = |case: &str, fields: Fields, error: AttestationError| {
        assert_eq!(cases.verify(&fields.document()).unwrap_err(), error, "{case}");
    };
    for (name, which) in [("user_data", Field::UserData), ("nonce", Field::Nonce)] {
        for (value, error) in [
            (NULL.to_vec(), GOOD),
            (string(0), GOOD),
            (string(512), GOOD),
            (string(513), invalid(which)),
            (text("a"), malformed),
        ] {
            check(name, cases.fields().set(name, value), error);
        }
    }
    for (name, value, error) in [
        ("module_id", text("a"), GOOD),
        ("module_id", text(""), invalid(Field::ModuleId)),
        ("module_id", text(&"a".repeat(256)), GOOD),
        ("module_id", text(&"a".repeat(257)), invalid(Field::ModuleId)),
        ("module_id", string(1), malformed),
        ("module_id", NULL.to_vec(), malformed),
        ("digest", text("SHA256"), invalid(Field::Digest)),
        ("digest", text("sha384"), invalid(Field::Digest)),
        ("timestamp", head(0, now), GOOD),
        ("timestamp", head(0, 0), invalid(Field::Timestamp)),
        ("timestamp", head(0, u64::MAX), invalid(Field::Timestamp)),
        ("timestamp", head(0, 1), AttestationError::Stale),
        ("timestamp", head(0, i64::MAX.try_into().unwrap()), AttestationError::Future),
        ("timestamp", head(0, now - 300_000), GOOD),
        ("timestamp", head(0, now - 300_001), AttestationError::Stale),
        ("timestamp", head(0, now + 60_000), GOOD),
        ("timestamp", head(0, now + 60_001), AttestationError::Future),
        ("timestamp", head(1, 5), malformed),
        ("public_key", NULL.to_vec(), GOOD),
        ("public_key", string(0), invalid(Field::PublicKey)),
        ("public_key", string(1), GOOD),
        ("public_key", string(1024), GOOD),
        ("public_key", string(1025), invalid(Field::PublicKey)),
        ("certificate", string(0), invalid(Field::Certificate)),
        ("certificate", string(1025), invalid(Field::Certificate)),
        ("certificate", NULL.to_vec(), malformed),
        ("cabundle", array(&[]), invalid(Field::CaBundle)),
        ("cabundle", array(&[string(0)]), invalid(Field::CaBundle)),
        ("cabundle", array(&[string(1024)]), AttestationError::Root),
        ("cabundle", array(&[string(1025)]), invalid(Field::CaBundle)),
        ("cabundle", string(4), malformed),
        ("cabundle", distinct(8), AttestationError::Root),
        ("cabundle", distinct(9), invalid(Field::CaBundle)),
    ] {
        check(name, cases.fields().set(name, value), error);
    }
}

#[test]
fn registers_are_numbered_to_31_and_have_one_length() {
    let cases = Cases::read();
    let of = |entries: &[(u64, usize)]| {
        map(&entries.iter().map(|(n, len)| (head(0, *n), bytes(&vec![0; *len]))).collect::<Vec<_>>())
    };
    let all: Vec<_> = (0..32).map(|n| (n, 48)).collect();
    for (name, which) in [("pcrs", Field::Pcrs), ("nitrotpm_pcrs", Field::NitroTpmPcrs)] {
        for (case, value, error) in [
            ("all", of(&all), GOOD),
            ("last alone", of(&[(31, 48)]), GOOD),
            ("32 bytes", of(&[(0, 32)]), GOOD),
            ("64 bytes", of(&[(0, 64)]), GOOD),
            ("out of order", of(&[(1, 48), (0, 48)]), GOOD),
            ("none", of(&[]), invalid(which)),
            ("index 32", of(&[(32, 48)]), invalid(which)),
            ("index 256", of(&[(256, 48)]), invalid(which)),
            ("twice", of(&[(0, 48), (0, 48)]), invalid(which)),
            ("31 bytes", of(&[(0, 31)]), invalid(which)),
            ("49 bytes", of(&[(0, 49)]), invalid(which)),
            ("two lengths", of(&[(0, 48), (1, 32)]), invalid(which)),
            ("index as text", map(&[(text("0"), bytes(&[0; 48]))]), AttestationError::Malformed),
            ("value as text", map(&[(head(0, 0), text("0"))]), AttestationError::Malformed),
            (
                "index in a longer form",
                [&[0xa1, 0x18, 0x00][..], &bytes(&[0; 48])].concat(),
                AttestationError::Malformed,
            ),
        ] {
            let fields = cases.fields().without("pcrs").and(name, value);
            assert_eq!(cases.verify(&fields.document()).unwrap_err(), error, "{name}: {case}");
        }
    }
}

#[test]
fn the_chain_leads_from_a_configured_root_to_the_signer() {
    let cases = Cases::read();
    let certificate = |position, error| AttestationError::Certificate { position, error };
    let chain = ["root", "upper", "lower"];
    for (case, authorities, signer, error) in [
        ("good", chain.as_slice(), "signer", GOOD),
        ("other root", &["other root", "upper", "lower"], "signer", AttestationError::Root),
        (
            "root of the same key",
            &["root of the same key", "upper", "lower"],
            "signer",
            AttestationError::Root,
        ),
        ("no root", &["upper", "lower"], "signer", AttestationError::Root),
        ("root last", &["lower", "upper", "root"], "signer", AttestationError::Root),
        ("out of order", &["root", "lower", "upper"], "signer", certificate(1, CertificateError::PathLength)),
        ("one missing", &["root", "lower"], "signer", certificate(1, CertificateError::Issuer)),
        ("the last missing", &["root", "upper"], "signer", certificate(2, CertificateError::Issuer)),
        ("root twice", &["root", "root", "upper", "lower"], "signer", invalid(Field::CaBundle)),
        ("root last again", &["root", "upper", "lower", "root"], "signer", invalid(Field::CaBundle)),
        ("lower twice", &["root", "upper", "lower", "lower"], "signer", invalid(Field::CaBundle)),
        ("the signer is an authority", &chain, "lower", certificate(3, CertificateError::BasicConstraints)),
        (
            "no path",
            &["root", "upper, no path", "lower"],
            "signer",
            certificate(1, CertificateError::PathLength),
        ),
    ] {
        let document = cases.fields_with(authorities, signer).document();
        assert_eq!(cases.verify(&document).unwrap_err(), error, "{case}");
    }
}

#[test]
fn each_certificate_is_fit_for_its_place() {
    let cases = Cases::read();
    for (name, error) in [
        ("lower, expired", Some(CertificateError::Expired)),
        ("lower, until now", None),
        ("lower, from now", None),
        ("lower, future", Some(CertificateError::NotYetValid)),
        ("lower, no authority", Some(CertificateError::BasicConstraints)),
        ("lower, no constraints", Some(CertificateError::BasicConstraints)),
        ("lower, no key usage", Some(CertificateError::KeyUsage)),
        ("lower, signs data", Some(CertificateError::KeyUsage)),
        ("lower, issued by another", Some(CertificateError::Issuer)),
        ("lower, signed with SHA-256", Some(CertificateError::Malformed)),
        ("lower, unknown extension", None),
        ("lower, unknown critical extension", Some(CertificateError::Malformed)),
        ("signer, expired", Some(CertificateError::Expired)),
        ("signer, future", Some(CertificateError::NotYetValid)),
        ("signer, authority", Some(CertificateError::BasicConstraints)),
        ("signer, no constraints", None),
        ("signer, signs certificates", Some(CertificateError::KeyUsage)),
        ("signer, no key usage", Some(CertificateError::KeyUsage)),
        ("signer, P-256", Some(CertificateError::Malformed)),
    ] {
        let (fields, position) = match name.split_once(',').unwrap().0 {
            "lower" => (cases.fields_with(&["root", "upper", name], "signer"), 2),
            _ => (cases.fields_with(&["root", "upper", "lower"], name), 3),
        };
        let expected = error.map_or(GOOD, |error| AttestationError::Certificate { position, error });
        assert_eq!(cases.verify(&fields.document()).unwrap_err(), expected, "{name}");
    }
}

#[test]
fn the_signature_of_each_certificate_counts_and_that_of_the_document_comes_first() {
    let cases = Cases::read();
    for (name, position) in [
        ("upper, signed by another", 1),
        ("lower, signed by another", 2),
        ("upper and lower, signed by another", 1),
        ("signer, signed by another", 3),
        ("signer, changed", 3),
        ("signer, changed signature", 3),
    ] {
        let expected = AttestationError::Certificate { position, error: CertificateError::Signature };
        let signed = cases.document(name);
        assert_eq!(cases.verify(signed).unwrap_err(), expected, "{name}");
        let mut forged = signed.to_vec();
        *forged.last_mut().unwrap() ^= 0x01;
        assert_eq!(cases.verify(&forged).unwrap_err(), AttestationError::Signature, "{name}");
    }
}

#[test]
fn no_byte_of_a_certificate_can_be_changed_added_or_left_out() {
    let cases = Cases::read();
    let signer = cases.certificate("signer");
    let refusal = |certificate: &[u8]| {
        cases.verify(&cases.fields().set("certificate", bytes(certificate)).document()).unwrap_err()
    };
    for index in 0..signer.len() {
        let mut changed = signer.to_vec();
        changed[index] ^= 0x01;
        // Where it shows in the signature alone, that of the document, which is verified first, does not fit either.
        assert!(
            matches!(refusal(&changed), AttestationError::Certificate { position: 3, .. } | GOOD),
            "byte {index}"
        );
    }
    let malformed = AttestationError::Certificate { position: 3, error: CertificateError::Malformed };
    assert_eq!(refusal(&[signer, &[0]].concat()), malformed);
    assert_eq!(refusal(&signer[..signer.len() - 1]), malformed);
}

#[test]
fn a_root_is_an_authority_in_pem() {
    let cases = Cases::read();
    let pem = |names: &[&str]| -> String {
        use base64::Engine as _;
        let encode = |name: &&str| base64::engine::general_purpose::STANDARD.encode(cases.certificate(name));
        let block =
            |name| format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", encode(name));
        names.iter().map(block).collect()
    };
    let read = |text: &str| Roots::none().with_pem(text.as_bytes()).map(|_| ());
    for (case, text, result) in [
        ("one", pem(&["root"]), Ok(())),
        ("two", pem(&["root", "other root"]), Ok(())),
        ("none", "no certificate\n".to_owned(), Err(RootError::Empty)),
        ("cut off", pem(&["root"])[..100].to_owned(), Err(RootError::Pem)),
        ("no authority", pem(&["root", "signer"]), Err(RootError::Certificate)),
        ("P-256", pem(&["signer, P-256"]), Err(RootError::Certificate)),
    ] {
        assert_eq!(read(&text), result, "{case}");
    }
    let both = Roots::aws_nitro().with_pem(pem(&["other root", "root"]).as_bytes()).unwrap();
    let verified = keyreeve_attestation::verify(
        cases.document("enclave"),
        Timestamp::from_millis(cases.timestamp),
        &both,
    );
    assert!(verified.is_ok());
}
