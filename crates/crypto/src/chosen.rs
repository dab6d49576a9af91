//! Key material that somebody chose beforehand, for tests: in the encodings that tools write it in.
//!
//! Symmetric and HMAC keys are bytes; key pairs are DER: PKCS#8 (RFC 5208), for RSA also PKCS#1 (RFC 8017 appendix A.1.2), for
//! curves also SEC 1 (RFC 5915); ML-DSA and ML-KEM also their seed alone. What is taken in is whole and consistent.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::EcdsaKeyPair;
use keyreeve_domain::spec::KeySpec;
use zeroize::Zeroizing;

use crate::asymmetric::{KeyPair, ParseKeyError, curve_signing, seed_of, symmetric_len};
use crate::import::{ImportError, check};
use crate::key::KeyMaterial;

/// The specs of key pairs whose document says which it is.
const PAIRS: [KeySpec; 14] = [
    KeySpec::EccNistP256,
    KeySpec::EccNistP384,
    KeySpec::EccNistP521,
    KeySpec::EccSecgP256K1,
    KeySpec::EccNistEdwards25519,
    KeySpec::Rsa2048,
    KeySpec::Rsa3072,
    KeySpec::Rsa4096,
    KeySpec::MlDsa44,
    KeySpec::MlDsa65,
    KeySpec::MlDsa87,
    KeySpec::MlKem512,
    KeySpec::MlKem768,
    KeySpec::MlKem1024,
];

/// The spec of the key pair that is written in `der`; none where it is no key pair of any.
#[must_use]
pub fn spec_of_pair(der: &[u8]) -> Option<KeySpec> {
    PAIRS.into_iter().find(|spec| chosen_material(*spec, der).is_ok())
}

/// The material for a key of `spec` that `bytes` are.
///
/// # Errors
/// Where they are none, or no locked memory is left.
pub fn chosen_material(spec: KeySpec, bytes: &[u8]) -> Result<KeyMaterial, ImportError> {
    let bytes = canonical(spec, bytes);
    let material = KeyMaterial::init_with(bytes.len(), |slot| {
        slot.copy_from_slice(&bytes);
        Ok::<_, ImportError>(())
    })?;
    if symmetric_len(spec).is_some() {
        check(spec, &bytes)?;
        return Ok(material);
    }
    match KeyPair::parse(spec, &material) {
        Ok(_) => Ok(material),
        Err(ParseKeyError::Memory(error)) => Err(error.into()),
        Err(ParseKeyError::NoPair | ParseKeyError::Rejected) => Err(ImportError::Rejected),
    }
}

/// The bytes in the form in which material of `spec` is kept, where they are in another one that is known.
fn canonical(spec: KeySpec, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let written = match spec {
        KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => {
            rsa::KeyPair::from_der(bytes).ok().and_then(|pair| Some(pair.as_der().ok()?.as_ref().to_vec()))
        }
        KeySpec::EccNistP256 | KeySpec::EccNistP384 | KeySpec::EccNistP521 | KeySpec::EccSecgP256K1 => {
            let pair =
                curve_signing(spec).and_then(|curve| EcdsaKeyPair::from_private_key_der(curve, bytes).ok());
            pair.and_then(|pair| Some(pair.to_pkcs8v1().ok()?.as_ref().to_vec()))
        }
        KeySpec::MlDsa44
        | KeySpec::MlDsa65
        | KeySpec::MlDsa87
        | KeySpec::MlKem512
        | KeySpec::MlKem768
        | KeySpec::MlKem1024 => seed_of(spec, bytes).map(<[u8]>::to_vec),
        KeySpec::EccNistEdwards25519
        | KeySpec::Sm2
        | KeySpec::SymmetricDefault
        | KeySpec::Hmac224
        | KeySpec::Hmac256
        | KeySpec::Hmac384
        | KeySpec::Hmac512 => None,
    };
    Zeroizing::new(written.unwrap_or_else(|| bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asymmetric::make_material;
    use crate::random::SystemRandom;

    #[test]
    fn what_was_made_is_taken_as_it_is_and_tells_its_spec() {
        for spec in PAIRS.into_iter().filter(|spec| *spec != KeySpec::Rsa4096) {
            let made = make_material(spec, &SystemRandom).unwrap();
            let taken = chosen_material(spec, made.expose()).unwrap();
            assert_eq!(taken.expose(), made.expose(), "{spec}");
            if made.expose().len() > 64 {
                assert_eq!(spec_of_pair(made.expose()), Some(spec), "{spec}");
            }
        }
    }

    #[test]
    fn bytes_of_another_length_or_curve_are_refused() {
        let made = make_material(KeySpec::EccNistP256, &SystemRandom).unwrap();
        for (spec, bytes) in [
            (KeySpec::SymmetricDefault, &[0; 31][..]),
            (KeySpec::Hmac224, &[0; 27]),
            (KeySpec::EccNistP384, made.expose()),
            (KeySpec::Rsa2048, made.expose()),
            (KeySpec::MlDsa44, &[0; 31]),
        ] {
            assert_eq!(chosen_material(spec, bytes).err(), Some(ImportError::Rejected), "{spec}");
        }
    }
}
