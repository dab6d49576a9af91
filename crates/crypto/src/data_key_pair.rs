//! Data key pairs: made here, used by the client outside.

use keyreeve_domain::spec::{DataKeyPairSpec, KeySpec};
use zeroize::Zeroizing;

use crate::asymmetric::{KeyPair, MakeMaterialError, ParseKeyError, make_pair, seed_prefix};
use crate::key::KeyMaterial;
use crate::random::Random;

/// A key pair for a client.
pub struct DataKeyPair {
    /// PKCS#8 version 1, DER; for ML-KEM with the 64-byte seed in it (RFC 9935 section 6).
    pub private_key: Zeroizing<Vec<u8>>,
    /// DER of a `SubjectPublicKeyInfo`.
    pub public_key: Vec<u8>,
}

impl DataKeyPair {
    /// The pair of ready-made material of the key spec of the same name, as [`make_material`] returns it.
    ///
    /// [`make_material`]: crate::asymmetric::make_material
    ///
    /// # Errors
    /// Where the material is none of this spec.
    pub fn from_material(spec: DataKeyPairSpec, material: &KeyMaterial) -> Result<Self, ParseKeyError> {
        let pair = KeyPair::parse(key_spec(spec), material)?;
        Ok(Self::new(material, &pair))
    }

    fn new(material: &KeyMaterial, pair: &KeyPair) -> Self {
        // EXPOSE: the private key goes to the client, and wrapped into the store of the client.
        let material = material.expose();
        let prefix = seed_prefix(pair.spec()).unwrap_or_default();
        let mut private_key = Zeroizing::new(Vec::with_capacity(prefix.len() + material.len()));
        private_key.extend_from_slice(prefix);
        private_key.extend_from_slice(material);
        Self { private_key, public_key: pair.public_key().to_vec() }
    }
}

/// A new data key pair. RSA takes up to seconds.
///
/// # Errors
/// See [`MakeMaterialError`].
pub fn make_data_key_pair(
    spec: DataKeyPairSpec,
    random: &dyn Random,
) -> Result<DataKeyPair, MakeMaterialError> {
    let (material, pair) = make_pair(key_spec(spec), random)?;
    Ok(DataKeyPair::new(&material, &pair))
}

/// The key spec of the same name.
#[must_use]
pub const fn key_spec(spec: DataKeyPairSpec) -> KeySpec {
    match spec {
        DataKeyPairSpec::Rsa2048 => KeySpec::Rsa2048,
        DataKeyPairSpec::Rsa3072 => KeySpec::Rsa3072,
        DataKeyPairSpec::Rsa4096 => KeySpec::Rsa4096,
        DataKeyPairSpec::EccNistP256 => KeySpec::EccNistP256,
        DataKeyPairSpec::EccNistP384 => KeySpec::EccNistP384,
        DataKeyPairSpec::EccNistP521 => KeySpec::EccNistP521,
        DataKeyPairSpec::EccSecgP256K1 => KeySpec::EccSecgP256K1,
        DataKeyPairSpec::Sm2 => KeySpec::Sm2,
        DataKeyPairSpec::EccNistEdwards25519 => KeySpec::EccNistEdwards25519,
        DataKeyPairSpec::MlKem512 => KeySpec::MlKem512,
        DataKeyPairSpec::MlKem768 => KeySpec::MlKem768,
        DataKeyPairSpec::MlKem1024 => KeySpec::MlKem1024,
    }
}
