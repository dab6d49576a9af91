//! `keyreeve algorithms`: every use of a key, and its standing under FIPS 140-3.

use std::fmt::Write;

use keyreeve_crypto::approved::{NotApproved, Service, is_fips_build, standing};
use keyreeve_domain::spec::{KeySpec, KeyUsage, MessageType, SigningAlgorithm};

/// The table, one use a line. What it says holds for this build.
pub(crate) fn table() -> String {
    let mut text = String::from(if is_fips_build() { FIPS } else { NO_FIPS });
    for row in rows() {
        let standing = match (is_fips_build(), row.standing) {
            (true, Ok(())) => "approved".to_owned(),
            (true, Err(why)) => format!("not approved: {why}"),
            (false, _) => "not approved: the module is not in this build".to_owned(),
        };
        // Writing to a `String` never fails.
        writeln!(text, "{:<22} {:<40} {standing}", row.spec.as_str(), row.what).unwrap_or_default();
    }
    text
}

const FIPS: &str = "\
Built with AWS-LC-FIPS, version 4 of the module: submitted, without a certificate that is known to us. What is approved is
so by the module's own indicator; nothing here is a claim of validation.

";
const NO_FIPS: &str =
    "Built with AWS-LC, which is no FIPS module; see docs/fips.md for a build with one.\n\n";

struct Row {
    spec: KeySpec,
    what: String,
    standing: Result<(), NotApproved>,
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for spec in KeySpec::ALL.iter().copied() {
        let mut add =
            |what: String, service| rows.push(Row { spec, what, standing: standing(spec, service) });
        add("CreateKey".to_owned(), Service::GenerateKey);
        for algorithm in spec.encryption_algorithms().iter().copied() {
            add(format!("Encrypt {algorithm}"), Service::Encrypt(algorithm));
            add(format!("Decrypt {algorithm}"), Service::Decrypt(algorithm));
        }
        for algorithm in spec.signing_algorithms().iter().copied() {
            for message in messages(algorithm).iter().copied() {
                add(format!("Sign {algorithm} {message}"), Service::Sign(algorithm, message));
                add(format!("Verify {algorithm} {message}"), Service::Verify(algorithm, message));
            }
        }
        for algorithm in spec.mac_algorithms() {
            add(format!("GenerateMac, VerifyMac {algorithm}"), Service::Mac);
        }
        if spec.allows(KeyUsage::KeyAgreement) {
            add("DeriveSharedSecret ECDH".to_owned(), Service::DeriveSharedSecret);
        }
        if spec.allows(KeyUsage::EncapsulateDecapsulate) {
            add("Encapsulate ML_KEM".to_owned(), Service::Encapsulate);
            add("Decapsulate ML_KEM".to_owned(), Service::Decapsulate);
        }
    }
    rows
}

/// The kinds of message that an algorithm takes.
fn messages(algorithm: SigningAlgorithm) -> &'static [MessageType] {
    match algorithm {
        SigningAlgorithm::Ed25519Sha512 => &[MessageType::Raw],
        SigningAlgorithm::Ed25519PhSha512 => &[MessageType::Digest],
        SigningAlgorithm::MlDsaShake256 => &[MessageType::Raw, MessageType::ExternalMu],
        SigningAlgorithm::EcdsaSha256
        | SigningAlgorithm::EcdsaSha384
        | SigningAlgorithm::EcdsaSha512
        | SigningAlgorithm::RsassaPkcs1V15Sha256
        | SigningAlgorithm::RsassaPkcs1V15Sha384
        | SigningAlgorithm::RsassaPkcs1V15Sha512
        | SigningAlgorithm::RsassaPssSha256
        | SigningAlgorithm::RsassaPssSha384
        | SigningAlgorithm::RsassaPssSha512
        | SigningAlgorithm::Sm2Dsa => &[MessageType::Raw, MessageType::Digest],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_the_module_approves_nothing() {
        let lines: Vec<String> = table().lines().map(str::to_owned).collect();
        let uses = lines.iter().filter(|line| line.contains("pproved"));
        assert!(uses.clone().count() > 90);
        assert_eq!(uses.filter(|line| line.ends_with(" approved")).count() > 0, is_fips_build());
    }

    #[test]
    fn every_spec_and_algorithm_is_in_the_table() {
        let rows = rows();
        for spec in KeySpec::ALL {
            assert!(rows.iter().filter(|row| row.spec == *spec).count() > 1, "{spec}");
        }
        for algorithm in SigningAlgorithm::ALL {
            assert!(rows.iter().any(|row| row.what.contains(algorithm.as_str())), "{algorithm}");
        }
    }
}
