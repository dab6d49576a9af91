//! RSA keys that were made once, for tests alone: a new one takes up to seconds.

use keyreeve_crypto::LockedMemoryError;
use keyreeve_crypto::asymmetric::MakeMaterialError;
use keyreeve_crypto::key::KeyMaterial;
use keyreeve_domain::spec::KeySpec;

/// The key of this size, the same at every call; `None` for what is no RSA key.
pub(crate) fn made_before(spec: KeySpec) -> Option<Result<KeyMaterial, MakeMaterialError>> {
    let pkcs8: &[u8] = match spec.as_str() {
        "RSA_2048" => include_bytes!("rsa/2048.der"),
        "RSA_3072" => include_bytes!("rsa/3072.der"),
        "RSA_4096" => include_bytes!("rsa/4096.der"),
        _ => return None,
    };
    let copied = KeyMaterial::init_with(pkcs8.len(), |slot| {
        slot.copy_from_slice(pkcs8);
        Ok::<_, LockedMemoryError>(())
    });
    Some(copied.map_err(MakeMaterialError::from))
}
