//! New key material, tested before it is returned.
//!
//! The test is the pairwise consistency test of SP 800-140 for each thing that a key of the spec can do, on the pair that is
//! parsed from the material: it also shows that what is stored can be read back.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::EcdsaKeyPair;
use keyreeve_aws_lc_ffi::memory;
use keyreeve_domain::spec::KeySpec;

#[cfg(not(feature = "fips"))]
use super::ed25519;
#[cfg(feature = "fips")]
use super::pkcs8;
use super::{KeyPair, MakeMaterialError, Message, ParseKeyError, ecdsa, ml_dsa, ml_kem, sm2};
use crate::key::KeyMaterial;
use crate::random::Random;

/// New material of `spec`. RSA takes up to seconds.
///
/// Seeds and symmetric keys are drawn from `random`; RSA and ECC keys are made by the library from its own generator.
///
/// # Errors
/// See [`MakeMaterialError`].
pub fn make_material(spec: KeySpec, random: &dyn Random) -> Result<KeyMaterial, MakeMaterialError> {
    match symmetric_len(spec) {
        Some(len) => Ok(KeyMaterial::make(len, random)?),
        None => make_pair(spec, random).map(|(material, _)| material),
    }
}

/// New material of an asymmetric `spec`, and the pair that was parsed from it to test it.
///
/// # Errors
/// See [`MakeMaterialError`].
pub fn make_pair(spec: KeySpec, random: &dyn Random) -> Result<(KeyMaterial, KeyPair), MakeMaterialError> {
    let material = memory::locked(|| untested(spec, random))?;
    let pair = KeyPair::parse(spec, &material).map_err(|error| match error {
        ParseKeyError::Memory(error) => error.into(),
        ParseKeyError::NoPair | ParseKeyError::Rejected => MakeMaterialError::Inconsistent,
    })?;
    if consistent(&pair) { Ok((material, pair)) } else { Err(MakeMaterialError::Inconsistent) }
}

/// The length of the material of a symmetric spec.
pub(crate) fn symmetric_len(spec: KeySpec) -> Option<usize> {
    match spec {
        KeySpec::SymmetricDefault | KeySpec::Hmac256 => Some(32),
        KeySpec::Hmac224 => Some(28),
        KeySpec::Hmac384 => Some(48),
        KeySpec::Hmac512 => Some(64),
        KeySpec::Rsa2048
        | KeySpec::Rsa3072
        | KeySpec::Rsa4096
        | KeySpec::EccNistP256
        | KeySpec::EccNistP384
        | KeySpec::EccNistP521
        | KeySpec::EccSecgP256K1
        | KeySpec::EccNistEdwards25519
        | KeySpec::Sm2
        | KeySpec::MlDsa44
        | KeySpec::MlDsa65
        | KeySpec::MlDsa87
        | KeySpec::MlKem512
        | KeySpec::MlKem768
        | KeySpec::MlKem1024 => None,
    }
}

fn untested(spec: KeySpec, random: &dyn Random) -> Result<KeyMaterial, MakeMaterialError> {
    match spec {
        KeySpec::Rsa2048 => rsa(KeySize::Rsa2048),
        KeySpec::Rsa3072 => rsa(KeySize::Rsa3072),
        KeySpec::Rsa4096 => rsa(KeySize::Rsa4096),
        KeySpec::EccNistP256 | KeySpec::EccNistP384 | KeySpec::EccNistP521 | KeySpec::EccSecgP256K1 => {
            ec(spec)
        }
        // The module approves a key only where it draws the seed itself.
        #[cfg(feature = "fips")]
        KeySpec::EccNistEdwards25519 => {
            let pair =
                aws_lc_rs::signature::Ed25519KeyPair::generate().or(Err(MakeMaterialError::Library))?;
            copy(pair.to_pkcs8v1().or(Err(MakeMaterialError::Library))?.as_ref())
        }
        #[cfg(feature = "fips")]
        KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => {
            let document = ml_dsa::generate(spec)?;
            copy(pkcs8::seed(spec, document.as_ref()).ok_or(MakeMaterialError::Library)?)
        }
        #[cfg(not(feature = "fips"))]
        KeySpec::EccNistEdwards25519 => {
            let prefix = &ed25519::PKCS8_PREFIX;
            KeyMaterial::init_with(prefix.len() + ed25519::SEED_LEN, |bytes| {
                let (head, seed) =
                    bytes.split_at_mut_checked(prefix.len()).ok_or(MakeMaterialError::Library)?;
                head.copy_from_slice(prefix);
                Ok(random.fill(seed)?)
            })
        }
        #[cfg(not(feature = "fips"))]
        KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87 => {
            Ok(KeyMaterial::make(ml_dsa::SEED_LEN, random)?)
        }
        KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => {
            Ok(KeyMaterial::make(ml_kem::SEED_LEN, random)?)
        }
        KeySpec::Sm2 => sm2::make(random),
        KeySpec::SymmetricDefault
        | KeySpec::Hmac224
        | KeySpec::Hmac256
        | KeySpec::Hmac384
        | KeySpec::Hmac512 => {
            Ok(KeyMaterial::make(symmetric_len(spec).ok_or(MakeMaterialError::Library)?, random)?)
        }
    }
}

fn rsa(size: KeySize) -> Result<KeyMaterial, MakeMaterialError> {
    let pair = RsaKeyPair::generate(size).or(Err(MakeMaterialError::Library))?;
    copy(pair.as_der().or(Err(MakeMaterialError::Library))?.as_ref())
}

fn ec(spec: KeySpec) -> Result<KeyMaterial, MakeMaterialError> {
    let curve = ecdsa::Curve::of(spec).or(Err(MakeMaterialError::Library))?;
    let pair = EcdsaKeyPair::generate(curve.signing).or(Err(MakeMaterialError::Library))?;
    copy(pair.to_pkcs8v1().or(Err(MakeMaterialError::Library))?.as_ref())
}

/// The library's document, which it wipes on drop, in locked memory.
fn copy(document: &[u8]) -> Result<KeyMaterial, MakeMaterialError> {
    KeyMaterial::init_with(document.len(), |bytes| {
        bytes.copy_from_slice(document);
        Ok(())
    })
}

/// Whether the pair undoes what it does.
fn consistent(pair: &KeyPair) -> bool {
    const PROBE: &[u8] = b"pairwise consistency";
    let spec = pair.spec();
    let signs = spec.signing_algorithms().first().is_none_or(|algorithm| {
        pair.sign(*algorithm, Message::Raw(PROBE))
            .is_ok_and(|signature| pair.verify(*algorithm, Message::Raw(PROBE), &signature).is_ok())
    });
    let encrypts = spec.encryption_algorithms().first().is_none_or(|algorithm| {
        pair.encrypt(*algorithm, PROBE)
            .is_ok_and(|ciphertext| pair.decrypt(*algorithm, &ciphertext).is_ok_and(|found| *found == PROBE))
    });
    let encapsulates = spec.encapsulation_algorithms().is_empty()
        || pair
            .encapsulate()
            .is_ok_and(|made| pair.decapsulate(&made.ciphertext).is_ok_and(|secret| *secret == *made.secret));
    let agrees = spec.key_agreement_algorithms().is_empty()
        || pair.agree(pair.public_key()).is_ok_and(|x| !x.is_empty());
    signs && encrypts && encapsulates && agrees
}
