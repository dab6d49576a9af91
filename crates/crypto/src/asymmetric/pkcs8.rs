//! The frame of a PKCS#8 document (RFC 5208 section 5), in DER.
//!
//! The library reads the key inside and ignores what follows it; this module does not.

use keyreeve_domain::spec::KeySpec;

use super::der::{CONTEXT_0, INTEGER, OCTET_STRING, SEQUENCE, take, whole};

/// What a `PrivateKeyInfo` holds.
pub(super) struct Info<'a> {
    /// The content of its `AlgorithmIdentifier`.
    pub(super) algorithm: &'a [u8],
    /// The key, as the algorithm encodes it.
    pub(super) private_key: &'a [u8],
}

/// What one version 1 `PrivateKeyInfo` holds; `None` where there is anything more, or less.
pub(super) fn info(bytes: &[u8]) -> Option<Info<'_>> {
    let mut fields = whole(bytes)?;
    (take(&mut fields, INTEGER)? == [0]).then_some(())?;
    let algorithm = take(&mut fields, SEQUENCE)?;
    let private_key = take(&mut fields, OCTET_STRING)?;
    if !fields.is_empty() {
        // The attributes, which say nothing of the key.
        take(&mut fields, CONTEXT_0)?;
    }
    fields.is_empty().then_some(Info { algorithm, private_key })
}

/// The document that holds a seed, without the seed.
pub(crate) fn seed_prefix(spec: KeySpec) -> Option<&'static [u8]> {
    // SEQUENCE { INTEGER 0, SEQUENCE { OID 2.16.840.1.101.3.4.x.y }, OCTET STRING { [0] seed } }
    Some(match spec {
        KeySpec::MlDsa44 => {
            b"\x30\x34\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11\x04\x22\x80\x20"
        }
        KeySpec::MlDsa65 => {
            b"\x30\x34\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12\x04\x22\x80\x20"
        }
        KeySpec::MlDsa87 => {
            b"\x30\x34\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13\x04\x22\x80\x20"
        }
        KeySpec::MlKem512 => {
            b"\x30\x54\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x01\x04\x42\x80\x40"
        }
        KeySpec::MlKem768 => {
            b"\x30\x54\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x02\x04\x42\x80\x40"
        }
        KeySpec::MlKem1024 => {
            b"\x30\x54\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x04\x03\x04\x42\x80\x40"
        }
        KeySpec::Rsa2048
        | KeySpec::Rsa3072
        | KeySpec::Rsa4096
        | KeySpec::EccNistP256
        | KeySpec::EccNistP384
        | KeySpec::EccNistP521
        | KeySpec::EccSecgP256K1
        | KeySpec::EccNistEdwards25519
        | KeySpec::Sm2
        | KeySpec::SymmetricDefault
        | KeySpec::Hmac224
        | KeySpec::Hmac256
        | KeySpec::Hmac384
        | KeySpec::Hmac512 => return None,
    })
}

/// The seed in a document that holds one; its length is the caller's to check.
pub(crate) fn seed(spec: KeySpec, pkcs8: &[u8]) -> Option<&[u8]> {
    pkcs8.strip_prefix(seed_prefix(spec)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_document_of_version_1_is_one() {
        for (case, bytes, good) in [
            ("plain", &b"\x30\x07\x02\x01\x00\x30\x00\x04\x00"[..], true),
            ("attributes", b"\x30\x09\x02\x01\x00\x30\x00\x04\x00\xa0\x00", true),
            ("nothing", b"", false),
            ("cut", b"\x30\x07\x02\x01\x00\x30\x00\x04", false),
            ("more after it", b"\x30\x07\x02\x01\x00\x30\x00\x04\x00\x00", false),
            ("more inside it", b"\x30\x09\x02\x01\x00\x30\x00\x04\x00\x05\x00", false),
            ("more after the attributes", b"\x30\x0b\x02\x01\x00\x30\x00\x04\x00\xa0\x00\xa1\x00", false),
            ("version 2", b"\x30\x07\x02\x01\x01\x30\x00\x04\x00", false),
            ("long form of a short length", b"\x30\x81\x07\x02\x01\x00\x30\x00\x04\x00", false),
            ("indefinite length", b"\x30\x80\x02\x01\x00\x30\x00\x04\x00\x00\x00", false),
            ("no key", b"\x30\x05\x02\x01\x00\x30\x00", false),
        ] {
            assert_eq!(info(bytes).is_some(), good, "{case}");
        }
    }
}
